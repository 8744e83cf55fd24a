/* What the status page lives on: the last hour in numbers, the board of downloads. */
#include "unit.h"

#include "app/shared/board.h"
#include "app/shared/history.h"

static size_t length_of(const struct sp_history *h, const char *row, json_int_t *last)
{
    json_t *root = sp_history_json(h);
    json_t *list = json_object_get(root, row);
    size_t n = json_array_size(list);
    *last = n ? json_integer_value(json_array_get(list, n - 1)) : -1;
    json_decref(root);
    return n;
}

static void b_history_keeps_an_hour(void **state)
{
    (void)state;
    static struct sp_history h;
    struct sp_totals t = {.classes = {[1] = 7}};
    json_int_t last = 0;
    sp_history_step(&h, &t); /* what was before is no step */
    assert_int_equal(length_of(&h, "requests", &last), 0);
    for (size_t i = 1; i <= SP_HISTORY_STEPS + 1; i++) {
        t.classes[1] += i;
        t.content_bytes_hit += i;
        t.content_bytes_fill += i;
        sp_history_step(&h, &t);
        size_t kept = i < SP_HISTORY_STEPS ? i : SP_HISTORY_STEPS;
        assert_int_equal(length_of(&h, "requests", &last), kept);
        assert_int_equal(last, i);
        assert_int_equal(length_of(&h, "served", &last), kept);
        assert_int_equal(last, 2 * i);
        assert_int_equal(length_of(&h, "fetched", &last), kept);
        assert_int_equal(last, 0);
    }
}

static size_t used_rows(struct sp_board *b)
{
    struct sp_board_row rows[SP_BOARD_ROWS];
    size_t used = 0;
    sp_board_read(b, rows);
    for (size_t i = 0; i < SP_BOARD_ROWS; i++) {
        used += rows[i].used;
    }
    return used;
}

static void b_board_is_bounded(void **state)
{
    (void)state;
    static struct sp_board b;
    struct sp_board_row rows[SP_BOARD_ROWS];
    const uint8_t sha1[20] = {0xAB};
    assert_ok(sp_board_init(&b));
    for (size_t i = 0; i < SP_BOARD_ROWS; i++) {
        assert_int_equal(sp_board_put(&b, sha1, 100 + i), i);
    }
    size_t over = sp_board_put(&b, sha1, 1);
    assert_int_equal(over, SP_BOARD_NONE);
    sp_board_have(&b, over, 1);
    sp_board_drop(&b, over);
    assert_int_equal(used_rows(&b), SP_BOARD_ROWS);
    sp_board_have(&b, 5, 55);
    sp_board_read(&b, rows);
    assert_int_equal(rows[5].have, 55);
    assert_int_equal(rows[5].size, 105);
    assert_int_equal(rows[5].sha1[0], 0xAB);
    sp_board_drop(&b, 5);
    assert_int_equal(used_rows(&b), SP_BOARD_ROWS - 1);
    assert_int_equal(sp_board_put(&b, sha1, 9), 5);
    sp_board_read(&b, rows);
    assert_int_equal(rows[5].have, 0);
    sp_board_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_history_keeps_an_hour),
        cmocka_unit_test(b_board_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
