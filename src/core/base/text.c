#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

/* A digit's value and 1, so that 0 stands for what is no digit. */
static const uint8_t hex_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
    ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
    ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static bool is_hex(struct sp_view text)
{
    bool all = true;
    for (size_t i = 0; i < text.len; i++) {
        all &= hex_digits[text.data[i]] != 0;
    }
    return all;
}

enum sp_err sp_hex_parse(struct sp_view text, uint8_t *out, size_t out_len)
{
    if (text.len != out_len * 2) {
        return SP_E_MISMATCH;
    }
    if (!is_hex(text)) {
        return SP_E_MALFORMED;
    }
    for (size_t i = 0; i < out_len; i++) {
        out[i] = (uint8_t)((hex_digits[text.data[2 * i]] - 1) << 4 |
                           (hex_digits[text.data[2 * i + 1]] - 1));
    }
    return SP_OK;
}

static enum sp_err hex_append(struct sp_buf *b, struct sp_view bytes,
                              const char *digits)
{
    uint8_t *to = NULL;
    SP_TRY(sp_buf_reserve(b, bytes.len * 2, &to));
    for (size_t i = 0; i < bytes.len; i++) {
        *to++ = (uint8_t)digits[bytes.data[i] >> 4];
        *to++ = (uint8_t)digits[bytes.data[i] & 15];
    }
    b->len += bytes.len * 2;
    return SP_OK;
}

enum sp_err sp_hex_append(struct sp_buf *b, struct sp_view bytes)
{
    return hex_append(b, bytes, "0123456789abcdef");
}

enum sp_err sp_hex_append_upper(struct sp_buf *b, struct sp_view bytes)
{
    return hex_append(b, bytes, "0123456789ABCDEF");
}

/* Length of the well-formed sequence at p, or 0. RFC 3629 section 4. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    static const struct {
        uint8_t first_min, first_max, second_min, second_max, len;
    } rows[] = {
        {0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2},
        {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4},
        {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].first_min || p[0] > rows[i].first_max) {
            continue;
        }
        size_t len = rows[i].len;
        if (len > left ||
            (len > 1 && (p[1] < rows[i].second_min || p[1] > rows[i].second_max)) ||
            (len > 2 && (p[2] & 0xC0) != 0x80) || (len > 3 && (p[3] & 0xC0) != 0x80)) {
            return 0;
        }
        return len;
    }
    return 0;
}

bool sp_utf8_is_valid(struct sp_view v)
{
    for (size_t i = 0; i < v.len;) {
        size_t n = utf8_sequence(v.data + i, v.len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

static size_t utf8_put(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

enum { RUN = 32 }; /* units that are looked at together */

/* RUN units to RUN bytes; true where all are ASCII, else out means nothing. Compilers
 * make a few vector instructions of it. */
static bool narrow(const uint8_t *units, uint8_t *out)
{
    uint8_t other = 0;
    for (size_t i = 0; i < RUN; i++) {
        out[i] = units[2 * i];
        other |= units[2 * i + 1] | (units[2 * i] & 0x80);
    }
    return !other;
}

/* The character at *at, which goes behind it; false for half of one. */
static bool utf16_next(struct sp_view v, size_t *at, uint32_t *out)
{
    uint32_t c = (uint32_t)(v.data[*at] | v.data[*at + 1] << 8);
    *at += 2;
    *out = c;
    if (c < 0xD800 || c > 0xDFFF) {
        return true;
    }
    if (c >= 0xDC00 || *at == v.len) {
        return false;
    }
    uint32_t low = (uint32_t)(v.data[*at] | v.data[*at + 1] << 8);
    *at += 2;
    *out = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    return low >= 0xDC00 && low <= 0xDFFF;
}

enum sp_err sp_utf16le_to_utf8(struct sp_view v, struct sp_buf *out)
{
    if (v.len % 2 != 0) {
        return SP_E_MALFORMED;
    }
    size_t i = v.len >= 2 && v.data[0] == 0xFF && v.data[1] == 0xFE ? 2 : 0;
    while (i < v.len) {
        uint8_t bytes[RUN];
        uint32_t c = 0;
        size_t n = RUN;
        if (v.len - i >= 2 * RUN && narrow(v.data + i, bytes)) {
            i += 2 * RUN;
        } else if (utf16_next(v, &i, &c)) {
            n = utf8_put(c, bytes);
        } else {
            return SP_E_MALFORMED;
        }
        SP_TRY(sp_buf_append(out, sp_view(bytes, n)));
    }
    return SP_OK;
}

enum sp_err sp_u64_parse(struct sp_view text, uint64_t max, uint64_t *out)
{
    if (text.len == 0 || (text.len > 1 && text.data[0] == '0')) {
        return SP_E_MALFORMED;
    }
    uint64_t x = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return SP_E_MALFORMED;
        }
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (digit > max || x > (max - digit) / 10) {
            return SP_E_LIMIT;
        }
        x = x * 10 + digit;
    }
    *out = x;
    return SP_OK;
}

enum sp_err sp_i64_parse(struct sp_view text, int64_t min, int64_t max, int64_t *out)
{
    bool negative = text.len && text.data[0] == '-';
    uint64_t magnitude = 0;
    SP_TRY(sp_u64_parse(negative ? sp_view_slice(text, 1, text.len) : text,
                        (uint64_t)INT64_MAX, &magnitude));
    if (negative && magnitude == 0) {
        return SP_E_MALFORMED;
    }
    int64_t x = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if (x < min || x > max) {
        return SP_E_LIMIT;
    }
    *out = x;
    return SP_OK;
}

enum sp_err sp_u64_append(struct sp_buf *b, uint64_t x)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + x % 10);
        x /= 10;
    } while (x > 0);
    return sp_buf_append(b, sp_view(digits + at, sizeof digits - at));
}

enum sp_err sp_guid_parse(struct sp_view text, struct sp_guid *out)
{
    struct sp_guid g;
    if (text.len != 36) {
        return SP_E_MALFORMED;
    }
    for (size_t i = 0, n = 0; i < 36;) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.data[i++] != '-') {
                return SP_E_MALFORMED;
            }
            continue;
        }
        SP_TRY(sp_hex_parse(sp_view_slice(text, i, i + 2), &g.bytes[n++], 1));
        i += 2;
    }
    *out = g;
    return SP_OK;
}

void sp_guid_format(const struct sp_guid *g, char out[SP_GUID_TEXT])
{
    const uint8_t *b = g->bytes;
    snprintf(out, SP_GUID_TEXT,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
             b[12], b[13], b[14], b[15]);
}

bool sp_guid_eq(const struct sp_guid *a, const struct sp_guid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int64_t sp_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    /* Years begin in March, so that the leap day is the last one. */
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void sp_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

void sp_time_format(int64_t unix_s, char out[SP_TIME_TEXT])
{
    int64_t days = unix_s / 86400 - (unix_s % 86400 < 0);
    unsigned s = (unsigned)(unix_s - days * 86400);
    int64_t year;
    unsigned month, day;
    sp_civil_from_days(days, &year, &month, &day);
    SP_ASSERT(year >= 0 && year <= 9999);
    /* the remainders tell the compiler what the calendar already promises */
    snprintf(out, SP_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ",
             (unsigned)year % 10000U, month % 100U, day % 100U, s / 3600 % 100U,
             s / 60 % 60U, s % 60U);
}

static enum sp_err two_digits(struct sp_view v, size_t at, unsigned max, unsigned *out)
{
    uint8_t a = v.data[at], b = v.data[at + 1];
    if (a < '0' || a > '9' || b < '0' || b > '9') {
        return SP_E_MALFORMED;
    }
    unsigned x = (unsigned)(a - '0') * 10 + (unsigned)(b - '0');
    if (x > max) {
        return SP_E_MALFORMED;
    }
    *out = x;
    return SP_OK;
}

enum sp_err sp_time_parse(struct sp_view v, int64_t *out)
{
    unsigned century, yy, month, day, h, m, s;
    if (v.len != 20 || v.data[4] != '-' || v.data[7] != '-' || v.data[10] != 'T' ||
        v.data[13] != ':' || v.data[16] != ':' || v.data[19] != 'Z') {
        return SP_E_MALFORMED;
    }
    SP_TRY(two_digits(v, 0, 99, &century));
    SP_TRY(two_digits(v, 2, 99, &yy));
    SP_TRY(two_digits(v, 5, 12, &month));
    SP_TRY(two_digits(v, 8, 31, &day));
    SP_TRY(two_digits(v, 11, 23, &h));
    SP_TRY(two_digits(v, 14, 59, &m));
    SP_TRY(two_digits(v, 17, 59, &s));
    if (month == 0 || day == 0) {
        return SP_E_MALFORMED;
    }
    int64_t days = sp_days_from_civil((int64_t)century * 100 + yy, month, day);
    int64_t y2;
    unsigned m2, d2;
    sp_civil_from_days(days, &y2, &m2, &d2);
    if (m2 != month || d2 != day) {
        return SP_E_MALFORMED;
    }
    *out = days * 86400 + h * 3600 + m * 60 + s;
    return SP_OK;
}

static size_t edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t row[LONGEST + 1];
    size_t la = strlen(a), lb = strlen(b);
    if (la > LONGEST || lb > LONGEST) {
        return LONGEST;
    }
    for (size_t j = 0; j <= lb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < other ? change : other;
        }
    }
    return row[lb];
}

const char *sp_text_nearest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t d = edit_distance(word, names[i]);
        if (d < best_distance) {
            best_distance = d;
            best = names[i];
        }
    }
    return best;
}
