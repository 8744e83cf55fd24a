#include "http_text.h"

#define OK200 "HTTP/1.1 200 OK\r\n"

static const struct http_case accepted[] = {
    {OK200 "\r\n", "ACCEPTED"},
    {"HTTP/1.1 200 \r\n\r\n", "ACCEPTED"},
    {"HTTP/1.1 599 caf\xc3\xa9\tx\r\n\r\n", "ACCEPTED"},
    {"HTTP/1.1 100 Continue\r\n\r\n", "ACCEPTED"},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "ACCEPTED"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "ACCEPTED"},
    {OK200 "Content-Length: 5\r\nContent-Encoding: xpress\r\n\r\n", "ACCEPTED"},
    {OK200 "Transfer-Encoding: chunked\r\nServer: caf\xe9\r\n\r\n", "ACCEPTED"},
    {OK200 "ETag: \"0e8fc4ece44da1:0\"\r\nConnection: close\r\n\r\n", "ACCEPTED"},
    {OK200 "Host: a b\r\nExpect: x\r\n\r\n", "ACCEPTED"},
};

static const struct http_case refused[] = {
    {"\x15\x03\x01", "STATUS_LINE"},
    {"\r\n", "STATUS_LINE"},
    {"HTP/1.1 200 OK\r\n", "STATUS_LINE"},
    {"HTTP/01.1 200 OK\r\n", "VERSION"},
    {"HTTP/1.0 200 OK\r\n", "VERSION"},
    {"HTTP/2 200\r\n", "VERSION"},
    {"HTTP/1.11 200 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1\t200 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1  200 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1 2 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1 099 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1 2/0 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1 20x OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1 600 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1 2000 OK\r\n", "STATUS_LINE"},
    {"HTTP/1.1 200\r\n", "STATUS_LINE"},
    {"HTTP/1.1 200 O\x01K\r\n", "CONTROL"},
    {"HTTP/1.1 200 OK\n", "BARE_LF"},
    {"HTTP/1.1 200 OK\rX", "BARE_CR"},
    {"HTTP/1.1 101 Switching Protocols\r\n", "UPGRADE"},
    {OK200 " A: b\r\n", "FOLD"},
    {OK200 "A: b\r\n\tc\r\n", "FOLD"},
    {OK200 "A: b\x7f\r\n", "CONTROL"},
    {OK200 "A: b\n", "BARE_LF"},
    {OK200 "A: b\rC: d\r\n", "BARE_CR"},
    {OK200 "A\xc3: b\r\n", "FIELD_NAME"},
    {OK200 "A : b\r\n", "FIELD_NAME"},
    {OK200 "Content-Length: 5\r\nContent-Length: 5\r\n", "TWO_LENGTHS"},
    {OK200 "Content-Length: 5,5\r\n", "LENGTH_SYNTAX"},
    {OK200 "Content-Length: 17179869185\r\n", "LENGTH_LIMIT"},
    {OK200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "LENGTH_AND_CODING"},
    {OK200 "Transfer-Encoding: gzip\r\n", "TRANSFER_CODING"},
    {OK200 "Transfer_Encoding: chunked\r\n", "LOOKALIKE"},
    {OK200 "Connection: Content-Length\r\n", "CONNECTION"},
    {OK200 "Upgrade: h2\r\n", "UPGRADE"},
    {OK200 "Trailer: A\r\n", "TRAILER"},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "BODY_UNEXPECTED"},
    {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
     "BODY_UNEXPECTED"},
    {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
     "BODY_UNEXPECTED"},
    {"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", "BODY_UNEXPECTED"},
};

static void b_good_heads_pass_and_prefixes_wait(void **state)
{
    (void)state;
    http_check_cases(http_read_response, accepted,
                     sizeof accepted / sizeof accepted[0]);
}

static void f_ambiguous_heads_are_refused(void **state)
{
    (void)state;
    http_check_cases(http_read_response, refused, sizeof refused / sizeof refused[0]);
}

static struct sp_http_response parsed(const char *text)
{
    struct sp_http_response p = {0};
    enum sp_http_refusal why;
    size_t used = 0;
    assert_ok(sp_http_response_parse(sp_view_str(text), &p, &used, &why));
    assert_int_equal(used, strlen(text));
    return p;
}

static void b_response_fields(void **state)
{
    (void)state;
    struct sp_http_response p = parsed(OK200 "Content-Length: 9\r\nA: b\r\n\r\n");
    assert_int_equal(p.status, 200);
    assert_int_equal(p.content_length, 9);
    assert_true(p.has_length && !p.chunked && p.keep_alive);
    assert_view_equal(p.headers.at[1].value, "b");
    p = parsed(
        "HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(p.status, 500);
    assert_true(!p.has_length && p.chunked && p.keep_alive);
    p = parsed(OK200 "Content-Length: 9\r\nConnection: close\r\n\r\n");
    assert_true(p.has_length && !p.keep_alive);
}

static void b_body_ends_with_the_connection(void **state)
{
    (void)state;
    struct sp_http_response p = parsed(OK200 "Connection: keep-alive\r\n\r\n");
    assert_true(!p.has_length && !p.chunked && !p.keep_alive);
}

static void f_no_body_where_there_is_none(void **state)
{
    (void)state;
    struct sp_http_response p = parsed("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n");
    assert_true(p.has_length && p.content_length == 0 && p.keep_alive);
    p = parsed("HTTP/1.1 204 x\r\n\r\n");
    assert_true(p.has_length && p.content_length == 0 && p.keep_alive);
}

static void f_status_line_limit(void **state)
{
    (void)state;
    const size_t room = SP_LIMIT_REQUEST_LINE - strlen("HTTP/1.1 200 ");
    http_check_padded(http_read_response, "HTTP/1.1 200 ", 'a', room, "\r\n\r\n",
                      "ACCEPTED");
    http_check_padded(http_read_response, "HTTP/1.1 200 ", 'a', room, "", "AGAIN");
    http_check_padded(http_read_response, "HTTP/1.1 200 ", 'a', room + 1, "",
                      "STATUS_LINE");
}

static void f_head_limit(void **state)
{
    (void)state;
    const size_t room = SP_LIMIT_HEAD - strlen(OK200 ":\r\n\r\n");
    http_check_padded(http_read_response, OK200, 'a', room, ":\r\n\r\n", "ACCEPTED");
    http_check_padded(http_read_response, OK200, 'a', room + 1, ":\r\n\r\n",
                      "HEAD_LIMIT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_good_heads_pass_and_prefixes_wait),
        cmocka_unit_test(b_response_fields),
        cmocka_unit_test(b_body_ends_with_the_connection),
        cmocka_unit_test(f_ambiguous_heads_are_refused),
        cmocka_unit_test(f_no_body_where_there_is_none),
        cmocka_unit_test(f_status_line_limit),
        cmocka_unit_test(f_head_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
