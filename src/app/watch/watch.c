/* The watch's thread: its ticks, wards that follow the configuration, the own
 * ledger checked once for all of them, and what is told. */
#include "app/watch/watch_parts.h"

#include "app/log/log.h"
#include "core/base/text.h"
#include "io/store/ledger_files.h"
#include "sallyport/facts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 250,
    TICKS_A_SECOND = 1000 / TICK_MS,
    LEDGER_FRESH_MS = 30000, /* passes that begin together share one check */
    ENTRY_FACTS = 64 * 1024
};

int64_t sp_watch_now_s(struct sp_watch *w)
{
    return (int64_t)(sp_loop_now_ms(w->loop) / 1000);
}

/* ---- what is told ---------------------------------------------------------------- */

void sp_ward_tell(struct ward *d)
{
    struct sp_watch *w = d->watch;
    struct sp_watch_status *s = &w->status;
    d->row.state = d->posture.state;
    d->row.reasons = d->posture.reasons;
    d->row.passing = d->posture.doing == SP_LOOK_PASS;
    snprintf(d->row.why, sizeof d->row.why, "%s",
             d->posture.reasons ? d->why.text : "");
    pthread_mutex_lock(&w->lock);
    s->count = 0;
    for (struct ward *i = w->wards; i && s->count < SP_WATCH_ROWS; i = i->next) {
        if (!i->gone && s->on) {
            s->rows[s->count++] = i->row;
        }
    }
    pthread_mutex_unlock(&w->lock);
}

void sp_watch_status(struct sp_watch *w, struct sp_watch_status *out)
{
    pthread_mutex_lock(&w->lock);
    *out = w->status;
    pthread_mutex_unlock(&w->lock);
}

enum sp_posture_state sp_watch_overall(const struct sp_watch_status *s)
{
    enum sp_posture_state all = s->count ? SP_POSTURE_CONFORMING : SP_POSTURE_UNKNOWN;
    for (size_t i = 0; i < s->count; i++) {
        if (s->rows[i].state == SP_POSTURE_FAILING) {
            return SP_POSTURE_FAILING;
        }
        if (s->rows[i].state == SP_POSTURE_UNKNOWN) {
            all = SP_POSTURE_UNKNOWN;
        }
    }
    return all;
}

/* ---- events ---------------------------------------------------------------------- */

struct watch_note {
    struct sp_record record;
    struct sp_record_entry entry;
    struct sp_buf text;
    struct sp_watch *watch; /* borrowed */
};

static void note_free(struct watch_note *n)
{
    sp_buf_fini(&n->text);
    free(n);
}

static void on_noted(struct sp_record *r, enum sp_err e)
{
    struct watch_note *n = SP_HOLDER(r, struct watch_note, record);
    struct sp_watch *w = n->watch;
    if (e != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "not_recorded", "what the watch saw: %s",
                   sp_why_text(&r->why, e));
    }
    note_free(n);
    sp_watch_came_back(w);
}

enum sp_err sp_ward_entry(const struct ward *d, const char *kind, struct sp_facts *f)
{
    SP_TRY(sp_facts_entry(f, kind, sp_clock_wall_s()));
    SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_NAME, sp_view_str(d->row.name)));
    return sp_facts_text(f, SP_FACT_UPSTREAM_HOST, sp_view_str(d->row.host));
}

static enum sp_err write_facts(const struct ward *d, struct sp_facts *f)
{
    SP_TRY(sp_ward_entry(d, "posture", f));
    SP_TRY(sp_facts_text(f, SP_FACT_POSTURE,
                         sp_view_str(sp_posture_text(d->posture.state))));
    for (enum sp_reason r = 0; r < SP_REASON_COUNT; r++) {
        if (d->posture.reasons >> r & 1) {
            SP_TRY(sp_facts_text(f, SP_FACT_POSTURE_REASON,
                                 sp_view_str(sp_reason_text(r))));
        }
    }
    return d->why.text[0] && d->posture.reasons
               ? sp_facts_text(f, SP_FACT_POSTURE_WHY, sp_view_str(d->why.text))
               : SP_OK;
}

void sp_watch_record(struct sp_watch *w, const struct sp_facts *f)
{
    struct watch_note *n = calloc(1, sizeof *n);
    if (!n) {
        return;
    }
    sp_buf_init(&n->text, SP_LIMIT_LEDGER_ENTRY);
    n->watch = w;
    if (sp_facts_encode(f, &n->text) != SP_OK) {
        note_free(n);
        return;
    }
    n->entry.text = sp_buf_view(&n->text);
    n->record = (struct sp_record){
        .entries = &n->entry, .count = 1, .loop = w->loop, .answer = on_noted};
    w->under_way++;
    sp_keeper_record(w->keeper, &n->record);
}

static void record(struct ward *d)
{
    struct sp_facts *f = NULL;
    if (sp_facts_new(ENTRY_FACTS, &f) == SP_OK && write_facts(d, f) == SP_OK) {
        sp_watch_record(d->watch, f);
    }
    sp_facts_free(&f);
}

static void log_change(const struct ward *d)
{
    struct sp_log l;
    char reasons[256] = "";
    size_t at = 0;
    for (enum sp_reason r = 0; r < SP_REASON_COUNT && at < sizeof reasons; r++) {
        if (d->posture.reasons >> r & 1) {
            at += (size_t)snprintf(reasons + at, sizeof reasons - at, "%s%s",
                                   at ? ", " : "", sp_reason_text(r));
        }
    }
    bool good = d->posture.state == SP_POSTURE_CONFORMING;
    if (sp_log_begin(&l, good ? SP_LOG_INFO : SP_LOG_WARNING, "posture")) {
        sp_log_str(&l, "upstream", d->row.name);
        sp_log_str(&l, "posture", sp_posture_text(d->posture.state));
        sp_log_str(&l, "reasons", reasons);
        sp_log_str(&l, "why", good ? "" : d->why.text);
        sp_log_end(&l);
    }
}

void sp_ward_changed(struct ward *d)
{
    d->row.since = sp_clock_wall_s();
    sp_ward_tell(d);
    log_change(d);
    record(d);
}

/* ---- the own ledger -------------------------------------------------------------- */

static void check_work(struct sp_job *job)
{
    struct sp_watch *w = SP_HOLDER(job, struct sp_watch, ledger_job);
    uint64_t entries = 0;
    w->ledger_why.text[0] = '\0';
    enum sp_err e =
        sp_ledger_verify(w->state_dir, 1, NULL, NULL, &entries, &w->ledger_why);
    w->ledger_reasons = e == SP_OK          ? 0
                        : e == SP_E_CORRUPT ? SP_REASON_BIT(LEDGER_DAMAGED)
                                            : SP_REASON_BIT(UNCHECKED);
    sp_why_say(&w->ledger_why, "%s", sp_err_text(e));
}

static void check_done(struct sp_job *job)
{
    struct sp_watch *w = SP_HOLDER(job, struct sp_watch, ledger_job);
    w->ledger_busy = false;
    w->ledger_at_ms = sp_loop_now_ms(w->loop);
    for (struct ward *d = w->wards; d; d = d->next) {
        if (d->waits_for_ledger) {
            d->waits_for_ledger = false;
            sp_ward_ledger_known(d);
        }
    }
    sp_watch_came_back(w);
}

void sp_watch_check_ledger(struct ward *d)
{
    struct sp_watch *w = d->watch;
    bool is_fresh =
        w->ledger_at_ms && sp_loop_now_ms(w->loop) - w->ledger_at_ms < LEDGER_FRESH_MS;
    if (is_fresh && !w->ledger_busy && !w->ledger_reasons) {
        sp_ward_ledger_known(d);
        return;
    }
    d->waits_for_ledger = true;
    if (!w->ledger_busy) {
        w->ledger_busy = true;
        w->under_way++;
        w->ledger_job = (struct sp_job){.work = check_work, .done = check_done};
        sp_loop_work(w->loop, &w->ledger_job);
    }
}

/* ---- wards ----------------------------------------------------------------------- */

static unsigned minutes_of(const struct sp_world *world)
{
    const struct sp_config *c = world->config;
    return sp_posture_minutes(c->posture, c->posture_interval);
}

static struct ward *ward_new(struct sp_watch *w, const char *name)
{
    struct ward *d = calloc(1, sizeof *d);
    if (!d) {
        return NULL;
    }
    d->watch = w;
    d->row.since = sp_clock_wall_s();
    snprintf(d->row.name, sizeof d->row.name, "%s", name);
    sp_dss_init(&d->dss, &w->account);
    sp_buf_init(&d->ask, SP_MIB(1));
    sp_buf_init(&d->reply, SP_LIMIT_SOAP_REPLY);
    sp_posture_start(&d->posture, w->world->config->posture ? minutes_of(w->world) : 1,
                     sp_watch_now_s(w));
    struct ward **end = &w->wards;
    while (*end) {
        end = &(*end)->next;
    }
    *end = d;
    return d;
}

static void ward_free(struct ward *d)
{
    sp_tier_fini(d);
    sp_dss_fini(&d->dss);
    sp_buf_fini(&d->ask);
    sp_buf_fini(&d->reply);
    sp_upstream_unref(&d->upstream);
    free(d);
}

static void follow_world(struct sp_watch *w)
{
    const struct sp_config *c = w->world->config;
    for (struct ward *d = w->wards; d; d = d->next) {
        d->gone = true;
    }
    for (size_t i = 0; i < c->upstream_count; i++) {
        if (!c->posture && !c->upstreams[i].custody) {
            continue;
        }
        struct ward *d = w->wards;
        while (d && strcmp(d->row.name, c->upstreams[i].name) != 0) {
            d = d->next;
        }
        d = d ? d : ward_new(w, c->upstreams[i].name);
        if (!d) {
            sp_log_say(SP_LOG_ERROR, "not_watched", "upstream %s: %s",
                       c->upstreams[i].name, sp_err_text(SP_E_NOMEM));
            continue;
        }
        d->gone = false;
        sp_upstream_unref(&d->upstream);
        d->upstream = sp_upstream_ref(w->world->upstreams[i]);
        snprintf(d->row.host, sizeof d->row.host, "%s", sp_upstream_host(d->upstream));
        if (c->posture) {
            sp_posture_set_minutes(&d->posture, minutes_of(w->world));
        }
        enum sp_err e = sp_tier_setup(d, &c->upstreams[i]);
        if (e != SP_OK) {
            sp_log_say(SP_LOG_ERROR, "not_followed", "upstream %s: %s",
                       c->upstreams[i].name, sp_err_text(e));
        }
        sp_ward_tell(d);
    }
    sp_second_follow_world(w);
    sp_review_follow_world(w);
}

static void announce(struct sp_watch *w)
{
    const struct sp_config *c = w->world->config;
    pthread_mutex_lock(&w->lock);
    w->status.on = c->posture != NULL;
    w->status.profile = c->posture ? c->posture->name : "off";
    w->status.minutes = c->posture ? minutes_of(w->world) : 0;
    pthread_mutex_unlock(&w->lock);
    if (c->posture) {
        unsigned n = minutes_of(w->world);
        bool clamped = c->posture_interval && c->posture_interval != n;
        sp_log_say(SP_LOG_INFO, "posture_interval",
                   "every upstream is verified now and then every %u minutes (profile "
                   "%s: %u, at least %u, at most %u%s)",
                   n, c->posture->name, c->posture->normal, c->posture->least,
                   c->posture->most,
                   clamped ? "; posture_interval is outside of that" : "");
    }
}

/* ---- questions from lanes -------------------------------------------------------- */

static void deliver_ask(struct sp_msg *msg)
{
    struct sp_tier_ask *q = SP_HOLDER(msg, struct sp_tier_ask, msg);
    q->answer(q);
}

void sp_watch_answer_tier(struct sp_tier_ask *q)
{
    q->msg.run = deliver_ask;
    sp_loop_post(q->loop, &q->msg);
}

static void on_ask(struct sp_msg *msg)
{
    struct sp_tier_ask *q = SP_HOLDER(msg, struct sp_tier_ask, msg);
    struct ward *d = q->watch->wards;
    while (d && (d->gone || strcmp(d->row.name, q->upstream) != 0)) {
        d = d->next;
    }
    if (d && d->tier.on) {
        sp_tier_ask_of(d, q);
    } else {
        sp_watch_answer_tier(q);
    }
}

void sp_watch_ask_tier(struct sp_watch *w, struct sp_tier_ask *q)
{
    q->watch = w;
    q->followed = false;
    q->msg.run = on_ask;
    sp_loop_post(w->loop, &q->msg);
}

static void on_ask_second(struct sp_msg *msg)
{
    struct sp_tier_ask *q = SP_HOLDER(msg, struct sp_tier_ask, msg);
    sp_second_ask(q->watch, q);
    sp_watch_answer_tier(q);
}

void sp_watch_ask_second(struct sp_watch *w, struct sp_tier_ask *q)
{
    q->watch = w;
    q->msg.run = on_ask_second;
    sp_loop_post(w->loop, &q->msg);
}

const struct sp_counters *sp_watch_counters(const struct sp_watch *w)
{
    return &w->counters;
}

/* ---- the thread ------------------------------------------------------------------ */

static void drop_gone(struct sp_watch *w)
{
    struct ward **at = &w->wards;
    while (*at) {
        struct ward *d = *at;
        if (d->gone) {
            sp_tier_stop(d);
        }
        if (d->gone && d->posture.doing == SP_LOOK_NONE && !d->tier.running) {
            *at = d->next;
            ward_free(d);
        } else {
            at = &d->next;
        }
    }
}

static void on_tick(uv_timer_t *t)
{
    struct sp_watch *w = t->data;
    sp_cosigning_tick(w);
    for (struct ward *d = w->wards; d; d = d->next) {
        sp_tier_tick(d);
    }
    sp_second_tick(w);
    if (w->ticks++ % TICKS_A_SECOND) {
        return;
    }
    drop_gone(w);
    for (struct ward *d = w->wards; d; d = d->next) {
        if (w->status.on) {
            sp_ward_look(d, sp_posture_tick(&d->posture, sp_watch_now_s(w)));
        }
    }
    sp_review_tick(w);
    sp_recovery_tick(w);
}

static void maybe_end(struct sp_watch *w)
{
    if (w->stopping && w->under_way == 0 && !uv_is_closing((uv_handle_t *)&w->timer)) {
        uv_close((uv_handle_t *)&w->timer, NULL);
        sp_loop_stop(w->loop);
    }
}

void sp_watch_came_back(struct sp_watch *w)
{
    SP_ASSERT(w->under_way > 0);
    w->under_way--;
    maybe_end(w);
}

struct news {
    struct sp_msg msg;
    struct sp_watch *watch;
    struct sp_world *world; /* shared; NULL: recheck */
};

static void on_news(struct sp_msg *msg)
{
    struct news *n = SP_HOLDER(msg, struct news, msg);
    struct sp_watch *w = n->watch;
    if (n->world) {
        sp_world_unref(&w->world);
        w->world = n->world;
        announce(w);
        follow_world(w);
    }
    sp_second_recheck(w);
    sp_review_again(w);
    w->ledger_at_ms = 0;
    for (struct ward *d = w->wards; d; d = d->next) {
        d->tier.next_ms = 0;
    }
    for (struct ward *d = w->wards; d && w->status.on && !w->stopping; d = d->next) {
        sp_posture_recheck(&d->posture, sp_watch_now_s(w));
        sp_ward_look(d, sp_posture_tick(&d->posture, sp_watch_now_s(w)));
    }
    sp_review_tick(w);
    free(n);
}

static enum sp_err post(struct sp_watch *w, struct sp_world *world)
{
    struct news *n = calloc(1, sizeof *n);
    if (!n) {
        return SP_E_NOMEM;
    }
    *n = (struct news){.msg = {.run = on_news},
                       .watch = w,
                       .world = world ? sp_world_ref(world) : NULL};
    sp_loop_post(w->loop, &n->msg);
    return SP_OK;
}

enum sp_err sp_watch_set_world(struct sp_watch *w, struct sp_world *world)
{
    return post(w, world);
}

enum sp_err sp_watch_recheck(struct sp_watch *w)
{
    return post(w, NULL);
}

static enum sp_err make(struct sp_watch *w, const struct sp_watch_conf *conf)
{
    w->keeper = conf->keeper;
    w->renewer = conf->renewer;
    w->world = sp_world_ref(conf->world);
    w->state_dir = strdup(w->world->config->state_dir);
    if (!w->state_dir) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_random_bytes(w->account.bytes, sizeof w->account.bytes));
    SP_TRY(sp_loop_new("watch", &w->loop));
    SP_TRY(sp_upstream_pool_new(w->loop, &w->pool));
    sp_cosigning_init(w);
    sp_recovery_init(w);
    announce(w);
    follow_world(w);
    uv_timer_init(sp_loop_uv(w->loop), &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, on_tick, 0, TICK_MS);
    return sp_loop_start(w->loop);
}

enum sp_err sp_watch_new(const struct sp_watch_conf *conf, struct sp_watch **out,
                         struct sp_why *why)
{
    struct sp_watch *w = calloc(1, sizeof *w);
    if (!w) {
        return SP_E_NOMEM;
    }
    pthread_mutex_init(&w->lock, NULL);
    enum sp_err e = make(w, conf);
    if (e != SP_OK) {
        /* the process ends on it, as on every failure to start */
        return sp_why_set(why, e, "the watch cannot start: %s", sp_err_text(e));
    }
    *out = w;
    return SP_OK;
}

static void on_stop(struct sp_msg *msg)
{
    struct sp_watch *w = SP_HOLDER(msg, struct sp_watch, stop);
    w->stopping = true;
    sp_upstream_pool_close(&w->pool);
    for (struct ward *d = w->wards; d; d = d->next) {
        sp_tier_stop(d);
    }
    maybe_end(w);
}

void sp_watch_stop(struct sp_watch *w)
{
    w->stop.run = on_stop;
    sp_loop_post(w->loop, &w->stop);
    sp_loop_join(w->loop);
}

void sp_watch_free(struct sp_watch **pw)
{
    struct sp_watch *w = *pw;
    if (!w) {
        return;
    }
    sp_loop_free(&w->loop);
    while (w->wards) {
        struct ward *d = w->wards;
        w->wards = d->next;
        ward_free(d);
    }
    sp_second_free_all(w);
    sp_review_free(w);
    sp_recovery_fini(w);
    sp_cosigning_fini(w);
    sp_world_unref(&w->world);
    pthread_mutex_destroy(&w->lock);
    free(w->state_dir);
    free(w);
    *pw = NULL;
}
