/* Reads a whole document: what WSUS sends and nothing else. No document type, no
 * processing instruction, the five entities.
 *
 * Of one that is still coming it reads what stands before the last '<' that is there:
 * such a byte begins a tag, a comment or CDATA and is in none of them, but for the last
 * two, whose beginning waits for its end.
 *
 * Whatever it does not like, expat is asked why: so every refusal is in expat's words,
 * and a document is only accepted that this reader accepts. That both read the same is
 * what fuzz_xml_readers looks after. */
#include "core/xml/chars.h"
#include "core/xml/inside.h"
#include "core/xml/stops.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096 }; /* bytes of text that were put together for one event */
enum { HABITS = 64, PROBES = 4 };

/* A start tag without prefix and attributes that was read, and what came then: what
 * repeats itself is compared instead of being taken apart. */
struct habit {
    struct sp_view tag;           /* from '<' to '>'; borrowed from the document */
    struct habit *inside, *after; /* which followed it, and its end; or NULL */
};

struct open {
    struct sp_view tag; /* as it was written; borrowed from the document */
    struct sp_xml_name name;
    struct sp_xml_binding *outer; /* what was bound before; borrowed */
    struct habit *habit;          /* borrowed; NULL for other tags */
};

struct raw_attr {
    struct sp_view prefix, local, value; /* borrowed from the document or values */
    size_t at;                           /* in values, where is_decoded */
    bool is_decoded;
    bool declares; /* a namespace */
};

struct scan {
    struct sp_xml x;
    const uint8_t *start, *p, *end; /* borrowed: the document */
    const uint8_t *checked;         /* so far it is made of characters */
    bool is_whole;                  /* nothing comes behind end */
    bool is_begun;                  /* the document element is open, or was */
    bool is_decided;      /* x.why says it, or a handler: expat is not asked */
    struct sp_buf values; /* owned; of the tag under way, where not as written */
    struct habit habits[HABITS];
    struct habit **next; /* where the tag that is to come now is kept; or NULL */
    uint8_t text[CHUNK];
    size_t text_len;
    size_t attr_count;
    struct raw_attr attrs[SP_LIMIT_XML_ATTRIBUTES];
    struct open open[SP_LIMIT_XML_DEPTH];
};

static struct sp_view between(const uint8_t *from, const uint8_t *to)
{
    return sp_view(from, (size_t)(to - from));
}

static struct sp_view rest(const struct scan *s)
{
    return between(s->p, s->end);
}

static bool is_at(const struct scan *s, struct sp_view what)
{
    return (size_t)(s->end - s->p) >= what.len &&
           memcmp(s->p, what.data, what.len) == 0;
}

static bool skip(struct scan *s, struct sp_view what)
{
    bool there = is_at(s, what);
    s->p += there ? what.len : 0;
    return there;
}

static bool skip_space(struct scan *s)
{
    const uint8_t *from = s->p;
    while (s->p < s->end && sp_xml_is_space(*s->p)) {
        s->p++;
    }
    return s->p > from;
}

/* Where what begins, from p on; NULL where it does not. */
static const uint8_t *find(const struct scan *s, struct sp_view what)
{
    return memmem(s->p, (size_t)(s->end - s->p), what.data, what.len);
}

static enum sp_err bad(void)
{
    return SP_E_MALFORMED;
}

/* What stands here goes on behind the end. */
static enum sp_err wanting(const struct scan *s)
{
    return s->is_whole ? bad() : SP_E_AGAIN;
}

static enum sp_err decided(struct scan *s, enum sp_err e)
{
    s->is_decided = s->is_decided || e != SP_OK;
    return e;
}

/* ---- references ------------------------------------------------------------------ */

/* One of the five, at its '&'. */
static bool entity(struct scan *s, uint8_t *out)
{
    *out = skip(s, SP_VIEW("&lt;"))     ? '<'
           : skip(s, SP_VIEW("&gt;"))   ? '>'
           : skip(s, SP_VIEW("&amp;"))  ? '&'
           : skip(s, SP_VIEW("&quot;")) ? '"'
           : skip(s, SP_VIEW("&apos;")) ? '\''
                                        : 0;
    return *out != 0;
}

/* At '&'; n bytes are what it stands for. */
static enum sp_err reference(struct scan *s, uint8_t out[4], size_t *n)
{
    enum {
        LONGEST = 64
    }; /* with many leading zeros; expat is asked about longer ones */
    *n = 1;
    if (entity(s, out)) {
        return SP_OK;
    }
    size_t left = (size_t)(s->end - s->p);
    const uint8_t *end = memchr(s->p, ';', left < LONGEST ? left : LONGEST);
    uint32_t c = 0;
    if (!end || !skip(s, SP_VIEW("&#")) ||
        !sp_xml_char_number(between(s->p, end), &c)) {
        return bad();
    }
    s->p = end + 1;
    *n = sp_xml_encode(c, out);
    return SP_OK;
}

/* ---- text ------------------------------------------------------------------------ */

static enum sp_err flush(struct scan *s)
{
    struct sp_view text = sp_view(s->text, s->text_len);
    s->text_len = 0;
    return text.len ? decided(s, sp_xml_text(&s->x, text)) : SP_OK;
}

static enum sp_err put(struct scan *s, struct sp_view v)
{
    if (v.len > CHUNK / 4) {
        SP_TRY(flush(s));
        return decided(s, sp_xml_text(&s->x, v));
    }
    if (v.len > CHUNK - s->text_len) {
        SP_TRY(flush(s));
    }
    memcpy(s->text + s->text_len, v.data, v.len);
    s->text_len += v.len;
    return SP_OK;
}

static enum sp_err put_byte(struct scan *s, uint8_t c)
{
    if (s->text_len == CHUNK) {
        SP_TRY(flush(s));
    }
    s->text[s->text_len++] = c;
    return SP_OK;
}

/* XML 1.0, 2.11: every end of line is one line feed. */
static enum sp_err end_of_line(struct scan *s)
{
    s->p += s->end - s->p > 1 && s->p[1] == '\n' ? 2 : 1;
    return put_byte(s, '\n');
}

/* At one of the three that are not what they look like. */
static enum sp_err special(struct scan *s)
{
    uint8_t bytes[4];
    size_t n = 0;
    if (*s->p == '&') {
        if (entity(s, bytes)) {
            return put_byte(s, *bytes);
        }
        SP_TRY(reference(s, bytes, &n));
        return put(s, sp_view(bytes, n));
    }
    if (*s->p == '\r') {
        return end_of_line(s);
    }
    return is_at(s, SP_VIEW("]]>")) ? bad() : put_byte(s, *s->p++);
}

/* Up to the next tag or whatever begins with '<'. */
static enum sp_err text(struct scan *s)
{
    for (;;) {
        const uint8_t *from = s->p;
        s->p = sp_xml_text_stop(from, s->end);
        SP_TRY(put(s, between(from, s->p)));
        if (s->p == s->end || *s->p == '<') {
            return SP_OK;
        }
        SP_TRY(special(s));
    }
}

/* At "<![CDATA[" */
static enum sp_err cdata(struct scan *s)
{
    const uint8_t *end = find(s, SP_VIEW("]]>"));
    if (!end) {
        return wanting(s);
    }
    (void)skip(s, SP_VIEW("<![CDATA["));
    while (s->p < end) {
        const uint8_t *from = s->p, *line = memchr(s->p, '\r', (size_t)(end - s->p));
        s->p = line ? line : end;
        SP_TRY(put(s, between(from, s->p)));
        if (line) {
            SP_TRY(end_of_line(s));
        }
    }
    s->p = end + 3;
    return SP_OK;
}

/* At "<!--" */
static enum sp_err comment(struct scan *s)
{
    const uint8_t *from = s->p;
    (void)skip(s, SP_VIEW("<!--"));
    const uint8_t *end = find(s, SP_VIEW("--"));
    if (!end && s->x.rules->comments) {
        s->p = from;
        return wanting(s);
    }
    if (!end || !s->x.rules->comments || s->end - end < 3 || end[2] != '>') {
        return bad();
    }
    s->p = end + 3;
    return SP_OK;
}

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

static bool part_of_name(struct scan *s, struct sp_view *out)
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
static bool qname(struct scan *s, struct sp_view *prefix, struct sp_view *local)
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
static enum sp_err decode_value(struct scan *s, uint8_t quote)
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
            SP_TRY(reference(s, bytes, &n));
        } else {
            s->p += is_at(s, SP_VIEW("\r\n")) ? 2 : 1;
        }
        SP_TRY(decided(s, sp_buf_append(&s->values, sp_view(bytes, n))));
    }
    return SP_OK;
}

static enum sp_err value(struct scan *s, struct raw_attr *a)
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

static enum sp_err attribute(struct scan *s)
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
static enum sp_err attributes(struct scan *s, bool *is_empty)
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
static enum sp_err declare(struct scan *s, const struct raw_attr *a)
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

static enum sp_err name_of(struct scan *s, struct sp_view prefix, struct sp_view local,
                           struct sp_xml_name *out)
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

static enum sp_err add_attr(struct scan *s, const struct raw_attr *a, size_t *count)
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
static enum sp_err resolve_attrs(struct scan *s, size_t *count)
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

static enum sp_err close_element(struct scan *s)
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
static struct habit *habit_of(struct scan *s, struct sp_view tag)
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
static void remember(struct scan *s, struct open *o)
{
    struct sp_view tag = between(o->tag.data - 1, s->p);
    bool is_simple = tag.len == o->tag.len + 2 && o->name.local.len == o->tag.len;
    o->habit = is_simple && s->x.passed ? habit_of(s, tag) : NULL;
    if (s->next) {
        *s->next = o->habit;
    }
    s->next = o->habit ? &o->habit->inside : NULL;
}

static enum sp_err start_tag(struct scan *s)
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

static enum sp_err end_tag(struct scan *s)
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
static enum sp_err markup(struct scan *s)
{
    if (is_at(s, SP_VIEW("<!--"))) {
        return comment(s);
    }
    if (is_at(s, SP_VIEW("<![CDATA["))) {
        return cdata(s);
    }
    SP_TRY(flush(s));
    return is_at(s, SP_VIEW("</")) ? end_tag(s) : start_tag(s);
}

/* ---- what nobody is told of ------------------------------------------------------ */

/* The end of what began with a tag that is remembered, and so binds nothing. */
static bool pass_end(struct scan *s)
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
static bool pass_start(struct scan *s)
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
static void pass(struct scan *s)
{
    bool passes = true;
    while (passes && s->p < s->end) {
        s->p = *s->p == '<' ? s->p : sp_xml_text_stop(s->p, s->end);
        passes = s->p < s->end && *s->p == '<' && (pass_end(s) || pass_start(s));
    }
}

/* In the document element, up to behind its end. */
static enum sp_err content(struct scan *s)
{
    while (s->x.depth) {
        if (s->x.passed && !s->x.rules->text) {
            pass(s);
        }
        s->x.offset = (size_t)(s->p - s->start);
        SP_TRY(text(s));
        if (s->p == s->end) {
            return wanting(s);
        }
        SP_TRY(markup(s));
    }
    return SP_OK;
}

/* ---- the document ---------------------------------------------------------------- */

static bool quoted(struct scan *s, struct sp_view *out)
{
    struct sp_view v = rest(s);
    if (!sp_view_starts(v, SP_VIEW("\"")) && !sp_view_starts(v, SP_VIEW("'"))) {
        return false;
    }
    *out = sp_view_slice(v, 1, 1 + sp_view_find(sp_view_slice(v, 1, v.len), *v.data));
    s->p += out->len + 1;
    return s->p < s->end && *s->p++ == *v.data;
}

/* A pseudo-attribute of the declaration. What is not one stays there, and in the way.
 */
static bool skip_declared(struct scan *s, struct sp_view name, struct sp_view *out)
{
    const uint8_t *before = s->p;
    bool there = skip_space(s) && skip(s, name);
    (void)skip_space(s);
    there = there && skip(s, SP_VIEW("="));
    (void)skip_space(s);
    there = there && quoted(s, out);
    s->p = there ? s->p : before;
    return there;
}

/* Behind "<?xml". XML 1.0, 2.8 */
static enum sp_err declaration(struct scan *s)
{
    struct sp_view v;
    if (!skip_declared(s, SP_VIEW("version"), &v) || !sp_view_eq_str(v, "1.0")) {
        return bad();
    }
    if (skip_declared(s, SP_VIEW("encoding"), &v) &&
        !sp_view_eq_fold(v, SP_VIEW("UTF-8"))) {
        return bad();
    }
    if (skip_declared(s, SP_VIEW("standalone"), &v) && !sp_view_eq_str(v, "yes") &&
        !sp_view_eq_str(v, "no")) {
        return bad();
    }
    (void)skip_space(s);
    return skip(s, SP_VIEW("?>")) ? SP_OK : bad();
}

static enum sp_err space_and_comments(struct scan *s)
{
    for (;;) {
        (void)skip_space(s);
        if (!is_at(s, SP_VIEW("<!--"))) {
            return SP_OK;
        }
        SP_TRY(comment(s));
    }
}

/* Up to behind the tag of the document element. */
static enum sp_err beginning(struct scan *s)
{
    (void)skip(s, SP_VIEW("\xef\xbb\xbf"));
    if (skip(s, SP_VIEW("<?xml"))) {
        SP_TRY(declaration(s));
    }
    SP_TRY(space_and_comments(s));
    if (s->p == s->end) {
        return wanting(s);
    }
    return is_at(s, SP_VIEW("<")) ? start_tag(s) : bad();
}

/* SP_E_AGAIN: all before p was read, and the document is not at its end. */
static enum sp_err scan(struct scan *s)
{
    if (!sp_xml_is_text(between(s->checked, s->end))) {
        return bad();
    }
    s->checked = s->end;
    if (!s->is_begun) {
        enum sp_err e = beginning(s);
        s->is_begun = e == SP_OK;
        s->p = e == SP_E_AGAIN ? s->start : s->p;
        SP_TRY(e);
    }
    SP_TRY(content(s));
    SP_TRY(space_and_comments(s));
    if (s->p < s->end) {
        return bad();
    }
    return s->is_whole ? SP_OK : SP_E_AGAIN;
}

/* Lines and columns as expat counts them. */
static enum sp_err say_where(const struct scan *s, enum sp_err e, struct sp_why *why)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < s->x.offset; i++) {
        uint8_t c = s->start[i];
        bool ends_line = c == '\n' || (c == '\r' && s->start[i + 1] != '\n');
        line += ends_line;
        column = ends_line ? 1 : column + ((c & 0xc0) != 0x80 && c != '\r');
    }
    return sp_why_set(why, e, "line %zu, column %zu: %s", line, column,
                      sp_why_text(&s->x.why, e));
}

/* expat's words for what was refused. Where it has none, the stricter reader is right.
 */
static enum sp_err explain(struct sp_view document, const struct sp_xml_rules *rules,
                           struct sp_why *why)
{
    static const struct sp_xml_handler none = {0};
    enum sp_err e = sp_xml_read_by_expat(document, rules, &none, NULL, why);
    return e != SP_OK ? e
                      : sp_why_set(why, SP_E_UNSUPPORTED,
                                   "the document is written in an unusual way");
}

static void scan_free(struct scan **s)
{
    while (*s && (*s)->x.bindings) {
        sp_xml_unbind(&(*s)->x);
    }
    if (*s) {
        sp_buf_fini(&(*s)->values);
    }
    free(*s);
    *s = NULL;
}

static struct scan *scan_new(const struct sp_xml_rules *rules,
                             const struct sp_xml_handler *handler, void *ctx,
                             size_t ceiling)
{
    SP_ASSERT(rules->attributes <= SP_LIMIT_XML_ATTRIBUTES);
    struct scan *s = malloc(sizeof *s);
    if (s) {
        memset(s, 0, offsetof(struct scan, text));
        s->text_len = 0;
        s->x.rules = rules;
        s->x.handler = handler;
        s->x.ctx = ctx;
        sp_buf_init(&s->values, ceiling + 1);
    }
    return s;
}

enum sp_err sp_xml_read(struct sp_view document, const struct sp_xml_rules *rules,
                        const struct sp_xml_handler *handler, void *ctx,
                        struct sp_why *why)
{
    if (document.len > INT_MAX / 4 || rules->depth > SP_LIMIT_XML_DEPTH) {
        return sp_xml_read_by_expat(document, rules, handler, ctx, why);
    }
    SP_AUTO(scan_free) struct scan *s = scan_new(rules, handler, ctx, document.len);
    if (!s) {
        return SP_E_NOMEM;
    }
    s->is_whole = true;
    s->start = s->p = s->checked = document.data;
    s->end = document.data + document.len;
    enum sp_err e = scan(s);
    if (e == SP_OK) {
        return SP_OK;
    }
    return s->is_decided ? say_where(s, e, why) : explain(document, rules, why);
}

/* ---- while it comes -------------------------------------------------------------- */

struct sp_xml_arriving {
    struct scan *scan; /* owned */
    size_t wait;       /* bytes from where it stands on, before it looks again */
    enum sp_err err;
};

enum sp_err sp_xml_arriving_new(const struct sp_xml_rules *rules,
                                const struct sp_xml_handler *handler, void *ctx,
                                size_t ceiling, struct sp_xml_arriving **out)
{
    SP_AUTO(sp_xml_arriving_free) struct sp_xml_arriving *a = calloc(1, sizeof *a);
    SP_ASSERT(ceiling <= INT_MAX / 4 && rules->depth <= SP_LIMIT_XML_DEPTH);
    if (!a) {
        return SP_E_NOMEM;
    }
    a->scan = scan_new(rules, handler, ctx, ceiling);
    if (!a->scan) {
        return SP_E_NOMEM;
    }
    *out = a;
    a = NULL;
    return SP_OK;
}

void sp_xml_arriving_free(struct sp_xml_arriving **a)
{
    if (*a) {
        scan_free(&(*a)->scan);
        free(*a);
        *a = NULL;
    }
}

static void show(struct scan *s, struct sp_view document)
{
    SP_ASSERT(!s->start || s->start == document.data);
    if (!s->start) {
        s->start = s->p = s->checked = s->end = document.data;
    }
}

enum sp_err sp_xml_arriving_more(struct sp_xml_arriving *a, struct sp_view so_far,
                                 size_t *read)
{
    struct scan *s = a->scan;
    SP_TRY(a->err);
    show(s, so_far);
    size_t known = (size_t)(s->end - s->start);
    const uint8_t *last = memrchr(s->end, '<', so_far.len - known);
    s->end = last ? last : s->end;
    if ((size_t)(s->end - s->p) < a->wait) {
        return SP_OK;
    }
    enum sp_err e = scan(s);
    if (e != SP_E_AGAIN) {
        a->err = e != SP_OK ? e : SP_E_MALFORMED;
        return a->err;
    }
    /* what begins here is looked through from its start: twice as much each time keeps
     * that linear */
    a->wait = 2 * (size_t)(s->end - s->p);
    *read = (size_t)(s->p - s->start);
    return SP_OK;
}

enum sp_err sp_xml_arriving_end(struct sp_xml_arriving *a, struct sp_view document)
{
    struct scan *s = a->scan;
    SP_TRY(a->err);
    show(s, document);
    s->end = s->start + document.len;
    s->is_whole = true;
    a->err = scan(s);
    return a->err;
}
