/* The offline catalogue at the gate: its address, over TLS, when there is one. */
#include "story.h"

#define PATH "/catalog/wsusscn2.cab"

static void at(struct story *s, const char *method, const char *target, bool tls,
               const char *path)
{
    char text[256];
    enum sp_http_refusal refusal;
    size_t used = 0;
    struct sp_asker asker = {.address = "10.1.2.3", .host = "a"};
    begin(s, strict, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n", tls);
    sp_gate_free(&s->gate);
    s->door.catalog_path = path;
    static char kept[256]; /* the head borrows from it */
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, target);
    memcpy(kept, text, sizeof kept);
    assert_ok(sp_http_request_parse(sp_view_str(kept), &s->head, &used, &refusal));
    assert_ok(sp_gate_new(&s->door, s->policy, &asker, &s->gate));
    sp_gate_head(s->gate, &s->head, &s->want_body, &s->ceiling, &s->step);
}

static int refused_status(struct story *s)
{
    int status = effect(s, SP_EFFECT_ANSWER)->answer.status;
    finish(s);
    return status;
}

static void b_served(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "HEAD"};
    for (size_t i = 0; i < 2; i++) {
        struct story s;
        struct sp_gate_summary sum;
        struct sp_gate_object o = {
            .size = 100, .etag = "\"e\"", .last_modified = 86400};
        at(&s, methods[i], PATH, true, PATH);
        effect(&s, SP_EFFECT_CATALOG);
        sp_gate_object(s.gate, &o, &s.step);
        const struct sp_effect *e = effect(&s, SP_EFFECT_SERVE);
        assert_int_equal(e->answer.status, 200);
        assert_int_equal(e->answer.length, i ? 0 : 100);
        assert_non_null(memmem(e->answer.fields.data, e->answer.fields.len,
                               "Cache-Control: no-cache\r\n", 25));
        sp_gate_summary(s.gate, &sum);
        assert_string_equal(sum.service, "catalog");
        finish(&s);
    }
}

static void b_none_yet(void **state)
{
    (void)state;
    struct story s;
    at(&s, "GET", PATH, true, PATH);
    effect(&s, SP_EFFECT_CATALOG);
    sp_gate_no_catalog(s.gate, &s.step);
    const struct sp_effect *e = effect(&s, SP_EFFECT_ANSWER);
    assert_int_equal(e->answer.status, 503);
    assert_non_null(
        memmem(e->answer.fields.data, e->answer.fields.len, "Retry-After: ", 13));
    assert_int_equal(sp_gate_station(s.gate), SP_STATION_DONE);
    finish(&s);
}

static void b_refused(void **state)
{
    (void)state;
    struct story s;
    at(&s, "GET", PATH, false, PATH);
    assert_true(answer_has(&s, "https://gate.example:8531" PATH));
    assert_int_equal(refused_status(&s), 403);
    at(&s, "PUT", PATH, true, PATH);
    assert_int_equal(refused_status(&s), 405);
    at(&s, "GET", PATH "?x", true, PATH);
    assert_int_equal(refused_status(&s), 404);
    at(&s, "GET", "/catalog/WSUSSCN2.CAB", true, PATH);
    assert_int_equal(refused_status(&s), 404);
    at(&s, "GET", PATH, true, "");
    assert_int_equal(refused_status(&s), 404);
    at(&s, "GET", PATH, true, NULL);
    assert_int_equal(refused_status(&s), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_served),
        cmocka_unit_test(b_none_yet),
        cmocka_unit_test(b_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
