/* A fill from its upstream: what flows before the verdict, and what never does. */
#include "replay/fill_story.h"

static void b_bytes_flow_but_for_the_tail(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    expect_open(&s, 0);
    assert_ok(give_head(&s, HEAD_200));
    assert_int_equal(sp_fill_hold_at(s.fill), SIZE - HOLD);
    static const uint64_t steps[] = {1,           5000,     SIZE - HOLD - 1,
                                     SIZE - HOLD, SIZE - 1, SIZE};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        give_bytes(&s, steps[i]);
        expect_open(&s, steps[i] < SIZE - HOLD ? steps[i] : SIZE - HOLD);
    }
    make_good(&s);
    give_end(&s, SP_OK);
    expect(&s, SP_FILL_RECORD);
    expect_open(&s, SIZE - HOLD);
    give_recorded(&s, SP_OK);
    expect(&s, SP_FILL_COMMIT);
    give_stored(&s, SP_OK);
    assert_true(s.effect.good);
    expect_open(&s, SIZE);
    finish(&s);
}

static void f_a_wrong_file_never_opens_its_tail(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    assert_ok(give_head(&s, HEAD_200));
    give_bytes(&s, SIZE);
    give_end(&s, SP_OK); /* the digests are zero: wrong */
    expect(&s, SP_FILL_RECORD);
    assert_false(s.effect.is_file);
    give_recorded(&s, SP_OK);
    expect(&s, SP_FILL_QUARANTINE);
    expect_open(&s, 0);
    give_stored(&s, SP_OK);
    assert_false(s.effect.good);
    assert_int_equal(s.effect.status, 502);
    expect_open(&s, 0);
    finish(&s);
}

static void f_an_unwritable_ledger_opens_nothing(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    assert_ok(give_head(&s, HEAD_200));
    give_bytes(&s, SIZE);
    make_good(&s);
    give_end(&s, SP_OK);
    give_recorded(&s, SP_E_IO);
    expect(&s, SP_FILL_TELL);
    assert_false(s.effect.good);
    expect_open(&s, 0);
    finish(&s);
}

static void f_what_cannot_be_stored_is_not_opened(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    assert_ok(give_head(&s, HEAD_200));
    give_bytes(&s, SIZE);
    make_good(&s);
    give_end(&s, SP_OK);
    give_recorded(&s, SP_OK);
    give_stored(&s, SP_E_IO);
    assert_false(s.effect.good);
    expect_open(&s, 0);
    finish(&s);
}

static void b_who_waits_for_the_verdict(void **state)
{
    (void)state;
    static const struct {
        struct sp_claim claim;
        bool tail_hold, grows;
    } cases[] = {
        {{.size = SIZE, .has_sha256 = true, .ext = "cab"}, true, true},
        {{.size = SIZE, .has_sha256 = true, .ext = "cab"}, false, false},
        {{.size = SIZE, .has_sha256 = false, .ext = "cab"}, true, false},
        {{.size = SIZE, .has_sha256 = true, .ext = "psf"}, true, false},
        {{.size = SIZE, .has_sha256 = true, .ext = "esd"}, true, false},
        {{.size = SIZE, .has_sha256 = true, .ext = "wim"}, true, false},
        {{.size = SIZE, .has_sha256 = true, .ext = "psfx"}, true, true},
        {{.size = SIZE, .has_sha256 = true, .ext = ""}, true, true},
        {{.size = THRESHOLD, .has_sha256 = true, .ext = "exe"}, true, true},
        {{.size = THRESHOLD - 1, .has_sha256 = true, .ext = "exe"}, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        char head[96];
        begin_claim(&s, &cases[i].claim);
        s.conf.release.tail_hold = cases[i].tail_hold;
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
                 (unsigned long long)cases[i].claim.size);
        assert_int_equal(sp_fill_hold_at(s.fill), 0); /* nobody knows the file yet */
        assert_ok(give_head(&s, head));
        assert_int_equal(sp_fill_hold_at(s.fill) != 0, cases[i].grows);
        finish(&s);
    }
}

static void f_a_hold_as_large_as_the_file_holds_all(void **state)
{
    (void)state;
    for (uint64_t hold = SIZE - 1; hold <= SIZE + 1; hold++) {
        struct story s;
        begin(&s);
        s.conf.release.hold = hold;
        assert_ok(give_head(&s, HEAD_200));
        assert_int_equal(sp_fill_hold_at(s.fill), hold < SIZE ? 1 : 0);
        finish(&s);
    }
}

static void f_another_length_shows_nothing(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    assert_ok(give_head(&s, "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"));
    assert_int_equal(sp_fill_hold_at(s.fill), 0);
    finish(&s);
}

static void c_a_broken_transfer_is_taken_up(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    assert_ok(give_head(&s, HEAD_200));
    give_bytes(&s, 4000);
    give_end(&s, SP_E_CLOSED);
    expect(&s, SP_FILL_FETCH);
    assert_int_equal(s.effect.from, 4000);
    assert_int_equal(s.effect.delay_ms, SP_TIME_FILL_BACK_OFF);
    expect_open(&s, 4000); /* who reads goes on reading */
    assert_ok(give_head(&s, HEAD_206("4000-9999/10000")));
    assert_false(s.whole);
    give_bytes(&s, SIZE);
    make_good(&s);
    give_end(&s, SP_OK);
    expect(&s, SP_FILL_RECORD);
    assert_true(s.effect.is_file);
    finish(&s);
}

static void c_an_upstream_without_ranges_is_skipped_through(void **state)
{
    (void)state;
    struct story s;
    begin(&s);
    assert_ok(give_head(&s, HEAD_200));
    give_bytes(&s, 4000);
    give_end(&s, SP_E_TIMEOUT);
    expect(&s, SP_FILL_FETCH);
    assert_ok(give_head(&s, HEAD_200));
    assert_true(s.whole);
    finish(&s);
}

static void f_parts_that_do_not_belong_together(void **state)
{
    (void)state;
    static const struct {
        const char *head, *says;
    } cases[] = {
        {HEAD_206("0-9999/10000"), "another part"},
        {HEAD_206("4000-9998/10000"), "another part"},
        {HEAD_206("4000-9999/10001"), "another part"},
        {HEAD_206("4000-9999/*"), "another part"},
        {"HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Length: 1\r\n\r\n",
         "another part"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4000-9999/10000\r\n"
         "Content-Length: 5999\r\nETag: \"a\"\r\n\r\n",
         "another part"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4000-9999/10000\r\n"
         "ETag: \"b\"\r\n\r\n",
         "changed this file"},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4000-9999/10000\r\n"
         "ETag: \"a\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
         "changed this file"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\nETag: \"a\"\r\n\r\n",
         "changed the length"},
        {"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n",
         "416 where 206"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        begin(&s);
        assert_ok(give_head(&s, HEAD_200));
        give_bytes(&s, 4000);
        give_end(&s, SP_E_CLOSED);
        assert_int_equal(give_head(&s, cases[i].head), SP_E_PROTOCOL);
        give_end(&s, SP_E_PROTOCOL);
        expect(&s, SP_FILL_TELL);
        assert_false(s.effect.good);
        assert_non_null(strstr(s.effect.why->text, cases[i].says));
        expect_open(&s, 0);
        finish(&s);
    }
}

/* ---- beside the trunk ------------------------------------------------------------ */

static void b_a_side_transfer_gets_what_it_asks_for(void **state)
{
    (void)state;
    struct story s;
    struct sp_fill_part side = {.span = {6000, 8000}, .is_side = true};
    begin(&s);
    assert_ok(give_head(&s, HEAD_200));
    assert_ok(give_part(&s, &side, HEAD_206("6000-7999/10000")));
    assert_false(s.whole);
    finish(&s);
}

static void f_a_side_transfer_that_gets_something_else(void **state)
{
    (void)state;
    static const struct {
        const char *head, *says;
        enum sp_err e;
    } cases[] = {
        {HEAD_200, "200 and the whole file", SP_E_UNSUPPORTED},
        {HEAD_206("6000-9999/10000"), "another part", SP_E_PROTOCOL},
        {HEAD_206("6000-7999/10001"), "another part", SP_E_PROTOCOL},
        {HEAD_206("5999-7998/10000"), "another part", SP_E_PROTOCOL},
        {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 6000-7999/10000\r\n"
         "ETag: \"b\"\r\n\r\n",
         "changed this file", SP_E_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\nETag: \"a\"\r\n\r\n",
         "changed the length", SP_E_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n",
         "web page", SP_E_PROTOCOL},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
         "does not have this file", SP_E_NOTFOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        struct sp_fill_part side = {.span = {6000, 8000}, .is_side = true};
        struct sp_why why = {0};
        begin(&s);
        assert_ok(give_head(&s, HEAD_200));
        give_bytes(&s, 4000);
        assert_int_equal(give_part(&s, &side, cases[i].head), cases[i].e);
        sp_fill_excuse(s.fill, &why);
        assert_non_null(strstr(why.text, cases[i].says));
        expect_open(&s, 4000); /* the fill is none the worse for it */
        give_bytes(&s, SIZE);
        make_good(&s);
        give_end(&s, SP_OK);
        expect(&s, SP_FILL_RECORD);
        assert_true(s.effect.is_file);
        finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_bytes_flow_but_for_the_tail),
        cmocka_unit_test(b_who_waits_for_the_verdict),
        cmocka_unit_test(c_a_broken_transfer_is_taken_up),
        cmocka_unit_test(c_an_upstream_without_ranges_is_skipped_through),
        cmocka_unit_test(f_a_wrong_file_never_opens_its_tail),
        cmocka_unit_test(f_an_unwritable_ledger_opens_nothing),
        cmocka_unit_test(f_what_cannot_be_stored_is_not_opened),
        cmocka_unit_test(f_a_hold_as_large_as_the_file_holds_all),
        cmocka_unit_test(f_another_length_shows_nothing),
        cmocka_unit_test(f_parts_that_do_not_belong_together),
        cmocka_unit_test(b_a_side_transfer_gets_what_it_asks_for),
        cmocka_unit_test(f_a_side_transfer_that_gets_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
