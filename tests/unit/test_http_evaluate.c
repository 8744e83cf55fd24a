#include "http_text.h"

#define THEN   "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER  "Sun, 06 Nov 1994 08:49:38 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"

static const int64_t then = 784111777;

static struct sp_http_answer evaluate(const char *method, const char *lines,
                                      uint64_t size)
{
    char text[2048];
    snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, lines);
    struct sp_http_request q = {0};
    enum sp_http_refusal why;
    size_t used;
    assert_ok(sp_http_request_parse(sp_view_str(text), &q, &used, &why));
    const struct sp_http_representation rep = {size, SP_VIEW("\"e\""), then};
    struct sp_http_answer a = {0};
    sp_http_evaluate(&q, &rep, &a);
    return a;
}

struct row {
    const char *lines;
    int status;
    uint64_t first, last;
};

/* For a representation of 100 bytes. */
static const struct row rows[] = {
    {"", 200, 0, 99},
    /* ranges */
    {"Range: bytes=0-0\r\n", 206, 0, 0},
    {"Range: bytes=0-99\r\n", 206, 0, 99},
    {"Range: bytes=10-19\r\n", 206, 10, 19},
    {"Range: Bytes=10-\r\n", 206, 10, 99},
    {"Range: bytes=99-\r\n", 206, 99, 99},
    {"Range: bytes=98-100\r\n", 206, 98, 99},
    {"Range: bytes=0-99999999999999999999999\r\n", 206, 0, 99},
    {"Range: bytes=-1\r\n", 206, 99, 99},
    {"Range: bytes=-100\r\n", 206, 0, 99},
    {"Range: bytes=-101\r\n", 206, 0, 99},
    {"Range: bytes=100-\r\n", 416, 0, 0},
    {"Range: bytes=100-100\r\n", 416, 0, 0},
    {"Range: bytes=99999999999999999999999-\r\n", 416, 0, 0},
    {"Range: bytes=-0\r\n", 416, 0, 0},
    {"Range: bytes=2-1\r\n", 200, 0, 99},
    {"Range: bytes=0-1,3-4\r\n", 200, 0, 99},
    {"Range: bytes=0-1,\r\n", 200, 0, 99},
    {"Range: bytes= 0-1\r\n", 200, 0, 99},
    {"Range: bytes=0 -1\r\n", 200, 0, 99},
    {"Range: bytes=-\r\n", 200, 0, 99},
    {"Range: bytes=--1\r\n", 200, 0, 99},
    {"Range: bytes=5\r\n", 200, 0, 99},
    {"Range: bytes=\r\n", 200, 0, 99},
    {"Range: bytes\r\n", 200, 0, 99},
    {"Range: lines=0-1\r\n", 200, 0, 99},
    {"Range: bytes=0-1\r\nRange: bytes=0-1\r\n", 200, 0, 99},
    /* If-Range */
    {"Range: bytes=0-0\r\nIf-Range: \"e\"\r\n", 206, 0, 0},
    {"Range: bytes=0-0\r\nIf-Range: W/\"e\"\r\n", 200, 0, 99},
    {"Range: bytes=0-0\r\nIf-Range: \"f\"\r\n", 200, 0, 99},
    {"Range: bytes=0-0\r\nIf-Range: " THEN "\r\n", 206, 0, 0},
    {"Range: bytes=0-0\r\nIf-Range: " LATER "\r\n", 200, 0, 99},
    {"Range: bytes=0-0\r\nIf-Range: \"e\"\r\nIf-Range: \"e\"\r\n", 200, 0, 99},
    {"Range: bytes=100-\r\nIf-Range: \"f\"\r\n", 200, 0, 99},
    /* If-Match */
    {"If-Match: \"e\"\r\n", 200, 0, 99},
    {"If-Match: *\r\n", 200, 0, 99},
    {"If-Match: \"a\", \"e\"\r\n", 200, 0, 99},
    {"If-Match: , \"a,\" ,, \"e\"\r\n", 200, 0, 99},
    {"If-Match: \"a\"\r\nIf-Match: \"e\"\r\n", 200, 0, 99},
    {"If-Match: \"!#~\", \"e\"\r\n", 200, 0, 99},
    {"If-Match: \"a b\", \"e\"\r\n", 412, 0, 0},
    {"If-Match: \"f\"\r\n", 412, 0, 0},
    {"If-Match: W/\"e\"\r\n", 412, 0, 0},
    {"If-Match: e\r\n", 412, 0, 0},
    {"If-Match: \"e\r\n", 412, 0, 0},
    {"If-Match:\r\n", 412, 0, 0},
    {"If-Match: \"a\" \"e\"\r\n", 412, 0, 0},
    {"If-Match: \"a\"; \"e\"\r\n", 412, 0, 0},
    {"If-Match: \"e\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", 200, 0, 99},
    /* If-Unmodified-Since */
    {"If-Unmodified-Since: " THEN "\r\n", 200, 0, 99},
    {"If-Unmodified-Since: " BEFORE "\r\n", 412, 0, 0},
    {"If-Unmodified-Since: yesterday\r\n", 200, 0, 99},
    {"Range: bytes=1-2\r\nIf-Unmodified-Since: " THEN "\r\n", 206, 1, 2},
    {"Range: bytes=1-2\r\nIf-Unmodified-Since: " BEFORE "\r\n", 412, 0, 0},
    /* If-None-Match, before If-Modified-Since and before Range */
    {"If-None-Match: \"e\"\r\n", 304, 0, 0},
    {"If-None-Match: W/\"e\"\r\n", 304, 0, 0},
    {"If-None-Match: \"a\", W/\"e\"\r\n", 304, 0, 0},
    {"If-None-Match: *\r\n", 304, 0, 0},
    {"If-None-Match: \"f\"\r\n", 200, 0, 99},
    {"If-None-Match: e\r\n", 200, 0, 99},
    {"If-None-Match: \"f\"\r\nIf-Modified-Since: " LATER "\r\n", 200, 0, 99},
    {"If-None-Match: \"e\"\r\nRange: bytes=0-0\r\n", 304, 0, 0},
    {"If-Match: \"f\"\r\nIf-None-Match: \"e\"\r\n", 412, 0, 0},
    /* If-Modified-Since */
    {"If-Modified-Since: " THEN "\r\n", 304, 0, 0},
    {"If-Modified-Since: " LATER "\r\n", 304, 0, 0},
    {"If-Modified-Since: " BEFORE "\r\n", 200, 0, 99},
    {"If-Modified-Since: 0\r\n", 200, 0, 99},
    {"If-Modified-Since: " THEN "\r\nIf-Modified-Since: " THEN "\r\n", 200, 0, 99},
};

static void b_conditions_and_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sp_http_answer a = evaluate("GET", rows[i].lines, 100);
        if (a.status != rows[i].status) {
            print_error("row %zu: %s\n", i, rows[i].lines);
        }
        assert_int_equal(a.status, rows[i].status);
        assert_int_equal(a.first, rows[i].first);
        assert_int_equal(a.last, rows[i].last);
        bool has_body = a.status < 300;
        assert_int_equal(a.length, has_body ? a.last - a.first + 1 : 0);
    }
}

static void b_head_has_no_ranges(void **state)
{
    (void)state;
    struct sp_http_answer a = evaluate("HEAD", "Range: bytes=0-0\r\n", 100);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.length, 100);
    assert_int_equal(evaluate("HEAD", "If-None-Match: *\r\n", 100).status, 304);
}

static void b_empty_and_huge(void **state)
{
    (void)state;
    struct sp_http_answer a = evaluate("GET", "Range: bytes=0-0\r\n", 0);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.length, 0);
    assert_int_equal(evaluate("GET", "Range: bytes=-5\r\n", 0).status, 200);
    a = evaluate("GET", "Range: bytes=4639422593-\r\n", 4639422594);
    assert_int_equal(a.status, 206);
    assert_int_equal(a.length, 1);
    a = evaluate("GET", "Range: bytes=0-18446744073709551615\r\n", UINT64_MAX);
    assert_int_equal(a.last, UINT64_MAX - 1);
}

static void b_dates_round_trip(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_s;
        const char *text;
    } dates[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {784111777, THEN},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {4102444799, "Thu, 31 Dec 2099 23:59:59 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        char text[SP_HTTP_DATE_TEXT];
        int64_t back = 0;
        sp_http_date_format(dates[i].unix_s, text);
        assert_string_equal(text, dates[i].text);
        assert_ok(sp_http_date_parse(sp_view_str(text), &back));
        assert_int_equal(back, dates[i].unix_s);
    }
    for (int64_t t = -5000000000; t < 200000000000; t += 86399 * 97) {
        char text[SP_HTTP_DATE_TEXT];
        int64_t back = 0;
        sp_http_date_format(t, text);
        assert_ok(sp_http_date_parse(sp_view_str(text), &back));
        assert_int_equal(back, t);
    }
}

static void f_bad_dates(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "Sun, 06 Nov 1994 08:49:37 GM",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sun, 6  Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:4x:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Wed, 00 Mar 2023 00:00:00 GMT",
        "Mon, 31 Apr 2023 00:00:00 GMT",
        "Sat, 32 Dec 2022 00:00:00 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t out = 7;
        assert_err(sp_http_date_parse(sp_view_str(bad[i]), &out), SP_E_MALFORMED);
        assert_int_equal(out, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_conditions_and_ranges),
        cmocka_unit_test(b_head_has_no_ranges),
        cmocka_unit_test(b_empty_and_huge),
        cmocka_unit_test(b_dates_round_trip),
        cmocka_unit_test(f_bad_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
