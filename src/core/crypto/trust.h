/* Whom signatures of files are believed: pins, certificates to build chains with, and
 * revocation lists.
 *
 * A pin is a public key with the name it must go by and what it may do. A chain is good
 * when it reaches a certificate with a pinned key, whether that stands at its end (a
 * root) or before it. The certificates of the bundle only help to build chains; being
 * in it makes none of them trusted. Pins are a text, one a line:
 *
 *     # comment
 *     sha256//BASE64=  code-signing,time-stamping  "Common Name"  HEX  # where it was
 * seen
 *
 * HEX is the SHA-256 of a root's certificate and may be left away; it only serves to
 * name the certificate when it is missing.
 *
 * Filled by one thread, then read by many. */
#ifndef SP_CORE_CRYPTO_TRUST_H
#define SP_CORE_CRYPTO_TRUST_H

#include "core/base/limits.h"
#include "core/crypto/crypto.h"

enum sp_purpose { SP_PURPOSE_CODE_SIGNING, SP_PURPOSE_TIME_STAMPING, SP_PURPOSE_COUNT };
const char *sp_purpose_text(enum sp_purpose p); /* "code-signing" */

struct sp_trust;
enum sp_err sp_trust_new(struct sp_trust **out) SP_MUST_USE;
void sp_trust_free(struct sp_trust **t);
/* SP_E_CONFIG with the line that is wrong; SP_E_LIMIT. */
enum sp_err sp_trust_add_pins(struct sp_trust *t, struct sp_view text,
                              struct sp_why *why) SP_MUST_USE;
/* Certificates and revocation lists of a PEM text; at least one of them. */
enum sp_err sp_trust_add_pem(struct sp_trust *t, struct sp_view pem,
                             struct sp_why *why) SP_MUST_USE;
/* One revocation list as DER, or any number from one on as PEM. */
enum sp_err sp_trust_add_crl(struct sp_trust *t, struct sp_view text,
                             struct sp_why *why) SP_MUST_USE;
size_t sp_trust_pins(const struct sp_trust *t); /* how many */
/* A key with this name is pinned for this. */
bool sp_trust_has(const struct sp_trust *t, const struct sp_pin *key,
                  struct sp_view common_name, enum sp_purpose p);

/* What the bundle holds. */
struct sp_trust_cert {
    struct sp_cert_facts facts;
    bool pinned[SP_PURPOSE_COUNT];
    bool has_issuer; /* the bundle holds who issued it */
};
/* Every certificate of the bundle, in order; stops at the first error. */
enum sp_err sp_trust_each(const struct sp_trust *t,
                          enum sp_err (*each)(void *ctx,
                                              const struct sp_trust_cert *cert),
                          void *ctx) SP_MUST_USE;
/* A pinned root whose certificate the bundle does not hold: the i-th, false past the
 * end. */
struct sp_trust_root {
    const char *common_name; /* borrowed from the trust */
    const uint8_t *sha256;
    bool pinned[SP_PURPOSE_COUNT];
};
bool sp_trust_missing(const struct sp_trust *t, size_t i, struct sp_trust_root *out);
/* What is pinned of this certificate. Errors as sp_cert_read. */
enum sp_err sp_trust_role(const struct sp_trust *t, struct sp_view der,
                          bool pinned[SP_PURPOSE_COUNT]) SP_MUST_USE;

/* What revocation lists say of one certificate. */
enum sp_revocation_state { SP_REVOCATION_UNKNOWN, SP_NOT_LISTED, SP_REVOKED_BY_THEN };
const char *sp_revocation_text(enum sp_revocation_state s); /* "not-listed" */
struct sp_revocation {
    enum sp_revocation_state state; /* at the time that counts */
    int64_t since;                  /* REVOKED_BY_THEN: unix seconds */
    bool has_list;       /* a whole list by the issuer is there; the newest: */
    int64_t made, until; /* until 0: it does not say */
    bool is_fresh;       /* it is in force now */
};

/* What came of building a chain. */
struct sp_chain {
    bool is_revoked; /* a certificate of it was, at the time that counts */
    struct {
        char subject[256];
        struct sp_revocation revocation;
    } below[SP_LIMIT_CHAIN_DEPTH]; /* the certificates below its end, leaf first */
    size_t below_count;
    bool is_trusted;        /* it reaches a pinned key and all of it is good */
    uint8_t top_sha256[32]; /* certificate where it ended */
    struct sp_pin top_spki;
    char top[256]; /* its subject */
    char why[384]; /* why it is not trusted, and what to do; else empty */
};

#endif
