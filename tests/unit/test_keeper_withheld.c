/* What is withheld, and what needs it. */
#include "keeper_rig.h"

static void c_what_category_a_part_is(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    struct sp_facts *f = NULL;
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(sp_facts_decode(m.entry.text, &f, NULL));
    sp_buf_fini(&m.text);
    add_text(f, SP_FACT_DOCUMENT_CATEGORY_TYPE, "UpdateClassification");
    made_end(&m, f);
    assert_ok(record_one(k, &m).err);
    assert_string_equal(ask_revision(k, 1).category, "UpdateClassification");
    assert_string_equal(ask_revision(k, 2).category, "");
    sp_keeper_free(&k);
}

static void withheld_is(struct sp_keeper *k, const char *policy, const uint8_t *ids,
                        const enum sp_keeping *why, size_t count)
{
    struct sp_ask_revisions q = {
        .policy = policy, .loop = loop, .answer = on_revisions};
    sp_keeper_ask_revisions(k, &q);
    wait_for(1);
    assert_ok(q.err);
    assert_int_equal(q.withheld_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(q.withheld[i].id.id.bytes[0], ids[i]);
        assert_int_equal(q.withheld[i].id.number, 200);
        assert_int_equal(q.withheld[i].why, why[i]);
    }
    free(q.withheld);
}

static void withheld_as_recorded(struct sp_keeper *k)
{
    static const uint8_t under_p[] = {1, 2, 5, 6}, under_q[] = {2, 3};
    static const enum sp_keeping why_p[] = {SP_KEPT_BY_POLICY, SP_KEPT_IN_QUARANTINE,
                                            SP_KEPT_FOR_PART, SP_KEPT_FOR_PART};
    static const enum sp_keeping why_q[] = {SP_KEPT_IN_QUARANTINE, SP_KEPT_BY_POLICY};
    withheld_is(k, "p", under_p, why_p, 4);
    withheld_is(k, "q", under_q, why_q, 2);
}

/* 6 bundles 5, 5 bundles 1. Lost, the index says the same again. */
static void c_what_is_withheld_outlives_the_index(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made bundle;
    withheld_is(k, "p", NULL, NULL, 0);
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 1);
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 0);
    keep(k, "withheld", 2, "p", "quarantine", "program-is-update", 1);
    keep(k, "withheld", 3, "q", "withhold", "program-is-update", 1);
    make_bundle(&bundle, 5, 1);
    assert_ok(record_one(k, &bundle).err);
    make_bundle(&bundle, 6, 5);
    assert_ok(record_one(k, &bundle).err);
    withheld_as_recorded(k);
    sp_keeper_free(&k);
    assert_int_equal(unlink(in_folder("state/index")), 0);
    k = open_keeper();
    withheld_as_recorded(k);
    sp_keeper_free(&k);
}

static void c_withheld_revisions_come_free(void **state)
{
    (void)state;
    static const uint8_t one[] = {2};
    static const enum sp_keeping quarantined[] = {SP_KEPT_IN_QUARANTINE};
    struct sp_keeper *k = open_keeper();
    struct made m;
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 1);
    keep(k, "withheld", 2, "p", "quarantine", "program-is-update", 1);
    make_revision(&m, "revision", 1, 1, NULL, 0); /* passed after all */
    assert_ok(record_one(k, &m).err);
    make_revision(&m, "revision", 2, 1, NULL,
                  0); /* which frees nobody from quarantine */
    assert_ok(record_one(k, &m).err);
    withheld_is(k, "p", one, quarantined, 1);
    keep(k, "released", 2, "p", "", "", 1);
    withheld_is(k, "p", NULL, NULL, 0);
    sp_keeper_free(&k);
}

/* A bundle that is withheld for a part is so only as long as the part is. */
static void c_bundles_come_free_with_their_parts(void **state)
{
    (void)state;
    static const uint8_t both[] = {1, 5};
    static const enum sp_keeping why[] = {SP_KEPT_BY_POLICY, SP_KEPT_FOR_PART};
    struct sp_keeper *k = open_keeper();
    struct made m;
    struct sp_facts *f = NULL;
    struct sp_revision_id part = revision_id(1);
    char text[SP_REVISION_TEXT];
    keep(k, "withheld", 1, "p", "withhold", "program-is-update", 1);
    make_withheld(&m, "withheld", 5, "p", "withhold", "bundle-whole");
    assert_ok(sp_facts_decode(m.entry.text, &f, NULL));
    sp_buf_fini(&m.text);
    sp_revision_id_format(&part, text);
    add_text(f, SP_FACT_DOCUMENT_BUNDLES, text);
    made_end(&m, f);
    assert_ok(record_one(k, &m).err);
    withheld_is(k, "p", both, why, 2);
    keep(k, "released", 1, "p", "", "", 1);
    withheld_is(k, "p", NULL, NULL, 0);
    sp_keeper_free(&k);
}

static void b_the_highest_revision_is_known(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    struct made m;
    assert_false(ask_revision(k, 1).has_highest);
    make_revision(&m, "revision", 1, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    assert_true(ask_revision(k, 1).has_highest);
    assert_int_equal(ask_revision(k, 1).highest, 200);
    sp_keeper_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_the_highest_revision_is_known),
        TEST(c_what_category_a_part_is),
        TEST(c_what_is_withheld_outlives_the_index),
        TEST(c_withheld_revisions_come_free),
        TEST(c_bundles_come_free_with_their_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
