#include "io/net/address.h"
#include "io/net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPTS_A_TURN 64

/* ---- connections that want their turn -------------------------------------------- */

/* Only one: then the loop looks who else wants something. So a short answer waits for
 * one turn of those who stand in line, however many they are. */
static void give_turn(struct sp_server *s)
{
    struct sp_link *l = sp_turns_next(&s->turns);
    s->had_turn = false;
    if (l) {
        sp_conn_take_turn(SP_HOLDER(l, struct sp_conn, ready));
    }
}

static void on_idle(uv_idle_t *idle)
{
    struct sp_server *s = idle->data;
    struct sp_link turn;
    sp_link_init(&turn);
    sp_link_move_all(&s->ready, &turn);
    struct sp_link *l = sp_link_shift(&turn);
    while (l) {
        sp_conn_drive(SP_HOLDER(l, struct sp_conn, ready));
        l = sp_link_shift(&turn);
    }
    give_turn(s);
    if (sp_link_is_alone(&s->ready) && sp_turns_is_empty(&s->turns)) {
        uv_idle_stop(idle);
    }
}

void sp_server_stand_in_line(struct sp_conn *c)
{
    struct sp_server *s = c->server;
    c->in_line = true;
    sp_turns_wait(&s->turns, c->crowd, &c->ready);
    uv_idle_start(&s->ready_idle, on_idle);
}

void sp_server_make_ready(struct sp_conn *c)
{
    struct sp_server *s = c->server;
    if (c->in_line) { /* it looks when it is its turn */
        return;
    }
    c->is_waiting = false;
    sp_link_append(&s->ready, &c->ready);
    uv_idle_start(&s->ready_idle, on_idle);
}

/* ---- handshakes under way -------------------------------------------------------- */

bool sp_server_take_handshake(struct sp_conn *c)
{
    struct sp_server *s = c->server;
    if (c->has_slot) {
        return true;
    }
    if (s->handshakes >= SP_LIMIT_HANDSHAKES) {
        c->is_waiting = true;
        sp_link_append(&s->waiting, &c->ready);
        return false;
    }
    s->handshakes++;
    c->has_slot = true;
    return true;
}

void sp_server_give_handshake(struct sp_conn *c)
{
    struct sp_server *s = c->server;
    if (!c->has_slot) {
        return;
    }
    c->has_slot = false;
    s->handshakes--;
    struct sp_link *next = sp_link_shift(&s->waiting);
    if (next) {
        sp_server_make_ready(SP_HOLDER(next, struct sp_conn, ready));
    }
}

/* ---- accepting ------------------------------------------------------------------- */

static bool is_allowed(const struct sp_server *s, const union sp_socket_address *a)
{
    for (size_t i = 0; i < s->conf->allow_count; i++) {
        if (sp_cidr_has(&s->conf->allow[i], &a->any)) {
            return true;
        }
    }
    return s->conf->allow_count == 0;
}

void sp_server_shut_out(struct sp_server *s, enum sp_shut_out why, const char *peer)
{
    if (s->handler.shut_out) {
        s->handler.shut_out(s->handler.ctx, why, peer);
    }
}

/* Best effort, and nothing waits for it. What has come already is read, because closing
 * would else send a reset, which costs Windows clients the answer. Over TLS there are
 * no words before the handshake but alerts, and those mean that something is wrong with
 * TLS; a connection that just ends is tried again. */
static void say_unavailable(struct sp_server *s, int fd)
{
    static const char words[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                "Content-Type: text/plain; charset=utf-8\r\n"
                                "Content-Length: 22\r\nRetry-After: 30\r\n"
                                "Connection: close\r\n\r\nToo many connections.\n";
    (void)!send(fd, words, sizeof words - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    (void)!recv(fd, s->wire.receive, SP_WIRE_RECEIVE, MSG_DONTWAIT);
}

static void turn_away(struct sp_server *s, int fd, enum sp_shut_out why,
                      const uint8_t address[16])
{
    char peer[INET6_ADDRSTRLEN];
    s->stats.refused_address += why == SP_SHUT_OUT_ADDRESS;
    s->stats.refused_limit += why == SP_SHUT_OUT_CROWD || why == SP_SHUT_OUT_FULL;
    s->stats.refused_descriptors += why == SP_SHUT_OUT_DESCRIPTORS;
    if (!s->tls && why != SP_SHUT_OUT_ADDRESS) {
        say_unavailable(s, fd);
    }
    close(fd);
    sp_address_format(address, peer);
    sp_server_shut_out(s, why, peer);
}

static enum sp_err take_seat(struct sp_server *s, const uint8_t address[16],
                             struct sp_seat **out)
{
    return s->conf->seats ? sp_seats_take(s->conf->seats, address, out) : SP_OK;
}

static void admit(struct sp_server *s, int fd, const union sp_socket_address *a)
{
    uint8_t address[16] = {0};
    struct sp_seat *seat = NULL;
    if (!sp_address_bytes(&a->any, address) || !is_allowed(s, a)) {
        turn_away(s, fd, SP_SHUT_OUT_ADDRESS, address);
        return;
    }
    if (s->stats.active >= SP_LIMIT_CONNECTIONS) {
        turn_away(s, fd, SP_SHUT_OUT_FULL, address);
        return;
    }
    enum sp_err e = take_seat(s, address, &seat);
    if (e == SP_E_LIMIT) {
        turn_away(s, fd, SP_SHUT_OUT_CROWD, address);
    } else if (e != SP_OK || !sp_conn_accept(s, fd, address, seat)) {
        turn_away(s, fd, SP_SHUT_OUT_DESCRIPTORS, address);
        if (seat) {
            sp_seats_leave(s->conf->seats, &seat);
        }
    }
}

static int open_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: the one in reserve takes the connection and drops it, else the
 * listener would stay readable and the loop would spin. */
static void refuse_without_descriptor(struct sp_server *s)
{
    if (s->reserve_fd >= 0) {
        close(s->reserve_fd);
    }
    union sp_socket_address a = {0};
    socklen_t len = sizeof a;
    uint8_t address[16] = {0};
    int fd = accept4(s->fd, &a.any, &len, SOCK_CLOEXEC);
    if (fd >= 0) {
        (void)sp_address_bytes(&a.any, address);
        turn_away(s, fd, SP_SHUT_OUT_DESCRIPTORS, address);
    }
    s->reserve_fd = open_reserve();
}

/* False when nobody is left to accept. */
static bool accept_one(struct sp_server *s)
{
    union sp_socket_address a = {0};
    socklen_t len = sizeof a;
    int fd = accept4(s->fd, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        admit(s, fd, &a);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE) {
        refuse_without_descriptor(s);
        return true;
    }
    return errno == EINTR || errno == ECONNABORTED || errno == EPROTO;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct sp_server *s = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && accept_one(s); i++) {
        continue;
    }
}

/* ---- the end --------------------------------------------------------------------- */

static void server_free(struct sp_server *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    if (s->reserve_fd >= 0) {
        close(s->reserve_fd);
    }
    sp_tls_server_unref(&s->tls);
    sp_wire_fini(&s->wire);
    sp_exchanges_clear(s);
    free(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sp_server *s = handle->data;
    if (--s->handles > 0) {
        return;
    }
    void (*drained)(void *ctx) = s->drained;
    void *ctx = s->drained_ctx;
    server_free(s);
    drained(ctx);
}

static void on_deadlines_closed(uv_handle_t *handle)
{
    handle->data = SP_HOLDER(handle->data, struct sp_server, deadlines);
    on_handle_closed(handle);
}

static void end_when_empty(struct sp_server *s)
{
    if (s->fd < 0 && s->conns_left == 0) {
        uv_close((uv_handle_t *)&s->ready_idle, on_handle_closed);
        uv_close((uv_handle_t *)&s->drain_timer, on_handle_closed);
        uv_close((uv_handle_t *)&s->deadlines.timer, on_deadlines_closed);
    }
}

void sp_server_conn_closed(struct sp_server *s)
{
    s->conns_left--;
    end_when_empty(s);
}

static void on_drain_deadline(uv_timer_t *timer)
{
    struct sp_server *s = timer->data;
    struct sp_link rest;
    sp_link_init(&rest);
    sp_link_move_all(&s->conns, &rest);
    struct sp_link *l = sp_link_shift(&rest);
    while (l) {
        sp_link_append(&s->conns, l); /* one that waits for the pool stays a while */
        sp_conn_kill(SP_HOLDER(l, struct sp_conn, all));
        l = sp_link_shift(&rest);
    }
}

/* Those who wait for a request look again whether they may. */
static void look_at_idle(struct sp_server *s)
{
    for (struct sp_link *l = s->conns.next; l != &s->conns; l = l->next) {
        struct sp_conn *c = SP_HOLDER(l, struct sp_conn, all);
        if (c->state == SP_CONN_HEAD && !c->driving) {
            sp_server_make_ready(c); /* idle ones end in their turn */
        }
    }
}

static void end_idle(struct sp_server *s)
{
    s->drain = SP_DRAIN_IDLE;
    look_at_idle(s);
    uv_timer_start(&s->drain_timer, on_drain_deadline, s->drain_ms, 0);
    end_when_empty(s);
}

static void on_last_grace_over(uv_timer_t *timer)
{
    end_idle(timer->data);
}

static void stop_accepting(struct sp_server *s)
{
    uv_close((uv_handle_t *)&s->listener, on_handle_closed);
    close(s->fd);
    s->fd = -1;
}

static void on_grace_over(uv_timer_t *timer)
{
    struct sp_server *s = timer->data;
    s->drain = SP_DRAIN_KEPT;
    stop_accepting(s);
    look_at_idle(s);
    uv_timer_start(timer, on_last_grace_over, s->grace_ms, 0);
    end_when_empty(s);
}

void sp_server_drain(struct sp_server *s, uint64_t grace_ms, uint64_t deadline_ms,
                     void (*done)(void *ctx), void *ctx)
{
    SP_ASSERT(s->drain == SP_DRAIN_NOT);
    s->drained = done;
    s->drained_ctx = ctx;
    s->grace_ms = grace_ms;
    s->drain_ms = deadline_ms;
    s->drain = SP_DRAIN_TOLD;
    if (grace_ms) {
        uv_timer_start(&s->drain_timer, on_grace_over, grace_ms, 0);
    } else {
        stop_accepting(s);
        end_idle(s);
    }
}

/* ---- the beginning --------------------------------------------------------------- */

static uint64_t or_default(uint64_t ms, uint64_t otherwise)
{
    return ms ? ms : otherwise;
}

static void set_times(struct sp_deadlines *ds, const struct sp_server_conf *conf)
{
    ds->after[SP_DEADLINE_HANDSHAKE] =
        or_default(conf->handshake_ms, SP_TIME_HANDSHAKE);
    ds->after[SP_DEADLINE_HEAD] = or_default(conf->head_ms, SP_TIME_HEAD);
    ds->after[SP_DEADLINE_IDLE] = or_default(conf->idle_ms, SP_TIME_IDLE);
    ds->after[SP_DEADLINE_BODY] = 1000;
    ds->after[SP_DEADLINE_STALL] = or_default(conf->stall_ms, SP_TIME_WRITE_STALL);
    ds->after[SP_DEADLINE_LINGER] = SP_TIME_LINGER;
    ds->expired = sp_conn_expired;
}

/* What can fail comes first: handles of the loop cannot be taken back at once. */
static enum sp_err acquire(struct sp_server *s, struct sp_why *why)
{
    SP_TRY(sp_turns_init(&s->turns));
    SP_TRY(sp_wire_init(&s->wire, &s->stats));
    SP_TRY(sp_listen(s->conf->bind, s->conf->inherited, &s->fd, &s->port, why));
    s->reserve_fd = open_reserve();
    bool polls = s->reserve_fd >= 0 &&
                 uv_poll_init(sp_loop_uv(s->loop), &s->listener, s->fd) == 0;
    return polls ? SP_OK : SP_E_IO;
}

static void open_handles(struct sp_server *s)
{
    uv_loop_t *loop = sp_loop_uv(s->loop);
    sp_deadlines_init(&s->deadlines, loop);
    set_times(&s->deadlines, s->conf);
    uv_idle_init(loop, &s->ready_idle);
    uv_timer_init(loop, &s->drain_timer);
    s->listener.data = s->ready_idle.data = s->drain_timer.data = s;
    s->handles = 4;
    int failed = uv_poll_start(&s->listener, UV_READABLE, on_listener);
    SP_ASSERT(!failed);
}

enum sp_err sp_server_new(struct sp_loop *l, const struct sp_server_conf *conf,
                          const struct sp_server_handler *handler,
                          struct sp_server **out, struct sp_why *why)
{
    struct sp_server *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    s->loop = l;
    s->conf = conf;
    s->handler = *handler;
    s->fd = s->reserve_fd = -1;
    s->date_s = INT64_MIN;
    sp_link_init(&s->conns);
    sp_link_init(&s->ready);
    sp_link_init(&s->waiting);
    enum sp_err e = acquire(s, why);
    if (e != SP_OK) {
        server_free(s);
        return e;
    }
    s->tls = sp_tls_server_ref(conf->tls);
    open_handles(s);
    *out = s;
    return SP_OK;
}

void sp_server_set_tls(struct sp_server *s, struct sp_tls_server *t)
{
    SP_ASSERT(s->tls && t); /* a plain listener stays plain */
    sp_tls_server_unref(&s->tls);
    s->tls = sp_tls_server_ref(t);
}

const struct sp_server_stats *sp_server_stats(const struct sp_server *s)
{
    return &s->stats;
}

unsigned sp_server_port(const struct sp_server *s)
{
    return s->port;
}

const char *sp_server_date(struct sp_server *s)
{
    int64_t now = sp_clock_wall_s();
    if (now != s->date_s) {
        s->date_s = now;
        sp_http_date_format(now, s->date);
    }
    return s->date;
}

int sp_server_socket(const struct sp_server *s)
{
    return s->fd;
}
