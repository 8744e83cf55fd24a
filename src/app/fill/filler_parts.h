/* What the filler*.c files share; nobody else includes this.
 *
 *   filler.c         the registry of fills, wants that join them, the thread
 *   filler_run.c     one fill: performs the effects of its machine
 *   filler_fetch.c   its transfers
 *   filler_gather.c  what they bring, in pieces
 *   filler_chore.c   digests and notes of what came, in the work pool
 *   filler_map.c     blocks far ahead: noted, and taken up again
 *   filler_follow.c  those who read a file while it comes
 *   filler_pace.c    what is fetched ahead stands still behind those who ask
 */
#ifndef SP_APP_FILL_FILLER_PARTS_H
#define SP_APP_FILL_FILLER_PARTS_H

#include "app/fill/filler.h"
#include "app/fill/prefetch.h"
#include "app/fill/stock.h"
#include "app/shared/board.h"
#include "app/shared/desk.h"
#include "app/shared/metrics.h"
#include "app/shared/rate.h"
#include "core/gate/roads.h"
#include "io/net/upstream.h"

struct transfer; /* filler_fetch.c */

enum { MAP_BATCH = 16 }; /* blocks a chore */

struct fill;
struct chore {
    struct sp_job job;
    bool busy, hashes;
    uint64_t blocks[MAP_BATCH]; /* to be mapped */
    size_t count;
    uint64_t to; /* digested, or durable, up to here */
    uint8_t sha256[32];
    enum sp_err err;
    void (*then)(struct fill *f);
};

struct fill {
    struct fill *next, *previous; /* the registry's list */
    struct sp_filler *filler;     /* borrowed */
    struct sp_world *world;       /* shared */
    size_t upstream;
    struct sp_upstream *source; /* shared; the content source, once it is asked */
    struct sp_content_path path;
    struct sp_claim claim;
    struct sp_fill *machine;      /* owned */
    struct sp_want *waiting;      /* owned list */
    struct sp_stage *stage;       /* owned */
    uint64_t reserved;            /* bytes of the stock's room */
    size_t row;                   /* on the board */
    struct sp_digester *digester; /* owned */
    struct sp_inflow *inflow;     /* shared; while bytes may go out as they come */
    bool is_proven;               /* and recorded; all of it may go out */
    struct sp_object *object;     /* shared, once committed */
    struct sp_roads roads;        /* what has come, and who brings the rest */
    struct transfer *transfers[SP_ROADS]; /* owned */
    uint64_t sides_from_ms;               /* no side roads before */
    uv_timer_t pause;                     /* before a try */
    struct sp_fill_effect again; /* the try under way, or the one it is before */
    bool fetching;               /* a try is under way */
    bool held;                   /* it stands still, see filler_pace.c */
    bool is_again;               /* an earlier fill of the file failed */
    struct sp_link_report link;  /* of the last transfer that ended well */
    bool has_link;
    struct sp_fill_got got;
    uint64_t hashed; /* digested, from the start on */
    bool overrun;    /* more bytes came than were claimed */
    bool is_short;   /* fewer: short_size */
    uint64_t short_size;
    enum sp_err failed; /* the trunk */
    struct sp_why failed_why;
    enum sp_err write_err; /* ours: disk, memory */
    struct chore chore, note;
    struct sp_fill_effect ending; /* what waits for the note to be made */
    bool is_ending;
    bool is_kept;              /* the stage can be taken up again */
    struct sp_stage_mark kept; /* what of it was there when it began */
    uint64_t noted;
    uint64_t noted_ms; /* when that was, or the fill began */
    uint8_t *mapped; /* owned; a bit a block: it is in the map. NULL: none is */
    uint64_t strewn; /* bytes that came since blocks to be mapped were looked for */
    struct sp_job job;
    enum sp_err job_err;
    struct sp_why job_why;
    const char *quarantine_reason; /* NULL: the job commits */
    struct sp_facts *signatures;   /* owned; what the inspection found */
    int64_t judged_at;
    struct sp_ask_claim known; /* what the ledger says when the fill begins */
    struct sp_record record;
    struct sp_record_entry entry;
};

/* A file that an upstream did not have a moment ago. */
struct absent {
    uint8_t sha1[20];
    size_t upstream;
    uint64_t until_ms; /* of the filler's loop */
};
enum { ABSENT_PLACES = 256 }; /* a place a digest, the newest stays */

struct sp_filler {
    struct sp_loop *loop;          /* owned */
    struct sp_keeper *keeper;      /* borrowed */
    struct sp_objects *objects;    /* borrowed */
    struct sp_desk *desk;          /* borrowed */
    struct sp_upstream_pool *pool; /* owned */
    struct sp_stock *stock;        /* owned */
    struct sp_prefetch *prefetch;  /* owned */
    struct fill *fills;            /* owned list */
    struct absent absent[ABSENT_PLACES];
    uint8_t doubted[ABSENT_PLACES][20]; /* files whose last fill failed; by SHA-1 */
    struct sp_board board;
    struct sp_counters counters;
    struct sp_rate refusals;
    uv_timer_t noting; /* until the next note may be due */
    uv_timer_t linger; /* until what was gathered is written */
    uv_timer_t held; /* until the next of the fills that stand still may go on */
    size_t sides;    /* side transfers of all fills */
    bool is_noting; /* some fill notes, or maps */
    bool stock_idle, prefetch_idle;
    atomic_bool stopping; /* written on the loop; inspections look at it too */
    struct sp_msg stop;      /* there, and back again */
    struct sp_loop *stopper; /* borrowed */
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

/* filler.c */
void sp_fill_answer(struct sp_want *w, enum sp_err e); /* unlinks it */
void sp_fill_answer_failure(struct sp_want *w, enum sp_err e, int status,
                            const char *text);
void sp_fill_absent(struct fill *f); /* the upstream answered 404 */
/* For the next fill of the file: was this one good? One that was not might have been
 * the connection's doing. */
void sp_fill_doubt(struct fill *f, bool good);
void sp_fill_end(struct fill *f);    /* nobody waits any more; f is gone */

/* filler_run.c */
void sp_fill_perform(struct fill *f, const struct sp_fill_effect *e);
/* A note was made: what waited for it is performed, else the fill goes on. */
void sp_fill_noted(struct fill *f);
/* The stage is there, or is not. f may be gone afterwards. */
void sp_fill_staged_now(struct fill *f, enum sp_err e, uint64_t resumed,
                        const struct sp_why *why);

/* filler_fetch.c */
void sp_fill_fetch(struct fill *f, const struct sp_fill_effect *e);
/* The filler stops: does not wait for the next try. */
void sp_fill_hurry(struct fill *f);
/* Something ended: goes on, or tells the machine. f may be gone afterwards. */
void sp_fill_settle(struct fill *f);
void sp_fill_forget_transfers(struct fill *f);
void sp_fill_forget_sides(struct fill *f);
void sp_fill_resume_transfers(struct fill *f);
/* Side roads to those who wait far ahead, as many as may be. */
void sp_fill_spread(struct fill *f);
void sp_filler_spread(struct sp_filler *filler);
/* Stages what all transfers have gathered. */
void sp_filler_flush(uv_timer_t *linger);

/* filler_gather.c */
struct gather {
    uint8_t *pages;   /* owned; NULL before there is something to be held */
    size_t held;      /* bytes, of the road from its at on */
    uint64_t brought; /* bytes that went on to the stage */
};
/* Takes the head of what came on a road. Out: what is to be staged now, borrowed, or
 * nothing: it waits for more, and sp_filler_flush is called in a moment. */
struct sp_view sp_gather(struct gather *g, const struct sp_road *r,
                         struct sp_filler *filler, struct sp_view *bytes);
/* What waits, if anything does: it is to be staged now. */
struct sp_view sp_gather_end(struct gather *g);
void sp_gather_fini(struct gather *g);
void sp_filler_gather_init(struct sp_filler *filler);

/* filler_chore.c */
void sp_filler_chore_init(struct sp_filler *filler);
/* These bytes were staged at this place. */
enum sp_err sp_fill_digest(struct fill *f, uint64_t at,
                           struct sp_view bytes) SP_MUST_USE;
/* Begins the chore that is due, if one is. */
void sp_fill_chore(struct fill *f);
/* Reads what an earlier fill has left; sp_fill_staged_now follows. */
void sp_fill_read_back(struct fill *f);

/* filler_follow.c. A want joined, or the first byte came: offers what may be offered.
 */
void sp_fill_offer(struct fill *f);
void sp_fill_offer_to(struct fill *f, struct sp_want *w);
/* More was staged. */
void sp_fill_grown(struct fill *f);
/* The verdict stands and is durable: who can read the stage need not wait until the
 * store has the file as well. */
void sp_fill_proven(struct fill *f);

/* filler_map.c */
/* Begins the chore of mapping, if there is what to map. */
bool sp_fill_map(struct fill *f);
/* Behind the prefix: what of the map is there. then follows, in the work pool's time.
 */
void sp_fill_take_up(struct fill *f, void (*then)(struct fill *f));

/* filler_pace.c */
void sp_filler_pace_init(struct sp_filler *filler);
/* Before bytes are taken or asked for: has it to stand still? Then it goes on by itself
 * once it may. */
bool sp_fill_holds(struct fill *f);
/* So many bytes came. */
void sp_fill_spend(struct fill *f, uint64_t bytes);
/* Somebody joined it: goes on at once if it may. f may be gone afterwards. */
void sp_fill_go_on(struct fill *f);

#endif
