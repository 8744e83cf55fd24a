#include "unit.h"

#include "io/net/turns.h"

struct waiter {
    struct sp_link link;
    char name;
};

static const uint8_t one[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};

static struct sp_turns *new_turns(void)
{
    struct sp_turns *t = calloc(1, sizeof *t);
    assert_non_null(t);
    assert_ok(sp_turns_init(t));
    return t;
}

/* All who wait, by name. */
static void expect_order(struct sp_turns *t, const char *order)
{
    for (; *order; order++) {
        struct sp_link *l = sp_turns_next(t);
        assert_non_null(l);
        assert_int_equal(SP_HOLDER(l, struct waiter, link)->name, *order);
    }
    assert_null(sp_turns_next(t));
    assert_true(sp_turns_is_empty(t));
}

static void wait_as(struct sp_turns *t, size_t crowd, struct waiter *w, char name)
{
    w->name = name;
    sp_link_init(&w->link);
    sp_turns_wait(t, &t->crowds[crowd], &w->link);
}

static void b_first_come_first(void **state)
{
    (void)state;
    struct sp_turns *t = new_turns();
    struct waiter w[3];
    expect_order(t, "");
    wait_as(t, 5, &w[0], 'a');
    wait_as(t, 5, &w[1], 'b');
    wait_as(t, 5, &w[2], 'c');
    assert_false(sp_turns_is_empty(t));
    sp_turns_wait(t, &t->crowds[5], &w[0].link); /* again: at the end */
    expect_order(t, "bca");
    free(t);
}

static void b_each_crowd_in_turn(void **state)
{
    (void)state;
    struct sp_turns *t = new_turns();
    struct waiter w[6];
    for (size_t i = 0; i < 4; i++) {
        wait_as(t, 1, &w[i], (char)('a' + i));
    }
    wait_as(t, 2, &w[4], 'x');
    wait_as(t, SP_TURN_CROWDS - 1, &w[5], 'y');
    expect_order(t, "axybcd");
    free(t);
}

/* One who comes back at once does not overtake the others, however few they are. */
static void b_who_comes_back_waits_for_the_others(void **state)
{
    (void)state;
    struct sp_turns *t = new_turns();
    struct waiter w[3];
    wait_as(t, 1, &w[0], 'a');
    wait_as(t, 1, &w[1], 'b');
    wait_as(t, 2, &w[2], 'x');
    for (size_t i = 0; i < 3; i++) {
        const char *expected = i == 1 ? "bx" : "ax";
        for (size_t k = 0; k < 2; k++) {
            struct sp_link *l = sp_turns_next(t);
            struct waiter *found = SP_HOLDER(l, struct waiter, link);
            assert_int_equal(found->name, expected[k]);
            sp_turns_wait(t, &t->crowds[found->name == 'x' ? 2 : 1], l);
        }
    }
    free(t);
}

static void b_who_leaves_has_no_turn(void **state)
{
    (void)state;
    struct sp_turns *t = new_turns();
    struct waiter w[3];
    wait_as(t, 1, &w[0], 'a');
    wait_as(t, 2, &w[1], 'x');
    wait_as(t, 2, &w[2], 'y');
    sp_link_remove(&w[0].link);
    sp_link_remove(&w[2].link);
    expect_order(t, "x");
    wait_as(t, 1, &w[0], 'a'); /* an empty crowd is one again */
    expect_order(t, "a");
    free(t);
}

/* What counts as one peer is one crowd. */
static void b_an_address_has_its_crowd(void **state)
{
    (void)state;
    struct sp_turns *t = new_turns();
    const uint8_t host[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    const uint8_t same_net[16] = {0x20, 1, 0xd, 0xb8, [8] = 7, [15] = 2};
    bool used[SP_TURN_CROWDS] = {false};
    size_t count = 0;
    assert_ptr_equal(sp_turns_crowd(t, one), sp_turns_crowd(t, one));
    assert_ptr_equal(sp_turns_crowd(t, host), sp_turns_crowd(t, same_net));
    for (unsigned i = 0; i < 256; i++) {
        uint8_t address[16];
        memcpy(address, one, sizeof address);
        address[15] = (uint8_t)i;
        bool *at = &used[sp_turns_crowd(t, address) - t->crowds];
        count += !*at;
        *at = true;
    }
    assert_in_range(count, 150, 256); /* 201 are expected, give or take 6 */
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_first_come_first),
        cmocka_unit_test(b_each_crowd_in_turn),
        cmocka_unit_test(b_who_comes_back_waits_for_the_others),
        cmocka_unit_test(b_who_leaves_has_no_turn),
        cmocka_unit_test(b_an_address_has_its_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
