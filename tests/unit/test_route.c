#include "unit.h"

#include "core/wsus/wsus.h"

#define SHA "7B6F5E7069B934E6EA06A690665E8FFCFA0C4048"

static enum sp_route_kind kind_of(const char *target)
{
    return sp_route(sp_view_str(target)).kind;
}

static void b_services_in_every_case(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        enum sp_service service;
    } good[] = {
        {"/ServerSyncWebService/ServerSyncWebService.asmx", SP_SERVICE_SERVER_SYNC},
        {"/serversyncwebservice/SERVERSYNCWEBSERVICE.ASMX", SP_SERVICE_SERVER_SYNC},
        {"//ServerSyncWebService/ServerSyncWebService.asmx", SP_SERVICE_SERVER_SYNC},
        {"/DssAuthWebService/DssAuthWebService.asmx", SP_SERVICE_DSS_AUTH},
        {"//DssAuthWebService/DssAuthWebService.asmx", SP_SERVICE_DSS_AUTH},
        {"/ClientWebService/Client.asmx", SP_SERVICE_CLIENT},
        {"/ClientWebService/client.asmx", SP_SERVICE_CLIENT},
        {"/SimpleAuthWebService/SimpleAuth.asmx", SP_SERVICE_SIMPLE_AUTH},
        {"/ReportingWebService/ReportingWebService.asmx", SP_SERVICE_REPORTING},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct sp_route r = sp_route(sp_view_str(good[i].target));
        assert_int_equal(r.kind, SP_ROUTE_SERVICE);
        assert_int_equal(r.service, good[i].service);
    }
}

static void f_no_service_by_another_spelling(void **state)
{
    (void)state;
    static const char *const tricks[] = {"%s/",
                                         "%s?wsdl",
                                         "%s?",
                                         "%s/x",
                                         "%s%%20",
                                         "%s ",
                                         "%s.",
                                         "%s::$DATA",
                                         "%s;a=b",
                                         "%s%%00",
                                         "%s#",
                                         "/.%s",
                                         "/x/..%s",
                                         "///%s",
                                         "/%%2e%s",
                                         "\\%s",
                                         "%s\\",
                                         "%s\t",
                                         "http://wsus.example:8530%s",
                                         "*%s",
                                         "%s%%u002e",
                                         "%s\xc0\xae",
                                         "/Content%s"};
    for (int s = 0; s < SP_SERVICE_COUNT; s++) {
        for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
            char target[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(target, sizeof target, tricks[i],
                     sp_service_path((enum sp_service)s));
#pragma GCC diagnostic pop
            assert_int_equal(kind_of(target), SP_ROUTE_NONE);
        }
    }
}

static void f_unknown_places(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/",
        "//",
        "*",
        "/ApiRemoting30/WebService.asmx",
        "/apiremoting30/webservice.asmx",
        "/ClientWebService/../ApiRemoting30/WebService.asmx",
        "/ClientWebService",
        "/ClientWebService/",
        "/ClientWebService//Client.asmx",
        "/Inventory",
        "/SelfUpdate/wuident.cab",
        "/Content/anonymousCheckFile.txt",
        "/ClientWebService/Client%2easmx",
        "/ClientWebService%2fClient.asmx",
        "/ClientWebService/Client.asmx/secured",
        "/CLIENT~1/Client.asmx"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(kind_of(bad[i]), SP_ROUTE_NONE);
    }
    assert_int_equal(sp_route(SP_VIEW("/ClientWebService/Client.asmx\0")).kind,
                     SP_ROUTE_NONE);
}

static void b_content(void **state)
{
    (void)state;
    static const char *const good[] = {
        "/Content/48/" SHA ".cab",
        "/content/48/7b6f5e7069b934e6ea06a690665e8ffcfa0c4048.CAB",
        "//Content/48/" SHA ".cab", "/CONTENT/48/" SHA ".CaB"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct sp_route r = sp_route(sp_view_str(good[i]));
        char path[SP_CONTENT_PATH_MAX];
        assert_int_equal(r.kind, SP_ROUTE_CONTENT);
        assert_string_equal(r.content.ext, "cab");
        sp_content_path_format(&r.content, path);
        assert_string_equal(path, "/Content/48/" SHA ".cab");
    }
    struct sp_route r = sp_route(
        SP_VIEW("/Content/0A/2FB3985DF14217D29BFF1B15B7AEEB6E6D01490A.a2345678"));
    char path[SP_CONTENT_PATH_MAX];
    assert_int_equal(r.kind, SP_ROUTE_CONTENT);
    sp_content_path_format(&r.content, path);
    assert_string_equal(
        path, "/Content/0A/2FB3985DF14217D29BFF1B15B7AEEB6E6D01490A.a2345678");
}

static void f_content_by_another_spelling(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "/Content/49/" SHA ".cab",       /* the wrong folder */
        "/Content/7B/" SHA ".cab",       /* the first byte, not the last */
        "/Content/48/" SHA,              /* no extension */
        "/Content/48/" SHA ".",          /* an empty one */
        "/Content/48/" SHA ".a23456789", /* one too long */
        "/Content/48/" SHA ".c-b",       /* a byte too many */
        "/Content/48/" SHA ".cab?x",
        "/Content/48/" SHA ".cab/",
        "/Content/48/" SHA ".c%61b",
        "/Content/48/" SHA ".cab.exe",
        "/Content/48/" SHA ".cab ",
        "/Content/48/../48/" SHA ".cab",
        "/Content//48/" SHA ".cab",
        "/Content/48//" SHA ".cab",
        "/Content/48\\" SHA ".cab",
        "/Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C404.cab",
        "/Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C40488.cab",
        "/Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C40g8.cab",
        "/Content/48/",
        "/Content/48/" SHA ":.cab",
        "///Content/48/" SHA ".cab"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(kind_of(bad[i]), SP_ROUTE_NONE);
    }
}

static void b_operations_by_action(void **state)
{
    (void)state;
    for (int i = 0; i < SP_OP_COUNT; i++) {
        enum sp_op op = (enum sp_op)i, found = SP_OP_COUNT;
        char action[256];
        int n = snprintf(action, sizeof action, "\"%s\"", sp_op_action(op));
        struct sp_view quoted = sp_view(action, (size_t)n);
        assert_true(sp_op_find(sp_op_service(op), quoted, &found));
        assert_int_equal(found, op);
        assert_true(
            sp_view_ends(sp_view_str(sp_op_action(op)), sp_view_str(sp_op_text(op))));
        assert_true(sp_op_patience(op) >= SP_TIME_UPSTREAM_SOAP);
        assert_false(
            sp_op_find(sp_op_service(op), sp_view(action + 1, (size_t)n - 2), &found));
        assert_false(
            sp_op_find(sp_op_service(op), sp_view(action, (size_t)n - 1), &found));
        for (int s = 0; s < SP_SERVICE_COUNT; s++) {
            if ((enum sp_service)s != sp_op_service(op)) {
                assert_false(sp_op_find((enum sp_service)s, quoted, &found));
            }
        }
    }
}

static void f_operations_that_nobody_needs(void **state)
{
    (void)state;
    enum sp_op op = SP_OP_COUNT;
    for (int s = 0; s < SP_SERVICE_COUNT; s++) {
        enum sp_service service = (enum sp_service)s;
        assert_false(
            sp_op_find(service,
                       SP_VIEW("\"http://www.microsoft.com/SoftwareDistribution/Server/"
                               "IMonitorable/Ping\""),
                       &op));
        assert_false(
            sp_op_find(service,
                       SP_VIEW("\"http://www.microsoft.com/SoftwareDistribution/"
                               "GetRelatedRevisionsForUpdates\""),
                       &op));
        assert_false(sp_op_find(service, SP_VIEW(""), &op));
        assert_false(sp_op_find(service, SP_VIEW("\""), &op));
        assert_false(sp_op_find(service, SP_VIEW("\"\""), &op));
    }
    assert_int_equal(op, SP_OP_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_services_in_every_case),
        cmocka_unit_test(f_no_service_by_another_spelling),
        cmocka_unit_test(f_unknown_places),
        cmocka_unit_test(b_content),
        cmocka_unit_test(f_content_by_another_spelling),
        cmocka_unit_test(b_operations_by_action),
        cmocka_unit_test(f_operations_that_nobody_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
