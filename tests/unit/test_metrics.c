/* Counters by kind: what is counted under which label, and never under two. */
#include "unit.h"

#include "app/shared/metrics.h"

static struct sp_totals totals_of(const struct sp_counters *c)
{
    struct sp_totals t = {0};
    sp_totals_add(&t, c);
    return t;
}

static uint64_t sum(const struct sp_totals *t)
{
    return t->refused_size + t->refused_sha1 + t->refused_sha256 +
           t->refused_signature + t->refused_kind;
}

static void a_refused_file_counts_for_one_check(void **state)
{
    (void)state;
    struct sp_counters c = {0};
    uint64_t n = 0;
    for (unsigned r = 0; r < SP_RULE_COUNT; r++) {
        if (sp_rule_subject((enum sp_rule)r) != SP_SUBJECT_FILE) {
            continue;
        }
        sp_count_refused_file(&c, (enum sp_rule)r);
        struct sp_totals t = totals_of(&c);
        n++;
        assert_int_equal(sum(&t), n);
        assert_int_equal(t.refused_content, n);
    }
    assert_int_equal(n, 10);
}

static void a_check_is_that_of_its_rules(void **state)
{
    (void)state;
    struct sp_counters c = {0};
    sp_count_refused_file(&c, SP_RULE_FILE_SIZE);
    sp_count_refused_file(&c, SP_RULE_FILE_SHA1);
    sp_count_refused_file(&c, SP_RULE_FILE_NO_COLLISION);
    sp_count_refused_file(&c, SP_RULE_FILE_SHA256);
    sp_count_refused_file(&c, SP_RULE_FILE_SIGNED);
    sp_count_refused_file(&c, SP_RULE_FILE_NOT_REVOKED);
    sp_count_refused_file(&c, SP_RULE_FILE_DIGEST_STRONG);
    sp_count_refused_file(&c, SP_RULE_FILE_NOT_TOOL);
    struct sp_totals t = totals_of(&c);
    assert_int_equal(t.refused_size, 1);
    assert_int_equal(t.refused_sha1, 2);
    assert_int_equal(t.refused_sha256, 1);
    assert_int_equal(t.refused_signature, 3);
    assert_int_equal(t.refused_kind, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_file_counts_for_one_check),
        cmocka_unit_test(a_check_is_that_of_its_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
