/* Items in the order of their digests, found at once.
 *
 * 65,536 drawers by the first two bytes of the digest, which nobody can choose, each a
 * short sorted list: with a million items some fifteen. Empty it takes a MiB of address
 * space and hardly any memory. Items are the caller's and stay where they are. */
#ifndef SP_IO_STORE_RACK_H
#define SP_IO_STORE_RACK_H

#include "io/store/shelf.h"

struct sp_rack_drawer {
    struct sp_shelf_item **at; /* owned; what it points to is the caller's */
    uint32_t count, room;
};
struct sp_rack {
    struct sp_rack_drawer *drawers; /* owned */
    size_t count;                   /* items in all */
};
enum sp_err sp_rack_init(struct sp_rack *r) SP_MUST_USE;
void sp_rack_fini(struct sp_rack *r);
struct sp_shelf_item *sp_rack_find(const struct sp_rack *r, const uint8_t sha256[32]);
/* Its digest must not be there yet. */
enum sp_err sp_rack_add(struct sp_rack *r, struct sp_shelf_item *item) SP_MUST_USE;
void sp_rack_remove(struct sp_rack *r, const struct sp_shelf_item *item);
/* The first item behind after, which need not be there; NULL: of all. */
struct sp_shelf_item *sp_rack_next(const struct sp_rack *r, const uint8_t after[32]);

#endif
