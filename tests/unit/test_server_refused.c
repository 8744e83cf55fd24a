/* What the server refuses: messages, addresses, connections over a limit. */
#include "server_rig.h"

#include <sys/resource.h>

static void f_refused_messages_are_answered_and_end_it(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    expect_refusal(&r, "GET /hello HTTP/1.0\r\nHost: rig\r\n\r\n", 505);
    expect_refusal(&r, "GET /hello HTTP/1.1\r\n\r\n", 400);
    expect_refusal(&r, "GET /hello HTTP/1.1\nHost: rig\n\n", 400);
    expect_refusal(
        &r, POST("/echo", LENGTH(3) "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        400);
    expect_refusal(&r, "\x16\x03\x01\x02\x00\x01", 400);
    /* what stands behind a refused message is never looked at */
    expect_refusal(&r, "GET /x y HTTP/1.1\r\nHost: rig\r\n\r\n" GET("/hello"), 400);
    rig_ask(&r);
    assert_int_equal(r.stats.refused_messages, 6);
    rig_stop(&r);
    assert_int_equal(r.seen.heads, 0);
}

/* A good head of exactly n bytes, its fields within their own limits. */
static void head_of_size(char *out, size_t n)
{
    const char *start = "GET /hello HTTP/1.1\r\nHost: rig\r\n";
    size_t at = strlen(start);
    memcpy(out, start, at);
    while (at + 2 < n) {
        size_t line = n - 2 - at > 3000 ? 2000 : n - 2 - at;
        memset(out + at, 'a', line);
        out[at + 1] = ':';
        memcpy(out + at + line - 2, "\r\n", 2);
        at += line;
    }
    memcpy(out + at, "\r\n", 2);
}

static void f_heads_up_to_the_limit(void **state)
{
    (void)state;
    struct rig r = {0};
    char request[SP_LIMIT_HEAD + 2];
    struct answer a;
    rig_start(&r);
    for (size_t n = SP_LIMIT_HEAD - 1; n <= SP_LIMIT_HEAD + 1; n++) {
        int fd = client_connect(&r);
        head_of_size(request, n);
        client_send(fd, request, n);
        assert_true(answer_read(fd, &a));
        assert_int_equal(a.status, n <= SP_LIMIT_HEAD ? 200 : 431);
        answer_free(&a);
        close(fd);
    }
    rig_stop(&r);
}

static void f_the_allow_list(void **state)
{
    (void)state;
    struct sp_cidr allow[2];
    struct rig r = {0};
    assert_ok(sp_cidr_parse(SP_VIEW("127.0.0.8/30"), &allow[0]));
    assert_ok(sp_cidr_parse(SP_VIEW("127.0.1.1"), &allow[1]));
    r.conf.allow = allow;
    r.conf.allow_count = 2;
    rig_start(&r);
    static const struct {
        const char *from;
        bool allowed;
    } rows[] = {{"127.0.0.7", false},  {"127.0.0.8", true}, {"127.0.0.11", true},
                {"127.0.0.12", false}, {"127.0.1.1", true}, {"127.0.1.2", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = client_connect_from(&r, rows[i].from);
        if (rows[i].allowed) {
            expect_answer(fd, GET("/hello"), 200, "hello");
        } else {
            assert_true(client_at_end(fd));
        }
        close(fd);
    }
    rig_ask(&r);
    assert_int_equal(r.stats.refused_address, 3);
    assert_int_equal(r.shut_out[SP_SHUT_OUT_ADDRESS], 3);
    rig_stop(&r);
}

/* He is told before he has asked, and in any case that it is over. */
static void expect_turned_away(struct rig *r)
{
    struct answer a;
    int fd = client_connect(r);
    assert_true(answer_read(fd, &a));
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.head, "\r\nRetry-After: 30\r\n"));
    assert_string_equal(a.body, "Too many connections.\n");
    assert_true(client_at_end(fd));
    answer_free(&a);
    close(fd);
}

static void f_connections_by_address_are_limited(void **state)
{
    (void)state;
    enum { MOST = 8 };
    struct rig r = {0};
    int fds[MOST];
    assert_ok(sp_seats_new(MOST, &r.conf.seats));
    rig_start(&r);
    for (size_t i = 0; i < MOST; i++) {
        fds[i] = client_connect(&r);
    }
    expect_answer(fds[MOST - 1], GET("/hello"), 200, "hello");
    expect_turned_away(&r);
    int other = client_connect_from(&r, "127.0.0.2");
    expect_answer(other, GET("/hello"), 200, "hello");
    close(other);
    close(fds[0]);
    rig_wait_for(&r, r.stats.active, MOST - 1);
    fds[0] = client_connect(&r); /* the place that was left */
    expect_answer(fds[0], GET("/hello"), 200, "hello");
    expect_turned_away(&r);
    sp_seats_set_most(r.conf.seats, MOST + 1); /* as a reload does */
    int more = client_connect(&r);
    expect_answer(more, GET("/hello"), 200, "hello");
    close(more);
    for (size_t i = 0; i < MOST; i++) {
        close(fds[i]);
    }
    rig_wait_for(&r, r.stats.active, 0);
    assert_int_equal(r.stats.refused_limit, 2);
    assert_int_equal(r.shut_out[SP_SHUT_OUT_CROWD], 2);
    rig_stop(&r);
    assert_int_equal(sp_seats_taken(r.conf.seats), 0);
    sp_seats_free(&r.conf.seats);
}

/* The process runs out of descriptors: refused, without spinning, and well afterwards.
 */
static void f_descriptors_run_out(void **state)
{
    (void)state;
    struct rig r = {0};
    struct rlimit old, few;
    struct answer told;
    rig_start(&r);
    int spare = client_connect(&r);
    expect_answer(spare, GET("/hello"), 200, "hello");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)r.port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    getrlimit(RLIMIT_NOFILE, &old);
    few = old;
    few.rlim_cur = (rlim_t)fd + 1;
    setrlimit(RLIMIT_NOFILE, &few);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_true(answer_read(fd, &told));
    assert_int_equal(told.status, 503);
    answer_free(&told);
    assert_true(client_at_end(fd));
    setrlimit(RLIMIT_NOFILE, &old);
    close(fd);
    expect_answer(spare, GET("/hello"), 200, "hello");
    fd = client_connect(&r);
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    close(spare);
    rig_ask(&r);
    assert_int_equal(r.stats.refused_descriptors, 1);
    assert_int_equal(r.shut_out[SP_SHUT_OUT_DESCRIPTORS], 1);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_refused_messages_are_answered_and_end_it),
        cmocka_unit_test(f_heads_up_to_the_limit),
        cmocka_unit_test(f_the_allow_list),
        cmocka_unit_test(f_connections_by_address_are_limited),
        cmocka_unit_test(f_descriptors_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
