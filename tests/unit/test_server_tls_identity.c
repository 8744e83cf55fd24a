/* Who is who over TLS: sessions, certificates of clients, identities of a listener. */
#include "tls_rig.h"

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_without_a_client_certificate_there_is_no_pin),
        cmocka_unit_test(c_identities_are_swapped_for_new_connections),
        cmocka_unit_test(f_sessions_resume_at_their_own_identity_only),
        cmocka_unit_test(c_sessions_outlive_a_reset),
        cmocka_unit_test(f_no_more_sessions_are_kept_than_are_allowed),
        cmocka_unit_test(f_client_certificates),
        cmocka_unit_test(f_bad_files_are_named),
    };
    return run_every_way(tests);
}
