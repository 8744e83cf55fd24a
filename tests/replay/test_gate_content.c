/* Stories of content files: what is here, what is fetched, what grows. */
#include "replay/story.h"

#define CONTENT "/Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C4048.cab"
static const char content_head[] = "GET " CONTENT " HTTP/1.1\r\nHost: a\r\n"
                                   "Range: bytes=10-19\r\n\r\n";

static void b_content_hit_serves_the_range(void **state)
{
    (void)state;
    struct sp_gate_object o = {
        .size = 100, .etag = "\"x\"", .last_modified = 1000000000};
    struct story s;
    begin(&s, strict, content_head, true);
    assert_int_equal(effect(&s, SP_EFFECT_LOOKUP)->content.sha1[0], 0x7B);
    sp_gate_object(s.gate, &o, &s.step);
    const struct sp_effect *e = effect(&s, SP_EFFECT_SERVE);
    assert_int_equal(e->answer.status, 206);
    assert_int_equal(e->answer.first, 10);
    assert_int_equal(e->answer.length, 10);
    finish(&s);
}

/* RFC 9110 8.6: a length in a 304 would be that of the 200 it stands for. */
static void c_head_says_a_length_but_not_with_304(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int status;
        bool has_length;
        uint64_t length;
    } rows[] = {
        {"HEAD " CONTENT " HTTP/1.1\r\nHost: a\r\n\r\n", 200, true, 100},
        {"HEAD " CONTENT " HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n", 304, false,
         0},
        {"GET " CONTENT " HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n", 304, false,
         0},
    };
    struct sp_gate_object o = {
        .size = 100, .etag = "\"x\"", .last_modified = 1000000000};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story s;
        begin(&s, strict, rows[i].head, true);
        sp_gate_object(s.gate, &o, &s.step);
        const struct sp_effect *e = effect(&s, SP_EFFECT_SERVE);
        assert_int_equal(e->answer.status, rows[i].status);
        assert_int_equal(e->answer.has_announce, rows[i].has_length);
        assert_int_equal(e->answer.announce, rows[i].length);
        assert_int_equal(e->answer.length, 0);
        finish(&s);
    }
}

static void f_unclaimed_content_is_404_without_a_fetch(void **state)
{
    (void)state;
    struct story s;
    begin(&s, strict, content_head, true);
    sp_gate_claim(s.gate, SP_OK, NULL, &s.step);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 404);
    finish(&s);
}

static void b_content_miss_joins_the_fill(void **state)
{
    (void)state;
    struct sp_claim claim = {.size = 100};
    struct sp_gate_object o = {
        .size = 100, .etag = "\"x\"", .last_modified = 1000000000};
    struct story s;
    begin(&s, strict, content_head, true);
    sp_gate_claim(s.gate, SP_OK, &claim, &s.step);
    assert_int_equal(effect(&s, SP_EFFECT_FILL)->claim.size, 100);
    sp_gate_filled(s.gate, &o, 200, NULL, &s.step);
    assert_int_equal(effect(&s, SP_EFFECT_SERVE)->answer.status, 206);
    finish(&s);
}

static void b_what_is_not_there_yet_is_worth_another_ask(void **state)
{
    (void)state;
    struct sp_claim claim = {.size = 100};
    struct sp_why why = {.text = "The upstream does not have this file yet"};
    struct story s;
    begin(&s, strict, content_head, true);
    sp_gate_claim(s.gate, SP_OK, &claim, &s.step);
    sp_gate_filled(s.gate, NULL, 404, &why, &s.step);
    const struct sp_effect *e = effect(&s, SP_EFFECT_ANSWER);
    assert_int_equal(e->answer.status, 404);
    assert_non_null(
        memmem(e->answer.fields.data, e->answer.fields.len, "Retry-After: 10\r\n", 17));
    finish(&s);
    begin(&s, strict, content_head, true); /* what nobody claims never will be */
    sp_gate_claim(s.gate, SP_OK, NULL, &s.step);
    e = effect(&s, SP_EFFECT_ANSWER);
    assert_int_equal(e->answer.status, 404);
    assert_null(memmem(e->answer.fields.data, e->answer.fields.len, "Retry-After", 11));
    finish(&s);
}

static void f_refused_fill_says_why(void **state)
{
    (void)state;
    struct sp_claim claim = {.size = 100};
    struct sp_why why = {.text = "Refused by rule file-sha256"};
    struct story s;
    begin(&s, strict, content_head, true);
    sp_gate_claim(s.gate, SP_OK, &claim, &s.step);
    sp_gate_filled(s.gate, NULL, 502, &why, &s.step);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 502);
    assert_true(answer_has(&s, "file-sha256"));
    finish(&s);
}

/* content_head asks for bytes 10 to 19 of 100; held from hold_at on. */
static void follow(struct story *s, struct sp_gate_object *o, uint64_t hold_at)
{
    struct sp_claim claim = {.size = 100};
    *o = (struct sp_gate_object){
        .size = 100, .etag = "\"x\"", .last_modified = 1000000000};
    begin(s, strict, content_head, true);
    sp_gate_claim(s->gate, SP_OK, &claim, &s->step);
    sp_gate_growing(s->gate, o, hold_at, &s->step);
    const struct sp_effect *e = effect(s, SP_EFFECT_FOLLOW);
    assert_int_equal(e->answer.first, 10);
    assert_int_equal(e->answer.length, 10);
    assert_int_equal(sp_gate_station(s->gate), SP_STATION_FETCH);
}

static void b_growing_content_is_held_at_its_tail(void **state)
{
    (void)state;
    for (uint64_t hold_at = 11; hold_at <= 21; hold_at++) {
        struct sp_gate_object o;
        struct story s;
        follow(&s, &o, hold_at);
        sp_gate_begun(s.gate, &s.step);
        const struct sp_effect *e = effect(&s, SP_EFFECT_SERVE_GROWING);
        assert_int_equal(e->answer.status, 206);
        assert_int_equal(e->answer.length, 10);
        assert_int_equal(e->answer.early, hold_at < 20 ? hold_at - 10 : 10);
        assert_non_null(memmem(e->answer.fields.data, e->answer.fields.len,
                               "Content-Range: bytes 10-19/100", 30));
        assert_int_equal(sp_gate_station(s.gate), SP_STATION_FETCH);
        sp_gate_filled(s.gate, &o, 200, NULL, &s.step);
        effect(&s, SP_EFFECT_OPEN);
        assert_int_equal(sp_gate_station(s.gate), SP_STATION_DONE);
        finish(&s);
    }
}

static void f_growing_content_that_fails_is_cut(void **state)
{
    (void)state;
    struct sp_why why = {.text = "Refused by rule file-sha256"};
    struct sp_gate_summary sum;
    struct sp_gate_object o;
    struct story s;
    follow(&s, &o, 50);
    sp_gate_begun(s.gate, &s.step);
    sp_gate_filled(s.gate, NULL, 502, &why, &s.step);
    effect(&s, SP_EFFECT_CUT);
    sp_gate_summary(s.gate, &sum);
    assert_string_equal(sum.why, why.text);
    finish(&s);
}

static void f_nothing_was_sent_so_a_refusal_is_said(void **state)
{
    (void)state;
    struct sp_why why = {.text = "Refused by rule file-sha256"};
    struct sp_gate_object o;
    struct story s;
    follow(&s, &o, 5); /* all of the range is in the tail */
    sp_gate_filled(s.gate, NULL, 502, &why, &s.step);
    assert_int_equal(effect(&s, SP_EFFECT_ANSWER)->answer.status, 502);
    finish(&s);
    follow(&s, &o, 5);
    sp_gate_filled(s.gate, &o, 200, NULL, &s.step);
    assert_int_equal(effect(&s, SP_EFFECT_SERVE)->answer.length, 10);
    finish(&s);
}

static void b_answers_without_a_body_need_no_verdict(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int status;
    } cases[] = {
        {"HEAD /Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C4048.cab HTTP/1.1\r\n"
         "Host: a\r\n\r\n",
         200},
        {"GET /Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C4048.cab HTTP/1.1\r\n"
         "Host: a\r\nRange: bytes=100-\r\n\r\n",
         416},
        {"GET /Content/48/7B6F5E7069B934E6EA06A690665E8FFCFA0C4048.cab HTTP/1.1\r\n"
         "Host: a\r\nIf-None-Match: \"x\"\r\n\r\n",
         304},
    };
    struct sp_claim claim = {.size = 100};
    struct sp_gate_object o = {
        .size = 100, .etag = "\"x\"", .last_modified = 1000000000};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story s;
        begin(&s, strict, cases[i].head, true);
        sp_gate_claim(s.gate, SP_OK, &claim, &s.step);
        sp_gate_growing(s.gate, &o, 50, &s.step);
        const struct sp_effect *e = effect(&s, SP_EFFECT_SERVE);
        assert_int_equal(e->answer.status, cases[i].status);
        assert_int_equal(e->answer.length, 0);
        finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_content_hit_serves_the_range),
        cmocka_unit_test(b_content_miss_joins_the_fill),
        cmocka_unit_test(b_growing_content_is_held_at_its_tail),
        cmocka_unit_test(b_answers_without_a_body_need_no_verdict),
        cmocka_unit_test(f_growing_content_that_fails_is_cut),
        cmocka_unit_test(f_nothing_was_sent_so_a_refusal_is_said),
        cmocka_unit_test(c_head_says_a_length_but_not_with_304),
        cmocka_unit_test(f_unclaimed_content_is_404_without_a_fetch),
        cmocka_unit_test(f_refused_fill_says_why),
        cmocka_unit_test(b_what_is_not_there_yet_is_worth_another_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
