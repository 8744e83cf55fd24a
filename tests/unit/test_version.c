/* Version resources of programs: the image of tests/support/versioned.py, and what
 * breaks the way to its names. */
#include "sign_rig.h"

enum { RSRC = 0x600, TYPE = RSRC + 24, DATA = RSRC + 80, VERSION = RSRC + 96 };

static struct sp_trust *trust;

static void read_image(struct sp_buf *out)
{
    char path[4096];
    const char *source = getenv("SALLYPORT_SOURCE");
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/pe/version.exe",
             source ? source : ".");
    rig_read(path, out);
}

static bool is_named(struct sp_view image, enum sp_fact k, const char *name)
{
    struct sp_fact_value v;
    SP_AUTO(sp_facts_free)
    struct sp_facts *f = rig_inspect(image, "exe", trust, RIG_NOW, 0);
    assert_true(rig_says(f, SP_FACT_SIGN_FORMAT, "pe"));
    return sp_facts_get(f, k, 0, &v) && sp_view_eq_str(v.bytes, name);
}

static void b_names_are_read(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    read_image(&b);
    struct sp_view image = sp_buf_view(&b);
    assert_true(is_named(image, SP_FACT_VERSION_ORIGINAL_NAME, "psexec.c"));
    assert_true(is_named(image, SP_FACT_VERSION_INTERNAL_NAME, "PsExec"));
    assert_true(is_named(image, SP_FACT_VERSION_PRODUCT, "Sysinternals PsExec"));
    assert_true(is_named(image, SP_FACT_VERSION_COMPANY, "Fabrikam"));
}

/* The image stays one; it only says nothing of itself. */
static void f_what_breaks_the_way(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {
        {TYPE, 15},             /* another type of resource */
        {TYPE + 7, 0},          /* data where a directory should be */
        {TYPE + 5, 0xff},       /* a directory outside of the section */
        {RSRC + 32 + 21, 0xff}, /* the next level as well */
        {RSRC + 56 + 23, 0x80}, /* a directory where data should be */
        {DATA + 1, 0x10},       /* data in front of the section */
        {DATA + 2, 1},          /* data behind it */
        {DATA + 6, 2},          /* longer than its own length can say */
        {DATA + 5, 0x80},       /* longer than the section */
        {VERSION + 1, 0xff},    /* longer than the resource */
        {VERSION + 6, 'X'},     /* not VS_VERSION_INFO */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf b;
        read_image(&b);
        assert_int_not_equal(b.data[rows[i].at], rows[i].value);
        b.data[rows[i].at] = rows[i].value;
        assert_false(
            is_named(sp_buf_view(&b), SP_FACT_VERSION_ORIGINAL_NAME, "psexec.c"));
    }
}

static int make_trust(void **state)
{
    (void)state;
    return sp_trust_new(&trust) == SP_OK ? 0 : -1;
}

static int free_trust(void **state)
{
    (void)state;
    sp_trust_free(&trust);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_names_are_read),
        cmocka_unit_test(f_what_breaks_the_way),
    };
    return cmocka_run_group_tests(tests, make_trust, free_trust);
}
