#include "core/http/head.h"

struct sp_head sp_head(struct sp_view in, bool obs_text)
{
    bool full = in.len >= SP_LIMIT_HEAD;
    return (struct sp_head){
        .start = in.data,
        .at = in.data,
        .end = in.data ? in.data + (full ? SP_LIMIT_HEAD : in.len) : NULL,
        .full = full,
        .text = SP_CHAR_VALUE | (obs_text ? SP_CHAR_OBS : 0U),
    };
}

size_t sp_head_used(const struct sp_head *h)
{
    return (size_t)(h->at - h->start);
}

enum sp_err sp_head_refuse(struct sp_head *h, enum sp_http_refusal r)
{
    h->refusal = r;
    return SP_E_PROTOCOL;
}

enum sp_err sp_head_short(struct sp_head *h)
{
    return h->full ? sp_head_refuse(h, SP_HTTP_HEAD_LIMIT) : SP_E_AGAIN;
}

struct sp_view sp_head_span(struct sp_head *h, unsigned classes, size_t limit)
{
    const uint8_t *from = h->at, *p = from;
    const uint8_t *end = (size_t)(h->end - from) > limit ? from + limit : h->end;
    while (p < end && sp_char_is(*p, classes)) {
        p++;
    }
    h->at = p;
    return (struct sp_view){from, (size_t)(p - from)};
}

enum sp_err sp_head_version(struct sp_head *h, enum sp_http_refusal otherwise)
{
    static const char version[] = "HTTP/1.1";
    for (size_t i = 0; version[i]; i++, h->at++) {
        if (h->at == h->end) {
            return sp_head_short(h);
        }
        if (*h->at != (uint8_t)version[i]) {
            bool is_other = version[i] == '1' && *h->at >= '0' && *h->at <= '9';
            return sp_head_refuse(h, is_other ? SP_HTTP_VERSION : otherwise);
        }
    }
    return SP_OK;
}

enum sp_err sp_head_line_end(struct sp_head *h, enum sp_http_refusal otherwise)
{
    if (h->at == h->end) {
        return sp_head_short(h);
    }
    if (*h->at != '\r') {
        return sp_head_refuse(h, *h->at == '\n' ? SP_HTTP_BARE_LF : otherwise);
    }
    h->at++;
    if (h->at == h->end) {
        return sp_head_short(h);
    }
    if (*h->at != '\n') {
        return sp_head_refuse(h, SP_HTTP_BARE_CR);
    }
    h->at++;
    return SP_OK;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static enum sp_err read_name(struct sp_head *h, struct sp_view *out)
{
    struct sp_view name = sp_head_span(h, SP_CHAR_TOKEN, SP_LIMIT_HEAD);
    if (h->at == h->end) {
        return sp_head_short(h);
    }
    if (name.len == 0 && is_blank(*h->at)) {
        return sp_head_refuse(h, SP_HTTP_FOLD);
    }
    if (name.len == 0 && *h->at == '\n') {
        return sp_head_refuse(h, SP_HTTP_BARE_LF);
    }
    if (name.len == 0 || *h->at != ':') {
        return sp_head_refuse(h, SP_HTTP_FIELD_NAME);
    }
    h->at++;
    *out = name;
    return SP_OK;
}

static enum sp_err read_value(struct sp_head *h, struct sp_view *out)
{
    while (h->at < h->end && is_blank(*h->at)) {
        h->at++;
    }
    struct sp_view value = sp_head_span(h, h->text, SP_LIMIT_HEADER_VALUE);
    if (h->at < h->end && sp_char_is(*h->at, h->text)) {
        return sp_head_refuse(h, SP_HTTP_VALUE_LIMIT);
    }
    if (h->at < h->end && sp_char_is(*h->at, SP_CHAR_OBS)) {
        return sp_head_refuse(h, SP_HTTP_NOT_ASCII);
    }
    SP_TRY(sp_head_line_end(h, SP_HTTP_CONTROL));
    while (value.len && is_blank(value.data[value.len - 1])) {
        value.len--;
    }
    *out = value;
    return SP_OK;
}

enum sp_err sp_head_field(struct sp_head *h, struct sp_http_header *out, bool *done)
{
    if (h->at == h->end) {
        return sp_head_short(h);
    }
    if (*h->at == '\r') {
        SP_TRY(sp_head_line_end(h, SP_HTTP_BARE_CR));
        *done = true;
        return SP_OK;
    }
    SP_TRY(read_name(h, &out->name));
    SP_TRY(read_value(h, &out->value));
    *done = false;
    return SP_OK;
}
