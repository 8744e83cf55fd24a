#include "unit.h"

#include "io/net/server.h"

#include <arpa/inet.h>

static bool has(const char *network, const char *address)
{
    struct sp_cidr c;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    assert_ok(sp_cidr_parse(sp_view_str(network), &c));
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        return sp_cidr_has(&c, (struct sockaddr *)&v4);
    }
    assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return sp_cidr_has(&c, (struct sockaddr *)&v6);
}

static void b_networks_and_their_neighbours(void **state)
{
    (void)state;
    static const struct {
        const char *network, *first, *last, *before, *after;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
        {"192.168.4.0/22", "192.168.4.0", "192.168.7.255", "192.168.3.255",
         "192.168.8.0"},
        {"192.168.1.7/32", "192.168.1.7", "192.168.1.7", "192.168.1.6", "192.168.1.8"},
        {"192.168.1.7", "192.168.1.7", "192.168.1.7", "192.168.1.6", "192.168.1.8"},
        {"2001:db8::/32", "2001:db8::", "2001:db8:ffff::", "2001:db7::", "2001:db9::"},
        {"fe80::1", "fe80::1", "fe80::1", "fe80::", "fe80::2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(has(rows[i].network, rows[i].first));
        assert_true(has(rows[i].network, rows[i].last));
        assert_false(has(rows[i].network, rows[i].before));
        assert_false(has(rows[i].network, rows[i].after));
    }
}

static void b_whole_families(void **state)
{
    (void)state;
    assert_true(has("0.0.0.0/0", "255.1.2.3"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("::/0", "2001:db8::1"));
    assert_true(has("::/0", "1.2.3.4"));
    assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert_true(has("::ffff:10.0.0.0/104", "10.1.2.3"));
}

static void b_other_families_are_in_no_network(void **state)
{
    (void)state;
    struct sp_cidr c;
    struct sockaddr a = {.sa_family = AF_UNIX};
    assert_ok(sp_cidr_parse(SP_VIEW("::/0"), &c));
    assert_false(sp_cidr_has(&c, &a));
}

static void f_what_is_no_network(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/08",
                                      "10.0.0/8",
                                      "::/129",
                                      "10.0.0.1/8",
                                      "::1/127",
                                      " 10.0.0.0/8",
                                      "10.0.0.0/8 ",
                                      "localhost",
                                      "010.0.0.0/8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sp_cidr c = {.bits = 7};
        assert_err(sp_cidr_parse(sp_view_str(bad[i]), &c), SP_E_MALFORMED);
        assert_int_equal(c.bits, 7);
    }
    struct sp_cidr c;
    assert_err(sp_cidr_parse(sp_view("::1\0/128", 8), &c), SP_E_MALFORMED);
}

/* Texts made of the pieces that addresses are made of, against the C library. */
static void c_addresses_are_read_as_the_system_reads_them(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "",         "0",   ":",   "::", "1", "ffff", "a",  "00a", "12345",      ".",
        "10.1.2.3", "255", "256", "01", "g", "1:2",  ":3", "4:",  "1:2:3:4:5:6"};
    enum {
        PIECES = sizeof pieces / sizeof pieces[0],
        ROUNDS = PIECES * PIECES * PIECES * PIECES
    };
    unsigned good = 0;
    for (size_t n = 0; n < ROUNDS; n++) {
        char text[64];
        uint8_t ours[16], theirs[16] = {[10] = 0xff, [11] = 0xff};
        unsigned width = 0;
        snprintf(text, sizeof text, "%s%s%s%s", pieces[n % PIECES],
                 pieces[n / PIECES % PIECES], pieces[n / PIECES / PIECES % PIECES],
                 pieces[n / PIECES / PIECES / PIECES]);
        bool is_v4 = inet_pton(AF_INET, text, theirs + 12) == 1;
        bool is_good = is_v4 || inet_pton(AF_INET6, text, theirs) == 1;
        enum sp_err e = sp_address_parse(sp_view_str(text), ours, &width);
        if ((e == SP_OK) != is_good) {
            fail_msg("\"%s\" is%s an address", text, is_good ? "" : " not");
        }
        if (is_good) {
            assert_int_equal(width, is_v4 ? 32 : 128);
            assert_memory_equal(ours, theirs, 16);
            good++;
        }
    }
    assert_true(good > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_networks_and_their_neighbours),
        cmocka_unit_test(b_whole_families),
        cmocka_unit_test(b_other_families_are_in_no_network),
        cmocka_unit_test(f_what_is_no_network),
        cmocka_unit_test(c_addresses_are_read_as_the_system_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
