/* A file that is fetched ahead stands still while anything is under way from the same
 * upstream that somebody asked for, and whenever it is ahead of its rate. Its transfer
 * rests: the connection stays, nothing is read from it, and so the upstream stops
 * sending once its window is full. Who asks for the file itself makes it go on at once.
 */
#include "app/fill/filler_parts.h"

#include <string.h>

/* NULL: somebody asked for the file. One that nobody waits for any more goes on for
 * whoever asked. */
static struct sp_pace *pace_of(const struct fill *f)
{
    struct sp_pace *pace = NULL;
    for (const struct sp_want *w = f->waiting; w; w = w->next) {
        if (!w->pace) {
            return NULL;
        }
        pace = w->pace;
    }
    return pace;
}

/* By name: there is one object a world, and a fill keeps its own. */
static bool is_from(const struct fill *f, const struct sp_upstream *u)
{
    return strcmp(sp_upstream_name(f->world->upstreams[f->upstream]),
                  sp_upstream_name(u)) == 0;
}

bool sp_filler_is_asked(const struct sp_filler *filler, const struct sp_upstream *u)
{
    bool is_asked = sp_upstream_is_asked(u);
    for (const struct fill *f = filler->fills; f && !is_asked; f = f->next) {
        is_asked = is_from(f, u) && !pace_of(f);
    }
    return is_asked;
}

static uint64_t wait_of(const struct fill *f)
{
    const struct sp_pace *p = pace_of(f);
    if (!p || f->filler->stopping) {
        return 0;
    }
    return sp_ahead_hold(&p->budget, p->rate, sp_loop_now_ms(f->filler->loop), f->held,
                         sp_filler_is_asked(f->filler, p->upstream));
}

static void on_time(uv_timer_t *timer)
{
    struct sp_filler *filler = timer->data;
    for (struct fill *f = filler->fills, *next; f; f = next) {
        next = f->next;
        sp_fill_go_on(f);
    }
}

/* Looks again in so long, or before. */
static void look_in(struct sp_filler *filler, uint64_t ms)
{
    bool is_due = uv_is_active((uv_handle_t *)&filler->held) &&
                  uv_timer_get_due_in(&filler->held) <= ms;
    if (!is_due) {
        uv_timer_start(&filler->held, on_time, ms, 0);
    }
}

bool sp_fill_holds(struct fill *f)
{
    uint64_t ms = wait_of(f);
    f->held = ms > 0;
    if (f->held) {
        sp_fill_forget_sides(f); /* others may need them, and the trunk comes by */
        look_in(f->filler, ms);
    }
    return f->held;
}

void sp_fill_spend(struct fill *f, uint64_t bytes)
{
    struct sp_pace *p = pace_of(f);
    if (p) {
        sp_ahead_spend(&p->budget, p->rate, sp_loop_now_ms(f->filler->loop), bytes);
    }
}

void sp_fill_go_on(struct fill *f)
{
    if (f->held && !sp_fill_holds(f)) {
        sp_fill_resume_transfers(f);
        sp_fill_settle(f);
    }
}

void sp_filler_pace_init(struct sp_filler *filler)
{
    uv_timer_init(sp_loop_uv(filler->loop), &filler->held);
    filler->held.data = filler;
}
