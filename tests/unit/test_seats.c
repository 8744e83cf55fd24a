#include "unit.h"

#include "io/net/seats.h"

#include <pthread.h>

static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};
static const uint8_t v4_next[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 2};

static void b_one_below_and_one_above(void **state)
{
    (void)state;
    struct sp_seats *s = NULL;
    struct sp_seat *held[3] = {0}, *other = NULL, *over = NULL;
    assert_ok(sp_seats_new(3, &s));
    for (size_t i = 0; i < 3; i++) {
        assert_ok(sp_seats_take(s, v4, &held[i]));
    }
    assert_int_equal(sp_seats_take(s, v4, &over), SP_E_LIMIT);
    assert_null(over);
    assert_ok(sp_seats_take(s, v4_next, &other));
    assert_int_equal(sp_seats_taken(s), 4);
    sp_seats_leave(s, &held[1]);
    assert_null(held[1]);
    assert_ok(sp_seats_take(s, v4, &held[1]));
    assert_int_equal(sp_seats_take(s, v4, &over), SP_E_LIMIT);
    for (size_t i = 0; i < 3; i++) {
        sp_seats_leave(s, &held[i]);
    }
    sp_seats_leave(s, &other);
    sp_seats_leave(s, &other); /* nobody's */
    assert_int_equal(sp_seats_taken(s), 0);
    sp_seats_free(&s);
    assert_null(s);
}

static void b_the_limit_changes(void **state)
{
    (void)state;
    struct sp_seats *s = NULL;
    struct sp_seat *held[4] = {0}, *over = NULL;
    assert_ok(sp_seats_new(2, &s));
    assert_ok(sp_seats_take(s, v4, &held[0]));
    assert_ok(sp_seats_take(s, v4, &held[1]));
    assert_int_equal(sp_seats_take(s, v4, &over), SP_E_LIMIT);
    sp_seats_set_most(s, 3);
    assert_ok(sp_seats_take(s, v4, &held[2]));
    sp_seats_set_most(s, 1); /* who sits stays, and nobody comes before they are few */
    sp_seats_leave(s, &held[2]);
    sp_seats_leave(s, &held[1]);
    assert_int_equal(sp_seats_take(s, v4, &over), SP_E_LIMIT);
    sp_seats_leave(s, &held[0]);
    assert_ok(sp_seats_take(s, v4, &held[0]));
    sp_seats_set_most(s, 0); /* any */
    for (size_t i = 1; i < 4; i++) {
        assert_ok(sp_seats_take(s, v4, &held[i]));
    }
    for (size_t i = 0; i < 4; i++) {
        sp_seats_leave(s, &held[i]);
    }
    sp_seats_free(&s);
}

static void b_ipv6_by_its_64(void **state)
{
    (void)state;
    const uint8_t one[16] = {0x20, 1, 0x0d, 0xb8, [7] = 1, [15] = 1};
    const uint8_t same[16] = {0x20, 1, 0x0d, 0xb8, [7] = 1, [8] = 9, [15] = 2};
    const uint8_t next[16] = {0x20, 1, 0x0d, 0xb8, [7] = 2, [15] = 1};
    struct sp_seats *s = NULL;
    struct sp_seat *a = NULL, *b = NULL;
    assert_ok(sp_seats_new(1, &s));
    assert_ok(sp_seats_take(s, one, &a));
    assert_int_equal(sp_seats_take(s, same, &b), SP_E_LIMIT);
    assert_ok(sp_seats_take(s, next, &b));
    sp_seats_leave(s, &a);
    sp_seats_leave(s, &b);
    sp_seats_free(&s);
}

/* More addresses than buckets: rows share them, and leave in another order. */
static void c_many_addresses(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    static struct sp_seat *held[MANY];
    struct sp_seats *s = NULL;
    struct sp_seat *over = NULL;
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff, 10};
    assert_ok(sp_seats_new(1, &s));
    for (size_t i = 0; i < MANY; i++) {
        address[14] = (uint8_t)(i >> 8);
        address[15] = (uint8_t)i;
        assert_ok(sp_seats_take(s, address, &held[i]));
        assert_int_equal(sp_seats_take(s, address, &over), SP_E_LIMIT);
    }
    assert_int_equal(sp_seats_taken(s), MANY);
    for (size_t i = 0; i < MANY; i++) {
        sp_seats_leave(s, &held[i * 7919 % MANY]);
    }
    sp_seats_free(&s);
}

static void *come_and_go(void *arg)
{
    struct sp_seats *s = arg;
    size_t refused = 0;
    for (size_t i = 0; i < 20000; i++) {
        struct sp_seat *seat = NULL;
        refused += sp_seats_take(s, v4, &seat) != SP_OK;
        sp_seats_leave(s, &seat);
    }
    return refused ? s : NULL;
}

static void c_from_two_threads(void **state)
{
    (void)state;
    struct sp_seats *s = NULL;
    pthread_t threads[2];
    assert_ok(sp_seats_new(2, &s));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, s), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        void *refused = s;
        pthread_join(threads[i], &refused);
        assert_null(refused); /* two have two seats */
    }
    assert_int_equal(sp_seats_taken(s), 0);
    sp_seats_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_one_below_and_one_above),
        cmocka_unit_test(b_the_limit_changes),
        cmocka_unit_test(b_ipv6_by_its_64),
        cmocka_unit_test(c_many_addresses),
        cmocka_unit_test(c_from_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
