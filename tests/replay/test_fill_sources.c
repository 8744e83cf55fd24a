/* Scripted stories of a file that the upstream does not deliver: when a content source
 * is asked, with what, and who is named for what came. */
#include "unit/unit.h"

#include "core/gate/fill.h"

#include <stdio.h>

enum { HOLD = 1000, THRESHOLD = 5000, SIZE = 10000 };

#define HEX "0101010101010101010101010101010101010101"
#define URL "http://cdn.example.net/c/x_" HEX ".cab"

struct story {
    struct sp_policy *policy;
    struct sp_fill_conf conf;
    struct sp_fill *fill;
    struct sp_fill_got got;
    struct sp_fill_effect effect;
    struct sp_facts *signatures;
};

static char pattern[] = "*.example.net";
static char *patterns[] = {pattern};

static void begin_url(struct story *s, bool may_use_http, const char *url)
{
    static const char rules[] =
        "policy test\nfile-size enforce\nfile-sha1 enforce\nfile-sha256 enforce\n";
    struct sp_claim claim = {.size = SIZE, .has_sha256 = true, .ext = "cab"};
    struct sp_content_path path = {.ext = "cab"};
    memset(claim.sha1, 1, 20);
    memset(claim.sha256, 2, 32);
    *s = (struct story){.conf = {.upstream_name = "head-office",
                                 .upstream_host = "wsus.example:8531",
                                 .may_use_http = may_use_http,
                                 .release = {true, HOLD, THRESHOLD},
                                 .sources = {patterns, 1}}};
    assert_ok(sp_facts_new(SP_KIB(64), &s->signatures));
    assert_ok(sp_policy_parse(sp_view_str(rules), &s->policy, NULL));
    assert_ok(sp_fill_new(&s->conf, s->policy, &path, &claim, &s->fill));
    sp_fill_hint(s->fill, sp_view_str(url));
    assert_true(sp_fill_start(s->fill, &s->effect));
    assert_true(sp_fill_staged(s->fill, SP_OK, 0, NULL, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_FETCH);
    assert_null(s->effect.source);
}

static void begin(struct story *s, bool may_use_http)
{
    begin_url(s, may_use_http, URL);
}

static void finish(struct story *s)
{
    sp_fill_free(&s->fill);
    sp_facts_free(&s->signatures);
    sp_policy_free(&s->policy);
}

static enum sp_err give_head(struct story *s, const char *text)
{
    struct sp_http_response head;
    enum sp_http_refusal refusal;
    struct sp_fill_part part = {.span = {s->got.size, SIZE}};
    size_t used = 0;
    bool whole;
    assert_ok(sp_http_response_parse(sp_view_str(text), &head, &used, &refusal));
    return sp_fill_head(s->fill, &head, &part, &whole);
}

static void give_end(struct story *s, enum sp_err e)
{
    assert_true(sp_fill_fetched(s->fill, e, NULL, &(struct sp_link){.proven = false},
                                &s->got, &s->effect));
}

static void give_status(struct story *s, int status)
{
    char text[64];
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status);
    give_end(s, give_head(s, text));
}

static void expect_fetch(struct story *s, bool from_source, bool over_http)
{
    assert_int_equal(s->effect.kind, SP_FILL_FETCH);
    assert_int_equal(s->effect.source != NULL, from_source);
    assert_int_equal(s->effect.over_http, over_http);
    assert_int_equal(s->effect.from, s->got.size);
    if (from_source) {
        assert_string_equal(s->effect.source->host, "cdn.example.net");
        assert_string_equal(s->effect.source->path, "/c/x_" HEX ".cab");
    }
}

static void expect_end(struct story *s, int status, const char *says)
{
    assert_int_equal(s->effect.kind, SP_FILL_TELL);
    assert_false(s->effect.good);
    assert_int_equal(s->effect.status, status);
    if (!strstr(s->effect.why->text, says)) {
        fail_msg("\"%s\" does not say \"%s\"", s->effect.why->text, says);
    }
}

#define HEAD_200 "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nETag: \"a\"\r\n\r\n"
#define HEAD_206(range, tag)                                                           \
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " range "\r\n"               \
    "ETag: \"" tag "\"\r\n\r\n"

static void give_all(struct story *s, bool good)
{
    s->got.size = SIZE;
    memset(s->got.sha1, good ? 1 : 9, 20);
    memset(s->got.sha256, good ? 2 : 9, 32);
    give_end(s, SP_OK);
}

static struct sp_facts *judged(struct story *s)
{
    struct sp_facts *f = NULL;
    assert_int_equal(s->effect.kind, SP_FILL_INSPECT);
    assert_true(
        sp_fill_inspected(s->fill, SP_OK, NULL, s->signatures, 1767225600, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_RECORD);
    assert_ok(sp_facts_decode(s->effect.entry, &f, NULL));
    return f;
}

static void source_is(struct sp_facts *f, const char *host)
{
    struct sp_fact_value v;
    assert_int_equal(sp_facts_count(f, SP_FACT_FILE_SOURCE), host ? 1 : 0);
    if (host) {
        assert_true(sp_facts_get(f, SP_FACT_FILE_SOURCE, 0, &v));
        assert_true(sp_view_eq_str(v.bytes, host));
    }
    assert_true(sp_facts_get(f, SP_FACT_UPSTREAM_HOST, 0, &v));
    assert_true(sp_view_eq_str(v.bytes, "wsus.example:8531"));
    sp_facts_free(&f);
}

static void b_what_the_upstream_does_not_have(void **state)
{
    (void)state;
    struct story s;
    begin(&s, false);
    give_status(&s, 404);
    expect_fetch(&s, true, false);
    assert_non_null(strstr(s.effect.why->text, "does not have this file yet"));
    assert_ok(give_head(&s, HEAD_200));
    give_all(&s, true);
    source_is(judged(&s), "cdn.example.net");
    assert_true(s.effect.is_file);
    assert_string_equal(sp_fill_source(s.fill)->host, "cdn.example.net");
    finish(&s);
}

static void b_the_upstream_is_asked_first(void **state)
{
    (void)state;
    struct story s;
    begin(&s, true);
    assert_ok(give_head(&s, HEAD_200));
    give_all(&s, true);
    source_is(judged(&s), NULL);
    assert_null(sp_fill_source(s.fill));
    finish(&s);
}

/* The upstream's plain port before the source, TLS of the source before its plain port,
 * and plain ports only where they are allowed. */
static void b_the_order(void **state)
{
    (void)state;
    for (int may = 0; may < 2; may++) {
        struct story s;
        begin(&s, may);
        if (may) {
            give_status(&s, 404);
            expect_fetch(&s, false, true);
        }
        give_status(&s, 404);
        expect_fetch(&s, true, false);
        give_status(&s, 403);
        if (may) {
            expect_fetch(&s, true, true);
            give_status(&s, 403);
        }
        expect_end(&s, 404,
                   "And then: The content source cdn.example.net answered 403");
        finish(&s);
    }
}

static void f_what_is_not_gone_around(void **state)
{
    (void)state;
    static const enum sp_err errors[] = {SP_E_UNPROVEN, SP_E_CANCELLED, SP_E_NOSPACE,
                                         SP_E_IO,       SP_E_NOMEM,     SP_E_LIMIT};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct story s;
        begin(&s, true);
        give_end(&s, errors[i]);
        assert_int_equal(s.effect.kind, SP_FILL_TELL);
        finish(&s);
        begin(&s, true); /* nor is a source that is refused asked in the open */
        give_end(&s, SP_E_PROTOCOL);
        expect_fetch(&s, true, false);
        give_end(&s, errors[i]);
        assert_int_equal(s.effect.kind, SP_FILL_TELL);
        finish(&s);
    }
}

static void f_addresses_that_are_not_asked(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "", "http://example.net/x_" HEX ".cab", "http://cdn.example.com/x_" HEX ".cab",
        "http://cdn.example.net/x.cab", "http://u@cdn.example.net/x_" HEX ".cab"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct story s;
        begin_url(&s, false, urls[i]);
        give_status(&s, 404);
        expect_end(&s, 404, "does not have this file yet");
        finish(&s);
    }
}

/* Who went away is tried again first; the source goes on where it stopped, with
 * validators of its own, and fresh tries. */
static void c_a_source_goes_on(void **state)
{
    (void)state;
    struct story s;
    begin(&s, false);
    assert_ok(give_head(&s, HEAD_200));
    s.got.size = 4000;
    for (int i = 0; i < SP_LIMIT_FILL_TRIES; i++) {
        give_end(&s, SP_E_CLOSED);
        expect_fetch(&s, false, false);
    }
    give_end(&s, SP_E_CLOSED);
    expect_fetch(&s, true, false);
    assert_int_equal(s.effect.delay_ms, 0);
    assert_int_equal(sp_fill_open(s.fill, 4000), 4000); /* who reads goes on reading */
    assert_ok(give_head(&s, HEAD_206("4000-9999/10000", "b")));
    s.got.size = 5000;
    give_end(&s, SP_E_CLOSED);
    expect_fetch(&s, true, false);
    assert_int_equal(s.effect.delay_ms, SP_TIME_FILL_BACK_OFF);
    assert_err(give_head(&s, HEAD_206("5000-9999/10000", "c")), SP_E_PROTOCOL);
    give_end(&s, SP_E_PROTOCOL);
    expect_end(&s, 502, "content source cdn.example.net changed this file");
    finish(&s);
}

static void f_wrong_bytes_name_the_source(void **state)
{
    (void)state;
    struct story s;
    begin(&s, false);
    give_status(&s, 404);
    assert_ok(give_head(&s, HEAD_200));
    give_all(&s, false);
    source_is(judged(&s), "cdn.example.net");
    assert_false(s.effect.is_file);
    assert_true(sp_fill_recorded(s.fill, SP_OK, 7, NULL, &s.effect));
    assert_int_equal(s.effect.kind, SP_FILL_QUARANTINE);
    assert_true(sp_fill_stored(s.fill, SP_OK, NULL, &s.effect));
    expect_end(&s, 502, "(ledger entry 7) what came from cdn.example.net");
    finish(&s);
}

/* Of two that sent a part nobody knows who was wrong. */
static void f_a_mixture_accuses_nobody(void **state)
{
    (void)state;
    for (int from_start = 0; from_start < 2; from_start++) {
        struct story s;
        begin(&s, false);
        assert_ok(give_head(&s, HEAD_200)); /* side transfers may have brought some */
        s.got.size = from_start ? 0 : 4000;
        give_end(&s, SP_E_PROTOCOL);
        expect_fetch(&s, true, false);
        assert_ok(
            give_head(&s, from_start ? HEAD_200 : HEAD_206("4000-9999/10000", "b")));
        give_all(&s, false);
        expect_end(&s, 503, "the rest from cdn.example.net");
        assert_false(s.effect.keep);
        assert_int_equal(sp_fill_open(s.fill, SIZE), 0);
        finish(&s);
    }
}

/* What the upstream answered stays what the asker is told. */
static void b_the_status_is_the_upstreams(void **state)
{
    (void)state;
    struct story s;
    begin(&s, false);
    give_status(&s, 404);
    give_end(&s, SP_E_UNAVAILABLE);
    expect_end(&s, 404, "cdn.example.net");
    assert_true(s.effect.keep);
    finish(&s);
    begin(&s, false);
    give_end(&s, SP_E_UNAVAILABLE);
    expect_fetch(&s, true, false);
    give_status(&s, 404);
    expect_end(&s, 502, "cdn.example.net does not have this file (404)");
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_what_the_upstream_does_not_have),
        cmocka_unit_test(b_the_upstream_is_asked_first),
        cmocka_unit_test(b_the_order),
        cmocka_unit_test(b_the_status_is_the_upstreams),
        cmocka_unit_test(c_a_source_goes_on),
        cmocka_unit_test(f_what_is_not_gone_around),
        cmocka_unit_test(f_addresses_that_are_not_asked),
        cmocka_unit_test(f_wrong_bytes_name_the_source),
        cmocka_unit_test(f_a_mixture_accuses_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
