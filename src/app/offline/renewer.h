/* The offline catalogue, kept new: fetched on schedule, proven, indexed, put in force,
 * and held for those who serve it. One thread with a loop of its own; proving and
 * indexing are jobs of the work pool. The decisions are core/catalog/renewal.h, the
 * files catalog_place.h. */
#ifndef SP_APP_OFFLINE_RENEWER_H
#define SP_APP_OFFLINE_RENEWER_H

#include "app/offline/catalog_place.h"
#include "app/shared/desk.h"
#include "app/shared/metrics.h"
#include "app/world/world.h"
#include "io/store/keeper.h"

struct sp_renewer;

struct sp_renewer_conf {    /* all but world borrowed for the renewer's life */
    struct sp_world *world; /* with a catalog section; a reference is taken */
    struct sp_keeper *keeper;
    struct sp_desk *desk;
};
/* Reads what is on disk and starts; the first look follows at once. */
enum sp_err sp_renewer_new(const struct sp_renewer_conf *conf, struct sp_renewer **out,
                           struct sp_why *why) SP_MUST_USE;
/* The world in force from now on, and a look as soon as none is under way. Any thread.
 */
enum sp_err sp_renewer_set_world(struct sp_renewer *r, struct sp_world *w) SP_MUST_USE;
/* Calls off what is under way and ends the thread. */
void sp_renewer_stop(struct sp_renewer *r);
void sp_renewer_free(struct sp_renewer **r);
const struct sp_counters *sp_renewer_counters(const struct sp_renewer *r);

/* Any thread. The catalogue in force, a reference of the caller's; NULL: none yet. Its
 * last_modified is when it was signed. */
struct sp_object *sp_renewer_object(struct sp_renewer *r);
/* Any thread. Path of its index, for sp_catalog_open; false: none yet. It may be
 * replaced meanwhile: SP_E_NOTFOUND of the opening means to ask again. */
bool sp_renewer_index(struct sp_renewer *r, char out[SP_CATALOG_PATH]);

#endif
