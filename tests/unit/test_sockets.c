/* Listening sockets that were opened elsewhere: taken by address, each once. */
#include "unit.h"

#include "io/net/address.h"
#include "io/net/sockets.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int open_listener(const char *host, unsigned *port)
{
    union sp_socket_address a = {.v4 = {.sin_family = AF_INET}};
    socklen_t len = sizeof a.v4;
    assert_int_equal(inet_pton(AF_INET, host, &a.v4.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, &a.any, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, &a.any, &len), 0);
    *port = ntohs(a.v4.sin_port);
    return fd;
}

static union sp_socket_address address(const char *host, unsigned port)
{
    union sp_socket_address a = {
        .v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    assert_int_equal(inet_pton(AF_INET, host, &a.v4.sin_addr), 1);
    return a;
}

static void a_by_address(void **state)
{
    (void)state;
    struct sp_sockets s = {.count = 0};
    unsigned first, second;
    char name[64], expected[64];
    assert_true(sp_sockets_add(&s, open_listener("127.0.0.1", &first)));
    assert_true(sp_sockets_add(&s, open_listener("127.0.0.2", &second)));
    sp_sockets_name(&s, 1, name);
    snprintf(expected, sizeof expected, "127.0.0.2:%u", second);
    assert_string_equal(name, expected);
    union sp_socket_address other = address("127.0.0.2", first + 1);
    assert_int_equal(sp_sockets_take(&s, &other), -1);
    union sp_socket_address same = address("127.0.0.1", first);
    int taken = sp_sockets_take(&s, &same);
    assert_int_equal(taken, s.at[0].fd);
    assert_true(fcntl(taken, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
    int again = sp_sockets_take(&s, &same);
    assert_true(again >= 0 && again != taken);
    assert_int_equal(sp_sockets_take(NULL, &same), -1);
    close(taken);
    close(again);
    assert_int_equal(sp_sockets_close(&s), 1);
}

static void a_what_is_no_listener(void **state)
{
    (void)state;
    struct sp_sockets s = {.count = 0};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int plain = socket(AF_INET, SOCK_STREAM, 0);
    int file = open("/dev/null", O_RDONLY);
    assert_false(sp_sockets_add(&s, pair[0]));
    assert_false(sp_sockets_add(&s, plain));
    assert_false(sp_sockets_add(&s, file));
    assert_int_equal(fcntl(file, F_GETFD), -1); /* it was closed */
    assert_int_equal(s.count, 0);
    close(pair[1]);
}

static void a_one_too_many(void **state)
{
    (void)state;
    struct sp_sockets s = {.count = 0};
    unsigned port;
    int fd = open_listener("127.0.0.1", &port);
    for (size_t i = 0; i < SP_SOCKETS; i++) {
        assert_true(sp_sockets_add(&s, dup(fd)));
    }
    assert_false(sp_sockets_add(&s, dup(fd)));
    assert_int_equal(sp_sockets_close(&s), SP_SOCKETS);
    close(fd);
}

static void b_over_a_socket(void **state)
{
    (void)state;
    struct sp_sockets s = {.count = 0};
    struct sp_socket_message m;
    int pair[2], fds[SP_SOCKETS];
    unsigned port;
    char text[8] = "hello";
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int fd = open_listener("127.0.0.1", &port);
    for (size_t i = 0; i < SP_SOCKETS; i++) {
        fds[i] = fd;
    }
    static const size_t counts[] = {0, 1, SP_SOCKETS};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char got[8] = "";
        sp_sockets_message(&m, text, sizeof text, fds, counts[i]);
        assert_int_equal(sendmsg(pair[0], &m.head, MSG_NOSIGNAL), sizeof text);
        sp_sockets_room(&m, got, sizeof got);
        assert_int_equal(recvmsg(pair[1], &m.head, MSG_CMSG_CLOEXEC), sizeof got);
        sp_sockets_unpack(&m, &s);
        assert_string_equal(got, "hello");
        assert_int_equal(sp_sockets_close(&s), counts[i]);
    }
    close(fd);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_by_address),
        cmocka_unit_test(a_what_is_no_listener),
        cmocka_unit_test(a_one_too_many),
        cmocka_unit_test(b_over_a_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
