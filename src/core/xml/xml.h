/* XML, read as events and stricter than any .NET parser; and a writer.
 *
 * Knows: well-formedness, namespaces, limits. Refuses to know: SOAP, updates.
 * An own reader takes whole documents, expat those in pieces (decision 0090); a
 * DOCTYPE, an entity that is not one of the five, a processing instruction, an encoding
 * other than UTF-8 (by declaration or BOM) or a version other than 1.0 stops it.
 * (threats X1-X5) One optional UTF-8 BOM is accepted. Comments are accepted only where
 * the caller says so. CDATA is joined into text.
 *
 * One reader per document, one thread, bounded memory: names, values and text are views
 * that live until the callback returns. */
#ifndef SP_CORE_XML_XML_H
#define SP_CORE_XML_XML_H

#include "core/base/limits.h"
#include "sallyport/bytes.h"

struct sp_xml_name {
    struct sp_view ns;    /* namespace URI; empty for none */
    struct sp_view local; /* local name */
};
bool sp_xml_name_is(struct sp_xml_name n, const char *ns, const char *local);

struct sp_xml_attr {
    struct sp_xml_name name;
    struct sp_view value;
};

struct sp_xml; /* a reader at work */

struct sp_xml_element {
    struct sp_xml_name name;
    const struct sp_xml_attr *attrs; /* without namespace declarations */
    size_t attr_count;
    size_t depth; /* 1 for the document element */
};
/* The attribute's value, or false. ns "" for an attribute without prefix. */
bool sp_xml_attr(const struct sp_xml_element *e, const char *ns, const char *local,
                 struct sp_view *out);

struct sp_xml_handler {
    /* Each may be NULL. An error ends the reading and is its result. Text comes in as
     * many pieces as the parser likes; a handler collects. */
    enum sp_err (*start)(void *ctx, struct sp_xml *x, const struct sp_xml_element *e);
    enum sp_err (*text)(void *ctx, struct sp_xml *x, struct sp_view text);
    enum sp_err (*end)(void *ctx, struct sp_xml *x, struct sp_xml_name name);
};

struct sp_xml_rules {
    size_t depth;      /* elements open at once */
    size_t attributes; /* of one element, namespace declarations counted; at most
                          SP_LIMIT_XML_ATTRIBUTES */
    size_t nodes;      /* elements, attributes and declarations of the document */
    size_t text;       /* bytes of text in a row or of one value, 0 for no ceiling */
    bool comments;     /* accepted (and skipped) rather than refused */
    size_t token; /* bytes that one tag or other token may take, 0 for no ceiling */
};
extern const struct sp_xml_rules sp_xml_rules_request; /* comments refused */
extern const struct sp_xml_rules sp_xml_rules_reply;
extern const struct sp_xml_rules sp_xml_rules_document;
/* For documents that come in pieces and are larger than memory. */
extern const struct sp_xml_rules sp_xml_rules_stream;

/* Reads one whole document. Errors: SP_E_MALFORMED (not well-formed), SP_E_UNSUPPORTED
 * (DOCTYPE, PI, entity, encoding, comment), SP_E_LIMIT, SP_E_NOMEM, the handler's own.
 * why names line, column and reason. */
enum sp_err sp_xml_read(struct sp_view document, const struct sp_xml_rules *rules,
                        const struct sp_xml_handler *handler, void *ctx,
                        struct sp_why *why) SP_MUST_USE;
/* The same in pieces of any size: new, feed, feed, finish, free. handler and rules are
 * borrowed until free; errors as above, and after the first one nothing else is fed. */
enum sp_err sp_xml_new(const struct sp_xml_rules *rules,
                       const struct sp_xml_handler *handler, void *ctx,
                       struct sp_xml **out) SP_MUST_USE;
enum sp_err sp_xml_feed(struct sp_xml *x, struct sp_view piece,
                        struct sp_why *why) SP_MUST_USE;
enum sp_err sp_xml_finish(struct sp_xml *x, struct sp_why *why) SP_MUST_USE;
void sp_xml_free(struct sp_xml **x);
/* By the own reader, a document that is still coming and stays where it is in memory:
 * new, more with all of it that is there, as often as one likes, end with the whole, free.
 * Up to *read, which stays as it was on failure, it is in order and was reported; behind
 * it a handler was told of nothing but text. Whoever wants to know what a failure was
 * about reads the whole. ceiling: bytes that it may have. */
struct sp_xml_arriving;
enum sp_err sp_xml_arriving_new(const struct sp_xml_rules *rules,
                                const struct sp_xml_handler *handler, void *ctx,
                                size_t ceiling, struct sp_xml_arriving **out) SP_MUST_USE;
enum sp_err sp_xml_arriving_more(struct sp_xml_arriving *a, struct sp_view so_far,
                                 size_t *read) SP_MUST_USE;
enum sp_err sp_xml_arriving_end(struct sp_xml_arriving *a,
                                struct sp_view document) SP_MUST_USE;
void sp_xml_arriving_free(struct sp_xml_arriving **a);
/* Inside a start callback: the namespace bound to a prefix in scope ("" for the default
 * namespace). False when the prefix is bound to nothing. */
bool sp_xml_resolve(const struct sp_xml *x, struct sp_view prefix, struct sp_view *ns);
/* Inside a start callback: nothing of what is in this element is reported, only its end.
 * It is read as strictly as ever, and faster where it repeats itself. */
void sp_xml_pass_over(struct sp_xml *x);
/* Byte offset in the document of the event being reported: where its tag or text
 * begins; the end of <a/> is behind it. */
size_t sp_xml_offset(const struct sp_xml *x);
/* In a document that was read: the offset behind the tag that begins at offset tag. */
size_t sp_xml_behind_tag(struct sp_view document, size_t tag);
/* Where failure sentences of a handler go; the reader adds the place. */
struct sp_why *sp_xml_why(struct sp_xml *x);

/* Writer: appends UTF-8 to a bounded buffer. Text and values are escaped with the five
 * entities, CR, LF and TAB in values as references; what is no XML 1.0 character or no
 * UTF-8 is SP_E_MALFORMED. */
enum sp_err sp_xml_write_text(struct sp_buf *b, struct sp_view text) SP_MUST_USE;
enum sp_err sp_xml_write_value(struct sp_buf *b, struct sp_view value) SP_MUST_USE;

#endif
