/* What libmspack makes of a cabinet in memory: the oracle of the own decoders, which
 * have to refuse what it refuses and to give what it gives. */
#ifndef TESTS_SUPPORT_CABINET_ORACLE_H
#define TESTS_SUPPORT_CABINET_ORACLE_H

#include "core/pack/archive.h"

#include <string.h>

struct oracle {
    struct sp_view cabinet; /* borrowed */
    struct sp_buf *out;     /* borrowed */
};

static inline enum sp_err oracle_read(void *ctx, uint64_t offset, uint8_t *to, size_t n,
                                      size_t *got)
{
    const struct oracle *o = ctx;
    struct sp_view part = sp_view_slice(o->cabinet, (size_t)offset, (size_t)offset + n);
    if (part.len) {
        memcpy(to, part.data, part.len);
    }
    *got = part.len;
    return SP_OK;
}

static inline enum sp_err oracle_begin(void *ctx, const struct sp_archive_member *m,
                                       bool *wanted)
{
    (void)ctx, (void)m;
    *wanted = true;
    return SP_OK;
}

static inline enum sp_err oracle_data(void *ctx, struct sp_view bytes)
{
    return sp_buf_append(((struct oracle *)ctx)->out, bytes);
}

static inline enum sp_err oracle_end(void *ctx)
{
    (void)ctx;
    return SP_OK;
}

/* Every member, one behind the other. */
static inline enum sp_err oracle_decode(struct sp_view cabinet, struct sp_buf *out)
{
    struct oracle o = {cabinet, out};
    const struct sp_archive_source source = {cabinet.len, oracle_read, &o};
    const struct sp_archive_handler handler = {oracle_begin, oracle_data, oracle_end,
                                               &o};
    struct sp_why why = {""};
    return sp_archive_walk(&source, &handler, &why);
}

#endif
