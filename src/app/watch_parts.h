/* What the watch*.c files share; nobody else includes this.
 *
 *   watch.c       the thread, its wards, what is told
 *   watch_look.c  one look at one upstream: pass or probe, step by step
 */
#ifndef SP_APP_WATCH_PARTS_H
#define SP_APP_WATCH_PARTS_H

#include "app/watch.h"
#include "core/wsus/dss.h"

/* One upstream that is watched. */
struct ward {
    struct ward *next;
    struct sp_watch *watch;       /* borrowed */
    struct sp_upstream *upstream; /* shared */
    struct sp_posture posture;
    struct sp_dss dss;
    bool gone; /* not in the world any more: freed once it is idle */
    /* the look under way */
    enum sp_dss_step step;
    struct sp_fetch *fetch; /* borrowed from the pool while it runs */
    struct sp_buf ask, reply;
    int status;
    bool waits_for_ledger;
    unsigned reasons;
    struct sp_why why;
    struct sp_dss_list list;
    struct sp_watch_row row; /* guarded by the watch's lock */
};

/* An entry on its way into the ledger; frees itself. */
struct watch_note;

struct sp_watch {
    struct sp_loop *loop;          /* owned */
    struct sp_upstream_pool *pool; /* owned */
    struct sp_keeper *keeper;      /* borrowed */
    struct sp_world *world;        /* shared */
    struct sp_guid account;
    struct ward *wards; /* owned list */
    uv_timer_t timer;
    unsigned under_way; /* fetches, jobs and records that will come back */
    bool stopping;
    struct sp_msg stop;
    /* the own ledger, checked for whoever passes */
    struct sp_job ledger_job;
    bool ledger_busy;
    uint64_t ledger_at_ms; /* checked last; 0: never */
    unsigned ledger_reasons;
    struct sp_why ledger_why;
    char *state_dir;      /* owned */
    pthread_mutex_t lock; /* of what follows and every ward's row */
    struct sp_watch_status status;
};

/* watch.c */
int64_t sp_watch_now_s(struct sp_watch *w); /* the posture's clock */
void sp_watch_came_back(struct sp_watch *w);
/* The ward's posture is another one: log, ledger, row. */
void sp_ward_changed(struct ward *d);
void sp_ward_tell(struct ward *d); /* the row only */
/* Calls sp_ward_ledger_known once the own ledger was checked not long ago. */
void sp_watch_check_ledger(struct ward *d);

/* watch_look.c */
void sp_ward_look(struct ward *d, enum sp_look look);
void sp_ward_ledger_known(struct ward *d);

#endif
