#include "unit.h"

#include "core/wsus/schema.h"

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define XSI  "http://www.w3.org/2001/XMLSchema-instance"
#define S    "http://www.microsoft.com/SoftwareDistribution"
#define C    S "/Server/ClientWebService"

#define HEAD                                                                           \
    "<s:Envelope xmlns:s=\"" SOAP "\" xmlns:i=\"" XSI                                  \
    "\" xmlns:p=\"urn:other\"><s:Body>"
#define TAIL "</s:Body></s:Envelope>"

static struct sp_soap_refusal refusal;

static enum sp_err read_text(enum sp_op op, const char *text, struct sp_buf *body)
{
    struct sp_soap_request r;
    enum sp_err e = sp_soap_request_read(op, sp_view_str(text), NULL, &r, &refusal);
    if (e == SP_OK) {
        if (body) {
            sp_buf_take(&r.body, body);
        }
        sp_soap_request_fini(&r);
    }
    return e;
}

static void accepts(enum sp_op op, const char *inner)
{
    SP_AUTO(sp_buf_fini) struct sp_buf b, once = {0}, twice = {0};
    sp_buf_init(&b, SP_MIB(4));
    assert_ok(sp_buf_printf(&b, "%s%s%s", HEAD, inner, TAIL));
    assert_ok(sp_buf_append_byte(&b, 0));
    enum sp_err e = read_text(op, (const char *)b.data, &once);
    if (e != SP_OK) {
        print_error("%s: %s\n", inner, refusal.why.text);
    }
    assert_ok(e);
    assert_ok(sp_buf_append_byte(&once, 0));
    assert_ok(read_text(op, (const char *)once.data, &twice));
    assert_true(sp_view_eq_str(sp_buf_view(&twice), (const char *)once.data));
}

static void refuses(enum sp_op op, const char *inner, const char *member)
{
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, SP_MIB(16));
    assert_ok(sp_buf_append_str(&b, HEAD));
    assert_ok(sp_buf_append_str(&b, inner));
    assert_ok(sp_buf_append_str(&b, TAIL));
    assert_ok(sp_buf_append_byte(&b, 0));
    enum sp_err e = read_text(op, (const char *)b.data, NULL);
    if (e != SP_E_PROTOCOL) {
        print_error("not refused: %s\n", inner);
    }
    assert_err(e, SP_E_PROTOCOL);
    assert_true(refusal.why.text[0] != 0);
    if (member) {
        assert_string_equal(refusal.member, member);
    }
}

/* The rebuilt envelope's inside. */
static void rebuilds(enum sp_op op, const char *inner, const char *expected)
{
    static const char head[] =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope "
        "xmlns:soap=\"" SOAP "\" xmlns:xsi=\"" XSI
        "\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">"
        "<soap:Body>";
    static const char tail[] = "</soap:Body></soap:Envelope>";
    SP_AUTO(sp_buf_fini) struct sp_buf b, body = {0};
    sp_buf_init(&b, SP_MIB(1));
    assert_ok(sp_buf_printf(&b, "%s%s%s", HEAD, inner, TAIL));
    assert_ok(sp_buf_append_byte(&b, 0));
    assert_ok(read_text(op, (const char *)b.data, &body));
    struct sp_view v = sp_buf_view(&body);
    assert_true(sp_view_starts(v, SP_VIEW(head)));
    assert_true(sp_view_ends(v, SP_VIEW(tail)));
    v = sp_view_slice(v, sizeof head - 1, v.len - (sizeof tail - 1));
    if (!sp_view_eq_str(v, expected)) {
        print_error("%.*s\n%s\n", (int)v.len, (const char *)v.data, expected);
    }
    assert_true(sp_view_eq_str(v, expected));
}

/* ---- a request of every operation, made from its schema ------------------------- */

enum twist { FULL, UNKNOWN_LAST, UNKNOWN_ATTRIBUTE, TYPED, TWICE, FOREIGN, WITH_TEXT };

static const char *sample_of(const struct sp_type *t)
{
    static const char *const samples[] = {"true", "2026-01-02T03:04:05.067Z",
                                          "0fa1201d-4330-4fa8-8ae9-b877473b6441", "147",
                                          "B=3"};
    static char number[24];
    switch (t->kind) {
    case SP_TYPE_TEXT:
        return "a &amp; b";
    case SP_TYPE_NUMBER:
        snprintf(number, sizeof number, "%lld", (long long)t->most);
        return number;
    case SP_TYPE_BINARY:
        return t->least == 20 ? "e29ecGm5NObqBqaQZl6P/PoMQEg=" : "AAEC";
    case SP_TYPE_ENUMERATION:
        return t->words[0];
    case SP_TYPE_VALUE:
        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
            struct sp_buf b;
            sp_buf_init(&b, 100);
            bool fits = t->read(sp_view_str(samples[i]), &b) == SP_OK;
            sp_buf_fini(&b);
            if (fits) {
                return samples[i];
            }
        }
        break;
    case SP_TYPE_LIST:
    case SP_TYPE_STRUCT:
        break;
    }
    fail_msg("no sample");
    return NULL;
}

static void put(struct sp_buf *b, const char *s)
{
    assert_ok(sp_buf_append_str(b, s));
}

struct open_type {
    const struct sp_member *m; /* the next one to write */
    const char *name;
    bool is_list;
};

static void put_attributes(struct sp_buf *b, const struct sp_type *t)
{
    for (const struct sp_member *m = t->members; m->name; m++) {
        if (m->attribute) {
            assert_ok(sp_buf_printf(b, " %s=\"%s\"", m->name, sample_of(m->type)));
        }
    }
}

/* Every member once, every list with one item. */
static void put_type(struct sp_buf *b, const struct sp_type *t)
{
    struct open_type stack[16];
    size_t depth = 0;
    stack[depth++] = (struct open_type){t->members, NULL, t->kind == SP_TYPE_LIST};
    while (depth) {
        struct open_type *o = &stack[depth - 1];
        const struct sp_member *m = o->m;
        if (!m->name) {
            if (o->name) {
                assert_ok(sp_buf_printf(b, "</%s>", o->name));
            }
            depth--;
            continue;
        }
        o->m++;
        if (m->attribute) {
            continue;
        }
        if (m->type->kind == SP_TYPE_LIST || m->type->kind == SP_TYPE_STRUCT) {
            assert_ok(sp_buf_printf(b, "<%s", m->name));
            if (m->type->kind == SP_TYPE_STRUCT) {
                put_attributes(b, m->type);
            }
            put(b, ">");
            stack[depth++] = (struct open_type){m->type->members, m->name, false};
        } else {
            assert_ok(
                sp_buf_printf(b, "<%s>%s</%s>", m->name, sample_of(m->type), m->name));
        }
    }
}

static void put_request(struct sp_buf *b, enum sp_op op, enum twist twist)
{
    static const char *const attributes[] = {[UNKNOWN_ATTRIBUTE] = " stray=\"1\"",
                                             [TYPED] = " i:type=\"p:t\"",
                                             [WITH_TEXT] = ""};
    bool attribute = twist == UNKNOWN_ATTRIBUTE || twist == TYPED;
    assert_ok(sp_buf_printf(b, "<%s xmlns=\"%s\"%s>", sp_op_text(op),
                            sp_service_ns(sp_op_service(op)),
                            attribute ? attributes[twist] : ""));
    if (twist == WITH_TEXT) {
        put(b, "stray");
    }
    put_type(b, sp_schema_request(op));
    if (twist == UNKNOWN_LAST) {
        put(b, "<stray/>");
    } else if (twist == FOREIGN) {
        put(b, "<p:cookie/>");
    } else if (twist == TWICE) {
        put_type(b, sp_schema_request(op));
    }
    assert_ok(sp_buf_printf(b, "</%s>", sp_op_text(op)));
    assert_ok(sp_buf_append_byte(b, 0));
}

static void c_every_operation_full_and_twisted(void **state)
{
    (void)state;
    static const struct {
        enum twist twist;
        const char *member;
    } twists[] = {{UNKNOWN_LAST, "stray"}, {UNKNOWN_ATTRIBUTE, "stray"},
                  {TYPED, "type"},         {TWICE, NULL},
                  {FOREIGN, "cookie"},     {WITH_TEXT, NULL}};
    for (int i = 0; i < SP_OP_COUNT; i++) {
        enum sp_op op = (enum sp_op)i;
        struct sp_buf b;
        sp_buf_init(&b, SP_MIB(1));
        put_request(&b, op, FULL);
        accepts(op, (const char *)b.data);
        for (size_t t = 0; t < sizeof twists / sizeof twists[0]; t++) {
            sp_buf_clear(&b);
            put_request(&b, op, twists[t].twist);
            bool empty = !sp_schema_request(op)->members[0].name;
            if (!(twists[t].twist == TWICE && empty)) {
                refuses(op, (const char *)b.data, twists[t].member);
            }
        }
        sp_buf_fini(&b);
    }
}

static void c_every_operation_without_what_may_be_left_out(void **state)
{
    (void)state;
    for (int i = 0; i < SP_OP_COUNT; i++) {
        enum sp_op op = (enum sp_op)i;
        char inner[512];
        snprintf(inner, sizeof inner, "<%s xmlns=\"%s\"/>", sp_op_text(op),
                 sp_service_ns(sp_op_service(op)));
        bool needs = op == SP_OP_GET_COOKIE || op == SP_OP_CLIENT_GET_COOKIE;
        if (needs) {
            refuses(op, inner, "authCookies");
            assert_int_equal(refusal.code, SP_FAULT_INVALID_AUTHORIZATION_COOKIE);
        } else {
            accepts(op, inner);
        }
    }
}

static void f_body_of_another_operation(void **state)
{
    (void)state;
    for (int i = 0; i < SP_OP_COUNT; i++) {
        enum sp_op op = (enum sp_op)i;
        char inner[512];
        snprintf(inner, sizeof inner, "<%s xmlns=\"urn:other\"/>", sp_op_text(op));
        refuses(op, inner, sp_op_text(op));
        snprintf(inner, sizeof inner, "<Ping xmlns=\"%s\"/>",
                 sp_service_ns(sp_op_service(op)));
        refuses(op, inner, "Ping");
    }
}

/* ---- the envelope --------------------------------------------------------------- */

#define CONFIG                                                                         \
    "<GetConfig xmlns=\"" C "\"><protocolVersion>2.90</protocolVersion></GetConfig>"

static void b_envelopes(void **state)
{
    (void)state;
    static const char *const good[] = {
        HEAD CONFIG TAIL, "\xEF\xBB\xBF" HEAD CONFIG TAIL,
        "<?xml version=\"1.0\"?>" HEAD CONFIG TAIL,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n" HEAD "\n " CONFIG "\n" TAIL
        "\n",
        "<Envelope xmlns=\"" SOAP "\"><Body><c:GetConfig xmlns:c=\"" C
        "\"><c:protocolVersion><![CDATA[2.]]>90</c:protocolVersion></c:GetConfig></"
        "Body>"
        "</Envelope>"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf body = {0};
        assert_ok(read_text(SP_OP_GET_CONFIG, good[i], &body));
        assert_true(sp_view_ends(
            sp_buf_view(&body),
            SP_VIEW("<soap:Body><GetConfig xmlns=\"" C "\"><protocolVersion>2.90"
                    "</protocolVersion></GetConfig></soap:Body></soap:Envelope>")));
    }
}

static void f_envelopes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "x",
        HEAD CONFIG,
        HEAD TAIL,
        HEAD CONFIG CONFIG TAIL,
        HEAD CONFIG "</s:Body><s:Body/></s:Envelope>",
        "<s:Envelope xmlns:s=\"" SOAP "\"/>",
        "<s:Envelope xmlns:s=\"" SOAP "\"><s:Header/><s:Body>" CONFIG TAIL,
        "<s:Envelope xmlns:s=\"" SOAP "\"><s:Body/><s:Header/></s:Envelope>",
        "<s:Envelope xmlns:s=\"" SOAP "\"><s:Body encodingStyle=\"\">" CONFIG TAIL,
        "<s:Envelope xmlns:s=\"" SOAP "\" s:encodingStyle=\"\"><s:Body>" CONFIG TAIL,
        "<s:Envelope "
        "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>" CONFIG TAIL,
        HEAD "stray" CONFIG TAIL,
        HEAD CONFIG TAIL "<x/>",
        HEAD CONFIG TAIL "x",
        CONFIG,
        "<Body xmlns=\"" SOAP "\">" CONFIG "</Body>",
        "<!DOCTYPE s:Envelope>" HEAD CONFIG TAIL,
        "<!DOCTYPE x [<!ENTITY e \"2.90\">]>" HEAD "<GetConfig xmlns=\"" C
        "\"><protocolVersion>&e;</protocolVersion></GetConfig>" TAIL,
        "<?xml version=\"1.1\"?>" HEAD CONFIG TAIL,
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>" HEAD CONFIG TAIL,
        "<?xml version=\"1.0\" encoding=\"utf-7\"?>" HEAD CONFIG TAIL,
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>" HEAD CONFIG TAIL,
        HEAD "<!-- x -->" CONFIG TAIL,
        HEAD "<?pi x?>" CONFIG TAIL,
        HEAD "<GetConfig xmlns=\"" C
             "\"><protocolVersion>2.<!-- -->90</protocolVersion>"
             "</GetConfig>" TAIL,
        HEAD "<GetConfig xmlns=\"" C "\"><protocolVersion>2.<?x?>90</protocolVersion>"
             "</GetConfig>" TAIL,
        HEAD "<GetConfig xmlns=\"" C "\"><protocolVersion>\xC0\xB2</protocolVersion>"
             "</GetConfig>" TAIL,
        HEAD "<GetConfig xmlns=\"" C
             "\"><protocolVersion href=\"#a\"/></GetConfig>" TAIL,
        HEAD "<GetConfig xmlns=\"" C "\"><protocolVersion>2<b/>90</protocolVersion>"
             "</GetConfig>" TAIL};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum sp_err e = read_text(SP_OP_GET_CONFIG, bad[i], NULL);
        if (e != SP_E_PROTOCOL) {
            print_error("not refused: %s\n", bad[i]);
        }
        assert_err(e, SP_E_PROTOCOL);
        assert_true(refusal.why.text[0] != 0);
    }
}

static void b_a_body_may_be_as_long_as_its_service_takes(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        SP_AUTO(sp_buf_fini) struct sp_buf b;
        sp_buf_init(&b, SP_LIMIT_SOAP_REQUEST_CLIENT + 1);
        put(&b, HEAD CONFIG TAIL);
        while (b.len < SP_LIMIT_SOAP_REQUEST_CLIENT + over) {
            assert_ok(sp_buf_append_byte(&b, '\n'));
        }
        struct sp_soap_request r;
        enum sp_err e =
            sp_soap_request_read(SP_OP_GET_CONFIG, sp_buf_view(&b), NULL, &r, &refusal);
        assert_err(e, over ? SP_E_PROTOCOL : SP_OK);
        if (e == SP_OK) {
            sp_soap_request_fini(&r);
        }
    }
}

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

static void put_times(struct sp_buf *b, const char *s, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        put(b, s);
    }
}

/* head, then count times item, then tail: most is accepted, one more refused. */
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

/* ---- reports: shapes of CVE-2025-59287 with nothing in them, and neighbours ----- */

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

/* ---- what was asked -------------------------------------------------------------- */

static void b_asked(void **state)
{
    (void)state;
    static const enum sp_op ops[] = {SP_OP_GET_UPDATE_DATA,
                                     SP_OP_GET_UPDATE_DECRYPTION_DATA};
    for (size_t o = 0; o < 2; o++) {
        struct sp_soap_request r;
        char text[1024], id[SP_GUID_TEXT];
        int n = snprintf(
            text, sizeof text,
            HEAD
            "<%s xmlns=\"" S "\"><updateIds><UpdateIdentity><UpdateID>"
            "0FA1201D-4330-4fa8-8ae9-b877473b6441</UpdateID><RevisionNumber>200"
            "</RevisionNumber></UpdateIdentity><UpdateIdentity><UpdateID>"
            "cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83</UpdateID><RevisionNumber>2147483647"
            "</RevisionNumber></UpdateIdentity></updateIds></%s>" TAIL,
            sp_op_text(ops[o]), sp_op_text(ops[o]));
        assert_ok(
            sp_soap_request_read(ops[o], sp_view(text, (size_t)n), NULL, &r, &refusal));
        assert_int_equal(r.asked_count, 2);
        sp_guid_format(&r.asked[0].id, id);
        assert_string_equal(id, "0fa1201d-4330-4fa8-8ae9-b877473b6441");
        assert_int_equal(r.asked[0].number, 200);
        assert_int_equal(r.asked[1].number, INT32_MAX);
        sp_soap_request_fini(&r);
    }
}

static void f_identities_are_whole(void **state)
{
    (void)state;
    refuses(
        SP_OP_GET_UPDATE_DATA,
        "<GetUpdateData xmlns=\"" S "\"><updateIds><UpdateIdentity><UpdateID>"
        "0fa1201d-4330-4fa8-8ae9-b877473b6441</UpdateID></UpdateIdentity></updateIds>"
        "</GetUpdateData>",
        "RevisionNumber");
    refuses(SP_OP_GET_UPDATE_DATA,
            "<GetUpdateData xmlns=\"" S
            "\"><updateIds><UpdateIdentity><RevisionNumber>1"
            "</RevisionNumber></UpdateIdentity></updateIds></GetUpdateData>",
            "UpdateID");
}

/* ---- attributes ------------------------------------------------------------------ */

#define ROLLUP(attributes)                                                             \
    "<RollupComputers xmlns=\"" S "\"><computers><ComputerRollupInfo" attributes       \
    "></ComputerRollupInfo></computers></RollupComputers>"

static void b_attributes(void **state)
{
    (void)state;
    rebuilds(SP_OP_ROLLUP_COMPUTERS,
             ROLLUP(" ParentServerId='0FA1201D-4330-4fa8-8ae9-b877473b6441'"
                    " LastSyncResult=' +01 ' ComputerId='a&quot;&lt;&#10;b'"),
             ROLLUP(" ComputerId=\"a&quot;&lt;&#xA;b\" LastSyncResult=\"1\""
                    " ParentServerId=\"0fa1201d-4330-4fa8-8ae9-b877473b6441\""));
    refuses(SP_OP_ROLLUP_COMPUTERS, ROLLUP(" p:ComputerId=\"a\""), "ComputerId");
    refuses(SP_OP_ROLLUP_COMPUTERS, ROLLUP(" Details=\"a\""), "Details");
    refuses(SP_OP_ROLLUP_COMPUTERS, ROLLUP(" LastSyncResult=\"x\""), "LastSyncResult");
    refuses(SP_OP_ROLLUP_COMPUTERS,
            "<RollupComputers xmlns=\"" S
            "\"><computers><ComputerRollupInfo><ComputerId>a"
            "</ComputerId></ComputerRollupInfo></computers></RollupComputers>",
            "ComputerId");
}

static void f_a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const first[] = {"a", "ab"};
    for (size_t i = 0; i < 2; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf b;
        sp_buf_init(&b, 1024);
        assert_ok(sp_buf_printf(&b, "<GetConfig xmlns=\"" C "\"><%s", first[i]));
        put_times(&b, "\xC3\xA9", 40);
        put(&b, "/></GetConfig>");
        assert_ok(sp_buf_append_byte(&b, 0));
        refuses(SP_OP_GET_CONFIG, (const char *)b.data, NULL);
        assert_int_equal(strlen(refusal.member), 63 - i);
        assert_true(sp_utf8_is_valid(sp_view_str(refusal.member)));
    }
}

static void b_faults(void **state)
{
    (void)state;
    struct sp_guid id;
    struct sp_buf b;
    assert_ok(sp_guid_parse(SP_VIEW("5f0c6a3e-0d0e-4b6c-9d3e-1b2c3d4e5f60"), &id));
    sp_buf_init(&b, 4096);
    assert_ok(sp_soap_fault_write(&b, SP_OP_GET_UPDATE_DATA,
                                  SP_FAULT_INVALID_PARAMETERS, SP_VIEW("updateIds<"),
                                  &id, SP_VIEW("https://a/b?c&d")));
    assert_view_equal(
        sp_buf_view(&b),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"" SOAP
        "\" xmlns:xsi=\"" XSI
        "\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body>"
        "<soap:Fault><faultcode>soap:Client</faultcode><faultstring>Fault occurred"
        "</faultstring><faultactor>https://a/b?c&amp;d</faultactor><detail><ErrorCode>"
        "InvalidParameters</ErrorCode><Message>updateIds&lt;</Message><ID>"
        "5f0c6a3e-0d0e-4b6c-9d3e-1b2c3d4e5f60</ID><Method>\"" S
        "/GetUpdateData\"</Method>"
        "</detail></soap:Fault></soap:Body></soap:Envelope>");
    sp_buf_clear(&b);
    assert_ok(sp_soap_fault_write(&b, SP_OP_COUNT, SP_FAULT_INTERNAL_SERVER_ERROR,
                                  SP_VIEW(""), &id, SP_VIEW("")));
    assert_non_null(memmem(b.data, b.len, "<faultcode>soap:Server<", 23));
    assert_non_null(memmem(b.data, b.len, "<Message></Message>", 19));
    assert_null(memmem(b.data, b.len, "<Method>", 8));
    sp_buf_fini(&b);
    assert_string_equal(sp_fault_text(SP_FAULT_SERVER_BUSY), "ServerBusy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_operation_full_and_twisted),
        cmocka_unit_test(c_every_operation_without_what_may_be_left_out),
        cmocka_unit_test(f_body_of_another_operation),
        cmocka_unit_test(b_envelopes),
        cmocka_unit_test(f_envelopes),
        cmocka_unit_test(b_a_body_may_be_as_long_as_its_service_takes),
        cmocka_unit_test(b_nil_is_absence),
        cmocka_unit_test(f_nil),
        cmocka_unit_test(f_order),
        cmocka_unit_test(b_values_get_one_spelling),
        cmocka_unit_test(f_values),
        cmocka_unit_test(b_times),
        cmocka_unit_test(b_limits),
        cmocka_unit_test(b_cookies_have_a_longest),
        cmocka_unit_test(f_exactly_one_authorization_cookie),
        cmocka_unit_test(f_reports),
        cmocka_unit_test(f_unknown_tags_are_left_out),
        cmocka_unit_test(f_event_numbers),
        cmocka_unit_test(b_asked),
        cmocka_unit_test(f_identities_are_whole),
        cmocka_unit_test(b_attributes),
        cmocka_unit_test(f_a_long_name_is_cut_between_characters),
        cmocka_unit_test(b_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
