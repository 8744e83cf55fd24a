/* Askers that read a file while it comes. The filler offers it once it may; they say
 * which bytes they want, and are told whenever more of them may go out. Notes to one
 * asker never pile up: while one is on its way, only the number it carries changes. */
#include "app/fill/filler_parts.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- the file -------------------------------------------------------------------- */

struct sp_inflow *sp_inflow_ref(struct sp_inflow *i)
{
    atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);
    return i;
}

void sp_inflow_unref(struct sp_inflow **i)
{
    if (*i && atomic_fetch_sub_explicit(&(*i)->refs, 1, memory_order_acq_rel) == 1) {
        close((*i)->fd);
        free(*i);
    }
    *i = NULL;
}

/* How far the file may be read, from a byte on, before the verdict. */
static uint64_t open_from(const struct fill *f, uint64_t first, uint64_t hold_at)
{
    uint64_t open = sp_fill_open(f->machine, sp_roads_reach(&f->roads, first));
    return open < hold_at ? open : hold_at;
}

/* NULL when there is no descriptor or memory: then everybody waits for the verdict. */
static struct sp_inflow *inflow_new(const struct fill *f)
{
    struct sp_inflow *i = calloc(1, sizeof *i);
    if (!i || sp_stage_reader(f->stage, &i->fd) != SP_OK) {
        free(i);
        return NULL;
    }
    atomic_init(&i->refs, 1);
    i->size = f->claim.size;
    i->hold_at = sp_fill_hold_at(f->machine);
    atomic_init(&i->open, open_from(f, 0, i->hold_at));
    sp_object_validators(f->is_proven ? f->got.sha256 : f->claim.sha256, i->etag,
                         &i->last_modified);
    return i;
}

/* ---- offers ---------------------------------------------------------------------- */

static void deliver_offer(struct sp_msg *msg)
{
    struct sp_want *w = SP_HOLDER(msg, struct sp_want, note);
    w->offered(w);
}

static void answer_proven(struct sp_want *w)
{
    w->status = 200;
    sp_fill_answer(w, SP_OK);
}

void sp_fill_offer_to(struct fill *f, struct sp_want *w)
{
    if (!f->inflow || !w->offered) {
        return;
    }
    w->inflow = sp_inflow_ref(f->inflow);
    if (f->is_proven) {
        answer_proven(w);
        return;
    }
    w->note.run = deliver_offer;
    sp_loop_post(w->loop, &w->note);
}

void sp_fill_offer(struct fill *f)
{
    if (f->inflow || sp_fill_hold_at(f->machine) == 0) {
        return;
    }
    f->inflow = inflow_new(f);
    for (struct sp_want *w = f->waiting; w; w = w->next) {
        sp_fill_offer_to(f, w);
    }
}

void sp_fill_proven(struct fill *f)
{
    f->is_proven = true;
    f->inflow = f->inflow ? f->inflow : inflow_new(f);
    for (struct sp_want *w = f->waiting, *next; w; w = next) {
        next = w->next;
        if (w->inflow) {
            answer_proven(w);
        } else {
            sp_fill_offer_to(f, w);
        }
    }
}

/* ---- followers ------------------------------------------------------------------- */

static void deliver_grown(struct sp_msg *msg)
{
    struct sp_want *w = SP_HOLDER(msg, struct sp_want, note);
    atomic_store(&w->noted, false);
    w->grown(w, atomic_load(&w->open));
}

/* The tail is not told here: the answer to the want opens it. */
static void tell(struct sp_want *w)
{
    const struct fill *f = w->fill;
    uint64_t open = open_from(f, w->first, f->inflow->hold_at);
    uint64_t end = w->first + w->length;
    open = open < end ? open : end;
    if (open <= w->first || open == w->told) {
        return;
    }
    w->told = open;
    atomic_store(&w->open, open);
    if (!atomic_exchange(&w->noted, true)) {
        w->note.run = deliver_grown;
        sp_loop_post(w->loop, &w->note);
    }
}

void sp_fill_grown(struct fill *f)
{
    if (f->inflow) {
        atomic_store(&f->inflow->open, open_from(f, 0, f->inflow->hold_at));
    }
    for (struct sp_want *w = f->waiting; w; w = w->next) {
        if (w->follows) {
            tell(w);
        }
    }
}

static void on_follow(struct sp_msg *msg)
{
    struct sp_want *w = SP_HOLDER(msg, struct sp_want, note);
    if (w->fill) { /* else it was answered meanwhile */
        w->follows = true;
        tell(w);
        sp_fill_spread(w->fill);
    }
}

uint64_t sp_filler_follow(struct sp_want *w, uint64_t first, uint64_t length)
{
    uint64_t open = atomic_load(&w->inflow->open), end = first + length;
    open = open < end ? open : end;
    open = open > first ? open : 0;
    w->first = first;
    w->length = length;
    w->told = open;
    atomic_store(&w->open, open);
    w->note.run = on_follow;
    sp_loop_post(w->filler->loop, &w->note);
    return open;
}
