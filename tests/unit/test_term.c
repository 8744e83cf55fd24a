/* Terms: whoever holds one keeps its world and keys, at the price of one reference. */
#include "unit.h"

#include "app/shared/term.h"

static void b_one_reference_for_all_holders(void **state)
{
    (void)state;
    struct sp_world world = {.refs = 1};
    struct sp_seals seals = {.refs = 1};
    struct sp_term *lane = sp_term_new(&world, &seals);
    assert_non_null(lane);
    struct sp_term *first = sp_term_hold(lane), *second = sp_term_hold(lane);
    assert_ptr_equal(first, lane);
    assert_ptr_equal(second->world, &world);
    assert_ptr_equal(second->seals, &seals);
    assert_int_equal(world.refs, 2);
    assert_int_equal(seals.refs, 2);
    sp_term_leave(&lane); /* a new world came: those under way keep this one */
    sp_term_leave(&second);
    assert_null(second);
    assert_int_equal(world.refs, 2);
    sp_term_leave(&first);
    assert_int_equal(world.refs, 1);
    assert_int_equal(seals.refs, 1);
}

static void b_nobody_leaves_nothing(void **state)
{
    (void)state;
    struct sp_term *none = NULL;
    sp_term_leave(&none);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_one_reference_for_all_holders),
        cmocka_unit_test(b_nobody_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
