/* Every key of config.def: its default, what it takes, and its refusal with the line.
 */
#include "config_rig.h"

#define A_COSIGNER(more)                                                               \
    "\ncosigner \"w\" { url = \"https://w/w\" ca_file = \"/ca\" "                      \
    "pins = { \"" PIN("A") "\", \"" PIN("B") "\" } " more " }"
#define COSIGNER_KEY                                                                   \
    "\"example.net/west+1ef9e506+BLtcZySCsNzKkaIaTtY7Fa/eiqE3jacs0Bs0lYnW591q\""

/* ---- the table ---------------------------------------------------------------- */

enum section {
    TOP,
    LOG,
    UPSTREAM,
    LISTENER,
    CATALOG,
    WITNESS,
    COSIGNER,
    ADMIN,
    SECTIONS
};

/* One key with a value that passes and one that does not; more is what the first one
 * needs beside it; part is of what the second one is told. */
static const struct key_case {
    enum section section;
    const char *key, *good, *more, *wrong, *part;
} cases[] = {
    {TOP, "state_dir", "\"/s\"", "", "\"\"", "may not be empty"},
    {TOP, "cache_dir", "\"/c\"", "", "\"\"", "may not be empty"},
    {TOP, "policy", "\"/p\"", "", "{ \"/p\" }", "unexpected token '{'"},
    {TOP, "ledger_name", "\"example.net/l\"", "", "{ \"x\" }", "unexpected token '{'"},
    {TOP, "metadata_memory_mib", "1048576", "", "1048577", "1 to 1048576"},
    {TOP, "peer_rate", "1000000", "", "1000001", "0 to 1000000"},
    {TOP, "peer_at_once", "1000000", "", "1000001", "0 to 1000000"},
    {TOP, "peer_connections", "10000", "", "10001", "0 to 10000"},
    {TOP, "peer_mib", "1048576", "", "1048577", "0 to 1048576"},
    {TOP, "peer_content_at_once", "1000000", "", "1000001", "0 to 1000000"},
    {TOP, "peer_content_mib", "1048576", "", "1048577", "0 to 1048576"},
    {TOP, "content_release", "\"verified\"", "", "\"never\"", "tail-hold, verified"},
    {TOP, "content_hold_kib", "16777216", "", "16777217", "1 to 16777216 (KiB)"},
    {TOP, "content_threshold_kib", "1", "", "0", "1 to 16777216 (KiB)"},
    {TOP, "sandbox", "\"off\"", "", "\"no\"", "on, off"},
    {TOP, "kernel_tls", "\"off\"", "", "\"on\"", "auto, off"},
    {TOP, "own_records", "\"off\"", "", "\"on\"", "auto, off"},
    {TOP, "user", "\"nobody\"", "", "{ \"nobody\" }", "unexpected token '{'"},
    {TOP, "group", "\"adm\"", "user = \"nobody\"", "\"adm\"", "goes with user"},
    {TOP, "workers", "256", "", "257", "0 (one a core) to 256"},
    {TOP, "cache_max", "1099511627776", "", "1099511627777", "0 to 1099511627776"},
    {TOP, "cache_floor", "50", "", "51", "0 to 50"},
    {TOP, "recheck", "\"always\"", "", "\"never\"", "one of"},
    {TOP, "scrub_rate", "1", "", "0", "1 to 1048576"},
    {TOP, "code_signing_pins", "\"/pins\"", "", "{ \"/p\" }", "unexpected token '{'"},
    {TOP, "code_signing_bundle", "\"/pem\"", "", "{ \"/p\" }", "unexpected token '{'"},
    {TOP, "code_signing_crls", "{ \"/a.crl\", \"/b.crl\" }", "", "{ \"/a\" \"/b\" }",
     "unexpected token"},
    {TOP, "posture", "\"long\"", "", "\"sometimes\"", "standard, long, off"},
    {TOP, "posture_interval", "1000000", "", "1000001", "0 to 1000000"},
    {TOP, "freshness_days", "366", "", "367", "0 to 366"},
    {TOP, "cosigns", "{ " LEDGER_KEY " }", "", "{ " COSIGNER_KEY " }",
     "ledger's public key"},
    {TOP, "cosignatures", "1", A_COSIGNER("key = " COSIGNER_KEY), "1",
     "how many of the cosigner sections"},
    {LOG, "format", "\"text\"", "", "\"xml\"", "json, text, journal"},
    {LOG, "level", "\"debug\"", "", "\"loud\"", "error, warning, info, debug"},
    {UPSTREAM, "url", "\"https://other:8531\"", "", "\"http://u:8530\"", "plain HTTP"},
    {UPSTREAM, "ca_file", "\"/other\"", "", "\"\"", "ca_file is missing"},
    {UPSTREAM, "pins", "{ \"" PIN("C") "\", \"" PIN("D") "\" }", "",
     "{ \"sha1//x\", \"" PIN("D") "\" }", "sha256//BASE64="},
    {UPSTREAM, "content_transport", "\"https-or-http\"", "", "\"http\"",
     "https, https-or-http"},
    {UPSTREAM, "content_sources", "\"upstream-then-microsoft\"",
     "content_hosts = { \"*.example.net\" } content_ca_file = \"/ca\"",
     "\"upstream-then-microsoft\"", "needs content_hosts"},
    {UPSTREAM, "content_hosts", "{ \"*.example.net\", \"localhost:8531\" }", "",
     "{ \"*.net\" }", "*.windowsupdate.com"},
    {UPSTREAM, "content_ca_file", "\"/roots\"", "", "{ \"/r\" }",
     "unexpected token '{'"},
    {UPSTREAM, "content_proxy", "\"http://p:3128\"", "", "{ \"p\" }",
     "unexpected token '{'"},
    {UPSTREAM, "proxy", "\"http://p:3128\"", "", "{ \"p\" }", "unexpected token '{'"},
    {UPSTREAM, "client_certificate", "\"/cert\"", "client_key = \"/key\"", "\"/cert\"",
     "go together"},
    {UPSTREAM, "client_key", "\"/key\"", "client_certificate = \"/cert\"", "\"/key\"",
     "go together"},
    {UPSTREAM, "cookies", "\"relayed\"", "", "\"open\"", "sealed, relayed"},
    {UPSTREAM, "cookie_age", "604800", "", "604801", "1 to 604800"},
    {UPSTREAM, "prefetch", "\"on\"", "", "\"yes\"", "off, on"},
    {UPSTREAM, "prefetch_classifications",
     "{ \"0fa1201d-4330-4fa8-8ae9-b877473b6441\" }", "", "{ \"security\" }",
     "UpdateID"},
    {UPSTREAM, "prefetch_products", "{ \"72e7624a-5b00-45d2-b92f-e561c0a6a160\" }", "",
     "{ \"{72e7624a-5b00-45d2-b92f-e561c0a6a160}\" }", "UpdateID"},
    {UPSTREAM, "prefetch_max", "16384", "", "16385", "0 to 16384"},
    {UPSTREAM, "prefetch_window", "\"22:00-05:30\"", "", "\"22:00\"", "HH:MM-HH:MM"},
    {UPSTREAM, "prefetch_rate", "16777216", "", "16777217", "0 to 16777216"},
    {UPSTREAM, "custody", "\"require\"", "custody_key = " LEDGER_KEY, "\"observe\"",
     "needs the public key"},
    {UPSTREAM, "custody_key", LEDGER_KEY, "custody = \"observe\"", "{ \"x\" }",
     "unexpected token"},
    {UPSTREAM, "custody_cosigners", "{ " COSIGNER_KEY " }",
     "custody = \"observe\" custody_key = " LEDGER_KEY, "{ " LEDGER_KEY " }",
     "witness/key.pub"},
    {UPSTREAM, "custody_cosignatures", "1",
     "custody = \"observe\" custody_key = " LEDGER_KEY
     " custody_cosigners = { " COSIGNER_KEY " }",
     "1", "0 to 0"},
    {LISTENER, "bind", "\"[::]:65535\"", "", "\"127.0.0.1:65536\"",
     "address and a port"},
    {LISTENER, "upstream", "\"u\"", "", "\"v\"", "no such upstream"},
    {LISTENER, "certificate", "\"/cert\"", "key = \"/key\"", "\"/cert\"",
     "go together"},
    {LISTENER, "key", "\"/key\"", "certificate = \"/cert\"", "\"/key\"", "go together"},
    {LISTENER, "client_ca", "\"/ca\"", "certificate = \"/c\" key = \"/k\"", "\"/ca\"",
     "needs a listener with a certificate"},
    {LISTENER, "names", "{ \"a\", \"b\" }", "", "{ \"a\" \"b\" }",
     "unexpected token 'b'"},
    {LISTENER, "allow", "{ \"10.0.0.0/8\" }", "", "{ \"10.0.0.1/8\" }", "network"},
    {LISTENER, "plain_http", "\"observe\"", "", "\"off\"",
     "policy, enforce, audit, observe"},
    {LISTENER, "content_http", "\"refuse\"", "", "\"on\"", "verified-only, refuse"},
    {LISTENER, "file_locations", "\"any\"", "", "\"all\"", "custody, any, relayed"},
    {LISTENER, "content_address", "\"http://a.b:1\"", "", "\"http://a/b\"",
     "http://host:port"},
    {LISTENER, "custody", "\"on\"", "certificate = \"/c\" key = \"/k\"", "\"on\"",
     "over TLS only"},
    {LISTENER, "tlog_witness", "\"off\"", "", "\"on\"", "over TLS only"},
    {CATALOG, "url", "\"https://other:8531/a/b.cab\"", "", "\"http://k/w.cab\"",
     "https://host[:port]/path"},
    {CATALOG, "ca_file", "\"/other\"", "", "\"\"", "ca_file is missing"},
    {CATALOG, "pins", "{ \"" PIN("C") "\", \"" PIN("D") "\" }", "",
     "{ \"" PIN("D") "\" }", "backup pin"},
    {CATALOG, "proxy", "\"http://p:3128\"", "", "{ \"p\" }", "unexpected token '{'"},
    {CATALOG, "interval", "0", "", "-1", "0 to 1073741824"},
    {CATALOG, "path", "\"/scan/w.cab\"", "", "\"/Content/AA/x.cab\"", "none that WSUS"},
    {CATALOG, "max_mib", "4095", "", "4096", "1 to 4095"},
    {WITNESS, "kind", "\"catalogue\"", "", "\"oracle\"", "catalogue, export"},
    {WITNESS, "upstream", "\"u\"", "kind = \"upstream\"", "{ \"u\" }",
     "unexpected token"},
    {WITNESS, "file", "\"/ledger\"", "kind = \"export\" key = " LEDGER_KEY,
     "{ \"/x\" }", "unexpected token"},
    {WITNESS, "key", LEDGER_KEY, "kind = \"export\" file = \"/ledger\"", "{ \"x\" }",
     "unexpected token"},
    {COSIGNER, "url", "\"https://other/w\"", "", "\"http://w/w\"", "https://host"},
    {COSIGNER, "ca_file", "\"/other\"", "", "\"\"", "ca_file is missing"},
    {COSIGNER, "pins", "{ \"" PIN("C") "\", \"" PIN("D") "\" }", "",
     "{ \"" PIN("D") "\" }", "backup pin"},
    {COSIGNER, "proxy", "\"http://p:3128\"", "", "{ \"p\" }", "unexpected token '{'"},
    {COSIGNER, "client_certificate", "\"/cert\"", "client_key = \"/key\"", "\"/cert\"",
     "go together"},
    {COSIGNER, "client_key", "\"/key\"", "client_certificate = \"/cert\"", "\"/key\"",
     "go together"},
    {COSIGNER, "key", COSIGNER_KEY, "", LEDGER_KEY, "witness/key.pub"},
    {ADMIN, "bind", "\"[::1]:1\"", "", "\"0.0.0.0:8532\"", "stays on loopback"},
    {ADMIN, "remote_bind", "\"0.0.0.0:1\"",
     "certificate = \"/c\" key = \"/k\" token_file = \"/t\"", "\"0.0.0.0:1\"",
     "over TLS"},
    {ADMIN, "certificate", "\"/c\"",
     "remote_bind = \"[::]:1\" key = \"/k\" token_file = \"/t\"", "\"/c\"",
     "remote_bind, which is not set"},
    {ADMIN, "key", "\"/k\"",
     "remote_bind = \"[::]:1\" certificate = \"/c\" client_ca = \"/a\"", "\"/k\"",
     "remote_bind, which is not set"},
    {ADMIN, "client_ca", "\"/a\"",
     "remote_bind = \"[::]:1\" certificate = \"/c\" key = \"/k\"", "\"/a\"",
     "remote_bind, which is not set"},
    {ADMIN, "token_file", "\"/t\"",
     "remote_bind = \"[::]:1\" certificate = \"/c\" key = \"/k\"", "\"/t\"",
     "remote_bind, which is not set"},
};

static const struct {
    enum section section;
    const char *key, *value; /* as the dump writes it */
} defaults[] = {
#define IS_STR(def)                        "\"" def "\""
#define IS_INT(def)                        #def
#define IS_LIST(def)                       "{ }"
#define KEY(section, key, type, def, help) {section, #key, IS_##type(def)},
#include "app/config/config.def"
#undef KEY
};

/* Where a line gives key twice, its template's value makes room for the other. */
static void leave_the_last(char *text, int line, const char *key)
{
    char written[64];
    for (; line > 1; line--) {
        text = strchr(text, '\n') + 1;
    }
    snprintf(written, sizeof written, " %s = ", key);
    char *first = strstr(text, written), *end = strchr(text, '\n');
    char *second = first ? strstr(first + 1, written) : NULL;
    if (second && second < end) {
        char *value = first + strlen(written);
        size_t n =
            *value == '{' ? strcspn(value, "}") + 1 : strcspn(value + 1, "\"") + 2;
        memset(first, ' ', (size_t)(value - first) + n);
    }
}

static int line_of(const struct key_case *k)
{
    return k->section == UPSTREAM || k->section == COSIGNER ? 2
           : k->section == LISTENER                         ? 3
           : k->section == CATALOG                          ? 4
                                                            : 1;
}

static const char *with(const struct key_case *k, const char *value, const char *more)
{
    static char text[4096], line[512];
    static const char *const heads[SECTIONS] = {
        [TOP] = "",           [LOG] = "log { ",
        [ADMIN] = "admin { ", [WITNESS] = "witness \"w\" { ",
        [UPSTREAM] = "",      [LISTENER] = "",
        [CATALOG] = "",       [COSIGNER] = ""};
    bool framed = k->section == LOG || k->section == ADMIN || k->section == WITNESS;
    snprintf(line, sizeof line, "%s%s = %s %s%s", heads[k->section], k->key, value,
             more, framed ? " }" : "");
    if (k->section == COSIGNER) {
        snprintf(text, sizeof text,
                 "cosignatures = 1" A_COSIGNER("%s %s") TEXT_WITH("\n", "", "", ""),
                 strcmp(k->key, "key") == 0 ? "" : "key = " COSIGNER_KEY, line);
        leave_the_last(text, line_of(k), k->key);
        return text;
    }
    snprintf(text, sizeof text, TEXT_WITH("%s", "%s", "%s", "%s"),
             framed || k->section == TOP ? line : "",
             k->section == UPSTREAM ? line : "", k->section == LISTENER ? line : "",
             k->section == CATALOG ? line : "");
    leave_the_last(text, line_of(k), k->key);
    return text;
}

/* The dump has "key = value" in its section. */
static bool dumps(const struct sp_config *c, enum section section, const char *key,
                  const char *value)
{
    static const char *const heads[SECTIONS] = {[TOP] = "",
                                                [LOG] = "\nlog {",
                                                [UPSTREAM] = "\nupstream \"",
                                                [LISTENER] = "\nlistener \"",
                                                [CATALOG] = "\ncatalog \"",
                                                [WITNESS] = "\nwitness \"",
                                                [COSIGNER] = "\ncosigner \"",
                                                [ADMIN] = "\nadmin {"};
    char line[512];
    snprintf(line, sizeof line, "%s%s = %s\n", section == TOP ? "" : "    ", key,
             value);
    const char *from = strstr(sp_config_dump(c), heads[section]);
    assert_non_null(from);
    const char *found = strstr(from, line);
    const char *end = section == TOP ? strstr(from, "\nlog {") : strstr(from, "\n}");
    return found && found < end;
}

static void b_every_key_has_a_case(void **state)
{
    (void)state;
    assert_int_equal(sizeof cases / sizeof cases[0],
                     sizeof defaults / sizeof defaults[0]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cases[i].section, defaults[i].section);
        assert_string_equal(cases[i].key, defaults[i].key);
    }
}

static bool is_given(const char *key)
{
    static const char *const given[] = {"url",      "ca_file", "pins",
                                        "upstream", "kind",    "cosignatures"};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (strcmp(key, given[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void b_defaults(void **state)
{
    (void)state;
    struct sp_config *c = parse(TEXT_WITH(
        "cosignatures = 1", "", "", "") "witness \"w\" { kind = \"catalogue\" "
                                        "}\n" A_COSIGNER("key = " COSIGNER_KEY) "\n");
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        const char *key = defaults[i].key;
        bool given = is_given(key) ||
                     (defaults[i].section == LISTENER && !strcmp(key, "bind")) ||
                     (defaults[i].section == COSIGNER && !strcmp(key, "key"));
        if (!given && !dumps(c, defaults[i].section, key, defaults[i].value)) {
            fail_msg("%s is not %s in\n%s", key, defaults[i].value, sp_config_dump(c));
        }
    }
    assert_string_equal(c->admin_bind, "127.0.0.1:8532");
    assert_int_equal(c->log_format, SP_LOG_JSON);
    assert_int_equal(c->log_level, SP_LOG_INFO);
    assert_int_equal(c->workers, 0);
    assert_true(c->release.tail_hold);
    assert_int_equal(c->release.hold, SP_MIB(1));
    assert_int_equal(c->release.threshold, SP_MIB(4));
    assert_false(c->upstreams[0].content_over_http);
    assert_int_equal(c->listeners[0].plain_http, SP_PLAIN_POLICY);
    assert_true(c->listeners[0].content_http);
    sp_config_free(&c);
}

static void b_every_key_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sp_config *c = parse(with(&cases[i], cases[i].good, cases[i].more));
        if (!dumps(c, cases[i].section, cases[i].key, cases[i].good)) {
            fail_msg("%s = %s is not in\n%s", cases[i].key, cases[i].good,
                     sp_config_dump(c));
        }
        struct sp_config *again = parse(sp_config_dump(c));
        assert_string_equal(sp_config_dump(again), sp_config_dump(c));
        sp_config_free(&again);
        sp_config_free(&c);
    }
}

static void b_catalog(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned interval, asked;
    } cases_of[] = {{"", 1440, 1440},
                    {"interval = 60", 60, 60},
                    {"interval = 59", 60, 59},
                    {"interval = 10080", 10080, 10080},
                    {"interval = 10081", 10080, 10081}};
    for (size_t i = 0; i < sizeof cases_of / sizeof cases_of[0]; i++) {
        static char text[2048];
        snprintf(text, sizeof text, TEXT_WITH("", "", "", "%s"), cases_of[i].text);
        struct sp_config *c = parse(text);
        assert_int_equal(c->catalog->interval, cases_of[i].interval);
        assert_int_equal(c->catalog->asked, cases_of[i].asked);
        assert_string_equal(c->catalog->source.url, "https://k");
        assert_string_equal(c->catalog->target, "/w.cab");
        assert_string_equal(c->catalog->path, "/catalog/wsusscn2.cab");
        assert_true(c->catalog->ceiling == SP_MIB(2048));
        sp_config_free(&c);
    }
    refused(TEXT_WITH("", "", "", "") "catalog \"second\" { }\n",
            "x.conf:5:", "one catalogue");
    static const char *const urls[] = {"https://k", "https://k/a?b", "https://k/a b",
                                       "https://k/../a", "HTTPS://k/a"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        static char text[2048];
        snprintf(text, sizeof text, TEXT_WITH("", "", "", "url = \"%s\""), urls[i]);
        leave_the_last(text, 4, "url");
        refused(text, "x.conf:4:", "https://host[:port]/path");
    }
}

static void b_values(void **state)
{
    (void)state;
    struct sp_config *c =
        parse(TEXT_OF("workers = 3 log { format = text level = error } admin { bind = "
                      "\"\" }",
                      "content_transport = \"https-or-http\"",
                      "plain_http = audit content_http = refuse names = { a, b } "
                      "allow = { \"10.0.0.0/8\", \"::/0\" }"));
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->log_format, SP_LOG_TEXT);
    assert_int_equal(c->log_level, SP_LOG_ERROR);
    assert_string_equal(c->admin_bind, "");
    assert_int_equal(c->upstream_count, 1);
    assert_string_equal(c->upstreams[0].name, "u");
    assert_string_equal(c->upstreams[0].url, "https://u");
    assert_int_equal(c->upstreams[0].pin_count, 2);
    assert_true(c->upstreams[0].content_over_http);
    assert_int_equal(c->upstreams[0].line, 2);
    assert_int_equal(c->listener_count, 1);
    assert_int_equal(c->listeners[0].plain_http, SP_PLAIN_AUDIT);
    assert_false(c->listeners[0].content_http);
    assert_int_equal(c->listeners[0].name_count, 2);
    assert_string_equal(c->listeners[0].names[1], "b");
    assert_int_equal(c->listeners[0].allow_count, 2);
    assert_int_equal(c->listeners[0].line, 3);
    sp_config_free(&c);
    assert_null(c);
}

static void f_every_key_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char start[32];
        snprintf(start, sizeof start, "x.conf:%d: ", line_of(&cases[i]));
        refused(with(&cases[i], cases[i].wrong, ""), start, cases[i].part);
    }
    refused(TEXT_OF("workers = many", "", ""), "x.conf:1: ", "workers");
    refused(TEXT_OF("workers = -1", "", ""), "x.conf:1: ", "0 (one a core) to 256");
    refused(TEXT_OF("content_hold_kib = 0", "", ""), "x.conf:1: ", "1 to 16777216");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_every_key_has_a_case),
        cmocka_unit_test(b_defaults),
        cmocka_unit_test(b_every_key_is_taken),
        cmocka_unit_test(b_catalog),
        cmocka_unit_test(b_values),
        cmocka_unit_test(f_every_key_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
