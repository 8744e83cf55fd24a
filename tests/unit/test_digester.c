/* Both ways to digest: stitched where this processor can, and OpenSSL's, which is the
 * measure. Lengths around every edge of a block, a piece and a part, in steps. */
#include "noise.h"
#include "unit.h"

#include "core/crypto/crypto.h"
#include "core/crypto/hasher.h"
#include "core/crypto/stitch.h"

#define PART 192 /* three blocks */
#define BIG  300007

static uint8_t bytes[BIG];

static int fill(void **state)
{
    (void)state;
    noise_fill(bytes, sizeof bytes);
    return 0;
}

struct digests {
    uint8_t sha1[20], sha256[32], peeked[32];
};

static void digest(struct sp_digester *d, size_t len, size_t step, struct digests *out)
{
    struct sp_view all = sp_view(bytes, len);
    for (size_t at = 0; at < len; at += step) {
        assert_ok(sp_digester_update(d, sp_view_slice(all, at, at + step)));
    }
    assert_ok(sp_digester_peek(d, out->peeked));
    assert_ok(sp_digester_finish(d, out->sha1, out->sha256));
}

/* One at a time, each by OpenSSL, in one piece. */
static void assert_whole(const struct digests *got, size_t len)
{
    uint8_t sha1[SP_DIGEST_MAX], sha256[32];
    assert_ok(sp_digest_of(SP_DIGEST_SHA1, sp_view(bytes, len), sha1));
    sp_sha256(sp_view(bytes, len), sha256);
    assert_memory_equal(got->sha1, sha1, 20);
    assert_memory_equal(got->sha256, sha256, 32);
    assert_memory_equal(got->peeked, sha256, 32);
}

static void assert_parts(const struct sp_digester *d, size_t part, size_t len)
{
    struct sp_view got = sp_digester_parts(d);
    size_t count = (len + part - 1) / part;
    assert_int_equal(got.len, count * 32);
    for (size_t i = 0; i < count; i++) {
        uint8_t sha256[32];
        struct sp_view all = sp_view(bytes, len);
        sp_sha256(sp_view_slice(all, i * part, (i + 1) * part), sha256);
        assert_memory_equal(got.data + 32 * i, sha256, 32);
    }
}

static void check(bool plain, size_t part, size_t len, size_t step)
{
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    struct digests got;
    size_t most = part ? (len + part - 1) / part : 0;
    assert_ok(plain  ? sp_digester_new_plain(part, most, &d)
              : part ? sp_digester_new_in_parts(part, most, &d)
                     : sp_digester_new(&d));
    digest(d, len, step, &got);
    assert_whole(&got, len);
    if (part) {
        assert_parts(d, part, len);
    } else {
        assert_int_equal(sp_digester_parts(d).len, 0);
    }
}

static void check_lengths(bool plain)
{
    static const size_t steps[] = {1, 7, 63, 64, 65, 129, 1000};
    for (size_t len = 0; len <= 300; len++) {
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            check(plain, 0, len, steps[i]);
            check(plain, PART, len, steps[i]);
        }
    }
}

static void check_big(bool plain)
{
    static const size_t steps[] = {61, 4096, 16383, 16385, 65536, BIG};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        check(plain, 0, BIG, steps[i]);
        check(plain, 65536, BIG, steps[i]);
        check(plain, 65536, 262144, steps[i]);
    }
}

static void need_stitch(void)
{
    if (!sp_stitch_is_there()) {
        print_message("[  NOTE    ] this processor has no SHA instructions: both ways "
                      "are OpenSSL's here\n");
    }
}

static void b_stitched_equals_openssl_at_every_length(void **state)
{
    (void)state;
    need_stitch();
    check_lengths(false);
}

static void b_plain_equals_openssl_at_every_length(void **state)
{
    (void)state;
    check_lengths(true);
}

static void c_both_are_right_about_much(void **state)
{
    (void)state;
    check_big(false);
    check_big(true);
}

/* Steps that no list names. */
static void c_steps_by_chance(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 200; seed++) {
        SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
        struct digests got;
        size_t len = seed * 7919 % 20000, at = 0;
        uint32_t x = seed;
        assert_ok(seed % 2 ? sp_digester_new_in_parts(1024, 20, &d)
                           : sp_digester_new_plain(1024, 20, &d));
        while (at < len) {
            x = noise_next(x);
            size_t end = at + (x >> 16) % 700 < len ? at + (x >> 16) % 700 : len;
            struct sp_view piece = sp_view_slice(sp_view(bytes, len), at, end);
            assert_ok(sp_digester_update(d, piece));
            at = end;
        }
        assert_ok(sp_digester_peek(d, got.peeked));
        assert_ok(sp_digester_finish(d, got.sha1, got.sha256));
        assert_whole(&got, len);
        assert_parts(d, 1024, len);
    }
}

/* A peek is not the end, and sees neither more nor less than what came. */
static void b_peek_changes_nothing(void **state)
{
    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
        struct digests got;
        assert_ok(plain ? sp_digester_new_plain(0, 0, &d) : sp_digester_new(&d));
        for (size_t at = 0; at < 500; at++) {
            uint8_t sha256[32];
            assert_ok(sp_digester_peek(d, got.peeked));
            sp_sha256(sp_view(bytes, at), sha256);
            assert_memory_equal(got.peeked, sha256, 32);
            assert_ok(sp_digester_update(d, sp_view(bytes + at, 1)));
        }
        assert_ok(sp_digester_peek(d, got.peeked));
        assert_ok(sp_digester_finish(d, got.sha1, got.sha256));
        assert_whole(&got, 500);
    }
}

/* The kernels themselves from a place that is aligned to nothing. */
static void b_kernels_need_no_alignment(void **state)
{
    (void)state;
    if (!sp_stitch_is_there()) {
        skip();
    }
    static uint8_t copy[64 * 5 + 16];
    uint32_t first[8] = {0};
    for (size_t off = 0; off < 16; off++) {
        uint32_t one[5] = {1, 2, 3, 4, 5}, two[8] = {6, 7}, other[8] = {6, 7};
        memcpy(copy + off, bytes, 64 * 5);
        sp_stitch_three(one, two, other, copy + off, 5);
        assert_memory_equal(two, other, sizeof two);
        uint32_t one2[5] = {1, 2, 3, 4, 5}, two2[8] = {6, 7};
        sp_stitch_two(one2, two2, copy + off, 5);
        assert_memory_equal(one, one2, sizeof one);
        assert_memory_equal(two, two2, sizeof two);
        if (off) {
            assert_memory_equal(first, two, sizeof two);
        }
        memcpy(first, two, sizeof two);
    }
}

/* Up to four ranges of a file, in order, some of them touching; by chance. */
static struct sp_beside ranges_of(uint32_t *x, size_t len)
{
    struct sp_beside b = {0};
    uint64_t at = 0;
    for (size_t i = 0; i < SP_BESIDE_RANGES && at < len; i++) {
        *x = noise_next(*x);
        uint64_t first = at + (*x >> 24) % 90 * (*x >> 20 & 1);
        uint64_t length = 1 + (*x >> 8) % (i == 2 ? len : 200);
        if (first + length > len) {
            break;
        }
        b.range[i].at = first;
        b.range[i].length = length;
        b.count++;
        at = first + length;
    }
    return b;
}

static void assert_beside(const struct sp_digester *d, const struct sp_beside *wanted)
{
    SP_AUTO(sp_buf_fini) struct sp_buf joined;
    struct sp_beside got;
    uint8_t sha256[32];
    sp_buf_init(&joined, BIG);
    for (size_t i = 0; i < wanted->count; i++) {
        assert_ok(sp_buf_append(&joined, sp_view(bytes + wanted->range[i].at,
                                                 (size_t)wanted->range[i].length)));
    }
    sp_sha256(sp_buf_view(&joined), sha256);
    sp_digester_get_beside(d, &got);
    assert_int_equal(got.count, wanted->count);
    if (wanted->count) {
        assert_memory_equal(got.sha256, sha256, 32);
    }
}

/* Wherever the ranges are and whatever the steps, and what stands beside them is as it
 * was. */
static void c_ranges_beside(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 800; seed++) {
        SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
        struct digests got;
        size_t len = 1 + seed * 7919 % 20000, at = 0;
        uint32_t x = seed;
        struct sp_beside b = ranges_of(&x, len);
        assert_ok(seed % 3 ? sp_digester_new_in_parts(1024, 20, &d)
                           : sp_digester_new_plain(1024, 20, &d));
        assert_ok(sp_digester_beside(d, &b));
        while (at < len) {
            x = noise_next(x);
            size_t end = at + 1 + (x >> 16) % (seed % 5 ? 700 : 9000);
            assert_ok(
                sp_digester_update(d, sp_view_slice(sp_view(bytes, len), at, end)));
            at = end < len ? end : len;
        }
        assert_ok(sp_digester_peek(d, got.peeked));
        assert_ok(sp_digester_finish(d, got.sha1, got.sha256));
        assert_whole(&got, len);
        assert_parts(d, 1024, len);
        assert_beside(d, &b);
    }
}

/* A range that did not come to its end has no digest; one that did by a byte has. */
static void f_ranges_that_are_cut_off(void **state)
{
    (void)state;
    const struct sp_beside b = {.range = {{3, 997}}, .count = 1};
    for (int plain = 0; plain < 2; plain++) {
        for (size_t len = 999; len <= 1001; len++) {
            SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
            struct digests got;
            struct sp_beside found;
            assert_ok(plain ? sp_digester_new_plain(0, 0, &d) : sp_digester_new(&d));
            assert_ok(sp_digester_beside(d, &b));
            digest(d, len, 128, &got);
            sp_digester_get_beside(d, &found);
            assert_int_equal(found.count, len >= 1000);
            if (found.count) {
                assert_beside(d, &b);
            }
        }
    }
}

static void f_parts_have_a_ceiling(void **state)
{
    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
        uint8_t sha1[20], sha256[32];
        assert_ok(plain ? sp_digester_new_plain(PART, 4, &d)
                        : sp_digester_new_in_parts(PART, 4, &d));
        assert_ok(sp_digester_update(d, sp_view(bytes, 4 * PART)));
        assert_int_equal(sp_digester_parts(d).len, 4 * 32);
        assert_ok(sp_digester_update(d, sp_view(bytes, 1)));
        assert_err(sp_digester_finish(d, sha1, sha256), SP_E_LIMIT);
        assert_err(sp_digester_update(d, sp_view(bytes, PART)), SP_E_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_stitched_equals_openssl_at_every_length),
        cmocka_unit_test(b_plain_equals_openssl_at_every_length),
        cmocka_unit_test(b_peek_changes_nothing),
        cmocka_unit_test(b_kernels_need_no_alignment),
        cmocka_unit_test(c_both_are_right_about_much),
        cmocka_unit_test(c_steps_by_chance),
        cmocka_unit_test(c_ranges_beside),
        cmocka_unit_test(f_ranges_that_are_cut_off),
        cmocka_unit_test(f_parts_have_a_ceiling),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
