/* Reports: the shapes of CVE-2025-59287 with nothing in them, and their neighbours. */
#include "soap_request_rig.h"

static void report(const char *basic, const char *datum, bool passes)
{
    static const enum sp_op ops[] = {SP_OP_REPORT_EVENT_BATCH,
                                     SP_OP_REPORT_EVENT_BATCH2};
    for (size_t o = 0; o < 2; o++) {
        char text[2048];
        snprintf(text, sizeof text,
                 "<%s xmlns=\"" S "\"><clientTime>2026-01-02T03:04:05.06Z</clientTime>"
                 "<eventBatch><ReportingEvent><BasicData>%s</BasicData><ExtendedData>"
                 "<MiscData><string>%s</string></MiscData></ExtendedData><PrivateData/>"
                 "</ReportingEvent></eventBatch></%s>",
                 sp_op_text(ops[o]), basic, datum, sp_op_text(ops[o]));
        if (passes) {
            accepts(ops[o], text);
        } else {
            refuses(ops[o], text, NULL);
        }
    }
}

#define CLIENT_EVENT "<NamespaceID>1</NamespaceID><EventID>147</EventID>"

static void f_reports(void **state)
{
    (void)state;
    static const char *const good[] = {
        "B=3",
        "U=",
        "x=y=z",
        "dd=0",
        "AppName=&lt;&lt;PROCESS&gt;&gt;: powershell.exe",
        "CsiErrorType=0",
        "cc=powershell.exe",
        "WUfBOn=0",
        "T=EDK II"};
    static const char *const bad[] = {"SynchronizationUpdateErrorsKey=",
                                      "SynchronizationUpdateErrorsKey=&lt;x/&gt;",
                                      "synchronizationupdateerrorskey=x",
                                      "Administrator=x",
                                      " SynchronizationUpdateErrorsKey=x",
                                      "",
                                      "B",
                                      "=x",
                                      "abc=x",
                                      "1=x",
                                      "B =x",
                                      "B=&lt;x/&gt;",
                                      "B=&lt;![CDATA[",
                                      "B=&lt;&lt;PROCESS&gt;",
                                      "B=&lt;<![CDATA[SOAP-ENV:Envelope]]>",
                                      "AppNam=x",
                                      "appname=x",
                                      "AppName",
                                      "B:x"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        report(CLIENT_EVENT, good[i], true);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        report(CLIENT_EVENT, bad[i], false);
    }
    report("<NamespaceID>2</NamespaceID><EventID>147</EventID>", "B=3", false);
    report("<NamespaceID>0</NamespaceID><EventID>147</EventID>", "B=3", false);
    report("<NamespaceID>2</NamespaceID><EventID>389</EventID>", "B=3", false);
    report("<EventID>147</EventID>", "B=3", false);
    report("<NamespaceID>1</NamespaceID>", "B=3", false);
    report("", "B=3", false);
}

#define TAGS(inner)                                                                    \
    "<ReportEventBatch xmlns=\"" S                                                     \
    "\"><eventBatch><ReportingEvent><BasicData>" CLIENT_EVENT                          \
    "</BasicData><ExtendedData><MiscData>" inner                                       \
    "</MiscData></ExtendedData></ReportingEvent></eventBatch></ReportEventBatch>"

static void f_unknown_tags_are_left_out(void **state)
{
    (void)state;
    static const char known[] = "ABCDFGJKLQSUVWXYZacfghOPTkmnopqrwx";
    static const char text[] =
        HEAD TAGS("<string>A=1</string><string>E=2</string><string>f=3</string>"
                  "<string>zz=4</string><string> H=5</string>") TAIL;
    struct sp_soap_request r;
    assert_ok(sp_soap_request_read(SP_OP_REPORT_EVENT_BATCH, sp_view_str(text), NULL,
                                   &r, &refusal));
    assert_int_equal(r.left_out, 3);
    assert_string_equal(r.tag, "E");
    assert_non_null(memmem(r.body.data, r.body.len,
                           "<MiscData><string>A=1</string><string>f=3</string>"
                           "</MiscData>",
                           sizeof "<MiscData><string>A=1</string><string>f=3</string>"
                                  "</MiscData>" -
                               1));
    sp_soap_request_fini(&r);
    for (int c = 0; c < 128; c++) {
        char one[512];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter) {
            continue;
        }
        snprintf(one, sizeof one, HEAD TAGS("<string>%c=1</string>") TAIL, c);
        assert_ok(sp_soap_request_read(SP_OP_REPORT_EVENT_BATCH, sp_view_str(one), NULL,
                                       &r, &refusal));
        assert_int_equal(r.left_out, strchr(known, c) ? 0 : 1);
        sp_soap_request_fini(&r);
    }
}

static void f_event_numbers(void **state)
{
    (void)state;
    static const int good[] = {141, 145, 150, 153, 154, 156, 158, 161, 170,
                               181, 204, 221, 226, 521, 525, 541, 546};
    static const int bad[] = {0,   -1,  140, 142, 144,   151,  152, 155,
                              159, 160, 171, 180, 205,   220,  227, 389,
                              520, 526, 540, 547, 32767, 65683};
    char basic[128];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(basic, sizeof basic,
                 "<NamespaceID>1</NamespaceID><EventID>%d</EventID>", good[i]);
        report(basic, "B=3", true);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(basic, sizeof basic,
                 "<NamespaceID>1</NamespaceID><EventID>%d</EventID>", bad[i]);
        report(basic, "B=3", false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_reports),
        cmocka_unit_test(f_unknown_tags_are_left_out),
        cmocka_unit_test(f_event_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
