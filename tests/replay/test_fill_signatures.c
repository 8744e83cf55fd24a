/* What a file's signatures show, judged and entered. */
#include "replay/fill_story.h"

static void know(struct story *s, enum sp_fact k, const char *text)
{
    assert_ok(sp_facts_text(s->signatures, k, sp_view_str(text)));
}

/* A fill of a good file up to the inspection, under rules of signatures too. */
static void begin_inspection(struct story *s)
{
    static const char strict[] =
        "policy strict\nfile-sha256 enforce\nfile-signed enforce\n"
        "file-type-agrees enforce\n";
    begin(s);
    sp_fill_free(&s->fill);
    sp_policy_free(&s->policy);
    assert_ok(sp_policy_parse(sp_view_str(strict), &s->policy, NULL));
    assert_ok(sp_fill_new(&s->conf, s->policy, &s->path, &s->claim, &s->fill));
    assert_true(sp_fill_start(s->fill, &s->effect));
    assert_true(sp_fill_staged(s->fill, SP_OK, 0, NULL, &s->effect));
    assert_ok(give_head(s, HEAD_200));
    give_bytes(s, SIZE);
    make_good(s);
    assert_true(sp_fill_fetched(
        s->fill, SP_OK, NULL, &(struct sp_link){.proven = false}, &s->got, &s->effect));
    expect(s, SP_FILL_INSPECT);
    expect_open(s, SIZE - HOLD);
}

static void c_what_signatures_show_is_judged(void **state)
{
    (void)state;
    for (int agrees = 0; agrees < 2; agrees++) {
        struct story s;
        begin_inspection(&s);
        know(&s, SP_FACT_SIGN_CLASS, "hash-only");
        assert_ok(sp_facts_flag(s.signatures, SP_FACT_SIGN_EXTENSION_AGREES, agrees));
        give_inspected(&s, SP_OK);
        expect(&s, SP_FILL_RECORD);
        assert_int_equal(s.effect.is_file, agrees);
        expect_open(&s, SIZE - HOLD);
        give_recorded(&s, SP_OK);
        expect(&s, agrees ? SP_FILL_COMMIT : SP_FILL_QUARANTINE);
        expect_open(&s, agrees ? SIZE : 0);
        if (!agrees) {
            assert_string_equal(s.effect.reason, "file-type-agrees");
        }
        finish(&s);
    }
}

static void f_what_could_not_be_read_is_not_recorded(void **state)
{
    (void)state;
    struct story s;
    begin_inspection(&s);
    give_inspected(&s, SP_E_IO);
    expect(&s, SP_FILL_TELL);
    assert_false(s.effect.good);
    assert_int_equal(s.effect.status, 503);
    expect_open(&s, 0);
    finish(&s);
}

/* count texts of length bytes that take three bytes each in an entry */
static void know_much(struct story *s, enum sp_fact k, int count, size_t length)
{
    char text[513];
    SP_ASSERT(length < sizeof text);
    for (int i = 0; i < count; i++) {
        memset(text, '%', length);
        snprintf(text, sizeof text, "%03d", i);
        text[3] = '%';
        text[length] = 0;
        know(s, k, text);
    }
}

static struct sp_facts *entry_of(struct story *s)
{
    struct sp_facts *f = NULL;
    expect(s, SP_FILL_RECORD);
    assert_true(s->effect.entry.len <= SP_LIMIT_LEDGER_ENTRY);
    assert_ok(sp_facts_decode(s->effect.entry, &f, NULL));
    return f;
}

static void f_an_entry_holds_what_a_file_says_at_most(void **state)
{
    (void)state;
    struct story s;
    begin_inspection(&s);
    uint8_t digest[32] = {0};
    int texts = 0;
    for (enum sp_fact k = SP_FACT_SIGN_FORMAT; k < SP_FACT_SIGN_OMITTED; k++) {
        if (sp_fact_kind(k) == SP_FACT_KIND_TEXT && k != SP_FACT_SIGN_CLASS) {
            know_much(&s, k, 64, 511);
            texts++;
        }
        for (uint8_t i = 0; sp_fact_kind(k) == SP_FACT_KIND_DIGEST && i < 16; i++) {
            digest[0] = i;
            assert_ok(sp_facts_bytes(s.signatures, k, sp_view(digest, 32)));
        }
    }
    know(&s, SP_FACT_SIGN_CLASS, "signed");
    give_inspected(&s, SP_OK);
    assert_false(s.effect.is_file);
    struct sp_facts *entry = entry_of(&s);
    struct sp_fact_value v;
    assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_ERROR), 1);
    assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_SIGNER_SPKI), 16);
    assert_true(sp_facts_get(entry, SP_FACT_SIGN_OMITTED, 0, &v));
    assert_int_equal(v.number, texts * 63);
    sp_facts_free(&entry);
    finish(&s);
}

static void f_nothing_is_left_out_that_fits(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct story s;
        struct sp_fact_value v = {.bytes = SP_VIEW("0123456789")};
        int fit = (int)(3072 / sp_fact_line_max(SP_FACT_SIGN_ERROR, &v));
        begin_inspection(&s);
        know(&s, SP_FACT_SIGN_CLASS, "hash-only");
        assert_ok(sp_facts_flag(s.signatures, SP_FACT_SIGN_EXTENSION_AGREES, true));
        know_much(&s, SP_FACT_SIGN_ERROR, fit + more, 10);
        give_inspected(&s, SP_OK);
        assert_true(s.effect.is_file);
        struct sp_facts *entry = entry_of(&s);
        assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_ERROR), fit);
        assert_int_equal(sp_facts_count(entry, SP_FACT_SIGN_OMITTED), more);
        sp_facts_free(&entry);
        finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_what_signatures_show_is_judged),
        cmocka_unit_test(f_what_could_not_be_read_is_not_recorded),
        cmocka_unit_test(f_an_entry_holds_what_a_file_says_at_most),
        cmocka_unit_test(f_nothing_is_left_out_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
