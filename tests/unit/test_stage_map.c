/* Lines of the map beside a file that is being fetched. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/custody/stage_map.h"

#define DIGEST "abababababababababababababababababababababababababababababababab"

static void b_what_is_written_is_read(void **state)
{
    (void)state;
    char text[3 * SP_STAGE_MAP_LINE] = "";
    static const uint64_t numbers[] = {0, 7, SP_LIMIT_CONTENT_FILE};
    struct sp_stage_block b = {0}, read;
    for (size_t i = 0; i < 3; i++) {
        b.number = numbers[i];
        memset(b.sha256, (int)i, sizeof b.sha256);
        sp_stage_map_format(&b, text + strlen(text));
    }
    struct sp_view rest = sp_view_str(text);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(sp_stage_map_next(&rest, &read));
        assert_int_equal(read.number, numbers[i]);
        assert_int_equal(read.sha256[31], i);
    }
    assert_int_equal(rest.len, 0);
    assert_err(sp_stage_map_next(&rest, &read), SP_E_MALFORMED);
}

static void f_other_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "\n",
        "3 " DIGEST, /* torn */
        "3 " DIGEST "\r\n",
        "3  " DIGEST "\n",
        " 3 " DIGEST "\n",
        "03 " DIGEST "\n",
        "-3 " DIGEST "\n",
        "17179869185 " DIGEST "\n", /* one over the limit */
        "3 " DIGEST "ab\n",
        "3 ABababababababababababababababababababababababababababababababab\n",
        "3\n" DIGEST "\n",
    };
    struct sp_stage_block b = {.number = 99};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct sp_view rest = sp_view_str(lines[i]);
        assert_err(sp_stage_map_next(&rest, &b), SP_E_MALFORMED);
        assert_int_equal(rest.len, strlen(lines[i]));
        assert_int_equal(b.number, 99);
    }
    struct sp_view good = SP_VIEW("3 " DIGEST "\n");
    assert_ok(sp_stage_map_next(&good, &b));
    assert_int_equal(b.number, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_what_is_written_is_read),
        cmocka_unit_test(f_other_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
