#include "io/net/upstream_parts.h"

/* ---- what may be asked for ---------------------------------------------------- */

/* Bytes that cannot end a header line, a quoted value or a path early. */
static bool is_plain(const char *s)
{
    for (; *s; s++) {
        if (*s <= ' ' || *s == '"' || *s == '#' || *s == '\\' || *s > '~') {
            return false;
        }
    }
    return true;
}

enum sp_err sp_request_check(const struct sp_upstream *u, const struct sp_fetch_ask *a)
{
    bool is_soap = a->kind == SP_FETCH_SOAP;
    if (a->over_http && (a->kind != SP_FETCH_CONTENT || !u->content_over_http)) {
        return SP_E_DENIED;
    }
    if (a->path[0] != '/' || !is_plain(a->path) ||
        (is_soap && !is_plain(a->soap_action))) {
        return SP_E_MALFORMED;
    }
    if (a->traceparent.len && !sp_http_is_traceparent(a->traceparent)) {
        return SP_E_MALFORMED;
    }
    bool is_range_good = !a->has_range || a->range_first <= a->range_last;
    return is_range_good && a->patience_ms > 0 ? SP_OK : SP_E_MALFORMED;
}

/* ---- the request --------------------------------------------------------- */

static CURLcode set_fixed(CURL *easy)
{
    static const struct {
        CURLoption option;
        long value;
    } fixed[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_NOPROGRESS, 1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_HTTP09_ALLOWED, 0},
        {CURLOPT_HTTP_CONTENT_DECODING, 0},
        {CURLOPT_HTTP_TRANSFER_DECODING, 1},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSL_SESSIONID_CACHE, 0},
        {CURLOPT_SSL_ENABLE_ALPN, 1},
        {CURLOPT_SSL_OPTIONS, 0},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
        {CURLOPT_PATH_AS_IS, 1},
        {CURLOPT_TCP_NODELAY, 1},
        {CURLOPT_TCP_KEEPALIVE, 1},
        {CURLOPT_QUICK_EXIT, 1}, /* never wait for a resolver thread */
        {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
        {CURLOPT_HEADEROPT, CURLHEADER_SEPARATE},
        {CURLOPT_PROXYTYPE, CURLPROXY_HTTP},
        {CURLOPT_BUFFERSIZE, 128 * 1024},
    };
    CURLcode c = CURLE_OK;
    for (size_t i = 0; c == CURLE_OK && i < sizeof fixed / sizeof fixed[0]; i++) {
        c = curl_easy_setopt(easy, fixed[i].option, fixed[i].value);
    }
    return c;
}

static CURLcode set_texts(struct sp_fetch *f, const char *url)
{
    const char *proxy = f->upstream->proxy;
    const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_URL, url},
        {CURLOPT_PROTOCOLS_STR, f->over_http ? "http" : "https"},
        {CURLOPT_REDIR_PROTOCOLS_STR, "https"},
        {CURLOPT_USERAGENT, "sallyport/" SP_VERSION},
        {CURLOPT_PROXY, proxy},
        {CURLOPT_PRE_PROXY, ""},
        {CURLOPT_NOPROXY, *proxy ? "" : "*"},
        {CURLOPT_CAINFO, NULL},
        {CURLOPT_CAPATH, NULL},
    };
    CURLcode c = CURLE_OK;
    for (size_t i = 0; c == CURLE_OK && i < sizeof texts / sizeof texts[0]; i++) {
        c = curl_easy_setopt(f->easy, texts[i].option, texts[i].value);
    }
    return c;
}

static enum sp_err add_field(struct sp_fetch *f, const char *fmt, ...) SP_PRINTF(2, 3);
static enum sp_err add_field(struct sp_fetch *f, const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line) {
        return SP_E_LIMIT;
    }
    struct curl_slist *longer = curl_slist_append(f->fields, line);
    f->fields = longer ? longer : f->fields;
    return longer ? SP_OK : SP_E_NOMEM;
}

static enum sp_err add_range(struct sp_fetch *f, const struct sp_fetch_ask *ask)
{
    if (!ask->has_range) {
        return SP_OK;
    }
    unsigned long long first = ask->range_first, last = ask->range_last;
    return last == UINT64_MAX ? add_field(f, "Range: bytes=%llu-", first)
                              : add_field(f, "Range: bytes=%llu-%llu", first, last);
}

/* A validator goes back as it came, unless it cannot be a header's value. */
static enum sp_err add_condition(struct sp_fetch *f, const char *name,
                                 const char *value)
{
    for (const char *c = value ? value : ""; *c; c++) {
        if (*c < ' ' || *c > '~') {
            return SP_E_MALFORMED;
        }
    }
    return value && *value ? add_field(f, "%s: %s", name, value) : SP_OK;
}

/* The whole head but for Host, User-Agent and Content-Length, which libcurl writes. A
 * name without a value keeps libcurl from writing that field. */
static enum sp_err add_fields(struct sp_fetch *f, const struct sp_fetch_ask *ask)
{
    SP_TRY(add_field(f, "Accept:"));
    SP_TRY(add_field(f, "Expect:"));
    SP_TRY(add_field(f, "Accept-Encoding: %s",
                     ask->accept_xpress ? "xpress, gzip" : "identity"));
    if (ask->kind == SP_FETCH_SOAP) {
        SP_TRY(add_field(f, "Content-Type: text/xml; charset=utf-8"));
        SP_TRY(add_field(f, "SOAPAction: \"%s\"", ask->soap_action));
    } else if (ask->kind == SP_FETCH_TEXT) {
        SP_TRY(add_field(f, "Content-Type: text/plain; charset=utf-8"));
    }
    if (ask->traceparent.len) {
        SP_TRY(
            add_field(f, "traceparent: " SP_VIEW_FMT, SP_VIEW_ARG(ask->traceparent)));
    }
    SP_TRY(add_condition(f, "If-None-Match", ask->if_none_match));
    SP_TRY(add_condition(f, "If-Modified-Since", ask->if_modified_since));
    SP_TRY(add_condition(f, "If-Range", ask->if_range));
    return add_range(f, ask);
}

static CURLcode set_method(struct sp_fetch *f, const struct sp_fetch_ask *ask)
{
    if (ask->kind == SP_FETCH_CONTENT) {
        return curl_easy_setopt(f->easy, CURLOPT_HTTPGET, 1L);
    }
    CURLcode c = curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                  (curl_off_t)ask->body.len);
    const char *body = ask->body.len ? (const char *)ask->body.data : "";
    return c == CURLE_OK ? curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, body) : c;
}

static CURLcode set_connection(struct sp_fetch *f, const struct sp_fetch_ask *ask)
{
    return curl_easy_setopt(f->easy, CURLOPT_FRESH_CONNECT, ask->fresh ? 1L : 0L);
}

static long connect_time(uint64_t patience_ms)
{
    return patience_ms < SP_TIME_UPSTREAM_CONNECT ? (long)patience_ms
                                                  : (long)SP_TIME_UPSTREAM_CONNECT;
}

enum sp_err sp_request_set(struct sp_fetch *f, const struct sp_fetch_ask *ask)
{
    char url[SP_LIMIT_REQUEST_LINE];
    const char *origin = f->over_http ? f->upstream->http : f->upstream->https;
    int n = snprintf(url, sizeof url, "%s%s", origin, ask->path);
    if (n < 0 || (size_t)n >= sizeof url) {
        return SP_E_LIMIT;
    }
    SP_TRY(add_fields(f, ask));
    bool is_set =
        set_fixed(f->easy) == CURLE_OK && set_texts(f, url) == CURLE_OK &&
        set_method(f, ask) == CURLE_OK && set_connection(f, ask) == CURLE_OK &&
        curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->fields) == CURLE_OK &&
        curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS,
                         connect_time(f->patience_ms)) == CURLE_OK;
    return is_set ? SP_OK : SP_E_NOMEM;
}
