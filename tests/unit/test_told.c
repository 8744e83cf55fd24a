/* What clients are told, as facts; and how many texts a reply may hold. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/wsus/told.h"

#define ID_A "11111111-2222-4333-8444-555555555555"
#define ID_B "22222222-2222-4333-8444-555555555555"
#define ID_C "33333333-2222-4333-8444-555555555555"

static struct sp_facts *told(const char *text)
{
    struct sp_facts *f = NULL;
    struct sp_why why = {0};
    assert_ok(sp_facts_new(SP_KIB(64), &f));
    enum sp_err e = sp_told_read(sp_view_str(text), f, &why);
    if (e != SP_OK) {
        fail_msg("%s", sp_why_text(&why, e));
    }
    return f;
}

static void says(const char *text, const char *expected)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = told(text);
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, SP_KIB(64));
    assert_ok(sp_facts_encode(f, &b));
    assert_ok(sp_buf_append_byte(&b, 0));
    assert_string_equal((const char *)b.data, expected);
}

static void b_core(void **state)
{
    (void)state;
    says("<UpdateIdentity UpdateID=\"" ID_A "\" RevisionNumber=\"7\" />"
         "<Properties UpdateType=\"Software\" ExplicitlyDeployable=\"true\" />"
         "<Relationships><Prerequisites><UpdateIdentity UpdateID=\"" ID_B "\" />"
         "<AtLeastOne IsCategory=\"true\"><UpdateIdentity UpdateID=\"" ID_C "\" />"
         "<UpdateIdentity UpdateID=\"" ID_B "\" /></AtLeastOne></Prerequisites>"
         "</Relationships><ApplicabilityRules><IsInstalled><False /></IsInstalled>"
         "<IsInstallable><True /></IsInstallable></ApplicabilityRules>",
         "update.id " ID_A "\nupdate.revision 7\ndocument.deployable true\n"
         "document.category " ID_B "\ndocument.category " ID_C "\n"
         "document.category-clauses 1\ndocument.prerequisite " ID_B "\n"
         "document.constant-rule IsInstallable=True\n"
         "document.constant-rule IsInstalled=False\n"
         "document.clause " ID_B "\ndocument.clause category " ID_C " " ID_B "\n");
}

static void b_extended(void **state)
{
    (void)state;
    says("<ExtendedProperties Handler=\"h\"><SecurityBulletinID> MS26-001 "
         "</SecurityBulletinID><KBArticleID>5</KBArticleID></ExtendedProperties>"
         "<Files><File FileName=\"a.b.EXE\" Modified=\"then\" /><File "
         "FileName=\"c.cab\" Modified=\"later\" /></Files><HandlerSpecificData "
         "type=\"x: T\"><InstallCommand Program=\"p\" Arguments=\"-q\"><ReturnCode "
         "Code=\"-1\" /></InstallCommand></HandlerSpecificData>",
         "document.handler h\ndocument.handler-type # T\ndocument.kb 5\n"
         "document.bulletin MS26-001\ndocument.program p\ndocument.arguments -q\n"
         "document.return-code -1\ndocument.modified then\n"
         "document.executable a.b.EXE\n");
    says("<LocalizedProperties><Language>en</Language><Title>T</Title>"
         "</LocalizedProperties>",
         "document.title T\n");
}

static void f_what_names_nothing_is_passed_over(void **state)
{
    (void)state;
    says("<UpdateIdentity UpdateID=\"x\" RevisionNumber=\"7\" /><UpdateIdentity />"
         "<Relationships><Prerequisites><UpdateIdentity UpdateID=\"x\" />"
         "</Prerequisites></Relationships><Other><File FileName=\"a.exe\" /></Other>",
         "document.category-clauses 0\n");
    says("", "");
}

static void f_what_cannot_be_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"<", "<a>", "</f><f>", "&x;", "<!DOCTYPE f>"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        struct sp_why why = {0};
        assert_ok(sp_facts_new(SP_KIB(4), &f));
        assert_true(sp_told_read(sp_view_str(bad[i]), f, &why) != SP_OK);
    }
}

static bool is_wellformed(size_t texts, const char *xml)
{
    struct sp_reply *r = NULL;
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, SP_MIB(8));
    assert_ok(sp_buf_append_str(
        &b,
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>"
        "<SyncUpdatesResponse xmlns=\"http://www.microsoft.com/SoftwareDistribution/"
        "Server/ClientWebService\"><SyncUpdatesResult><NewUpdates>"));
    for (size_t i = 0; i < texts; i++) {
        assert_ok(sp_buf_printf(
            &b,
            "<UpdateInfo><ID>%zu</ID><IsLeaf>true</IsLeaf><Xml>%s</Xml></UpdateInfo>",
            i, xml));
    }
    assert_ok(sp_buf_append_str(&b, "</NewUpdates><Truncated>false</Truncated>"
                                    "</SyncUpdatesResult></SyncUpdatesResponse>"
                                    "</s:Body></s:Envelope>"));
    assert_ok(
        sp_reply_inspect(SP_OP_SYNC_UPDATES, 200, sp_buf_view(&b), NULL, 0, &r, &why));
    bool good = sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED);
    for (size_t i = 0; i < r->fragment_count; i++) {
        assert_int_equal(sp_facts_count(r->fragments[i].told, SP_FACT_TOLD_NUMBER), 1);
        assert_int_equal(sp_facts_count(r->fragments[i].told, SP_FACT_DOCUMENT_ERROR),
                         xml[0] == '&');
    }
    assert_int_equal(r->fragment_count, good ? texts : 0);
    sp_reply_free(&r);
    return good;
}

static void b_so_many_texts(void **state)
{
    (void)state;
    assert_true(is_wellformed(SP_LIMIT_TOLD, "x"));
    assert_false(is_wellformed(SP_LIMIT_TOLD + 1, "x"));
    assert_true(is_wellformed(2, "&lt;a&gt;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_core),
        cmocka_unit_test(b_extended),
        cmocka_unit_test(f_what_names_nothing_is_passed_over),
        cmocka_unit_test(f_what_cannot_be_read),
        cmocka_unit_test(b_so_many_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
