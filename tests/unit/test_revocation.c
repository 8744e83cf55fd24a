/* Revocation lists: whose they are, what they name, when that counts and whether they
 * are in force; over files signed by a PKI made for this test
 * (tests/support/signing.py). The lists are of January 2026; the time stamp is of
 * 2025-06-15. */
#include "sign_rig.h"

#include "core/base/limits.h"
#include "folder.h"

#include <sys/wait.h>

#define JULY   INT64_C(1751328000) /* 2025-07-01 */
#define MADE   INT64_C(1767225600) /* 2026-01-01 */
#define MIDDLE INT64_C(1768000000) /* 2026-01-09 */
#define UNTIL  INT64_C(1769904000) /* 2026-02-01 */

static bool are_there;

static int make_files(void **state)
{
    char command[5000];
    const char *source = getenv("SALLYPORT_SOURCE");
    folder_setup(state);
    snprintf(command, sizeof command,
             "python3 '%s/tests/support/signing.py' %s revocation",
             source ? source : ".", folder_path);
    int status = system(command);
    are_there = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        fprintf(stderr, "SKIP: no osslsigncode with time stamps (2.6) is here\n");
        return 0;
    }
    return are_there ? 0 : -1;
}

#define NEED_FILES()                                                                   \
    do {                                                                               \
        (void)state;                                                                   \
        if (!are_there) {                                                              \
            skip();                                                                    \
        }                                                                              \
    } while (0)

static void add(struct sp_trust *t, const char *name,
                enum sp_err (*how)(struct sp_trust *, struct sp_view, struct sp_why *))
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    rig_read(in_folder(name), &text);
    assert_ok(how(t, sp_buf_view(&text), NULL));
}

static struct sp_facts *inspect(const char *name, const char *list, int64_t now)
{
    SP_AUTO(sp_trust_free) struct sp_trust *t = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    assert_ok(sp_trust_new(&t));
    add(t, "pins.txt", sp_trust_add_pins);
    add(t, "bundle.pem", sp_trust_add_pem);
    if (list) {
        add(t, list, sp_trust_add_crl);
    }
    rig_read(in_folder(name), &file);
    return rig_inspect(sp_buf_view(&file), "exe", t, now, 0);
}

static const char *ruling(const struct sp_facts *f)
{
    static const char text[] =
        "policy p\nfile-not-revoked enforce\nfile-signed enforce\n";
    struct sp_policy *p = NULL;
    struct sp_verdict v;
    assert_ok(sp_policy_parse(sp_view_str(text), &p, NULL));
    sp_policy_judge(p, SP_SUBJECT_FILE, f, &v);
    sp_policy_free(&p);
    return v.ruling == SP_REFUSED ? sp_rule_text(v.rule) : sp_ruling_text(v.ruling);
}

static void c_when_a_revocation_counts(void **state)
{
    NEED_FILES();
    static const struct {
        const char *file, *list;
        int64_t now;
        const char *ruling, *says;
    } rows[] = {
        {"bare.exe", NULL, MIDDLE, "passed", "unknown, no list of its issuer"},
        {"bare.exe", "july.crl", JULY - 1, "passed", "not-listed, list of 2026-01-01"},
        {"bare.exe", "july.crl", JULY, "file-not-revoked", "revoked since 2025-07-01"},
        {"bare.exe", "june.crl", MIDDLE, "file-not-revoked",
         "revoked since 2025-06-01"},
        {"bare.exe", "june.crl", UNTIL * 2 - MADE, "file-not-revoked", "not in force"},
        /* the time stamp of 2025-06-15 decides, whatever the day is */
        {"stamped.exe", "july.crl", MIDDLE, "passed", "not-listed"},
        {"stamped.exe", "july.crl", UNTIL + 1, "passed", "not-listed"},
        {"stamped.exe", "june.crl", MIDDLE, "file-not-revoked", "revoked since"},
        {"stamped.exe", "lost.crl", MIDDLE, "file-not-revoked",
         "revoked since 2025-06-01"},
        /* whose list it is, and of what */
        {"bare.exe", "other.crl", MIDDLE, "passed", "not-listed"},
        {"bare.exe", "stranger.crl", MIDDLE, "passed", "unknown"},
        {"bare.exe", "forged.crl", MIDDLE, "passed", "unknown"},
        {"bare.exe", "partial.crl", MIDDLE, "file-not-revoked", "revoked"},
        {"bare.exe", "partial-other.crl", MIDDLE, "passed", "unknown"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = inspect(rows[i].file, rows[i].list, rows[i].now);
        if (strcmp(ruling(f), rows[i].ruling) != 0 ||
            !rig_says(f, SP_FACT_SIGN_REVOCATION, rows[i].says)) {
            fail_msg("row %zu: %s", i, ruling(f));
        }
        bool revoked = strcmp(rows[i].ruling, "passed") != 0;
        assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_REVOKED), revoked);
        assert_int_equal(rig_says(f, SP_FACT_SIGN_ERROR, "it was revoked by then"),
                         revoked);
    }
}

static void c_whether_a_list_is_in_force(void **state)
{
    NEED_FILES();
    static const struct {
        const char *list;
        int64_t now;
        bool fresh;
    } rows[] = {
        {"other.crl", MADE - 1, false},
        {"other.crl", MADE, true},
        {"other.crl", UNTIL - 1, true},
        {"other.crl", UNTIL, false},
        {"partial-other.crl", MIDDLE, false},
        {"forged.crl", MIDDLE, false},
        {NULL, MIDDLE, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = inspect("bare.exe", rows[i].list, rows[i].now);
        assert_string_equal(ruling(f), "passed");
        assert_int_equal(sp_facts_count(f, SP_FACT_SIGN_REVOCATION_FRESH), 1);
        assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_REVOCATION_FRESH),
                         rows[i].fresh);
    }
}

static void b_nothing_is_said_where_nobody_signed(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_facts_free)
    struct sp_facts *f = inspect("plain.exe", "june.crl", MIDDLE);
    assert_string_equal(ruling(f), "file-signed");
    assert_int_equal(sp_facts_count(f, SP_FACT_SIGN_REVOKED), 0);
    assert_int_equal(sp_facts_count(f, SP_FACT_SIGN_REVOCATION_FRESH), 0);
}

static void f_what_is_no_list(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_trust_free) struct sp_trust *t = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf der;
    struct sp_why why = {0};
    assert_ok(sp_trust_new(&t));
    rig_read(in_folder("june.crl"), &der);
    assert_err(sp_trust_add_crl(t, (struct sp_view){0}, &why), SP_E_MALFORMED);
    assert_err(sp_trust_add_crl(t, SP_VIEW("no list\n"), &why), SP_E_MALFORMED);
    assert_non_null(strstr(why.text, "DER or PEM"));
    struct sp_view all = sp_buf_view(&der);
    assert_err(sp_trust_add_crl(t, sp_view_slice(all, 0, all.len - 1), &why),
               SP_E_MALFORMED);
    assert_ok(sp_buf_append_byte(&der, 0));
    assert_err(sp_trust_add_crl(t, sp_buf_view(&der), &why), SP_E_MALFORMED);
    SP_AUTO(sp_buf_fini) struct sp_buf pem;
    rig_read(in_folder("bundle.pem"), &pem);
    assert_err(sp_trust_add_crl(t, sp_buf_view(&pem), &why), SP_E_MALFORMED);
}

static void f_as_many_lists_as_there_may_be(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_trust_free) struct sp_trust *t = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf der, pem;
    struct sp_why why = {0};
    assert_ok(sp_trust_new(&t));
    rig_read(in_folder("june.crl"), &der);
    rig_read(in_folder("july.crl"), &pem);
    for (int i = 0; i < SP_LIMIT_TRUST_CRLS; i++) {
        assert_ok(sp_trust_add_crl(t, sp_buf_view(i % 2 ? &pem : &der), &why));
    }
    assert_err(sp_trust_add_crl(t, sp_buf_view(&der), &why), SP_E_LIMIT);
    assert_err(sp_trust_add_crl(t, sp_buf_view(&pem), &why), SP_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_when_a_revocation_counts),
        cmocka_unit_test(c_whether_a_list_is_in_force),
        cmocka_unit_test(b_nothing_is_said_where_nobody_signed),
        cmocka_unit_test(f_what_is_no_list),
        cmocka_unit_test(f_as_many_lists_as_there_may_be),
    };
    return cmocka_run_group_tests(tests, make_files, folder_teardown);
}
