/* Closure: what a revision refers to is looked up, and what nobody has is named. */
#include "replay/story.h"

#include "core/gate/private.h"

#define ID_C "33333333-2222-4333-8444-555555555555"
#define ID_D "44444444-2222-4333-8444-555555555555"
#define M    "http://schemas.microsoft.com/msus/2002/12/"

static const char closed[] = "policy test\n"
                             "upstream-pinned enforce\nreply-wellformed enforce\n"
                             "document-readable enforce\nidentity-equal enforce\n"
                             "bundle-known enforce withhold\n"
                             "prerequisites-known enforce withhold\n";
static const char open_policy[] = "policy test\n"
                                  "upstream-pinned enforce\nreply-wellformed enforce\n"
                                  "document-readable enforce\nidentity-equal enforce\n";

#define ASK_TWO                                                                        \
    ENVELOPE("<GetUpdateData " NS "><cookie>"                                          \
             "<Expiration>2026-01-02T07:04:05Z</Expiration>"                           \
             "<EncryptedData>AAEC</EncryptedData></cookie><updateIds>" IDENTITY(ID_A)  \
                 IDENTITY(ID_B) "</updateIds></GetUpdateData>")
#define REVISION(id, relations)                                                        \
    "<ServerSyncUpdateData><Id><UpdateID>" id "</UpdateID>"                            \
    "<RevisionNumber>200</RevisionNumber></Id><XmlUpdateBlob>"                         \
    "&lt;upd:Update xmlns:upd=\"" M                                                    \
    "Update\"&gt;&lt;upd:UpdateIdentity UpdateID=\"" id                                \
    "\" RevisionNumber=\"200\" /&gt;&lt;upd:Properties UpdateType=\"Software\" /&gt;"  \
    "&lt;upd:Relationships&gt;" relations "&lt;/upd:Relationships&gt;"                 \
    "&lt;/upd:Update&gt;</XmlUpdateBlob></ServerSyncUpdateData>"
#define BUNDLES(id, number)                                                            \
    "&lt;upd:BundledUpdates&gt;&lt;upd:UpdateIdentity UpdateID=\"" id                  \
    "\" RevisionNumber=\"" number "\" /&gt;&lt;/upd:BundledUpdates&gt;"
#define NEEDS(id)                                                                      \
    "&lt;upd:Prerequisites&gt;&lt;upd:UpdateIdentity UpdateID=\"" id                   \
    "\" /&gt;&lt;/upd:Prerequisites&gt;"
#define NEEDS_ONE_OF(one, two, other)                                                  \
    "&lt;upd:Prerequisites&gt;&lt;upd:AtLeastOne&gt;&lt;upd:UpdateIdentity "           \
    "UpdateID=\"" one "\" /&gt;&lt;upd:UpdateIdentity UpdateID=\"" two                 \
    "\" /&gt;&lt;/upd:AtLeastOne&gt;&lt;upd:UpdateIdentity UpdateID=\"" other          \
    "\" /&gt;&lt;/upd:Prerequisites&gt;"
#define FILED_UNDER(id)                                                                \
    "&lt;upd:Prerequisites&gt;&lt;upd:AtLeastOne IsCategory=\"true\"&gt;"              \
    "&lt;upd:UpdateIdentity UpdateID=\"" id                                            \
    "\" /&gt;&lt;/upd:AtLeastOne&gt;&lt;/upd:Prerequisites&gt;"
#define CATEGORY_OF(id, type)                                                          \
    "<ServerSyncUpdateData><Id><UpdateID>" id "</UpdateID>"                            \
    "<RevisionNumber>200</RevisionNumber></Id><XmlUpdateBlob>"                         \
    "&lt;upd:Update xmlns:upd=\"" M                                                    \
    "Update\"&gt;&lt;upd:UpdateIdentity UpdateID=\"" id                                \
    "\" RevisionNumber=\"200\" /&gt;&lt;upd:Properties UpdateType=\"Category\" /&gt;"  \
    "&lt;upd:HandlerSpecificData&gt;&lt;c:CategoryInformation xmlns:c=\"" M            \
    "UpdateHandlers/Category\" CategoryType=\"" type                                   \
    "\" /&gt;&lt;/upd:HandlerSpecificData&gt;&lt;/upd:Update&gt;</XmlUpdateBlob>"      \
    "</ServerSyncUpdateData>"
#define DATA(updates)                                                                  \
    ENVELOPE("<GetUpdateDataResponse " NS "><GetUpdateDataResult><updates>" updates    \
             "</updates></GetUpdateDataResult></GetUpdateDataResponse>")

static void ask(struct story *s, const char *policy, const char *reply, size_t parts)
{
    begin(s, policy, HEAD_OF("GetUpdateData"), true);
    give_body(s, ASK_TWO);
    give_reply(s, 200, reply);
    assert_int_equal(effect(s, SP_EFFECT_ASK_REVISIONS)->ask.parts, parts);
}

static void tell(struct story *s, const struct sp_gate_known *known)
{
    sp_gate_known(s->gate, SP_OK, known, &s->step);
    give_digest(s);
    s->judged = true;
}

static bool entry_has(struct story *s, size_t i, const char *text)
{
    const struct sp_effect *e = effect(s, SP_EFFECT_RECORD);
    assert_true(i < e->record.count);
    struct sp_view v = e->record.entries[i].text;
    return memmem(v.data, v.len, text, strlen(text)) != NULL;
}

static void b_a_bundle_and_its_part_in_one_reply(void **state)
{
    (void)state;
    static const struct sp_gate_known unknown[2];
    struct story s;
    ask(&s, closed, DATA(REVISION(ID_A, BUNDLES(ID_B, "200")) REVISION(ID_B, "")), 0);
    tell(&s, unknown);
    assert_true(entry_has(&s, 0, "entry.kind revision\n"));
    assert_true(entry_has(&s, 1, "entry.kind revision\n"));
    assert_int_equal(s.step.effect.record.count, 2);
    finish(&s);
}

static void b_a_part_that_was_recorded_before(void **state)
{
    (void)state;
    static const struct sp_gate_known known[2] = {{0}, {.known = true}};
    struct story s;
    ask(&s, closed, DATA(REVISION(ID_A, BUNDLES(ID_B, "200"))), 1);
    assert_int_equal(s.step.effect.ask.count, 1);
    assert_int_equal(s.step.effect.ask.ids[1].number, 200);
    tell(&s, known);
    assert_true(entry_has(&s, 0, "entry.kind revision\n"));
    finish(&s);
}

/* Another revision of the part is none: bundles name exact ones. */
static void f_a_part_that_nobody_has(void **state)
{
    (void)state;
    static const struct sp_gate_known known[2] = {{0}, {.has_highest = true}};
    struct story s;
    ask(&s, closed, DATA(REVISION(ID_A, BUNDLES(ID_B, "201")) REVISION(ID_C, "")), 1);
    struct sp_gate_known three[3] = {known[0], known[0], known[1]};
    tell(&s, three);
    assert_true(entry_has(&s, 0, "entry.kind withheld\n"));
    assert_true(entry_has(&s, 0, "verdict.rule bundle-known\n"));
    assert_true(entry_has(&s, 0, "bundle.missing " ID_B ".201\n"));
    assert_true(entry_has(&s, 1, "entry.kind revision\n"));
    finish(&s);
}

/* Any revision of a prerequisite will do. */
static void c_prerequisites_are_named_by_update(void **state)
{
    (void)state;
    for (int is_known = 0; is_known < 2; is_known++) {
        struct sp_gate_known known[2] = {{0}, {.has_highest = is_known}};
        struct story s;
        ask(&s, closed, DATA(REVISION(ID_A, NEEDS(ID_C) BUNDLES(ID_A, "200"))), 1);
        tell(&s, known);
        assert_int_equal(entry_has(&s, 0, "entry.kind revision\n"), is_known);
        assert_int_equal(entry_has(&s, 0, "verdict.rule prerequisites-known\n"),
                         !is_known);
        assert_int_equal(entry_has(&s, 0, "prerequisite.missing " ID_C "\n"),
                         !is_known);
        finish(&s);
    }
}

/* [MS-WUSP] 3.1.1.1: of a clause one is enough, and all clauses must hold. */
static void c_of_alternatives_one_is_enough(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        bool has_b = i & 1, has_c = i & 2, has_d = i & 4, met = has_b || has_c;
        struct sp_gate_known known[4] = {{0},
                                         {.has_highest = has_b},
                                         {.has_highest = has_c},
                                         {.has_highest = has_d}};
        struct story s;
        ask(&s, closed, DATA(REVISION(ID_A, NEEDS_ONE_OF(ID_C, ID_B, ID_D))), 3);
        tell(&s, known);
        assert_int_equal(entry_has(&s, 0, "verdict.rule prerequisites-known\n"),
                         !met || !has_d);
        assert_int_equal(entry_has(&s, 0, "prerequisite.missing " ID_B "\n"), !met);
        assert_int_equal(entry_has(&s, 0, "prerequisite.missing " ID_C "\n"), !met);
        assert_int_equal(entry_has(&s, 0, "prerequisite.missing " ID_D "\n"), !has_d);
        finish(&s);
    }
}

/* What a category is, its document says: in the same reply, or in the ledger. */
static void c_kinds_of_categories(void **state)
{
    (void)state;
    struct sp_gate_known known[3] = {{0}, {0}, {.has_highest = true}};
    struct story s;
    snprintf(known[2].category, sizeof known[2].category, "UpdateClassification");
    ask(&s, closed,
        DATA(REVISION(ID_A, FILED_UNDER(ID_B) FILED_UNDER(ID_C))
                 CATEGORY_OF(ID_B, "Product")),
        1);
    tell(&s, known);
    assert_true(entry_has(&s, 0, "category.kind " ID_B " Product\n"));
    assert_true(entry_has(&s, 0, "category.kind " ID_C " UpdateClassification\n"));
    assert_true(entry_has(&s, 1, "document.category-type Product\n"));
    finish(&s);
}

/* Two that refer to the same update ask once. */
static void c_each_is_asked_for_once(void **state)
{
    (void)state;
    struct story s;
    ask(&s, closed, DATA(REVISION(ID_A, NEEDS(ID_C)) REVISION(ID_B, NEEDS(ID_C))), 1);
    assert_int_equal(s.step.effect.ask.count, 2);
    finish(&s);
}

static void b_where_no_rule_asks_nothing_is_looked_up(void **state)
{
    (void)state;
    static const struct sp_gate_known unknown[1];
    struct story s;
    ask(&s, open_policy, DATA(REVISION(ID_A, NEEDS(ID_C) BUNDLES(ID_B, "201"))), 0);
    tell(&s, unknown);
    assert_true(entry_has(&s, 0, "entry.kind revision\n"));
    assert_false(entry_has(&s, 0, "missing"));
    finish(&s);
}

/* As many as may be looked up, and one more: that one is taken for unknown. */
static void c_the_ceiling_of_look_ups(void **state)
{
    (void)state;
    struct sp_fact_value v = {0};
    uint8_t guid[16] = {0};
    v.bytes = sp_view(guid, sizeof guid);
    for (size_t over = 0; over < 2; over++) {
        struct sp_revision revision = {.id.number = 1};
        struct sp_reply reply = {.revisions = &revision, .revision_count = 1};
        struct sp_gate *g = calloc(1, sizeof *g);
        assert_non_null(g);
        assert_ok(sp_facts_new(SP_MIB(16), &revision.facts));
        for (size_t i = 0; i < SP_LIMIT_RELATIONS + over; i++) {
            guid[0] = (uint8_t)(i >> 16);
            guid[1] = (uint8_t)(i >> 8);
            guid[2] = (uint8_t)i;
            guid[3] = 1;
            assert_ok(sp_facts_add(revision.facts, SP_FACT_DOCUMENT_CATEGORY, &v));
            char id[SP_GUID_TEXT];
            struct sp_guid one;
            memcpy(one.bytes, guid, sizeof guid);
            sp_guid_format(&one, id);
            assert_ok(sp_facts_text(revision.facts, SP_FACT_DOCUMENT_CLAUSE,
                                    sp_view_str(id)));
        }
        struct sp_policy *policy = NULL;
        assert_ok(sp_policy_parse(sp_view_str(closed), &policy, NULL));
        g->policy = policy;
        g->inspection.reply = &reply;
        assert_ok(sp_gate_list_ids(g));
        assert_int_equal(g->part_count, SP_LIMIT_RELATIONS);
        g->known = calloc(g->part_count + 1, sizeof *g->known);
        assert_non_null(g->known);
        for (size_t i = 0; i <= g->part_count; i++) {
            g->known[i].has_highest = true;
        }
        assert_ok(sp_gate_state_missing(g, 0));
        assert_int_equal(sp_facts_count(revision.facts, SP_FACT_PREREQUISITE_MISSING),
                         over);
        sp_facts_free(&revision.facts);
        sp_policy_free(&policy);
        free(g->ids);
        free(g->here);
        free(g->known);
        free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_a_bundle_and_its_part_in_one_reply),
        cmocka_unit_test(b_a_part_that_was_recorded_before),
        cmocka_unit_test(b_where_no_rule_asks_nothing_is_looked_up),
        cmocka_unit_test(c_prerequisites_are_named_by_update),
        cmocka_unit_test(c_of_alternatives_one_is_enough),
        cmocka_unit_test(c_kinds_of_categories),
        cmocka_unit_test(c_each_is_asked_for_once),
        cmocka_unit_test(c_the_ceiling_of_look_ups),
        cmocka_unit_test(f_a_part_that_nobody_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
