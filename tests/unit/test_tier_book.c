/* What a followed ledger says, by revision. */
#include "unit.h"

#include "app/world/tier_book.h"

static struct sp_revision_id id_of(uint32_t n)
{
    struct sp_revision_id id = {.number = (int32_t)(n % 7)};
    memcpy(id.id.bytes, &n, sizeof n);
    return id;
}

static void b_the_first_one_stays_through_growth(void **state)
{
    (void)state;
    struct sp_tier_book b = {0};
    uint8_t digest[32] = {1}, other[32] = {2};
    struct sp_revision_id id = id_of(0);
    assert_null(sp_tier_book_find(&b, &id));
    for (uint32_t n = 0; n < 5000; n++) {
        id = id_of(n);
        assert_ok(sp_tier_book_put(&b, &id, digest, n));
        assert_ok(sp_tier_book_put(&b, &id, other, n + 1));
    }
    assert_int_equal(b.count, 5000);
    assert_true(b.room >= 2 * b.count && b.room < 8 * b.count);
    for (uint32_t n = 0; n < 5000; n++) {
        id = id_of(n);
        const struct sp_tier_row *row = sp_tier_book_find(&b, &id);
        assert_non_null(row);
        assert_int_equal(row->entry, n);
        assert_memory_equal(row->document_sha256, digest, 32);
        id.number++;
        assert_null(sp_tier_book_find(&b, &id));
    }
    sp_tier_book_fini(&b);
    id = id_of(1);
    assert_null(sp_tier_book_find(&b, &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_the_first_one_stays_through_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
