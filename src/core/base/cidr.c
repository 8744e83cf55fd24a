#include "core/base/cidr.h"

#include "core/base/text.h"

#include <string.h>

enum { GROUP = 2, V4 = 4, ALL = 16 }; /* bytes */

static struct sp_view take_until(struct sp_view *rest, uint8_t mark)
{
    size_t end = sp_view_find(*rest, mark);
    struct sp_view part = sp_view_slice(*rest, 0, end);
    *rest = sp_view_slice(*rest, end + 1, rest->len);
    return part;
}

static bool read_v4(struct sp_view text, uint8_t out[V4])
{
    size_t dots = 0;
    for (size_t i = 0; i < text.len; i++) {
        dots += text.data[i] == '.';
    }
    for (size_t i = 0; dots == V4 - 1 && i < V4; i++) {
        uint64_t n = 0;
        if (sp_u64_parse(take_until(&text, '.'), 255, &n) != SP_OK) {
            return false;
        }
        out[i] = (uint8_t)n;
    }
    return dots == V4 - 1;
}

static bool read_group(struct sp_view text, uint8_t out[GROUP])
{
    char digits[2 * GROUP + 1] = "0000";
    if (text.len == 0 || text.len > 2 * GROUP) {
        return false;
    }
    memcpy(digits + 2 * GROUP - text.len, text.data, text.len);
    return sp_hex_parse(sp_view_str(digits), out, GROUP) == SP_OK;
}

/* RFC 4291 section 2.2: groups between colons, the last of all perhaps as IPv4. */
static bool read_groups(struct sp_view text, bool is_last, uint8_t out[ALL],
                        size_t *used)
{
    *used = 0;
    while (text.len) {
        bool ends = text.data[text.len - 1] == ':';
        struct sp_view group = take_until(&text, ':');
        bool as_v4 = is_last && text.len == 0 && sp_view_find(group, '.') < group.len;
        size_t size = as_v4 ? V4 : GROUP;
        if (ends || *used + size > ALL ||
            !(as_v4 ? read_v4(group, out + *used) : read_group(group, out + *used))) {
            return false;
        }
        *used += size;
    }
    return true;
}

static bool read_v6(struct sp_view text, uint8_t out[ALL])
{
    uint8_t head[ALL], tail[ALL];
    size_t gap = 0, heads = 0, tails = 0;
    while (gap + 1 < text.len && (text.data[gap] != ':' || text.data[gap + 1] != ':')) {
        gap++;
    }
    bool has_gap = gap + 1 < text.len;
    struct sp_view before = has_gap ? sp_view_slice(text, 0, gap) : text;
    struct sp_view behind = sp_view_slice(text, has_gap ? gap + 2 : text.len, text.len);
    if (!read_groups(before, !has_gap, head, &heads) ||
        !read_groups(behind, true, tail, &tails) ||
        (has_gap ? heads + tails > ALL - GROUP : heads != ALL)) {
        return false;
    }
    memset(out, 0, ALL);
    memcpy(out, head, heads);
    memcpy(out + ALL - tails, tail, tails);
    return true;
}

enum sp_err sp_address_parse(struct sp_view text, uint8_t out[16], unsigned *width)
{
    static const uint8_t mapped[ALL - V4] = {[10] = 0xff, [11] = 0xff};
    uint8_t bytes[ALL];
    if (read_v4(text, bytes + sizeof mapped)) {
        memcpy(bytes, mapped, sizeof mapped);
        *width = 32;
    } else if (read_v6(text, bytes)) {
        *width = 128;
    } else {
        return SP_E_MALFORMED;
    }
    memcpy(out, bytes, ALL);
    return SP_OK;
}

static bool bit(const uint8_t bytes[16], unsigned at)
{
    return bytes[at / 8] >> (7 - at % 8) & 1;
}

enum sp_err sp_cidr_parse(struct sp_view text, struct sp_cidr *out)
{
    struct sp_cidr c = {0};
    unsigned width = 0;
    size_t slash = sp_view_find(text, '/');
    SP_TRY(sp_address_parse(sp_view_slice(text, 0, slash), c.bytes, &width));
    uint64_t bits = width;
    if (slash < text.len) {
        if (sp_u64_parse(sp_view_slice(text, slash + 1, text.len), width, &bits) !=
            SP_OK) {
            return SP_E_MALFORMED;
        }
    }
    c.bits = 128 - width + (unsigned)bits;
    for (unsigned i = c.bits; i < 128; i++) {
        if (bit(c.bytes,
                i)) { /* "10.0.0.1/8" names no network; one of both is a slip */
            return SP_E_MALFORMED;
        }
    }
    *out = c;
    return SP_OK;
}

bool sp_cidr_holds(const struct sp_cidr *c, const uint8_t address[16])
{
    for (unsigned i = 0; i < c->bits; i++) {
        if (bit(address, i) != bit(c->bytes, i)) {
            return false;
        }
    }
    return true;
}
