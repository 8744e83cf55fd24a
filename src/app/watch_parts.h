/* What the watch*.c files share; nobody else includes this.
 *
 *   watch.c       the thread, its wards, what is told
 *   watch_look.c  one look at one upstream: pass or probe, step by step
 *   watch_tier.c  follows the ledger of an upstream that is a sallyport
 *   watch_second.c  asks a second upstream what it knows of revisions
 *   tier_book.c   what that ledger says, by revision
 */
#ifndef SP_APP_WATCH_PARTS_H
#define SP_APP_WATCH_PARTS_H

#include "app/tier_book.h"
#include "app/watch.h"
#include "core/custody/follow.h"
#include "core/wsus/dss.h"
#include "sallyport/facts.h"

#include <pthread.h>

/* The ledger of an upstream, as far as it was read. */
struct tier {
    bool on, required;
    struct sp_note_key *key; /* owned: copy of the configuration's */
    char *key_text;          /* owned: to see whether it changed */
    struct sp_follow follow;
    struct sp_tier_book book;
    struct sp_buf seen_note, note; /* remembered; being proven */
    /* the round under way: checkpoint, then bundles */
    struct sp_fetch *fetch; /* borrowed from the pool while it runs */
    struct sp_buf reply;
    int status;
    bool running, at_checkpoint;
    unsigned tries;
    uint64_t next_ms;                    /* when the next round begins by itself */
    struct sp_tier_ask *waiting, *later; /* for this round, for the next */
    enum sp_follow_state told;
};

/* An upstream that is a witness: asked for the documents of revisions that others sent.
 */
struct second {
    struct second *next;
    struct sp_watch *watch; /* borrowed */
    char name[65];          /* of the witness section */
    bool gone, running;
    struct sp_upstream *upstream; /* shared */
    struct sp_tier_book known;    /* the documents it has */
    struct sp_tier_book absent;   /* what it does not have: forgotten now and then */
    struct sp_tier_book queued;   /* what is in the queue, or was since it was empty */
    struct question *queue;       /* owned: the first batch of them are being asked */
    size_t waiting, room, batch;
    bool singly;       /* one of the last batch is refused: one at a time */
    unsigned failures; /* in a row */
    uint64_t next_ms, forget_ms;
    struct sp_dss dss;
    enum sp_dss_step step;
    struct sp_fetch *fetch; /* borrowed from the pool while it runs */
    struct sp_buf ask, reply;
    int status;
};

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
    struct tier tier;
    bool contradicted; /* a witness has another document than it sent */
    struct sp_why contradiction;
    struct sp_watch_row row; /* guarded by the watch's lock */
};

struct sp_watch {
    struct sp_loop *loop;          /* owned */
    struct sp_upstream_pool *pool; /* owned */
    struct sp_keeper *keeper;      /* borrowed */
    struct sp_world *world;        /* shared */
    struct sp_guid account;
    struct ward *wards;     /* owned list */
    struct second *seconds; /* owned list */
    struct sp_counters counters;
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

/* Kind and time, name and host of the upstream. */
enum sp_err sp_ward_entry(const struct ward *d, const char *kind,
                          struct sp_facts *f) SP_MUST_USE;
/* Appends an entry of these facts; a failure is logged. */
void sp_watch_record(struct sp_watch *w, const struct sp_facts *f);

void sp_watch_answer_tier(struct sp_tier_ask *q);

/* watch_tier.c */
void sp_tier_ask_of(struct ward *d, struct sp_tier_ask *q);
enum sp_err sp_tier_setup(struct ward *d, const struct sp_config_upstream *u) SP_MUST_USE;
void sp_tier_fini(struct ward *d);
void sp_tier_tick(struct ward *d);
void sp_tier_stop(struct ward *d); /* answers whoever waits */
unsigned sp_tier_reasons(const struct ward *d);

/* watch_second.c */
void sp_second_follow_world(struct sp_watch *w);
void sp_second_ask(struct sp_watch *w, struct sp_tier_ask *q);
void sp_second_tick(struct sp_watch *w);
void sp_second_free_all(struct sp_watch *w);

/* watch_look.c */
void sp_ward_look(struct ward *d, enum sp_look look);
void sp_ward_ledger_known(struct ward *d);

#endif
