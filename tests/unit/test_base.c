#include "unit.h"

#include "core/base/cursor.h"
#include "core/base/text.h"

static void b_buffer_stops_at_its_ceiling(void **state)
{
    (void)state;
    struct sp_buf b;
    sp_buf_init(&b, 4);
    assert_ok(sp_buf_append_str(&b, "abc"));
    assert_ok(sp_buf_append_byte(&b, 'd'));
    assert_err(sp_buf_append_byte(&b, 'e'), SP_E_LIMIT);
    assert_view_equal(sp_buf_view(&b), "abcd");
    sp_buf_consume(&b, 3);
    assert_view_equal(sp_buf_view(&b), "d");
    assert_err(sp_buf_append_str(&b, "efgh"), SP_E_LIMIT);
    assert_ok(sp_buf_append_str(&b, "efg"));
    sp_buf_fini(&b);
    assert_int_equal(b.ceiling, 4);
}

static void b_printf_grows(void **state)
{
    (void)state;
    struct sp_buf b;
    sp_buf_init(&b, 2000);
    for (int i = 0; i < 100; i++) {
        assert_ok(sp_buf_printf(&b, "%03d,", i));
    }
    assert_int_equal(b.len, 400);
    assert_memory_equal(b.data + 396, "099,", 4);
    sp_buf_fini(&b);
}

static void b_arena_keeps_and_stops(void **state)
{
    (void)state;
    SP_AUTO(sp_arena_free) struct sp_arena *a = NULL;
    assert_ok(sp_arena_new(100, &a));
    struct sp_view copy = {0};
    assert_ok(sp_arena_copy(a, SP_VIEW("hello"), &copy));
    assert_string_equal((const char *)copy.data, "hello");
    void *p = NULL;
    assert_ok(sp_arena_alloc(a, 94, &p));
    assert_err(sp_arena_alloc(a, 1, &p), SP_E_LIMIT);
    assert_int_equal(sp_arena_used(a), 100);
}

static void b_cursor_remembers_first_mistake(void **state)
{
    (void)state;
    struct sp_cur c = sp_cur(SP_VIEW("\x01\x02\x03\x04\x05\x06\x07"));
    assert_int_equal(sp_cur_le16(&c), 0x0201);
    assert_int_equal(sp_cur_be32(&c), 0x03040506);
    assert_err(sp_cur_end(&c), SP_E_MALFORMED);
    assert_int_equal(sp_cur_le16(&c), 0);
    sp_cur_expect(&c, false, SP_E_LIMIT);
    assert_err(sp_cur_end(&c), SP_E_TRUNCATED);
    assert_int_equal(sp_cur_u8(&c), 0);
    assert_int_equal(sp_cur_left(&c), 0);
}

static void b_hex(void **state)
{
    (void)state;
    uint8_t out[2];
    assert_ok(sp_hex_parse(SP_VIEW("aB09"), out, 2));
    assert_memory_equal(out, "\xab\x09", 2);
    assert_err(sp_hex_parse(SP_VIEW("aB0"), out, 2), SP_E_MISMATCH);
    assert_err(sp_hex_parse(SP_VIEW("aB0g"), out, 2), SP_E_MALFORMED);
}

static void b_base64(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bytes;
    } good[] = {
        {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}};
    static const char *const bad[] = {
        "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\n"};
    struct sp_buf b;
    sp_buf_init(&b, 100);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        sp_buf_clear(&b);
        assert_ok(sp_base64_parse(sp_view_str(good[i].text), &b));
        assert_true(sp_view_eq_str(sp_buf_view(&b), good[i].bytes));
        sp_buf_clear(&b);
        assert_ok(sp_base64_append(&b, sp_view_str(good[i].bytes)));
        assert_true(sp_view_eq_str(sp_buf_view(&b), good[i].text));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sp_buf_clear(&b);
        assert_err(sp_base64_parse(sp_view_str(bad[i]), &b), SP_E_MALFORMED);
        assert_int_equal(b.len, 0);
    }
    uint8_t four[4];
    assert_ok(sp_base64_parse_exact(SP_VIEW("Zm9vYg=="), four, 4));
    assert_err(sp_base64_parse_exact(SP_VIEW("Zm9v"), four, 4), SP_E_MISMATCH);
    assert_err(sp_base64_parse_exact(SP_VIEW("Zm9vYmE="), four, 4), SP_E_MISMATCH);
    sp_buf_fini(&b);
}

static void b_utf(void **state)
{
    (void)state;
    assert_true(sp_utf8_is_valid(SP_VIEW("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")));
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xE0\x80\x80",
                                      "\xED\xA0\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xC3",
                                      "\xF8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(sp_utf8_is_valid(sp_view_str(bad[i])));
    }
    struct sp_buf b;
    sp_buf_init(&b, 100);
    assert_ok(sp_utf16le_to_utf8(SP_VIEW("\xFF\xFE"
                                         "a\0\xE9\0\xAC\x20\x3D\xD8\x00\xDE"),
                                 &b));
    assert_view_equal(sp_buf_view(&b), "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    assert_err(sp_utf16le_to_utf8(SP_VIEW("\x3D\xD8"), &b), SP_E_MALFORMED);
    assert_err(sp_utf16le_to_utf8(SP_VIEW("\x3D\xD8"
                                          "a\0"),
                                  &b),
               SP_E_MALFORMED);
    assert_err(sp_utf16le_to_utf8(SP_VIEW("\x00\xDE"), &b), SP_E_MALFORMED);
    assert_err(sp_utf16le_to_utf8(SP_VIEW("abc"), &b), SP_E_MALFORMED);
    sp_buf_fini(&b);
}

static void b_numbers(void **state)
{
    (void)state;
    uint64_t u = 0;
    assert_ok(sp_u64_parse(SP_VIEW("18446744073709551615"), UINT64_MAX, &u));
    assert_true(u == UINT64_MAX);
    assert_err(sp_u64_parse(SP_VIEW("18446744073709551616"), UINT64_MAX, &u),
               SP_E_LIMIT);
    assert_ok(sp_u64_parse(SP_VIEW("5"), 5, &u));
    assert_err(sp_u64_parse(SP_VIEW("6"), 5, &u), SP_E_LIMIT);
    static const char *const bad[] = {"", "+7", " 7", "7 ", "007", "0x7", "-0", "1e3"};
    struct sp_buf b;
    sp_buf_init(&b, 22);
    assert_ok(sp_u64_append(&b, 0));
    assert_ok(sp_u64_append(&b, 9));
    assert_ok(sp_u64_append(&b, UINT64_MAX));
    assert_true(sp_view_eq_str(sp_buf_view(&b), "0918446744073709551615"));
    assert_err(sp_u64_append(&b, 7), SP_E_LIMIT);
    sp_buf_fini(&b);
    int64_t i = 0;
    for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
        assert_err(sp_i64_parse(sp_view_str(bad[n]), -9, 9, &i), SP_E_MALFORMED);
    }
    assert_ok(sp_i64_parse(SP_VIEW("-2147483648"), INT32_MIN, INT32_MAX, &i));
    assert_int_equal(i, INT32_MIN);
    assert_err(sp_i64_parse(SP_VIEW("2147483648"), INT32_MIN, INT32_MAX, &i),
               SP_E_LIMIT);
}

static void b_guid_and_time(void **state)
{
    (void)state;
    struct sp_guid g;
    char text[SP_GUID_TEXT];
    assert_ok(sp_guid_parse(SP_VIEW("0FA1201D-4330-4fa8-8ae9-b877473b6441"), &g));
    sp_guid_format(&g, text);
    assert_string_equal(text, "0fa1201d-4330-4fa8-8ae9-b877473b6441");
    assert_err(sp_guid_parse(SP_VIEW("{fa1201d-4330-4fa8-8ae9-b877473b6441"), &g),
               SP_E_MALFORMED);
    static const struct {
        int64_t s;
        const char *text;
    } times[] = {{0, "1970-01-01T00:00:00Z"},
                 {951782400, "2000-02-29T00:00:00Z"},
                 {1795305600, "2026-11-22T00:00:00Z"},
                 {-1, "1969-12-31T23:59:59Z"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char t[SP_TIME_TEXT];
        int64_t s = 0;
        sp_time_format(times[i].s, t);
        assert_string_equal(t, times[i].text);
        assert_ok(sp_time_parse(sp_view_str(t), &s));
        assert_true(s == times[i].s);
    }
    int64_t s = 0;
    assert_err(sp_time_parse(SP_VIEW("2026-02-29T00:00:00Z"), &s), SP_E_MALFORMED);
    assert_err(sp_time_parse(SP_VIEW("2026-02-28 00:00:00Z"), &s), SP_E_MALFORMED);
}

static void b_nearest_word(void **state)
{
    (void)state;
    static const char *const names[] = {"listener", "upstream", "policy"};
    assert_string_equal(sp_text_nearest("listner", names, 3), "listener");
    assert_null(sp_text_nearest("zzzzzzz", names, 3));
}

static void b_why_keeps_the_first_sentence(void **state)
{
    (void)state;
    struct sp_why why = {0};
    assert_err(sp_why_set(&why, SP_E_LIMIT, "line %d\r\nInjected", 3), SP_E_LIMIT);
    assert_err(sp_why_set(&why, SP_E_IO, "later"), SP_E_IO);
    assert_string_equal(why.text, "line 3??Injected");
    assert_err(sp_why_set(NULL, SP_E_IO, "later"), SP_E_IO);
}

static void f_why_is_utf8_whatever_the_peer_says(void **state)
{
    (void)state;
    struct sp_why good = {0}, bad = {0};
    sp_why_say(&good, "title \"%s\"",
               "Gr\xc3\xb6\xc3\x9f"
               "e");
    assert_string_equal(good.text, "title \"Gr\xc3\xb6\xc3\x9f"
                                   "e\"");
    sp_why_say(&bad, "coding \"%s\"", "x\xff\xc3\xb6");
    assert_string_equal(bad.text, "coding \"x???\"");
    for (int pad = 0; pad < 4; pad++) { /* the cut falls on every byte of a character */
        struct sp_why cut = {0};
        char text[1024] = "";
        while (strlen(text) < 600) {
            strncat(text, "\xe6\x97\xa5", 4);
        }
        sp_why_say(&cut, "%.*s%s", pad, "aaaa", text);
        assert_true(sp_utf8_is_valid(sp_view_str(cut.text)));
        assert_in_range(strlen(cut.text), SP_WHY_MAX - 4, SP_WHY_MAX - 1);
        assert_null(strchr(cut.text, '?'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_buffer_stops_at_its_ceiling),
        cmocka_unit_test(b_printf_grows),
        cmocka_unit_test(b_arena_keeps_and_stops),
        cmocka_unit_test(b_cursor_remembers_first_mistake),
        cmocka_unit_test(b_hex),
        cmocka_unit_test(b_base64),
        cmocka_unit_test(b_utf),
        cmocka_unit_test(b_numbers),
        cmocka_unit_test(b_guid_and_time),
        cmocka_unit_test(b_nearest_word),
        cmocka_unit_test(b_why_keeps_the_first_sentence),
        cmocka_unit_test(f_why_is_utf8_whatever_the_peer_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
