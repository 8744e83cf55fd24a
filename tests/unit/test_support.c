/* What a support bundle is made of: masked texts in a tar file. */
#include "unit.h"

#include "app/base/mask.h"
#include "app/base/tar.h"

#include <stdio.h>
#include <string.h>

static void assert_masked(struct sp_mask *m, const char *text, const char *expected)
{
    SP_AUTO(sp_buf_fini) struct sp_buf out;
    sp_buf_init(&out, 65536);
    assert_ok(sp_mask_append(m, sp_view_str(text), &out));
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
}

static void a_addresses_are_masked(void **state)
{
    (void)state;
    struct sp_mask m = {0};
    assert_masked(&m, "10.1.2.3", "peer-1");
    assert_masked(&m, "\"peer\": \"10.1.2.4\", 10.1.2.3:443.",
                  "\"peer\": \"peer-2\", peer-1:443.");
    assert_masked(&m, "[2001:db8::7]:8531", "[peer-3]:8531");
    assert_masked(&m, "2001:DB8:0::7 fe80::1%eth0", "peer-3 peer-4%eth0");
    assert_masked(&m, "::ffff:10.1.2.3", "peer-1");
    assert_masked(&m, "from 10.1.2.3.", "from peer-1.");
}

static void a_all_else_stays(void **state)
{
    (void)state;
    struct sp_mask m = {0};
    static const char *const texts[] = {
        "",
        "127.0.0.1:8532 0.0.0.0:8531 [::1]:80 [::]:80 ::",
        "2026-11-22T07:00:00Z 07:00:00",
        "sha256//AbCd1:2= version 1.2.3 and 1.44.2",
        "256.1.1.1 1.2.3 1.2.3.4.5x",
        "x10.1.2.3 10.1.2.3x",
        "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_masked(&m, texts[i], texts[i]);
    }
    assert_int_equal(m.count, 0);
}

static void a_more_than_there_is_room_for(void **state)
{
    (void)state;
    struct sp_mask m = {0};
    char text[32], name[32];
    for (unsigned i = 0; i <= SP_MASK_PEERS; i++) {
        snprintf(text, sizeof text, "10.9.%u.%u", i / 256, i % 256);
        snprintf(name, sizeof name, "peer-%u", i + 1);
        assert_masked(&m, text, i < SP_MASK_PEERS ? name : "peer-x");
    }
    assert_masked(&m, "10.9.0.0", "peer-1");
}

static void b_tar(void **state)
{
    (void)state;
    char longest[101];
    SP_AUTO(sp_buf_fini) struct sp_buf out;
    sp_buf_init(&out, 65536);
    assert_ok(sp_tar_add(&out, "a", SP_VIEW(""), 0));
    assert_int_equal(out.len, 512);
    assert_ok(sp_tar_add(&out, "b", SP_VIEW("x"), 1));
    assert_int_equal(out.len, 512 + 1024);
    memset(longest, 'n', sizeof longest);
    longest[100] = 0;
    assert_int_equal(sp_tar_add(&out, longest, SP_VIEW(""), 1), SP_E_LIMIT);
    longest[99] = 0;
    assert_ok(sp_tar_add(&out, longest, SP_VIEW(""), 1));
    assert_int_equal(out.len, 512 + 1024 + 512);
    assert_ok(sp_tar_end(&out));
    assert_int_equal(out.len, 512 + 1024 + 512 + 1024);
    assert_memory_equal((const uint8_t *)out.data + 257,
                        "ustar\0"
                        "00",
                        8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_addresses_are_masked),
        cmocka_unit_test(a_all_else_stays),
        cmocka_unit_test(a_more_than_there_is_room_for),
        cmocka_unit_test(b_tar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
