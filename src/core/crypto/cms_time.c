/* Time stamps: RFC 3161 tokens and PKCS #9 countersignatures. Both are about the value
 * of the signature they stand beside. */
#include "core/crypto/cms_parts.h"

#include <openssl/err.h>

#include <stdio.h>

/* One time stamp as read. */
struct stamp {
    enum sp_time_kind kind;
    struct sp_signed_data data; /* of a token */
    struct sp_signer_info signer;
    struct sp_view content_type, content;
    STACK_OF(X509) * certs; /* owned */
    struct sp_view time;    /* TLV */
    bool fits;              /* it is about this signature */
};

static void stamp_fini(struct stamp *s)
{
    sk_X509_pop_free(s->certs, X509_free);
}

/* RFC 3161 2.4.2 TSTInfo. */
static enum sp_err read_tst_info(struct sp_view inner, struct sp_view value,
                                 struct stamp *out)
{
    uint8_t digest[SP_DIGEST_MAX];
    enum sp_digest d;
    struct sp_der all = sp_der(inner);
    struct sp_der info = sp_der_enter(&all, SP_DER_SEQUENCE);
    sp_der_content(&info, SP_DER_INTEGER);
    sp_der_content(&info, SP_DER_OID);
    struct sp_der imprint = sp_der_enter(&info, SP_DER_SEQUENCE);
    SP_TRY(imprint.err);
    SP_TRY(sp_digest_algorithm(&imprint, &d));
    struct sp_view imprinted = sp_der_content(&imprint, SP_DER_OCTETS);
    SP_TRY(sp_der_end(&imprint));
    sp_der_content(&info, SP_DER_INTEGER);
    out->time = sp_der_tlv(&info, SP_DER_GENERALIZED_TIME).whole;
    SP_TRY(info.err);
    SP_TRY(sp_digest_of(d, value, digest));
    out->fits = sp_view_eq(imprinted, sp_view(digest, sp_digest_bytes(d)));
    return SP_OK;
}

static enum sp_err read_token(struct sp_view token, struct sp_view value,
                              struct stamp *out)
{
    const struct sp_signed_data *data = &out->data;
    SP_TRY(sp_signed_data_read(token, &out->data));
    SP_TRY(sp_signer_info_read(data->signers, &out->signer));
    SP_TRY(sp_cms_announced(data, out->signer.digest));
    SP_TRY(sp_cms_certs(data->certs, &out->certs));
    if (!sp_oid_is(data->content_type, SP_OID_TST_INFO)) {
        return SP_E_UNSUPPORTED;
    }
    out->kind = SP_TIME_RFC3161;
    out->content_type = data->content_type;
    out->content = data->content;
    return read_tst_info(data->inner, value, out);
}

/* PKCS #9 5.6: a SignerInfo whose content is the signature's value; its signing time is
 * an attribute, its certificates stand beside those of the signer. */
static enum sp_err read_countersignature(struct sp_view info, struct sp_view value,
                                         struct stamp *out)
{
    struct sp_view times = {0};
    SP_TRY(sp_signer_info_read(info, &out->signer));
    SP_TRY(sp_attribute(out->signer.signed_attributes, SP_OID_SIGNING_TIME, &times));
    struct sp_der d = sp_der(times);
    out->kind = SP_TIME_PKCS9;
    out->time = sp_der_any(&d).whole;
    out->content = value;
    out->fits = true; /* its messageDigest says so or not */
    return sp_der_end(&d);
}

/* SP_E_NOTFOUND where there is none. The token is preferred. */
static enum sp_err read_stamp(const struct sp_signer_info *s, struct stamp *out)
{
    struct sp_view value = {0};
    out->certs = sk_X509_new_null();
    if (!out->certs) {
        return SP_E_NOMEM;
    }
    enum sp_err e = sp_attribute(s->unsigned_attributes, SP_OID_RFC3161_TOKEN, &value);
    if (e == SP_OK) {
        return read_token(value, s->value, out);
    }
    if (e != SP_E_NOTFOUND) {
        return e;
    }
    SP_TRY(sp_attribute(s->unsigned_attributes, SP_OID_COUNTERSIGNATURE, &value));
    return read_countersignature(value, s->value, out);
}

static bool read_moment(struct sp_view der, int64_t *out)
{
    const unsigned char *at = der.data;
    ASN1_TIME *t = d2i_ASN1_TIME(NULL, &at, (long)der.len);
    bool is = t && sp_asn1_time(t, out) == SP_OK;
    ASN1_TIME_free(t);
    return is;
}

static void say(struct sp_signature *s, const char *what)
{
    if (!s->why[0]) {
        snprintf(s->why, sizeof s->why, "time stamp: %s", what);
    }
}

/* A countersigner's certificate stands beside the signer's or in the token. */
static enum sp_err gather(struct stamp *stamp, STACK_OF(X509) * others)
{
    for (int i = 0; i < sk_X509_num(others); i++) {
        X509 *x = sk_X509_value(others, i);
        if (X509_up_ref(x) != 1 || sk_X509_push(stamp->certs, x) <= 0) {
            return SP_E_NOMEM;
        }
    }
    return SP_OK;
}

static enum sp_err verify_stamp(struct stamp *stamp, const struct sp_trust *trust,
                                struct sp_signature *out)
{
    const char *why = NULL;
    X509 *x = sp_cms_find_signer(&stamp->signer, stamp->certs, trust);
    bool is_good = sp_cms_check(&stamp->signer, x, stamp->content_type, stamp->content,
                                stamp->kind == SP_TIME_PKCS9, &why);
    out->time_kind = stamp->kind;
    if (!read_moment(stamp->time, &out->time) || !stamp->fits || !is_good) {
        say(out, why           ? why
                 : stamp->fits ? "its time cannot be read"
                               : "it is about another signature");
        return SP_OK;
    }
    SP_TRY(sp_chain_build(x, stamp->certs, trust, SP_PURPOSE_TIME_STAMPING, out->time,
                          out->time, &out->time_chain));
    out->time_trusted = out->time_chain.is_trusted;
    if (!out->time_trusted) {
        say(out, out->time_chain.why);
    }
    return SP_OK;
}

enum sp_err sp_cms_read_time(struct sp_cms_one *one, const struct sp_trust *trust)
{
    SP_AUTO(stamp_fini) struct stamp stamp = {0};
    enum sp_err e = read_stamp(&one->signer, &stamp);
    if (e == SP_E_NOTFOUND) {
        return SP_OK;
    }
    if (e == SP_OK) {
        SP_TRY(gather(&stamp, one->certs));
        SP_TRY(sp_cms_look_beside(&stamp.data, &stamp.signer, true, stamp.certs, trust,
                                  &one->public));
        return verify_stamp(&stamp, trust, &one->public);
    }
    if (e != SP_E_NOMEM) {
        say(&one->public, "it cannot be read");
        return SP_OK;
    }
    return e;
}
