/* What clients get of a document: derived here, compared with what servers sent. */
#include "recorded.h"
#include "unit.h"

#include "core/crypto/crypto.h"
#include "core/wsus/fragment.h"

#include <string.h>

#define NS "http://schemas.microsoft.com/msus/2002/12/"

static const char document[] =
    "<u:Update xmlns:u=\"" NS "Update\" xmlns:c=\"" NS
    "UpdateHandlers/CommandLineInstallation\" xmlns:r=\"" NS
    "BaseApplicabilityRules\" xmlns:l=\"" NS "LogicalApplicabilityRules\" xmlns:i=\"" NS
    "MsiApplicabilityRules\">\n"
    "<u:UpdateIdentity UpdateID=\"AAAAAAAA-0000-4000-8000-000000000001\" "
    "RevisionNumber=\"7\"/>"
    "<u:Properties UpdateType=\"Software\" DefaultPropertiesLanguage=\"en\" "
    "ExplicitlyDeployable=\"true\" Handler=\"h\" MaxDownloadSize=\"9\" "
    "MinDownloadSize=\"0\" PublicationState=\"Published\" CreationDate=\"2026-01-01\" "
    "PublisherID=\"p\" PerUser=\"true\" ProductName=\"n\">"
    "<u:InstallationBehavior Impact=\"Minor\"/><u:CveID>CVE-2026-1</u:CveID>"
    "<u:KBArticleID>4711</u:KBArticleID></u:Properties>"
    "<u:LocalizedPropertiesCollection>"
    "<u:LocalizedProperties><u:Language>en</u:Language><u:Title>A &amp; B</u:Title>"
    "</u:LocalizedProperties>"
    "<u:LocalizedProperties><u:Language>de</u:Language><u:Title>A und B</u:Title>"
    "</u:LocalizedProperties></u:LocalizedPropertiesCollection>"
    "<u:Relationships><u:Prerequisites><u:AtLeastOne IsCategory=\"true\">"
    "<u:UpdateIdentity UpdateID=\"bbbbbbbb-0000-4000-8000-000000000002\"/>"
    "</u:AtLeastOne></u:Prerequisites></u:Relationships>"
    "<u:ApplicabilityRules><u:IsInstalled><l:And><r:RegDword Key=\"K\" Data=\"1\"/>"
    "<i:MsiProductInstalled ProductCode=\"c\"/></l:And></u:IsInstalled>"
    "<u:Metadata><any>thing</any></u:Metadata></u:ApplicabilityRules>"
    "<u:Files><u:File Digest=\"d\" FileName=\"a.exe\" Size=\"9\">"
    "<u:AdditionalDigest Algorithm=\"SHA256\">s</u:AdditionalDigest>"
    "<u:PiecesHashDigest Algorithm=\"SHA1\">x</u:PiecesHashDigest></u:File></u:Files>"
    "<u:HandlerSpecificData xsi:type=\"c:CommandLineInstallation\" "
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><c:InstallCommand "
    "Program=\"a.exe\" Arguments=\"/q &quot;x&quot;\"><c:ReturnCode Code=\"0\" "
    "Result=\"Succeeded\"/></c:InstallCommand></u:HandlerSpecificData></u:Update>";

#define IDENTITY                                                                       \
    "<UpdateIdentity UpdateID=\"aaaaaaaa-0000-4000-8000-000000000001\" "               \
    "RevisionNumber=\"7\" />"
#define PROPERTIES                                                                     \
    "<Properties UpdateType=\"Software\" ExplicitlyDeployable=\"true\" />"
#define RELATIONS                                                                      \
    "<Relationships><Prerequisites><AtLeastOne IsCategory=\"true\"><UpdateIdentity "   \
    "UpdateID=\"BBBBBBBB-0000-4000-8000-000000000002\" /></AtLeastOne>"                \
    "</Prerequisites></Relationships>"
#define RULES                                                                          \
    "<ApplicabilityRules><IsInstalled><And><b.RegDword Key=\"K\" Data=\"1\" />"        \
    "<m.MsiProductInstalled ProductCode=\"c\" /></And></IsInstalled>"                  \
    "<Metadata><any>thing</any></Metadata></ApplicabilityRules>"
#define EXTENDED                                                                       \
    "<ExtendedProperties DefaultPropertiesLanguage=\"en\" Handler=\"h\" "              \
    "MaxDownloadSize=\"9\" MinDownloadSize=\"0\"><InstallationBehavior "               \
    "Impact=\"Minor\" /><KBArticleID>4711</KBArticleID></ExtendedProperties>"
#define FILES                                                                          \
    "<Files><File Digest=\"d\" FileName=\"a.exe\" Size=\"9\"><AdditionalDigest "       \
    "Algorithm=\"SHA256\">s</AdditionalDigest></File></Files>"
#define HANDLER                                                                        \
    "<HandlerSpecificData type=\"c:CommandLineInstallation\"><InstallCommand "         \
    "Program=\"a.exe\" Arguments=\"/q &quot;x&quot;\"><ReturnCode Code=\"0\" "         \
    "Result=\"Succeeded\" /></InstallCommand></HandlerSpecificData>"
#define ENGLISH                                                                        \
    "<LocalizedProperties><Language>en</Language><Title>A &amp; B</Title>"             \
    "</LocalizedProperties>"
#define GERMAN                                                                         \
    "<LocalizedProperties><Language>de</Language><Title>A und B</Title>"               \
    "</LocalizedProperties>"

static struct sp_facts *derive(const char *text)
{
    struct sp_facts *f = NULL;
    struct sp_why why = {0};
    assert_ok(sp_facts_new(SP_MIB(1), &f));
    uint8_t sha256[32], expected[32];
    assert_ok(sp_fragments_derive(sp_view_str(text), f, sha256, &why));
    sp_sha256(sp_view_str(text), expected);
    assert_memory_equal(sha256, expected, 32);
    return f;
}

/* Every part of the text, of which there is one of this kind, is of the document. */
static bool agrees(enum sp_derived_kind kind, const char *text)
{
    struct sp_derived_parts p;
    struct sp_why why = {0};
    bool all = true;
    assert_ok(sp_derived_read(sp_view_str(text), &p, &why));
    assert_true(p.has[kind]);
    struct sp_facts *f = derive(document);
    for (enum sp_derived_kind k = 0; k < SP_DERIVED_KINDS; k++) {
        all = all && (!p.has[k] || holds(f, k, p.sha256[k]));
    }
    sp_facts_free(&f);
    return all;
}

static void test_derives(void **state)
{
    (void)state;
    struct sp_facts *f = derive(document);
    assert_int_equal(sp_facts_count(f, SP_FACT_FRAGMENT_CORE), 1);
    assert_int_equal(sp_facts_count(f, SP_FACT_FRAGMENT_EXTENDED), 1);
    assert_int_equal(sp_facts_count(f, SP_FACT_FRAGMENT_LOCALIZED), 2);
    sp_facts_free(&f);
}

/* A long document is digested by another way. */
static void test_long_one(void **state)
{
    enum { PAD = 100000 };
    (void)state;
    static char text[sizeof document + PAD];
    size_t head = sizeof document - sizeof "</u:Update>";
    memcpy(text, document, head);
    memset(text + head, ' ', PAD);
    memcpy(text + head + PAD, "</u:Update>", sizeof "</u:Update>");
    SP_AUTO(sp_facts_free) struct sp_facts *one = derive(document), *two = derive(text);
    SP_AUTO(sp_buf_fini) struct sp_buf x, y;
    sp_buf_init(&x, SP_KIB(64));
    sp_buf_init(&y, SP_KIB(64));
    assert_ok(sp_facts_encode(one, &x));
    assert_ok(sp_facts_encode(two, &y));
    assert_true(x.len > 0 && sp_view_eq(sp_buf_view(&x), sp_buf_view(&y)));
}

static void test_core(void **state)
{
    (void)state;
    const enum sp_derived_kind k = SP_DERIVED_CORE;
    assert_true(agrees(k, IDENTITY PROPERTIES RELATIONS RULES));
    assert_false(agrees(k, IDENTITY PROPERTIES RULES));
    assert_false(agrees(k, IDENTITY PROPERTIES RELATIONS));
    assert_false(agrees(k, IDENTITY PROPERTIES RELATIONS RULES RULES));
    /* a property that is known to be left out */
    assert_false(
        agrees(k, IDENTITY
               "<Properties UpdateType=\"Software\" "
               "ExplicitlyDeployable=\"true\" PerUser=\"true\" />" RELATIONS RULES));
    /* another rule, and the same one by another prefix */
    assert_false(agrees(k, IDENTITY PROPERTIES RELATIONS
                        "<ApplicabilityRules><IsInstalled><False /></IsInstalled>"
                        "</ApplicabilityRules>"));
    assert_false(agrees(k, IDENTITY PROPERTIES RELATIONS
                        "<ApplicabilityRules><IsInstalled><And><RegDword Key=\"K\" "
                        "Data=\"1\" /><m.MsiProductInstalled ProductCode=\"c\" />"
                        "</And></IsInstalled></ApplicabilityRules>"));
    /* what is said of Metadata is not compared */
    assert_true(agrees(k, IDENTITY PROPERTIES RELATIONS
                       "<ApplicabilityRules><IsInstalled><And><b.RegDword Data=\"1\" "
                       "Key=\"K\"></b.RegDword> <m.MsiProductInstalled "
                       "ProductCode=\"&#99;\"/></And></IsInstalled>"
                       "<Metadata/></ApplicabilityRules>"));
}

static void test_identity(void **state)
{
    (void)state;
    struct sp_derived_parts p;
    struct sp_why why = {0};
    char text[SP_REVISION_TEXT];
    assert_ok(sp_derived_read(SP_VIEW(IDENTITY PROPERTIES), &p, &why));
    assert_true(p.has_id);
    sp_revision_id_format(&p.id, text);
    assert_string_equal(text, "aaaaaaaa-0000-4000-8000-000000000001.7");
    assert_ok(sp_derived_read(SP_VIEW(RELATIONS), &p, &why));
    assert_false(p.has_id); /* a prerequisite is no identity */
}

static void test_extended(void **state)
{
    (void)state;
    const enum sp_derived_kind k = SP_DERIVED_EXTENDED;
    assert_true(agrees(k, EXTENDED FILES HANDLER));
    assert_true(agrees(k, "<Unknown/>" EXTENDED FILES HANDLER));
    assert_false(agrees(k, EXTENDED FILES));
    assert_false(agrees(k, "<Unknown/>" EXTENDED FILES));
    assert_false(agrees(k, EXTENDED HANDLER));
    assert_false(agrees(k, EXTENDED "<Files><File Digest=\"e\" FileName=\"a.exe\" "
                                    "Size=\"9\"><AdditionalDigest Algorithm=\"SHA256\">"
                                    "s</AdditionalDigest></File></Files>" HANDLER));
    assert_false(agrees(
        k, EXTENDED FILES
        "<HandlerSpecificData type=\"c:CommandLineInstallation\"><InstallCommand "
        "Program=\"a.exe\" Arguments=\"/q &quot;y&quot;\"><ReturnCode Code=\"0\" "
        "Result=\"Succeeded\" /></InstallCommand></HandlerSpecificData>"));
    /* core beside it does not hide it, nor the other way round */
    assert_false(agrees(k, IDENTITY PROPERTIES RELATIONS RULES EXTENDED FILES));
    assert_true(agrees(k, IDENTITY PROPERTIES RELATIONS RULES EXTENDED FILES HANDLER));
}

static void test_localized(void **state)
{
    (void)state;
    const enum sp_derived_kind k = SP_DERIVED_LOCALIZED;
    assert_true(agrees(k, ENGLISH));
    assert_true(agrees(k, GERMAN));
    assert_true(agrees(k, "<LocalizedProperties> <Language>en</Language>\n<Title>"
                          "<![CDATA[A & B]]></Title></LocalizedProperties>"));
    assert_false(agrees(k, ENGLISH GERMAN));
    assert_false(agrees(k, "<LocalizedProperties><Language>en</Language><Title>A and B"
                           "</Title></LocalizedProperties>"));
    assert_false(agrees(k, "<LocalizedProperties><Language>en</Language><Title>A &amp; "
                           "B </Title></LocalizedProperties>"));
}

static void test_unreadable(void **state)
{
    (void)state;
    static const char *const bad[] = {"<LocalizedProperties>",
                                      "</Update><Update>",
                                      "<a><b></a></b>",
                                      "<!DOCTYPE Update><Files/>",
                                      "<?xml version=\"1.0\"?><Files/>",
                                      "&unknown;"};
    struct sp_derived_parts p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sp_why why = {0};
        assert_true(sp_derived_read(sp_view_str(bad[i]), &p, &why) != SP_OK);
    }
    struct sp_why why = {0};
    assert_ok(sp_derived_read(SP_VIEW("<Eula/>text"), &p, &why));
    assert_false(p.has[0] || p.has[1] || p.has[2]);
}

/* ---- replies to clients -------------------------------------------------------- */

#define ENVELOPE(op, inside)                                                           \
    "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><" op   \
    "Response xmlns=\"http://www.microsoft.com/SoftwareDistribution/Server/"           \
    "ClientWebService\"><" op "Result>" inside "</" op "Result></" op                  \
    "Response></e:Body></e:Envelope>"

static struct sp_reply *inspect(enum sp_op op, struct sp_view body)
{
    struct sp_reply *r = NULL;
    struct sp_why why = {0};
    assert_ok(sp_reply_inspect(op, 200, body, NULL, 0, &r, &why));
    return r;
}

static void test_numbers_and_texts(void **state)
{
    (void)state;
    struct sp_reply *r = inspect(
        SP_OP_SYNC_UPDATES,
        SP_VIEW(ENVELOPE(
            "SyncUpdates",
            "<NewUpdates><UpdateInfo><ID>12</ID><Deployment><ID>13</ID></Deployment>"
            "<Xml>&lt;UpdateIdentity UpdateID=\"aaaaaaaa-0000-4000-8000-000000000001\" "
            "RevisionNumber=\"7\"/&gt;</Xml></UpdateInfo><UpdateInfo><ID>14</ID>"
            "<Xml>&lt;Files&gt;</Xml></UpdateInfo></NewUpdates>"
            "<ChangedUpdates><UpdateInfo><ID>15</ID></UpdateInfo></ChangedUpdates>")));
    assert_int_equal(r->fragment_count, 3);
    assert_int_equal(r->fragments[0].number, 12);
    assert_true(r->fragments[0].is_readable && r->fragments[0].parts.has_id);
    assert_true(r->fragments[0].parts.has[SP_DERIVED_CORE]);
    assert_int_equal(r->fragments[1].number, 14);
    assert_false(r->fragments[1].is_readable);
    assert_int_equal(r->fragments[2].number, 15);
    sp_reply_free(&r);
    r = inspect(SP_OP_REFRESH_CACHE,
                SP_VIEW(ENVELOPE(
                    "RefreshCache",
                    "<RefreshCacheResult><RevisionID>9</RevisionID><GlobalID><UpdateID>"
                    "aaaaaaaa-0000-4000-8000-000000000001</UpdateID><RevisionNumber>7"
                    "</RevisionNumber></GlobalID></RefreshCacheResult>")));
    assert_int_equal(r->fragment_count, 1);
    assert_int_equal(r->fragments[0].number, 9);
    assert_int_equal(r->fragments[0].parts.id.number, 7);
    assert_true(r->fragments[0].parts.has_id);
    sp_reply_free(&r);
}

static void test_update_without_number(void **state)
{
    (void)state;
    struct sp_reply *r =
        inspect(SP_OP_GET_EXTENDED_UPDATE_INFO,
                SP_VIEW(ENVELOPE(
                    "GetExtendedUpdateInfo",
                    "<Updates><Update><Xml>&lt;Files/&gt;</Xml></Update></Updates>")));
    assert_false(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED));
    assert_int_equal(r->fragment_count, 0);
    sp_reply_free(&r);
}

/* ---- the recorded ones --------------------------------------------------------- */

/* Servers number revisions as they like and no recording tells these numbers, so a
 * document's fragments are looked for among all that were sent. */
static void test_recorded(void **state)
{
    (void)state;
    struct sp_facts *documents[DOCUMENTS] = {0};
    size_t n = 0, equal[SP_DERIVED_KINDS] = {0}, sent[SP_DERIVED_KINDS] = {0};
    uint8_t *body = corpus_file("C-wusp/flow-000015/response.body", &n);
    if (!body || read_recorded(documents) == 0) {
        free(body);
        skip();
    }
    unblank(body, &n);
    struct sp_reply *r = inspect(SP_OP_GET_EXTENDED_UPDATE_INFO, sp_view(body, n));
    for (size_t i = 0; i < r->fragment_count; i++) {
        const struct sp_shown *f = &r->fragments[i];
        assert_true(f->is_readable);
        for (enum sp_derived_kind k = 0; k < SP_DERIVED_KINDS; k++) {
            sent[k] += f->parts.has[k];
        }
    }
    for (size_t d = 0; d < DOCUMENTS; d++) {
        for (enum sp_derived_kind k = 0; k < SP_DERIVED_KINDS; k++) {
            for (size_t i = 0, found = 0; i < r->fragment_count && !found; i++) {
                const struct sp_derived_parts *p = &r->fragments[i].parts;
                found = p->has[k] && holds(documents[d], k, p->sha256[k]);
                equal[k] += found;
            }
        }
        assert_int_equal(sp_facts_count(documents[d], SP_FACT_FRAGMENT_CORE), 1);
        sp_facts_free(&documents[d]);
    }
    print_message("recorded and derived: %zu core, %zu extended, %zu localized of %d "
                  "documents; sent: %zu core, %zu extended, %zu localized\n",
                  equal[0], equal[1], equal[2], DOCUMENTS, sent[0], sent[1], sent[2]);
    assert_int_equal(sent[SP_DERIVED_CORE], 0); /* no core of these was recorded */
    assert_int_equal(equal[SP_DERIVED_EXTENDED], DOCUMENTS);
    assert_int_equal(equal[SP_DERIVED_LOCALIZED], DOCUMENTS);
    sp_reply_free(&r);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derives),
        cmocka_unit_test(test_long_one),
        cmocka_unit_test(test_core),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_extended),
        cmocka_unit_test(test_localized),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_numbers_and_texts),
        cmocka_unit_test(test_update_without_number),
        cmocka_unit_test(test_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
