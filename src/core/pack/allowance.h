/* How much may come out of how much. Shared by the decoders of this room. */
#ifndef SP_CORE_PACK_ALLOWANCE_H
#define SP_CORE_PACK_ALLOWANCE_H

#include "core/base/limits.h"
#include "sallyport/bytes.h"

/* Bytes that may be appended to out for in_len bytes of input: what fits under the
 * ceiling and stays within SP_LIMIT_RATIO. */
static inline size_t sp_pack_allowance(const struct sp_buf *out, size_t in_len)
{
    size_t room = out->ceiling - out->len;
    size_t ratio =
        in_len > SIZE_MAX / SP_LIMIT_RATIO ? SIZE_MAX : in_len * SP_LIMIT_RATIO;
    if (ratio < SP_LIMIT_RATIO_AFTER) {
        ratio = SP_LIMIT_RATIO_AFTER;
    }
    return room < ratio ? room : ratio;
}

#endif
