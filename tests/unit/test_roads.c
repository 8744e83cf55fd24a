/* The map of what is staged and the division of a file among transfers: by hand, and
 * against a model that knows of every block who brought it. */
#include "unit.h"

#include "core/gate/roads.h"

#define MIB    ((uint64_t)1 << 20)
#define STRIDE SP_LIMIT_FILL_STRIDE

/* ---- extents --------------------------------------------------------------------- */

static void add(struct sp_extents *e, uint64_t first, uint64_t end)
{
    assert_ok(sp_extents_reserve(e, 1));
    sp_extents_add(e, (struct sp_span){first, end});
}

static void b_parts_merge_where_they_touch(void **state)
{
    (void)state;
    SP_AUTO(sp_extents_fini) struct sp_extents e = {0};
    assert_int_equal(sp_extents_reach(&e, 0), 0);
    assert_int_equal(sp_extents_next(&e, 0, 99), 99);
    add(&e, 10, 20);
    add(&e, 30, 40);
    assert_int_equal(e.count, 2);
    assert_int_equal(sp_extents_reach(&e, 9), 9);
    assert_int_equal(sp_extents_reach(&e, 10), 20);
    assert_int_equal(sp_extents_reach(&e, 19), 20);
    assert_int_equal(sp_extents_reach(&e, 20), 20);
    assert_int_equal(sp_extents_next(&e, 9, 99), 10);
    assert_int_equal(sp_extents_next(&e, 19, 99), 19);
    assert_int_equal(sp_extents_next(&e, 20, 99), 30);
    assert_int_equal(sp_extents_next(&e, 40, 99), 99);
    add(&e, 9, 10);  /* before */
    add(&e, 40, 41); /* behind */
    assert_int_equal(e.count, 2);
    add(&e, 20, 30); /* between */
    assert_int_equal(e.count, 1);
    assert_int_equal(sp_extents_reach(&e, 9), 41);
    add(&e, 41, 41); /* nothing */
    assert_int_equal(e.count, 1);
    assert_int_equal(sp_extents_reach(&e, 9), 41);
}

static void f_parts_have_a_limit(void **state)
{
    (void)state;
    SP_AUTO(sp_extents_fini) struct sp_extents e = {0};
    for (uint64_t i = 0; i < SP_LIMIT_EXTENTS; i++) {
        add(&e, 2 * i, 2 * i + 1);
    }
    assert_int_equal(sp_extents_reserve(&e, 1), SP_E_LIMIT);
    assert_ok(sp_extents_reserve(&e, 0));
    sp_extents_add(&e, (struct sp_span){1, 2}); /* joins two: needs no room */
    assert_ok(sp_extents_reserve(&e, 1));
}

/* ---- roads ----------------------------------------------------------------------- */

static struct sp_roads r;
static struct sp_span span;
static size_t side;

static void begin(uint64_t size)
{
    assert_ok(sp_roads_init(&r, size));
    assert_true(sp_roads_begin_trunk(&r, &span));
    assert_int_equal(span.first, 0);
    assert_int_equal(span.end, size);
}

static bool ask(uint64_t first, uint64_t end)
{
    return sp_roads_begin_side(&r, (struct sp_span){first, end}, &side, &span);
}

static void come(size_t which, uint64_t len)
{
    assert_int_equal(sp_roads_pass(&r, which, len), 0);
    assert_int_equal(sp_roads_fits(&r, which, len), len);
    sp_roads_take(&r, which, len);
}

static void finish(void)
{
    sp_roads_fini(&r);
}

static void b_the_trunk_alone_brings_all(void **state)
{
    (void)state;
    begin(100 * MIB);
    come(SP_TRUNK, 100 * MIB);
    assert_int_equal(sp_roads_fits(&r, SP_TRUNK, 1), 0);
    sp_roads_end(&r, SP_TRUNK);
    assert_false(sp_roads_begin_trunk(&r, &span));
    assert_int_equal(sp_roads_reach(&r, 0), 100 * MIB);
    finish();
}

static void b_who_asks_far_ahead_gets_a_road(void **state)
{
    (void)state;
    begin(100 * MIB);
    come(SP_TRUNK, 10);
    assert_false(ask(0, 10));                             /* there */
    assert_false(ask(0, 11));                             /* comes next */
    assert_false(ask(10 + STRIDE - 1, 50 * MIB));         /* soon */
    assert_true(ask(10 + STRIDE, 10 + STRIDE + 3 * MIB)); /* far */
    assert_int_equal(side, 1);
    assert_int_equal(span.first, 10 + STRIDE);
    assert_int_equal(span.end, 10 + STRIDE + 3 * MIB);
    assert_int_equal(r.road[SP_TRUNK].end,
                     10 + STRIDE);           /* and the trunk is cut there */
    assert_false(ask(span.first, span.end)); /* the next one waits for the same road */
    assert_false(ask(span.end - 1, span.end));
    finish();
}

static void b_how_long_a_side_road_is(void **state)
{
    (void)state;
    static const struct {
        uint64_t first, end, is_end;
    } cases[] = {
        {50 * MIB, 50 * MIB + 1, 51 * MIB},        /* no tiny requests */
        {50 * MIB, 51 * MIB, 51 * MIB},            /* what was asked for */
        {50 * MIB, 51 * MIB + 1, 51 * MIB + 1},    /* */
        {50 * MIB, 90 * MIB, 50 * MIB + STRIDE},   /* no endless ones */
        {100 * MIB - 5, 100 * MIB - 4, 100 * MIB}, /* to the end of the file */
        {58 * MIB, 62 * MIB, 60 * MIB},            /* to what is there */
        {100 * MIB - 5, 200 * MIB, 100 * MIB},     /* */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(100 * MIB);
        assert_true(ask(60 * MIB, 61 * MIB));
        come(side, MIB);
        sp_roads_end(&r, side);
        assert_true(ask(cases[i].first, cases[i].end));
        assert_int_equal(span.first, cases[i].first);
        assert_int_equal(span.end, cases[i].is_end);
        finish();
    }
}

static void b_the_trunk_goes_from_gap_to_gap(void **state)
{
    (void)state;
    begin(100 * MIB);
    assert_true(ask(8 * MIB, 9 * MIB));
    come(side, MIB);
    sp_roads_end(&r, side);
    assert_true(ask(9 * MIB, 10 * MIB)); /* still on its way when the trunk is there */
    come(SP_TRUNK, 8 * MIB);
    assert_int_equal(sp_roads_fits(&r, SP_TRUNK, 1), 0);
    sp_roads_end(&r, SP_TRUNK);
    assert_int_equal(sp_roads_reach(&r, 0), 9 * MIB);
    assert_true(sp_roads_begin_trunk(&r, &span));
    assert_int_equal(span.first, 10 * MIB);
    assert_int_equal(span.end, 10 * MIB + STRIDE); /* shorter from now on */
    finish();
}

static void b_a_trunk_with_nothing_to_do_stands_still(void **state)
{
    (void)state;
    begin(10 * MIB);
    assert_true(ask(9 * MIB, 10 * MIB));
    come(SP_TRUNK, 9 * MIB);
    sp_roads_end(&r, SP_TRUNK);
    assert_false(sp_roads_begin_trunk(&r, &span)); /* the rest is on its way */
    come(side, 10);
    sp_roads_end(&r, side); /* it broke */
    assert_true(sp_roads_begin_trunk(&r, &span));
    assert_int_equal(span.first, 9 * MIB + 10);
    assert_int_equal(span.end, 10 * MIB);
    finish();
}

static void b_a_side_road_that_broke_gives_back(void **state)
{
    (void)state;
    begin(100 * MIB);
    assert_true(ask(50 * MIB, 51 * MIB));
    size_t first = side;
    assert_true(ask(30 * MIB, 31 * MIB));
    assert_int_equal(r.road[SP_TRUNK].end, 30 * MIB);
    sp_roads_end(&r, side);
    assert_int_equal(r.road[SP_TRUNK].end, 50 * MIB);
    come(first, 5);
    sp_roads_end(&r, first); /* it brought something: the cut stays */
    assert_int_equal(r.road[SP_TRUNK].end, 50 * MIB);
    finish();
}

static void f_side_roads_have_a_limit(void **state)
{
    (void)state;
    begin(100 * MIB);
    for (uint64_t i = 1; i <= SP_LIMIT_FILL_SIDES; i++) {
        assert_true(ask(10 * i * MIB, 10 * i * MIB + MIB));
    }
    assert_false(ask(90 * MIB, 91 * MIB));
    sp_roads_end(&r, 2);
    assert_true(ask(90 * MIB, 91 * MIB));
    assert_int_equal(side, 2);
    sp_roads_end(&r, 3);
    sp_roads_bar(&r);
    assert_false(ask(70 * MIB, 71 * MIB));
    finish();
}

static void b_a_whole_answer_passes_over_what_is_there(void **state)
{
    (void)state;
    begin(100 * MIB);
    assert_true(ask(50 * MIB, 51 * MIB));
    come(side, MIB);
    sp_roads_end(&r, side);
    come(SP_TRUNK, 10 * MIB);
    sp_roads_end(&r, SP_TRUNK);
    assert_true(sp_roads_begin_trunk(&r, &span));
    assert_int_equal(span.first, 10 * MIB);
    sp_roads_make_whole(&r);
    assert_int_equal(sp_roads_pass(&r, SP_TRUNK, 6 * MIB), 6 * MIB);
    assert_int_equal(sp_roads_pass(&r, SP_TRUNK, 6 * MIB), 4 * MIB);
    assert_int_equal(sp_roads_fits(&r, SP_TRUNK, 60 * MIB), 40 * MIB);
    sp_roads_take(&r, SP_TRUNK, 40 * MIB);
    assert_int_equal(sp_roads_pass(&r, SP_TRUNK, 60 * MIB), MIB);
    assert_int_equal(sp_roads_fits(&r, SP_TRUNK, 60 * MIB), 49 * MIB);
    sp_roads_take(&r, SP_TRUNK, 49 * MIB);
    assert_int_equal(sp_roads_fits(&r, SP_TRUNK, 1), 0);
    assert_int_equal(sp_roads_reach(&r, 0), 100 * MIB);
    finish();
}

static void b_a_file_goes_on_where_it_was(void **state)
{
    (void)state;
    assert_ok(sp_roads_init(&r, 100 * MIB));
    sp_roads_resume(&r, 30 * MIB);
    assert_true(sp_roads_begin_trunk(&r, &span));
    assert_int_equal(span.first, 30 * MIB);
    assert_int_equal(span.end, 100 * MIB);
    finish();
}

/* ---- the model ------------------------------------------------------------------- */

enum { BLOCK = 64 * 1024, BLOCKS = 1024 };

static uint32_t chance_state;
static uint32_t chance(uint32_t below)
{
    chance_state = chance_state * 1664525U + 1013904223U;
    return (chance_state >> 8) % below;
}

static void bring(uint8_t brought[BLOCKS], size_t which)
{
    size_t len = (1 + chance(6)) * (size_t)BLOCK;
    len -= sp_roads_pass(&r, which, len);
    size_t fits = sp_roads_fits(&r, which, len);
    for (uint64_t at = r.road[which].at; at < r.road[which].at + fits; at += BLOCK) {
        assert_int_equal(brought[at / BLOCK]++, 0);
    }
    sp_roads_take(&r, which, fits);
    bool ended = r.road[which].at == r.road[which].end;
    if (ended || chance(30) == 0) { /* or breaks */
        sp_roads_end(&r, which);
    }
}

static void check(const uint8_t brought[BLOCKS])
{
    for (uint64_t i = 0; i < BLOCKS; i++) {
        uint64_t reach = sp_roads_reach(&r, i * BLOCK);
        assert_int_equal(reach > i * BLOCK, brought[i]);
        assert_true(reach == r.size || !brought[i] || !brought[reach / BLOCK]);
    }
    for (size_t i = 0; i < SP_ROADS; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct sp_road *a = &r.road[i], *b = &r.road[k];
            assert_true(!a->busy || !b->busy || a->end <= b->at || b->end <= a->at);
        }
    }
}

static void step(uint8_t brought[BLOCKS])
{
    uint64_t first = chance(BLOCKS) * (uint64_t)BLOCK;
    size_t which = chance(SP_ROADS);
    if (chance(8) == 0) {
        (void)ask(first, first + (1 + chance(32)) * (uint64_t)BLOCK);
    }
    if (!r.road[SP_TRUNK].busy && chance(2) == 0) {
        bool is_left = sp_roads_begin_trunk(&r, &span);
        assert_true(!is_left || !brought[span.first / BLOCK]);
    }
    if (r.road[which].busy) {
        bring(brought, which);
    }
}

static void c_every_block_comes_once(void **state)
{
    (void)state;
    for (chance_state = 1; chance_state < 200; chance_state++) {
        uint8_t brought[BLOCKS] = {0};
        uint32_t seed = chance_state;
        assert_ok(sp_roads_init(&r, (uint64_t)BLOCKS * BLOCK));
        for (size_t i = 0; sp_roads_reach(&r, 0) < r.size; i++) {
            assert_true(i < 100000);
            step(brought);
            if (i % 64 == 0) {
                check(brought);
            }
        }
        check(brought);
        finish();
        chance_state = seed;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_parts_merge_where_they_touch),
        cmocka_unit_test(b_the_trunk_alone_brings_all),
        cmocka_unit_test(b_who_asks_far_ahead_gets_a_road),
        cmocka_unit_test(b_how_long_a_side_road_is),
        cmocka_unit_test(b_the_trunk_goes_from_gap_to_gap),
        cmocka_unit_test(b_a_trunk_with_nothing_to_do_stands_still),
        cmocka_unit_test(b_a_side_road_that_broke_gives_back),
        cmocka_unit_test(b_a_whole_answer_passes_over_what_is_there),
        cmocka_unit_test(b_a_file_goes_on_where_it_was),
        cmocka_unit_test(c_every_block_comes_once),
        cmocka_unit_test(f_parts_have_a_limit),
        cmocka_unit_test(f_side_roads_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
