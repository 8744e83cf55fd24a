/* A lane: an event loop with its own listeners, exchanges, upstream pool and hot files.
 * What it shares with other threads is immutable and counted, or takes messages. */
#ifndef SP_APP_SHARED_LANE_H
#define SP_APP_SHARED_LANE_H

#include "app/config/peers.h"
#include "app/shared/budget.h"
#include "app/shared/hot.h"
#include "app/shared/lockdown.h"
#include "app/shared/metrics.h"
#include "app/shared/rate.h"
#include "app/shared/term.h"
#include "core/base/spares.h"
#include "io/net/seats.h"
#include "io/net/server.h"
#include "io/store/keeper.h"

struct farewell;
struct sp_filler;
struct sp_desk;
struct sp_joined;
struct sp_cosigner;
struct sp_renewer;
struct sp_watch;

struct sp_door_context {
    struct sp_lane *lane; /* borrowed */
    size_t door;          /* index of the listener */
    struct sp_asked_counts asked;
};

struct sp_untold { /* since the last line of the log about one reason */
    bool told;
    uint64_t told_ms, count;
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
    struct sp_term *term; /* held: those two; NULL: nobody asked since they changed */
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
    struct sp_untold untold[SP_SHUT_OUT_REASONS]; /* shut_out.c */
    struct sp_counters counters;
    char apart[128]; /* lanes lie side by side, and what one writes the next reads not */
};

#endif
