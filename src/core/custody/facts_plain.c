#include "core/custody/facts_plain.h"

#include "core/base/text.h"

/* C1 controls are two bytes, and would be escaped. */
static bool has_c1(struct sp_view v)
{
    for (size_t i = 1; i < v.len; i++) {
        if (v.data[i - 1] == 0xC2 && v.data[i] < 0xA0) {
            return true;
        }
    }
    return false;
}

/* Without a way out of the loop, so that the compiler takes many bytes at a time. */
static bool is_plain_text(struct sp_view v)
{
    uint8_t escaped = 0, all = 0;
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        escaped |= (uint8_t)((c < 0x20) | (c == 0x7f) | (c == '%'));
        all |= c;
    }
    return !escaped && (all < 0x80 || (sp_utf8_is_valid(v) && !has_c1(v)));
}

static bool is_lower_hex(struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}

static bool is_plain_guid(struct sp_view v)
{
    static const size_t ends[] = {8, 13, 18, 23, 36};
    size_t from = 0;
    for (size_t i = 0; v.len == 36 && i < 5; i++) {
        if (!is_lower_hex(sp_view_slice(v, from, ends[i])) ||
            (ends[i] < v.len && v.data[ends[i]] != '-')) {
            return false;
        }
        from = ends[i] + 1;
    }
    return v.len == 36;
}

static bool is_plain_value(enum sp_fact k, struct sp_view v)
{
    int64_t number;
    switch (sp_fact_kind(k)) {
    case SP_FACT_KIND_TEXT:
        return is_plain_text(v);
    case SP_FACT_KIND_INT:
        return sp_i64_parse(v, -INT64_MAX, INT64_MAX, &number) == SP_OK;
    case SP_FACT_KIND_FLAG:
        return sp_view_eq_str(v, "true") || sp_view_eq_str(v, "false");
    case SP_FACT_KIND_DIGEST:
        return v.len >= 2 && v.len <= 128 && v.len % 2 == 0 && is_lower_hex(v);
    case SP_FACT_KIND_GUID:
        return is_plain_guid(v);
    }
    return false;
}

struct line {
    enum sp_fact key;
    struct sp_view value;
};

/* As values are sorted, their plain spellings are: but for numbers. */
static bool is_behind(const struct line *line, const struct line *before)
{
    if (line->key != before->key) {
        return line->key > before->key;
    }
    return sp_fact_kind(line->key) != SP_FACT_KIND_INT &&
           sp_view_cmp(before->value, line->value) < 0;
}

static bool take_line(struct sp_view *text, enum sp_fact near, struct line *out)
{
    size_t end = sp_view_find(*text, '\n');
    struct sp_view line = sp_view_slice(*text, 0, end);
    size_t blank = sp_view_find(line, ' ');
    if (end == text->len || blank == line.len) {
        return false;
    }
    out->key = sp_fact_find(sp_view_slice(line, 0, blank), near);
    out->value = sp_view_slice(line, blank + 1, line.len);
    *text = sp_view_slice(*text, end + 1, text->len);
    return out->key != SP_FACT_COUNT && is_plain_value(out->key, out->value);
}

bool sp_facts_are_plain(struct sp_view text)
{
    struct line before, line;
    if (text.len == 0) {
        return true;
    }
    if (!take_line(&text, 0, &before)) {
        return false;
    }
    while (text.len) {
        if (!take_line(&text, before.key, &line) || !is_behind(&line, &before)) {
            return false;
        }
        before = line;
    }
    return true;
}
