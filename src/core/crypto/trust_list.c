/* What a bundle holds and what it lacks, for a person. */
#include "core/crypto/openssl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>

static enum sp_err role_of(const struct sp_trust *t, const X509 *x,
                           bool pinned[SP_PURPOSE_COUNT])
{
    struct sp_pin key;
    struct sp_view name = sp_x509_common_name(X509_get_subject_name(x));
    SP_TRY(sp_x509_pin(x, &key));
    for (enum sp_purpose p = 0; p < SP_PURPOSE_COUNT; p++) {
        pinned[p] = sp_trust_has(t, &key, name, p);
    }
    return SP_OK;
}

enum sp_err sp_trust_role(const struct sp_trust *t, struct sp_view der,
                          bool pinned[SP_PURPOSE_COUNT])
{
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    SP_TRY(sp_x509_parse(der, &x));
    return role_of(t, x, pinned);
}

static bool has_issuer(const struct sp_trust *t, X509 *x)
{
    bool found = false;
    for (int i = 0; !found && i < sk_X509_num(t->certs); i++) {
        X509 *issuer = sk_X509_value(t->certs, i);
        found = X509_check_issued(issuer, x) == X509_V_OK &&
                X509_verify(x, X509_get0_pubkey(issuer)) == 1;
    }
    ERR_clear_error();
    return found;
}

enum sp_err sp_trust_each(const struct sp_trust *t,
                          enum sp_err (*each)(void *ctx,
                                              const struct sp_trust_cert *cert),
                          void *ctx)
{
    for (int i = 0; i < sk_X509_num(t->certs); i++) {
        X509 *x = sk_X509_value(t->certs, i);
        struct sp_trust_cert c = {.has_issuer = has_issuer(t, x)};
        SP_TRY(sp_x509_read(x, &c.facts));
        SP_TRY(role_of(t, x, c.pinned));
        SP_TRY(each(ctx, &c));
    }
    return SP_OK;
}

static bool holds(const struct sp_trust *t, const struct sp_trust_pin *pin)
{
    for (int i = 0; i < sk_X509_num(t->certs); i++) {
        struct sp_cert_facts f;
        if (sp_x509_read(sk_X509_value(t->certs, i), &f) == SP_OK &&
            memcmp(f.sha256, pin->sha256, sizeof f.sha256) == 0) {
            return true;
        }
    }
    return false;
}

bool sp_trust_missing(const struct sp_trust *t, size_t i, struct sp_trust_root *out)
{
    for (size_t at = 0; at < t->pin_count; at++) {
        const struct sp_trust_pin *pin = &t->pins[at];
        if (!pin->has_sha256 || holds(t, pin)) {
            continue;
        }
        if (i-- == 0) {
            *out = (struct sp_trust_root){.common_name = pin->subject,
                                          .sha256 = pin->sha256};
            memcpy(out->pinned, pin->for_purpose, sizeof out->pinned);
            return true;
        }
    }
    return false;
}

const struct sp_trust_pin *sp_trust_root_of(const struct sp_trust *t,
                                            struct sp_view common_name,
                                            enum sp_purpose purpose)
{
    for (size_t i = 0; i < t->pin_count; i++) {
        const struct sp_trust_pin *pin = &t->pins[i];
        if (pin->has_sha256 && pin->for_purpose[purpose] &&
            sp_view_eq_str(common_name, pin->subject)) {
            return pin;
        }
    }
    return NULL;
}
