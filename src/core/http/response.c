#include "core/http/fields.h"

/* RFC 9112 4: HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF. 101 was never asked
 * for. */
static enum sp_err read_status(struct sp_head *h, int *out)
{
    static const uint8_t first[] = {'1', '0', '0'}, last[] = {'5', '9', '9'};
    int status = 0;
    for (size_t i = 0; i < sizeof first; i++, h->at++) {
        if (h->at == h->end) {
            return sp_head_short(h);
        }
        if (*h->at < '0' || *h->at > '9' || (i == 0 && *h->at < first[0]) ||
            *h->at > last[i]) {
            return sp_head_refuse(h, SP_HTTP_STATUS_LINE);
        }
        status = status * 10 + (*h->at - '0');
    }
    *out = status;
    return status == 101 ? sp_head_refuse(h, SP_HTTP_UPGRADE) : SP_OK;
}

static enum sp_err read_blank(struct sp_head *h)
{
    if (h->at == h->end) {
        return sp_head_short(h);
    }
    if (*h->at != ' ') {
        return sp_head_refuse(h, SP_HTTP_STATUS_LINE);
    }
    h->at++;
    return SP_OK;
}

static enum sp_err read_reason(struct sp_head *h)
{
    (void)sp_head_span(h, h->text, SP_LIMIT_REQUEST_LINE - sp_head_used(h));
    if (h->at < h->end && sp_char_is(*h->at, h->text)) {
        return sp_head_refuse(h, SP_HTTP_STATUS_LINE);
    }
    return sp_head_line_end(h, SP_HTTP_CONTROL);
}

/* RFC 9110 6.4.1: these have no body, whatever they announce. */
static bool is_bodyless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

/* RFC 9112 6.3: a 304 may tell the length of what it does not send; 1xx and 204 may
 * not. */
static enum sp_http_refusal judge_whole(int status, struct sp_fields *f)
{
    if (!is_bodyless(status)) {
        return SP_HTTP_ACCEPTED;
    }
    if (f->chunked || (f->content_length > 0 && status != 304)) {
        return SP_HTTP_BODY_UNEXPECTED;
    }
    f->has_length = true;
    f->content_length = 0;
    return SP_HTTP_ACCEPTED;
}

static enum sp_err read_response(struct sp_head *h, struct sp_http_response *r)
{
    struct sp_fields f = {.is_request = false};
    SP_TRY(sp_head_version(h, SP_HTTP_STATUS_LINE));
    SP_TRY(read_blank(h));
    SP_TRY(read_status(h, &r->status));
    SP_TRY(read_blank(h));
    SP_TRY(read_reason(h));
    SP_TRY(sp_fields_read(h, &r->headers, &f));
    enum sp_http_refusal refusal = judge_whole(r->status, &f);
    if (refusal != SP_HTTP_ACCEPTED) {
        return sp_head_refuse(h, refusal);
    }
    r->content_length = f.content_length;
    r->has_length = f.has_length;
    r->chunked = f.chunked;
    /* without a length the body ends with the connection */
    r->keep_alive = !f.close && (f.has_length || f.chunked);
    return SP_OK;
}

enum sp_err sp_http_response_parse(struct sp_view in, struct sp_http_response *out,
                                   size_t *used, enum sp_http_refusal *refusal)
{
    struct sp_head h = sp_head(in, true);
    struct sp_http_response r = {0};
    enum sp_err e = read_response(&h, &r);
    if (e == SP_OK) {
        *out = r;
        *used = sp_head_used(&h);
    } else if (e == SP_E_PROTOCOL) {
        *refusal = h.refusal;
    }
    return e;
}
