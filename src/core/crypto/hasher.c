#include "core/crypto/hasher.h"

#include "core/crypto/crypto.h"
#include "core/crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>

/* All algorithms read a piece while it is still in the first-level cache. */
enum { PIECE = 16 * 1024 };

static const struct {
    const char *text, *openssl;
    size_t bytes;
    bool weak;
    struct sp_view oid;
} digests[SP_DIGEST_COUNT] = {
#define DIGEST(name, text, openssl, bytes, weak, oid)                                  \
    {text, openssl, bytes, weak, {(const uint8_t *)(oid), sizeof(oid) - 1}},
#include "core/crypto/digests.def"
#undef DIGEST
};

const char *sp_digest_text(enum sp_digest d)
{
    SP_ASSERT(d < SP_DIGEST_COUNT);
    return digests[d].text;
}

size_t sp_digest_bytes(enum sp_digest d)
{
    SP_ASSERT(d < SP_DIGEST_COUNT);
    return digests[d].bytes;
}

bool sp_digest_is_weak(enum sp_digest d)
{
    SP_ASSERT(d < SP_DIGEST_COUNT);
    return digests[d].weak;
}

bool sp_digest_find(struct sp_view oid, enum sp_digest *out)
{
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        if (sp_view_eq(oid, digests[d].oid)) {
            *out = d;
            return true;
        }
    }
    return false;
}

struct sp_hasher {
    EVP_MD_CTX *of[SP_DIGEST_COUNT]; /* owned; NULL where it is not wanted */
};

static enum sp_err failed(void)
{
    ERR_clear_error();
    return SP_E_CRYPTO;
}

static enum sp_err start(enum sp_digest d, EVP_MD_CTX **out)
{
    EVP_MD *md = EVP_MD_fetch(NULL, digests[d].openssl, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = md && ctx && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    EVP_MD_free(md);
    if (!good) {
        EVP_MD_CTX_free(ctx);
        return failed();
    }
    *out = ctx;
    return SP_OK;
}

enum sp_err sp_hasher_new(unsigned wanted, struct sp_hasher **out)
{
    sp_crypto_start();
    SP_AUTO(sp_hasher_free) struct sp_hasher *h = calloc(1, sizeof *h);
    if (!h) {
        return SP_E_NOMEM;
    }
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        if (wanted >> d & 1) {
            SP_TRY(start(d, &h->of[d]));
        }
    }
    *out = h;
    h = NULL;
    return SP_OK;
}

void sp_hasher_free(struct sp_hasher **h)
{
    if (!*h) {
        return;
    }
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        EVP_MD_CTX_free((*h)->of[d]);
    }
    free(*h);
    *h = NULL;
}

static enum sp_err update_piece(struct sp_hasher *h, struct sp_view piece)
{
    for (enum sp_digest d = 0; d < SP_DIGEST_COUNT; d++) {
        if (h->of[d] && EVP_DigestUpdate(h->of[d], piece.data, piece.len) != 1) {
            return failed();
        }
    }
    return SP_OK;
}

enum sp_err sp_hasher_update(struct sp_hasher *h, struct sp_view v)
{
    for (size_t at = 0; at < v.len; at += PIECE) {
        SP_TRY(update_piece(h, sp_view_slice(v, at, at + PIECE)));
    }
    return SP_OK;
}

enum sp_err sp_hasher_update_one(struct sp_hasher *h, enum sp_digest d,
                                 struct sp_view v)
{
    SP_ASSERT(d < SP_DIGEST_COUNT && h->of[d]);
    return EVP_DigestUpdate(h->of[d], v.data, v.len) == 1 ? SP_OK : failed();
}

enum sp_err sp_hasher_finish(struct sp_hasher *h, enum sp_digest d,
                             uint8_t out[SP_DIGEST_MAX])
{
    SP_ASSERT(d < SP_DIGEST_COUNT && h->of[d]);
    return EVP_DigestFinal_ex(h->of[d], out, NULL) == 1 ? SP_OK : failed();
}

enum sp_err sp_digest_of(enum sp_digest d, struct sp_view v, uint8_t out[SP_DIGEST_MAX])
{
    SP_AUTO(sp_hasher_free) struct sp_hasher *h = NULL;
    SP_TRY(sp_hasher_new(1U << d, &h));
    SP_TRY(sp_hasher_update(h, v));
    return sp_hasher_finish(h, d, out);
}

EVP_MD *sp_digest_fetch(enum sp_digest d)
{
    SP_ASSERT(d < SP_DIGEST_COUNT);
    return EVP_MD_fetch(NULL, digests[d].openssl, NULL);
}
