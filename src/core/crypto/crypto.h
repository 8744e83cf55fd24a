/* Digests and public keys, on OpenSSL. The only folder of the core that includes it.
 *
 * The verification time is always an argument (idea 8). Nothing here reads files, the
 * environment or OpenSSL's configuration file. */
#ifndef SP_CORE_CRYPTO_CRYPTO_H
#define SP_CORE_CRYPTO_CRYPTO_H

#include "core/base/limits.h"
#include "sallyport/bytes.h"

/* Keeps OpenSSL from reading its configuration file in this process. Every function
 * here calls it where it matters; whoever uses OpenSSL elsewhere calls it first. */
void sp_crypto_start(void);

/* Cannot fail: where OpenSSL runs out of memory the program ends, because a digest that
 * was not computed must not be mistaken for one. */
void sp_sha256(struct sp_view v, uint8_t out[32]);
/* Of a and b, one behind the other. */
void sp_sha256_joined(struct sp_view a, struct sp_view b, uint8_t out[32]);

/* The same for many short ones in a row, by one thread: what OpenSSL sets up, and takes
 * locks for, is set up once. */
struct sp_sha256_row;
enum sp_err sp_sha256_row_new(struct sp_sha256_row **out) SP_MUST_USE;
void sp_sha256_row_free(struct sp_sha256_row **r);
void sp_sha256_next(struct sp_sha256_row *r, struct sp_view a, struct sp_view b,
                    uint8_t out[32]);

/* SHA-1 and SHA-256 of the same bytes in one pass. Computed by stitch.h where the
 * processor can, else by OpenSSL. */
struct sp_digester;
enum sp_err sp_digester_new(struct sp_digester **out) SP_MUST_USE;
/* And SHA-256 of every part of so many bytes, a multiple of 64. At most that many
 * parts, behind which update is SP_E_LIMIT. */
enum sp_err sp_digester_new_in_parts(size_t part, uint64_t most,
                                     struct sp_digester **out) SP_MUST_USE;
/* By OpenSSL wherever it runs, to compare with; part 0: without parts. */
enum sp_err sp_digester_new_plain(size_t part, uint64_t most,
                                  struct sp_digester **out) SP_MUST_USE;
void sp_digester_free(struct sp_digester **d);
enum sp_err sp_digester_update(struct sp_digester *d, struct sp_view v) SP_MUST_USE;
/* SHA-256 of what came so far; the digester goes on. */
enum sp_err sp_digester_peek(const struct sp_digester *d,
                             uint8_t sha256[32]) SP_MUST_USE;
/* Ends it: behind it come only the next one and the freeing. */
enum sp_err sp_digester_finish(struct sp_digester *d, uint8_t sha1[20],
                               uint8_t sha256[32]) SP_MUST_USE;
/* SHA-256 of some ranges of the same bytes, one behind the other: a third of what it
 * costs alone. The ranges are in order and do not touch what came before. */
enum { SP_BESIDE_RANGES = 4 };
struct sp_beside {
    struct {
        uint64_t at, length;
    } range[SP_BESIDE_RANGES];
    size_t count; /* 0: none is wanted */
    uint8_t sha256[32];
};
/* Before the first byte. */
enum sp_err sp_digester_beside(struct sp_digester *d,
                               const struct sp_beside *wanted) SP_MUST_USE;
/* Once finished. Count 0: none was wanted, or not all of the ranges came. */
void sp_digester_get_beside(const struct sp_digester *d, struct sp_beside *out);
/* 32 bytes for each part that is complete; once finished, the last and maybe shorter
 * one too. Until the next update. */
struct sp_view sp_digester_parts(const struct sp_digester *d);

/* A pin: SHA-256 of a certificate's SubjectPublicKeyInfo, "sha256//BASE64=". */
struct sp_pin {
    uint8_t sha256[32];
};
#define SP_PIN_TEXT 64 /* bytes with the NUL */
enum sp_err sp_pin_parse(struct sp_view text, struct sp_pin *out) SP_MUST_USE;
void sp_pin_format(const struct sp_pin *p, char out[SP_PIN_TEXT]);
bool sp_pin_eq(const struct sp_pin *a, const struct sp_pin *b);

/* What a person wants to know of a certificate (DER). */
struct sp_cert_facts {
    struct sp_pin spki;
    uint8_t sha256[32]; /* of the DER */
    char subject[256];  /* RFC 2253, printable, cut with "..." */
    char issuer[256];
    char names[512];               /* DNS and IP names of the SAN, ", " between */
    char key[32];                  /* "RSA 2048", "EC P-256", "Ed25519" */
    char signature[64];            /* "sha256WithRSAEncryption" */
    int64_t not_before, not_after; /* unix seconds */
    bool is_ca, self_signed;
};
/* Errors: SP_E_MALFORMED (also for bytes behind the certificate), SP_E_NOMEM. */
enum sp_err sp_cert_read(struct sp_view der, struct sp_cert_facts *out) SP_MUST_USE;
/* The SAN (never the CN) covers a DNS name or IP literal, wildcards in the leftmost
 * label only. */
enum sp_err sp_cert_covers(struct sp_view der, const char *host, bool *out) SP_MUST_USE;
/* Calls back with the DER of every certificate of a PEM text, in order; *count of them.
 * Other blocks and text between them are passed over. The DER is not looked at. Errors:
 * SP_E_MALFORMED, SP_E_UNSUPPORTED for "TRUSTED CERTIFICATE", whatever each returns. */
enum sp_err sp_pem_certs(struct sp_view pem,
                         enum sp_err (*each)(void *ctx, struct sp_view der), void *ctx,
                         size_t *count) SP_MUST_USE;
/* The private key (PEM, not encrypted) belongs to the certificate (DER). An encrypted
 * key is SP_E_UNSUPPORTED; nobody is asked for a password. */
enum sp_err sp_key_matches(struct sp_view key_pem, struct sp_view cert_der,
                           bool *out) SP_MUST_USE;

/* Ed25519, RFC 8032. */
enum sp_err sp_ed25519_public(const uint8_t seed[32], uint8_t out[32]) SP_MUST_USE;
enum sp_err sp_ed25519_sign(const uint8_t seed[32], struct sp_view message,
                            uint8_t out[64]) SP_MUST_USE;
enum sp_err sp_ed25519_verify(const uint8_t public_key[32], struct sp_view message,
                              const uint8_t signature[64], bool *out) SP_MUST_USE;

#endif
