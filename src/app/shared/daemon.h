/* The daemon: threads and what they own.
 *
 *     main loop   signals, reload, admin listener, what status shows
 *     lanes       one event loop each: listeners, exchanges, upstream pool, hot objects
 *     filler      one loop: the registry of fills, content transfers, the store
 *     catalog     one loop: the offline catalogue, where one is configured
 *     keeper      one thread: ledger and index
 *     watch       one loop: looks at upstreams, so that nobody who serves has to
 *     work pool   inspections, fsyncs
 *
 * They share only what is immutable and counted (world, objects) and send each other
 * messages. */
#ifndef SP_APP_SHARED_DAEMON_H
#define SP_APP_SHARED_DAEMON_H

#include "app/config/peers.h"
#include "app/world/world.h"
#include "app/shared/hot.h"
#include "app/shared/lockdown.h"
#include "app/shared/metrics.h"
#include "app/shared/seals.h"
#include "core/base/spares.h"
#include "io/store/keeper.h"
#include "io/store/objects.h"

struct farewell;
struct sp_filler;
struct sp_watch; /* watch.h */
struct sp_renewer;
struct sp_joined;
struct sp_cosigner; /* cosigner.h */
struct sp_pace; /* prefetch.h */
struct sp_desk; /* what the main loop keeps for status: plain peers, refusals */

/* budget.c: bytes that all exchanges of metadata may hold together. One reply may have
 * 64 MiB and one loop thousands of askers; without a common ceiling each would keep to
 * its own and all of them use up the machine. Any thread. */
struct sp_budget {
    atomic_size_t limit, held;
};
void sp_budget_set(struct sp_budget *b, size_t limit); /* also while bytes are held */
/* False, and nothing is held, where it would be more than the limit. */
bool sp_budget_hold(struct sp_budget *b, size_t bytes);
void sp_budget_give(struct sp_budget *b, size_t bytes);

/* rate.c: refusals that go into the ledger, 600 at once and then ten a minute. Who asks
 * again and again for what is refused must not be able to fill the disk; the log and
 * the counters still have every one. On one loop. */
struct sp_rate {
    uint64_t spent, since_ms;
};
bool sp_rate_take(struct sp_rate *r, uint64_t now_ms);

struct sp_door_context {
    struct sp_lane *lane; /* borrowed */
    size_t door;          /* index of the listener */
};

struct sp_lane {
    struct sp_loop *loop;     /* owned */
    struct sp_keeper *keeper; /* borrowed from the daemon, as what follows */
    struct sp_filler *filler;
    struct sp_renewer *renewer; /* NULL: no offline catalogue */
    struct sp_desk *desk;
    struct sp_watch *watch;
    struct sp_budget *budget;
    struct sp_peers *peers;
    const struct sp_lockdown *lockdown;
    struct sp_cosigner *cosigner;
    struct sp_world *world;        /* shared: the one in force */
    struct sp_seals *seals;        /* shared: the keys of cookies in force */
    struct sp_upstream_pool *pool; /* owned */
    struct sp_server **servers;    /* owned, one a listener of the first world */
    size_t server_count, servers_open;
    struct sp_door_context *doors; /* owned: a server's handler context */
    struct sp_server_conf *confs;  /* owned: the servers borrow them */
    size_t visits;                 /* exchanges and what they still wait for */
    struct sp_spares rested;       /* exchange.c: visits that ended, to be used again */
    struct sp_random_stock random;
    size_t custody_readings;         /* custody_serve.c: files that are being opened */
    size_t petitions;                /* cosign_serve.c: what is being ruled on */
    struct farewell *farewell;       /* lane.c: whom to tell at the end */
    void (*idle)(struct sp_lane *l); /* called when visits falls to 0; NULL: do not */
    struct sp_hot hot;
    struct sp_joined *joined; /* joined.c; each frees itself */
    size_t joined_count;
    struct sp_rate refusals;
    struct sp_rate turned_away; /* log lines about those */
    struct sp_counters counters;
};

/* exchange.c: the handler of every listener; ctx is a struct sp_door_context. */
extern const struct sp_server_handler sp_exchange_handler;

/* exchange.c: frees the visits that were kept. */
void sp_visits_clear(struct sp_lane *l);

/* filler.c: one fill a digest, whatever the number of askers. */
enum sp_err sp_filler_new(struct sp_keeper *keeper, struct sp_objects *objects,
                          struct sp_desk *desk, struct sp_filler **out,
                          struct sp_why *why) SP_MUST_USE;
/* Cancels what is under way, answers everybody, ends the thread; then stopped is
 * called, once, on the loop l. */
void sp_filler_stop(struct sp_filler *f, struct sp_loop *l, void (*stopped)(void *ctx),
                    void *ctx);
void sp_filler_free(struct sp_filler **f);
const struct sp_counters *sp_filler_counters(const struct sp_filler *f);
struct sp_stock *
sp_filler_stock(struct sp_filler *f); /* stock.h; owned by the filler */
struct sp_board *sp_filler_board(struct sp_filler *f); /* board.h; the same */
/* Any thread: the world that is in force, for what is fetched ahead. */
void sp_filler_set_world(struct sp_filler *f, struct sp_world *w);
/* On its loop: something is under way from this upstream that somebody asked for. */
bool sp_filler_is_asked(const struct sp_filler *f, const struct sp_upstream *u);

/* A file on its way in that may be read while it comes: immutable, counted, usable on
 * every loop. How far it may be read is told, not looked up. */
struct sp_inflow {
    atomic_uint refs; /* private */
    int fd;           /* owned */
    uint64_t size;
    uint64_t hold_at; /* no byte from here on before the verdict */
    char etag[SP_OBJECT_ETAG];
    int64_t last_modified;
};
struct sp_inflow *sp_inflow_ref(struct sp_inflow *i);
void sp_inflow_unref(struct sp_inflow **i);

struct sp_want {
    struct sp_msg msg; /* private */
    struct sp_world
        *world; /* the caller's reference, taken over; dropped by the filler */
    size_t upstream;
    struct sp_content_path path;
    struct sp_claim claim;
    struct sp_pace *pace; /* nobody asked: fetched ahead, at this pace; else NULL */
    /* The ledger says it was verified: open it if it is there, else SP_E_NOTFOUND. */
    bool open_only;
    uint8_t verified_sha256[32];
    struct sp_tree_root tree; /* its block tree's, as the ledger has it */
    struct sp_loop *loop;     /* where the answer goes */
    /* SP_OK: object, a reference the receiver owns. Else status and why; for open_only
     * e. */
    void (*answer)(struct sp_want *w, enum sp_err e);
    struct sp_object *object;
    int status;
    struct sp_why why;
    /* A fill that may be read while it runs says so, at most once: inflow is set, a
     * reference the receiver owns. NULL: do not. */
    void (*offered)(struct sp_want *w);
    struct sp_inflow *inflow;
    /* After sp_filler_follow, again and again before answer: the bytes before open, a
     * place in the file behind first, may be read. */
    void (*grown)(struct sp_want *w, uint64_t open);
    uint64_t first, length;
    void (*left)(struct sp_want *w); /* see sp_filler_leave */

    /* private from here on; plain fields are the filler's own */
    struct sp_msg note, leave;
    atomic_bool noted;     /* note is on its way to the receiver */
    _Atomic uint64_t open; /* what it says */
    uint64_t told;
    bool follows;
    struct fill *fill;                /* borrowed; NULL when it waits for none */
    struct sp_want *next, **previous; /* those who wait for the same fill */
    struct sp_filler *filler;         /* borrowed */
    enum sp_err err;
};
void sp_filler_want(struct sp_filler *f, struct sp_want *w);
/* After offered: the receiver waits for length bytes from first on. */
void sp_filler_follow(struct sp_want *w, uint64_t first, uint64_t length);
/* Nobody waits any more, before or after answer. left is called last of all; then
 * nothing of the filler's refers to w. */
void sp_filler_leave(struct sp_want *w);

/* desk.c: small tables for status.json, on the main loop; posting is from any thread.
 */
enum sp_err sp_desk_new(struct sp_loop *main_loop, struct sp_desk **out) SP_MUST_USE;
void sp_desk_free(struct sp_desk **d);
void sp_desk_plain_http(struct sp_desk *d, const char *peer, const char *operation,
                        bool refused);
struct sp_desk_refusal {
    char what[16], peer[64], operation[40], rule[40], why[SP_WHY_MAX];
    bool has_entry;
    uint64_t entry;
};
void sp_desk_refused(struct sp_desk *d, const struct sp_desk_refusal *r);
/* Rules in observe or audit mode failed: observed.h. */
struct sp_observation;
void sp_desk_observed(struct sp_desk *d, const struct sp_observation *o);
/* The upstream answered well, or failed: for its state in status. */
void sp_desk_upstream(struct sp_desk *d, const char *name, enum sp_err e,
                      const char *why);
/* On the main loop: unix seconds; 0: not since the daemon started. */
int64_t sp_desk_last_good(const struct sp_desk *d, const char *name);

/* admin.c: /health /metrics /status.json /posture on the main loop. */
struct sp_admin_view {       /* what it reports; all borrowed */
    struct sp_world **world; /* the one in force */
    struct sp_lane *lanes;
    size_t lane_count;
    struct sp_filler *filler;
    struct sp_renewer *renewer; /* NULL: no offline catalogue */
    struct sp_keeper *keeper;
    struct sp_desk *desk;
    struct sp_watch *watch;
    struct sp_peers *peers;
    struct sp_lockdown *lockdown;
    bool *draining;
    int64_t started;
    struct sp_sockets *inherited; /* while it is made */
};
struct sp_admin;
/* Its one or two, borrowed until it is closed; how many. */
size_t sp_admin_sockets(const struct sp_admin *a, int fds[2]);
/* The certificate of the world in force now. */
void sp_admin_follow_world(struct sp_admin *a);
enum sp_err sp_admin_new(struct sp_loop *main_loop, const char *bind,
                         const struct sp_admin_view *view, struct sp_admin **out,
                         struct sp_why *why) SP_MUST_USE;
void sp_admin_close(struct sp_admin *a, void (*done)(void *ctx), void *ctx);
/* Runs until SIGTERM or SIGINT; SIGHUP reloads. The result is the exit status. */
int sp_daemon_run(const char *config_file, bool takes_over);

#endif
