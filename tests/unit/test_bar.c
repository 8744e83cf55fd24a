#include "unit.h"

#include "app/base/bar.h"
#include "core/report/width.h"

static char *text;
static size_t len;
static uint64_t now_ms;

static uint64_t now(void)
{
    return now_ms;
}

static struct sp_bar bar_of(bool is_terminal, uint64_t all)
{
    struct sp_bar b;
    now_ms = 5000;
    sp_bar_init(&b, "checked", all);
    b.is_terminal = is_terminal;
    b.columns = 0;
    b.began = b.drawn = now_ms;
    b.now = now;
    b.out = open_memstream(&text, &len);
    return b;
}

static void at(struct sp_bar *b, uint64_t done, uint64_t after_ms)
{
    now_ms = b->began + after_ms;
    sp_bar_at(b, done);
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

/* Once a second is over it is known how fast it goes. */
static void b_rates_and_times(void **state)
{
    (void)state;
    struct sp_bar b = bar_of(false, 100000);
    at(&b, 10000, 999);
    at(&b, 20000, 2000);
    at(&b, 50000, 50000);
    at(&b, 100000, 100000);
    assert_said(&b, "10 % checked\n20 % checked, 10000/s, 0:08 left\n"
                    "50 % checked, 1000/s, 0:50 left\n100 % checked, 1000/s\n");
    b = bar_of(false, (uint64_t)8 << 30);
    b.is_bytes = true;
    at(&b, (uint64_t)1 << 30, 1024);
    at(&b, (uint64_t)2 << 30, 2048 * 1000);
    assert_said(&b, "10 % checked, 1000.0 MiB/s, 0:07 left\n"
                    "20 % checked, 1.0 MiB/s, 1:42:24 left\n");
    b = bar_of(false, 1000);
    at(&b, 100, 100001); /* less than one a second: nothing can be promised */
    assert_said(&b, "10 % checked\n");
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
    assert_said(&b, "\r[####################                    ] 50 % checked\033[K"
                    "\r[########################################] 100 % checked\033[K"
                    "\r\033[K");
}

/* What is left is told again while a percent takes its time. */
static void b_a_bar_lives(void **state)
{
    (void)state;
    struct sp_bar b = bar_of(true, 1000000);
    at(&b, 500000, 2000);
    at(&b, 500001, 2249);
    at(&b, 500002, 2250);
    at(&b, 500003, 2251);
    fclose(b.out);
    size_t drawn = 0;
    for (const char *p = text; (p = strchr(p, '\r')) != NULL; p++) {
        drawn++;
    }
    assert_int_equal(drawn, 2);
    free(text);
}

/* A line that is longer than the terminal could not be drawn over. */
static void b_narrow_terminals(void **state)
{
    (void)state;
    for (size_t columns = 30; columns < 100; columns++) {
        struct sp_bar b = bar_of(true, 100000);
        b.columns = columns;
        at(&b, 50000, 50000);
        fclose(b.out);
        char *end = strstr(text, "\033[K");
        assert_non_null(end);
        size_t shown = sp_width(sp_view(text + 1, (size_t)(end - text) - 1));
        assert_true(shown < columns || columns < 32);
        assert_true((strchr(text, '[') < end) == (columns > 45));
        free(text);
    }
}

static void b_nothing_to_do_says_nothing(void **state)
{
    (void)state;
    struct sp_bar b = bar_of(true, 0);
    sp_bar_at(&b, 0);
    sp_bar_end(&b);
    assert_said(&b, "");
}

static void c_quiet(void **state)
{
    (void)state;
    struct sp_bar before = bar_of(true, 100);
    assert_false(before.is_quiet);
    assert_said(&before, "");
    sp_bars_off();
    struct sp_bar b = bar_of(true, 100);
    assert_true(b.is_quiet);
    sp_bar_at(&b, 50);
    sp_bar_end(&b);
    assert_said(&b, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_lines_where_nobody_looks),
        cmocka_unit_test(b_rates_and_times),
        cmocka_unit_test(b_a_bar_on_a_terminal),
        cmocka_unit_test(b_a_bar_lives),
        cmocka_unit_test(b_narrow_terminals),
        cmocka_unit_test(b_nothing_to_do_says_nothing),
        cmocka_unit_test(c_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
