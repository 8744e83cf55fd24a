#include "http_text.h"

#define HOST "Host: wsus.test:8531\r\n"
#define GET  "GET /a HTTP/1.1\r\n" HOST
#define POST "POST /a HTTP/1.1\r\n" HOST

static const struct http_case accepted[] = {
    {GET "\r\n", "ACCEPTED"},
    {"HEAD /a HTTP/1.1\r\n" HOST "\r\n", "ACCEPTED"},
    {"OPTIONS /a HTTP/1.1\r\n" HOST "\r\n", "ACCEPTED"},
    {"M-SEARCH /a HTTP/1.1\r\n" HOST "\r\n", "ACCEPTED"},
    {"CONNECTED /a HTTP/1.1\r\n" HOST "\r\n", "ACCEPTED"},
    {"GET /!\"$%&'()*+,-.:;<=>?@[\\]^_`{|}~ HTTP/1.1\r\n" HOST "\r\n", "ACCEPTED"},
    {POST "Content-Length: 0\r\n\r\n", "ACCEPTED"},
    {POST "content-LENGTH:17179869184\r\n\r\n", "ACCEPTED"},
    {POST "Transfer-Encoding: \t chunked \t \r\n\r\n", "ACCEPTED"},
    {POST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n", "ACCEPTED"},
    {GET "Content-Length: 0\r\n\r\n", "ACCEPTED"},
    {"PUT /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", "ACCEPTED"},
    {GET "Connection: close\r\n\r\n", "ACCEPTED"},
    {GET "Connection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n\r\n", "ACCEPTED"},
    {GET "Connection: keep-alive , CLOSE\r\n\r\n", "ACCEPTED"},
    {GET "X-Empty:\r\nX-Blank: \r\nX-Tab: a\tb\r\n\r\n", "ACCEPTED"},
    {GET "Soapaction: \"http://x/Y\"\r\nMS-CV: me4WAo5/+lq.1.0\r\n\r\n", "ACCEPTED"},
    {GET "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n", "ACCEPTED"},
    {GET "X-Content-Length: 5\r\nTransfer-Encodings: x\r\n\r\n", "ACCEPTED"},
    {"GET / HTTP/1.1\r\nhOST:10.0.0.1\r\n\r\n", "ACCEPTED"},
    {"GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", "ACCEPTED"},
    {"GET / HTTP/1.1\r\nHost: [::ffff:10.0.0.1]:65535\r\n\r\n", "ACCEPTED"},
    {"GET / HTTP/1.1\r\nHost: a_b-c.d:0\r\n\r\n", "ACCEPTED"},
};

static const struct http_case refused[] = {
    /* the first line */
    {"\x16\x03\x01", "METHOD"},
    {"\r\n" GET "\r\n", "METHOD"},
    {" GET / HTTP/1.1\r\n", "METHOD"},
    {" ", "METHOD"},
    {"get / HTTP/1.1\r\n", "METHOD"},
    {"GE\tT", "METHOD"},
    {"GET\t/ HTTP/1.1\r\n", "METHOD"},
    {"ABCDEFGHIJKLMNOPQRSTU", "METHOD"},
    {"CONNECT ", "TUNNEL"},
    {"TRACE ", "TUNNEL"},
    {"GET  / HTTP/1.1\r\n", "TARGET"},
    {"GET http://a/ HTTP/1.1\r\n", "TARGET"},
    {"OPTIONS * HTTP/1.1\r\n", "TARGET"},
    {"GET a:80 HTTP/1.1\r\n", "TARGET"},
    {"GET /a\tb HTTP/1.1\r\n", "TARGET"},
    {"GET /\x7f HTTP/1.1\r\n", "TARGET"},
    {"GET /\xc3\xa9 HTTP/1.1\r\n", "TARGET"},
    {"GET /\r\n", "TARGET"},
    {"GET /a b HTTP/1.1\r\n", "REQUEST_LINE"},
    {"GET / HTTP/1.0\r\n", "VERSION"},
    {"GET / HTTP/2", "VERSION"},
    {"GET / HTTP/0.9\r\n", "VERSION"},
    {"GET / HTTP/1.2\r\n", "VERSION"},
    {"GET / http/1.1\r\n", "REQUEST_LINE"},
    {"GET / HTTP/1,1\r\n", "REQUEST_LINE"},
    {"GET / HTTP/1.1 \r\n", "REQUEST_LINE"},
    {"GET / HTTP/1.11\r\n", "REQUEST_LINE"},
    {"GET / HTTP/1.1\n", "BARE_LF"},
    {"GET / HTTP/1.1\rX", "BARE_CR"},
    /* lines */
    {GET "A: b\n", "BARE_LF"},
    {GET "\n", "BARE_LF"},
    {GET "A: b\rC: d\r\n", "BARE_CR"},
    {GET "\rX", "BARE_CR"},
    {GET " A: b\r\n", "FOLD"},
    {"GET / HTTP/1.1\r\n\tHost: a\r\n", "FOLD"},
    {GET "A: b\r\n c\r\n", "FOLD"},
    {GET "A : b\r\n", "FIELD_NAME"},
    {GET "A\t: b\r\n", "FIELD_NAME"},
    {GET ": b\r\n", "FIELD_NAME"},
    {GET "A\r\n", "FIELD_NAME"},
    {GET "A@: b\r\n", "FIELD_NAME"},
    {GET "A\x80: b\r\n", "FIELD_NAME"},
    {GET "A: b\x01\r\n", "CONTROL"},
    {GET "A: \x7f\r\n", "CONTROL"},
    {GET "A:\x0b x\r\n", "CONTROL"},
    {GET "A: caf\xc3\xa9\r\n", "NOT_ASCII"},
    /* length */
    {POST "Content_Length: 5\r\n", "LOOKALIKE"},
    {POST "Transfer_Encoding: chunked\r\n", "LOOKALIKE"},
    {POST "transferencoding: chunked\r\n", "LOOKALIKE"},
    {POST "Transfer.Encoding: chunked\r\n", "LOOKALIKE"},
    {POST "Content--Length: 5\r\n", "LOOKALIKE"},
    {POST "Content-Length: 5\r\nContent-Length: 5\r\n", "TWO_LENGTHS"},
    {POST "Content-Length: 5, 5\r\n", "LENGTH_SYNTAX"},
    {POST "Content-Length: +5\r\n", "LENGTH_SYNTAX"},
    {POST "Content-Length: -5\r\n", "LENGTH_SYNTAX"},
    {POST "Content-Length: 05\r\n", "LENGTH_SYNTAX"},
    {POST "Content-Length: 0x5\r\n", "LENGTH_SYNTAX"},
    {POST "Content-Length:\r\n", "LENGTH_SYNTAX"},
    {POST "Content-Length: 17179869185\r\n", "LENGTH_LIMIT"},
    {POST "Content-Length: 18446744073709551617\r\n", "LENGTH_LIMIT"},
    {POST "Transfer-Encoding: Chunked\r\n", "TRANSFER_CODING"},
    {POST "Transfer-Encoding: gzip, chunked\r\n", "TRANSFER_CODING"},
    {POST "Transfer-Encoding: identity\r\n", "TRANSFER_CODING"},
    {POST "Transfer-Encoding:\r\n", "TRANSFER_CODING"},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
     "TRANSFER_CODING"},
    {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "LENGTH_AND_CODING"},
    {POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "LENGTH_AND_CODING"},
    {POST "\r\n", "LENGTH_REQUIRED"},
    {GET "Content-Length: 1\r\n\r\n", "BODY_UNEXPECTED"},
    {GET "Transfer-Encoding: chunked\r\n\r\n", "BODY_UNEXPECTED"},
    {"HEAD /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", "BODY_UNEXPECTED"},
    /* host */
    {"GET / HTTP/1.1\r\n\r\n", "HOST_MISSING"},
    {"GET / HTTP/1.1\r\nHost_: a\r\n\r\n", "HOST_MISSING"},
    {GET HOST, "HOST_TWICE"},
    {"GET / HTTP/1.1\r\nHost:\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: a b\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: a:\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: :80\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: a:65536\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: a:80:80\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: a%41\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: [::1\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: []\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: [g::1]\r\n", "HOST_SYNTAX"},
    {"GET / HTTP/1.1\r\nHost: [::1]80\r\n", "HOST_SYNTAX"},
    /* connection */
    {GET "Connection: Host\r\n", "CONNECTION"},
    {GET "Connection: close, Content-Length\r\n", "CONNECTION"},
    {GET "Connection: Upgrade\r\n", "CONNECTION"},
    {GET "Connection: close,\r\n", "CONNECTION"},
    {GET "Connection:\r\n", "CONNECTION"},
    {GET "Upgrade: h2c\r\n", "UPGRADE"},
    {GET "HTTP2-Settings: AAMAAABk\r\n", "UPGRADE"},
    {GET "Trailer: A\r\n", "TRAILER"},
    {GET "Expect: 200-ok\r\n", "EXPECT"},
    {GET "Expect: 100-continue\r\nExpect: 100-continue\r\n", "EXPECT"},
    {POST "Content-Encoding: gzip\r\n", "CONTENT_CODING"},
};

static void b_good_heads_pass_and_prefixes_wait(void **state)
{
    (void)state;
    http_check_cases(http_read_request, accepted, sizeof accepted / sizeof accepted[0]);
}

static void f_ambiguous_heads_are_refused(void **state)
{
    (void)state;
    http_check_cases(http_read_request, refused, sizeof refused / sizeof refused[0]);
}

static void f_nul_is_no_end(void **state)
{
    (void)state;
    assert_string_equal(http_read_request(SP_VIEW("GET /\0 HTTP/1.1\r\n")), "TARGET");
    assert_string_equal(http_read_request(SP_VIEW(GET "A: b\0c\r\n")), "CONTROL");
    assert_string_equal(http_read_request(SP_VIEW(GET "A\0: b\r\n")), "FIELD_NAME");
}

/* A row of refusals.def that no input reaches would be a promise without a proof. */
static void f_every_refusal_is_shown(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {
        "STATUS_LINE", "TARGET_LIMIT",    "HEAD_LIMIT",  "COUNT_LIMIT",
        "VALUE_LIMIT", "CHUNK_SIZE",      "CHUNK_LIMIT", "CHUNK_LINE_LIMIT",
        "CHUNK_END",   "CHUNK_EXTENSION", "ACCEPTED",
    };
    static const char *const rows[] = {
#define REFUSAL(name, status, meaning) #name,
#include "core/http/refusals.def"
#undef REFUSAL
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool shown = false;
        for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
            shown = shown || strcmp(refused[k].says, rows[i]) == 0;
        }
        for (size_t k = 0; k < sizeof elsewhere / sizeof elsewhere[0]; k++) {
            shown = shown || strcmp(elsewhere[k], rows[i]) == 0;
        }
        if (!shown) {
            fail_msg("no input shows %s", rows[i]);
        }
    }
}

static void b_refusals_speak(void **state)
{
    (void)state;
    assert_int_equal(sp_http_refusal_status(SP_HTTP_TARGET_LIMIT), 414);
    assert_int_equal(sp_http_refusal_status(SP_HTTP_LENGTH_REQUIRED), 411);
    assert_int_equal(sp_http_refusal_status(SP_HTTP_EXPECT), 417);
    assert_string_equal(sp_http_refusal_name(SP_HTTP_TWO_LENGTHS), "TWO_LENGTHS");
    assert_string_equal(sp_http_refusal_text(SP_HTTP_HOST_MISSING), "there is no Host");
#define REFUSAL(name, status, meaning)                                                 \
    assert_true(sp_http_reason(sp_http_refusal_status(SP_HTTP_##name))[0]);
#include "core/http/refusals.def"
#undef REFUSAL
    assert_string_equal(sp_http_reason(206), "Partial Content");
    assert_string_equal(sp_http_reason(299), "");
}

static void b_request_fields(void **state)
{
    (void)state;
    static const char text[] = "POST /x?y HTTP/1.1\r\n" HOST "A: \t b c\t \r\na:\r\n"
                               "Expect: 100-continue\r\nContent-Length: 42\r\n\r\nbody";
    struct sp_http_request q;
    enum sp_http_refusal why;
    size_t used = 0;
    assert_ok(sp_http_request_parse(SP_VIEW(text), &q, &used, &why));
    assert_int_equal(used, sizeof text - 1 - 4);
    assert_int_equal(q.method, SP_HTTP_POST);
    assert_view_equal(q.method_text, "POST");
    assert_view_equal(q.target, "/x?y");
    assert_view_equal(q.host, "wsus.test:8531");
    assert_int_equal(q.headers.count, 5);
    assert_view_equal(q.headers.at[1].name, "A");
    assert_view_equal(q.headers.at[1].value, "b c");
    assert_view_equal(q.headers.at[2].value, "");
    assert_int_equal(q.content_length, 42);
    assert_true(q.has_length && q.expect_continue && q.keep_alive && !q.chunked);
    struct sp_view value;
    assert_true(sp_http_header(&q.headers, "EXPECT", &value));
    assert_view_equal(value, "100-continue");
    assert_false(sp_http_header(&q.headers, "A", &value));
    assert_false(sp_http_header(&q.headers, "B", &value));
    assert_int_equal(sp_http_header_count(&q.headers, "a"), 2);
    assert_int_equal(sp_http_header_count(&q.headers, "b"), 0);
}

static void b_request_flags(void **state)
{
    (void)state;
    struct sp_http_request q;
    enum sp_http_refusal why;
    size_t used;
    assert_ok(sp_http_request_parse(
        SP_VIEW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                "Connection: CLOSE\r\n\r\n"),
        &q, &used, &why));
    assert_true(q.chunked && !q.has_length && !q.keep_alive && !q.expect_continue);
    assert_ok(sp_http_request_parse(SP_VIEW("PUT / HTTP/1.1\r\nHost: a\r\n\r\n"), &q,
                                    &used, &why));
    assert_int_equal(q.method, SP_HTTP_OTHER);
    assert_true(!q.chunked && !q.has_length && q.keep_alive);
}

static void b_results_are_untouched_on_failure(void **state)
{
    (void)state;
    struct sp_http_request q = {.content_length = 7};
    enum sp_http_refusal why = SP_HTTP_EXPECT;
    size_t used = 7;
    assert_err(sp_http_request_parse(SP_VIEW(GET), &q, &used, &why), SP_E_AGAIN);
    assert_int_equal(why, SP_HTTP_EXPECT);
    assert_err(sp_http_request_parse(SP_VIEW("get"), &q, &used, &why), SP_E_PROTOCOL);
    assert_int_equal(used, 7);
    assert_int_equal(q.content_length, 7);
    assert_err(sp_http_request_parse((struct sp_view){0}, &q, &used, &why), SP_E_AGAIN);
}

static void f_request_line_limit(void **state)
{
    (void)state;
    const size_t room = SP_LIMIT_REQUEST_LINE - strlen("GET / HTTP/1.1");
    const char *rest = " HTTP/1.1\r\n" HOST "\r\n";
    http_check_padded(http_read_request, "GET /", 'a', room, rest, "ACCEPTED");
    http_check_padded(http_read_request, "GET /", 'a', room + 1, rest, "TARGET_LIMIT");
    http_check_padded(http_read_request, "GET /", 'a', room, "", "AGAIN");
    http_check_padded(http_read_request, "GET /", 'a', room + 1, "", "TARGET_LIMIT");
}

static void f_value_limit(void **state)
{
    (void)state;
    const size_t most = SP_LIMIT_HEADER_VALUE;
    http_check_padded(http_read_request, GET "A: ", 'a', most, "\r\n\r\n", "ACCEPTED");
    http_check_padded(http_read_request, GET "A: ", 'a', most + 1, "\r\n\r\n",
                      "VALUE_LIMIT");
    http_check_padded(http_read_request, GET "A: ", 'a', most, "", "AGAIN");
    http_check_padded(http_read_request, GET "A: ", 'a', most + 1, "", "VALUE_LIMIT");
}

static void f_head_limit(void **state)
{
    (void)state;
    const char *end = ": x\r\n\r\n";
    const size_t room = SP_LIMIT_HEAD - strlen(GET) - strlen(end);
    http_check_padded(http_read_request, GET, 'a', room, end, "ACCEPTED");
    http_check_padded(http_read_request, GET, 'a', room + 1, end, "HEAD_LIMIT");
    http_check_padded(http_read_request, GET, 'a', SP_LIMIT_HEAD - strlen(GET) - 1, "",
                      "AGAIN");
    http_check_padded(http_read_request, GET, 'a', SP_LIMIT_HEAD - strlen(GET), "",
                      "HEAD_LIMIT");
    http_check_padded(http_read_request, GET "A:", ' ', SP_LIMIT_HEAD, "",
                      "HEAD_LIMIT");
}

static void f_count_limit(void **state)
{
    (void)state;
    for (int extra = 0; extra <= 1; extra++) {
        struct sp_buf b;
        sp_buf_init(&b, SP_LIMIT_HEAD);
        assert_ok(sp_buf_append_str(&b, GET));
        for (int i = 1; i < SP_LIMIT_HEADERS; i++) {
            assert_ok(sp_buf_append_str(&b, "A: b\r\n"));
        }
        assert_ok(sp_buf_append_str(&b, extra ? "A" : "\r\n"));
        http_check_bytewise(http_read_request, sp_buf_view(&b),
                            extra ? "COUNT_LIMIT" : "ACCEPTED");
        sp_buf_fini(&b);
    }
}

static void b_lists(void **state)
{
    (void)state;
    assert_true(sp_http_list_has(SP_VIEW("xpress"), "xpress"));
    assert_true(sp_http_list_has(SP_VIEW("gzip;q=0.5 , XPRESS ; q=1"), "xpress"));
    assert_true(sp_http_list_has(SP_VIEW(",,\tgzip"), "gzip"));
    assert_false(sp_http_list_has(SP_VIEW("xpress2, x press"), "xpress"));
    assert_false(sp_http_list_has(SP_VIEW("a;xpress"), "xpress"));
    assert_false(sp_http_list_has(SP_VIEW(""), "xpress"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_good_heads_pass_and_prefixes_wait),
        cmocka_unit_test(b_refusals_speak),
        cmocka_unit_test(b_request_fields),
        cmocka_unit_test(b_request_flags),
        cmocka_unit_test(b_results_are_untouched_on_failure),
        cmocka_unit_test(b_lists),
        cmocka_unit_test(f_ambiguous_heads_are_refused),
        cmocka_unit_test(f_nul_is_no_end),
        cmocka_unit_test(f_every_refusal_is_shown),
        cmocka_unit_test(f_request_line_limit),
        cmocka_unit_test(f_value_limit),
        cmocka_unit_test(f_head_limit),
        cmocka_unit_test(f_count_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
