/* The filler's end, which no request can time: it stops between a want and the
 * transfer. */
#include "folder.h"
#include "upstream_rig.h"

#include "app/fill/filler.h"
#include "app/shared/desk.h"
#include "app/shared/metrics.h"

enum { WANTS = 64, NOBODY_LISTENS = 1 };

struct asker {
    struct sp_want want;
    bool answered;
    enum sp_err err;
};

static struct sp_loop *loop;
static size_t left;
static bool stopped;

static void maybe_end(void)
{
    if (left == 0 && stopped) {
        sp_loop_stop(loop);
    }
}

static void on_stopped(void *ctx)
{
    assert_null(ctx);
    assert_false(stopped);
    stopped = true;
    maybe_end();
}

static void on_answer(struct sp_want *w, enum sp_err e)
{
    struct asker *a = (struct asker *)w;
    assert_false(a->answered);
    a->answered = true;
    a->err = e;
    left--;
    maybe_end();
}

/* Enough of a world for a fill that is called off, whether or not it has begun to
 * connect; nobody answers it. */
static void make_world(struct sp_world *w, struct sp_fill_conf *fill)
{
    static char name[] = "head-office";
    *fill = (struct sp_fill_conf){.upstream_name = name,
                                  .upstream_host = "wsus.example:8531"};
    *w = (struct sp_world){.fills = fill};
    w->upstreams = calloc(1, sizeof(struct sp_upstream *));
    assert_non_null(w->upstreams);
    w->upstreams[0] = upstream_to(NOBODY_LISTENS, &(struct wish){0});
    w->config = calloc(1, sizeof *w->config);
    assert_non_null(w->config);
    w->config->upstreams = calloc(1, sizeof *w->config->upstreams);
    assert_non_null(w->config->upstreams);
    w->config->upstreams[0].name = name;
    assert_ok(
        sp_policy_parse(SP_VIEW("policy test\nfile-size enforce\n"), &w->policy, NULL));
    atomic_init(&w->refs, 1);
}

static void free_world(struct sp_world *w)
{
    assert_int_equal(atomic_load(&w->refs), 1); /* the filler gave its own back */
    sp_policy_free(&w->policy);
    free(w->config->upstreams);
    free(w->config);
    sp_upstream_unref(&w->upstreams[0]);
    free(w->upstreams);
}

static void f_stop_while_fills_begin(void **state)
{
    (void)state;
    static struct asker askers[WANTS];
    struct sp_keeper *keeper = NULL;
    struct sp_objects *objects = NULL;
    struct sp_desk *desk = NULL;
    struct sp_filler *filler = NULL;
    struct sp_world world;
    struct sp_fill_conf fill;
    mkdir(in_folder("state"), 0700);
    mkdir(in_folder("cache"), 0700);
    struct sp_keeper_conf conf = {in_folder("state"), "sallyport/test"};
    assert_ok(sp_loop_new("main", &loop));
    assert_ok(sp_keeper_new(&conf, &keeper, NULL));
    assert_ok(sp_objects_open(in_folder("cache"), &objects, NULL));
    assert_ok(sp_desk_new(loop, &desk));
    assert_ok(sp_filler_new(keeper, objects, desk, &filler, NULL));
    make_world(&world, &fill);
    left = WANTS;
    for (size_t i = 0; i < WANTS; i++) {
        askers[i].want = (struct sp_want){.world = sp_world_ref(&world),
                                          .claim = {.sha1 = {(uint8_t)i}, .size = 10},
                                          .loop = loop,
                                          .answer = on_answer};
        sp_filler_want(filler, &askers[i].want);
    }
    sp_filler_stop(filler, loop, on_stopped, NULL);
    sp_loop_run(loop);
    for (size_t i = 0; i < WANTS; i++) {
        assert_true(askers[i].answered);
        assert_int_not_equal(askers[i].err, SP_OK);
        assert_in_range(askers[i].want.status, 502, 503);
    }
    sp_filler_free(&filler);
    sp_keeper_stop(keeper);
    sp_keeper_free(&keeper);
    sp_objects_close(&objects);
    sp_loop_free(&loop);
    sp_desk_free(&desk);
    free_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(f_stop_while_fills_begin, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
