#include "core/xml/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Stands between namespace and local name in what expat reports. No XML 1.0 document
 * can hold it, not even as a character reference. */
#define SEPARATOR '\x1f'

/* What expat gets at once. It copies what it is given, so that less is better. */
#define BLOCK SP_KIB(256)

#define XML_NAMESPACE "http://www.w3.org/XML/1998/namespace"

/* A prefix in scope; the innermost is the head of the list. */
struct binding {
    struct binding *outer; /* owned */
    size_t prefix_len;
    size_t ns_len;
    uint8_t text[]; /* the prefix, then the namespace */
};

struct sp_xml {
    XML_Parser parser; /* owned */
    const struct sp_xml_rules *rules;
    const struct sp_xml_handler *handler;
    void *ctx;                /* the handler's */
    struct binding *bindings; /* owned */
    size_t declared;          /* namespace declarations of the element to come */
    size_t depth;
    size_t nodes;
    size_t text;  /* bytes of character data since the last tag */
    uint64_t fed; /* bytes that came in pieces */
    enum sp_err err;
    unsigned long line, column; /* where err happened, from 1 */
    struct sp_why why;          /* without the place */
    struct sp_xml_attr attrs[SP_LIMIT_XML_ATTRIBUTES];
};

/* The first failure counts; expat may still call a handler or two. */
static void stop(struct sp_xml *x, enum sp_err e)
{
    if (x->err != SP_OK || e == SP_OK) {
        return;
    }
    x->err = e;
    x->line = XML_GetCurrentLineNumber(x->parser);
    x->column = XML_GetCurrentColumnNumber(x->parser) + 1;
    XML_StopParser(x->parser, XML_FALSE);
}

static struct sp_xml_name split(const char *name)
{
    const char *separator = strchr(name, SEPARATOR);
    if (!separator) {
        return (struct sp_xml_name){.local = sp_view_str(name)};
    }
    return (struct sp_xml_name){.ns = sp_view(name, (size_t)(separator - name)),
                                .local = sp_view_str(separator + 1)};
}

static enum sp_err check_name(struct sp_xml *x, struct sp_xml_name name)
{
    if (name.local.len > SP_LIMIT_XML_NAME) {
        return sp_why_set(&x->why, SP_E_LIMIT, "a name has %zu bytes, allowed are %d",
                          name.local.len, SP_LIMIT_XML_NAME);
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

static enum sp_err read_attrs(struct sp_xml *x, const char **pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sp_xml_attr *a = &x->attrs[i];
        a->name = split(pairs[2 * i]);
        a->value = sp_view_str(pairs[2 * i + 1]);
        SP_TRY(check_name(x, a->name));
        SP_TRY(check_text(x, a->value.len));
    }
    return SP_OK;
}

static enum sp_err start(struct sp_xml *x, const char *name, const char **pairs)
{
    size_t count = 0;
    while (pairs[2 * count]) {
        count++;
    }
    SP_TRY(check_element(x, count + x->declared));
    struct sp_xml_element e = {.name = split(name),
                               .attrs = x->attrs,
                               .attr_count = count,
                               .depth = x->depth + 1};
    SP_TRY(check_name(x, e.name));
    SP_TRY(read_attrs(x, pairs, count));
    x->nodes += 1 + count + x->declared;
    x->declared = 0;
    x->depth++;
    x->text = 0;
    return x->handler->start ? x->handler->start(x->ctx, x, &e) : SP_OK;
}

static void on_start(void *user, const char *name, const char **pairs)
{
    struct sp_xml *x = user;
    if (x->err == SP_OK) {
        stop(x, start(x, name, pairs));
    }
}

static void on_end(void *user, const char *name)
{
    struct sp_xml *x = user;
    if (x->err != SP_OK) {
        return;
    }
    x->depth--;
    x->text = 0;
    if (x->handler->end) {
        stop(x, x->handler->end(x->ctx, x, split(name)));
    }
}

static enum sp_err text(struct sp_xml *x, struct sp_view piece)
{
    x->text += piece.len;
    SP_TRY(check_text(x, x->text));
    return x->handler->text ? x->handler->text(x->ctx, x, piece) : SP_OK;
}

static void on_text(void *user, const char *piece, int len)
{
    struct sp_xml *x = user;
    if (x->err == SP_OK) {
        stop(x, text(x, sp_view(piece, (size_t)len)));
    }
}

/* expat repeats the namespace in front of every name that uses it, so that a long one
 * would cost its length for each element: it is limited like a name. */
static enum sp_err bind_prefix(struct sp_xml *x, struct sp_view prefix,
                               struct sp_view ns)
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
    struct binding *b = malloc(sizeof *b + prefix.len + ns.len);
    if (!b) {
        return SP_E_NOMEM;
    }
    *b = (struct binding){
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

static void on_bind(void *user, const char *prefix, const char *ns)
{
    struct sp_xml *x = user;
    if (x->err == SP_OK) {
        stop(x, bind_prefix(x, sp_view_str(prefix), sp_view_str(ns)));
    }
}

/* All bindings of an element end together, so that it does not matter which is first.
 */
static void unbind_innermost(struct sp_xml *x)
{
    struct binding *b = x->bindings;
    if (b) {
        x->bindings = b->outer;
        free(b);
    }
}

static void on_unbind(void *user, const char *prefix)
{
    (void)prefix;
    unbind_innermost(user);
}

static void refuse(struct sp_xml *x, const char *reason)
{
    if (x->err == SP_OK) {
        stop(x, sp_why_set(&x->why, SP_E_UNSUPPORTED, "%s", reason));
    }
}

static void on_declaration(void *user, const char *version, const char *encoding,
                           int standalone)
{
    struct sp_xml *x = user;
    (void)standalone;
    if (!version || strcmp(version, "1.0") != 0) {
        refuse(x, "the XML version is not 1.0");
    }
    if (encoding && !sp_view_eq_fold(sp_view_str(encoding), SP_VIEW("UTF-8"))) {
        refuse(x, "the document declares an encoding other than UTF-8");
    }
}

static void on_doctype(void *user, const char *name, const char *system_id,
                       const char *public_id, int has_internal_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
    refuse(user, "a document type declaration is not accepted");
}

static void on_instruction(void *user, const char *target, const char *data)
{
    (void)target, (void)data;
    refuse(user, "a processing instruction is not accepted");
}

static void on_comment(void *user, const char *data)
{
    struct sp_xml *x = user;
    (void)data;
    if (!x->rules->comments) {
        refuse(x, "a comment is not accepted here");
    }
}

/* Keeps expat from asking the kernel for entropy, which a pure parser must not. The
 * salt decides nothing but the order inside of hash tables. Mixing the document in
 * makes a list of colliding names useless for a second document; mixing the parser's
 * address in makes the salt unknown to whoever writes one. */
static unsigned long salt(XML_Parser parser, struct sp_view document)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)(uintptr_t)parser;
    size_t step = document.len / 1024 + 1;
    for (size_t i = 0; i < document.len; i += step) {
        h = (h ^ document.data[i]) * UINT64_C(0x100000001b3);
    }
    h = (h ^ document.len) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned long)(h ^ h >> 32) | 1;
}

static enum sp_err init(struct sp_xml *x, struct sp_view document)
{
    SP_ASSERT(x->rules->attributes <= SP_LIMIT_XML_ATTRIBUTES);
    /* the name given overrides what the document says; on_declaration compares */
    const char separator[] = {SEPARATOR, 0};
    x->parser = XML_ParserCreate_MM("UTF-8", NULL, separator);
    if (!x->parser) {
        return SP_E_NOMEM;
    }
    XML_SetHashSalt(x->parser, salt(x->parser, document));
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetNamespaceDeclHandler(x->parser, on_bind, on_unbind);
    XML_SetXmlDeclHandler(x->parser, on_declaration);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    XML_SetProcessingInstructionHandler(x->parser, on_instruction);
    XML_SetCommentHandler(x->parser, on_comment);
    return SP_OK;
}

static void fini(struct sp_xml *x)
{
    while (x->bindings) {
        unbind_innermost(x);
    }
    if (x->parser) {
        XML_ParserFree(x->parser);
    }
}

static enum sp_err say_place(const struct sp_xml *x, enum sp_err e, struct sp_why *why)
{
    return sp_why_set(why, e, "line %lu, column %lu: %s", x->line, x->column,
                      sp_why_text(&x->why, e));
}

/* expat looks at the first bytes and changes to UTF-16 whatever it was told. */
static bool is_wide(struct sp_view v)
{
    struct sp_view head = sp_view_slice(v, 0, 4);
    return sp_view_starts(v, SP_VIEW("\xff\xfe")) ||
           sp_view_starts(v, SP_VIEW("\xfe\xff")) || sp_view_find(head, 0) < head.len;
}

static enum sp_err error_of(enum XML_Error code)
{
    switch ((int)code) {
    case XML_ERROR_NO_MEMORY:
        return SP_E_NOMEM;
    case XML_ERROR_UNDEFINED_ENTITY:
        return SP_E_UNSUPPORTED;
    default:
        return SP_E_MALFORMED;
    }
}

static void feed_block(struct sp_xml *x, struct sp_view block, bool last)
{
    enum XML_Status status =
        XML_Parse(x->parser, (const char *)block.data, (int)block.len, last);
    if (status != XML_STATUS_OK && x->err == SP_OK) {
        enum XML_Error code = XML_GetErrorCode(x->parser);
        stop(x, sp_why_set(&x->why, error_of(code), "%s", XML_ErrorString(code)));
    }
}

/* A token that is not complete is scanned from its start again with the next block:
 * twice as much each time keeps that linear. */
static void feed(struct sp_xml *x, struct sp_view document)
{
    size_t at = 0, block = BLOCK;
    XML_Index before = -1;
    while (x->err == SP_OK && document.len - at > block) {
        feed_block(x, sp_view_slice(document, at, at + block), false);
        at += block;
        XML_Index now = XML_GetCurrentByteIndex(x->parser);
        block = now == before ? block * 2 : BLOCK;
        before = now;
    }
    if (x->err == SP_OK) {
        feed_block(x, sp_view_slice(document, at, document.len), true);
    }
}

enum sp_err sp_xml_read(struct sp_view document, const struct sp_xml_rules *rules,
                        const struct sp_xml_handler *handler, void *ctx,
                        struct sp_why *why)
{
    if (document.len > INT_MAX / 4) {
        return sp_why_set(why, SP_E_LIMIT, "the document has %zu bytes", document.len);
    }
    if (is_wide(document)) {
        return sp_why_set(why, SP_E_UNSUPPORTED,
                          "line 1, column 1: the document is not UTF-8");
    }
    struct sp_xml x = {.rules = rules, .handler = handler, .ctx = ctx};
    enum sp_err e = init(&x, document);
    if (e == SP_OK) {
        feed(&x, document);
        e = x.err;
    }
    if (e != SP_OK) {
        e = say_place(&x, e, why);
    }
    fini(&x);
    return e;
}

/* ---- in pieces
 * ------------------------------------------------------------------------- */

enum sp_err sp_xml_new(const struct sp_xml_rules *rules,
                       const struct sp_xml_handler *handler, void *ctx,
                       struct sp_xml **out)
{
    SP_AUTO(sp_xml_free) struct sp_xml *x = calloc(1, sizeof *x);
    if (!x) {
        return SP_E_NOMEM;
    }
    *x = (struct sp_xml){.rules = rules, .handler = handler, .ctx = ctx};
    SP_TRY(init(x, (struct sp_view){0}));
    *out = x;
    x = NULL;
    return SP_OK;
}

void sp_xml_free(struct sp_xml **x)
{
    if (*x) {
        fini(*x);
        free(*x);
        *x = NULL;
    }
}

/* What is_wide says of a whole document, of the bytes among the first four. */
static void check_first_bytes(struct sp_xml *x, struct sp_view piece)
{
    for (size_t i = 0; i < piece.len && x->fed + i < 4; i++) {
        uint8_t byte = piece.data[i];
        if (byte == 0 || (x->fed + i == 0 && byte >= 0xfe)) {
            refuse(x, "the document is not UTF-8");
            return;
        }
    }
}

/* expat keeps a token until it is complete. */
static void check_token(struct sp_xml *x)
{
    XML_Index at = XML_GetCurrentByteIndex(x->parser);
    uint64_t waiting = at < 0 ? x->fed : x->fed - (uint64_t)at;
    if (x->rules->token && waiting > x->rules->token && x->err == SP_OK) {
        stop(x, sp_why_set(&x->why, SP_E_LIMIT, "a tag is longer than %zu bytes",
                           x->rules->token));
    }
}

enum sp_err sp_xml_feed(struct sp_xml *x, struct sp_view piece, struct sp_why *why)
{
    check_first_bytes(x, piece);
    for (size_t at = 0; at < piece.len && x->err == SP_OK; at += BLOCK) {
        struct sp_view block = sp_view_slice(piece, at, at + BLOCK);
        x->fed += block.len;
        feed_block(x, block, false);
        check_token(x);
    }
    return x->err == SP_OK ? SP_OK : say_place(x, x->err, why);
}

enum sp_err sp_xml_finish(struct sp_xml *x, struct sp_why *why)
{
    if (x->err == SP_OK) {
        feed_block(x, SP_VIEW(""), true);
    }
    return x->err == SP_OK ? SP_OK : say_place(x, x->err, why);
}

bool sp_xml_resolve(const struct sp_xml *x, struct sp_view prefix, struct sp_view *ns)
{
    for (const struct binding *b = x->bindings; b; b = b->outer) {
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

size_t sp_xml_offset(const struct sp_xml *x)
{
    return (size_t)XML_GetCurrentByteIndex(x->parser);
}

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

struct sp_why *sp_xml_why(struct sp_xml *x)
{
    return &x->why;
}
