#include "core/crypto/aead.h"

#include "core/base/limits.h"
#include "core/crypto/crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <string.h>

/* OpenSSL counts in int; nothing that is sealed here comes near. */
#define LONGEST SP_MIB(64)

static void ctx_free(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

static void cipher_free(EVP_CIPHER **c)
{
    EVP_CIPHER_free(*c);
}

static enum sp_err failed(void)
{
    ERR_clear_error();
    return SP_E_CRYPTO;
}

/* With beside already in: what is left is the text and the tag. */
static enum sp_err begin(EVP_CIPHER_CTX *ctx, bool seal, const uint8_t *key,
                         const uint8_t *nonce, struct sp_view beside)
{
    int n = 0;
    sp_crypto_start();
    SP_AUTO(cipher_free)
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (!ctx || !cipher ||
        EVP_CipherInit_ex2(ctx, cipher, key, nonce, seal, NULL) != 1 ||
        (beside.len &&
         EVP_CipherUpdate(ctx, NULL, &n, beside.data, (int)beside.len) != 1)) {
        return failed();
    }
    return SP_OK;
}

enum sp_err sp_aead_seal(const uint8_t key[SP_AEAD_KEY],
                         const uint8_t nonce[SP_AEAD_NONCE], struct sp_view beside,
                         struct sp_view plain, struct sp_buf *out)
{
    uint8_t *to = NULL;
    int n = 0, rest = 0;
    SP_AUTO(ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (plain.len > LONGEST || beside.len > LONGEST) {
        return SP_E_LIMIT;
    }
    SP_TRY(sp_buf_reserve(out, plain.len + SP_AEAD_TAG, &to));
    SP_TRY(begin(ctx, true, key, nonce, beside));
    if ((plain.len && EVP_CipherUpdate(ctx, to, &n, plain.data, (int)plain.len) != 1) ||
        EVP_CipherFinal_ex(ctx, to + n, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SP_AEAD_TAG, to + plain.len) !=
            1) {
        return failed();
    }
    out->len += plain.len + SP_AEAD_TAG;
    return SP_OK;
}

enum sp_err sp_aead_open(const uint8_t key[SP_AEAD_KEY],
                         const uint8_t nonce[SP_AEAD_NONCE], struct sp_view beside,
                         struct sp_view sealed, struct sp_buf *out)
{
    uint8_t *to = NULL, tag[SP_AEAD_TAG];
    int n = 0, rest = 0;
    SP_AUTO(ctx_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (sealed.len < SP_AEAD_TAG) {
        return SP_E_UNPROVEN;
    }
    size_t len = sealed.len - SP_AEAD_TAG;
    if (len > LONGEST || beside.len > LONGEST) {
        return SP_E_LIMIT;
    }
    memcpy(tag, sealed.data + len, SP_AEAD_TAG);
    SP_TRY(sp_buf_reserve(out, len + 1, &to)); /* also where nothing was sealed */
    SP_TRY(begin(ctx, false, key, nonce, beside));
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SP_AEAD_TAG, tag) != 1 ||
        (len && EVP_CipherUpdate(ctx, to, &n, sealed.data, (int)len) != 1)) {
        return failed();
    }
    if (EVP_CipherFinal_ex(ctx, to + n, &rest) != 1) {
        sp_bytes_wipe(to, len);
        ERR_clear_error();
        return SP_E_UNPROVEN;
    }
    out->len += len;
    return SP_OK;
}
