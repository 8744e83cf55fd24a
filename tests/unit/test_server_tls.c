/* The server over TLS, against OpenSSL as the client: first by OpenSSL alone, then with
 * what is sent given to the kernel to encrypt. Where it has no TLS, that tests the way
 * back. */
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

static struct sp_view pem_of(BIO *b)
{
    char *data = NULL;
    long n = BIO_get_mem_data(b, &data);
    char *copy = malloc((size_t)n);
    memcpy(copy, data, (size_t)n);
    BIO_free(b);
    return sp_view(copy, (size_t)n);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* Signed by issuer, or by itself (a CA). */
static struct identity identity_new(const char *name, const struct identity *issuer)
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

static void identity_free(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
    free((void *)(uintptr_t)id->cert_pem.data);
    free((void *)(uintptr_t)id->key_pem.data);
}

static struct identity server_id, other_id, client_ca, client_id, stranger_ca,
    stranger_id;

static int make_identities(void **state)
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

static int free_identities(void **state)
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

static bool by_kernel;

/* Of n handshakes, those after which the kernel encrypts. */
static unsigned of_kernel(unsigned n)
{
    return by_kernel && sp_tls_kernel_can() ? n : 0;
}

static struct sp_tls_server *tls_new(const struct identity *id,
                                     const struct identity *ca)
{
    struct sp_tls_server *t = NULL;
    struct sp_why why = {0};
    struct sp_tls_server_conf conf = {
        .certificate_pem = id->cert_pem, .key_pem = id->key_pem, .kernel = by_kernel};
    if (ca) {
        conf.client_ca_pem = ca->cert_pem;
    }
    assert_ok(sp_tls_server_new(&conf, &t, &why));
    return t;
}

static void tls_rig_start(struct rig *r, const struct identity *ca)
{
    r->conf.tls = tls_new(&server_id, ca);
    rig_start(r);
}

static void tls_rig_stop(struct rig *r)
{
    rig_stop(r);
    sp_tls_server_unref(&r->conf.tls);
}

struct tls_client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static struct tls_client tls_open(struct rig *r)
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

static void tls_close(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
    ERR_clear_error();
}

static long tls_read(void *ctx, void *to, size_t n)
{
    return SSL_read(((struct tls_client *)ctx)->ssl, to, (int)n);
}

static void tls_say(struct tls_client *c, const char *text)
{
    assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), strlen(text));
}

static void tls_expect(struct tls_client *c, const char *request, const char *body)
{
    struct answer a;
    tls_say(c, request);
    assert_true(answer_read_via(tls_read, c, &a, true));
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, body);
    answer_free(&a);
}

/* The handshake, or the first read after it (TLS 1.3), fails with this alert. */
static void tls_expect_alert(struct tls_client *c, int alert)
{
    char byte;
    ERR_clear_error();
    if (SSL_connect(c->ssl) == 1) { /* in TLS 1.3 we may be done before the server is */
        assert_true(SSL_read(c->ssl, &byte, 1) <= 0);
    }
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_AD_REASON_OFFSET + alert);
}

/* ---- versions, ciphers, ALPN --------------------------------------------------------
 */

static void hello_with(struct rig *r, int version, const char *cipher)
{
    struct tls_client c = tls_open(r);
    SSL_set_min_proto_version(c.ssl, version);
    SSL_set_max_proto_version(c.ssl, version);
    assert_int_equal(SSL_connect(c.ssl), 1);
    assert_int_equal(SSL_version(c.ssl), version);
    assert_string_equal(SSL_get_cipher_name(c.ssl), cipher);
    tls_expect(&c, GET("/hello"), "hello");
    tls_expect(&c, GET("/later"), "later");
    tls_expect(&c, POST("/echo", "Content-Length: 3\r\n", "abc"), "abc");
    tls_close(&c);
}

static void b_tls_1_2_and_1_3(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    hello_with(&r, TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    hello_with(&r, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256");
    rig_ask(&r);
    assert_int_equal(r.stats.handshakes_ok, 2);
    tls_rig_stop(&r);
    assert_int_equal(r.seen.complete, 6);
}

static void f_older_versions_are_refused(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_1_VERSION, TLS1_VERSION};
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct tls_client c = tls_open(&r);
        SSL_set_min_proto_version(c.ssl, versions[i]);
        SSL_set_max_proto_version(c.ssl, versions[i]);
        tls_expect_alert(&c, SSL_AD_PROTOCOL_VERSION);
        tls_close(&c);
    }
    rig_wait_for(&r, r.stats.handshakes_failed, 2);
    tls_rig_stop(&r);
}

static void f_weak_ciphers_are_refused(void **state)
{
    (void)state;
    static const char *const ciphers[] = {
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256",
        "DHE-RSA-AES128-GCM-SHA256"};
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        struct tls_client c = tls_open(&r);
        SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
        assert_int_equal(SSL_set_cipher_list(c.ssl, ciphers[i]), 1);
        tls_expect_alert(&c, SSL_AD_HANDSHAKE_FAILURE);
        tls_close(&c);
    }
    tls_rig_stop(&r);
}

static void b_alpn(void **state)
{
    (void)state;
    struct rig r = {0};
    const unsigned char *chosen = NULL;
    unsigned len = 0;
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    assert_int_equal(SSL_connect(c.ssl), 1);
    SSL_get0_alpn_selected(c.ssl, &chosen, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    tls_expect(&c, GET("/hello"), "hello");
    tls_close(&c);
    c = tls_open(&r);
    SSL_set_alpn_protos(c.ssl, (const unsigned char *)"\x02h2", 3);
    tls_expect_alert(&c, SSL_AD_NO_APPLICATION_PROTOCOL);
    tls_close(&c);
    tls_rig_stop(&r);
}

static void f_renegotiation_is_refused(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/hello"), "hello");
    assert_int_equal(SSL_renegotiate(c.ssl), 1);
    assert_true(SSL_do_handshake(c.ssl) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    tls_close(&c);
    rig_ask(&r);
    assert_int_equal(r.stats.handshakes_ok, 1);
    tls_rig_stop(&r);
}

/* ---- the kernel -------------------------------------------------------------------
 */

static void expect_big(struct rig *r, struct tls_client *c)
{
    struct answer a;
    tls_say(c, GET("/big"));
    assert_true(answer_read_via(tls_read, c, &a, true));
    assert_int_equal(a.body_len, BIG_BYTES);
    assert_memory_equal(a.body, r->big, BIG_BYTES);
    answer_free(&a);
}

/* A kernel may lack a cipher; what it has not, OpenSSL goes on with. */
static void c_every_cipher_sends_the_right_bytes(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *name;
    } ciphers[] = {
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
        {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
    };
    enum { CIPHERS = sizeof ciphers / sizeof *ciphers };
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    for (size_t i = 0; i < CIPHERS; i++) {
        struct tls_client c = tls_open(&r);
        SSL_set_max_proto_version(c.ssl, ciphers[i].version);
        (void)SSL_set_cipher_list(c.ssl, ciphers[i].name);
        (void)SSL_set_ciphersuites(c.ssl, ciphers[i].name);
        assert_int_equal(SSL_connect(c.ssl), 1);
        assert_string_equal(SSL_get_cipher_name(c.ssl), ciphers[i].name);
        tls_expect(&c, GET("/hello"), "hello");
        expect_big(&r, &c);
        tls_expect(&c, GET("/hello"), "hello");
        tls_close(&c);
    }
    rig_ask(&r);
    assert_int_equal(r.stats.handshakes_ok, CIPHERS);
    assert_int_equal(r.stats.handshakes_kernel, of_kernel(CIPHERS));
    tls_rig_stop(&r);
}

static bool answers_after_new_keys(struct rig *r, int kind)
{
    struct tls_client c = tls_open(r);
    struct answer a = {0};
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/hello"), "hello");
    assert_int_equal(SSL_key_update(c.ssl, kind), 1);
    tls_say(&c, GET("/hello"));
    bool answered = answer_read_via(tls_read, &c, &a, true);
    answer_free(&a);
    tls_close(&c);
    return answered;
}

/* New keys of the client's are OpenSSL's business. New ones of ours would not reach the
 * kernel: nothing is sent with the wrong ones. */
static void f_new_keys(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    assert_true(answers_after_new_keys(&r, SSL_KEY_UPDATE_NOT_REQUESTED));
    assert_int_equal(answers_after_new_keys(&r, SSL_KEY_UPDATE_REQUESTED),
                     of_kernel(1) == 0);
    assert_true(answers_after_new_keys(&r, SSL_KEY_UPDATE_NOT_REQUESTED));
    tls_rig_stop(&r);
}

/* ---- tickets --------------------------------------------------------------------- */

static unsigned tickets_seen;

static int count_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    (void)session;
    tickets_seen++;
    return 0;
}

static SSL_SESSION *session_from(struct rig *r, int version)
{
    struct tls_client c = tls_open(r);
    tickets_seen = 0;
    SSL_CTX_set_session_cache_mode(c.ctx,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c.ctx, count_ticket);
    SSL_set_max_proto_version(c.ssl, version);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/hello"), "hello");
    assert_int_equal(tickets_seen, 1);
    SSL_SESSION *session = SSL_get1_session(c.ssl);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
    SSL_shutdown(c.ssl); /* else OpenSSL takes the session for bad */
    tls_close(&c);
    return session;
}

static bool is_resumed_at(struct rig *r, SSL_SESSION *session)
{
    struct tls_client c = tls_open(r);
    SSL_set_max_proto_version(c.ssl, SSL_SESSION_get_protocol_version(session));
    SSL_set_session(c.ssl, session);
    assert_int_equal(SSL_connect(c.ssl), 1);
    bool resumed = SSL_session_reused(c.ssl) == 1;
    tls_expect(&c, GET("/hello"), "hello");
    tls_close(&c);
    return resumed;
}

static void f_sessions_resume_at_their_own_identity_only(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct rig a = {0};
    struct rig b = {0};
    tls_rig_start(&a, NULL);
    tls_rig_start(&b, NULL);
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = session_from(&a, versions[i]);
        assert_true(is_resumed_at(&a, session));
        assert_false(is_resumed_at(&b, session));
        SSL_SESSION_free(session);
    }
    rig_ask(&a);
    assert_int_equal(a.stats.handshakes_resumed, 2);
    tls_rig_stop(&a);
    tls_rig_stop(&b);
}

/* However their connections end: session_from says good-bye, this client resets. */
static void c_sessions_outlive_a_reset(void **state)
{
    (void)state;
    const struct linger at_once = {.l_onoff = 1};
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    SSL_SESSION *session = session_from(&r, TLS1_3_VERSION);
    struct tls_client c = tls_open(&r);
    SSL_set_session(c.ssl, session);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/hello"), "hello");
    SSL_SESSION *next = SSL_get1_session(c.ssl);
    SSL_set_quiet_shutdown(c.ssl, 1);
    SSL_shutdown(c.ssl);
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    tls_close(&c);
    rig_wait_for(&r, r.stats.active, 0);
    assert_true(is_resumed_at(&r, next));
    SSL_SESSION_free(session);
    SSL_SESSION_free(next);
    tls_rig_stop(&r);
}

/* The newest stay; whether it is two or one is OpenSSL's. */
static void f_no_more_sessions_are_kept_than_are_allowed(void **state)
{
    (void)state;
    SSL_SESSION *sessions[3];
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    sp_tls_server_keep(r.conf.tls, 2);
    for (size_t i = 0; i < 3; i++) {
        sessions[i] = session_from(&r, TLS1_2_VERSION); /* resuming it makes no other */
    }
    assert_true(is_resumed_at(&r, sessions[2]));
    assert_false(is_resumed_at(&r, sessions[0]));
    for (size_t i = 0; i < 3; i++) {
        SSL_SESSION_free(sessions[i]);
    }
    tls_rig_stop(&r);
}

/* ---- client certificates
 * -------------------------------------------------------------- */

static void f_client_certificates(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, &client_ca);
    struct tls_client c = tls_open(&r);
    tls_expect_alert(&c, SSL_AD_CERTIFICATE_REQUIRED);
    tls_close(&c);
    c = tls_open(&r);
    SSL_use_certificate(c.ssl, stranger_id.cert);
    SSL_use_PrivateKey(c.ssl, stranger_id.key);
    tls_expect_alert(&c, SSL_AD_UNKNOWN_CA);
    tls_close(&c);
    c = tls_open(&r);
    SSL_use_certificate(c.ssl, client_id.cert);
    SSL_use_PrivateKey(c.ssl, client_id.key);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/pin"), "has a pin");
    tls_close(&c);
    tls_rig_stop(&r);
    assert_int_equal(r.seen.heads, 1);
}

static void b_without_a_client_certificate_there_is_no_pin(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/pin"), "no pin");
    tls_close(&c);
    tls_rig_stop(&r);
}

/* ---- bytes -------------------------------------------------------------------------
 */

static void c_bulk_both_ways(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    for (int i = 0; i < 2; i++) {
        tls_say(&c, POST("/take", "Content-Length: 1048576\r\n", ""));
        assert_int_equal(SSL_write(c.ssl, r.big, 1048576), 1048576);
        assert_true(answer_read_via(tls_read, &c, &a, true));
        assert_int_equal(a.body_len, 1048576);
        assert_memory_equal(a.body, r.big, 1048576);
        answer_free(&a);
        tls_say(&c, GET("/big") GET("/later"));
        usleep(50000); /* until the socket is full */
        assert_true(answer_read_via(tls_read, &c, &a, true));
        assert_int_equal(a.body_len, BIG_BYTES);
        assert_memory_equal(a.body, r.big, BIG_BYTES);
        answer_free(&a);
        tls_expect(&c, "", "later");
    }
    tls_close(&c);
    tls_rig_stop(&r);
}

static void c_files(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    tls_rig_start(&r, NULL);
    int body = temporary_file();
    assert_int_equal(pwrite(body, r.big, BIG_BYTES, 0), BIG_BYTES);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    for (uint64_t at = 0; at < 3; at++) {
        r.file = (struct sp_answer_file){
            .fd = body, .offset = at * 1234567, .length = BIG_BYTES - at * 1234567};
        tls_say(&c, GET("/file"));
        usleep(20000);
        assert_true(answer_read_via(tls_read, &c, &a, true));
        assert_int_equal(a.body_len, r.file.length);
        assert_memory_equal(a.body, r.big + r.file.offset, a.body_len);
        answer_free(&a);
    }
    tls_close(&c);
    tls_rig_stop(&r);
    close(body);
}

/* A pipeline larger than what the server reads at a time, in large records, with
 * answers that come later: what was received and not read has to be kept and found
 * again. */
static void c_pipelines_outlast_the_receive_buffer(void **state)
{
    (void)state;
    const char *request = GET("/later");
    size_t n = strlen(request);
    char *all = calloc(800, n);
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    for (size_t i = 0; i < 800; i++) {
        memcpy(all + i * n, request, n);
    }
    assert_int_equal(SSL_write(c.ssl, all, (int)(800 * n)), 800 * n);
    for (size_t i = 0; i < 800; i++) {
        tls_expect(&c, "", "later");
    }
    free(all);
    tls_close(&c);
    tls_rig_stop(&r);
}

/* ---- the peer breaks the rules
 * --------------------------------------------------------- */

static void f_plain_http_on_the_tls_port(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    tls_rig_start(&r, NULL);
    int fd = client_connect(&r);
    client_say(fd, GET("/hello"));
    assert_true(answer_read(fd, &a));
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "this port speaks TLS"));
    assert_true(client_at_end(fd));
    answer_free(&a);
    close(fd);
    rig_ask(&r);
    assert_int_equal(r.stats.plain_on_tls, 1);
    tls_rig_stop(&r);
    assert_int_equal(r.seen.heads, 0);
}

static void f_truncated_handshakes(void **state)
{
    (void)state;
    struct rig r = {.conf = {.handshake_ms = 300}};
    tls_rig_start(&r, NULL);
    int silent = client_connect(&r);
    int half = client_connect(&r);
    int gone = client_connect(&r);
    client_send(half, "\x16\x03\x01\x02", 4);
    client_send(gone, "\x16\x03\x01\x02", 4);
    close(gone);
    assert_true(client_at_end(half));
    assert_true(client_at_end(silent));
    close(half);
    close(silent);
    rig_wait_for(&r, r.stats.active, 0);
    assert_int_equal(r.stats.timeouts_handshake, 2);
    assert_int_equal(r.stats.handshakes_failed, 1);
    /* garbage in a good record */
    int bad = client_connect(&r);
    client_send(bad, "\x16\x03\x01\x00\x04\xff\xff\xff\xff", 9);
    char alert[7];
    assert_int_equal(recv(bad, alert, sizeof alert, MSG_WAITALL), 7);
    assert_int_equal(alert[0], 0x15);
    close(bad);
    rig_wait_for(&r, r.stats.handshakes_failed, 2);
    tls_rig_stop(&r);
}

/* Who does not believe the certificate hangs up with part of the server's answer
 * unread, and his kernel makes that a reset. */
static void f_a_reset_in_the_handshake_is_a_failure(void **state)
{
    (void)state;
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct rig r = {0};
    char first, *bytes;
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    BIO *hello = BIO_new(BIO_s_mem());
    SSL_set_bio(c.ssl, BIO_new(BIO_s_mem()), hello);
    assert_int_equal(SSL_connect(c.ssl), -1);
    long n = BIO_get_mem_data(hello, &bytes);
    client_send(c.fd, bytes, (size_t)n);
    assert_int_equal(recv(c.fd, &first, 1, MSG_PEEK), 1); /* the answer is there */
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    tls_close(&c);
    rig_wait_for(&r, r.stats.active, 0);
    assert_int_equal(r.stats.handshakes_failed, 1);
    assert_int_equal(r.stats.handshakes_ok, 0);
    tls_rig_stop(&r);
}

/* More handshakes than may be under way: the rest waits and gets its turn. */
static void f_handshakes_under_way_are_limited(void **state)
{
    (void)state;
    struct rig r = {.conf = {.handshake_ms = 1000}};
    int fds[SP_LIMIT_HANDSHAKES];
    char from[16];
    tls_rig_start(&r, NULL);
    for (unsigned i = 0; i < SP_LIMIT_HANDSHAKES; i++) {
        snprintf(from, sizeof from, "127.0.1.%u", i / 60 + 1);
        fds[i] = client_connect_from(&r, from);
        client_send(fds[i], "\x16", 1);
    }
    rig_wait_for(&r, r.stats.bytes_in, SP_LIMIT_HANDSHAKES);
    usleep(300000); /* so much of its own time is left when theirs is over */
    uint64_t start = now_ms();
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1); /* once the others' time is over */
    assert_in_range(now_ms() - start, 100, 5000);
    tls_expect(&c, GET("/hello"), "hello");
    tls_close(&c);
    for (unsigned i = 0; i < SP_LIMIT_HANDSHAKES; i++) {
        close(fds[i]);
    }
    tls_rig_stop(&r);
}

/* No byte for who has all his connections: there are none that mean "later". */
static void f_turned_away_without_a_word(void **state)
{
    (void)state;
    struct rig r = {0};
    assert_ok(sp_seats_new(1, &r.conf.seats));
    tls_rig_start(&r, NULL);
    int held = client_connect(&r);
    rig_wait_for(&r, r.stats.active, 1);
    int over = client_connect(&r);
    assert_true(client_at_end(over));
    close(over);
    close(held);
    rig_wait_for(&r, r.stats.active, 0);
    assert_int_equal(r.shut_out[SP_SHUT_OUT_CROWD], 1);
    tls_rig_stop(&r);
    sp_seats_free(&r.conf.seats);
}

static void f_a_cut_shows_no_close_notify(void **state)
{
    (void)state;
    struct rig r = {0};
    char byte;
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_say(&c, GET("/cut"));
    assert_true(SSL_read(c.ssl, &byte, 1) <= 0);
    assert_false(SSL_get_shutdown(c.ssl) & SSL_RECEIVED_SHUTDOWN);
    tls_close(&c);
    tls_rig_stop(&r);
}

static void b_an_orderly_end_shows_close_notify(void **state)
{
    (void)state;
    struct rig r = {.conf = {.idle_ms = 200}};
    char byte;
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/close"), "bye");
    assert_int_equal(SSL_read(c.ssl, &byte, 1), 0);
    assert_int_equal(SSL_get_error(c.ssl, 0), SSL_ERROR_ZERO_RETURN);
    tls_close(&c);
    c = tls_open(&r); /* idle */
    assert_int_equal(SSL_connect(c.ssl), 1);
    assert_int_equal(SSL_read(c.ssl, &byte, 1), 0);
    assert_int_equal(SSL_get_error(c.ssl, 0), SSL_ERROR_ZERO_RETURN);
    tls_close(&c);
    tls_rig_stop(&r);
}

static void f_a_peer_that_leaves_ends_its_exchange(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    tls_say(&c, GET("/hold"));
    rig_wait_for(&r, r.seen.heads, 1);
    tls_close(&c);
    rig_wait_for(&r, r.seen.ends, 1);
    tls_rig_stop(&r);
    assert_int_equal(r.seen.complete, 0);
}

/* ---- identities --------------------------------------------------------------------
 */

static void put_tls(struct rig *r, void *arg)
{
    sp_server_set_tls(r->server, arg);
}

static bool shows(struct tls_client *c, const struct identity *id)
{
    return X509_cmp(SSL_get0_peer_certificate(c->ssl), id->cert) == 0;
}

static void c_identities_are_swapped_for_new_connections(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    struct tls_client old = tls_open(&r);
    assert_int_equal(SSL_connect(old.ssl), 1);
    assert_true(shows(&old, &server_id));
    struct sp_tls_server *other = tls_new(&other_id, NULL);
    rig_on_loop(&r, put_tls, other);
    sp_tls_server_unref(&other);
    struct tls_client new = tls_open(&r);
    assert_int_equal(SSL_connect(new.ssl), 1);
    assert_true(shows(&new, &other_id));
    tls_expect(&old, GET("/hello"), "hello");
    tls_expect(&new, GET("/hello"), "hello");
    tls_close(&old);
    tls_close(&new);
    tls_rig_stop(&r);
}

static void expect_bad_conf(struct sp_view cert, struct sp_view key, struct sp_view ca,
                            const char *names)
{
    struct sp_tls_server *t = NULL;
    struct sp_why why = {0};
    struct sp_tls_server_conf conf = {
        .certificate_pem = cert, .key_pem = key, .client_ca_pem = ca};
    assert_err(sp_tls_server_new(&conf, &t, &why), SP_E_CONFIG);
    assert_null(t);
    assert_non_null(strstr(why.text, names));
}

static struct sp_view repeated(struct sp_view v, size_t times)
{
    uint8_t *all = malloc(v.len * times);
    for (size_t i = 0; i < times; i++) {
        memcpy(all + i * v.len, v.data, v.len);
    }
    return sp_view(all, v.len * times);
}

static void f_bad_files_are_named(void **state)
{
    (void)state;
    const struct sp_view none = {0};
    const struct sp_view cut =
        sp_view(server_id.cert_pem.data, server_id.cert_pem.len / 2);
    expect_bad_conf(none, server_id.key_pem, none, "certificate file");
    expect_bad_conf(SP_VIEW("hello"), server_id.key_pem, none, "certificate file");
    expect_bad_conf(cut, server_id.key_pem, none, "certificate file");
    expect_bad_conf(server_id.cert_pem, none, none, "key file");
    expect_bad_conf(server_id.cert_pem, other_id.key_pem, none, "does not belong");
    expect_bad_conf(server_id.cert_pem, server_id.key_pem, SP_VIEW("hello"),
                    "client CA");
    struct sp_view nine = repeated(server_id.cert_pem, SP_LIMIT_CHAIN_DEPTH + 1);
    expect_bad_conf(nine, server_id.key_pem, none, "certificate 9");
    struct sp_tls_server *t = NULL;
    struct sp_tls_server_conf eight = {.certificate_pem =
                                           sp_view(nine.data, nine.len / 9 * 8),
                                       .key_pem = server_id.key_pem};
    assert_ok(sp_tls_server_new(&eight, &t, NULL));
    sp_tls_server_unref(&t);
    free((void *)(uintptr_t)nine.data);
}

int main(void)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_tls_1_2_and_1_3),
        cmocka_unit_test(b_alpn),
        cmocka_unit_test(b_without_a_client_certificate_there_is_no_pin),
        cmocka_unit_test(b_an_orderly_end_shows_close_notify),
        cmocka_unit_test(c_bulk_both_ways),
        cmocka_unit_test(c_files),
        cmocka_unit_test(c_pipelines_outlast_the_receive_buffer),
        cmocka_unit_test(c_identities_are_swapped_for_new_connections),
        cmocka_unit_test(f_older_versions_are_refused),
        cmocka_unit_test(f_weak_ciphers_are_refused),
        cmocka_unit_test(f_renegotiation_is_refused),
        cmocka_unit_test(c_every_cipher_sends_the_right_bytes),
        cmocka_unit_test(f_new_keys),
        cmocka_unit_test(f_sessions_resume_at_their_own_identity_only),
        cmocka_unit_test(c_sessions_outlive_a_reset),
        cmocka_unit_test(f_no_more_sessions_are_kept_than_are_allowed),
        cmocka_unit_test(f_client_certificates),
        cmocka_unit_test(f_plain_http_on_the_tls_port),
        cmocka_unit_test(f_truncated_handshakes),
        cmocka_unit_test(f_a_reset_in_the_handshake_is_a_failure),
        cmocka_unit_test(f_handshakes_under_way_are_limited),
        cmocka_unit_test(f_turned_away_without_a_word),
        cmocka_unit_test(f_a_cut_shows_no_close_notify),
        cmocka_unit_test(f_a_peer_that_leaves_ends_its_exchange),
        cmocka_unit_test(f_bad_files_are_named),
    };
    signal(SIGPIPE,
           SIG_IGN); /* as the daemon does: OpenSSL's sockets are not asked to */
    int failed = cmocka_run_group_tests(tests, make_identities, free_identities);
    by_kernel = true;
    if (!sp_tls_kernel_can()) {
        print_message("SKIPPED: this kernel has no TLS: only the way back is tested\n");
    }
    return failed + cmocka_run_group_tests_name("with the kernel's TLS", tests,
                                                make_identities, free_identities);
}
