#include "core/http/fields.h"

#include <string.h>

enum { METHOD_MAX = 20 }; /* the longest registered one, UPDATEREDIRECTREF, has 17 */

static enum sp_http_refusal judge_method(struct sp_view text, enum sp_http_method *out)
{
    if (sp_view_eq_str(text, "CONNECT") || sp_view_eq_str(text, "TRACE")) {
        return SP_HTTP_TUNNEL;
    }
    *out = sp_view_eq_str(text, "GET")    ? SP_HTTP_GET
           : sp_view_eq_str(text, "HEAD") ? SP_HTTP_HEAD
           : sp_view_eq_str(text, "POST") ? SP_HTTP_POST
                                          : SP_HTTP_OTHER;
    return text.len ? SP_HTTP_ACCEPTED : SP_HTTP_METHOD;
}

static enum sp_err read_method(struct sp_head *h, struct sp_http_request *r)
{
    r->method_text = sp_head_span(h, SP_CHAR_METHOD, METHOD_MAX);
    if (h->at == h->end) {
        return sp_head_short(h);
    }
    if (*h->at != ' ') {
        return sp_head_refuse(h, SP_HTTP_METHOD);
    }
    enum sp_http_refusal refusal = judge_method(r->method_text, &r->method);
    if (refusal != SP_HTTP_ACCEPTED) {
        return sp_head_refuse(h, refusal);
    }
    h->at++;
    return SP_OK;
}

/* RFC 9112 3.2.1: origin form only. */
static enum sp_err read_target(struct sp_head *h, struct sp_http_request *r)
{
    const size_t room = SP_LIMIT_REQUEST_LINE - sp_head_used(h) - strlen(" HTTP/1.1");
    if (h->at < h->end && *h->at != '/') {
        return sp_head_refuse(h, SP_HTTP_TARGET);
    }
    r->target = sp_head_span(h, SP_CHAR_TARGET, room);
    if (h->at == h->end) {
        return sp_head_short(h);
    }
    if (sp_char_is(*h->at, SP_CHAR_TARGET)) {
        return sp_head_refuse(h, SP_HTTP_TARGET_LIMIT);
    }
    if (*h->at != ' ') {
        return sp_head_refuse(h, SP_HTTP_TARGET);
    }
    h->at++;
    return SP_OK;
}

/* What no single line can tell. */
static enum sp_http_refusal judge_whole(const struct sp_http_request *r,
                                        const struct sp_fields *f)
{
    if (f->host.len == 0) {
        return SP_HTTP_HOST_MISSING;
    }
    bool has_body = f->chunked || f->content_length > 0;
    bool wants_none = r->method == SP_HTTP_GET || r->method == SP_HTTP_HEAD;
    if (wants_none && has_body) {
        return SP_HTTP_BODY_UNEXPECTED;
    }
    if (r->method == SP_HTTP_POST && !f->chunked && !f->has_length) {
        return SP_HTTP_LENGTH_REQUIRED;
    }
    return SP_HTTP_ACCEPTED;
}

static enum sp_err read_request(struct sp_head *h, struct sp_http_request *r)
{
    struct sp_fields f = {.is_request = true};
    SP_TRY(read_method(h, r));
    SP_TRY(read_target(h, r));
    SP_TRY(sp_head_version(h, SP_HTTP_REQUEST_LINE));
    SP_TRY(sp_head_line_end(h, SP_HTTP_REQUEST_LINE));
    SP_TRY(sp_fields_read(h, &r->headers, &f));
    enum sp_http_refusal refusal = judge_whole(r, &f);
    if (refusal != SP_HTTP_ACCEPTED) {
        return sp_head_refuse(h, refusal);
    }
    r->host = f.host;
    r->content_length = f.content_length;
    r->has_length = f.has_length;
    r->chunked = f.chunked;
    r->expect_continue = f.expect_continue;
    r->keep_alive = !f.close;
    return SP_OK;
}

void sp_http_request_clear(struct sp_http_request *r)
{
    memset(r, 0, offsetof(struct sp_http_request, headers.at));
}

void sp_http_request_copy(struct sp_http_request *to,
                          const struct sp_http_request *from)
{
    memcpy(to, from,
           offsetof(struct sp_http_request, headers.at) +
               from->headers.count * sizeof from->headers.at[0]);
}

enum sp_err sp_http_request_parse(struct sp_view in, struct sp_http_request *out,
                                  size_t *used, enum sp_http_refusal *refusal)
{
    struct sp_head h = sp_head(in, false);
    struct sp_http_request r;
    sp_http_request_clear(&r);
    enum sp_err e = read_request(&h, &r);
    if (e == SP_OK) {
        sp_http_request_copy(out, &r);
        *used = sp_head_used(&h);
    } else if (e == SP_E_PROTOCOL) {
        *refusal = h.refusal;
    }
    return e;
}
