#include "unit.h"

#include "app/config/account.h"

#define NOBODY_HAS_IT "sallyport-no-such-name"

static void b_root_and_its_group(void **state)
{
    (void)state;
    struct sp_account a = {.uid = 1};
    assert_ok(sp_account_find("root", "", &a, NULL));
    assert_int_equal(a.uid, 0);
    assert_int_equal(a.gid, 0);
    assert_string_equal(a.user, "root");
    assert_string_equal(a.group, "root");
}

static void b_another_group(void **state)
{
    (void)state;
    struct sp_account a = {0};
    assert_ok(sp_account_find("root", "daemon", &a, NULL));
    assert_int_not_equal(a.gid, 0);
    assert_string_equal(a.group, "daemon");
}

static void f_names_that_are_not_there(void **state)
{
    (void)state;
    struct sp_account a = {.uid = 77};
    struct sp_why why = {0};
    assert_err(sp_account_find(NOBODY_HAS_IT, "", &a, &why), SP_E_CONFIG);
    assert_non_null(strstr(why.text, "user = \"" NOBODY_HAS_IT "\""));
    assert_non_null(strstr(why.text, "useradd"));
    why = (struct sp_why){0};
    assert_err(sp_account_find("root", NOBODY_HAS_IT, &a, &why), SP_E_CONFIG);
    assert_non_null(strstr(why.text, "group = \"" NOBODY_HAS_IT "\""));
    assert_int_equal(a.uid, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_root_and_its_group),
        cmocka_unit_test(b_another_group),
        cmocka_unit_test(f_names_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
