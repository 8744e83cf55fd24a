/* One request after the peer is proven: what is sent, what is taken, how it ends. */
#include "upstream_rig.h"

static void ask_with(const char *reply, const struct sp_fetch_ask *ask, struct got *g)
{
    struct peer p = {.identity = "upstream", .reply = reply, .close_after_reply = true};
    ask_once(&p, &(struct wish){0}, ask, g);
}

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
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

/* ---- what is taken ------------------------------------------------------- */

static void b_chunked_and_interim(void **state)
{
    (void)state;
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask_with("HTTP/1.1 100 Continue\r\n\r\n"
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
             &ask, &g);
    assert_ok(g.e);
    assert_string_equal(g.body, "hello");
}

static void b_content_coding_is_left_alone(void **state)
{
    (void)state;
    struct got g = {0};
    struct sp_fetch_ask ask = ask_soap();
    ask_with(REPLY("200 OK", "Content-Encoding: gzip\r\nContent-Length: 5\r\n",
                   "ab\x1f\x8b."),
             &ask, &g);
    assert_ok(g.e);
    assert_string_equal(g.body, "ab\x1f\x8b.");
}

static void b_other_statuses_are_for_the_handler(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        int status;
    } rows[] = {{REPLY("500 Oops", "Content-Length: 5\r\n", "fault"), 500},
                {REPLY("404 Not Found", "Content-Length: 0\r\n", ""), 404},
                {REPLY("304 Not Modified", "", ""), 304},
                {REPLY("204 No Content", "", ""), 204}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct got g = {0};
        struct sp_fetch_ask ask = ask_content();
        ask_with(rows[i].reply, &ask, &g);
        assert_ok(g.e);
        assert_int_equal(g.status, rows[i].status);
    }
}

static void f_replies_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *reply, *word;
        enum sp_err e;
    } rows[] = {
        {REPLY("302 Found", "Location: https://evil.example/x\r\nContent-Length: 0\r\n",
               ""),
         "answers with a redirect (302) to \"https://evil.example/x\"", SP_E_PROTOCOL},
        {REPLY("200 OK", "", "hello"), "neither a Content-Length nor chunks",
         SP_E_PROTOCOL},
        {REPLY("200 OK", "Content-Length: 9\r\n", "hello"), "closed before",
         SP_E_CLOSED},
        {REPLY("200 OK", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
         "closed before", SP_E_CLOSED},
        {REPLY("200 OK", "Transfer-Encoding: chunked\r\n",
               "5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
         "trailers", SP_E_PROTOCOL},
        {"", "closed without a reply", SP_E_CLOSED},
        {REPLY("200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
         "refused", SP_E_PROTOCOL},
        {REPLY("200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
               "5\r\nhello\r\n0\r\n\r\n"),
         "refused", SP_E_PROTOCOL},
        {REPLY("200 OK", "Content-Length : 5\r\n", "hello"), "refused", SP_E_PROTOCOL},
        {REPLY("200 OK", "X: a\r\n folded\r\nContent-Length: 5\r\n", "hello"),
         "refused", SP_E_PROTOCOL},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "refused", SP_E_PROTOCOL},
        {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "refused", SP_E_PROTOCOL},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "localhost",
         SP_E_PROTOCOL},
        {"SSH-2.0-nobody\r\n\r\n", "localhost", SP_E_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct got g = {0};
        struct sp_fetch_ask ask = ask_content();
        ask_with(rows[i].reply, &ask, &g);
        if (g.e != rows[i].e) {
            fail_msg("row %zu: %s (%s)", i, sp_err_name(g.e), g.link.why.text);
        }
        assert_says(g, rows[i].word);
        assert_true(g.link.proven);
    }
}

static void f_cut_without_close_notify(void **state)
{
    (void)state;
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    struct peer p = {.identity = "upstream",
                     .reply = REPLY("200 OK", "Content-Length: 9\r\n", "hello"),
                     .close_after_reply = true,
                     .abrupt = true};
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_err(g.e, SP_E_CLOSED);
}

/* A reply whose head has exactly this many bytes, in fields of at most 2000. */
static void make_long_head(struct sp_buf *b, size_t head)
{
    assert_ok(sp_buf_append_str(b, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"));
    while (b->len + 2 < head) {
        size_t left = head - 2 - b->len;
        size_t line = left > 4000 ? 2000 : left > 2000 ? left / 2 : left;
        assert_ok(sp_buf_printf(b, "X: %0*d\r\n", (int)line - 5, 0));
    }
    assert_int_equal(b->len + 2, head);
    assert_ok(sp_buf_printf(b, "\r\nhello"));
}

static void f_head_as_long_as_allowed(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct sp_buf reply;
        sp_buf_init(&reply, SP_LIMIT_HEAD + 100);
        make_long_head(&reply, SP_LIMIT_HEAD + extra);
        assert_ok(sp_buf_append_byte(&reply, 0));
        struct got g = {0};
        struct sp_fetch_ask ask = ask_content();
        ask_with((const char *)reply.data, &ask, &g);
        assert_err(g.e, extra ? SP_E_PROTOCOL : SP_OK);
        sp_buf_fini(&reply);
    }
}

static void f_reply_limit(void **state)
{
    (void)state;
    static const char *const replies[] = {
        REPLY_OK, REPLY("200 OK", "Transfer-Encoding: chunked\r\n",
                        "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")};
    for (size_t i = 0; i < 2; i++) {
        struct got fits = {0}, over = {0};
        struct sp_fetch_ask ask = ask_content();
        ask.reply_limit = 5;
        ask_with(replies[i], &ask, &fits);
        assert_ok(fits.e);
        ask.reply_limit = 4;
        ask_with(replies[i], &ask, &over);
        assert_err(over.e, SP_E_LIMIT);
        assert_says(over, "4 bytes");
        assert_true(over.body_len <= 4);
    }
}

static void b_large_body(void **state)
{
    (void)state;
    enum { SIZE = 5000000 };
    struct sp_buf reply;
    uint8_t *body = NULL;
    sp_buf_init(&reply, SIZE + 100);
    assert_ok(
        sp_buf_printf(&reply, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE));
    assert_ok(sp_buf_reserve(&reply, SIZE, &body));
    memset(body, 'x', SIZE);
    struct peer p = {.identity = "upstream",
                     .reply = (const char *)reply.data,
                     .reply_len = reply.len + SIZE};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask.reply_limit = SIZE;
    ask_once(&p, &(struct wish){0}, &ask, &g);
    assert_ok(g.e);
    assert_int_equal(g.body_len, SIZE);
    sp_buf_fini(&reply);
}

/* Takes bytes as long as it may, and counts how often it was asked in vain. */
struct sipper {
    struct got got;
    uint64_t may;
    unsigned refused;
};

static enum sp_err sip(void *ctx, struct sp_view bytes)
{
    struct sipper *s = ctx;
    if (bytes.len > s->may) {
        s->refused++;
        return SP_E_AGAIN;
    }
    s->may -= bytes.len;
    return got_data(&s->got, bytes);
}

/* Does not block: while a fetch rests nothing may happen any more. */
static void until_refused(struct client *c, struct sipper *s, unsigned times)
{
    while (s->refused < times) {
        assert_false(s->got.finished);
        uv_run(sp_loop_uv(c->loop), UV_RUN_NOWAIT);
        uv_sleep(1);
    }
}

/* It rests for longer than its patience, twice in one place, and misses nothing. */
static void c_a_fetch_rests_and_goes_on(void **state)
{
    (void)state;
    enum { SIZE = 4000000, HALF = SIZE / 2 };
    struct sp_buf reply;
    uint8_t *body = NULL;
    sp_buf_init(&reply, SIZE + 100);
    assert_ok(
        sp_buf_printf(&reply, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE));
    assert_ok(sp_buf_reserve(&reply, SIZE, &body));
    memset(body, 'x', SIZE);
    struct peer p = {.identity = "upstream",
                     .reply = (const char *)reply.data,
                     .reply_len = reply.len + SIZE};
    struct client c = {0};
    struct sipper s = {.may = HALF};
    struct sp_fetch_handler h = {
        .head = got_head, .data = sip, .done = got_done, .ctx = &s};
    struct sp_fetch_ask ask = ask_content();
    struct sp_fetch *f = NULL;
    ask.reply_limit = SIZE;
    ask.patience_ms = 300;
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    assert_ok(sp_fetch_start(c.pool, u, &ask, &h, &f));
    sp_fetch_resume(f); /* does not rest: nothing happens */
    until_refused(&c, &s, 1);
    size_t had = s.got.body_len;
    assert_in_range(had, 1, HALF);
    for (int ms = 0; ms < 400; ms += 10) {
        uv_run(sp_loop_uv(c.loop), UV_RUN_NOWAIT);
        uv_sleep(10);
    }
    assert_false(s.got.finished);
    assert_int_equal(s.refused, 1);
    sp_fetch_resume(f);
    until_refused(&c, &s, 2);
    assert_int_equal(s.got.body_len, had);
    s.may = SIZE;
    sp_fetch_resume(f);
    finish(&c, &s.got);
    assert_ok(s.got.e);
    assert_int_equal(s.got.body_len, SIZE);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
    sp_buf_fini(&reply);
}

static void c_a_fetch_that_rests_can_be_called_off(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct sipper s = {0};
    struct sp_fetch_handler h = {
        .head = got_head, .data = sip, .done = got_done, .ctx = &s};
    struct sp_fetch_ask ask = ask_content();
    struct sp_fetch *f = NULL;
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    assert_ok(sp_fetch_start(c.pool, u, &ask, &h, &f));
    until_refused(&c, &s, 1);
    sp_fetch_resume(f);
    sp_fetch_cancel(f);
    finish(&c, &s.got);
    assert_err(s.got.e, SP_E_CANCELLED);
    assert_int_equal(s.got.body_len, 0);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

/* Metadata is what somebody waits for; content may be fetched for nobody yet. */
static void b_who_is_asked(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .silent = true};
    struct client c = {0};
    struct got soap = {0}, content = {0};
    struct sp_fetch_ask asks[] = {ask_content(), ask_soap()};
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    assert_false(sp_upstream_is_asked(u));
    struct sp_fetch *first = begin(&c, u, &asks[0], &content);
    assert_false(sp_upstream_is_asked(u));
    struct sp_fetch *second = begin(&c, u, &asks[1], &soap);
    assert_true(sp_upstream_is_asked(u));
    sp_fetch_cancel(second);
    finish(&c, &soap);
    assert_false(sp_upstream_is_asked(u));
    sp_fetch_cancel(first);
    finish(&c, &content);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

static void b_the_handlers_error_ends_it(void **state)
{
    (void)state;
    struct got head = {.answer_head = SP_E_MISMATCH},
               data = {.answer_data = SP_E_NOSPACE};
    struct sp_fetch_ask ask = ask_content();
    ask_with(REPLY_OK, &ask, &head);
    assert_err(head.e, SP_E_MISMATCH);
    assert_int_equal(head.body_len, 0);
    ask_with(REPLY_OK, &ask, &data);
    assert_err(data.e, SP_E_NOSPACE);
    assert_int_equal(data.status, 200);
}

/* ---- how it ends --------------------------------------------------------- */

static void c_patience(void **state)
{
    (void)state;
    struct sp_fetch_ask asks[] = {ask_soap(), ask_content()};
    for (size_t i = 0; i < 2; i++) {
        struct peer silent = {.identity = "upstream", .silent = true};
        struct peer deaf = {.identity = "upstream", .deaf = true};
        struct got g = {0}, h = {0};
        asks[i].patience_ms = 150;
        ask_once(&silent, &(struct wish){0}, &asks[i], &g);
        assert_err(g.e, SP_E_TIMEOUT);
        assert_says(g, "150 ms");
        assert_true(g.link.proven);
        ask_once(&deaf, &(struct wish){0}, &asks[i], &h);
        assert_err(h.e, SP_E_TIMEOUT);
        assert_false(h.link.proven);
    }
}

static void c_nobody_there(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream"};
    struct client c = {0};
    struct got refused = {0}, unknown = {0};
    struct sp_fetch_ask ask = ask_content();
    peer_start(&p);
    peer_stop(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    fetch(&c, u, &ask, &refused);
    assert_err(refused.e, SP_E_UNAVAILABLE);
    assert_says(refused, "no connection");
    sp_upstream_unref(&u);
    u = upstream_to(443, &(struct wish){.host = "nobody.invalid"});
    ask.patience_ms = 20000;
    fetch(&c, u, &ask, &unknown);
    assert_err(unknown.e, SP_E_UNAVAILABLE);
    assert_says(unknown, "its name is not known");
    sp_upstream_unref(&u);
    client_stop(&c);
}

static void c_cancel_at_any_time(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .silent = true};
    struct client c = {0};
    struct got early = {0}, late = {0};
    struct sp_fetch_ask ask = ask_soap();
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    struct sp_fetch *f = begin(&c, u, &ask, &early);
    sp_fetch_cancel(f);
    assert_false(early.finished);
    finish(&c, &early);
    assert_err(early.e, SP_E_CANCELLED);
    assert_int_equal(p.accepted, 0);
    f = begin(&c, u, &ask, &late);
    while (atomic_load(&p.requests) == 0) {
        uv_run(sp_loop_uv(c.loop), UV_RUN_NOWAIT);
    }
    sp_fetch_cancel(f);
    finish(&c, &late);
    assert_err(late.e, SP_E_CANCELLED);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

static void c_closing_the_pool_calls_off(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .silent = true};
    struct client c = {0};
    struct got g[3] = {{0}};
    struct sp_fetch_ask ask = ask_soap();
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    begin(&c, u, &ask, &g[0]);
    begin(&c, u, &ask, &g[1]);
    while (atomic_load(&p.requests) < 2) {
        uv_run(sp_loop_uv(c.loop), UV_RUN_NOWAIT);
    }
    begin(&c, u, &ask, &g[2]);
    sp_upstream_unref(&u);
    client_stop(&c);
    for (size_t i = 0; i < 3; i++) {
        assert_true(g[i].finished);
        assert_err(g[i].e, SP_E_CANCELLED);
    }
    peer_stop(&p);
}

static void close_pool(struct got *g)
{
    sp_upstream_pool_close(g->more);
}

static void c_closing_the_pool_from_done(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct got g = {.in_done = close_pool, .more = &c.pool}, other = {0};
    struct sp_fetch_ask ask = ask_content();
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    begin(&c, u, &ask, &g);
    finish(&c, &g);
    assert_ok(g.e);
    assert_null(c.pool);
    assert_false(other.finished);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

struct chain_of_fetches {
    struct client *c;
    struct sp_upstream *u;
    struct got next;
};

static void start_next(struct got *g)
{
    struct chain_of_fetches *more = g->more;
    struct sp_fetch_ask ask = ask_content();
    begin(more->c, more->u, &ask, &more->next);
}

static void c_starting_from_done(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct chain_of_fetches more = {.c = &c};
    struct got g = {.in_done = start_next, .more = &more};
    struct sp_fetch_ask ask = ask_content();
    peer_start(&p);
    client_start(&c);
    more.u = upstream_to(p.port, &(struct wish){0});
    fetch(&c, more.u, &ask, &g);
    finish(&c, &more.next);
    assert_ok(more.next.e);
    assert_int_equal(p.accepted, 1);
    sp_upstream_unref(&more.u);
    client_stop(&c);
    peer_stop(&p);
}

static void f_connections_have_a_ceiling(void **state)
{
    (void)state;
    enum { MANY = SP_LIMIT_UPSTREAM_CONNECTIONS + 4 };
    static struct got g[MANY];
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct sp_fetch_ask ask = ask_content();
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    for (size_t i = 0; i < MANY; i++) {
        begin(&c, u, &ask, &g[i]);
    }
    for (size_t i = 0; i < MANY; i++) {
        finish(&c, &g[i]);
        assert_ok(g[i].e);
        assert_true(g[i].link.proven);
    }
    assert_int_equal(p.requests, MANY);
    assert_true(p.accepted <= SP_LIMIT_UPSTREAM_CONNECTIONS);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

/* After a reload nobody asks for the old upstream: its connections go. */
static void c_a_retired_upstream_is_let_go(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct got old = {0}, new = {0};
    struct sp_fetch_ask ask = ask_content();
    peer_start(&p);
    client_start(&c);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    fetch(&c, u, &ask, &old);
    sp_upstream_unref(&u);
    u = upstream_to(p.port, &(struct wish){0});
    fetch(&c, u, &ask, &new);
    char byte;
    struct pollfd end = {.fd = p.fds[0], .events = POLLIN | POLLRDHUP};
    assert_int_equal(poll(&end, 1, 5000), 1);
    assert_true(recv(p.fds[0], &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 ||
                (end.revents & (POLLRDHUP | POLLHUP)));
    assert_ok(new.e);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
}

/* A proxy sees CONNECT and nothing else in clear. */
static void c_through_a_proxy(void **state)
{
    (void)state;
    struct peer proxy = {.reply =
                             "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"};
    struct client c = {0};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_soap();
    char url[64];
    peer_start(&proxy);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", proxy.port);
    client_start(&c);
    struct sp_upstream *u = upstream_to(8531, &(struct wish){.proxy = url});
    fetch(&c, u, &ask, &g);
    assert_err(g.e, SP_E_UNAVAILABLE);
    assert_says(g, "the proxy does not let us through");
    assert_int_equal(g.status, 0);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&proxy);
    assert_memory_equal(proxy.request, "CONNECT localhost:8531 HTTP/1.1\r\n", 33);
    assert_null(strstr(proxy.request, "SOAPAction"));
}

static void c_proven_behind_a_proxy(void **state)
{
    (void)state;
    static const char *const pins[] = {"upstream", "client"};
    for (size_t i = 0; i < 2; i++) {
        struct peer p = {.identity = "upstream", .is_proxy = true, .reply = REPLY_OK};
        struct client c = {0};
        struct got g = {0};
        struct sp_fetch_ask ask = ask_soap();
        char url[64];
        peer_start(&p);
        snprintf(url, sizeof url, "http://127.0.0.1:%u", p.port);
        client_start(&c);
        struct sp_upstream *u =
            upstream_to(8531, &(struct wish){.proxy = url, .pin = pins[i]});
        fetch(&c, u, &ask, &g);
        sp_upstream_unref(&u);
        client_stop(&c);
        peer_stop(&p);
        assert_err(g.e, i == 0 ? SP_OK : SP_E_UNPROVEN);
        assert_int_equal(g.link.proven, i == 0);
        assert_int_equal(p.requests, i == 0 ? 2 : 1); /* CONNECT is one */
    }
}

struct looper {
    struct sp_upstream *u;
    struct got got[5];
    pthread_t thread;
};

static void *run_looper(void *arg)
{
    struct looper *l = arg;
    struct client c = {0};
    struct sp_fetch_ask ask = ask_content();
    client_start(&c);
    for (size_t i = 0; i < 5; i++) {
        fetch(&c, l->u, &ask, &l->got[i]);
    }
    client_stop(&c);
    return NULL;
}

static void c_loops_share_an_upstream(void **state)
{
    (void)state;
    static struct looper loopers[3];
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    peer_start(&p);
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    for (size_t i = 0; i < 3; i++) {
        loopers[i].u = u;
        assert_int_equal(
            pthread_create(&loopers[i].thread, NULL, run_looper, &loopers[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(loopers[i].thread, NULL);
        for (size_t n = 0; n < 5; n++) {
            assert_ok(loopers[i].got[n].e);
            assert_true(loopers[i].got[n].link.proven);
        }
    }
    sp_upstream_unref(&u);
    peer_stop(&p);
    assert_int_equal(p.accepted, 3);
}

static int setup(void **state)
{
    (void)state;
    return rig_pki() == 0 ? rig_init() : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_urls),
        cmocka_unit_test(b_faults_of_the_configuration),
        cmocka_unit_test(f_passwords_are_not_repeated),
        cmocka_unit_test(b_soap_request_is_exactly_ours),
        cmocka_unit_test(b_content_request_with_range),
        cmocka_unit_test(b_open_range),
        cmocka_unit_test(b_content_over_http_beside_the_tls_port),
        cmocka_unit_test(b_chunked_and_interim),
        cmocka_unit_test(b_content_coding_is_left_alone),
        cmocka_unit_test(b_other_statuses_are_for_the_handler),
        cmocka_unit_test(b_large_body),
        cmocka_unit_test(b_the_handlers_error_ends_it),
        cmocka_unit_test(b_who_is_asked),
        cmocka_unit_test(c_a_fetch_rests_and_goes_on),
        cmocka_unit_test(c_a_fetch_that_rests_can_be_called_off),
        cmocka_unit_test(c_patience),
        cmocka_unit_test(c_nobody_there),
        cmocka_unit_test(c_cancel_at_any_time),
        cmocka_unit_test(c_closing_the_pool_calls_off),
        cmocka_unit_test(c_closing_the_pool_from_done),
        cmocka_unit_test(c_starting_from_done),
        cmocka_unit_test(c_a_retired_upstream_is_let_go),
        cmocka_unit_test(c_through_a_proxy),
        cmocka_unit_test(c_proven_behind_a_proxy),
        cmocka_unit_test(c_loops_share_an_upstream),
        cmocka_unit_test(f_asks_that_are_refused),
        cmocka_unit_test(f_replies_that_are_refused),
        cmocka_unit_test(f_cut_without_close_notify),
        cmocka_unit_test(f_head_as_long_as_allowed),
        cmocka_unit_test(f_reply_limit),
        cmocka_unit_test(f_connections_have_a_ceiling),
    };
    return cmocka_run_group_tests(tests, setup, rig_teardown);
}
