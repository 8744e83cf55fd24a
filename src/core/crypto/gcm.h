/* AES-GCM of records that are sent (NIST SP 800-38D, nonces of 12 bytes), 64 bytes at a
 * time, for processors that have VAES, VPCLMULQDQ and AVX-512: some four times OpenSSL
 * 3.0's.
 *
 * Seals only; knows neither records nor who may have which nonce, which is the caller's
 * to keep: one that comes twice under a key gives the key of the tag away. Takes the
 * same time and touches the same memory whatever the key and the bytes are. OpenSSL is
 * the oracle, and does it where sp_gcm_is_there says no. */
#ifndef SP_CORE_CRYPTO_GCM_H
#define SP_CORE_CRYPTO_GCM_H

#include "sallyport/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define SP_GCM_NONCE  12
#define SP_GCM_TAG    16
#define SP_GCM_AAD    16 /* at most */
#define SP_GCM_ROUNDS 14 /* of AES-256, the most */
#define SP_GCM_POWERS 20 /* 17 are used; so the 16th begins a line of the cache */

/* Secret; the owner wipes it, and has it begin a line of the cache. */
struct sp_gcm {
    /* The key of the hash to the 20th power, the 19th and so on to the first; behind
     * them zeros, so that vectors of four may reach over the end. */
    uint8_t powers[SP_GCM_POWERS + 3][16];
    uint8_t round_keys[SP_GCM_ROUNDS + 1][16];
    unsigned rounds;
};

/* Whether this processor has what it takes. The others may be called only then. */
bool sp_gcm_is_there(void);
/* False: key has neither 16 nor 32 bytes. */
bool sp_gcm_init(struct sp_gcm *g, struct sp_view key) SP_MUST_USE;
/* Encrypts plain, and last behind it (both may be empty; last at most a byte), to out,
 * which takes as many bytes and the tag, and overlaps neither. At most SP_GCM_AAD bytes
 * of aad, and 2^32 - 2 blocks. */
void sp_gcm_seal(const struct sp_gcm *g, const uint8_t nonce[SP_GCM_NONCE],
                 struct sp_view aad, struct sp_view plain, struct sp_view last,
                 uint8_t *out);

#endif
