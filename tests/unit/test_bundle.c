/* Proof bundles: what is written is proven; nothing that was changed anywhere is. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/custody/bundle.h"

static struct sp_note_key *key;
static struct sp_buf file, note;
static uint8_t leaves[3][SP_HASH];
static const char *const entries[3] = {"a 1\n", "entry 9 9\n\n", "c 3\n"};

/* The hash of any subtree of a tree of three. */
static enum sp_err hash_at(void *ctx, unsigned level, uint64_t index, uint8_t out[32])
{
    (void)ctx;
    if (level == 0) {
        memcpy(out, leaves[index], 32);
    } else {
        assert_true(level == 1 && index == 0);
        sp_merkle_node(leaves[0], leaves[1], out);
    }
    return SP_OK;
}

static void write_note(void)
{
    struct sp_merkle m = {0};
    for (size_t i = 0; i < 3; i++) {
        sp_merkle_leaf(sp_view_str(entries[i]), leaves[i]);
        sp_merkle_append(&m, leaves[i]);
    }
    struct sp_checkpoint c = {.origin = SP_VIEW("example.net/l"), .size = 3};
    sp_merkle_root(&m, c.root);
    assert_ok(sp_checkpoint_sign(&c, key, &note));
}

static int setup(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {7};
    struct sp_hash_reader r = {NULL, hash_at};
    sp_buf_init(&file, SP_LIMIT_BUNDLE);
    sp_buf_init(&note, 4096);
    assert_ok(sp_note_key_new("example.net/l", seed, &key));
    write_note();
    assert_ok(sp_bundle_begin(&file, "KB1", 2));
    for (uint64_t i = 1; i < 3; i++) {
        struct sp_proof p;
        assert_ok(sp_merkle_prove(&r, i, 3, &p));
        assert_ok(sp_bundle_entry(&file, i, sp_view_str(entries[i]), &p));
    }
    assert_ok(sp_bundle_end(&file, sp_buf_view(&note)));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_buf_fini(&file);
    sp_buf_fini(&note);
    sp_note_key_free(&key);
    return 0;
}

static enum sp_err see(void *ctx, uint64_t index, struct sp_view entry)
{
    uint64_t *seen = ctx;
    assert_true(sp_view_eq_str(entry, entries[index]));
    *seen |= (uint64_t)1 << index;
    return SP_OK;
}

static enum sp_err check(struct sp_view v, uint64_t *seen)
{
    struct sp_bundle b;
    struct sp_why why = {0};
    *seen = 0;
    return sp_bundle_check(v, key, &b, see, seen, &why);
}

static void b_what_is_written_is_proven(void **state)
{
    (void)state;
    struct sp_bundle b;
    uint64_t seen = 0;
    assert_true(sp_bundle_is(sp_buf_view(&file)));
    assert_ok(sp_bundle_check(sp_buf_view(&file), key, &b, see, &seen, NULL));
    assert_int_equal(seen, 6);
    assert_string_equal(b.about, "KB1");
    assert_int_equal(b.entries, 2);
    assert_int_equal(b.checkpoint.size, 3);
}

/* Only bytes that say nothing may change without notice, and there is none. */
static void f_any_changed_byte_is_found(void **state)
{
    (void)state;
    uint64_t seen;
    size_t about = strlen("sallyport-bundle@v1\nabout ");
    for (size_t i = 0; i < file.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            file.data[i] ^= (uint8_t)(1u << bit);
            enum sp_err e = check(sp_buf_view(&file), &seen);
            bool is_name = i >= about && i < about + 3; /* of what it is about */
            assert_true(is_name || e != SP_OK);
            assert_true(is_name || seen == 0);
            file.data[i] ^= (uint8_t)(1u << bit);
        }
    }
}

static void f_any_cut_is_found(void **state)
{
    (void)state;
    uint64_t seen;
    for (size_t n = 0; n < file.len; n++) {
        assert_int_not_equal(check(sp_view(file.data, n), &seen), SP_OK);
        assert_int_equal(seen, 0);
    }
    assert_ok(sp_buf_append_byte(&file, '\n'));
    assert_int_not_equal(check(sp_buf_view(&file), &seen), SP_OK);
}

static void f_another_key_proves_nothing(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {8};
    uint64_t seen;
    sp_note_key_free(&key);
    assert_ok(sp_note_key_new("example.net/l", seed, &key));
    assert_err(check(sp_buf_view(&file), &seen), SP_E_UNPROVEN);
    assert_int_equal(seen, 0);
}

static void f_limits(void **state)
{
    (void)state;
    uint64_t seen;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, SP_MIB(1));
    assert_err(check(sp_view(file.data, SP_LIMIT_BUNDLE + 1), &seen), SP_E_LIMIT);
    assert_ok(sp_bundle_begin(&b, "KB1", SP_LIMIT_BUNDLE_ENTRIES + 1));
    assert_err(check(sp_buf_view(&b), &seen), SP_E_MALFORMED);
    sp_buf_clear(&b);
    assert_ok(sp_bundle_begin(&b, "KB1", 0));
    assert_ok(sp_bundle_end(&b, sp_buf_view(&note)));
    assert_ok(check(sp_buf_view(&b), &seen));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(b_what_is_written_is_proven, setup, teardown),
        cmocka_unit_test_setup_teardown(f_any_changed_byte_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(f_any_cut_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(f_another_key_proves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(f_limits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
