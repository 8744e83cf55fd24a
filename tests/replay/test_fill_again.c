/* A fill that takes up what is left, that is tried again, or not. */
#include "replay/fill_story.h"

/* ---- what an earlier fill has left ----------------------------------------------- */

static void begin_resumed(struct story *s, uint64_t resumed)
{
    begin(s);
    sp_fill_free(&s->fill);
    assert_ok(sp_fill_new(&s->conf, s->policy, &s->path, &s->claim, &s->fill));
    assert_true(sp_fill_start(s->fill, &s->effect));
    assert_true(sp_fill_staged(s->fill, SP_OK, resumed, NULL, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_FETCH);
    assert_int_equal(s->effect.from, resumed);
    s->from = resumed;
    s->got.size = resumed;
    expect_open(s, 0); /* not before the upstream says that it is the file */
}

static void b_a_fill_goes_on_behind_what_is_left(void **state)
{
    (void)state;
    struct story s;
    begin_resumed(&s, 4000);
    assert_ok(give_head(&s, HEAD_206("4000-9999/10000")));
    expect_open(&s, 4000);
    give_bytes(&s, SIZE);
    make_good(&s);
    give_end(&s, SP_OK);
    expect(&s, SP_FILL_RECORD);
    assert_true(s.effect.is_file);
    finish(&s);
}

static void f_patchwork_accuses_nobody(void **state)
{
    (void)state;
    struct story s;
    begin_resumed(&s, 4000);
    assert_ok(give_head(&s, HEAD_206("4000-9999/10000")));
    give_bytes(&s, SIZE);
    give_end(&s, SP_OK); /* the digests are zero: wrong */
    expect(&s, SP_FILL_TELL);
    assert_false(s.effect.good);
    assert_false(s.effect.keep);
    assert_int_equal(s.effect.status, 503);
    assert_non_null(strstr(s.effect.why->text, "first 4000 bytes"));
    finish(&s);
}

static void b_what_is_kept_for_the_next_fill(void **state)
{
    (void)state;
    static const struct {
        enum sp_err e;
        bool keep;
    } cases[] = {
        {SP_E_UNAVAILABLE, true}, {SP_E_TIMEOUT, true},   {SP_E_TLS, true},
        {SP_E_CANCELLED, true},   {SP_E_PROTOCOL, false}, {SP_E_UNPROVEN, false},
        {SP_E_NOSPACE, false},    {SP_E_NOTFOUND, false}, {SP_E_LIMIT, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        begin_resumed(&s, 4000);
        give_end(&s, cases[i].e);
        expect(&s, SP_FILL_TELL);
        assert_int_equal(s.effect.keep, cases[i].keep);
        finish(&s);
    }
}

static void b_a_resumed_fill_may_come_over_http(void **state)
{
    (void)state;
    struct story s;
    begin_resumed(&s, 4000);
    s.conf.may_use_http = true;
    give_end(&s, SP_E_UNAVAILABLE);
    expect(&s, SP_FILL_FETCH);
    assert_true(s.effect.over_http);
    finish(&s);
}

static void f_tries_end(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    assert_ok(give_head(&s, HEAD_200));
    give_bytes(&s, 100);
    for (unsigned i = 0; i < SP_LIMIT_FILL_TRIES; i++) {
        give_end(&s, i % 2 ? SP_E_CLOSED : SP_E_UNAVAILABLE);
        expect(&s, SP_FILL_FETCH);
        assert_int_equal(s.effect.delay_ms, SP_TIME_FILL_BACK_OFF << i);
    }
    give_end(&s, SP_E_CLOSED);
    expect(&s, SP_FILL_TELL);
    assert_int_equal(s.effect.status, 502);
    finish(&s);
}

static void c_progress_makes_tries_fresh(void **state)
{
    (void)state;
    const struct sp_claim large = {.size = SP_MIB(8), .has_sha256 = true, .ext = "cab"};
    for (uint64_t less = 0; less < 2; less++) {
        struct story s;
        begin_claim(&s, &large);
        for (unsigned i = 1; i <= SP_LIMIT_FILL_TRIES; i++) {
            give_end(&s, SP_E_CLOSED);
        }
        give_bytes(&s, SP_LIMIT_FILL_PROGRESS - less);
        give_end(&s, SP_E_CLOSED);
        expect(&s, less ? SP_FILL_TELL : SP_FILL_FETCH);
        finish(&s);
    }
}

static void f_what_is_not_tried_again(void **state)
{
    (void)state;
    static const enum sp_err errors[] = {SP_E_UNPROVEN, SP_E_CANCELLED, SP_E_PROTOCOL,
                                         SP_E_NOSPACE,  SP_E_IO,        SP_E_LIMIT};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct story s;
        begin(&s);
        assert_ok(give_head(&s, HEAD_200));
        give_bytes(&s, 4000);
        give_end(&s, errors[i]);
        expect(&s, SP_FILL_TELL);
        finish(&s);
    }
    struct story s; /* nothing came yet: the asker had better hear of it */
    begin(&s);
    give_end(&s, SP_E_UNAVAILABLE);
    expect(&s, SP_FILL_TELL);
    finish(&s);
}

static void f_a_web_page_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        enum sp_err e;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n",
         SP_E_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         SP_E_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10000\r\n\r\n",
         SP_OK}, /* the length is the claim's: the digests decide */
        {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\n",
         SP_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        begin(&s);
        assert_int_equal(give_head(&s, cases[i].head), cases[i].e);
        if (cases[i].e != SP_OK) {
            give_end(&s, cases[i].e);
            expect(&s, SP_FILL_TELL);
            assert_non_null(strstr(s.effect.why->text, "web page"));
        }
        finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_progress_makes_tries_fresh),
        cmocka_unit_test(b_a_fill_goes_on_behind_what_is_left),
        cmocka_unit_test(f_patchwork_accuses_nobody),
        cmocka_unit_test(b_what_is_kept_for_the_next_fill),
        cmocka_unit_test(b_a_resumed_fill_may_come_over_http),
        cmocka_unit_test(f_tries_end),
        cmocka_unit_test(f_what_is_not_tried_again),
        cmocka_unit_test(f_a_web_page_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
