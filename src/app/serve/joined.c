/* Requests that are equal and under way at one time, made once for all who make them.
 *
 * Only the way to the upstream and back is shared: each asker was admitted and judged
 * by a gate of its own before it came here, and that gate reads the bytes as if it had
 * asked alone: it judges and records them, and edits and seals a copy of its own. What
 * is joined must be equal to the byte in all that the upstream sees, and that holds the
 * cookie as the upstream gave it, which only its owner's seal opens; and be of one
 * listener and one world, that is one upstream, one policy, one configuration. Who
 * comes when the answer has begun asks anew: nobody gets what was said before he asked.
 * docs/decisions/0042.
 *
 * On one lane; so there are at most as many equal requests at a time as lanes, and one
 * more for each full crowd. */
#include "app/serve/joined.h"

#include "app/serve/preview.h"
#include "app/serve/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATIENCE = 2000, /* milliseconds that it waits for larger ones, in all */
    LOOK = 10,       /* milliseconds between two looks whether they have gone */
    MOST = 1024,     /* different ones at a time; who comes on top asks alone */
    CROWD = 64 /* askers of one; who comes on top asks anew, and others join him */
};

/* Between two looks whether it may go on. */
struct pause {
    uv_timer_t timer;
    struct sp_joined *joined; /* borrowed */
};

struct sp_joined {
    struct sp_lane *lane;   /* borrowed */
    struct sp_world *world; /* shared */
    const struct sp_world_door *door;
    const char *path, *soap_action; /* of the tables */
    bool accept_coded;
    struct sp_buf body; /* owned; what was asked */
    struct sp_fetch *fetch;
    bool begun; /* nobody may join any more */
    int status;
    char coding[64], type[256];
    struct sp_arrival *arrival; /* shared with those whom it was given to */
    struct sp_preview *preview; /* owned; of arrival, or NULL */
    bool brings_documents;
    size_t length;  /* bytes that the whole will have; 0: nobody knows */
    size_t streams; /* the same; 0: it goes out whole */
    enum sp_op op;  /* of what streams */
    bool is_tried;
    struct sp_relay *relay; /* owned; of arrival, until its member has it, or NULL */
    struct pause *pause;    /* owned; while it waits until others have gone */
    uint64_t pause_ends_ms; /* it waits no longer than that; 0: it never did */
    size_t held;            /* bytes of the lane's budget, for the body */
    struct visit *members;
    size_t member_count;
    struct sp_joined *next, **previous;
};

static void on_pause_closed(uv_handle_t *h)
{
    free(h->data);
}

static void end_pause(struct sp_joined *j)
{
    if (j->pause) {
        uv_close((uv_handle_t *)&j->pause->timer, on_pause_closed);
        j->pause = NULL;
    }
}

static void joined_free(struct sp_joined *j)
{
    struct sp_lane *lane = j->lane;
    end_pause(j);
    *j->previous = j->next;
    if (j->next) {
        j->next->previous = j->previous;
    }
    lane->joined_count--;
    sp_budget_give(lane->budget, j->held);
    sp_preview_close(&j->preview);
    sp_relay_close(&j->relay);
    sp_buf_fini(&j->body);
    sp_arrival_unref(&j->arrival);
    sp_world_unref(&j->world);
    free(j);
    if (--lane->visits == 0 && lane->idle) {
        lane->idle(lane);
    }
}

/* ---- members --------------------------------------------------------------------- */

static void add(struct sp_joined *j, struct visit *v)
{
    v->joined = j;
    v->joined_next = j->members;
    v->joined_previous = &j->members;
    if (v->joined_next) {
        v->joined_next->joined_previous = &v->joined_next;
    }
    j->members = v;
    j->member_count++;
}

static void take_out(struct visit *v)
{
    *v->joined_previous = v->joined_next;
    if (v->joined_next) {
        v->joined_next->joined_previous = v->joined_previous;
    }
    v->joined->member_count--;
    v->joined = NULL;
}

void sp_joined_leave(struct visit *v)
{
    struct sp_joined *j = v->joined;
    take_out(v);
    if (!j->members && j->fetch) {
        j->begun = true;
        sp_fetch_cancel(j->fetch);
    }
}

/* ---- the fetch ------------------------------------------------------------------- */

static bool brings_documents(const struct sp_joined *j)
{
    return j->status == 200 && !j->coding[0] &&
           strcmp(j->soap_action, sp_op_action(SP_OP_GET_UPDATE_DATA)) == 0;
}

/* ---- going out while it comes ---------------------------------------------------- */

/* Of an answer that has begun, so nobody joins any more: one asker, whose pace is his
 * own. */
static bool may_stream(struct sp_joined *j)
{
    return j->member_count == 1 && j->length > SP_RELAY_FROM &&
           sp_gate_may_stream(j->members->gate, j->status, sp_view_str(j->coding),
                              &j->op);
}

static struct sp_relay *relay_of(const struct sp_joined *j)
{
    return j->relay || !j->members ? j->relay : j->members->relay;
}

/* Its beginning is in order. */
static void begin_answer(struct sp_joined *j, struct visit *v)
{
    struct sp_step step;
    const struct sp_link_report *report = sp_fetch_link(j->fetch);
    struct sp_link link = report ? sp_link_of(report) : (struct sp_link){0};
    sp_gate_begins(v->gate, sp_view_str(j->type), j->streams, &link, &step);
    if (!step.has_effect) {
        sp_relay_close(&j->relay);
        return;
    }
    v->relay = j->relay;
    j->relay = NULL;
    v->arrival = sp_arrival_ref(j->arrival);
    sp_visit_perform(v, &step);
}

static void on_opened(void *ctx)
{
    struct sp_joined *j = ctx;
    struct visit *v = j->members;
    size_t open = relay_of(j) ? sp_relay_open(relay_of(j)) : 0;
    if (!v || !j->fetch || open == 0) {
        return;
    }
    if (j->relay) {
        begin_answer(j, v);
    } else {
        sp_exchange_grow(v->exchange, open);
    }
}

/* Where there is no room for all of it at once, it goes out whole, as far as there is.
 */
static void stream(struct sp_joined *j)
{
    struct sp_relay_watch watch = {on_opened, j};
    if (j->streams && !j->is_tried && j->arrival->bytes.len >= SP_RELAY_FROM) {
        j->is_tried = true;
        if (sp_relay_new(j->lane->loop, j->op, j->arrival, j->streams, &watch,
                         &j->relay) != SP_OK) {
            j->relay = NULL;
        }
    }
    if (relay_of(j)) {
        sp_relay_more(relay_of(j));
    }
}

/* ---- reading ahead --------------------------------------------------------------- */

/* Documents are read where they stand, so the reply must not move any more: from its
 * beginning where it is small, else once it is large enough to have taken its seat.
 * Without room for that the inspection reads them. */
static void foresee(struct sp_joined *j, size_t bytes)
{
    bool is_small = j->length > 0 && j->length <= SP_BUDGET_SMALL;
    bool is_due = is_small || j->arrival->bytes.len + bytes > SP_BUDGET_SMALL;
    if (!j->brings_documents || j->is_tried || !is_due) {
        return;
    }
    j->is_tried = true;
    if (sp_arrival_fix(j->arrival, j->length) == SP_OK &&
        sp_preview_new(j->lane->loop, j->arrival, &j->preview) != SP_OK) {
        j->preview = NULL;
    }
}

static bool has_length(const struct sp_http_response *head)
{
    return head->has_length && head->content_length <= SP_LIMIT_SOAP_REPLY;
}

static enum sp_err on_head(void *ctx, const struct sp_http_response *head)
{
    struct sp_joined *j = ctx;
    j->begun = true;
    j->status = head->status;
    sp_visit_copy_header(&head->headers, "Content-Encoding", j->coding,
                         sizeof j->coding);
    sp_visit_copy_header(&head->headers, "Content-Type", j->type, sizeof j->type);
    j->length = has_length(head) ? (size_t)head->content_length : 0;
    j->streams = may_stream(j) ? j->length : 0;
    j->brings_documents = brings_documents(j);
    return SP_OK;
}

/* ---- waiting for others ---------------------------------------------------------- */

/* What it waited for may be there: its bytes come again, and it is asked again. */
static void on_look(uv_timer_t *h)
{
    struct pause *p = h->data;
    if (p->joined->fetch) {
        sp_fetch_resume(p->joined->fetch);
    }
}

static bool look_later(struct sp_joined *j)
{
    if (!j->pause) {
        struct pause *p = calloc(1, sizeof *p);
        if (!p || uv_timer_init(sp_loop_uv(j->lane->loop), &p->timer) != 0) {
            free(p);
            return false;
        }
        p->timer.data = p;
        p->joined = j;
        j->pause = p;
    }
    return uv_timer_start(&j->pause->timer, on_look, LOOK, 0) == 0;
}

/* Large replies come one after the other, unless that takes too long. */
static bool is_to_wait(struct sp_joined *j, size_t bytes)
{
    uint64_t now = sp_loop_now_ms(j->lane->loop);
    if (j->pause_ends_ms && now >= j->pause_ends_ms) {
        return false;
    }
    if (sp_arrival_may_grow(j->arrival, bytes)) {
        return false;
    }
    j->pause_ends_ms = j->pause_ends_ms ? j->pause_ends_ms : now + PATIENCE;
    return look_later(j);
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    struct sp_joined *j = ctx;
    if (is_to_wait(j, bytes.len)) {
        return SP_E_AGAIN;
    }
    foresee(j, bytes.len);
    SP_TRY(sp_visit_count_busy(j->lane, sp_arrival_hold(j->arrival, bytes.len)));
    SP_TRY(sp_buf_append(&j->arrival->bytes, bytes));
    if (j->preview) {
        sp_preview_more(j->preview);
    }
    stream(j);
    return SP_OK;
}

/* The last one, who is the only one mostly, gets what was read of the bytes already. */
static void hand_over(struct sp_joined *j, struct visit *v)
{
    if (!v->arrival) {
        v->arrival = sp_arrival_ref(j->arrival);
    }
    if (!j->members) {
        v->preview = j->preview;
        j->preview = NULL;
    }
}

static void give(struct sp_joined *j, struct visit *v, enum sp_err e,
                 const struct sp_link_report *report)
{
    v->reply_status = j->status;
    snprintf(v->coding, sizeof v->coding, "%s", j->coding);
    snprintf(v->type, sizeof v->type, "%s", j->type);
    if (v->relay) {
        sp_relay_settle(v->relay);
    }
    if (e == SP_OK) {
        hand_over(j, v);
    }
    sp_visit_fetched(v, e, report);
}

static void on_done(void *ctx, enum sp_err e, const struct sp_link_report *report)
{
    struct sp_joined *j = ctx;
    j->begun = true;
    j->fetch = NULL;
    sp_visit_count_upstream(j->lane, j->world, j->door, e, report);
    while (j->members) {
        struct visit *v = j->members;
        take_out(v);
        give(j, v, e, report);
    }
    joined_free(j);
}

/* What is asked, which outlives its first asker, and where the answer goes. */
static enum sp_err prepare(struct sp_joined *j, const struct sp_fetch_ask *ask)
{
    struct sp_lane *lane = j->lane;
    size_t bytes = 2 * ask->body.len;
    SP_TRY(sp_visit_count_busy(lane, sp_budget_hold(lane->budget, bytes) ? SP_OK
                                                                         : SP_E_NOMEM));
    j->held = bytes;
    SP_TRY(sp_arrival_new(lane->budget, ask->reply_limit, &j->arrival));
    return sp_buf_append(&j->body, ask->body);
}

static enum sp_err begin(struct visit *v, const struct sp_fetch_ask *ask)
{
    struct sp_lane *lane = v->lane;
    struct sp_joined *j = calloc(1, sizeof *j);
    if (!j) {
        return SP_E_NOMEM;
    }
    j->lane = lane;
    j->world = sp_world_ref(v->world);
    j->door = v->door;
    j->path = ask->path;
    j->soap_action = ask->soap_action;
    j->accept_coded = ask->accept_xpress;
    sp_buf_init(&j->body, ask->body.len);
    j->next = lane->joined;
    j->previous = &lane->joined;
    if (j->next) {
        j->next->previous = &j->next;
    }
    lane->joined = j;
    lane->joined_count++;
    lane->visits++;
    struct sp_fetch_handler handler = {
        .head = on_head, .data = on_data, .done = on_done, .ctx = j};
    struct sp_fetch_ask own = *ask;
    enum sp_err e = prepare(j, ask);
    own.body = sp_buf_view(&j->body);
    if (e == SP_OK) {
        e = sp_fetch_start(lane->pool, v->world->upstreams[v->door->upstream], &own,
                           &handler, &j->fetch);
    }
    if (e != SP_OK) {
        joined_free(j);
        return e;
    }
    add(j, v);
    return SP_OK;
}

/* ---- joining --------------------------------------------------------------------- */

static bool is_same(const struct sp_joined *j, const struct visit *v,
                    const struct sp_fetch_ask *ask)
{
    return !j->begun && j->member_count < CROWD && j->world == v->world &&
           j->door == v->door && j->path == ask->path &&
           j->soap_action == ask->soap_action &&
           j->accept_coded == ask->accept_xpress &&
           sp_view_eq(sp_buf_view(&j->body), ask->body);
}

enum sp_err sp_joined_fetch(struct visit *v, const struct sp_fetch_ask *ask)
{
    for (struct sp_joined *j = v->lane->joined; j; j = j->next) {
        if (is_same(j, v, ask)) {
            SP_COUNT(&v->lane->counters, joined, 1);
            add(j, v);
            return SP_OK;
        }
    }
    return v->lane->joined_count < MOST ? begin(v, ask) : SP_E_AGAIN;
}
