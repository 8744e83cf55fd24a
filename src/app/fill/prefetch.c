#include "app/fill/filler_parts.h"
#include "app/log/log.h"

#include "core/crypto/crypto.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POLL_MS = 500,      /* has the ledger grown; is somebody still waiting */
    CLOSED_MS = 10000,  /* has the window opened */
    LONGEST_MS = 60000, /* before clocks and budgets are looked at again */
    NOTE_EVERY_MS = 10000
};
#define NOTE_NAME 32

/* One upstream of one world. */
struct walk {
    struct walk *next;
    struct sp_prefetch *owner; /* borrowed */
    struct sp_world *world;    /* shared */
    size_t upstream;           /* index in it */
    char note[NOTE_NAME];
    uv_timer_t timer;
    bool retired, closing; /* another world is in force; its end was begun */
    struct sp_pace *pace;  /* shared */
    /* the place in the ledger */
    uint64_t from; /* where to look next */
    bool at_end;
    uint64_t noted, noted_ms; /* what the note says, since when */
    /* the entry under way */
    struct sp_ask_ahead ask;
    bool asking;
    struct sp_ahead_file *files; /* owned */
    size_t count, at;
    uint64_t entry;
    struct sp_want want;
    bool wanting;
    /* what could not be had: everything from the first such entry is walked again */
    bool missed;
    uint64_t missed_at, again_ms;
    uint64_t again_at; /* the entry this round began at, */
    unsigned rounds;   /* so often in a row */
};

struct sp_prefetch {
    struct sp_loop *loop;     /* borrowed */
    struct sp_filler *filler; /* borrowed */
    struct walk *walks;       /* owned list */
    bool stopping;
    void (*idle)(void *ctx);
    void *idle_ctx;
};

static void step(struct walk *w);

static const struct sp_config_upstream *upstream_of(const struct walk *w)
{
    return &w->world->config->upstreams[w->upstream];
}

static const struct sp_ahead_conf *conf_of(const struct walk *w)
{
    return &upstream_of(w)->ahead;
}

static uint64_t now_of(const struct walk *w)
{
    return sp_loop_now_ms(w->owner->loop);
}

/* ---- the place, written down ----------------------------------------------------- */

/* Everything in front of it is done. */
static uint64_t place(const struct walk *w)
{
    uint64_t at = w->files ? w->entry : w->from;
    return w->missed && w->missed_at < at ? w->missed_at : at;
}

static void write_note(struct walk *w)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRIu64, place(w));
    struct sp_view note = sp_view(text, (size_t)n);
    /* losing it costs a walk over what is here already */
    if (sp_objects_note(w->owner->filler->objects, w->note, note) == SP_OK) {
        w->noted = place(w);
        w->noted_ms = now_of(w);
    }
}

static void note_progress(struct walk *w)
{
    if (place(w) != w->noted && now_of(w) - w->noted_ms >= NOTE_EVERY_MS) {
        write_note(w);
    }
}

static uint64_t ledger_size(const struct walk *w)
{
    struct sp_keeper_status s;
    sp_keeper_status(w->owner->filler->keeper, &s);
    return s.entries;
}

/* Without a note it begins with what is recorded from now on. */
static void read_note(struct walk *w)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    uint64_t size = ledger_size(w);
    sp_buf_init(&text, 64);
    bool known =
        sp_objects_read_note(w->owner->filler->objects, w->note, &text) == SP_OK &&
        sp_u64_parse(sp_buf_view(&text), size, &w->from) == SP_OK;
    if (!known) {
        w->from = size;
    }
    w->noted = known ? w->from : UINT64_MAX;
    note_progress(w);
    if (!known) {
        write_note(w);
    }
}

/* ---- the end of a walk ----------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

static void maybe_idle(struct sp_prefetch *p)
{
    if (p->stopping && !p->walks && p->idle) {
        void (*idle)(void *ctx) = p->idle;
        p->idle = NULL;
        idle(p->idle_ctx);
    }
}

static void pace_unref(struct sp_pace *p)
{
    if (p && --p->refs == 0) {
        sp_upstream_unref(&p->upstream);
        free(p);
    }
}

static void end_walk(struct walk *w)
{
    struct sp_prefetch *p = w->owner;
    struct walk **at = &p->walks;
    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
    free(w->files);
    pace_unref(w->pace);
    sp_world_unref(&w->world);
    uv_close((uv_handle_t *)&w->timer, on_closed);
    maybe_idle(p);
}

static void retire(struct walk *w)
{
    if (!w->retired) {
        w->retired = true;
        write_note(w);
    }
    uv_timer_stop(&w->timer);
    if (!w->asking && !w->wanting) {
        end_walk(w);
    }
}

/* ---- files ----------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    step(timer->data);
}

static void wait_for(struct walk *w, uint64_t ms)
{
    uv_timer_start(&w->timer, on_timer, ms < LONGEST_MS ? ms : LONGEST_MS, 0);
}

/* Tried again from this entry on, unless that was done often enough. */
static void miss(struct walk *w)
{
    bool again = w->rounds && w->entry == w->again_at;
    uint64_t ms = sp_ahead_again_ms(again ? w->rounds : 0);
    if (ms == 0) {
        sp_log_say(SP_LOG_WARNING, "prefetch",
                   "files of ledger entry %" PRIu64 " could not be fetched ahead from "
                   "%s: they are left until somebody asks",
                   w->entry, upstream_of(w)->name);
        return;
    }
    if (!w->missed || w->entry < w->missed_at) {
        w->missed_at = w->entry;
    }
    if (!w->missed) {
        w->missed = true;
        w->again_ms = now_of(w) + ms;
    }
}

static void on_want(struct sp_want *want, enum sp_err e)
{
    struct walk *w = SP_HOLDER(want, struct walk, want);
    struct sp_counters *c = &w->owner->filler->counters;
    w->wanting = false;
    if (e == SP_OK) {
        SP_COUNT(c, ahead_files, 1);
        SP_COUNT(c, ahead_bytes, w->want.object->size);
        sp_object_unref(&w->want.object);
    } else {
        miss(w);
    }
    if (w->retired) {
        retire(w);
    } else {
        step(w);
    }
}

static void want(struct walk *w, const struct sp_ahead_file *f)
{
    w->want = (struct sp_want){.world = sp_world_ref(w->world),
                               .upstream = w->upstream,
                               .claim = f->claim,
                               .pace = w->pace,
                               .loop = w->owner->loop,
                               .answer = on_want};
    memcpy(w->want.path.sha1, f->claim.sha1, sizeof w->want.path.sha1);
    memcpy(w->want.path.ext, f->claim.ext, sizeof w->want.path.ext);
    w->wanting = true;
    sp_filler_want(w->owner->filler, &w->want);
}

/* True: one is on its way. False: all of this entry are done. */
static bool want_next(struct walk *w)
{
    struct sp_stock *stock = w->owner->filler->stock;
    while (w->at < w->count) {
        const struct sp_ahead_file *f = &w->files[w->at++];
        if (f->verified && sp_stock_has(stock, f->sha256)) {
            continue;
        }
        if (sp_stock_has_room(stock, f->claim.size)) {
            want(w, f);
            return true;
        }
        miss(w);
    }
    free(w->files);
    w->files = NULL;
    w->count = w->at = 0;
    note_progress(w);
    return false;
}

/* ---- entries --------------------------------------------------------------------- */

static void on_found(struct sp_ask_ahead *q, enum sp_err e)
{
    struct walk *w = SP_HOLDER(q, struct walk, ask);
    w->asking = false;
    w->files = q->files;
    w->count = e == SP_OK ? q->count : 0;
    w->at = 0;
    if (e == SP_OK) {
        w->entry = q->at;
        w->from = q->next;
        w->at_end = q->at_end;
    }
    if (e == SP_OK && q->incomplete) {
        miss(w);
    }
    if (w->retired) {
        retire(w);
    } else if (e == SP_OK) {
        step(w);
    } else {
        wait_for(w, LONGEST_MS); /* the index or the ledger: others say so */
    }
}

static void ask(struct walk *w)
{
    w->ask = (struct sp_ask_ahead){.from = w->from,
                                   .conf = conf_of(w),
                                   .upstream = upstream_of(w)->name,
                                   .loop = w->owner->loop,
                                   .answer = on_found};
    w->asking = true;
    sp_keeper_ask_ahead(w->owner->filler->keeper, &w->ask);
}

/* All was looked at. Back to what was missed when it is time, else until there is more.
 */
static void rest(struct walk *w)
{
    if (place(w) != w->noted) {
        write_note(w);
    }
    if (w->missed && now_of(w) >= w->again_ms) {
        w->rounds = w->rounds && w->again_at == w->missed_at ? w->rounds + 1 : 1;
        w->from = w->again_at = w->missed_at;
        w->missed = w->at_end = false;
        step(w);
        return;
    }
    w->at_end = ledger_size(w) == w->from;
    if (w->at_end) {
        wait_for(w, POLL_MS);
    } else {
        ask(w);
    }
}

static bool is_open(const struct walk *w)
{
    time_t now = (time_t)sp_clock_wall_s();
    struct tm local;
    return !localtime_r(&now, &local) ||
           sp_ahead_window_is_open(&conf_of(w)->window,
                                   (unsigned)(local.tm_hour * 60 + local.tm_min));
}

/* How long nothing may be begun; 0: it may. */
static uint64_t wait_of(const struct walk *w)
{
    if (!is_open(w)) {
        return CLOSED_MS;
    }
    if (sp_filler_is_asked(w->owner->filler, w->pace->upstream)) {
        return POLL_MS;
    }
    return sp_ahead_wait(&w->pace->budget, w->pace->rate, now_of(w));
}

static void step(struct walk *w)
{
    uint64_t ms = wait_of(w);
    if (ms) {
        wait_for(w, ms);
    } else if (!want_next(w)) {
        if (w->at_end) {
            rest(w);
        } else {
            ask(w);
        }
    }
}

/* ---- worlds ---------------------------------------------------------------------- */

/* Names are free text: the note is named by a digest of it. */
static void name_note(struct walk *w)
{
    uint8_t sha256[32];
    sp_sha256(sp_view_str(upstream_of(w)->name), sha256);
    int n = snprintf(w->note, sizeof w->note, "prefetch-");
    for (size_t i = 0; i < 8; i++) {
        n += snprintf(w->note + n, sizeof w->note - (size_t)n, "%02x", sha256[i]);
    }
}

/* That of an older walk, whose transfer may still run, with what is in force now. */
static enum sp_err take_pace(struct walk *w)
{
    for (const struct walk *old = w->owner->walks; old && !w->pace; old = old->next) {
        w->pace = strcmp(old->note, w->note) == 0 ? old->pace : NULL;
    }
    if (!w->pace) {
        w->pace = calloc(1, sizeof *w->pace);
    }
    if (!w->pace) {
        return SP_E_NOMEM;
    }
    w->pace->refs++;
    w->pace->rate = conf_of(w)->rate;
    sp_upstream_unref(&w->pace->upstream);
    w->pace->upstream = sp_upstream_ref(w->world->upstreams[w->upstream]);
    return SP_OK;
}

static void begin_walk(struct sp_prefetch *p, struct sp_world *world, size_t upstream)
{
    struct walk *w = calloc(1, sizeof *w);
    if (w) {
        *w = (struct walk){.owner = p, .world = world, .upstream = upstream};
        name_note(w);
    }
    if (!w || take_pace(w) != SP_OK) {
        free(w);
        sp_log_say(SP_LOG_ERROR, "prefetch",
                   "memory ran out: nothing is fetched ahead");
        return;
    }
    sp_world_ref(world);
    uv_timer_init(sp_loop_uv(p->loop), &w->timer);
    w->timer.data = w;
    read_note(w);
    w->next = p->walks;
    p->walks = w;
    wait_for(w, 0);
}

static void retire_all(struct walk *from)
{
    for (struct walk *w = from, *next; w; w = next) {
        next = w->next;
        retire(w);
    }
}

struct adoption {
    struct sp_msg msg;
    struct sp_prefetch *prefetch;
    struct sp_world *world; /* shared */
};

static void on_world(struct sp_msg *msg)
{
    struct adoption *a = (struct adoption *)(void *)msg;
    struct sp_prefetch *p = a->prefetch;
    struct walk *old = p->walks;
    for (struct walk *w = old; w; w = w->next) {
        write_note(w); /* the new walk goes on there */
    }
    const struct sp_config *c = a->world->config;
    for (size_t i = 0; !p->stopping && i < c->upstream_count; i++) {
        if (c->upstreams[i].ahead.on) {
            begin_walk(p, a->world, i);
        }
    }
    retire_all(old);
    sp_world_unref(&a->world);
    free(a);
}

void sp_prefetch_set_world(struct sp_prefetch *p, struct sp_world *w)
{
    struct adoption *a = calloc(1, sizeof *a);
    if (!a) {
        sp_log_say(SP_LOG_ERROR, "prefetch",
                   "memory ran out: the old configuration stays in force");
        return;
    }
    *a = (struct adoption){
        .msg = {.run = on_world}, .prefetch = p, .world = sp_world_ref(w)};
    sp_loop_post(p->loop, &a->msg);
}

/* ---- life ------------------------------------------------------------------------ */

enum sp_err sp_prefetch_new(struct sp_loop *loop, struct sp_filler *filler,
                            struct sp_prefetch **out)
{
    struct sp_prefetch *p = calloc(1, sizeof *p);
    if (!p) {
        return SP_E_NOMEM;
    }
    p->loop = loop;
    p->filler = filler;
    *out = p;
    return SP_OK;
}

void sp_prefetch_stop(struct sp_prefetch *p, void (*idle)(void *ctx), void *ctx)
{
    p->stopping = true;
    p->idle = idle;
    p->idle_ctx = ctx;
    retire_all(p->walks);
    maybe_idle(p);
}

void sp_prefetch_free(struct sp_prefetch **p)
{
    if (*p) {
        free(*p);
        *p = NULL;
    }
}
