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
#include "core/xml/scan.h"

#include <limits.h>
#include <stdlib.h>

/* ---- the document ---------------------------------------------------------------- */

static struct sp_view rest(const struct sp_scan *s)
{
    return between(s->p, s->end);
}

static bool quoted(struct sp_scan *s, struct sp_view *out)
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
static bool skip_declared(struct sp_scan *s, struct sp_view name, struct sp_view *out)
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
static enum sp_err declaration(struct sp_scan *s)
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

static enum sp_err space_and_comments(struct sp_scan *s)
{
    for (;;) {
        (void)skip_space(s);
        if (!is_at(s, SP_VIEW("<!--"))) {
            return SP_OK;
        }
        SP_TRY(sp_scan_comment(s));
    }
}

/* Up to behind the tag of the document element. */
static enum sp_err beginning(struct sp_scan *s)
{
    (void)skip(s, SP_VIEW("\xef\xbb\xbf"));
    if (skip(s, SP_VIEW("<?xml"))) {
        SP_TRY(declaration(s));
    }
    SP_TRY(space_and_comments(s));
    if (s->p == s->end) {
        return wanting(s);
    }
    return is_at(s, SP_VIEW("<")) ? sp_scan_start_tag(s) : bad();
}

/* SP_E_AGAIN: all before p was read, and the document is not at its end. */
static enum sp_err scan(struct sp_scan *s)
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
    SP_TRY(sp_scan_content(s));
    SP_TRY(space_and_comments(s));
    if (s->p < s->end) {
        return bad();
    }
    return s->is_whole ? SP_OK : SP_E_AGAIN;
}

/* Lines and columns as expat counts them. */
static enum sp_err say_where(const struct sp_scan *s, enum sp_err e, struct sp_why *why)
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

static void scan_free(struct sp_scan **s)
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

static struct sp_scan *scan_new(const struct sp_xml_rules *rules,
                                const struct sp_xml_handler *handler, void *ctx,
                                size_t ceiling)
{
    SP_ASSERT(rules->attributes <= SP_LIMIT_XML_ATTRIBUTES);
    struct sp_scan *s = malloc(sizeof *s);
    if (s) {
        memset(s, 0, offsetof(struct sp_scan, text));
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
    SP_AUTO(scan_free) struct sp_scan *s = scan_new(rules, handler, ctx, document.len);
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
    struct sp_scan *scan; /* owned */
    size_t wait;          /* bytes from where it stands on, before it looks again */
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

static void show(struct sp_scan *s, struct sp_view document)
{
    SP_ASSERT(!s->start || s->start == document.data);
    if (!s->start) {
        s->start = s->p = s->checked = s->end = document.data;
    }
}

enum sp_err sp_xml_arriving_more(struct sp_xml_arriving *a, struct sp_view so_far,
                                 size_t *read)
{
    struct sp_scan *s = a->scan;
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
    struct sp_scan *s = a->scan;
    SP_TRY(a->err);
    show(s, document);
    s->end = s->start + document.len;
    s->is_whole = true;
    a->err = scan(s);
    return a->err;
}
