/* The decoder on anything; and whatever it is, encoded it must decode to itself. */
#include "core/pack/pack.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void round_trip(struct sp_view in)
{
    struct sp_buf coded, back;
    sp_buf_init(&coded, SP_MIB(4));
    sp_buf_init(&back, in.len + 1);
    must(sp_xpress_encode(in, &coded) == SP_OK);
    size_t blocks = (in.len + SP_LIMIT_XPRESS_BLOCK - 1) / SP_LIMIT_XPRESS_BLOCK;
    must(coded.len <= in.len + in.len / 32 + 16 * blocks);
    enum sp_err e = sp_xpress_decode(sp_buf_view(&coded), &back, NULL);
    /* what passes the ratio is refused and right so */
    must(e == SP_OK ? sp_view_eq(sp_buf_view(&back), in)
                    : e == SP_E_LIMIT && in.len > SP_LIMIT_RATIO_AFTER);
    sp_buf_fini(&coded);
    sp_buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_buf out;
    struct sp_why why = {""};
    sp_buf_init(&out, SP_MIB(2));
    must(sp_buf_append_str(&out, "kept") == SP_OK);
    enum sp_err e = sp_xpress_decode(sp_view(data, size), &out, &why);
    must(e == SP_OK ? why.text[0] == 0 : out.len == 4);
    round_trip(sp_view(data, size));
    if (e == SP_OK) {
        round_trip(sp_buf_view(&out));
    }
    sp_buf_fini(&out);
    return 0;
}
