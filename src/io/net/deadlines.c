#include "io/net/deadlines.h"

static void on_timer(uv_timer_t *timer);

static void arm(struct sp_deadlines *ds, uint64_t at)
{
    if (at < ds->armed_for) {
        uint64_t now = uv_now(ds->timer.loop);
        ds->armed_for = at;
        uv_timer_start(&ds->timer, on_timer, at > now ? at - now : 0, 0);
    }
}

static struct sp_deadline *first_of(struct sp_link *list)
{
    return sp_link_is_alone(list) ? NULL
                                  : SP_HOLDER(list->next, struct sp_deadline, link);
}

static void on_timer(uv_timer_t *timer)
{
    struct sp_deadlines *ds = timer->data;
    uint64_t now = uv_now(timer->loop);
    ds->armed_for = UINT64_MAX;
    for (enum sp_deadline_kind kind = 0; kind < SP_DEADLINE_NONE; kind++) {
        struct sp_deadline *d = first_of(&ds->lists[kind]);
        while (d && d->at <= now) {
            sp_deadline_clear(d);
            ds->expired(d, kind);
            d = first_of(&ds->lists[kind]);
        }
        if (d) {
            arm(ds, d->at);
        }
    }
}

void sp_deadlines_init(struct sp_deadlines *ds, uv_loop_t *loop)
{
    for (size_t kind = 0; kind < SP_DEADLINE_NONE; kind++) {
        sp_link_init(&ds->lists[kind]);
    }
    uv_timer_init(loop, &ds->timer);
    ds->timer.data = ds;
    ds->armed_for = UINT64_MAX;
}

void sp_deadline_init(struct sp_deadline *d)
{
    sp_link_init(&d->link);
    d->kind = SP_DEADLINE_NONE;
}

void sp_deadline_set(struct sp_deadlines *ds, struct sp_deadline *d,
                     enum sp_deadline_kind kind)
{
    d->kind = kind;
    d->at = uv_now(ds->timer.loop) + ds->after[kind];
    sp_link_append(&ds->lists[kind], &d->link);
    arm(ds, d->at);
}

void sp_deadline_clear(struct sp_deadline *d)
{
    sp_link_remove(&d->link);
    d->kind = SP_DEADLINE_NONE;
}
