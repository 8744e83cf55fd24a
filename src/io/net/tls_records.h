/* Makes the records of what is sent over TLS, with the keys that OpenSSL offers to a
 * kernel (SSL_OP_ENABLE_KTLS): docs/decisions/0085.
 *
 * From then on every record of the connection is made here, whoever wrote what is in
 * it, under one number that only counts up: no nonce comes twice. Knows AES-GCM in
 * TLS 1.2 and 1.3; of other ciphers it does not take the keys. */
#ifndef SP_IO_NET_TLS_RECORDS_H
#define SP_IO_NET_TLS_RECORDS_H

#include "core/crypto/gcm.h"

#define SP_TLS_RECORD_PAYLOAD 16384u /* bytes at most; RFC 8446 section 5.1 */
#define SP_TLS_RECORD_EXTRA   29     /* that a record is longer, at most */
/* RFC 8446 section 5.5: so many records a key of AES-GCM is good for, 2^24.5. */
#define SP_TLS_RECORDS_MAX 23726566u

/* A thread's: the key that was used last, as it is used. It takes 1 KiB, which ten
 * thousand idle connections need not hold, and 0.1 us to make of the key again. */
struct sp_tls_sealer;

/* Secret: only _free knows how to part with it. */
struct sp_tls_records {
    uint64_t id; /* with its sealer */
    uint8_t key[32];
    uint8_t key_len;
    uint8_t iv[SP_GCM_NONCE]; /* of TLS 1.2 only the first four bytes count, the salt */
    bool is_13;
    uint64_t number; /* of the next record */
    uint32_t left;   /* records that the keys are good for */
};

/* NULL: there is none, and no keys are taken. Borrowed; it stays. */
const struct sp_gcm_library *sp_tls_records_library(void);

/* NULL: no memory. */
struct sp_tls_sealer *sp_tls_sealer_new(void);
void sp_tls_sealer_free(struct sp_tls_sealer **s);

/* keys: struct tls_crypto_info and what follows it (linux/tls.h). NULL: they are not
 * taken. The records are of that sealer from then on. */
struct sp_tls_records *sp_tls_records_new(struct sp_tls_sealer *s, const void *keys);
/* Wipes the keys. */
void sp_tls_records_free(struct sp_tls_sealer *s, struct sp_tls_records **r);
/* One record of that type (RFC 8446 section 5.1) to out, which has room for the payload
 * and SP_TLS_RECORD_EXTRA. SP_E_TLS: the keys are used up. */
enum sp_err sp_tls_records_seal(struct sp_tls_sealer *s, struct sp_tls_records *r,
                                uint8_t type, struct sp_view payload, uint8_t *out,
                                size_t *len) SP_MUST_USE;

#endif
