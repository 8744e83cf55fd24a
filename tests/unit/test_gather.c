/* Pieces of what a transfer brings: where they end, what goes at once, what waits. */
#include "unit.h"

#include "app/fill/filler_parts.h"

#include <string.h>

enum { PIECE = 128 * 1024, RECORD = 16 * 1024 };

struct rig {
    struct sp_filler filler;
    struct sp_loop *loop;
    struct gather gather;
    struct sp_road road;
    uint8_t *file; /* what is to come */
    size_t calls, largest;
};

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    assert_ok(sp_loop_new("test", &r->loop));
    r->filler.loop = r->loop;
    sp_filler_gather_init(&r->filler);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    sp_gather_fini(&r->gather);
    uv_close((uv_handle_t *)&r->filler.linger, NULL);
    sp_loop_free(&r->loop);
    free(r->file);
    free(r);
    return 0;
}

static void bring(struct rig *r, uint64_t first, uint64_t end)
{
    r->road = (struct sp_road){.busy = true, .at = first, .end = end, .asked = end};
    r->file = calloc(1, end);
    assert_non_null(r->file);
    for (uint64_t i = 0; i < end; i++) {
        r->file[i] = (uint8_t)(i * 31 >> 5);
    }
}

static void staged(struct rig *r, struct sp_view piece)
{
    assert_true(piece.len <= r->road.end - r->road.at);
    assert_memory_equal(piece.data, r->file + r->road.at, piece.len);
    r->road.at += piece.len;
    r->calls++;
    r->largest = piece.len > r->largest ? piece.len : r->largest;
}

/* The next len bytes of the road come. */
static void come(struct rig *r, size_t len)
{
    uint64_t from = r->road.at + r->gather.held;
    struct sp_view bytes = sp_view(r->file + from, len);
    while (bytes.len > 0) {
        struct sp_view piece = sp_gather(&r->gather, &r->road, &r->filler, &bytes);
        if (piece.len > 0) {
            staged(r, piece);
        }
    }
}

static bool waits(const struct rig *r)
{
    return uv_is_active((const uv_handle_t *)&r->filler.linger);
}

static void b_the_first_bytes_do_not_wait(void **state)
{
    struct rig *r = *state;
    bring(r, 0, 4 * PIECE);
    come(r, 1);
    assert_int_equal(r->road.at, 1);
    come(r, PIECE - 2);
    assert_int_equal(r->road.at, PIECE - 1);
    come(r, 1);
    assert_int_equal(r->road.at, PIECE);
    assert_false(waits(r));
    come(r, 1);
    assert_int_equal(r->road.at, PIECE); /* and now they do */
    assert_true(waits(r));
}

static void b_pieces_end_where_the_files_do(void **state)
{
    struct rig *r = *state;
    bring(r, 3 * PIECE + 100, 9 * PIECE);
    while (r->road.at + r->gather.held < 8 * PIECE) {
        come(r, RECORD - 7);
        if (r->road.at > 5 * PIECE) {
            assert_int_equal(r->road.at % PIECE, 0);
        }
    }
    assert_int_equal(r->largest, PIECE);
    assert_in_range(r->calls, 3, 14); /* 9 of them the first */
}

static void b_the_end_does_not_wait(void **state)
{
    struct rig *r = *state;
    bring(r, 0, 2 * PIECE + 10);
    come(r, 2 * PIECE);
    come(r, 9);
    assert_int_equal(r->road.at, 2 * PIECE);
    come(r, 1);
    assert_int_equal(r->road.at, r->road.end);
    assert_int_equal(r->gather.held, 0);
}

/* What does not belong on the road any more comes out: somebody has to say so. */
static void c_more_than_the_road_takes(void **state)
{
    struct rig *r = *state;
    bring(r, 0, 3 * PIECE);
    come(r, 2 * PIECE + 5);
    r->road.end = 2 * PIECE + 3; /* a side road begins there */
    struct sp_view bytes = sp_view(r->file + 2 * PIECE + 5, 1);
    struct sp_view piece = sp_gather(&r->gather, &r->road, &r->filler, &bytes);
    assert_int_equal(piece.len, 6);
    assert_int_equal(bytes.len, 0);
}

static void c_one_large_chunk(void **state)
{
    struct rig *r = *state;
    bring(r, 10, 6 * PIECE);
    come(r, 5 * PIECE);
    assert_int_equal(r->road.at, 5 * PIECE);
    assert_int_equal(r->gather.held, 10);
    assert_int_equal(r->calls, 5); /* never more than a piece at once */
    assert_int_equal(r->largest, PIECE);
}

static void b_what_waits_comes_out_in_the_end(void **state)
{
    struct rig *r = *state;
    bring(r, PIECE, 3 * PIECE);
    assert_int_equal(sp_gather_end(&r->gather).len, 0);
    come(r, PIECE);
    come(r, 100);
    assert_int_equal(r->road.at, 2 * PIECE);
    struct sp_view rest = sp_gather_end(&r->gather);
    assert_int_equal(rest.len, 100);
    staged(r, rest);
    assert_int_equal(sp_gather_end(&r->gather).len, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(b_the_first_bytes_do_not_wait),
        CASE(b_pieces_end_where_the_files_do),
        CASE(b_the_end_does_not_wait),
        CASE(c_more_than_the_road_takes),
        CASE(c_one_large_chunk),
        CASE(b_what_waits_comes_out_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
