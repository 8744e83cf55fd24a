/* Who may be talked to: the four proofs, and that nothing is sent before them. */
#include "upstream_rig.h"

static void b_pins_of_leaf_intermediate_and_root(void **state)
{
    (void)state;
    static const char *const pins[] = {"upstream", "intermediate", "root"};
    for (size_t i = 0; i < 3; i++) {
        struct peer p = {.identity = "upstream", .reply = REPLY_OK};
        struct got g = {0};
        struct sp_fetch_ask ask = ask_content();
        struct sp_pin pin = pki_pin(pins[i]);
        ask_once(&p, &(struct wish){.pin = pins[i]}, &ask, &g);
        assert_ok(g.e);
        assert_string_equal(g.body, "hello");
        assert_true(g.link.proven);
        assert_false(g.link.plain || g.link.looks_intercepted);
        assert_true(sp_pin_eq(&g.link.matched, &pin));
        assert_int_equal(g.link.chain_count, 3);
        pin = pki_pin("upstream");
        assert_true(sp_pin_eq(&g.link.chain[0], &pin));
        pin = pki_pin("root");
        assert_true(sp_pin_eq(&g.link.chain[2], &pin));
        assert_string_equal(g.link.tls, "TLSv1.3");
        assert_string_equal(g.link.leaf_subject, "CN=localhost,O=Sallyport Demo");
        assert_string_equal(g.link.why.text, "");
    }
}

static void b_an_address_is_a_name_too(void **state)
{
    (void)state;
    struct peer p = {
        .identity = "upstream", .reply = REPLY_OK, .max_tls = TLS1_2_VERSION};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask_once(&p, &(struct wish){.host = "127.0.0.1"}, &ask, &g);
    assert_ok(g.e);
    assert_string_equal(g.link.tls, "TLSv1.2");
}

/* Asks a peer that must be refused, and looks that it got nothing. */
static void refuse(const char *identity, const struct wish *w, const char *word,
                   const char *other_word, struct got *g)
{
    struct peer p = {.identity = identity, .reply = REPLY_OK};
    struct sp_fetch_ask ask = ask_soap();
    ask_once(&p, w, &ask, g);
    assert_err(g->e, SP_E_UNPROVEN);
    assert_false(g->link.proven);
    assert_says(*g, word);
    assert_says(*g, other_word);
    assert_int_equal(p.accepted, 1);
    assert_int_equal(p.app_bytes, 0);
    assert_int_equal(g->status, 0);
}

static void f_wrong_pin(void **state)
{
    (void)state;
    struct got g = {0};
    char expected[SP_PIN_TEXT], shown[SP_PIN_TEXT];
    struct sp_pin pin = pki_pin("client");
    sp_pin_format(&pin, expected);
    pin = pki_pin("upstream");
    sp_pin_format(&pin, shown);
    refuse("upstream", &(struct wish){.pin = "client"}, expected, shown, &g);
    assert_int_equal(g.link.chain_count, 3);
    assert_false(g.link.looks_intercepted);
}

/* Each with the very key pinned, so that only its own fault can be the reason. */
static void f_hostile_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *name, *word, *other_word;
    } hostile[] = {
        {"hostile/wrong-name", "does not name \"localhost\"", "wrong.example"},
        {"hostile/no-san", "does not name \"localhost\"",
         "a common name does not count"},
        {"hostile/wildcard", "does not name \"localhost\"", "*.gate.localhost"},
        {"hostile/expired", "has expired", "2021-01-01T00:00:00Z"},
        {"hostile/expired-intermediate", "has expired", "2021-01-01T00:00:00Z"},
        {"hostile/not-yet-valid", "is not valid yet", "2090-01-01T00:00:00Z"},
        {"hostile/other-ca", "CN=Demo Root CA", "the CA file does not have"},
        {"hostile/self-signed", "the CA file does not have", "localhost"},
        {"hostile/self-signed-same-key", "the CA file does not have", "localhost"},
        {"hostile/client-auth", "is refused", "purpose"},
        {"hostile/any-eku", "is refused", "purpose"},
        {"hostile/sha1", "too weak", "SHA1"},
        {"hostile/rsa-1024", "too weak", "RSA 1024"},
        {"hostile/explicit-ec", "too weak", "explicit ECC"},
        {"hostile/leaf-as-ca", "is refused", "localhost"},
        {"hostile/name-constraint", "is refused", "subtree"},
        {"hostile/inspection", "Fortinet seems to inspect TLS", "FortiGate CA"},
    };
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct got g = {0};
        refuse(hostile[i].name, &(struct wish){.pin = hostile[i].name}, hostile[i].word,
               hostile[i].other_word, &g);
        assert_int_equal(g.link.looks_intercepted,
                         strcmp(hostile[i].name, "hostile/inspection") == 0);
    }
}

static void f_the_neighbours_pass(void **state)
{
    (void)state;
    static const struct {
        const char *identity, *host;
    } good[] = {{"hostile/neighbour", "localhost"},
                {"hostile/neighbour", "127.0.0.1"},
                {"hostile/wildcard", "x.gate.localhost"}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct peer p = {.identity = good[i].identity, .reply = REPLY_OK};
        struct got g = {0};
        struct sp_fetch_ask ask = ask_soap();
        ask_once(&p, &(struct wish){.host = good[i].host, .pin = good[i].identity},
                 &ask, &g);
        assert_ok(g.e);
        assert_true(g.link.proven);
    }
}

static void f_an_inspector_in_the_ca_file_still_misses_the_pin(void **state)
{
    (void)state;
    struct got g = {0};
    refuse("hostile/inspection", &(struct wish){.ca = "hostile/inspection-ca.pem"},
           "Fortinet seems to inspect TLS", "no pinned key", &g);
    assert_true(g.link.looks_intercepted);
}

/* A pinned key is no reason to accept another CA's certificate, nor the right CA
 * another name: each pair shares all but one proof. */
static void f_missing_root_names_the_issuer(void **state)
{
    (void)state;
    struct got g = {0};
    refuse("upstream", &(struct wish){.ca = "client-ca.pem"}, "missing root",
           "CN=Demo Root CA", &g);
}

static void assert_checks(const struct sp_upstream *u, uint64_t matched,
                          uint64_t unmatched, uint64_t untrusted)
{
    assert_int_equal(sp_upstream_pin_checks(u, SP_PIN_CHECK_MATCHED), matched);
    assert_int_equal(sp_upstream_pin_checks(u, SP_PIN_CHECK_UNMATCHED), unmatched);
    assert_int_equal(sp_upstream_pin_checks(u, SP_PIN_CHECK_UNTRUSTED), untrusted);
}

/* Once a handshake, by its result; what replaces an upstream counts on where it was. */
static void b_checks_are_counted(void **state)
{
    (void)state;
    static const struct wish wishes[] = {
        {0}, {.pin = "client"}, {.ca = "client-ca.pem"}};
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct got got[4] = {0};
    struct sp_fetch_ask ask = ask_content();
    struct sp_upstream *u = scene_start(&p, &c);
    fetch(&c, u, &ask, &got[3]);
    for (size_t i = 0; i < 3; i++) {
        struct sp_upstream *next = upstream_to(p.port, &wishes[i]);
        assert_checks(next, 0, 0, 0);
        sp_upstream_count_on(next, u);
        sp_upstream_unref(&u);
        u = next;
        fetch(&c, u, &ask, &got[i]);
        assert_int_equal(got[i].e, i == 0 ? SP_OK : SP_E_UNPROVEN);
    }
    assert_checks(u, 2, 1, 1);
    scene_stop(&p, &c, &u);
}

/* threats T3: a connection that was proven to one says nothing to another. */
static void f_two_upstreams_share_no_connection(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct got first = {0}, second = {0}, third = {0}, fourth = {0};
    struct sp_fetch_ask ask = ask_content();
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *right = upstream_to(p.port, &(struct wish){0});
    struct sp_upstream *wrong = upstream_to(p.port, &(struct wish){.pin = "client"});
    struct sp_upstream *same = upstream_to(p.port, &(struct wish){0});
    fetch(&c, right, &ask, &first);
    fetch(&c, wrong, &ask, &second);
    fetch(&c, right, &ask, &third);
    fetch(&c, same, &ask, &fourth);
    assert_ok(first.e);
    assert_err(second.e, SP_E_UNPROVEN);
    assert_ok(third.e);
    assert_ok(fourth.e);
    assert_int_equal(p.requests, 3);
    assert_int_equal(p.accepted,
                     3); /* the third fetch went over the first connection */
    assert_true(third.link.proven);
    assert_true(sp_pin_eq(&third.link.matched, &first.link.matched));
    assert_int_equal(third.link.chain_count, 3);
    assert_int_equal(p.resumed, 0);
    assert_checks(right, 1, 0, 0);
    assert_checks(wrong, 0, 1, 0);
    sp_upstream_unref(&right);
    sp_upstream_unref(&wrong);
    sp_upstream_unref(&same);
    client_stop(&c);
    peer_stop(&p);
}

/* Every connection is proven in full, none resumes another's session. */
static void f_nothing_is_resumed(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer p = {.identity = "upstream",
                         .reply = REPLY("200 OK",
                                        "Content-Length: 5\r\n"
                                        "Connection: close\r\n",
                                        "hello"),
                         .close_after_reply = true,
                         .max_tls = version};
        struct client c = {0};
        struct sp_fetch_ask ask = ask_content();
        peer_start(&p);
        client_start(&c);
        struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
        for (int i = 0; i < 3; i++) {
            struct got g = {0};
            fetch(&c, u, &ask, &g);
            assert_ok(g.e);
            assert_true(g.link.proven);
        }
        sp_upstream_unref(&u);
        client_stop(&c);
        peer_stop(&p);
        assert_int_equal(p.accepted, 3);
        assert_int_equal(p.resumed, 0);
    }
}

/* A peer that takes what we name first, and one that has nothing else. */
static void b_ciphers(void **state)
{
    (void)state;
    static const struct {
        int max_tls;
        const char *suites, *taken;
    } cases[] = {
        {TLS1_3_VERSION, NULL, "TLS_AES_128_GCM_SHA256"},
        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
        {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256",
         "TLS_CHACHA20_POLY1305_SHA256"},
        {TLS1_2_VERSION, NULL, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer p = {.identity = "upstream",
                         .reply = REPLY_OK,
                         .max_tls = cases[i].max_tls,
                         .suites = cases[i].suites};
        struct got g = {0};
        struct sp_fetch_ask ask = ask_content();
        ask_once(&p, &(struct wish){0}, &ask, &g);
        assert_ok(g.e);
        assert_string_equal(p.cipher, cases[i].taken);
    }
}

static void f_old_tls(void **state)
{
    (void)state;
    struct peer p = {
        .identity = "upstream", .reply = REPLY_OK, .max_tls = TLS1_1_VERSION};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_err(g.e, SP_E_TLS);
    assert_says(g, "only old TLS");
    assert_int_equal(p.app_bytes, 0);
}

static void f_plain_http_on_the_tls_port(void **state)
{
    (void)state;
    struct peer p = {.reply = "HTTP/1.1 400 Bad Request\r\n\r\n"};
    struct client c = {0};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    /* a server that speaks first, as it would after reading what it takes for a request
     */
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    begin(&c, u, &ask, &g);
    while (atomic_load(&p.app_bytes) == 0) {
        uv_run(sp_loop_uv(c.loop), UV_RUN_NOWAIT);
    }
    assert_int_equal(send(p.fds[0], p.reply, p.reply_len, MSG_NOSIGNAL),
                     (int)p.reply_len);
    finish(&c, &g);
    assert_err(g.e, SP_E_TLS);
    assert_says(g, "plain HTTP");
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

static void b_client_certificate(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct peer p = {.identity = "upstream",
                         .reply = REPLY_OK,
                         .client_ca = "client-ca",
                         .max_tls = version};
        struct got g = {0};
        struct sp_fetch_ask ask = ask_content();
        ask_once(&p, &(struct wish){.client = "client-both.pem"}, &ask, &g);
        assert_ok(g.e);
        struct peer again = {.identity = "upstream",
                             .reply = REPLY_OK,
                             .client_ca = "client-ca",
                             .max_tls = version};
        struct got without = {0};
        ask_once(&again, &(struct wish){0}, &ask, &without);
        assert_err(without.e, SP_E_TLS);
        assert_says(without, "client certificate");
        assert_true(without.link.proven);
    }
}

static const char *const decoy_names[] = {
    "http_proxy",    "https_proxy",    "HTTPS_PROXY",  "all_proxy",    "ALL_PROXY",
    "SSL_CERT_FILE", "CURL_CA_BUNDLE", "SSL_CERT_DIR", "OPENSSL_CONF", "SSLKEYLOGFILE"};

/* A proxy that is not there, another CA, no TLS 1.3, and a file for the secrets. */
static void set_decoys(void)
{
    const char *values[] = {
        "http://127.0.0.1:1",          "http://127.0.0.1:1",
        "http://127.0.0.1:1",          "http://127.0.0.1:1",
        "http://127.0.0.1:1",          pki_path("client-ca.pem", ""),
        pki_path("client-ca.pem", ""), pki_dir,
        pki_path("decoy.cnf", ""),     pki_path("decoy.log", "")};
    char copy[256];
    for (size_t i = 0; i < sizeof decoy_names / sizeof decoy_names[0]; i++) {
        snprintf(copy, sizeof copy, "%s", values[i]);
        setenv(decoy_names[i], copy, 1);
    }
}

static void look_past_decoys(void)
{
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct got g = {0}, other = {0};
    struct sp_fetch_ask ask = ask_content();
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_ok(g.e);
    assert_string_equal(g.link.tls, "TLSv1.3");
    assert_int_equal(access(pki_path("decoy.log", ""), F_OK), -1);
    refuse("hostile/other-ca", &(struct wish){0}, "CA file", "root", &other);
}

/* The decoys were there before the process started OpenSSL and libcurl; here they are
 * put up once more, behind the back of sp_upstream_global_init. */
static void f_the_environment_has_no_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decoy_names / sizeof decoy_names[0]; i++) {
        assert_null(getenv(decoy_names[i]));
    }
    look_past_decoys();
    set_decoys();
    look_past_decoys();
    for (size_t i = 0; i < sizeof decoy_names / sizeof decoy_names[0]; i++) {
        unsetenv(decoy_names[i]);
    }
}

static void b_show_chain(void **state)
{
    (void)state;
    SP_AUTO(sp_arena_free) struct sp_arena *arena = NULL;
    assert_ok(sp_arena_new(SP_LIMIT_CHAIN_BYTES, &arena));
    struct sp_view ca = pki_read("ca.pem");
    static const struct {
        const char *identity, *word;
        size_t count;
        bool verified;
    } rows[] = {{"upstream", "", 2, true},
                {"hostile/expired", "has expired", 2, false},
                {"hostile/rsa-1024", "too weak", 2, false},
                {"hostile/other-ca", "CA file", 3, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer p = {.identity = rows[i].identity};
        struct sp_shown_chain shown = {.count = 0};
        struct sp_cert_facts leaf;
        struct sp_pin pin = pki_pin(rows[i].identity);
        peer_start(&p);
        assert_ok(sp_upstream_show_chain("localhost", p.port, ca, arena, &shown, NULL));
        peer_stop(&p);
        assert_int_equal(shown.count, rows[i].count);
        assert_int_equal(shown.verified, rows[i].verified);
        assert_non_null(strstr(shown.why.text, rows[i].word));
        assert_string_equal(shown.tls, "TLSv1.3");
        assert_ok(sp_cert_read(shown.der[0], &leaf));
        assert_true(sp_pin_eq(&leaf.spki, &pin));
        assert_int_equal(p.app_bytes, 0);
    }
    free((void *)(uintptr_t)ca.data);
}

static void b_show_chain_of_nobody(void **state)
{
    (void)state;
    SP_AUTO(sp_arena_free) struct sp_arena *arena = NULL;
    assert_ok(sp_arena_new(SP_LIMIT_CHAIN_BYTES, &arena));
    struct sp_shown_chain shown = {.count = 0};
    struct sp_why why = {0};
    struct sp_view none = {0};
    struct peer old = {.identity = "upstream", .max_tls = TLS1_1_VERSION};
    peer_start(&old);
    assert_err(sp_upstream_show_chain("localhost", old.port, none, arena, &shown, &why),
               SP_E_TLS);
    peer_stop(&old);
    assert_non_null(strstr(why.text, "only old TLS"));
    why.text[0] = 0;
    assert_err(sp_upstream_show_chain("127.0.0.1", old.port, none, arena, &shown, &why),
               SP_E_UNAVAILABLE);
    assert_err(sp_upstream_show_chain("a b", 443, none, arena, &shown, NULL),
               SP_E_CONFIG);
    assert_err(sp_upstream_show_chain("localhost", 0, none, arena, &shown, NULL),
               SP_E_CONFIG);
    assert_int_equal(shown.count, 0);
}

static int write_decoy_conf(void)
{
    FILE *f = fopen(pki_path("decoy.cnf", ""), "w");
    if (!f) {
        return -1;
    }
    fputs("openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n"
          "[all]\nMaxProtocol = TLSv1.2\n",
          f);
    return fclose(f);
}

static int setup(void **state)
{
    (void)state;
    char join[256], sh[] = "sh", dash_c[] = "-c";
    char *argv[] = {sh, dash_c, join, NULL};
    if (rig_pki() != 0) {
        return -1;
    }
    snprintf(join, sizeof join, "cd %s && cat client.pem client.key >client-both.pem",
             pki_dir);
    if (rig_run(argv) != 0 || write_decoy_conf() != 0) {
        return -1;
    }
    set_decoys();
    return rig_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_checks_are_counted),
        cmocka_unit_test(b_pins_of_leaf_intermediate_and_root),
        cmocka_unit_test(b_an_address_is_a_name_too),
        cmocka_unit_test(b_client_certificate),
        cmocka_unit_test(b_show_chain),
        cmocka_unit_test(b_show_chain_of_nobody),
        cmocka_unit_test(f_wrong_pin),
        cmocka_unit_test(f_hostile_certificates),
        cmocka_unit_test(f_the_neighbours_pass),
        cmocka_unit_test(f_an_inspector_in_the_ca_file_still_misses_the_pin),
        cmocka_unit_test(f_missing_root_names_the_issuer),
        cmocka_unit_test(f_two_upstreams_share_no_connection),
        cmocka_unit_test(f_nothing_is_resumed),
        cmocka_unit_test(b_ciphers),
        cmocka_unit_test(f_old_tls),
        cmocka_unit_test(f_plain_http_on_the_tls_port),
        cmocka_unit_test(f_the_environment_has_no_say),
    };
    return cmocka_run_group_tests(tests, setup, rig_teardown);
}
