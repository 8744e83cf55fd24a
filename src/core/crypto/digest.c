#include "core/crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdlib.h>

void sp_crypto_start(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void sp_sha256(struct sp_view v, uint8_t out[32])
{
    sp_sha256_joined(v, (struct sp_view){NULL, 0}, out);
}

/* started is false for the first digest of ctx, which sets the algorithm up. */
static void digest(EVP_MD_CTX *ctx, bool started, struct sp_view a, struct sp_view b,
                   uint8_t out[32])
{
    SP_ASSERT(ctx &&
              EVP_DigestInit_ex2(ctx, started ? NULL : EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, a.data, a.len) == 1 &&
              EVP_DigestUpdate(ctx, b.data, b.len) == 1 &&
              EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

void sp_sha256_joined(struct sp_view a, struct sp_view b, uint8_t out[32])
{
    sp_crypto_start();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    digest(ctx, false, a, b, out);
    EVP_MD_CTX_free(ctx);
}

struct sp_sha256_row {
    EVP_MD_CTX *ctx; /* owned */
    bool started;
};

enum sp_err sp_sha256_row_new(struct sp_sha256_row **out)
{
    sp_crypto_start();
    struct sp_sha256_row *r = calloc(1, sizeof *r);
    EVP_MD_CTX *ctx = r ? EVP_MD_CTX_new() : NULL;
    if (!ctx) {
        free(r);
        return SP_E_NOMEM;
    }
    r->ctx = ctx;
    *out = r;
    return SP_OK;
}

void sp_sha256_row_free(struct sp_sha256_row **r)
{
    if (*r) {
        EVP_MD_CTX_free((*r)->ctx);
    }
    free(*r);
    *r = NULL;
}

void sp_sha256_next(struct sp_sha256_row *r, struct sp_view a, struct sp_view b,
                    uint8_t out[32])
{
    digest(r->ctx, r->started, a, b, out);
    r->started = true;
}
