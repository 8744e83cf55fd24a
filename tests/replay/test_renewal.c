/* The offline catalogue's schedule on a scripted clock: what is asked, when, and how.
 */
#include "unit/unit.h"

#include "core/base/limits.h"
#include "core/catalog/renewal.h"

#define HOUR    UINT64_C(3600000)
#define CEILING SP_MIB(100)

struct story {
    struct sp_renewal_part part;
    struct sp_renewal r;
    struct sp_renewal_effect e;
};

static struct story begin(bool has_good)
{
    struct story s = {0};
    sp_renewal_init(&s.r, 24 * HOUR, CEILING, has_good);
    sp_renewal_look(&s.r, &s.e);
    assert_int_equal(s.e.kind, SP_RENEWAL_FETCH);
    assert_int_equal(s.e.delay_ms, 0);
    assert_int_equal(s.e.outcome, SP_RENEWAL_NONE);
    assert_false(s.e.fresh);
    return s;
}

static enum sp_err head(struct story *s, const char *text)
{
    struct sp_http_response h;
    enum sp_http_refusal refusal;
    size_t used = 0;
    sp_renewal_begun(&s->r, &s->part);
    assert_ok(sp_http_response_parse(sp_view_str(text), &h, &used, &refusal));
    return sp_renewal_head(&s->r, &h);
}

static void answer(struct story *s, const char *text)
{
    enum sp_err e = head(s, text);
    sp_renewal_fetched(&s->r, e, NULL, &s->e);
}

static void prove(struct story *s, bool good, bool is_same)
{
    struct sp_catalog_ruling ruling = {.good = good};
    assert_int_equal(s->e.kind, SP_RENEWAL_PROVE);
    if (!good) {
        sp_why_say(&ruling.why, "it is bad");
    }
    sp_renewal_proved(&s->r, SP_OK, NULL, &ruling, is_same, &s->e);
}

static void expect(const struct story *s, enum sp_renewal_outcome outcome,
                   uint64_t delay_ms, bool conditional, bool fresh)
{
    assert_int_equal(s->e.kind, SP_RENEWAL_FETCH);
    assert_int_equal(s->e.outcome, outcome);
    assert_int_equal(s->e.delay_ms, delay_ms);
    assert_int_equal(s->e.conditional, conditional);
    assert_int_equal(s->e.fresh, fresh);
}

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

static void b_first_one(void **state)
{
    (void)state;
    struct story s = begin(false);
    assert_false(s.e.conditional);
    answer(&s, GOOD);
    assert_int_equal(s.r.size, 1000);
    prove(&s, true, false);
    assert_int_equal(s.e.kind, SP_RENEWAL_COMMIT);
    sp_renewal_committed(&s.r, SP_OK, NULL, &s.e);
    expect(&s, SP_RENEWAL_NEW, 24 * HOUR, true, false);
}

static void b_unchanged(void **state)
{
    (void)state;
    struct story s = begin(true);
    assert_true(s.e.conditional);
    answer(&s, "HTTP/1.1 304 Not Modified\r\n\r\n");
    expect(&s, SP_RENEWAL_SAME, 24 * HOUR, true, false);
    answer(&s, GOOD);
    prove(&s, true, true);
    expect(&s, SP_RENEWAL_SAME, 24 * HOUR, true, false);
}

/* What was asked without a condition may not be answered by 304. */
static void b_unchanged_from_nothing(void **state)
{
    (void)state;
    struct story s = begin(false);
    answer(&s, "HTTP/1.1 304 Not Modified\r\n\r\n");
    expect(&s, SP_RENEWAL_FAILED, SP_RENEWAL_SOON, false, true);
}

static void c_waits_grow(void **state)
{
    (void)state;
    static const uint64_t waits[] = {SP_RENEWAL_SOON,      SP_RENEWAL_LATER,
                                     2 * SP_RENEWAL_LATER, 4 * SP_RENEWAL_LATER,
                                     8 * SP_RENEWAL_LATER, 16 * SP_RENEWAL_LATER};
    struct story s = begin(true);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        if (i % 2) {
            answer(&s, GOOD);
            prove(&s, false, false);
            expect(&s, SP_RENEWAL_REFUSED, waits[i], true, true);
            assert_string_equal(s.e.why.text, "it is bad");
        } else {
            answer(&s, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
            expect(&s, SP_RENEWAL_FAILED, waits[i], true, true);
            assert_string_equal(s.e.why.text, "the source answered 500");
        }
    }
    for (int i = 0; i < 100; i++) {
        answer(&s, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    }
    expect(&s, SP_RENEWAL_FAILED, 24 * HOUR, true, true);
    answer(&s, "HTTP/1.1 304 Not Modified\r\n\r\n");
    expect(&s, SP_RENEWAL_SAME, 24 * HOUR, true, false); /* and all is forgotten */
    answer(&s, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    expect(&s, SP_RENEWAL_FAILED, SP_RENEWAL_SOON, true, true);
}

static void c_failures_on_our_side(void **state)
{
    (void)state;
    struct story s = begin(false);
    struct sp_why why = {0};
    sp_why_say(&why, "the disk is full");
    answer(&s, GOOD);
    sp_renewal_proved(&s.r, SP_E_NOSPACE, &why, &(struct sp_catalog_ruling){0}, false,
                      &s.e);
    expect(&s, SP_RENEWAL_FAILED, SP_RENEWAL_SOON, false, true);
    assert_string_equal(s.e.why.text, "the disk is full");
    answer(&s, GOOD);
    prove(&s, true, false);
    sp_renewal_committed(&s.r, SP_E_NOSPACE, &why, &s.e);
    expect(&s, SP_RENEWAL_FAILED, SP_RENEWAL_LATER, false, true);
    sp_renewal_begun(&s.r, &s.part);
    sp_renewal_fetched(&s.r, SP_E_TIMEOUT, NULL, &s.e);
    expect(&s, SP_RENEWAL_FAILED, 2 * SP_RENEWAL_LATER, false, true);
    assert_string_equal(s.e.why.text, sp_err_text(SP_E_TIMEOUT));
}

/* Damaged: the next ask is unconditional, and the very same bytes are committed again.
 */
static void c_lost(void **state)
{
    (void)state;
    struct story s = begin(true);
    sp_renewal_lost(&s.r);
    sp_renewal_look(&s.r, &s.e);
    assert_false(s.e.conditional);
    answer(&s, GOOD);
    prove(&s, true, true);
    assert_int_equal(s.e.kind, SP_RENEWAL_COMMIT);
}

static void f_heads(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why; /* NULL: it is taken */
    } cases[] = {
        {GOOD, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 104857601\r\n\r\n", "max_mib"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "no length"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "no length"},
        {"HTTP/1.1 206 Partial\r\nContent-Length: 9\r\n\r\n", "answered 206"},
        {"HTTP/1.1 302 Found\r\nContent-Length: 9\r\n\r\n", "answered 302"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n",
         "encoded"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: identity\r\n\r\n",
         NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: TEXT/html; a=b\r\n\r\n",
         "web page"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: text/plain\r\n\r\n",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct story s = begin(true);
        enum sp_err e = head(&s, cases[i].text);
        assert_int_equal(e == SP_OK, cases[i].why == NULL);
        if (cases[i].why && !strstr(s.r.why.text, cases[i].why)) {
            fail_msg("%s: %s", cases[i].text, s.r.why.text);
        }
    }
}

/* ---- the rest of a download that broke off --------------------------------------- */

#define REST(range, etag, length, more)                                                \
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " range "\r\nETag: " etag    \
    "\r\nContent-Length: " length "\r\n" more "\r\n"

static struct story resuming(void)
{
    struct story s = begin(false);
    s.part = (struct sp_renewal_part){.from = 400, .size = 1000, .etag = "\"a\""};
    return s;
}

static void b_the_rest_comes(void **state)
{
    (void)state;
    struct story s = resuming();
    answer(&s, REST("400-999/1000", "\"a\"", "600", ""));
    assert_int_equal(s.r.size, 1000);
    assert_false(s.r.part_is_bad);
    prove(&s, true, false);
}

static void f_another_part_than_the_rest(void **state)
{
    (void)state;
    static const char *const bad[] = {
        REST("399-999/1000", "\"a\"", "601", ""),
        REST("401-999/1000", "\"a\"", "599", ""),
        REST("400-998/1000", "\"a\"", "599", ""),
        REST("400-999/1001", "\"a\"", "600", ""),
        REST("400-999/*", "\"a\"", "600", ""),
        REST("400-999/1000", "\"b\"", "600", ""),
        REST("400-999/1000", "W/\"a\"", "600", ""),
        REST("400-999/1000", "\"a\"", "599", ""),
        REST("400-999/1000", "\"a\"", "600", "Content-Encoding: gzip\r\n"),
        REST("400-999/1000", "\"a\"", "600", "Content-Type: text/html\r\n"),
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 600\r\n\r\n",
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct story s = resuming();
        answer(&s, bad[i]);
        expect(&s, SP_RENEWAL_FAILED, SP_RENEWAL_SOON, false, true);
        assert_true(s.r.part_is_bad);
    }
}

/* Nobody asked for a part. */
static void f_a_part_unasked(void **state)
{
    (void)state;
    struct story s = begin(false);
    answer(&s, REST("0-999/1000", "\"a\"", "1000", ""));
    expect(&s, SP_RENEWAL_FAILED, SP_RENEWAL_SOON, false, true);
    assert_false(s.r.part_is_bad);
}

/* It changed at the source, or the source is out of order: the part may still be good.
 */
static void c_all_of_it_or_nothing_comes(void **state)
{
    (void)state;
    struct story s = resuming();
    answer(&s, GOOD);
    assert_int_equal(s.r.size, 1000);
    prove(&s, true, false);
    s = resuming();
    answer(&s, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    expect(&s, SP_RENEWAL_FAILED, SP_RENEWAL_SOON, false, true);
    assert_false(s.r.part_is_bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_first_one),
        cmocka_unit_test(b_unchanged),
        cmocka_unit_test(b_unchanged_from_nothing),
        cmocka_unit_test(c_waits_grow),
        cmocka_unit_test(c_failures_on_our_side),
        cmocka_unit_test(c_lost),
        cmocka_unit_test(f_heads),
        cmocka_unit_test(b_the_rest_comes),
        cmocka_unit_test(f_another_part_than_the_rest),
        cmocka_unit_test(f_a_part_unasked),
        cmocka_unit_test(c_all_of_it_or_nothing_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
