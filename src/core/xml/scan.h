/* What the parts of the reader of whole documents share: scan.c is the document,
 * scan_tag.c what stands in it, scan_text.c text between tags. */
#ifndef SP_CORE_XML_SCAN_H
#define SP_CORE_XML_SCAN_H

#include "core/xml/chars.h"
#include "core/xml/inside.h"

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

struct sp_scan {
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

static inline struct sp_view between(const uint8_t *from, const uint8_t *to)
{
    return sp_view(from, (size_t)(to - from));
}

static inline bool is_at(const struct sp_scan *s, struct sp_view what)
{
    return (size_t)(s->end - s->p) >= what.len &&
           memcmp(s->p, what.data, what.len) == 0;
}

static inline bool skip(struct sp_scan *s, struct sp_view what)
{
    bool there = is_at(s, what);
    s->p += there ? what.len : 0;
    return there;
}

static inline bool skip_space(struct sp_scan *s)
{
    const uint8_t *from = s->p;
    while (s->p < s->end && sp_xml_is_space(*s->p)) {
        s->p++;
    }
    return s->p > from;
}

static inline enum sp_err bad(void)
{
    return SP_E_MALFORMED;
}

/* What stands here goes on behind the end. */
static inline enum sp_err wanting(const struct sp_scan *s)
{
    return s->is_whole ? bad() : SP_E_AGAIN;
}

static inline enum sp_err decided(struct sp_scan *s, enum sp_err e)
{
    s->is_decided = s->is_decided || e != SP_OK;
    return e;
}

/* At '&'; n bytes are what it stands for. */
enum sp_err sp_scan_reference(struct sp_scan *s, uint8_t out[4], size_t *n) SP_MUST_USE;
/* Text up to the next tag or whatever begins with '<'. */
enum sp_err sp_scan_text(struct sp_scan *s) SP_MUST_USE;
/* At "<![CDATA[" */
enum sp_err sp_scan_cdata(struct sp_scan *s) SP_MUST_USE;
/* At "<!--" */
enum sp_err sp_scan_comment(struct sp_scan *s) SP_MUST_USE;
/* The handler hears what was put together. */
enum sp_err sp_scan_flush(struct sp_scan *s) SP_MUST_USE;

/* At '<' of the document element. */
enum sp_err sp_scan_start_tag(struct sp_scan *s) SP_MUST_USE;
/* In the document element, up to behind its end. */
enum sp_err sp_scan_content(struct sp_scan *s) SP_MUST_USE;

#endif
