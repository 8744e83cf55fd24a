#include "core/crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

void sp_crypto_start(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void sp_sha256(struct sp_view v, uint8_t out[32])
{
    sp_sha256_joined(v, (struct sp_view){NULL, 0}, out);
}

void sp_sha256_joined(struct sp_view a, struct sp_view b, uint8_t out[32])
{
    sp_crypto_start();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    SP_ASSERT(ctx && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, a.data, a.len) == 1 &&
              EVP_DigestUpdate(ctx, b.data, b.len) == 1 &&
              EVP_DigestFinal_ex(ctx, out, NULL) == 1);
    EVP_MD_CTX_free(ctx);
}
