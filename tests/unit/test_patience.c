/* How long a transfer may be silent, on a scripted clock: this program's clock_gettime
 * is the one that libuv and libcurl call, too. Time stands still but for what is
 * skipped. */
#include "upstream_rig.h"

#include "core/base/limits.h"

static _Atomic int64_t now_ms = 1000000; /* of the monotonic clocks */

int clock_gettime(clockid_t id, struct timespec *out)
{
    if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE) {
        *out = (struct timespec){.tv_sec = time(NULL)};
        return 0;
    }
    int64_t ms = atomic_load(&now_ms);
    *out = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    return 0;
}

static void turn(struct client *c)
{
    for (int i = 0; i < 5; i++) {
        uv_run(sp_loop_uv(c->loop), UV_RUN_NOWAIT);
        uv_sleep(1);
    }
}

static void skip_ms(struct client *c, int64_t ms)
{
    atomic_fetch_add(&now_ms, ms);
    turn(c);
}

static void until_asked(struct client *c, struct peer *p)
{
    while (atomic_load(&p->requests) == 0) {
        turn(c);
    }
}

/* What is asked for far ahead of a fill gives up after that long without a byte. */
static void c_silence_one_below_and_one_above(void **state)
{
    (void)state;
    struct peer p = {.identity = "upstream", .silent = true};
    struct client c = {0};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask.patience_ms = SP_TIME_FILL_SIDE;
    struct sp_upstream *u = scene_start(&p, &c);
    begin(&c, u, &ask, &g);
    until_asked(&c, &p);
    skip_ms(&c, SP_TIME_FILL_SIDE - 1);
    assert_false(g.finished);
    skip_ms(&c, 1);
    assert_true(g.finished);
    assert_err(g.e, SP_E_TIMEOUT);
    assert_says(g, "sent nothing for 30000 ms");
    scene_stop(&p, &c, &u);
}

/* Slow is not silent: each byte is waited for anew. */
static void c_every_byte_begins_the_wait_anew(void **state)
{
    (void)state;
    enum { PIECES = 4 };
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    struct peer p = {.identity = "upstream", .reply = head, .drips = PIECES};
    struct client c = {0};
    struct got g = {0};
    struct sp_fetch_ask ask = ask_content();
    ask.patience_ms = SP_TIME_FILL_SIDE;
    struct sp_upstream *u = scene_start(&p, &c);
    begin(&c, u, &ask, &g);
    until_asked(&c, &p);
    for (size_t i = 0; i < PIECES; i++) {
        skip_ms(&c, SP_TIME_FILL_SIDE - 1);
        assert_false(g.finished);
        atomic_fetch_add(&p.dripped, 1); /* a byte may go */
        while (!g.finished && g.body_len <= i) {
            turn(&c);
        }
        assert_int_equal(g.body_len, i + 1);
    }
    finish(&c, &g);
    assert_ok(g.e);
    scene_stop(&p, &c, &u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_silence_one_below_and_one_above),
        cmocka_unit_test(c_every_byte_begins_the_wait_anew),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
