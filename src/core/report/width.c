#include "core/report/width.h"

#include "core/base/text.h"

struct range {
    uint32_t from, to;
};

/* Unicode's East Asian Width W and F, and the pictures that terminals draw as wide. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
    {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26AA, 0x26AB},
    {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x2705, 0x2705},   {0x270A, 0x270B},
    {0x274C, 0x274C},   {0x2753, 0x2755},   {0x2795, 0x2797},   {0x2B1B, 0x2B1C},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF},
    {0x20000, 0x3FFFD},
};

/* Marks that stand on the character before them, joiners and variation selectors. */
static const struct range joined[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x05BF, 0x05BF},
    {0x05C1, 0x05C2}, {0x05C4, 0x05C5}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8},
    {0x06EA, 0x06ED}, {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948},
    {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D}, {0x20D0, 0x20FF},
    {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
};

/* Controls, and marks that turn the direction of what follows. */
static const struct range steering[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x061C, 0x061C}, {0x200E, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
};

static bool is_in(uint32_t c, const struct range *ranges, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].to) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && c >= ranges[low].from;
}

#define IS_IN(c, ranges) is_in(c, ranges, sizeof(ranges) / sizeof(ranges)[0])

unsigned sp_width_of(uint32_t character)
{
    if (character < 0x300 || IS_IN(character, steering)) {
        return 1; /* what steers is written as '?' */
    }
    return IS_IN(character, joined) ? 0 : IS_IN(character, wide) ? 2 : 1;
}

/* Bytes of the character that begins with this one; 0 where none does. */
static size_t length_of(uint8_t first)
{
    return first < 0x80   ? 1
           : first < 0xC2 ? 0
           : first < 0xE0 ? 2
           : first < 0xF0 ? 3
           : first < 0xF5 ? 4
                          : 0;
}

/* The next character; a byte that is no UTF-8 counts as one that steers. */
static size_t next(struct sp_view text, size_t at, uint32_t *out)
{
    static const uint8_t bits[] = {0x7F, 0x1F, 0x0F, 0x07};
    size_t n = length_of(text.data[at]);
    *out = 0;
    if (n == 0 || n > text.len - at ||
        !sp_utf8_is_valid(sp_view_slice(text, at, at + n))) {
        return 1;
    }
    uint32_t c = text.data[at] & bits[n - 1];
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (text.data[at + i] & 0x3F);
    }
    *out = c;
    return n;
}

size_t sp_width(struct sp_view text)
{
    size_t width = 0;
    uint32_t c;
    for (size_t at = 0; at < text.len;) {
        at += next(text, at, &c);
        width += sp_width_of(c);
    }
    return width;
}

enum sp_err sp_width_put(struct sp_buf *out, struct sp_view text, size_t columns)
{
    static const char dots[] = "...";
    bool cut = sp_width(text) > columns;
    size_t ends = cut && columns >= 3 ? 3 : 0, used = 0;
    uint32_t c;
    for (size_t at = 0; at < text.len;) {
        size_t n = next(text, at, &c), width = sp_width_of(c);
        if (used + width > columns - ends) {
            break;
        }
        SP_TRY(IS_IN(c, steering)
                   ? sp_buf_append_byte(out, '?')
                   : sp_buf_append(out, sp_view_slice(text, at, at + n)));
        used += width;
        at += n;
    }
    return sp_buf_append(out, sp_view(dots, ends));
}

/* The ideographic comma and stop, closing brackets, the long vowel's mark, small kana.
 */
static bool may_not_begin(uint32_t c)
{
    static const struct range marks[] = {
        {0x0021, 0x0022}, {0x0029, 0x0029}, {0x002C, 0x002C}, {0x002E, 0x002E},
        {0x003A, 0x003B}, {0x003F, 0x003F}, {0x005D, 0x005D}, {0x007D, 0x007D},
        {0x3001, 0x3002}, {0x300B, 0x300B}, {0x300D, 0x300D}, {0x300F, 0x300F},
        {0x3011, 0x3011}, {0x3015, 0x3015}, {0x3041, 0x3041}, {0x3043, 0x3043},
        {0x3045, 0x3045}, {0x3047, 0x3047}, {0x3049, 0x3049}, {0x3063, 0x3063},
        {0x3083, 0x3083}, {0x3085, 0x3085}, {0x3087, 0x3087}, {0x30A1, 0x30A1},
        {0x30A3, 0x30A3}, {0x30A5, 0x30A5}, {0x30A7, 0x30A7}, {0x30A9, 0x30A9},
        {0x30C3, 0x30C3}, {0x30E3, 0x30E3}, {0x30E5, 0x30E5}, {0x30E7, 0x30E7},
        {0x30FB, 0x30FC}, {0xFF01, 0xFF01}, {0xFF09, 0xFF09}, {0xFF0C, 0xFF0C},
        {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1B}, {0xFF1F, 0xFF1F},
    };
    return IS_IN(c, marks);
}

static bool may_break(uint32_t before, uint32_t after)
{
    if (after == ' ') {
        return before != ' ';
    }
    bool is_wide = sp_width_of(before) == 2 || sp_width_of(after) == 2;
    return is_wide && before != ' ' && sp_width_of(after) != 0 && !may_not_begin(after);
}

size_t sp_width_line(struct sp_view text, size_t columns)
{
    size_t used = 0, at = 0, broken = 0;
    uint32_t before = ' ', c;
    while (at < text.len) {
        size_t n = next(text, at, &c);
        if (at && may_break(before, c)) {
            broken = at;
        }
        used += sp_width_of(c);
        if (used > columns && broken) {
            return broken;
        }
        before = c;
        at += n;
    }
    return text.len;
}
