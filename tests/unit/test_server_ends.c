/* How connections and servers end: peers that leave, time, drain. */
#include "server_rig.h"

/* ---- the peer goes away -----------------------------------------------------------
 */

static void f_a_peer_that_leaves_ends_its_exchange(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, GET("/hold"));
    rig_wait_for(&r, r.seen.heads, 1);
    assert_int_equal(r.seen.ends, 0);
    close(fd);
    rig_wait_for(&r, r.seen.ends, 1);
    /* the same with a request waiting behind it, and by a reset */
    fd = client_connect(&r);
    client_say(fd, GET("/hold") GET("/hello"));
    rig_wait_for(&r, r.seen.heads, 2);
    client_say(fd, GET("/hello"));
    usleep(20000);
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    rig_wait_for(&r, r.seen.ends, 2);
    rig_stop(&r);
    assert_int_equal(r.seen.heads, 2);
    assert_int_equal(r.seen.complete, 0);
}

static void f_a_peer_that_leaves_in_an_answer(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, GET("/big"));
    assert_true(answer_read_head(rig_read_fd, &fd, &a));
    close(fd);
    rig_wait_for(&r, r.seen.ends, 1);
    assert_int_equal(r.seen.released, 1);
    assert_int_equal(r.seen.complete, 0);
    rig_stop(&r);
}

static void f_a_peer_that_leaves_in_a_body(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, POST("/echo", LENGTH(10), "abc"));
    rig_wait_for(&r, r.seen.heads, 1);
    close(fd);
    rig_wait_for(&r, r.seen.ends, 1);
    assert_int_equal(r.seen.bodies, 0);
    rig_stop(&r);
}

/* ---- time ------------------------------------------------------------------------ */

static void f_deadlines(void **state)
{
    (void)state;
    struct rig r = {.conf = {.idle_ms = 400, .head_ms = 200, .stall_ms = 300}};
    struct answer a;
    rig_start(&r);
    uint64_t start = now_ms();
    int idle = client_connect(&r);
    int used = client_connect(&r);
    expect_answer(used, GET("/hello"), 200, "hello");
    int slow = client_connect(&r);
    client_say(slow, "GET /hello HT");
    assert_true(answer_read(slow, &a)); /* the head took too long */
    assert_int_equal(a.status, 408);
    answer_free(&a);
    assert_in_range(now_ms() - start, 150, 390);
    assert_true(client_at_end(idle));
    assert_true(client_at_end(used));
    assert_in_range(now_ms() - start, 350, 5000);
    close(idle);
    close(used);
    close(slow);
    rig_wait_for(&r, r.stats.active, 0);
    assert_int_equal(r.stats.timeouts_idle, 2);
    assert_int_equal(r.stats.timeouts_head, 1);
    rig_stop(&r);
}

static void f_dribbling_does_not_stretch_the_head_deadline(void **state)
{
    (void)state;
    struct rig r = {.conf = {.head_ms = 300}};
    const char *request =
        "GET /hello HTTP/1.1\r\nHost: rig\r\nX: aaaaaaaaaaaaaaaaaaaaaaaa";
    rig_start(&r);
    int fd = client_connect(&r);
    uint64_t start = now_ms();
    struct pollfd poll_for = {.fd = fd, .events = POLLIN};
    for (const char *c = request; *c && poll(&poll_for, 1, 20) == 0; c++) {
        client_send(fd, c, 1);
    }
    assert_in_range(now_ms() - start, 200, 900);
    close(fd);
    rig_wait_for(&r, r.stats.timeouts_head, 1);
    rig_stop(&r);
}

static void f_a_reader_that_stops_is_cut(void **state)
{
    (void)state;
    struct rig r = {.conf = {.stall_ms = 200}};
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, GET("/big"));
    rig_wait_for(&r, r.stats.timeouts_stall, 1);
    rig_wait_for(&r, r.seen.ends, 1);
    assert_int_equal(r.seen.released, 1);
    close(fd);
    rig_stop(&r);
    assert_int_equal(r.seen.complete, 0);
}

static void s_slow_bodies_are_refused(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int slow = client_connect(&r);
    int good = client_connect(&r);
    client_say(slow, POST("/take", LENGTH(100000), "abc"));
    client_say(good, POST("/take", LENGTH(100000), ""));
    for (int i = 0; i < 50; i++) { /* 8 KB a second, over the grace */
        client_send(good, r.big, 2000);
        usleep(240000);
    }
    assert_true(answer_read(good, &a));
    assert_int_equal(a.status, 200);
    answer_free(&a);
    assert_true(answer_read(slow, &a));
    assert_int_equal(a.status, 408);
    answer_free(&a);
    close(slow);
    close(good);
    rig_ask(&r);
    assert_int_equal(r.stats.timeouts_body, 1);
    rig_stop(&r);
}

static void b_lingering_lets_the_refusal_arrive(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, POST("/echo", LENGTH(1000000), ""));
    for (int i = 0; i < 100; i++) { /* a client that sends before it listens */
        ssize_t sent = send(fd, r.big, 10000, MSG_NOSIGNAL);
        assert_int_equal(sent, 10000);
    }
    assert_true(answer_read(fd, &a));
    assert_int_equal(a.status, 413);
    answer_free(&a);
    uint64_t start = now_ms();
    assert_true(client_at_end(fd));
    rig_wait_for(&r, r.stats.active, 0); /* although the client never closed */
    assert_in_range(now_ms() - start, 0, SP_TIME_LINGER + 1000);
    close(fd);
    rig_stop(&r);
}

#define LAST_OF(target)                                                                \
    "GET " target " HTTP/1.1\r\nHost: rig\r\nConnection: close\r\n\r\n"

/* The end of the stream comes with the close: at once there is no connection left. */
static void b_who_said_it_was_the_last_is_not_waited_for(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    char c;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, LAST_OF("/hello"));
    assert_true(answer_read(fd, &a));
    assert_int_equal(a.status, 200);
    answer_free(&a);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    rig_ask(&r);
    assert_int_equal(r.stats.active, 0);
    close(fd);
    rig_stop(&r);
}

/* Its neighbour said so too and goes on sending: closing would reset what it reads. */
static void b_who_sends_on_after_the_last_is_waited_for(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    char c;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, LAST_OF("/big") "and what nobody asked for");
    assert_true(answer_read(fd, &a));
    assert_int_equal(a.status, 200);
    answer_free(&a);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    client_say(fd, "more"); /* somebody takes it */
    shutdown(fd, SHUT_WR);
    rig_wait_for(&r, r.stats.active, 0);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    close(fd);
    rig_stop(&r);
}

/* ---- drain --------------------------------------------------------------------------
 */

static void answer_held(struct rig *r, void *arg)
{
    (void)arg;
    while (r->held_count) {
        struct sp_exchange *x = r->held[--r->held_count];
        rig_text(r, x, SP_VIEW("held"));
    }
}

static void c_drain_lets_busy_ones_finish(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int idle = client_connect(&r);
    expect_answer(idle, GET("/hello"), 200, "hello");
    int busy = client_connect(&r);
    client_say(busy, GET("/hold"));
    rig_wait_for(&r, r.seen.heads, 2);
    rig_drain(&r, 10000);
    assert_true(client_at_end(idle));
    rig_on_loop(&r, answer_held, NULL);
    assert_true(answer_read(busy, &a));
    assert_string_equal(a.body, "held");
    assert_non_null(strstr(a.head, "Connection: close\r\n"));
    answer_free(&a);
    assert_true(client_at_end(busy));
    close(idle);
    close(busy);
    rig_join(&r);
    assert_int_equal(r.seen.complete, 2);
}

static void c_drain_cuts_at_its_deadline(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int held = client_connect(&r);
    int half = client_connect(&r);
    int stuck = client_connect(&r);
    client_say(held, GET("/hold"));
    client_say(half, "GET /hello HTT");
    client_say(stuck, GET("/big"));
    rig_wait_for(&r, r.seen.heads, 2);
    uint64_t start = now_ms();
    rig_drain(&r, 200);
    rig_join(&r);
    assert_in_range(now_ms() - start, 150, 3000);
    assert_int_equal(r.seen.complete, 0);
    close(held);
    close(half);
    close(stuck);
}

static void b_two_servers_share_a_port(void **state)
{
    (void)state;
    struct rig a = {0};
    struct rig b = {0};
    char bind[32];
    rig_start(&a);
    snprintf(bind, sizeof bind, "127.0.0.1:%u", a.port);
    b.conf.bind = bind;
    rig_start(&b);
    for (int i = 0; i < 32; i++) {
        int fd = client_connect(&a);
        expect_answer(fd, GET("/hello"), 200, "hello");
        close(fd);
    }
    rig_stop(&a);
    rig_stop(&b);
    assert_int_equal(a.seen.heads + b.seen.heads, 32);
    assert_true(a.seen.heads > 0 && b.seen.heads > 0);
}

static void b_addresses_to_listen_on(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "127.0.0.1",   "127.0.0.1:",    "::1:80",
        "[::1]",   "localhost:1", "1.2.3.4:65536", "[1.2.3.4]:1",
        "[::1:80", ":80",         "1.2.3:80",      "1.2.3.4:+1"};
    struct sp_loop *l = NULL;
    struct sp_server *s = NULL;
    const struct sp_server_handler handler = {.head = rig_head};
    assert_ok(sp_loop_new("bind", &l));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sp_why why = {0};
        struct sp_server_conf conf = {.name = "bad", .bind = bad[i]};
        assert_err(sp_server_new(l, &conf, &handler, &s, &why), SP_E_CONFIG);
        assert_non_null(strstr(why.text, "no address to listen on"));
    }
    struct sp_why why = {0};
    struct sp_server_conf elsewhere = {.name = "bad", .bind = "192.0.2.1:80"};
    assert_err(sp_server_new(l, &elsewhere, &handler, &s, &why), SP_E_IO);
    assert_non_null(strstr(why.text, "192.0.2.1:80"));
    sp_loop_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_addresses_to_listen_on),
        cmocka_unit_test(b_lingering_lets_the_refusal_arrive),
        cmocka_unit_test(b_who_said_it_was_the_last_is_not_waited_for),
        cmocka_unit_test(b_who_sends_on_after_the_last_is_waited_for),
        cmocka_unit_test(b_two_servers_share_a_port),
        cmocka_unit_test(c_drain_lets_busy_ones_finish),
        cmocka_unit_test(c_drain_cuts_at_its_deadline),
        cmocka_unit_test(f_a_peer_that_leaves_ends_its_exchange),
        cmocka_unit_test(f_a_peer_that_leaves_in_an_answer),
        cmocka_unit_test(f_a_peer_that_leaves_in_a_body),
        cmocka_unit_test(f_deadlines),
        cmocka_unit_test(f_dribbling_does_not_stretch_the_head_deadline),
        cmocka_unit_test(f_a_reader_that_stops_is_cut),
        cmocka_unit_test(s_slow_bodies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
