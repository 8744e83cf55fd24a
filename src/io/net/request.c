/* Reading: heads and bodies of requests. */
#include "io/net/conn.h"

static bool has_input(const struct sp_conn *c)
{
    return c->t.readable || c->t.ops->has_buffered(&c->t);
}

/* Drops n bytes of what was kept; an empty buffer holds no memory. */
static void consume_kept(struct sp_conn *c, size_t n)
{
    sp_buf_consume(&c->in, n);
    if (c->in.len == 0) {
        sp_buf_fini(&c->in);
    }
}

/* ---- heads --------------------------------------------------------------------- */

static struct sp_view moved(struct sp_view v, const uint8_t *from, const uint8_t *to)
{
    return v.data ? sp_view(to + (v.data - from), v.len) : v;
}

/* The parsed head borrowed from a buffer of the server; x has a copy of those bytes. */
static void adopt_request(struct sp_exchange *x, const struct sp_http_request *parsed,
                          const uint8_t *from)
{
    struct sp_http_request *r = &x->request;
    const uint8_t *to = x->head_bytes;
    sp_http_request_copy(r, parsed);
    r->method_text = moved(r->method_text, from, to);
    r->target = moved(r->target, from, to);
    r->host = moved(r->host, from, to);
    for (size_t i = 0; i < r->headers.count; i++) {
        struct sp_http_header *h = &r->headers.at[i];
        h->name = moved(h->name, from, to);
        h->value = moved(h->value, from, to);
    }
}

static void begin_exchange(struct sp_conn *c, struct sp_view head)
{
    struct sp_server *s = c->server;
    struct sp_exchange *x = sp_exchange_new(c, head);
    if (!x) {
        sp_conn_doom(c);
        return;
    }
    adopt_request(x, &s->scratch, head.data);
    s->stats.requests++;
    c->requests++;
    c->budget -= (long)SP_TURN_REQUEST;
    sp_conn_move(c, SP_CONN_HANDLER);
    sp_conn_set_deadline(c, SP_DEADLINE_NONE);
}

static void want_more_head(struct sp_conn *c)
{
    if (c->in.len >= SP_LIMIT_HEAD) {
        sp_conn_refuse(c, 431, "the head is too large");
    } else if (c->deadline.kind != SP_DEADLINE_HEAD) {
        sp_conn_set_deadline(c, SP_DEADLINE_HEAD);
    }
}

/* bytes were just received, or are all that was kept (c->in). */
static void parse_head(struct sp_conn *c, struct sp_view bytes, bool is_kept)
{
    size_t used = 0;
    enum sp_http_refusal refusal = SP_HTTP_ACCEPTED;
    enum sp_err e = sp_http_request_parse(bytes, &c->server->scratch, &used, &refusal);
    c->fresh = false;
    if (e == SP_E_PROTOCOL) {
        sp_conn_refuse(c, sp_http_refusal_status(refusal),
                       sp_http_refusal_text(refusal));
        return;
    }
    if (e == SP_OK) {
        begin_exchange(c, sp_view_slice(bytes, 0, used));
    }
    if (is_kept) {
        consume_kept(c, used);
    } else if (sp_buf_append(&c->in, sp_view_slice(bytes, used, bytes.len)) != SP_OK) {
        sp_conn_doom(c);
    }
    if (e == SP_E_AGAIN && c->state == SP_CONN_HEAD) {
        want_more_head(c);
    }
    if (c->state == SP_CONN_HANDLER) {
        c->x->told = true;
        c->server->handler.head(c->server->handler.ctx, c->x);
    }
}

/* Nothing to read. A drained server keeps no idle connection. */
static bool wait_for_head(struct sp_conn *c)
{
    enum sp_drain drain = c->server->drain;
    bool goes = drain == SP_DRAIN_IDLE || (drain == SP_DRAIN_KEPT && c->requests > 0);
    if (!goes || c->in.len) {
        return false;
    }
    c->t.ops->say_bye(&c->t);
    (void)c->t.ops->flush(&c->t); /* it goes or it does not */
    sp_conn_doom(c);
    return true;
}

static void receive_head(struct sp_conn *c, struct sp_view got)
{
    c->budget -= (long)got.len;
    if (c->in.len == 0) {
        parse_head(c, got, false);
    } else if (sp_buf_append(&c->in, got) == SP_OK) {
        parse_head(c, sp_buf_view(&c->in), true);
    } else {
        sp_conn_doom(c);
    }
}

bool sp_step_head(struct sp_conn *c)
{
    struct sp_view got = {0};
    if (c->fresh) {
        parse_head(c, sp_buf_view(&c->in), true);
        return true;
    }
    enum sp_err e = SP_E_AGAIN;
    if (has_input(c)) {
        e = c->t.ops->recv(&c->t, SP_LIMIT_HEAD - c->in.len, &got);
    }
    if (e == SP_E_AGAIN) {
        return wait_for_head(c);
    }
    if (e == SP_OK) {
        receive_head(c, got);
    } else {
        sp_conn_doom(c);
    }
    return true;
}

/* ---- bodies -------------------------------------------------------------------- */

static void refuse_size(struct sp_conn *c)
{
    sp_conn_refuse(c, 413, "the body is larger than what is accepted here");
}

static void body_complete(struct sp_conn *c)
{
    c->x->has_body = true;
    sp_conn_move(c, SP_CONN_HANDLER);
    sp_conn_set_deadline(c, SP_DEADLINE_NONE);
    c->server->handler.body(c->server->handler.ctx, c->x);
}

/* RFC 9110 section 10.1.1: no 100 once a part of the body has come. */
static bool say_continue(struct sp_conn *c)
{
    struct sp_view line = SP_VIEW("HTTP/1.1 100 Continue\r\n\r\n");
    size_t taken = 0;
    if (!c->x->request.expect_continue || c->in.len) {
        return true;
    }
    return c->t.ops->send(&c->t, line, sp_view(NULL, 0), &taken) == SP_OK &&
           taken == line.len;
}

void sp_body_begin(struct sp_conn *c)
{
    struct sp_exchange *x = c->x;
    if (x->request.content_length > x->ceiling) {
        refuse_size(c);
        return;
    }
    sp_buf_init(&x->body, x->ceiling ? x->ceiling : 1);
    if (!x->request.chunked && x->request.content_length == 0) {
        body_complete(c);
        return;
    }
    if (!say_continue(c)) {
        sp_conn_doom(c);
        return;
    }
    x->body_since_ms = sp_loop_now_ms(c->server->loop);
    sp_conn_move(c, SP_CONN_BODY);
    sp_conn_set_deadline(c, SP_DEADLINE_BODY);
}

static enum sp_err append_body(struct sp_exchange *x, struct sp_view data)
{
    return data.len > x->ceiling - x->body.len ? SP_E_LIMIT
                                               : sp_buf_append(&x->body, data);
}

static void refuse_body(struct sp_conn *c, enum sp_err e, enum sp_http_refusal refusal)
{
    if (e == SP_E_PROTOCOL) {
        sp_conn_refuse(c, sp_http_refusal_status(refusal),
                       sp_http_refusal_text(refusal));
    } else if (e == SP_E_LIMIT) {
        refuse_size(c);
    } else {
        sp_conn_doom(c);
    }
}

static enum sp_err feed_chunked(struct sp_exchange *x, struct sp_view bytes,
                                size_t *used, enum sp_http_refusal *refusal)
{
    while (!x->chunked.done && *used < bytes.len) {
        struct sp_view data = {0};
        size_t n = 0;
        SP_TRY(sp_http_chunked_feed(&x->chunked, sp_view_slice(bytes, *used, bytes.len),
                                    &n, &data, refusal));
        SP_TRY(append_body(x, data));
        *used += n;
    }
    return SP_OK;
}

static enum sp_err feed(struct sp_exchange *x, struct sp_view bytes, size_t *used,
                        enum sp_http_refusal *refusal)
{
    if (x->request.chunked) {
        return feed_chunked(x, bytes, used, refusal);
    }
    uint64_t left = x->request.content_length - x->body.len;
    *used = bytes.len < left ? bytes.len : (size_t)left;
    return append_body(x, sp_view_slice(bytes, 0, *used));
}

static bool is_body_done(const struct sp_exchange *x)
{
    return x->request.chunked ? x->chunked.done
                              : x->body.len == x->request.content_length;
}

static void take_body(struct sp_conn *c, struct sp_view bytes, bool is_kept)
{
    size_t used = 0;
    enum sp_http_refusal refusal = SP_HTTP_ACCEPTED;
    enum sp_err e = feed(c->x, bytes, &used, &refusal);
    if (e == SP_OK && !is_kept) {
        e = sp_buf_append(&c->in, sp_view_slice(bytes, used, bytes.len));
    }
    if (e != SP_OK) {
        refuse_body(c, e, refusal);
        return;
    }
    if (is_kept) {
        consume_kept(c, used);
    }
    c->x->body_seen += used;
    if (is_body_done(c->x)) {
        body_complete(c);
    }
}

/* As much as may come without reading far into the next request. */
static size_t body_appetite(const struct sp_exchange *x)
{
    return x->request.chunked ? SP_LIMIT_HEAD
                              : (size_t)(x->request.content_length - x->body.len);
}

bool sp_step_body(struct sp_conn *c)
{
    struct sp_view got = {0};
    if (c->x->reply.given || c->x->cut) { /* the handler needs no more of it */
        sp_conn_move(c, SP_CONN_HANDLER);
        return true;
    }
    if (c->in.len) {
        take_body(c, sp_buf_view(&c->in), true);
        return true;
    }
    if (!has_input(c)) {
        return false;
    }
    enum sp_err e = c->t.ops->recv(&c->t, body_appetite(c->x), &got);
    if (e == SP_OK) {
        c->budget -= (long)got.len;
        take_body(c, got, false);
    } else if (e != SP_E_AGAIN) {
        sp_conn_doom(c);
    }
    return e != SP_E_AGAIN;
}
