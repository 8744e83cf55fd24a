/* Following somebody else's ledger: what counts, what is a lie, and which one. */
#include "unit.h"

#include "core/custody/follow.h"

enum { MOST = 700 };

static struct sp_note_key *key;
static struct sp_buf note, bundle;
static struct sp_follow follow;
static unsigned taken, wanted;

/* Entry n of history h: histories agree below fork_at. */
static struct sp_view entry_of(unsigned n, unsigned h, unsigned fork_at)
{
    static char text[32];
    int len = snprintf(text, sizeof text, "e %u %u\n", n, n < fork_at ? 0 : h);
    return sp_view(text, (size_t)len);
}

static void sign(unsigned size, unsigned h, unsigned fork_at)
{
    struct sp_merkle m = {0};
    uint8_t leaf[SP_HASH];
    for (unsigned i = 0; i < size; i++) {
        sp_merkle_leaf(entry_of(i, h, fork_at), leaf);
        sp_merkle_append(&m, leaf);
    }
    struct sp_checkpoint c = {.origin = SP_VIEW("example.net/l"), .size = size};
    sp_merkle_root(&m, c.root);
    sp_buf_clear(&note);
    assert_ok(sp_checkpoint_sign(&c, key, &note));
}

static enum sp_err take(void *ctx, uint64_t index, struct sp_view entry)
{
    (void)ctx;
    (void)index;
    (void)entry;
    taken++;
    return SP_OK;
}

/* One round against history h of size entries, tiles of history tiles_h. */
static void round_of(unsigned size, unsigned h, unsigned tiles_h, unsigned fork_at)
{
    uint64_t index;
    unsigned width;
    sign(size, h, fork_at);
    taken = wanted = 0;
    if (!sp_follow_checkpoint(&follow, sp_buf_view(&note))) {
        return;
    }
    while (sp_follow_wants(&follow, &index, &width)) {
        assert_true(++wanted < 20);
        sp_buf_clear(&bundle);
        for (unsigned i = 0; i < width; i++) {
            unsigned n = (unsigned)index * SP_TILE_WIDTH + i;
            assert_ok(sp_tile_entries_append(&bundle, entry_of(n, tiles_h, fork_at)));
        }
        assert_ok(sp_follow_bundle(&follow, sp_buf_view(&bundle), take, NULL));
    }
}

static void is_now(enum sp_follow_state state, uint64_t proven)
{
    assert_string_equal(sp_follow_text(follow.state), sp_follow_text(state));
    assert_int_equal(follow.proven, proven);
    assert_int_equal(follow.why.text[0] == '\0', state == SP_FOLLOW_GOOD);
}

static int setup(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {3};
    static const struct sp_head nothing;
    sp_buf_init(&note, 4096);
    sp_buf_init(&bundle, 1 << 20);
    assert_ok(sp_note_key_new("example.net/l", seed, &key));
    sp_follow_init(&follow, key, &nothing);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_note_key_free(&key);
    sp_buf_fini(&note);
    sp_buf_fini(&bundle);
    return 0;
}

static void b_a_ledger_that_grows_is_good(void **state)
{
    (void)state;
    static const unsigned sizes[] = {0, 1, 2, 255, 256, 257, 511, 512, 513, MOST};
    unsigned before = 0;
    is_now(SP_FOLLOW_SILENT, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        round_of(sizes[i], 0, 0, 0);
        is_now(SP_FOLLOW_GOOD, sizes[i]);
        assert_int_equal(taken, sizes[i] - before); /* each entry once */
        round_of(sizes[i], 0, 0, 0);
        assert_int_equal(taken, 0);
        before = sizes[i];
    }
}

/* What the next checkpoint says is not known while its entries are still to come. */
static void f_a_checkpoint_alone_proves_nothing(void **state)
{
    uint64_t index;
    unsigned width;
    (void)state;
    assert_false(sp_follow_is_proven(&follow));
    round_of(300, 0, 0, MOST);
    assert_true(sp_follow_is_proven(&follow));
    sign(310, 1, 20);
    assert_true(sp_follow_checkpoint(&follow, sp_buf_view(&note)));
    is_now(SP_FOLLOW_GOOD, 300);
    assert_false(sp_follow_is_proven(&follow));
    assert_true(sp_follow_wants(&follow, &index, &width));
    round_of(300, 0, 0, MOST); /* the same again needs no entries */
    assert_true(sp_follow_is_proven(&follow));
}

static void b_what_was_remembered_is_proven_again(void **state)
{
    (void)state;
    round_of(300, 0, 0, 0);
    struct sp_head seen = follow.seen;
    sp_follow_init(&follow, key, &seen);
    is_now(SP_FOLLOW_SILENT, 0);
    round_of(310, 0, 0, 0);
    is_now(SP_FOLLOW_GOOD, 310);
    assert_int_equal(taken, 310);
}

static void f_a_fork_is_found_at_any_size(void **state)
{
    (void)state;
    static const unsigned sizes[] = {300, 301, 512, MOST};
    static const unsigned forks[] = {0, 1, 255, 256, 298, 299};
    static const struct sp_head nothing;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizeof forks / sizeof *forks; k++) {
            sp_follow_init(&follow, key, &nothing);
            round_of(300, 0, 0, 0);
            round_of(sizes[i], 1, 1, forks[k]);
            assert_string_equal(sp_follow_text(follow.state), "forked");
            round_of(300, 0, 0, 0); /* neither branch comes back */
            assert_string_equal(sp_follow_text(follow.state), "forked");
            assert_true(sp_follow_is_final(follow.state));
        }
    }
    sp_follow_init(&follow, key, &nothing);
    round_of(300, 0, 0, 0);
    round_of(MOST, 1, 1, 300); /* the neighbour: it forks behind what was seen */
    is_now(SP_FOLLOW_GOOD, MOST);
}

static void f_a_fork_over_a_restart(void **state)
{
    (void)state;
    round_of(300, 0, 0, 0);
    struct sp_head seen = follow.seen;
    sp_follow_init(&follow, key, &seen);
    round_of(400, 1, 1, 299);
    assert_string_equal(sp_follow_text(follow.state), "forked");
}

static void f_cut_and_replayed_are_told_apart(void **state)
{
    (void)state;
    round_of(300, 0, 0, 0);
    round_of(400, 0, 0, 0);
    round_of(300, 0, 0, 0);
    is_now(SP_FOLLOW_REPLAYED, 400);
    assert_false(sp_follow_is_final(follow.state));
    round_of(401, 0, 0, 0);
    is_now(SP_FOLLOW_GOOD, 401);
    round_of(399, 0, 0, 0); /* signed, and never seen */
    is_now(SP_FOLLOW_TRUNCATED, 401);
    round_of(500, 0, 0, 0);
    is_now(SP_FOLLOW_TRUNCATED, 401);
}

/* A mirror that shows other entries than were signed proves nothing against the key. */
static void f_wrong_tiles_are_no_fork(void **state)
{
    (void)state;
    round_of(300, 0, 1, 100);
    is_now(SP_FOLLOW_UNREADABLE, 0);
    round_of(300, 0, 0, 0);
    is_now(SP_FOLLOW_GOOD, 300);
    round_of(400, 0, 1, 350);
    assert_string_equal(sp_follow_text(follow.state), "unreadable");
    assert_true(wanted > 2); /* it looked again from the start */
    round_of(400, 0, 0, 0);
    is_now(SP_FOLLOW_GOOD, 400);
}

static void f_bundles_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "\0", "\0\0", "\0\1", "\0\2a"};
    static const size_t lengths[] = {0, 1, 2, 2, 3};
    for (size_t i = 0; i < 5; i++) {
        sign(3, 0, 0);
        assert_true(sp_follow_checkpoint(&follow, sp_buf_view(&note)));
        assert_ok(sp_follow_bundle(&follow, sp_view(wrong[i], lengths[i]), take, NULL));
        assert_string_equal(sp_follow_text(follow.state), "unreadable");
    }
    sign(1, 0, 0);
    assert_true(sp_follow_checkpoint(&follow, sp_buf_view(&note)));
    sp_buf_clear(&bundle);
    assert_ok(sp_tile_entries_append(&bundle, entry_of(0, 0, 0)));
    assert_ok(sp_tile_entries_append(&bundle, entry_of(1, 0, 0)));
    assert_ok(sp_follow_bundle(&follow, sp_buf_view(&bundle), take, NULL));
    assert_string_equal(sp_follow_text(follow.state), "unreadable"); /* one too many */
}

static void f_only_its_key_signs(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {4};
    struct sp_note_key *other = NULL, *own = key;
    assert_ok(sp_note_key_new("example.net/l", seed, &other));
    key = other;
    sign(3, 0, 0);
    key = own;
    assert_false(sp_follow_checkpoint(&follow, sp_buf_view(&note)));
    is_now(SP_FOLLOW_UNSIGNED, 0);
    assert_false(sp_follow_checkpoint(&follow, SP_VIEW("")));
    is_now(SP_FOLLOW_UNSIGNED, 0);
    sp_note_key_free(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_a_ledger_that_grows_is_good),
        TEST(f_a_checkpoint_alone_proves_nothing),
        TEST(b_what_was_remembered_is_proven_again),
        TEST(f_a_fork_is_found_at_any_size),
        TEST(f_a_fork_over_a_restart),
        TEST(f_cut_and_replayed_are_told_apart),
        TEST(f_wrong_tiles_are_no_fork),
        TEST(f_bundles_that_are_none),
        TEST(f_only_its_key_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
