/* Documents that are read, and what a handler saw. */
#ifndef TESTS_UNIT_XML_RIG_H
#define TESTS_UNIT_XML_RIG_H

#include "unit.h"

#include "core/xml/xml.h"

/* What a handler saw, as text: <{ns}local{ns}attr=value>text</{ns}local> */
struct seen {
    struct sp_buf log;
    size_t offsets[8];
    size_t count;
    enum sp_err fail_at_start; /* what the start handler answers */
    const char *sentence;
};

static inline enum sp_err log_name(struct seen *s, const char *lead,
                                   struct sp_xml_name n)
{
    if (n.ns.len) {
        return sp_buf_printf(&s->log, "%s{" SP_VIEW_FMT "}" SP_VIEW_FMT, lead,
                             SP_VIEW_ARG(n.ns), SP_VIEW_ARG(n.local));
    }
    return sp_buf_printf(&s->log, "%s" SP_VIEW_FMT, lead, SP_VIEW_ARG(n.local));
}

static inline void remember_offset(struct seen *s, const struct sp_xml *x)
{
    if (s->count < 8) {
        s->offsets[s->count++] = sp_xml_offset(x);
    }
}

static inline enum sp_err see_start(void *ctx, struct sp_xml *x,
                                    const struct sp_xml_element *e)
{
    struct seen *s = ctx;
    remember_offset(s, x);
    SP_TRY(log_name(s, "<", e->name));
    for (size_t i = 0; i < e->attr_count; i++) {
        SP_TRY(log_name(s, " ", e->attrs[i].name));
        SP_TRY(sp_buf_printf(&s->log, "=" SP_VIEW_FMT, SP_VIEW_ARG(e->attrs[i].value)));
    }
    SP_TRY(sp_buf_append_byte(&s->log, '>'));
    if (s->sentence) {
        return sp_why_set(sp_xml_why(x), s->fail_at_start, "%s", s->sentence);
    }
    return s->fail_at_start;
}

static inline enum sp_err see_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    (void)x;
    struct seen *s = ctx;
    return sp_buf_append(&s->log, text);
}

static inline enum sp_err see_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct seen *s = ctx;
    remember_offset(s, x);
    SP_TRY(log_name(s, "</", name));
    return sp_buf_append_byte(&s->log, '>');
}

static const struct sp_xml_handler seeing = {see_start, see_text, see_end};

static inline enum sp_err read_view(struct seen *s, struct sp_view doc,
                                    const struct sp_xml_rules *rules,
                                    struct sp_why *why)
{
    s->count = 0;
    sp_buf_clear(&s->log);
    return sp_xml_read(doc, rules, &seeing, s, why);
}

static inline enum sp_err read_str(struct seen *s, const char *doc, struct sp_why *why)
{
    return read_view(s, sp_view_str(doc), &sp_xml_rules_request, why);
}

static inline void check_reads(struct sp_view doc, const char *expected)
{
    struct seen s = {0};
    sp_buf_init(&s.log, SP_MIB(1));
    struct sp_why why = {""};
    assert_ok(read_view(&s, doc, &sp_xml_rules_document, &why));
    assert_ok(sp_buf_append_byte(&s.log, 0));
    assert_string_equal((const char *)s.log.data, expected);
    assert_string_equal(why.text, "");
    sp_buf_fini(&s.log);
}

static inline void check_fails(struct sp_view doc, const struct sp_xml_rules *rules,
                               enum sp_err expected, const char *sentence)
{
    struct seen s = {0};
    sp_buf_init(&s.log, SP_MIB(16));
    struct sp_why why = {""};
    assert_err(read_view(&s, doc, rules, &why), expected);
    if (!strstr(why.text, sentence)) {
        fail_msg("\"%s\" is not in \"%s\"", sentence, why.text);
    }
    assert_non_null(strstr(why.text, "line "));
    sp_buf_fini(&s.log);
}

#define READS(doc, expected) check_reads(SP_VIEW(doc), expected)
#define FAILS(doc, err, sentence)                                                      \
    check_fails(SP_VIEW(doc), &sp_xml_rules_request, err, sentence)

/* Appends text n times. */
static inline void repeat(struct sp_buf *b, const char *text, size_t n)
{
    while (n--) {
        assert_ok(sp_buf_append_str(b, text));
    }
}

#endif
