/* Catalogues (tests/support/lists.py): their own signatures, and what they vouch for.
 */
#include "sign_own.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void c_each_catalogue_has_its_verdict(void **state)
{
    NEED_FILES();
    static const struct {
        const char *name, *ruling;
        enum sp_fact fact;
        const char *says;
    } rows[] = {
        {"good.cat", "passed", SP_FACT_SIGN_FORMAT, "cat"},
        {"stamped.cat", "passed", SP_FACT_SIGN_TIME_KIND, "pkcs9"},
        {"stamped.cat", "passed", SP_FACT_SIGN_TIME, "2020-05-20T18:40:00Z"},
        {"late.cat", "file-signed", SP_FACT_SIGN_ERROR,
         "2025-06-15T15:06:40Z: certificate has expired"},
        {"outside.cat", "passed", SP_FACT_SIGN_ERROR,
         "time stamp: CN=Test short-stamp, judged at 2025"},
        {"wrong-use.cat", "passed", SP_FACT_SIGN_ERROR,
         "time stamp: CN=Test code, judged at 2025"},
        {"expired.cat", "file-signed", SP_FACT_SIGN_ERROR, "has expired"},
        {"foreign.cat", "file-signed", SP_FACT_SIGN_ERROR, "missing issuer"},
        {"changed.cat", "file-signed", SP_FACT_SIGN_ERROR, "content was changed"},
        {"unsigned.cat", "file-signed", SP_FACT_SIGN_ERROR, "there is no signature"},
        {"weak-signature.cat", "file-digest-strong", SP_FACT_SIGN_DIGEST_ALGORITHM,
         "sha1"},
        {"nine.exe", "passed", SP_FACT_SIGN_TIME_KIND, "pkcs9"},
        {"nine-late.exe", "file-signed", SP_FACT_SIGN_ERROR, "has expired"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        check(rows[i].name, rows[i].ruling, rows[i].fact, rows[i].says);
    }
}

static void take_file(const char *name, struct sp_buf *out)
{
    sp_buf_init(out, SP_MIB(1));
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder(name), &file);
    assert_ok(sp_buf_append(out, sp_buf_view(&file)));
}

static enum sp_err add(struct sp_catalogs *c, const char *name, int64_t now,
                       struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf bytes;
    take_file(name, &bytes);
    return sp_catalogs_add(c, name, &bytes, trust, now, why);
}

static struct sp_facts *look_up(const char *catalog, const char *name, int64_t now)
{
    SP_AUTO(sp_buf_fini) struct sp_buf list;
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder(catalog), &list);
    rig_read(in_folder(name), &file);
    return rig_look_up(sp_buf_view(&list), catalog, sp_buf_view(&file),
                       strrchr(name, '.') + 1, trust, now);
}

static void c_what_catalogues_vouch_for(void **state)
{
    NEED_FILES();
    static const struct {
        const char *catalog, *file, *ruling, *says;
    } rows[] = {
        {"good.cat", "listed.inf", "passed",
         "good.cat lists it by sha1 sha256: sha256"},
        {"good.cat", "plain.exe", "passed", "lists it by sha1 sha256"},
        {"good.cat", "good.exe", "passed", "lists it by sha1 sha256"},
        {"good.cat", "expired.exe", "passed", "lists it by sha1 sha256"},
        {"good.cat", "odd.exe", "passed", "lists it by sha1 sha256"},
        {"good.cat", "stranger.inf", "file-signed", "does not list it"},
        {"good.cat", "plain.cab", "file-signed", "does not list it"},
        {"bare.cat", "listed.inf", "passed", "lists it by sha256"},
        {"bare.cat", "plain.exe", "file-signed", "does not list it"},
        {"names.cat", "listed.inf", "file-signed", "does not list it"},
        {"stamped.cat", "listed.inf", "passed", "pkcs9 2020-05-20T18:40:00Z"},
        {"late.cat", "listed.inf", "file-signed", "sha256 good untrusted"},
        {"expired.cat", "listed.inf", "file-signed", "sha256 good untrusted"},
        {"foreign.cat", "listed.inf", "file-signed", "sha256 good untrusted"},
        {"changed.cat", "listed.inf", "file-signed", "sha256 bad untrusted"},
        {"weak-list.cat", "listed.inf", "file-digest-strong", "lists it by sha1:"},
        {"weak-list.cat", "plain.exe", "file-digest-strong", "lists it by sha1:"},
        {"weak-list.cat", "good.exe", "passed", "lists it by sha1:"},
        {"weak-signature.cat", "listed.inf", "file-digest-strong", "sha1 good trusted"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = look_up(rows[i].catalog, rows[i].file, RIG_NOW);
        if (strcmp(rig_ruling(f), rows[i].ruling) != 0 ||
            !rig_says(f, SP_FACT_SIGN_CATALOG, rows[i].says)) {
            struct sp_verdict v = rig_judge(f);
            fail_msg("%s in %s: expected %s (%s), came %s: %s", rows[i].file,
                     rows[i].catalog, rows[i].ruling, rows[i].says, rig_ruling(f),
                     v.why.text);
        }
    }
}

/* A catalogue without a time stamp is judged now. */
static void c_the_time_of_judging(void **state)
{
    NEED_FILES();
    static const int64_t inside = INT64_C(1590000000), outside = INT64_C(1700000000);
    SP_AUTO(sp_facts_free)
    struct sp_facts *a = look_up("expired.cat", "listed.inf", inside);
    SP_AUTO(sp_facts_free)
    struct sp_facts *b = look_up("expired.cat", "listed.inf", outside);
    assert_string_equal(rig_ruling(a), "passed");
    assert_string_equal(rig_ruling(b), "file-signed");
}

static void f_what_is_no_catalogue(void **state)
{
    NEED_FILES();
    static const struct {
        const char *name, *why;
    } rows[] = {{"roots.cat", "a form that is not accepted"},
                {"unsigned.cat", "nobody signed it"},
                {"listed.inf", "no signed catalogue of files"},
                {"good.exe", "no signed catalogue of files"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        SP_AUTO(sp_catalogs_free) struct sp_catalogs *c = NULL;
        struct sp_why why = {0};
        assert_ok(sp_catalogs_new(&c));
        assert_true(add(c, rows[i].name, RIG_NOW, &why) != SP_OK);
        assert_non_null(strstr(why.text, rows[i].why));
    }
}

static void f_as_many_catalogues_as_there_may_be(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_catalogs_free) struct sp_catalogs *c = NULL;
    assert_ok(sp_catalogs_new(&c));
    for (int i = 0; i < SP_CATALOGS_MAX; i++) {
        assert_ok(add(c, "good.cat", RIG_NOW, NULL));
    }
    assert_err(add(c, "good.cat", RIG_NOW, NULL), SP_E_LIMIT);
}

static void f_every_changed_byte_is_noticed(void **state)
{
    NEED_FILES();
    flip("good.cat", 0);
    flip("stamped.cat", 400);
    flip("nine.exe", 400);
}

/* Where the byte of a listed file changes it is listed no more. */
static void f_a_changed_member(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("listed.inf"), &file);
    for (size_t at = 0; at < file.len; at++) {
        file.data[at] ^= 1;
        FILE *out = fopen(in_folder("changed.inf"), "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(file.data, 1, file.len, out), file.len);
        fclose(out);
        file.data[at] ^= 1;
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = look_up("good.cat", "changed.inf", RIG_NOW);
        assert_string_equal(rig_ruling(f), "file-signed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_each_catalogue_has_its_verdict),
        cmocka_unit_test(c_what_catalogues_vouch_for),
        cmocka_unit_test(c_the_time_of_judging),
        cmocka_unit_test(f_what_is_no_catalogue),
        cmocka_unit_test(f_as_many_catalogues_as_there_may_be),
        cmocka_unit_test(f_every_changed_byte_is_noticed),
        cmocka_unit_test(f_a_changed_member),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
