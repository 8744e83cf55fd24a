/* Freed memory goes back to the system where much was freed, and only there. */
#include "unit.h"
#include "sanitizer.h"

#include "app/run/tidy.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

enum { PIECE = 4000, PIECES = 8192, KEPT_EACH = 256 };
enum { LARGE = 64 << 10, LARGE_PIECES = 256, LARGEST = 20 << 20 };

static char *pieces[PIECES];

static size_t resident(void)
{
    unsigned long all = 0;
    unsigned long here = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu", &all, &here), 2);
    fclose(f);
    return here * (size_t)sysconf(_SC_PAGESIZE);
}

static void take(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pieces[i] = malloc(PIECE);
        assert_non_null(pieces[i]);
        memset(pieces[i], 1, PIECE);
    }
}

/* All but a few, which keep the allocator from giving anything back by itself. */
static void give(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i % KEPT_EACH) {
            free(pieces[i]);
            pieces[i] = NULL;
        }
    }
}

static void give_rest(void)
{
    for (size_t i = 0; i < PIECES; i++) {
        free(pieces[i]);
        pieces[i] = NULL;
    }
}

static void settle(struct sp_tidy *t)
{
    *t = (struct sp_tidy){.least = 0};
    (void)sp_tidy_look(t);
    assert_false(sp_tidy_look(t));
}

static void b_much_that_was_freed_goes_back(void **state)
{
    (void)state;
    struct sp_tidy t;
    take(PIECES);
    settle(&t);
    give(PIECES);
    size_t before = resident();
    assert_true(sp_tidy_look(&t));
    size_t after = resident();
    assert_true(before > after && before - after > (size_t)PIECE * PIECES * 3 / 4);
    assert_false(sp_tidy_look(&t)); /* what is gone is not looked for again */
    give_rest();
}

static void b_it_goes_back_again(void **state)
{
    (void)state;
    struct sp_tidy t;
    settle(&t);
    for (int i = 0; i < 3; i++) {
        take(PIECES);
        give(PIECES);
        assert_true(sp_tidy_look(&t));
        give_rest();
        (void)sp_tidy_look(&t);
    }
}

static void b_what_came_and_went_between_two_looks(void **state)
{
    (void)state;
    struct sp_tidy t;
    take(PIECES);
    give(PIECES);
    settle(&t);
    size_t before = resident();
    give_rest();
    take(PIECES);
    give(PIECES);
    assert_true(sp_tidy_look(&t));
    assert_true(resident() < before + (size_t)PIECE * PIECES / 4);
    give_rest();
}

static void b_little_stays(void **state)
{
    (void)state;
    struct sp_tidy t;
    size_t few = SP_TIDY_FROM / 2 / PIECE;
    take(PIECES);
    settle(&t);
    give(few);
    assert_false(sp_tidy_look(&t));
    give(few * 5);
    assert_true(sp_tidy_look(&t));
    give_rest();
}

static sem_t has_freed, may_go;

/* Has a heap of its own, and its end is free. */
static void *work(void *arg)
{
    static char *large[LARGE_PIECES];
    for (size_t i = 0; i < LARGE_PIECES; i++) {
        large[i] = malloc(LARGE);
        if (large[i]) {
            memset(large[i], 1, LARGE);
        }
    }
    for (size_t i = 0; i < LARGE_PIECES; i++) {
        free(large[i]);
    }
    sem_post(&has_freed);
    sem_wait(&may_go);
    return arg;
}

static void b_a_thread_keeps_little_at_its_heaps_end(void **state)
{
    (void)state;
    pthread_t thread;
    sem_init(&has_freed, 0, 0);
    sem_init(&may_go, 0, 0);
    sp_tidy_bound();
    char *largest = malloc(LARGEST); /* from which the allocator would learn */
    assert_non_null(largest);
    memset(largest, 1, LARGEST);
    free(largest);
    size_t before = resident();
    assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
    sem_wait(&has_freed);
    size_t after = resident();
    sem_post(&may_go);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(after < before + SP_TIDY_END + SP_MIB(1));
    sem_destroy(&has_freed);
    sem_destroy(&may_go);
}

int main(void)
{
#ifdef HAS_SANITIZER
    print_message("SKIPPED: a sanitizer's allocator is not the one that is tidied\n");
    return 0;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_much_that_was_freed_goes_back),
        cmocka_unit_test(b_it_goes_back_again),
        cmocka_unit_test(b_what_came_and_went_between_two_looks),
        cmocka_unit_test(b_little_stays),
        cmocka_unit_test(b_a_thread_keeps_little_at_its_heaps_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
