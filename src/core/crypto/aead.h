/* AES-256-GCM (NIST SP 800-38D): nobody but the holder of the key reads or changes what
 * is sealed, and it opens only beside the very data it was sealed beside. A nonce must
 * never be used twice with a key; the caller draws it at random. */
#ifndef SP_CORE_CRYPTO_AEAD_H
#define SP_CORE_CRYPTO_AEAD_H

#include "sallyport/bytes.h"

#define SP_AEAD_KEY   32
#define SP_AEAD_NONCE 12
#define SP_AEAD_TAG   16

/* Appends plain.len + SP_AEAD_TAG bytes. Errors: SP_E_LIMIT, SP_E_NOMEM, SP_E_CRYPTO.
 */
enum sp_err sp_aead_seal(const uint8_t key[SP_AEAD_KEY],
                         const uint8_t nonce[SP_AEAD_NONCE], struct sp_view beside,
                         struct sp_view plain, struct sp_buf *out) SP_MUST_USE;
/* Appends sealed.len - SP_AEAD_TAG bytes, or nothing: SP_E_UNPROVEN where anything of
 * key, nonce, beside and sealed is not what it was. */
enum sp_err sp_aead_open(const uint8_t key[SP_AEAD_KEY],
                         const uint8_t nonce[SP_AEAD_NONCE], struct sp_view beside,
                         struct sp_view sealed, struct sp_buf *out) SP_MUST_USE;

#endif
