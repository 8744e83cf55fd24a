#include "core/crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>

/* Both digests read a piece while it is still in the first-level cache. */
enum { PIECE = 16 * 1024 };

struct sp_digester {
    EVP_MD *md1, *md256;       /* owned */
    EVP_MD_CTX *sha1, *sha256; /* owned */
};

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

static enum sp_err digester_start(struct sp_digester *d)
{
    d->md1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    d->md256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    d->sha1 = EVP_MD_CTX_new();
    d->sha256 = EVP_MD_CTX_new();
    if (!d->md1 || !d->md256 || !d->sha1 || !d->sha256 ||
        EVP_DigestInit_ex2(d->sha1, d->md1, NULL) != 1 ||
        EVP_DigestInit_ex2(d->sha256, d->md256, NULL) != 1) {
        ERR_clear_error();
        return SP_E_CRYPTO;
    }
    return SP_OK;
}

enum sp_err sp_digester_new(struct sp_digester **out)
{
    sp_crypto_start();
    SP_AUTO(sp_digester_free) struct sp_digester *d = calloc(1, sizeof *d);
    if (!d) {
        return SP_E_NOMEM;
    }
    SP_TRY(digester_start(d));
    *out = d;
    d = NULL;
    return SP_OK;
}

void sp_digester_free(struct sp_digester **d)
{
    if (!*d) {
        return;
    }
    EVP_MD_CTX_free((*d)->sha1);
    EVP_MD_CTX_free((*d)->sha256);
    EVP_MD_free((*d)->md1);
    EVP_MD_free((*d)->md256);
    free(*d);
    *d = NULL;
}

enum sp_err sp_digester_update(struct sp_digester *d, struct sp_view v)
{
    for (size_t at = 0; at < v.len; at += PIECE) {
        struct sp_view piece = sp_view_slice(v, at, at + PIECE);
        if (EVP_DigestUpdate(d->sha1, piece.data, piece.len) != 1 ||
            EVP_DigestUpdate(d->sha256, piece.data, piece.len) != 1) {
            ERR_clear_error();
            return SP_E_CRYPTO;
        }
    }
    return SP_OK;
}

enum sp_err sp_digester_peek(const struct sp_digester *d, uint8_t sha256[32])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool done = copy && EVP_MD_CTX_copy_ex(copy, d->sha256) == 1 &&
                EVP_DigestFinal_ex(copy, sha256, NULL) == 1;
    EVP_MD_CTX_free(copy);
    if (!done) {
        ERR_clear_error();
    }
    return done ? SP_OK : SP_E_CRYPTO;
}

enum sp_err sp_digester_finish(struct sp_digester *d, uint8_t sha1[20],
                               uint8_t sha256[32])
{
    if (EVP_DigestFinal_ex(d->sha1, sha1, NULL) != 1 ||
        EVP_DigestFinal_ex(d->sha256, sha256, NULL) != 1) {
        ERR_clear_error();
        return SP_E_CRYPTO;
    }
    return SP_OK;
}
