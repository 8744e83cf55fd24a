/* Blocks that are used again: what every request needs is not given back to malloc and
 * asked for again.
 *
 * A list of blocks of one kind, a few at most, linked through their first bytes. What
 * else stands in a block is its owner's business. All zero is the empty list. One
 * thread. A sanitizer of addresses sees no use after free in blocks that are never
 * freed, so there nothing is kept. */
#ifndef SP_CORE_BASE_SPARES_H
#define SP_CORE_BASE_SPARES_H

#include <stdbool.h>
#include <stddef.h>

struct sp_spares {
    void *first; /* owned */
    size_t count;
};

/* A kept block, which is the caller's now, or NULL. */
void *sp_spares_take(struct sp_spares *s);
/* Takes the block when there is room for it; false: it stays the caller's. It has to be
 * at least as large and as aligned as a pointer. */
bool sp_spares_keep(struct sp_spares *s, void *block);

#endif
