#include "core/xml/chars.h"

#include "core/xml/stops.h"

bool sp_xml_is_char(uint32_t c)
{
    return c < 0x20 ? c == '\t' || c == '\n' || c == '\r'
                    : c < 0xd800 || (c >= 0xe000 && c < 0xfffe) ||
                          (c >= 0x10000 && c < 0x110000);
}

/* The character at p, of left bytes; its length, or 0. RFC 3629 3 */
static size_t decode(const uint8_t *p, size_t left, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    if (n == 0 || n > left) {
        return 0;
    }
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    *out = c;
    return c >= least[n] ? n : 0;
}

bool sp_xml_is_text(struct sp_view v)
{
    const uint8_t *p = v.data, *end = v.len ? p + v.len : p;
    while ((p = sp_xml_plain_stop(p, end)) < end) {
        uint32_t c = 0;
        size_t n = decode(p, (size_t)(end - p), &c);
        if (n == 0 || !sp_xml_is_char(c)) {
            return false;
        }
        p += n;
    }
    return true;
}

static bool is_letter(uint32_t c, bool begins)
{
    static const struct {
        uint16_t first, last;
        bool may_begin;
    } ranges[] = {
#define RANGE(first, last, may_begin) {first, last, may_begin},
#include "core/xml/names.def"
#undef RANGE
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return ranges[i].may_begin || !begins;
        }
    }
    return false;
}

size_t sp_xml_name_char(const uint8_t *p, size_t left, bool begins)
{
    uint32_t c = *p;
    if (c < 0x80) {
        bool is_start = (uint8_t)((c | 0x20) - 'a') < 26 || c == '_';
        bool is_other = (uint8_t)(c - '0') < 10 || c == '-' || c == '.';
        return is_start || (is_other && !begins) ? 1 : 0;
    }
    size_t n = decode(p, left, &c);
    return n && is_letter(c, begins) ? n : 0;
}

size_t sp_xml_encode(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) {
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    }
    out[0] = (uint8_t)((0xf00U >> n) | c);
    return n;
}

static int digit(uint8_t c)
{
    uint8_t letter = (uint8_t)((c | 0x20) - 'a');
    return (uint8_t)(c - '0') < 10 ? c - '0' : letter < 6 ? letter + 10 : 16;
}

bool sp_xml_char_number(struct sp_view digits, uint32_t *out)
{
    uint32_t base = 10, c = 0;
    if (sp_view_starts(digits, SP_VIEW("x"))) {
        base = 16;
        digits = sp_view_slice(digits, 1, digits.len);
    }
    for (size_t i = 0; i < digits.len; i++) {
        int d = digit(digits.data[i]);
        if (d >= (int)base || c >= 0x110000) {
            return false;
        }
        c = c * base + (uint32_t)d;
    }
    *out = c;
    return digits.len > 0 && sp_xml_is_char(c);
}
