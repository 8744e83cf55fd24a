#include "app/shared/history.h"

static struct sp_history_step stand_of(const struct sp_totals *t)
{
    return (struct sp_history_step){
        .requests = sp_totals_requests(t),
        .refusals = t->refused_metadata + t->refused_content +
                    t->plain_enforce_refused + t->plain_audit_refused +
                    t->plain_observe_refused,
        .served = t->content_bytes_hit + t->content_bytes_fill,
        .fetched = t->content_bytes_fetched,
    };
}

void sp_history_step(struct sp_history *h, const struct sp_totals *t)
{
    struct sp_history_step now = stand_of(t), was = h->at;
    h->at = now;
    if (h->count++ == 0) {
        return;
    }
    h->steps[(h->count - 2) % SP_HISTORY_STEPS] =
        (struct sp_history_step){.requests = now.requests - was.requests,
                                 .refusals = now.refusals - was.refusals,
                                 .served = now.served - was.served,
                                 .fetched = now.fetched - was.fetched};
}

json_t *sp_history_json(const struct sp_history *h)
{
    json_t *requests = json_array(), *refusals = json_array(), *served = json_array(),
           *fetched = json_array();
    size_t all = h->count ? h->count - 1 : 0;
    size_t from = all > SP_HISTORY_STEPS ? all - SP_HISTORY_STEPS : 0;
    for (size_t i = from; i < all; i++) {
        const struct sp_history_step *s = &h->steps[i % SP_HISTORY_STEPS];
        json_array_append_new(requests, json_integer((json_int_t)s->requests));
        json_array_append_new(refusals, json_integer((json_int_t)s->refusals));
        json_array_append_new(served, json_integer((json_int_t)s->served));
        json_array_append_new(fetched, json_integer((json_int_t)s->fetched));
    }
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "step_seconds", SP_HISTORY_STEP_S,
                     "requests", requests, "refusals", refusals, "served", served,
                     "fetched", fetched);
}
