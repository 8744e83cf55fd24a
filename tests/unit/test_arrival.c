/* One copy of a reply for all who asked for it, counted once. */
#include "unit.h"

#include "app/serve/arrival.h"

static struct sp_budget budget;

static struct sp_arrival *with(const char *text, size_t limit)
{
    struct sp_arrival *a = NULL;
    atomic_store(&budget.held, 0);
    sp_budget_set(&budget, limit);
    assert_ok(sp_arrival_new(&budget, 64, &a));
    assert_ok(sp_arrival_hold(a, strlen(text)));
    assert_ok(sp_buf_append_str(&a->bytes, text));
    return a;
}

static void b_it_goes_with_the_last_who_holds_it(void **state)
{
    (void)state;
    struct sp_arrival *one = with("a reply", 100);
    struct sp_arrival *two = sp_arrival_ref(one), *three = sp_arrival_ref(one);
    assert_int_equal(atomic_load(&budget.held), 14);
    sp_arrival_unref(&one);
    sp_arrival_unref(&three);
    assert_null(one);
    assert_int_equal(atomic_load(&budget.held), 14);
    assert_true(sp_view_eq_str(sp_buf_view(&two->bytes), "a reply"));
    sp_arrival_unref(&two);
    assert_null(two);
    assert_int_equal(atomic_load(&budget.held), 0);
    sp_arrival_unref(&two);
}

static void f_it_does_not_grow_past_the_budget(void **state)
{
    (void)state;
    struct sp_arrival *a = with("a reply", 20);
    assert_int_equal(sp_arrival_hold(a, 4), SP_E_NOMEM);
    assert_int_equal(atomic_load(&budget.held), 14);
    assert_ok(sp_arrival_hold(a, 3));
    assert_int_equal(atomic_load(&budget.held), 20);
    sp_arrival_unref(&a);
    assert_int_equal(atomic_load(&budget.held), 0);
}

static void b_one_of_a_known_size_stays_where_it_is(void **state)
{
    (void)state;
    struct sp_arrival *a = with("a reply", 30);
    assert_int_equal(sp_arrival_fix(a, 17), SP_E_NOMEM); /* beside what it holds */
    assert_int_equal(atomic_load(&budget.held), 14);
    assert_ok(sp_arrival_fix(a, 16));
    assert_int_equal(atomic_load(&budget.held), 16);
    const uint8_t *at = a->bytes.data;
    assert_ok(sp_arrival_hold(a, 9));
    assert_int_equal(atomic_load(&budget.held), 16);
    assert_ok(sp_buf_append_str(&a->bytes, ", longer "));
    assert_ptr_equal(a->bytes.data, at);
    assert_true(sp_view_eq_str(sp_buf_view(&a->bytes), "a reply, longer "));
    assert_int_equal(sp_buf_append_str(&a->bytes, "!"), SP_E_LIMIT);
    sp_arrival_unref(&a);
    assert_int_equal(atomic_load(&budget.held), 0);
}

static void b_one_of_unknown_size_is_held_as_it_comes(void **state)
{
    (void)state;
    struct sp_arrival *a = with("a reply", 26);
    assert_ok(sp_arrival_fix(a, 0));
    assert_int_equal(atomic_load(&budget.held), 7);
    const uint8_t *at = a->bytes.data;
    assert_ok(sp_arrival_hold(a, 19));
    assert_int_equal(sp_arrival_hold(a, 1), SP_E_NOMEM);
    assert_ok(sp_buf_append_str(&a->bytes, " that goes on ......"));
    assert_ptr_equal(a->bytes.data, at);
    assert_int_equal(atomic_load(&budget.held), 26);
    sp_arrival_unref(&a);
    assert_int_equal(atomic_load(&budget.held), 0);
}

/* It has pages of its own. */
static void c_a_large_one_stays_where_it_is(void **state)
{
    enum { SIZE = (5 << 20) + 3 };
    (void)state;
    static uint8_t piece[4099];
    struct sp_arrival *a = NULL;
    atomic_store(&budget.held, 0);
    sp_budget_set(&budget, SIZE);
    assert_ok(sp_arrival_new(&budget, SIZE + 1, &a));
    assert_ok(sp_buf_append(&a->bytes, sp_view(piece, 7)));
    assert_ok(sp_arrival_fix(a, SIZE));
    const uint8_t *at = a->bytes.data;
    for (size_t i = 7; i < SIZE; i += sizeof piece) {
        size_t n = SIZE - i < sizeof piece ? SIZE - i : sizeof piece;
        memset(piece, (int)(i % 251), sizeof piece);
        assert_ok(sp_buf_append(&a->bytes, sp_view(piece, n)));
        assert_int_equal(a->bytes.data[i], i % 251);
    }
    assert_ptr_equal(a->bytes.data, at);
    assert_int_equal(a->bytes.data[6], 0);
    assert_int_equal(sp_buf_append_byte(&a->bytes, 1), SP_E_LIMIT);
    sp_arrival_unref(&a);
    assert_int_equal(atomic_load(&budget.held), 0);
}

static void c_one_at_a_time_is_large(void **state)
{
    (void)state;
    struct sp_arrival *a = with("a", 100), *b = NULL;
    assert_ok(sp_arrival_new(&budget, 64, &b));
    assert_true(sp_arrival_may_grow(a, SP_BUDGET_SMALL - 1));
    assert_true(sp_arrival_may_grow(b, SP_BUDGET_SMALL)); /* nobody has it yet */
    assert_true(sp_arrival_may_grow(b, SP_BUDGET_SMALL + 1));
    assert_true(sp_arrival_may_grow(b, SP_BUDGET_SMALL + 9));
    assert_false(sp_arrival_may_grow(a, SP_BUDGET_SMALL));
    assert_true(sp_arrival_may_grow(a, SP_BUDGET_SMALL - 1));
    struct sp_arrival *again = sp_arrival_ref(b);
    sp_arrival_unref(&b);
    assert_false(sp_arrival_may_grow(a, SP_BUDGET_SMALL)); /* it is still sent */
    sp_arrival_unref(&again);
    assert_true(sp_arrival_may_grow(a, SP_BUDGET_SMALL));
    sp_arrival_unref(&a);
    assert_true(sp_budget_take_seat(&budget));
    sp_budget_leave_seat(&budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_it_goes_with_the_last_who_holds_it),
        cmocka_unit_test(f_it_does_not_grow_past_the_budget),
        cmocka_unit_test(c_one_at_a_time_is_large),
        cmocka_unit_test(b_one_of_a_known_size_stays_where_it_is),
        cmocka_unit_test(b_one_of_unknown_size_is_held_as_it_comes),
        cmocka_unit_test(c_a_large_one_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
