/* The text of pins, bundles, and the DER reader below signatures. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/crypto/cms.h"
#include "core/crypto/der.h"
#include "core/crypto/trust.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct sp_trust *trust_new(void)
{
    struct sp_trust *t = NULL;
    assert_ok(sp_trust_new(&t));
    return t;
}

static void b_pins_are_read(void **state)
{
    (void)state;
    static const struct sp_pin zero = {{0}}, other = {{1}};
    SP_AUTO(sp_trust_free) struct sp_trust *t = trust_new();
    assert_ok(sp_trust_add_pins(
        t, SP_VIEW("# first\r\n\n  " PIN "  code-signing  \"A B\"  # seen\r\n"), NULL));
    assert_int_equal(sp_trust_pins(t), 1);
    assert_true(sp_trust_has(t, &zero, SP_VIEW("A B"), SP_PURPOSE_CODE_SIGNING));
    assert_false(sp_trust_has(t, &zero, SP_VIEW("A B"), SP_PURPOSE_TIME_STAMPING));
    assert_false(sp_trust_has(t, &zero, SP_VIEW("A"), SP_PURPOSE_CODE_SIGNING));
    assert_false(sp_trust_has(t, &zero, SP_VIEW("A B "), SP_PURPOSE_CODE_SIGNING));
    assert_false(sp_trust_has(t, &other, SP_VIEW("A B"), SP_PURPOSE_CODE_SIGNING));
    assert_ok(
        sp_trust_add_pins(t, SP_VIEW(PIN " time-stamping,code-signing \"C\""), NULL));
    assert_true(sp_trust_has(t, &zero, SP_VIEW("C"), SP_PURPOSE_TIME_STAMPING));
    assert_true(sp_trust_has(t, &zero, SP_VIEW("C"), SP_PURPOSE_CODE_SIGNING));
}

static void b_mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\nx",
        "\nsha256//AAAA code-signing \"A\"",
        "\n" PIN,
        "\n" PIN " \"A\"",
        "\n" PIN " signing \"A\"",
        "\n" PIN " code-signing,, \"A\"",
        "\n" PIN " code-signing",
        "\n" PIN " code-signing A",
        "\n" PIN " code-signing \"A",
        "\n" PIN " code-signing \"\"",
        "\n" PIN " code-signing \"A\" B",
        "\n" PIN " code-signing \"A\"\"",
        "\n" PIN " code-signing \"A\" abcd",
        "\n" PIN " code-signing \"A\" " HEX "0",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        SP_AUTO(sp_trust_free) struct sp_trust *t = trust_new();
        struct sp_why why = {0};
        assert_err(sp_trust_add_pins(t, sp_view_str(texts[i]), &why), SP_E_CONFIG);
        assert_memory_equal(why.text, "line 2: ", 8);
        assert_int_equal(sp_trust_pins(t), 0);
    }
}

static void b_missing_roots_are_named(void **state)
{
    (void)state;
    SP_AUTO(sp_trust_free) struct sp_trust *t = trust_new();
    struct sp_trust_root r;
    assert_ok(sp_trust_add_pins(t,
                                SP_VIEW(PIN " code-signing \"A\"\n" PIN
                                            " time-stamping \"B\" " HEX " # seen\n"),
                                NULL));
    assert_true(sp_trust_missing(t, 0, &r));
    assert_string_equal(r.common_name, "B");
    assert_int_equal(r.sha256[1], 0x11);
    assert_true(r.pinned[SP_PURPOSE_TIME_STAMPING]);
    assert_false(r.pinned[SP_PURPOSE_CODE_SIGNING]);
    assert_false(sp_trust_missing(t, 1, &r));
}

static void b_pins_stop_at_their_limits(void **state)
{
    (void)state;
    char name[80];
    SP_AUTO(sp_trust_free) struct sp_trust *t = trust_new();
    for (int i = 0; i < SP_LIMIT_TRUST_PINS; i++) {
        assert_ok(sp_trust_add_pins(t, SP_VIEW(PIN " code-signing \"A\"\n"), NULL));
    }
    assert_err(sp_trust_add_pins(t, SP_VIEW(PIN " code-signing \"A\"\n"), NULL),
               SP_E_LIMIT);
    SP_AUTO(sp_trust_free) struct sp_trust *u = trust_new();
    memset(name, 'n', sizeof name);
    for (int len = 63; len <= 64; len++) {
        char line[200];
        snprintf(line, sizeof line, PIN " code-signing \"%.*s\"", len, name);
        assert_err(sp_trust_add_pins(u, sp_view_str(line), NULL),
                   len == 63 ? SP_OK : SP_E_CONFIG);
    }
}

static void b_a_bundle_holds_something(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        SP_AUTO(sp_trust_free) struct sp_trust *t = trust_new();
        struct sp_why why = {0};
        assert_err(sp_trust_add_pem(t, sp_view_str(texts[i]), &why), SP_E_MALFORMED);
        assert_true(why.text[0] != 0);
    }
}

static void b_der_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum sp_err err;
    } rows[] = {
        {"\x04\x01x", 3, SP_OK},
        {"\x04\x00", 2, SP_OK},
        {"\x04", 1, SP_E_TRUNCATED},
        {"\x04\x02x", 3, SP_E_TRUNCATED},
        {"\x04\x81\x01x", 4, SP_E_UNSUPPORTED},    /* a length that needs no byte */
        {"\x04\x80\x00\x00", 4, SP_E_UNSUPPORTED}, /* the indefinite form */
        {"\x04\x82\x00\x80", 4, SP_E_UNSUPPORTED}, /* a leading zero */
        {"\x04\x85\x01\x01\x01\x01\x01", 7, SP_E_UNSUPPORTED},
        {"\x04\x84\xff\xff\xff\xff", 6, SP_E_TRUNCATED},
        {"\x04\x82\x01", 3, SP_E_TRUNCATED},
        {"\x1f\x01x", 3, SP_E_UNSUPPORTED}, /* a tag of several bytes */
        {"\x04\x01xx", 4, SP_E_MALFORMED},  /* something is left */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sp_der d = sp_der(sp_view(rows[i].bytes, rows[i].len));
        sp_der_any(&d);
        assert_err(sp_der_end(&d), rows[i].err);
    }
}

static void b_der_keeps_its_first_mistake(void **state)
{
    (void)state;
    struct sp_der d = sp_der(SP_VIEW("\x30\x03\x04\x01x\x05\x00"));
    struct sp_der inner = sp_der_enter(&d, SP_DER_SEQUENCE);
    assert_true(sp_der_is(&inner, SP_DER_OCTETS));
    assert_view_equal(sp_der_content(&inner, SP_DER_OCTETS), "x");
    assert_ok(sp_der_end(&inner));
    assert_int_equal(sp_der_content(&d, SP_DER_OID).len, 0);
    assert_err(sp_der_end(&d), SP_E_MALFORMED);
    sp_der_any(&d);
    assert_err(sp_der_end(&d), SP_E_MALFORMED);
    inner = sp_der_enter(&d, SP_DER_SEQUENCE);
    assert_err(sp_der_end(&inner), SP_E_MALFORMED);
}

/* A SignedData without signers is no signature; one byte more or less is none at all.
 */
static void b_an_empty_signature(void **state)
{
    (void)state;
    static const uint8_t empty[] = {0x30, 0x1b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                    0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x0e, 0x30,
                                    0x0c, 0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x03,
                                    0x06, 0x01, 0x2a, 0x31, 0x00, 0x00};
    SP_AUTO(sp_cms_free) struct sp_cms *c = NULL;
    assert_ok(sp_cms_read(sp_view(empty, 29), &c, NULL));
    assert_int_equal(sp_cms_count(c), 0);
    SP_AUTO(sp_cms_free) struct sp_cms *none = NULL;
    for (size_t len = 0; len <= 30; len++) {
        if (len != 29) {
            assert_true(sp_cms_read(sp_view(empty, len), &none, NULL) != SP_OK);
        }
    }
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_pins_are_read),
        cmocka_unit_test(b_mistakes_are_named_with_their_line),
        cmocka_unit_test(b_missing_roots_are_named),
        cmocka_unit_test(b_pins_stop_at_their_limits),
        cmocka_unit_test(b_a_bundle_holds_something),
        cmocka_unit_test(b_der_is_read_strictly),
        cmocka_unit_test(b_der_keeps_its_first_mistake),
        cmocka_unit_test(b_an_empty_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
