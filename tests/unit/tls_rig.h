/* The rig over TLS, with OpenSSL as the client. Every test runs three times: by OpenSSL
 * alone, with records made here, then with what is sent given to the kernel
 * to encrypt. Where library or kernel cannot, that tests the way back. */
#ifndef TESTS_UNIT_TLS_RIG_H
#define TESTS_UNIT_TLS_RIG_H

#include "server_rig.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

/* ---- certificates --------------------------------------------------------------- */

struct identity {
    EVP_PKEY *key;
    X509 *cert;
    struct sp_view cert_pem, key_pem; /* owned */
};

static inline struct sp_view pem_of(BIO *b)
{
    char *data = NULL;
    long n = BIO_get_mem_data(b, &data);
    char *copy = malloc((size_t)n);
    memcpy(copy, data, (size_t)n);
    BIO_free(b);
    return sp_view(copy, (size_t)n);
}

static inline void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* Signed by issuer, or by itself (a CA). */
static inline struct identity identity_new(const char *name,
                                           const struct identity *issuer)
{
    struct identity id = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
    X509 *by = issuer ? issuer->cert : id.cert;
    X509_set_version(id.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(id.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(id.cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(id.cert, X509_get_subject_name(by));
    X509_set_pubkey(id.cert, id.key);
    add_extension(id.cert, by, NID_basic_constraints,
                  issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    assert_true(X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256()) > 0);
    BIO *cert = BIO_new(BIO_s_mem());
    BIO *key = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(cert, id.cert);
    PEM_write_bio_PrivateKey(key, id.key, NULL, NULL, 0, NULL, NULL);
    id.cert_pem = pem_of(cert);
    id.key_pem = pem_of(key);
    return id;
}

static inline void identity_free(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
    free((void *)(uintptr_t)id->cert_pem.data);
    free((void *)(uintptr_t)id->key_pem.data);
}

static struct identity server_id, other_id, client_ca, client_id, stranger_ca,
    stranger_id;

static inline int make_identities(void **state)
{
    (void)state;
    server_id = identity_new("server", NULL);
    other_id = identity_new("other", NULL);
    client_ca = identity_new("client ca", NULL);
    client_id = identity_new("client", &client_ca);
    stranger_ca = identity_new("stranger ca", NULL);
    stranger_id = identity_new("stranger", &stranger_ca);
    return 0;
}

static inline int free_identities(void **state)
{
    (void)state;
    identity_free(&server_id);
    identity_free(&other_id);
    identity_free(&client_ca);
    identity_free(&client_id);
    identity_free(&stranger_ca);
    identity_free(&stranger_id);
    return 0;
}

/* ---- rig ------------------------------------------------------------------------ */

static bool by_kernel, by_us;

/* Of n handshakes with AES-GCM, those after which records are made here. */
static inline unsigned of_ours(unsigned n)
{
    return by_us && sp_tls_own_can() ? n : 0;
}

/* Of n handshakes, those after which the kernel encrypts. */
static inline unsigned of_kernel(unsigned n)
{
    return by_kernel && sp_tls_kernel_can() ? n : 0;
}

static inline struct sp_tls_server *tls_new(const struct identity *id,
                                            const struct identity *ca)
{
    struct sp_tls_server *t = NULL;
    struct sp_why why = {0};
    struct sp_tls_server_conf conf = {
        .certificate_pem = id->cert_pem,
        .key_pem = id->key_pem,
        .kernel = by_kernel,
        .own = by_us,
    };
    if (ca) {
        conf.client_ca_pem = ca->cert_pem;
    }
    assert_ok(sp_tls_server_new(&conf, &t, &why));
    return t;
}

static inline void tls_rig_start(struct rig *r, const struct identity *ca)
{
    r->conf.tls = tls_new(&server_id, ca);
    rig_start(r);
}

static inline void tls_rig_stop(struct rig *r)
{
    rig_stop(r);
    sp_tls_server_unref(&r->conf.tls);
}

struct tls_client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static inline struct tls_client tls_open(struct rig *r)
{
    struct tls_client c = {.ctx = SSL_CTX_new(TLS_client_method()),
                           .fd = client_connect(r)};
    int on = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c.ssl = SSL_new(c.ctx);
    SSL_set_security_level(c.ssl, 0); /* so that it is the server who refuses */
    SSL_set_fd(c.ssl, c.fd);
    return c;
}

static inline void tls_close(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
    ERR_clear_error();
}

static inline long tls_read(void *ctx, void *to, size_t n)
{
    return SSL_read(((struct tls_client *)ctx)->ssl, to, (int)n);
}

static inline void tls_say(struct tls_client *c, const char *text)
{
    assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), strlen(text));
}

static inline void tls_expect(struct tls_client *c, const char *request,
                              const char *body)
{
    struct answer a;
    tls_say(c, request);
    assert_true(answer_read_via(tls_read, c, &a, true));
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, body);
    answer_free(&a);
}

/* The handshake, or the first read after it (TLS 1.3), fails with this alert. */
static inline void tls_expect_alert(struct tls_client *c, int alert)
{
    char byte;
    ERR_clear_error();
    if (SSL_connect(c->ssl) == 1) { /* in TLS 1.3 we may be done before the server is */
        assert_true(SSL_read(c->ssl, &byte, 1) <= 0);
    }
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_AD_REASON_OFFSET + alert);
}

static inline int run_way(const char *name, const struct CMUnitTest *tests, size_t n,
                          bool us, bool kernel)
{
    by_us = us;
    by_kernel = kernel;
    if (us && !sp_tls_own_can()) {
        print_message("SKIPPED: built without intel-ipsec-mb: only the way back is tested\n");
    }
    if (kernel && !sp_tls_kernel_can()) {
        print_message("SKIPPED: this kernel has no TLS: only the way back is tested\n");
    }
    return _cmocka_run_group_tests(name, tests, n, make_identities, free_identities);
}

static inline int run_ways(const struct CMUnitTest *tests, size_t n)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    signal(SIGPIPE,
           SIG_IGN); /* as the daemon does: OpenSSL's sockets are not asked to */
    int failed = run_way("by OpenSSL alone", tests, n, false, false);
    failed += run_way("with own records", tests, n, true, false);
    return failed + run_way("with the kernel's TLS", tests, n, false, true);
}

#define run_every_way(tests) run_ways(tests, sizeof(tests) / sizeof *(tests))

#endif
