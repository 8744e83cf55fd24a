/* Catalogues of translations: what is found in one, and what is none. */
#include "unit.h"

#include "core/base/mo.h"

enum { HEADER = 28 };

/* A catalogue of pairs, as msgfmt lays it out. */
static size_t make(uint8_t *to, const char *const *pairs, uint32_t count)
{
    uint32_t head[7] = {0x950412de, 0, count, HEADER, HEADER + 8 * count, 0, 0};
    uint32_t at = HEADER + 16 * count;
    memcpy(to, head, sizeof head);
    for (uint32_t half = 0; half < 2; half++) {
        for (uint32_t i = 0; i < count; i++) {
            const char *text = pairs[2 * i + half];
            uint32_t row[2] = {(uint32_t)strlen(text), at};
            memcpy(to + HEADER + 8 * (half * count + i), row, sizeof row);
            memcpy(to + at, text, row[0] + 1);
            at += row[0] + 1;
        }
    }
    return at;
}

static const char *const pairs[] = {"",   "header", "files", "ファイル",
                                    "no", "いいえ", "yes",   "はい"};

static void b_look_up(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct sp_mo m;
    assert_ok(sp_mo_open(sp_view(bytes, make(bytes, pairs, 4)), &m));
    assert_string_equal(sp_mo_find(&m, "files"), "ファイル");
    assert_string_equal(sp_mo_find(&m, "no"), "いいえ");
    assert_string_equal(sp_mo_find(&m, "yes"), "はい");
    assert_null(sp_mo_find(&m, "ye"));
    assert_null(sp_mo_find(&m, "yess"));
    assert_null(sp_mo_find(&m, "a"));
    assert_null(sp_mo_find(&m, "zzz"));
    assert_ok(sp_mo_open(sp_view(bytes, make(bytes, pairs, 0)), &m));
    assert_null(sp_mo_find(&m, "yes"));
}

static void f_what_is_none(void **state)
{
    (void)state;
    uint8_t good[512], bad[512];
    struct sp_mo m;
    size_t len = make(good, pairs, 4);
    for (size_t n = 0; n < len; n++) { /* cut anywhere */
        assert_true(sp_mo_open(sp_view(good, n), &m) != SP_OK);
    }
    static const struct {
        size_t at;
        uint32_t value;
        enum sp_err e;
    } changes[] = {
        {0, 0xde120495, SP_E_MALFORMED}, /* big-endian */
        {4, 1, SP_E_UNSUPPORTED},        /* system-dependent texts */
        {8, 5, SP_E_MALFORMED},          /* one string too many */
        {8, 0xFFFFFFFF, SP_E_MALFORMED},
        {12, 0xFFFFFFFF, SP_E_MALFORMED}, /* a table outside */
        {16, 500, SP_E_MALFORMED},
        {HEADER + 8, 4, SP_E_MALFORMED}, /* "file" does not end there */
        {HEADER + 8, 8, SP_E_MALFORMED}, /* "files", NUL and more */
        {HEADER + 8, 0xFFFFFFFF, SP_E_MALFORMED},
        {HEADER + 12, 0xFFFFFFFF, SP_E_MALFORMED},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memcpy(bad, good, len);
        memcpy(bad + changes[i].at, &changes[i].value, 4);
        assert_err(sp_mo_open(sp_view(bad, len), &m), changes[i].e);
    }
    static const char *const unsorted[] = {"b", "x", "a", "y"};
    assert_err(sp_mo_open(sp_view(bad, make(bad, unsorted, 2)), &m), SP_E_MALFORMED);
    static const char *const twice[] = {"a", "x", "a", "y"};
    assert_err(sp_mo_open(sp_view(bad, make(bad, twice, 2)), &m), SP_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_look_up),
        cmocka_unit_test(f_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
