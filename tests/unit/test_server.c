/* The server over plain HTTP: requests, bodies, answers. TLS: test_server_tls.c. */
#include "server_rig.h"

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

#define TEN     "0123456789"
#define SIXTY   TEN TEN TEN TEN TEN TEN
#define CHUNKED "Transfer-Encoding: chunked\r\n"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(c_long_pipelines),
        cmocka_unit_test(c_the_thousandth_answer_is_the_last),
        cmocka_unit_test(c_chunked_bodies_byte_by_byte),
        cmocka_unit_test(c_large_bodies_are_taken_away),
        cmocka_unit_test(c_big_memory_to_a_slow_reader),
        cmocka_unit_test(c_parts_behind_4_gib),
        cmocka_unit_test(c_cold_files_are_read_in_the_pool),
        cmocka_unit_test(f_a_file_that_is_too_short_cuts),
        cmocka_unit_test(f_cut_sends_nothing_and_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
