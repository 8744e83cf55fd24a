#include "unit.h"

#include "core/base/limits.h"
#include "core/custody/ahead.h"

/* ---- when ------------------------------------------------------------------------ */

static struct sp_ahead_window window(const char *text)
{
    struct sp_ahead_window w = {0};
    assert_ok(sp_ahead_window_parse(sp_view_str(text), &w));
    return w;
}

static void b_windows(void **state)
{
    (void)state;
    struct sp_ahead_window day = window("08:00-17:30"), night = window("22:00-05:00");
    struct sp_ahead_window all = window(""), same = window("12:00-12:00");
    assert_false(sp_ahead_window_is_open(&day, 479));
    assert_true(sp_ahead_window_is_open(&day, 480));
    assert_true(sp_ahead_window_is_open(&day, 1049));
    assert_false(sp_ahead_window_is_open(&day, 1050));
    assert_true(sp_ahead_window_is_open(&night, 1320));
    assert_true(sp_ahead_window_is_open(&night, 1439));
    assert_true(sp_ahead_window_is_open(&night, 0));
    assert_true(sp_ahead_window_is_open(&night, 299));
    assert_false(sp_ahead_window_is_open(&night, 300));
    assert_false(sp_ahead_window_is_open(&night, 1319));
    assert_true(sp_ahead_window_is_open(&all, 0));
    assert_true(sp_ahead_window_is_open(&same, 1439));
}

static void b_windows_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "22:00",        "22:00-",      "22:00-5:00",   "24:00-05:00",
        "22:60-05:00",  "22.00-05:00", "22:00 05:00",  "2a:00-05:00",
        "22:00-05:000", "-1:00-05:00", " 2:00-05:00 ", "22:00-05:00 ",
    };
    struct sp_ahead_window w;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_err(sp_ahead_window_parse(sp_view_str(wrong[i]), &w), SP_E_MALFORMED);
    }
}

/* ---- which ----------------------------------------------------------------------- */

static struct sp_facts *entry(const char *kind, const char *upstream,
                              const uint8_t *categories, size_t count)
{
    struct sp_facts *f = NULL;
    assert_ok(sp_facts_new(SP_KIB(4), &f));
    assert_ok(sp_facts_text(f, SP_FACT_ENTRY_KIND, sp_view_str(kind)));
    assert_ok(sp_facts_text(f, SP_FACT_UPSTREAM_NAME, sp_view_str(upstream)));
    for (size_t i = 0; i < count; i++) {
        uint8_t id[16] = {categories[i]};
        assert_ok(sp_facts_bytes(f, SP_FACT_DOCUMENT_CATEGORY, sp_view(id, 16)));
    }
    return f;
}

static bool chooses(const struct sp_ahead_conf *c, const char *kind,
                    const char *upstream, const uint8_t *categories, size_t count)
{
    SP_AUTO(sp_facts_free)
    struct sp_facts *f = entry(kind, upstream, categories, count);
    return sp_ahead_chooses(c, upstream[0] == 'o' ? "head" : upstream, f);
}

static void b_choosing(void **state)
{
    (void)state;
    static const uint8_t both[] = {1, 7}, other[] = {1, 8}, none[1] = {0};
    struct sp_ahead_conf all = {0};
    struct sp_ahead_conf some = {.classifications = {.at = {{{1}}, {{2}}}, .count = 2},
                                 .products = {.at = {{{7}}}, .count = 1}};
    assert_true(sp_ahead_takes_all(&all));
    assert_false(sp_ahead_takes_all(&some));
    assert_true(chooses(&all, "revision", "head", none, 0));
    assert_false(chooses(&all, "revision", "other", none, 0));
    assert_false(chooses(&all, "file", "head", none, 0));
    assert_false(chooses(&all, "refusal", "head", none, 0));
    assert_true(chooses(&some, "revision", "head", both, 2));
    assert_false(chooses(&some, "revision", "head", other, 2)); /* another product */
    assert_false(chooses(&some, "revision", "head", both, 1));  /* no product */
    assert_false(chooses(&some, "revision", "head", none, 0));
}

/* ---- how fast -------------------------------------------------------------------- */

/* A scripted clock: files of many sizes, begun whenever that is allowed. */
static void b_the_budget_is_kept(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 700000, 5000000, 0, 1024, 123457, 999};
    const uint64_t rate = 100 * 1024, start = 5000;
    struct sp_ahead_budget b = {0};
    uint64_t now = start, bytes = 0, begun = 0;
    while (now < start + 3600000) {
        uint64_t wait = sp_ahead_wait(&b, rate, now);
        if (wait) {
            /* to the millisecond, give or take one of rounding */
            assert_true(wait < 2 || sp_ahead_wait(&b, rate, now + wait - 2) > 0);
            assert_int_equal(sp_ahead_wait(&b, rate, now + wait), 0);
            now += wait;
            continue;
        }
        assert_true(bytes <= (now - start) * rate / 1000 + 1);
        uint64_t size = sizes[begun++ % (sizeof sizes / sizeof sizes[0])];
        sp_ahead_spend(&b, rate, now, size);
        bytes += size;
        now += 7; /* that is how long it took */
    }
    uint64_t allowed = 3600 * rate;
    assert_in_range(bytes, allowed - 6000000, allowed + 6000000);
}

static void b_idle_time_is_not_saved_up(void **state)
{
    (void)state;
    struct sp_ahead_budget b = {0};
    sp_ahead_spend(&b, 1000, 1000000000, 5000);
    assert_int_equal(sp_ahead_wait(&b, 1000, 1000000000), 5000);
    assert_int_equal(sp_ahead_wait(&b, 1000, 1000002000), 3000);
    sp_ahead_spend(&b, 1000, 2000000000, 1); /* long after */
    assert_int_equal(sp_ahead_wait(&b, 1000, 2000000000), 1);
}

static void b_without_a_rate_nothing_waits(void **state)
{
    (void)state;
    struct sp_ahead_budget b = {0};
    sp_ahead_spend(&b, 0, 10, UINT64_C(1) << 40);
    assert_int_equal(sp_ahead_wait(&b, 0, 10), 0);
}

/* A scripted clock: pieces that would come at a hundred times the rate. */
static void b_the_rate_is_kept_within_a_file(void **state)
{
    (void)state;
    enum { PIECE = 16384, RATE = 1000000, HOUR = 3600000 };
    struct sp_ahead_budget b = {0};
    uint64_t now = 77, bytes = 0, longest = 0;
    bool held = false;
    while (now < 77 + HOUR) {
        uint64_t ms = sp_ahead_hold(&b, RATE, now, held, false);
        held = ms > 0;
        if (held) {
            longest = ms > longest ? ms : longest;
            now += ms;
            continue;
        }
        sp_ahead_spend(&b, RATE, now, PIECE);
        bytes += PIECE;
        assert_in_range(
            bytes, 0, (now - 77 + SP_TIME_AHEAD_HOLD) * (RATE / 1000) + PIECE);
        now += bytes / PIECE % 6 == 0; /* six a millisecond */
    }
    assert_in_range(bytes, (uint64_t)HOUR * (RATE / 1000) / 100 * 98,
                    (uint64_t)HOUR * (RATE / 1000) + PIECE + 100000);
    assert_in_range(longest, 2, SP_TIME_AHEAD_HOLD + PIECE / (RATE / 1000) + 1);
}

static void b_where_standing_still_begins_and_ends(void **state)
{
    (void)state;
    struct sp_ahead_budget b = {0};
    sp_ahead_spend(&b, 1000, 5000, SP_TIME_AHEAD_HOLD - 1);
    assert_int_equal(sp_ahead_hold(&b, 1000, 5000, false, false), 0);
    sp_ahead_spend(&b, 1000, 5000, 1);
    assert_int_equal(sp_ahead_hold(&b, 1000, 5000, false, false), SP_TIME_AHEAD_HOLD);
    assert_int_equal(sp_ahead_hold(&b, 1000, 5001, false, false), 0);
    /* once it does, all that is owed is waited for */
    assert_int_equal(sp_ahead_hold(&b, 1000, 5099, true, false), 1);
    assert_int_equal(sp_ahead_hold(&b, 1000, 5100, true, false), 0);
}

static void b_behind_who_asks(void **state)
{
    (void)state;
    struct sp_ahead_budget b = {0};
    assert_int_equal(sp_ahead_hold(&b, 0, 9, false, true), SP_TIME_AHEAD_HOLD);
    assert_int_equal(sp_ahead_hold(&b, 0, 99999999, true, true), SP_TIME_AHEAD_HOLD);
    assert_int_equal(sp_ahead_hold(&b, 0, 99999999, true, false), 0);
    sp_ahead_spend(&b, 1000, 5000, 60000);
    assert_int_equal(sp_ahead_hold(&b, 1000, 5000, true, true), 60000);
    assert_int_equal(sp_ahead_hold(&b, 0, 5000, true, false), 0); /* no rate any more */
}

static void b_trying_again(void **state)
{
    (void)state;
    uint64_t all = 0;
    assert_int_equal(sp_ahead_again_ms(0), 600000);
    assert_int_equal(sp_ahead_again_ms(1), 1200000);
    for (unsigned n = 0; n < 7; n++) {
        assert_true(sp_ahead_again_ms(n) > 0);
        all += sp_ahead_again_ms(n);
    }
    assert_true(all > 12 * 3600000 && all < 24 * 3600000);
    assert_int_equal(sp_ahead_again_ms(7), 0);
    assert_int_equal(sp_ahead_again_ms(1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_windows),
        cmocka_unit_test(b_windows_that_are_none),
        cmocka_unit_test(b_choosing),
        cmocka_unit_test(b_the_budget_is_kept),
        cmocka_unit_test(b_idle_time_is_not_saved_up),
        cmocka_unit_test(b_without_a_rate_nothing_waits),
        cmocka_unit_test(b_the_rate_is_kept_within_a_file),
        cmocka_unit_test(b_where_standing_still_begins_and_ends),
        cmocka_unit_test(b_behind_who_asks),
        cmocka_unit_test(b_trying_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
