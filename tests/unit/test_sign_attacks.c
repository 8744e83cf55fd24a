/* The attacks on signed files that the threat model counts (A1 to A9), each with what
 * it is refused for and a neighbour that passes: tests/support/attacks.py. */
#include "sign_own.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
    const char *name, *ruling;
    enum sp_fact fact;
    const char *says;
} rows[] = {
    /* A1, CVE-2013-3900: room behind a signature, in its place */
    {"a1-room.exe", "file-signature-strict", SP_FACT_SIGN_ERROR,
     "bytes follow the signature"},
    {"a1-zeros.exe", "file-signature-strict", SP_FACT_SIGN_ERROR,
     "bytes follow the signature"},
    {"padded.msi", "file-signature-strict", SP_FACT_SIGN_ERROR, "1 bytes follow"},
    {"good.exe", "passed", SP_FACT_SIGN_SIGNATURE, "sha256 good trusted"},
    {"deep.msi", "passed", SP_FACT_SIGN_SIGNATURE, "sha256 good trusted"},
    /* A2, CVE-2020-1464 and CVE-2020-1599: another file behind a signed one. In a PE
     * image what follows the table belongs to what is digested, so it is not signed. */
    {"a2-archive.exe", "file-signed", SP_FACT_SIGN_POLYGLOT, "zip"},
    {"a2-archive.cab", "file-signature-strict", SP_FACT_SIGN_POLYGLOT, "zip"},
    {"a2-archive.cat", "file-signature-strict", SP_FACT_SIGN_POLYGLOT, "zip"},
    {"archive.msi", "file-signature-strict", SP_FACT_SIGN_POLYGLOT, "zip"},
    {"a2-script.exe", "file-signed", SP_FACT_SIGN_ERROR,
     "22 bytes stand behind the end"},
    {"good.cab", "passed", SP_FACT_SIGN_FORMAT, "cab"},
    {"good.cat", "passed", SP_FACT_SIGN_FORMAT, "cat"},
    {"blank.msi", "passed", SP_FACT_SIGN_FORMAT, "msi"},
    /* A3, CVE-2020-0601 */
    {"curve.exe", "file-signed", SP_FACT_SIGN_ERROR, "spells out its elliptic curve"},
    {"a3-named.exe", "passed", SP_FACT_SIGN_SIGNER, "CN=Test named"},
    /* A4: what no digest covers */
    {"a4-overlap.exe", "file-signature-strict", SP_FACT_SIGN_SIGNATURE, "good trusted"},
    {"a4-directories.exe", "file-signed", SP_FACT_SIGN_ERROR, "there is no signature"},
    {"cross.msi", "file-signed", SP_FACT_SIGN_ERROR, "chains of sectors meet"},
    {"slack.msi", "file-signature-strict", SP_FACT_SIGN_ERROR, "belong to no stream"},
    {"good.msi", "passed", SP_FACT_SIGN_LEFT_OUT, "directory: links"},
    /* A5: several signatures, of which one is bad or all are weak */
    {"a5-nested.exe", "file-signed", SP_FACT_SIGN_SIGNATURE, "nested sha256 bad"},
    {"sha1.exe", "file-digest-strong", SP_FACT_SIGN_SIGNATURE, "sha1 good trusted"},
    {"dual.exe", "passed", SP_FACT_SIGN_SIGNATURE, "nested sha256 good trusted"},
    /* A6: the time of signing */
    {"expired.exe", "file-signed", SP_FACT_SIGN_ERROR, "certificate has expired"},
    {"late.exe", "file-signed", SP_FACT_SIGN_ERROR, "certificate has expired"},
    {"nine-late.exe", "file-signed", SP_FACT_SIGN_ERROR, "certificate has expired"},
    {"a6-early.exe", "file-signed", SP_FACT_SIGN_ERROR, "is not yet valid"},
    {"a6-early-stamp.exe", "file-signed", SP_FACT_SIGN_ERROR, "is not yet valid"},
    {"a6-use.exe", "file-signed", SP_FACT_SIGN_ERROR,
     "its key usage does not allow it"},
    {"a6-other.exe", "file-signed", SP_FACT_SIGN_ERROR,
     "time stamp: the signed content"},
    {"outlived.exe", "passed", SP_FACT_SIGN_TIME_KIND, "rfc3161"},
    {"nine.exe", "passed", SP_FACT_SIGN_TIME_KIND, "pkcs9"},
    /* A7: a good signature by the wrong signer */
    {"foreign.exe", "file-signed", SP_FACT_SIGN_ERROR, "missing issuer"},
    {"foreign.cat", "file-signed", SP_FACT_SIGN_ERROR, "missing issuer"},
    {"tls.exe", "file-signed", SP_FACT_SIGN_ERROR, "key usage does not allow"},
    {"bare.exe", "passed", SP_FACT_SIGN_SIGNER, "CN=Test code"},
    /* A8: digests that collide prove nothing alone (test_sign_cat for what lists name)
     */
    {"sha1.cab", "file-digest-strong", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha1"},
    {"sha1.msi", "file-digest-strong", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha1"},
    {"weak-signature.cat", "file-digest-strong", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha1"},
    {"dual.cab", "passed", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha256"},
    {"dual.msi", "passed", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha256"},
    /* A9, another size, is refused before there is a file to look at: replay/test_fill
     */
};

static void f_each_attack_and_its_neighbour(void **state)
{
    NEED_FILES();
    for (size_t i = 0; i < COUNT(rows); i++) {
        check(rows[i].name, rows[i].ruling, rows[i].fact, rows[i].says);
    }
}

/* Signers before, in and after their time, without and with a time stamp that says
 * when. 0 is the time stamp alone; passing is a matter of the time that counts. */
static void f_the_grid_of_times(void **state)
{
    NEED_FILES();
    static const int64_t at[] = {INT64_C(1500000000), INT64_C(1590000000),
                                 INT64_C(1700000000), INT64_C(1900000000),
                                 INT64_C(2300000000)};
    static const struct {
        const char *name, *passes; /* y or n for each time */
    } grid[] = {
        {"bare.exe", "nyyyn"},     {"expired.exe", "nynnn"},
        {"outlived.exe", "yyyyy"}, {"late.exe", "nnnnn"},
        {"nine.exe", "yyyyy"},     {"nine-late.exe", "nnnnn"},
        {"a6-early.exe", "nnnyn"}, {"a6-future.exe", "yyyyy"},
        {"expired.cat", "nynnn"},  {"stamped.cat", "yyyyy"},
        {"late.cat", "nnnnn"},     {"outside.cat", "nyyyn"},
        {"bare.cab", "nyyyn"},     {"bare.msi", "nyyyn"},
        {"good.msi", "yyyyy"},
    };
    for (size_t i = 0; i < COUNT(grid); i++) {
        for (size_t j = 0; j < COUNT(at); j++) {
            SP_AUTO(sp_buf_fini) struct sp_buf file;
            rig_read(in_folder(grid[i].name), &file);
            SP_AUTO(sp_facts_free)
            struct sp_facts *f = rig_inspect(sp_buf_view(&file), "", trust, at[j], 0);
            bool passed = strcmp(rig_ruling(f), "passed") == 0;
            if (passed != (grid[i].passes[j] == 'y')) {
                fail_msg("%s at %lld: %s", grid[i].name, (long long)at[j],
                         rig_ruling(f));
            }
        }
    }
}

/* The same bytes under every name: only what the content is agrees. */
static void f_names_that_contradict(void **state)
{
    NEED_FILES();
    static const char *const kinds[] = {"exe", "cab", "msi", "cat"};
    static const char *const names[] = {"exe", "cab", "msi", "cat", "wim", "esd",
                                        "psf", "txt", "inf", "msu", ""};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char file_name[16];
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        snprintf(file_name, sizeof file_name, "good.%s", kinds[i]);
        rig_read(in_folder(file_name), &file);
        for (size_t j = 0; j < COUNT(names); j++) {
            SP_AUTO(sp_facts_free)
            struct sp_facts *f =
                rig_inspect(sp_buf_view(&file), names[j], trust, RIG_NOW, 0);
            bool agrees =
                strcmp(kinds[i], names[j]) == 0 || !names[j][0] ||
                strcmp(names[j], "inf") == 0 ||
                (strcmp(kinds[i], "cab") == 0 && strcmp(names[j], "msu") == 0);
            assert_string_equal(rig_ruling(f), agrees ? "passed" : "file-type-agrees");
        }
    }
}

/* Names can be made to agree all with all; keys are not tried without end. */
static void f_as_many_issuers_as_are_tried(void **state)
{
    NEED_FILES();
    static const char *const names[] = {"decoys-255.pem", "decoys-256.pem"};
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    SP_AUTO(sp_buf_fini) struct sp_buf pins;
    rig_read(in_folder("bare.exe"), &file);
    rig_read(in_folder("pins.txt"), &pins);
    for (size_t i = 0; i < COUNT(names); i++) {
        SP_AUTO(sp_trust_free) struct sp_trust *t = NULL;
        assert_ok(sp_trust_new(&t));
        assert_ok(sp_trust_add_pins(t, sp_buf_view(&pins), NULL));
        add_pem(t, names[i]);
        add_pem(t, "bundle.pem");
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "exe", t, RIG_NOW, 0);
        assert_int_equal(rig_says(f, SP_FACT_SIGN_ERROR, "not signed by the issuer"),
                         i == 1);
        assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_OUTSIDE_BYTES), i == 1);
    }
}

static int make_attacks(void **state)
{
    int failed = make_files(state);
    return failed || !are_there ? failed : run_script("installers.py");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_each_attack_and_its_neighbour),
        cmocka_unit_test(f_the_grid_of_times),
        cmocka_unit_test(f_names_that_contradict),
        cmocka_unit_test(f_as_many_issuers_as_are_tried),
    };
    return cmocka_run_group_tests(tests, make_attacks, remove_files);
}
