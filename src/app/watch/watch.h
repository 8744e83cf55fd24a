/* The watch: one thread that looks at upstreams, so that nobody who serves has to. It
 * runs the posture of every upstream: a full pass at start and every interval, the
 * cheap probe while something is wrong. Every change goes to the log and the ledger.
 *
 * Full pass: the own ledger is whole; the upstream proves itself, lets us log in and
 * lists its revisions. Probe: what is new since, nothing else. */
#ifndef SP_APP_WATCH_WATCH_H
#define SP_APP_WATCH_WATCH_H

#include "app/shared/desk.h"
#include "app/shared/metrics.h"
#include "app/world/world.h"
#include "core/custody/posture.h"
#include "io/store/keeper.h"

struct sp_watch;
struct sp_watch_conf {      /* borrowed for the watch's life, but for world */
    struct sp_world *world; /* a reference is taken */
    struct sp_keeper *keeper;
    struct sp_renewer *renewer; /* NULL: no offline catalogue */
};
/* Starts the thread; it logs the interval in force. */
enum sp_err sp_watch_new(const struct sp_watch_conf *conf, struct sp_watch **out,
                         struct sp_why *why) SP_MUST_USE;
/* From the main loop: another world is in force. */
enum sp_err sp_watch_set_world(struct sp_watch *w, struct sp_world *world) SP_MUST_USE;
/* From the main loop: a full pass of every upstream. */
enum sp_err sp_watch_recheck(struct sp_watch *w) SP_MUST_USE;
/* Cancels what is under way and ends the thread; the keeper must still run. */
void sp_watch_stop(struct sp_watch *w);
void sp_watch_free(struct sp_watch **w);

/* ---- the ledger of an upstream that is a sallyport --------------------------------- */

struct sp_tier_said { /* of one revision */
    bool asked; /* of a second upstream: it has answered about this one */
    bool known;
    uint8_t document_sha256[32];
    uint64_t entry;
    unsigned cosigned; /* by so many of the upstream's custody_cosigners */
};
struct sp_tier_ask {
    struct sp_msg msg; /* private */
    char upstream[64];
    const struct sp_revision_id *ids; /* borrowed until answer */
    size_t count;
    struct sp_tier_said *said; /* caller's array of count, filled in */
    /* of a second upstream: */
    const struct sp_revision *revisions; /* as they came; borrowed until answer */
    char served_by[64];                  /* the upstream they came from */
    /* answer: followed is false where that upstream's ledger is not asked for. What is
     * missing is looked for once more at the upstream where it is required. */
    bool followed, required;
    char origin[SP_LIMIT_NOTE_NAME + 1];
    const char *state;
    struct sp_why why;
    uint64_t size;
    unsigned cosigned_wanted;
    unsigned rounds;      /* private */
    struct sp_loop *loop; /* where the answer goes */
    void (*answer)(struct sp_tier_ask *q);
    struct sp_watch *watch; /* private */
};
void sp_watch_ask_tier(struct sp_watch *w, struct sp_tier_ask *q); /* any thread */

/* Any thread: what the witness section q->upstream, another upstream, said of these
 * revisions so far. Those it was not asked about yet are asked about in the background;
 * what it contradicts then is recorded. Answered at once. */
void sp_watch_ask_second(struct sp_watch *w, struct sp_tier_ask *q);
/* Any thread: both versions of what a client should have been told go into the evidence:
 * text, which is copied, as it came from this upstream, and the document in custody, which
 * is asked for again and has to have its digest. Nobody waits. What is too large, or comes
 * while much of it is waiting, is not kept. */
void sp_watch_keep_difference(struct sp_watch *w, const char *upstream,
                              const struct sp_revision_id *id,
                              const uint8_t document_sha256[32], struct sp_view text);

const struct sp_counters *sp_watch_counters(const struct sp_watch *w);

/* What is told about it, from any thread. */
struct sp_watch_row {
    char name[64], host[300];
    enum sp_posture_state state;
    unsigned reasons;
    char why[SP_WHY_MAX];
    int64_t since, last_pass, last_probe; /* unix seconds; 0: not yet */
    bool passing;                         /* a full pass is under way */
};
/* A witness: what it said of all that is recorded, as the last look through the history
 * left it. */
struct sp_watch_voice {
    char name[65];
    uint64_t agrees, contradicts, missing; /* of revisions */
    uint64_t silent;                       /* it has not said, or cannot be asked */
};
enum { SP_WATCH_ROWS = 64 };
struct sp_watch_status {
    bool on;
    const char *profile;
    unsigned minutes;
    size_t count;
    struct sp_watch_row rows[SP_WATCH_ROWS];
    size_t voice_count;
    struct sp_watch_voice voices[SP_WATCH_ROWS];
};
void sp_watch_status(struct sp_watch *w, struct sp_watch_status *out);
/* What all rows come to: the worst of them; unknown where there is none. */
enum sp_posture_state sp_watch_overall(const struct sp_watch_status *s);

#endif
