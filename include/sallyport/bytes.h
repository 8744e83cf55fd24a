/* Bytes: views that borrow, buffers that own and cannot grow past their ceiling, arenas
 * that free everything at once.
 *
 * A view never owns and never outlives what it looks at. A buffer cannot be made without
 * a ceiling (architecture, idea 7); reaching it is SP_E_LIMIT, never a silent cut.
 * One thread at a time; nothing here locks. */
#ifndef SALLYPORT_BYTES_H
#define SALLYPORT_BYTES_H

#include "sallyport/err.h"

#include <stdint.h>

struct sp_view {
    const uint8_t *data; /* borrowed; may be NULL only when len is 0 */
    size_t len;          /* bytes */
};

#define SP_VIEW(literal) ((struct sp_view){(const uint8_t *)(literal), sizeof(literal) - 1})
#define SP_VIEW_FMT "%.*s"
#define SP_VIEW_ARG(v) (int)(v).len, (const char *)((v).data ? (v).data : (const uint8_t *)"")

struct sp_view sp_view(const void *data, size_t len);
struct sp_view sp_view_str(const char *s); /* without the NUL; NULL gives the empty view */
/* The part from start to end; both are clamped to the view. */
struct sp_view sp_view_slice(struct sp_view v, size_t start, size_t end);
bool sp_view_eq(struct sp_view a, struct sp_view b);
bool sp_view_eq_str(struct sp_view a, const char *b);
/* ASCII letters compare without case; every other byte exactly. */
bool sp_view_eq_fold(struct sp_view a, struct sp_view b);
bool sp_view_starts(struct sp_view v, struct sp_view prefix);
bool sp_view_ends(struct sp_view v, struct sp_view suffix);
/* Offset of the first byte equal to c, or v.len. */
size_t sp_view_find(struct sp_view v, uint8_t c);
/* Strips bytes of set (a C string) from both ends. */
struct sp_view sp_view_trim(struct sp_view v, const char *set);
/* Byte order: negative, 0, positive like memcmp; a prefix sorts first. */
int sp_view_cmp(struct sp_view a, struct sp_view b);

struct sp_buf {
    uint8_t *data;  /* owned */
    size_t len;     /* bytes in use */
    size_t cap;     /* bytes allocated */
    size_t ceiling; /* bytes it may ever hold; set once */
};

/* No memory is taken before the first byte. ceiling in bytes, at least 1. */
void sp_buf_init(struct sp_buf *b, size_t ceiling);
void sp_buf_fini(struct sp_buf *b); /* frees; the buffer is empty with the same ceiling */
enum sp_err sp_buf_append(struct sp_buf *b, struct sp_view v) SP_MUST_USE;
enum sp_err sp_buf_append_str(struct sp_buf *b, const char *s) SP_MUST_USE;
enum sp_err sp_buf_append_byte(struct sp_buf *b, uint8_t c) SP_MUST_USE;
enum sp_err sp_buf_printf(struct sp_buf *b, const char *fmt, ...)
    SP_PRINTF(2, 3) SP_MUST_USE;
/* Room for n more bytes behind len; *out points at it. The caller adds what it wrote
 * to len. Errors: SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_buf_reserve(struct sp_buf *b, size_t n, uint8_t **out) SP_MUST_USE;
void sp_buf_consume(struct sp_buf *b, size_t n); /* drops n bytes from the front */
void sp_buf_clear(struct sp_buf *b);             /* len = 0, memory is kept */
void sp_buf_take(struct sp_buf *from, struct sp_buf *to); /* moves; from is left empty */
struct sp_view sp_buf_view(const struct sp_buf *b);

/* An arena gives memory that lives until the arena is freed. All of it is zeroed. */
struct sp_arena;
enum sp_err sp_arena_new(size_t ceiling, struct sp_arena **out) SP_MUST_USE;
void sp_arena_free(struct sp_arena **a);
enum sp_err sp_arena_alloc(struct sp_arena *a, size_t n, void **out) SP_MUST_USE;
/* A copy of v with a NUL behind it that out->len does not count. */
enum sp_err sp_arena_copy(struct sp_arena *a, struct sp_view v,
                          struct sp_view *out) SP_MUST_USE;
size_t sp_arena_used(const struct sp_arena *a); /* bytes handed out */

/* Constant-time comparison of secrets of equal length. */
bool sp_bytes_eq_secret(const void *a, const void *b, size_t n);
/* Overwrites in a way the compiler keeps. */
void sp_bytes_wipe(void *p, size_t n);

#endif
