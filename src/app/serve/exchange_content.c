/* Content on a lane: objects that are here, fills that are joined, and files that are
 * read while they come.
 *
 * Once a visit has joined a fill, only the filler's last word (left) ends it. */
#include "app/fill/stock.h"
#include "app/offline/renewer.h"
#include "app/serve/visit.h"

#include <string.h>

/* ---- content --------------------------------------------------------------------- */

static const struct sp_gate_object *view_object(struct visit *v)
{
    v->object_view = (struct sp_gate_object){.size = v->object->size,
                                             .etag = v->object->etag,
                                             .last_modified = v->object->last_modified};
    return &v->object_view;
}

/* Takes the reference. False when the object went out of service in the meantime. */
static bool read_object(struct visit *v, struct sp_object *o)
{
    if (!sp_object_read_begin(o)) {
        sp_object_unref(&o);
        return false;
    }
    v->object = o;
    return true;
}

static enum sp_err take_object(struct visit *v, enum sp_err e)
{
    struct sp_object *o = v->want.object;
    v->want.object = NULL;
    if (!o) {
        return e;
    }
    if (!read_object(v, o)) {
        v->want.status = 503;
        sp_why_say(&v->want.why, "The stored file was found damaged; try again.");
        return SP_E_NOTFOUND;
    }
    sp_hot_put(&v->lane->hot, v->object);
    return e;
}

/* A look into the store: it is there, or must be fetched after all. */
static void open_answer(struct sp_want *w, enum sp_err e)
{
    struct visit *v = VISIT_OF(w, want);
    struct sp_step step;
    e = take_object(v, e);
    if (!sp_visit_came_back(v)) {
        return;
    }
    if (e == SP_OK) {
        SP_COUNT(&v->lane->counters, content_hits, 1);
        sp_gate_object(v->gate, view_object(v), &step);
    } else {
        sp_gate_claim(v->gate, SP_OK, &v->claim.claim, &step);
    }
    sp_visit_perform(v, &step);
}

static const struct sp_gate_object *view_inflow(struct visit *v)
{
    const struct sp_inflow *i = v->want.inflow;
    v->object_view = (struct sp_gate_object){
        .size = i->size, .etag = i->etag, .last_modified = i->last_modified};
    return &v->object_view;
}

/* What a fill ended with; NULL: with nothing. */
static const struct sp_gate_object *view_filled(struct visit *v, enum sp_err e)
{
    if (e != SP_OK) {
        return NULL;
    }
    return v->object ? view_object(v) : view_inflow(v);
}

/* The end of a fill. An answer that the gate is done with needs to hear nothing. */
static void fill_answer(struct sp_want *w, enum sp_err e)
{
    struct visit *v = VISIT_OF(w, want);
    struct sp_step step;
    e = take_object(v, e);
    if (!v->exchange || sp_gate_station(v->gate) == SP_STATION_DONE) {
        return;
    }
    sp_gate_filled(v->gate, view_filled(v, e), w->status, &w->why, &step);
    sp_visit_perform(v, &step);
}

static void fill_offered(struct sp_want *w)
{
    struct visit *v = VISIT_OF(w, want);
    struct sp_step step;
    if (!v->exchange) {
        return;
    }
    sp_gate_growing(v->gate, view_inflow(v), w->inflow->hold_at, &step);
    sp_visit_perform(v, &step);
}

/* So much of what was asked for may go out: what came, and what the gate allows. */
static uint64_t ready(const struct visit *v, uint64_t open)
{
    uint64_t came = open - v->want.first;
    return came < v->early ? came : v->early;
}

static void fill_grown(struct sp_want *w, uint64_t open)
{
    struct visit *v = VISIT_OF(w, want);
    struct sp_step step;
    if (!v->exchange || sp_gate_station(v->gate) == SP_STATION_DONE) {
        return;
    }
    if (v->early) {
        sp_exchange_grow(v->exchange, ready(v, open));
    } else {
        sp_gate_begun(v->gate, &step);
        sp_visit_perform(v, &step);
    }
}

static void fill_left(struct sp_want *w)
{
    sp_visit_free(VISIT_OF(w, want));
}

void sp_visit_leave(struct visit *v)
{
    sp_filler_leave(&v->want);
}

static void open_object(struct visit *v, const struct sp_content_path *path,
                        const struct sp_claim *claim)
{
    v->want = (struct sp_want){.world = sp_world_ref(v->world),
                               .upstream = v->door->upstream,
                               .path = *path,
                               .claim = *claim,
                               .open_only = true,
                               .loop = v->lane->loop,
                               .answer = open_answer};
    memcpy(v->want.verified_sha256, v->claim.verified_sha256, 32);
    v->want.tree = v->claim.tree;
    v->wants = v->busy = true;
    sp_filler_want(v->lane->filler, &v->want);
}

static void claim_answer(struct sp_ask_claim *q, enum sp_err e)
{
    struct visit *v = VISIT_OF(q, claim);
    struct sp_step step;
    if (!sp_visit_came_back(v)) {
        return; /* and the head is gone with the asker */
    }
    if (e == SP_OK && q->claimed && q->verified) {
        struct sp_route route = sp_route(v->head->target);
        open_object(v, &route.content, &q->claim);
        return;
    }
    sp_gate_claim(v->gate, e, q->claimed ? &q->claim : NULL, &step);
    sp_visit_perform(v, &step);
}

void sp_visit_catalog(struct visit *v, const struct sp_effect *e)
{
    struct sp_object *o = v->lane->renewer ? sp_renewer_object(v->lane->renewer) : NULL;
    struct sp_step step;
    (void)e;
    if (o && read_object(v, o)) {
        sp_gate_object(v->gate, view_object(v), &step);
    } else {
        sp_gate_no_catalog(v->gate, &step);
    }
    sp_visit_perform(v, &step);
}

/* From memory, or to be read. Whoever wants every byte checked again gets none from
 * memory. False: it is not at hand, or out of service. */
static bool take_hot(struct visit *v, const uint8_t sha1[20])
{
    struct sp_object *hot = sp_hot_find(&v->lane->hot, sha1);
    if (hot && !v->world->config->recheck_always) {
        v->file = sp_hot_file(&v->lane->hot, hot);
    }
    return v->file || (hot && read_object(v, sp_object_ref(hot)));
}

void sp_visit_lookup(struct visit *v, const struct sp_effect *e)
{
    struct sp_step step;
    if (take_hot(v, e->content.sha1)) {
        SP_COUNT(&v->lane->counters, content_hits, 1);
        sp_gate_object(v->gate, v->file ? &v->file->shown : view_object(v), &step);
        sp_visit_perform(v, &step);
        return;
    }
    v->claim = (struct sp_ask_claim){.loop = v->lane->loop, .answer = claim_answer};
    memcpy(v->claim.sha1, e->content.sha1, 20);
    v->busy = true;
    sp_keeper_ask_claim(v->lane->keeper, &v->claim);
}

void sp_visit_fill(struct visit *v, const struct sp_effect *e)
{
    SP_COUNT(&v->lane->counters, content_fills, 1);
    v->want = (struct sp_want){.world = sp_world_ref(v->world),
                               .upstream = v->door->upstream,
                               .path = e->content,
                               .claim = e->claim,
                               .loop = v->lane->loop,
                               .answer = fill_answer,
                               .offered = fill_offered,
                               .grown = fill_grown,
                               .left = fill_left};
    v->wants = v->wants_fill = true;
    sp_filler_want(v->lane->filler, &v->want);
}

/* ---- SERVE ----------------------------------------------------------------------- */

static struct sp_answer answer_of(const struct sp_effect *e)
{
    return (struct sp_answer){.status = e->answer.status,
                              .fields = e->answer.fields,
                              .content_length = e->answer.announce,
                              .announce_length = e->answer.has_announce};
}

void sp_visit_serve(struct visit *v, const struct sp_effect *e)
{
    struct sp_answer a = answer_of(e);
    if (v->file) {
        struct sp_view all = sp_view(v->file->bytes, v->file->len);
        size_t first = (size_t)e->answer.first;
        a.memory = sp_view_slice(all, first, first + (size_t)e->answer.length);
    } else if (v->object) {
        a.file =
            (struct sp_answer_file){.fd = v->object->fd,
                                    .offset = e->answer.first,
                                    .length = e->answer.length,
                                    .guard = sp_guard(v->world->config->recheck_always),
                                    .guard_ctx = v->object,
                                    .size = v->object->size};
    } else if (v->want.inflow) { /* else nothing but the head is sent */
        a.file = (struct sp_answer_file){.fd = v->want.inflow->fd,
                                         .offset = e->answer.first,
                                         .length = e->answer.length};
    }
    v->moved += e->answer.length;
    if (v->wants_fill) {
        SP_COUNT(&v->lane->counters, content_bytes_fill, e->answer.length);
    } else {
        SP_COUNT(&v->lane->counters, content_bytes_hit, e->answer.length);
    }
    sp_exchange_respond(v->exchange, &a);
}

void sp_visit_follow(struct visit *v, const struct sp_effect *e)
{
    struct sp_step step;
    if (sp_filler_follow(&v->want, e->answer.first, e->answer.length)) {
        sp_gate_begun(v->gate, &step);
        sp_visit_perform(v, &step);
    }
}

void sp_visit_serve_growing(struct visit *v, const struct sp_effect *e)
{
    struct sp_answer a = answer_of(e);
    v->early = e->answer.early;
    a.file = (struct sp_answer_file){.fd = v->want.inflow->fd,
                                     .offset = e->answer.first,
                                     .length = e->answer.length,
                                     .grows = true,
                                     .ready = ready(v, atomic_load(&v->want.open))};
    v->moved += e->answer.length;
    SP_COUNT(&v->lane->counters, content_bytes_fill, e->answer.length);
    sp_exchange_respond(v->exchange, &a);
}

void sp_visit_open(struct visit *v, const struct sp_effect *e)
{
    (void)e;
    sp_exchange_grow(v->exchange,
                     v->is_metadata ? v->arrival->bytes.len : v->want.length);
}

void sp_visit_cut(struct visit *v, const struct sp_effect *e)
{
    (void)e;
    sp_exchange_cut(v->exchange);
}
