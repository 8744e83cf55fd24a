/* What is asked once for all: decision 0042, against the table of operations. */
#include "unit.h"

#include "core/wsus/schema.h"

static void b_two_of_them(void **state)
{
    (void)state;
    size_t count = 0;
    for (int op = 0; op < SP_OP_COUNT; op++) {
        count += sp_op_is_common((enum sp_op)op);
    }
    assert_int_equal(count, 2);
    assert_true(sp_op_is_common(SP_OP_GET_CONFIG));
    assert_true(sp_op_is_common(SP_OP_GET_AUTH_CONFIG));
}

/* Nothing but the version of the protocol may say anything of the asker. */
static void f_they_have_no_member_that_tells_who_asks(void **state)
{
    (void)state;
    for (int op = 0; op < SP_OP_COUNT; op++) {
        const struct sp_member *m = sp_schema_request((enum sp_op)op)->members;
        for (; sp_op_is_common((enum sp_op)op) && m->name; m++) {
            assert_string_equal(m->name, "protocolVersion");
            assert_int_equal(m->type->kind, SP_TYPE_TEXT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_two_of_them),
        cmocka_unit_test(f_they_have_no_member_that_tells_who_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
