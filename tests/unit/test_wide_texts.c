/* Long base64 and UTF-16 are read many bytes at a time, short ones one by one: both
 * must say the same of every byte in every place. */
#include "unit.h"

#include "core/base/text.h"

#include <string.h>

enum { DIGITS = 320, UNITS = 100 };

static void fill(uint8_t *text, size_t len, unsigned seed)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i++) {
        text[i] = (uint8_t)digits[(i * 7 + i / 64 + seed) % 64];
    }
}

/* Four digits at a time. */
static enum sp_err by_group(struct sp_view text, struct sp_buf *out)
{
    for (size_t i = 0; i < text.len; i += 4) {
        struct sp_view group = sp_view_slice(text, i, i + 4);
        if (i + 4 < text.len && group.data[3] == '=') {
            return SP_E_MALFORMED;
        }
        enum sp_err e = sp_base64_parse(group, out);
        if (e != SP_OK) {
            return e;
        }
    }
    return SP_OK;
}

static void assert_same_base64(struct sp_view text)
{
    SP_AUTO(sp_buf_fini) struct sp_buf at_once, grouped;
    sp_buf_init(&at_once, 2 * DIGITS);
    sp_buf_init(&grouped, 2 * DIGITS);
    enum sp_err e = by_group(text, &grouped);
    assert_int_equal(sp_base64_parse(text, &at_once), e);
    if (e == SP_OK) {
        assert_int_equal(at_once.len, grouped.len);
        assert_true(sp_view_eq(sp_buf_view(&at_once), sp_buf_view(&grouped)));
    } else {
        assert_int_equal(at_once.len, 0);
    }
}

static void c_every_byte_in_long_base64(void **state)
{
    (void)state;
    uint8_t text[DIGITS];
    for (size_t at = 0; at < DIGITS; at++) {
        fill(text, DIGITS, (unsigned)at);
        for (unsigned c = 0; c < 256; c++) {
            text[at] = (uint8_t)c;
            assert_same_base64(sp_view(text, DIGITS));
        }
    }
}

static void c_base64_of_every_length(void **state)
{
    (void)state;
    uint8_t text[DIGITS + 4] = {0};
    for (size_t len = 0; len <= DIGITS; len += 4) {
        fill(text, len, 3);
        assert_same_base64(sp_view(text, len));
        memcpy(text + len, "/w==", 4);
        assert_same_base64(sp_view(text, len + 4));
        memcpy(text + len, "//8=", 4);
        assert_same_base64(sp_view(text, len + 4));
    }
}

/* Character by character. */
static enum sp_err by_unit(struct sp_view wide, struct sp_buf *out)
{
    for (size_t i = 0; i < wide.len;) {
        bool is_pair = (wide.data[i + 1] & 0xfc) == 0xd8;
        struct sp_view one = sp_view_slice(wide, i, i + (is_pair ? 4 : 2));
        enum sp_err e = sp_utf16le_to_utf8(one, out);
        if (e != SP_OK) {
            return e;
        }
        i += one.len;
    }
    return SP_OK;
}

static void assert_same_utf8(struct sp_view wide)
{
    SP_AUTO(sp_buf_fini) struct sp_buf at_once, single;
    sp_buf_init(&at_once, 4 * UNITS);
    sp_buf_init(&single, 4 * UNITS);
    enum sp_err e = by_unit(wide, &single);
    assert_int_equal(sp_utf16le_to_utf8(wide, &at_once), e);
    if (e == SP_OK) {
        assert_int_equal(at_once.len, single.len);
        assert_true(sp_view_eq(sp_buf_view(&at_once), sp_buf_view(&single)));
    }
}

static void c_every_kind_of_character_in_long_utf16(void **state)
{
    static const uint8_t kinds[][4] = {
        {0x7f, 0, 'a', 0},    {0x80, 0, 'a', 0},       {0xff, 0, 'a', 0},
        {0, 0, 'a', 0},       {0, 1, 'a', 0},          {0xff, 7, 'a', 0},
        {0, 8, 'a', 0},       {0xff, 0xd7, 'a', 0},    {0, 0xe0, 'a', 0},
        {0xff, 0xff, 'a', 0}, {0, 0xd8, 0, 0xdc},      {0xff, 0xdb, 0xff, 0xdf},
        {0, 0xd8, 'a', 0},    {0, 0xd8, 0, 0xd8},      {0, 0xdc, 'a', 0},
        {0xff, 0xdf, 'a', 0}, {0xff, 0xdb, 0xff, 0xe0}};
    uint8_t wide[2 * UNITS];
    (void)state;
    for (size_t units = 2; units <= UNITS; units++) {
        for (size_t at = 0; at + 2 <= units; at++) {
            for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
                for (size_t i = 0; i < units; i++) {
                    wide[2 * i] = (uint8_t)('a' + i % 26);
                    wide[2 * i + 1] = 0;
                }
                memcpy(wide + 2 * at, kinds[k], 4);
                assert_same_utf8(sp_view(wide, 2 * units));
            }
        }
    }
}

/* Everything up to the ceiling comes out, and not a byte more. */
static void b_utf8_up_to_the_ceiling(void **state)
{
    uint8_t wide[2 * UNITS];
    (void)state;
    for (size_t i = 0; i < sizeof wide; i++) {
        wide[i] = i % 2 ? 0 : 'a';
    }
    for (size_t ceiling = UNITS - 1; ceiling <= UNITS; ceiling++) {
        SP_AUTO(sp_buf_fini) struct sp_buf out;
        sp_buf_init(&out, ceiling);
        assert_int_equal(sp_utf16le_to_utf8(sp_view(wide, sizeof wide), &out),
                         ceiling < UNITS ? SP_E_LIMIT : SP_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_byte_in_long_base64),
        cmocka_unit_test(c_base64_of_every_length),
        cmocka_unit_test(c_every_kind_of_character_in_long_utf16),
        cmocka_unit_test(b_utf8_up_to_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
