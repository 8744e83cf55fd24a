/* Advisories in both forms, known issues, and the file that keeps them. */
#include "folder.h"

#include "app/cmd/imported.h"

struct seen {
    size_t count;
    char cve[8][32], title[8][64], severity[8][16], kbs[8][128];
    int cvss[8];
};

static void say(char *to, size_t size, struct sp_view v)
{
    snprintf(to, size, SP_VIEW_FMT, SP_VIEW_ARG(v));
}

static enum sp_err keep(void *ctx, const struct sp_advisory *a)
{
    struct seen *s = ctx;
    size_t i = s->count++;
    assert_true(i < 8);
    say(s->cve[i], sizeof s->cve[i], a->cve);
    say(s->title[i], sizeof s->title[i], a->title);
    say(s->severity[i], sizeof s->severity[i], a->severity);
    s->cvss[i] = a->cvss;
    s->kbs[i][0] = 0;
    for (size_t k = 0; k < a->kb_count; k++) {
        size_t n = strlen(s->kbs[i]);
        snprintf(s->kbs[i] + n, sizeof s->kbs[i] - n, "%s" SP_VIEW_FMT, k ? " " : "",
                 SP_VIEW_ARG(a->kbs[k]));
    }
    return SP_OK;
}

#define CVRF_HEAD                                                                      \
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><c:cvrfdoc "                            \
    "xmlns:c=\"http://www.icasi.org/CVRF/schema/cvrf/1.1\" "                           \
    "xmlns:v=\"http://www.icasi.org/CVRF/schema/vuln/1.1\"><c:DocumentTitle>x"         \
    "</c:DocumentTitle>"
#define CVRF_TAIL   "</c:cvrfdoc>"
#define VULN(inner) "<v:Vulnerability Ordinal=\"1\">" inner "</v:Vulnerability>"
#define CVE(n)      "<v:CVE>CVE-2026-" n "</v:CVE>"
#define SCORE(n)                                                                       \
    "<v:CVSSScoreSets><v:ScoreSet><v:BaseScore>" n "</v:BaseScore></v:ScoreSet>"       \
    "</v:CVSSScoreSets>"
#define FIX(type, text, url)                                                           \
    "<v:Remediation Type=\"" type "\"><v:Description>" text                            \
    "</v:Description><v:URL>" url "</v:URL></v:Remediation>"

static enum sp_err cvrf(const char *text, struct seen *s, struct sp_why *why)
{
    const struct sp_advisory_sink sink = {s, keep};
    *s = (struct seen){0};
    *why = (struct sp_why){0};
    return sp_cvrf_read(sp_view_str(text), &sink, why);
}

static void b_cvrf(void **state)
{
    (void)state;
    struct seen s;
    struct sp_why why;
    assert_ok(cvrf(
        CVRF_HEAD VULN("<v:Title> Kernel &amp; more </v:Title>" CVE(
            "12345") "<v:Notes><v:Note>CVE-2026-9999</v:Note></v:Notes>"
                     "<v:Threats><v:Threat Type=\"Impact\"><v:Description>Critical"
                     "</v:Description></v:Threat><v:Threat Type=\"Severity\">"
                     "<v:Description>Moderate</v:Description></v:Threat>"
                     "<v:Threat Type=\"Severity\"><v:Description>Important"
                     "</v:Description></v:Threat></v:Threats>" SCORE("7.8")
                           SCORE("5") "<v:Remediations>" FIX(
                               "Vendor Fix", "5034768",
                               "https://catalog.example.test/Search.aspx?q=KB5034768")
                               FIX("Vendor Fix", "Release Notes",
                                   "https://support.example.test/help/5034770")
                                   FIX("Workaround", "5000000",
                                       "x") "</v:Remediations>")
            VULN("<v:CVE>ADV990001</v:CVE>") CVRF_TAIL,
        &s, &why));
    assert_int_equal(s.count, 2);
    assert_string_equal(s.cve[0], "CVE-2026-12345");
    assert_string_equal(s.title[0], "Kernel & more");
    assert_string_equal(s.severity[0], "Important");
    assert_int_equal(s.cvss[0], 78);
    assert_string_equal(s.kbs[0], "5034768 5034770");
    assert_string_equal(s.cve[1], "ADV990001");
    assert_int_equal(s.cvss[1], -1);
    assert_string_equal(s.kbs[1], "");
}

static void f_cvrf_that_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sp_err e;
    } bad[] = {
        {"", SP_E_MALFORMED},
        {"{}", SP_E_MALFORMED},
        {"<cvrfdoc/>", SP_E_UNSUPPORTED},
        {CVRF_HEAD, SP_E_MALFORMED},
        {CVRF_HEAD VULN("") CVRF_TAIL, SP_E_MALFORMED},
        {CVRF_HEAD VULN(CVE("123")) CVRF_TAIL, SP_E_MALFORMED},
        {CVRF_HEAD VULN(CVE("12345") CVE("12346")) CVRF_TAIL, SP_E_MALFORMED},
        {CVRF_HEAD VULN(CVE("12345") SCORE("10.1")) CVRF_TAIL, SP_E_MALFORMED},
        {CVRF_HEAD VULN(CVE("12345") SCORE("-1")) CVRF_TAIL, SP_E_MALFORMED},
        {CVRF_HEAD VULN(CVE("12345") SCORE("7.85")) CVRF_TAIL, SP_E_MALFORMED},
        {"<!DOCTYPE x [<!ENTITY e \"x\">]>" CVRF_HEAD CVRF_TAIL, SP_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct seen s;
        struct sp_why why;
        assert_err(cvrf(bad[i].text, &s, &why), bad[i].e);
        assert_true(why.text[0] != 0);
    }
    struct seen s;
    struct sp_why why;
    assert_ok(cvrf(CVRF_HEAD VULN(CVE("1234") SCORE("10.0")) CVRF_TAIL, &s, &why));
    assert_ok(cvrf(CVRF_HEAD VULN(CVE("1234") SCORE("0.0")) CVRF_TAIL, &s, &why));
    assert_int_equal(s.cvss[0], 0);
}

/* ---- CSAF ---------------------------------------------------------------------- */

#define CSAF(vulnerabilities)                                                          \
    "{\"document\": {\"csaf_version\": \"2.0\", \"aggregate_severity\": {\"text\": "   \
    "\"Critical\"}}, \"vulnerabilities\": [" vulnerabilities "]}"

static enum sp_err csaf(const char *text, struct seen *s, struct sp_why *why)
{
    const struct sp_advisory_sink sink = {s, keep};
    *s = (struct seen){0};
    *why = (struct sp_why){0};
    return sp_csaf_read(sp_view_str(text), &sink, why);
}

static void b_csaf(void **state)
{
    (void)state;
    struct seen s;
    struct sp_why why;
    assert_ok(csaf(
        CSAF("{\"cve\": \"CVE-2026-12345\", \"title\": \"日本語\", \"scores\": ["
             "{\"cvss_v3\": {\"baseScore\": 7.8}}, {\"cvss_v3\": {\"baseScore\": 9}}, "
             "{}],"
             "\"remediations\": [{\"category\": \"vendor_fix\", \"url\": "
             "\"https://support.example.test/help/5034768\", \"details\": "
             "\"10.0.1:Security Update\"}, {\"category\": \"mitigation\", \"url\": "
             "\"https://support.example.test/help/5034769\"}]}"),
        &s, &why));
    assert_int_equal(s.count, 1);
    assert_string_equal(s.title[0], "日本語");
    assert_string_equal(s.severity[0], "Critical");
    assert_int_equal(s.cvss[0], 90);
    assert_string_equal(s.kbs[0], "5034768");
    assert_ok(csaf("{\"document\": {\"csaf_version\": \"2.0\"}}", &s, &why));
    assert_int_equal(s.count, 0);
}

static void f_csaf_that_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sp_err e;
    } bad[] = {
        {"", SP_E_MALFORMED},
        {"{", SP_E_MALFORMED},
        {"[]", SP_E_UNSUPPORTED},
        {"{}", SP_E_UNSUPPORTED},
        {"{\"document\": {\"csaf_version\": \"1.0\"}}", SP_E_UNSUPPORTED},
        {"{\"document\": {}, \"document\": {}}", SP_E_MALFORMED},
        {"{\"document\": {\"csaf_version\": \"2.0\"}, \"vulnerabilities\": {}}",
         SP_E_UNSUPPORTED},
        {CSAF("{}"), SP_E_MALFORMED},
        {CSAF("7"), SP_E_MALFORMED},
        {CSAF("{\"cve\": 7}"), SP_E_MALFORMED},
        {CSAF("{\"cve\": \"CVE-2026-12345\", \"scores\": {}}"), SP_E_MALFORMED},
        {CSAF("{\"cve\": \"CVE-2026-12345\", \"scores\": [{\"cvss_v3\": "
              "{\"baseScore\": \"9\"}}]}"),
         SP_E_MALFORMED},
        {CSAF("{\"cve\": \"CVE-2026-12345\", \"scores\": [{\"cvss_v3\": "
              "{\"baseScore\": 10.1}}]}"),
         SP_E_MALFORMED},
        {CSAF("{\"cve\": \"CVE-2026-12345\", \"title\": \"\\u0000\"}"), SP_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct seen s;
        struct sp_why why;
        assert_err(csaf(bad[i].text, &s, &why), bad[i].e);
        assert_true(why.text[0] != 0);
    }
}

static void f_csaf_of_any_size(void **state)
{
    (void)state;
    struct seen s = {0};
    const struct sp_advisory_sink sink = {&s, keep};
    char *text = malloc(SP_LIMIT_CSAF + 1);
    assert_non_null(text);
    memset(text, ' ', SP_LIMIT_CSAF + 1);
    static const char bare[] = CSAF("");
    memcpy(text, bare, sizeof bare - 1);
    assert_err(sp_csaf_read(sp_view(text, SP_LIMIT_CSAF + 1), &sink, NULL), SP_E_LIMIT);
    assert_ok(sp_csaf_read(sp_view(text, SP_LIMIT_CSAF), &sink, NULL));
    free(text);
}

/* ---- parts --------------------------------------------------------------------- */

static void b_kbs_in_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *kb;
    } rows[] = {
        {"5034768", "5034768"},
        {"KB5034768", "5034768"},
        {"https://support.example.test/help/5034768", "5034768"},
        {"https://support.example.test/en-us/kb/890830?x=1", "890830"},
        {"https://catalog.example.test/v7/site/Search.aspx?q=KB5034768", "5034768"},
        {"12345", "12345"},
        {"1234", NULL},
        {"1234567890", "1234567890"},
        {"12345678901", NULL},
        {"Click to Run", NULL},
        {"https://kb.example.test/", NULL},
        {"KB", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sp_view kb;
        assert_int_equal(sp_kb_in(sp_view_str(rows[i].text), &kb), rows[i].kb != NULL);
        assert_true(!rows[i].kb || sp_view_eq_str(kb, rows[i].kb));
    }
}

static void b_numbers_of_vulnerabilities(void **state)
{
    (void)state;
    static const char *const good[] = {"CVE-2026-0001", "CVE-1999-1234567890123456789",
                                       "ADV990001"};
    static const char *const bad[] = {"",
                                      "CVE-2026-001",
                                      "CVE-2026-12345678901234567890",
                                      "CVE-206-00001",
                                      "cve-2026-0001",
                                      "CVE-2026-0001 ",
                                      "ADV99001",
                                      "ADV9900011"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(sp_cve_is(sp_view_str(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(sp_cve_is(sp_view_str(bad[i])));
    }
}

static void b_as_many_kbs_as_one_may_have(void **state)
{
    (void)state;
    struct sp_advisory_draft d = {0};
    char kb[16];
    assert_ok(sp_draft_begin(&d));
    for (int i = 0; i < SP_ADVISORY_KBS; i++) {
        snprintf(kb, sizeof kb, "%d", 5000000 + i);
        assert_ok(sp_draft_kb(&d, sp_view_str(kb)));
        assert_ok(sp_draft_kb(&d, sp_view_str(kb))); /* once is enough */
    }
    assert_err(sp_draft_kb(&d, SP_VIEW("6000000")), SP_E_LIMIT);
    sp_draft_fini(&d);
}

struct noted {
    size_t count;
    char kb[4][16], text[4][64];
};

static enum sp_err keep_note(void *ctx, const struct sp_kb_note *n)
{
    struct noted *s = ctx;
    assert_true(s->count < 4);
    say(s->kb[s->count], sizeof s->kb[0], n->kb);
    say(s->text[s->count++], sizeof s->text[0], n->text);
    return SP_OK;
}

static void b_notes(void **state)
{
    (void)state;
    struct noted s = {0};
    struct sp_why why = {0};
    const struct sp_note_sink sink = {&s, keep_note};
    assert_ok(sp_notes_read(
        SP_VIEW("\xEF\xBB\xBF# comment\r\n\r\nKB5034768  印刷できない \r\n"
                "5034769 restarts twice"),
        &sink, &why));
    assert_int_equal(s.count, 2);
    assert_string_equal(s.kb[0], "5034768");
    assert_string_equal(s.text[0], "印刷できない");
    assert_string_equal(s.text[1], "restarts twice");
    static const char *const bad[] = {"KB5034768",       "x\n",
                                      "KBx text",        "KB12 text",
                                      "aKB5034768 text", "KB5034768 \xFF"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why = (struct sp_why){0};
        assert_err(sp_notes_read(sp_view_str(bad[i]), &sink, &why), SP_E_MALFORMED);
        assert_non_null(strstr(why.text, "line 1"));
    }
}

/* ---- the file ------------------------------------------------------------------ */

static void c_kept_and_read_again(void **state)
{
    (void)state;
    json_t *root = NULL;
    struct sp_why why = {0};
    struct sp_imported got;
    struct sp_arena *arena = NULL;
    const struct sp_view kbs[] = {SP_VIEW("5034768")};
    struct sp_advisory a = {.cve = SP_VIEW("CVE-2026-0001"),
                            .title = SP_VIEW("first"),
                            .severity = SP_VIEW("Low"),
                            .cvss = -1};
    assert_int_equal(mkdir(in_folder("state"), 0700), 0);
    assert_ok(sp_imported_open(in_folder("state"), &root, &why));
    assert_ok(sp_imported_add(root, &a));
    a = (struct sp_advisory){.cve = SP_VIEW("CVE-2026-0001"),
                             .title = SP_VIEW("second"),
                             .severity = SP_VIEW("Critical"),
                             .cvss = 98,
                             .kbs = kbs,
                             .kb_count = 1};
    assert_ok(sp_imported_add(root, &a));
    assert_ok(sp_imported_add_note(
        root, &(struct sp_kb_note){SP_VIEW("5034768"), SP_VIEW("a note")}));
    assert_ok(sp_imported_save(in_folder("state"), root, &why));
    json_decref(root);
    assert_ok(sp_imported_open(in_folder("state"), &root, &why));
    assert_ok(sp_arena_new(SP_MIB(1), &arena));
    assert_ok(sp_imported_list(root, arena, &got, &why));
    assert_int_equal(got.advisory_count, 1);
    assert_view_equal(got.advisories[0].title, "second");
    assert_int_equal(got.advisories[0].cvss, 98);
    assert_view_equal(got.advisories[0].kbs[0], "5034768");
    assert_int_equal(got.note_count, 1);
    assert_view_equal(got.notes[0].text, "a note");
    sp_imported_drop_notes(root);
    assert_ok(sp_imported_list(root, arena, &got, &why));
    assert_int_equal(got.note_count, 0);
    sp_arena_free(&arena);
    json_decref(root);
}

/* What somebody put into the file is checked like what is imported. */
static void f_a_file_that_was_changed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "{}",
        "{\"version\": 2, \"advisories\": {}, \"notes\": []}",
        "{\"version\": 1, \"advisories\": [], \"notes\": []}",
        "{\"version\": 1, \"advisories\": {\"x\": {}}, \"notes\": []}",
        "{\"version\": 1, \"advisories\": {\"CVE-2026-0001\": {\"cvss\": 101}}, "
        "\"notes\": []}",
        "{\"version\": 1, \"advisories\": {\"CVE-2026-0001\": {\"kbs\": [\"x\"]}}, "
        "\"notes\": []}",
        "{\"version\": 1, \"advisories\": {}, \"notes\": [{\"kb\": \"5034768\"}]}",
    };
    assert_int_equal(mkdir(in_folder("changed"), 0700), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *root = NULL;
        struct sp_arena *arena = NULL;
        struct sp_imported got;
        struct sp_why why = {0};
        FILE *f = fopen(in_folder("changed/" SP_IMPORTED_FILE), "wb");
        assert_non_null(f);
        fwrite(bad[i], 1, strlen(bad[i]), f);
        fclose(f);
        assert_ok(sp_arena_new(SP_MIB(1), &arena));
        enum sp_err e = sp_imported_open(in_folder("changed"), &root, &why);
        e = e == SP_OK ? sp_imported_list(root, arena, &got, &why) : e;
        assert_err(e, SP_E_CORRUPT);
        assert_true(why.text[0] != 0);
        json_decref(root);
        sp_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_cvrf),
        cmocka_unit_test(f_cvrf_that_is_none),
        cmocka_unit_test(b_csaf),
        cmocka_unit_test(f_csaf_that_is_none),
        cmocka_unit_test(f_csaf_of_any_size),
        cmocka_unit_test(b_kbs_in_texts),
        cmocka_unit_test(b_numbers_of_vulnerabilities),
        cmocka_unit_test(b_as_many_kbs_as_one_may_have),
        cmocka_unit_test(b_notes),
        cmocka_unit_test_setup_teardown(c_kept_and_read_again, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(f_a_file_that_was_changed, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
