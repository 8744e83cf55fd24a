/* Certificates: facts for people and pins, and which names one covers. Whether it is to
 * be trusted is not asked here. */
#include "core/crypto/crypto.h"
#include "core/crypto/openssl.h"

#include "core/base/text.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum sp_err sp_x509_parse(struct sp_view der, X509 **out)
{
    sp_crypto_start();
    const unsigned char *at = der.data;
    if (der.len == 0 || der.len > LONG_MAX) {
        return SP_E_MALFORMED;
    }
    SP_AUTO(sp_x509_free) X509 *x = d2i_X509(NULL, &at, (long)der.len);
    if (!x || at != der.data + der.len) {
        ERR_clear_error();
        return SP_E_MALFORMED;
    }
    *out = x;
    x = NULL;
    return SP_OK;
}

void sp_x509_free(X509 **x)
{
    X509_free(*x);
}

static void bio_free(BIO **b)
{
    BIO_free(*b);
}

/* Appends to a text of cap bytes with its NUL. Whatever is not printable ASCII becomes
 * '?'; what does not fit is cut and ends with "...". */
static void append_printable(char *text, size_t cap, struct sp_view v)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < v.len; i++) {
        if (len + 1 == cap) {
            memcpy(text + cap - 4, "...", 4);
            return;
        }
        uint8_t c = v.data[i];
        text[len++] = c >= ' ' && c <= '~' ? (char)c : '?';
        text[len] = 0;
    }
}

static enum sp_err read_name(const X509_NAME *name, char *text, size_t cap)
{
    SP_AUTO(bio_free) BIO *b = BIO_new(BIO_s_mem());
    char *data = NULL;
    if (!b || X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) < 0) {
        return SP_E_CRYPTO;
    }
    long len = BIO_get_mem_data(b, &data);
    text[0] = 0;
    append_printable(text, cap, sp_view(data, len > 0 ? (size_t)len : 0));
    return SP_OK;
}

static void append_ip(char *text, size_t cap, const ASN1_OCTET_STRING *ip)
{
    const uint8_t *b = ASN1_STRING_get0_data(ip);
    char address[48] = "?";
    int len = ASN1_STRING_length(ip);
    if (len == 4) {
        snprintf(address, sizeof address, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    }
    for (int i = 0, n = 0; len == 16 && i < 16; i += 2) {
        n += snprintf(address + n, sizeof address - (size_t)n, "%s%x", i ? ":" : "",
                      (unsigned)(b[i] << 8 | b[i + 1]));
    }
    append_printable(text, cap, sp_view_str(address));
}

static void append_general_name(char *text, size_t cap, const GENERAL_NAME *name)
{
    if (name->type != GEN_DNS && name->type != GEN_IPADD) {
        return;
    }
    if (text[0]) {
        append_printable(text, cap, SP_VIEW(", "));
    }
    if (name->type == GEN_IPADD) {
        append_ip(text, cap, name->d.iPAddress);
        return;
    }
    const ASN1_IA5STRING *dns = name->d.dNSName;
    append_printable(
        text, cap,
        sp_view(ASN1_STRING_get0_data(dns), (size_t)ASN1_STRING_length(dns)));
}

static void read_names(const X509 *x, char *text, size_t cap)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    text[0] = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        append_general_name(text, cap, sk_GENERAL_NAME_value(names, i));
    }
    GENERAL_NAMES_free(names);
}

static void read_key(const X509 *x, char *text, size_t cap)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    char group[64];
    size_t len = 0;
    if (!key) {
        snprintf(text, cap, "unknown");
    } else if (EVP_PKEY_is_a(key, "RSA")) {
        snprintf(text, cap, "RSA %d", EVP_PKEY_get_bits(key));
    } else if (EVP_PKEY_is_a(key, "EC") &&
               EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1) {
        const char *nist = EC_curve_nid2nist(OBJ_sn2nid(group));
        snprintf(text, cap, "EC %.*s", (int)cap - 4, nist ? nist : group);
    } else if (EVP_PKEY_is_a(key, "ED25519")) {
        snprintf(text, cap, "Ed25519");
    } else {
        const char *type = EVP_PKEY_get0_type_name(key);
        snprintf(text, cap, "%.*s", (int)cap - 1, type ? type : "unknown");
    }
}

enum sp_err sp_asn1_time(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) != 1) {
        return SP_E_MALFORMED;
    }
    int64_t days = sp_days_from_civil((int64_t)tm.tm_year + 1900,
                                      (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
    *out = days * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return SP_OK;
}

enum sp_err sp_x509_pin(const X509 *x, struct sp_pin *out)
{
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    if (len <= 0) {
        return SP_E_MALFORMED;
    }
    sp_sha256(sp_view(spki, (size_t)len), out->sha256);
    OPENSSL_free(spki);
    return SP_OK;
}

static enum sp_err read_all(X509 *x, struct sp_cert_facts *f)
{
    SP_TRY(sp_x509_pin(x, &f->spki));
    SP_TRY(read_name(X509_get_subject_name(x), f->subject, sizeof f->subject));
    SP_TRY(read_name(X509_get_issuer_name(x), f->issuer, sizeof f->issuer));
    SP_TRY(sp_asn1_time(X509_get0_notBefore(x), &f->not_before));
    SP_TRY(sp_asn1_time(X509_get0_notAfter(x), &f->not_after));
    read_names(x, f->names, sizeof f->names);
    read_key(x, f->key, sizeof f->key);
    const char *signature = OBJ_nid2ln(X509_get_signature_nid(x));
    snprintf(f->signature, sizeof f->signature, "%s",
             signature ? signature : "unknown");
    f->is_ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
    f->self_signed = X509_self_signed(x, 1) == 1;
    return SP_OK;
}

enum sp_err sp_cert_read(struct sp_view der, struct sp_cert_facts *out)
{
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    struct sp_cert_facts f = {0};
    SP_TRY(sp_x509_parse(der, &x));
    sp_sha256(der, f.sha256);
    enum sp_err e = read_all(x, &f);
    ERR_clear_error();
    if (e == SP_OK) {
        *out = f;
    }
    return e;
}

enum sp_err sp_cert_covers(struct sp_view der, const char *host, bool *out)
{
    enum {
        FLAGS =
            X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS
    };
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    SP_TRY(sp_x509_parse(der, &x));
    bool covers = false;
    /* OpenSSL takes a leading dot for "any name below" */
    if (host[0] && host[0] != '.') {
        int as_ip = X509_check_ip_asc(x, host, 0);
        bool is_ip = as_ip != -2;
        covers = is_ip ? as_ip == 1 : X509_check_host(x, host, 0, FLAGS, NULL) == 1;
    }
    ERR_clear_error();
    *out = covers;
    return SP_OK;
}
