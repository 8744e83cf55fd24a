/* What witnesses say, as facts. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/custody/testimony.h"

static int64_t count(const struct sp_facts *f, enum sp_fact k)
{
    struct sp_fact_value v;
    assert_int_equal(sp_facts_count(f, k), 1);
    assert_true(sp_facts_get(f, k, 0, &v));
    return v.number;
}

static void b_three_facts(void **state)
{
    (void)state;
    struct sp_facts *f = NULL;
    struct sp_fact_value v;
    assert_ok(sp_facts_new(SP_KIB(4), &f));
    assert_ok(sp_testimony_say(f, "one", SP_TESTIMONY_AGREES));
    assert_ok(sp_testimony_say(f, "two", SP_TESTIMONY_AGREES));
    assert_ok(sp_testimony_say(f, "two", SP_TESTIMONY_AGREES)); /* said twice */
    assert_ok(sp_testimony_say(f, "agrees", SP_TESTIMONY_CONTRADICTS));
    assert_ok(sp_testimony_sum(f));
    assert_int_equal(count(f, SP_FACT_WITNESS_AGREE), 2);
    assert_int_equal(count(f, SP_FACT_WITNESS_CONTRADICT), 1);
    assert_int_equal(count(f, SP_FACT_WITNESS_MISSING), 0);
    assert_true(sp_facts_get(f, SP_FACT_WITNESS_SAID, 0, &v));
    assert_view_equal(v.bytes, "agrees contradicts");
    sp_facts_free(&f);
}

static void b_the_sum_stands(void **state)
{
    (void)state;
    struct sp_facts *f = NULL;
    assert_ok(sp_facts_new(SP_KIB(4), &f));
    assert_ok(sp_testimony_say(f, "one", SP_TESTIMONY_MISSING));
    assert_ok(sp_testimony_sum(f));
    assert_ok(sp_testimony_say(f, "one", SP_TESTIMONY_AGREES)); /* it came too late */
    assert_ok(sp_testimony_sum(f));
    assert_int_equal(sp_facts_count(f, SP_FACT_WITNESS_SAID), 1);
    assert_int_equal(count(f, SP_FACT_WITNESS_AGREE), 0);
    assert_int_equal(count(f, SP_FACT_WITNESS_MISSING), 1);
    sp_facts_free(&f);
}

static void b_nobody_asked(void **state)
{
    (void)state;
    struct sp_facts *f = NULL;
    assert_ok(sp_facts_new(SP_KIB(4), &f));
    assert_ok(sp_testimony_sum(f));
    assert_int_equal(sp_facts_count(f, SP_FACT_WITNESS_AGREE), 0);
    assert_int_equal(sp_facts_count(f, SP_FACT_WITNESS_CONTRADICT), 0);
    assert_int_equal(sp_facts_count(f, SP_FACT_WITNESS_MISSING), 0);
    sp_facts_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_three_facts),
        cmocka_unit_test(b_the_sum_stands),
        cmocka_unit_test(b_nobody_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
