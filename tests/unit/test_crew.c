#include "unit.h"

#include "io/loop/crew.h"

#include <sched.h>
#include <stdatomic.h>

struct yard {
    uint64_t results[SP_CREW_SLOTS];
    atomic_uint at_desk[SP_CREW_THREADS]; /* 1 while it is in use */
    atomic_ullong begun;
    uint64_t taken, ends_at, ahead;
};

static void work(void *ctx, unsigned desk, unsigned slot, uint64_t piece)
{
    struct yard *y = ctx;
    assert_true(desk < SP_CREW_THREADS && slot < SP_CREW_SLOTS);
    assert_int_equal(atomic_fetch_add(&y->at_desk[desk], 1), 0);
    atomic_fetch_add(&y->begun, 1);
    if (piece % 3 == 0) {
        sched_yield(); /* so that they come in another order */
    }
    y->results[slot] = piece * piece;
    atomic_fetch_sub(&y->at_desk[desk], 1);
}

static enum sp_err take(void *ctx, unsigned slot, uint64_t piece)
{
    struct yard *y = ctx;
    uint64_t ahead = atomic_load(&y->begun) - piece;
    assert_int_equal(piece, y->taken);
    assert_int_equal(y->results[slot], piece * piece);
    y->ahead = ahead > y->ahead ? ahead : y->ahead;
    if (piece == y->ends_at) {
        return SP_E_CANCELLED;
    }
    y->taken++;
    return SP_OK;
}

static void b_every_piece_is_taken_in_order(void **state)
{
    (void)state;
    static const uint64_t counts[] = {
        0, 1, 2, SP_CREW_SLOTS - 1, SP_CREW_SLOTS, SP_CREW_SLOTS + 1, 1000};
    for (unsigned threads = 1; threads <= SP_CREW_THREADS; threads++) {
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            struct yard y = {.ends_at = UINT64_MAX};
            const struct sp_crew crew = {&y, work, take};
            assert_ok(sp_crew_run(&crew, threads, counts[i]));
            assert_int_equal(y.taken, counts[i]);
            assert_int_equal(y.begun, counts[i]);
            assert_true(y.ahead <= SP_CREW_SLOTS);
        }
    }
}

static void f_an_error_ends_it(void **state)
{
    (void)state;
    static const uint64_t at[] = {0, 1, SP_CREW_SLOTS, 98, 99};
    for (unsigned threads = 1; threads <= SP_CREW_THREADS; threads++) {
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            struct yard y = {.ends_at = at[i]};
            const struct sp_crew crew = {&y, work, take};
            assert_err(sp_crew_run(&crew, threads, 100), SP_E_CANCELLED);
            assert_int_equal(y.taken, at[i]);
            assert_true(y.begun <= at[i] + SP_CREW_SLOTS);
        }
    }
}

static void b_its_size_is_one_that_it_takes(void **state)
{
    (void)state;
    assert_in_range(sp_crew_size(), 1, SP_CREW_THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_every_piece_is_taken_in_order),
        cmocka_unit_test(f_an_error_ends_it),
        cmocka_unit_test(b_its_size_is_one_that_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
