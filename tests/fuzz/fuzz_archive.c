/* Cabinets with many members: of each, as many bytes come as it says. Tried as it is,
 * and without checksums, for mutations that would stop there. */
#include "core/pack/archive.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 4 << 20 };

struct scene {
    struct sp_view in;
    uint64_t due, total;
};

static enum sp_err read_in(void *ctx, uint64_t offset, uint8_t *to, size_t n,
                           size_t *got)
{
    const struct scene *s = ctx;
    SP_ASSERT(offset <= s->in.len);
    struct sp_view part = sp_view_slice(s->in, (size_t)offset, (size_t)offset + n);
    if (part.len) {
        memcpy(to, part.data, part.len);
    }
    *got = part.len;
    return SP_OK;
}

static enum sp_err on_begin(void *ctx, const struct sp_archive_member *m, bool *wanted)
{
    struct scene *s = ctx;
    SP_ASSERT(sp_view_find(m->name, 0) == m->name.len);
    s->due = m->size;
    *wanted = m->name.len % 2 == 1;
    return SP_OK;
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    struct scene *s = ctx;
    SP_ASSERT(bytes.len <= s->due);
    s->due -= bytes.len;
    s->total += bytes.len;
    return s->total > OUTPUT_MAX ? SP_E_LIMIT : SP_OK;
}

static enum sp_err on_end(void *ctx)
{
    SP_ASSERT(((struct scene *)ctx)->due == 0);
    return SP_OK;
}

static void walk(struct sp_view in)
{
    struct scene s = {.in = in};
    struct sp_why why = {0};
    struct sp_archive_source source = {in.len, read_in, &s};
    struct sp_archive_handler handler = {on_begin, on_data, on_end, &s};
    (void)!sp_archive_walk(&source, &handler, &why);
}

static size_t get32(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk(sp_view(data, size));
    if (size < 60) {
        return 0;
    }
    uint8_t *cab = malloc(size);
    if (!cab) {
        abort();
    }
    memcpy(cab, data, size);
    for (size_t at = get32(cab + 36); at < size && size - at >= 8;) {
        memset(cab + at, 0, 4);
        at += 8 + (get32(cab + at + 4) & 0xffff);
    }
    walk(sp_view(cab, size));
    free(cab);
    return 0;
}
