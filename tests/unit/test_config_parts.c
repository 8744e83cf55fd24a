/* What goes together in a configuration: sections, the pins of one, witnesses. */
#include "config_rig.h"

/* count different pins, then more. */
static const char *pins(unsigned count, const char *more)
{
    static char text[4096];
    size_t at = (size_t)snprintf(text, sizeof text,
                                 "\n\nupstream \"u\" { url = \"https://u\" ca_file = "
                                 "\"/ca\"\n  pins = {");
    for (unsigned i = 0; i < count; i++) {
        char c[2] = {(char)('A' + i), 0};
        at += (size_t)snprintf(text + at, sizeof text - at, "%s \"sha256//%s%s\"",
                               i ? "," : "", c,
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    }
    snprintf(text + at, sizeof text - at,
             "%s }\n}\nlistener \"l\" { bind = \"[::]:1\" upstream = \"u\" }\n", more);
    return text;
}

static void f_pins(void **state)
{
    (void)state;
    refused(pins(0, ""), "x.conf:4: upstream \"u\": ", "no pins");
    refused(pins(1, ""),
            "x.conf:4: upstream \"u\": ", "a single pin locks everybody out");
    refused(pins(2, ", \"" PIN("A") "\""), "x.conf:4: ", "stands twice");
    refused(pins(17, ""), "x.conf:4: ", "more than 16");
    for (unsigned count = 2; count <= 16; count += 14) {
        struct sp_config *c = parse(pins(count, ""));
        assert_int_equal(c->upstreams[0].pin_count, count);
        sp_config_free(&c);
    }
}

/* A set counts as the pins in it. */
static void b_a_set_of_pins(void **state)
{
    (void)state;
#define WITH_PINS(pins)                                                                \
    "upstream \"u\" { url = \"https://u\" ca_file = \"/ca\" pins = { " pins " } }\n"   \
    "listener \"l\" { bind = \"127.0.0.1:8530\" upstream = \"u\" }\n"
    struct sp_config *c = parse(WITH_PINS("\"microsoft-update-tls\""));
    struct sp_pin root;
    assert_ok(sp_pin_parse(
        SP_VIEW("sha256//AjdtCQisIwQcx9Zm2drxklVPf8NjF6qcuACQhhayivg="), &root));
    assert_int_equal(c->upstreams[0].pin_count, 2);
    assert_true(sp_pin_eq(&c->upstreams[0].pins[0], &root));
    sp_config_free(&c);
    c = parse(WITH_PINS("\"" PIN("A") "\", microsoft-update-tls"));
    assert_int_equal(c->upstreams[0].pin_count, 3);
    sp_config_free(&c);
    refused(WITH_PINS("\"microsoft-update\""), "x.conf:1: ", "microsoft-update-tls");
    refused(WITH_PINS("microsoft-update-tls, microsoft-update-tls"),
            "x.conf:1: ", "stands twice");
}

static void f_sections(void **state)
{
    (void)state;
    refused(LEAST "upstream \"u\" { }", "x.conf:4: ", "'u'");
    refused(LEAST "listener \"l\" { }", "x.conf:4: ", "'l'");
    refused("", "x.conf:", "no upstream section");
    refused("upstream \"u\" { url = \"https://u\" ca_file = \"/ca\" pins = { \"" PIN(
                "A") "\", \"" PIN("B") "\" } }",
            "x.conf:", "no listener section");
    struct sp_config *c =
        parse(LEAST "upstream \"v\" { url = \"https://v\" ca_file = "
                    "\"/ca\" pins = { \"" PIN("A") "\", \"" PIN("B") "\" } }");
    assert_int_equal(c->upstream_count, 2);
    sp_config_free(&c);
}

static void b_witnesses(void **state)
{
    (void)state;
    static const struct {
        const char *section, *part;
    } wrong[] = {
        {"witness \"w\" { }", "catalogue, export"},
        {"witness \"w\" { kind = \"catalogue\" }", "no catalog section"},
        {"witness \"w\" { kind = \"export\" key = " LEDGER_KEY " }", "file is missing"},
        {"witness \"w\" { kind = \"export\" file = \"/x\" }", "public key"},
        {"witness \"w\" { kind = \"export\" file = \"/x\" key = \"PRIVATE+KEY+x\" }",
         "public key"},
        {"witness \"a b\" { kind = \"catalogue\" }", "no blanks"},
        {"witness \"w\" { kind = \"upstream\" upstream = \"v\" }", "upstream section"},
        {"witness \"w\" { kind = \"ledger\" upstream = \"u\" }", "needs custody"},
        {"witness \"\" { kind = \"catalogue\" }", "no blanks"},
    };
    char text[2048];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, LEAST "%s\n", wrong[i].section);
        refused(text, "x.conf:4:", wrong[i].part);
    }
    struct sp_config *c = parse(
        TEXT_WITH("", "", "", "") "witness \"k\" { kind = \"catalogue\" }\n"
                                  "witness \"e\" { kind = \"export\" file = \"/x\" "
                                  "key = " LEDGER_KEY " }\n");
    assert_int_equal(c->witness_count, 2);
    assert_int_equal(c->witnesses[0].kind, SP_WITNESS_CATALOG);
    assert_string_equal(c->witnesses[1].name, "e");
    assert_string_equal(c->witnesses[1].file, "/x");
    assert_string_equal(sp_note_key_name(c->witnesses[1].key), "PeterNeumann");
    assert_int_equal(c->witnesses[1].line, 6);
    sp_config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_pins),
        cmocka_unit_test(b_a_set_of_pins),
        cmocka_unit_test(f_sections),
        cmocka_unit_test(b_witnesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
