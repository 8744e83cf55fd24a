#include "unit.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    SP_AUTO(sp_buf_fini) struct sp_buf hex;
    sp_buf_init(&hex, 1024);
    assert_ok(sp_hex_append(&hex, sp_view(bytes, len)));
    assert_ok(sp_buf_append_byte(&hex, 0));
    assert_string_equal((const char *)hex.data, expected);
}

static void b_sha256_of_known_texts(void **state)
{
    (void)state;
    uint8_t out[32];
    sp_sha256(SP_VIEW(""), out);
    assert_hex(out, 32,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sp_sha256((struct sp_view){NULL, 0}, out);
    assert_hex(out, 32,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sp_sha256(SP_VIEW("abc"), out); /* FIPS 180-4 examples */
    assert_hex(out, 32,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* A million times 'a', fed in steps of every awkward size around the inner piece. */
static void b_digester_does_not_depend_on_steps(void **state)
{
    (void)state;
    static uint8_t a[1000000];
    static const size_t steps[] = {1000000, 1, 16383, 16384, 16385, 99991};
    memset(a, 'a', sizeof a);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
        uint8_t sha1[20], sha256[32];
        assert_ok(sp_digester_new(&d));
        for (size_t at = 0; at < sizeof a; at += steps[i]) {
            struct sp_view all = sp_view(a, sizeof a);
            assert_ok(sp_digester_update(d, sp_view_slice(all, at, at + steps[i])));
        }
        assert_ok(sp_digester_finish(d, sha1, sha256));
        assert_hex(sha1, 20, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        assert_hex(sha256, 32,
                   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_sha256_of_known_texts),
        cmocka_unit_test(b_digester_does_not_depend_on_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
