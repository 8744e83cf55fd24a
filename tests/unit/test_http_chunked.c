#include "http_text.h"

/* Feeds pieces of step bytes; gives the word and gathers the body and what is left. */
static const char *feed(struct sp_view in, size_t step, struct sp_buf *body,
                        size_t *taken)
{
    struct sp_http_chunked c = {0};
    enum sp_http_refusal why = SP_HTTP_ACCEPTED;
    size_t at = 0;
    while (at < in.len && !c.done) {
        struct sp_view piece = sp_view_slice(in, at, at + step), data;
        size_t used = 0;
        if (sp_http_chunked_feed(&c, piece, &used, &data, &why) != SP_OK) {
            assert_err(sp_http_chunked_feed(&c, SP_VIEW("0"), &used, &data, &why),
                       SP_E_PROTOCOL);
            return sp_http_refusal_name(why);
        }
        assert_true(used > 0 && used <= piece.len);
        assert_ok(sp_buf_append(body, data));
        at += used;
    }
    *taken = at;
    return c.done ? "ACCEPTED" : "AGAIN";
}

static void check(const char *text, const char *says, const char *wanted,
                  size_t wanted_taken)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        struct sp_buf body;
        sp_buf_init(&body, SP_KIB(64));
        size_t taken = wanted_taken;
        const char *word = feed(sp_view_str(text), step, &body, &taken);
        if (strcmp(word, says) != 0) {
            print_error("wanted %s: %s\n", says, text);
        }
        assert_string_equal(word, says);
        assert_int_equal(taken, wanted_taken);
        assert_true(!wanted || sp_view_eq_str(sp_buf_view(&body), wanted));
        sp_buf_fini(&body);
    }
}

static void b_bodies(void **state)
{
    (void)state;
    check("0\r\n\r\n", "ACCEPTED", "", 5);
    check("0000\r\n\r\nGET", "ACCEPTED", "", 8);
    check("5\r\nhello\r\n0\r\n\r\nnext", "ACCEPTED", "hello", 15);
    check("a\r\n0123456789\r\nA\r\nabcdefghij\r\n1\r\n\n\r\n0\r\n\r\n", "ACCEPTED",
          "0123456789abcdefghij\n", 41);
    check("5\r\nhel", "AGAIN", "hel", 6);
    check("3\r\n\r\n0\r\n0\r\n\r\n", "ACCEPTED", "\r\n0", 13);
}

static void f_framing(void **state)
{
    (void)state;
    static const struct http_case refused[] = {
        {"\r\n", "CHUNK_SIZE"},
        {";a\r\n", "CHUNK_SIZE"},
        {" 5\r\n", "CHUNK_SIZE"},
        {"+5\r\n", "CHUNK_SIZE"},
        {"-5\r\n", "CHUNK_SIZE"},
        {"0x5\r\n", "CHUNK_SIZE"},
        {"5_0\r\n", "CHUNK_SIZE"},
        {"g\r\n", "CHUNK_SIZE"},
        {"5;a=b\r\n", "CHUNK_EXTENSION"},
        {"5 \r\n", "CHUNK_EXTENSION"},
        {"5\t\r\n", "CHUNK_EXTENSION"},
        {"5\nhello", "BARE_LF"},
        {"\n", "BARE_LF"},
        {"5\rhello", "BARE_CR"},
        {"1\r\naX", "CHUNK_END"},
        {"1\r\na\n", "CHUNK_END"},
        {"1\r\na\rX", "BARE_CR"},
        {"0\r\nA: b\r\n", "TRAILER"},
        {"0\r\n\n", "TRAILER"},
        {"0\r\n0\r\n", "TRAILER"},
        {"0\r\n\rX", "BARE_CR"},
        {"400000001\r\n", "CHUNK_LIMIT"},
        {"FFFFFFFFFFFFFFFF\r\n", "CHUNK_LIMIT"},
        {"10000000000000001\r\n", "CHUNK_LIMIT"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        check(refused[i].head, refused[i].says, NULL, 0);
    }
}

static void f_limits(void **state)
{
    (void)state;
    check("400000000\r\n", "AGAIN", "", 11);
    /* 30 digits and CRLF are the 32 bytes of SP_LIMIT_CHUNK_LINE */
    check("000000000000000000000000000001\r\na", "AGAIN", "a", 33);
    check("0000000000000000000000000000001\r\na", "CHUNK_LINE_LIMIT", NULL, 0);
    /* the count begins anew with every line */
    check(
        "000000000000000000000000000001\r\na\r\n000000000000000000000000000000\r\n\r\n",
        "ACCEPTED", "a", 69);
}

static void b_done_takes_nothing_more(void **state)
{
    (void)state;
    struct sp_http_chunked c = {0};
    enum sp_http_refusal why;
    struct sp_view data;
    size_t used = 0;
    assert_ok(sp_http_chunked_feed(&c, (struct sp_view){0}, &used, &data, &why));
    assert_int_equal(used, 0);
    assert_ok(sp_http_chunked_feed(&c, SP_VIEW("0\r\n\r\n5\r\n"), &used, &data, &why));
    assert_true(c.done);
    assert_int_equal(used, 5);
    assert_ok(sp_http_chunked_feed(&c, SP_VIEW("5\r\n"), &used, &data, &why));
    assert_int_equal(used, 0);
    assert_int_equal(data.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_bodies),
        cmocka_unit_test(b_done_takes_nothing_more),
        cmocka_unit_test(f_framing),
        cmocka_unit_test(f_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
