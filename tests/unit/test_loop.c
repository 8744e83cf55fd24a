#include "unit.h"

#include "io/loop/loop.h"

#include <pthread.h>
#include <unistd.h>

#define SENDERS  8
#define MESSAGES 2000

/* What the receiving loop saw; touched on its thread only, read after join. */
struct receiver {
    struct sp_loop *loop;
    unsigned next[SENDERS]; /* the number expected from each sender */
    unsigned total;
    bool disordered;
};

struct numbered {
    struct sp_msg msg;
    struct receiver *to;
    unsigned sender, number;
};

static void receive(struct sp_msg *msg)
{
    struct numbered *n = (struct numbered *)msg;
    struct receiver *r = n->to;
    r->disordered |= sp_loop_current() != r->loop || r->next[n->sender] != n->number;
    r->next[n->sender] = n->number + 1;
    r->total++;
    free(n);
}

static void send_number(struct receiver *to, unsigned sender, unsigned number)
{
    struct numbered *n = calloc(1, sizeof *n);
    assert_non_null(n);
    *n = (struct numbered){
        .msg.run = receive, .to = to, .sender = sender, .number = number};
    sp_loop_post(to->loop, &n->msg);
}

struct sender {
    pthread_t thread;
    struct receiver *to;
    unsigned id;
};

static void *send_all(void *arg)
{
    struct sender *s = arg;
    for (unsigned i = 0; i < MESSAGES; i++) {
        send_number(s->to, s->id, i);
    }
    return NULL;
}

static void start_senders(struct sender senders[SENDERS], struct receiver *to)
{
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.to = to, .id = i};
        assert_int_equal(
            pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
}

static void join_senders(struct sender senders[SENDERS])
{
    for (unsigned i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
    }
}

static void b_messages_arrive_in_order(void **state)
{
    (void)state;
    struct receiver r = {0};
    assert_ok(sp_loop_new("one", &r.loop));
    assert_ok(sp_loop_start(r.loop));
    for (unsigned i = 0; i < MESSAGES; i++) {
        send_number(&r, 0, i);
    }
    sp_loop_stop(r.loop);
    sp_loop_join(r.loop);
    assert_int_equal(r.total, MESSAGES);
    assert_false(r.disordered);
    sp_loop_free(&r.loop);
    assert_null(r.loop);
}

static void b_messages_posted_before_the_loop_runs_are_kept(void **state)
{
    (void)state;
    struct receiver r = {0};
    assert_ok(sp_loop_new("early", &r.loop));
    for (unsigned i = 0; i < 3; i++) {
        send_number(&r, 0, i);
    }
    sp_loop_stop(r.loop);
    sp_loop_run(r.loop);
    assert_int_equal(r.total, 3);
    assert_false(r.disordered);
    assert_null(sp_loop_current());
    sp_loop_free(&r.loop);
}

static void b_a_loop_that_never_ran_can_be_freed(void **state)
{
    (void)state;
    struct sp_loop *l = NULL;
    assert_ok(sp_loop_new("idle", &l));
    assert_null(sp_loop_current());
    sp_loop_free(&l);
    sp_loop_free(&l);
}

static void c_many_senders_keep_their_own_order(void **state)
{
    (void)state;
    struct receiver r = {0};
    struct sender senders[SENDERS];
    assert_ok(sp_loop_new("many", &r.loop));
    assert_ok(sp_loop_start(r.loop));
    start_senders(senders, &r);
    join_senders(senders);
    sp_loop_stop(r.loop);
    sp_loop_join(r.loop);
    assert_int_equal(r.total, SENDERS * MESSAGES);
    assert_false(r.disordered);
    sp_loop_free(&r.loop);
}

/* Two loops throw one message to and fro until it has been caught often enough. */
struct ball {
    struct sp_msg msg;
    struct sp_loop *at, *other;
    unsigned left;
};

static void catch_ball(struct sp_msg *msg)
{
    struct ball *b = (struct ball *)msg;
    struct sp_loop *to = b->other;
    b->other = b->at;
    b->at = to;
    if (b->left-- > 0) {
        sp_loop_post(to, &b->msg);
        return;
    }
    sp_loop_stop(b->at);
    sp_loop_stop(b->other);
}

static void c_loops_send_each_other_messages(void **state)
{
    (void)state;
    struct sp_loop *a = NULL;
    struct sp_loop *b = NULL;
    assert_ok(sp_loop_new("ping", &a));
    assert_ok(sp_loop_new("pong", &b));
    struct ball ball = {.msg.run = catch_ball, .at = a, .other = b, .left = 999};
    assert_ok(sp_loop_start(a));
    assert_ok(sp_loop_start(b));
    sp_loop_post(a, &ball.msg);
    sp_loop_join(a);
    sp_loop_join(b);
    assert_int_equal(ball.left, UINT32_MAX);
    sp_loop_free(&a);
    sp_loop_free(&b);
}

struct sum {
    struct sp_job job;
    struct sp_loop *home;
    struct sp_msg start;
    unsigned n, result;
    bool astray; /* ran on the wrong thread */
    unsigned *done;
};

static void sum_work(struct sp_job *j)
{
    struct sum *s = (struct sum *)j;
    s->astray |= sp_loop_current() != NULL;
    for (unsigned i = 1; i <= s->n; i++) {
        s->result += i;
    }
}

static void sum_done(struct sp_job *j)
{
    struct sum *s = (struct sum *)j;
    s->astray |= sp_loop_current() != s->home;
    ++*s->done;
}

static void sum_start(struct sp_msg *msg)
{
    struct sum *s = (struct sum *)((char *)msg - offsetof(struct sum, start));
    sp_loop_work(s->home, &s->job);
}

/* The loop is told to stop at once: jobs under way hold it until they came back. */
static void c_jobs_come_back_to_their_loop(void **state)
{
    (void)state;
    struct sum sums[20];
    unsigned done = 0;
    struct sp_loop *l = NULL;
    assert_ok(sp_loop_new("jobs", &l));
    assert_ok(sp_loop_start(l));
    for (unsigned i = 0; i < 20; i++) {
        sums[i] = (struct sum){.job = {.work = sum_work, .done = sum_done},
                               .start = {.run = sum_start},
                               .home = l,
                               .n = i,
                               .done = &done};
        sp_loop_post(l, &sums[i].start);
    }
    sp_loop_stop(l);
    sp_loop_join(l);
    assert_int_equal(done, 20);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(sums[i].result, i * (i + 1) / 2);
        assert_false(sums[i].astray);
    }
    sp_loop_free(&l);
}

/* A handle of somebody else keeps a stopping loop alive and messages flowing; the last
 * message closes it. */
struct keeper {
    struct sp_msg close;
    uv_timer_t timer;
    bool closed;
};

static void keeper_tick(uv_timer_t *t)
{
    (void)t;
}

static void keeper_closed(uv_handle_t *h)
{
    struct keeper *k = h->data;
    k->closed = true;
}

static void keeper_close(struct sp_msg *msg)
{
    struct keeper *k = (struct keeper *)msg;
    uv_close((uv_handle_t *)&k->timer, keeper_closed);
}

static void c_a_stopping_loop_still_takes_messages(void **state)
{
    (void)state;
    struct receiver r = {0};
    struct keeper k = {.close.run = keeper_close};
    assert_ok(sp_loop_new("keeper", &r.loop));
    assert_int_equal(uv_timer_init(sp_loop_uv(r.loop), &k.timer), 0);
    k.timer.data = &k;
    assert_int_equal(uv_timer_start(&k.timer, keeper_tick, 1000, 1000), 0);
    assert_ok(sp_loop_start(r.loop));
    sp_loop_stop(r.loop);
    usleep(20000); /* so that the stop is seen first */
    struct sender senders[SENDERS];
    start_senders(senders, &r);
    join_senders(senders);
    sp_loop_post(r.loop, &k.close);
    sp_loop_join(r.loop);
    assert_true(k.closed);
    assert_int_equal(r.total, SENDERS * MESSAGES);
    assert_false(r.disordered);
    sp_loop_free(&r.loop);
}

static char seen_name[32];

static void note_name(struct sp_msg *msg)
{
    (void)msg;
    pthread_getname_np(pthread_self(), seen_name, sizeof seen_name);
}

static void b_threads_carry_the_name(void **state)
{
    (void)state;
    struct sp_loop *l = NULL;
    struct sp_msg msg = {.run = note_name};
    assert_ok(sp_loop_new("a-name-longer-than-15", &l));
    assert_ok(sp_loop_start(l));
    sp_loop_post(l, &msg);
    sp_loop_stop(l);
    sp_loop_join(l);
    assert_string_equal(seen_name, "a-name-longer-t");
    sp_loop_free(&l);
}

static void b_clock_and_chance(void **state)
{
    (void)state;
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    assert_ok(sp_random_bytes(a, sizeof a));
    assert_ok(sp_random_bytes(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_ok(sp_random_bytes(NULL, 0));
    struct sp_random_stock stock = {0};
    for (size_t i = 0; i < 1000; i++) { /* over the end of the stock, many times */
        memcpy(b, a, sizeof b);
        assert_ok(sp_random_draw(&stock, a, i % 32 < 16 ? 32 : 16));
        assert_memory_not_equal(a, b, 16);
    }
    for (size_t i = 0; i < sizeof stock.bytes - stock.left; i++) {
        assert_int_equal(stock.bytes[i], 0); /* what was given away is not kept */
    }
    assert_ok(sp_random_draw(&stock, NULL, 0));
    int64_t now = sp_clock_wall_s();
    assert_true(now > 1577836800); /* 2020 */
    assert_true(sp_clock_wall_s() - now <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_messages_arrive_in_order),
        cmocka_unit_test(b_messages_posted_before_the_loop_runs_are_kept),
        cmocka_unit_test(b_a_loop_that_never_ran_can_be_freed),
        cmocka_unit_test(b_threads_carry_the_name),
        cmocka_unit_test(b_clock_and_chance),
        cmocka_unit_test(c_many_senders_keep_their_own_order),
        cmocka_unit_test(c_loops_send_each_other_messages),
        cmocka_unit_test(c_jobs_come_back_to_their_loop),
        cmocka_unit_test(c_a_stopping_loop_still_takes_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
