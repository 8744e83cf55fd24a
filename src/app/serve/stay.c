#include "app/serve/stay.h"

bool sp_stay_may_begin(struct sp_door_context *d, struct sp_exchange *x,
                       enum sp_asked what, size_t present, size_t most,
                       struct sp_guest *out)
{
    if (present >= most) {
        sp_stay_refuse(d, x, what, 503);
        return false;
    }
    return sp_guest_enters(d, x, what, out) && sp_guest_is_welcome(d, x, out, what);
}

bool sp_stay_begin(struct stay *s, struct sp_door_context *d, struct sp_exchange *x,
                   enum sp_asked what, struct sp_guest *guest)
{
    struct sp_lane *lane = d->lane;
    if (!s) {
        sp_guest_leaves(lane, 0, &guest->lease);
        sp_stay_refuse(d, x, what, 503);
        return false;
    }
    s->what = what;
    s->door = d;
    s->lane = lane;
    s->world = sp_world_ref(lane->world);
    s->exchange = x;
    s->lease = guest->lease;
    s->holders = 1;
    lane->visits++;
    (*s->present)++;
    *sp_exchange_slot(x) = s;
    return true;
}

void sp_stay_hold(struct stay *s)
{
    s->holders++;
}

void sp_stay_let_go(struct stay *s)
{
    struct sp_lane *lane = s->lane;
    if (--s->holders > 0) {
        return;
    }
    sp_guest_leaves(lane, s->moved, &s->lease);
    sp_world_unref(&s->world);
    (*s->present)--;
    s->free(s);
    if (--lane->visits == 0 && lane->idle) {
        lane->idle(lane);
    }
}

void sp_stay_release(void *stay)
{
    sp_stay_let_go(stay);
}

void sp_stay_count(struct stay *s, int status)
{
    s->counted = true;
    sp_asked_count(&s->door->asked, s->what, status);
}

/* A body that comes and is not wanted ends the connection. */
static void say_no(struct sp_exchange *x, int status)
{
    static const char later[] = "Retry-After: 1\r\n";
    struct sp_answer a = {.status = status,
                          .close = sp_exchange_request(x)->method == SP_HTTP_POST};
    if (status == 503) {
        a.fields = SP_VIEW(later);
    }
    sp_exchange_respond(x, &a);
}

void sp_stay_refuse(struct sp_door_context *d, struct sp_exchange *x,
                    enum sp_asked what, int status)
{
    sp_asked_count(&d->asked, what, status);
    say_no(x, status);
}

void sp_stay_disappoint(struct stay *s, int status)
{
    sp_stay_count(s, status);
    say_no(s->exchange, status);
}

struct stay *sp_stay_of(struct sp_exchange *x, enum visitor_kind kind)
{
    struct visitor *v = *sp_exchange_slot(x);
    return v && v->kind == kind ? (struct stay *)(void *)v : NULL;
}

bool sp_stay_ended(struct sp_exchange *x)
{
    struct visitor *v = *sp_exchange_slot(x);
    if (!v || v->kind == VISITOR_VISIT) {
        return false;
    }
    struct stay *s = (struct stay *)(void *)v;
    s->exchange = NULL;
    if (!s->counted) {
        sp_stay_count(s, 0);
    }
    sp_stay_let_go(s);
    return true;
}
