/* Keys: where they lie in memory while they are used, and that they are gone
 * afterwards. Every one is made by a child, so that nothing of its making is found
 * here. */
#include "memory_scan.h"

#include "app/config/config.h"
#include "app/shared/seals.h"
#include "core/base/text.h"
#include "core/crypto/issue.h"
#include "core/custody/note.h"
#include "io/loop/loop.h"
#include "io/net/server.h"
#include "io/net/tls_secret.h"
#include "io/net/upstream.h"
#include "sanitizer.h"

#if defined(HAS_SANITIZER)
enum { CAN_SEE_FREED = 0 };
#else
enum { CAN_SEE_FREED = 1 };
#endif

static bool locked;

static void assert_only_locked(const struct needle *n)
{
    struct found f = look_for(n);
    if (locked) {
        assert_true(f.locked > 0);
        assert_int_equal(f.open, 0);
    } else {
        print_message("SKIPPED: memory cannot be locked here\n");
        assert_true(f.open > 0);
    }
}

static void assert_gone(const struct needle *n, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct found f = look_for(&n[i]);
        assert_int_equal(f.locked + f.open, 0);
    }
}

/* The search finds what is there, in either kind of memory. */
static void a_the_search(void **state)
{
    (void)state;
    uint8_t text[NEEDLE];
    assert_ok(sp_random_bytes(text, sizeof text));
    struct needle n = needle_of(text);
    sp_bytes_wipe(text, sizeof text);
    assert_gone(&n, 1);
    volatile uint8_t *ordinary = malloc(NEEDLE), *secret = sp_secret_alloc(NEEDLE);
    assert_true(ordinary && secret);
    for (size_t i = 0; i < NEEDLE; i++) {
        ordinary[i] = secret[i] = n.masked[i] ^ MASK;
    }
    struct found f = look_for(&n);
    assert_int_equal(f.open, locked ? 1 : 2);
    assert_int_equal(f.locked, locked ? 1 : 0);
    sp_secret_free((void *)(uintptr_t)secret, NEEDLE);
    sp_bytes_wipe((void *)(uintptr_t)ordinary, NEEDLE);
    free((void *)(uintptr_t)ordinary);
    assert_gone(&n, 1);
}

/* ---- keys of TLS ------------------------------------------------------------------
 */

enum { NUMBER, REVERSED, TEXT, TLS_NEEDLES };

/* RFC 5208, RFC 5915: the number of a P-256 key behind 36 bytes of DER. OpenSSL holds
 * it with the lowest byte first. */
static void make_tls_key(FILE *out)
{
    enum { BEFORE = 36 };
    struct sp_buf key, cert, der;
    uint8_t reversed[NEEDLE];
    sp_buf_init(&key, SP_KIB(16));
    sp_buf_init(&cert, SP_KIB(16));
    sp_buf_init(&der, SP_KIB(16));
    const struct sp_issue want = {.subject = "x", .now = 1800000000, .days = 30};
    assert_ok(sp_issue_key(&key));
    assert_ok(sp_issue_ca(&want, sp_buf_view(&key), &cert));
    folder_write(in_folder("key.pem"), key.data, key.len);
    folder_write(in_folder("cert.pem"), cert.data, cert.len);
    struct sp_view pem = sp_buf_view(&key);
    size_t from = sp_view_find(pem, '\n') + 1;
    struct sp_view lines = sp_view_slice(pem, from, pem.len);
    struct sp_buf text;
    sp_buf_init(&text, SP_KIB(16));
    for (size_t i = 0; i < lines.len && lines.data[i] != '-'; i++) {
        if (lines.data[i] != '\n') {
            assert_ok(sp_buf_append_byte(&text, lines.data[i]));
        }
    }
    assert_ok(sp_base64_parse(sp_buf_view(&text), &der));
    for (size_t i = 0; i < NEEDLE; i++) {
        reversed[i] = der.data[BEFORE + NEEDLE - 1 - i];
    }
    put_needle(out, der.data + BEFORE);
    put_needle(out, reversed);
    put_needle(out, lines.data + 24);
}

static void b_listener(void **state)
{
    (void)state;
    struct needle n[TLS_NEEDLES];
    struct sp_secret key = {0}, cert = {0};
    struct sp_why why = {0};
    in_a_child(make_tls_key, "needles");
    read_needles("needles", n, TLS_NEEDLES);
    for (int round = 0; round < 3; round++) { /* as reloads do */
        struct sp_tls_server *t = NULL;
        assert_ok(sp_file_read_secret(in_folder("key.pem"), &key, &why));
        assert_ok(sp_file_read_secret(in_folder("cert.pem"), &cert, &why));
        struct sp_tls_server_conf conf = {.certificate_pem = sp_secret_view(&cert),
                                          .key_pem = sp_secret_view(&key)};
        assert_ok(sp_tls_server_new(&conf, &t, &why));
        assert_only_locked(&n[TEXT]);
        sp_secret_fini(&key);
        sp_secret_fini(&cert);
        assert_gone(&n[TEXT], 1);
        assert_only_locked(&n[REVERSED]);
        assert_gone(&n[NUMBER], 1);
        sp_tls_server_unref(&t);
        assert_gone(n, TLS_NEEDLES);
    }
}

static void b_client(void **state)
{
    (void)state;
    struct needle n[TLS_NEEDLES];
    struct sp_secret key = {0}, cert = {0};
    struct sp_upstream *u = NULL;
    struct sp_why why = {0};
    const struct sp_pin pin = {{1}};
    in_a_child(make_tls_key, "needles");
    read_needles("needles", n, TLS_NEEDLES);
    assert_ok(sp_file_read_secret(in_folder("key.pem"), &key, &why));
    assert_ok(sp_file_read_secret(in_folder("cert.pem"), &cert, &why));
    struct sp_upstream_conf conf = {.name = "u",
                                    .url = "https://localhost",
                                    .ca_pem = sp_secret_view(&cert),
                                    .pins = &pin,
                                    .pin_count = 1,
                                    .client_pem = sp_secret_view(&cert),
                                    .client_key_pem = sp_secret_view(&key)};
    assert_ok(sp_upstream_new(&conf, &u, &why));
    sp_secret_fini(&key);
    sp_secret_fini(&cert);
    assert_only_locked(&n[REVERSED]);
    assert_gone(&n[TEXT], 1);
    sp_upstream_unref(&u);
    assert_gone(n, TLS_NEEDLES);
}

/* A key that is refused is gone as well. */
static void f_refused(void **state)
{
    (void)state;
    struct needle n[TLS_NEEDLES];
    struct sp_secret key = {0}, cert = {0};
    struct sp_tls_server *t = NULL;
    struct sp_why why = {0};
    in_a_child(make_tls_key, "needles");
    assert_ok(sp_file_read_secret(in_folder("cert.pem"), &cert, &why));
    in_a_child(make_tls_key, "needles");
    read_needles("needles", n, TLS_NEEDLES);
    assert_ok(sp_file_read_secret(in_folder("key.pem"), &key, &why));
    struct sp_tls_server_conf conf = {.certificate_pem = sp_secret_view(&cert),
                                      .key_pem = sp_secret_view(&key)};
    assert_err(sp_tls_server_new(&conf, &t, &why), SP_E_CONFIG);
    sp_secret_fini(&key);
    sp_secret_fini(&cert);
    assert_gone(n, TLS_NEEDLES);
}

/* ---- our own ----------------------------------------------------------------------
 */

static void make_note_key(FILE *out)
{
    uint8_t seed[NEEDLE];
    struct sp_note_key *k = NULL;
    struct sp_buf text;
    sp_buf_init(&text, SP_KIB(4));
    assert_ok(sp_random_bytes(seed, sizeof seed));
    assert_ok(sp_note_key_new("example.net/l", seed, &k));
    assert_ok(sp_note_key_export(k, &text));
    folder_write(in_folder("key"), text.data, text.len);
    put_needle(out, seed);
}

static void b_ledger(void **state)
{
    (void)state;
    struct needle n;
    struct sp_secret text = {0};
    struct sp_note_key *k = NULL;
    struct sp_why why = {0};
    uint8_t signature[64];
    in_a_child(make_note_key, "needles");
    read_needles("needles", &n, 1);
    assert_ok(sp_file_read_secret(in_folder("key"), &text, &why));
    assert_ok(sp_note_key_import(sp_secret_view(&text), &k, &why));
    sp_secret_fini(&text);
    assert_ok(sp_ed25519_sign(k->seed, SP_VIEW("x"), signature));
    assert_only_locked(&n);
    sp_note_key_free(&k);
    assert_gone(&n, 1);
}

static void read_cookie_key(FILE *out)
{
    struct sp_buf text;
    struct sp_why why;
    struct sp_seal_keys keys;
    sp_buf_init(&text, SP_KIB(4));
    assert_ok(sp_file_read(in_folder("cookie-keys"), &text, &why));
    assert_ok(sp_seal_keys_read(sp_buf_view(&text), &keys));
    put_needle(out, keys.at[0].key);
}

static void b_cookies(void **state)
{
    (void)state;
    enum { NOW = 1800000000, DAY = 86400 };
    struct needle n;
    struct sp_seals *s = NULL, *turned = NULL;
    struct sp_why why = {0};
    assert_ok(sp_seals_open(folder_path, NOW, &s, &why));
    in_a_child(read_cookie_key, "needles");
    read_needles("needles", &n, 1);
    assert_only_locked(&n);
    assert_ok(sp_seals_turn(folder_path, s, NOW + 2 * DAY, &turned, &why));
    assert_non_null(turned);
    sp_seals_unref(&s);
    assert_only_locked(&n); /* it still opens what it sealed */
    sp_seals_unref(&turned);
    assert_gone(&n, 1);
}

static int setup(void **state)
{
    return folder_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_the_search),
        cmocka_unit_test_setup_teardown(b_listener, setup, folder_teardown),
        cmocka_unit_test_setup_teardown(b_client, setup, folder_teardown),
        cmocka_unit_test_setup_teardown(f_refused, setup, folder_teardown),
        cmocka_unit_test_setup_teardown(b_ledger, setup, folder_teardown),
        cmocka_unit_test_setup_teardown(b_cookies, setup, folder_teardown),
    };
    if (!CAN_SEE_FREED) {
        print_message("SKIPPED: a sanitizer keeps what was freed\n");
        return 0;
    }
    locked = sp_tls_secrets_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
