/* The lines of a head, read left to right, once.
 *
 * Knows: bytes, line ends, header lines and the limits of a head. Refuses to know: what
 * a header means (fields.h), first lines (request.c, response.c). Every byte is judged
 * when it is reached and none is looked at twice, so feeding byte by byte and feeding
 * all at once refuse for the same reason. Borrows the bytes; no allocation. */
#ifndef SP_CORE_HTTP_HEAD_H
#define SP_CORE_HTTP_HEAD_H

#include "core/http/chars.h"
#include "core/http/http.h"

struct sp_head {
    const uint8_t *start; /* borrowed */
    const uint8_t *at;    /* borrowed: the next byte */
    const uint8_t *end;   /* borrowed: behind the last byte that may be looked at */
    bool full;            /* end is where the limit is, not where the bytes end */
    unsigned text;        /* enum sp_char_class of values and reasons */
    enum sp_http_refusal refusal; /* why, once SP_E_PROTOCOL was returned */
};

/* obs_text: bytes from 0x80 up are let through in values and reasons. */
struct sp_head sp_head(struct sp_view in, bool obs_text);
size_t sp_head_used(const struct sp_head *h);
/* Always SP_E_PROTOCOL. */
enum sp_err sp_head_refuse(struct sp_head *h, enum sp_http_refusal r) SP_MUST_USE;
/* What to return where the bytes end: SP_E_AGAIN, or a refusal where the limit is. */
enum sp_err sp_head_short(struct sp_head *h) SP_MUST_USE;
/* Goes on while bytes are of the class, at most to limit; gives what was passed over.
 */
struct sp_view sp_head_span(struct sp_head *h, unsigned classes, size_t limit);
/* "HTTP/1.1"; anything else is SP_HTTP_VERSION where it looks like another version. */
enum sp_err sp_head_version(struct sp_head *h,
                            enum sp_http_refusal otherwise) SP_MUST_USE;
/* CRLF; another byte that is neither CR nor LF is refused as named. */
enum sp_err sp_head_line_end(struct sp_head *h,
                             enum sp_http_refusal otherwise) SP_MUST_USE;
/* The next header line. SP_OK with *done: the empty line was read instead. */
enum sp_err sp_head_field(struct sp_head *h, struct sp_http_header *out,
                          bool *done) SP_MUST_USE;

#endif
