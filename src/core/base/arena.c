#include "sallyport/bytes.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
    struct chunk *next; /* owned */
    size_t used, cap;
    alignas(max_align_t) uint8_t data[];
};

struct sp_arena {
    struct chunk *chunks; /* owned; the newest first */
    size_t used, ceiling;
};

enum { FIRST_CHUNK = 1024, LARGEST_STEP = 1024 * 1024 };

enum sp_err sp_arena_new(size_t ceiling, struct sp_arena **out)
{
    SP_ASSERT(ceiling > 0);
    struct sp_arena *a = calloc(1, sizeof *a);
    if (!a) {
        return SP_E_NOMEM;
    }
    a->ceiling = ceiling;
    *out = a;
    return SP_OK;
}

void sp_arena_free(struct sp_arena **a)
{
    if (!*a) {
        return;
    }
    for (struct chunk *c = (*a)->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(*a);
    *a = NULL;
}

static enum sp_err chunk_add(struct sp_arena *a, size_t need)
{
    size_t cap = a->chunks ? a->chunks->cap * 2 : FIRST_CHUNK;
    if (cap > LARGEST_STEP) {
        cap = LARGEST_STEP;
    }
    if (cap < need) {
        cap = need;
    }
    struct chunk *c = calloc(1, sizeof *c + cap);
    if (!c) {
        return SP_E_NOMEM;
    }
    c->cap = cap;
    c->next = a->chunks;
    a->chunks = c;
    return SP_OK;
}

/* align is a power of two. */
static enum sp_err take(struct sp_arena *a, size_t n, size_t align, void **out)
{
    struct chunk *c = a->chunks;
    if (n > a->ceiling - a->used) {
        return SP_E_LIMIT;
    }
    size_t at = c ? (c->used + align - 1) & ~(align - 1) : 0;
    if (!c || at > c->cap || c->cap - at < n) {
        SP_TRY(chunk_add(a, n));
        c = a->chunks;
        at = 0;
    }
    *out = c->data + at;
    c->used = at + n;
    a->used += n;
    return SP_OK;
}

enum sp_err sp_arena_alloc(struct sp_arena *a, size_t n, void **out)
{
    return take(a, n, alignof(max_align_t), out);
}

/* Texts stand one behind the other. */
enum sp_err sp_arena_copy(struct sp_arena *a, struct sp_view v, struct sp_view *out)
{
    void *to = NULL;
    SP_TRY(take(a, v.len + 1, 1, &to));
    if (v.len) {
        memcpy(to, v.data, v.len);
    }
    *out = (struct sp_view){to, v.len};
    return SP_OK;
}

size_t sp_arena_used(const struct sp_arena *a)
{
    return a->used;
}
