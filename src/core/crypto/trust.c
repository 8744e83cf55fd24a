#include "core/crypto/openssl.h"

#include "core/base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const purposes[SP_PURPOSE_COUNT] = {"code-signing", "time-stamping"};

const char *sp_purpose_text(enum sp_purpose p)
{
    SP_ASSERT(p < SP_PURPOSE_COUNT);
    return purposes[p];
}

enum sp_err sp_trust_new(struct sp_trust **out)
{
    sp_crypto_start();
    SP_AUTO(sp_trust_free) struct sp_trust *t = calloc(1, sizeof *t);
    if (!t) {
        return SP_E_NOMEM;
    }
    t->certs = sk_X509_new_null();
    t->crls = sk_X509_CRL_new_null();
    if (!t->certs || !t->crls) {
        return SP_E_NOMEM;
    }
    *out = t;
    t = NULL;
    return SP_OK;
}

void sp_trust_free(struct sp_trust **t)
{
    if (*t) {
        sk_X509_pop_free((*t)->certs, X509_free);
        sk_X509_CRL_pop_free((*t)->crls, X509_CRL_free);
        free(*t);
        *t = NULL;
    }
}

size_t sp_trust_pins(const struct sp_trust *t)
{
    return t->pin_count;
}

bool sp_trust_has(const struct sp_trust *t, const struct sp_pin *key,
                  struct sp_view common_name, enum sp_purpose p)
{
    for (size_t i = 0; i < t->pin_count; i++) {
        const struct sp_trust_pin *pin = &t->pins[i];
        if (pin->for_purpose[p] && sp_pin_eq(&pin->pin, key) &&
            sp_view_eq_str(common_name, pin->subject)) {
            return true;
        }
    }
    return false;
}

/* ---- the text of pins ---- */

/* Cuts the part before the first byte equal to c off the front, and that byte. */
static struct sp_view cut(struct sp_view *v, uint8_t c)
{
    size_t end = sp_view_find(*v, c);
    struct sp_view part = sp_view_slice(*v, 0, end);
    *v = sp_view_slice(*v, end + 1, v->len);
    return part;
}

static bool read_purposes(struct sp_view list, bool out[SP_PURPOSE_COUNT])
{
    bool any = false;
    while (list.len > 0) {
        struct sp_view word = cut(&list, ',');
        bool known = false;
        for (enum sp_purpose p = 0; p < SP_PURPOSE_COUNT; p++) {
            if (sp_view_eq_str(word, purposes[p])) {
                known = out[p] = any = true;
            }
        }
        if (!known) {
            return false;
        }
    }
    return any;
}

static const char *read_fingerprint(struct sp_view hex, struct sp_trust_pin *out)
{
    out->has_sha256 = hex.len > 0;
    if (hex.len == 0 || sp_hex_parse(hex, out->sha256, sizeof out->sha256) == SP_OK) {
        return NULL;
    }
    return "behind the name may stand the SHA-256 of the certificate, 64 hex digits";
}

static const char no_name[] =
    "behind the purposes stands the certificate's common name in double quotes";

/* One line without its comment and outer blanks. */
static const char *read_pin(struct sp_view line, struct sp_trust_pin *out)
{
    struct sp_view pin = cut(&line, ' ');
    if (sp_pin_parse(pin, &out->pin) != SP_OK) {
        return "a pin is \"sha256//\" and 44 characters of base64";
    }
    line = sp_view_trim(line, " \t");
    if (!read_purposes(cut(&line, ' '), out->for_purpose)) {
        return "behind the pin stands code-signing, time-stamping or both with a comma";
    }
    line = sp_view_trim(line, " \t");
    if (line.len == 0 || line.data[0] != '"') {
        return no_name;
    }
    line = sp_view_slice(line, 1, line.len);
    size_t end = sp_view_find(line, '"');
    if (end == 0 || end == line.len || end >= sizeof out->subject) {
        return no_name;
    }
    memcpy(out->subject, line.data, end);
    line = sp_view_trim(sp_view_slice(line, end + 1, line.len), " \t");
    return read_fingerprint(line, out);
}

enum sp_err sp_trust_add_pins(struct sp_trust *t, struct sp_view text,
                              struct sp_why *why)
{
    for (unsigned number = 1; text.len > 0; number++) {
        struct sp_view line = cut(&text, '\n');
        line = sp_view_trim(sp_view_slice(line, 0, sp_view_find(line, '#')), " \t\r");
        struct sp_trust_pin pin = {0};
        if (line.len == 0) {
            continue;
        }
        const char *wrong = read_pin(line, &pin);
        if (wrong) {
            return sp_why_set(why, SP_E_CONFIG, "line %u: %s", number, wrong);
        }
        if (t->pin_count == SP_LIMIT_TRUST_PINS) {
            return sp_why_set(why, SP_E_LIMIT, "line %u: there may be %d pins", number,
                              SP_LIMIT_TRUST_PINS);
        }
        t->pins[t->pin_count++] = pin;
    }
    return SP_OK;
}

/* ---- certificates and revocation lists ---- */

static enum sp_err add_cert(void *ctx, struct sp_view der)
{
    struct sp_trust *t = ctx;
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    SP_TRY(sp_x509_parse(der, &x));
    if (sk_X509_num(t->certs) >= SP_LIMIT_TRUST_CERTS) {
        return SP_E_LIMIT;
    }
    if (sk_X509_push(t->certs, x) <= 0) {
        return SP_E_NOMEM;
    }
    x = NULL;
    return SP_OK;
}

enum sp_err sp_trust_add_pem(struct sp_trust *t, struct sp_view pem, struct sp_why *why)
{
    size_t certs = 0;
    int crls = sk_X509_CRL_num(t->crls);
    enum sp_err e = pem.len == 0        ? SP_E_MALFORMED
                    : pem.len > INT_MAX ? SP_E_LIMIT
                                        : sp_pem_certs(pem, add_cert, t, &certs);
    if (e == SP_OK) {
        e = sp_crls_read_pem(t, pem);
    }
    if (e == SP_OK && certs == 0 && sk_X509_CRL_num(t->crls) == crls) {
        e = SP_E_MALFORMED;
    }
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, e,
                            "a bundle holds certificates and revocation lists as PEM, "
                            "at least one and at most %d: %s",
                            SP_LIMIT_TRUST_CERTS, sp_err_text(e));
}
