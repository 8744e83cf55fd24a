/* Pages for clients: what one update tells otherwise than its document, or what the
 * policy keeps back, is cut out; every other byte goes out as it came. */
#include "replay/story.h"

#define CLIENT                                                                         \
    "xmlns=\"http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService\""
#define HEAD_OF_CLIENT(action)                                                         \
    "POST /ClientWebService/client.asmx HTTP/1.1\r\n"                                  \
    "Host: gate.example:8531\r\nContent-Type: text/xml; charset=utf-8\r\n"             \
    "SOAPAction: \"http://www.microsoft.com/SoftwareDistribution/Server/"              \
    "ClientWebService/" action "\"\r\nContent-Length: 1\r\n\r\n"
#define COOKIE                                                                         \
    "<cookie><Expiration>2026-01-02T07:04:05Z</Expiration>"                            \
    "<EncryptedData>AAEC</EncryptedData></cookie>"
#define ASK_EXTENDED(operation)                                                        \
    ENVELOPE("<" operation " " CLIENT ">" COOKIE "<revisionIDs><int>1</int>"           \
             "</revisionIDs><infoTypes><XmlUpdateFragmentType>Extended"                \
             "</XmlUpdateFragmentType></infoTypes></" operation ">")
#define EXTENDED(number)                                                               \
    "<Update>\n <ID>" number "</ID><Xml>&lt;ExtendedProperties Handler=\"h" number     \
    "\" /&gt;&lt;Files /&gt;</Xml></Update >"
#define LOCALIZED(number)                                                              \
    "<Update><ID>" number "</ID><Xml>&lt;LocalizedProperties&gt;&lt;Language&gt;en"    \
    "&lt;/Language&gt;&lt;/LocalizedProperties&gt;</Xml></Update>"
#define PAGE_OF(updates)                                                               \
    ENVELOPE("<GetExtendedUpdateInfoResponse " CLIENT "><GetExtendedUpdateInfoResult>" \
             "<Updates>" updates "</Updates><!-- kept --><FileLocations/>"             \
             "</GetExtendedUpdateInfoResult></GetExtendedUpdateInfoResponse>")
#define PAGE_OF_2(updates)                                                             \
    ENVELOPE("<GetExtendedUpdateInfo2Response " CLIENT ">"                             \
             "<GetExtendedUpdateInfo2Result><Updates>" updates "</Updates>"            \
             "<FileLocations/><UpdateReportingSamplingRates/>"                         \
             "</GetExtendedUpdateInfo2Result></GetExtendedUpdateInfo2Response>")
#define SYNCED(number)                                                                 \
    "<UpdateInfo><ID>" number "</ID><Deployment><Action>Install</Action></Deployment>" \
    "<IsLeaf>true</IsLeaf><Xml>&lt;UpdateIdentity UpdateID=\"" ID_A                    \
    "\" RevisionNumber=\"20" number "\" /&gt;&lt;Properties /&gt;</Xml></UpdateInfo>"
#define SYNC_PAGE(updates, more)                                                       \
    ENVELOPE("<SyncUpdatesResponse " CLIENT "><SyncUpdatesResult><NewUpdates>" updates \
             "</NewUpdates>" more "<Truncated>true</Truncated></SyncUpdatesResult>"    \
             "</SyncUpdatesResponse>")
#define POLICY(action)                                                                 \
    "policy test\nupstream-pinned enforce\nreply-wellformed enforce\n"                 \
    "fragment-derived enforce" action "\n"

/* What custody says: a letter a fragment. u: unknown, a: agrees, d: differs, k: kept
 * back, n: needs what differs. The number that the server gives is that of the
 * revision. */
static void give_custody(struct story *s, const char *letters)
{
    const struct sp_effect *e = effect(s, SP_EFFECT_ASK_FILES);
    assert_int_equal(e->files.shown_count, strlen(letters));
    assert_string_equal(e->files.policy, "test");
    for (size_t i = 0; letters[i]; i++) {
        struct sp_shown *f = &e->files.shown[i];
        f->has_id = letters[i] != 'u';
        f->id.number = f->number;
        f->says = letters[i] == 'd'   ? SP_SHOWN_DIFFERS
                  : letters[i] == 'u' ? SP_SHOWN_UNKNOWN
                                      : SP_SHOWN_AGREES;
        f->is_kept_back = letters[i] == 'k';
        f->needs_differing = letters[i] == 'n';
    }
    sp_gate_files(s->gate, SP_OK, &s->step);
    give_digest(s);
    s->judged = true;
}

static void give_edited(struct story *s)
{
    struct sp_buf out;
    sp_buf_init(&out, SP_LIMIT_SOAP_REPLY);
    struct sp_effect job = *effect(s, SP_EFFECT_EDIT);
    assert_ok(sp_gate_edit(&job, &out));
    sp_gate_edited(s->gate, SP_OK, &out, &s->step);
    sp_buf_fini(&out);
}

static void ask(struct story *s, const char *policy, const char *head, const char *body,
                const char *page)
{
    begin(s, policy, head, true);
    give_body(s, body);
    give_reply(s, 200, page);
}

static void assert_recorded(struct story *s, const char *text)
{
    struct sp_view entry = effect(s, SP_EFFECT_RECORD)->record.entries[0].text;
    assert_int_equal(effect(s, SP_EFFECT_RECORD)->record.count, 1);
    if (!memmem(entry.data, entry.len, text, strlen(text))) {
        fail_msg("no %s in:\n" SP_VIEW_FMT, text, SP_VIEW_ARG(entry));
    }
}

static void assert_page(const char *policy, const char *page, const char *letters,
                        const char *rest, size_t removed)
{
    struct story s;
    struct sp_gate_summary sum;
    ask(&s, policy, HEAD_OF_CLIENT("GetExtendedUpdateInfo"),
        ASK_EXTENDED("GetExtendedUpdateInfo"), page);
    give_custody(&s, letters);
    if (removed) {
        assert_recorded(&s, "entry.kind edit\n");
        give_recorded(&s, SP_OK, 5);
        give_edited(&s);
    }
    s.recorded = true;
    assert_released(&s, rest);
    sp_gate_summary(s.gate, &sum);
    assert_int_equal(sum.removed, removed);
    finish(&s);
}

static void b_an_update_that_differs_is_cut_out(void **state)
{
    (void)state;
    static const char page[] = PAGE_OF(EXTENDED("1") EXTENDED("2") LOCALIZED("1")
                                           LOCALIZED("2") EXTENDED("3"));
    const char *policy = POLICY(" withhold");
    assert_page(policy, page, "aaaaa", page, 0);
    assert_page(policy, page, "uuuuu", page, 0);
    /* with its texts, which agree */
    assert_page(policy, page, "adaaa",
                PAGE_OF(EXTENDED("1") LOCALIZED("1") EXTENDED("3")), 1);
    assert_page(policy, page, "aaada",
                PAGE_OF(EXTENDED("1") LOCALIZED("1") EXTENDED("3")), 1);
    assert_page(policy, page, "ddddd", PAGE_OF(""), 3);
    assert_page(policy, page, "uduuu",
                PAGE_OF(EXTENDED("1") LOCALIZED("1") LOCALIZED("2") EXTENDED("3")), 1);
}

static void b_what_needs_it_goes_with_it(void **state)
{
    (void)state;
    static const char page[] = PAGE_OF(EXTENDED("1") EXTENDED("2") EXTENDED("3"));
    assert_page(POLICY(" withhold"), page, "nda", PAGE_OF(EXTENDED("3")), 2);
    assert_page(POLICY(" withhold"), page, "naa", page, 0); /* nothing differs */
}

/* Whatever this rule does: the policy keeps it back, so clients are not told of it. */
static void b_what_the_policy_keeps_back_is_cut_out(void **state)
{
    (void)state;
    static const char page[] = PAGE_OF(EXTENDED("1") EXTENDED("2") EXTENDED("3"));
    assert_page(POLICY(" withhold"), page, "aka", PAGE_OF(EXTENDED("1") EXTENDED("3")),
                1);
    assert_page(POLICY(""), page, "kaa", PAGE_OF(EXTENDED("2") EXTENDED("3")), 1);
}

static void b_the_entry_says_what_and_why(void **state)
{
    (void)state;
    struct story s;
    ask(&s, POLICY(" withhold"), HEAD_OF_CLIENT("GetExtendedUpdateInfo"),
        ASK_EXTENDED("GetExtendedUpdateInfo"), PAGE_OF(EXTENDED("1") EXTENDED("2")));
    give_custody(&s, "ad");
    assert_recorded(&s, "operation GetExtendedUpdateInfo\n");
    assert_recorded(&s, "edit.removed 00000000-0000-0000-0000-000000000000.2\n");
    assert_recorded(&s, "verdict.rule fragment-derived\n");
    assert_recorded(&s, "fragment.differs ");
    assert_recorded(&s, "Handler=\"h2\"");
    finish(&s);
}

static void c_refused_whole_where_the_policy_says_so(void **state)
{
    (void)state;
    struct story s;
    ask(&s, POLICY(""), HEAD_OF_CLIENT("GetExtendedUpdateInfo"),
        ASK_EXTENDED("GetExtendedUpdateInfo"), PAGE_OF(EXTENDED("1") EXTENDED("2")));
    give_custody(&s, "ad");
    assert_recorded(&s, "entry.kind refusal\n");
    give_recorded(&s, SP_OK, 6);
    assert_refused(&s, "fragment-derived", "ledger entry 6");
    finish(&s);
}

static void b_the_second_version_of_the_operation(void **state)
{
    (void)state;
    struct story s;
    ask(&s, POLICY(" withhold"), HEAD_OF_CLIENT("GetExtendedUpdateInfo2"),
        ENVELOPE("<GetExtendedUpdateInfo2 " CLIENT ">" COOKIE
                 "<updateIDs><UpdateIdentity><UpdateID>" ID_A "</UpdateID>"
                 "<RevisionNumber>200</RevisionNumber></UpdateIdentity></updateIDs>"
                 "<infoTypes><XmlUpdateFragmentType>Extended</XmlUpdateFragmentType>"
                 "</infoTypes></GetExtendedUpdateInfo2>"),
        PAGE_OF_2(EXTENDED("1") EXTENDED("2")));
    give_custody(&s, "da");
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, PAGE_OF_2(EXTENDED("2")));
    finish(&s);
}

/* NewUpdates and ChangedUpdates; what stands around an update goes with it. */
static void b_a_page_of_a_scan(void **state)
{
    (void)state;
    struct story s;
    ask(&s, POLICY(" withhold"), HEAD_OF_CLIENT("SyncUpdates"),
        ENVELOPE("<SyncUpdates " CLIENT ">" COOKIE "<parameters><ExpressQuery>false"
                 "</ExpressQuery></parameters></SyncUpdates>"),
        SYNC_PAGE(SYNCED("1") SYNCED("2"),
                  "<ChangedUpdates>" SYNCED("3")
                      SYNCED("4") "</ChangedUpdates>"
                                  "<ExtendedUpdateInfo><Updates>" EXTENDED("5")
                                      EXTENDED("6") "</Updates></ExtendedUpdateInfo>"));
    give_custody(&s, "dadada");
    give_recorded(&s, SP_OK, 8);
    give_edited(&s);
    assert_released(&s, SYNC_PAGE(SYNCED("2"),
                                  "<ChangedUpdates>" SYNCED(
                                      "4") "</ChangedUpdates>"
                                           "<ExtendedUpdateInfo><Updates>" EXTENDED(
                                               "6") "</Updates></ExtendedUpdateInfo>"));
    finish(&s);
}

/* The thousandth edit is not recorded any more, and goes out all the same. */
static void c_too_many_edits_stop_no_client(void **state)
{
    (void)state;
    struct story s;
    ask(&s, POLICY(" withhold"), HEAD_OF_CLIENT("GetExtendedUpdateInfo"),
        ASK_EXTENDED("GetExtendedUpdateInfo"), PAGE_OF(EXTENDED("1") EXTENDED("2")));
    give_custody(&s, "ad");
    give_recorded(&s, SP_E_LIMIT, 0);
    give_edited(&s);
    s.recorded = true;
    assert_released(&s, PAGE_OF(EXTENDED("1")));
    finish(&s);
}

static void c_but_a_ledger_that_fails_does(void **state)
{
    (void)state;
    struct story s;
    ask(&s, POLICY(" withhold"), HEAD_OF_CLIENT("GetExtendedUpdateInfo"),
        ASK_EXTENDED("GetExtendedUpdateInfo"), PAGE_OF(EXTENDED("1") EXTENDED("2")));
    give_custody(&s, "ad");
    give_recorded(&s, SP_E_NOSPACE, 0);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 500);
    assert_true(answer_has(&s, "ServerBusy"));
    finish(&s);
}

/* So much of a page is no planted update: at the limit it is cut, one above refused. */
static void f_a_page_that_differs_as_a_whole_is_refused(void **state)
{
    (void)state;
    enum { MOST = SP_LIMIT_DIFFERING };
    for (size_t n = MOST; n <= MOST + 1; n++) {
        struct story s;
        struct sp_buf page;
        char letters[MOST + 2];
        memset(letters, 'd', n);
        letters[n] = '\0';
        sp_buf_init(&page, SP_MIB(1));
        assert_ok(sp_buf_append_str(
            &page, "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                   "<s:Body><GetExtendedUpdateInfoResponse " CLIENT
                   "><GetExtendedUpdateInfoResult><Updates>"));
        for (size_t i = 0; i < n; i++) {
            assert_ok(sp_buf_printf(&page,
                                    "<Update><ID>%zu</ID><Xml>&lt;Files /&gt;</Xml>"
                                    "</Update>",
                                    i));
        }
        assert_ok(sp_buf_append_str(
            &page, "</Updates></GetExtendedUpdateInfoResult>"
                   "</GetExtendedUpdateInfoResponse></s:Body></s:Envelope>"));
        assert_ok(sp_buf_append_byte(&page, '\0'));
        ask(&s, POLICY(" withhold"), HEAD_OF_CLIENT("GetExtendedUpdateInfo"),
            ASK_EXTENDED("GetExtendedUpdateInfo"), (const char *)page.data);
        give_custody(&s, letters);
        assert_recorded(&s, n > MOST ? "entry.kind refusal\n" : "entry.kind edit\n");
        finish(&s);
        sp_buf_fini(&page);
    }
}

/* What is kept as evidence beside a fragment: the document itself, by its digest. */
static void b_a_document_is_found_by_its_digest(void **state)
{
    (void)state;
    static const char reply[] = TWICE(ID_A, "one", "two");
    struct sp_reply *r = NULL;
    struct sp_buf text;
    uint8_t sha256[32];
    assert_ok(sp_reply_inspect(SP_OP_GET_UPDATE_DATA, 200, SP_VIEW(reply), NULL, 0, &r,
                               NULL));
    for (size_t i = 0; i < 2; i++) {
        sp_buf_init(&text, SP_LIMIT_DOCUMENT);
        assert_ok(
            sp_reply_document(SP_VIEW(reply), r->revisions[i].document_sha256, &text));
        sp_sha256(sp_buf_view(&text), sha256);
        assert_memory_equal(sha256, r->revisions[i].document_sha256, 32);
        assert_non_null(memmem(text.data, text.len, i ? "two" : "one", 3));
        sp_buf_fini(&text);
    }
    sha256[0] ^= 1;
    sp_buf_init(&text, SP_LIMIT_DOCUMENT);
    assert_err(sp_reply_document(SP_VIEW(reply), sha256, &text), SP_E_NOTFOUND);
    assert_err(sp_reply_document(SP_VIEW("<no reply"), sha256, &text), SP_E_NOTFOUND);
    sp_buf_fini(&text);
    sp_reply_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_an_update_that_differs_is_cut_out),
        cmocka_unit_test(b_what_needs_it_goes_with_it),
        cmocka_unit_test(b_what_the_policy_keeps_back_is_cut_out),
        cmocka_unit_test(b_the_entry_says_what_and_why),
        cmocka_unit_test(c_refused_whole_where_the_policy_says_so),
        cmocka_unit_test(b_the_second_version_of_the_operation),
        cmocka_unit_test(b_a_page_of_a_scan),
        cmocka_unit_test(c_too_many_edits_stop_no_client),
        cmocka_unit_test(c_but_a_ledger_that_fails_does),
        cmocka_unit_test(f_a_page_that_differs_as_a_whole_is_refused),
        cmocka_unit_test(b_a_document_is_found_by_its_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
