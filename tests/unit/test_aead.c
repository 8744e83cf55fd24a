#include "unit.h"

#include "core/base/text.h"
#include "core/crypto/aead.h"

static const uint8_t zeros[64];

static void assert_hex(struct sp_view bytes, const char *expected)
{
    SP_AUTO(sp_buf_fini) struct sp_buf hex;
    sp_buf_init(&hex, 4096);
    assert_ok(sp_hex_append(&hex, bytes));
    assert_ok(sp_buf_append_byte(&hex, 0));
    assert_string_equal((const char *)hex.data, expected);
}

/* The GCM specification's test cases 13 and 14, and 16 with data beside. */
static void b_known_answers(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf out;
    uint8_t key[32], nonce[12], plain[60], beside[20];
    sp_buf_init(&out, 256);
    assert_ok(sp_aead_seal(zeros, zeros, SP_VIEW(""), SP_VIEW(""), &out));
    assert_hex(sp_buf_view(&out), "530f8afbc74536b9a963b4f1c4cb738b");
    sp_buf_clear(&out);
    assert_ok(sp_aead_seal(zeros, zeros, SP_VIEW(""), sp_view(zeros, 16), &out));
    assert_hex(sp_buf_view(&out), "cea7403d4d606b6e074ec5d3baf39d18"
                                  "d0d1c8a799996bf0265b98b5d48ab919");
    sp_buf_clear(&out);
    assert_ok(sp_hex_parse(SP_VIEW("feffe9928665731c6d6a8f9467308308"
                                   "feffe9928665731c6d6a8f9467308308"),
                           key, sizeof key));
    assert_ok(sp_hex_parse(SP_VIEW("cafebabefacedbaddecaf888"), nonce, sizeof nonce));
    assert_ok(sp_hex_parse(SP_VIEW("d9313225f88406e5a55909c5aff5269a"
                                   "86a7a9531534f7da2e4c303d8a318a72"
                                   "1c3c0c95956809532fcf0e2449a6b525"
                                   "b16aedf5aa0de657ba637b39"),
                           plain, sizeof plain));
    assert_ok(sp_hex_parse(SP_VIEW("feedfacedeadbeeffeedfacedeadbeefabaddad2"), beside,
                           sizeof beside));
    assert_ok(sp_aead_seal(key, nonce, sp_view(beside, sizeof beside),
                           sp_view(plain, sizeof plain), &out));
    assert_hex(sp_buf_view(&out), "522dc1f099567d07f47f37a32a84427d"
                                  "643a8cdcbfe5c0c97598a2bd2555d1aa"
                                  "8cb08e48590dbb3da7b08b1056828838"
                                  "c5f61e6393ba7a0abcc9f662"
                                  "76fc6ece0f4e1768cddf8853bb2d551b");
}

static void b_what_was_sealed_opens(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 8192};
    static uint8_t text[8192];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf sealed, plain;
        sp_buf_init(&sealed, 16384);
        sp_buf_init(&plain, 16384);
        memset(text, (int)i, sizes[i]);
        assert_ok(sp_aead_seal(zeros, zeros + 1, SP_VIEW("beside"),
                               sp_view(text, sizes[i]), &sealed));
        assert_int_equal(sealed.len, sizes[i] + SP_AEAD_TAG);
        assert_ok(sp_aead_open(zeros, zeros + 1, SP_VIEW("beside"),
                               sp_buf_view(&sealed), &plain));
        assert_true(sp_view_eq(sp_buf_view(&plain), sp_view(text, sizes[i])));
    }
}

static void f_any_changed_bit_is_found(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf sealed, plain;
    sp_buf_init(&sealed, 256);
    sp_buf_init(&plain, 256);
    assert_ok(sp_buf_append_str(&plain, "kept"));
    assert_ok(
        sp_aead_seal(zeros, zeros, SP_VIEW("beside"), SP_VIEW("a cookie"), &sealed));
    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_err(
            sp_aead_open(zeros, zeros, SP_VIEW("beside"), sp_buf_view(&sealed), &plain),
            SP_E_UNPROVEN);
        sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_view_equal(sp_buf_view(&plain), "kept");
}

static void f_key_nonce_and_what_stands_beside_count(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf sealed, plain;
    uint8_t other[32] = {[31] = 1};
    sp_buf_init(&sealed, 256);
    sp_buf_init(&plain, 256);
    assert_ok(sp_aead_seal(zeros, zeros, SP_VIEW("one"), SP_VIEW("x"), &sealed));
    struct sp_view v = sp_buf_view(&sealed);
    assert_err(sp_aead_open(other, zeros, SP_VIEW("one"), v, &plain), SP_E_UNPROVEN);
    assert_err(sp_aead_open(zeros, other + 20, SP_VIEW("one"), v, &plain),
               SP_E_UNPROVEN);
    assert_err(sp_aead_open(zeros, zeros, SP_VIEW("two"), v, &plain), SP_E_UNPROVEN);
    assert_err(sp_aead_open(zeros, zeros, SP_VIEW(""), v, &plain), SP_E_UNPROVEN);
    assert_ok(sp_aead_open(zeros, zeros, SP_VIEW("one"), v, &plain));
    for (size_t n = 0; n < v.len; n++) {
        assert_err(
            sp_aead_open(zeros, zeros, SP_VIEW("one"), sp_view_slice(v, 0, n), &plain),
            SP_E_UNPROVEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_known_answers),
        cmocka_unit_test(b_what_was_sealed_opens),
        cmocka_unit_test(f_any_changed_bit_is_found),
        cmocka_unit_test(f_key_nonce_and_what_stands_beside_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
