/* Which bytes of a file are there: parts in order, merged where they touch.
 *
 * Memory is taken by sp_extents_reserve alone, so that noting bytes that came cannot
 * fail. One thread; pure. */
#ifndef SP_CORE_GATE_EXTENTS_H
#define SP_CORE_GATE_EXTENTS_H

#include "sallyport/bytes.h"

struct sp_span { /* the bytes first .. end - 1 */
    uint64_t first, end;
};
struct sp_extents {     /* zeroed: nothing is there */
    struct sp_span *at; /* owned */
    size_t count, room;
};
void sp_extents_fini(struct sp_extents *e);
/* Room for so many more parts. SP_E_LIMIT: over SP_LIMIT_EXTENTS. SP_E_NOMEM. */
enum sp_err sp_extents_reserve(struct sp_extents *e, size_t more) SP_MUST_USE;
/* None of these bytes is there yet; room was reserved. An empty span is nothing. */
void sp_extents_add(struct sp_extents *e, struct sp_span s);
/* From first on everything is there up to here: first itself when it is missing. */
uint64_t sp_extents_reach(const struct sp_extents *e, uint64_t first);
/* The first byte at or behind from that is there; none where nothing is. */
uint64_t sp_extents_next(const struct sp_extents *e, uint64_t from, uint64_t none);

#endif
