/* One planted update: it is cut out, the others flow, and the ledger says so. */
#include "replay/story.h"

#include "core/gate/private.h"

#define ID_C "33333333-2222-4333-8444-555555555555"
#define M    "http://schemas.microsoft.com/msus/2002/12/"

static const char withholding[] = "policy test\n"
                                  "upstream-pinned enforce\nreply-wellformed enforce\n"
                                  "document-readable enforce\nidentity-equal enforce\n"
                                  "digests-sound enforce\nfile-digests-equal enforce\n"
                                  "program-is-update enforce withhold\n"
                                  "bundle-whole enforce withhold\n";

#define ASK_THREE                                                                      \
    ENVELOPE("<GetUpdateData " NS "><cookie>"                                          \
             "<Expiration>2026-01-02T07:04:05Z</Expiration>"                           \
             "<EncryptedData>AAEC</EncryptedData></cookie><updateIds>" IDENTITY(ID_A)  \
                 IDENTITY(ID_B) IDENTITY(ID_C) "</updateIds></GetUpdateData>")
#define PART(id, more)                                                                 \
    "<ServerSyncUpdateData><Id><UpdateID>" id "</UpdateID>"                            \
    "<RevisionNumber>200</RevisionNumber></Id>" more "</ServerSyncUpdateData>"
#define BLOB(id, more)                                                                 \
    "<XmlUpdateBlob>&lt;upd:Update xmlns:upd=\"" M "Update\" xmlns:cmd=\"" M           \
    "UpdateHandlers/CommandLineInstallation\"&gt;&lt;upd:UpdateIdentity "              \
    "UpdateID=\"" id                                                                   \
    "\" RevisionNumber=\"200\" /&gt;&lt;upd:Properties UpdateType=\"Software\" "       \
    "/&gt;" more "&lt;/upd:Update&gt;</XmlUpdateBlob>"
#define RUNS(program)                                                                  \
    "&lt;upd:HandlerSpecificData&gt;&lt;cmd:InstallCommand Program=\"" program         \
    "\" /&gt;&lt;/upd:HandlerSpecificData&gt;"
#define BUNDLES(id)                                                                    \
    "&lt;upd:Relationships&gt;&lt;upd:BundledUpdates&gt;&lt;upd:UpdateIdentity "       \
    "UpdateID=\"" id "\" RevisionNumber=\"200\" /&gt;&lt;/upd:BundledUpdates&gt;&lt;/" \
    "upd:Relationships&gt;"
#define SHA1_X "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define SHA1_Y "AQAAAAAAAAAAAAAAAAAAAAAAAAA="
#define FILE_OF(digest)                                                                \
    "&lt;upd:Files&gt;&lt;upd:File Digest=\"" digest                                   \
    "\" FileName=\"a.cab\" Size=\"1\" /&gt;&lt;/upd:Files&gt;"
#define DIGESTS(digest)                                                                \
    "<FileDigestList><base64Binary>" digest "</base64Binary></FileDigestList>"
#define URL(digest)                                                                    \
    "<ServerSyncUrlData><FileDigest>" digest "</FileDigest><MUUrl /><UssUrl />"        \
    "</ServerSyncUrlData>"
#define DATA(updates, urls)                                                            \
    ENVELOPE("<GetUpdateDataResponse " NS "><GetUpdateDataResult><updates>" updates    \
             "</updates><fileUrls>" urls                                               \
             "</fileUrls></GetUpdateDataResult></GetUpdateDataResponse>")

#define GOOD_A PART(ID_A, BLOB(ID_A, RUNS("AM_Delta.exe")))
#define BAD_B  PART(ID_B, BLOB(ID_B, RUNS("PsExec.exe")))

static void give_edited(struct story *s)
{
    struct sp_buf out;
    sp_buf_init(&out, SP_LIMIT_SOAP_REPLY);
    struct sp_effect job = *effect(s, SP_EFFECT_EDIT);
    enum sp_err e = sp_gate_edit(&job, &out);
    sp_gate_edited(s->gate, e, &out, &s->step);
    sp_buf_fini(&out);
}

static bool entry_has(struct story *s, size_t i, const char *text)
{
    const struct sp_effect *e = effect(s, SP_EFFECT_RECORD);
    assert_true(i < e->record.count);
    struct sp_view v = e->record.entries[i].text;
    return memmem(v.data, v.len, text, strlen(text)) != NULL;
}

static void ask(struct story *s, const char *policy, const char *reply)
{
    begin(s, policy, HEAD_OF("GetUpdateData"), true);
    give_body(s, ASK_THREE);
    give_reply(s, 200, reply);
}

static void b_one_is_cut_out_and_the_others_flow(void **state)
{
    (void)state;
    struct story s;
    struct sp_gate_summary sum;
    ask(&s, withholding, DATA(GOOD_A BAD_B, ""));
    give_all_unknown(&s, 2);
    assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 3);
    assert_true(entry_has(&s, 0, "entry.kind revision\n"));
    assert_true(entry_has(&s, 0, "update.id " ID_A "\n"));
    assert_non_null(s.step.effect.record.entries[0].revision);
    assert_true(entry_has(&s, 1, "entry.kind withheld\n"));
    assert_true(entry_has(&s, 1, "peer.address 10.1.2.3\n"));
    assert_true(entry_has(&s, 1, "update.id " ID_B "\n"));
    assert_true(entry_has(&s, 1, "verdict.rule program-is-update\n"));
    assert_true(entry_has(&s, 1, "verdict.action withhold\n"));
    assert_null(s.step.effect.record.entries[1].revision);
    assert_true(entry_has(&s, 2, "entry.kind edit\n"));
    assert_true(entry_has(&s, 2, "edit.removed " ID_B ".200\n"));
    assert_false(entry_has(&s, 2, ID_A));
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, DATA(GOOD_A, ""));
    sp_gate_summary(s.gate, &sum);
    assert_int_equal(sum.removed, 1);
    assert_int_equal(sum.recorded, 1);
    assert_int_equal(sum.ruling, SP_PASSED);
    finish(&s);
}

static void b_nothing_is_edited_where_nothing_is_withheld(void **state)
{
    (void)state;
    struct story s;
    ask(&s, withholding, DATA(GOOD_A, URL(SHA1_X)));
    give_all_unknown(&s, 1);
    assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 1);
    give_recorded(&s, SP_OK, 7);
    assert_released(&s, DATA(GOOD_A, URL(SHA1_X)));
    finish(&s);
}

/* C bundles A, A bundles B; B is the planted one and comes last. */
static void c_bundles_go_with_what_they_need(void **state)
{
    (void)state;
    struct story s;
    ask(&s, withholding,
        DATA(PART(ID_C, BLOB(ID_C, BUNDLES(ID_A))) PART(ID_A, BLOB(ID_A, BUNDLES(ID_B)))
                 BAD_B,
             ""));
    give_all_unknown(&s, 3);
    assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 4);
    assert_true(entry_has(&s, 0, "verdict.rule bundle-whole\n"));
    assert_true(entry_has(&s, 0, "bundle.withheld " ID_A ".200\n"));
    assert_true(entry_has(&s, 1, "bundle.withheld " ID_B ".200\n"));
    assert_true(entry_has(&s, 3, "edit.removed " ID_C ".200\n"));
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, DATA("", ""));
    finish(&s);
}

static void know(struct story *s, const char *const *ids, size_t count,
                 enum sp_keeping why, const struct sp_gate_known *known)
{
    struct sp_withheld list[4];
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct sp_withheld){.id.number = 200, .why = why};
        assert_ok(sp_guid_parse(sp_view_str(ids[i]), &list[i].id.id));
    }
    assert_string_equal(effect(s, SP_EFFECT_ASK_REVISIONS)->ask.policy, "test");
    assert_ok(sp_gate_withheld(s->gate, list, count));
    sp_gate_known(s->gate, SP_OK, known, &s->step);
    give_digest(s);
    s->judged = true;
}

/* What was withheld earlier counts for a bundle that comes later. */
static void c_a_bundle_of_what_was_withheld_before(void **state)
{
    (void)state;
    static const char *const b[] = {ID_B};
    static const struct sp_gate_known unknown[2];
    struct story s;
    ask(&s, withholding, DATA(PART(ID_C, BLOB(ID_C, BUNDLES(ID_B))) GOOD_A, ""));
    know(&s, b, 1, SP_KEPT_BY_POLICY, unknown);
    assert_true(entry_has(&s, 0, "verdict.rule bundle-whole\n"));
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, DATA(GOOD_A, ""));
    finish(&s);
}

/* It was recorded as withheld before: only the edit is told. */
static void c_what_is_withheld_already_is_not_recorded_again(void **state)
{
    (void)state;
    static const char *const b[] = {ID_B};
    static const struct sp_gate_known unknown[2];
    struct story s;
    ask(&s, withholding, DATA(BAD_B, ""));
    know(&s, b, 1, SP_KEPT_BY_POLICY, unknown);
    assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 1);
    assert_true(entry_has(&s, 0, "entry.kind edit\n"));
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, DATA("", ""));
    finish(&s);
}

/* Withheld, and now it passes: it goes out, and that is said; in quarantine it stays.
 */
static void c_release_and_quarantine(void **state)
{
    (void)state;
    static const char *const a[] = {ID_A};
    struct sp_gate_known known = {.known = true};
    struct story s;
    for (int quarantined = 0; quarantined < 2; quarantined++) {
        ask(&s, withholding, DATA(GOOD_A, ""));
        know(&s, a, 1, quarantined ? SP_KEPT_IN_QUARANTINE : SP_KEPT_BY_POLICY, &known);
        assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 1);
        assert_true(entry_has(
            &s, 0, quarantined ? "entry.kind edit\n" : "entry.kind released\n"));
        give_recorded(&s, SP_OK, 7);
        if (quarantined) {
            give_edited(&s);
        }
        assert_released(&s, quarantined ? DATA("", "") : DATA(GOOD_A, ""));
        finish(&s);
    }
}

/* The address of a file that another revision names as well stays. */
static void c_addresses_go_with_their_last_revision(void **state)
{
    (void)state;
    struct story s;
#define SHARED_A PART(ID_A, DIGESTS(SHA1_X) BLOB(ID_A, FILE_OF(SHA1_X)))
    ask(&s, withholding,
        DATA(SHARED_A PART(ID_B,
                           DIGESTS(SHA1_Y) BLOB(ID_B, FILE_OF(SHA1_Y) RUNS("bginfo"))),
             URL(SHA1_X) URL(SHA1_Y)));
    give_all_unknown(&s, 2);
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, DATA(SHARED_A, URL(SHA1_X)));
    finish(&s);
    ask(&s, withholding,
        DATA(SHARED_A PART(ID_B,
                           DIGESTS(SHA1_X) BLOB(ID_B, FILE_OF(SHA1_X) RUNS("bginfo"))),
             URL(SHA1_X) URL(SHA1_Y)));
    give_all_unknown(&s, 2);
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, DATA(SHARED_A, URL(SHA1_X) URL(SHA1_Y)));
    finish(&s);
}

/* A contradiction beside it refuses the whole reply all the same. */
static void f_a_refusal_is_stronger(void **state)
{
    (void)state;
    struct story s;
    ask(&s, withholding, DATA(BAD_B PART(ID_A, BLOB(ID_C, "")), ""));
    give_all_unknown(&s, 2);
    give_recorded(&s, SP_OK, 7);
    assert_refused(&s, "identity-equal", "ledger entry 7");
    finish(&s);
}

/* An edit that is not recorded does not go out. */
static void f_no_edit_without_its_entry(void **state)
{
    (void)state;
    static const enum sp_err errors[] = {SP_E_LIMIT, SP_E_NOSPACE};
    for (size_t i = 0; i < 2; i++) {
        struct story s;
        ask(&s, withholding, DATA(GOOD_A BAD_B, ""));
        give_all_unknown(&s, 2);
        give_recorded(&s, errors[i], 0);
        assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 500);
        assert_true(answer_has(&s, "<ErrorCode>ServerBusy</ErrorCode>"));
        finish(&s);
    }
}

/* ---- lists --------------------------------------------------------------------- */

#define LIST(revisions)                                                                \
    ENVELOPE("<GetRevisionIdListResponse " NS "><GetRevisionIdListResult>"             \
             "<Anchor>57,2026-01-02 03:04:10.120</Anchor><NewRevisions>" revisions     \
             "</NewRevisions></GetRevisionIdListResult></GetRevisionIdListResponse>")
#define ASK_LIST                                                                       \
    ENVELOPE(                                                                          \
        "<GetRevisionIdList " NS "><cookie>"                                           \
        "<Expiration>2026-01-02T07:04:05Z</Expiration>"                                \
        "<EncryptedData>AAEC</EncryptedData></cookie><filter>"                         \
        "<GetConfig>false</GetConfig><Get63LanguageOnly>false</Get63LanguageOnly>"     \
        "</filter></GetRevisionIdList>")

static void list(struct story *s, const char *reply)
{
    begin(s, withholding, HEAD_OF("GetRevisionIdList"), true);
    give_body(s, ASK_LIST);
    give_reply(s, 200, reply);
}

static void b_lists_do_not_name_what_is_withheld(void **state)
{
    (void)state;
    static const char *const kept[] = {ID_A, ID_C};
    struct story s;
    list(&s, LIST(IDENTITY(ID_A) IDENTITY(ID_B) IDENTITY(ID_C)));
    assert_int_equal(effect(&s, SP_EFFECT_ASK_REVISIONS)->ask.count, 0);
    know(&s, kept, 2, SP_KEPT_FOR_PART, NULL);
    assert_int_equal(effect(&s, SP_EFFECT_RECORD)->record.count, 1);
    assert_true(entry_has(&s, 0, "operation GetRevisionIdList\n"));
    assert_true(entry_has(&s, 0, "edit.removed " ID_A ".200\n"));
    assert_true(entry_has(&s, 0, "edit.removed " ID_C ".200\n"));
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, LIST(IDENTITY(ID_B)));
    finish(&s);
}

static void b_lists_of_others_go_as_they_are(void **state)
{
    (void)state;
    static const char *const kept[] = {ID_A};
    static const char *const replies[] = {LIST(IDENTITY(ID_B)), LIST(""),
                                          LIST("<UpdateIdentity><UpdateID>" ID_A
                                               "</UpdateID><RevisionNumber>201"
                                               "</RevisionNumber></UpdateIdentity>")};
    for (size_t i = 0; i < 3; i++) {
        struct story s;
        list(&s, replies[i]);
        if (s.step.effect.kind == SP_EFFECT_ASK_REVISIONS) {
            know(&s, kept, 1, SP_KEPT_BY_POLICY, NULL);
        }
        assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 200);
        assert_true(sp_view_eq_str(s.step.effect.answer.body, replies[i]));
        finish(&s);
    }
}

static void f_a_list_that_names_nothing_is_refused(void **state)
{
    (void)state;
    struct story s;
    list(&s, LIST("<UpdateIdentity><UpdateID>x</UpdateID><RevisionNumber>1"
                  "</RevisionNumber></UpdateIdentity>"));
    give_recorded(&s, SP_OK, 7);
    assert_true(answer_has(&s, "reply-wellformed"));
    finish(&s);
}

/* An old reply that is played again is told by its anchor; the same one is quiet. */
static void f_an_older_anchor_is_refused(void **state)
{
    (void)state;
    static const char *const asked[] = {"58,2026-01-03 03:04:10.120",
                                        "57,2026-01-02 03:04:10.120"};
    static const char policy[] = "policy test\nupstream-pinned enforce\n"
                                 "reply-wellformed enforce\nanchor-not-older enforce\n";
    for (int same = 0; same < 2; same++) {
        char body[1024];
        struct story s;
        snprintf(body, sizeof body,
                 ENVELOPE("<GetRevisionIdList " NS "><cookie>"
                          "<Expiration>2026-01-02T07:04:05Z</Expiration>"
                          "<EncryptedData>AAEC</EncryptedData></cookie><filter>"
                          "<Anchor>%s</Anchor><GetConfig>false</GetConfig>"
                          "</filter></GetRevisionIdList>"),
                 asked[same]);
        begin(&s, policy, HEAD_OF("GetRevisionIdList"), true);
        give_body(&s, body);
        give_reply(&s, 200, LIST(""));
        if (!same) {
            give_recorded(&s, SP_OK, 7);
            assert_true(answer_has(&s, "anchor-not-older"));
        } else {
            assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 200);
        }
        finish(&s);
    }
}

/* A list that brings nothing is held against the calendar; one that brings something
 * never is, or a freeze would last for ever. */
static void c_a_freeze(void **state)
{
    (void)state;
    enum { DAY = 86400, NOW = 1795305600 }; /* 2026-11-22, after the second Tuesday */
    static const struct {
        int days;
        const char *listed;
        bool refused;
    } rows[] = {{10, "", false},
                {11, "", true},
                {11, IDENTITY(ID_A), false},
                {0, "", false},
                {NOW / DAY, "", false}}; /* nothing was ever recorded */
    static const char policy[] = "policy test\nupstream-pinned enforce\n"
                                 "reply-wellformed enforce\nmetadata-fresh enforce\n";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char reply[1024];
        struct story s;
        begin(&s, policy, HEAD_OF("GetRevisionIdList"), true);
        s.door.freshness_days = 10;
        s.gate->asker.now = NOW;
        s.gate->asker.newest = NOW - (int64_t)rows[i].days * DAY;
        give_body(&s, ASK_LIST);
        snprintf(reply, sizeof reply, LIST("%s"), rows[i].listed);
        give_reply(&s, 200, reply);
        if (rows[i].listed[0]) {
            assert_ok(sp_gate_withheld(s.gate, NULL, 0));
            sp_gate_known(s.gate, SP_OK, NULL, &s.step);
            give_digest(&s);
        }
        if (rows[i].refused) {
            assert_true(entry_has(&s, 0, "verdict.rule metadata-fresh\n"));
            assert_true(entry_has(&s, 0, "freshness.days 11\n"));
        } else {
            assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 200);
        }
        finish(&s);
    }
}

/* More than fits into one entry goes on in another. */
static void c_many_removals_take_several_entries(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    static char reply[MANY * 200];
    static struct sp_withheld kept[MANY];
    struct story s;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, sizeof reply);
    for (unsigned i = 0; i < MANY; i++) {
        char id[40];
        snprintf(id, sizeof id, "%08x-2222-4333-8444-555555555555", i);
        assert_ok(
            sp_buf_printf(&text,
                          "<UpdateIdentity><UpdateID>%s</UpdateID><RevisionNumber>1"
                          "</RevisionNumber></UpdateIdentity>",
                          id));
        kept[i] = (struct sp_withheld){.id.number = 1, .why = SP_KEPT_BY_POLICY};
        assert_ok(sp_guid_parse(sp_view_str(id), &kept[i].id.id));
    }
    snprintf(reply, sizeof reply, LIST("%.*s"), (int)text.len, (char *)text.data);
    list(&s, reply);
    effect(&s, SP_EFFECT_ASK_REVISIONS);
    assert_ok(sp_gate_withheld(s.gate, kept, MANY));
    sp_gate_known(s.gate, SP_OK, NULL, &s.step);
    give_digest(&s);
    s.judged = true;
    size_t entries = effect(&s, SP_EFFECT_RECORD)->record.count;
    assert_in_range(entries, 3, 10);
    for (size_t i = 0; i < entries; i++) {
        assert_true(s.step.effect.record.entries[i].text.len <= SP_LIMIT_LEDGER_ENTRY);
        assert_true(entry_has(&s, i, "entry.kind edit\n"));
        assert_true(entry_has(&s, i, "reply.sha256 "));
    }
    give_recorded(&s, SP_OK, 7);
    give_edited(&s);
    assert_released(&s, LIST(""));
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_one_is_cut_out_and_the_others_flow),
        cmocka_unit_test(b_nothing_is_edited_where_nothing_is_withheld),
        cmocka_unit_test(b_lists_do_not_name_what_is_withheld),
        cmocka_unit_test(b_lists_of_others_go_as_they_are),
        cmocka_unit_test(c_bundles_go_with_what_they_need),
        cmocka_unit_test(c_a_bundle_of_what_was_withheld_before),
        cmocka_unit_test(c_what_is_withheld_already_is_not_recorded_again),
        cmocka_unit_test(c_release_and_quarantine),
        cmocka_unit_test(c_addresses_go_with_their_last_revision),
        cmocka_unit_test(c_a_freeze),
        cmocka_unit_test(c_many_removals_take_several_entries),
        cmocka_unit_test(f_a_refusal_is_stronger),
        cmocka_unit_test(f_no_edit_without_its_entry),
        cmocka_unit_test(f_a_list_that_names_nothing_is_refused),
        cmocka_unit_test(f_an_older_anchor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
