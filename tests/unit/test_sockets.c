/* Listening sockets that were opened elsewhere: taken by address, each once. */
#include "unit.h"

#include "io/net/address.h"
#include "io/net/conn.h"
#include "io/net/sockets.h"

#include <errno.h>
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

static struct sp_place address(const char *host, unsigned port)
{
    struct sp_place p = {
        .at.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    assert_int_equal(inet_pton(AF_INET, host, &p.at.v4.sin_addr), 1);
    return p;
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
    struct sp_place other = address("127.0.0.2", first + 1);
    assert_int_equal(sp_sockets_take(&s, &other), -1);
    struct sp_place same = address("127.0.0.1", first);
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

/* ---- opened early ---------------------------------------------------------------- */

static unsigned free_port(void)
{
    unsigned port;
    close(open_listener("127.0.0.1", &port));
    return port;
}

static int reach(int family, unsigned port)
{
    union sp_socket_address to = {0};
    bool is_v6 = family == AF_INET6;
    if (is_v6) {
        to.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                      .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                                      .sin6_port = htons((uint16_t)port)};
    } else {
        to.v4 = address("127.0.0.1", port).at.v4;
    }
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = connect(fd, &to.any, is_v6 ? sizeof to.v6 : sizeof to.v4);
    close(fd);
    return failed ? errno : 0;
}

static bool has_v6(void)
{
    union sp_socket_address a = {
        .v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, &a.any, sizeof a.v6) == 0;
    close(fd);
    return has;
}

/* Bound before the right to is given up; who connects before it listens is refused, as
 * if it were not there. */
static void c_opened_early(void **state)
{
    (void)state;
    struct sp_sockets s = {.count = 0};
    struct sp_why why = {0};
    char bind[64];
    unsigned port = free_port(), bound = 0;
    int fd = -1, other = -1;
    snprintf(bind, sizeof bind, "127.0.0.1:%u", port);
    assert_ok(sp_sockets_open(&s, bind, 2, &why));
    assert_int_equal(s.count, 2);
    assert_ok(sp_sockets_open(&s, bind, 2, &why));
    assert_int_equal(s.count, 2); /* as many as wanted are there */
    assert_ok(sp_sockets_open(&s, bind, 3, &why));
    assert_int_equal(s.count, 3);
    assert_int_equal(reach(AF_INET, port), ECONNREFUSED);
    assert_ok(sp_listen(bind, &s, &fd, &bound, &why));
    assert_int_equal(bound, port);
    assert_int_equal(fd, s.at[0].fd);
    assert_int_equal(reach(AF_INET, port), 0);
    assert_ok(sp_listen(bind, &s, &other, &bound, &why));
    assert_int_equal(other, s.at[1].fd);
    close(fd);
    close(other);
    assert_int_equal(sp_sockets_close(&s), 1);
}

static void c_what_is_not_opened_early(void **state)
{
    (void)state;
    struct sp_sockets s = {.count = 0};
    struct sp_why why = {0};
    char bind[64];
    snprintf(bind, sizeof bind, "127.0.0.1:%u", free_port());
    assert_ok(sp_sockets_open(&s, "127.0.0.1:0", 2, &why));
    assert_int_equal(s.count, 0);
    assert_err(sp_sockets_open(&s, "127.0.0.1", 1, &why), SP_E_CONFIG);
    assert_err(sp_sockets_open(&s, "192.0.2.1:1", 1, &why), SP_E_IO);
    assert_ok(sp_sockets_open(&s, bind, SP_SOCKETS + 1, &why));
    assert_int_equal(s.count, SP_SOCKETS);
    assert_int_equal(sp_sockets_close(&s), SP_SOCKETS);
}

/* "*" is both families; "[::]" is IPv6 only, so that "0.0.0.0" can stand beside it. */
static void c_families(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool v4, v6;
    } cases[] = {{"*", true, true}, {"[::]", false, true}, {"0.0.0.0", true, false}};
    if (!has_v6()) {
        print_message("SKIPPED: this machine has no IPv6\n");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_sockets s = {.count = 0};
        struct sp_why why = {0};
        char bind[64], name[64];
        unsigned port = free_port(), bound = 0;
        int fd = -1;
        snprintf(bind, sizeof bind, "%s:%u", cases[i].host, port);
        assert_ok(sp_sockets_open(&s, bind, 1, &why));
        sp_sockets_name(&s, 0, name);
        assert_string_equal(name, bind);
        assert_ok(sp_listen(bind, &s, &fd, &bound, &why));
        assert_int_equal(sp_sockets_count(&s, &(struct sp_place){0}), 0);
        assert_int_equal(fd, s.at[0].fd); /* its own, and no other family's */
        assert_int_equal(reach(AF_INET, port), cases[i].v4 ? 0 : ECONNREFUSED);
        assert_int_equal(reach(AF_INET6, port), cases[i].v6 ? 0 : ECONNREFUSED);
        close(fd);
        assert_int_equal(sp_sockets_close(&s), 0);
    }
}

static void c_why_it_cannot_listen(void **state)
{
    (void)state;
    unsigned port;
    char bind[64];
    int fd = -1, taken = open_listener("127.0.0.1", &port);
    struct sp_sockets none = {.count = 0};
    struct sp_why why = {0};
    snprintf(bind, sizeof bind, "127.0.0.1:%u", port);
    assert_int_equal(sp_listen(bind, &none, &fd, &port, &why), SP_E_IO);
    assert_non_null(strstr(why.text, bind));
    assert_non_null(strstr(why.text, "another program has the port"));
    why = (struct sp_why){0};
    assert_int_equal(sp_listen("192.0.2.1:8531", &none, &fd, &port, &why), SP_E_IO);
    assert_non_null(strstr(why.text, "no interface here has that address"));
    close(taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_by_address),   cmocka_unit_test(a_what_is_no_listener),
        cmocka_unit_test(a_one_too_many), cmocka_unit_test(b_over_a_socket),
        cmocka_unit_test(c_opened_early), cmocka_unit_test(c_what_is_not_opened_early),
        cmocka_unit_test(c_families),     cmocka_unit_test(c_why_it_cannot_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
