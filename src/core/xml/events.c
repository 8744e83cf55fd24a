#include "core/xml/inside.h"

#include <stdlib.h>

/* ---- limits ---------------------------------------------------------------------- */

static enum sp_err check_name(struct sp_xml *x, const struct sp_xml_name *name)
{
    if (name->local.len > SP_LIMIT_XML_NAME) {
        return sp_why_set(&x->why, SP_E_LIMIT, "a name has %zu bytes, allowed are %d",
                          name->local.len, SP_LIMIT_XML_NAME);
    }
    return SP_OK;
}

static enum sp_err check_text(struct sp_xml *x, size_t len)
{
    if (x->rules->text && len > x->rules->text) {
        return sp_why_set(&x->why, SP_E_LIMIT, "text is longer than %zu bytes",
                          x->rules->text);
    }
    return SP_OK;
}

static enum sp_err check_element(struct sp_xml *x, size_t attr_count)
{
    if (x->depth == x->rules->depth) {
        return sp_why_set(&x->why, SP_E_LIMIT, "elements are nested deeper than %zu",
                          x->rules->depth);
    }
    if (attr_count > x->rules->attributes) {
        return sp_why_set(&x->why, SP_E_LIMIT,
                          "an element has more than %zu attributes",
                          x->rules->attributes);
    }
    if (attr_count + 1 > x->rules->nodes - x->nodes) {
        return sp_why_set(&x->why, SP_E_LIMIT,
                          "there are more than %zu elements and attributes",
                          x->rules->nodes);
    }
    return SP_OK;
}

/* ---- events ---------------------------------------------------------------------- */

static enum sp_err check_attrs(struct sp_xml *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SP_TRY(check_name(x, &x->attrs[i].name));
        SP_TRY(check_text(x, x->attrs[i].value.len));
    }
    return SP_OK;
}

enum sp_err sp_xml_begin(struct sp_xml *x, const struct sp_xml_name *name, size_t count)
{
    SP_TRY(check_element(x, count + x->declared));
    SP_TRY(check_name(x, name));
    SP_TRY(check_attrs(x, count));
    x->nodes += 1 + count + x->declared;
    x->declared = 0;
    x->depth++;
    x->text = 0;
    if (!x->handler->start || x->passed) {
        return SP_OK;
    }
    struct sp_xml_element e = {
        .name = *name, .attrs = x->attrs, .attr_count = count, .depth = x->depth};
    return x->handler->start(x->ctx, x, &e);
}

enum sp_err sp_xml_end(struct sp_xml *x, struct sp_xml_name name)
{
    x->passed = x->passed < x->depth ? x->passed : 0;
    x->depth--;
    x->text = 0;
    return x->handler->end && !x->passed ? x->handler->end(x->ctx, x, name) : SP_OK;
}

enum sp_err sp_xml_text(struct sp_xml *x, struct sp_view piece)
{
    x->text += piece.len;
    SP_TRY(check_text(x, x->text));
    return x->handler->text && !x->passed ? x->handler->text(x->ctx, x, piece) : SP_OK;
}

/* ---- prefixes -------------------------------------------------------------------- */

/* expat repeats the namespace in front of every name that uses it, so that a long one
 * would cost its length for each element: it is limited like a name. */
enum sp_err sp_xml_bind(struct sp_xml *x, struct sp_view prefix, struct sp_view ns)
{
    if (prefix.len > SP_LIMIT_XML_NAME || ns.len > SP_LIMIT_XML_NAME) {
        return sp_why_set(&x->why, SP_E_LIMIT,
                          "a prefix or namespace is longer than %d bytes",
                          SP_LIMIT_XML_NAME);
    }
    if (++x->declared > x->rules->attributes) {
        return sp_why_set(&x->why, SP_E_LIMIT,
                          "an element has more than %zu attributes",
                          x->rules->attributes);
    }
    struct sp_xml_binding *b = malloc(sizeof *b + prefix.len + ns.len);
    if (!b) {
        return SP_E_NOMEM;
    }
    *b = (struct sp_xml_binding){
        .outer = x->bindings, .prefix_len = prefix.len, .ns_len = ns.len};
    for (size_t i = 0; i < prefix.len; i++) {
        b->text[i] = prefix.data[i];
    }
    for (size_t i = 0; i < ns.len; i++) {
        b->text[prefix.len + i] = ns.data[i];
    }
    x->bindings = b;
    return SP_OK;
}

/* All bindings of an element end together, so that it does not matter which is first.
 */
void sp_xml_unbind(struct sp_xml *x)
{
    struct sp_xml_binding *b = x->bindings;
    if (b) {
        x->bindings = b->outer;
        free(b);
    }
}

bool sp_xml_resolve(const struct sp_xml *x, struct sp_view prefix, struct sp_view *ns)
{
    for (const struct sp_xml_binding *b = x->bindings; b; b = b->outer) {
        if (sp_view_eq(prefix, sp_view(b->text, b->prefix_len))) {
            if (b->ns_len) {
                *ns = sp_view(b->text + b->prefix_len, b->ns_len);
            }
            return b->ns_len > 0;
        }
    }
    if (sp_view_eq_str(prefix, "xml")) {
        *ns = SP_VIEW(XML_NAMESPACE);
        return true;
    }
    return false;
}

/* ---- for handlers ---------------------------------------------------------------- */

size_t sp_xml_behind_tag(struct sp_view document, size_t tag)
{
    uint8_t quote = 0;
    for (size_t i = tag; i < document.len; i++) {
        uint8_t c = document.data[i];
        if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return i + 1;
        }
    }
    return document.len;
}

void sp_xml_pass_over(struct sp_xml *x)
{
    SP_ASSERT(x->depth > 0 && !x->passed);
    x->passed = x->depth;
}

struct sp_why *sp_xml_why(struct sp_xml *x)
{
    return &x->why;
}
