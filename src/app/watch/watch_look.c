/* One look at an upstream: log in, list, compare. A pass does all of it, a probe asks
 * what is new since. */
#include "app/watch/watch_parts.h"

#include "core/custody/freshness.h"

#include <inttypes.h>
#include <string.h>

/* ---- what a look saw, as a number that differs when anything does ---------------- */

static uint64_t mix(uint64_t h, struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        h = (h ^ v.data[i]) * 0x100000001b3u; /* FNV-1a; nobody gains by a collision */
    }
    return h;
}

/* Nothing new for too long, where the policy does not only list that. */
static bool is_frozen(const struct ward *d, struct sp_freshness *out)
{
    const struct sp_world *w = d->watch->world;
    struct sp_keeper_status s;
    sp_keeper_status(d->watch->keeper, &s);
    sp_freshness_at(s.newest, w->config->freshness_days, sp_clock_wall_s(), out);
    return s.newest > 0 && (out->is_old || out->has_missed) &&
           sp_policy_mode(w->policy, SP_RULE_METADATA_FRESH) == SP_MODE_ENFORCE;
}

static unsigned freshness_reasons(struct ward *d)
{
    struct sp_freshness f;
    if (!is_frozen(d, &f)) {
        return 0;
    }
    sp_why_say(&d->why, "nothing new came for %" PRId64 " days%s", f.days,
               f.has_missed ? ", nor since the last second Tuesday of a month" : "");
    return SP_REASON_BIT(FROZEN);
}

/* A working upstream with nothing new is what a pass leaves behind. */
static uint64_t seen_of(const struct ward *d, enum sp_err e,
                        const struct sp_dss_list *news)
{
    struct sp_freshness f;
    bool frozen = is_frozen(d, &f);
    uint64_t h = 0xcbf29ce484222325u;
    h = mix(h, sp_view(&e, sizeof e));
    h = mix(h, sp_view(&frozen, sizeof frozen));
    unsigned tier = sp_tier_reasons(d);
    h = mix(h, sp_view(&d->tier.follow.state, sizeof d->tier.follow.state));
    h = mix(h, sp_view(&tier, sizeof tier));
    if (e == SP_OK && news) {
        h = mix(h, sp_view(&news->count, sizeof news->count));
        h = mix(h, sp_view(news->digest, sizeof news->digest));
    } else if (e == SP_E_PROTOCOL) {
        h = mix(h, sp_view(&d->status, sizeof d->status));
    }
    return h;
}

static const struct sp_dss_list nothing_new;

/* ---- ends ------------------------------------------------------------------------ */

static unsigned reasons_of(enum sp_err e)
{
    if (e == SP_OK) {
        return 0;
    }
    if (e == SP_E_UNPROVEN || e == SP_E_TLS) {
        return SP_REASON_BIT(UNPROVEN);
    }
    return e == SP_E_PROTOCOL || e == SP_E_MALFORMED || e == SP_E_UNSUPPORTED
               ? SP_REASON_BIT(NO_SERVICE)
               : SP_REASON_BIT(UNREACHABLE);
}

static void end_pass(struct ward *d, enum sp_err e)
{
    d->reasons |= reasons_of(e) | freshness_reasons(d) | sp_tier_reasons(d);
    if (sp_tier_reasons(d)) {
        sp_tier_why(d, &d->why);
    }
    if (sp_review_is_against(d->watch, d->row.name, &d->why)) {
        d->reasons |= SP_REASON_BIT(WITNESS_CONTRADICTS);
    }
    if (e != SP_OK) {
        sp_why_say(&d->why, "%s", sp_err_text(e));
        sp_dss_forget(&d->dss);
    }
    bool changed = sp_posture_passed(
        &d->posture, d->reasons, seen_of(d, e, &nothing_new), sp_watch_now_s(d->watch));
    d->row.last_pass = sp_clock_wall_s();
    if (changed) {
        sp_ward_changed(d);
    } else {
        sp_ward_tell(d);
    }
}

static void end_probe(struct ward *d, enum sp_err e)
{
    if (e != SP_OK) {
        sp_dss_forget(&d->dss);
    }
    sp_posture_probed(&d->posture, seen_of(d, e, &d->list), sp_watch_now_s(d->watch));
    d->row.last_probe = sp_clock_wall_s();
    sp_ward_tell(d);
}

/* What is called off says nothing about the upstream. */
static void end_look(struct ward *d, enum sp_err e)
{
    if (d->watch->stopping) {
        return;
    }
    if (d->posture.doing == SP_LOOK_PASS) {
        end_pass(d, e);
    } else {
        end_probe(d, e);
    }
}

/* ---- one exchange ---------------------------------------------------------------- */

static void ask(struct ward *d);

static enum sp_err on_head(void *ctx, const struct sp_http_response *head)
{
    struct ward *d = ctx;
    d->status = head->status;
    return SP_OK;
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    struct ward *d = ctx;
    return sp_buf_append(&d->reply, bytes);
}

static void on_done(void *ctx, enum sp_err e, const struct sp_link_report *link)
{
    struct ward *d = ctx;
    struct sp_why why = {0};
    d->fetch = NULL;
    if (e != SP_OK) {
        sp_why_say(&why, "%s", sp_why_text(&link->why, e));
    } else {
        e = sp_dss_take(&d->dss, d->step, d->status, sp_buf_view(&d->reply), &d->list,
                        &why);
    }
    sp_buf_fini(&d->reply);
    if (e != SP_OK && d->posture.doing == SP_LOOK_PASS) {
        sp_why_say(&d->why, "%s", sp_why_text(&why, e));
    }
    if (e != SP_OK || d->step == SP_DSS_LIST) {
        end_look(d, e);
    } else {
        d->step++;
        ask(d);
    }
    sp_watch_came_back(d->watch);
}

static enum sp_err start_fetch(struct ward *d)
{
    enum sp_op op = sp_dss_op(d->step);
    sp_buf_clear(&d->ask);
    SP_TRY(sp_dss_ask(&d->dss, d->step, NULL, 0, &d->ask));
    struct sp_fetch_ask a = {.kind = SP_FETCH_SOAP,
                             .path = sp_service_path(sp_op_service(op)),
                             .body = sp_buf_view(&d->ask),
                             .soap_action = sp_op_action(op),
                             .reply_limit = SP_LIMIT_SOAP_REPLY,
                             .patience_ms = SP_TIME_UPSTREAM_SOAP};
    struct sp_fetch_handler h = {
        .head = on_head, .data = on_data, .done = on_done, .ctx = d};
    return sp_fetch_start(d->watch->pool, d->upstream, &a, &h, &d->fetch);
}

static void ask(struct ward *d)
{
    enum sp_err e = d->watch->stopping ? SP_E_CANCELLED : start_fetch(d);
    if (e == SP_OK) {
        d->watch->under_way++;
    } else {
        end_look(d, e);
    }
}

/* ---- looks ----------------------------------------------------------------------- */

void sp_ward_ledger_known(struct ward *d)
{
    d->reasons |= d->watch->ledger_reasons;
    if (d->watch->ledger_reasons) {
        sp_why_say(&d->why, "%s", d->watch->ledger_why.text);
    }
    sp_dss_forget(&d->dss);
    d->step = SP_DSS_AUTHORIZE;
    ask(d);
}

void sp_ward_look(struct ward *d, enum sp_look look)
{
    switch (look) {
    case SP_LOOK_NONE:
        return;
    case SP_LOOK_PASS:
        d->reasons = 0;
        d->why.text[0] = '\0';
        sp_ward_tell(d);
        sp_watch_check_ledger(d);
        return;
    case SP_LOOK_PROBE:
        d->step = d->dss.cookie.len ? SP_DSS_LIST : SP_DSS_AUTHORIZE;
        ask(d);
        return;
    }
}
