/* Limits a peer, on a scripted clock: each one below and one above. */
#include "unit.h"

#include "app/config/peers.h"

#include <arpa/inet.h>
#include <pthread.h>

static const struct sp_peer_limits open_doors; /* no limit at all */

static struct sp_peers *table(size_t sets)
{
    struct sp_peers *p = NULL;
    assert_ok(sp_peers_new(sets, 0x1234567890abcdefu, &p));
    return p;
}

/* An address as text; pin may be NULL. */
static struct sp_peer_name named(const char *text, const struct sp_pin *pin)
{
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, text, address + 12) != 1) {
        assert_int_equal(inet_pton(AF_INET6, text, address), 1);
    }
    return sp_peer_name_of(address, pin);
}

static struct sp_peer_name from(const char *address)
{
    return named(address, NULL);
}

static struct sp_peer_name numbered(unsigned n)
{
    char text[32];
    snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    return from(text);
}

static struct sp_peer_refusal refusal;

static bool enter(struct sp_peers *p, const struct sp_peer_limits *l,
                  struct sp_peer_name name, enum sp_peer_kind kind, uint64_t now,
                  struct sp_peer_lease *lease)
{
    refusal = (struct sp_peer_refusal){0};
    return sp_peers_enter(p, l, &name, kind, now, lease, &refusal);
}

/* One that is over at once. */
static bool passes(struct sp_peers *p, const struct sp_peer_limits *l,
                   struct sp_peer_name name, enum sp_peer_kind kind, uint64_t bytes,
                   uint64_t now)
{
    struct sp_peer_lease lease = {0};
    bool may = enter(p, l, name, kind, now, &lease);
    sp_peers_leave(l, bytes, now, &lease);
    return may;
}

static void b_names(void **state)
{
    (void)state;
    struct sp_pin pin = {{7}};
    static const struct {
        const char *address, *text;
    } rows[] = {{"192.0.2.7", "192.0.2.7"},
                {"::ffff:192.0.2.7", "192.0.2.7"},
                {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
                {"2001:db8:1:2:ffff::", "2001:db8:1:2::/64"},
                {"2001:db8:1:3::", "2001:db8:1:3::/64"},
                {"::1", "::/64"}};
    char text[SP_PEER_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sp_peer_name n = from(rows[i].address);
        sp_peer_name_format(&n, text);
        assert_string_equal(text, rows[i].text);
    }
    struct sp_peer_name n = named("192.0.2.7", &pin);
    sp_peer_name_format(&n, text);
    assert_memory_equal(text, "sha256//Bw", 10);
}

static void b_at_once(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.at_once = {2, 1}};
    struct sp_peers *p = table(4);
    struct sp_peer_lease a = {0}, b = {0}, c = {0}, d = {0};
    assert_true(enter(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, &a));
    assert_true(enter(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, &b));
    assert_false(enter(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, &c));
    assert_int_equal(refusal.limit, SP_PEER_CONCURRENCY);
    assert_true(refusal.retry_s > 0);
    assert_null(c.row);
    assert_true(enter(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 0, &c)); /* its own */
    assert_false(enter(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 0, &d));
    assert_true(enter(p, &l, from("192.0.2.2"), SP_PEER_METADATA, 0, &d)); /* another */
    sp_peers_leave(&l, 0, 0, &a);
    assert_true(enter(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, &a));
    sp_peers_leave(&l, 0, 0, &a);
    sp_peers_leave(&l, 0, 0, &a); /* an empty lease is none */
    sp_peers_leave(&l, 0, 0, &b);
    sp_peers_leave(&l, 0, 0, &c);
    sp_peers_leave(&l, 0, 0, &d);
    sp_peers_free(&p);
    assert_null(p);
}

static void b_a_rate(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.rate = 5};
    struct sp_peers *p = table(4);
    for (unsigned i = 0; i < 5 * SP_PEER_BURST_S; i++) {
        assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, 1000));
    }
    assert_false(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, 1000));
    assert_int_equal(refusal.limit, SP_PEER_RATE);
    assert_int_equal(refusal.retry_s, 1);
    assert_false(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, 1199));
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, 1200));
    assert_false(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, 1200));
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 0, 1200));
    assert_true(passes(p, &l, from("192.0.2.2"), SP_PEER_METADATA, 0, 1200));
    /* who keeps to it is never refused, and no time is lost between two of them */
    for (uint64_t now = 1400; now < 60000; now += 200) {
        assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, now));
    }
    sp_peers_free(&p);
}

static void b_bytes(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.bytes = {0, 1000}};
    const uint64_t burst = 1000 * SP_PEER_BYTES_BURST_S;
    struct sp_peers *p = table(4);
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, burst - 1, 0));
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 1, 0));
    assert_false(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 1, 0));
    assert_int_equal(refusal.limit, SP_PEER_BYTES);
    assert_int_equal(refusal.retry_s, 1);
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 90000, 1));
    assert_false(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 0, 1));
    assert_int_equal(refusal.retry_s, 90);
    assert_false(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 0, 90000));
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_CONTENT, 0, 90001));
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 1u << 30, 90001));
    assert_true(passes(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, 90001));
    sp_peers_free(&p);
}

static void c_sums_do_not_wrap(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.rate = 1, .bytes = {1, 1}};
    struct sp_peers *p = table(4);
    for (int i = 0; i < 3; i++) {
        assert_true(
            passes(p, &l, numbered((unsigned)i), SP_PEER_CONTENT, UINT64_MAX, 0));
        assert_false(passes(p, &l, numbered((unsigned)i), SP_PEER_CONTENT, 1, 0));
        assert_int_equal(refusal.retry_s, 3600);
    }
    assert_true(passes(p, &l, numbered(0), SP_PEER_CONTENT, 1, UINT64_MAX));
    assert_false(
        passes(p, &l, numbered(1), SP_PEER_CONTENT, 0, 5)); /* time goes back */
    sp_peers_free(&p);
}

static void c_no_limits(void **state)
{
    (void)state;
    struct sp_peers *p = table(4);
    struct sp_peer_lease leases[1000] = {0};
    for (size_t i = 0; i < 1000; i++) {
        assert_true(
            enter(p, &open_doors, from("192.0.2.1"), SP_PEER_METADATA, 0, &leases[i]));
    }
    for (size_t i = 0; i < 1000; i++) {
        sp_peers_leave(&open_doors, UINT64_MAX, 0, &leases[i]);
    }
    assert_true(passes(p, &open_doors, from("192.0.2.1"), SP_PEER_METADATA, 0, 0));
    sp_peers_free(&p);
}

/* Lower limits hold at once, also for those who came before. */
static void c_limits_change(void **state)
{
    (void)state;
    const struct sp_peer_limits wide = {.at_once = {3, 3}},
                                narrow = {.at_once = {1, 1}};
    struct sp_peers *p = table(4);
    struct sp_peer_lease a = {0}, b = {0}, c = {0};
    assert_true(enter(p, &wide, from("192.0.2.1"), SP_PEER_METADATA, 0, &a));
    assert_true(enter(p, &wide, from("192.0.2.1"), SP_PEER_METADATA, 0, &b));
    assert_false(enter(p, &narrow, from("192.0.2.1"), SP_PEER_METADATA, 0, &c));
    sp_peers_leave(&narrow, 0, 0, &a);
    assert_false(enter(p, &narrow, from("192.0.2.1"), SP_PEER_METADATA, 0, &c));
    sp_peers_leave(&narrow, 0, 0, &b);
    assert_true(enter(p, &narrow, from("192.0.2.1"), SP_PEER_METADATA, 0, &c));
    sp_peers_leave(&narrow, 0, 0, &c);
    sp_peers_free(&p);
}

static void c_a_certificate_is_its_own_peer(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.at_once = {1, 1}};
    struct sp_peers *p = table(4);
    struct sp_pin one = {{1}}, two = {{2}};
    struct sp_peer_lease a = {0}, b = {0}, c = {0}, d = {0};
    assert_true(
        enter(p, &l, named("192.0.2.1", &one), SP_PEER_METADATA, 0, &a));
    assert_true(
        enter(p, &l, named("192.0.2.1", &two), SP_PEER_METADATA, 0, &b));
    assert_true(enter(p, &l, from("192.0.2.1"), SP_PEER_METADATA, 0, &c));
    assert_false(
        enter(p, &l, named("192.0.2.9", &one), SP_PEER_METADATA, 0, &d));
    sp_peers_leave(&l, 0, 0, &a);
    sp_peers_leave(&l, 0, 0, &b);
    sp_peers_leave(&l, 0, 0, &c);
    sp_peers_free(&p);
}

/* One set: everybody meets. */
static void f_the_oldest_idle_row_makes_room(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.at_once = {1, 1}, .rate = 1};
    struct sp_peers *p = table(1);
    struct sp_peer_lease busy = {0}, again = {0};
    assert_true(enter(p, &l, numbered(0), SP_PEER_METADATA, 0, &busy));
    for (unsigned i = 1; i < SP_PEER_WAYS; i++) { /* each spends all it may */
        for (unsigned k = 0; k < SP_PEER_BURST_S; k++) {
            assert_true(passes(p, &l, numbered(i), SP_PEER_METADATA, 0, i));
        }
        assert_false(passes(p, &l, numbered(i), SP_PEER_METADATA, 0, i));
    }
    assert_true(passes(p, &l, numbered(100), SP_PEER_METADATA, 0, 50));
    for (unsigned i = 2; i < SP_PEER_WAYS; i++) { /* still known */
        assert_false(passes(p, &l, numbered(i), SP_PEER_METADATA, 0, 50));
    }
    assert_false(enter(p, &l, numbered(0), SP_PEER_METADATA, 50, &again));
    for (unsigned i = 1000; i < 9000; i++) { /* a stranger with many addresses */
        assert_true(passes(p, &l, numbered(i), SP_PEER_METADATA, 0, 60));
    }
    assert_false(enter(p, &l, numbered(0), SP_PEER_METADATA, 60, &again));
    assert_int_equal(refusal.limit, SP_PEER_CONCURRENCY);
    sp_peers_leave(&l, 0, 60, &busy);
    sp_peers_free(&p);
}

static void f_who_finds_no_row_shares_one(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.at_once = {2, 2}};
    struct sp_peers *p = table(1);
    struct sp_peer_lease own[SP_PEER_WAYS] = {0}, shared[2] = {0}, more = {0};
    struct sp_peer_report shown[4];
    for (unsigned i = 0; i < SP_PEER_WAYS; i++) {
        assert_true(enter(p, &l, numbered(i), SP_PEER_METADATA, 0, &own[i]));
    }
    assert_true(enter(p, &l, numbered(100), SP_PEER_METADATA, 0, &shared[0]));
    assert_true(enter(p, &l, numbered(101), SP_PEER_METADATA, 0, &shared[1]));
    assert_false(enter(p, &l, numbered(102), SP_PEER_METADATA, 0, &more));
    assert_true(
        enter(p, &l, numbered(0), SP_PEER_METADATA, 0, &more)); /* has its own */
    assert_int_equal(sp_peers_report(p, shown, 4), 1);
    assert_true(shown[0].shared);
    sp_peers_leave(&l, 0, 0, &more);
    sp_peers_leave(&l, 0, 0, &own[3]);
    assert_true(enter(p, &l, numbered(102), SP_PEER_METADATA, 0, &more));
    sp_peers_leave(&l, 0, 0, &more);
    for (unsigned i = 0; i < SP_PEER_WAYS; i++) {
        sp_peers_leave(&l, 0, 0, &own[i]);
    }
    sp_peers_leave(&l, 0, 0, &shared[0]);
    sp_peers_leave(&l, 0, 0, &shared[1]);
    sp_peers_free(&p);
}

static void c_what_is_told_and_shown(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.bytes = {0, 1}};
    struct sp_peers *p = table(64);
    struct sp_peer_report shown[3];
    for (unsigned i = 0; i < 5; i++) {
        assert_true(passes(p, &l, numbered(i), SP_PEER_CONTENT, 1000000, 0));
    }
    assert_int_equal(sp_peers_report(p, shown, 3), 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_false(passes(p, &l, numbered(i), SP_PEER_CONTENT, 0, 10 + i));
        assert_true(refusal.tell);
        assert_false(passes(p, &l, numbered(i), SP_PEER_CONTENT, 0, 10 + i));
        assert_false(refusal.tell);
        assert_int_equal(refusal.refused, 2);
    }
    assert_int_equal(sp_peers_report(p, shown, 3), 3);
    for (unsigned i = 0; i < 3; i++) {
        struct sp_peer_name n = numbered(4 - i);
        assert_memory_equal(shown[i].name.bytes, n.bytes, sizeof n.bytes);
        assert_int_equal(shown[i].refused[SP_PEER_BYTES], 2);
        assert_false(shown[i].shared);
    }
    assert_false(
        passes(p, &l, numbered(0), SP_PEER_CONTENT, 0, 10 + SP_PEER_TELL_MS - 1));
    assert_false(refusal.tell);
    assert_false(passes(p, &l, numbered(0), SP_PEER_CONTENT, 0, 10 + SP_PEER_TELL_MS));
    assert_true(refusal.tell);
    sp_peers_free(&p);
}

/* ---- who stands behind this one ------------------------------------------------- */

static void asks(struct sp_peers *p, const char *address, const struct sp_pin *pin,
                 const char *tls, bool is_server, uint64_t now)
{
    struct sp_peer_lease lease = {0};
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
    struct sp_peer_way way = {.address = bytes, .tls = tls, .is_server = is_server};
    if (inet_pton(AF_INET, address, bytes + 12) != 1) {
        assert_int_equal(inet_pton(AF_INET6, address, bytes), 1);
    }
    assert_true(
        enter(p, &open_doors, named(address, pin), SP_PEER_METADATA, now, &lease));
    sp_peers_note(&lease, &way);
    sp_peers_leave(&open_doors, 0, now, &lease);
    sp_peers_note(&lease, &way); /* an empty lease notes nothing */
}

static void c_servers_and_clients(void **state)
{
    (void)state;
    struct sp_pin pin = {{7}};
    struct sp_peers *p = table(64);
    struct sp_peer_report shown[4];
    struct sp_peer_downstreams all;
    asks(p, "192.0.2.1", NULL, "TLSv1.2", true, 10);
    asks(p, "192.0.2.2", &pin, "TLSv1.3", true, 20);
    asks(p, "192.0.2.3", &pin, "TLSv1.3", true, 30); /* the same one, moved */
    asks(p, "192.0.2.4", NULL, "", false, 40);
    asks(p, "192.0.2.4", NULL, "TLSv1.3", false, 40);
    asks(p, "192.0.2.5", NULL, "TLSv1.3", false, 50);
    assert_true(passes(p, &open_doors, from("192.0.2.6"), SP_PEER_CONTENT, 9, 60));
    assert_int_equal(sp_peers_servers(p, shown, 4, &all), 2);
    assert_int_equal(all.servers, 2);
    assert_int_equal(all.clients, 2); /* who only fetched files is neither */
    assert_int_equal(all.client_asked, 3);
    assert_int_equal(all.client_plain, 1);
    assert_true(shown[0].name.is_pin);
    assert_int_equal(shown[0].address[15], 3);
    assert_int_equal(shown[0].asked, 2);
    assert_int_equal(shown[0].last_ms, 30);
    assert_string_equal(shown[0].tls, "TLSv1.3");
    assert_false(shown[1].name.is_pin);
    assert_string_equal(shown[1].tls, "TLSv1.2");
    assert_int_equal(shown[1].plain, 0);
    asks(p, "192.0.2.5", NULL, "", true, 70); /* it was a server all the while */
    asks(p, "192.0.2.5", NULL, "TLSv1.3", false, 70);
    assert_int_equal(sp_peers_servers(p, shown, 4, &all), 3);
    assert_int_equal(shown[0].asked, 3);
    assert_int_equal(shown[0].plain, 1);
    assert_int_equal(all.clients, 1);
    assert_int_equal(all.client_asked, 2);
    sp_peers_free(&p);
}

static void f_servers_are_bounded(void **state)
{
    (void)state;
    struct sp_peers *p = table(1);
    struct sp_peer_report shown[SP_PEER_WAYS + 1];
    struct sp_peer_downstreams all;
    char text[16];
    for (unsigned i = 0; i < SP_PEER_WAYS + 1; i++) { /* the first one makes room */
        snprintf(text, sizeof text, "192.0.2.%u", i);
        asks(p, text, NULL, "", true, i);
    }
    assert_int_equal(sp_peers_servers(p, shown, SP_PEER_WAYS + 1, &all), SP_PEER_WAYS);
    for (unsigned i = 0; i < SP_PEER_WAYS; i++) { /* the latest first */
        assert_int_equal(shown[i].address[15], SP_PEER_WAYS - i);
    }
    assert_int_equal(sp_peers_servers(p, shown, 3, &all), 3);
    assert_int_equal(shown[2].address[15], SP_PEER_WAYS - 2);
    assert_int_equal(all.servers, SP_PEER_WAYS);
    assert_int_equal(sp_peers_servers(p, shown, 0, &all), 0);
    assert_int_equal(all.servers, SP_PEER_WAYS);
    sp_peers_free(&p);
}

static void f_the_shared_row_is_nobody(void **state)
{
    (void)state;
    struct sp_peers *p = table(1);
    struct sp_peer_lease own[SP_PEER_WAYS] = {0};
    struct sp_peer_downstreams all;
    for (unsigned i = 0; i < SP_PEER_WAYS; i++) {
        assert_true(enter(p, &open_doors, numbered(i), SP_PEER_METADATA, 0, &own[i]));
    }
    asks(p, "192.0.2.1", NULL, "", true, 0);
    assert_int_equal(sp_peers_servers(p, NULL, 0, &all), 0);
    assert_int_equal(all.servers + all.clients, 0);
    sp_peers_leave(&open_doors, 0, 0, &own[0]);
    asks(p, "192.0.2.1", NULL, "", true, 0);
    sp_peers_servers(p, NULL, 0, &all);
    assert_int_equal(all.servers, 1);
    for (unsigned i = 1; i < SP_PEER_WAYS; i++) {
        sp_peers_leave(&open_doors, 0, 0, &own[i]);
    }
    sp_peers_free(&p);
}

static void *come_and_go(void *peers)
{
    const struct sp_peer_limits l = {.at_once = {3, 3}, .rate = 1u << 30};
    for (unsigned i = 0; i < 50000; i++) {
        struct sp_peer_lease lease = {0};
        struct sp_peer_refusal r;
        struct sp_peer_name n = numbered(i % 3);
        (void)sp_peers_enter(peers, &l, &n, SP_PEER_METADATA, i, &lease, &r);
        sp_peers_leave(&l, 1, i, &lease);
    }
    return NULL;
}

static void c_many_threads_lose_nothing(void **state)
{
    (void)state;
    const struct sp_peer_limits l = {.at_once = {1, 1}};
    struct sp_peers *p = table(1);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, p), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i < 3; i++) { /* nothing is under way any more */
        assert_true(passes(p, &l, numbered(i), SP_PEER_METADATA, 0, 0));
    }
    sp_peers_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_names),
        cmocka_unit_test(b_at_once),
        cmocka_unit_test(b_a_rate),
        cmocka_unit_test(b_bytes),
        cmocka_unit_test(c_sums_do_not_wrap),
        cmocka_unit_test(c_no_limits),
        cmocka_unit_test(c_limits_change),
        cmocka_unit_test(c_a_certificate_is_its_own_peer),
        cmocka_unit_test(f_the_oldest_idle_row_makes_room),
        cmocka_unit_test(f_who_finds_no_row_shares_one),
        cmocka_unit_test(c_what_is_told_and_shown),
        cmocka_unit_test(c_servers_and_clients),
        cmocka_unit_test(f_servers_are_bounded),
        cmocka_unit_test(f_the_shared_row_is_nobody),
        cmocka_unit_test(c_many_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
