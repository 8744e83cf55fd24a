#include "io/net/conn.h"
#include "io/net/address.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_READ (UV_READABLE | UV_DISCONNECT)
#define TOLD_MAX    4 /* times; to be told so often costs what listening anew does */

void sp_conn_move(struct sp_conn *c, enum sp_conn_state to)
{
    c->state = to;
}

void sp_conn_set_deadline(struct sp_conn *c, enum sp_deadline_kind kind)
{
    if (kind == SP_DEADLINE_NONE) {
        sp_deadline_clear(&c->deadline);
    } else {
        sp_deadline_set(&c->server->deadlines, &c->deadline, kind);
    }
}

/* ---- the end ------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct sp_conn *c = handle->data;
    struct sp_server *s = c->server;
    free(c);
    sp_server_conn_closed(s);
}

static void close_socket(struct sp_conn *c)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (c->reset) {
        setsockopt(c->t.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    close(c->t.fd);
}

static void bury(struct sp_conn *c)
{
    struct sp_server *s = c->server;
    SP_ASSERT(!c->driving && !c->x);
    sp_server_give_handshake(c);
    sp_deadline_clear(&c->deadline);
    sp_link_remove(&c->ready);
    sp_link_remove(&c->all);
    if (c->seat) {
        sp_seats_leave(s->conf->seats, &c->seat);
    }
    s->stats.active--;
    c->t.ops->fini(&c->t);
    sp_buf_fini(&c->in);
    uv_close((uv_handle_t *)&c->poll, on_closed);
    close_socket(c);
}

/* The file stays in use until the pool gives the slice back, which ends in here again.
 */
static void finish(struct sp_conn *c)
{
    if (c->x && sp_slice_is_reading(c)) {
        uv_poll_stop(&c->poll);
        c->events = 0;
        return;
    }
    if (c->x) {
        sp_exchange_end(c, false);
    }
    bury(c);
}

void sp_conn_doom(struct sp_conn *c)
{
    sp_conn_move(c, SP_CONN_DEAD);
    sp_conn_set_deadline(c, SP_DEADLINE_NONE);
}

void sp_conn_kill(struct sp_conn *c)
{
    SP_ASSERT(!c->driving);
    sp_conn_doom(c);
    finish(c);
}

void sp_conn_linger(struct sp_conn *c)
{
    c->t.ops->say_bye(&c->t);
    if (c->t.ops->flush(&c->t) != SP_OK || shutdown(c->t.fd, SHUT_WR) != 0) {
        sp_conn_doom(c);
        return;
    }
    sp_conn_move(c, SP_CONN_LINGER);
    sp_conn_set_deadline(c, SP_DEADLINE_LINGER);
}

/* RFC 9112 section 9.6: who may still be sending is waited for, since a reset would
 * cost him the answer. Who announced that this was his last request, and has nothing on
 * its way, is not. */
void sp_conn_part(struct sp_conn *c)
{
    size_t got = 0;
    c->t.readable = true;
    bool is_silent = c->in.len == 0 && !c->t.ops->has_buffered(&c->t) &&
                     sp_socket_recv(&c->t, c->server->wire.receive, SP_WIRE_RECEIVE,
                                    &got) != SP_OK;
    if (is_silent) {
        sp_conn_doom(c);
    } else {
        sp_conn_linger(c);
    }
}

static bool step_linger(struct sp_conn *c)
{
    size_t got = 0;
    enum sp_err e =
        sp_socket_recv(&c->t, c->server->wire.receive, SP_WIRE_RECEIVE, &got);
    if (e == SP_E_AGAIN) {
        return false;
    }
    if (e != SP_OK) {
        sp_conn_doom(c);
    }
    c->budget -= (long)got;
    return true;
}

/* ---- handshake --------------------------------------------------------------- */

static void handshake_failed(struct sp_conn *c, enum sp_err e)
{
    struct sp_server *s = c->server;
    sp_server_give_handshake(c);
    sp_server_shut_out(s, e == SP_E_PROTOCOL ? SP_SHUT_OUT_PLAIN : SP_SHUT_OUT_FAILED,
                       c->peer);
    if (e == SP_E_PROTOCOL) {
        struct sp_transport plain;
        s->stats.plain_on_tls++;
        sp_transport_plain(&plain, &s->wire, c->t.fd);
        plain.readable = c->t.readable;
        plain.ended = c->t.ended;
        c->t.ops->fini(&c->t);
        c->t = plain;
        sp_conn_refuse(c, 400, "this port speaks TLS");
        return;
    }
    s->stats.handshakes_failed++;
    if (e == SP_E_TLS) {
        sp_conn_linger(c); /* so that the alert arrives */
    } else {
        sp_conn_doom(c);
    }
}

/* The socket is of no use any more, as after a reset: what was under way has failed. */
static void broke(struct sp_conn *c)
{
    if (c->state == SP_CONN_HANDSHAKE) {
        handshake_failed(c, SP_E_CLOSED);
    } else {
        sp_conn_doom(c);
    }
}

static bool step_handshake(struct sp_conn *c)
{
    if (!c->t.readable || !sp_server_take_handshake(c)) {
        return false;
    }
    enum sp_err e = c->t.ops->handshake(&c->t);
    if (e == SP_E_AGAIN) {
        return false;
    }
    if (e != SP_OK) {
        handshake_failed(c, e);
        return true;
    }
    sp_server_give_handshake(c);
    c->server->stats.handshakes_ok++;
    c->t.readable = true; /* its request came while we calculated, most of the time */
    sp_conn_move(c, SP_CONN_HEAD);
    sp_conn_set_deadline(c, SP_DEADLINE_IDLE);
    return true;
}

/* ---- turns --------------------------------------------------------------------- */

static bool step(struct sp_conn *c)
{
    switch (c->state) {
    case SP_CONN_HANDSHAKE:
        return step_handshake(c);
    case SP_CONN_HEAD:
        return sp_step_head(c);
    case SP_CONN_HANDLER:
        return sp_step_handler(c);
    case SP_CONN_BODY:
        return sp_step_body(c);
    case SP_CONN_ANSWER:
        return sp_step_answer(c);
    case SP_CONN_LINGER:
        return step_linger(c);
    case SP_CONN_DEAD:
        break;
    }
    return false;
}

/* Until the socket takes more; while an answer goes on by itself that stays as it was.
 * One that waits for something else has to hear nothing of a socket that takes all. */
static int wanted_writable(const struct sp_conn *c)
{
    bool goes_on = !sp_link_is_alone(&c->ready) && c->told < TOLD_MAX;
    return c->blocked ? UV_WRITABLE : goes_on ? c->events & UV_WRITABLE : 0;
}

/* What fired and is not wanted now is left out, for the loop would tell it over and
 * over. What is wanted changes seldom, because a change costs two system calls. */
static int wanted_events(const struct sp_conn *c)
{
    int pending_output = c->t.unsent.len ? UV_WRITABLE : 0;
    int unread = c->t.readable ? 0 : UV_READABLE;
    switch (c->state) {
    case SP_CONN_HANDSHAKE:
        return c->is_waiting ? 0 : EVENTS_READ | pending_output;
    case SP_CONN_HEAD:
    case SP_CONN_BODY:
    case SP_CONN_LINGER:
        return EVENTS_READ | pending_output;
    case SP_CONN_HANDLER:
        return UV_DISCONNECT | unread | pending_output;
    case SP_CONN_ANSWER:
        return wanted_writable(c) | unread | (c->hung_up ? 0 : UV_DISCONNECT);
    case SP_CONN_DEAD:
        break;
    }
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void rearm(struct sp_conn *c)
{
    int events = wanted_events(c);
    if (events == c->events) {
        return;
    }
    c->events = events;
    if (uv_poll_start(&c->poll, events, on_poll) != 0) {
        sp_conn_kill(c);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct sp_conn *c = poll->data;
    if (status < 0) {
        c->events = 0; /* the loop stopped the handle */
        c->hung_up = c->t.readable = c->t.broken = true;
    }
    c->t.readable |= (events & (UV_READABLE | UV_DISCONNECT)) != 0;
    c->hung_up |= (events & UV_DISCONNECT) != 0;
    c->blocked &= !(events & UV_WRITABLE);
    if (c->in_line && !c->t.broken) {
        c->told += (events & UV_WRITABLE) != 0;
        rearm(c);
    } else {
        sp_conn_drive(c);
    }
}

/* What is short goes at once; of the rest only the first, where nobody waits. */
static bool has_to_wait(const struct sp_conn *c, bool is_its_turn)
{
    const struct sp_server *s = c->server;
    return !is_its_turn && sp_answer_is_long(c) &&
           (s->had_turn || !sp_turns_is_empty(&s->turns));
}

static void run_steps(struct sp_conn *c, bool is_its_turn)
{
    bool more = true;
    while (more && c->state != SP_CONN_DEAD && c->budget > 0 &&
           !has_to_wait(c, is_its_turn)) {
        more = step(c);
    }
    if (c->state != SP_CONN_DEAD && c->t.ops->park(&c->t) != SP_OK) {
        broke(c);
    }
    if (c->state != SP_CONN_DEAD && more) {
        sp_server_stand_in_line(c); /* the turn is over, the work is not */
    }
}

static void drive(struct sp_conn *c, bool is_its_turn)
{
    SP_ASSERT(!c->driving);
    c->driving = true;
    c->budget = (long)SP_TURN_BYTES;
    c->in_line = false;
    c->told = 0;
    if (c->t.broken) {
        broke(c);
    }
    run_steps(c, is_its_turn);
    c->driving = false;
    c->server->had_turn |=
        !is_its_turn && (long)SP_TURN_BYTES - c->budget > (long)SP_TURN_SHORT;
    if (c->state == SP_CONN_DEAD) {
        finish(c);
    } else {
        rearm(c);
    }
}

void sp_conn_drive(struct sp_conn *c)
{
    drive(c, false);
}

void sp_conn_take_turn(struct sp_conn *c)
{
    drive(c, true);
}

/* ---- deadlines ------------------------------------------------------------------- */

static bool is_body_slow(const struct sp_conn *c)
{
    uint64_t elapsed = sp_loop_now_ms(c->server->loop) - c->x->body_since_ms;
    bool is_decided = c->x->reply.given || c->x->cut; /* its turn is about to come */
    return !is_decided && elapsed > SP_TIME_BODY_GRACE &&
           c->x->body_seen <
               (elapsed - SP_TIME_BODY_GRACE) * SP_LIMIT_BODY_RATE_MIN / 1000;
}

static void refuse_late(struct sp_conn *c, const char *text)
{
    sp_conn_refuse(c, 408, text);
    sp_conn_drive(c);
}

static void end_idle(struct sp_conn *c)
{
    c->t.ops->say_bye(&c->t);
    (void)c->t.ops->park(&c->t); /* it goes or it does not */
    sp_conn_kill(c);
}

void sp_conn_expired(struct sp_deadline *d, enum sp_deadline_kind kind)
{
    struct sp_conn *c = SP_HOLDER(d, struct sp_conn, deadline);
    struct sp_server_stats *stats = &c->server->stats;
    switch (kind) {
    case SP_DEADLINE_HANDSHAKE:
        stats->timeouts_handshake++;
        sp_server_shut_out(c->server, SP_SHUT_OUT_TIMEOUT, c->peer);
        sp_conn_kill(c);
        return;
    case SP_DEADLINE_HEAD:
        stats->timeouts_head++;
        refuse_late(c, "the head took too long");
        return;
    case SP_DEADLINE_IDLE:
        stats->timeouts_idle++;
        end_idle(c);
        return;
    case SP_DEADLINE_BODY:
        if (!is_body_slow(c)) {
            sp_conn_set_deadline(c, SP_DEADLINE_BODY);
            return;
        }
        stats->timeouts_body++;
        refuse_late(c, "the body came too slowly");
        return;
    case SP_DEADLINE_STALL:
        stats->timeouts_stall++;
        c->reset = true;
        sp_conn_kill(c);
        return;
    case SP_DEADLINE_LINGER:
        sp_conn_kill(c);
        return;
    case SP_DEADLINE_NONE:
        break;
    }
}

/* ---- the beginning --------------------------------------------------------------- */

static void start(struct sp_conn *c, int fd)
{
    struct sp_server *s = c->server;
    if (s->tls) {
        sp_transport_tls(&c->t, &s->wire, fd, s->tls);
        sp_conn_move(c, SP_CONN_HANDSHAKE);
        sp_conn_set_deadline(c, SP_DEADLINE_HANDSHAKE);
    } else {
        sp_transport_plain(&c->t, &s->wire, fd);
        sp_conn_move(c, SP_CONN_HEAD);
        sp_conn_set_deadline(c, SP_DEADLINE_IDLE);
    }
    rearm(c);
}

bool sp_conn_accept(struct sp_server *s, int fd, const uint8_t address[16],
                    struct sp_seat *seat)
{
    struct sp_conn *c = calloc(1, sizeof *c);
    if (!c || uv_poll_init(sp_loop_uv(s->loop), &c->poll, fd) != 0) {
        free(c);
        return false;
    }
    s->stats.accepted++;
    s->stats.active++;
    s->conns_left++;
    c->server = s;
    c->seat = seat;
    c->poll.data = c;
    memcpy(c->address, address, sizeof c->address);
    sp_address_format(address, c->peer);
    sp_buf_init(&c->in, SP_LIMIT_HEAD);
    sp_deadline_init(&c->deadline);
    sp_link_init(&c->ready);
    c->crowd = sp_turns_crowd(&s->turns, address);
    sp_link_init(&c->all);
    sp_link_append(&s->conns, &c->all);
    start(c, fd);
    return true;
}
