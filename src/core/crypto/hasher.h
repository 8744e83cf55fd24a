/* Digests under several algorithms in one pass, as signatures name them. */
#ifndef SP_CORE_CRYPTO_HASHER_H
#define SP_CORE_CRYPTO_HASHER_H

#include "sallyport/bytes.h"

enum sp_digest {
#define DIGEST(name, text, openssl, bytes, weak, oid) SP_DIGEST_##name,
#include "core/crypto/digests.def"
#undef DIGEST
    SP_DIGEST_COUNT
};
#define SP_DIGEST_MAX 64 /* bytes of the longest */

const char *sp_digest_text(enum sp_digest d); /* "sha256" */
size_t sp_digest_bytes(enum sp_digest d);     /* bytes */
bool sp_digest_is_weak(enum sp_digest d);
/* oid is the contents of the DER object identifier; false for any other. */
bool sp_digest_find(struct sp_view oid, enum sp_digest *out);

struct sp_hasher;
/* Bit d of wanted: algorithm d is computed. */
enum sp_err sp_hasher_new(unsigned wanted, struct sp_hasher **out) SP_MUST_USE;
void sp_hasher_free(struct sp_hasher **h);
enum sp_err sp_hasher_update(struct sp_hasher *h, struct sp_view v) SP_MUST_USE;
/* For one algorithm, which was wanted. */
enum sp_err sp_hasher_update_one(struct sp_hasher *h, enum sp_digest d,
                                 struct sp_view v) SP_MUST_USE;
/* sp_digest_bytes bytes; d was wanted. Each algorithm may be finished once. */
enum sp_err sp_hasher_finish(struct sp_hasher *h, enum sp_digest d,
                             uint8_t out[SP_DIGEST_MAX]) SP_MUST_USE;
/* Of one view. */
enum sp_err sp_digest_of(enum sp_digest d, struct sp_view v,
                         uint8_t out[SP_DIGEST_MAX]) SP_MUST_USE;

#endif
