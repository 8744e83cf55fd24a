/* The server over TLS: versions, bytes, peers that break the rules. */
#include "tls_rig.h"

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
    assert_int_equal(r.stats.handshakes_own, of_ours(CIPHERS - 2)); /* no ChaCha20 */
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

/* With the new ones OpenSSL goes on, whoever encrypted before. */
static void c_goes_on_with_new_keys(void **state)
{
    (void)state;
    struct rig r = {0};
    tls_rig_start(&r, NULL);
    struct tls_client c = tls_open(&r);
    assert_int_equal(SSL_connect(c.ssl), 1);
    for (int i = 0; i < 3 && of_kernel(1) == 0; i++) {
        expect_big(&r, &c);
        assert_int_equal(SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        tls_expect(&c, GET("/hello"), "hello");
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_tls_1_2_and_1_3),
        cmocka_unit_test(b_alpn),
        cmocka_unit_test(b_an_orderly_end_shows_close_notify),
        cmocka_unit_test(c_bulk_both_ways),
        cmocka_unit_test(c_files),
        cmocka_unit_test(c_pipelines_outlast_the_receive_buffer),
        cmocka_unit_test(f_older_versions_are_refused),
        cmocka_unit_test(f_weak_ciphers_are_refused),
        cmocka_unit_test(f_renegotiation_is_refused),
        cmocka_unit_test(c_every_cipher_sends_the_right_bytes),
        cmocka_unit_test(f_new_keys),
        cmocka_unit_test(c_goes_on_with_new_keys),
        cmocka_unit_test(f_plain_http_on_the_tls_port),
        cmocka_unit_test(f_truncated_handshakes),
        cmocka_unit_test(f_a_reset_in_the_handshake_is_a_failure),
        cmocka_unit_test(f_handshakes_under_way_are_limited),
        cmocka_unit_test(f_turned_away_without_a_word),
        cmocka_unit_test(f_a_cut_shows_no_close_notify),
        cmocka_unit_test(f_a_peer_that_leaves_ends_its_exchange),
    };
    return run_every_way(tests);
}
