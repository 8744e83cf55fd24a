/* Keys and certificates of a gate that has none yet, for `sallyport init`: P-256 keys,
 * a CA of one's own, a server certificate below it, or a request for somebody else's
 * CA.
 *
 * Everything is PEM. Private keys are PKCS#8, not encrypted; whoever gets one wipes it.
 */
#ifndef SP_CORE_CRYPTO_ISSUE_H
#define SP_CORE_CRYPTO_ISSUE_H

#include "core/crypto/crypto.h"

/* A new key. SP_E_CRYPTO, SP_E_LIMIT, SP_E_NOMEM, as all that follow. */
enum sp_err sp_issue_key(struct sp_buf *key_pem) SP_MUST_USE;
/* The pin of a key. SP_E_MALFORMED when it is none. */
enum sp_err sp_issue_pin(struct sp_view key_pem, struct sp_pin *out) SP_MUST_USE;

struct sp_issue {
    const char *subject;      /* common name, 1..64 bytes of UTF-8 */
    const char *const *names; /* DNS names and addresses; none for a CA */
    size_t name_count;
    int64_t now;  /* unix seconds; valid from an hour before */
    int64_t days; /* that it is valid, 1.. */
};
/* A self-signed CA that may issue end-entity certificates only. */
enum sp_err sp_issue_ca(const struct sp_issue *want, struct sp_view key_pem,
                        struct sp_buf *cert_pem) SP_MUST_USE;
/* A server certificate for key_pem, signed by the CA. SP_E_MALFORMED when a name can
 * stand in no certificate, or when the CA's key is not that of its certificate. */
enum sp_err sp_issue_server(const struct sp_issue *want, struct sp_view key_pem,
                            struct sp_view ca_pem, struct sp_view ca_key_pem,
                            struct sp_buf *cert_pem) SP_MUST_USE;
/* A certificate request (PKCS#10) with the same names. */
enum sp_err sp_issue_request(const struct sp_issue *want, struct sp_view key_pem,
                             struct sp_buf *request_pem) SP_MUST_USE;

#endif
