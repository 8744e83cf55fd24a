/* The rack against a plain sorted list. */
#include "noise.h"
#include "unit.h"

#include "io/store/rack.h"

enum { ITEMS = 3000 };

static struct sp_shelf_item items[ITEMS];

/* Few first bytes, so that drawers have many and few; the very first and last among
 * them. */
static void make(uint32_t seed)
{
    for (size_t i = 0; i < ITEMS; i++) {
        for (size_t j = 0; j < 32; j++) {
            seed = noise_next(seed);
            items[i].sha256[j] = (uint8_t)(seed >> 24);
        }
        items[i].sha256[0] = i % 3 ? 0xff : 0;
        items[i].sha256[1] = i % 7 ? 0xff : (uint8_t)i;
        memcpy(items[i].sha256 + 28, &i, 4); /* no two are the same */
    }
}

static int by_digest(const void *a, const void *b)
{
    const struct sp_shelf_item *x = a, *y = b;
    return memcmp(x->sha256, y->sha256, 32);
}

/* What stands is what is marked as known, in order. */
static void assert_stands(const struct sp_rack *r)
{
    const struct sp_shelf_item *at = sp_rack_next(r, NULL);
    size_t count = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        assert_ptr_equal(sp_rack_find(r, items[i].sha256),
                         items[i].known ? &items[i] : NULL);
        if (items[i].known) {
            assert_ptr_equal(at, &items[i]);
            at = sp_rack_next(r, at->sha256);
            count++;
        }
    }
    assert_null(at);
    assert_int_equal(r->count, count);
}

static void add(struct sp_rack *r, struct sp_shelf_item *item)
{
    item->known = true;
    assert_ok(sp_rack_add(r, item));
}

static void b_empty(void **state)
{
    (void)state;
    static const uint8_t any[32] = {1};
    struct sp_rack r;
    assert_ok(sp_rack_init(&r));
    assert_null(sp_rack_next(&r, NULL));
    assert_null(sp_rack_next(&r, any));
    assert_null(sp_rack_find(&r, any));
    sp_rack_fini(&r);
}

static void b_in_order(void **state)
{
    (void)state;
    struct sp_rack r;
    make(1);
    assert_ok(sp_rack_init(&r));
    for (size_t i = 0; i < ITEMS; i++) { /* in no order: sorted only afterwards */
        assert_ok(sp_rack_add(&r, &items[i]));
    }
    const struct sp_shelf_item *last = sp_rack_next(&r, NULL), *item = last;
    size_t count = 1;
    for (; (item = sp_rack_next(&r, last->sha256)); last = item, count++) {
        assert_true(by_digest(last, item) < 0);
    }
    assert_int_equal(count, ITEMS);
    sp_rack_fini(&r);
}

static void c_comings_and_goings(void **state)
{
    (void)state;
    struct sp_rack r;
    uint32_t seed = 7;
    make(2);
    qsort(items, ITEMS, sizeof items[0], by_digest);
    assert_ok(sp_rack_init(&r));
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < ITEMS / 2; i++) {
            seed = noise_next(seed);
            struct sp_shelf_item *item = &items[(seed >> 8) % ITEMS];
            if (item->known) {
                sp_rack_remove(&r, item);
                item->known = false;
            } else {
                add(&r, item);
            }
        }
        assert_stands(&r);
    }
    sp_rack_fini(&r);
}

/* What comes behind something that is not there. */
static void c_behind_what_is_gone(void **state)
{
    (void)state;
    struct sp_rack r;
    make(3);
    qsort(items, ITEMS, sizeof items[0], by_digest);
    assert_ok(sp_rack_init(&r));
    for (size_t i = 0; i < ITEMS; i += 2) {
        add(&r, &items[i]);
    }
    for (size_t i = 0; i + 2 < ITEMS; i++) {
        size_t behind = i + 2 - i % 2;
        assert_ptr_equal(sp_rack_next(&r, items[i].sha256),
                         behind < ITEMS ? &items[behind] : NULL);
    }
    sp_rack_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_empty),
        cmocka_unit_test(b_in_order),
        cmocka_unit_test(c_comings_and_goings),
        cmocka_unit_test(c_behind_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
