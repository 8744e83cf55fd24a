/* Who may look at the admin pages from elsewhere. */
#include "unit.h"

#include "app/admin/admin_key.h"
#include "core/crypto/crypto.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static bool fits(const char *value)
{
    uint8_t hash[32];
    sp_sha256(SP_VIEW(SECRET), hash);
    return sp_admin_key_fits(sp_view_str(value), hash);
}

static void a_who_shows_it(void **state)
{
    (void)state;
    assert_true(fits("Bearer " SECRET));
    assert_true(fits("bearer  " SECRET " "));
    /* x:SECRET, :SECRET */
    assert_true(fits("Basic eDowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="));
    assert_true(fits("BASIC OjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"));
}

static void a_who_does_not(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer " SECRET "0",
        "Bearer 0123456789abcdef0123456789abcde",
        SECRET,
        "Digest " SECRET,
        "Basic " SECRET,
        "Basic !",
        "Basic ",
        "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", /* without a name */
        "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6", /* as the name */
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_false(fits(values[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_who_shows_it),
                                       cmocka_unit_test(a_who_does_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
