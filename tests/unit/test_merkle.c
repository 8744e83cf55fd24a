/* The tree against RFC 6962 section 2.1 written down as it stands there: recursive,
 * over a list of entries, with nothing remembered. */
#include "unit.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "core/custody/tile_hash.h"
#include "sallyport/ledger.h"

enum { SIZES = 70 };

static uint8_t leaves[SIZES][SP_HASH];

static void naive_root(size_t start, size_t n, uint8_t out[SP_HASH])
{
    if (n == 0) {
        sp_sha256(SP_VIEW(""), out);
        return;
    }
    if (n == 1) {
        memcpy(out, leaves[start], SP_HASH);
        return;
    }
    size_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    uint8_t bytes[65] = {1};
    naive_root(start, k, bytes + 1);
    naive_root(start + k, n - k, bytes + 33);
    sp_sha256(sp_view(bytes, sizeof bytes), out);
}

static void naive_path(size_t m, size_t start, size_t n, struct sp_proof *p)
{
    if (n == 1) {
        return;
    }
    size_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    if (m < k) {
        naive_path(m, start, k, p);
        naive_root(start + k, n - k, p->hashes[p->count++]);
    } else {
        naive_path(m - k, start + k, n - k, p);
        naive_root(start, k, p->hashes[p->count++]);
    }
}

static void naive_growth(size_t m, size_t start, size_t n, bool whole,
                         struct sp_proof *p)
{
    if (m == n) {
        if (!whole) {
            naive_root(start, n, p->hashes[p->count++]);
        }
        return;
    }
    size_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    if (m <= k) {
        naive_growth(m, start, k, whole, p);
        naive_root(start + k, n - k, p->hashes[p->count++]);
    } else {
        naive_growth(m - k, start + k, n - k, false, p);
        naive_root(start, k, p->hashes[p->count++]);
    }
}

/* Complete subtrees only, as a store of tiles has them; ctx is the tree's size. */
static enum sp_err read_subtree(void *ctx, unsigned level, uint64_t index,
                                uint8_t out[SP_HASH])
{
    size_t width = (size_t)1 << level;
    assert_true(level < 8);
    assert_true((index + 1) * width <= *(size_t *)ctx);
    naive_root((size_t)index * width, width, out);
    return SP_OK;
}

static int make_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint8_t entry[] = {0, 'e', (uint8_t)i};
        sp_sha256(sp_view(entry, sizeof entry), leaves[i]);
        uint8_t ours[SP_HASH];
        sp_merkle_leaf(sp_view(entry + 1, 2), ours);
        assert_memory_equal(ours, leaves[i], SP_HASH);
    }
    return 0;
}

static void assert_root_hex(const uint8_t root[SP_HASH], const char *hex)
{
    uint8_t expected[SP_HASH];
    assert_ok(sp_hex_parse(sp_view_str(hex), expected, SP_HASH));
    assert_memory_equal(root, expected, SP_HASH);
}

/* The eight entries that the test suites of Certificate Transparency share. */
static void b_known_roots(void **state)
{
    (void)state;
    static const struct sp_view entries[] = {
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"\x00", 1},
        {(const uint8_t *)"\x10", 1},
        {(const uint8_t *)"\x20\x21", 2},
        {(const uint8_t *)"\x30\x31", 2},
        {(const uint8_t *)"\x40\x41\x42\x43", 4},
        {(const uint8_t *)"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
        {(const uint8_t *)"\x60\x61\x62\x63\x64\x65\x66\x67"
                          "\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
         16},
    };
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct sp_merkle m = {0};
    for (size_t n = 0; n <= 8; n++) {
        uint8_t root[SP_HASH], leaf[SP_HASH];
        sp_merkle_root(&m, root);
        assert_root_hex(root, roots[n]);
        if (n < 8) {
            sp_merkle_leaf(entries[n], leaf);
            sp_merkle_append(&m, leaf);
        }
    }
}

static void b_appending_and_loading_give_the_defined_root(void **state)
{
    (void)state;
    struct sp_merkle m = {0};
    for (size_t n = 0; n <= SIZES; n++) {
        uint8_t expected[SP_HASH], root[SP_HASH];
        struct sp_hash_reader r = {&n, read_subtree};
        struct sp_merkle loaded;
        naive_root(0, n, expected);
        sp_merkle_root(&m, root);
        assert_memory_equal(root, expected, SP_HASH);
        assert_ok(sp_merkle_load(&r, n, &loaded));
        assert_int_equal(loaded.size, m.size);
        assert_int_equal(loaded.count, m.count);
        assert_memory_equal(loaded.roots, m.roots, m.count * SP_HASH);
        if (n < SIZES) {
            sp_merkle_append(&m, leaves[n]);
        }
    }
}

/* No proof but the right one, about no other place and no other size. */
static void reject_mutations(const struct sp_proof *p, size_t index, size_t size,
                             const uint8_t root[SP_HASH])
{
    struct sp_proof bad = *p;
    for (unsigned i = 0; i < p->count; i++) {
        bad.hashes[i][(index + i) % SP_HASH] ^= 0x10;
        assert_false(sp_merkle_check(&bad, index, size, leaves[index], root));
        bad = *p;
    }
    bad.count = p->count + 1;
    assert_false(sp_merkle_check(&bad, index, size, leaves[index], root));
    if (p->count) {
        bad.count = p->count - 1;
        assert_false(sp_merkle_check(&bad, index, size, leaves[index], root));
    }
    for (size_t other = 0; other < size; other++) {
        if (other != index) {
            assert_false(sp_merkle_check(p, other, size, leaves[index], root));
            assert_false(sp_merkle_check(p, index, size, leaves[other], root));
        }
    }
    assert_false(sp_merkle_check(p, size, size, leaves[index], root));
    assert_false(sp_merkle_check(p, index, 0, leaves[index], root));
}

static void c_every_inclusion_is_proved(void **state)
{
    (void)state;
    for (size_t size = 1; size <= SIZES; size++) {
        struct sp_hash_reader r = {&size, read_subtree};
        uint8_t root[SP_HASH];
        naive_root(0, size, root);
        for (size_t index = 0; index < size; index++) {
            struct sp_proof expected = {0}, p;
            naive_path(index, 0, size, &expected);
            assert_ok(sp_merkle_prove(&r, index, size, &p));
            assert_int_equal(p.count, expected.count);
            assert_memory_equal(p.hashes, expected.hashes, p.count * SP_HASH);
            assert_true(sp_merkle_check(&p, index, size, leaves[index], root));
            reject_mutations(&p, index, size, root);
        }
        struct sp_proof p;
        assert_err(sp_merkle_prove(&r, size, size, &p), SP_E_NOTFOUND);
    }
}

static void reject_growth_mutations(const struct sp_proof *p, size_t old_size,
                                    size_t size, const uint8_t old_root[SP_HASH],
                                    const uint8_t root[SP_HASH])
{
    struct sp_proof bad = *p;
    for (unsigned i = 0; i < p->count; i++) {
        bad.hashes[i][(old_size + i) % SP_HASH] ^= 0x01;
        assert_false(sp_merkle_check_growth(&bad, old_size, size, old_root, root));
        bad = *p;
    }
    bad.count = p->count + 1;
    assert_false(sp_merkle_check_growth(&bad, old_size, size, old_root, root));
    if (p->count) {
        bad.count = p->count - 1;
        assert_false(sp_merkle_check_growth(&bad, old_size, size, old_root, root));
    }
    uint8_t other[SP_HASH];
    memcpy(other, old_root, SP_HASH);
    other[31] ^= 0x80;
    assert_false(sp_merkle_check_growth(p, old_size, size, other, root));
    if (old_size > 0) { /* every tree grows out of the empty one */
        memcpy(other, root, SP_HASH);
        other[0] ^= 0x80;
        assert_false(sp_merkle_check_growth(p, old_size, size, old_root, other));
    }
}

static void c_every_growth_is_proved(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZES; size++) {
        struct sp_hash_reader r = {&size, read_subtree};
        uint8_t root[SP_HASH], old_root[SP_HASH];
        naive_root(0, size, root);
        for (size_t old_size = 0; old_size <= size; old_size++) {
            struct sp_proof expected = {0}, p;
            naive_root(0, old_size, old_root);
            if (old_size) {
                naive_growth(old_size, 0, size, true, &expected);
            }
            assert_ok(sp_merkle_prove_growth(&r, old_size, size, &p));
            assert_int_equal(p.count, expected.count);
            assert_memory_equal(p.hashes, expected.hashes, p.count * SP_HASH);
            assert_true(sp_merkle_check_growth(&p, old_size, size, old_root, root));
            reject_growth_mutations(&p, old_size, size, old_root, root);
        }
        struct sp_proof p;
        assert_err(sp_merkle_prove_growth(&r, size + 1, size, &p), SP_E_NOTFOUND);
        assert_false(
            sp_merkle_check_growth(&(struct sp_proof){0}, size + 1, size, root, root));
    }
}

/* A smaller tree must not pass for a larger one, whatever the proof: RFC 9162 sn == 0.
 */
static void f_sizes_cannot_be_lied_about(void **state)
{
    (void)state;
    size_t size = 13;
    struct sp_hash_reader r = {&size, read_subtree};
    uint8_t root[SP_HASH], old_root[SP_HASH];
    struct sp_proof p;
    naive_root(0, 13, root);
    naive_root(0, 6, old_root);
    assert_ok(sp_merkle_prove_growth(&r, 6, 13, &p));
    for (uint64_t lie = 0; lie <= 130; lie++) {
        bool sound = sp_merkle_check_growth(&p, lie, 13, old_root, root);
        assert_true(sound == (lie == 6));
    }
    assert_false(sp_merkle_check_growth(&p, 6, UINT64_MAX, old_root, root));
    assert_false(sp_merkle_check_growth(&p, UINT64_MAX, UINT64_MAX, old_root, root));
    assert_false(sp_merkle_check(&p, UINT64_MAX - 1, UINT64_MAX, leaves[0], root));
    struct sp_proof endless = {.count = SP_PROOF_MAX + 1};
    assert_false(sp_merkle_check(&endless, 0, UINT64_MAX, leaves[0], root));
    assert_false(sp_merkle_check_growth(&endless, 1, UINT64_MAX, leaves[0], root));
}

static void f_empty_tree_has_one_root(void **state)
{
    (void)state;
    struct sp_proof none = {0};
    uint8_t empty[SP_HASH];
    sp_sha256(SP_VIEW(""), empty);
    assert_true(sp_merkle_check_growth(&none, 0, 0, empty, empty));
    assert_true(sp_merkle_check_growth(&none, 0, 5, empty, leaves[1]));
    assert_false(sp_merkle_check_growth(&none, 0, 0, leaves[1], leaves[1]));
    assert_false(sp_merkle_check_growth(&none, 0, 5, leaves[1], leaves[1]));
    assert_false(sp_merkle_check_growth(&none, 0, 0, empty, leaves[1]));
}

static enum sp_err broken_read(void *ctx, unsigned level, uint64_t index,
                               uint8_t out[SP_HASH])
{
    (void)ctx;
    (void)level;
    (void)index;
    (void)out;
    return SP_E_IO;
}

static void b_a_failing_reader_is_handed_on(void **state)
{
    (void)state;
    struct sp_hash_reader r = {NULL, broken_read};
    struct sp_merkle m;
    struct sp_proof p;
    assert_err(sp_merkle_load(&r, 5, &m), SP_E_IO);
    assert_err(sp_merkle_prove(&r, 1, 5, &p), SP_E_IO);
    assert_err(sp_merkle_prove_growth(&r, 3, 5, &p), SP_E_IO);
    assert_ok(sp_merkle_load(&r, 0, &m));
}

/* Trees of every level, one behind the other, against the same leaves one by one. */
static void c_whole_trees_are_appended_at_once(void **state)
{
    (void)state;
    for (unsigned level = 0; level <= 5; level++) {
        struct sp_merkle by_tree = {0}, by_leaf = {0};
        size_t width = (size_t)1 << level;
        for (size_t at = 0; at + width <= SIZES; at += width) {
            uint8_t root[SP_HASH], want[SP_HASH];
            naive_root(at, width, root);
            sp_merkle_append_tree(&by_tree, level, root);
            for (size_t i = 0; i < width; i++) {
                sp_merkle_append(&by_leaf, leaves[at + i]);
            }
            sp_merkle_root(&by_tree, root);
            naive_root(0, at + width, want);
            assert_memory_equal(root, want, SP_HASH);
            assert_memory_equal(&by_tree, &by_leaf, sizeof by_leaf.size);
            assert_int_equal(by_tree.count, by_leaf.count);
        }
    }
}

static void c_a_tile_has_the_root_of_its_leaves(void **state)
{
    (void)state;
    static uint8_t tile[SP_TILE_WIDTH * SP_HASH];
    struct sp_sha256_row *row = NULL;
    struct sp_merkle m = {0};
    uint8_t root[SP_HASH], want[SP_HASH];
    assert_ok(sp_sha256_row_new(&row));
    for (size_t i = 0; i < SP_TILE_WIDTH; i++) {
        uint8_t entry[2] = {(uint8_t)i, 7};
        sp_tile_leaf(row, sp_view(entry, i % 2 + 1), tile + i * SP_HASH);
        sp_merkle_leaf(sp_view(entry, i % 2 + 1), want);
        assert_memory_equal(tile + i * SP_HASH, want, SP_HASH);
        sp_merkle_append(&m, want);
    }
    for (int again = 0; again < 2; again++) { /* what it is given stays as it is */
        sp_tile_root(row, tile, root);
        sp_merkle_root(&m, want);
        assert_memory_equal(root, want, SP_HASH);
    }
    sp_sha256_row_free(&row);
    assert_null(row);
    sp_sha256_row_free(&row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_known_roots),
        cmocka_unit_test(b_appending_and_loading_give_the_defined_root),
        cmocka_unit_test(b_a_failing_reader_is_handed_on),
        cmocka_unit_test(c_every_inclusion_is_proved),
        cmocka_unit_test(c_every_growth_is_proved),
        cmocka_unit_test(c_whole_trees_are_appended_at_once),
        cmocka_unit_test(c_a_tile_has_the_root_of_its_leaves),
        cmocka_unit_test(f_sizes_cannot_be_lied_about),
        cmocka_unit_test(f_empty_tree_has_one_root),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
