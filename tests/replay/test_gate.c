/* Scripted stories against the gate: events in, effects out, a clock that stands still.
 * The harness asserts in every story that nothing is released before it was judged and,
 * where it is new, recorded. */
#include "replay/story.h"

static void b_new_revision_is_recorded_then_released(void **state)
{
    (void)state;
    static const char reply[] = REPLY(ID_A, ID_A, "first");
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    assert_int_equal(s.ceiling, SP_LIMIT_SOAP_REQUEST_SERVER);
    give_body(&s, ASK);
    assert_string_equal(effect(&s, SP_EFFECT_FETCH)->fetch.path,
                        "/ServerSyncWebService/ServerSyncWebService.asmx");
    give_reply(&s, 200, reply);
    give_known(&s, NULL);
    const struct sp_effect *e = effect(&s, SP_EFFECT_RECORD);
    assert_int_equal(e->record.count, 1);
    struct sp_view text = e->record.entries[0].text;
    assert_non_null(memmem(text.data, text.len, "update.id " ID_A, 46));
    assert_non_null(memmem(text.data, text.len, "verdict.ruling passed", 21));
    give_recorded(&s, SP_OK, 7);
    assert_released(&s, reply);
    finish(&s);
}

static void b_known_revision_needs_no_entry(void **state)
{
    (void)state;
    static const char reply[] = REPLY(ID_A, ID_A, "same");
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, reply);
    give_known(
        &s,
        "<upd:Update xmlns:upd=\"http://schemas.microsoft.com/msus/2002/12/Update\">"
        "<upd:UpdateIdentity UpdateID=\"" ID_A "\" RevisionNumber=\"200\" />"
        "<upd:Properties UpdateType=\"Detectoid\" DefaultPropertiesLanguage=\"en\" />"
        "<upd:LocalizedPropertiesCollection><upd:LocalizedProperties>"
        "<upd:Language>en</upd:Language><upd:Title>same</upd:Title>"
        "</upd:LocalizedProperties></upd:LocalizedPropertiesCollection></upd:Update>");
    s.recorded = true;
    assert_released(&s, reply);
    finish(&s);
}

static void f_changed_revision_is_refused_and_recorded(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_A, "changed"));
    give_known(&s, "another document");
    struct sp_view text = effect(&s, SP_EFFECT_RECORD)->record.entries[0].text;
    assert_non_null(memmem(text.data, text.len, "entry.kind refusal", 18));
    assert_non_null(memmem(text.data, text.len, "peer.address 10.1.2.3", 21));
    give_recorded(&s, SP_OK, 42);
    assert_refused(&s, "revision-immutable", "ledger entry 42");
    finish(&s);
}

static void f_refusal_stands_when_the_ledger_cannot_be_written(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_A, "changed"));
    give_known(&s, "another document");
    give_recorded(&s, SP_E_NOSPACE, 0);
    assert_refused(&s, "revision-immutable", "not recorded");
    finish(&s);
}

static void f_refusal_stands_when_there_are_too_many(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_A, "changed"));
    give_known(&s, "another document");
    give_recorded(&s, SP_E_LIMIT, 0);
    assert_refused(&s, "revision-immutable",
                   "not recorded: there are too many refusals");
    finish(&s);
}

static void f_unwritable_ledger_releases_nothing_new(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_A, "new"));
    give_known(&s, NULL);
    give_recorded(&s, SP_E_NOSPACE, 0);
    assert_true(answer_has(&s, "<ErrorCode>ServerBusy</ErrorCode>"));
    assert_false(answer_has(&s, "GetUpdateDataResult"));
    finish(&s);
}

static void c_conflict_looks_again(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_A, "mine"));
    give_known(&s, NULL);
    give_recorded(&s, SP_E_CONFLICT, 0);
    give_known(&s, "theirs, recorded in the meantime");
    give_recorded(&s, SP_OK, 9);
    assert_refused(&s, "revision-immutable", "ledger entry 9");
    finish(&s);
}

/* The ledger takes one document a revision: without this the gate would look, judge and
 * be refused by the ledger for ever. */
static void f_one_revision_with_two_documents(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, TWICE(ID_A, "one", "two"));
    give_all_unknown(&s, 2);
    struct sp_view text = effect(&s, SP_EFFECT_RECORD)->record.entries[0].text;
    assert_non_null(memmem(text.data, text.len, "entry.kind refusal", 18));
    give_recorded(&s, SP_OK, 11);
    assert_refused(&s, "revision-immutable", "ledger entry 11");
    finish(&s);
}

static void b_one_document_twice_is_recorded_once(void **state)
{
    (void)state;
    static const char reply[] = TWICE(ID_A, "same", "same");
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, reply);
    give_all_unknown(&s, 2);
    assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 1);
    give_recorded(&s, SP_OK, 3);
    assert_released(&s, reply);
    finish(&s);
}

static void c_observed_second_document_is_not_recorded(void **state)
{
    (void)state;
    static const char observe[] =
        "policy observe\nupstream-pinned enforce\nreply-wellformed enforce\n"
        "document-readable enforce\nrevision-immutable observe\n";
    static const char reply[] = TWICE(ID_A, "one", "two");
    struct story s;
    begin(&s, observe, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, reply);
    give_all_unknown(&s, 2);
    assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 1);
    give_recorded(&s, SP_OK, 3);
    assert_released(&s, reply);
    finish(&s);
}

static void f_swapped_identity(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_B, "swapped"));
    give_known(&s, NULL);
    give_recorded(&s, SP_OK, 1);
    assert_refused(&s, "identity-equal", "ledger entry 1");
    finish(&s);
}

static void f_not_asked_for(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_B, ID_B, "unasked"));
    give_known(&s, NULL);
    give_recorded(&s, SP_OK, 1);
    assert_refused(&s, "revision-asked", "ledger entry 1");
    finish(&s);
}

static void f_doctype_in_the_reply(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>");
    give_recorded(&s, SP_OK, 3);
    assert_refused(&s, "reply-wellformed", "ledger entry 3");
    finish(&s);
}

static void f_unproven_upstream_is_recorded(void **state)
{
    (void)state;
    struct story s;
    struct sp_why why = {.text = "no key of its chain is pinned"};
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    s.link.proven = false;
    sp_gate_fetch_failed(s.gate, SP_E_UNPROVEN, &why, &s.link, 1795305600, &s.step);
    give_recorded(&s, SP_OK, 5);
    assert_refused(&s, "upstream-pinned", "no key of its chain is pinned");
    finish(&s);
}

/* Overload says when to come again; what the upstream does not do is another thing. */
static void b_no_memory_for_the_reply(void **state)
{
    static const struct {
        enum sp_err e;
        int status;
    } cases[] = {{SP_E_NOMEM, 503}, {SP_E_TIMEOUT, 500}, {SP_E_LIMIT, 500}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct story s;
        struct sp_gate_summary sum;
        begin(&s, strict, HEAD_OF("GetUpdateData"), true);
        give_body(&s, ASK);
        sp_gate_fetch_failed(s.gate, cases[i].e, NULL, &s.link, 1795305600, &s.step);
        sp_gate_summary(s.gate, &sum);
        assert_int_equal(sum.status, cases[i].status);
        struct sp_view fields = s.step.effect.answer.fields;
        bool later = memmem(fields.data, fields.len, "Retry-After: 60\r\n", 17) != NULL;
        assert_int_equal(later, cases[i].status == 503);
        finish(&s);
    }
}

static void b_unreachable_upstream_is_a_failure(void **state)
{
    (void)state;
    struct story s;
    struct sp_gate_summary sum;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    sp_gate_fetch_failed(s.gate, SP_E_TIMEOUT, NULL, &s.link, 1795305600, &s.step);
    assert_true(answer_has(&s, "<ErrorCode>ServerBusy</ErrorCode>"));
    assert_true(answer_has(&s, "it took too long"));
    sp_gate_summary(s.gate, &sum);
    assert_int_equal(sum.ruling, SP_UNPROVEN);
    finish(&s);
}

static void b_upstream_fault_passes_unchanged(void **state)
{
    (void)state;
    static const char fault[] =
        ENVELOPE("<soap:Fault><faultcode>soap:Client</faultcode>"
                 "<faultstring>Fault "
                 "occurred</faultstring><detail><ErrorCode>InvalidCookie</ErrorCode>"
                 "<Message></Message><ID>5f0c6a3e-0d0e-4b6c-9d3e-1b2c3d4e5f60</ID></"
                 "detail></soap:Fault>");
    struct story s;
    struct sp_gate_summary sum;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 500, fault);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 500);
    assert_true(sp_view_eq_str(s.step.effect.answer.body, fault));
    sp_gate_summary(s.gate, &sum);
    assert_string_equal(sum.fault, "InvalidCookie");
    finish(&s);
}

static void f_plain_http_is_refused_with_the_way_out(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), false);
    assert_false(s.want_body);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 403);
    assert_true(answer_has(&s, "https://gate.example:8531"));
    assert_true(answer_has(&s, "0x80244018"));
    finish(&s);
}

static void f_what_is_refused_at_the_door(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int status;
        const char *says;
    } rows[] = {
        {"GET /ServerSyncWebService/ServerSyncWebService.asmx HTTP/1.1\r\nHost: "
         "a\r\n\r\n",
         405, "POST"},
        {"GET /ServerSyncWebService/ServerSyncWebService.asmx?wsdl HTTP/1.1\r\nHost: "
         "a\r\n\r\n",
         404, "nothing"},
        {"POST /ApiRemoting30/WebService.asmx HTTP/1.1\r\nHost: a\r\nContent-Length: "
         "0\r\n\r\n",
         404, "nothing"},
        {"POST /ServerSyncWebService/ServerSyncWebService.asmx HTTP/1.1\r\nHost: a\r\n"
         "Content-Type: application/soap+xml\r\nContent-Length: 0\r\n\r\n",
         415, "SOAP 1.1"},
        {"POST /ServerSyncWebService/ServerSyncWebService.asmx HTTP/1.1\r\nHost: a\r\n"
         "Content-Type: text/xml; charset=utf-16\r\nContent-Length: 0\r\n\r\n",
         415, "utf-8"},
        {HEAD_OF("Server/IMonitorable/Ping"), 500, "InvalidParameters"},
        {"POST /Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C4048.cab "
         "HTTP/1.1\r\nHost: a\r\n"
         "Content-Length: 0\r\n\r\n",
         405, "GET and HEAD"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story s;
        begin(&s, strict, rows[i].head, true);
        assert_false(s.want_body);
        assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, rows[i].status);
        assert_true(answer_has(&s, rows[i].says));
        finish(&s);
    }
}

static void f_bad_body_never_travels(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, "<!DOCTYPE x><x/>");
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 500);
    assert_true(answer_has(&s, "InvalidParameters"));
    finish(&s);
}

static void f_policy_without_rules_proves_nothing(void **state)
{
    (void)state;
    struct story s;
    begin(&s, "policy empty\n", HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_A, "first"));
    give_known(&s, NULL);
    give_recorded(&s, SP_OK, 1);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 500);
    assert_true(answer_has(&s, "unproven"));
    finish(&s);
}

static void c_observed_rules_let_pass_but_are_not_first(void **state)
{
    (void)state;
    static const char observe[] =
        "policy observe\nupstream-pinned enforce\nreply-wellformed observe\n"
        "document-readable observe\nidentity-equal observe\nrevision-asked observe\n";
    static const char reply[] = REPLY(ID_A, ID_B, "swapped");
    struct story s;
    struct sp_gate_summary sum;
    begin(&s, observe, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, reply);
    give_known(&s, NULL);
    s.recorded = true; /* nothing was worth recording: straight to the answer */
    assert_released(&s, reply);
    sp_gate_summary(s.gate, &sum);
    assert_true(sum.observed & (uint64_t)1 << SP_RULE_IDENTITY_EQUAL);
    finish(&s);
}

/* A document that names n files, as a reply. */
static char *reply_with_files(size_t n)
{
    struct sp_buf b;
    sp_buf_init(&b, SP_MIB(8));
    assert_ok(sp_buf_append_str(
        &b, "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">"
            "<soap:Body><GetUpdateDataResponse " NS "><GetUpdateDataResult><updates>"
            "<ServerSyncUpdateData><Id><UpdateID>" ID_A "</UpdateID>"
            "<RevisionNumber>200</RevisionNumber></Id><XmlUpdateBlob>&lt;upd:Update "
            "xmlns:upd=\"http://schemas.microsoft.com/msus/2002/12/Update\"&gt;"
            "&lt;upd:UpdateIdentity UpdateID=\"" ID_A "\" RevisionNumber=\"200\"/&gt;"
            "&lt;upd:Properties UpdateType=\"Software\"/&gt;&lt;upd:Files&gt;"));
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            uint8_t sha1[20] = {0};
            memcpy(sha1, &i, sizeof i);
            assert_ok(sp_buf_append_str(
                &b, pass ? "<base64Binary>"
                         : "&lt;upd:File DigestAlgorithm=\"SHA1\" FileName=\"a.cab\" "
                           "Size=\"1\" Digest=\""));
            assert_ok(sp_base64_append(&b, sp_view(sha1, sizeof sha1)));
            assert_ok(sp_buf_append_str(&b, pass ? "</base64Binary>" : "\"/&gt;"));
        }
        assert_ok(sp_buf_append_str(
            &b, pass ? "</FileDigestList></ServerSyncUpdateData></updates><fileUrls/>"
                       "</GetUpdateDataResult></GetUpdateDataResponse></soap:Body>"
                       "</soap:Envelope>"
                     : "&lt;/upd:Files&gt;&lt;/upd:Update&gt;</XmlUpdateBlob>"
                       "<FileDigestList>"));
    }
    assert_ok(sp_buf_append_byte(&b, 0));
    return (char *)b.data;
}

static size_t count_text(struct sp_view text, const char *what)
{
    size_t n = 0;
    for (const uint8_t *p = text.data;
         (p = memmem(p, text.len - (size_t)(p - text.data), what, strlen(what))); p++) {
        n++;
    }
    return n;
}

static void c_update_with_thousands_of_files_takes_several_entries(void **state)
{
    (void)state;
    enum { FILES = 2114 };
    char *reply = reply_with_files(FILES);
    struct story s;
    size_t claims = 0, digests = 0;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, reply);
    give_known(&s, NULL);
    const struct sp_effect *e = effect(&s, SP_EFFECT_RECORD);
    assert_in_range(e->record.count, 4, 16);
    for (size_t i = 0; i < e->record.count; i++) {
        struct sp_view text = e->record.entries[i].text;
        assert_true(text.len <= SP_LIMIT_LEDGER_ENTRY);
        assert_int_equal(e->record.entries[i].revision != NULL, i == 0);
        assert_int_equal(count_text(text, "update.id " ID_A), 1);
        assert_int_equal(count_text(text, "document.sha256 "), 1);
        claims += count_text(text, "file.claim ");
        digests += count_text(text, "document.file-digest ");
    }
    assert_int_equal(claims, FILES);
    assert_int_equal(digests, FILES);
    give_recorded(&s, SP_OK, 0);
    assert_released(&s, reply);
    finish(&s);
    free(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_new_revision_is_recorded_then_released),
        cmocka_unit_test(b_known_revision_needs_no_entry),
        cmocka_unit_test(b_no_memory_for_the_reply),
        cmocka_unit_test(b_unreachable_upstream_is_a_failure),
        cmocka_unit_test(b_upstream_fault_passes_unchanged),
        cmocka_unit_test(b_one_document_twice_is_recorded_once),
        cmocka_unit_test(c_conflict_looks_again),
        cmocka_unit_test(c_observed_second_document_is_not_recorded),
        cmocka_unit_test(f_one_revision_with_two_documents),
        cmocka_unit_test(c_update_with_thousands_of_files_takes_several_entries),
        cmocka_unit_test(c_observed_rules_let_pass_but_are_not_first),
        cmocka_unit_test(f_changed_revision_is_refused_and_recorded),
        cmocka_unit_test(f_refusal_stands_when_the_ledger_cannot_be_written),
        cmocka_unit_test(f_refusal_stands_when_there_are_too_many),
        cmocka_unit_test(f_unwritable_ledger_releases_nothing_new),
        cmocka_unit_test(f_swapped_identity),
        cmocka_unit_test(f_not_asked_for),
        cmocka_unit_test(f_doctype_in_the_reply),
        cmocka_unit_test(f_unproven_upstream_is_recorded),
        cmocka_unit_test(f_plain_http_is_refused_with_the_way_out),
        cmocka_unit_test(f_what_is_refused_at_the_door),
        cmocka_unit_test(f_bad_body_never_travels),
        cmocka_unit_test(f_policy_without_rules_proves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
