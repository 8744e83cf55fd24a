/* Numbers for byte strings: the first that comes is 0, the same bytes always get the
 * same number. Identities of updates, digests of files and names of peers all are kept
 * this way, so that lists of them are lists of numbers. Bounded by the ceiling of the
 * arena that holds the bytes; one thread. */
#ifndef SP_CORE_REPORT_NAMES_H
#define SP_CORE_REPORT_NAMES_H

#include "sallyport/bytes.h"

struct sp_names {
    struct sp_arena *arena; /* borrowed */
    struct sp_view *names;  /* owned; the bytes are the arena's */
    uint32_t *slots;        /* owned: number + 1, 0 is free; a power of two of them */
    size_t count, room, slot_count;
};

void sp_names_init(struct sp_names *n, struct sp_arena *arena);
void sp_names_fini(struct sp_names *n);
/* SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_names_put(struct sp_names *n, struct sp_view name,
                         uint32_t *out) SP_MUST_USE;
bool sp_names_find(const struct sp_names *n, struct sp_view name, uint32_t *out);

/* A list of numbers; it lives in an arena and leaves its old places there. */
struct sp_list {
    uint64_t *at;
    uint32_t count, room;
};
enum sp_err sp_list_add(struct sp_arena *arena, struct sp_list *l,
                        uint64_t number) SP_MUST_USE;

#endif
