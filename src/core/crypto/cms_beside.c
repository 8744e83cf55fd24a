/* What stands in a signature beside what is signed: certificates, revocation lists,
 * unsigned attributes. No digest covers them, so each has to be proven by something
 * else, or is said to be loose. */
#include "core/crypto/cms_parts.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

/* CVE-2020-0601: a key that brings its own curve can be given any signature. RFC 5480
 * 2.1.1: namedCurve it is. */
static bool spells_out_curve(const X509 *x)
{
    X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *object = NULL;
    int type = V_ASN1_UNDEF;
    if (X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(x)) !=
        1) {
        return false;
    }
    X509_ALGOR_get0(&object, &type, NULL, algorithm);
    return OBJ_obj2nid(object) == NID_X9_62_id_ecPublicKey && type != V_ASN1_OBJECT;
}

enum issue { UNKNOWN, FORGED, PROVEN };

/* PROVEN: it is one of certs that are believed to be what they are, or an issuer among
 * certs signed it. FORGED: there is such an issuer, and none signed it. Names can be
 * made to agree all with all, so there is a limit to how many keys are tried. */
static enum issue find_issuer(X509 *x, STACK_OF(X509) * certs, bool are_believed,
                              unsigned *tries)
{
    enum issue found = UNKNOWN;
    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *issuer = sk_X509_value(certs, i);
        if (X509_cmp(issuer, x) == 0) {
            if (are_believed) {
                return PROVEN;
            }
        } else if (X509_check_issued(issuer, x) == X509_V_OK) {
            if (*tries == 0) {
                return FORGED;
            }
            --*tries;
            if (X509_verify(x, X509_get0_pubkey(issuer)) == 1) {
                return PROVEN;
            }
            found = FORGED;
        }
    }
    return found;
}

static bool is_pinned(const X509 *x, const struct sp_trust *trust)
{
    struct sp_pin key;
    if (sp_x509_pin(x, &key) != SP_OK) {
        return false;
    }
    for (size_t i = 0; i < trust->pin_count; i++) {
        if (sp_pin_eq(&trust->pins[i].pin, &key)) {
            return true;
        }
    }
    return false;
}

static enum issue judge(X509 *x, STACK_OF(X509) * others, const struct sp_trust *trust,
                        unsigned *tries)
{
    enum issue own = find_issuer(x, others, false, tries);
    enum issue bundle =
        own == PROVEN ? PROVEN : find_issuer(x, trust->certs, true, tries);
    if (bundle == PROVEN ||
        (own == UNKNOWN && bundle == UNKNOWN && is_pinned(x, trust))) {
        return PROVEN;
    }
    return own == FORGED || bundle == FORGED ? FORGED : UNKNOWN;
}

/* One more than fits is taken for forged: nobody honest needs so much. */
static void add_loose(struct sp_signature *out, struct sp_view v)
{
    if (out->loose_count == SP_LOOSE) {
        out->has_forged_cert = true;
        return;
    }
    out->loose[out->loose_count++] = v;
}

/* One that only looks like its issuer's work can hold anything in place of a key, and
 * has held code. */
static void look_at_cert(struct sp_tlv tlv, STACK_OF(X509) * others,
                         const struct sp_trust *trust, unsigned *tries,
                         struct sp_signature *out)
{
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    if (tlv.tag != SP_DER_SEQUENCE || sp_x509_parse(tlv.whole, &x) != SP_OK) {
        add_loose(out, tlv.whole);
        return;
    }
    enum issue issue = judge(x, others, trust, tries);
    out->is_explicit_curve = out->is_explicit_curve || spells_out_curve(x);
    out->has_forged_cert = out->has_forged_cert || issue == FORGED;
    if (issue == UNKNOWN) {
        add_loose(out, tlv.whole);
    }
}

static bool is_known(struct sp_view attribute)
{
    struct sp_der all = sp_der(attribute);
    struct sp_der inner = sp_der_enter(&all, SP_DER_SEQUENCE);
    struct sp_view oid = sp_der_content(&inner, SP_DER_OID);
    return sp_oid_is(oid, SP_OID_NESTED_SIGNATURE) ||
           sp_oid_is(oid, SP_OID_RFC3161_TOKEN) ||
           sp_oid_is(oid, SP_OID_COUNTERSIGNATURE);
}

enum sp_err sp_cms_look_beside(const struct sp_signed_data *data,
                               const struct sp_signer_info *signer, bool is_stamp,
                               STACK_OF(X509) * others, const struct sp_trust *trust,
                               struct sp_signature *out)
{
    struct sp_der certs = sp_der(data->certs);
    unsigned tries = SP_LIMIT_ISSUER_TRIES;
    while (sp_der_more(&certs)) {
        look_at_cert(sp_der_any(&certs), others, trust, &tries, out);
    }
    if (data->lists.len > 0) {
        add_loose(out, data->lists);
    }
    struct sp_der attributes = sp_der(signer->unsigned_attributes);
    while (sp_der_more(&attributes)) {
        struct sp_view attribute = sp_der_any(&attributes).whole;
        if (is_stamp || !is_known(attribute)) {
            add_loose(out, attribute);
        }
    }
    ERR_clear_error();
    return certs.err != SP_OK ? certs.err : attributes.err;
}
