/* What the renewer*.c files share; nobody else includes this.
 *
 *   renewer.c        the catalogue in force, the thread, its beginning and end
 *   renewer_fetch.c  the download, and going on with one that broke off
 *   renewer_run.c    what came of it: proven, recorded, put in force
 */
#ifndef SP_APP_OFFLINE_RENEWER_PARTS_H
#define SP_APP_OFFLINE_RENEWER_PARTS_H

#include "app/offline/catalog_part.h"
#include "app/offline/renewer.h"
#include "core/catalog/renewal.h"
#include "io/store/catalog.h"

struct look {                     /* one download and what became of it */
    struct sp_world *world;       /* shared: the one it began under */
    struct sp_fetch *fetch;       /* borrowed from the pool while it runs */
    struct sp_stage *stage;       /* owned */
    struct sp_digester *digester; /* owned */
    struct sp_catalog_part
        part;                  /* what is or will be kept of it, should it break off */
    struct sp_stage_mark kept; /* of an earlier one, with a stage: to be gone on with */
    uint64_t got, noted, resumed; /* bytes: here; durable; here from an earlier one */
    bool leaves;                  /* the stage is left for the next look */
    enum sp_err write_err;
    struct sp_link_report link;
    struct sp_catalog_good found; /* what will be in force, if it is good */
    struct sp_facts *facts;       /* owned */
    struct sp_catalog_ruling ruling;
    struct sp_catalog_about about;
    struct sp_buf text;       /* owned: of the ledger's entry */
    struct sp_object *object; /* shared, once committed */
};

struct sp_renewer {
    struct sp_loop *loop;          /* owned */
    struct sp_keeper *keeper;      /* borrowed */
    struct sp_desk *desk;          /* borrowed */
    struct sp_upstream_pool *pool; /* owned */
    struct sp_objects *objects;    /* owned */
    struct sp_world *world;        /* shared: the one in force */
    char place[SP_CATALOG_PATH];
    struct sp_renewal machine;
    struct sp_catalog_good good; /* signed_at 0: there never was one */
    uv_timer_t timer;
    struct sp_renewal_effect next; /* the FETCH the timer waits for */
    bool waiting, look_again, stopping, ended;
    atomic_bool stop; /* for jobs */
    struct look look;
    struct sp_job job;
    enum sp_err job_err;
    struct sp_why job_why;
    struct sp_record record;
    struct sp_record_entry entry;
    struct sp_object_watch watch;
    uv_mutex_t lock;          /* of what follows */
    struct sp_object *object; /* shared: in force; NULL: none, or damaged */
    uint8_t indexed[32];      /* its SHA-256 */
    struct sp_counters counters;
    struct sp_msg start_msg, stop_msg;
};

/* renewer.c */
void sp_renewer_publish(struct sp_renewer *r, struct sp_object *o); /* takes it */
void sp_renewer_maybe_end(struct sp_renewer *r);

/* renewer_run.c */
void sp_renewer_perform(struct sp_renewer *r, const struct sp_renewal_effect *e);
void sp_renewer_job(struct sp_renewer *r, void (*work)(struct sp_job *),
                    void (*done)(struct sp_job *));

/* renewer_fetch.c */
void sp_renewer_fetch(struct sp_renewer *r, const struct sp_renewal_effect *e);
/* Does not wait any longer; when a look is under way another follows it. */
void sp_renewer_hurry(struct sp_renewer *r);

#endif
