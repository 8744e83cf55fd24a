/* Any way of cutting a chunked body into pieces gives the same body, the same end and
 * the same refusal. The first byte of the input chooses the cuts. */
#include "core/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct sp_buf body;
    enum sp_err e;
    enum sp_http_refusal why;
    size_t taken;
    bool done;
};

/* Pieces of 1 to most bytes, drawn from a small generator; most 0: all that is left. */
static struct outcome feed(struct sp_view in, uint32_t seed, size_t most)
{
    struct outcome o = {.e = SP_OK, .why = SP_HTTP_ACCEPTED};
    struct sp_http_chunked c = {0};
    sp_buf_init(&o.body, SP_MIB(1));
    while (o.taken < in.len && !c.done) {
        seed = seed * 1664525U + 1013904223U;
        struct sp_view data = {0};
        size_t used = 0;
        size_t n = most ? 1 + (seed >> 16) % most : in.len;
        struct sp_view piece = sp_view_slice(in, o.taken, o.taken + n);
        o.e = sp_http_chunked_feed(&c, piece, &used, &data, &o.why);
        if (o.e != SP_OK) {
            o.taken = 0;
            return o;
        }
        SP_ASSERT(used > 0 && used <= piece.len && data.len <= used);
        SP_ASSERT(sp_buf_append(&o.body, data) == SP_OK);
        o.taken += used;
    }
    o.done = c.done;
    return o;
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    SP_ASSERT(a->e == b->e && a->why == b->why && a->done == b->done);
    SP_ASSERT(a->taken == b->taken);
    SP_ASSERT(sp_view_eq(sp_buf_view(&a->body), sp_buf_view(&b->body)));
}

/* The body in one chunk must be read again as itself. */
static void check_rewritten(const struct outcome *o)
{
    struct sp_buf b;
    sp_buf_init(&b, SP_MIB(1) + 64);
    if (o->body.len) {
        SP_ASSERT(sp_buf_printf(&b, "%zx\r\n", o->body.len) == SP_OK);
        SP_ASSERT(sp_buf_append(&b, sp_buf_view(&o->body)) == SP_OK);
        SP_ASSERT(sp_buf_append_str(&b, "\r\n") == SP_OK);
    }
    SP_ASSERT(sp_buf_append_str(&b, "0\r\n\r\n") == SP_OK);
    struct outcome again = feed(sp_buf_view(&b), 1, 8);
    SP_ASSERT(again.done && again.taken == b.len);
    SP_ASSERT(sp_view_eq(sp_buf_view(&o->body), sp_buf_view(&again.body)));
    sp_buf_fini(&again.body);
    sp_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > SP_MIB(1)) {
        return 0;
    }
    struct sp_view in = {data + 1, size - 1};
    struct outcome whole = feed(in, 0, 0);
    struct outcome bytes = feed(in, 0, 1);
    struct outcome pieces = feed(in, data[0], 16);
    check_same(&whole, &bytes);
    check_same(&whole, &pieces);
    if (whole.done) {
        check_rewritten(&whole);
    }
    sp_buf_fini(&whole.body);
    sp_buf_fini(&bytes.body);
    sp_buf_fini(&pieces.body);
    return 0;
}
