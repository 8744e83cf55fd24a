#include "unit.h"

#include "core/http/http.h"

static void b_the_port_and_the_case_do_not_matter(void **state)
{
    (void)state;
    static const char *const same[] = {"gate.example", "GATE.Example",
                                       "gate.example:8531", "gate.example.",
                                       "gate.example.:8531"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_true(sp_http_host_is(sp_view_str(same[i]), "gate.example"));
        assert_true(sp_http_host_is(sp_view_str(same[i]), "Gate.Example."));
    }
}

static void b_addresses(void **state)
{
    (void)state;
    assert_true(sp_http_host_is(sp_view_str("192.0.2.7:8531"), "192.0.2.7"));
    assert_true(sp_http_host_is(sp_view_str("[2001:DB8::7]:8531"), "2001:db8::7"));
    assert_true(sp_http_host_is(sp_view_str("[::1]"), "::1"));
    assert_false(sp_http_host_is(sp_view_str("192.0.2.70"), "192.0.2.7"));
    assert_false(sp_http_host_is(sp_view_str("[::1]:80"), "::11"));
    assert_false(sp_http_host_is(sp_view_str("[::11]:80"), "::1"));
}

static void f_neighbours(void **state)
{
    (void)state;
    static const char *const others[] = {
        "gate.exampl",
        "gate.examplee",
        "gate.example..",
        ".gate.example",
        "xgate.example",
        "example",
        "gate.example.evil.net",
        "*.example",
        "evil.net:8531",
        ":8531",
        "",
        ".",
        "gate",
        "gate.example-",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(sp_http_host_is(sp_view_str(others[i]), "gate.example"));
        assert_false(sp_http_host_is(sp_view_str(others[i]), ""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_the_port_and_the_case_do_not_matter),
        cmocka_unit_test(b_addresses),
        cmocka_unit_test(f_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
