#include "unit.h"

#include "app/shared/budget.h"

#include <pthread.h>

static void b_holds_up_to_its_limit(void **state)
{
    (void)state;
    struct sp_budget b = {0};
    sp_budget_set(&b, 100);
    assert_true(sp_budget_hold(&b, 60));
    assert_false(sp_budget_hold(&b, 41));
    assert_true(sp_budget_hold(&b, 40));
    assert_false(sp_budget_hold(&b, 1));
    sp_budget_give(&b, 60);
    assert_true(sp_budget_hold(&b, 60));
    sp_budget_give(&b, 100);
    assert_int_equal(atomic_load(&b.held), 0);
}

static void c_a_smaller_limit_waits_for_what_is_held(void **state)
{
    (void)state;
    struct sp_budget b = {0};
    sp_budget_set(&b, 100);
    assert_true(sp_budget_hold(&b, 90));
    sp_budget_set(&b, 50);
    assert_false(sp_budget_hold(&b, 1));
    sp_budget_give(&b, 90);
    assert_false(sp_budget_hold(&b, 51));
    assert_true(sp_budget_hold(&b, 50));
}

static void f_sums_do_not_wrap(void **state)
{
    (void)state;
    struct sp_budget b = {0};
    sp_budget_set(&b, 100);
    assert_true(sp_budget_hold(&b, 50));
    assert_false(sp_budget_hold(&b, SIZE_MAX));
    assert_false(sp_budget_hold(&b, SIZE_MAX - 49));
    assert_int_equal(atomic_load(&b.held), 50);
}

static void *hold_and_give(void *budget)
{
    struct sp_budget *b = budget;
    for (int i = 0; i < 100000; i++) {
        if (sp_budget_hold(b, 40)) {
            sp_budget_give(b, 40);
        }
    }
    return NULL;
}

static void c_many_threads_lose_nothing(void **state)
{
    (void)state;
    struct sp_budget b = {0};
    pthread_t threads[4];
    sp_budget_set(&b, 100);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_give, &b), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&b.held), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_holds_up_to_its_limit),
        cmocka_unit_test(c_a_smaller_limit_waits_for_what_is_held),
        cmocka_unit_test(c_many_threads_lose_nothing),
        cmocka_unit_test(f_sums_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
