#include "core/pack/allowance.h"
#include "core/pack/pack.h"

#define ZLIB_CONST /* next_in does not write */
#include <limits.h>
#include <zlib.h>

#define STEP SP_KIB(64) /* of output at once */

static enum sp_err failure_of(int status, const z_stream *z, struct sp_why *why)
{
    if (status == Z_MEM_ERROR) {
        return SP_E_NOMEM;
    }
    if (status == Z_BUF_ERROR) {
        return sp_why_set(why, SP_E_TRUNCATED, "gzip: the data end too early");
    }
    return sp_why_set(why, SP_E_MALFORMED, "gzip: %s", z->msg ? z->msg : "broken data");
}

/* One step of output. At the ceiling the step is one byte that must not come. */
static int inflate_step(z_stream *z, size_t ceiling, struct sp_buf *out, enum sp_err *e)
{
    uint8_t beyond = 0, *to = &beyond;
    size_t room = ceiling - out->len, n = room < STEP ? room : STEP;
    if (n) {
        *e = sp_buf_reserve(out, n, &to);
        if (*e != SP_OK) {
            return Z_ERRNO;
        }
    }
    z->next_out = to;
    z->avail_out = n ? (uInt)n : 1;
    int status = inflate(z, Z_NO_FLUSH);
    size_t came = (size_t)(z->next_out - to);
    if (came > n) {
        *e = SP_E_LIMIT;
        return Z_ERRNO;
    }
    out->len += came;
    return status;
}

static enum sp_err inflate_all(z_stream *z, size_t ceiling, struct sp_buf *out,
                               struct sp_why *why)
{
    enum sp_err e = SP_OK;
    int status = Z_OK;
    while (status == Z_OK) {
        status = inflate_step(z, ceiling, out, &e);
    }
    if (e == SP_E_LIMIT) {
        return sp_why_set(why, e, "gzip: more comes out than the limit allows");
    }
    if (e != SP_OK) {
        return e;
    }
    if (status != Z_STREAM_END) {
        return failure_of(status, z, why);
    }
    if (z->avail_in) {
        return sp_why_set(why, SP_E_MALFORMED, "gzip: %u bytes follow the member",
                          z->avail_in);
    }
    return SP_OK;
}

enum sp_err sp_gzip_decode(struct sp_view in, struct sp_buf *out, struct sp_why *why)
{
    if (in.len > UINT_MAX) {
        return sp_why_set(why, SP_E_LIMIT, "gzip: %zu bytes are too many", in.len);
    }
    z_stream z = {.next_in = in.data, .avail_in = (uInt)in.len};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) { /* 16: gzip and nothing else */
        return SP_E_NOMEM;
    }
    size_t before = out->len;
    enum sp_err e = inflate_all(&z, before + sp_pack_allowance(out, in.len), out, why);
    inflateEnd(&z);
    if (e != SP_OK) {
        out->len = before;
    }
    return e;
}
