/* Scripted stories of a fill: one content file between an upstream and the store. */
#include "unit/unit.h"

#include "core/gate/fill.h"

static const char rules[] = "policy test\nfile-size enforce\nfile-sha1 enforce\n";

struct story {
    struct sp_fill_conf conf;
    struct sp_policy *policy;
    struct sp_content_path path;
    struct sp_claim claim;
    struct sp_fill *fill;
    struct sp_fill_effect effect;
    struct sp_fill_got got;
    struct sp_link link;
};

static void begin(struct story *s, bool may_use_http)
{
    *s = (struct story){
        .conf = {"head-office", "wsus.example:8531", may_use_http},
        .path = {.sha1 = {0x7B}, .ext = "cab"},
        .claim = {.sha1 = {0x7B}, .size = 100},
        .got = {.sha1 = {0x7B}, .size = 100},
        .link = {.tls = "TLSv1.3"},
    };
    assert_ok(sp_policy_parse(sp_view_str(rules), &s->policy, NULL));
    assert_ok(sp_fill_new(&s->conf, s->policy, &s->path, &s->claim, &s->fill));
    assert_true(sp_fill_start(s->fill, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_STAGE);
}

static void finish(struct story *s)
{
    sp_fill_free(&s->fill);
    sp_policy_free(&s->policy);
}

static void give_stage(struct story *s, bool over_http)
{
    assert_true(sp_fill_staged(s->fill, SP_OK, NULL, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_FETCH);
    assert_int_equal(s->effect.over_http, over_http);
}

static void give_fetched(struct story *s, enum sp_err e)
{
    assert_true(
        sp_fill_fetched(s->fill, e, NULL, &s->link, &s->got, 1795305600, &s->effect));
}

static void assert_told(struct story *s, bool good, int status)
{
    assert_int_equal(s->effect.kind, SP_FILL_TELL);
    assert_int_equal(s->effect.good, good);
    assert_int_equal(s->effect.status, status);
    assert_int_equal(sp_fill_station(s->fill), SP_STATION_DONE);
}

static void give_recorded_and_stored(struct story *s)
{
    assert_int_equal(s->effect.kind, SP_FILL_RECORD);
    assert_true(s->effect.is_file);
    assert_true(sp_fill_recorded(s->fill, SP_OK, 4, NULL, &s->effect));
    assert_int_equal(s->effect.kind, SP_FILL_COMMIT);
    assert_true(sp_fill_stored(s->fill, SP_OK, NULL, &s->effect));
    assert_told(s, true, 0);
}

static void b_what_the_claim_says_is_recorded_and_stored(void **state)
{
    (void)state;
    struct story s;
    begin(&s, false);
    give_stage(&s, false);
    give_fetched(&s, SP_OK);
    give_recorded_and_stored(&s);
    finish(&s);
}

/* Part of the file may have come before TLS failed: nothing of it counts. */
static void c_second_attempt_takes_a_new_place(void **state)
{
    (void)state;
    struct story s;
    begin(&s, true);
    give_stage(&s, false);
    give_fetched(&s, SP_E_TIMEOUT);
    assert_int_equal(s.effect.kind, SP_FILL_STAGE);
    give_stage(&s, true);
    give_fetched(&s, SP_OK);
    give_recorded_and_stored(&s);
    finish(&s);
}

static void c_there_is_no_third_attempt(void **state)
{
    (void)state;
    struct story s;
    begin(&s, true);
    give_stage(&s, false);
    give_fetched(&s, SP_E_UNAVAILABLE);
    give_stage(&s, true);
    give_fetched(&s, SP_E_UNAVAILABLE);
    assert_told(&s, false, 502);
    finish(&s);
}

static void f_a_refused_peer_is_not_asked_over_http(void **state)
{
    (void)state;
    struct story s;
    begin(&s, true);
    give_stage(&s, false);
    give_fetched(&s, SP_E_UNPROVEN);
    assert_told(&s, false, 502);
    finish(&s);
}

static void f_another_file_is_refused_and_kept_as_evidence(void **state)
{
    (void)state;
    struct story s;
    begin(&s, false);
    give_stage(&s, false);
    s.got.sha1[0] = 0x7C;
    give_fetched(&s, SP_OK);
    assert_int_equal(s.effect.kind, SP_FILL_RECORD);
    assert_false(s.effect.is_file);
    assert_true(sp_fill_recorded(s.fill, SP_OK, 9, NULL, &s.effect));
    assert_int_equal(s.effect.kind, SP_FILL_QUARANTINE);
    assert_string_equal(s.effect.reason, "file-sha1");
    assert_true(sp_fill_stored(s.fill, SP_OK, NULL, &s.effect));
    assert_told(&s, false, 502);
    assert_non_null(strstr(s.effect.why->text, "ledger entry 9"));
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_what_the_claim_says_is_recorded_and_stored),
        cmocka_unit_test(c_second_attempt_takes_a_new_place),
        cmocka_unit_test(c_there_is_no_third_attempt),
        cmocka_unit_test(f_a_refused_peer_is_not_asked_over_http),
        cmocka_unit_test(f_another_file_is_refused_and_kept_as_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
