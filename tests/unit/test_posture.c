/* The posture machine on a scripted clock, row by row of what NAP taught (S18 to S22).
 */
#include "unit.h"

#include "core/custody/posture.h"

#define BAD  SP_REASON_BIT(LEDGER_DAMAGED)
#define DARK SP_REASON_BIT(UNREACHABLE)

/* Brings p to the end of a pass that found reasons and saw seen. */
static bool pass(struct sp_posture *p, unsigned reasons, uint64_t seen, int64_t now)
{
    assert_int_equal(sp_posture_tick(p, now), SP_LOOK_PASS);
    return sp_posture_passed(p, reasons, seen, now);
}

static void b_reasons_and_what_they_come_to(void **state)
{
    (void)state;
    assert_int_equal(sp_posture_of(0), SP_POSTURE_CONFORMING);
    assert_int_equal(sp_posture_of(DARK), SP_POSTURE_UNKNOWN);
    assert_int_equal(sp_posture_of(BAD), SP_POSTURE_FAILING);
    assert_int_equal(sp_posture_of(BAD | DARK), SP_POSTURE_FAILING);
    assert_int_equal(sp_posture_of(SP_REASON_BIT(UNPROVEN)), SP_POSTURE_FAILING);
    assert_int_equal(sp_posture_of(SP_REASON_BIT(TIER_BROKEN)), SP_POSTURE_FAILING);
    assert_int_equal(sp_posture_of(SP_REASON_BIT(TIER_SILENT)), SP_POSTURE_UNKNOWN);
    assert_int_equal(sp_posture_of(SP_REASON_BIT(FROZEN)), SP_POSTURE_FAILING);
    assert_int_equal(sp_posture_of(SP_REASON_BIT(WITNESS_CONTRADICTS)),
                     SP_POSTURE_FAILING);
    assert_string_equal(sp_posture_text(SP_POSTURE_UNKNOWN), "unknown");
    assert_string_equal(sp_posture_text(SP_POSTURE_CONFORMING), "conforming");
    assert_string_equal(sp_posture_text(SP_POSTURE_FAILING), "non-conforming");
    for (enum sp_reason r = 0; r < SP_REASON_COUNT; r++) {
        assert_true(sp_reason_text(r)[0] && sp_reason_help(r)[0]);
    }
}

/* S18: the verdict is pulled: looking at it starts nothing and changes nothing. */
static void s18_a_verdict_is_pulled(void **state)
{
    (void)state;
    struct sp_posture p, before;
    sp_posture_start(&p, 60, 100);
    assert_int_equal(p.state, SP_POSTURE_UNKNOWN);
    pass(&p, 0, 1, 100);
    before = p;
    for (int64_t now = 100; now < 100 + 3600; now += 60) {
        assert_int_equal(sp_posture_tick(&p, now), SP_LOOK_NONE);
    }
    assert_memory_equal(&p, &before, sizeof p);
}

/* S19: default, least and most; one below and one above is clamped. */
static void s19_the_interval_is_clamped(void **state)
{
    (void)state;
    static const struct {
        unsigned wanted, standard, slow;
    } rows[] = {
        {0, 60, 1320},     {1, 3, 30},        {2, 3, 30},
        {3, 3, 30},        {4, 4, 30},        {29, 29, 30},
        {30, 30, 30},      {31, 31, 31},      {299, 299, 299},
        {300, 300, 300},   {301, 300, 301},   {4319, 300, 4319},
        {4320, 300, 4320}, {4321, 300, 4320}, {UINT32_MAX, 300, 4320},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(sp_posture_minutes(&sp_posture_standard, rows[i].wanted),
                         rows[i].standard);
        assert_int_equal(sp_posture_minutes(&sp_posture_long, rows[i].wanted),
                         rows[i].slow);
    }
}

static void s19_the_interval_is_kept_while_conforming(void **state)
{
    (void)state;
    struct sp_posture p;
    sp_posture_start(&p, 3, 0);
    pass(&p, 0, 1, 0);
    assert_int_equal(sp_posture_tick(&p, 179), SP_LOOK_NONE);
    assert_int_equal(sp_posture_tick(&p, 180), SP_LOOK_PASS);
    assert_false(sp_posture_passed(&p, 0, 9, 200));
    assert_int_equal(p.since, 0);
    sp_posture_set_minutes(&p, 4);
    pass(&p, 0, 1, 380); /* the one that was planned */
    assert_int_equal(sp_posture_tick(&p, 380 + 239), SP_LOOK_NONE);
    assert_int_equal(sp_posture_tick(&p, 380 + 240), SP_LOOK_PASS);
}

/* S20: a full pass always runs at the start, and only one at a time. */
static void s20_a_start_always_begins_with_a_pass(void **state)
{
    (void)state;
    struct sp_posture p;
    sp_posture_start(&p, 300, 7);
    assert_int_equal(sp_posture_tick(&p, 7), SP_LOOK_PASS);
    assert_int_equal(sp_posture_tick(&p, 7), SP_LOOK_NONE);
    assert_int_equal(sp_posture_tick(&p, 100000), SP_LOOK_NONE);
    assert_int_equal(p.state, SP_POSTURE_UNKNOWN);
    assert_true(sp_posture_passed(&p, 0, 1, 100000));
    assert_int_equal(p.state, SP_POSTURE_CONFORMING);
    assert_int_equal(p.since, 100000);
}

/* S21: non-conforming: no full pass however long, a probe every 15 s, and a pass at
 * once when a probe sees something else. */
static void s21_a_failing_one_is_only_probed(void **state)
{
    (void)state;
    struct sp_posture p;
    int64_t now = 1000;
    sp_posture_start(&p, 3, now);
    assert_true(pass(&p, BAD, 5, now));
    assert_int_equal(p.state, SP_POSTURE_FAILING);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sp_posture_tick(&p, now + SP_POSTURE_PROBE_S - 1),
                         SP_LOOK_NONE);
        now += SP_POSTURE_PROBE_S;
        assert_int_equal(sp_posture_tick(&p, now), SP_LOOK_PROBE);
        sp_posture_probed(&p, 5, now);
    }
    now += SP_POSTURE_PROBE_S;
    assert_int_equal(sp_posture_tick(&p, now), SP_LOOK_PROBE);
    sp_posture_probed(&p, 6, now);
    assert_int_equal(p.state, SP_POSTURE_FAILING); /* a probe never acquits */
    assert_true(pass(&p, 0, 6, now));
    assert_int_equal(p.state, SP_POSTURE_CONFORMING);
    assert_int_equal(p.due, SP_LOOK_PASS);
    assert_int_equal(p.next, now + 180);
}

static void s21_a_change_that_mends_nothing_is_probed_on(void **state)
{
    (void)state;
    struct sp_posture p;
    sp_posture_start(&p, 60, 0);
    pass(&p, BAD, 1, 0);
    assert_int_equal(sp_posture_tick(&p, 15), SP_LOOK_PROBE);
    sp_posture_probed(&p, 2, 15);
    assert_false(pass(&p, BAD, 2, 16));
    assert_int_equal(p.since, 0);
    assert_int_equal(sp_posture_tick(&p, 30), SP_LOOK_NONE);
    assert_int_equal(sp_posture_tick(&p, 31), SP_LOOK_PROBE);
}

static void s21_an_unknown_one_recovers_in_the_same_way(void **state)
{
    (void)state;
    struct sp_posture p;
    sp_posture_start(&p, 300, 0);
    assert_true(pass(&p, DARK, 77, 0)); /* there are reasons now */
    assert_int_equal(p.state, SP_POSTURE_UNKNOWN);
    assert_int_equal(sp_posture_tick(&p, 15), SP_LOOK_PROBE);
    sp_posture_probed(&p, 78, 17);
    assert_true(pass(&p, 0, 78, 17)); /* seconds, not hours */
    assert_int_equal(p.state, SP_POSTURE_CONFORMING);
}

static void s21_other_reasons_are_a_change(void **state)
{
    (void)state;
    struct sp_posture p;
    sp_posture_start(&p, 60, 0);
    assert_true(pass(&p, BAD, 1, 0));
    sp_posture_recheck(&p, 5);
    assert_true(pass(&p, BAD | DARK, 1, 5));
    assert_int_equal(p.since, 5);
}

/* S22: recheck: at once when idle, right behind when busy, and one of several is
 * enough. */
static void s22_recheck_asks_for_a_pass(void **state)
{
    (void)state;
    struct sp_posture p;
    sp_posture_start(&p, 60, 0);
    sp_posture_recheck(&p, 0);
    pass(&p, 0, 1, 0);
    assert_int_equal(sp_posture_tick(&p, 10), SP_LOOK_NONE);
    sp_posture_recheck(&p, 10);
    assert_int_equal(sp_posture_tick(&p, 10), SP_LOOK_PASS);
    sp_posture_recheck(&p, 11);
    sp_posture_recheck(&p, 12);
    assert_int_equal(sp_posture_tick(&p, 12), SP_LOOK_NONE);
    sp_posture_passed(&p, 0, 1, 13);
    pass(&p, 0, 1, 13);
    assert_int_equal(sp_posture_tick(&p, 14), SP_LOOK_NONE);
    assert_int_equal(p.next, 13 + 3600);
}

static void s22_recheck_while_a_probe_runs(void **state)
{
    (void)state;
    struct sp_posture p;
    sp_posture_start(&p, 60, 0);
    pass(&p, BAD, 1, 0);
    assert_int_equal(sp_posture_tick(&p, 15), SP_LOOK_PROBE);
    sp_posture_recheck(&p, 15);
    sp_posture_probed(&p, 1, 16);
    assert_true(pass(&p, 0, 1, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_reasons_and_what_they_come_to),
        cmocka_unit_test(s18_a_verdict_is_pulled),
        cmocka_unit_test(s19_the_interval_is_clamped),
        cmocka_unit_test(s19_the_interval_is_kept_while_conforming),
        cmocka_unit_test(s20_a_start_always_begins_with_a_pass),
        cmocka_unit_test(s21_a_failing_one_is_only_probed),
        cmocka_unit_test(s21_a_change_that_mends_nothing_is_probed_on),
        cmocka_unit_test(s21_an_unknown_one_recovers_in_the_same_way),
        cmocka_unit_test(s21_other_reasons_are_a_change),
        cmocka_unit_test(s22_recheck_asks_for_a_pass),
        cmocka_unit_test(s22_recheck_while_a_probe_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
