/* The canonical text of a set of facts, out and in. Reading trusts nothing: what was
 * read must be what would be written, and where that is not plain it is written. */
#include "sallyport/facts.h"

#include "core/base/text.h"
#include "core/custody/facts_plain.h"

#include <inttypes.h>

/* How many bytes at v[0] are a control character of Unicode (C0, DEL, C1) or '%'. */
static size_t must_escape(struct sp_view v)
{
    if (v.data[0] < 0x20 || v.data[0] == 0x7f || v.data[0] == '%') {
        return 1;
    }
    bool is_c1 = v.len > 1 && v.data[0] == 0xC2 && v.data[1] < 0xA0;
    return is_c1 ? 2 : 0;
}

static enum sp_err text_encode(struct sp_view v, struct sp_buf *out)
{
    size_t at = 0;
    while (at < v.len) {
        size_t end = at;
        while (end < v.len && must_escape(sp_view_slice(v, end, v.len)) == 0) {
            end++;
        }
        SP_TRY(sp_buf_append(out, sp_view_slice(v, at, end)));
        size_t hidden = end < v.len ? must_escape(sp_view_slice(v, end, v.len)) : 0;
        for (at = end; at < end + hidden; at++) {
            SP_TRY(sp_buf_append_byte(out, '%'));
            SP_TRY(sp_hex_append_upper(out, sp_view_slice(v, at, at + 1)));
        }
    }
    return SP_OK;
}

static enum sp_err value_encode(enum sp_fact k, const struct sp_fact_value *v,
                                struct sp_buf *out)
{
    switch (sp_fact_kind(k)) {
    case SP_FACT_KIND_TEXT:
        return text_encode(v->bytes, out);
    case SP_FACT_KIND_INT:
        return sp_buf_printf(out, "%" PRId64, v->number);
    case SP_FACT_KIND_FLAG:
        return sp_buf_append_str(out, v->number ? "true" : "false");
    case SP_FACT_KIND_DIGEST:
        return sp_hex_append(out, v->bytes);
    case SP_FACT_KIND_GUID: {
        struct sp_guid g;
        char text[SP_GUID_TEXT];
        for (size_t i = 0; i < sizeof g.bytes; i++) {
            g.bytes[i] = v->bytes.data[i];
        }
        sp_guid_format(&g, text);
        return sp_buf_append_str(out, text);
    }
    }
    return SP_E_INTERNAL;
}

enum sp_err sp_facts_encode(const struct sp_facts *f, struct sp_buf *out)
{
    for (enum sp_fact k = 0; k < SP_FACT_COUNT; k++) {
        struct sp_fact_value v;
        for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
            SP_TRY(sp_buf_append_str(out, sp_fact_key(k)));
            SP_TRY(sp_buf_append_byte(out, ' '));
            SP_TRY(value_encode(k, &v, out));
            SP_TRY(sp_buf_append_byte(out, '\n'));
        }
    }
    return SP_OK;
}

static enum sp_err text_decode(struct sp_view v, struct sp_buf *out)
{
    while (v.len) {
        size_t plain = sp_view_find(v, '%');
        SP_TRY(sp_buf_append(out, sp_view_slice(v, 0, plain)));
        v = sp_view_slice(v, plain, v.len);
        if (v.len) {
            uint8_t byte;
            SP_TRY(sp_hex_parse(sp_view_slice(v, 1, 3), &byte, 1));
            SP_TRY(sp_buf_append_byte(out, byte));
            v = sp_view_slice(v, 3, v.len);
        }
    }
    return SP_OK;
}

static enum sp_err add_text(struct sp_facts *f, enum sp_fact k, struct sp_view v)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, v.len + 1);
    SP_TRY(text_decode(v, &text));
    return sp_facts_text(f, k, sp_buf_view(&text));
}

static enum sp_err add_flag(struct sp_facts *f, enum sp_fact k, struct sp_view v)
{
    bool yes = sp_view_eq_str(v, "true");
    if (!yes && !sp_view_eq_str(v, "false")) {
        return SP_E_MALFORMED;
    }
    return sp_facts_flag(f, k, yes);
}

static enum sp_err add_digest(struct sp_facts *f, enum sp_fact k, struct sp_view v)
{
    uint8_t digest[64];
    size_t len = v.len / 2;
    if (len > sizeof digest) {
        return SP_E_MALFORMED;
    }
    SP_TRY(sp_hex_parse(v, digest, len));
    return sp_facts_bytes(f, k, sp_view(digest, len));
}

static enum sp_err value_decode(struct sp_facts *f, enum sp_fact k, struct sp_view v)
{
    int64_t number;
    struct sp_guid g;
    switch (sp_fact_kind(k)) {
    case SP_FACT_KIND_TEXT:
        return add_text(f, k, v);
    case SP_FACT_KIND_INT:
        SP_TRY(sp_i64_parse(v, -INT64_MAX, INT64_MAX, &number));
        return sp_facts_int(f, k, number);
    case SP_FACT_KIND_FLAG:
        return add_flag(f, k, v);
    case SP_FACT_KIND_DIGEST:
        return add_digest(f, k, v);
    case SP_FACT_KIND_GUID:
        SP_TRY(sp_guid_parse(v, &g));
        return sp_facts_bytes(f, k, sp_view(g.bytes, sizeof g.bytes));
    }
    return SP_E_INTERNAL;
}

static enum sp_err line_decode(struct sp_facts *f, struct sp_view line,
                               enum sp_fact *near)
{
    size_t blank = sp_view_find(line, ' ');
    if (blank == line.len) {
        return SP_E_MALFORMED;
    }
    enum sp_fact k = sp_fact_find(sp_view_slice(line, 0, blank), *near);
    if (k == SP_FACT_COUNT) {
        return SP_E_UNSUPPORTED;
    }
    *near = k;
    enum sp_err e = value_decode(f, k, sp_view_slice(line, blank + 1, line.len));
    return e == SP_E_NOMEM || e == SP_OK ? e : SP_E_MALFORMED;
}

static enum sp_err lines_decode(struct sp_facts *f, struct sp_view text,
                                struct sp_why *why)
{
    enum sp_fact near = 0;
    for (size_t number = 1; text.len; number++) {
        size_t end = sp_view_find(text, '\n');
        struct sp_view line = sp_view_slice(text, 0, end);
        enum sp_err e = end == text.len ? SP_E_MALFORMED : line_decode(f, line, &near);
        if (e != SP_OK) {
            struct sp_view head = sp_view_slice(line, 0, 80);
            return sp_why_set(why, e, "line %zu, \"" SP_VIEW_FMT "\": %s", number,
                              SP_VIEW_ARG(head), sp_err_text(e));
        }
        text = sp_view_slice(text, end + 1, text.len);
    }
    return SP_OK;
}

static enum sp_err check_spelling(const struct sp_facts *f, struct sp_view text,
                                  struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf again;
    sp_buf_init(&again, text.len + 256);
    enum sp_err e = sp_facts_encode(f, &again);
    if (e == SP_E_NOMEM) {
        return e;
    }
    if (e != SP_OK || !sp_view_eq(sp_buf_view(&again), text)) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "the facts are not in their canonical spelling or order");
    }
    return SP_OK;
}

enum sp_err sp_facts_decode(struct sp_view text, struct sp_facts **out,
                            struct sp_why *why)
{
    /* no line is shorter than 9 bytes, so 16 times the text is room for its items */
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_TRY(sp_facts_new(text.len * 16 + 64, &f));
    SP_TRY(lines_decode(f, text, why));
    SP_TRY(sp_facts_are_plain(text) ? SP_OK : check_spelling(f, text, why));
    *out = f;
    f = NULL;
    return SP_OK;
}
