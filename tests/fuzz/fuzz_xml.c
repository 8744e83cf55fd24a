/* The reader; and what it accepts, written again, must read as the same events. */
#include "core/xml/xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEPARATOR "\x1e" /* cannot occur in a document */

/* Both at once: the events in a plain form, and the document written from them. */
struct copy {
    struct sp_buf events;
    struct sp_buf document;
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void note(struct copy *c, const char *what, struct sp_view a, struct sp_view b)
{
    must(sp_buf_append_str(&c->events, what) == SP_OK);
    must(sp_buf_append(&c->events, a) == SP_OK);
    must(sp_buf_append_str(&c->events, SEPARATOR) == SP_OK);
    must(sp_buf_append(&c->events, b) == SP_OK);
}

static void write_str(struct copy *c, const char *s)
{
    must(sp_buf_append_str(&c->document, s) == SP_OK);
}

static void write_name(struct copy *c, struct sp_view local)
{
    must(sp_buf_append(&c->document, local) == SP_OK);
}

static bool is_xml_namespace(struct sp_view ns)
{
    return sp_view_eq_str(ns, "http://www.w3.org/XML/1998/namespace");
}

/* Each attribute declares a prefix of its own. */
static void write_attr(struct copy *c, size_t i, const struct sp_xml_attr *a)
{
    if (is_xml_namespace(a->name.ns)) {
        write_str(c, " xml:");
    } else if (a->name.ns.len) {
        must(sp_buf_printf(&c->document, " xmlns:n%zu=\"", i) == SP_OK);
        must(sp_xml_write_value(&c->document, a->name.ns) == SP_OK);
        must(sp_buf_printf(&c->document, "\" n%zu:", i) == SP_OK);
    } else {
        write_str(c, " ");
    }
    write_name(c, a->name.local);
    write_str(c, "=\"");
    must(sp_xml_write_value(&c->document, a->value) == SP_OK);
    write_str(c, "\"");
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct copy *c = ctx;
    struct sp_view ns = {0};
    must(sp_xml_resolve(x, SP_VIEW("xml"), &ns) && is_xml_namespace(ns));
    note(c, SEPARATOR "<", e->name.ns, e->name.local);
    write_str(c, is_xml_namespace(e->name.ns) ? "<xml:" : "<");
    write_name(c, e->name.local);
    if (!is_xml_namespace(e->name.ns)) {
        write_str(c, " xmlns=\"");
        must(sp_xml_write_value(&c->document, e->name.ns) == SP_OK);
        write_str(c, "\"");
    }
    for (size_t i = 0; i < e->attr_count; i++) {
        note(c, SEPARATOR "@", e->attrs[i].name.ns, e->attrs[i].name.local);
        note(c, SEPARATOR "=", e->attrs[i].value, SP_VIEW(""));
        write_attr(c, i, &e->attrs[i]);
    }
    write_str(c, ">");
    must(sp_buf_append_str(&c->events, SEPARATOR "#") == SP_OK);
    return SP_OK;
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct copy *c = ctx;
    (void)x;
    must(sp_buf_append(&c->events, text) == SP_OK);
    must(sp_xml_write_text(&c->document, text) == SP_OK);
    return SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct copy *c = ctx;
    (void)x;
    note(c, SEPARATOR ">", name.ns, name.local);
    must(sp_buf_append_str(&c->events, SEPARATOR "#") == SP_OK);
    write_str(c, is_xml_namespace(name.ns) ? "</xml:" : "</");
    write_name(c, name.local);
    write_str(c, ">");
    return SP_OK;
}

static const struct sp_xml_handler copying = {on_start, on_text, on_end};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* room for the declarations the copy adds */
    const struct sp_xml_rules first = {.depth = 64, .attributes = 30, .nodes = 1000};
    struct copy a, b;
    struct sp_why why = {""};
    sp_buf_init(&a.events, SP_MIB(64));
    sp_buf_init(&a.document, SP_MIB(64));
    sp_buf_init(&b.events, SP_MIB(64));
    sp_buf_init(&b.document, SP_MIB(64));
    enum sp_err e = sp_xml_read(sp_view(data, size), &first, &copying, &a, &why);
    must((e == SP_OK) == (why.text[0] == 0));
    if (e == SP_OK) {
        must(sp_xml_read(sp_buf_view(&a.document), &sp_xml_rules_document, &copying, &b,
                         NULL) == SP_OK);
        must(sp_view_eq(sp_buf_view(&a.events), sp_buf_view(&b.events)));
        must(sp_view_eq(sp_buf_view(&a.document), sp_buf_view(&b.document)));
    }
    sp_buf_fini(&a.events);
    sp_buf_fini(&a.document);
    sp_buf_fini(&b.events);
    sp_buf_fini(&b.document);
    return 0;
}
