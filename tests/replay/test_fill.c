/* Scripted stories against a fill and the gate that follows it. After every event the
 * harness asks how far the file is open, and asserts the one rule of tail-hold: nobody
 * gets the last piece before RECORD(passed). */
#include "unit/unit.h"

#include "core/gate/fill.h"

#include <stdio.h>

enum { HOLD = 1000, THRESHOLD = 5000, SIZE = 10000 };

static const char rules[] =
    "policy test\nfile-size enforce\nfile-sha1 enforce\nfile-sha256 enforce\n";

struct story {
    struct sp_policy *policy;
    struct sp_fill_conf conf;
    struct sp_content_path path;
    struct sp_claim claim;
    struct sp_fill *fill;
    struct sp_fill_got got;
    struct sp_fill_effect effect;
    struct sp_facts *signatures; /* what the inspection finds */
    bool passed;                 /* RECORD(passed) was answered */
    bool whole;                  /* the last answer was */
    uint64_t from;               /* of the last FETCH */
};

static void check_open(struct story *s)
{
    uint64_t open = sp_fill_open(s->fill, s->got.size);
    assert_true(open <= s->got.size);
    if (!s->passed) {
        assert_true(open + HOLD <= s->claim.size || open == 0);
    }
}

static void begin_claim(struct story *s, const struct sp_claim *claim)
{
    *s = (struct story){.conf = {.upstream_name = "head-office",
                                 .upstream_host = "wsus.example:8531",
                                 .release = {true, HOLD, THRESHOLD}},
                        .path = {.ext = "cab"},
                        .claim = *claim};
    assert_ok(sp_facts_new(SP_MIB(1), &s->signatures));
    memset(s->claim.sha1, 1, 20);
    memset(s->claim.sha256, 2, 32);
    assert_ok(sp_policy_parse(sp_view_str(rules), &s->policy, NULL));
    assert_ok(sp_fill_new(&s->conf, s->policy, &s->path, &s->claim, &s->fill));
    assert_true(sp_fill_start(s->fill, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_STAGE);
    assert_true(sp_fill_staged(s->fill, SP_OK, 0, NULL, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_FETCH);
    assert_int_equal(s->effect.from, 0);
    check_open(s);
}

static const struct sp_claim usual = {.size = SIZE, .has_sha256 = true, .ext = "cab"};

static void begin(struct story *s)
{
    begin_claim(s, &usual);
}

static void finish(struct story *s)
{
    sp_fill_free(&s->fill);
    sp_facts_free(&s->signatures);
    sp_policy_free(&s->policy);
}

static enum sp_err give_part(struct story *s, const struct sp_fill_part *part,
                             const char *text)
{
    struct sp_http_response head;
    enum sp_http_refusal refusal;
    size_t used = 0;
    assert_ok(sp_http_response_parse(sp_view_str(text), &head, &used, &refusal));
    s->whole = false;
    enum sp_err e = sp_fill_head(s->fill, &head, part, &s->whole);
    check_open(s);
    return e;
}

/* The answer to a GET for what the last FETCH left to get. */
static enum sp_err give_head(struct story *s, const char *text)
{
    struct sp_fill_part part = {.span = {s->from, s->claim.size}};
    return give_part(s, &part, text);
}

#define HEAD_200 "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nETag: \"a\"\r\n\r\n"
#define HEAD_206(range)                                                                \
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " range "\r\n"               \
    "ETag: \"a\"\r\n\r\n"

static void give_bytes(struct story *s, uint64_t to)
{
    s->got.size = to;
    check_open(s);
}

static void give_inspected(struct story *s, enum sp_err e)
{
    assert_true(
        sp_fill_inspected(s->fill, e, NULL, s->signatures, 1767225600, &s->effect));
    check_open(s);
}

static void give_end(struct story *s, enum sp_err e)
{
    assert_true(sp_fill_fetched(s->fill, e, NULL, &(struct sp_link){.proven = false},
                                &s->got, &s->effect));
    s->from = s->effect.kind == SP_FILL_FETCH ? s->effect.from : s->from;
    check_open(s);
    if (s->effect.kind == SP_FILL_INSPECT) {
        give_inspected(s, SP_OK);
    }
}

static void expect(struct story *s, enum sp_fill_effect_kind kind)
{
    assert_int_equal(s->effect.kind, kind);
}

static void make_good(struct story *s)
{
    memset(s->got.sha1, 1, 20);
    memset(s->got.sha256, 2, 32);
}

static void give_recorded(struct story *s, enum sp_err e)
{
    s->passed = e == SP_OK && s->effect.is_file;
    assert_true(sp_fill_recorded(s->fill, e, 7, NULL, &s->effect));
    check_open(s);
}

static void give_stored(struct story *s, enum sp_err e)
{
    assert_true(sp_fill_stored(s->fill, e, NULL, &s->effect));
    expect(s, SP_FILL_TELL);
    check_open(s);
}

static void expect_open(struct story *s, uint64_t n)
{
    assert_int_equal(sp_fill_open(s->fill, s->got.size), n);
}

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

/* ---- signatures ---- */

static void know(struct story *s, enum sp_fact k, const char *text)
{
    assert_ok(sp_facts_text(s->signatures, k, sp_view_str(text)));
}

/* A fill of a good file up to the inspection, under rules of signatures too. */
static void begin_inspection(struct story *s)
{
    static const char strict[] =
        "policy strict\nfile-sha256 enforce\nfile-signed enforce\n"
        "file-type-agrees enforce\n";
    begin(s);
    sp_fill_free(&s->fill);
    sp_policy_free(&s->policy);
    assert_ok(sp_policy_parse(sp_view_str(strict), &s->policy, NULL));
    assert_ok(sp_fill_new(&s->conf, s->policy, &s->path, &s->claim, &s->fill));
    assert_true(sp_fill_start(s->fill, &s->effect));
    assert_true(sp_fill_staged(s->fill, SP_OK, 0, NULL, &s->effect));
    assert_ok(give_head(s, HEAD_200));
    give_bytes(s, SIZE);
    make_good(s);
    assert_true(sp_fill_fetched(
        s->fill, SP_OK, NULL, &(struct sp_link){.proven = false}, &s->got, &s->effect));
    expect(s, SP_FILL_INSPECT);
    expect_open(s, SIZE - HOLD);
}

static void c_what_signatures_show_is_judged(void **state)
{
    (void)state;
    for (int agrees = 0; agrees < 2; agrees++) {
        struct story s;
        begin_inspection(&s);
        know(&s, SP_FACT_SIGN_CLASS, "hash-only");
        assert_ok(sp_facts_flag(s.signatures, SP_FACT_SIGN_EXTENSION_AGREES, agrees));
        give_inspected(&s, SP_OK);
        expect(&s, SP_FILL_RECORD);
        assert_int_equal(s.effect.is_file, agrees);
        expect_open(&s, SIZE - HOLD);
        give_recorded(&s, SP_OK);
        expect(&s, agrees ? SP_FILL_COMMIT : SP_FILL_QUARANTINE);
        expect_open(&s, agrees ? SIZE : 0);
        if (!agrees) {
            assert_string_equal(s.effect.reason, "file-type-agrees");
        }
        finish(&s);
    }
}

static void f_what_could_not_be_read_is_not_recorded(void **state)
{
    (void)state;
    struct story s;
    begin_inspection(&s);
    give_inspected(&s, SP_E_IO);
    expect(&s, SP_FILL_TELL);
    assert_false(s.effect.good);
    assert_int_equal(s.effect.status, 503);
    expect_open(&s, 0);
    finish(&s);
}

/* count texts of length bytes that take three bytes each in an entry */
static void know_much(struct story *s, enum sp_fact k, int count, size_t length)
{
    char text[513];
    SP_ASSERT(length < sizeof text);
    for (int i = 0; i < count; i++) {
        memset(text, '%', length);
        snprintf(text, sizeof text, "%03d", i);
        text[3] = '%';
        text[length] = 0;
        know(s, k, text);
    }
}

static struct sp_facts *entry_of(struct story *s)
{
    struct sp_facts *f = NULL;
    expect(s, SP_FILL_RECORD);
    assert_true(s->effect.entry.len <= SP_LIMIT_LEDGER_ENTRY);
    assert_ok(sp_facts_decode(s->effect.entry, &f, NULL));
    return f;
}

static void f_an_entry_holds_what_a_file_says_at_most(void **state)
{
    (void)state;
    struct story s;
    begin_inspection(&s);
    uint8_t digest[32] = {0};
    int texts = 0;
    for (enum sp_fact k = SP_FACT_SIGN_FORMAT; k < SP_FACT_SIGN_OMITTED; k++) {
        if (sp_fact_kind(k) == SP_FACT_KIND_TEXT && k != SP_FACT_SIGN_CLASS) {
            know_much(&s, k, 64, 511);
            texts++;
        }
        for (uint8_t i = 0; sp_fact_kind(k) == SP_FACT_KIND_DIGEST && i < 16; i++) {
            digest[0] = i;
            assert_ok(sp_facts_bytes(s.signatures, k, sp_view(digest, 32)));
        }
    }
    know(&s, SP_FACT_SIGN_CLASS, "signed");
    give_inspected(&s, SP_OK);
    assert_false(s.effect.is_file);
    struct sp_facts *entry = entry_of(&s);
    struct sp_fact_value v;
    assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_ERROR), 1);
    assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_SIGNER_SPKI), 16);
    assert_true(sp_facts_get(entry, SP_FACT_SIGN_OMITTED, 0, &v));
    assert_int_equal(v.number, texts * 63);
    sp_facts_free(&entry);
    finish(&s);
}

static void f_nothing_is_left_out_that_fits(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct story s;
        struct sp_fact_value v = {.bytes = SP_VIEW("0123456789")};
        int fit = (int)(3072 / sp_fact_line_max(SP_FACT_SIGN_ERROR, &v));
        begin_inspection(&s);
        know(&s, SP_FACT_SIGN_CLASS, "hash-only");
        assert_ok(sp_facts_flag(s.signatures, SP_FACT_SIGN_EXTENSION_AGREES, true));
        know_much(&s, SP_FACT_SIGN_ERROR, fit + more, 10);
        give_inspected(&s, SP_OK);
        assert_true(s.effect.is_file);
        struct sp_facts *entry = entry_of(&s);
        assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_ERROR), fit);
        assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_OMITTED), more);
        sp_facts_free(&entry);
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
        cmocka_unit_test(c_progress_makes_tries_fresh),
        cmocka_unit_test(f_a_wrong_file_never_opens_its_tail),
        cmocka_unit_test(f_an_unwritable_ledger_opens_nothing),
        cmocka_unit_test(f_what_cannot_be_stored_is_not_opened),
        cmocka_unit_test(f_a_hold_as_large_as_the_file_holds_all),
        cmocka_unit_test(f_another_length_shows_nothing),
        cmocka_unit_test(f_parts_that_do_not_belong_together),
        cmocka_unit_test(b_a_side_transfer_gets_what_it_asks_for),
        cmocka_unit_test(f_a_side_transfer_that_gets_something_else),
        cmocka_unit_test(b_a_fill_goes_on_behind_what_is_left),
        cmocka_unit_test(f_patchwork_accuses_nobody),
        cmocka_unit_test(b_what_is_kept_for_the_next_fill),
        cmocka_unit_test(b_a_resumed_fill_may_come_over_http),
        cmocka_unit_test(f_tries_end),
        cmocka_unit_test(f_what_is_not_tried_again),
        cmocka_unit_test(f_a_web_page_is_named),
        cmocka_unit_test(c_what_signatures_show_is_judged),
        cmocka_unit_test(f_what_could_not_be_read_is_not_recorded),
        cmocka_unit_test(f_an_entry_holds_what_a_file_says_at_most),
        cmocka_unit_test(f_nothing_is_left_out_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
