#include "core/wsus/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* [XML] 2.3: white space. */
#define XML_BLANKS " \t\r\n"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* .NET takes "+7" and "007"; what is left is what sp_i64_parse takes. */
static enum sp_err number(struct sp_view text, int64_t least, int64_t most,
                          int64_t *out)
{
    bool minus = text.len && text.data[0] == '-';
    struct sp_view digits =
        sp_view_slice(text, minus || (text.len && text.data[0] == '+'), text.len);
    if (!digits.len || !is_digit(digits.data[0])) {
        return SP_E_MALFORMED;
    }
    while (digits.len > 1 && digits.data[0] == '0') {
        digits = sp_view_slice(digits, 1, digits.len);
    }
    char signed_text[24];
    if (digits.len > sizeof signed_text - 2) {
        return SP_E_LIMIT;
    }
    bool zero = sp_view_eq_str(digits, "0");
    int n = snprintf(signed_text, sizeof signed_text, "%s" SP_VIEW_FMT,
                     minus && !zero ? "-" : "", SP_VIEW_ARG(digits));
    return sp_i64_parse(sp_view(signed_text, (size_t)n), least, most, out);
}

static enum sp_err write_number(struct sp_view text, int64_t least, int64_t most,
                                struct sp_buf *out)
{
    int64_t n = 0;
    SP_TRY(number(text, least, most, &n));
    return sp_buf_printf(out, "%" PRId64, n);
}

enum sp_err sp_value_boolean(struct sp_view text, struct sp_buf *out)
{
    if (sp_view_eq_str(text, "true") || sp_view_eq_str(text, "1")) {
        return sp_buf_append_str(out, "true");
    }
    if (sp_view_eq_str(text, "false") || sp_view_eq_str(text, "0")) {
        return sp_buf_append_str(out, "false");
    }
    return SP_E_MALFORMED;
}

enum sp_err sp_value_guid(struct sp_view text, struct sp_buf *out)
{
    struct sp_guid g;
    char lower[SP_GUID_TEXT];
    SP_TRY(sp_guid_parse(text, &g));
    sp_guid_format(&g, lower);
    return sp_buf_append_str(out, lower);
}

/* The two digits at offset at, or -1. */
static int two_digits(struct sp_view v, size_t at)
{
    if (at + 2 > v.len || !is_digit(v.data[at]) || !is_digit(v.data[at + 1])) {
        return -1;
    }
    return (v.data[at] - '0') * 10 + (v.data[at + 1] - '0');
}

static bool in_range(int n, int least, int most)
{
    return n >= least && n <= most;
}

static bool has_char(struct sp_view v, size_t at, char c)
{
    return at < v.len && v.data[at] == (uint8_t)c;
}

/* yyyy-mm-dd of the proleptic Gregorian calendar, years 1 to 9999 as .NET counts. */
static bool is_date(struct sp_view v)
{
    int century = two_digits(v, 0), year = two_digits(v, 2);
    int month = two_digits(v, 5), day = two_digits(v, 8);
    if (century < 0 || year < 0 || century + year == 0 || !has_char(v, 4, '-') ||
        !has_char(v, 7, '-') || !in_range(month, 1, 12) || day < 1) {
        return false;
    }
    int y = century * 100 + year;
    int64_t first = sp_days_from_civil(y, (unsigned)month, 1);
    int64_t next = month == 12 ? sp_days_from_civil(y + 1, 1, 1)
                               : sp_days_from_civil(y, (unsigned)month + 1, 1);
    return day <= next - first;
}

static bool is_clock(struct sp_view v, size_t at)
{
    return has_char(v, at, 'T') && in_range(two_digits(v, at + 1), 0, 23) &&
           has_char(v, at + 3, ':') && in_range(two_digits(v, at + 4), 0, 59) &&
           has_char(v, at + 6, ':') && in_range(two_digits(v, at + 7), 0, 59);
}

/* Nothing, Z, or an offset of at most fourteen hours. [XSD] dateTime */
static bool is_zone(struct sp_view v)
{
    if (v.len == 0 || sp_view_eq_str(v, "Z")) {
        return true;
    }
    int hours = two_digits(v, 1), minutes = two_digits(v, 4);
    return v.len == 6 && (has_char(v, 0, '+') || has_char(v, 0, '-')) &&
           has_char(v, 3, ':') && in_range(hours, 0, 14) &&
           in_range(minutes, 0, hours == 14 ? 0 : 59);
}

/* Kept as spelt: precision and zone are the sender's. */
enum sp_err sp_value_date_time(struct sp_view text, struct sp_buf *out)
{
    enum { SECONDS_END = 19, FRACTION_MAX = 7 };
    size_t at = SECONDS_END;
    if (!is_date(text) || !is_clock(text, 10)) {
        return SP_E_MALFORMED;
    }
    if (has_char(text, at, '.')) {
        for (at++; at < text.len && is_digit(text.data[at]); at++) {
        }
        if (!in_range((int)(at - SECONDS_END - 1), 1, FRACTION_MAX)) {
            return SP_E_MALFORMED;
        }
    }
    if (!is_zone(sp_view_slice(text, at, text.len))) {
        return SP_E_MALFORMED;
    }
    return sp_buf_append(out, text);
}

enum sp_err sp_value_event_id(struct sp_view text, struct sp_buf *out)
{
    static const struct {
        int16_t first, last;
    } clients[] = {{141, 141}, {145, 150}, {153, 154}, {156, 158}, {161, 170},
                   {181, 204}, {221, 226}, {521, 525}, {541, 546}};
    int64_t n = 0;
    SP_TRY(number(text, INT16_MIN, INT16_MAX, &n));
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        if (n >= clients[i].first && n <= clients[i].last) {
            return sp_buf_printf(out, "%" PRId64, n);
        }
    }
    return SP_E_MALFORMED;
}

/* Tags of one letter are [MS-WUSP] 2.2.2.3.1's, the rest is what agents add. A server
 * reads its own events by longer tags ("SynchronizationUpdateErrorsKey") and
 * deserializes what follows: those never pass. (CVE-2025-59287, threats 1.2) */
static bool is_client_tag(struct sp_view tag)
{
    static const char *const words[] = {
        "AppName", "CsiErrorType", "WUfBOn", "WUfBDS", "DisableDS",
        "PauseQU", "PauseFU",      "cc",     "dd",     "ff"};
    const struct sp_view letters = SP_VIEW("ABCDFGJKLQSUVWXYZacfgh" /* the table's */
                                           "OPTkmnopqrwx");         /* seen */
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (sp_view_eq_str(tag, words[i])) {
            return true;
        }
    }
    return tag.len == 1 && sp_view_find(letters, tag.data[0]) < letters.len;
}

static bool may_be_client_tag(struct sp_view tag)
{
    bool letters = tag.len >= 1 && tag.len <= 2;
    for (size_t i = 0; i < tag.len; i++) {
        uint8_t lower = tag.data[i] | 0x20;
        letters = letters && lower >= 'a' && lower <= 'z';
    }
    return letters;
}

/* No markup, but for the "<<PROCESS>>" that agents put before a program's name. */
static bool has_markup(struct sp_view v)
{
    const struct sp_view process = SP_VIEW("<<PROCESS>>");
    for (size_t at = 0; at < v.len;) {
        struct sp_view rest = sp_view_slice(v, at, v.len);
        if (sp_view_starts(rest, process)) {
            at += process.len;
        } else if (v.data[at] == '<') {
            return true;
        } else {
            at++;
        }
    }
    return false;
}

enum sp_err sp_value_misc_datum(struct sp_view text, struct sp_buf *out)
{
    enum { LONGEST = 4096 };
    if (text.len > LONGEST) {
        return SP_E_LIMIT;
    }
    struct sp_view tag = sp_view_slice(text, 0, sp_view_find(text, '='));
    bool known = is_client_tag(tag);
    if (tag.len == text.len || has_markup(text) ||
        (!known && !may_be_client_tag(tag))) {
        return SP_E_MALFORMED;
    }
    return known ? sp_buf_append(out, text) : SP_E_UNSUPPORTED;
}

static enum sp_err without_blanks(struct sp_view text, struct sp_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!memchr(XML_BLANKS, text.data[i], sizeof XML_BLANKS - 1)) {
            SP_TRY(sp_buf_append_byte(out, text.data[i]));
        }
    }
    return SP_OK;
}

static enum sp_err decode(struct sp_view text, struct sp_buf *packed,
                          struct sp_buf *bytes)
{
    SP_TRY(without_blanks(text, packed));
    return sp_base64_parse(sp_buf_view(packed), bytes);
}

static enum sp_err write_binary(const struct sp_type *type, struct sp_view text,
                                struct sp_buf *out)
{
    struct sp_buf packed, bytes;
    sp_buf_init(&packed, SP_LIMIT_XML_TEXT_REQUEST);
    sp_buf_init(&bytes, (size_t)type->most + 1);
    enum sp_err e = decode(text, &packed, &bytes);
    if (e == SP_OK &&
        ((int64_t)bytes.len < type->least || (int64_t)bytes.len > type->most)) {
        e = SP_E_LIMIT;
    }
    if (e == SP_OK) {
        e = sp_buf_append(out, sp_buf_view(&packed));
    }
    sp_buf_fini(&packed);
    sp_buf_fini(&bytes);
    return e;
}

static enum sp_err write_word(const struct sp_type *type, struct sp_view text,
                              struct sp_buf *out)
{
    for (const char *const *word = type->words; *word; word++) {
        if (sp_view_eq_str(text, *word)) {
            return sp_buf_append(out, text);
        }
    }
    return SP_E_MALFORMED;
}

static enum sp_err write_text(const struct sp_type *type, struct sp_view text,
                              struct sp_buf *out)
{
    return (int64_t)text.len > type->most ? SP_E_LIMIT : sp_buf_append(out, text);
}

enum sp_err sp_value_canonical(const struct sp_type *type, struct sp_view text,
                               struct sp_buf *out)
{
    struct sp_view trimmed = sp_view_trim(text, XML_BLANKS);
    switch (type->kind) {
    case SP_TYPE_TEXT:
        return write_text(type, text, out);
    case SP_TYPE_NUMBER:
        return write_number(trimmed, type->least, type->most, out);
    case SP_TYPE_BINARY:
        return write_binary(type, text, out);
    case SP_TYPE_VALUE:
        return type->read(trimmed, out);
    case SP_TYPE_ENUMERATION:
        return write_word(type, trimmed, out);
    case SP_TYPE_LIST:
    case SP_TYPE_STRUCT:
        break;
    }
    return SP_E_INTERNAL;
}
