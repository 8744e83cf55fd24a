/* Which hosts may be asked for content, and which addresses metadata may name there. */
#include "unit.h"

#include "core/gate/source.h"

#define HEX "0102030405060708090a0b0c0d0e0f1011121314"

static const uint8_t SHA1[20] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

static enum sp_err read_url(const char *url, char *pattern, struct sp_source *out)
{
    struct sp_source_hosts hosts = {&pattern, 1};
    return sp_source_read(sp_view_str(url), SHA1, &hosts, out);
}

static void b_patterns(void **state)
{
    (void)state;
    static const char *const good[] = {
        "download.windowsupdate.com", "*.windowsupdate.com",
        "*.delivery.mp.microsoft.com:8443", "localhost:65535", "10.0.0.1"};
    static const char *const bad[] = {"",          "*",
                                      "*.com",     "*.*.example.com",
                                      "a.*.com",   "https://a.com",
                                      "a.com/",    "a..com",
                                      ".a.com",    "a.com.",
                                      "a.com:",    "a.com:0",
                                      "a.com:1x",  "a.com:65536",
                                      "a.com:080", "u@a.com",
                                      "a b.com",   "[::1]:443"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(sp_source_is_pattern(sp_view_str(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (sp_source_is_pattern(sp_view_str(bad[i]))) {
            fail_msg("\"%s\" passes", bad[i]);
        }
    }
}

static void b_addresses(void **state)
{
    (void)state;
    struct sp_source s;
    char under[] = "*.windowsupdate.com", with_port[] = "Localhost:8531";
    assert_ok(read_url("http://Download.WindowsUpdate.com/c/msdownload/a~b/x-y_" HEX
                       ".cab",
                       under, &s));
    assert_string_equal(s.host, "download.windowsupdate.com");
    assert_string_equal(s.path, "/c/msdownload/a~b/x-y_" HEX ".cab");
    assert_ok(read_url("https://a.b.windowsupdate.com/x_" HEX ".psf", under, &s));
    assert_ok(read_url("https://localhost:8531/x_" HEX ".cab", with_port, &s));
    assert_string_equal(s.host, "localhost:8531");
}

static void f_other_hosts(void **state)
{
    (void)state;
    struct sp_source s;
    char under[] = "*.windowsupdate.com", one[] = "localhost:8531",
         bare[] = "localhost";
    static const char *const others[] = {
        "windowsupdate.com", "evilwindowsupdate.com", ".windowsupdate.com",
        "a.windowsupdate.com.evil.x", "a.windowsupdate.com:8080"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char url[128];
        snprintf(url, sizeof url, "http://%s/x_" HEX ".cab", others[i]);
        assert_int_not_equal(read_url(url, under, &s), SP_OK);
    }
    assert_err(read_url("https://localhost/x_" HEX ".cab", one, &s), SP_E_DENIED);
    assert_err(read_url("https://localhost:8532/x_" HEX ".cab", one, &s), SP_E_DENIED);
    assert_err(read_url("https://localhost:8531/x_" HEX ".cab", bare, &s), SP_E_DENIED);
    struct sp_source_hosts none = {NULL, 0};
    assert_err(
        sp_source_read(SP_VIEW("https://localhost/x_" HEX ".cab"), SHA1, &none, &s),
        SP_E_DENIED);
}

static void f_odd_addresses(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "",
        "ftp://localhost/x_" HEX ".cab",
        "HTTP://localhost/x_" HEX ".cab",
        "//localhost/x_" HEX ".cab",
        "localhost/x_" HEX ".cab",
        "https://u:p@localhost/x_" HEX ".cab",
        "https://localhost:/x_" HEX ".cab",
        "https:///x_" HEX ".cab",
        "https://localhost/x_" HEX ".cab?a",
        "https://localhost/x_" HEX ".cab#a",
        "https://localhost/a?/x_" HEX ".cab",
        "https://localhost/%2e%2e/x_" HEX ".cab",
        "https://localhost/../x_" HEX ".cab",
        "https://localhost//x_" HEX ".cab",
        "https://localhost/a b/x_" HEX ".cab",
        "https://localhost/a\r\nb/x_" HEX ".cab",
        "https://localhost\\@evil/x_" HEX ".cab",
        "https://localhost/x_1" HEX ".cab",
        "https://localhost/x_0202030405060708090a0b0c0d0e0f1011121314.cab",
        "https://localhost/x.cab",
        ("https://localhost/x_" HEX),
    };
    char host[] = "localhost";
    struct sp_source s = {.host = "untouched"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        if (read_url(odd[i], host, &s) != SP_E_MALFORMED) {
            fail_msg("\"%s\" passes", odd[i]);
        }
    }
    assert_string_equal(s.host, "untouched");
}

static void f_length(void **state)
{
    (void)state;
    char host[] = "localhost", url[SP_FILE_URL + 1];
    struct sp_source s;
    const size_t lead = sizeof "https://localhost/" - 1,
                 tail = sizeof "_" HEX ".cab" - 1;
    for (size_t len = SP_FILE_URL - 1; len <= SP_FILE_URL; len++) {
        memset(url, 'a', sizeof url);
        memcpy(url, "https://localhost/", lead);
        memcpy(url + len - tail, "_" HEX ".cab", tail + 1);
        assert_err(read_url(url, host, &s), len < SP_FILE_URL ? SP_OK : SP_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_patterns),    cmocka_unit_test(b_addresses),
        cmocka_unit_test(f_other_hosts), cmocka_unit_test(f_odd_addresses),
        cmocka_unit_test(f_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
