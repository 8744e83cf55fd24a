/* The filler: the registry of fills and the loop they run on. A want joins the fill of
 * its digest or begins it; whoever asks, on whatever loop, there is one transfer a
 * digest. */
#include "app/fill/filler_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers --------------------------------------------------------------------- */

static void deliver(struct sp_msg *msg)
{
    struct sp_want *w = SP_HOLDER(msg, struct sp_want, msg);
    w->answer(w, w->err);
}

static void unlink_want(struct sp_want *w)
{
    if (w->fill) {
        *w->previous = w->next;
        if (w->next) {
            w->next->previous = w->previous;
        }
        w->fill = NULL;
    }
}

void sp_fill_answer(struct sp_want *w, enum sp_err e)
{
    unlink_want(w);
    sp_world_unref(&w->world);
    w->err = e;
    w->msg.run = deliver;
    sp_loop_post(w->loop, &w->msg);
}

void sp_fill_answer_failure(struct sp_want *w, enum sp_err e, int status,
                            const char *text)
{
    w->status = status;
    sp_why_say(&w->why, "%s", text);
    sp_fill_answer(w, e);
}

/* ---- a fill's life --------------------------------------------------------------- */

static void on_pause_closed(uv_handle_t *h)
{
    free(h->data);
}

/* On the loop of whoever stopped it: the thread is about to end, or has. */
static void on_stopped(struct sp_msg *msg)
{
    struct sp_filler *filler = SP_HOLDER(msg, struct sp_filler, stop);
    sp_loop_join(filler->loop);
    filler->stopped(filler->stopped_ctx);
}

static void maybe_end(struct sp_filler *filler)
{
    bool idle = filler->stock_idle && filler->prefetch_idle && !filler->fills;
    if (filler->stopping && idle) {
        sp_loop_stop(filler->loop);
        filler->stop.run = on_stopped;
        sp_loop_post(filler->stopper, &filler->stop);
    }
}

void sp_fill_end(struct fill *f)
{
    *(f->previous ? &f->previous->next : &f->filler->fills) = f->next;
    if (f->next) {
        f->next->previous = f->previous;
    }
    SP_ASSERT(!f->chore.busy && !f->note.busy);
    sp_fill_forget_transfers(f);
    sp_roads_fini(&f->roads);
    sp_fill_free(&f->machine);
    sp_stage_drop(&f->stage);
    sp_digester_free(&f->digester);
    free(f->mapped);
    sp_facts_free(&f->signatures);
    sp_facts_free(&f->known.origin);
    sp_object_unref(&f->object);
    sp_inflow_unref(&f->inflow);
    sp_upstream_unref(&f->source);
    sp_world_unref(&f->world);
    struct sp_filler *filler = f->filler;
    sp_stock_release(filler->stock, f->reserved);
    sp_board_drop(&filler->board, f->row);
    uv_close((uv_handle_t *)&f->pause, on_pause_closed);
    maybe_end(filler);
}

/* ---- the registry ---------------------------------------------------------------- */

static struct fill *find(struct sp_filler *filler, const uint8_t sha1[20])
{
    for (struct fill *f = filler->fills; f; f = f->next) {
        if (memcmp(f->claim.sha1, sha1, 20) == 0) {
            return f;
        }
    }
    return NULL;
}

static void join(struct fill *f, struct sp_want *w)
{
    w->fill = f;
    w->next = f->waiting;
    w->previous = &f->waiting;
    if (w->next) {
        w->next->previous = &w->next;
    }
    f->waiting = w;
    sp_fill_offer_to(f, w);
    sp_fill_go_on(f);
}

/* The file is here: a fill that ended between the asker's look-up and its want. */
static void serve_what_is_here(struct fill *f)
{
    while (f->waiting) {
        struct sp_want *w = f->waiting;
        w->object = sp_object_ref(f->object);
        w->status = 200;
        sp_fill_answer(w, SP_OK);
    }
    sp_fill_end(f);
}

static void on_looked_again(struct sp_ask_claim *q, enum sp_err e)
{
    struct fill *f = SP_HOLDER(q, struct fill, known);
    struct sp_fill_effect first;
    const struct sp_stock_file file = {.sha256 = q->verified_sha256,
                                       .sha1 = f->claim.sha1,
                                       .size = f->claim.size,
                                       .tree = &q->tree};
    bool here = e == SP_OK && q->verified &&
                sp_stock_open(f->filler->stock, &file, &f->object) == SP_OK;
    if (e == SP_OK) {
        sp_fill_hint(f->machine, sp_view_str(q->url));
    }
    if (here) {
        serve_what_is_here(f);
    } else if (sp_fill_start(f->machine, &first)) {
        sp_fill_perform(f, &first);
    }
}

static void look_again(struct fill *f)
{
    f->known = (struct sp_ask_claim){
        .wants_origin = true, .loop = f->filler->loop, .answer = on_looked_again};
    memcpy(f->known.sha1, f->claim.sha1, 20);
    sp_keeper_ask_claim(f->filler->keeper, &f->known);
}

static uint8_t *doubted_place(struct sp_filler *filler, const uint8_t sha1[20])
{
    return filler->doubted[sha1[0] % ABSENT_PLACES];
}

static void begin(struct sp_filler *filler, struct sp_want *w)
{
    struct fill *f = calloc(1, sizeof *f);
    if (!f || sp_fill_new(&w->world->fills[w->upstream], w->world->policy, &w->path,
                          &w->claim, &f->machine) != SP_OK) {
        free(f);
        sp_fill_answer_failure(w, SP_E_NOMEM, 503, "Memory ran out; try again later.");
        return;
    }
    f->filler = filler;
    f->world = sp_world_ref(w->world);
    f->upstream = w->upstream;
    f->path = w->path;
    f->claim = w->claim;
    f->is_again = memcmp(doubted_place(filler, f->claim.sha1), f->claim.sha1, 20) == 0;
    f->pause.data = f;
    uv_timer_init(sp_loop_uv(filler->loop), &f->pause);
    f->next = filler->fills;
    if (f->next) {
        f->next->previous = f;
    }
    filler->fills = f;
    f->row = sp_board_put(&filler->board, f->claim.sha1, f->claim.size);
    join(f, w);
    look_again(f);
}

static void open_object(struct sp_filler *filler, struct sp_want *w)
{
    const struct sp_stock_file file = {.sha256 = w->verified_sha256,
                                       .sha1 = w->claim.sha1,
                                       .size = w->claim.size,
                                       .tree = &w->tree};
    enum sp_err e = sp_stock_open(filler->stock, &file, &w->object);
    w->status = e == SP_OK ? 200 : 404;
    sp_fill_answer(w, e);
}

/* ---- 404: not there yet ---------------------------------------------------------- */

static struct absent *absent_place(struct sp_filler *filler, const uint8_t sha1[20])
{
    return &filler->absent[sha1[0] % ABSENT_PLACES];
}

static bool is_absent(struct sp_filler *filler, const struct sp_want *w)
{
    const struct absent *a = absent_place(filler, w->claim.sha1);
    return a->until_ms > sp_loop_now_ms(filler->loop) && a->upstream == w->upstream &&
           memcmp(a->sha1, w->claim.sha1, 20) == 0;
}

void sp_fill_absent(struct fill *f)
{
    struct absent *a = absent_place(f->filler, f->claim.sha1);
    memcpy(a->sha1, f->claim.sha1, 20);
    a->upstream = f->upstream;
    a->until_ms = sp_loop_now_ms(f->filler->loop) + SP_TIME_FILL_ABSENT;
}

void sp_fill_doubt(struct fill *f, bool good)
{
    uint8_t *place = doubted_place(f->filler, f->claim.sha1);
    if (!good) {
        memcpy(place, f->claim.sha1, 20);
    } else if (memcmp(place, f->claim.sha1, 20) == 0) {
        memset(place, 0, 20);
    }
}

static void on_want(struct sp_msg *msg)
{
    struct sp_want *w = SP_HOLDER(msg, struct sp_want, msg);
    struct sp_filler *filler = w->filler;
    struct fill *f = find(filler, w->claim.sha1);
    if (filler->stopping) {
        sp_fill_answer_failure(w, SP_E_CANCELLED, 503, "This server is stopping.");
    } else if (w->open_only) {
        open_object(filler, w);
    } else if (f) {
        join(f, w);
    } else if (is_absent(filler, w)) {
        sp_fill_answer_failure(
            w, SP_E_NOTFOUND, 404,
            "The upstream did not have this file (404) a moment ago. "
            "It is asked again in a few seconds.");
    } else {
        begin(filler, w);
    }
}

static void deliver_left(struct sp_msg *msg)
{
    struct sp_want *w = SP_HOLDER(msg, struct sp_want, leave);
    w->left(w);
}

static void on_leave(struct sp_msg *msg)
{
    struct sp_want *w = SP_HOLDER(msg, struct sp_want, leave);
    if (w->fill) {
        unlink_want(w);
        sp_world_unref(&w->world);
    }
    w->leave.run = deliver_left;
    sp_loop_post(w->loop, &w->leave);
}

void sp_filler_leave(struct sp_want *w)
{
    w->leave.run = on_leave;
    sp_loop_post(w->filler->loop, &w->leave);
}

void sp_filler_want(struct sp_filler *f, struct sp_want *w)
{
    w->filler = f;
    w->msg.run = on_want;
    sp_loop_post(f->loop, &w->msg);
}

/* ---- the thread ------------------------------------------------------------------ */

enum sp_err sp_filler_new(struct sp_keeper *keeper, struct sp_objects *objects,
                          struct sp_desk *desk, struct sp_filler **out,
                          struct sp_why *why)
{
    struct sp_filler *f = calloc(1, sizeof *f);
    if (!f) {
        return SP_E_NOMEM;
    }
    f->keeper = keeper;
    f->objects = objects;
    f->desk = desk;
    enum sp_err e = sp_board_init(&f->board);
    if (e == SP_OK) {
        e = sp_loop_new("filler", &f->loop);
    }
    if (e == SP_OK) {
        e = sp_upstream_pool_new(f->loop, &f->pool);
        sp_filler_pace_init(f);
        sp_filler_gather_init(f);
        sp_filler_chore_init(f);
    }
    if (e == SP_OK) {
        e = sp_stock_new(
            &(struct sp_stock_conf){f->loop, keeper, objects, &f->counters}, &f->stock,
            why);
    }
    if (e == SP_OK) {
        e = sp_prefetch_new(f->loop, f, &f->prefetch);
    }
    if (e == SP_OK) {
        e = sp_loop_start(f->loop);
    }
    if (e != SP_OK) {
        return sp_why_set(why, e, "the filler cannot start: %s", sp_err_text(e));
    }
    *out = f;
    return SP_OK;
}

static void on_stock_idle(void *ctx)
{
    struct sp_filler *f = ctx;
    f->stock_idle = true;
    maybe_end(f);
}

static void on_prefetch_idle(void *ctx)
{
    struct sp_filler *f = ctx;
    f->prefetch_idle = true;
    maybe_end(f);
}

static void on_stop(struct sp_msg *msg)
{
    struct sp_filler *f = SP_HOLDER(msg, struct sp_filler, stop);
    atomic_store(&f->stopping, true);
    uv_close((uv_handle_t *)&f->held, NULL);
    uv_close((uv_handle_t *)&f->linger, NULL);
    uv_close((uv_handle_t *)&f->noting, NULL);
    sp_upstream_pool_close(&f->pool);
    for (struct fill *fill = f->fills, *next; fill; fill = next) {
        next = fill->next;
        sp_fill_hurry(fill);
    }
    sp_prefetch_stop(f->prefetch, on_prefetch_idle, f);
    sp_stock_stop(f->stock, on_stock_idle, f);
}

void sp_filler_stop(struct sp_filler *f, struct sp_loop *l, void (*stopped)(void *ctx),
                    void *ctx)
{
    f->stopper = l;
    f->stopped = stopped;
    f->stopped_ctx = ctx;
    f->stop.run = on_stop;
    sp_loop_post(f->loop, &f->stop);
}

void sp_filler_free(struct sp_filler **f)
{
    if (*f) {
        sp_loop_free(&(*f)->loop);
        sp_prefetch_free(&(*f)->prefetch);
        sp_stock_free(&(*f)->stock);
        sp_board_fini(&(*f)->board);
        free(*f);
        *f = NULL;
    }
}

const struct sp_counters *sp_filler_counters(const struct sp_filler *f)
{
    return &f->counters;
}

struct sp_board *sp_filler_board(struct sp_filler *f)
{
    return &f->board;
}

struct sp_stock *sp_filler_stock(struct sp_filler *f)
{
    return f->stock;
}

void sp_filler_set_world(struct sp_filler *f, struct sp_world *w)
{
    sp_prefetch_set_world(f->prefetch, w);
}
