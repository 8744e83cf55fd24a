/* The scrubber: reads every stored file to its end, at a rate, block for block and
 * against the digest of the whole, which is its name. On the filler's loop, its reading
 * in the work pool; it has handles of its own, so that a file it reads may be evicted.
 *
 * A pass begins when the daemon starts, where the one before was interrupted, and goes
 * around once; the next one begins a day later. Before the first one it finds out what
 * the start has left open (app/fill/survey.h), not at the rate. */
#ifndef SP_APP_FILL_SCRUB_H
#define SP_APP_FILL_SCRUB_H

#include "app/fill/stock.h"

struct sp_scrub;
struct sp_scrub_conf { /* all borrowed */
    struct sp_loop *loop;
    struct sp_objects *objects;
    struct sp_shelf *shelf;
    struct sp_counters *counters;
    void (*damaged)(void *ctx, const struct sp_damage *d);
    void (*surveyed)(void *ctx); /* more is known of the shelf */
    void *ctx;
};
enum sp_err sp_scrub_new(const struct sp_scrub_conf *conf,
                         struct sp_scrub **out) SP_MUST_USE;
/* Any thread: bytes a second. */
void sp_scrub_set_rate(struct sp_scrub *s, uint64_t rate);
/* Calls stopped when no job is under way any more: at once, or later. */
void sp_scrub_stop(struct sp_scrub *s, void (*stopped)(void *ctx), void *ctx);
void sp_scrub_free(struct sp_scrub **s); /* after the loop ended */
/* Any thread. */
void sp_scrub_status(struct sp_scrub *s, struct sp_stock_status *out);

#endif
