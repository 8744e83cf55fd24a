#include "unit.h"

#include "core/wsus/wsus.h"

#define M "http://schemas.microsoft.com/msus/2002/12/"
#define HEAD                                                                           \
    "<upd:Update xmlns:upd=\"" M "Update\" xmlns:cmd=\"" M                             \
    "UpdateHandlers/CommandLineInstallation\">"
#define IDENTITY                                                                       \
    "<upd:UpdateIdentity UpdateID=\"11111111-2222-4333-8444-555555555555\" "           \
    "RevisionNumber=\"200\" />"
#define PROPERTIES                                                                     \
    "<upd:Properties UpdateType=\"Software\" DefaultPropertiesLanguage=\"en\" "        \
    "Handler=\"" M "UpdateHandlers/CommandLineInstallation\" "                         \
    "CreationDate=\"2026-01-01T10:00:00.123Z\"><upd:SecurityBulletinID>MS26-001"       \
    "</upd:SecurityBulletinID><upd:KBArticleID>123</upd:KBArticleID>"                  \
    "<upd:KBArticleID>456</upd:KBArticleID></upd:Properties>"
#define TAIL        "</upd:Update>"
#define SHA1_TEXT   "e29ecGm5NObqBqaQZl6P/PoMQEg="
#define SHA256_TEXT "STct8uhcln6qhmxzQc/zfQUW77uxpISGxFyD/S0HCIM="
#define FILE_HEAD                                                                      \
    "<upd:Files><upd:File Digest=\"" SHA1_TEXT                                         \
    "\" DigestAlgorithm=\"SHA1\" FileName=\"Example.EXE\" Size=\"17\">"
#define FILE_TAIL "</upd:File></upd:Files>"
#define DIGEST(algorithm, text)                                                        \
    "<upd:AdditionalDigest Algorithm=\"" algorithm "\">" text "</"                     \
    "upd:AdditionalDigest>"

struct result {
    struct sp_facts *facts;
    struct sp_arena *arena;
    struct sp_claim *claims;
    size_t count;
    struct sp_why why;
};

static enum sp_err read_text(struct result *r, const char *text)
{
    *r = (struct result){0};
    assert_ok(sp_facts_new(SP_MIB(1), &r->facts));
    assert_ok(sp_arena_new(SP_MIB(4), &r->arena));
    return sp_document_read(sp_view_str(text), r->facts, r->arena, &r->claims,
                            &r->count, &r->why);
}

static void drop(struct result *r)
{
    sp_facts_free(&r->facts);
    sp_arena_free(&r->arena);
}

static void fact_is(struct result *r, enum sp_fact k, size_t i, const char *text)
{
    struct sp_fact_value v;
    assert_true(sp_facts_get(r->facts, k, i, &v));
    if (!sp_view_eq_str(v.bytes, text)) {
        print_error("%.*s\n", (int)v.bytes.len, (const char *)v.bytes.data);
    }
    assert_true(sp_view_eq_str(v.bytes, text));
}

static void b_a_whole_document(void **state)
{
    (void)state;
    struct result r;
    struct sp_fact_value v;
    assert_ok(read_text(
        &r, HEAD IDENTITY PROPERTIES
        "<upd:LocalizedPropertiesCollection><upd:LocalizedProperties><upd:Language>ar"
        "</upd:Language><upd:Title>x</upd:Title></upd:LocalizedProperties>"
        "<upd:LocalizedProperties><upd:Language>en</upd:Language><upd:Title> Example "
        "&amp; payload\n</upd:Title></upd:LocalizedProperties>"
        "</upd:LocalizedPropertiesCollection><upd:Relationships><upd:Prerequisites>"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000001\" />"
        "</upd:Prerequisites><upd:BundledUpdates><upd:UpdateIdentity "
        "UpdateID=\"BBBBBBBB-0000-4000-8000-000000000002\" RevisionNumber=\"7\" />"
        "<upd:AtLeastOne><upd:UpdateIdentity "
        "UpdateID=\"bbbbbbbb-0000-4000-8000-000000000003\" RevisionNumber=\"8\" />"
        "</upd:AtLeastOne></upd:BundledUpdates></upd:Relationships>" FILE_HEAD DIGEST(
            "SHA256", SHA256_TEXT) FILE_TAIL
        "<upd:HandlerSpecificData xsi:type=\"cmd:CommandLineInstallation\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><cmd:InstallCommand/>"
        "</upd:HandlerSpecificData>" TAIL));
    assert_true(sp_facts_get(r.facts, SP_FACT_DOCUMENT_REVISION, 0, &v));
    assert_int_equal(v.number, 200);
    assert_true(sp_facts_get(r.facts, SP_FACT_DOCUMENT_ID, 0, &v));
    assert_int_equal(v.bytes.data[0], 0x11);
    assert_int_equal(v.bytes.data[15], 0x55);
    fact_is(&r, SP_FACT_DOCUMENT_TYPE, 0, "Software");
    fact_is(&r, SP_FACT_DOCUMENT_HANDLER, 0,
            M "UpdateHandlers/CommandLineInstallation");
    fact_is(&r, SP_FACT_DOCUMENT_HANDLER_TYPE, 0,
            M "UpdateHandlers/CommandLineInstallation#CommandLineInstallation");
    fact_is(&r, SP_FACT_DOCUMENT_TITLE, 0, "Example & payload");
    fact_is(&r, SP_FACT_DOCUMENT_KB, 0, "123");
    fact_is(&r, SP_FACT_DOCUMENT_KB, 1, "456");
    fact_is(&r, SP_FACT_DOCUMENT_BULLETIN, 0, "MS26-001");
    fact_is(&r, SP_FACT_DOCUMENT_CREATED, 0, "2026-01-01T10:00:00.123Z");
    fact_is(&r, SP_FACT_DOCUMENT_BUNDLES, 0, "bbbbbbbb-0000-4000-8000-000000000002.7");
    fact_is(&r, SP_FACT_DOCUMENT_BUNDLES, 1, "bbbbbbbb-0000-4000-8000-000000000003.8");
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_BUNDLES), 2);
    assert_true(sp_facts_has_flag(r.facts, SP_FACT_DOCUMENT_DIGESTS_SOUND));
    assert_int_equal(r.count, 1);
    assert_int_equal(r.claims[0].size, 17);
    assert_string_equal(r.claims[0].ext, "exe");
    assert_view_equal(r.claims[0].name, "Example.EXE");
    assert_true(r.claims[0].has_sha256);
    assert_int_equal(r.claims[0].sha1[19], 0x48);
    assert_int_equal(r.claims[0].sha256[31], 0x83);
    drop(&r);
}

/* What people ask about an update, and what a category is. */
static void b_what_reports_tell(void **state)
{
    (void)state;
    struct result r;
    struct sp_fact_value v;
    assert_ok(read_text(
        &r, HEAD IDENTITY
        "<upd:Properties UpdateType=\"Category\" MsrcSeverity=\"Important\">"
        "<upd:SupportUrl> https://support.example.test/kb </upd:SupportUrl>"
        "<upd:InstallationBehavior RebootBehavior=\"CanRequestReboot\" />"
        "</upd:Properties><upd:Relationships><upd:SupersededUpdates>"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000001\" />"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000002\" />"
        "</upd:SupersededUpdates></upd:Relationships><upd:HandlerSpecificData>"
        "<cat:CategoryInformation CategoryType=\"Product\" xmlns:cat=\"" M
        "UpdateHandlers/Category\" /></upd:HandlerSpecificData>" TAIL));
    fact_is(&r, SP_FACT_DOCUMENT_SEVERITY, 0, "Important");
    fact_is(&r, SP_FACT_DOCUMENT_SUPPORT_URL, 0, "https://support.example.test/kb");
    fact_is(&r, SP_FACT_DOCUMENT_RESTART, 0, "CanRequestReboot");
    fact_is(&r, SP_FACT_DOCUMENT_CATEGORY_TYPE, 0, "Product");
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_SUPERSEDES), 2);
    assert_true(sp_facts_get(r.facts, SP_FACT_DOCUMENT_SUPERSEDES, 1, &v));
    assert_int_equal(v.bytes.data[15], 2);
    drop(&r);
    assert_ok(read_text(&r, HEAD IDENTITY
                        "<upd:Properties><upd:SupportUrl/></upd:Properties>" TAIL));
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_SUPPORT_URL), 0);
    drop(&r);
}

/* As WSUSpendu writes a child, but for its values. */
static void c_what_a_document_demands(void **state)
{
    (void)state;
    struct result r;
    struct sp_fact_value v;
    assert_ok(read_text(
        &r, HEAD IDENTITY
        "<upd:Properties UpdateType=\"Software\" ExplicitlyDeployable=\"true\" "
        "PublisherID=\"p\" LegacyName=\"l\" Handler=\"h\" />"
        "<upd:Relationships><upd:Prerequisites>"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000001\" />"
        "<upd:AtLeastOne IsCategory=\"true\">"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000002\" />"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000003\" />"
        "</upd:AtLeastOne><upd:AtLeastOne>"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000004\" />"
        "</upd:AtLeastOne>"
        "<upd:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000005\" />"
        "</upd:Prerequisites></upd:Relationships>"
        "<upd:ApplicabilityRules xmlns:b=\"" M "LogicalApplicabilityRules\">"
        "<upd:IsInstalled><b:False /></upd:IsInstalled>"
        "<upd:IsInstallable><b:And><b:True /></b:And></upd:IsInstallable>"
        "</upd:ApplicabilityRules>"
        "<upd:Files><upd:File Digest=\"" SHA1_TEXT "\" DigestAlgorithm=\"SHA1\" "
        "FileName=\"A.EXE\" Size=\"17\" Modified=\"then\" />"
        "<upd:File Digest=\"" SHA1_TEXT "\" DigestAlgorithm=\"SHA1\" "
        "FileName=\"b.cab\" Size=\"17\" Modified=\"later\">" DIGEST(
            "SHA256",
            SHA256_TEXT) "</upd:File></upd:Files>"
                         "<upd:HandlerSpecificData xsi:type=\"cmd: "
                         "CommandLineInstallation\" "
                         "xmlns:xsi=\"http://www.w3.org/2001/"
                         "XMLSchema-instance\"><cmd:InstallCommand "
                         "Program=\"A.EXE\" Arguments=\"-s\"><cmd:ReturnCode "
                         "Code=\"-1\" />"
                         "</cmd:InstallCommand></upd:HandlerSpecificData>" TAIL));
    assert_true(sp_facts_has_flag(r.facts, SP_FACT_DOCUMENT_DEPLOYABLE));
    fact_is(&r, SP_FACT_DOCUMENT_PUBLISHER, 0, "p");
    fact_is(&r, SP_FACT_DOCUMENT_LEGACY_NAME, 0, "l");
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_CATEGORY), 2);
    assert_true(sp_facts_get(r.facts, SP_FACT_DOCUMENT_CATEGORY, 1, &v));
    assert_int_equal(v.bytes.data[15], 3);
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_PREREQUISITE), 3);
    assert_true(sp_facts_get(r.facts, SP_FACT_DOCUMENT_CATEGORY_CLAUSES, 0, &v));
    assert_int_equal(v.number, 1);
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_CLAUSE), 4);
    fact_is(&r, SP_FACT_DOCUMENT_CLAUSE, 0, "bbbbbbbb-0000-4000-8000-000000000001");
    fact_is(&r, SP_FACT_DOCUMENT_CLAUSE, 1, "bbbbbbbb-0000-4000-8000-000000000004");
    fact_is(&r, SP_FACT_DOCUMENT_CLAUSE, 2, "bbbbbbbb-0000-4000-8000-000000000005");
    fact_is(&r, SP_FACT_DOCUMENT_CLAUSE, 3,
            "category bbbbbbbb-0000-4000-8000-000000000002 "
            "bbbbbbbb-0000-4000-8000-000000000003");
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_CONSTANT_RULE), 1);
    fact_is(&r, SP_FACT_DOCUMENT_CONSTANT_RULE, 0, "IsInstalled=False");
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_EXECUTABLE), 1);
    fact_is(&r, SP_FACT_DOCUMENT_EXECUTABLE, 0, "A.EXE");
    fact_is(&r, SP_FACT_DOCUMENT_MODIFIED, 0, "then");
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_MODIFIED), 1);
    assert_true(sp_facts_get(r.facts, SP_FACT_DOCUMENT_FILES, 0, &v));
    assert_int_equal(v.number, 2);
    assert_true(sp_facts_get(r.facts, SP_FACT_DOCUMENT_WEAK_FILES, 0, &v));
    assert_int_equal(v.number, 1);
    fact_is(&r, SP_FACT_DOCUMENT_HANDLER_TYPE, 0,
            M "UpdateHandlers/CommandLineInstallation# CommandLineInstallation");
    fact_is(&r, SP_FACT_DOCUMENT_PROGRAM, 0, "A.EXE");
    fact_is(&r, SP_FACT_DOCUMENT_ARGUMENTS, 0, "-s");
    fact_is(&r, SP_FACT_DOCUMENT_RETURN_CODE, 0, "-1");
    drop(&r);
}

static void title_is(const char *properties, const char *localized, const char *title)
{
    struct result r;
    char text[2048];
    snprintf(text, sizeof text,
             HEAD IDENTITY "<upd:Properties %s/><upd:LocalizedPropertiesCollection>%s"
                           "</upd:LocalizedPropertiesCollection>" TAIL,
             properties, localized);
    assert_ok(read_text(&r, text));
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_TITLE), title ? 1 : 0);
    if (title) {
        fact_is(&r, SP_FACT_DOCUMENT_TITLE, 0, title);
    }
    drop(&r);
}

#define LOCALIZED(language, title)                                                     \
    "<upd:LocalizedProperties><upd:Language>" language                                 \
    "</upd:Language><upd:Title>" title "</upd:Title></upd:LocalizedProperties>"

static void b_titles(void **state)
{
    (void)state;
    const char *three = LOCALIZED("de", "D") LOCALIZED("en", "E") LOCALIZED("fr", "F");
    title_is("DefaultPropertiesLanguage=\"fr\"", three, "F");
    title_is("DefaultPropertiesLanguage=\"ja\"", three, "E");
    title_is("", three, "E");
    title_is("", LOCALIZED("de", "D") LOCALIZED("fr", "F"), "D");
    title_is("", LOCALIZED("de", ""), NULL);
    title_is("", "", NULL);
}

static void sound_is(const char *files, bool sound, size_t claims)
{
    struct result r;
    char text[4096];
    snprintf(text, sizeof text, HEAD IDENTITY PROPERTIES "%s" TAIL, files);
    assert_ok(read_text(&r, text));
    if (sp_facts_has_flag(r.facts, SP_FACT_DOCUMENT_DIGESTS_SOUND) != sound) {
        print_error("%s\n", files);
    }
    assert_true(sp_facts_has_flag(r.facts, SP_FACT_DOCUMENT_DIGESTS_SOUND) == sound);
    assert_int_equal(r.count, claims);
    drop(&r);
}

static void f_digests(void **state)
{
    (void)state;
    sound_is("", true, 0);
    sound_is(FILE_HEAD FILE_TAIL, true, 1);
    sound_is(FILE_HEAD DIGEST("SHA256", "\n" SHA256_TEXT " ") FILE_TAIL, true, 1);
    sound_is(FILE_HEAD DIGEST("SHA1", SHA1_TEXT) FILE_TAIL, true, 1);
    sound_is(FILE_HEAD DIGEST("SHA256", SHA256_TEXT) DIGEST("SHA256", SHA256_TEXT)
                 FILE_TAIL,
             true, 1);
    sound_is(FILE_HEAD DIGEST("SHA256", SHA1_TEXT) FILE_TAIL, false, 0);
    sound_is(FILE_HEAD DIGEST("SHA256", "") FILE_TAIL, false, 0);
    sound_is(FILE_HEAD DIGEST("SHA3", SHA256_TEXT) FILE_TAIL, false, 0);
    sound_is(FILE_HEAD DIGEST("SHA256", SHA256_TEXT)
                 DIGEST("SHA256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
                     FILE_TAIL,
             false, 0);
    sound_is(FILE_HEAD "<upd:PiecesHashDigest Algorithm=\"SHA256\">" SHA1_TEXT
                       "</upd:PiecesHashDigest>" FILE_TAIL,
             false, 0);
    sound_is("<upd:Files><upd:File Digest=\"" SHA256_TEXT "\" Size=\"1\"/></upd:Files>",
             false, 0);
    sound_is("<upd:Files><upd:File Digest=\"" SHA1_TEXT
             "\" DigestAlgorithm=\"SHA256\" Size=\"1\"/></upd:Files>",
             false, 0);
    sound_is("<upd:Files><upd:File Size=\"1\"/></upd:Files>", false, 0);
    sound_is("<upd:Files><upd:File Digest=\"e29ecGm5NObqBqaQZl6P_PoMQEg=\" Size=\"1\"/>"
             "</upd:Files>",
             false, 0);
}

static void b_eula_files_are_claims_but_no_files(void **state)
{
    (void)state;
    struct result r;
    assert_ok(read_text(
        &r, HEAD IDENTITY PROPERTIES
        "<upd:LocalizedPropertiesCollection><upd:EulaFile Digest=\"" SHA1_TEXT
        "\" DigestAlgorithm=\"SHA1\" FileName=\"eula.txt\" Size=\"9\" "
        "Language=\"en\">" DIGEST(
            "SHA256",
            SHA256_TEXT) "</upd:EulaFile></upd:LocalizedPropertiesCollection>" TAIL));
    assert_int_equal(r.count, 1);
    assert_string_equal(r.claims[0].ext, "txt");
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_FILE_DIGEST), 0);
    drop(&r);
}

static void b_extensions(void **state)
{
    (void)state;
    static const struct {
        const char *name, *ext;
    } cases[] = {{"a.cab", "cab"},
                 {"a.tar.GZ", "gz"},
                 {"a", ""},
                 {"a.", ""},
                 {"a.12345678", "12345678"},
                 {"a.123456789", ""},
                 {"a.c b", ""},
                 {".msu", "msu"},
                 {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct result r;
        char text[2048];
        snprintf(text, sizeof text,
                 HEAD IDENTITY PROPERTIES
                 "<upd:Files><upd:File Digest=\"" SHA1_TEXT
                 "\" FileName=\"%s\" Size=\"0\"/></upd:Files>" TAIL,
                 cases[i].name);
        assert_ok(read_text(&r, text));
        assert_int_equal(r.count, 1);
        assert_string_equal(r.claims[0].ext, cases[i].ext);
        drop(&r);
    }
}

static void b_as_many_files_as_an_update_may_have(void **state)
{
    (void)state;
    for (size_t n = SP_LIMIT_FILES_PER_UPDATE; n <= SP_LIMIT_FILES_PER_UPDATE + 1;
         n++) {
        struct result r;
        struct sp_buf b;
        sp_buf_init(&b, SP_MIB(4));
        assert_ok(sp_buf_append_str(&b, HEAD IDENTITY PROPERTIES "<upd:Files>"));
        for (size_t i = 0; i < n; i++) {
            uint8_t sha1[20] = {(uint8_t)i, (uint8_t)(i >> 8)};
            assert_ok(sp_buf_append_str(&b, "<upd:File Size=\"1\" Digest=\""));
            assert_ok(sp_base64_append(&b, sp_view(sha1, 20)));
            assert_ok(sp_buf_append_str(&b, "\"/>"));
        }
        assert_ok(sp_buf_append_str(&b, "</upd:Files>" TAIL));
        assert_ok(sp_buf_append_byte(&b, 0));
        enum sp_err e = read_text(&r, (const char *)b.data);
        assert_err(e, n == SP_LIMIT_FILES_PER_UPDATE ? SP_OK : SP_E_LIMIT);
        assert_int_equal(r.count, n == SP_LIMIT_FILES_PER_UPDATE ? n : 0);
        drop(&r);
        sp_buf_fini(&b);
    }
}

static void f_documents_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sp_err e;
    } bad[] = {
        {"", SP_E_MALFORMED},
        {"<Update/>", SP_E_MALFORMED},
        {"<u:Updates xmlns:u=\"" M "Update\"/>", SP_E_MALFORMED},
        {HEAD TAIL, SP_E_MALFORMED},
        {HEAD IDENTITY TAIL, SP_E_MALFORMED},
        {HEAD PROPERTIES TAIL, SP_E_MALFORMED},
        {HEAD IDENTITY IDENTITY PROPERTIES TAIL, SP_E_MALFORMED},
        {HEAD IDENTITY PROPERTIES PROPERTIES TAIL, SP_E_MALFORMED},
        {HEAD IDENTITY PROPERTIES, SP_E_MALFORMED},
        {HEAD IDENTITY PROPERTIES TAIL "x", SP_E_MALFORMED},
        {"<!DOCTYPE x>" HEAD IDENTITY PROPERTIES TAIL, SP_E_UNSUPPORTED},
        {HEAD
         "<upd:UpdateIdentity UpdateID=\"x\" RevisionNumber=\"1\"/>" PROPERTIES TAIL,
         SP_E_MALFORMED},
        {HEAD "<upd:UpdateIdentity "
              "UpdateID=\"11111111-2222-4333-8444-555555555555\"/>" PROPERTIES TAIL,
         SP_E_MALFORMED},
        {HEAD "<upd:UpdateIdentity UpdateID=\"11111111-2222-4333-8444-555555555555\" "
              "RevisionNumber=\"2147483648\"/>" PROPERTIES TAIL,
         SP_E_MALFORMED},
        {HEAD IDENTITY PROPERTIES "<upd:Files><upd:File Digest=\"" SHA1_TEXT
                                  "\"/></upd:Files>" TAIL,
         SP_E_MALFORMED},
        {HEAD IDENTITY PROPERTIES "<upd:Files><upd:File Digest=\"" SHA1_TEXT
                                  "\" Size=\"-1\"/></upd:Files>" TAIL,
         SP_E_MALFORMED},
        {HEAD IDENTITY PROPERTIES
         "<upd:HandlerSpecificData xmlns:xsi=\"http://www.w3.org/"
         "2001/XMLSchema-instance\" xsi:type=\"nope:X\"/>" TAIL,
         SP_E_MALFORMED},
        {HEAD IDENTITY PROPERTIES "<upd:Relationships><upd:BundledUpdates>"
                                  "<upd:UpdateIdentity/></upd:BundledUpdates>"
                                  "</upd:Relationships>" TAIL,
         SP_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct result r;
        assert_err(read_text(&r, bad[i].text), bad[i].e);
        assert_true(r.why.text[0] != 0);
        drop(&r);
    }
}

/* A neighbour in another namespace is not the thing itself. */
static void f_only_the_frame_counts(void **state)
{
    (void)state;
    struct result r;
    assert_ok(read_text(
        &r, HEAD IDENTITY PROPERTIES
        "<Files><File/></Files><upd:ApplicabilityRules>"
        "<upd:Files><upd:File/></upd:Files><upd:UpdateIdentity/></"
        "upd:ApplicabilityRules>"
        "<other:Properties xmlns:other=\"urn:x\" UpdateType=\"Driver\"/>" TAIL));
    assert_int_equal(r.count, 0);
    assert_int_equal(sp_facts_count(r.facts, SP_FACT_DOCUMENT_TYPE), 1);
    drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_a_whole_document),
        cmocka_unit_test(b_what_reports_tell),
        cmocka_unit_test(c_what_a_document_demands),
        cmocka_unit_test(b_titles),
        cmocka_unit_test(f_digests),
        cmocka_unit_test(b_eula_files_are_claims_but_no_files),
        cmocka_unit_test(b_extensions),
        cmocka_unit_test(b_as_many_files_as_an_update_may_have),
        cmocka_unit_test(f_documents_that_are_none),
        cmocka_unit_test(f_only_the_frame_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
