/* What an upstream answers: what is taken, what is refused, at what pace. */
#include "upstream_rig.h"

static void ask_with(const char *reply, const struct sp_fetch_ask *ask, struct got *g)
{
    struct peer p = {.identity = "upstream", .reply = reply, .close_after_reply = true};
    ask_once(&p, &(struct wish){0}, ask, g);
}

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

/* One that answers with a body of so many bytes; the caller frees reply after it. */
static struct peer peer_with(struct sp_buf *reply, int size)
{
    size_t bytes = (size_t)size;
    uint8_t *body = NULL;
    sp_buf_init(reply, bytes + 100);
    assert_ok(
        sp_buf_printf(reply, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size));
    assert_ok(sp_buf_reserve(reply, bytes, &body));
    memset(body, 'x', bytes);
    return (struct peer){.identity = "upstream",
                         .reply = (const char *)reply->data,
                         .reply_len = reply->len + bytes};
}

static void b_large_body(void **state)
{
    (void)state;
    enum { SIZE = 5000000 };
    struct sp_buf reply;
    struct peer p = peer_with(&reply, SIZE);
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
    struct peer p = peer_with(&reply, SIZE);
    struct client c = {0};
    struct sipper s = {.may = HALF};
    struct sp_fetch_handler h = {
        .head = got_head, .data = sip, .done = got_done, .ctx = &s};
    struct sp_fetch_ask ask = ask_content();
    struct sp_fetch *f = NULL;
    ask.reply_limit = SIZE;
    ask.patience_ms = 300;
    struct sp_upstream *u = scene_start(&p, &c);
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
    scene_stop(&p, &c, &u);
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
    struct sp_upstream *u = scene_start(&p, &c);
    assert_ok(sp_fetch_start(c.pool, u, &ask, &h, &f));
    until_refused(&c, &s, 1);
    sp_fetch_resume(f);
    sp_fetch_cancel(f);
    finish(&c, &s.got);
    assert_err(s.got.e, SP_E_CANCELLED);
    assert_int_equal(s.got.body_len, 0);
    scene_stop(&p, &c, &u);
}

/* Says how much had come when the loop saw to something else. */
struct hasty {
    struct got got;
    struct sp_msg msg;
    struct sp_loop *loop;
    size_t before;
    bool posted;
};

static void on_others_turn(struct sp_msg *m)
{
    struct hasty *h = SP_HOLDER(m, struct hasty, msg);
    h->before = h->got.body_len;
}

static enum sp_err gulp(void *ctx, struct sp_view bytes)
{
    struct hasty *h = ctx;
    if (!h->posted) {
        h->posted = true;
        sp_loop_post(h->loop, &h->msg);
    }
    if (h->before == 0) {
        uv_sleep(1); /* the peer is faster: there is always more */
    }
    return got_data(&h->got, bytes);
}

static void c_a_fast_peer_leaves_others_their_turn(void **state)
{
    (void)state;
    enum { SIZE = 12 << 20, MOST = 3 << 20 };
    struct sp_buf reply;
    struct peer p = peer_with(&reply, SIZE);
    struct client c = {0};
    struct hasty h = {.msg = {.run = on_others_turn}};
    struct sp_fetch_handler handler = {
        .head = got_head, .data = gulp, .done = got_done, .ctx = &h};
    struct sp_fetch_ask ask = ask_content();
    struct sp_fetch *f = NULL;
    ask.reply_limit = SIZE;
    peer_start(&p);
    client_start(&c);
    h.loop = c.loop;
    struct sp_upstream *u = upstream_to(p.port, &(struct wish){0});
    assert_ok(sp_fetch_start(c.pool, u, &ask, &handler, &f));
    finish(&c, &h.got);
    assert_ok(h.got.e);
    assert_int_equal(h.got.body_len, SIZE);
    assert_in_range(h.before, 1, MOST);
    sp_upstream_unref(&u);
    client_stop(&c);
    peer_stop(&p);
    sp_buf_fini(&reply);
}

/* Metadata is what somebody waits for; content may be fetched for nobody yet. */
static void b_who_is_asked(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .silent = true};
    struct client c = {0};
    struct got soap = {0}, content = {0};
    struct sp_fetch_ask asks[] = {ask_content(), ask_soap()};
    struct sp_upstream *u = scene_start(&p, &c);
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
    scene_stop(&p, &c, &u);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_chunked_and_interim),
        cmocka_unit_test(b_content_coding_is_left_alone),
        cmocka_unit_test(b_other_statuses_are_for_the_handler),
        cmocka_unit_test(b_large_body),
        cmocka_unit_test(b_the_handlers_error_ends_it),
        cmocka_unit_test(b_who_is_asked),
        cmocka_unit_test(c_a_fetch_rests_and_goes_on),
        cmocka_unit_test(c_a_fast_peer_leaves_others_their_turn),
        cmocka_unit_test(c_a_fetch_that_rests_can_be_called_off),
        cmocka_unit_test(f_replies_that_are_refused),
        cmocka_unit_test(f_cut_without_close_notify),
        cmocka_unit_test(f_head_as_long_as_allowed),
        cmocka_unit_test(f_reply_limit),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
