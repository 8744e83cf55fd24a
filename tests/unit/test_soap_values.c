/* Members of requests: order, values, times, and how many of them there may be. */
#include "soap_request_rig.h"

/* ---- nil, order, values --------------------------------------------------------- */

static void b_nil_is_absence(void **state)
{
    (void)state;
    rebuilds(SP_OP_GET_AUTH_CONFIG, "<GetAuthConfig xmlns=\"" S "\" i:nil=\"true\"/>",
             "<GetAuthConfig xmlns=\"" S "\"></GetAuthConfig>");
    rebuilds(SP_OP_GET_CONFIG_DATA,
             "<GetConfigData xmlns=\"" S "\"><cookie i:nil=\"1\"/>"
             "<configAnchor i:nil=\"false\">9</configAnchor></GetConfigData>",
             "<GetConfigData xmlns=\"" S
             "\"><configAnchor>9</configAnchor></GetConfigData>");
    rebuilds(SP_OP_GET_EXTENDED_UPDATE_INFO,
             "<GetExtendedUpdateInfo xmlns=\"" C "\"><locales><string>en</string>"
             "<string i:nil=\"true\"/></locales></GetExtendedUpdateInfo>",
             "<GetExtendedUpdateInfo xmlns=\"" C "\"><locales><string>en</string>"
             "<string xsi:nil=\"true\" /></locales></GetExtendedUpdateInfo>");
}

static void f_nil(void **state)
{
    (void)state;
    enum sp_op op = SP_OP_GET_CONFIG_DATA;
    refuses(op,
            "<GetConfigData xmlns=\"" S "\"><cookie i:nil=\"yes\"/></GetConfigData>",
            "cookie");
    refuses(op,
            "<GetConfigData xmlns=\"" S "\"><cookie i:nil=\"true\">x</cookie>"
            "</GetConfigData>",
            "cookie");
    refuses(op,
            "<GetConfigData xmlns=\"" S
            "\"><cookie i:nil=\"true\"><Expiration/></cookie>"
            "</GetConfigData>",
            "cookie");
    refuses(op,
            "<GetConfigData xmlns=\"" S "\" i:nil=\"true\"><cookie/></GetConfigData>",
            NULL);
    refuses(SP_OP_GET_UPDATE_DATA,
            "<GetUpdateData xmlns=\"" S "\"><updateIds><UpdateIdentity i:nil=\"true\"/>"
            "</updateIds></GetUpdateData>",
            "UpdateIdentity");
    refuses(SP_OP_GET_COOKIE,
            "<GetCookie xmlns=\"" S "\"><authCookies i:nil=\"true\"/>"
            "</GetCookie>",
            "authCookies");
}

static void f_order(void **state)
{
    (void)state;
    refuses(SP_OP_GET_CONFIG_DATA,
            "<GetConfigData xmlns=\"" S "\"><configAnchor>1</configAnchor><cookie/>"
            "</GetConfigData>",
            "cookie");
    assert_int_equal(refusal.code, SP_FAULT_INVALID_COOKIE);
    refuses(SP_OP_GET_CONFIG_DATA,
            "<GetConfigData xmlns=\"" S "\"><configAnchor>1</configAnchor>"
            "<configAnchor>2</configAnchor></GetConfigData>",
            "configAnchor");
    assert_int_equal(refusal.code, SP_FAULT_INVALID_PARAMETERS);
}

#define SYNC(inner)                                                                    \
    "<SyncUpdates xmlns=\"" C "\"><parameters>" inner "</parameters></SyncUpdates>"

static void b_values_get_one_spelling(void **state)
{
    (void)state;
    rebuilds(
        SP_OP_SYNC_UPDATES,
        SYNC("<ExpressQuery> 1\n</ExpressQuery><InstalledNonLeafUpdateIDs><int> +007 "
             "</int>"
             "<int>-0</int><int>-2147483648</int><int>000000000000000000000000000001</"
             "int>"
             "</InstalledNonLeafUpdateIDs><SkipSoftwareSync>0</SkipSoftwareSync>"
             "<WuBundleId>\t0FA1201D-4330-4fa8-8ae9-b877473b6441 </WuBundleId>"),
        SYNC("<ExpressQuery>true</ExpressQuery><InstalledNonLeafUpdateIDs><int>7</int>"
             "<int>0</int><int>-2147483648</int><int>1</int>"
             "</InstalledNonLeafUpdateIDs><SkipSoftwareSync>false</SkipSoftwareSync>"
             "<WuBundleId>0fa1201d-4330-4fa8-8ae9-b877473b6441</WuBundleId>"));
    rebuilds(
        SP_OP_DOWNLOAD_FILES,
        "<DownloadFiles xmlns=\"" S "\"><fileDigestList><base64Binary>e29ecGm5NObq\r\n "
        "BqaQZl6P/PoMQEg=</base64Binary></fileDigestList></DownloadFiles>",
        "<DownloadFiles xmlns=\"" S "\"><fileDigestList><base64Binary>"
        "e29ecGm5NObqBqaQZl6P/PoMQEg=</base64Binary></fileDigestList></DownloadFiles>");
    rebuilds(
        SP_OP_SIMPLE_GET_AUTHORIZATION_COOKIE,
        "<GetAuthorizationCookie xmlns=\"" S
        "/Server/SimpleAuthWebService\"><clientId> "
        "a&lt;b&#13;<![CDATA[<x>]]> </clientId><dnsName/></GetAuthorizationCookie>",
        "<GetAuthorizationCookie xmlns=\"" S
        "/Server/SimpleAuthWebService\"><clientId> "
        "a&lt;b&#xD;&lt;x&gt; </clientId><dnsName></dnsName></GetAuthorizationCookie>");
}

static void f_values(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "<ExpressQuery>TRUE</ExpressQuery>",
        "<ExpressQuery>2</ExpressQuery>",
        "<ExpressQuery/>",
        "<CachedDriverIDs><int/></CachedDriverIDs>",
        "<CachedDriverIDs><int>2147483648</int></CachedDriverIDs>",
        "<CachedDriverIDs><int>-2147483649</int></CachedDriverIDs>",
        "<CachedDriverIDs><int>99999999999999999999999999</int></CachedDriverIDs>",
        "<CachedDriverIDs><int>1e3</int></CachedDriverIDs>",
        "<CachedDriverIDs><int>0x7</int></CachedDriverIDs>",
        "<CachedDriverIDs><int>--7</int></CachedDriverIDs>",
        "<CachedDriverIDs><int>+-7</int></CachedDriverIDs>",
        "<CachedDriverIDs><int>7 7</int></CachedDriverIDs>",
        "<CachedDriverIDs><long>7</long></CachedDriverIDs>",
        "<CachedDriverIDs>7</CachedDriverIDs>",
        "<SystemSpec><Device><DeviceFlags>256</DeviceFlags></Device></SystemSpec>",
        "<SystemSpec><Device><DeviceFlags>-1</DeviceFlags></Device></SystemSpec>",
        "<WuBundleId>{0fa1201d-4330-4fa8-8ae9-b877473b6441}</WuBundleId>",
        "<WuBundleId/>",
        "<WuBundleId>x</WuBundleId>"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char inner[512];
        snprintf(inner, sizeof inner,
                 "<SyncUpdates xmlns=\"" C
                 "\"><parameters>%s</parameters></SyncUpdates>",
                 bad[i]);
        refuses(SP_OP_SYNC_UPDATES, inner, NULL);
    }
    refuses(SP_OP_GET_EXTENDED_UPDATE_INFO,
            "<GetExtendedUpdateInfo xmlns=\"" C
            "\"><infoTypes><XmlUpdateFragmentType>Extended2"
            "</XmlUpdateFragmentType></infoTypes></GetExtendedUpdateInfo>",
            "XmlUpdateFragmentType");
}

static void b_times(void **state)
{
    (void)state;
    static const char *const good[] = {
        "2026-10-04T15:03:36Z",         "2026-10-04T15:03:36",
        "2026-10-04T15:03:36.9967236Z", "9999-12-31T23:59:59.9999999",
        "0001-01-01T00:00:00",          "2024-02-29T23:59:59.1+14:00",
        "1753-01-01T00:00:00-13:59"};
    static const char *const bad[] = {"",
                                      "2026-10-04",
                                      "2026-10-04 15:03:36Z",
                                      "2026-10-04T15:03:36.Z",
                                      "2026-10-04T15:03:36.99672361Z",
                                      "2026-13-04T15:03:36Z",
                                      "2026-00-04T15:03:36Z",
                                      "2026-02-29T15:03:36Z",
                                      "2026-12-32T15:03:36Z",
                                      "2026-10-00T15:03:36Z",
                                      "2026-10-04T24:00:00Z",
                                      "2026-10-04T15:60:36Z",
                                      "2026-10-04T15:03:60Z",
                                      "0000-01-01T00:00:00",
                                      "-2026-10-04T15:03:36Z",
                                      "12026-10-04T15:03:36Z",
                                      "2026-10-04T15:03:36+14:01",
                                      "2026-10-04T15:03:36+15:00",
                                      "2026-10-04T15:03:36ZZ",
                                      "2026-10-04T15:03:36z",
                                      "2026-10-04T15:03"};
    char inner[256];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(inner, sizeof inner,
                 "<GetTimestamps xmlns=\"" C "\"><timestamps><dateTime>%s</dateTime>"
                 "</timestamps></GetTimestamps>",
                 good[i]);
        rebuilds(SP_OP_GET_TIMESTAMPS, inner, inner);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(inner, sizeof inner,
                 "<GetTimestamps xmlns=\"" C "\"><timestamps><dateTime>%s</dateTime>"
                 "</timestamps></GetTimestamps>",
                 bad[i]);
        refuses(SP_OP_GET_TIMESTAMPS, inner, "dateTime");
    }
}

/* ---- limits --------------------------------------------------------------------- */

static void bounded(enum sp_op op, const char *head, const char *item, const char *tail,
                    size_t most)
{
    for (size_t n = most; n <= most + 1; n++) {
        SP_AUTO(sp_buf_fini) struct sp_buf b;
        sp_buf_init(&b, SP_MIB(4));
        put(&b, head);
        put_times(&b, item, n);
        put(&b, tail);
        assert_ok(sp_buf_append_byte(&b, 0));
        if (n == most) {
            accepts(op, (const char *)b.data);
        } else {
            refuses(op, (const char *)b.data, NULL);
        }
    }
}

#define EVENT_HEAD "<ReportEventBatch xmlns=\"" S "\"><eventBatch><ReportingEvent>"
#define EVENT_TAIL "</ReportingEvent></eventBatch></ReportEventBatch>"
#define BASIC                                                                          \
    "<BasicData><NamespaceID>1</NamespaceID><EventID>147</EventID></BasicData>"

static void b_limits(void **state)
{
    (void)state;
    bounded(SP_OP_DOWNLOAD_FILES, "<DownloadFiles xmlns=\"" S "\"><fileDigestList>",
            "<base64Binary>e29ecGm5NObqBqaQZl6P/PoMQEg=</base64Binary>",
            "</fileDigestList></DownloadFiles>", SP_LIMIT_DOWNLOAD_FILES);
    bounded(SP_OP_GET_UPDATE_DATA, "<GetUpdateData xmlns=\"" S "\"><updateIds>",
            "<UpdateIdentity><UpdateID>0fa1201d-4330-4fa8-8ae9-b877473b6441</UpdateID>"
            "<RevisionNumber>200</RevisionNumber></UpdateIdentity>",
            "</updateIds></GetUpdateData>", SP_LIMIT_UPDATE_IDS);
    bounded(SP_OP_REPORT_EVENT_BATCH, "<ReportEventBatch xmlns=\"" S "\"><eventBatch>",
            "<ReportingEvent>" BASIC "</ReportingEvent>",
            "</eventBatch></ReportEventBatch>", 1000);
    bounded(SP_OP_REPORT_EVENT_BATCH, EVENT_HEAD BASIC "<ExtendedData><MiscData>",
            "<string>B=3</string>", "</MiscData></ExtendedData>" EVENT_TAIL, 64);
    bounded(SP_OP_REPORT_EVENT_BATCH,
            EVENT_HEAD BASIC "<ExtendedData><MiscData><string>U=", "x",
            "</string></MiscData></ExtendedData>" EVENT_TAIL, 4094);
    bounded(SP_OP_GET_CONFIG, "<GetConfig xmlns=\"" C "\"><protocolVersion>", "1",
            "</protocolVersion></GetConfig>", 32);
    bounded(SP_OP_SIMPLE_GET_AUTHORIZATION_COOKIE,
            "<GetAuthorizationCookie xmlns=\"" S
            "/Server/SimpleAuthWebService\"><clientId>",
            "x", "</clientId></GetAuthorizationCookie>", 1024);
    bounded(SP_OP_SYNC_UPDATES,
            "<SyncUpdates xmlns=\"" C "\"><parameters><FeatureScoreMatchingKey>", "x",
            "</FeatureScoreMatchingKey></parameters></SyncUpdates>",
            SP_LIMIT_XML_TEXT_REQUEST);
    bounded(SP_OP_GET_CONFIG_DATA,
            "<GetConfigData xmlns=\"" S "\"><cookie><EncryptedData>AA==</EncryptedData>"
            "</cookie><configAnchor>",
            "x", "</configAnchor></GetConfigData>", 1024);
}

static void b_cookies_have_a_longest(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        static uint8_t zeros[SP_LIMIT_COOKIE + 1];
        SP_AUTO(sp_buf_fini) struct sp_buf b;
        sp_buf_init(&b, SP_MIB(1));
        put(&b, "<GetConfigData xmlns=\"" S "\"><cookie><EncryptedData>");
        assert_ok(sp_base64_append(&b, sp_view(zeros, SP_LIMIT_COOKIE + over)));
        put(&b, "</EncryptedData></cookie></GetConfigData>");
        assert_ok(sp_buf_append_byte(&b, 0));
        if (over) {
            refuses(SP_OP_GET_CONFIG_DATA, (const char *)b.data, "EncryptedData");
            assert_int_equal(refusal.code, SP_FAULT_INVALID_COOKIE);
        } else {
            accepts(SP_OP_GET_CONFIG_DATA, (const char *)b.data);
        }
    }
}

#define AUTH                                                                           \
    "<AuthorizationCookie><PlugInId>DssTargeting</PlugInId><CookieData>AAEC</"         \
    "CookieData></AuthorizationCookie>"

static void f_exactly_one_authorization_cookie(void **state)
{
    (void)state;
    static const enum sp_op ops[] = {SP_OP_GET_COOKIE, SP_OP_CLIENT_GET_COOKIE};
    static const char *const inner[] = {"", AUTH, AUTH AUTH};
    for (size_t o = 0; o < 2; o++) {
        for (size_t n = 0; n < 3; n++) {
            char text[1024];
            snprintf(
                text, sizeof text,
                "<GetCookie xmlns=\"%s\"><authCookies>%s</authCookies></GetCookie>",
                sp_service_ns(sp_op_service(ops[o])), inner[n]);
            if (n == 1) {
                accepts(ops[o], text);
            } else {
                refuses(ops[o], text, "authCookies");
                assert_int_equal(refusal.code, SP_FAULT_INVALID_AUTHORIZATION_COOKIE);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_nil_is_absence),
        cmocka_unit_test(f_nil),
        cmocka_unit_test(f_order),
        cmocka_unit_test(b_values_get_one_spelling),
        cmocka_unit_test(f_values),
        cmocka_unit_test(b_times),
        cmocka_unit_test(b_limits),
        cmocka_unit_test(b_cookies_have_a_longest),
        cmocka_unit_test(f_exactly_one_authorization_cookie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
