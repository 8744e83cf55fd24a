#include "core/crypto/issue.h"

#include "core/crypto/openssl.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { SERIAL_BITS = 127, BACKDATED_S = 3600, DAY_S = 86400 };

static void pkey_free(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void bio_free(BIO **b)
{
    BIO_free(*b);
}

static void request_free(X509_REQ **r)
{
    X509_REQ_free(*r);
}

static void extensions_free(STACK_OF(X509_EXTENSION) * *list)
{
    sk_X509_EXTENSION_pop_free(*list, X509_EXTENSION_free);
}

static enum sp_err failed(enum sp_err e)
{
    ERR_clear_error();
    return e;
}

static BIO *reader(struct sp_view pem)
{
    sp_crypto_start();
    return pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
}

/* An encrypted key is none: nobody is asked for a password. */
static int no_password(char *text, int size, int writing, void *ctx)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static enum sp_err read_key(struct sp_view pem, EVP_PKEY **out)
{
    SP_AUTO(bio_free) BIO *b = reader(pem);
    if (!b) {
        return SP_E_NOMEM;
    }
    EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
    if (!key) {
        return failed(SP_E_MALFORMED);
    }
    *out = key;
    return SP_OK;
}

static enum sp_err read_cert(struct sp_view pem, X509 **out)
{
    SP_AUTO(bio_free) BIO *b = reader(pem);
    if (!b) {
        return SP_E_NOMEM;
    }
    X509 *x = PEM_read_bio_X509(b, NULL, no_password, NULL);
    if (!x) {
        return failed(SP_E_MALFORMED);
    }
    *out = x;
    return SP_OK;
}

static enum sp_err take(BIO *b, struct sp_buf *out)
{
    char *data = NULL;
    long len = BIO_get_mem_data(b, &data);
    return len > 0 ? sp_buf_append(out, sp_view(data, (size_t)len)) : SP_E_CRYPTO;
}

enum sp_err sp_issue_key(struct sp_buf *key_pem)
{
    sp_crypto_start();
    SP_AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");
    SP_AUTO(bio_free) BIO *b = BIO_new(BIO_s_secmem());
    if (!key || !b ||
        PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return failed(SP_E_CRYPTO);
    }
    return take(b, key_pem);
}

enum sp_err sp_issue_pin(struct sp_view key_pem, struct sp_pin *out)
{
    SP_AUTO(pkey_free) EVP_PKEY *key = NULL;
    uint8_t *der = NULL;
    SP_TRY(read_key(key_pem, &key));
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0) {
        return failed(SP_E_CRYPTO);
    }
    sp_sha256(sp_view(der, (size_t)len), out->sha256);
    OPENSSL_free(der);
    return SP_OK;
}

/* ---- what stands in a certificate ------------------------------------------------ */

static enum sp_err set_subject(X509_NAME *name, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)text, -1, -1, 0) == 1
               ? SP_OK
               : failed(SP_E_MALFORMED);
}

static enum sp_err add(STACK_OF(X509_EXTENSION) * *list, X509V3_CTX *ctx, int nid,
                       const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    if (!x || !X509v3_add_ext(list, x, -1)) {
        X509_EXTENSION_free(x);
        return failed(SP_E_MALFORMED);
    }
    X509_EXTENSION_free(x);
    return SP_OK;
}

/* A name of letters, digits, "-", "." and "*", or an address: nothing that the text
 * form of an extension would read as anything else. */
static bool is_plain_name(const char *name)
{
    return name[0] && strlen(name) <= 253 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-.*:") == strlen(name);
}

static enum sp_err add_names(STACK_OF(X509_EXTENSION) * *list, X509V3_CTX *ctx,
                             const struct sp_issue *want)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_KIB(16));
    for (size_t i = 0; i < want->name_count; i++) {
        const char *name = want->names[i];
        ASN1_OCTET_STRING *ip = a2i_IPADDRESS(name);
        ERR_clear_error();
        bool is_address = ip != NULL;
        ASN1_OCTET_STRING_free(ip);
        if (!is_plain_name(name) || (!is_address && strchr(name, ':'))) {
            return SP_E_MALFORMED;
        }
        SP_TRY(sp_buf_printf(&text, "%s%s:%s", i ? "," : "", is_address ? "IP" : "DNS",
                             name));
    }
    SP_TRY(sp_buf_append_byte(&text, 0));
    return add(list, ctx, NID_subject_alt_name, (const char *)text.data);
}

static enum sp_err server_extensions(STACK_OF(X509_EXTENSION) * *list, X509V3_CTX *ctx,
                                     const struct sp_issue *want)
{
    SP_TRY(add(list, ctx, NID_basic_constraints, "critical,CA:FALSE"));
    SP_TRY(add(list, ctx, NID_key_usage, "critical,digitalSignature"));
    SP_TRY(add(list, ctx, NID_ext_key_usage, "serverAuth"));
    return add_names(list, ctx, want);
}

static enum sp_err ca_extensions(STACK_OF(X509_EXTENSION) * *list, X509V3_CTX *ctx)
{
    SP_TRY(add(list, ctx, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
    SP_TRY(add(list, ctx, NID_key_usage, "critical,keyCertSign,cRLSign"));
    return add(list, ctx, NID_subject_key_identifier, "hash");
}

static bool set_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    bool good = n &&
                BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return good;
}

/* Everything but extensions, issuer and signature. */
static enum sp_err begin(const struct sp_issue *want, EVP_PKEY *key, X509 **out)
{
    X509 *x = X509_new();
    if (!x) {
        return SP_E_NOMEM;
    }
    int64_t from = want->now - BACKDATED_S, to = want->now + want->days * DAY_S;
    enum sp_err e = set_subject(X509_get_subject_name(x), want->subject);
    if (e == SP_OK &&
        (X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x) ||
         !ASN1_TIME_set(X509_getm_notBefore(x), from) ||
         !ASN1_TIME_set(X509_getm_notAfter(x), to) || X509_set_pubkey(x, key) != 1)) {
        e = failed(SP_E_CRYPTO);
    }
    if (e != SP_OK) {
        X509_free(x);
        return e;
    }
    *out = x;
    return SP_OK;
}

static enum sp_err end(X509 *x, const X509 *issuer,
                       STACK_OF(X509_EXTENSION) * extensions, EVP_PKEY *signer,
                       struct sp_buf *out)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        if (X509_add_ext(x, sk_X509_EXTENSION_value(extensions, i), -1) != 1) {
            return failed(SP_E_CRYPTO);
        }
    }
    SP_AUTO(bio_free) BIO *b = BIO_new(BIO_s_mem());
    if (!b || X509_set_issuer_name(x, X509_get_subject_name(issuer)) != 1 ||
        X509_sign(x, signer, EVP_sha256()) == 0 || PEM_write_bio_X509(b, x) != 1) {
        return failed(SP_E_CRYPTO);
    }
    return take(b, out);
}

enum sp_err sp_issue_ca(const struct sp_issue *want, struct sp_view key_pem,
                        struct sp_buf *cert_pem)
{
    SP_AUTO(pkey_free) EVP_PKEY *key = NULL;
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    SP_AUTO(extensions_free) STACK_OF(X509_EXTENSION) *list = NULL;
    X509V3_CTX ctx;
    SP_TRY(read_key(key_pem, &key));
    SP_TRY(begin(want, key, &x));
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    SP_TRY(ca_extensions(&list, &ctx));
    return end(x, x, list, key, cert_pem);
}

enum sp_err sp_issue_server(const struct sp_issue *want, struct sp_view key_pem,
                            struct sp_view ca_pem, struct sp_view ca_key_pem,
                            struct sp_buf *cert_pem)
{
    SP_AUTO(pkey_free) EVP_PKEY *key = NULL;
    SP_AUTO(pkey_free) EVP_PKEY *ca_key = NULL;
    SP_AUTO(sp_x509_free) X509 *ca = NULL;
    SP_AUTO(sp_x509_free) X509 *x = NULL;
    SP_AUTO(extensions_free) STACK_OF(X509_EXTENSION) *list = NULL;
    X509V3_CTX ctx;
    SP_TRY(read_key(key_pem, &key));
    SP_TRY(read_key(ca_key_pem, &ca_key));
    SP_TRY(read_cert(ca_pem, &ca));
    if (X509_check_private_key(ca, ca_key) != 1) {
        return failed(SP_E_MALFORMED);
    }
    SP_TRY(begin(want, key, &x));
    X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
    SP_TRY(server_extensions(&list, &ctx, want));
    SP_TRY(add(&list, &ctx, NID_subject_key_identifier, "hash"));
    SP_TRY(add(&list, &ctx, NID_authority_key_identifier, "keyid:always"));
    return end(x, ca, list, ca_key, cert_pem);
}

enum sp_err sp_issue_request(const struct sp_issue *want, struct sp_view key_pem,
                             struct sp_buf *request_pem)
{
    SP_AUTO(pkey_free) EVP_PKEY *key = NULL;
    SP_AUTO(request_free) X509_REQ *r = X509_REQ_new();
    SP_AUTO(bio_free) BIO *b = BIO_new(BIO_s_mem());
    SP_AUTO(extensions_free) STACK_OF(X509_EXTENSION) *list = NULL;
    X509V3_CTX ctx;
    SP_TRY(read_key(key_pem, &key));
    if (!r || !b) {
        return SP_E_NOMEM;
    }
    X509V3_set_ctx(&ctx, NULL, NULL, r, NULL, 0);
    SP_TRY(set_subject(X509_REQ_get_subject_name(r), want->subject));
    SP_TRY(server_extensions(&list, &ctx, want));
    if (X509_REQ_set_version(r, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_pubkey(r, key) != 1 || X509_REQ_add_extensions(r, list) != 1 ||
        X509_REQ_sign(r, key, EVP_sha256()) == 0 || PEM_write_bio_X509_REQ(b, r) != 1) {
        return failed(SP_E_CRYPTO);
    }
    return take(b, request_pem);
}
