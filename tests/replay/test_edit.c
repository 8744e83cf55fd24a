/* What goes out otherwise than it came: the edits of a reply, and nothing but them. */
#include "replay/story.h"

#include "core/gate/private.h"
#include "core/pack/pack.h"

#define ZLIB_CONST
#include <zlib.h>

static size_t gzip(const char *text, uint8_t *out, size_t room)
{
    z_stream z = {.next_in = (const Bytef *)text,
                  .avail_in = (uInt)strlen(text),
                  .next_out = out,
                  .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

/* An edit of the word, as a judge of the reply would make it. */
static void edit_word(struct story *s, const char *word, const char *with)
{
    struct sp_view text = sp_gate_text(s->gate);
    const uint8_t *at = memmem(text.data, text.len, word, strlen(word));
    assert_non_null(at);
    size_t from = (size_t)(at - text.data);
    assert_ok(
        sp_splices_add(&s->gate->edits, from, from + strlen(word), sp_view_str(with)));
}

static void give_edited(struct story *s, enum sp_err e)
{
    struct sp_buf out;
    sp_buf_init(&out, SP_LIMIT_SOAP_REPLY);
    struct sp_effect job = *effect(s, SP_EFFECT_EDIT);
    if (e == SP_OK) {
        e = sp_gate_edit(&job, &out);
    }
    sp_gate_edited(s->gate, e, &out, &s->step);
    sp_buf_fini(&s->reply); /* nothing looks at it any more */
    sp_buf_fini(&out);
}

static const char accepting_gzip[] =
    "POST /ServerSyncWebService/ServerSyncWebService.asmx HTTP/1.1\r\n"
    "Host: gate.example:8531\r\nContent-Type: text/xml; charset=utf-8\r\n"
    "SOAPAction: \"http://www.microsoft.com/SoftwareDistribution/GetUpdateData\"\r\n"
    "Accept-Encoding: gzip\r\nContent-Length: 1\r\n\r\n";

static bool fields_have(struct story *s, const char *text)
{
    struct sp_view fields = effect(s, SP_EFFECT_ANSWER)->answer.fields;
    return memmem(fields.data, fields.len, text, strlen(text)) != NULL;
}

/* Coded and not edited: the coding stays. Coded and edited: decoded, and but for the
 * edit byte for byte. */
static void b_edits_are_applied_to_the_decoded_reply(void **state)
{
    (void)state;
    static const char reply[] = REPLY(ID_A, ID_A, "first");
    static const char edited[] = REPLY(ID_A, ID_A, "very last");
    for (int edits = 0; edits < 2; edits++) {
        struct story s;
        uint8_t coded[4096];
        size_t n = gzip(reply, coded, sizeof coded);
        begin(&s, strict, accepting_gzip, true);
        give_body(&s, ASK);
        give_coded_reply(&s, 200, SP_VIEW("gzip"), sp_view(coded, n));
        give_known(&s, NULL);
        if (edits) {
            edit_word(&s, "first", "very last");
        }
        give_recorded(&s, SP_OK, 7);
        if (edits) {
            give_edited(&s, SP_OK);
            assert_released(&s, edited);
            assert_false(fields_have(&s, "Content-Encoding"));
        } else {
            struct sp_view body = effect(&s, SP_EFFECT_ANSWER)->answer.body;
            assert_true(sp_view_eq(body, sp_view(coded, n)));
            assert_true(fields_have(&s, "Content-Encoding: gzip\r\n"));
        }
        finish(&s);
    }
}

/* What came in xpress and is accepted in it goes out in it, edited or not; for an asker
 * who did not ask for it, it is decoded. */
static void b_xpress_both_ways(void **state)
{
    (void)state;
    static const char head[] =
        "POST /ServerSyncWebService/ServerSyncWebService.asmx HTTP/1.1\r\n"
        "Host: gate.example:8531\r\nContent-Type: text/xml; charset=utf-8\r\n"
        "SOAPAction: "
        "\"http://www.microsoft.com/SoftwareDistribution/GetUpdateData\"\r\n"
        "Accept-Encoding: xpress\r\nContent-Length: 1\r\n\r\n";
    static const char reply[] = REPLY(ID_A, ID_A, "first");
    static const char edited[] = REPLY(ID_A, ID_A, "very last");
    for (int accepted = 0; accepted < 2; accepted++) {
        struct story s;
        struct sp_buf coded, decoded;
        sp_buf_init(&coded, SP_KIB(64));
        sp_buf_init(&decoded, SP_KIB(64));
        assert_ok(sp_xpress_encode(SP_VIEW(reply), &coded));
        begin(&s, strict, accepted ? head : HEAD_OF("GetUpdateData"), true);
        give_body(&s, ASK);
        give_coded_reply(&s, 200, SP_VIEW("xpress"), sp_buf_view(&coded));
        give_known(&s, NULL);
        edit_word(&s, "first", "very last");
        give_recorded(&s, SP_OK, 7);
        give_edited(&s, SP_OK);
        assert_int_equal(fields_have(&s, "Content-Encoding: xpress\r\n"), accepted);
        if (accepted) {
            struct sp_view body = effect(&s, SP_EFFECT_ANSWER)->answer.body;
            assert_true(body.len < sizeof edited);
            assert_ok(sp_xpress_decode(body, &decoded, NULL));
            assert_true(sp_view_eq_str(sp_buf_view(&decoded), edited));
        } else {
            assert_released(&s, edited);
        }
        sp_buf_fini(&coded);
        sp_buf_fini(&decoded);
        finish(&s);
    }
}

static void b_edits_of_a_plain_reply(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, REPLY(ID_A, ID_A, "first"));
    give_known(&s, NULL);
    edit_word(&s, "first", "");
    give_recorded(&s, SP_OK, 7);
    give_edited(&s, SP_OK);
    assert_released(&s, REPLY(ID_A, ID_A, ""));
    finish(&s);
}

static void c_edits_are_forgotten_when_a_reply_is_judged_anew(void **state)
{
    (void)state;
    static const char reply[] = REPLY(ID_A, ID_A, "first");
    struct story s;
    begin(&s, strict, HEAD_OF("GetUpdateData"), true);
    give_body(&s, ASK);
    give_reply(&s, 200, reply);
    give_known(&s, NULL);
    edit_word(&s, "first", "last");
    give_recorded(&s, SP_E_CONFLICT, 0);
    give_known(&s, NULL);
    give_recorded(&s, SP_OK, 3);
    assert_released(&s, reply);
    finish(&s);
}

static void f_a_reply_that_cannot_be_edited_is_not_sent(void **state)
{
    (void)state;
    for (int overlap = 0; overlap < 2; overlap++) {
        struct story s;
        begin(&s, strict, HEAD_OF("GetUpdateData"), true);
        give_body(&s, ASK);
        give_reply(&s, 200, REPLY(ID_A, ID_A, "first"));
        give_known(&s, NULL);
        edit_word(&s, "first", "last");
        if (overlap) {
            edit_word(&s, "irs", "");
        }
        give_recorded(&s, SP_OK, 7);
        give_edited(&s, overlap ? SP_OK : SP_E_NOMEM);
        assert_true(answer_has(&s, "<ErrorCode>ServerBusy</ErrorCode>"));
        assert_false(answer_has(&s, "GetUpdateDataResult"));
        finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_edits_are_applied_to_the_decoded_reply),
        cmocka_unit_test(b_xpress_both_ways),
        cmocka_unit_test(b_edits_of_a_plain_reply),
        cmocka_unit_test(c_edits_are_forgotten_when_a_reply_is_judged_anew),
        cmocka_unit_test(f_a_reply_that_cannot_be_edited_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
