/* What is accepted, written again canonically from the parsed struct, must be read
 * again as the same; and no prefix of it may have said anything but "more". */
#include "core/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct sp_buf *b, struct sp_view v)
{
    SP_ASSERT(sp_buf_append(b, v) == SP_OK);
}

static void write_canonical(struct sp_buf *b, const struct sp_http_request *q)
{
    put(b, q->method_text);
    put(b, SP_VIEW(" "));
    put(b, q->target);
    put(b, SP_VIEW(" HTTP/1.1\r\n"));
    for (size_t i = 0; i < q->headers.count; i++) {
        put(b, q->headers.at[i].name);
        put(b, SP_VIEW(":"));
        put(b, q->headers.at[i].value);
        put(b, SP_VIEW("\r\n"));
    }
    put(b, SP_VIEW("\r\n"));
}

static void check_same(const struct sp_http_request *a, const struct sp_http_request *b)
{
    SP_ASSERT(a->method == b->method && sp_view_eq(a->method_text, b->method_text));
    SP_ASSERT(sp_view_eq(a->target, b->target) && sp_view_eq(a->host, b->host));
    SP_ASSERT(a->content_length == b->content_length && a->has_length == b->has_length);
    SP_ASSERT(a->chunked == b->chunked && a->keep_alive == b->keep_alive);
    SP_ASSERT(a->expect_continue == b->expect_continue);
    SP_ASSERT(a->headers.count == b->headers.count);
    for (size_t i = 0; i < a->headers.count; i++) {
        SP_ASSERT(sp_view_eq(a->headers.at[i].name, b->headers.at[i].name));
        SP_ASSERT(sp_view_eq(a->headers.at[i].value, b->headers.at[i].value));
    }
}

static void check_promises(const struct sp_http_request *q)
{
    SP_ASSERT(q->host.len > 0 && q->target.len > 0 && q->target.data[0] == '/');
    SP_ASSERT(!(q->chunked && q->has_length));
    SP_ASSERT(q->has_length || q->content_length == 0);
    SP_ASSERT(q->method != SP_HTTP_POST || q->chunked || q->has_length);
    for (size_t i = 0; i < q->headers.count; i++) {
        struct sp_view v = q->headers.at[i].value;
        SP_ASSERT(sp_view_find(v, '\r') == v.len && sp_view_find(v, '\n') == v.len);
        SP_ASSERT(!sp_http_is_traceparent(v) || v.len == 55);
    }
}

static void check_prefix(struct sp_view in, size_t used, size_t n)
{
    struct sp_http_request q;
    enum sp_http_refusal why;
    size_t again;
    struct sp_view prefix = sp_view_slice(in, 0, n < used ? n : used - 1);
    SP_ASSERT(sp_http_request_parse(prefix, &q, &again, &why) == SP_E_AGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view in = {data, size};
    struct sp_http_request q, again;
    enum sp_http_refusal why = SP_HTTP_ACCEPTED;
    size_t used = 0, used_again = 0;
    enum sp_err e = sp_http_request_parse(in, &q, &used, &why);
    if (e != SP_OK) {
        SP_ASSERT(e == SP_E_AGAIN || (e == SP_E_PROTOCOL && why != SP_HTTP_ACCEPTED));
        return 0;
    }
    struct sp_buf b;
    sp_buf_init(&b, SP_LIMIT_HEAD);
    check_promises(&q);
    write_canonical(&b, &q);
    SP_ASSERT(b.len <= used);
    SP_ASSERT(sp_http_request_parse(sp_buf_view(&b), &again, &used_again, &why) ==
              SP_OK);
    SP_ASSERT(used_again == b.len);
    check_same(&q, &again);
    check_prefix(in, used, size % used);
    check_prefix(in, used, used - 1);
    sp_buf_fini(&b);
    return 0;
}
