/* A text beside messages that come in pieces: all digests are those of OpenSSL,
 * whatever the lengths, the pieces and which of them is longer. */
#include "noise.h"
#include "unit.h"

#include "core/base/limits.h"
#include "core/crypto/crypto.h"
#include "core/crypto/duet.h"
#include "core/crypto/stitch.h"

enum { LONGEST = 70000 };

static uint8_t bytes[LONGEST];

static int fill(void **state)
{
    (void)state;
    noise_fill(bytes, sizeof bytes);
    return 0;
}

static void assert_digest(const uint8_t got[32], struct sp_view of)
{
    uint8_t sha256[32];
    sp_sha256(of, sha256);
    assert_memory_equal(got, sha256, 32);
}

static void sing(struct sp_duet *d, struct sp_view message, size_t step,
                 struct sp_duet_text *beside)
{
    uint8_t sha256[32];
    for (size_t at = 0; at < message.len; at += step) {
        assert_ok(sp_duet_add(d, sp_view_slice(message, at, at + step), beside));
    }
    assert_ok(sp_duet_end(d, sha256));
    assert_digest(sha256, message);
}

/* Where the processor cannot, everything is done by OpenSSL. */
static bool is_plain(void)
{
    return !sp_duet_is_worth(SP_MIB(1));
}

/* Two messages, one after the other, beside one text. */
static void check(bool plain, size_t text_len, size_t first, size_t second, size_t step)
{
    struct sp_duet_text text;
    struct sp_view all = sp_view(bytes, LONGEST);
    uint8_t sha256[32];
    sp_duet_text_begin(&text, sp_view_slice(all, 3, 3 + text_len));
    for (int i = 0; i < 2; i++) {
        SP_AUTO(sp_duet_free) struct sp_duet *d = NULL;
        assert_ok(sp_duet_new(plain, &d));
        sing(d, sp_view_slice(all, 0, i ? second : first), step, &text);
    }
    sp_duet_text_end(&text, sha256);
    assert_digest(sha256, sp_view_slice(all, 3, 3 + text_len));
}

static void c_around_every_edge_of_a_block(void **state)
{
    static const size_t lengths[] = {0, 1, 55, 56, 63, 64, 65, 119, 127, 128, 129, 200};
    enum { COUNT = sizeof lengths / sizeof lengths[0] };
    (void)state;
    for (size_t t = 0; t < COUNT; t++) {
        for (size_t a = 0; a < COUNT; a++) {
            for (size_t step = 1; step < 140; step += 23) {
                check(is_plain(), lengths[t], lengths[a], lengths[COUNT - 1 - a], step);
            }
            check(true, lengths[t], lengths[a], 64, 50);
        }
    }
}

static void c_long_ones(void **state)
{
    static const size_t steps[] = {1000, 1024, 4099, LONGEST};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        check(is_plain(), LONGEST - 3, LONGEST, 100, steps[i]);
        check(is_plain(), 60000, 20000, 30000, steps[i]);
        check(is_plain(), 20000, 60000, 1000, steps[i]);
        check(true, 20000, 60000, 1000, steps[i]);
    }
}

static void b_short_ones_do_not_ask(void **state)
{
    (void)state;
    assert_false(sp_duet_is_worth(SP_KIB(64) - 1));
    assert_true(sp_duet_is_worth(SP_KIB(64)) == sp_stitch_is_there());
}

static void b_a_message_alone(void **state)
{
    (void)state;
    SP_AUTO(sp_duet_free) struct sp_duet *d = NULL;
    assert_ok(sp_duet_new(is_plain(), &d));
    sing(d, sp_view(bytes, 5000), 77, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_around_every_edge_of_a_block),
        cmocka_unit_test(c_long_ones),
        cmocka_unit_test(b_a_message_alone),
        cmocka_unit_test(b_short_ones_do_not_ask),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
