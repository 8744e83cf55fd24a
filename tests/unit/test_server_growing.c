/* Answers whose file, or memory, is still being written: nothing goes out before its
 * time. */
#include "server_rig.h"

#include <sys/mman.h>

enum { SIZE = 1000000 };

static bool in_memory; /* the group runs twice */

static void begin(struct rig *r, int *body, uint64_t offset, uint64_t ready)
{
    *r = (struct rig){.in_memory = in_memory};
    rig_start(r);
    *body = memfd_create("body", MFD_CLOEXEC);
    assert_true(*body >= 0);
    assert_int_equal(write(*body, r->big, BIG_BYTES), BIG_BYTES);
    r->file = (struct sp_answer_file){
        .fd = *body, .offset = offset, .length = SIZE, .grows = true, .ready = ready};
}

static void end(struct rig *r, int body, unsigned complete)
{
    rig_stop(r);
    close(body);
    assert_int_equal(r->seen.complete, complete);
    assert_int_equal(r->seen.released, r->seen.ends);
}

static void grow_now(struct rig *r, void *ready)
{
    assert_int_equal(r->held_count, 1);
    sp_exchange_grow(r->held[0], *(uint64_t *)ready);
}

static void grow(struct rig *r, uint64_t ready)
{
    rig_on_loop(r, grow_now, &ready);
}

static void cut_now(struct rig *r, void *nothing)
{
    (void)nothing;
    assert_int_equal(r->held_count, 1);
    sp_exchange_cut(r->held[0]);
}

static void read_head(int fd, struct answer *a)
{
    assert_true(answer_read_head(rig_read_fd, &fd, a));
    assert_int_equal(a->status, 200);
    assert_non_null(strstr(a->head, "\r\nContent-Length: 1000000\r\n"));
}

/* Reads the bytes from at to end, each right. */
static void read_bytes(int fd, const uint8_t *expected, size_t at, size_t end_at)
{
    static uint8_t data[SIZE];
    while (at < end_at) {
        ssize_t n = recv(fd, data, end_at - at, 0);
        assert_true(n > 0);
        assert_memory_equal(data, expected + at, (size_t)n);
        at += (size_t)n;
    }
}

static void expect_silence(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 50), 0);
}

static void b_bytes_go_out_as_they_are_released(void **state)
{
    (void)state;
    static const uint64_t steps[] = {1, 2, 65536, 65537, 500000, SIZE - 1, SIZE};
    struct rig r;
    struct answer a;
    int body;
    uint64_t at = 0;
    begin(&r, &body, 77, 0);
    int fd = client_connect(&r);
    client_say(fd, GET("/grow"));
    read_head(fd, &a);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        expect_silence(fd); /* not one byte more than was released */
        grow(&r, steps[i]);
        read_bytes(fd, r.big + 77, at, steps[i]);
        at = steps[i];
    }
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    end(&r, body, 2);
}

static void b_what_is_ready_goes_at_once(void **state)
{
    (void)state;
    struct rig r;
    struct answer a;
    int body;
    begin(&r, &body, 0, SIZE);
    int fd = client_connect(&r);
    client_say(fd, GET("/grow"));
    read_head(fd, &a);
    read_bytes(fd, r.big, 0, SIZE);
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    end(&r, body, 2);
}

static void b_head_has_no_body_to_grow(void **state)
{
    (void)state;
    struct rig r;
    struct answer a;
    int body;
    begin(&r, &body, 0, 0);
    int fd = client_connect(&r);
    client_say(fd, HEAD("/grow"));
    read_head(fd, &a);
    expect_answer(fd, GET("/hello"), 200, "hello");
    close(fd);
    end(&r, body, 2);
}

static void c_a_slow_reader_gets_all_of_it(void **state)
{
    (void)state;
    const int small = 32768; /* much less, and acknowledgements come late */
    struct rig r;
    struct answer a;
    int body;
    begin(&r, &body, 5, 1);
    int fd = client_connect(&r);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    client_say(fd, GET("/grow"));
    read_head(fd, &a);
    for (uint64_t ready = 100000; ready < SIZE; ready += 100000) {
        grow(&r, ready); /* far ahead of what was read */
    }
    read_bytes(fd, r.big + 5, 0, 300000);
    grow(&r, SIZE);
    read_bytes(fd, r.big + 5, 300000, SIZE);
    close(fd);
    end(&r, body, 1);
}

static void f_a_cut_is_no_clean_end(void **state)
{
    (void)state;
    static uint8_t data[SIZE];
    for (int blocked = 0; blocked < 2; blocked++) {
        struct rig r;
        struct answer a;
        int body;
        ssize_t n;
        size_t got = 0;
        begin(&r, &body, 0, blocked ? SIZE - 1 : 1000);
        int fd = client_connect(&r);
        client_say(fd, GET("/grow"));
        read_head(fd, &a);
        if (!blocked) {
            read_bytes(fd, r.big, 0, 1000);
        }
        rig_on_loop(&r, cut_now, NULL);
        while ((n = recv(fd, data, sizeof data, 0)) > 0) {
            got += (size_t)n;
        }
        assert_int_equal(n, -1);
        assert_int_equal(errno, ECONNRESET);
        assert_true(got < SIZE);
        close(fd);
        rig_wait_for(&r, r.stats.cuts, 1);
        end(&r, body, 0);
    }
}

static void f_a_peer_that_leaves_while_it_waits(void **state)
{
    (void)state;
    struct rig r;
    struct answer a;
    int body;
    begin(&r, &body, 0, 10);
    int fd = client_connect(&r);
    client_say(fd, GET("/grow"));
    read_head(fd, &a);
    read_bytes(fd, r.big, 0, 10);
    close(fd);
    rig_wait_for(&r, r.seen.ends, 1);
    end(&r, body, 0);
}

static void f_waiting_for_the_file_is_no_stall(void **state)
{
    (void)state;
    struct rig r = {.conf.stall_ms = 100};
    struct answer a;
    r.conf.idle_ms = 100;
    rig_start(&r);
    int body = memfd_create("body", MFD_CLOEXEC);
    assert_int_equal(write(body, r.big, SIZE), SIZE);
    r.file =
        (struct sp_answer_file){.fd = body, .length = SIZE, .grows = true, .ready = 10};
    int fd = client_connect(&r);
    client_say(fd, GET("/grow"));
    read_head(fd, &a);
    read_bytes(fd, r.big, 0, 10);
    usleep(400000);
    grow(&r, SIZE);
    read_bytes(fd, r.big, 10, SIZE);
    close(fd);
    end(&r, body, 1);
}

static atomic_uint turns;
static uv_prepare_t counter;

static void on_turn(uv_prepare_t *p)
{
    (void)p;
    atomic_fetch_add(&turns, 1);
}

static void count_turns(struct rig *r, void *nothing)
{
    (void)nothing;
    atomic_store(&turns, 0);
    uv_prepare_init(sp_loop_uv(r->loop), &counter);
    uv_prepare_start(&counter, on_turn);
}

static void count_no_more(struct rig *r, void *nothing)
{
    (void)r, (void)nothing;
    uv_close((uv_handle_t *)&counter, NULL);
}

/* Reads and counts; what it is does not matter here. */
static void pass_over(int fd, size_t length)
{
    static uint8_t data[SIZE];
    while (length > 0) {
        ssize_t n = recv(fd, data, length < SIZE ? length : SIZE, 0);
        assert_true(n > 0);
        length -= (size_t)n;
    }
}

/* Its socket was full, and is not now: that is no news while the file has to grow. */
static void f_the_loop_rests_while_the_file_grows(void **state)
{
    (void)state;
    enum { MUCH = 24 << 20 }; /* more than the kernel takes for a peer */
    struct rig r = {0};
    struct answer a;
    rig_start(&r);
    int body = memfd_create("body", MFD_CLOEXEC);
    assert_int_equal(ftruncate(body, MUCH), 0);
    r.file = (struct sp_answer_file){
        .fd = body, .length = MUCH, .grows = true, .ready = MUCH - 1};
    int fd = client_connect(&r);
    client_say(fd, GET("/grow"));
    assert_true(answer_read_head(rig_read_fd, &fd, &a));
    usleep(50000); /* now it is full */
    pass_over(fd, MUCH - 1);
    expect_silence(fd);
    rig_on_loop(&r, count_turns, NULL);
    usleep(100000);
    unsigned counted = atomic_load(&turns);
    rig_on_loop(&r, count_no_more, NULL);
    assert_in_range(counted, 0, 20);
    grow(&r, MUCH);
    pass_over(fd, 1);
    close(fd);
    end(&r, body, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_bytes_go_out_as_they_are_released),
        cmocka_unit_test(b_what_is_ready_goes_at_once),
        cmocka_unit_test(b_head_has_no_body_to_grow),
        cmocka_unit_test(c_a_slow_reader_gets_all_of_it),
        cmocka_unit_test(f_a_cut_is_no_clean_end),
        cmocka_unit_test(f_a_peer_that_leaves_while_it_waits),
        cmocka_unit_test(f_waiting_for_the_file_is_no_stall),
        cmocka_unit_test(f_the_loop_rests_while_the_file_grows),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    in_memory = true;
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
