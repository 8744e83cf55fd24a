/* HTTP/1.1 messages, RFC 9112, read so strictly that no two parsers can disagree.
 *
 * Knows: heads, bodies, ranges, conditions, dates. Refuses to know: sockets, routes, SOAP.
 * What is ambiguous is refused, never repaired: bare CR or LF, obs-fold, blanks around a
 * field name, two Host or Content-Length, Content-Length together with Transfer-Encoding,
 * any transfer coding but "chunked", chunk extensions, trailers, names that imitate
 * Transfer-Encoding or Content-Length ('_' for '-'), control bytes, absolute and authority
 * form, HTTP/1.0 and everything that is not HTTP/1.1. (threats H1-H12)
 *
 * Every view in a parsed head borrows from the parsed bytes. No allocation. No state but
 * what the caller holds. Limits: limits.h. */
#ifndef SP_CORE_HTTP_HTTP_H
#define SP_CORE_HTTP_HTTP_H

#include "core/base/limits.h"
#include "sallyport/bytes.h"

/* Why a message was refused: refusals.def, REFUSAL(name, status to answer, meaning). */
enum sp_http_refusal {
    SP_HTTP_ACCEPTED = 0,
#define REFUSAL(name, status, meaning) SP_HTTP_##name,
#include "core/http/refusals.def"
#undef REFUSAL
};
/* 400, 411, 413, 414, 415, 417, 431, 501 or 505; 200 for SP_HTTP_ACCEPTED. */
int sp_http_refusal_status(enum sp_http_refusal r);
const char *sp_http_refusal_text(enum sp_http_refusal r);
const char *sp_http_refusal_name(enum sp_http_refusal r); /* "TWO_LENGTHS": for counters */

enum sp_http_method { SP_HTTP_GET, SP_HTTP_HEAD, SP_HTTP_POST, SP_HTTP_OTHER };

struct sp_http_header {
    struct sp_view name;  /* as spelt */
    struct sp_view value; /* without surrounding blanks; may be empty */
};

struct sp_http_headers {
    size_t count;
    struct sp_http_header at[SP_LIMIT_HEADERS]; /* nothing is to be read from count on */
};

struct sp_http_request {
    enum sp_http_method method;
    struct sp_view method_text;
    struct sp_view target;   /* origin form, raw */
    struct sp_view host;     /* never empty */
    uint64_t content_length; /* 0 where there is none */
    bool has_length;
    bool chunked;         /* never together with has_length */
    bool expect_continue; /* any other Expect is refused */
    bool keep_alive;      /* false after Connection: close */
    struct sp_http_headers headers; /* the last: most of it is never touched */
};
/* Clears, copies: without what nothing is to be read from. */
void sp_http_request_clear(struct sp_http_request *r);
void sp_http_request_copy(struct sp_http_request *to, const struct sp_http_request *from);

/* With neither has_length nor chunked the body ends with the connection, and keep_alive is
 * false. 1xx, 204 and 304 have no body: has_length, and content_length is 0 even where a
 * 304 names the length of what it does not send. 101 is refused. */
struct sp_http_response {
    int status; /* 100 to 599 */
    struct sp_http_headers headers;
    uint64_t content_length;
    bool has_length;
    bool chunked;
    bool keep_alive;
};

/* Reads one head from the start of in. SP_OK: *used bytes belong to the head, with its
 * empty line. SP_E_AGAIN: more bytes are needed (an incomplete head within the limits that
 * can still become a good one). SP_E_PROTOCOL: refused, *refusal says why. Bytes that
 * cannot begin a good head are refused as soon as they are seen. */
enum sp_err sp_http_request_parse(struct sp_view in, struct sp_http_request *out,
                                  size_t *used, enum sp_http_refusal *refusal) SP_MUST_USE;
enum sp_err sp_http_response_parse(struct sp_view in, struct sp_http_response *out,
                                   size_t *used, enum sp_http_refusal *refusal) SP_MUST_USE;

/* The value of the only header of that name (ASCII case aside). False when there is none
 * or more than one. */
bool sp_http_header(const struct sp_http_headers *h, const char *name, struct sp_view *out);
size_t sp_http_header_count(const struct sp_http_headers *h, const char *name);
/* True when the comma list holds the token (ASCII case aside, parameters cut off). */
bool sp_http_list_has(struct sp_view list, const char *token);

/* W3C Trace Context 3.2: whether v is a traceparent of version 00 that may be passed on. */
bool sp_http_is_traceparent(struct sp_view v);

/* Whether a Host header's value names name, whatever the port: ASCII case and one dot at the
 * end aside. name is a name or an address without a port or brackets. */
bool sp_http_host_is(struct sp_view host, const char *name);

/* A chunked body, pushed. All zero is the start. */
struct sp_http_chunked {
    int state;          /* private */
    uint64_t left;      /* private */
    uint8_t line_bytes; /* private */
    bool done;          /* the last chunk and its empty line were read */
};
/* Takes bytes from in: *used of them are consumed, *data (borrowed from in) is body, maybe
 * empty. Call again with the rest until done or in is empty. SP_E_PROTOCOL as above. */
enum sp_err sp_http_chunked_feed(struct sp_http_chunked *c, struct sp_view in, size_t *used,
                                 struct sp_view *data,
                                 enum sp_http_refusal *refusal) SP_MUST_USE;

/* What a GET or HEAD for a stored representation gets: RFC 9110 section 13 and 14. */
struct sp_http_representation {
    uint64_t size;
    struct sp_view etag;   /* strong, with its quotes */
    int64_t last_modified; /* unix seconds */
};
struct sp_http_answer {
    int status;           /* 200, 206, 304, 412, 416 */
    uint64_t first, last; /* inclusive, for 200 (size > 0) and 206 */
    uint64_t length;      /* body bytes of a GET */
};
/* If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, Range (one range; more
 * than one, another unit, or a malformed one is ignored: 200), If-Range (strong). */
void sp_http_evaluate(const struct sp_http_request *req,
                      const struct sp_http_representation *rep,
                      struct sp_http_answer *out);

/* IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT". */
#define SP_HTTP_DATE_TEXT 30 /* bytes with the NUL */
void sp_http_date_format(int64_t unix_s, char out[SP_HTTP_DATE_TEXT]);
/* Only IMF-fixdate is read; the weekday must be right. */
enum sp_err sp_http_date_parse(struct sp_view text, int64_t *out) SP_MUST_USE;

const char *sp_http_reason(int status); /* "Partial Content"; "" for an unknown one */

#endif
