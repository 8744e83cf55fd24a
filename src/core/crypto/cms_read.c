#include "core/crypto/cms_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct sp_view oids[SP_OID_COUNT] = {
#define OID(name, der) {(const uint8_t *)(der), sizeof(der) - 1},
#include "core/crypto/oids.def"
#undef OID
};

bool sp_oid_is(struct sp_view oid, enum sp_oid which)
{
    return sp_view_eq(oid, oids[which]);
}

enum sp_err sp_digest_algorithm(struct sp_der *d, enum sp_digest *out)
{
    struct sp_der algorithm = sp_der_enter(d, SP_DER_SEQUENCE);
    struct sp_view oid = sp_der_content(&algorithm, SP_DER_OID);
    if (sp_der_more(&algorithm) && sp_der_content(&algorithm, SP_DER_NULL).len != 0) {
        return SP_E_MALFORMED;
    }
    SP_TRY(sp_der_end(&algorithm));
    return sp_digest_find(oid, out) ? SP_OK : SP_E_UNSUPPORTED;
}

/* RFC 2315 7: contents as they are, and their digest runs over what is inside of the
 * outermost tag. RFC 5652 5.2 puts them into an OCTET STRING, which comes to the same.
 */
static void read_content(struct sp_der *data, struct sp_signed_data *out)
{
    struct sp_der info = sp_der_enter(data, SP_DER_SEQUENCE);
    out->content_type = sp_der_content(&info, SP_DER_OID);
    if (sp_der_more(&info)) {
        struct sp_der wrap = sp_der_enter(&info, SP_DER_0);
        struct sp_tlv inner = sp_der_any(&wrap);
        out->content = inner.content;
        out->inner = inner.tag == SP_DER_OCTETS ? inner.content : inner.whole;
        data->err = data->err != SP_OK ? data->err : sp_der_end(&wrap);
    }
    data->err = data->err != SP_OK ? data->err : sp_der_end(&info);
}

static bool is_version(struct sp_view v)
{
    return v.len == 1 && v.data[0] <= 5;
}

enum sp_err sp_signed_data_read(struct sp_view der, struct sp_signed_data *out)
{
    struct sp_signed_data found = {0};
    struct sp_der file = sp_der(der);
    struct sp_der info = sp_der_enter(&file, SP_DER_SEQUENCE);
    if (!sp_oid_is(sp_der_content(&info, SP_DER_OID), SP_OID_SIGNED_DATA)) {
        return info.err == SP_OK ? SP_E_UNSUPPORTED : info.err;
    }
    struct sp_der wrap = sp_der_enter(&info, SP_DER_0);
    struct sp_der data = sp_der_enter(&wrap, SP_DER_SEQUENCE);
    struct sp_view version = sp_der_content(&data, SP_DER_INTEGER);
    found.digests = sp_der_content(&data, SP_DER_SET);
    read_content(&data, &found);
    if (sp_der_is(&data, SP_DER_0)) {
        found.certs = sp_der_content(&data, SP_DER_0);
    }
    if (sp_der_is(&data, SP_DER_1)) {
        found.lists = sp_der_any(&data).whole;
    }
    found.signers = sp_der_content(&data, SP_DER_SET);
    SP_TRY(sp_der_end(&data));
    SP_TRY(sp_der_end(&wrap));
    SP_TRY(sp_der_end(&info));
    SP_TRY(sp_der_end(&file));
    if (!is_version(version)) {
        return SP_E_UNSUPPORTED;
    }
    *out = found;
    return SP_OK;
}

/* RFC 2315 6.7 issuerAndSerialNumber, or RFC 5652 5.3 [0] subjectKeyIdentifier. */
static void read_signer_name(struct sp_der *info, struct sp_signer_info *out)
{
    enum { KEY_ID = 0x80 };
    if (sp_der_is(info, KEY_ID)) {
        out->key_id = sp_der_content(info, KEY_ID);
        return;
    }
    struct sp_der name = sp_der_enter(info, SP_DER_SEQUENCE);
    out->issuer = sp_der_tlv(&name, SP_DER_SEQUENCE).whole;
    out->serial = sp_der_tlv(&name, SP_DER_INTEGER).whole;
    info->err = info->err != SP_OK ? info->err : sp_der_end(&name);
}

enum sp_err sp_signer_info_read(struct sp_view der, struct sp_signer_info *out)
{
    struct sp_signer_info found = {0};
    struct sp_der all = sp_der(der);
    struct sp_der info = sp_der_enter(&all, SP_DER_SEQUENCE);
    struct sp_view version = sp_der_content(&info, SP_DER_INTEGER);
    read_signer_name(&info, &found);
    SP_TRY(sp_digest_algorithm(&info, &found.digest));
    if (sp_der_is(&info, SP_DER_0)) {
        struct sp_tlv attributes = sp_der_any(&info);
        found.attributes = attributes.whole;
        found.signed_attributes = attributes.content;
    }
    found.algorithm = sp_der_tlv(&info, SP_DER_SEQUENCE).whole;
    found.value = sp_der_content(&info, SP_DER_OCTETS);
    if (sp_der_is(&info, SP_DER_1)) {
        found.unsigned_attributes = sp_der_any(&info).content;
    }
    SP_TRY(sp_der_end(&info));
    SP_TRY(sp_der_end(&all));
    if (!is_version(version)) {
        return SP_E_UNSUPPORTED;
    }
    *out = found;
    return SP_OK;
}

enum sp_err sp_cms_certs(struct sp_view certs, STACK_OF(X509) * *out)
{
    struct sp_der d = sp_der(certs);
    while (sp_der_more(&d)) {
        SP_AUTO(sp_x509_free) X509 *x = NULL;
        struct sp_tlv one = sp_der_any(&d);
        if (one.tag != SP_DER_SEQUENCE) {
            continue; /* RFC 5652 10.2.2: attribute certificates and other kinds */
        }
        SP_TRY(sp_x509_parse(one.whole, &x));
        if (sk_X509_num(*out) >= SP_LIMIT_SIGNATURE_CERTS) {
            return SP_E_LIMIT;
        }
        if (sk_X509_push(*out, x) <= 0) {
            return SP_E_NOMEM;
        }
        x = NULL;
    }
    return sp_der_end(&d);
}

enum sp_err sp_attribute(struct sp_view attributes, enum sp_oid which,
                         struct sp_view *out)
{
    struct sp_der d = sp_der(attributes);
    bool found = false;
    while (sp_der_more(&d)) {
        struct sp_der attribute = sp_der_enter(&d, SP_DER_SEQUENCE);
        struct sp_view oid = sp_der_content(&attribute, SP_DER_OID);
        struct sp_view values = sp_der_content(&attribute, SP_DER_SET);
        SP_TRY(sp_der_end(&attribute));
        if (sp_oid_is(oid, which)) {
            if (found) {
                return SP_E_MALFORMED;
            }
            found = true;
            *out = values;
        }
    }
    SP_TRY(sp_der_end(&d));
    return found ? SP_OK : SP_E_NOTFOUND;
}

const char *sp_time_kind_text(enum sp_time_kind k)
{
    static const char *const texts[] = {"none", "rfc3161", "pkcs9"};
    SP_ASSERT(k <= SP_TIME_PKCS9);
    return texts[k];
}

static void one_free(struct sp_cms_one **one)
{
    if (*one) {
        sk_X509_pop_free((*one)->certs, X509_free);
        free(*one);
        *one = NULL;
    }
}

void sp_cms_free(struct sp_cms **c)
{
    if (*c) {
        for (size_t i = 0; i < (*c)->count; i++) {
            one_free(&(*c)->at[i]);
        }
        free(*c);
        *c = NULL;
    }
}

size_t sp_cms_count(const struct sp_cms *c)
{
    return c->count;
}

const struct sp_signature *sp_cms_at(const struct sp_cms *c, size_t i)
{
    SP_ASSERT(i < c->count);
    return &c->at[i]->public;
}

struct sp_view sp_cms_content(const struct sp_cms *c, size_t i)
{
    SP_ASSERT(i < c->count);
    return c->at[i]->data.inner;
}

/* The signer's digest is among those that the SignedData announces, and no other is. */
enum sp_err sp_cms_announced(const struct sp_signed_data *data, enum sp_digest d)
{
    struct sp_der all = sp_der(data->digests);
    enum sp_digest announced;
    SP_TRY(sp_digest_algorithm(&all, &announced));
    SP_TRY(sp_der_end(&all));
    return announced == d ? SP_OK : SP_E_MISMATCH;
}

/* outer is the content that a nested signature without own content is about; its data
 * is NULL for the outermost one. */
static enum sp_err read_one(struct sp_view der, const struct sp_signed_data *outer,
                            struct sp_cms_one **out)
{
    SP_AUTO(one_free) struct sp_cms_one *one = calloc(1, sizeof *one);
    if (!one || !(one->certs = sk_X509_new_null())) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_signed_data_read(der, &one->data));
    if (one->data.signers.len > 0) {
        SP_TRY(sp_signer_info_read(one->data.signers, &one->signer));
        SP_TRY(sp_cms_announced(&one->data, one->signer.digest));
        SP_TRY(sp_cms_certs(one->data.certs, &one->certs));
    }
    if (!one->data.content.data && outer) {
        one->data.content = outer->content;
        one->data.inner = outer->inner;
    }
    one->public.is_nested = outer != NULL;
    one->public.digest = one->signer.digest;
    SP_TRY(sp_spc_read(one));
    *out = one;
    one = NULL;
    return SP_OK;
}

static enum sp_err add_one(struct sp_cms *c, struct sp_view der,
                           const struct sp_signed_data *outer)
{
    SP_AUTO(one_free) struct sp_cms_one *one = NULL;
    if (c->count == SP_LIMIT_SIGNATURES) {
        return SP_E_LIMIT;
    }
    SP_TRY(read_one(der, outer, &one));
    if (one->data.signers.len > 0) {
        c->at[c->count++] = one;
        one = NULL;
    }
    return SP_OK;
}

static enum sp_err add_nested(struct sp_cms *c, const struct sp_cms_one *outer)
{
    struct sp_view values = {0};
    enum sp_err e = sp_attribute(outer->signer.unsigned_attributes,
                                 SP_OID_NESTED_SIGNATURE, &values);
    if (e != SP_OK) {
        return e == SP_E_NOTFOUND ? SP_OK : e;
    }
    struct sp_der d = sp_der(values);
    while (sp_der_more(&d)) {
        struct sp_tlv nested = sp_der_tlv(&d, SP_DER_SEQUENCE);
        SP_TRY(d.err);
        SP_TRY(add_one(c, nested.whole, &outer->data));
    }
    return sp_der_end(&d);
}

enum sp_err sp_cms_read(struct sp_view der, struct sp_cms **out, struct sp_why *why)
{
    SP_AUTO(sp_cms_free) struct sp_cms *c = calloc(1, sizeof *c);
    if (!c) {
        return SP_E_NOMEM;
    }
    enum sp_err e = add_one(c, der, NULL);
    /* what is nested in nested ones is appended too, and looked at in its turn */
    for (size_t i = 0; e == SP_OK && i < c->count; i++) {
        e = add_nested(c, c->at[i]);
    }
    if (e != SP_OK) {
        return sp_why_set(why, e, "signature %zu cannot be read: %s", c->count + 1,
                          sp_err_text(e));
    }
    *out = c;
    c = NULL;
    return SP_OK;
}
