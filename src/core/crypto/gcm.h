/* AES-GCM of records that are sent (NIST SP 800-38D, nonces of 12 bytes, tags of 16),
 * by intel-ipsec-mb: five times OpenSSL 3.0's where the processor has VAES and AVX-512.
 *
 * Seals only; knows neither records nor who may have which nonce, which is the caller's
 * to keep: one that comes twice under a key gives the key of the tag away. The library
 * is there on amd64 alone; where it is not, OpenSSL does it. */
#ifndef SP_CORE_CRYPTO_GCM_H
#define SP_CORE_CRYPTO_GCM_H

#include "sallyport/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define SP_GCM_NONCE 12
#define SP_GCM_TAG   16
#define SP_GCM_BYTES 1024 /* that a key takes, expanded */

/* Its functions that are best on this processor. */
struct sp_gcm_library;

/* Secret; the owner wipes it. */
struct sp_gcm {
    _Alignas(64) uint8_t expanded[SP_GCM_BYTES];
    const struct sp_gcm_functions *functions; /* borrowed of the library */
};

/* NULL: the library is not there, or no memory. */
struct sp_gcm_library *sp_gcm_load(void);
void sp_gcm_unload(struct sp_gcm_library **l);
/* False: key has neither 16 nor 32 bytes. */
bool sp_gcm_init(struct sp_gcm *g, const struct sp_gcm_library *l,
                 struct sp_view key) SP_MUST_USE;
/* Encrypts plain, and last behind it (both may be empty), to out, which takes as many
 * bytes and the tag, and overlaps neither. At most 2^32 - 2 blocks. */
void sp_gcm_seal(const struct sp_gcm *g, const uint8_t nonce[SP_GCM_NONCE],
                 struct sp_view aad, struct sp_view plain, struct sp_view last,
                 uint8_t *out);

#endif
