/* Many bytes at a time, and one by one: the same stop, whatever byte stands where. */
#include "unit.h"

#include "core/xml/stops.h"

#include <string.h>

enum { LONGEST = 150 };

static bool is_not_plain(uint8_t c)
{
    return c < 0x20 || c >= 0x80;
}

static bool stops_text(uint8_t c)
{
    return c == '<' || c == '&' || c == ']' || c == '\r';
}

static bool stops_quoted(uint8_t c)
{
    return c == '<' || c == '&' || c == '"' || c < 0x20;
}

static bool stops_single(uint8_t c)
{
    return c == '<' || c == '&' || c == '\'' || c < 0x20;
}

static const uint8_t *by_one(const uint8_t *p, const uint8_t *end,
                             bool (*stops)(uint8_t))
{
    while (p < end && !stops(*p)) {
        p++;
    }
    return p;
}

static void assert_same(const uint8_t *p, const uint8_t *end)
{
    assert_ptr_equal(sp_xml_plain_stop(p, end), by_one(p, end, is_not_plain));
    assert_ptr_equal(sp_xml_text_stop(p, end), by_one(p, end, stops_text));
    assert_ptr_equal(sp_xml_value_stop(p, end, '"'), by_one(p, end, stops_quoted));
    assert_ptr_equal(sp_xml_value_stop(p, end, '\''), by_one(p, end, stops_single));
}

static void c_every_byte_in_every_place(void **state)
{
    (void)state;
    uint8_t text[LONGEST];
    memset(text, 'a', sizeof text);
    for (size_t at = 0; at < LONGEST; at++) {
        for (unsigned c = 0; c < 256; c++) {
            text[at] = (uint8_t)c;
            assert_same(text, text + LONGEST);
        }
        text[at] = 'a';
    }
}

/* From every place to every end; a stop right behind the end is none. */
static void c_every_length(void **state)
{
    (void)state;
    uint8_t text[LONGEST];
    for (size_t from = 0; from < 20; from++) {
        for (size_t end = from; end < LONGEST; end++) {
            memset(text, 'a', sizeof text);
            text[end] = '<';
            assert_same(text + from, text + end);
            if (end > from) {
                text[end - 1] = '&';
                assert_same(text + from, text + end);
                text[from] = '\n';
                assert_same(text + from, text + end);
            }
        }
    }
}

/* The first of many is it. */
static void c_many_stops(void **state)
{
    (void)state;
    uint8_t text[LONGEST];
    for (unsigned seed = 0; seed < 500; seed++) {
        for (size_t i = 0; i < LONGEST; i++) {
            unsigned draw = (seed * 2654435761U + (unsigned)i * 40503U) >> 7;
            text[i] = draw % 9 ? 'a' : (uint8_t) "<&]\r\"'\n\x80\x1f"[draw / 9 % 9];
        }
        assert_same(text, text + LONGEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_byte_in_every_place),
        cmocka_unit_test(c_every_length),
        cmocka_unit_test(c_many_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
