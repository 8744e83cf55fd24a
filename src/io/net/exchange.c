/* The exchange as the handler sees it. Its functions change the exchange and wake the
 * connection; they never run it. */
#include "io/net/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM      SP_KIB(1) /* for a head, in an exchange that may be used again */
#define HEAD_KEPT SP_KIB(1) /* the memory for an answer's head that goes with it */

/* All clear, but for room and the memory of the answer's head. */
static struct sp_exchange *obtain(struct sp_server *s, size_t head)
{
    struct sp_exchange *x = head <= ROOM ? sp_spares_take(&s->exchanges) : NULL;
    size_t room = head <= ROOM ? ROOM : head;
    if (x) {
        struct sp_buf kept = x->reply.head;
        memset(x, 0, offsetof(struct sp_exchange, request));
        sp_http_request_clear(&x->request);
        x->reply.head = kept;
    } else {
        x = calloc(1, sizeof *x + room);
        if (x) {
            sp_buf_init(&x->reply.head, SP_LIMIT_HEAD);
        }
    }
    if (x) {
        x->room = room;
    }
    return x;
}

static void drop(struct sp_exchange *x)
{
    sp_buf_fini(&x->reply.head);
    free(x);
}

static void put_away(struct sp_server *s, struct sp_exchange *x)
{
    sp_buf_clear(&x->reply.head);
    if (x->room != ROOM || x->reply.head.cap > HEAD_KEPT ||
        !sp_spares_keep(&s->exchanges, x)) {
        drop(x);
    }
}

void sp_exchanges_clear(struct sp_server *s)
{
    struct sp_exchange *x = sp_spares_take(&s->exchanges);
    while (x) {
        drop(x);
        x = sp_spares_take(&s->exchanges);
    }
}

struct sp_exchange *sp_exchange_new(struct sp_conn *c, struct sp_view head)
{
    struct sp_exchange *x = obtain(c->server, head.len);
    if (!x) {
        return NULL;
    }
    if (head.len) {
        memcpy(x->head_bytes, head.data, head.len);
    }
    x->conn = c;
    sp_buf_init(&x->body, 1);
    c->x = x;
    return x;
}

static void tell_end(struct sp_exchange *x, bool complete)
{
    struct sp_server_handler *h = &x->conn->server->handler;
    if (x->told) {
        x->told = false;
        h->end(h->ctx, x, complete);
    }
}

void sp_exchange_end(struct sp_conn *c, bool complete)
{
    struct sp_exchange *x = c->x;
    c->server->stats.cuts += x->told && !complete;
    sp_reply_fini(&x->reply);
    tell_end(x, complete);
    c->x = NULL;
    sp_buf_fini(&x->body);
    put_away(c->server, x);
}

void sp_conn_refuse(struct sp_conn *c, int status, const char *text)
{
    char line[256];
    snprintf(line, sizeof line, "%d %s: %s\n", status, sp_http_reason(status), text);
    const struct sp_answer answer = {
        .status = status,
        .fields = SP_VIEW("Content-Type: text/plain\r\n"),
        .memory = sp_view_str(line),
        .close = true,
    };
    c->server->stats.refused_messages++;
    if (c->x) {
        tell_end(c->x, false);
        sp_buf_fini(&c->x->body);
    }
    struct sp_exchange *x = c->x ? c->x : sp_exchange_new(c, sp_view(NULL, 0));
    if (!x || !sp_reply_fill(x, &answer) || !sp_reply_keep_memory(&x->reply)) {
        sp_conn_doom(c);
        return;
    }
    sp_answer_begin(c);
}

bool sp_step_handler(struct sp_conn *c)
{
    struct sp_exchange *x = c->x;
    if (x->cut) {
        c->reset = true;
        sp_conn_doom(c);
    } else if (x->reply.given) {
        sp_answer_begin(c);
    } else if (x->wants_body && !x->has_body) {
        sp_body_begin(c);
    } else if (c->hung_up) {
        sp_conn_doom(c); /* nobody is left to answer */
    } else {
        return false;
    }
    return true;
}

/* ---- what handlers call ---------------------------------------------------------- */

static void wake(struct sp_exchange *x)
{
    if (!x->conn->driving) { /* else it will look when the callback returns */
        sp_server_make_ready(x->conn);
    }
}

void sp_exchange_want_body(struct sp_exchange *x, size_t ceiling)
{
    SP_ASSERT(x->told && !x->wants_body && !x->reply.given && !x->cut);
    x->wants_body = true;
    x->ceiling = ceiling;
    wake(x);
}

void sp_exchange_take_body(struct sp_exchange *x, struct sp_buf *out)
{
    SP_ASSERT(x->has_body);
    sp_buf_take(&x->body, out);
}

void sp_exchange_respond(struct sp_exchange *x, const struct sp_answer *a)
{
    SP_ASSERT(x->told && !x->reply.given && !x->cut);
    if (!sp_reply_fill(x, a)) {
        x->cut = true;
    }
    wake(x);
}

void sp_exchange_grow(struct sp_exchange *x, uint64_t ready)
{
    struct sp_reply *r = &x->reply;
    struct sp_answer_file *file = &r->file;
    SP_ASSERT(x->told && r->given);
    if (r->grows) {
        SP_ASSERT(ready >= r->ready && ready <= r->memory.len);
        r->ready = (size_t)ready;
        wake(x);
        return;
    }
    if (file->length == 0) { /* a HEAD: nothing of it is sent */
        return;
    }
    SP_ASSERT(file->grows && ready >= file->ready && ready <= file->length);
    file->ready = ready;
    wake(x);
}

void sp_exchange_cut(struct sp_exchange *x)
{
    SP_ASSERT(x->told && !x->cut &&
              (!x->reply.given || x->reply.grows || x->reply.file.grows));
    x->cut = true;
    wake(x);
}

const struct sp_http_request *sp_exchange_request(const struct sp_exchange *x)
{
    return &x->request;
}

struct sp_view sp_exchange_body(const struct sp_exchange *x)
{
    return sp_buf_view(&x->body);
}

const char *sp_exchange_peer(const struct sp_exchange *x)
{
    return x->conn->peer;
}

const uint8_t *sp_exchange_address(const struct sp_exchange *x)
{
    return x->conn->address;
}

bool sp_exchange_is_tls(const struct sp_exchange *x)
{
    return x->conn->t.ssl != NULL;
}

bool sp_exchange_peer_pin(const struct sp_exchange *x, struct sp_pin *out)
{
    return x->conn->t.ops->peer_pin(&x->conn->t, out);
}

enum sp_err sp_exchange_peer_certificate(const struct sp_exchange *x,
                                         struct sp_buf *out)
{
    return x->conn->t.ops->peer_certificate(&x->conn->t, out);
}

struct sp_handshake sp_exchange_handshake(const struct sp_exchange *x)
{
    return x->conn->t.ops->handshake_told(&x->conn->t);
}

struct sp_loop *sp_exchange_loop(const struct sp_exchange *x)
{
    return x->conn->server->loop;
}

const char *sp_exchange_listener(const struct sp_exchange *x)
{
    return x->conn->server->conf->name;
}

void **sp_exchange_slot(struct sp_exchange *x)
{
    return &x->slot;
}
