/* The stock: stored files on the filler's loop. The shelf with what the daemon adds to
 * it: limits from the configuration, damage that is recorded in the ledger, the
 * scrubber.
 *
 * Everything is called on the filler's loop unless it is said. */
#ifndef SP_APP_FILL_STOCK_H
#define SP_APP_FILL_STOCK_H

#include "app/config/config.h"
#include "app/shared/metrics.h"
#include "io/store/keeper.h"
#include "io/store/shelf.h"

struct sp_stock;
struct sp_stock_conf { /* all borrowed */
    struct sp_loop *loop;
    struct sp_keeper *keeper;
    struct sp_objects *objects;
    struct sp_counters *counters;
};
/* Before the loop runs. Begins the first pass of the scrubber. Blocking: it looks
 * through the whole directory. */
enum sp_err sp_stock_new(const struct sp_stock_conf *conf, struct sp_stock **out,
                         struct sp_why *why) SP_MUST_USE;
/* Calls idle once nothing is under way any more: at once, or later. */
void sp_stock_stop(struct sp_stock *s, void (*idle)(void *ctx), void *ctx);
void sp_stock_free(struct sp_stock **s); /* after the loop ended */
/* Any thread: what the configuration says of the cache, from now on. */
void sp_stock_tune(struct sp_stock *s, const struct sp_config *c);

/* A verified file, as the ledger knows it. */
struct sp_stock_file {
    const uint8_t *sha256, *sha1; /* borrowed */
    uint64_t size;
    const struct sp_tree_root *tree; /* borrowed */
};
/* As sp_shelf_get, but what is damaged is discarded and recorded, and then not found;
 * so is a file whose block tree is another one than the ledger's.
 */
enum sp_err sp_stock_open(struct sp_stock *s, const struct sp_stock_file *f,
                          struct sp_object **out) SP_MUST_USE;
void sp_stock_add(struct sp_stock *s, struct sp_object *o); /* takes a reference */
/* Room for a fill; see sp_shelf_reserve. */
enum sp_err sp_stock_reserve(struct sp_stock *s, uint64_t size,
                             struct sp_why *why) SP_MUST_USE;
void sp_stock_release(struct sp_stock *s, uint64_t size);
/* For fetching ahead: is it here; is there room without evicting anything. */
bool sp_stock_has(const struct sp_stock *s, const uint8_t sha256[32]);
bool sp_stock_has_room(const struct sp_stock *s, uint64_t size);

/* A file that was found damaged. Takes it out of service and records it, unless it is
 * not there any more. */
struct sp_damage {
    uint8_t sha256[32], sha1[20];
    bool has_sha1, has_offset;
    uint64_t size, offset, serial; /* serial 0: whatever is there now */
    const char *what;              /* a sentence's end: "a block has changed" */
};
void sp_stock_damaged(struct sp_stock *s, const struct sp_damage *d);

struct sp_stock_status {
    uint64_t files, bytes, reserved, limit;
    uint64_t unknown; /* files whose size is not known yet, shortly after the start */
    int64_t pass_began, pass_ended;  /* unix seconds; ended 0: none yet */
    uint64_t pass_files, pass_bytes; /* of the pass that runs */
};
void sp_stock_status(struct sp_stock *s, struct sp_stock_status *out); /* any thread */
/* What is kept as evidence, as of ten seconds ago at most: its folder is read again then. On
 * one thread, whichever it is. */
struct sp_stock_evidence {
    uint64_t files, bytes;
};
void sp_stock_evidence(struct sp_stock *s, struct sp_stock_evidence *out);

/* guard.c: how blocks of an object are checked; ctx is the object. */
const struct sp_file_guard *sp_guard(bool always);

#endif
