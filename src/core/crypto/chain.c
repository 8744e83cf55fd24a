/* Chains for signatures of files. OpenSSL builds and checks them; what may stand at the
 * end, the purposes and revocation at a time in the past are decided here. */
#include "core/crypto/openssl.h"

#include "core/base/text.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

static void store_free(X509_STORE **s)
{
    X509_STORE_free(*s);
}

static void ctx_free(X509_STORE_CTX **c)
{
    X509_STORE_CTX_free(*c);
}

static void stack_free(STACK_OF(X509) * *s)
{
    sk_X509_free(*s);
}

enum sp_err sp_x509_read(const X509 *x, struct sp_cert_facts *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x, &der);
    if (len <= 0) {
        ERR_clear_error();
        return SP_E_MALFORMED;
    }
    enum sp_err e = sp_cert_read(sp_view(der, (size_t)len), out);
    OPENSSL_free(der);
    return e;
}

struct sp_view sp_x509_common_name(const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    const ASN1_STRING *s =
        at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return s ? sp_view(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s))
             : (struct sp_view){0};
}

static bool is_anchor(const X509 *x, const struct sp_trust *trust,
                      enum sp_purpose purpose)
{
    struct sp_pin key;
    return sp_x509_pin(x, &key) == SP_OK &&
           sp_trust_has(trust, &key, sp_x509_common_name(X509_get_subject_name(x)),
                        purpose);
}

/* Puts what is pinned among certs into store, and all of certs into pool. */
static bool gather(STACK_OF(X509) * certs, const struct sp_trust *trust,
                   enum sp_purpose purpose, X509_STORE *store, STACK_OF(X509) * pool)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *x = sk_X509_value(certs, i);
        if (sk_X509_push(pool, x) <= 0 ||
            (is_anchor(x, trust, purpose) && X509_STORE_add_cert(store, x) != 1)) {
            return false;
        }
    }
    return true;
}

static bool has_purpose(X509 *x, enum sp_purpose purpose, bool is_leaf)
{
    uint32_t want = purpose == SP_PURPOSE_CODE_SIGNING ? XKU_CODE_SIGN : XKU_TIMESTAMP;
    bool is_limited = (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) != 0;
    uint32_t usage = is_limited ? X509_get_extended_key_usage(x) : 0;
    if (!is_leaf) {
        return !is_limited || (usage & (want | XKU_ANYEKU)) != 0;
    }
    return (usage & want) != 0 &&
           (X509_get_key_usage(x) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

bool sp_x509_is_fit(X509 *x, enum sp_purpose purpose, int64_t at)
{
    int64_t from = 0, to = 0;
    return has_purpose(x, purpose, true) &&
           sp_asn1_time(X509_get0_notBefore(x), &from) == SP_OK &&
           sp_asn1_time(X509_get0_notAfter(x), &to) == SP_OK && from <= at && at <= to;
}

static void look_for_revocations(STACK_OF(X509) * chain, const struct sp_trust *trust,
                                 int64_t at, int64_t now, struct sp_chain *out)
{
    for (int i = 0; i + 1 < sk_X509_num(chain) && i < SP_LIMIT_CHAIN_DEPTH; i++) {
        X509 *x = sk_X509_value(chain, i);
        struct sp_cert_facts f;
        struct sp_revocation *r = &out->below[i].revocation;
        sp_revocation_look(x, sk_X509_value(chain, i + 1), trust, at, now, r);
        if (sp_x509_read(x, &f) == SP_OK) {
            memcpy(out->below[i].subject, f.subject, sizeof f.subject);
        }
        out->is_revoked = out->is_revoked || r->state == SP_REVOKED_BY_THEN;
        out->below_count = (size_t)i + 1;
    }
}

/* Why a chain that OpenSSL found good is not good for this, or NULL; *which is the
 * place in it. */
static const char *find_fault(STACK_OF(X509) * chain, enum sp_purpose purpose,
                              const struct sp_chain *found, int *which)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *x = sk_X509_value(chain, i);
        *which = i;
        if (!has_purpose(x, purpose, i == 0)) {
            return "its key usage does not allow it";
        }
        if ((size_t)i < found->below_count &&
            found->below[i].revocation.state == SP_REVOKED_BY_THEN) {
            return "it was revoked by then";
        }
    }
    return NULL;
}

static void hex_of(const uint8_t sha256[32], char out[65])
{
    for (size_t i = 0; i < 32; i++) {
        snprintf(out + 2 * i, 3, "%02x", sha256[i]);
    }
}

/* Nobody can name the digest of a certificate that is not there, but for a root that
 * was pinned together with it. */
static void say_missing(const X509 *top, const struct sp_cert_facts *f,
                        const struct sp_trust *trust, enum sp_purpose purpose,
                        struct sp_chain *out)
{
    char hex[65] = "";
    const struct sp_trust_pin *root = sp_trust_root_of(
        trust, sp_x509_common_name(X509_get_issuer_name(top)), purpose);
    if (root) {
        hex_of(root->sha256, hex);
    }
    snprintf(
        out->why, sizeof out->why,
        "missing issuer: the signature and the bundle lack %.80s%s%s, and %.80s is "
        "not pinned for %s; add it with \"sallyport trust add\"",
        f->issuer, root ? ", SHA-256 " : "", hex, f->subject, sp_purpose_text(purpose));
}

static void say_unknown(const X509 *top, const struct sp_trust *trust,
                        enum sp_purpose purpose, struct sp_chain *out)
{
    struct sp_cert_facts f;
    char pin[SP_PIN_TEXT], hex[65];
    if (sp_x509_read(top, &f) != SP_OK) {
        return;
    }
    if (!f.self_signed) {
        say_missing(top, &f, trust, purpose, out);
        return;
    }
    sp_pin_format(&f.spki, pin);
    hex_of(f.sha256, hex);
    snprintf(out->why, sizeof out->why,
             "unknown root: %.100s, SHA-256 %s, is not pinned for %s; if it is to be "
             "trusted, pin %s",
             f.subject, hex, sp_purpose_text(purpose), pin);
}

static bool is_unknown_end(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           error == X509_V_ERR_CERT_UNTRUSTED;
}

static void say_fault(const X509 *x, const char *fault, int64_t at,
                      struct sp_chain *out)
{
    struct sp_cert_facts f;
    char time[SP_TIME_TEXT];
    sp_time_format(at, time);
    if (sp_x509_read(x, &f) == SP_OK) {
        snprintf(out->why, sizeof out->why, "%.160s, judged at %s: %s", f.subject, time,
                 fault);
    }
}

static void judge(X509_STORE_CTX *ctx, bool is_good, const struct sp_trust *trust,
                  enum sp_purpose purpose, int64_t at, struct sp_chain *out)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    int count = sk_X509_num(chain), which = 0;
    X509 *top = count > 0 ? sk_X509_value(chain, count - 1) : leaf;
    int error = X509_STORE_CTX_get_error(ctx);
    struct sp_cert_facts f;
    if (sp_x509_read(top, &f) == SP_OK) {
        memcpy(out->top_sha256, f.sha256, sizeof f.sha256);
        memcpy(out->top, f.subject, sizeof f.subject);
        out->top_spki = f.spki;
    }
    snprintf(out->why, sizeof out->why, "the chain could not be built");
    const char *fault = is_good ? find_fault(chain, purpose, out, &which) : NULL;
    if (is_good && !fault) {
        out->is_trusted = true;
        out->why[0] = 0;
    } else if (fault) {
        say_fault(sk_X509_value(chain, which), fault, at, out);
    } else if (is_unknown_end(error)) {
        say_unknown(top, trust, purpose, out);
    } else {
        X509 *x = X509_STORE_CTX_get_current_cert(ctx);
        say_fault(x ? x : leaf, X509_verify_cert_error_string(error), at, out);
    }
}

enum sp_err sp_chain_build(X509 *leaf, STACK_OF(X509) * others,
                           const struct sp_trust *trust, enum sp_purpose purpose,
                           int64_t at, int64_t now, struct sp_chain *out)
{
    SP_AUTO(store_free) X509_STORE *store = X509_STORE_new();
    SP_AUTO(stack_free) STACK_OF(X509) *pool = sk_X509_new_null();
    SP_AUTO(ctx_free) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    struct sp_chain chain = {0};
    if (!store || !pool || !ctx || !gather(others, trust, purpose, store, pool) ||
        !gather(trust->certs, trust, purpose, store, pool) ||
        X509_STORE_CTX_init(ctx, store, leaf, pool) != 1) {
        ERR_clear_error();
        return SP_E_NOMEM;
    }
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_depth(param, SP_LIMIT_CHAIN_DEPTH);
    X509_VERIFY_PARAM_set_time(param, (time_t)at);
    bool is_good = X509_verify_cert(ctx) == 1;
    look_for_revocations(X509_STORE_CTX_get0_chain(ctx), trust, at, now, &chain);
    judge(ctx, is_good, trust, purpose, at, &chain);
    ERR_clear_error();
    *out = chain;
    return SP_OK;
}
