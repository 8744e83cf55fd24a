#include "unit.h"

#include "app/bar.h"

static char *text;
static size_t len;

static struct sp_bar bar_of(bool is_terminal, uint64_t all)
{
    struct sp_bar b;
    sp_bar_init(&b, "checked", all);
    b.is_terminal = is_terminal;
    b.out = open_memstream(&text, &len);
    return b;
}

static void assert_said(struct sp_bar *b, const char *expected)
{
    fclose(b->out);
    assert_string_equal(text, expected);
    free(text);
}

static void b_lines_where_nobody_looks(void **state)
{
    (void)state;
    struct sp_bar b = bar_of(false, 1000);
    sp_bar_at(&b, 99);
    sp_bar_at(&b, 100);
    sp_bar_at(&b, 199);
    sp_bar_at(&b, 555);
    sp_bar_at(&b, 1000);
    sp_bar_at(&b, 2000); /* more than was announced */
    sp_bar_end(&b);
    assert_said(&b, "10 % checked\n50 % checked\n100 % checked\n");
}

static void b_a_bar_on_a_terminal(void **state)
{
    (void)state;
    struct sp_bar b = bar_of(true, 200);
    sp_bar_at(&b, 1); /* less than a percent */
    sp_bar_at(&b, 101);
    sp_bar_at(&b, 101);
    sp_bar_at(&b, 200);
    sp_bar_end(&b);
    assert_said(&b, "\r[####################                    ]  50 % checked"
                    "\r[########################################] 100 % checked"
                    "\r\033[K");
}

static void b_nothing_to_do_says_nothing(void **state)
{
    (void)state;
    struct sp_bar b = bar_of(true, 0);
    sp_bar_at(&b, 0);
    sp_bar_end(&b);
    assert_said(&b, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_lines_where_nobody_looks),
        cmocka_unit_test(b_a_bar_on_a_terminal),
        cmocka_unit_test(b_nothing_to_do_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
