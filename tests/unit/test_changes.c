/* What of a configuration is another one than before. */
#include "folder.h"

#include "app/run/changes.h"

#include <stdio.h>
#include <string.h>

#define PIN(c) "sha256//" c "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define UPSTREAM(name, more)                                                           \
    "upstream \"" name                                                                 \
    "\" {\n url = \"https://u\" ca_file = \"%1$s/ca\"\n pins = { \"" PIN(              \
        "A") "\", \"" PIN("B") "\" }\n" more "\n}\n"
#define LISTENER(name, more) "listener \"" name "\" {\n upstream = \"u\"\n" more "\n}\n"
#define BASE                 UPSTREAM("u", "") LISTENER("l", "bind = \"127.0.0.1:1\"")

static struct sp_snapshot *snapshot(const char *format)
{
    char text[4096];
    struct sp_config *c = NULL;
    struct sp_snapshot *s = NULL;
    struct sp_why why = {0};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, format, folder_path);
#pragma GCC diagnostic pop
    enum sp_err e = sp_config_parse("x.conf", sp_view_str(text), &c, &why);
    if (e != SP_OK) {
        fail_msg("%s", why.text);
    }
    assert_ok(sp_snapshot_take(c, &s));
    sp_config_free(&c);
    return s;
}

/* "what is done now|what is left|what stands in the way" */
static const char *between(struct sp_snapshot *old, struct sp_snapshot *now)
{
    static char text[4096];
    struct sp_changes c;
    static const enum sp_change_when whens[] = {SP_CHANGE_NOW, SP_CHANGE_LATER,
                                                SP_CHANGE_NEVER};
    size_t n = 0;
    sp_changes_find(old, now, &c);
    for (size_t i = 0; i < 3; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf out;
        sp_buf_init(&out, SP_KIB(4));
        assert_ok(sp_changes_say(&c, whens[i], &out));
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? "|" : "",
                              (const char *)out.data);
        assert_true(whens[i] != SP_CHANGE_NEVER || c.never == (out.len > 1));
    }
    sp_snapshot_free(&old);
    sp_snapshot_free(&now);
    return text;
}

static void a_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {BASE, "||"},
        {"peer_rate = 7\n" BASE, "peer_rate||"},
        {"policy = \"/other\"\nscrub_rate = 1\n" BASE, "policy, scrub_rate||"},
        {"sandbox = \"off\"\n" BASE, "|sandbox|"},
        {"ledger_name = \"example.net/x\"\npeer_rate = 7\n" BASE,
         "peer_rate|ledger_name|"},
        {"workers = 3\npeer_rate = 7\n" BASE, "peer_rate||workers"},
        {"state_dir = \"/s\"\ncache_dir = \"/c\"\nuser = \"x\"\ngroup = \"y\"\n" BASE,
         "||state_dir, cache_dir, user, group"},
        {UPSTREAM("u", "cookie_age = 9") LISTENER("l", "bind = \"127.0.0.1:1\""),
         "upstream \"u\" cookie_age||"},
        {BASE UPSTREAM("v", ""), "upstream \"v\" (new)||"},
        {UPSTREAM("u", "") LISTENER("l", "bind = \"127.0.0.1:2\""),
         "||listener \"l\" bind"},
        {UPSTREAM("u", "")
             LISTENER("l", "bind = \"127.0.0.1:1\" allow = { \"10.0.0.0/8\" }"),
         "||listener \"l\" allow"},
        {UPSTREAM("u", "")
             LISTENER("l", "bind = \"127.0.0.1:1\" certificate = \"/c\" key = \"/k\""),
         "listener \"l\" key||listener \"l\" certificate"},
        {BASE LISTENER("m", "bind = \"127.0.0.1:2\""), "||listener \"m\" (new)"},
        {UPSTREAM("u", "") LISTENER("m", "bind = \"127.0.0.1:1\""),
         "||listener \"m\" (new), listener \"l\" (gone)"},
        {BASE "admin { bind = \"127.0.0.1:9\" }\n", "||admin bind"},
        {BASE "log { level = \"debug\" }\n", "log level||"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(between(snapshot(BASE), snapshot(cases[i].text)),
                            cases[i].said);
    }
    assert_string_equal(between(snapshot(BASE UPSTREAM("v", "")), snapshot(BASE)),
                        "upstream \"v\" (gone)||");
}

static void a_by_file(void **state)
{
    (void)state;
    folder_write(in_folder("ca"), "one", 3);
    struct sp_snapshot *old = snapshot(BASE), *same = snapshot(BASE);
    assert_string_equal(between(old, same), "||");
    old = snapshot(BASE);
    folder_write(in_folder("ca.new"), "two", 3);
    assert_int_equal(rename(in_folder("ca.new"), in_folder("ca")), 0);
    assert_string_equal(between(old, snapshot(BASE)),
                        "upstream \"u\" ca_file (file)||");
    old = snapshot(BASE);
    assert_int_equal(remove(in_folder("ca")), 0);
    assert_string_equal(between(old, snapshot(BASE)),
                        "upstream \"u\" ca_file (file)||");
}

static void b_json(void **state)
{
    (void)state;
    SP_AUTO(sp_snapshot_free) struct sp_snapshot *old = snapshot(BASE);
    SP_AUTO(sp_snapshot_free)
    struct sp_snapshot *now = snapshot("peer_rate = 7\nworkers = 3\n" BASE);
    SP_AUTO(sp_buf_fini) struct sp_buf done, refused;
    struct sp_changes c;
    sp_buf_init(&done, SP_KIB(4));
    sp_buf_init(&refused, SP_KIB(4));
    sp_changes_find(old, now, &c);
    assert_int_equal(sp_changes_count(&c, SP_CHANGE_NOW), 1);
    assert_ok(sp_changes_json(&c, "strict", NULL, &done));
    assert_ok(sp_buf_append_byte(&done, 0));
    assert_non_null(strstr((const char *)done.data, "\"reloaded\": true"));
    assert_non_null(strstr((const char *)done.data, "\"key\": \"peer_rate\""));
    assert_ok(sp_changes_json(&c, "strict", "no", &refused));
    assert_ok(sp_buf_append_byte(&refused, 0));
    assert_non_null(strstr((const char *)refused.data, "\"reloaded\": false"));
    assert_non_null(strstr((const char *)refused.data, "\"changed\": []"));
    assert_non_null(strstr((const char *)refused.data, "\"key\": \"workers\""));
}

/* As many as there is room for, and one more. */
static void f_many(void **state)
{
    (void)state;
    char text[16384];
    struct sp_changes c;
    for (unsigned n = SP_CHANGES; n <= SP_CHANGES + 1; n++) {
        size_t at = (size_t)snprintf(text, sizeof text, "%s", BASE);
        struct sp_config *config = NULL;
        struct sp_snapshot *old = snapshot(BASE), *now = NULL;
        struct sp_why why = {0};
        for (unsigned i = 0; i < n; i++) {
            at += (size_t)snprintf(
                text + at, sizeof text - at,
                "upstream \"x%u\" { url = \"https://u\" ca_file = "
                "\"/c\" pins = { \"" PIN("A") "\", \"" PIN("B") "\" "
                                                                "}\n}\n",
                i);
        }
        assert_ok(sp_config_parse("x.conf", sp_view(text, at), &config, &why));
        assert_ok(sp_snapshot_take(config, &now));
        sp_config_free(&config);
        sp_changes_find(old, now, &c);
        /* BASE stands here as it is, with its place for a folder: one more */
        assert_int_equal(c.count, SP_CHANGES);
        assert_int_equal(c.more, n + 1 - SP_CHANGES);
        sp_snapshot_free(&old);
        sp_snapshot_free(&now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_by_value, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_by_file, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(b_json, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(f_many, folder_setup, folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
