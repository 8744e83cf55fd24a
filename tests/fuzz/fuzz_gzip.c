/* gzip members: no more than the ceiling, nothing left behind by a failure. */
#include "core/pack/pack.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sp_err decode(const uint8_t *data, size_t size, size_t ceiling, size_t *len)
{
    struct sp_buf out;
    struct sp_why why = {""};
    sp_buf_init(&out, ceiling);
    enum sp_err e = sp_gzip_decode(sp_view(data, size), &out, &why);
    if (out.len > ceiling || (e == SP_OK ? why.text[0] != 0 : out.len != 0)) {
        abort();
    }
    *len = out.len;
    sp_buf_fini(&out);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = 0, again = 0;
    if (decode(data, size, SP_MIB(2), &len) == SP_OK && len > 1) {
        /* the ceiling is exact */
        if (decode(data, size, len, &again) != SP_OK || again != len ||
            decode(data, size, len - 1, &again) != SP_E_LIMIT) {
            abort();
        }
    }
    return 0;
}
