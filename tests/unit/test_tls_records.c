/* Records as the RFCs have them: opened by OpenSSL's AES-GCM, with nonce and what is
 * authenticated made here. That peers read them, test_server_tls shows. */
#include "unit.h"

#include "io/net/tls_records.h"

#include <linux/tls.h>
#include <openssl/evp.h>

enum { HEAD = 5, FULL = SP_TLS_RECORD_PAYLOAD };

static uint8_t payload[FULL], key[32];
static struct sp_tls_sealer *sealer;

/* The salt of TLS 1.2 and the first bytes of TLS 1.3's IV, then the others; the number.
 */
static const uint8_t salt[4] = {1, 2, 3, 4}, iv[8] = {9, 8, 7, 6, 5, 4, 3, 2};

static int fill(void **state)
{
    (void)state;
    sealer = sp_tls_sealer_new();
    assert_non_null(sealer);
    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)(i * 31 + 5);
    }
    return 0;
}

static void need_gcm(void)
{
    if (!sp_tls_records_library()) {
        print_message("SKIPPED: built without intel-ipsec-mb\n");
        skip();
    }
}

static void put64(uint8_t to[8], uint64_t n)
{
    for (size_t i = 8; i-- > 0; n >>= 8) {
        to[i] = (uint8_t)n;
    }
}

static struct sp_tls_records *offer(uint16_t version, uint16_t cipher, uint64_t number)
{
    struct tls12_crypto_info_aes_gcm_128 a = {{version, cipher}, {0}, {0}, {0}, {0}};
    struct tls12_crypto_info_aes_gcm_256 b = {{version, cipher}, {0}, {0}, {0}, {0}};
    memcpy(a.key, key, sizeof a.key);
    memcpy(b.key, key, sizeof b.key);
    memcpy(a.salt, salt, sizeof salt);
    memcpy(b.salt, salt, sizeof salt);
    memcpy(a.iv, iv, sizeof iv);
    memcpy(b.iv, iv, sizeof iv);
    put64(a.rec_seq, number);
    put64(b.rec_seq, number);
    return sp_tls_records_new(sealer, cipher == TLS_CIPHER_AES_GCM_256 ? (void *)&b
                                                                       : (void *)&a);
}

static void make_nonce(uint16_t version, uint64_t number, uint8_t nonce[12])
{
    memcpy(nonce, salt, 4);
    put64(nonce + 4, number);
    for (size_t i = 0; i < 8 && version == TLS_1_3_VERSION; i++) {
        nonce[4 + i] ^= iv[i];
    }
}

/* The plain text of `text`, whose tag is behind it. */
static void open_by_openssl(uint16_t cipher, const uint8_t nonce[12],
                            struct sp_view aad, struct sp_view text, uint8_t *out)
{
    int n = 0, end = 0;
    uint8_t tag[16];
    size_t len = text.len - sizeof tag;
    memcpy(tag, text.data + len, sizeof tag);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_int_equal(
        EVP_DecryptInit_ex(
            c, cipher == TLS_CIPHER_AES_GCM_256 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(),
            NULL, key, nonce),
        1);
    assert_int_equal(EVP_DecryptUpdate(c, NULL, &n, aad.data, (int)aad.len), 1);
    assert_int_equal(EVP_DecryptUpdate(c, out, &n, text.data, (int)len), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag), 1);
    assert_int_equal(EVP_DecryptFinal_ex(c, out + len, &end), 1);
    EVP_CIPHER_CTX_free(c);
}

static void expect_13(uint16_t cipher, uint64_t number, uint8_t type,
                      struct sp_view sealed, struct sp_view want)
{
    static uint8_t plain[FULL + 32];
    uint8_t nonce[12];
    size_t len = want.len + 1 + 16;
    const uint8_t head[HEAD] = {23, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};
    assert_int_equal(sealed.len, HEAD + len);
    assert_memory_equal(sealed.data, head, HEAD);
    make_nonce(TLS_1_3_VERSION, number, nonce);
    open_by_openssl(cipher, nonce, sp_view(head, HEAD),
                    sp_view_slice(sealed, HEAD, sealed.len), plain);
    assert_memory_equal(plain, want.data, want.len);
    assert_int_equal(plain[want.len], type);
}

static void expect_12(uint16_t cipher, uint64_t number, uint8_t type,
                      struct sp_view sealed, struct sp_view want)
{
    static uint8_t plain[FULL + 32];
    uint8_t nonce[12], number_bytes[8];
    uint8_t aad[13] = {[8] = type, 3, 3, (uint8_t)(want.len >> 8), (uint8_t)want.len};
    size_t len = 8 + want.len + 16;
    const uint8_t head[HEAD] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};
    put64(aad, number);
    put64(number_bytes, number);
    assert_int_equal(sealed.len, HEAD + len);
    assert_memory_equal(sealed.data, head, HEAD);
    assert_memory_equal(sealed.data + HEAD, number_bytes, 8);
    make_nonce(TLS_1_2_VERSION, number, nonce);
    open_by_openssl(cipher, nonce, sp_view(aad, sizeof aad),
                    sp_view_slice(sealed, HEAD + 8, sealed.len), plain);
    assert_memory_equal(plain, want.data, want.len);
}

static void seal_some(uint16_t version, uint16_t cipher)
{
    static const size_t sizes[] = {0, 1, 255, 256, FULL - 1, FULL};
    static uint8_t out[FULL + SP_TLS_RECORD_EXTRA];
    struct sp_tls_records *r = offer(version, cipher, 254);
    assert_non_null(r);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t len = 0;
        struct sp_view want = sp_view(payload, sizes[i]);
        assert_ok(
            sp_tls_records_seal(sealer, r, (uint8_t)(21 + i % 3), want, out, &len));
        (version == TLS_1_3_VERSION ? expect_13 : expect_12)(
            cipher, 254 + i, (uint8_t)(21 + i % 3), sp_view(out, len), want);
    }
    sp_tls_records_free(sealer, &r);
    assert_null(r);
}

static void b_records_of_tls_1_3(void **state)
{
    (void)state;
    need_gcm();
    seal_some(TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128);
    seal_some(TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_256);
}

static void b_records_of_tls_1_2(void **state)
{
    (void)state;
    need_gcm();
    seal_some(TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128);
    seal_some(TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_256);
}

static void f_what_is_not_ours_is_not_taken(void **state)
{
    (void)state;
    need_gcm();
    assert_null(offer(TLS_1_3_VERSION, TLS_CIPHER_CHACHA20_POLY1305, 0));
    assert_null(offer(TLS_1_3_VERSION, TLS_CIPHER_AES_CCM_128, 0));
    assert_null(offer(TLS_1_2_VERSION - 1, TLS_CIPHER_AES_GCM_128, 0));
    assert_null(offer(TLS_1_3_VERSION + 1, TLS_CIPHER_AES_GCM_128, 0));
}

/* The number may not come round. */
static void f_numbers_near_their_end_are_not_taken(void **state)
{
    (void)state;
    need_gcm();
    uint64_t edge = UINT64_MAX - SP_TLS_RECORDS_MAX;
    assert_null(offer(TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128, edge));
    struct sp_tls_records *r = offer(TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128, edge - 1);
    assert_non_null(r);
    sp_tls_records_free(sealer, &r);
}

static void f_keys_are_used_up(void **state)
{
    (void)state;
    need_gcm();
    uint8_t out[16 + SP_TLS_RECORD_EXTRA];
    size_t len = 0;
    struct sp_tls_records *r = offer(TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128, 0);
    assert_int_equal(r->left, 23726566); /* RFC 8446 section 5.5: 2^24.5 */
    r->left = 1;
    assert_ok(sp_tls_records_seal(sealer, r, 23, sp_view(payload, 16), out, &len));
    assert_int_equal(
        sp_tls_records_seal(sealer, r, 23, sp_view(payload, 16), out, &len), SP_E_TLS);
    sp_tls_records_free(sealer, &r);
}

/* Connections take turns at a sealer, and one may have the memory of one that went. */
static void b_each_with_its_own_key(void **state)
{
    (void)state;
    need_gcm();
    uint8_t out[64 + SP_TLS_RECORD_EXTRA], was = key[0];
    size_t len = 0;
    struct sp_view want = sp_view(payload, 64);
    struct sp_tls_records *r[3] = {NULL};
    for (unsigned i = 0; i < 60; i++) {
        unsigned at = i % 3;
        if (i % 7 == 0 || !r[at]) {
            sp_tls_records_free(sealer, &r[at]);
            key[0] = (uint8_t)at;
            r[at] = offer(TLS_1_3_VERSION, TLS_CIPHER_AES_GCM_128, 100 * at);
        }
        key[0] = (uint8_t)at;
        for (unsigned twice = 0; twice < 2; twice++) {
            uint64_t number = r[at]->number;
            assert_ok(sp_tls_records_seal(sealer, r[at], 23, want, out, &len));
            expect_13(TLS_CIPHER_AES_GCM_128, number, 23, sp_view(out, len), want);
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        sp_tls_records_free(sealer, &r[i]);
    }
    key[0] = was;
}

static int drop(void **state)
{
    (void)state;
    sp_tls_sealer_free(&sealer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_records_of_tls_1_3),
        cmocka_unit_test(b_records_of_tls_1_2),
        cmocka_unit_test(f_what_is_not_ours_is_not_taken),
        cmocka_unit_test(f_numbers_near_their_end_are_not_taken),
        cmocka_unit_test(f_keys_are_used_up),
        cmocka_unit_test(b_each_with_its_own_key),
    };
    return cmocka_run_group_tests(tests, fill, drop);
}
