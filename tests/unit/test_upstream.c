/* An upstream: what configures it, and what is sent once the peer is proven. */
#include "upstream_rig.h"

static struct sp_upstream_conf conf_of(const char *url, const struct sp_pin *pin,
                                       struct sp_view ca)
{
    return (struct sp_upstream_conf){
        .name = "x", .url = url, .ca_pem = ca, .pins = pin, .pin_count = 1};
}

/* ---- configuration ------------------------------------------------------- */

static void b_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
    } rows[] = {{"https://wsus.corp.example:8531", "wsus.corp.example:8531"},
                {"https://wsus.corp.example", "wsus.corp.example:443"},
                {"https://10.0.0.1:1", "10.0.0.1:1"},
                {"https://[2001:db8::1]:65535", "[2001:db8::1]:65535"},
                {"https://[::1]", "[::1]:443"},
                {"http://wsus.corp.example", NULL},
                {"https://wsus.corp.example/", NULL},
                {"https://wsus.corp.example:8531/x", NULL},
                {"https://user@wsus.corp.example", NULL},
                {"https://wsus.corp.example:0", NULL},
                {"https://wsus.corp.example:65536", NULL},
                {"https://wsus.corp.example:", NULL},
                {"https://wsus..example", NULL},
                {"https://wsus.example.", NULL},
                {"https://-wsus.example", NULL},
                {"https://[::1", NULL},
                {"https://[::1]x", NULL},
                {"https://[wsus.example]", NULL},
                {"https://::1", NULL},
                {"https://", NULL},
                {"https://a b", NULL}};
    struct sp_pin pin = pki_pin("upstream");
    struct sp_view ca = pki_read("ca.pem");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sp_upstream *u = NULL;
        struct sp_why why = {0};
        struct sp_upstream_conf conf = conf_of(rows[i].url, &pin, ca);
        enum sp_err e = sp_upstream_new(&conf, &u, &why);
        assert_err(e, rows[i].host ? SP_OK : SP_E_CONFIG);
        if (u) {
            assert_string_equal(sp_upstream_host(u), rows[i].host);
            assert_string_equal(sp_upstream_name(u), "x");
        } else {
            assert_true(why.text[0] != 0);
        }
        sp_upstream_unref(&u);
    }
    free((void *)(uintptr_t)ca.data);
}

static void refuse_conf(const struct sp_upstream_conf *conf, const char *word)
{
    struct sp_upstream *u = NULL;
    struct sp_why why = {0};
    assert_err(sp_upstream_new(conf, &u, &why), SP_E_CONFIG);
    assert_null(u);
    if (!strstr(why.text, word)) {
        fail_msg("\"%s\" is not in: %s", word, why.text);
    }
}

static void f_passwords_are_not_repeated(void **state)
{
    (void)state;
    struct sp_pin pin = pki_pin("upstream");
    struct sp_view ca = pki_read("ca.pem");
    struct sp_upstream *u = NULL;
    struct sp_why why = {0};
    struct sp_upstream_conf c = conf_of("https://localhost", &pin, ca);
    c.proxy = "http://user:s3cret@proxy.example:3128";
    refuse_conf(&c, "name and password");
    assert_err(sp_upstream_new(&c, &u, &why), SP_E_CONFIG);
    assert_null(strstr(why.text, "s3cret"));
    free((void *)(uintptr_t)ca.data);
}

static void b_faults_of_the_configuration(void **state)
{
    (void)state;
    struct sp_pin pins[SP_LIMIT_PINS + 1] = {0};
    struct sp_view ca = pki_read("ca.pem"), client = pki_read("client.pem");
    struct sp_upstream *u = NULL;
    struct sp_upstream_conf good = conf_of("https://localhost", pins, ca), c = good;
    c.pin_count = 0;
    refuse_conf(&c, "0 pins");
    c.pin_count = SP_LIMIT_PINS + 1;
    refuse_conf(&c, "17 pins");
    c.pin_count = SP_LIMIT_PINS;
    assert_ok(sp_upstream_new(&c, &u, NULL));
    sp_upstream_unref(&u);
    c = good;
    c.ca_pem = SP_VIEW("");
    refuse_conf(&c, "CA file");
    c.ca_pem = sp_view_slice(ca, 0, ca.len - 40);
    refuse_conf(&c, "CA file");
    c = good;
    c.proxy = "https://proxy";
    refuse_conf(&c, "http://");
    c = good;
    c.client_pem = client;
    refuse_conf(&c, "private key");
    free((void *)(uintptr_t)ca.data);
    free((void *)(uintptr_t)client.data);
}

/* ---- what is sent -------------------------------------------------------- */

static void b_soap_request_is_exactly_ours(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_soap();
    char expected[1024];
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_ok(g.e);
    assert_int_equal(g.status, 200);
    snprintf(expected, sizeof expected,
             "POST /ServerSyncWebService/ServerSyncWebService.asmx HTTP/1.1\r\n"
             "Host: localhost:%u\r\n"
             "User-Agent: sallyport/" SP_VERSION "\r\n"
             "Accept-Encoding: xpress, gzip\r\n"
             "Content-Type: text/xml; charset=utf-8\r\n"
             "SOAPAction: \"urn:GetAuthConfig\"\r\n"
             "Content-Length: 11\r\n\r\n<Envelope/>",
             p.port);
    assert_string_equal(p.request, expected);
}

static void b_traceparent(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_soap();
    ask.traceparent =
        SP_VIEW("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_ok(g.e);
    assert_non_null(strstr(p.request,
                           "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c8031"
                           "9c-b7ad6b7169203331-01\r\n"));
}

static void b_content_request_with_range(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream",
                     .reply =
                         REPLY("206 Partial Content",
                               "Content-Range: bytes 5-9/100\r\nContent-Length: 5\r\n",
                               "hello")};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    char expected[1024];
    ask.path = "/Content/A/../%41?x=1";
    ask.has_range = true;
    ask.range_first = 5;
    ask.range_last = 9;
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_ok(g.e);
    assert_int_equal(g.status, 206);
    snprintf(expected, sizeof expected,
             "GET /Content/A/../%%41?x=1 HTTP/1.1\r\n"
             "Host: localhost:%u\r\n"
             "User-Agent: sallyport/" SP_VERSION "\r\n"
             "Accept-Encoding: identity\r\n"
             "Range: bytes=5-9\r\n\r\n",
             p.port);
    assert_string_equal(p.request, expected);
}

static void b_open_range(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask.has_range = true;
    ask.range_first = 4294967296;
    ask.range_last = UINT64_MAX;
    ask.if_range = "\"strong\"";
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_ok(g.e);
    assert_non_null(strstr(p.request, "\r\nRange: bytes=4294967296-\r\n"));
    assert_non_null(strstr(p.request, "\r\nIf-Range: \"strong\"\r\n"));
}

static void f_asks_that_are_refused(void **state)
{
    (void)state;
    struct client c = {0};
    struct sp_fetch *f = NULL;
    struct sp_fetch_handler h = {.head = got_head, .data = got_data, .done = got_done};
    client_start(&c);
    struct sp_upstream *u = upstream_to(8531, &(struct wish){0});
    static const char *const paths[] = {"",           "x",    "/a b",
                                        "/a\r\nX: y", "/a#b", "/\xC3\xA4"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct sp_fetch_ask ask = ask_content();
        ask.path = paths[i];
        assert_err(sp_fetch_start(c.pool, u, &ask, &h, &f), SP_E_MALFORMED);
    }
    struct sp_fetch_ask ask = ask_soap();
    ask.soap_action = "a\"\r\nX: y";
    assert_err(sp_fetch_start(c.pool, u, &ask, &h, &f), SP_E_MALFORMED);
    ask = ask_soap();
    ask.traceparent = SP_VIEW("00-0\r\nX: y");
    assert_err(sp_fetch_start(c.pool, u, &ask, &h, &f), SP_E_MALFORMED);
    ask = ask_soap();
    ask.over_http = true;
    assert_err(sp_fetch_start(c.pool, u, &ask, &h, &f), SP_E_DENIED);
    ask = ask_content();
    ask.over_http = true;
    assert_err(sp_fetch_start(c.pool, u, &ask, &h, &f), SP_E_DENIED);
    ask = ask_content();
    ask.has_range = true;
    ask.range_first = 2;
    ask.range_last = 1;
    assert_err(sp_fetch_start(c.pool, u, &ask, &h, &f), SP_E_MALFORMED);
    assert_null(f);
    sp_upstream_unref(&u);
    client_stop(&c);
}

static void b_content_over_http_beside_the_tls_port(void **state)
{
    (void)state;
    struct peer p = {.reply = REPLY_OK};
    struct client c = {0};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask.over_http = true;
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u =
        upstream_to(p.port + 1, &(struct wish){.content_over_http = true});
    fetch(&c, u, &ask, &g);
    assert_ok(g.e);
    assert_true(g.link.plain);
    assert_false(g.link.proven);
    assert_int_equal(g.link.chain_count, 0);
    assert_string_equal(g.body, "hello");
    scene_stop(&p, &c, &u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_urls),
        cmocka_unit_test(b_faults_of_the_configuration),
        cmocka_unit_test(f_passwords_are_not_repeated),
        cmocka_unit_test(b_soap_request_is_exactly_ours),
        cmocka_unit_test(b_traceparent),
        cmocka_unit_test(b_content_request_with_range),
        cmocka_unit_test(b_open_range),
        cmocka_unit_test(b_content_over_http_beside_the_tls_port),
        cmocka_unit_test(f_asks_that_are_refused),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
