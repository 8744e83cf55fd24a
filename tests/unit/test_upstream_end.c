/* How a fetch ends: patience, cancelling, ceilings, reloads, proxies. */
#include "upstream_rig.h"

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
    struct sp_upstream *u = scene_start(&p, &c);
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
    scene_stop(&p, &c, &u);
}

static void c_closing_the_pool_calls_off(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .silent = true};
    struct client c = {0};
    struct got g[3] = {{0}};
    struct sp_fetch_ask ask = ask_soap();
    struct sp_upstream *u = scene_start(&p, &c);
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
    struct sp_upstream *u = scene_start(&p, &c);
    begin(&c, u, &ask, &g);
    finish(&c, &g);
    assert_ok(g.e);
    assert_null(c.pool);
    assert_false(other.finished);
    scene_stop(&p, &c, &u);
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
    struct sp_upstream *u = scene_start(&p, &c);
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
    scene_stop(&p, &c, &u);
}

/* After a reload nobody asks for the old upstream: its connections go. */
static void c_a_retired_upstream_is_let_go(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .reply = REPLY_OK};
    struct client c = {0};
    struct got old = {0}, new = {0};
    struct sp_fetch_ask ask = ask_content();
    struct sp_upstream *u = scene_start(&p, &c);
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
    scene_stop(&p, &c, &u);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(f_connections_have_a_ceiling),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
