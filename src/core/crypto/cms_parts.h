/* What the files cms*.c share. */
#ifndef SP_CORE_CRYPTO_CMS_PARTS_H
#define SP_CORE_CRYPTO_CMS_PARTS_H

#include "core/crypto/cms.h"
#include "core/crypto/der.h"
#include "core/crypto/openssl.h"

enum sp_oid {
#define OID(name, der) SP_OID_##name,
#include "core/crypto/oids.def"
#undef OID
    SP_OID_COUNT
};
bool sp_oid_is(struct sp_view oid, enum sp_oid which);

/* RFC 2315 9.1 SignedData; all views borrow. */
struct sp_signed_data {
    struct sp_view content_type;
    struct sp_view content; /* what the digest runs over; NULL data where detached */
    struct sp_view inner;   /* the same as a TLV */
    struct sp_view certs;   /* certificates, one behind the other */
    struct sp_view lists;   /* TLV of revocation lists, which nobody reads; or empty */
    struct sp_view signers; /* SignerInfos, one behind the other */
    struct sp_view digests; /* AlgorithmIdentifiers that it announces */
};

/* RFC 2315 9.2 SignerInfo. */
struct sp_signer_info {
    struct sp_view issuer, serial; /* TLVs; or */
    struct sp_view key_id;         /* contents */
    enum sp_digest digest;
    struct sp_view attributes; /* the TLV of signed ones, as [0] */
    struct sp_view signed_attributes, unsigned_attributes; /* contents */
    struct sp_view algorithm;                              /* TLV, of the signature */
    struct sp_view value;                                  /* the signature itself */
};

struct sp_cms_one {
    struct sp_signature public;
    struct sp_signed_data data;
    struct sp_signer_info signer;
    STACK_OF(X509) * certs; /* owned */
};
struct sp_cms {
    struct sp_cms_one *at[SP_LIMIT_SIGNATURES]; /* owned */
    size_t count;
};

/* cms_read.c */
enum sp_err sp_signed_data_read(struct sp_view der,
                                struct sp_signed_data *out) SP_MUST_USE;
enum sp_err sp_signer_info_read(struct sp_view der,
                                struct sp_signer_info *out) SP_MUST_USE;
enum sp_err sp_cms_certs(struct sp_view certs, STACK_OF(X509) * *out) SP_MUST_USE;
/* The one AlgorithmIdentifier of a digest; its parameters are absent or NULL. */
enum sp_err sp_digest_algorithm(struct sp_der *d, enum sp_digest *out) SP_MUST_USE;
/* The values of an attribute (contents of its SET); SP_E_NOTFOUND, SP_E_MALFORMED where
 * it stands twice. */
enum sp_err sp_attribute(struct sp_view attributes, enum sp_oid which,
                         struct sp_view *out) SP_MUST_USE;

/* SP_E_MISMATCH unless d is the one digest that the SignedData announces. */
enum sp_err sp_cms_announced(const struct sp_signed_data *data,
                             enum sp_digest d) SP_MUST_USE;

/* spc.c: what a signature is about. */
enum sp_err sp_spc_read(struct sp_cms_one *one) SP_MUST_USE;

/* cms_verify.c: the signer's certificate among certs and the bundle, or NULL
 * (borrowed); whether it signed content of this type. *why says what is wrong (static),
 * else NULL. */
X509 *sp_cms_find_signer(const struct sp_signer_info *s, STACK_OF(X509) * certs,
                         const struct sp_trust *trust);
bool sp_cms_check(const struct sp_signer_info *s, X509 *x, struct sp_view content_type,
                  struct sp_view content, bool is_countersignature, const char **why);

/* cms_beside.c: fills loose, has_forged_cert and is_explicit_curve. others are all
 * certificates that may prove these. A time stamp has no unsigned attributes to expect.
 */
enum sp_err sp_cms_look_beside(const struct sp_signed_data *data,
                               const struct sp_signer_info *signer, bool is_stamp,
                               STACK_OF(X509) * others, const struct sp_trust *trust,
                               struct sp_signature *out) SP_MUST_USE;

/* cms_time.c */
enum sp_err sp_cms_read_time(struct sp_cms_one *one,
                             const struct sp_trust *trust) SP_MUST_USE;

#endif
