/* One exchange on a lane, from its head to its end: performs the effects of its gate
 * and tells it what came of them. What metadata needs for that: exchange_fetch.c and
 * exchange_ledger.c; content: exchange_content.c. */
#include "app/serve/exchange.h"

#include "app/serve/cosign_serve.h"
#include "app/serve/custody_serve.h"
#include "app/serve/joined.h"
#include "app/serve/preview.h"
#include "app/serve/relay.h"
#include "app/serve/stay.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ------------------------------------------------------------------------ */

/* Keeps the memory for the visits to come, where there is room for it. */
static void rest(struct sp_lane *lane, struct visit *v)
{
    if (v->gate && sp_spares_keep(&lane->rested, v)) {
        sp_gate_rest(v->gate);
    } else {
        sp_gate_free(&v->gate);
        free(v);
    }
}

void sp_visits_clear(struct sp_lane *l)
{
    struct visit *v = sp_spares_take(&l->rested);
    while (v) {
        sp_gate_free(&v->gate);
        free(v);
        v = sp_spares_take(&l->rested);
    }
}

static void forget_metadata(struct visit *v)
{
    sp_preview_close(&v->preview);
    sp_relay_close(&v->relay);
    sp_arrival_unref(&v->arrival);
    sp_buf_fini(&v->made);
    sp_inspection_fini(&v->inspection);
    free(v->known);
    free(v->said);
    free(v->files.files);
    free(v->entries);
    free(v->revisions);
}

void sp_visit_free(struct visit *v)
{
    struct sp_lane *lane = v->lane;
    if (v->held) { /* all lanes write there */
        sp_budget_give(lane->budget, v->held);
    }
    sp_guest_leaves(lane, v->moved, &v->lease);
    if (v->is_metadata) {
        forget_metadata(v);
    }
    free(v->names);
    sp_hot_file_unref(&v->file);
    if (v->object) {
        sp_object_read_end(v->object);
        sp_object_unref(&v->object);
    }
    if (v->wants) {
        sp_inflow_unref(&v->want.inflow);
    }
    sp_term_leave(&v->term);
    rest(lane, v);
    if (--lane->visits == 0 && lane->idle) {
        lane->idle(lane);
    }
}

/* Something came back. True when the asker is still there and the gate wants to know.
 */
bool sp_visit_came_back(struct visit *v)
{
    v->busy = false;
    if (v->exchange) {
        return true;
    }
    sp_visit_free(v);
    return false;
}

enum sp_err sp_visit_count_busy(struct sp_lane *lane, enum sp_err e)
{
    SP_COUNT(&lane->counters, busy, e == SP_E_NOMEM);
    return e;
}

/* Buffers grow by doubling, so what is in them counts twice. */
enum sp_err sp_visit_hold(struct visit *v, size_t bytes, struct sp_why *why)
{
    bool held = sp_budget_hold(v->lane->budget, 2 * bytes);
    if (sp_visit_count_busy(v->lane, held ? SP_OK : SP_E_NOMEM) != SP_OK) {
        return sp_why_set(why, SP_E_NOMEM, "too much is asked at once");
    }
    v->held += 2 * bytes;
    return SP_OK;
}

void sp_visit_out_of_memory(struct visit *v)
{
    struct sp_answer a = {
        .status = 503, .fields = SP_VIEW("Retry-After: 60\r\n"), .close = true};
    v->no_room = true;
    sp_exchange_respond(v->exchange, &a);
}

/* ---- ANSWER ---------------------------------------------------------------------- */

static void do_answer(struct visit *v, const struct sp_effect *e)
{
    sp_visit_keep_hints(v);
    struct sp_answer a = {.status = e->answer.status,
                          .fields = e->answer.fields,
                          .memory = e->answer.body,
                          .content_length = e->answer.announce,
                          .announce_length = e->answer.has_announce,
                          .close = e->answer.close};
    sp_exchange_respond(v->exchange, &a);
}

void sp_visit_perform(struct visit *v, const struct sp_step *step)
{
    static void (*const doers[])(struct visit *, const struct sp_effect *) = {
        [SP_EFFECT_FETCH] = sp_visit_fetch,
        [SP_EFFECT_INSPECT] = sp_visit_inspect,
        [SP_EFFECT_ASK_REVISIONS] = sp_visit_ask_revisions,
        [SP_EFFECT_ASK_FILES] = sp_visit_ask_files,
        [SP_EFFECT_DIGEST] = sp_visit_digest,
        [SP_EFFECT_RECORD] = sp_visit_record,
        [SP_EFFECT_EDIT] = sp_visit_edit,
        [SP_EFFECT_CATALOG] = sp_visit_catalog,
        [SP_EFFECT_LOOKUP] = sp_visit_lookup,
        [SP_EFFECT_FILL] = sp_visit_fill,
        [SP_EFFECT_ANSWER] = do_answer,
        [SP_EFFECT_SERVE] = sp_visit_serve,
        [SP_EFFECT_FOLLOW] = sp_visit_follow,
        [SP_EFFECT_SERVE_GROWING] = sp_visit_serve_growing,
        [SP_EFFECT_RELAY] = sp_visit_relay,
        [SP_EFFECT_OPEN] = sp_visit_open,
        [SP_EFFECT_CUT] = sp_visit_cut,
    };
    SP_ASSERT(step->has_effect && v->exchange);
    doers[step->effect.kind](v, &step->effect);
}

/* ---- what the listener tells ----------------------------------------------------- */

static int64_t newest_of(struct sp_keeper *k)
{
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    return s.newest;
}

/* What is in force now, on this lane; NULL when memory ran out. */
static struct sp_term *term_of(struct sp_lane *l)
{
    if (!l->term) {
        l->term = sp_term_new(l->world, l->seals);
    }
    return l->term ? sp_term_hold(l->term) : NULL;
}

/* One that rested, with its gate, or a new one without. */
static struct visit *visit_take(struct sp_lane *lane, bool is_metadata)
{
    struct visit *v = sp_spares_take(&lane->rested);
    if (!v) {
        v = calloc(1, sizeof *v);
    } else {
        struct sp_gate *gate = v->gate;
        memset(v, 0,
               is_metadata ? offsetof(struct visit, peer)
                           : offsetof(struct visit, joined_next));
        v->gate = gate;
    }
    if (v) {
        v->is_metadata = is_metadata;
    }
    return v;
}

/* What only metadata asks for: faults have a number, cookies a nonce, lists an age. */
static enum sp_err equip(struct sp_lane *lane, struct sp_asker *a)
{
    a->newest = newest_of(lane->keeper);
    SP_TRY(sp_random_draw(&lane->random, a->fault_id.bytes, sizeof a->fault_id.bytes));
    return sp_random_draw(&lane->random, a->seal_nonce, sizeof a->seal_nonce);
}

static enum sp_err give_gate(struct visit *v, const struct sp_asker *asker)
{
    if (!v->gate) {
        return sp_gate_new(&v->door->door, v->world->policy, asker, &v->gate);
    }
    sp_gate_renew(v->gate, &v->door->door, v->world->policy, asker);
    return SP_OK;
}

/* As much of it as fits. */
static void copy_text(struct sp_view from, char *out, size_t size)
{
    size_t n = from.len < size - 1 ? from.len : size - 1;
    memcpy(out, from.data, n);
    out[n] = 0;
}

/* What the handshake told, and only what a line of the policy asks for of the rest. */
static enum sp_err describe(struct visit *v, struct sp_exchange *x, struct sp_asker *a)
{
    struct sp_handshake told = sp_exchange_handshake(x);
    a->tls = told.version;
    a->sni = told.sni;
    if (a->has_pin && sp_policy_reads_names(v->world->policy)) {
        SP_TRY(sp_guest_names(x, &v->names));
        a->names = v->names;
    }
    return SP_OK;
}

static enum sp_err introduce(struct visit *v, struct sp_exchange *x,
                             const struct sp_guest *guest, struct sp_asker *a)
{
    struct sp_lane *lane = v->lane;
    copy_text(sp_view_str(sp_exchange_peer(x)), v->peer, sizeof v->peer);
    copy_text(v->head->host, v->host, sizeof v->host);
    a->address = v->peer;
    a->host = v->host;
    a->has_pin = guest->has_pin;
    memcpy(a->pin, guest->pin.sha256, 32);
    a->now = sp_clock_wall_s();
    a->stopped = sp_lockdown_is_on(lane->lockdown) ? SP_LOCKDOWN_SENTENCE : NULL;
    a->seals = &v->term->seals->keys;
    SP_TRY(describe(v, x, a));
    return v->is_metadata ? equip(lane, a) : SP_OK;
}

static enum sp_err visit_new(struct sp_door_context *d, struct sp_exchange *x,
                             struct sp_guest *guest, struct visit **out)
{
    const struct sp_http_request *head = sp_exchange_request(x);
    struct visit *v = visit_take(d->lane, head->method == SP_HTTP_POST);
    struct sp_asker asker = {0};
    if (!v) {
        sp_guest_leaves(d->lane, 0, &guest->lease);
        return SP_E_NOMEM;
    }
    v->lease = guest->lease;
    v->lane = d->lane;
    v->lane->visits++;
    v->exchange = x;
    v->head = head;
    v->began_ms = sp_loop_now_ms(d->lane->loop);
    v->term = term_of(d->lane);
    enum sp_err e = v->term ? SP_OK : SP_E_NOMEM;
    if (e == SP_OK) {
        v->world = v->term->world;
        v->door = &v->world->doors[d->door];
        e = introduce(v, x, guest, &asker);
    }
    if (e == SP_OK) {
        e = give_gate(v, &asker);
    }
    if (e != SP_OK) {
        sp_visit_free(v);
        return e;
    }
    *out = v;
    return SP_OK;
}

/* Before a byte of it is read: a body in chunks may become as long as any. What is
 * longer than the ceiling is refused without being read. */
static enum sp_err hold_body(struct visit *v, size_t ceiling)
{
    bool bounded = v->head->has_length && v->head->content_length < ceiling;
    return sp_visit_hold(v, bounded ? (size_t)v->head->content_length : ceiling / 2,
                         NULL);
}

static void on_head(void *ctx, struct sp_exchange *x)
{
    struct visit *v = NULL;
    struct sp_step step;
    bool want_body = false;
    size_t ceiling = 0;
    struct sp_guest guest;
    if (sp_guest_is_lost(ctx, x) || sp_custody_takes(ctx, x) ||
        sp_cosign_takes(ctx, x) || !sp_guest_enters(ctx, x, SP_ASKED_NONE, &guest)) {
        return;
    }
    if (visit_new(ctx, x, &guest, &v) != SP_OK) {
        sp_exchange_cut(x);
        return;
    }
    *sp_exchange_slot(x) = v;
    sp_gate_head(v->gate, v->head, &want_body, &ceiling, &step);
    if (want_body && hold_body(v, ceiling) != SP_OK) {
        sp_visit_out_of_memory(v);
        return;
    }
    if (want_body) {
        sp_exchange_want_body(x, ceiling);
        return;
    }
    sp_visit_perform(v, &step);
}

static void on_body(void *ctx, struct sp_exchange *x)
{
    (void)ctx;
    struct visit *v = *sp_exchange_slot(x);
    struct sp_step step;
    if (sp_cosign_body(x)) {
        return;
    }
    v->moved += sp_exchange_body(x).len;
    sp_gate_body(v->gate, sp_exchange_body(x), &step);
    sp_visit_perform(v, &step);
}

static void on_end(void *ctx, struct sp_exchange *x, bool complete)
{
    (void)ctx;
    struct visit *v = *sp_exchange_slot(x);
    struct sp_gate_summary s;
    if (sp_stay_ended(x) || !v) {
        return;
    }
    sp_gate_summary(v->gate, &s);
    s.status = v->no_room ? 503 : s.status;
    sp_visit_tell(v, &s, complete);
    v->exchange = NULL;
    if (v->fetch) {
        sp_fetch_cancel(v->fetch);
    } else if (v->joined) {
        sp_joined_leave(v);
        sp_visit_free(v);
    } else if (v->wants_fill) {
        sp_visit_leave(v);
    } else if (!v->busy) {
        sp_visit_free(v);
    }
}

const struct sp_server_handler sp_exchange_handler = {
    .head = on_head, .body = on_body, .end = on_end, .shut_out = sp_visit_shut_out};
