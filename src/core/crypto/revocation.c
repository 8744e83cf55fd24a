/* What revocation lists say about one certificate, RFC 5280 5 and 6.3. Lists are files
 * of the configuration; nothing is fetched. A list counts when the certificate's issuer
 * signed it. One that has run out still names what it named; whether lists are in force
 * is told, and for a rule or a person to judge. */
#include "core/crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <limits.h>

static const char *const states[] = {"unknown", "not-listed", "revoked"};

const char *sp_revocation_text(enum sp_revocation_state s)
{
    SP_ASSERT(s <= SP_REVOKED_BY_THEN);
    return states[s];
}

static bool is_by(X509_CRL *crl, X509 *x, X509 *issuer)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(x)) == 0 &&
           (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0 &&
           X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1;
}

/* 5.3.2: the key may have been lost before the day of the revocation. */
static bool revoked_since(X509_REVOKED *row, int64_t *since)
{
    int64_t day = 0, lost = 0;
    if (sp_asn1_time(X509_REVOKED_get0_revocationDate(row), &day) != SP_OK) {
        return false;
    }
    ASN1_GENERALIZEDTIME *t =
        X509_REVOKED_get_ext_d2i(row, NID_invalidity_date, NULL, NULL);
    bool is_earlier = t && sp_asn1_time(t, &lost) == SP_OK && lost < day;
    ASN1_GENERALIZEDTIME_free(t);
    *since = is_earlier ? lost : day;
    return true;
}

static void look_for(X509_CRL *crl, X509 *x, int64_t at, struct sp_revocation *out)
{
    X509_REVOKED *row = NULL;
    int64_t since = 0;
    /* 2 would be removeFromCRL, which only a delta may say */
    if (X509_CRL_get0_by_cert(crl, &row, x) == 1 && revoked_since(row, &since) &&
        since <= at) {
        out->state = SP_REVOKED_BY_THEN;
        out->since = since;
    }
}

/* A list with critical extensions covers a part only (5.2.4, 5.2.5): who is not on it
 * is not thereby good. */
static bool covers_all(const X509_CRL *crl)
{
    return X509_CRL_get_ext_by_critical(crl, 1, -1) < 0;
}

static void note_newest(X509_CRL *crl, struct sp_revocation *out)
{
    int64_t made = 0, until = 0;
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    if (!covers_all(crl) ||
        sp_asn1_time(X509_CRL_get0_lastUpdate(crl), &made) != SP_OK ||
        (next && sp_asn1_time(next, &until) != SP_OK)) {
        return;
    }
    if (out->state == SP_REVOCATION_UNKNOWN) {
        out->state = SP_NOT_LISTED;
    }
    if (!out->has_list || made > out->made) {
        out->has_list = true;
        out->made = made;
        out->until = until;
    }
}

void sp_revocation_look(X509 *x, X509 *issuer, const struct sp_trust *trust, int64_t at,
                        int64_t now, struct sp_revocation *out)
{
    struct sp_revocation r = {0};
    for (int i = 0; i < sk_X509_CRL_num(trust->crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(trust->crls, i);
        if (is_by(crl, x, issuer)) {
            note_newest(crl, &r);
            look_for(crl, x, at, &r);
        }
    }
    /* a list without an end is never known to be the last one */
    r.is_fresh = r.has_list && r.made <= now && now < r.until;
    ERR_clear_error();
    *out = r;
}

/* ---- reading lists ---- */

static enum sp_err push(struct sp_trust *t, X509_CRL *crl)
{
    if (sk_X509_CRL_num(t->crls) >= SP_LIMIT_TRUST_CRLS) {
        X509_CRL_free(crl);
        return SP_E_LIMIT;
    }
    if (sk_X509_CRL_push(t->crls, crl) <= 0) {
        X509_CRL_free(crl);
        return SP_E_NOMEM;
    }
    return SP_OK;
}

static void bio_free(BIO **b)
{
    BIO_free(*b);
}

enum sp_err sp_crls_read_pem(struct sp_trust *t, struct sp_view pem)
{
    SP_AUTO(bio_free) BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_CRL *crl;
    while (in && (crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL))) {
        SP_TRY(push(t, crl));
    }
    unsigned long e = ERR_peek_last_error();
    ERR_clear_error();
    bool is_end = ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
    return !in ? SP_E_NOMEM : is_end ? SP_OK : SP_E_MALFORMED;
}

static enum sp_err read_der(struct sp_trust *t, struct sp_view der)
{
    const unsigned char *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    ERR_clear_error();
    if (!crl || at != der.data + der.len) {
        X509_CRL_free(crl);
        return SP_E_MALFORMED;
    }
    return push(t, crl);
}

enum sp_err sp_trust_add_crl(struct sp_trust *t, struct sp_view text,
                             struct sp_why *why)
{
    enum { SEQUENCE = 0x30 };
    int before = sk_X509_CRL_num(t->crls);
    enum sp_err e = text.len == 0 || text.len > INT_MAX ? SP_E_MALFORMED
                    : text.data[0] == SEQUENCE          ? read_der(t, text)
                                                        : sp_crls_read_pem(t, text);
    if (e == SP_OK && sk_X509_CRL_num(t->crls) == before) {
        e = SP_E_MALFORMED;
    }
    return e == SP_OK
               ? SP_OK
               : sp_why_set(
                     why, e,
                     "revocation lists come as DER or PEM, at most %d of them: %s",
                     SP_LIMIT_TRUST_CRLS, sp_err_text(e));
}
