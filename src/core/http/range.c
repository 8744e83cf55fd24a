#include "core/http/range.h"

/* 1*DIGIT; a number too large to hold is as good as the largest one. */
static bool read_number(struct sp_view text, uint64_t *out)
{
    uint64_t x = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)text.data[i] - '0';
        if (digit > 9) {
            return false;
        }
        x = x > (UINT64_MAX - digit) / 10 ? UINT64_MAX : x * 10 + digit;
    }
    *out = x;
    return text.len > 0;
}

static enum sp_range last_bytes(uint64_t count, uint64_t size, uint64_t *first,
                                uint64_t *last)
{
    if (count == 0) {
        return SP_RANGE_OUTSIDE;
    }
    *first = count < size ? size - count : 0;
    *last = size - 1;
    return SP_RANGE_GOOD;
}

enum sp_range sp_range_read(struct sp_view value, uint64_t size, uint64_t *first,
                            uint64_t *last)
{
    static const char unit[] = "bytes=";
    const size_t skip = sizeof unit - 1;
    if (size == 0 || !sp_view_eq_fold(sp_view_slice(value, 0, skip), SP_VIEW(unit))) {
        return SP_RANGE_IGNORED;
    }
    struct sp_view range = sp_view_slice(value, skip, value.len);
    size_t dash = sp_view_find(range, '-');
    struct sp_view from = sp_view_slice(range, 0, dash);
    struct sp_view to = sp_view_slice(range, dash + 1, range.len);
    uint64_t a = 0, b = UINT64_MAX;
    if (dash == range.len || (to.len && !read_number(to, &b))) {
        return SP_RANGE_IGNORED;
    }
    if (from.len == 0) {
        return to.len ? last_bytes(b, size, first, last) : SP_RANGE_IGNORED;
    }
    if (!read_number(from, &a) || a > b) {
        return SP_RANGE_IGNORED;
    }
    if (a >= size) {
        return SP_RANGE_OUTSIDE;
    }
    *first = a;
    *last = b < size ? b : size - 1;
    return SP_RANGE_GOOD;
}
