#include "io/net/tls_private.h"
#include "io/net/tls_records.h"
#include "io/net/tls_secret.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

struct sp_tls_server {
    atomic_uint references;
    SSL_CTX *ctx; /* owned */
    struct sp_tls_senders senders;
};

#define CIPHERS_12                                                                     \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                       \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                       \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
/* SHA-256 first: it has instructions of its own on most processors, SHA-384 has not. */
#define CIPHERS_13                                                                     \
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
#define GROUPS "X25519:P-256"

static const unsigned char alpn_http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/* RFC 7301 section 3.2: no overlap is a fatal no_application_protocol. A client without
 * ALPN, as Windows is, never comes here. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned offered_len, void *arg)
{
    (void)ssl;
    (void)arg;
    unsigned char *chosen = NULL;
    int how = SSL_select_next_proto(&chosen, out_len, alpn_http11, sizeof alpn_http11,
                                    offered, offered_len);
    *out = chosen;
    return how == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
                                         : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Every name is taken: which one it is, is judged with the request. To have said so
 * keeps the name with the session, so that one that is resumed under TLS 1.2 has it
 * too. */
static int accept_name(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_protocol(SSL_CTX *ctx)
{
    char groups[] = GROUPS; /* the macro below casts const away */
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* No chain is completed from a trust store: only what the file holds is shown. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, accept_name);
    SSL_CTX_set_max_cert_list(ctx, SP_LIMIT_CHAIN_BYTES);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
           SSL_CTX_set_cipher_list(ctx, CIPHERS_12) &&
           SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) &&
           SSL_CTX_set1_groups_list(ctx, groups) && SSL_CTX_set_num_tickets(ctx, 1) &&
           SSL_CTX_set_max_early_data(ctx, 0) &&
           SSL_CTX_set_recv_max_early_data(ctx, 0);
}

static int no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

struct cert_sink {
    SSL_CTX *ctx;
    struct sp_why *why;
    unsigned count;
};

/* Calls each for every certificate; it takes the certificate when it returns true. */
static enum sp_err each_certificate(struct sp_view pem, struct cert_sink *sink,
                                    bool (*each)(struct cert_sink *sink, X509 *cert))
{
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (!in) {
        return SP_E_NOMEM;
    }
    enum sp_err e = SP_OK;
    X509 *cert = PEM_read_bio_X509(in, NULL, no_password, NULL);
    while (cert && e == SP_OK) {
        e = each(sink, cert) ? SP_OK : SP_E_CONFIG;
        X509_free(e == SP_OK ? NULL : cert);
        sink->count++;
        cert = e == SP_OK ? PEM_read_bio_X509(in, NULL, no_password, NULL) : NULL;
    }
    bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(in);
    return e == SP_OK && !ended ? SP_E_CONFIG : e;
}

static bool add_to_chain(struct cert_sink *sink, X509 *cert)
{
    if (sink->count >= SP_LIMIT_CHAIN_DEPTH) {
        return false;
    }
    if (sink->count > 0) {
        return SSL_CTX_add0_chain_cert(sink->ctx, cert) == 1;
    }
    bool used = SSL_CTX_use_certificate(sink->ctx, cert) == 1;
    if (used) {
        X509_free(cert); /* the context counted its own reference */
    }
    return used;
}

static bool add_to_client_ca(struct cert_sink *sink, X509 *cert)
{
    bool added = SSL_CTX_add_client_CA(sink->ctx, cert) == 1 &&
                 X509_STORE_add_cert(SSL_CTX_get_cert_store(sink->ctx), cert) == 1;
    if (added) {
        X509_free(cert);
    }
    return added;
}

static enum sp_err set_certificate(SSL_CTX *ctx, struct sp_view pem, struct sp_why *why)
{
    struct cert_sink sink = {.ctx = ctx, .why = why};
    enum sp_err e = each_certificate(pem, &sink, add_to_chain);
    if (e != SP_OK || sink.count == 0) {
        return sp_why_set(
            why, SP_E_CONFIG,
            "the certificate file is not 1 to %d readable PEM certificates "
            "of at least 112 bits of security, leaf first (certificate %u)",
            SP_LIMIT_CHAIN_DEPTH, sink.count ? sink.count : 1);
    }
    return SP_OK;
}

static enum sp_err set_key(SSL_CTX *ctx, struct sp_view pem, struct sp_why *why)
{
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;
    BIO_free(in);
    if (!key) {
        return sp_why_set(
            why, SP_E_CONFIG,
            "the key file holds no private key in PEM without a password");
    }
    bool fits =
        SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    if (!fits) {
        return sp_why_set(why, SP_E_CONFIG,
                          "the private key does not belong to the first certificate of "
                          "the certificate file");
    }
    return SP_OK;
}

static enum sp_err set_client_ca(SSL_CTX *ctx, struct sp_view pem, struct sp_why *why)
{
    struct cert_sink sink = {.ctx = ctx, .why = why};
    if (pem.len == 0) {
        return SP_OK;
    }
    enum sp_err e = each_certificate(pem, &sink, add_to_client_ca);
    if (e != SP_OK || sink.count == 0) {
        return sp_why_set(
            why, SP_E_CONFIG,
            "the client CA file is not one or more readable PEM certificates "
            "(certificate %u)",
            sink.count ? sink.count : 1);
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_verify_depth(ctx, SP_LIMIT_CHAIN_DEPTH);
    return SP_OK;
}

/* Sessions of one identity are good for that identity only. They are kept here, and
 * what a client is given only names them: docs/decisions/0081. */
static enum sp_err set_sessions(SSL_CTX *ctx, const struct sp_tls_server_conf *conf)
{
    uint8_t digests[64];
    uint8_t id[32];
    sp_sha256(conf->certificate_pem, digests);
    sp_sha256(conf->client_ca_pem, digests + 32);
    sp_sha256(sp_view(digests, sizeof digests), id);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, SP_LIMIT_TLS_SESSIONS);
    return SSL_CTX_set_session_id_context(ctx, id, sizeof id) == 1 ? SP_OK
                                                                   : SP_E_CRYPTO;
}

static enum sp_err fill_context(struct sp_tls_server *t,
                                const struct sp_tls_server_conf *conf,
                                struct sp_why *why)
{
    SSL_CTX *ctx = t->ctx;
    if (!set_protocol(ctx)) {
        return sp_why_set(why, SP_E_CRYPTO,
                          "OpenSSL lacks a protocol, cipher or group");
    }
    if (t->senders.kernel || t->senders.own) {
        SSL_CTX_set_options(ctx, SSL_OP_ENABLE_KTLS);
    }
    SP_TRY(set_sessions(ctx, conf));
    SP_TRY(set_certificate(ctx, conf->certificate_pem, why));
    SP_TRY(set_key(ctx, conf->key_pem, why));
    return set_client_ca(ctx, conf->client_ca_pem, why);
}

/* A socket that is not connected cannot have it, which is another answer than that
 * there is no such thing. */
bool sp_tls_kernel_can(void)
{
    static const char name[] = "tls";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool can = fd >= 0 &&
               setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, sizeof name - 1) != 0 &&
               errno == ENOTCONN;
    if (fd >= 0) {
        close(fd);
    }
    return can;
}

bool sp_tls_own_can(void)
{
    return sp_tls_records_library();
}

enum sp_err sp_tls_server_new(const struct sp_tls_server_conf *conf,
                              struct sp_tls_server **out, struct sp_why *why)
{
    if (conf->certificate_pem.len > SP_MIB(1) || conf->key_pem.len > SP_MIB(1) ||
        conf->client_ca_pem.len > SP_MIB(1)) {
        return sp_why_set(why, SP_E_CONFIG, "a certificate or key file is over 1 MiB");
    }
    /* Before anything else of OpenSSL runs, so that no configuration file is read. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
        return sp_why_set(why, SP_E_CRYPTO, "OpenSSL could not be initialised");
    }
    struct sp_tls_server *t = calloc(1, sizeof *t);
    if (!t) {
        return SP_E_NOMEM;
    }
    atomic_init(&t->references, 1);
    t->senders = (struct sp_tls_senders){.kernel = conf->kernel,
                                         .own = conf->own && sp_tls_own_can()};
    t->ctx = SSL_CTX_new(TLS_server_method());
    sp_tls_secret_begin();
    enum sp_err e = t->ctx ? fill_context(t, conf, why) : SP_E_NOMEM;
    sp_tls_secret_end();
    ERR_clear_error();
    if (e != SP_OK) {
        sp_tls_server_unref(&t);
        return e;
    }
    *out = t;
    return SP_OK;
}

void sp_tls_server_keep(struct sp_tls_server *t, unsigned sessions)
{
    SSL_CTX_sess_set_cache_size(t->ctx, sessions);
}

struct sp_tls_server *sp_tls_server_ref(struct sp_tls_server *t)
{
    if (t) {
        atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
    }
    return t;
}

void sp_tls_server_unref(struct sp_tls_server **tp)
{
    struct sp_tls_server *t = *tp;
    *tp = NULL;
    if (t && atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) == 1) {
        SSL_CTX_free(t->ctx);
        free(t);
    }
}

struct sp_tls_senders sp_tls_server_senders(const struct sp_tls_server *t)
{
    return t->senders;
}

SSL *sp_tls_server_session(struct sp_tls_server *t)
{
    SSL *ssl = SSL_new(t->ctx);
    if (ssl) {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}
