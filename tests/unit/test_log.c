#include "unit.h"

#include "app/log.h"

#include <jansson.h>

static json_t *line_of(struct sp_log *l)
{
    json_error_t why;
    memcpy(l->line + l->len, "}", 2);
    return json_loads(l->line, 0, &why);
}

static void f_a_line_is_json_wherever_it_is_cut(void **state)
{
    (void)state;
    sp_log_setup(true, SP_LOG_INFO);
    for (size_t pad = 0; pad < 3; pad++) {
        struct sp_log l;
        char text[3 * SP_LIMIT_LOG_LINE] = "aaa";
        for (size_t n = pad; n < sizeof text - 4; n += 3) {
            memcpy(text + n, "\xe6\x97\xa5", 4);
        }
        assert_true(sp_log_begin(&l, SP_LOG_INFO, "test"));
        sp_log_str(&l, "long", text);
        json_t *line = line_of(&l);
        assert_non_null(line);
        const char *kept = json_string_value(json_object_get(line, "long"));
        assert_true(strlen(kept) > SP_LIMIT_LOG_LINE / 2);
        assert_string_equal(kept + strlen(kept) - 3, "...");
        json_decref(line);
    }
}

static void f_values_cannot_end_a_line(void **state)
{
    (void)state;
    struct sp_log l;
    sp_log_setup(true, SP_LOG_INFO);
    assert_true(sp_log_begin(&l, SP_LOG_INFO, "test"));
    sp_log_str(&l, "why", "a\"b\\c\r\nd\x7f\xff");
    sp_log_int(&l, "n", -5);
    assert_null(memchr(l.line, '\n', l.len));
    json_t *line = line_of(&l);
    assert_non_null(line);
    assert_int_equal(json_integer_value(json_object_get(line, "n")), -5);
    json_decref(line);
}

static void b_levels(void **state)
{
    (void)state;
    struct sp_log l;
    sp_log_setup(true, SP_LOG_WARNING);
    assert_false(sp_log_begin(&l, SP_LOG_INFO, "test"));
    assert_true(sp_log_begin(&l, SP_LOG_WARNING, "test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_a_line_is_json_wherever_it_is_cut),
        cmocka_unit_test(f_values_cannot_end_a_line),
        cmocka_unit_test(b_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
