/* Writing answers. A connection that waits for its peer holds the answer's head and no
 * more: memory stays the handler's, a file is read again where the socket left off. */
#include "io/net/conn.h"

#include <string.h>

#define OWN_LINES 256 /* more than the lines that every head has */

/* RFC 9112 section 6.3: these have no body whatever their head says. */
static bool is_bodiless(const struct sp_exchange *x, int status)
{
    return x->request.method == SP_HTTP_HEAD || status == 204 || status == 304 ||
           status < 200;
}

static bool has_unread_body(const struct sp_exchange *x)
{
    return !x->has_body && (x->request.chunked || x->request.content_length > 0);
}

/* By the asker; a refusal of what was no request has none. */
static bool was_said_to_be_last(const struct sp_exchange *x)
{
    return x->request.target.len && !x->request.keep_alive && !has_unread_body(x);
}

static bool is_last(const struct sp_exchange *x, const struct sp_answer *a)
{
    const struct sp_conn *c = x->conn;
    return a->close || !x->request.keep_alive || has_unread_body(x) ||
           c->requests >= SP_LIMIT_KEEPALIVE_REQUESTS ||
           c->server->drain != SP_DRAIN_NOT;
}

/* RFC 9110 section 8.6: none in a 204; in a 304 only that of the 200 it stands for. */
static bool has_length(const struct sp_answer *a)
{
    return a->status >= 200 && a->status != 204 &&
           (a->status != 304 || a->announce_length);
}

static uint64_t body_length(const struct sp_answer *a)
{
    return a->file.length ? a->file.length : a->memory.len;
}

static uint8_t *put(uint8_t *to, struct sp_view text)
{
    memcpy(to, text.data, text.len);
    return to + text.len;
}

static uint8_t *put_number(uint8_t *to, uint64_t n)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return put(to, sp_view(digits + at, sizeof digits - at));
}

static uint8_t *put_status(uint8_t *to, int status, const char *date)
{
    to = put(to, SP_VIEW("HTTP/1.1 "));
    to = put_number(to, (uint64_t)status);
    *to++ = ' ';
    to = put(to, sp_view_str(sp_http_reason(status)));
    to = put(to, SP_VIEW("\r\nDate: "));
    to = put(to, sp_view(date, SP_HTTP_DATE_TEXT - 1));
    return put(to, SP_VIEW("\r\n"));
}

static uint8_t *put_length(uint8_t *to, const struct sp_answer *a)
{
    to = put(to, SP_VIEW("Content-Length: "));
    to = put_number(to, a->announce_length ? a->content_length : body_length(a));
    return put(to, SP_VIEW("\r\n"));
}

/* Once a request, so it is made in one piece: no printf here, which took a fifth of a
 * small answer's time, and one look for room. */
static enum sp_err write_head(struct sp_exchange *x, const struct sp_answer *a)
{
    struct sp_buf *head = &x->reply.head;
    uint8_t *from = NULL;
    SP_TRY(sp_buf_reserve(head, OWN_LINES + a->fields.len, &from));
    uint8_t *to = put_status(from, a->status, sp_server_date(x->conn->server));
    to = has_length(a) ? put_length(to, a) : to;
    to = x->reply.close ? put(to, SP_VIEW("Connection: close\r\n")) : to;
    to = a->fields.len ? put(to, a->fields) : to;
    to = put(to, SP_VIEW("\r\n"));
    head->len += (size_t)(to - from);
    SP_ASSERT(head->len <= head->cap);
    return SP_OK;
}

bool sp_reply_fill(struct sp_exchange *x, const struct sp_answer *a)
{
    struct sp_reply *r = &x->reply;
    r->given = true;
    r->release = a->release;
    r->owner = a->owner;
    r->close = is_last(x, a);
    if (!is_bodiless(x, a->status)) {
        SP_ASSERT(!a->announce_length);
        r->memory = a->file.length ? sp_view(NULL, 0) : a->memory;
        r->grows = r->memory.len && a->grows;
        r->ready = a->ready;
        r->file = a->file;
    }
    return write_head(x, a) == SP_OK;
}

bool sp_reply_keep_memory(struct sp_reply *r)
{
    struct sp_view memory = r->memory;
    r->memory = sp_view(NULL, 0);
    return sp_buf_append(&r->head, memory) == SP_OK;
}

void sp_reply_fini(struct sp_reply *r)
{
    sp_slice_free(r);
    if (r->release) {
        r->release(r->owner);
        r->release = NULL;
    }
}

void sp_answer_begin(struct sp_conn *c)
{
    c->blocked = false;
    sp_conn_move(c, SP_CONN_ANSWER);
    sp_conn_set_deadline(c, SP_DEADLINE_NONE);
}

static bool block(struct sp_conn *c)
{
    c->blocked = true;
    sp_conn_set_deadline(c, SP_DEADLINE_STALL);
    return false;
}

static void answered(struct sp_conn *c)
{
    /* an answer that began before the drain did not say that it is the last one */
    bool close = c->x->reply.close || c->server->drain > SP_DRAIN_TOLD;
    bool was_last = was_said_to_be_last(c->x);
    c->server->stats.answers++;
    sp_exchange_end(c, true);
    if (close && was_last) {
        sp_conn_part(c);
        return;
    }
    if (close) {
        sp_conn_linger(c);
        return;
    }
    c->fresh = c->in.len > 0;
    sp_conn_move(c, SP_CONN_HEAD);
    sp_conn_set_deadline(c, SP_DEADLINE_IDLE);
}

static bool finish(struct sp_conn *c)
{
    if (c->x->reply.close) {
        c->t.ops->say_bye(&c->t); /* with the last record: one system call less */
    }
    enum sp_err e = c->t.ops->flush(&c->t);
    if (e == SP_E_AGAIN) {
        return block(c);
    }
    if (e == SP_OK) {
        answered(c);
    } else {
        sp_conn_doom(c);
    }
    return true;
}

/* SP_E_AGAIN: the pool is reading it. */
static enum sp_err next_body(struct sp_conn *c, struct sp_view *out)
{
    const struct sp_reply *r = &c->x->reply;
    if (r->file.length > r->body_sent) {
        return sp_slice_get(c, out);
    }
    size_t sent = r->file.length ? r->memory.len : (size_t)r->body_sent;
    struct sp_view open = sp_view_slice(r->memory, 0, r->grows ? r->ready : SIZE_MAX);
    *out = sp_view_slice(open, sent, sent + SP_WIRE_SLICE);
    return SP_OK;
}

static void advance(struct sp_conn *c, size_t head_left, size_t taken)
{
    struct sp_reply *r = &c->x->reply;
    size_t of_head = taken < head_left ? taken : head_left;
    r->head_sent += of_head;
    r->body_sent += taken - of_head;
    c->budget -= (long)taken;
    if (c->deadline.kind == SP_DEADLINE_STALL) {
        sp_conn_set_deadline(c, SP_DEADLINE_NONE);
    }
}

/* No close_notify follows it, and nothing of a file. */
static bool is_alone(const struct sp_reply *r, struct sp_view body)
{
    return !r->close && r->file.length == 0 &&
           r->body_sent + body.len == r->memory.len;
}

static bool send_some(struct sp_conn *c, struct sp_view head, struct sp_view body)
{
    size_t taken = 0;
    c->t.alone = is_alone(&c->x->reply, body);
    enum sp_err e = c->t.ops->send(&c->t, head, body, &taken);
    if (e == SP_OK) {
        advance(c, head.len, taken);
    } else if (e == SP_E_AGAIN) {
        block(c);
    } else {
        sp_conn_doom(c);
    }
    sp_slice_done(c);
    return e != SP_E_AGAIN;
}

static bool waits_for_growth(const struct sp_reply *r)
{
    return r->grows ? r->body_sent == r->ready && r->ready < r->memory.len
                    : r->file.length > r->body_sent &&
                          r->body_sent == sp_slice_end(&r->file);
}

/* All that may go out is on its way. A peer that left will not read the rest. */
static bool wait_for_growth(struct sp_conn *c)
{
    enum sp_err e = c->hung_up ? SP_E_CLOSED : c->t.ops->flush(&c->t);
    if (e == SP_E_AGAIN) {
        return block(c);
    }
    sp_conn_set_deadline(c, SP_DEADLINE_NONE);
    if (e != SP_OK) {
        sp_conn_doom(c);
    }
    return false;
}

bool sp_answer_is_long(const struct sp_conn *c)
{
    if (c->state != SP_CONN_ANSWER || c->blocked) {
        return false;
    }
    const struct sp_reply *r = &c->x->reply;
    uint64_t all = r->file.length ? r->file.length : r->memory.len;
    return all - r->body_sent > SP_TURN_SHORT;
}

bool sp_step_answer(struct sp_conn *c)
{
    struct sp_reply *r = &c->x->reply;
    struct sp_view head =
        sp_view_slice(sp_buf_view(&r->head), r->head_sent, r->head.len);
    struct sp_view body = {0};
    if (c->x->cut) {
        c->reset = true;
        sp_conn_doom(c);
        return true;
    }
    if (c->blocked) {
        return false;
    }
    bool waits = waits_for_growth(r);
    if (waits && head.len == 0) {
        return wait_for_growth(c);
    }
    enum sp_err e = waits ? SP_OK : next_body(c, &body);
    if (e == SP_E_AGAIN && head.len == 0) {
        return false;
    }
    if (e != SP_OK && e != SP_E_AGAIN) {
        c->reset = true; /* shorter than promised, or unreadable */
        sp_conn_doom(c);
        return true;
    }
    return head.len + body.len ? send_some(c, head, body) : finish(c);
}
