#include "core/crypto/cms_parts.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

static void md_free(EVP_MD **md)
{
    EVP_MD_free(*md);
}

static void pkey_ctx_free(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
}

/* Whom a signature names. Read once: there may be many certificates to compare with. */
struct name {
    struct sp_view key_id;
    X509_NAME *issuer;    /* owned */
    ASN1_INTEGER *serial; /* owned */
};

static void name_fini(struct name *n)
{
    X509_NAME_free(n->issuer);
    ASN1_INTEGER_free(n->serial);
}

static struct name name_of(const struct sp_signer_info *s)
{
    struct name n = {.key_id = s->key_id};
    const unsigned char *at = s->issuer.data;
    n.issuer = at ? d2i_X509_NAME(NULL, &at, (long)s->issuer.len) : NULL;
    at = s->serial.data;
    n.serial = at ? d2i_ASN1_INTEGER(NULL, &at, (long)s->serial.len) : NULL;
    return n;
}

static bool is_signer(X509 *x, const struct name *s)
{
    if (s->key_id.len > 0) {
        const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(x);
        return id && sp_view_eq(s->key_id, sp_view(ASN1_STRING_get0_data(id),
                                                   (size_t)ASN1_STRING_length(id)));
    }
    return s->issuer && s->serial &&
           X509_NAME_cmp(s->issuer, X509_get_issuer_name(x)) == 0 &&
           ASN1_INTEGER_cmp(s->serial, X509_get0_serialNumber(x)) == 0;
}

static X509 *find_in(STACK_OF(X509) * certs, const struct name *s)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        if (is_signer(sk_X509_value(certs, i), s)) {
            return sk_X509_value(certs, i);
        }
    }
    return NULL;
}

X509 *sp_cms_find_signer(const struct sp_signer_info *s, STACK_OF(X509) * certs,
                         const struct sp_trust *trust)
{
    SP_AUTO(name_fini) struct name name = name_of(s);
    X509 *x = find_in(certs, &name);
    x = x ? x : find_in(trust->certs, &name);
    ERR_clear_error();
    return x;
}

/* The signature's algorithm is of the key's kind, and where it names a digest, that is
 * the signer's. Its parameters are absent or NULL. */
static bool algorithm_fits(struct sp_view der, enum sp_digest d, EVP_PKEY *key)
{
    int digest = NID_undef, kind = NID_undef;
    struct sp_der all = sp_der(der);
    struct sp_der algorithm = sp_der_enter(&all, SP_DER_SEQUENCE);
    struct sp_view oid = sp_der_tlv(&algorithm, SP_DER_OID).whole;
    bool is_plain =
        !sp_der_more(&algorithm) || sp_der_content(&algorithm, SP_DER_NULL).len == 0;
    if (!is_plain || sp_der_end(&algorithm) != SP_OK) {
        return false;
    }
    const unsigned char *at = oid.data;
    ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &at, (long)oid.len);
    int nid = object ? OBJ_obj2nid(object) : NID_undef;
    ASN1_OBJECT_free(object);
    bool is_pair = OBJ_find_sigid_algs(nid, &digest, &kind) == 1;
    SP_AUTO(md_free) EVP_MD *md = sp_digest_fetch(d);
    bool digest_fits = !is_pair || (md && EVP_MD_get_type(md) == digest);
    return nid != NID_undef && digest_fits &&
           EVP_PKEY_get_base_id(key) == (is_pair ? kind : nid);
}

static bool value_fits(EVP_PKEY *key, enum sp_digest d, const uint8_t *digest,
                       struct sp_view value)
{
    SP_AUTO(md_free) EVP_MD *md = sp_digest_fetch(d);
    SP_AUTO(pkey_ctx_free)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    return md && ctx && EVP_PKEY_verify_init(ctx) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
           EVP_PKEY_verify(ctx, value.data, value.len, digest, sp_digest_bytes(d)) == 1;
}

/* VeriSign's and Symantec's old time stamps hold the bare digest, without the
 * DigestInfo that RFC 2315 9.4 wants around it. */
static bool bare_value_fits(EVP_PKEY *key, enum sp_digest d, const uint8_t *digest,
                            struct sp_view value)
{
    uint8_t found[2048];
    size_t len = sizeof found;
    SP_AUTO(pkey_ctx_free)
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    return ctx && EVP_PKEY_is_a(key, "RSA") &&
           EVP_PKEY_get_size(key) <= (int)sizeof found &&
           EVP_PKEY_verify_recover_init(ctx) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_verify_recover(ctx, found, &len, value.data, value.len) == 1 &&
           sp_view_eq(sp_view(found, len), sp_view(digest, sp_digest_bytes(d)));
}

/* RFC 2315 9.3: what is signed is the SET of attributes, though it stands as [0]. */
static bool digest_attributes(const struct sp_signer_info *s, uint8_t *out)
{
    static const uint8_t set = SP_DER_SET;
    SP_AUTO(sp_hasher_free) struct sp_hasher *h = NULL;
    return sp_hasher_new(1U << s->digest, &h) == SP_OK &&
           sp_hasher_update(h, sp_view(&set, 1)) == SP_OK &&
           sp_hasher_update(h, sp_view_slice(s->attributes, 1, s->attributes.len)) ==
               SP_OK &&
           sp_hasher_finish(h, s->digest, out) == SP_OK;
}

/* The one value of an attribute with this tag, or nothing. */
static struct sp_view signed_value(const struct sp_signer_info *s, enum sp_oid which,
                                   uint8_t tag)
{
    struct sp_view values = {0};
    if (sp_attribute(s->signed_attributes, which, &values) != SP_OK) {
        return (struct sp_view){0};
    }
    struct sp_der d = sp_der(values);
    struct sp_view value = sp_der_content(&d, tag);
    return sp_der_end(&d) == SP_OK ? value : (struct sp_view){0};
}

static const char *find_fault(const struct sp_signer_info *s, X509 *x,
                              struct sp_view content_type, struct sp_view content,
                              bool is_countersignature)
{
    uint8_t digest[SP_DIGEST_MAX];
    EVP_PKEY *key = x ? X509_get0_pubkey(x) : NULL;
    if (!key) {
        return x ? "the signer's key cannot be used"
                 : "the signer's certificate is not there";
    }
    if (sp_digest_of(s->digest, content, digest) != SP_OK ||
        !sp_view_eq(signed_value(s, SP_OID_MESSAGE_DIGEST, SP_DER_OCTETS),
                    sp_view(digest, sp_digest_bytes(s->digest)))) {
        return "the signed content was changed";
    }
    if (content_type.len > 0 &&
        !sp_view_eq(signed_value(s, SP_OID_CONTENT_TYPE, SP_DER_OID), content_type)) {
        return "the type of the signed content was changed";
    }
    if (!algorithm_fits(s->algorithm, s->digest, key)) {
        return "the signature's algorithm does not fit the key";
    }
    if (!digest_attributes(s, digest)) {
        return "the signed attributes could not be digested";
    }
    bool fits =
        value_fits(key, s->digest, digest, s->value) ||
        (is_countersignature && bare_value_fits(key, s->digest, digest, s->value));
    return fits ? NULL : "the signature was not made with the signer's key";
}

bool sp_cms_check(const struct sp_signer_info *s, X509 *x, struct sp_view content_type,
                  struct sp_view content, bool is_countersignature, const char **why)
{
    *why = find_fault(s, x, content_type, content, is_countersignature);
    ERR_clear_error();
    return !*why;
}

static void read_eku(const X509 *x, char *text, size_t cap)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    size_t len = 0;
    text[0] = 0;
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        char oid[64];
        if (OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(usages, i), 1) > 0 &&
            len + strlen(oid) + 3 < cap) {
            len += (size_t)snprintf(text + len, cap - len, "%s%s", i ? ", " : "", oid);
        }
    }
    sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
}

static enum sp_err verify_one(struct sp_cms_one *one, const struct sp_trust *trust,
                              int64_t now)
{
    struct sp_signature *out = &one->public;
    const char *why = NULL;
    X509 *signer = sp_cms_find_signer(&one->signer, one->certs, trust);
    SP_TRY(sp_cms_look_beside(&one->data, &one->signer, false, one->certs, trust, out));
    out->is_good = one->data.content.data &&
                   sp_cms_check(&one->signer, signer, one->data.content_type,
                                one->data.content, false, &why);
    snprintf(out->why, sizeof out->why, "%s",
             why            ? why
             : out->is_good ? ""
                            : "there is no signed content");
    if (signer && sp_x509_read(signer, &out->signer) != SP_OK) {
        out->is_good = false;
        snprintf(out->why, sizeof out->why, "the signer's certificate cannot be read");
        signer = NULL;
    }
    if (!signer) {
        return SP_OK;
    }
    out->has_signer = true;
    read_eku(signer, out->eku, sizeof out->eku);
    SP_TRY(sp_cms_read_time(one, trust));
    int64_t at = out->time_trusted ? out->time : now;
    SP_TRY(sp_chain_build(signer, one->certs, trust, SP_PURPOSE_CODE_SIGNING, at, now,
                          &out->chain));
    out->is_fit =
        sp_x509_is_fit(signer, SP_PURPOSE_CODE_SIGNING, at) && !out->chain.is_revoked;
    return SP_OK;
}

enum sp_err sp_cms_verify(struct sp_cms *c, const struct sp_trust *trust, int64_t now)
{
    for (size_t i = 0; i < c->count; i++) {
        SP_TRY(verify_one(c->at[i], trust, now));
    }
    ERR_clear_error();
    return SP_OK;
}
