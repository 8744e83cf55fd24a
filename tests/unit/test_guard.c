/* Files whose blocks are checked before a byte of them is sent. */
#include "server_rig.h"

enum { GUARD_BLOCK = 1 << 20, GUARD_BLOCKS = 8 };

struct guarded {
    atomic_uint checks, checked; /* calls; a bit a block */
    const uint8_t *good;
    bool always;
};

static enum sp_err guard_look(void *ctx, uint64_t offset)
{
    struct guarded *g = ctx;
    unsigned bit = 1U << (offset / GUARD_BLOCK);
    return !g->always && atomic_load(&g->checked) & bit ? SP_OK : SP_E_AGAIN;
}

static enum sp_err guard_check(void *ctx, uint64_t offset, struct sp_view bytes)
{
    struct guarded *g = ctx;
    atomic_fetch_add(&g->checks, 1);
    if (offset % GUARD_BLOCK || bytes.len != GUARD_BLOCK ||
        memcmp(bytes.data, g->good + offset, GUARD_BLOCK) != 0) {
        return SP_E_CORRUPT;
    }
    atomic_fetch_or(&g->checked, 1U << (offset / GUARD_BLOCK));
    return SP_OK;
}

static const struct sp_file_guard guard = {
    .block = GUARD_BLOCK, .look = guard_look, .check = guard_check};

static struct sp_answer_file guarded_part(int body, struct guarded *g, uint64_t offset,
                                          uint64_t length)
{
    return (struct sp_answer_file){.fd = body,
                                   .offset = offset,
                                   .length = length,
                                   .guard = &guard,
                                   .guard_ctx = g,
                                   .size = BIG_BYTES};
}

static void c_blocks_are_checked_before_they_are_sent(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    struct guarded g = {.good = r.big};
    int body = file_of(r.big, BIG_BYTES);
    int fd = client_connect(&r);
    r.file = guarded_part(body, &g, GUARD_BLOCK - 5, 10); /* over a border */
    expect_file(&r, fd, r.big + GUARD_BLOCK - 5);
    assert_int_equal(atomic_load(&g.checks), 2);
    r.file = guarded_part(body, &g, 0, BIG_BYTES);
    expect_file(&r, fd, r.big);
    expect_file(&r, fd, r.big);
    assert_int_equal(atomic_load(&g.checks), GUARD_BLOCKS); /* each of them once */
    g.always = true;
    expect_file(&r, fd, r.big);
    assert_in_range(atomic_load(&g.checks), 2 * GUARD_BLOCKS, 32 * GUARD_BLOCKS);
    rig_ask(&r);
    assert_true(r.stats.file_waits >= 2 * GUARD_BLOCKS);
    close(fd);
    rig_stop(&r);
    close(body);
}

/* How much of the body came before the connection was cut. */
static size_t body_before_the_cut(struct rig *r, const uint8_t *expected)
{
    static char bytes[BIG_BYTES + 4096];
    size_t len = 0;
    ssize_t n;
    int fd = client_connect(r);
    client_say(fd, GET("/file"));
    while ((n = recv(fd, bytes + len, sizeof bytes - len, 0)) > 0) {
        len += (size_t)n;
    }
    close(fd);
    assert_int_equal(n, -1);
    char *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (!end) {
        return 0; /* a reset may overtake the head */
    }
    size_t got = len - (size_t)(end + 4 - bytes);
    assert_memory_equal(end + 4, expected, got);
    return got;
}

static void f_no_byte_of_a_bad_block_is_sent(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    struct guarded g = {.good = r.big};
    int body = file_of(r.big, BIG_BYTES);
    uint8_t bad = (uint8_t)~r.big[3 * GUARD_BLOCK + 77];
    assert_int_equal(pwrite(body, &bad, 1, 3 * GUARD_BLOCK + 77), 1);
    r.file = guarded_part(body, &g, 0, BIG_BYTES);
    assert_true(body_before_the_cut(&r, r.big) <= 3 * GUARD_BLOCK);
    r.file = guarded_part(body, &g, 3 * GUARD_BLOCK, 1); /* its good bytes neither */
    assert_int_equal(body_before_the_cut(&r, r.big), 0);
    assert_int_equal(atomic_load(&g.checked), 7);
    r.file = guarded_part(body, &g, 4 * GUARD_BLOCK, 100); /* the neighbour */
    int fd = client_connect(&r);
    expect_file(&r, fd, r.big + 4 * GUARD_BLOCK);
    close(fd);
    rig_stop(&r);
    close(body);
}

/* A block that was good and cannot be read any more: the guard is told with no bytes.
 */
static void f_a_guarded_file_that_shrinks_is_told(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    struct guarded g = {.good = r.big, .checked = 0xFF};
    int body = file_of(r.big, BIG_BYTES);
    assert_int_equal(ftruncate(body, 2 * GUARD_BLOCK + 1), 0);
    r.file = guarded_part(body, &g, 2 * GUARD_BLOCK, 10);
    assert_true(body_before_the_cut(&r, r.big + 2 * GUARD_BLOCK) <= 1);
    assert_int_equal(atomic_load(&g.checks), 1);
    rig_stop(&r);
    close(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_blocks_are_checked_before_they_are_sent),
        cmocka_unit_test(f_no_byte_of_a_bad_block_is_sent),
        cmocka_unit_test(f_a_guarded_file_that_shrinks_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
