#include "core/xml/inside.h"

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

static enum sp_err start(struct sp_xml *x, const char *name, const char **pairs)
{
    size_t count = 0;
    for (; pairs[2 * count]; count++) {
        if (count == x->rules->attributes) {
            return sp_why_set(&x->why, SP_E_LIMIT,
                              "an element has more than %zu attributes",
                              x->rules->attributes);
        }
        x->attrs[count] = (struct sp_xml_attr){split(pairs[2 * count]),
                                               sp_view_str(pairs[2 * count + 1])};
    }
    struct sp_xml_name parts = split(name);
    return sp_xml_begin(x, &parts, count);
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
    if (x->err == SP_OK) {
        stop(x, sp_xml_end(x, split(name)));
    }
}

static void on_text(void *user, const char *piece, int len)
{
    struct sp_xml *x = user;
    if (x->err == SP_OK) {
        stop(x, sp_xml_text(x, sp_view(piece, (size_t)len)));
    }
}

static void on_bind(void *user, const char *prefix, const char *ns)
{
    struct sp_xml *x = user;
    if (x->err == SP_OK) {
        stop(x, sp_xml_bind(x, sp_view_str(prefix), sp_view_str(ns)));
    }
}

static void on_unbind(void *user, const char *prefix)
{
    (void)prefix;
    sp_xml_unbind(user);
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
        sp_xml_unbind(x);
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

enum sp_err sp_xml_read_by_expat(struct sp_view document,
                                 const struct sp_xml_rules *rules,
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

/* ---- in pieces ------------------------------------------------------------------- */

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

size_t sp_xml_offset(const struct sp_xml *x)
{
    return x->parser ? (size_t)XML_GetCurrentByteIndex(x->parser) : x->offset;
}
