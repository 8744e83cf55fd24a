/* Who is served when: short answers beside many long ones, addresses beside each other.
 * Counted in bytes that went out meanwhile, never in time. */
#include "server_rig.h"

#include "io/net/address.h"
#include "io/net/conn.h"

#define WRITERS 16

struct order {
    struct rig rig; /* first: hooks get it */
    int writers[WRITERS], other;
    unsigned begun;
    uint64_t before, after; /* bytes out */
};

static uint64_t bytes_out(struct order *o)
{
    return sp_server_stats(o->rig.server)->bytes_out;
}

static bool asks_for(const struct sp_exchange *x, const char *target)
{
    return sp_view_eq_str(sp_exchange_request(x)->target, target);
}

static void start(struct order *o, const char *other)
{
    rig_start(&o->rig);
    for (size_t i = 0; i < WRITERS; i++) {
        o->writers[i] = client_connect_from(&o->rig, "127.0.0.2");
    }
    o->other = client_connect_from(&o->rig, other);
    rig_wait_for(&o->rig, o->rig.stats.active, WRITERS + 1);
}

static void stop(struct order *o)
{
    for (size_t i = 0; i < WRITERS; i++) {
        close(o->writers[i]);
    }
    close(o->other);
    rig_stop(&o->rig);
}

/* On the loop, so that it finds all of them at once. */
static void ask_for_all(struct rig *r, void *arg)
{
    struct order *o = (struct order *)r;
    const char *others = arg;
    for (size_t i = 0; i < WRITERS; i++) {
        client_say(o->writers[i], GET("/big"));
    }
    if (others) {
        client_say(o->other, others);
    }
}

/* ---- a short answer ----------------------------------------------------------------
 */

/* When all writers have begun, the other one asks. */
static void ask_when_all_began(struct rig *r, struct sp_exchange *x)
{
    struct order *o = (struct order *)r;
    if (asks_for(x, "/hello")) {
        o->after = bytes_out(o);
    } else if (++o->begun == WRITERS) {
        o->before = bytes_out(o);
        client_say(o->other, GET("/hello"));
    }
}

static void f_a_short_answer_waits_for_one_turn(void **state)
{
    (void)state;
    struct order o = {.rig.on_head = ask_when_all_began};
    struct answer a;
    start(&o, "127.0.0.3");
    rig_on_loop(&o.rig, ask_for_all, NULL);
    assert_true(answer_read(o.other, &a));
    assert_string_equal(a.body, "hello");
    answer_free(&a);
    rig_ask(&o.rig);
    assert_in_range(o.after - o.before, 1, SP_TURN_BYTES + SP_WIRE_SLICE);
    stop(&o);
}

/* From the same address too: who pulls a lot may still ask for something small. */
static void f_a_short_answer_waits_for_its_own_address_no_longer(void **state)
{
    (void)state;
    struct order o = {.rig.on_head = ask_when_all_began};
    struct answer a;
    start(&o, "127.0.0.2");
    rig_on_loop(&o.rig, ask_for_all, NULL);
    assert_true(answer_read(o.other, &a));
    answer_free(&a);
    rig_ask(&o.rig);
    assert_in_range(o.after - o.before, 1, SP_TURN_BYTES + SP_WIRE_SLICE);
    stop(&o);
}

/* ---- answers that grow -------------------------------------------------------------
 */

enum { GROWING = 8 };

/* All of them may go on in the same moment, and the other one asks. */
static void grow_all_and_ask(struct rig *r, void *arg)
{
    struct order *o = (struct order *)r;
    (void)arg;
    assert_int_equal(r->held_count, GROWING);
    for (size_t i = 0; i < GROWING; i++) {
        sp_exchange_grow(r->held[i], r->file.length);
    }
    o->before = bytes_out(o);
    client_say(o->other, GET("/hello"));
}

static void note_the_short_one(struct rig *r, struct sp_exchange *x)
{
    struct order *o = (struct order *)r;
    if (asks_for(x, "/hello")) {
        o->after = bytes_out(o);
    }
}

/* What a turn can move becomes ready for all askers of a file at once. */
static void f_growth_for_many_is_no_long_turn(void **state)
{
    (void)state;
    struct order o = {.rig = {.on_head = note_the_short_one, .in_memory = true}};
    struct answer a;
    o.rig.file = (struct sp_answer_file){.length = 3 * SP_TURN_SHORT, .grows = true};
    start(&o, "127.0.0.3");
    for (size_t i = 0; i < GROWING; i++) {
        client_say(o.writers[i], GET("/grow"));
    }
    rig_wait_for(&o.rig, o.rig.seen.heads, GROWING);
    rig_on_loop(&o.rig, grow_all_and_ask, NULL);
    assert_true(answer_read(o.other, &a));
    answer_free(&a);
    /* the first of them, and a turn */
    rig_ask(&o.rig);
    assert_in_range(o.after - o.before, 1, 2 * SP_TURN_BYTES + SP_WIRE_SLICE);
    rig_wait_for(&o.rig, o.rig.seen.complete, GROWING + 1);
    stop(&o);
}

/* ---- addresses ---------------------------------------------------------------------
 */

static void note_the_end_of_the_part(struct rig *r, struct sp_exchange *x)
{
    struct order *o = (struct order *)r;
    if (asks_for(x, "/part")) {
        o->after = bytes_out(o);
    }
}

/* One that is in another crowd than the writers. */
static void choose_other(struct order *o, char out[INET6_ADDRSTRLEN])
{
    uint8_t writers[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 2};
    uint8_t other[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 3};
    struct sp_turns *turns = &o->rig.server->turns;
    while (sp_turns_crowd(turns, other) == sp_turns_crowd(turns, writers)) {
        other[15]++;
    }
    sp_address_format(other, out);
}

static void f_one_connection_gets_as_much_as_sixteen(void **state)
{
    (void)state;
    struct order o = {.rig.on_end = note_the_end_of_the_part};
    char address[INET6_ADDRSTRLEN];
    struct answer a;
    start(&o, "127.0.0.2");
    close(o.other);
    choose_other(&o, address);
    o.other = client_connect_from(&o.rig, address);
    rig_wait_for(&o.rig, o.rig.stats.accepted, WRITERS + 2);
    /* it fits into the socket, so that its reader decides nothing */
    const size_t length = o.rig.part = 3 * SP_TURN_BYTES;
    rig_on_loop(&o.rig, ask_for_all, (void *)(uintptr_t)GET("/part"));
    assert_true(answer_read(o.other, &a));
    assert_int_equal(a.body_len, length);
    answer_free(&a);
    rig_wait_for(&o.rig, o.after != 0, true);
    /* a turn before its first and behind its last, and one to end; not sixteen each */
    rig_ask(&o.rig);
    assert_in_range(o.after, length, 2 * length + 4 * SP_TURN_BYTES);
    stop(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_a_short_answer_waits_for_one_turn),
        cmocka_unit_test(f_a_short_answer_waits_for_its_own_address_no_longer),
        cmocka_unit_test(f_growth_for_many_is_no_long_turn),
        cmocka_unit_test(f_one_connection_gets_as_much_as_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
