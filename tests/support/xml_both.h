/* Both readers of a whole document, held against each other, and the own one against
 * itself while the document arrives: what one accepts the others accept, as the same
 * events at the same places. And once more with a handler that passes over most of it:
 * they agree on what is left, and accept what they did. */
#ifndef TESTS_SUPPORT_XML_BOTH_H
#define TESTS_SUPPORT_XML_BOTH_H

#include "core/xml/inside.h"

#include <stdio.h>
#include <stdlib.h>

#define XML_SEPARATOR "\x1e" /* cannot occur in a document */

static inline void xml_must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static inline void xml_note(struct sp_buf *b, struct sp_xml *x, const char *what,
                            struct sp_xml_name name)
{
    xml_must(sp_buf_printf(b, XML_SEPARATOR "%s%zu" XML_SEPARATOR, what,
                           sp_xml_offset(x)) == SP_OK);
    xml_must(sp_buf_append(b, name.ns) == SP_OK);
    xml_must(sp_buf_append_str(b, XML_SEPARATOR) == SP_OK);
    xml_must(sp_buf_append(b, name.local) == SP_OK);
}

static inline void xml_note_prefix(struct sp_buf *b, const struct sp_xml *x,
                                   const char *prefix)
{
    struct sp_view ns = {0};
    bool bound = sp_xml_resolve(x, sp_view_str(prefix), &ns);
    xml_must(sp_buf_append_str(b, bound ? XML_SEPARATOR "+" : XML_SEPARATOR "-") ==
             SP_OK);
    xml_must(sp_buf_append(b, ns) == SP_OK);
}

static inline enum sp_err xml_on_start(void *ctx, struct sp_xml *x,
                                       const struct sp_xml_element *e)
{
    xml_note(ctx, x, "<", e->name);
    for (size_t i = 0; i < e->attr_count; i++) {
        xml_note(ctx, x, "@", e->attrs[i].name);
        xml_must(sp_buf_append_str(ctx, XML_SEPARATOR "=") == SP_OK);
        xml_must(sp_buf_append(ctx, e->attrs[i].value) == SP_OK);
    }
    xml_note_prefix(ctx, x, "");
    xml_note_prefix(ctx, x, "a");
    xml_note_prefix(ctx, x, "xml");
    xml_must(sp_buf_printf(ctx, XML_SEPARATOR "%zu#", e->depth) == SP_OK);
    return SP_OK;
}

static inline enum sp_err xml_pass_all(void *ctx, struct sp_xml *x,
                                       const struct sp_xml_element *e)
{
    sp_xml_pass_over(x);
    return xml_on_start(ctx, x, e);
}

static inline enum sp_err xml_pass_inner(void *ctx, struct sp_xml *x,
                                         const struct sp_xml_element *e)
{
    if (e->depth == 2) {
        sp_xml_pass_over(x);
    }
    return xml_on_start(ctx, x, e);
}

static inline enum sp_err xml_on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    (void)x;
    return sp_buf_append(ctx, text);
}

static inline enum sp_err xml_on_end(void *ctx, struct sp_xml *x,
                                     struct sp_xml_name name)
{
    xml_note(ctx, x, ">", name);
    return sp_buf_append_str(ctx, XML_SEPARATOR "#");
}

/* In four pieces. */
static inline enum sp_err xml_read_arriving(struct sp_view document,
                                            const struct sp_xml_rules *rules,
                                            const struct sp_xml_handler *handler,
                                            struct sp_buf *events)
{
    struct sp_xml_arriving *a = NULL;
    size_t read = 0, step = document.len / 4 + 1;
    xml_must(sp_xml_arriving_new(rules, handler, events, document.len, &a) == SP_OK);
    enum sp_err e = SP_OK;
    for (size_t at = step; e == SP_OK && at < document.len; at += step) {
        size_t before = read;
        e = sp_xml_arriving_more(a, sp_view_slice(document, 0, at), &read);
        xml_must(read >= before && read <= at);
    }
    e = e == SP_OK ? sp_xml_arriving_end(a, document) : e;
    sp_xml_arriving_free(&a);
    return e;
}

/* Ends the program where they differ. */
static inline bool xml_both_see(struct sp_view document,
                                const struct sp_xml_rules *rules,
                                const struct sp_xml_handler *seeing)
{
    struct sp_buf a, b, c;
    struct sp_why why_a = {""}, why_b = {""};
    sp_buf_init(&a, SP_MIB(64));
    sp_buf_init(&b, SP_MIB(64));
    sp_buf_init(&c, SP_MIB(64));
    enum sp_err ea = sp_xml_read(document, rules, seeing, &a, &why_a);
    enum sp_err eb = sp_xml_read_by_expat(document, rules, seeing, &b, &why_b);
    enum sp_err ec = xml_read_arriving(document, rules, seeing, &c);
    bool agree = (ea == SP_OK) == (eb == SP_OK) && (ea == SP_OK) == (ec == SP_OK) &&
                 (ea != SP_OK || sp_view_eq(sp_buf_view(&a), sp_buf_view(&c))) &&
                 (ea == SP_OK) == !why_a.text[0] &&
                 (ea != SP_OK || sp_view_eq(sp_buf_view(&a), sp_buf_view(&b)));
    if (!agree) {
        fprintf(stderr, SP_VIEW_FMT "\n%s; expat: %s; arriving: %s\n",
                SP_VIEW_ARG(document), why_a.text, why_b.text, sp_err_text(ec));
    }
    xml_must(agree);
    sp_buf_fini(&a);
    sp_buf_fini(&b);
    sp_buf_fini(&c);
    return ea == SP_OK;
}

/* Whether both accept it. */
static inline bool xml_both_accept(struct sp_view document,
                                   const struct sp_xml_rules *rules)
{
    static const struct sp_xml_handler seeing = {xml_on_start, xml_on_text, xml_on_end};
    static const struct sp_xml_handler passing[] = {
        {xml_pass_all, xml_on_text, xml_on_end},
        {xml_pass_inner, xml_on_text, xml_on_end}};
    bool accepted = xml_both_see(document, rules, &seeing);
    xml_must(xml_both_see(document, rules, &passing[document.len % 2]) == accepted);
    return accepted;
}

#endif
