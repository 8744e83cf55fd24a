#include "core/http/http.h"
#include "core/http/range.h"

enum comparison { STRONG, WEAK };

/* etagc; that no control character is there was seen to when the head was read. */
static bool is_etag_char(uint8_t c)
{
    return c == '!' || c >= '#';
}

/* Cuts one entity-tag, RFC 9110 8.8.3, off the front. False where there is none. */
static bool cut_etag(struct sp_view *list, struct sp_view *tag, bool *is_weak)
{
    struct sp_view v = *list;
    *is_weak = sp_view_starts(v, SP_VIEW("W/"));
    v = sp_view_slice(v, *is_weak ? 2 : 0, v.len);
    if (v.len == 0 || v.data[0] != '"') {
        return false;
    }
    size_t end = 1;
    while (end < v.len && is_etag_char(v.data[end])) {
        end++;
    }
    if (end == v.len || v.data[end] != '"') {
        return false;
    }
    *tag = sp_view_slice(v, 0, end + 1);
    *list = sp_view_slice(v, end + 1, v.len);
    return true;
}

/* True when the list names the tag or is '*'. A list is read up to its first mistake.
 */
static bool list_matches(struct sp_view list, struct sp_view etag, enum comparison how)
{
    if (sp_view_eq_str(list, "*")) {
        return true;
    }
    for (;;) {
        struct sp_view tag;
        bool is_weak = false;
        list = sp_view_trim(list, " \t,");
        if (!cut_etag(&list, &tag, &is_weak)) {
            return false;
        }
        if (sp_view_eq(tag, etag) && (how == WEAK || !is_weak)) {
            return true;
        }
        list = sp_view_trim(list, " \t");
        if (list.len && list.data[0] != ',') {
            return false;
        }
    }
}

/* A list may be spread over several lines. */
static bool any_matches(const struct sp_http_headers *h, struct sp_view name,
                        struct sp_view etag, enum comparison how)
{
    for (size_t i = 0; i < h->count; i++) {
        if (sp_view_eq_fold(h->at[i].name, name) &&
            list_matches(h->at[i].value, etag, how)) {
            return true;
        }
    }
    return false;
}

/* RFC 9110 13.1.3: what is not one good date is ignored. */
static bool date_of(const struct sp_http_headers *h, const char *name, int64_t *out)
{
    struct sp_view value;
    return sp_http_header(h, name, &value) && sp_http_date_parse(value, out) == SP_OK;
}

static bool is_precondition_failed(const struct sp_http_headers *h,
                                   const struct sp_http_representation *rep)
{
    int64_t date;
    if (sp_http_header_count(h, "If-Match")) {
        return !any_matches(h, SP_VIEW("If-Match"), rep->etag, STRONG);
    }
    return date_of(h, "If-Unmodified-Since", &date) && rep->last_modified > date;
}

static bool is_unmodified(const struct sp_http_headers *h,
                          const struct sp_http_representation *rep)
{
    int64_t date;
    if (sp_http_header_count(h, "If-None-Match")) {
        return any_matches(h, SP_VIEW("If-None-Match"), rep->etag, WEAK);
    }
    return date_of(h, "If-Modified-Since", &date) && rep->last_modified <= date;
}

/* RFC 9110 13.1.5. What is stored under a digest never changes, so its date is strong.
 */
static bool range_applies(const struct sp_http_headers *h,
                          const struct sp_http_representation *rep)
{
    struct sp_view value;
    int64_t date;
    if (sp_http_header_count(h, "If-Range") == 0) {
        return true;
    }
    if (!sp_http_header(h, "If-Range", &value)) {
        return false;
    }
    return sp_view_eq(value, rep->etag) ||
           (sp_http_date_parse(value, &date) == SP_OK && date == rep->last_modified);
}

static struct sp_http_answer whole(const struct sp_http_representation *rep)
{
    return (struct sp_http_answer){
        .status = 200, .last = rep->size ? rep->size - 1 : 0, .length = rep->size};
}

static struct sp_http_answer ranged(const struct sp_http_request *req,
                                    const struct sp_http_representation *rep)
{
    struct sp_view value;
    uint64_t first = 0, last = 0;
    if (req->method != SP_HTTP_GET || !sp_http_header(&req->headers, "Range", &value) ||
        !range_applies(&req->headers, rep)) {
        return whole(rep);
    }
    switch (sp_range_read(value, rep->size, &first, &last)) {
    case SP_RANGE_GOOD:
        return (struct sp_http_answer){206, first, last, last - first + 1};
    case SP_RANGE_OUTSIDE:
        return (struct sp_http_answer){.status = 416};
    case SP_RANGE_IGNORED:
        break;
    }
    return whole(rep);
}

/* RFC 9110 13.2.2: the order of precedence. */
void sp_http_evaluate(const struct sp_http_request *req,
                      const struct sp_http_representation *rep,
                      struct sp_http_answer *out)
{
    SP_ASSERT(req->method == SP_HTTP_GET || req->method == SP_HTTP_HEAD);
    if (is_precondition_failed(&req->headers, rep)) {
        *out = (struct sp_http_answer){.status = 412};
    } else if (is_unmodified(&req->headers, rep)) {
        *out = (struct sp_http_answer){.status = 304};
    } else {
        *out = ranged(req, rep);
    }
}
