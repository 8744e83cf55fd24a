#include "core/crypto/crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static void pkey_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void md_ctx_free(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static enum sp_err failed(void)
{
    ERR_clear_error();
    return SP_E_CRYPTO;
}

enum sp_err sp_ed25519_public(const uint8_t seed[32], uint8_t out[32])
{
    sp_crypto_start();
    SP_AUTO(pkey_free)
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, 32);
    size_t len = 32;
    if (!key || EVP_PKEY_get_raw_public_key(key, out, &len) != 1 || len != 32) {
        return failed();
    }
    return SP_OK;
}

enum sp_err sp_ed25519_sign(const uint8_t seed[32], struct sp_view message,
                            uint8_t out[64])
{
    sp_crypto_start();
    SP_AUTO(pkey_free)
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, 32);
    SP_AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;
    if (!key || !ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(ctx, out, &len, message.data, message.len) != 1 || len != 64) {
        return failed();
    }
    return SP_OK;
}

enum sp_err sp_ed25519_verify(const uint8_t public_key[32], struct sp_view message,
                              const uint8_t signature[64], bool *out)
{
    sp_crypto_start();
    SP_AUTO(pkey_free)
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_key, 32);
    SP_AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!key || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1) {
        return failed();
    }
    *out = EVP_DigestVerify(ctx, signature, 64, message.data, message.len) == 1;
    ERR_clear_error();
    return SP_OK;
}
