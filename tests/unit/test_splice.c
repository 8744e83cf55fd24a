#include "unit.h"

#include "core/base/limits.h"
#include "core/base/splice.h"

static void assert_applied(struct sp_splices *s, const char *text, const char *expected)
{
    struct sp_buf out;
    sp_buf_init(&out, 256);
    assert_ok(sp_buf_append_str(&out, "> "));
    assert_ok(sp_splices_apply(s, sp_view_str(text), &out));
    assert_int_equal(out.len, strlen(expected) + 2);
    assert_memory_equal(out.data + 2, expected, strlen(expected));
    sp_buf_fini(&out);
    sp_splices_clear(s);
}

static void assert_refused(struct sp_splices *s, const char *text, enum sp_err expected)
{
    struct sp_buf out;
    sp_buf_init(&out, 256);
    assert_ok(sp_buf_append_str(&out, "kept"));
    assert_err(sp_splices_apply(s, sp_view_str(text), &out), expected);
    assert_view_equal(sp_buf_view(&out), "kept");
    sp_buf_fini(&out);
    sp_splices_clear(s);
}

static void b_nothing_is_changed_by_nothing(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    assert_applied(&s, "", "");
    assert_applied(&s, "as it is", "as it is");
}

static void b_replace_remove_insert_in_any_order(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    assert_ok(sp_splices_add(&s, 8, 9, SP_VIEW("J")));
    assert_ok(sp_splices_add(&s, 0, 0, SP_VIEW("<")));
    assert_ok(sp_splices_add(&s, 2, 5, SP_VIEW("")));
    assert_ok(sp_splices_add(&s, 5, 5, SP_VIEW("...")));
    assert_ok(sp_splices_add(&s, 10, 10, SP_VIEW(">")));
    assert_applied(&s, "abcdefghij", "<ab...fghJj>");
}

static void b_what_is_put_in_is_copied(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    char with[] = "first";
    assert_ok(sp_splices_add(&s, 1, 2, sp_view_str(with)));
    memset(with, 'x', sizeof with - 1);
    assert_applied(&s, "abc", "afirstc");
}

static void b_neighbours_may_touch(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    assert_ok(sp_splices_add(&s, 2, 4, SP_VIEW("2")));
    assert_ok(sp_splices_add(&s, 0, 2, SP_VIEW("1")));
    assert_ok(sp_splices_add(&s, 4, 6, SP_VIEW("3")));
    assert_applied(&s, "abcdef", "123");
}

static void f_overlap_is_refused(void **state)
{
    (void)state;
    static const size_t pairs[][4] = {
        {0, 3, 2, 5}, {2, 5, 0, 3}, {1, 2, 1, 2}, {1, 1, 1, 3},
        {1, 1, 1, 1}, {0, 6, 2, 3}, {0, 6, 5, 6},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sp_splices s = {0};
        assert_ok(sp_splices_add(&s, pairs[i][0], pairs[i][1], SP_VIEW("x")));
        assert_ok(sp_splices_add(&s, pairs[i][2], pairs[i][3], SP_VIEW("y")));
        assert_refused(&s, "abcdef", SP_E_CONFLICT);
    }
}

static void f_behind_the_text_is_refused(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    assert_ok(sp_splices_add(&s, 2, 3, SP_VIEW("!")));
    assert_applied(&s, "abc", "ab!");
    assert_ok(sp_splices_add(&s, 2, 4, SP_VIEW("!")));
    assert_refused(&s, "abc", SP_E_TRUNCATED);
    assert_ok(sp_splices_add(&s, 4, 4, SP_VIEW("!")));
    assert_refused(&s, "abc", SP_E_TRUNCATED);
}

static void f_the_number_is_limited(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    for (size_t i = 0; i < SP_LIMIT_SPLICES; i++) {
        assert_ok(sp_splices_add(&s, i, i + 1, SP_VIEW("")));
    }
    assert_err(sp_splices_add(&s, 0, 1, SP_VIEW("")), SP_E_LIMIT);
    sp_splices_clear(&s);
}

static void f_what_is_put_in_is_limited(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    uint8_t *much = calloc(1, SP_LIMIT_SPLICED);
    assert_non_null(much);
    assert_err(sp_splices_add(&s, 0, 1, sp_view(much, SP_LIMIT_SPLICED)), SP_E_LIMIT);
    assert_ok(sp_splices_add(&s, 0, 1, sp_view(much, SP_LIMIT_SPLICED - 2)));
    assert_err(sp_splices_add(&s, 2, 3, SP_VIEW("xx")), SP_E_LIMIT);
    free(much);
    sp_splices_clear(&s);
}

static void f_the_result_keeps_to_the_buffers_ceiling(void **state)
{
    (void)state;
    struct sp_splices s = {0};
    struct sp_buf out;
    assert_ok(sp_splices_add(&s, 1, 2, SP_VIEW("xyz")));
    sp_buf_init(&out, 4);
    assert_err(sp_splices_apply(&s, SP_VIEW("abc"), &out), SP_E_LIMIT);
    assert_int_equal(out.len, 0);
    sp_buf_init(&out, 5);
    assert_ok(sp_splices_apply(&s, SP_VIEW("abc"), &out));
    assert_view_equal(sp_buf_view(&out), "axyzc");
    sp_buf_fini(&out);
    sp_splices_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_nothing_is_changed_by_nothing),
        cmocka_unit_test(b_replace_remove_insert_in_any_order),
        cmocka_unit_test(b_what_is_put_in_is_copied),
        cmocka_unit_test(b_neighbours_may_touch),
        cmocka_unit_test(f_overlap_is_refused),
        cmocka_unit_test(f_behind_the_text_is_refused),
        cmocka_unit_test(f_the_number_is_limited),
        cmocka_unit_test(f_what_is_put_in_is_limited),
        cmocka_unit_test(f_the_result_keeps_to_the_buffers_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
