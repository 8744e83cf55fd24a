#include "unit.h"

#include "app/shared/rate.h"

static size_t take_all(struct sp_rate *r, uint64_t now_ms)
{
    size_t n = 0;
    while (sp_rate_take(r, now_ms)) {
        assert_true(++n <= 10000);
    }
    return n;
}

static void b_a_burst_then_ten_a_minute(void **state)
{
    (void)state;
    struct sp_rate r = {0};
    assert_int_equal(take_all(&r, 1000000), 600);
    assert_int_equal(take_all(&r, 1000000 + 5999), 0);
    assert_int_equal(take_all(&r, 1000000 + 6000), 1);
    assert_int_equal(take_all(&r, 1000000 + 66000), 10);
    assert_int_equal(take_all(&r, 1000000 + 66000 + 3600000), 600);
}

static void c_time_that_is_left_over_counts(void **state)
{
    (void)state;
    struct sp_rate r = {0};
    size_t taken = take_all(&r, 0);
    for (uint64_t now = 0; now <= 60000; now += 1000) {
        taken += take_all(&r, now);
    }
    assert_int_equal(taken, 610);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_a_burst_then_ten_a_minute),
        cmocka_unit_test(c_time_that_is_left_over_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
