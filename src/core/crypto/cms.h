/* Signatures as Authenticode writes them: PKCS #7 SignedData around a digest of a file
 * or a list of digests (a catalogue), with further signatures nested inside and time
 * stamps beside. Read first, verified later: reading tells which digests of the file
 * are wanted.
 *
 * Knows: SpcIndirectDataContent and certificate trust lists, nested signatures, RFC
 * 3161 and PKCS #9 time stamps, program names. Refuses to know: where in a file a
 * signature stands and what it leaves out. What is found is stated, nothing is decided;
 * "trusted" means that a chain of pins, purposes and dates holds (trust.h).
 *
 * Everything borrows the bytes that were read: they outlive struct sp_cms. */
#ifndef SP_CORE_CRYPTO_CMS_H
#define SP_CORE_CRYPTO_CMS_H

#include "core/crypto/hasher.h"
#include "core/crypto/trust.h"

enum sp_signed_content {
    SP_CONTENT_OTHER,      /* of another or no type */
    SP_CONTENT_PE,         /* a digest of a PE image */
    SP_CONTENT_CABINET,    /* ... of a cabinet */
    SP_CONTENT_INSTALLER,  /* ... of an installer database */
    SP_CONTENT_TRUST_LIST, /* a catalogue */
};

enum sp_time_kind { SP_TIME_NONE, SP_TIME_RFC3161, SP_TIME_PKCS9 };
const char *sp_time_kind_text(enum sp_time_kind k); /* "none", "rfc3161", "pkcs9" */

enum { SP_LOOSE = 16 };

struct sp_signature {
    /* as read */
    enum sp_signed_content content;
    bool is_nested;
    enum sp_digest digest;      /* what the signer digested with */
    enum sp_digest file_digest; /* algorithm of file; unless a trust list */
    struct sp_view file;        /* digest of the file that was signed; else empty */
    bool has_page_hashes;
    char program_name[128]; /* UTF-8, may be empty */
    /* as verified */
    bool is_good;           /* the signer signed exactly this content */
    bool has_signer;        /* its certificate was found */
    bool is_explicit_curve; /* a certificate spells out its curve (CVE-2020-0601) */
    bool has_forged_cert;   /* a certificate was not signed by the issuer it names */
    struct sp_view loose[SP_LOOSE]; /* parts that nothing proves */
    size_t loose_count;
    bool is_fit; /* its certificate was valid then, meant for code and not revoked,
                    whoever issued it */
    struct sp_cert_facts signer;
    char eku[256]; /* extended key usages, dotted, ", " between */
    struct sp_chain chain;
    enum sp_time_kind time_kind;
    int64_t time;      /* unix seconds, where kind is not NONE */
    bool time_trusted; /* the stamp is good and its chain is trusted for that */
    struct sp_chain time_chain;
    char why[512]; /* what is wrong with signature or time stamp; else empty */
};

struct sp_cms;
/* der is one ContentInfo and nothing more. A SignedData without signers gives a cms
 * without signatures. Errors as der.h; SP_E_LIMIT for more than SP_LIMIT_SIGNATURES
 * signatures or SP_LIMIT_SIGNATURE_CERTS certificates; SP_E_UNSUPPORTED. */
enum sp_err sp_cms_read(struct sp_view der, struct sp_cms **out,
                        struct sp_why *why) SP_MUST_USE;
void sp_cms_free(struct sp_cms **c);
size_t sp_cms_count(const struct sp_cms *c);
const struct sp_signature *sp_cms_at(const struct sp_cms *c, size_t i);
/* What it is about, one TLV; borrowed from der. */
struct sp_view sp_cms_content(const struct sp_cms *c, size_t i);
/* Fills what sp_signature calls verified. Chains are judged at the trusted time of the
 * signature, else at now. */
enum sp_err sp_cms_verify(struct sp_cms *c, const struct sp_trust *trust,
                          int64_t now) SP_MUST_USE;

#endif
