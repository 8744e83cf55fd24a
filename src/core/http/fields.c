#include "core/http/fields.h"

#include "core/base/text.h"

static bool is_host_text(struct sp_view name, unsigned classes)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!sp_char_is(name.data[i], classes)) {
            return false;
        }
    }
    return name.len > 0;
}

/* RFC 3986 3.2.2 without user information and without percent escapes. */
static bool is_host(struct sp_view host)
{
    size_t name_end = sp_view_find(host, ':');
    struct sp_view name = sp_view_slice(host, 0, name_end);
    unsigned classes = SP_CHAR_HOST;
    if (host.len && host.data[0] == '[') {
        size_t bracket = sp_view_find(host, ']');
        name = sp_view_slice(host, 1, bracket);
        name_end = bracket < host.len ? bracket + 1 : 0;
        classes = SP_CHAR_HOST6;
    }
    if (name_end == 0 || !is_host_text(name, classes)) {
        return false;
    }
    uint64_t port;
    return name_end == host.len ||
           (host.data[name_end] == ':' &&
            sp_u64_parse(sp_view_slice(host, name_end + 1, host.len), UINT16_MAX,
                         &port) == SP_OK);
}

static enum sp_http_refusal take_host(struct sp_fields *f, struct sp_view value)
{
    if (f->host.len) {
        return SP_HTTP_HOST_TWICE;
    }
    f->host = value;
    return is_host(value) ? SP_HTTP_ACCEPTED : SP_HTTP_HOST_SYNTAX;
}

static enum sp_http_refusal take_length(struct sp_fields *f, struct sp_view value)
{
    if (f->has_length) {
        return SP_HTTP_TWO_LENGTHS;
    }
    f->has_length = true;
    enum sp_err e = sp_u64_parse(value, SP_LIMIT_CONTENT_FILE, &f->content_length);
    if (e != SP_OK) {
        return e == SP_E_LIMIT ? SP_HTTP_LENGTH_LIMIT : SP_HTTP_LENGTH_SYNTAX;
    }
    return f->chunked ? SP_HTTP_LENGTH_AND_CODING : SP_HTTP_ACCEPTED;
}

static enum sp_http_refusal take_coding(struct sp_fields *f, struct sp_view value)
{
    if (f->chunked || !sp_view_eq_str(value, "chunked")) {
        return SP_HTTP_TRANSFER_CODING;
    }
    f->chunked = true;
    return f->has_length ? SP_HTTP_LENGTH_AND_CODING : SP_HTTP_ACCEPTED;
}

/* RFC 9110 7.6.1: what Connection names is hop-by-hop; we let nobody name our headers.
 */
static enum sp_http_refusal take_connection(struct sp_fields *f, struct sp_view value)
{
    for (size_t at = 0; at <= value.len;) {
        struct sp_view rest = sp_view_slice(value, at, value.len);
        struct sp_view item = sp_view_slice(rest, 0, sp_view_find(rest, ','));
        at += item.len + 1;
        item = sp_view_trim(item, " \t");
        if (sp_view_eq_fold(item, SP_VIEW("close"))) {
            f->close = true;
        } else if (!sp_view_eq_fold(item, SP_VIEW("keep-alive"))) {
            return SP_HTTP_CONNECTION;
        }
    }
    return SP_HTTP_ACCEPTED;
}

static enum sp_http_refusal take_expect(struct sp_fields *f, struct sp_view value)
{
    if (f->expect_continue || !sp_view_eq_fold(value, SP_VIEW("100-continue"))) {
        return SP_HTTP_EXPECT;
    }
    f->expect_continue = true;
    return SP_HTTP_ACCEPTED;
}

static enum sp_http_refusal take_upgrade(struct sp_fields *f, struct sp_view value)
{
    (void)f, (void)value;
    return SP_HTTP_UPGRADE;
}

static enum sp_http_refusal take_trailer(struct sp_fields *f, struct sp_view value)
{
    (void)f, (void)value;
    return SP_HTTP_TRAILER;
}

static enum sp_http_refusal take_content_coding(struct sp_fields *f,
                                                struct sp_view value)
{
    (void)f, (void)value;
    return SP_HTTP_CONTENT_CODING;
}

#define NAME(text) text, sizeof text - 1
static const struct meaning {
    const char *name;
    size_t len;
    bool requests_only;
    enum sp_http_refusal (*take)(struct sp_fields *f, struct sp_view value);
} meanings[] = {
    {NAME("Host"), true, take_host},
    {NAME("Content-Length"), false, take_length},
    {NAME("Transfer-Encoding"), false, take_coding},
    {NAME("Connection"), false, take_connection},
    {NAME("Expect"), true, take_expect},
    {NAME("Upgrade"), false, take_upgrade},
    {NAME("HTTP2-Settings"), false, take_upgrade},
    {NAME("Trailer"), false, take_trailer},
    {NAME("Content-Encoding"), true, take_content_coding},
};

static const struct meaning *find_meaning(struct sp_view name)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        struct sp_view row = {(const uint8_t *)meanings[i].name, meanings[i].len};
        if (name.len == row.len && sp_view_eq_fold(name, row)) {
            return &meanings[i];
        }
    }
    return NULL;
}

/* True when the letters and digits alone spell word (lower case): a parser that maps or
 * drops what lies between them would read the name as that header. */
static bool imitates(struct sp_view name, const char *word)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!sp_char_is(name.data[i], SP_CHAR_ALNUM)) {
            continue;
        }
        if ((name.data[i] | 0x20) != *word) {
            return false;
        }
        word++;
    }
    return *word == 0;
}

static enum sp_http_refusal judge(struct sp_fields *f,
                                  const struct sp_http_header *line)
{
    const struct meaning *m = find_meaning(line->name);
    if (m) {
        return m->requests_only && !f->is_request ? SP_HTTP_ACCEPTED
                                                  : m->take(f, line->value);
    }
    bool is_lookalike = imitates(line->name, "contentlength") ||
                        imitates(line->name, "transferencoding");
    return is_lookalike ? SP_HTTP_LOOKALIKE : SP_HTTP_ACCEPTED;
}

enum sp_err sp_fields_read(struct sp_head *h, struct sp_http_headers *headers,
                           struct sp_fields *f)
{
    for (;;) {
        struct sp_http_header line;
        bool done = false;
        if (headers->count == SP_LIMIT_HEADERS && h->at < h->end && *h->at != '\r') {
            return sp_head_refuse(h, SP_HTTP_COUNT_LIMIT);
        }
        SP_TRY(sp_head_field(h, &line, &done));
        if (done) {
            return SP_OK;
        }
        enum sp_http_refusal r = judge(f, &line);
        if (r != SP_HTTP_ACCEPTED) {
            return sp_head_refuse(h, r);
        }
        headers->at[headers->count++] = line;
    }
}
