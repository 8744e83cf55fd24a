/* The code that Windows shows for an answer. */
#include "unit.h"

#include "core/gate/windows.h"

static void a_codes(void **state)
{
    (void)state;
    static const struct {
        int status;
        bool content, fault;
        uint32_t code;
    } rows[] = {
        {200, false, false, 0},          {304, true, false, 0},
        {399, false, true, 0},           {400, false, false, 0x80244016},
        {403, false, false, 0x80244018}, {403, false, true, 0x80244018},
        {403, true, false, 0x80190193},  {404, true, false, 0x80190194},
        {406, false, false, 0x8024402B}, {421, false, false, 0x8024402B},
        {500, false, false, 0x8024401F}, {500, false, true, 0x80244007},
        {503, false, false, 0x80244022}, {503, true, false, 0x801901F7},
        {505, false, false, 0x80244024}, {506, false, false, 0x8024402B},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(
            sp_windows_code(rows[i].status, rows[i].content, rows[i].fault),
            rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
