#include "unit.h"

#include "sallyport/ledger.h"

static void b_paths(void **state)
{
    (void)state;
    static const struct {
        unsigned level;
        uint64_t index;
        unsigned width;
        const char *path;
    } rows[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 0, 1, "tile/0/000.p/1"},
        {0, 999, 255, "tile/0/999.p/255"},
        {0, 1000, 256, "tile/0/x001/000"},
        {1, 1234067, 256, "tile/1/x001/x234/067"},
        {0, 1234067, 7, "tile/0/x001/x234/067.p/7"},
        {63, UINT64_MAX, 255, "tile/63/x018/x446/x744/x073/x709/x551/615.p/255"},
    };
    char path[SP_TILE_PATH_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sp_tile_path(rows[i].level, rows[i].index, rows[i].width, path);
        assert_string_equal(path, rows[i].path);
        struct sp_tile_ref t;
        assert_ok(sp_tile_path_parse(sp_view_str(path), &t));
        assert_false(t.is_entries);
        assert_int_equal(t.level, rows[i].level);
        assert_int_equal(t.index, rows[i].index);
        assert_int_equal(t.width, rows[i].width);
    }
    sp_tile_entries_path(1234067, 256, path);
    assert_string_equal(path, "tile/entries/x001/x234/067");
    sp_tile_entries_path(UINT64_MAX, 255, path);
    assert_string_equal(path, "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255");
}

static void f_other_spellings_of_a_path_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/x00/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/0/000/",
        "tile/0/../000",
        "tile//000",
        "/tile/0/000",
        "tile/0/00a",
        "tile/entries",
        "tile/entries/",
        "tile/entries/0",
        "tile/Entries/000",
        "tile/data/000",
        "key",
        "../key",
        "tile/0/%30%30%30",
        "tile/0/000.p/1.p/1",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x001/x018/x446/x744/x073/x709/x551/615",
    };
    struct sp_tile_ref t;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (sp_tile_path_parse(sp_view_str(wrong[i]), &t) == SP_OK) {
            fail_msg("\"%s\" is taken for a tile", wrong[i]);
        }
    }
    assert_ok(sp_tile_path_parse(SP_VIEW("tile/entries/x001/x234/067.p/9"), &t));
    assert_true(t.is_entries && t.index == 1234067 && t.width == 9);
}

static void b_bundles_round_trip(void **state)
{
    (void)state;
    static uint8_t longest[65536];
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, 1 << 20);
    assert_ok(sp_tile_entries_append(&b, SP_VIEW("a")));
    assert_ok(sp_tile_entries_append(&b, sp_view(longest, 65535)));
    assert_ok(sp_tile_entries_append(&b, SP_VIEW("bcd")));
    assert_memory_equal(b.data, "\0\1a\xff\xff", 5);
    size_t before = b.len;
    assert_err(sp_tile_entries_append(&b, sp_view(longest, 65536)), SP_E_LIMIT);
    assert_err(sp_tile_entries_append(&b, SP_VIEW("")), SP_E_MALFORMED);
    assert_int_equal(b.len, before);

    struct sp_view rest = sp_buf_view(&b), e;
    assert_ok(sp_tile_entries_next(&rest, &e));
    assert_view_equal(e, "a");
    assert_ok(sp_tile_entries_next(&rest, &e));
    assert_int_equal(e.len, 65535);
    assert_ok(sp_tile_entries_next(&rest, &e));
    assert_view_equal(e, "bcd");
    assert_err(sp_tile_entries_next(&rest, &e), SP_E_AGAIN);
    assert_view_equal(e, "bcd");
}

static void b_a_full_bundle_takes_nothing(void **state)
{
    (void)state;
    SP_AUTO(sp_buf_fini) struct sp_buf b;
    sp_buf_init(&b, 5);
    assert_err(sp_tile_entries_append(&b, SP_VIEW("abcd")), SP_E_LIMIT);
    assert_int_equal(b.len, 0);
    assert_ok(sp_tile_entries_append(&b, SP_VIEW("abc")));
}

static void f_torn_bundles_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct sp_view bundle;
        enum sp_err expected;
    } rows[] = {
        {{(const uint8_t *)"\0", 1}, SP_E_TRUNCATED},
        {{(const uint8_t *)"\0\1", 2}, SP_E_TRUNCATED},
        {{(const uint8_t *)"\0\2a", 3}, SP_E_TRUNCATED},
        {{(const uint8_t *)"\xff\xff"
                           "abc",
          5},
         SP_E_TRUNCATED},
        {{(const uint8_t *)"\0\0abc", 5}, SP_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sp_view rest = rows[i].bundle, e = {0};
        assert_err(sp_tile_entries_next(&rest, &e), rows[i].expected);
        assert_int_equal(rest.len, rows[i].bundle.len);
        assert_null(e.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_paths),
        cmocka_unit_test(f_other_spellings_of_a_path_are_none),
        cmocka_unit_test(b_bundles_round_trip),
        cmocka_unit_test(b_a_full_bundle_takes_nothing),
        cmocka_unit_test(f_torn_bundles_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
