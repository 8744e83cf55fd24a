/* AES-GCM of intel-ipsec-mb against OpenSSL's, which is the measure: every length
 * around every edge of a block, a vector and a stride, and the largest record; wherever
 * bytes lie. */
#include "noise.h"
#include "unit.h"

#include "core/crypto/gcm.h"

#include <openssl/evp.h>

enum { LARGEST = 16384 + 1, ROOM = LARGEST + SP_GCM_TAG + 64, GUARD = 0xa5 };

static uint8_t bytes[LARGEST + 64];

static struct sp_gcm_library *library;

static int fill(void **state)
{
    (void)state;
    library = sp_gcm_load();
    noise_fill(bytes, sizeof bytes);
    return 0;
}

static void need_gcm(void)
{
    if (!library) {
        print_message("SKIPPED: built without intel-ipsec-mb\n");
        skip();
    }
}

struct message {
    struct sp_view key, aad, plain;
    const uint8_t *nonce;
};

static void by_openssl(const struct message *m, uint8_t *out)
{
    int n = 0, end = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = m->key.len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    assert_int_equal(EVP_EncryptInit_ex(c, cipher, NULL, m->key.data, m->nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(c, NULL, &n, m->aad.data, (int)m->aad.len), 1);
    assert_int_equal(EVP_EncryptUpdate(c, out, &n, m->plain.data, (int)m->plain.len),
                     1);
    assert_int_equal(EVP_EncryptFinal_ex(c, out + m->plain.len, &end), 1);
    assert_int_equal(
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, SP_GCM_TAG, out + m->plain.len),
        1);
    EVP_CIPHER_CTX_free(c);
}

/* The last `apart` bytes of what is encrypted are given apart. */
static void by_us(const struct message *m, size_t apart, uint8_t *out)
{
    struct sp_gcm g;
    size_t n = m->plain.len - apart;
    assert_true(sp_gcm_init(&g, library, m->key));
    sp_gcm_seal(&g, m->nonce, m->aad, sp_view_slice(m->plain, 0, n),
                sp_view_slice(m->plain, n, m->plain.len), out);
}

static void expect_same(const struct message *m, size_t shift)
{
    static uint8_t want[ROOM], got[ROOM];
    size_t len = m->plain.len + SP_GCM_TAG;
    by_openssl(m, want);
    for (size_t apart = 0; apart <= (m->plain.len > 0); apart++) {
        memset(got, GUARD, sizeof got);
        by_us(m, apart, got + shift);
        assert_memory_equal(got + shift, want, len);
        for (size_t i = 0; i < shift; i++) {
            assert_int_equal(got[i], GUARD);
        }
        assert_int_equal(got[shift + len], GUARD);
    }
}

static void b_equals_openssl_at_every_length(void **state)
{
    (void)state;
    need_gcm();
    for (size_t n = 0; n < 1100; n++) {
        struct message m = {.key = sp_view(bytes + n, n % 2 ? 16 : 32),
                            .aad = sp_view(bytes + 5, n % (17)),
                            .plain = sp_view(bytes + n % 61, n),
                            .nonce = bytes + n % 17};
        expect_same(&m, n % 47);
    }
}

static void b_the_largest_records(void **state)
{
    (void)state;
    need_gcm();
    for (size_t n = LARGEST - 258; n <= LARGEST; n++) {
        struct message m = {.key = sp_view(bytes, n % 2 ? 32 : 16),
                            .aad = sp_view(bytes + 9, 5),
                            .plain = sp_view(bytes + 3, n),
                            .nonce = bytes + n % 1000};
        expect_same(&m, 5);
    }
}

/* Carries and their absence in the powers of the hash's key: many keys. */
static void c_many_keys(void **state)
{
    (void)state;
    need_gcm();
    for (size_t i = 0; i < 2000; i++) {
        struct message m = {.key = sp_view(bytes + i, i % 2 ? 16 : 32),
                            .aad = sp_view(bytes + i, 13),
                            .plain = sp_view(bytes + 7 * i, 300),
                            .nonce = bytes + 8 * i};
        expect_same(&m, 0);
    }
}

/* Test case 2 of the specification of GCM. */
static void b_known_answers(void **state)
{
    (void)state;
    need_gcm();
    static const uint8_t zeros[16] = {0},
                         tag_2[] = {0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd,
                                    0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf},
                         text_2[] = {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92,
                                     0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78};
    uint8_t out[32];
    struct message m = {
        .key = sp_view(zeros, 16), .plain = sp_view(zeros, 16), .nonce = zeros};
    by_us(&m, 0, out);
    assert_memory_equal(out, text_2, sizeof text_2);
    assert_memory_equal(out + 16, tag_2, sizeof tag_2);
}

static void f_other_keys_are_refused(void **state)
{
    (void)state;
    need_gcm();
    static const size_t lengths[] = {0, 15, 17, 24, 31, 33};
    struct sp_gcm g;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_false(sp_gcm_init(&g, library, sp_view(bytes, lengths[i])));
    }
    assert_true(sp_gcm_init(&g, library, sp_view(bytes, 16)));
    assert_true(sp_gcm_init(&g, library, sp_view(bytes, 32)));
}

static int unload(void **state)
{
    (void)state;
    sp_gcm_unload(&library);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_equals_openssl_at_every_length),
        cmocka_unit_test(b_the_largest_records),
        cmocka_unit_test(b_known_answers),
        cmocka_unit_test(c_many_keys),
        cmocka_unit_test(f_other_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, fill, unload);
}
