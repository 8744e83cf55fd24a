/* Splices: pieces of a text that something else takes the place of.
 *
 * Whoever inspects a text says from which byte to which byte what stands instead; all the
 * rest goes out byte for byte. Added in any order, by several hands; applied once. Two
 * splices that touch the same byte, or begin at the same one, contradict each other and
 * are refused: there is no order in which both are meant. What is put in is copied. One
 * thread at a time. */
#ifndef SP_CORE_BASE_SPLICE_H
#define SP_CORE_BASE_SPLICE_H

#include "sallyport/bytes.h"

struct sp_splice {
    size_t from, to;     /* bytes of the text that go; equal: nothing goes */
    struct sp_view with; /* what stands there instead; lives as long as the list */
};

struct sp_splices {         /* all zero is the empty list */
    struct sp_splice *list; /* owned */
    size_t count, room;
    struct sp_arena *texts; /* owned: what is put in */
};

/* from must not lie behind to. Errors: SP_E_LIMIT (SP_LIMIT_SPLICES of them,
 * SP_LIMIT_SPLICED bytes put in), SP_E_NOMEM. */
enum sp_err sp_splices_add(struct sp_splices *s, size_t from, size_t to,
                           struct sp_view with) SP_MUST_USE;
/* Appends the text as it is after every splice; sorts the list. On failure out is as it
 * was: SP_E_CONFLICT (two overlap), SP_E_TRUNCATED (one ends behind the text), SP_E_LIMIT,
 * SP_E_NOMEM. */
enum sp_err sp_splices_apply(struct sp_splices *s, struct sp_view text,
                             struct sp_buf *out) SP_MUST_USE;
/* Forgets and frees all of them. */
void sp_splices_clear(struct sp_splices *s);

#endif
