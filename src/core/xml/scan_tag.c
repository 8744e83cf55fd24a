/* Tags and what is in them: names, attributes, namespaces; elements that nobody is told
 * of. */
#include "core/xml/scan.h"
#include "core/xml/stops.h"

/* ---- tags ------------------------------------------------------------------------ */

#define SIX(first)                                                                     \
    [first] = true, [(first) + 1] = true, [(first) + 2] = true, [(first) + 3] = true,  \
    [(first) + 4] = true, [(first) + 5] = true
#define LETTERS(a)                                                                     \
    SIX(a), SIX((a) + 6), SIX((a) + 12), SIX((a) + 18), [(a) + 24] = true,             \
                                                               [(a) + 25] = true

/* Letters, digits, '-', '.', '_' */
static bool is_ascii_name(uint8_t c)
{
    static const bool names[256] = {
        LETTERS('A'), LETTERS('a'), SIX('0'),     ['6'] = true, ['7'] = true,
        ['8'] = true, ['9'] = true, ['-'] = true, ['.'] = true, ['_'] = true};
    return names[c];
}

static bool part_of_name(struct sp_scan *s, struct sp_view *out)
{
    const uint8_t *p = s->p, *end = s->end;
    size_t n = p < end ? sp_xml_name_char(p, (size_t)(end - p), true) : 0;
    while (n) {
        p += n;
        while (p < end && is_ascii_name(*p)) {
            p++;
        }
        n = p < end && *p >= 0x80 ? sp_xml_name_char(p, (size_t)(end - p), false) : 0;
    }
    *out = between(s->p, p);
    s->p = p;
    return out->len > 0;
}

/* Namespaces in XML 1.0, 4: a QName. */
static bool qname(struct sp_scan *s, struct sp_view *prefix, struct sp_view *local)
{
    *prefix = (struct sp_view){0};
    if (!part_of_name(s, local)) {
        return false;
    }
    if (!skip(s, SP_VIEW(":"))) {
        return true;
    }
    *prefix = *local;
    return part_of_name(s, local);
}

/* XML 1.0, 3.3.3: white space becomes a space, unless it came as a reference. */
static enum sp_err decode_value(struct sp_scan *s, uint8_t quote)
{
    while (s->p < s->end && *s->p != quote) {
        uint8_t bytes[4] = " ";
        size_t n = 1;
        const uint8_t *from = s->p;
        s->p = sp_xml_value_stop(from, s->end, quote);
        SP_TRY(decided(s, sp_buf_append(&s->values, between(from, s->p))));
        if (s->p == s->end || *s->p == quote) {
            break;
        }
        if (*s->p == '<') {
            return bad();
        }
        if (*s->p == '&') {
            SP_TRY(sp_scan_reference(s, bytes, &n));
        } else {
            s->p += is_at(s, SP_VIEW("\r\n")) ? 2 : 1;
        }
        SP_TRY(decided(s, sp_buf_append(&s->values, sp_view(bytes, n))));
    }
    return SP_OK;
}

static enum sp_err value(struct sp_scan *s, struct raw_attr *a)
{
    uint8_t quote = s->p < s->end ? *s->p++ : 0;
    const uint8_t *from = s->p;
    if (quote != '"' && quote != '\'') {
        return bad();
    }
    s->p = sp_xml_value_stop(from, s->end, quote);
    if (s->p < s->end && *s->p != quote) {
        s->p = from;
        a->is_decoded = true;
        a->at = s->values.len;
        SP_TRY(decode_value(s, quote));
        a->value.len = s->values.len - a->at;
    } else {
        a->value = between(from, s->p);
    }
    return s->p++ < s->end ? SP_OK : bad();
}

static bool is_declaration(const struct raw_attr *a)
{
    struct sp_view v = a->prefix.len ? a->prefix : a->local;
    return v.len == 5 && memcmp(v.data, "xmlns", 5) == 0;
}

static enum sp_err attribute(struct sp_scan *s)
{
    struct raw_attr *a = &s->attrs[s->attr_count];
    if (s->attr_count == SP_LIMIT_XML_ATTRIBUTES) {
        return decided(s, sp_why_set(&s->x.why, SP_E_LIMIT,
                                     "an element has more than %zu attributes",
                                     s->x.rules->attributes));
    }
    a->is_decoded = false;
    if (!qname(s, &a->prefix, &a->local)) {
        return bad();
    }
    (void)skip_space(s);
    if (!skip(s, SP_VIEW("="))) {
        return bad();
    }
    (void)skip_space(s);
    SP_TRY(value(s, a));
    a->declares = is_declaration(a);
    s->attr_count++;
    return SP_OK;
}

/* Up to behind '>' or "/>". */
static enum sp_err attributes(struct sp_scan *s, bool *is_empty)
{
    s->attr_count = 0;
    sp_buf_clear(&s->values);
    for (;;) {
        bool spaced = skip_space(s);
        *is_empty = is_at(s, SP_VIEW("/>"));
        if (*is_empty || is_at(s, SP_VIEW(">"))) {
            s->p += *is_empty ? 2 : 1;
            break;
        }
        if (!spaced) {
            return bad();
        }
        SP_TRY(attribute(s));
    }
    for (size_t i = 0; i < s->attr_count; i++) { /* now values stays where it is */
        struct raw_attr *a = &s->attrs[i];
        a->value = a->is_decoded ? sp_view_slice(sp_buf_view(&s->values), a->at,
                                                 a->at + a->value.len)
                                 : a->value;
    }
    return SP_OK;
}

/* ---- namespaces ------------------------------------------------------------------ */

/* Namespaces in XML 1.0, 3: what is reserved stays what it is. */
static enum sp_err declare(struct sp_scan *s, const struct raw_attr *a)
{
    struct sp_view prefix = a->prefix.len ? a->local : a->prefix;
    bool is_xml = sp_view_eq_str(a->value, XML_NAMESPACE);
    if (sp_view_eq_str(prefix, "xmlns") || is_xml != sp_view_eq_str(prefix, "xml") ||
        sp_view_eq_str(a->value, "http://www.w3.org/2000/xmlns/") ||
        (prefix.len && !a->value.len)) {
        return bad();
    }
    return decided(s, sp_xml_bind(&s->x, prefix, a->value));
}

static enum sp_err name_of(struct sp_scan *s, struct sp_view prefix,
                           struct sp_view local, struct sp_xml_name *out)
{
    struct sp_view ns = {0};
    if (!sp_xml_resolve(&s->x, prefix, &ns) && prefix.len) {
        return bad();
    }
    *out = (struct sp_xml_name){ns, local};
    return SP_OK;
}

static bool is_same(const struct raw_attr *a, const struct raw_attr *b)
{
    return a->local.len == b->local.len && sp_view_eq(a->local, b->local) &&
           sp_view_eq(a->prefix, b->prefix);
}

static bool is_same_name(struct sp_xml_name a, struct sp_xml_name b)
{
    return a.local.len == b.local.len && sp_view_eq(a.local, b.local) &&
           sp_view_eq(a.ns, b.ns);
}

static enum sp_err add_attr(struct sp_scan *s, const struct raw_attr *a, size_t *count)
{
    struct sp_xml_attr *to = &s->x.attrs[*count];
    to->value = a->value;
    if (a->prefix.len) {
        SP_TRY(name_of(s, a->prefix, a->local, &to->name));
    } else {
        to->name = (struct sp_xml_name){.local = a->local};
    }
    for (size_t i = 0; i < *count; i++) {
        if (is_same_name(s->x.attrs[i].name, to->name)) {
            return bad();
        }
    }
    ++*count;
    return SP_OK;
}

/* Namespaces in XML 1.0, 6.3: no attribute twice, by either name. */
static enum sp_err resolve_attrs(struct sp_scan *s, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < s->attr_count; i++) {
        for (size_t j = 0; s->attrs[i].declares && j < i; j++) {
            if (is_same(&s->attrs[i], &s->attrs[j])) {
                return bad();
            }
        }
        if (s->attrs[i].declares) {
            SP_TRY(declare(s, &s->attrs[i]));
        }
    }
    for (size_t i = 0; i < s->attr_count; i++) {
        if (!s->attrs[i].declares) {
            SP_TRY(add_attr(s, &s->attrs[i], count));
        }
    }
    return SP_OK;
}

/* ---- elements -------------------------------------------------------------------- */

static enum sp_err close_element(struct sp_scan *s)
{
    const struct open *o = &s->open[s->x.depth - 1];
    enum sp_err e = decided(s, sp_xml_end(&s->x, o->name));
    while (s->x.bindings != o->outer) {
        sp_xml_unbind(&s->x);
    }
    s->next = o->habit ? &o->habit->after : NULL;
    return e;
}

/* The tag's own; NULL where others have its places. Nothing takes the place of what is
 * remembered: it may be open. */
static struct habit *habit_of(struct sp_scan *s, struct sp_view tag)
{
    size_t hash = tag.len;
    for (size_t i = 1; i + 1 < tag.len; i++) {
        hash = hash * 31 + tag.data[i];
    }
    for (size_t i = 0; i < PROBES; i++) {
        struct habit *h = &s->habits[(hash + i) % HABITS];
        h->tag = h->tag.len ? h->tag : tag;
        if (sp_view_eq(h->tag, tag)) {
            return h;
        }
    }
    return NULL;
}

/* o was begun by the bytes up to p. */
static void remember(struct sp_scan *s, struct open *o)
{
    struct sp_view tag = between(o->tag.data - 1, s->p);
    bool is_simple = tag.len == o->tag.len + 2 && o->name.local.len == o->tag.len;
    o->habit = is_simple && s->x.passed ? habit_of(s, tag) : NULL;
    if (s->next) {
        *s->next = o->habit;
    }
    s->next = o->habit ? &o->habit->inside : NULL;
}

enum sp_err sp_scan_start_tag(struct sp_scan *s)
{
    struct open o = {.outer = s->x.bindings};
    struct sp_view prefix, local;
    bool is_empty = false;
    size_t count = 0;
    s->x.offset = (size_t)(s->p++ - s->start);
    if (!qname(s, &prefix, &local)) {
        return bad();
    }
    o.tag = between(prefix.len ? prefix.data : local.data, s->p);
    SP_TRY(attributes(s, &is_empty));
    SP_TRY(resolve_attrs(s, &count));
    SP_TRY(name_of(s, prefix, local, &o.name));
    SP_TRY(decided(s, sp_xml_begin(&s->x, &o.name, count)));
    SP_ASSERT(s->x.depth <= SP_LIMIT_XML_DEPTH);
    remember(s, &o);
    s->open[s->x.depth - 1] = o;
    s->x.offset = (size_t)(s->p - s->start);
    return is_empty ? close_element(s) : SP_OK;
}

static enum sp_err end_tag(struct sp_scan *s)
{
    s->x.offset = (size_t)(s->p - s->start);
    s->p += 2;
    if (!skip(s, s->open[s->x.depth - 1].tag)) {
        return bad();
    }
    (void)skip_space(s);
    return skip(s, SP_VIEW(">")) ? close_element(s) : bad();
}

/* At '<', in an element. Text goes on over a comment or CDATA. */
static enum sp_err markup(struct sp_scan *s)
{
    if (is_at(s, SP_VIEW("<!--"))) {
        return sp_scan_comment(s);
    }
    if (is_at(s, SP_VIEW("<![CDATA["))) {
        return sp_scan_cdata(s);
    }
    SP_TRY(sp_scan_flush(s));
    return is_at(s, SP_VIEW("</")) ? end_tag(s) : sp_scan_start_tag(s);
}

/* ---- what nobody is told of ------------------------------------------------------ */

/* The end of what began with a tag that is remembered, and so binds nothing. */
static bool pass_end(struct sp_scan *s)
{
    struct habit *h = s->open[s->x.depth - 1].habit;
    if (!h || (size_t)(s->end - s->p) < h->tag.len + 1 || s->p[1] != '/' ||
        memcmp(s->p + 2, h->tag.data + 1, h->tag.len - 1) != 0 ||
        s->x.depth == s->x.passed) {
        return false;
    }
    s->p += h->tag.len + 1;
    s->x.depth--;
    s->next = &h->after;
    return true;
}

/* The tag that came here before. */
static bool pass_start(struct sp_scan *s)
{
    struct habit *h = s->next ? *s->next : NULL;
    if (!h || !is_at(s, h->tag) || s->x.depth == s->x.rules->depth ||
        s->x.nodes == s->x.rules->nodes) {
        return false;
    }
    s->p += h->tag.len;
    s->x.nodes++;
    s->open[s->x.depth++] =
        (struct open){.tag = sp_view_slice(h->tag, 1, h->tag.len - 1),
                      .outer = s->x.bindings,
                      .habit = h};
    s->next = &h->inside;
    return true;
}

/* Up to where something has to be looked at. */
static void pass(struct sp_scan *s)
{
    bool passes = true;
    while (passes && s->p < s->end) {
        s->p = *s->p == '<' ? s->p : sp_xml_text_stop(s->p, s->end);
        passes = s->p < s->end && *s->p == '<' && (pass_end(s) || pass_start(s));
    }
}

enum sp_err sp_scan_content(struct sp_scan *s)
{
    while (s->x.depth) {
        if (s->x.passed && !s->x.rules->text) {
            pass(s);
        }
        s->x.offset = (size_t)(s->p - s->start);
        SP_TRY(sp_scan_text(s));
        if (s->p == s->end) {
            return wanting(s);
        }
        SP_TRY(markup(s));
    }
    return SP_OK;
}
