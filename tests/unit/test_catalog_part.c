/* What is kept of a download of the offline catalogue. */
#include "folder.h"

#include "app/offline/catalog_part.h"
#include "core/crypto/crypto.h"

#define TARGET "/wsusscn2.cab"
enum { SIZE = 1000, PREFIX = 400 };

static struct sp_objects *objects;

static int setup(void **state)
{
    return folder_setup(state) == 0 &&
                   sp_objects_open(in_folder("catalog"), &objects, NULL) == SP_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    sp_objects_close(&objects);
    return folder_teardown(state);
}

static struct sp_catalog_part part(const char *etag)
{
    struct sp_catalog_part p = {.size = SIZE};
    snprintf(p.etag, sizeof p.etag, "%s", etag);
    return p;
}

/* A download from target that broke off after PREFIX bytes. */
static void break_off(const char *target, const char *etag)
{
    struct sp_catalog_part p = part(etag);
    struct sp_stage *stage = NULL;
    uint8_t bytes[PREFIX], sha256[32];
    memset(bytes, 7, sizeof bytes);
    sp_sha256(sp_view(bytes, sizeof bytes), sha256);
    assert_ok(sp_catalog_part_begin(objects, target, &p, &stage, NULL));
    assert_ok(sp_stage_write(stage, 0, sp_view(bytes, sizeof bytes)));
    if (sp_catalog_part_is_strong(etag)) {
        assert_ok(sp_stage_note(stage, PREFIX, sha256));
    }
    sp_stage_leave(&stage);
}

static uint64_t kept(const char *target)
{
    SP_AUTO(sp_stage_drop) struct sp_stage *stage = NULL;
    struct sp_catalog_part p;
    struct sp_stage_mark mark;
    if (sp_catalog_part_resume(objects, target, &p, &stage, &mark) != SP_OK) {
        return 0;
    }
    assert_int_equal(p.size, SIZE);
    assert_string_equal(p.etag, "\"a\"");
    return mark.prefix;
}

static void b_strong_validators(void **state)
{
    (void)state;
    assert_true(sp_catalog_part_is_strong("\"a\""));
    assert_true(sp_catalog_part_is_strong("\"0x8D:0\""));
    static const char *const not [] = {"",    "\"",      "\"\"",     "a",
                                       "\"a", "W/\"a\"", "\"a\"b\"", "a\""};
    for (size_t i = 0; i < sizeof not / sizeof not [0]; i++) {
        assert_false(sp_catalog_part_is_strong(not [i]));
    }
}

static void b_what_broke_off_is_taken_up(void **state)
{
    (void)state;
    assert_int_equal(kept(TARGET), 0);
    break_off(TARGET, "\"a\"");
    assert_int_equal(kept(TARGET), PREFIX);
    assert_int_equal(kept(TARGET), 0); /* it was dropped there */
}

static void b_also_after_a_restart(void **state)
{
    (void)state;
    break_off(TARGET, "\"a\"");
    sp_objects_close(&objects);
    assert_ok(sp_objects_open(in_folder("catalog"), &objects, NULL));
    assert_int_equal(kept(TARGET), PREFIX);
}

static void c_of_another_target_nothing_is(void **state)
{
    (void)state;
    break_off(TARGET, "\"a\"");
    assert_int_equal(kept("/other.cab"), 0);
}

static void c_without_a_strong_validator_nothing_is(void **state)
{
    (void)state;
    break_off(TARGET, "W/\"a\"");
    assert_int_equal(kept(TARGET), 0);
    assert_int_equal(folder_count(in_folder("catalog/staging")), 0);
}

/* One at a time: the next download removes what was kept of another file. */
static void c_one_is_kept(void **state)
{
    (void)state;
    break_off(TARGET, "\"old\"");
    break_off(TARGET, "\"a\"");
    assert_int_equal(folder_count(in_folder("catalog/staging")), 2);
    assert_int_equal(kept(TARGET), PREFIX);
}

/* The same file from its beginning: what was kept does not count. */
static void c_begun_anew(void **state)
{
    (void)state;
    struct sp_catalog_part p = part("\"a\"");
    struct sp_stage *stage = NULL;
    uint8_t byte;
    break_off(TARGET, "\"a\"");
    assert_ok(sp_catalog_part_begin(objects, TARGET, &p, &stage, NULL));
    assert_err(sp_stage_read(stage, 0, &byte, 1), SP_E_TRUNCATED);
    sp_stage_drop(&stage);
}

static void f_a_note_that_says_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "1000",           "1000 \"a\"",       "x \"a\"\n",
        "0 \"a\"\n", "1000 W/\"a\"\n", "1000 \"a\"\nmore", "-1 \"a\"\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        break_off(TARGET, "\"a\"");
        assert_ok(sp_objects_note(objects, "download", sp_view_str(bad[i])));
        assert_int_equal(kept(TARGET), 0);
    }
    break_off(TARGET, "\"a\"");
    assert_ok(sp_objects_note(objects, "download", SP_VIEW("1000 \"a\"\n")));
    assert_int_equal(kept(TARGET), PREFIX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_strong_validators),
        TEST(b_what_broke_off_is_taken_up),
        TEST(b_also_after_a_restart),
        TEST(c_of_another_target_nothing_is),
        TEST(c_without_a_strong_validator_nothing_is),
        TEST(c_one_is_kept),
        TEST(c_begun_anew),
        TEST(f_a_note_that_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
