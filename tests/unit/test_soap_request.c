/* Requests of every operation, made from their schemas, and the envelope around them.
 */
#include "soap_request_rig.h"

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
        cmocka_unit_test(b_asked),
        cmocka_unit_test(f_identities_are_whole),
        cmocka_unit_test(b_attributes),
        cmocka_unit_test(f_a_long_name_is_cut_between_characters),
        cmocka_unit_test(b_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
