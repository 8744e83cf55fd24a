/* The server over plain HTTP. TLS: test_server_tls.c. */
#include "server_rig.h"

#include <fcntl.h>
#include <sys/resource.h>

static void b_keep_alive(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int fd = client_connect(&r);
    for (int i = 0; i < 5; i++) {
        expect_answer(fd, GET("/hello"), 200, "hello");
        expect_answer(fd, GET("/later"), 200, "later");
    }
    close(fd);
    rig_wait_for(&r, r.stats.active, 0);
    assert_int_equal(r.stats.accepted, 1);
    assert_int_equal(r.stats.requests, 10);
    assert_int_equal(r.stats.answers, 10);
    rig_stop(&r);
    assert_int_equal(r.seen.complete, 10);
    assert_int_equal(r.seen.released, 10);
}

static void b_the_head_has_what_it_must(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, GET("/hello"));
    assert_true(answer_read(fd, &a));
    assert_non_null(strstr(a.head, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(a.head, "\r\nDate: "));
    assert_non_null(strstr(a.head, " GMT\r\n"));
    assert_non_null(strstr(a.head, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(a.head, "\r\nX-Rig: yes\r\n"));
    assert_null(strstr(a.head, "Server:"));
    assert_null(strstr(a.head, "Connection:"));
    answer_free(&a);
    close(fd);
    rig_stop(&r);
}

static void b_head_and_304_have_no_body(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, HEAD("/big"));
    assert_true(answer_read_via(rig_read_fd, &fd, &a, false));
    assert_non_null(strstr(a.head, "\r\nContent-Length: 8388608\r\n"));
    answer_free(&a);
    client_say(fd, GET("/same"));
    assert_true(answer_read_via(rig_read_fd, &fd, &a, false));
    assert_int_equal(a.status, 304);
    assert_non_null(strstr(a.head, "\r\nContent-Length: 123\r\n"));
    answer_free(&a);
    expect_answer(fd, GET("/hello"), 200, "hello"); /* nothing was left between */
    close(fd);
    rig_stop(&r);
}

static void b_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, GET("/hello") GET("/later") POST("/echo", "Content-Length: 3\r\n",
                                                    "abc") GET("/later") GET("/hello"));
    const char *expected[] = {"hello", "later", "abc", "later", "hello"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(answer_read(fd, &a));
        assert_string_equal(a.body, expected[i]);
        answer_free(&a);
    }
    close(fd);
    rig_stop(&r);
}

/* 900 requests in one piece: neither stack nor memory may follow their number. */
static void c_long_pipelines(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    const char *request = GET("/hello");
    size_t n = strlen(request);
    char *all = calloc(900, n);
    rig_start(&r);
    int fd = client_connect(&r);
    for (size_t i = 0; i < 900; i++) {
        memcpy(all + i * n, request, n);
    }
    client_send(fd, all, 900 * n);
    for (size_t i = 0; i < 900; i++) {
        assert_true(answer_read(fd, &a));
        assert_string_equal(a.body, "hello");
        answer_free(&a);
    }
    free(all);
    close(fd);
    rig_stop(&r);
    assert_int_equal(r.seen.complete, 900);
}

static void c_the_thousandth_answer_is_the_last(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    for (int i = 1; i <= SP_LIMIT_KEEPALIVE_REQUESTS; i++) {
        client_say(fd, GET("/hello"));
        assert_true(answer_read(fd, &a));
        bool said_close = strstr(a.head, "Connection: close\r\n") != NULL;
        assert_int_equal(said_close, i == SP_LIMIT_KEEPALIVE_REQUESTS);
        answer_free(&a);
    }
    assert_true(client_at_end(fd));
    close(fd);
    rig_stop(&r);
}

static void b_heads_in_pieces(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    const char *request = GET("/hello");
    rig_start(&r);
    int fd = client_connect(&r);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (int i = 0; i < 3; i++) {
        for (const char *c = request; *c; c++) {
            client_send(fd, c, 1);
            usleep(200);
        }
        assert_true(answer_read(fd, &a));
        assert_string_equal(a.body, "hello");
        answer_free(&a);
    }
    close(fd);
    rig_stop(&r);
}

/* ---- bodies -------------------------------------------------------------------- */

#define TEN       "0123456789"
#define SIXTY     TEN TEN TEN TEN TEN TEN
#define CHUNKED   "Transfer-Encoding: chunked\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"

static void b_bodies_up_to_the_ceiling(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int fd = client_connect(&r);
    expect_answer(fd, POST("/echo", LENGTH(0), ""), 200, "");
    expect_answer(fd, POST("/echo", LENGTH(63), SIXTY "abc"), 200, SIXTY "abc");
    expect_answer(fd, POST("/echo", LENGTH(64), SIXTY "abcd"), 200, SIXTY "abcd");
    expect_answer(fd, GET("/echo"), 200, "");
    close(fd);
    expect_refusal(&r, POST("/echo", LENGTH(65), SIXTY "abcde"), 413);
    expect_refusal(&r, POST("/echo", LENGTH(65), ""), 413); /* before reading */
    expect_refusal(&r, POST("/echo", LENGTH(999999999), ""), 413);
    rig_stop(&r);
    assert_int_equal(r.seen.bodies, 4);
    assert_int_equal(r.seen.heads, 7);
    assert_int_equal(r.seen.complete, 4);
}

static void b_chunked_bodies_up_to_the_ceiling(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int fd = client_connect(&r);
    expect_answer(fd, POST("/echo", CHUNKED, "0\r\n\r\n"), 200, "");
    expect_answer(fd, POST("/echo", CHUNKED, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), 200,
                  "abcde");
    expect_answer(fd,
                  POST("/echo", CHUNKED, "3c\r\n" SIXTY "\r\n4\r\nabcd\r\n0\r\n\r\n"),
                  200, SIXTY "abcd");
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    expect_refusal(
        &r, POST("/echo", CHUNKED, "3c\r\n" SIXTY "\r\n5\r\nabcde\r\n0\r\n\r\n"), 413);
    expect_refusal(&r, POST("/echo", CHUNKED, "3;x=y\r\nabc\r\n0\r\n\r\n"), 400);
    expect_refusal(&r, POST("/echo", CHUNKED, "3\r\nabcd\r\n0\r\n\r\n"), 400);
    rig_stop(&r);
    assert_int_equal(r.seen.complete, 4);
}

static void c_chunked_bodies_byte_by_byte(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    const char *request = POST("/echo", CHUNKED, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    rig_start(&r);
    int fd = client_connect(&r);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (const char *c = request; *c; c++) {
        client_send(fd, c, 1);
        usleep(200);
    }
    assert_true(answer_read(fd, &a));
    assert_string_equal(a.body, "abcde");
    answer_free(&a);
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    rig_stop(&r);
}

static void c_large_bodies_are_taken_away(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    for (int i = 0; i < 3; i++) {
        client_say(fd, POST("/take", LENGTH(1048576), ""));
        client_send(fd, r.big, SP_MIB(1));
        assert_true(answer_read(fd, &a));
        assert_int_equal(a.body_len, SP_MIB(1));
        assert_memory_equal(a.body, r.big, SP_MIB(1));
        answer_free(&a);
    }
    close(fd);
    rig_stop(&r);
}

static void b_continue_is_said_when_the_body_is_wanted(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, POST("/echo", LENGTH(3) "Expect: 100-continue\r\n", ""));
    assert_true(answer_read_head(rig_read_fd, &fd, &a));
    assert_string_equal(a.head, "HTTP/1.1 100 Continue\r\n\r\n");
    expect_answer(fd, "abc", 200, "abc");
    /* not when it comes unasked, */
    expect_answer(fd, POST("/echo", LENGTH(3) "Expect: 100-continue\r\n", "abc"), 200,
                  "abc");
    close(fd);
    /* not when it is too large, and not when nobody wants it */
    expect_refusal(&r, POST("/echo", LENGTH(65) "Expect: 100-continue\r\n", ""), 413);
    expect_refusal(&r, POST("/hello", LENGTH(3) "Expect: 100-continue\r\n", ""), 200);
    rig_stop(&r);
}

static void b_an_unread_body_ends_the_connection(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    expect_refusal(&r, POST("/hello", LENGTH(5), GET("/cut")), 200);
    expect_refusal(&r, POST("/hello", CHUNKED, "0\r\n\r\n" GET("/cut")), 200);
    int fd = client_connect(&r);
    expect_answer(fd, POST("/hello", LENGTH(0), ""), 200, "hello");
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    rig_stop(&r);
    assert_int_equal(r.seen.heads, 4);
}

/* ---- answers --------------------------------------------------------------------- */

static void c_big_memory_to_a_slow_reader(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int slow = client_connect(&r);
    client_say(slow, GET("/big") GET("/hello"));
    int fd = client_connect(&r); /* others do not wait for it */
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    usleep(50000);
    assert_true(answer_read(slow, &a));
    assert_int_equal(a.body_len, BIG_BYTES);
    assert_memory_equal(a.body, r.big, BIG_BYTES);
    answer_free(&a);
    assert_true(answer_read(slow, &a));
    assert_string_equal(a.body, "hello");
    answer_free(&a);
    close(slow);
    rig_stop(&r);
    assert_int_equal(r.seen.released, 3);
}

static void b_files_and_parts_of_files(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset, length;
    } parts[] = {{0, BIG_BYTES}, {0, 1},       {BIG_BYTES - 1, 1},
                 {4095, 4098},   {0, 131072},  {1, 131073},
                 {77, 1000000},  {100, 16384}, {BIG_BYTES - 524289, 524289}};
    struct rig r = {0};
    rig_start(&r);
    int body = file_of(r.big, BIG_BYTES);
    int fd = client_connect(&r);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        r.file = (struct sp_answer_file){
            .fd = body, .offset = parts[i].offset, .length = parts[i].length};
        expect_file(&r, fd, r.big + parts[i].offset);
    }
    close(fd);
    rig_stop(&r);
    close(body);
    assert_int_equal(r.seen.released, sizeof parts / sizeof *parts);
}

static void c_parts_behind_4_gib(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int body = temporary_file();
    uint64_t at = (5ull << 30) + 123;
    assert_int_equal(pwrite(body, r.big, 300000, (off_t)at), 300000);
    r.file = (struct sp_answer_file){.fd = body, .offset = at, .length = 300000};
    int fd = client_connect(&r);
    expect_file(&r, fd, r.big);
    close(fd);
    rig_stop(&r);
    close(body);
}

/* What is not in the page cache is read in the pool, and more than once. */
static void c_cold_files_are_read_in_the_pool(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    int body = temporary_file();
    assert_int_equal(pwrite(body, r.big, BIG_BYTES, 0), BIG_BYTES);
    r.file = (struct sp_answer_file){.fd = body, .offset = 0, .length = BIG_BYTES};
    int fd = client_connect(&r);
    for (int i = 0; i < 3; i++) {
        fsync(body);
        posix_fadvise(body, 0, 0, POSIX_FADV_DONTNEED);
        expect_file(&r, fd, r.big);
    }
    rig_ask(&r);
    print_message("%u slices came from the pool\n", (unsigned)r.stats.file_waits);
    close(fd);
    rig_stop(&r);
    close(body);
}

static void f_a_file_that_is_too_short_cuts(void **state)
{
    (void)state;
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int body = file_of(r.big, 1000);
    r.file = (struct sp_answer_file){.fd = body, .offset = 0, .length = 1001};
    int fd = client_connect(&r);
    client_say(fd, GET("/file"));
    assert_false(answer_read(fd, &a));
    answer_free(&a);
    close(fd);
    rig_stop(&r);
    close(body);
    assert_int_equal(r.seen.complete, 0);
    assert_int_equal(r.seen.released, 1);
}

static void f_cut_sends_nothing_and_resets(void **state)
{
    (void)state;
    struct rig r = {0};
    char c;
    rig_start(&r);
    int fd = client_connect(&r);
    client_say(fd, GET("/cut"));
    assert_int_equal(recv(fd, &c, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    rig_stop(&r);
    assert_int_equal(r.seen.complete, 0);
}

static void b_close_when_the_answer_or_the_client_says_so(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    expect_refusal(&r, GET("/close"), 200);
    expect_refusal(&r, "GET /hello HTTP/1.1\r\nHost: rig\r\nConnection: close\r\n\r\n",
                   200);
    rig_stop(&r);
    assert_int_equal(r.seen.complete, 2);
}

/* ---- refusals -------------------------------------------------------------------- */

static void f_refused_messages_are_answered_and_end_it(void **state)
{
    (void)state;
    struct rig r = {0};
    rig_start(&r);
    expect_refusal(&r, "GET /hello HTTP/1.0\r\nHost: rig\r\n\r\n", 505);
    expect_refusal(&r, "GET /hello HTTP/1.1\r\n\r\n", 400);
    expect_refusal(&r, "GET /hello HTTP/1.1\nHost: rig\n\n", 400);
    expect_refusal(&r, POST("/echo", LENGTH(3) CHUNKED, "0\r\n\r\n"), 400);
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
        cmocka_unit_test(b_keep_alive),
        cmocka_unit_test(b_the_head_has_what_it_must),
        cmocka_unit_test(b_head_and_304_have_no_body),
        cmocka_unit_test(b_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(b_heads_in_pieces),
        cmocka_unit_test(b_bodies_up_to_the_ceiling),
        cmocka_unit_test(b_chunked_bodies_up_to_the_ceiling),
        cmocka_unit_test(b_continue_is_said_when_the_body_is_wanted),
        cmocka_unit_test(b_an_unread_body_ends_the_connection),
        cmocka_unit_test(b_files_and_parts_of_files),
        cmocka_unit_test(b_close_when_the_answer_or_the_client_says_so),
        cmocka_unit_test(b_lingering_lets_the_refusal_arrive),
        cmocka_unit_test(b_who_said_it_was_the_last_is_not_waited_for),
        cmocka_unit_test(b_who_sends_on_after_the_last_is_waited_for),
        cmocka_unit_test(b_two_servers_share_a_port),
        cmocka_unit_test(c_long_pipelines),
        cmocka_unit_test(c_the_thousandth_answer_is_the_last),
        cmocka_unit_test(c_chunked_bodies_byte_by_byte),
        cmocka_unit_test(c_large_bodies_are_taken_away),
        cmocka_unit_test(c_big_memory_to_a_slow_reader),
        cmocka_unit_test(c_parts_behind_4_gib),
        cmocka_unit_test(c_cold_files_are_read_in_the_pool),
        cmocka_unit_test(c_drain_lets_busy_ones_finish),
        cmocka_unit_test(c_drain_cuts_at_its_deadline),
        cmocka_unit_test(f_a_file_that_is_too_short_cuts),
        cmocka_unit_test(f_cut_sends_nothing_and_resets),
        cmocka_unit_test(f_refused_messages_are_answered_and_end_it),
        cmocka_unit_test(f_heads_up_to_the_limit),
        cmocka_unit_test(f_the_allow_list),
        cmocka_unit_test(f_connections_by_address_are_limited),
        cmocka_unit_test(f_descriptors_run_out),
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
