/* A configuration as it is written: keys nobody knows or that stand twice, titles, NUL
 * bytes, size, comments, ends that are open. */
#include "config_rig.h"

static void f_unknown_keys(void **state)
{
    (void)state;
    refused(TEXT_OF("stat_dir = \"/s\"", "", ""),
            "x.conf:1: ", "unknown key \"stat_dir\"; did you mean \"state_dir\"?");
    refused(TEXT_OF("", "cafile = \"/s\"", ""), "x.conf:2: ",
            "unknown key \"cafile\" in section upstream; did you mean \"ca_file\"?");
    refused(TEXT_OF("", "", "\n\nplain_htpp = audit"), "x.conf:5: ", "\"plain_http\"?");
    refused(TEXT_OF("frobnicate = 1", "", ""), "x.conf:1: ", "\"frobnicate\"");
}

/* Whatever stands between the two, and however it is written. */
static void f_a_key_that_stands_twice(void **state)
{
    (void)state;
    refused(TEXT_OF("workers = 1\n# workers = 2\nworkers = 3", "", ""), "x.conf:3: ",
            "\"workers\" stands in line 1 already; the second would silently win");
    refused(TEXT_OF("workers=1 workers=1", "", ""), "x.conf:1: ", "line 1 already");
    refused(TEXT_OF("", "", "\nnames = { \"a\" }\nnames = { b }"),
            "x.conf:5: ", "\"names\" stands in line 4 already");
    refused(TEXT_OF("log { level = error }\nlog { format = text }", "", ""),
            "x.conf:2: ", "\"log\" stands in line 1 already");
    refused(TEXT_OF("log { level = error\n level = 'info' }", "", ""),
            "x.conf:2: ", "\"level\" stands in line 1 already");
    static const char *const good[] = {
        TEXT_OF("workers = 1\n# workers = 2\n// workers = 3\n/* workers = 4\n*/", "",
                ""),
        TEXT_OF("state_dir = \"/workers = 1\" workers = 2 log { level = error }\n"
                "cache_dir = 'it is \\' workers = 3'",
                "", ""),
        TEXT_OF("", "", "names = { a, b } names += { c } allow = { \"10.0.0.0/8\" }"),
        TEXT_OF("", "proxy = \"\"", "custody = off"),
        TEXT_OF("workers = 3 admin { bind = \"\" } log { format = text }",
                "proxy = \"\"", "")};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct sp_config *c = parse(good[i]);
        sp_config_free(&c);
    }
}

/* Titles without quotes are no keys, though they may be the same word. */
static void b_titles_without_quotes(void **state)
{
    (void)state;
    struct sp_config *c =
        parse("upstream a { url = \"https://u\" ca_file = \"/ca\" pins = { "
              "\"" PIN("A") "\", \"" PIN(
                  "B") "\" } }\n"
                       "listener a { bind = \"127.0.0.1:1\" upstream = a }\n"
                       "listener b { bind = \"127.0.0.1:2\" upstream = a }\n");
    assert_int_equal(c->listener_count, 2);
    sp_config_free(&c);
}

static void f_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("SALLYPORT_TEST", "from outside", 1), 0);
    refused(TEXT_OF("\nledger_name = \"${SALLYPORT_TEST}\"", "", ""),
            "x.conf:2: ", "${...}");
    refused(TEXT_OF("ledger_name = ${SALLYPORT_TEST}", "", ""), "x.conf:1: ", "${...}");
    struct sp_config *c =
        parse(TEXT_OF("ledger_name = \"$SALLYPORT_TEST $\\{x}\"", "", ""));
    assert_string_equal(c->ledger_name, "$SALLYPORT_TEST ${x}");
    struct sp_config *again = parse(sp_config_dump(c));
    assert_string_equal(again->ledger_name, "$SALLYPORT_TEST ${x}");
    sp_config_free(&again);
    sp_config_free(&c);
}

static void f_nul(void **state)
{
    (void)state;
    static const char text[] = LEAST "\n# \0\n";
    static const char last[] = LEAST "\0";
    struct sp_config *c = NULL;
    assert_err(parse_bytes(sp_view(text, sizeof text - 1), &c), SP_E_CONFIG);
    assert_non_null(strstr(why.text, "x.conf:5: a NUL byte"));
    assert_err(parse_bytes(sp_view(last, sizeof last - 1), &c), SP_E_CONFIG);
    assert_non_null(strstr(why.text, "x.conf:4: a NUL byte"));
}

static void f_size(void **state)
{
    (void)state;
    size_t most = 1024 * 1024;
    char *text = malloc(most + 1);
    struct sp_config *c = NULL;
    assert_non_null(text);
    memset(text, '\n', most + 1);
    memcpy(text, LEAST, sizeof LEAST - 1);
    assert_ok(parse_bytes(sp_view(text, most), &c));
    sp_config_free(&c);
    assert_err(parse_bytes(sp_view(text, most + 1), &c), SP_E_LIMIT);
    assert_non_null(strstr(why.text, "x.conf is larger than 1 MiB"));
    free(text);
}

/* What is not closed leaves nothing behind for the next text. */
static void f_open_ends(void **state)
{
    static const char *const ends[] = {LEAST "policy = \"open",
                                       LEAST "policy = 'open",
                                       LEAST "/* open",
                                       LEAST "log {",
                                       LEAST "upstream \"v\" { pins = { \"x\",",
                                       LEAST "policy =",
                                       LEAST "policy = \"\\"};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct sp_config *c = NULL;
        enum sp_err e = parse_bytes(sp_view_str(ends[i]), &c);
        if (e == SP_OK) {
            fail_msg("\"%s\" was taken", ends[i]);
        }
        c = parse(LEAST);
        sp_config_free(&c);
    }
}

static void f_comments(void **state)
{
    (void)state;
    refused(LEAST "\nworkers = 2 /* open\n\n", "x.conf:5: ", "never closed");
    refused(LEAST "/*/", "x.conf:4: ", "never closed");
    refused(LEAST "policy = \"a\"/* open", "x.conf:4: ", "never closed");
    refused(LEAST "policy = \"a\\\\\"/* open", "x.conf:4: ", "never closed");
    static const char *const closed[] = {"/* a\n /* b **/",
                                         "# /*",
                                         "// /*",
                                         "/* \" */",
                                         "policy = \"/*\"",
                                         "policy = '/*'",
                                         "policy = \"\\\"/*\"",
                                         "policy = '\\'/*'",
                                         "policy = a//b"};
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, "%s\nworkers = 7\n%s", closed[i], LEAST);
        struct sp_config *c = parse(text);
        assert_int_equal(c->workers, 7);
        sp_config_free(&c);
    }
}

static void f_cut_off(void **state)
{
    static const char text[] = LEAST;
    (void)state;
    for (size_t len = sizeof text - 3; len > 0; len--) {
        struct sp_config *c = NULL;
        if (parse_bytes(sp_view(text, len), &c) == SP_OK) {
            fail_msg("the first %zu bytes were taken", len);
        }
    }
    refused(LEAST "\nlog {\n level = debug", "x.conf:5: ", "a brace is never closed");
    struct sp_config *c = parse(LEAST "# {\n/* { */ log { level = \"info\" }");
    sp_config_free(&c);
}

static void b_from_a_file(void **state)
{
    (void)state;
    struct sp_config *c = NULL;
    why = (struct sp_why){0};
    assert_err(sp_config_load("/nonexistent/x.conf", &c, &why), SP_E_NOTFOUND);
    assert_non_null(strstr(why.text, "/nonexistent/x.conf"));
    assert_err(sp_config_load("/", &c, &why), SP_E_UNSUPPORTED);
    assert_null(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_unknown_keys),
        cmocka_unit_test(f_a_key_that_stands_twice),
        cmocka_unit_test(b_titles_without_quotes),
        cmocka_unit_test(f_environment),
        cmocka_unit_test(f_nul),
        cmocka_unit_test(f_size),
        cmocka_unit_test(f_open_ends),
        cmocka_unit_test(f_comments),
        cmocka_unit_test(f_cut_off),
        cmocka_unit_test(b_from_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
