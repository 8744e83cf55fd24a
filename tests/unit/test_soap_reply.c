#include "small_cabinet.h"
#include "unit.h"

#include "core/crypto/crypto.h"
#include "core/wsus/op.h"

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define S    "http://www.microsoft.com/SoftwareDistribution"
#define M    "http://schemas.microsoft.com/msus/2002/12/Update"
#define HEAD "<s:Envelope xmlns:s=\"" SOAP "\"><s:Body>"
#define TAIL "</s:Body></s:Envelope>"

static struct sp_why why;

static struct sp_reply *inspect(enum sp_op op, int status, const char *body,
                                const struct sp_revision_id *asked, size_t count)
{
    struct sp_reply *reply = NULL;
    why = (struct sp_why){0};
    assert_ok(
        sp_reply_inspect(op, status, sp_view_str(body), asked, count, &reply, &why));
    return reply;
}

static bool is_wellformed(enum sp_op op, int status, const char *body)
{
    SP_AUTO(sp_reply_free) struct sp_reply *r = inspect(op, status, body, NULL, 0);
    bool is = sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED);
    struct sp_fact_value v;
    assert_true(sp_facts_get(r->facts, SP_FACT_REPLY_STATUS, 0, &v));
    assert_int_equal(v.number, status);
    assert_int_equal(is, why.text[0] == 0);
    assert_true(is || (r->revision_count == 0 && !r->is_fault));
    return is;
}

static void c_every_operation(void **state)
{
    (void)state;
    for (int i = 0; i < SP_OP_COUNT; i++) {
        enum sp_op op = (enum sp_op)i;
        const char *name = sp_op_text(op), *ns = sp_service_ns(sp_op_service(op));
        char with[1024], without[1024], other[1024];
        snprintf(with, sizeof with,
                 HEAD "<%sResponse xmlns=\"%s\"><%sResult/><New/></%sResponse>" TAIL,
                 name, ns, name, name);
        snprintf(without, sizeof without, HEAD "<%sResponse xmlns=\"%s\"/>" TAIL, name,
                 ns);
        snprintf(other, sizeof other,
                 HEAD "<%sResponse xmlns=\"urn:x\"><%sResult/></%sResponse>" TAIL, name,
                 name, name);
        bool wants =
            sp_op_reply(op) != SP_REPLY_NOTHING && sp_op_reply(op) != SP_REPLY_PERHAPS;
        assert_true(is_wellformed(op, 200, with));
        assert_true(is_wellformed(op, 200, without) == !wants);
        assert_false(is_wellformed(op, 200, other));
        assert_false(is_wellformed(op, 404, with));
        assert_false(is_wellformed(op, 500, with));
    }
}

#define RESPONSE                                                                       \
    "<GetCookieResponse xmlns=\"" S "\"><GetCookieResult/></GetCookieResponse>"

static void f_replies_without_shape(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "<html><body>busy</body></html>",
        HEAD TAIL,
        HEAD RESPONSE,
        HEAD RESPONSE RESPONSE TAIL,
        HEAD RESPONSE "</s:Body><s:Body/></s:Envelope>",
        RESPONSE,
        HEAD "<PingResponse xmlns=\"" S "\"/>" TAIL,
        "<s:Envelope "
        "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>" RESPONSE TAIL,
        "<!DOCTYPE x>" HEAD RESPONSE TAIL,
        HEAD "<GetCookieResponse xmlns=\"" S "\"><GetCookieResult/><GetCookieResult/>"
             "</GetCookieResponse>" TAIL,
        HEAD "<GetCookieResponse xmlns=\"" S
             "\"><x><GetCookieResult/></x></GetCookieResponse>" TAIL};
    assert_true(is_wellformed(SP_OP_GET_COOKIE, 200, HEAD RESPONSE TAIL));
    assert_true(is_wellformed(SP_OP_GET_COOKIE, 200,
                              "<s:Envelope xmlns:s=\"" SOAP
                              "\"><s:Header><x/></s:Header>"
                              "<s:Body>" RESPONSE TAIL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(is_wellformed(SP_OP_GET_COOKIE, 200, bad[i]));
    }
}

#define FAULT(detail)                                                                  \
    HEAD "<s:Fault><faultcode>s:Client</faultcode><faultstring>Fault occurred"         \
         "</faultstring>" detail "</s:Fault>" TAIL

static void b_faults(void **state)
{
    (void)state;
    struct sp_fact_value v;
    SP_AUTO(sp_reply_free)
    struct sp_reply *r = inspect(
        SP_OP_GET_COOKIE, 500,
        FAULT("<detail><ErrorCode>InvalidCookie</ErrorCode><Message/></detail>"), NULL,
        0);
    assert_true(r->is_fault);
    assert_true(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED));
    assert_true(sp_facts_get(r->facts, SP_FACT_REPLY_FAULT, 0, &v));
    assert_view_equal(v.bytes, "InvalidCookie");
    assert_true(is_wellformed(SP_OP_GET_COOKIE, 500, FAULT("")));
    assert_false(is_wellformed(SP_OP_GET_COOKIE, 200, FAULT("")));
    assert_false(is_wellformed(SP_OP_GET_COOKIE, 500, HEAD "<Fault/>" TAIL));
}

static void b_announced_services(void **state)
{
    (void)state;
    struct sp_fact_value v;
    SP_AUTO(sp_reply_free)
    struct sp_reply *r = inspect(
        SP_OP_GET_AUTH_CONFIG, 200,
        HEAD
        "<GetAuthConfigResponse xmlns=\"" S "\"><GetAuthConfigResult><AuthInfo>"
        "<AuthPlugInInfo><ServiceUrl>a.asmx</ServiceUrl></AuthPlugInInfo>"
        "<AuthPlugInInfo><ServiceUrl>http://b/</ServiceUrl></AuthPlugInInfo></AuthInfo>"
        "</GetAuthConfigResult></GetAuthConfigResponse>" TAIL,
        NULL, 0);
    assert_int_equal(sp_facts_count(r->facts, SP_FACT_REPLY_SERVICE_URL), 2);
    assert_true(sp_facts_get(r->facts, SP_FACT_REPLY_SERVICE_URL, 1, &v));
    assert_view_equal(v.bytes, "http://b/");
}

/* ---- update data ----------------------------------------------------------------- */

#define ID_TEXT "11111111-2222-4333-8444-555555555555"
#define ID                                                                             \
    "<Id><UpdateID>" ID_TEXT "</UpdateID><RevisionNumber>200</RevisionNumber></Id>"
#define SHA1_A "e29ecGm5NObqBqaQZl6P/PoMQEg="
#define SHA1_B "+mXp5HwBT2e+e6ievoWMyygf+fc="
#define DOCUMENT                                                                       \
    "&lt;Update xmlns=\"" M "\">&lt;UpdateIdentity UpdateID=\"" ID_TEXT                \
    "\" RevisionNumber=\"200\"/>&lt;Properties UpdateType=\"Software\"/>"              \
    "&lt;LocalizedPropertiesCollection>&lt;EulaFile Digest=\"" SHA1_B                  \
    "\" Size=\"1\" FileName=\"e.txt\"/>&lt;/LocalizedPropertiesCollection>&lt;Files>"  \
    "&lt;File Digest=\"" SHA1_A                                                        \
    "\" Size=\"17\" FileName=\"a.exe\"/>&lt;/Files>&lt;/Update>"
#define BLOB           "<XmlUpdateBlob>" DOCUMENT "</XmlUpdateBlob>"
#define LISTS(digests) "<FileDigestList>" digests "</FileDigestList>"
#define ONE(digest)    "<base64Binary>" digest "</base64Binary>"

static struct sp_reply *data(const char *updates, const struct sp_revision_id *asked,
                             size_t count)
{
    struct sp_buf b;
    sp_buf_init(&b, SP_MIB(16));
    assert_ok(sp_buf_append_str(&b, HEAD "<GetUpdateDataResponse xmlns=\"" S
                                         "\"><GetUpdateDataResult><updates>"));
    assert_ok(sp_buf_append_str(&b, updates));
    assert_ok(sp_buf_append_str(
        &b,
        "</updates><fileUrls/></GetUpdateDataResult></GetUpdateDataResponse>" TAIL));
    assert_ok(sp_buf_append_byte(&b, 0));
    struct sp_reply *r =
        inspect(SP_OP_GET_UPDATE_DATA, 200, (const char *)b.data, asked, count);
    sp_buf_fini(&b);
    return r;
}

#define UPDATE(inside) "<ServerSyncUpdateData>" inside "</ServerSyncUpdateData>"

static void b_an_update(void **state)
{
    (void)state;
    struct sp_revision_id asked = {.number = 200};
    struct sp_fact_value v;
    assert_ok(sp_guid_parse(SP_VIEW(ID_TEXT), &asked.id));
    SP_AUTO(sp_reply_free)
    struct sp_reply *r = data(UPDATE(ID BLOB LISTS(ONE(SHA1_A))), &asked, 1);
    assert_int_equal(r->revision_count, 1);
    struct sp_revision *rev = &r->revisions[0];
    assert_true(sp_facts_has_flag(rev->facts, SP_FACT_UPDATE_ASKED));
    assert_true(sp_facts_get(rev->facts, SP_FACT_UPDATE_BLOB, 0, &v));
    assert_view_equal(v.bytes, "plain");
    assert_true(sp_facts_same_set(rev->facts, SP_FACT_UPDATE_FILE_DIGEST,
                                  SP_FACT_DOCUMENT_FILE_DIGEST));
    assert_true(sp_facts_same_set(rev->facts, SP_FACT_UPDATE_ID, SP_FACT_DOCUMENT_ID));
    assert_int_equal(rev->claim_count, 2);
    assert_true(sp_facts_get(rev->facts, SP_FACT_DOCUMENT_SHA256, 0, &v));
    assert_memory_equal(v.bytes.data, rev->document_sha256, 32);
    asked.number = 201;
    SP_AUTO(sp_reply_free)
    struct sp_reply *other = data(UPDATE(ID BLOB LISTS(ONE(SHA1_A))), &asked, 1);
    assert_false(sp_facts_has_flag(other->revisions[0].facts, SP_FACT_UPDATE_ASKED));
}

static void b_an_update_in_a_cabinet(void **state)
{
    (void)state;
    static const char document[] =
        "<Update xmlns=\"" M "\"><UpdateIdentity UpdateID=\"" ID_TEXT
        "\" RevisionNumber=\"200\"/><Properties UpdateType=\"Category\"/></Update>";
    struct sp_buf cabinet, update;
    struct sp_fact_value v;
    uint8_t sha256[32];
    sp_buf_init(&cabinet, 4096);
    sp_buf_init(&update, 8192);
    put_cabinet(&cabinet, document);
    assert_ok(sp_buf_append_str(&update, "<ServerSyncUpdateData>" ID
                                         "<XmlUpdateBlobCompressed>\n "));
    assert_ok(sp_base64_append(&update, sp_buf_view(&cabinet)));
    assert_ok(sp_buf_append_str(&update,
                                " </XmlUpdateBlobCompressed></ServerSyncUpdateData>"));
    assert_ok(sp_buf_append_byte(&update, 0));
    SP_AUTO(sp_reply_free)
    struct sp_reply *r = data((const char *)update.data, NULL, 0);
    assert_int_equal(r->revision_count, 1);
    assert_true(sp_facts_get(r->revisions[0].facts, SP_FACT_UPDATE_BLOB, 0, &v));
    assert_view_equal(v.bytes, "cabinet");
    assert_true(sp_facts_get(r->revisions[0].facts, SP_FACT_DOCUMENT_TYPE, 0, &v));
    assert_view_equal(v.bytes, "Category");
    sp_sha256(SP_VIEW(document), sha256);
    assert_memory_equal(r->revisions[0].document_sha256, sha256, 32);
    sp_buf_fini(&cabinet);
    sp_buf_fini(&update);
}

static bool same_files(const char *updates)
{
    SP_AUTO(sp_reply_free) struct sp_reply *r = data(updates, NULL, 0);
    assert_int_equal(r->revision_count, 1);
    return sp_facts_same_set(r->revisions[0].facts, SP_FACT_UPDATE_FILE_DIGEST,
                             SP_FACT_DOCUMENT_FILE_DIGEST);
}

static void f_lists_of_files(void **state)
{
    (void)state;
    assert_true(same_files(UPDATE(ID LISTS(ONE(SHA1_A)) BLOB)));
    assert_true(same_files(UPDATE(ID LISTS(ONE(SHA1_A) ONE(SHA1_A)) BLOB)));
    assert_true(same_files(UPDATE(ID LISTS(ONE(SHA1_B) ONE(SHA1_A)) BLOB)));
    assert_false(same_files(UPDATE(ID LISTS(ONE(SHA1_B)) BLOB)));
    assert_false(same_files(UPDATE(ID LISTS("") BLOB)));
    assert_false(same_files(UPDATE(ID BLOB)));
    assert_false(same_files(
        UPDATE(ID LISTS(ONE(SHA1_A) ONE("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")) BLOB)));
}

static void f_documents_that_cannot_be_read(void **state)
{
    (void)state;
    static const char *const bad[] = {
        UPDATE(ID),
        UPDATE(ID BLOB BLOB),
        UPDATE(ID BLOB "<XmlUpdateBlobCompressed>AAEC</XmlUpdateBlobCompressed>"),
        UPDATE(ID "<XmlUpdateBlob/>"),
        UPDATE(ID "<XmlUpdateBlob>&lt;x/></XmlUpdateBlob>"),
        UPDATE(ID "<XmlUpdateBlobCompressed>A</XmlUpdateBlobCompressed>"),
        UPDATE(ID "<XmlUpdateBlobCompressed>AAEC</XmlUpdateBlobCompressed>"),
        UPDATE(ID "<XmlUpdateBlobCompressed/>")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SP_AUTO(sp_reply_free) struct sp_reply *r = data(bad[i], NULL, 0);
        assert_true(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED));
        assert_int_equal(r->revision_count, 1);
        assert_int_equal(sp_facts_count(r->revisions[0].facts, SP_FACT_DOCUMENT_ERROR),
                         1);
        assert_int_equal(sp_facts_count(r->revisions[0].facts, SP_FACT_DOCUMENT_ID), 0);
        assert_int_equal(r->revisions[0].claim_count, 0);
    }
}

static void f_updates_without_identity(void **state)
{
    (void)state;
    static const char *const bad[] = {
        UPDATE(BLOB),
        UPDATE("<Id/>" BLOB),
        UPDATE("<Id><UpdateID>" ID_TEXT "</UpdateID></Id>" BLOB),
        UPDATE(
            "<Id><UpdateID>x</UpdateID><RevisionNumber>1</RevisionNumber></Id>" BLOB),
        UPDATE("<Id><UpdateID>" ID_TEXT
               "</UpdateID><RevisionNumber>-1</RevisionNumber></Id>" BLOB),
        UPDATE(ID BLOB) UPDATE(BLOB),
        UPDATE(ID BLOB LISTS(ONE("AAEC"))),
        UPDATE(ID BLOB LISTS(ONE("")))};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SP_AUTO(sp_reply_free) struct sp_reply *r = data(bad[i], NULL, 0);
        assert_false(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED));
        assert_int_equal(r->revision_count, 0);
    }
}

/* Servers answer a pair twice that was asked twice; as many as can be asked come back.
 */
static void b_as_many_updates_as_can_be_asked(void **state)
{
    (void)state;
    for (size_t n = SP_LIMIT_UPDATE_IDS; n <= SP_LIMIT_UPDATE_IDS + 1; n++) {
        struct sp_buf b;
        sp_buf_init(&b, SP_MIB(16));
        for (size_t i = 0; i < n; i++) {
            assert_ok(sp_buf_append_str(&b, UPDATE(ID BLOB LISTS(ONE(SHA1_A)))));
        }
        assert_ok(sp_buf_append_byte(&b, 0));
        SP_AUTO(sp_reply_free) struct sp_reply *r = data((const char *)b.data, NULL, 0);
        bool fits = n == SP_LIMIT_UPDATE_IDS;
        assert_true(sp_facts_has_flag(r->facts, SP_FACT_REPLY_WELLFORMED) == fits);
        assert_int_equal(r->revision_count, fits ? n : 0);
        sp_buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_operation),
        cmocka_unit_test(f_replies_without_shape),
        cmocka_unit_test(b_faults),
        cmocka_unit_test(b_announced_services),
        cmocka_unit_test(b_an_update),
        cmocka_unit_test(b_an_update_in_a_cabinet),
        cmocka_unit_test(f_lists_of_files),
        cmocka_unit_test(f_documents_that_cannot_be_read),
        cmocka_unit_test(f_updates_without_identity),
        cmocka_unit_test(b_as_many_updates_as_can_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
