/* What the files of this folder share among themselves. */
#ifndef SP_CORE_CRYPTO_OPENSSL_H
#define SP_CORE_CRYPTO_OPENSSL_H

#include "core/crypto/crypto.h"
#include "core/crypto/hasher.h"
#include "core/crypto/trust.h"
#include "sallyport/bytes.h"

#include <openssl/x509.h>

/* The whole of der is one certificate; else SP_E_MALFORMED. */
enum sp_err sp_x509_parse(struct sp_view der, X509 **out) SP_MUST_USE;
void sp_x509_free(X509 **x);
enum sp_err sp_x509_pin(const X509 *x, struct sp_pin *out) SP_MUST_USE;
enum sp_err sp_asn1_time(const ASN1_TIME *t, int64_t *out) SP_MUST_USE;
/* As sp_cert_read says it. */
enum sp_err sp_x509_read(const X509 *x, struct sp_cert_facts *out) SP_MUST_USE;

/* NULL when memory runs out; the caller frees it with EVP_MD_free. */
EVP_MD *sp_digest_fetch(enum sp_digest d);

struct sp_trust_pin {
    struct sp_pin pin;
    bool for_purpose[SP_PURPOSE_COUNT];
    char subject[64]; /* NUL-terminated common name */
    bool has_sha256;
    uint8_t sha256[32]; /* of the certificate */
};
struct sp_trust {
    struct sp_trust_pin pins[SP_LIMIT_TRUST_PINS];
    size_t pin_count;
    STACK_OF(X509) * certs;    /* owned */
    STACK_OF(X509_CRL) * crls; /* owned */
};

/* The common name, empty where there is none; borrowed. */
struct sp_view sp_x509_common_name(const X509_NAME *name);
/* chain.c: its own dates and purposes allow it, whoever issued it. */
bool sp_x509_is_fit(X509 *x, enum sp_purpose purpose, int64_t at);
/* trust_list.c: a pinned root of this name whose certificate's digest is known. */
const struct sp_trust_pin *sp_trust_root_of(const struct sp_trust *t,
                                            struct sp_view common_name,
                                            enum sp_purpose purpose);
/* revocation.c: every list of a PEM text, maybe none. */
enum sp_err sp_crls_read_pem(struct sp_trust *t, struct sp_view pem) SP_MUST_USE;
/* What the lists by issuer say of x at that time; whether they are in force now. */
void sp_revocation_look(X509 *x, X509 *issuer, const struct sp_trust *trust, int64_t at,
                        int64_t now, struct sp_revocation *out);

/* chain.c: from leaf to a pinned key, with certificates of others (may be NULL) and of
 * the bundle, all of them valid at that time and fit for the purpose. now is for the
 * dates of revocation lists. */
enum sp_err sp_chain_build(X509 *leaf, STACK_OF(X509) * others,
                           const struct sp_trust *trust, enum sp_purpose purpose,
                           int64_t at, int64_t now, struct sp_chain *out) SP_MUST_USE;

#endif
