/* Fetching ahead: walks the ledger behind whoever records, and wants the files of what
 * was proven before anybody asks. One walk an upstream, one file at a time.
 *
 * The ledger is the queue; a note in the cache directory says how far it was walked, so
 * a restart goes on. Who asks goes first: no file is begun, and the transfer of one
 * stands still, while anything is under way from the same upstream that somebody asked
 * for; and nothing is evicted. On the filler's loop. */
#ifndef SP_APP_FILL_PREFETCH_H
#define SP_APP_FILL_PREFETCH_H

#include "app/world/world.h"
#include "io/loop/loop.h"

/* How fast files come ahead from one upstream, and behind whom: every walk of that
 * upstream's name shares one. Counted. */
struct sp_pace {
    unsigned refs;
    struct sp_upstream *upstream; /* shared: the newest of its name */
    uint64_t rate;                /* as it is in force; bytes a second, 0: any */
    struct sp_ahead_budget budget;
};

struct sp_filler;
struct sp_prefetch;
/* filler is borrowed; it is whole before a world is set. */
enum sp_err sp_prefetch_new(struct sp_loop *loop, struct sp_filler *filler,
                            struct sp_prefetch **out) SP_MUST_USE;
/* Any thread: what is in force from now on. Takes a reference. */
void sp_prefetch_set_world(struct sp_prefetch *p, struct sp_world *w);
/* Calls idle once nothing is under way any more: at once, or later. */
void sp_prefetch_stop(struct sp_prefetch *p, void (*idle)(void *ctx), void *ctx);
void sp_prefetch_free(struct sp_prefetch **p); /* after the loop ended */

#endif
