#include "unit.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    SP_AUTO(sp_buf_fini) struct sp_buf hex;
    sp_buf_init(&hex, 1024);
    assert_ok(sp_hex_append(&hex, sp_view(bytes, len)));
    assert_ok(sp_buf_append_byte(&hex, 0));
    assert_string_equal((const char *)hex.data, expected);
}

static void b_sha256_of_known_texts(void **state)
{
    (void)state;
    uint8_t out[32];
    sp_sha256(SP_VIEW(""), out);
    assert_hex(out, 32,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sp_sha256((struct sp_view){NULL, 0}, out);
    assert_hex(out, 32,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sp_sha256(SP_VIEW("abc"), out); /* FIPS 180-4 examples */
    assert_hex(out, 32,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* A million times 'a', fed in steps of every awkward size around the inner piece. */
static void b_digester_does_not_depend_on_steps(void **state)
{
    (void)state;
    static uint8_t a[1000000];
    static const size_t steps[] = {1000000, 1, 16383, 16384, 16385, 99991};
    memset(a, 'a', sizeof a);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
        uint8_t sha1[20], sha256[32];
        assert_ok(sp_digester_new(&d));
        for (size_t at = 0; at < sizeof a; at += steps[i]) {
            struct sp_view all = sp_view(a, sizeof a);
            assert_ok(sp_digester_update(d, sp_view_slice(all, at, at + steps[i])));
        }
        assert_ok(sp_digester_finish(d, sha1, sha256));
        assert_hex(sha1, 20, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        assert_hex(sha256, 32,
                   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

static struct sp_view read_golden(const char *file)
{
    char path[4096];
    size_t len = 0;
    const char *source = getenv("SALLYPORT_SOURCE");
    snprintf(path, sizeof path, "%s/tests/golden/cert/%s", source ? source : ".", file);
    uint8_t *data = unit_read_file(path, &len);
    assert_non_null(data);
    return sp_view(data, len); /* owned by the test, which ends soon */
}

static void free_view(struct sp_view *v)
{
    free((void *)(uintptr_t)v->data);
}

static enum sp_err keep(void *ctx, struct sp_view der)
{
    return sp_buf_append(ctx, der);
}

/* The only certificate of a file, as DER. */
static void read_cert(const char *file, struct sp_buf *der)
{
    SP_AUTO(free_view) struct sp_view pem = read_golden(file);
    size_t count = 0;
    sp_buf_init(der, 65536);
    assert_ok(sp_pem_certs(pem, keep, der, &count));
    assert_int_equal(count, 1);
}

static void assert_pin(const struct sp_pin *p, const char *expected)
{
    char text[SP_PIN_TEXT];
    struct sp_pin again;
    sp_pin_format(p, text);
    assert_string_equal(text, expected);
    assert_ok(sp_pin_parse(sp_view_str(expected), &again));
    assert_true(sp_pin_eq(p, &again));
    again.sha256[31] ^= 1;
    assert_false(sp_pin_eq(p, &again));
}

static void b_facts_of_certificates(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf leaf;
    SP_AUTO(sp_buf_fini) struct sp_buf ca;
    SP_AUTO(sp_buf_fini) struct sp_buf cn;
    struct sp_cert_facts f;
    read_cert("leaf.pem", &leaf);
    read_cert("ca.pem", &ca);
    read_cert("cn-only.pem", &cn);

    assert_ok(sp_cert_read(sp_buf_view(&leaf), &f));
    assert_pin(&f.spki, "sha256//zKO36J4+zs9NDGBNj6Wk9l4Hbkbt1QyT+H1RoIkfItA=");
    assert_hex(f.sha256, 32,
               "17be1d6f6ef8b286aa3dd2ce139c3a3e98e3e8a7bc0952ea67bb10e695162156");
    assert_string_equal(f.subject, "CN=cn.test");
    assert_string_equal(f.issuer, "CN=Test CA,O=Sallyport Tests\\, Ltd");
    assert_string_equal(f.names, "a.test, *.wild.test, part*.test, 10.0.0.1, "
                                 "2001:db8:0:0:0:0:0:1");
    assert_string_equal(f.key, "RSA 2048");
    assert_string_equal(f.signature, "ecdsa-with-SHA256");
    assert_int_equal(f.not_before, 1795310469);
    assert_int_equal(f.not_after, 1795310469 + 36500LL * 86400);
    assert_false(f.is_ca);
    assert_false(f.self_signed);

    assert_ok(sp_cert_read(sp_buf_view(&ca), &f));
    assert_pin(&f.spki, "sha256//gyEcOMvS/id+zf7M3nML2vsccOtuypDBGsPSXaRNwNo=");
    assert_string_equal(f.key, "EC P-256");
    assert_string_equal(f.names, "");
    assert_true(f.is_ca);
    assert_true(f.self_signed);

    assert_ok(sp_cert_read(sp_buf_view(&cn), &f));
    assert_string_equal(f.key, "Ed25519");
    assert_string_equal(f.signature, "ED25519");
    assert_false(f.is_ca);
    assert_true(f.self_signed);
}

static void f_only_whole_certificates_are_read(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf der;
    struct sp_cert_facts f = {.is_ca = true};
    bool covers = false;
    read_cert("leaf.pem", &der);
    for (size_t n = 0; n < der.len; n++) {
        assert_err(sp_cert_read(sp_view(der.data, n), &f), SP_E_MALFORMED);
    }
    assert_ok(sp_buf_append_byte(&der, 0));
    assert_err(sp_cert_read(sp_buf_view(&der), &f), SP_E_MALFORMED);
    assert_err(sp_cert_covers(sp_buf_view(&der), "a.test", &covers), SP_E_MALFORMED);
    assert_true(f.is_ca);
}

static void f_names_are_those_of_the_san(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool covered;
    } rows[] = {
        {"a.test", true},       {"A.TEST", true},
        {"b.test", false},      {"x.a.test", false},
        {"x.wild.test", true},  {"wild.test", false},
        {".wild.test", false},  {"x.y.wild.test", false},
        {"part1.test", false},  {"cn.test", false},
        {"10.0.0.1", true},     {"10.0.0.2", false},
        {"2001:db8::1", true},  {"2001:DB8:0:0:0:0:0:1", true},
        {"2001:db8::2", false}, {"", false},
        {".", false},           {".test", false},
        {"x@a.test", false},    {"*.wild.test", true},
    };
    SP_AUTO(sp_buf_fini) struct sp_buf leaf;
    SP_AUTO(sp_buf_fini) struct sp_buf cn;
    read_cert("leaf.pem", &leaf);
    read_cert("cn-only.pem", &cn);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool covers = !rows[i].covered;
        assert_ok(sp_cert_covers(sp_buf_view(&leaf), rows[i].host, &covers));
        if (covers != rows[i].covered) {
            fail_msg("%s", rows[i].host);
        }
        assert_ok(sp_cert_covers(sp_buf_view(&cn), rows[i].host, &covers));
        assert_false(covers);
    }
}

static enum sp_err refuse(void *ctx, struct sp_view der)
{
    (void)der;
    return *(enum sp_err *)ctx;
}

static void b_pem_texts(void **state)
{
    (void)state;
    SP_AUTO(free_view) struct sp_view ca = read_golden("ca.pem");
    SP_AUTO(free_view) struct sp_view leaf = read_golden("leaf.pem");
    SP_AUTO(free_view) struct sp_view key = read_golden("leaf.key");
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    SP_AUTO(sp_buf_fini) struct sp_buf der;
    size_t count = 99;
    sp_buf_init(&text, 65536);
    sp_buf_init(&der, 65536);
    assert_ok(sp_pem_certs(SP_VIEW(""), keep, &der, &count));
    assert_int_equal(count, 0);
    assert_ok(sp_pem_certs(SP_VIEW("no certificate\n"), keep, &der, &count));
    assert_int_equal(count, 0);

    assert_ok(sp_buf_append(&text, leaf));
    assert_ok(sp_buf_append_str(&text, "a word between\n"));
    assert_ok(sp_buf_append(&text, key));
    assert_ok(sp_buf_append(&text, ca));
    assert_ok(sp_pem_certs(sp_buf_view(&text), keep, &der, &count));
    assert_int_equal(count, 2);
    SP_AUTO(sp_buf_fini) struct sp_buf both;
    SP_AUTO(sp_buf_fini) struct sp_buf second;
    read_cert("leaf.pem", &both);
    read_cert("ca.pem", &second);
    assert_ok(sp_buf_append(&both, sp_buf_view(&second)));
    assert_true(sp_view_eq(sp_buf_view(&both), sp_buf_view(&der)));

    static const enum sp_err refusals[] = {SP_E_NOTFOUND, SP_E_LIMIT};
    for (size_t i = 0; i < 2; i++) {
        enum sp_err e = refusals[i];
        count = 99;
        assert_err(sp_pem_certs(sp_buf_view(&text), refuse, &e, &count), e);
        assert_int_equal(count, 99);
    }
    struct sp_view torn = sp_view_slice(ca, 0, ca.len - 30);
    assert_err(sp_pem_certs(torn, keep, &der, &count), SP_E_MALFORMED);
    assert_err(sp_pem_certs(SP_VIEW("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n"
                                    "-----END TRUSTED CERTIFICATE-----\n"),
                            keep, &der, &count),
               SP_E_UNSUPPORTED);
}

static void b_a_key_matches_its_certificate(void **state)
{
    (void)state;
    SP_AUTO(free_view) struct sp_view key = read_golden("leaf.key");
    SP_AUTO(free_view) struct sp_view locked = read_golden("leaf-encrypted.key");
    SP_AUTO(free_view)
    struct sp_view locked_old = read_golden("leaf-encrypted-old.key");
    SP_AUTO(free_view) struct sp_view pem = read_golden("leaf.pem");
    SP_AUTO(sp_buf_fini) struct sp_buf leaf;
    SP_AUTO(sp_buf_fini) struct sp_buf ca;
    bool matches = false;
    read_cert("leaf.pem", &leaf);
    read_cert("ca.pem", &ca);
    assert_ok(sp_key_matches(key, sp_buf_view(&leaf), &matches));
    assert_true(matches);
    assert_ok(sp_key_matches(key, sp_buf_view(&ca), &matches));
    assert_false(matches);
    struct sp_view cert = sp_buf_view(&leaf);
    assert_err(sp_key_matches(locked, cert, &matches), SP_E_UNSUPPORTED);
    assert_err(sp_key_matches(locked_old, cert, &matches), SP_E_UNSUPPORTED);
    assert_err(sp_key_matches(pem, cert, &matches), SP_E_MALFORMED);
    assert_err(sp_key_matches(SP_VIEW(""), cert, &matches), SP_E_MALFORMED);
    assert_err(sp_key_matches(key, SP_VIEW("x"), &matches), SP_E_MALFORMED);
}

static void b_pins_have_one_spelling(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "sha256//",
        "sha1//zKO36J4+zs9NDGBNj6Wk9l4Hbkbt1QyT+H1RoIkfItA=",
        "SHA256//zKO36J4+zs9NDGBNj6Wk9l4Hbkbt1QyT+H1RoIkfItA=",
        "sha256//zKO36J4+zs9NDGBNj6Wk9l4Hbkbt1QyT+H1RoIkfItA",
        "sha256//zKO36J4+zs9NDGBNj6Wk9l4Hbkbt1QyT+H1RoIkfItB=",
        "sha256//zKO36J4+zs9NDGBNj6Wk9l4Hbkbt1QyT+H1RoIkfItA= ",
        "sha256//zKO36J4+zs9NDGBNj6Wk9l4Hbkbt1QyT+H1RoIkfItAA",
        "sha256//zKO36J4=",
    };
    struct sp_pin p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_err(sp_pin_parse(sp_view_str(bad[i]), &p), SP_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_sha256_of_known_texts),
        cmocka_unit_test(b_digester_does_not_depend_on_steps),
        cmocka_unit_test(b_facts_of_certificates),
        cmocka_unit_test(b_pem_texts),
        cmocka_unit_test(b_a_key_matches_its_certificate),
        cmocka_unit_test(b_pins_have_one_spelling),
        cmocka_unit_test(f_only_whole_certificates_are_read),
        cmocka_unit_test(f_names_are_those_of_the_san),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
