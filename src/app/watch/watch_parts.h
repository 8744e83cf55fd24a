/* What the watch*.c files share; nobody else includes this.
 *
 *   watch.c       the thread, its wards, what is told
 *   watch_look.c  one look at one upstream: pass or probe, step by step
 *   watch_tier.c  follows the ledger of an upstream that is a sallyport
 *   watch_second.c  asks a second upstream what it knows of revisions
 *   watch_review.c  holds what was recorded against what every witness says by now
 *   watch_cosign.c  asks the cosigners of the own ledger
 *   watch_evidence.c  keeps both versions of what a client was told otherwise
 *   tier_book.c   what that ledger says, by revision
 *   answers.c     what a second upstream said, kept
 */
#ifndef SP_APP_WATCH_WATCH_PARTS_H
#define SP_APP_WATCH_WATCH_PARTS_H

#include "app/offline/catalog_place.h"
#include "app/watch/answers.h"
#include "app/watch/watch.h"
#include "core/custody/follow.h"
#include "core/custody/testimony.h"
#include "core/wsus/dss.h"
#include "sallyport/facts.h"

#include <pthread.h>
#include <stdatomic.h>

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
    /* cosignatures by known cosigners: of the newest checkpoint that is proven, and of the
     * largest that had as many as are demanded */
    unsigned wanted, cosigned, covered_by;
    uint64_t covered; /* entries of that one */
    bool told_lack;
};

/* What an upstream sent here, as it was: what witnesses are asked about. */
struct sent {
    struct sp_revision_id id;
    uint8_t document_sha256[32];
    char served_by[64];
};

/* An upstream that is a witness: asked for the documents of revisions that others sent.
 */
struct second {
    struct second *next;
    struct sp_watch *watch; /* borrowed */
    char name[65];          /* of the witness section */
    bool gone, running;
    struct sp_upstream *upstream; /* shared */
    struct sp_answers answers;    /* what it said; entry: when, by the posture's clock */
    struct sp_tier_book queued;   /* what is in the queue, or was since it was empty */
    struct sent *queue;           /* owned: the first batch of them are being asked */
    size_t waiting, room, batch;
    bool singly;       /* one of the last batch is refused: one at a time */
    /* something could not be asked, or was answered that was not known when it was looked
     * at: once the queue is empty all is looked through again */
    bool look_again;
    unsigned failures; /* in a row */
    uint64_t next_ms;
    int64_t asked_since; /* what was said before may be asked again at any time */
    struct sp_dss dss;
    enum sp_dss_step step;
    struct sp_fetch *fetch; /* borrowed from the pool while it runs */
    struct sp_buf ask, reply;
    int status;
};

/* One witness section, of whatever kind: what of all that was recorded it contradicts. */
struct voice {
    struct voice *next;
    char name[65];
    bool gone;
    struct sp_answers told; /* contradictions that are in the ledger: not told twice */
    struct against {
        struct sent sent;
        unsigned pass; /* that saw it last */
    } *against;        /* owned */
    size_t count, room;
    uint64_t tally[SP_TESTIMONY_COUNT], silent; /* of the pass */
};

/* The pass through the ledger, a piece a tick; it goes on with what is recorded. */
struct review {
    uint64_t at;   /* the next entry */
    bool busy;     /* a piece is under way */
    bool again;    /* somebody knows more: from the first entry on, after this pass */
    bool told;     /* how the pass ended */
    unsigned pass; /* counted */
    uint64_t next_ms;          /* the next pass, whatever comes */
    char catalog[SP_CATALOG_PATH]; /* the index that was asked */
};

/* Documents in custody that are had once more, one at a time, as evidence. */
struct wish {
    struct sp_revision_id id;
    uint8_t document_sha256[32];
    char upstream[64];
};
enum { WISHES_MAX = 64 };
struct recovery {
    struct sp_watch *watch; /* borrowed */
    struct wish queue[WISHES_MAX]; /* the first is under way while running */
    size_t waiting;
    bool running;
    uint64_t next_ms;
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
    uint64_t reviewed; /* entries of its ledger that the review was begun with */
    struct sp_watch_row row; /* guarded by the watch's lock */
};

/* The round about the own ledger's newest checkpoint. */
struct cosigning {
    struct sp_world *world; /* shared: the one the cosigners are of */
    struct cosigner *at;    /* owned, count of them */
    size_t count;
    bool busy, again, is_second; /* somebody has to be asked again; it is that time */
    struct sp_job job;
    struct sp_buf note; /* with the cosignatures that came so far */
    uint64_t size;      /* of that checkpoint */
    uint64_t shown;     /* of the last one that had enough; UINT64_MAX: none */
    size_t asked;       /* who did not answer yet */
    unsigned good, failures;
    uint64_t next_ms;
    enum sp_err err;
    struct sp_why why;
};

struct sp_watch {
    struct sp_loop *loop;          /* owned */
    struct sp_upstream_pool *pool; /* owned */
    struct sp_keeper *keeper;      /* borrowed */
    struct sp_renewer *renewer;    /* borrowed; NULL: no offline catalogue */
    struct sp_world *world;        /* shared */
    struct sp_guid account;
    struct ward *wards;     /* owned list */
    struct second *seconds; /* owned list */
    struct voice *voices;   /* owned list */
    struct review review;
    struct recovery recovery;
    atomic_uint differences; /* on their way here */
    struct cosigning cosigning;
    struct sp_counters counters;
    uv_timer_t timer;
    unsigned ticks;
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
/* What its ledger says of a revision; SP_TESTIMONY_COUNT: it cannot be believed now. */
enum sp_testimony sp_tier_says(const struct ward *d, const struct sent *sent);
unsigned sp_tier_reasons(const struct ward *d);
/* The sentence for a person. */
void sp_tier_why(const struct ward *d, struct sp_why *why);

/* watch_second.c */
void sp_second_follow_world(struct sp_watch *w);
void sp_second_ask(struct sp_watch *w, struct sp_tier_ask *q);
void sp_second_tick(struct sp_watch *w);
void sp_second_free_all(struct sp_watch *w);
/* What the witness said; SP_TESTIMONY_COUNT: nothing yet. It is asked what it should be. */
enum sp_testimony sp_second_says(struct sp_watch *w, const char *witness,
                                 const struct sent *sent);
void sp_second_recheck(struct sp_watch *w);

/* watch_evidence.c */
void sp_recovery_init(struct sp_watch *w);
void sp_recovery_tick(struct sp_watch *w);
void sp_recovery_fini(struct sp_watch *w);

/* watch_review.c */
void sp_review_follow_world(struct sp_watch *w);
void sp_review_tick(struct sp_watch *w);
void sp_review_again(struct sp_watch *w);
/* A witness spoke about what was sent here. */
void sp_review_hear(struct sp_watch *w, const char *witness, const struct sent *sent,
                    enum sp_testimony says);
/* Does any witness contradict what this upstream sent? why says which and what. */
bool sp_review_is_against(const struct sp_watch *w, const char *upstream,
                          struct sp_why *why);
void sp_review_free(struct sp_watch *w);

/* watch_cosign.c */
void sp_cosigning_init(struct sp_watch *w);
void sp_cosigning_fini(struct sp_watch *w);
void sp_cosigning_tick(struct sp_watch *w);

/* watch_look.c */
void sp_ward_look(struct ward *d, enum sp_look look);
void sp_ward_ledger_known(struct ward *d);

#endif
