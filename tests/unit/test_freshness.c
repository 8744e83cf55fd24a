/* Second Tuesdays and what did not come since, on a scripted clock. */
#include "unit.h"

#include "core/base/text.h"
#include "core/custody/freshness.h"

static int64_t at(const char *text)
{
    int64_t t = 0;
    assert_ok(sp_time_parse(sp_view_str(text), &t));
    return t;
}

static void b_second_tuesdays(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        /* on the day, the second before, across a year, months that begin on a Tuesday
         * and on a Wednesday, leap years and a century without one */
        {"2026-11-10T00:00:00Z", "2026-11-10T00:00:00Z"},
        {"2026-11-09T23:59:59Z", "2026-10-13T00:00:00Z"},
        {"2026-11-30T12:00:00Z", "2026-11-10T00:00:00Z"},
        {"2026-01-01T00:00:00Z", "2025-12-09T00:00:00Z"},
        {"2026-01-13T00:00:00Z", "2026-01-13T00:00:00Z"},
        {"2026-12-08T00:00:00Z", "2026-12-08T00:00:00Z"},
        {"2026-12-07T23:59:59Z", "2026-11-10T00:00:00Z"},
        {"2026-07-14T00:00:00Z", "2026-07-14T00:00:00Z"},
        {"2024-02-29T23:59:59Z", "2024-02-13T00:00:00Z"},
        {"2024-03-11T00:00:00Z", "2024-02-13T00:00:00Z"},
        {"2024-03-12T00:00:00Z", "2024-03-12T00:00:00Z"},
        {"2100-03-08T00:00:00Z", "2100-02-09T00:00:00Z"},
        {"2100-03-09T00:00:00Z", "2100-03-09T00:00:00Z"},
        {"1970-01-01T00:00:00Z", "1969-12-09T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[SP_TIME_TEXT];
        sp_time_format(sp_patch_tuesday(at(rows[i][0])), text);
        assert_string_equal(text, rows[i][1]);
    }
}

static void b_days_one_below_and_one_above(void **state)
{
    (void)state;
    struct sp_freshness f;
    int64_t newest = at("2026-11-11T12:00:00Z");
    sp_freshness_at(newest, 10, newest + 11 * 86400 - 1, &f);
    assert_int_equal(f.days, 10);
    assert_false(f.is_old);
    sp_freshness_at(newest, 10, newest + 11 * 86400, &f);
    assert_int_equal(f.days, 11);
    assert_true(f.is_old);
    assert_false(f.has_missed);
    sp_freshness_at(newest, 0, newest + 4000 * 86400, &f);
    assert_false(f.is_old);
    assert_true(f.has_missed);
    sp_freshness_at(newest, 10, newest - 5, &f); /* a clock that was set back */
    assert_int_equal(f.days, 0);
    assert_false(f.is_old);
}

static void b_a_second_tuesday_that_brought_nothing(void **state)
{
    (void)state;
    struct sp_freshness f;
    int64_t tuesday = at("2026-11-10T00:00:00Z");
    int64_t late = tuesday + SP_FRESHNESS_GRACE_S;
    sp_freshness_at(tuesday - 1, 100, late - 1, &f);
    assert_false(f.has_missed); /* still time, and October brought it */
    sp_freshness_at(tuesday - 1, 100, late, &f);
    assert_true(f.has_missed);
    assert_int_equal(f.missed, tuesday);
    sp_freshness_at(tuesday, 100, late, &f);
    assert_false(f.has_missed);
    assert_int_equal(f.missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_second_tuesdays),
        cmocka_unit_test(b_days_one_below_and_one_above),
        cmocka_unit_test(b_a_second_tuesday_that_brought_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
