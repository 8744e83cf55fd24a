/* What the two readers share: what handlers see, limits, prefixes. reader.c is expat,
 * which reads pieces, and explains what is wrong with a document; scan.c reads whole
 * documents. Both report the same events. */
#ifndef SP_CORE_XML_INSIDE_H
#define SP_CORE_XML_INSIDE_H

#include "core/xml/xml.h"

#define XML_NAMESPACE "http://www.w3.org/XML/1998/namespace"

/* A prefix in scope; the innermost is the head of the list. */
struct sp_xml_binding {
    struct sp_xml_binding *outer; /* owned */
    size_t prefix_len;
    size_t ns_len;
    uint8_t text[]; /* the prefix, then the namespace */
};

struct sp_xml {
    struct XML_ParserStruct *parser; /* owned; NULL while scan.c reads */
    size_t offset;                   /* where it is NULL: of the event being reported */
    const struct sp_xml_rules *rules;
    const struct sp_xml_handler *handler;
    void *ctx;                       /* the handler's */
    struct sp_xml_binding *bindings; /* owned */
    size_t declared;                 /* namespace declarations of the element to come */
    size_t depth;
    size_t passed; /* depth of the element whose inside nobody is told of, or 0 */
    size_t nodes;
    size_t text;  /* bytes of character data since the last tag */
    uint64_t fed; /* bytes that came in pieces */
    enum sp_err err;
    unsigned long line, column; /* where err happened, from 1 */
    struct sp_why why;          /* without the place */
    struct sp_xml_attr attrs[SP_LIMIT_XML_ATTRIBUTES];
};

/* An element with count attributes in x->attrs, without declarations. */
enum sp_err sp_xml_begin(struct sp_xml *x, const struct sp_xml_name *name,
                         size_t count) SP_MUST_USE;
enum sp_err sp_xml_text(struct sp_xml *x, struct sp_view piece) SP_MUST_USE;
enum sp_err sp_xml_end(struct sp_xml *x, struct sp_xml_name name) SP_MUST_USE;
/* A declaration of the element to come; ns empty takes back the default namespace. */
enum sp_err sp_xml_bind(struct sp_xml *x, struct sp_view prefix,
                        struct sp_view ns) SP_MUST_USE;
/* The innermost, if there is one. */
void sp_xml_unbind(struct sp_xml *x);

/* reader.c: as sp_xml_read, by expat. */
enum sp_err sp_xml_read_by_expat(struct sp_view document,
                                 const struct sp_xml_rules *rules,
                                 const struct sp_xml_handler *handler, void *ctx,
                                 struct sp_why *why) SP_MUST_USE;

#endif
