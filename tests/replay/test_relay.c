/* Stories of replies that go out while they come: nothing before its beginning was read
 * over a proven link, the end when the whole is judged, else none. */
#include "replay/story.h"

#define ASK_DEPLOYMENTS                                                                \
    ENVELOPE("<GetDeployments " NS "><cookie>"                                         \
             "<Expiration>2026-01-02T07:04:05Z</Expiration>"                           \
             "<EncryptedData>AAEC</EncryptedData></cookie><deploymentAnchor/>"         \
             "<syncAnchor>1</syncAnchor></GetDeployments>")
#define DEPLOYMENTS(inner)                                                             \
    ENVELOPE("<GetDeploymentsResponse " NS "><GetDeploymentsResult>" inner             \
             "</GetDeploymentsResult></GetDeploymentsResponse>")

static void ask(struct story *s, const char *policy)
{
    enum sp_op op;
    begin(s, policy, HEAD_OF("GetDeployments"), true);
    assert_false(sp_gate_may_stream(s->gate, 200, SP_VIEW(""), &op));
    give_body(s, ASK_DEPLOYMENTS);
    effect(s, SP_EFFECT_FETCH);
    assert_true(sp_gate_may_stream(s->gate, 200, SP_VIEW(""), &op));
    assert_true(sp_gate_may_stream(s->gate, 200, SP_VIEW("Identity"), &op));
    assert_int_equal(op, SP_OP_GET_DEPLOYMENTS);
}

static void relay(struct story *s, size_t length)
{
    sp_gate_begins(s->gate, SP_VIEW("text/xml"), length, &s->link, &s->step);
    const struct sp_effect *e = effect(s, SP_EFFECT_RELAY);
    assert_int_equal(e->answer.status, 200);
    assert_int_equal(e->answer.length, length);
    assert_true(
        sp_view_starts(e->answer.fields, SP_VIEW("Content-Type: text/xml\r\n")));
    assert_int_equal(sp_gate_station(s->gate), SP_STATION_FETCH);
}

/* The rest of it, whose beginning is on its way. */
static void give_rest(struct story *s, const char *reply)
{
    struct sp_reply_arriving *a = NULL;
    struct sp_inspection found;
    sp_buf_init(&s->reply, SP_LIMIT_SOAP_REPLY);
    assert_ok(sp_buf_append_str(&s->reply, reply));
    assert_ok(sp_reply_arriving_new(SP_OP_GET_DEPLOYMENTS, &a));
    sp_gate_fetched(s->gate, 200, SP_VIEW(""), SP_VIEW("text/xml"),
                    sp_buf_view(&s->reply), &s->link, 1795305600, &s->step);
    sp_gate_inspect_arrived(effect(s, SP_EFFECT_INSPECT), a, &found);
    sp_gate_inspected(s->gate, &found, &s->step);
    give_digest(s);
    sp_reply_arriving_free(&a);
}

static void assert_cut(struct story *s, const char *why)
{
    struct sp_gate_summary sum;
    effect(s, SP_EFFECT_CUT);
    assert_int_equal(sp_gate_station(s->gate), SP_STATION_DONE);
    sp_gate_summary(s->gate, &sum);
    assert_true(sum.is_cut);
    assert_int_equal(sum.status, 200); /* so it had begun */
    assert_string_equal(sum.fault, "");
    assert_non_null(strstr(sum.why, why));
    finish(s);
}

static void b_its_end_goes_out_once_it_passed(void **state)
{
    (void)state;
    static const char reply[] = DEPLOYMENTS("<Anchor>1</Anchor>");
    struct story s;
    struct sp_gate_summary sum;
    ask(&s, strict);
    relay(&s, strlen(reply));
    give_rest(&s, reply);
    effect(&s, SP_EFFECT_OPEN);
    sp_gate_summary(s.gate, &sum);
    assert_false(sum.is_cut);
    assert_int_equal(sum.status, 200);
    assert_int_equal(sum.ruling, SP_PASSED);
    assert_int_equal(sp_gate_station(s.gate), SP_STATION_DONE);
    finish(&s);
}

static void assert_digest_of(struct sp_view entry, const char *reply)
{
    uint8_t sha256[32];
    SP_AUTO(sp_buf_fini) struct sp_buf line;
    sp_buf_init(&line, 128);
    sp_sha256(sp_view_str(reply), sha256);
    assert_ok(sp_buf_append_str(&line, "\nreply.sha256 "));
    assert_ok(sp_hex_append(&line, sp_view(sha256, 32)));
    assert_non_null(memmem(entry.data, entry.len, line.data, line.len));
}

static void f_a_refusal_is_recorded_and_then_it_is_cut(void **state)
{
    (void)state;
    struct story s;
    struct sp_gate_summary sum;
    ask(&s, strict);
    relay(&s, 9999999);
    give_rest(&s, DEPLOYMENTS("<Anchor>1</Anchr>"));
    struct sp_view text = effect(&s, SP_EFFECT_RECORD)->record.entries[0].text;
    assert_non_null(memmem(text.data, text.len, "entry.kind refusal", 18));
    assert_digest_of(text, DEPLOYMENTS("<Anchor>1</Anchr>"));
    give_recorded(&s, SP_OK, 7);
    sp_gate_summary(s.gate, &sum);
    assert_string_equal(sum.rule, "reply-wellformed");
    assert_int_equal(sum.entry, 7);
    assert_cut(&s, "mismatched tag");
}

static void f_a_refusal_that_cannot_be_recorded_is_one(void **state)
{
    (void)state;
    struct story s;
    ask(&s, strict);
    relay(&s, 9999999);
    give_rest(&s, DEPLOYMENTS("<Anchor>1</Anchr>"));
    give_recorded(&s, SP_E_IO, 0);
    assert_cut(&s, "mismatched tag");
}

static void f_what_breaks_off_is_cut(void **state)
{
    (void)state;
    struct story s;
    struct sp_why why = {.text = "the connection broke"};
    ask(&s, strict);
    relay(&s, 9999999);
    sp_gate_fetch_failed(s.gate, SP_E_CLOSED, &why, &s.link, 1795305600, &s.step);
    assert_cut(&s, "the connection broke");
}

static void f_what_would_be_edited_is_cut(void **state)
{
    (void)state;
    struct story s;
    ask(&s, strict);
    s.door.file_locations = SP_LOCATIONS_ANY;
    relay(&s, 9999999);
    give_rest(
        &s,
        DEPLOYMENTS("<FileLocations><FileLocation><FileDigest>"
                    "AAECAwQFBgcICQoLDA0ODxAREhM=</FileDigest><Url>http://wsus.example/"
                    "Content/13/000102030405060708090A0B0C0D0E0F10111213.cab</Url>"
                    "</FileLocation></FileLocations>"));
    assert_cut(&s, "has to be edited");
}

static void f_an_unproven_link_streams_nothing(void **state)
{
    (void)state;
    struct story s;
    static const char reply[] = DEPLOYMENTS("<Anchor>1</Anchor>");
    ask(&s, strict);
    struct sp_link unproven = {.tls = "TLSv1.3"};
    sp_gate_begins(s.gate, SP_VIEW("text/xml"), 99, &unproven, &s.step);
    assert_false(s.step.has_effect);
    s.link = unproven;
    give_reply(&s, 200, reply);
    give_recorded(&s, SP_OK, 9);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 500);
    assert_true(answer_has(&s, "upstream-pinned"));
    finish(&s);
}

static void f_only_what_is_never_edited_streams(void **state)
{
    (void)state;
    struct story s;
    enum sp_op op;
    ask(&s, strict);
    assert_false(sp_gate_may_stream(s.gate, 500, SP_VIEW(""), &op));
    assert_false(sp_gate_may_stream(s.gate, 200, SP_VIEW("gzip"), &op));
    assert_false(sp_gate_may_stream(s.gate, 200, SP_VIEW("xpress"), &op));
    finish(&s);
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    assert_false(sp_gate_may_stream(s.gate, 200, SP_VIEW(""), &op));
    finish(&s);
    assert_false(
        sp_op_streams(SP_OP_GET_REVISION_ID_LIST)); /* what is withheld is cut */
    assert_false(sp_op_streams(SP_OP_GET_COOKIE));
    for (enum sp_op o = 0; o < SP_OP_COUNT; o++) {
        assert_true(!sp_op_streams(o) ||
                    (sp_op_service(o) == SP_SERVICE_SERVER_SYNC && sp_op_is_shared(o)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_its_end_goes_out_once_it_passed),
        cmocka_unit_test(f_a_refusal_is_recorded_and_then_it_is_cut),
        cmocka_unit_test(f_a_refusal_that_cannot_be_recorded_is_one),
        cmocka_unit_test(f_what_breaks_off_is_cut),
        cmocka_unit_test(f_what_would_be_edited_is_cut),
        cmocka_unit_test(f_an_unproven_link_streams_nothing),
        cmocka_unit_test(f_only_what_is_never_edited_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
