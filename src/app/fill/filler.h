/* The filler: one fill a digest, whatever the number of askers; one loop of its own. */
#ifndef SP_APP_FILL_FILLER_H
#define SP_APP_FILL_FILLER_H

#include "app/fill/want.h"
#include "io/store/keeper.h"
#include "io/store/objects.h"

struct sp_desk;
struct sp_filler;
struct sp_stock;
struct sp_board;

enum sp_err sp_filler_new(struct sp_keeper *keeper, struct sp_objects *objects,
                          struct sp_desk *desk, struct sp_filler **out,
                          struct sp_why *why) SP_MUST_USE;
/* Cancels what is under way, answers everybody, ends the thread; then stopped is
 * called, once, on the loop l. */
void sp_filler_stop(struct sp_filler *f, struct sp_loop *l, void (*stopped)(void *ctx),
                    void *ctx);
void sp_filler_free(struct sp_filler **f);
const struct sp_counters *sp_filler_counters(const struct sp_filler *f);
struct sp_stock *sp_filler_stock(struct sp_filler *f); /* borrowed: the filler's */
struct sp_board *sp_filler_board(struct sp_filler *f); /* the same */
/* Any thread: the world that is in force, for what is fetched ahead. */
void sp_filler_set_world(struct sp_filler *f, struct sp_world *w);
/* On its loop: something is under way from this upstream that somebody asked for. */
bool sp_filler_is_asked(const struct sp_filler *f, const struct sp_upstream *u);

#endif
