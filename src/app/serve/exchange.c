/* One exchange on a lane: performs the effects of its gate and tells it what came of
 * them. What only content has: exchange_content.c. */
#include "app/serve/exchange.h"

#include "app/log/log.h"
#include "app/serve/cosign_serve.h"
#include "app/serve/custody_serve.h"
#include "app/serve/joined.h"
#include "app/serve/preview.h"
#include "app/serve/stay.h"
#include "app/shared/observed.h"
#include "app/watch/witnesses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ------------------------------------------------------------------------ */

/* Keeps the memory for the visits to come, where there is room for it. */
static void rest(struct sp_lane *lane, struct visit *v)
{
    if (v->gate && sp_spares_keep(&lane->rested, v)) {
        sp_gate_rest(v->gate);
    } else {
        sp_gate_free(&v->gate);
        free(v);
    }
}

void sp_visits_clear(struct sp_lane *l)
{
    struct visit *v = sp_spares_take(&l->rested);
    while (v) {
        sp_gate_free(&v->gate);
        free(v);
        v = sp_spares_take(&l->rested);
    }
}

static void forget_metadata(struct visit *v)
{
    sp_preview_close(&v->preview);
    sp_arrival_unref(&v->arrival);
    sp_buf_fini(&v->made);
    sp_inspection_fini(&v->inspection);
    free(v->known);
    free(v->said);
    free(v->files.files);
    free(v->entries);
    free(v->revisions);
}

void sp_visit_free(struct visit *v)
{
    struct sp_lane *lane = v->lane;
    if (v->held) { /* all lanes write there */
        sp_budget_give(lane->budget, v->held);
    }
    sp_guest_leaves(lane, v->moved, &v->lease);
    if (v->is_metadata) {
        forget_metadata(v);
    }
    free(v->names);
    sp_hot_file_unref(&v->file);
    if (v->object) {
        sp_object_read_end(v->object);
        sp_object_unref(&v->object);
    }
    if (v->wants) {
        sp_inflow_unref(&v->want.inflow);
    }
    sp_term_leave(&v->term);
    rest(lane, v);
    if (--lane->visits == 0 && lane->idle) {
        lane->idle(lane);
    }
}

/* Something came back. True when the asker is still there and the gate wants to know.
 */
bool sp_visit_came_back(struct visit *v)
{
    v->busy = false;
    if (v->exchange) {
        return true;
    }
    sp_visit_free(v);
    return false;
}

enum sp_err sp_visit_count_busy(struct sp_lane *lane, enum sp_err e)
{
    SP_COUNT(&lane->counters, busy, e == SP_E_NOMEM);
    return e;
}

/* Buffers grow by doubling, so what is in them counts twice. */
static enum sp_err hold(struct visit *v, size_t bytes, struct sp_why *why)
{
    bool held = sp_budget_hold(v->lane->budget, 2 * bytes);
    if (sp_visit_count_busy(v->lane, held ? SP_OK : SP_E_NOMEM) != SP_OK) {
        return sp_why_set(why, SP_E_NOMEM, "too much is asked at once");
    }
    v->held += 2 * bytes;
    return SP_OK;
}

static void out_of_memory(struct visit *v)
{
    struct sp_answer a = {
        .status = 503, .fields = SP_VIEW("Retry-After: 60\r\n"), .close = true};
    sp_exchange_respond(v->exchange, &a);
}

/* ---- FETCH ----------------------------------------------------------------------- */

void sp_visit_copy_header(const struct sp_http_headers *h, const char *name, char *out,
                          size_t size)
{
    struct sp_view value;
    out[0] = 0;
    if (sp_http_header(h, name, &value) && value.len < size) {
        memcpy(out, value.data, value.len);
        out[value.len] = 0;
    }
}

static enum sp_err fetch_head(void *ctx, const struct sp_http_response *head)
{
    struct visit *v = ctx;
    v->reply_status = head->status;
    sp_visit_copy_header(&head->headers, "Content-Encoding", v->coding,
                         sizeof v->coding);
    sp_visit_copy_header(&head->headers, "Content-Type", v->type, sizeof v->type);
    return SP_OK;
}

static enum sp_err fetch_data(void *ctx, struct sp_view bytes)
{
    struct visit *v = ctx;
    SP_TRY(sp_visit_count_busy(v->lane, sp_arrival_hold(v->arrival, bytes.len)));
    return sp_buf_append(&v->arrival->bytes, bytes);
}

void sp_visit_count_upstream(struct sp_lane *lane, const struct sp_world_door *door,
                             enum sp_err e, const struct sp_link_report *r)
{
    if (e == SP_OK) {
        SP_COUNT(&lane->counters, upstream_ok, 1);
    } else if (e == SP_E_UNPROVEN) {
        SP_COUNT(&lane->counters, upstream_unproven, 1);
        SP_COUNT(&lane->counters, handshakes_unproven, 1);
    } else if (e != SP_E_CANCELLED) {
        SP_COUNT(&lane->counters, upstream_failed, 1);
        SP_COUNT(&lane->counters, handshakes_upstream, e == SP_E_TLS);
    }
    if (e != SP_E_CANCELLED) {
        sp_desk_upstream(lane->desk, door->door.upstream_name, e,
                         sp_why_text(&r->why, e), r);
    }
}

void sp_visit_fetched(struct visit *v, enum sp_err e,
                      const struct sp_link_report *report)
{
    struct sp_step step;
    v->moved += v->arrival ? v->arrival->bytes.len : 0;
    if (!sp_visit_came_back(v)) {
        return;
    }
    struct sp_link link = sp_link_of(report);
    if (e == SP_OK && sp_lockdown_is_on(v->lane->lockdown)) {
        struct sp_why stopped = {.text = SP_LOCKDOWN_SENTENCE};
        sp_gate_fetch_failed(v->gate, SP_E_CANCELLED, &stopped, &link,
                             sp_clock_wall_s(), &step);
    } else if (e == SP_OK) {
        sp_gate_fetched(v->gate, v->reply_status, sp_view_str(v->coding),
                        sp_view_str(v->type), sp_buf_view(&v->arrival->bytes), &link,
                        sp_clock_wall_s(), &step);
    } else {
        sp_gate_fetch_failed(v->gate, e, &report->why, &link, sp_clock_wall_s(), &step);
    }
    if (step.effect.kind != SP_EFFECT_INSPECT) {
        sp_preview_close(&v->preview);
    }
    sp_visit_perform(v, &step);
}

static void fetch_done(void *ctx, enum sp_err e, const struct sp_link_report *report)
{
    struct visit *v = ctx;
    v->fetch = NULL;
    sp_visit_count_upstream(v->lane, v->door, e, report);
    sp_visit_fetched(v, e, report);
}

static enum sp_err fetch_alone(struct visit *v, const struct sp_fetch_ask *ask)
{
    struct sp_fetch_handler handler = {
        .head = fetch_head, .data = fetch_data, .done = fetch_done, .ctx = v};
    SP_TRY(sp_arrival_new(v->lane->budget, ask->reply_limit, &v->arrival));
    return sp_fetch_start(v->lane->pool, v->world->upstreams[v->door->upstream], ask,
                          &handler, &v->fetch);
}

static enum sp_err start_fetch(struct visit *v, const struct sp_fetch_ask *ask,
                               bool is_shared)
{
    enum sp_err e = is_shared ? sp_joined_fetch(v, ask) : SP_E_AGAIN;
    return e == SP_E_AGAIN ? fetch_alone(v, ask) : e;
}

/* What a collector follows an exchange by; empty: there is none that may be passed on.
 */
static struct sp_view traceparent_of(const struct visit *v)
{
    struct sp_view value = {NULL, 0};
    bool good = sp_http_header(&v->head->headers, "traceparent", &value) &&
                sp_http_is_traceparent(value);
    return good ? value : (struct sp_view){NULL, 0};
}

static void do_fetch(struct visit *v, const struct sp_effect *e)
{
    struct sp_fetch_ask ask = {.kind = SP_FETCH_SOAP,
                               .path = e->fetch.path,
                               .body = e->fetch.body,
                               .soap_action = e->fetch.soap_action,
                               .traceparent = traceparent_of(v),
                               .accept_xpress = e->fetch.accept_coded,
                               .reply_limit = SP_LIMIT_SOAP_REPLY,
                               .patience_ms = e->fetch.patience_ms};
    struct sp_step step;
    struct sp_why why = {0};
    enum sp_err err = hold(v, sizeof *v + e->fetch.body.len, &why);
    if (err == SP_OK) {
        err = start_fetch(v, &ask, e->fetch.shared);
    }
    if (err == SP_OK) {
        v->busy = true;
        return;
    }
    sp_gate_fetch_failed(v->gate, err, &why, &(struct sp_link){0}, sp_clock_wall_s(),
                         &step);
    sp_visit_perform(v, &step);
}

/* ---- INSPECT --------------------------------------------------------------------- */

static void inspect_work(struct sp_job *job)
{
    struct visit *v = VISIT_OF(job, job);
    struct sp_inspection *i = &v->inspection;
    if (v->preview) {
        struct sp_foresight ahead = sp_preview_foresight(v->preview);
        sp_gate_inspect_with(&v->task, &ahead, i);
    } else {
        sp_gate_inspect(&v->task, i);
    }
    if (i->reply &&
        sp_witnesses_testify(v->world, v->lane->renewer, i->reply) != SP_OK) {
        sp_inspection_fini(i);
        *i = (struct sp_inspection){.err = SP_E_NOMEM};
    }
}

static void inspect_done(struct sp_job *job)
{
    struct visit *v = VISIT_OF(job, job);
    struct sp_step step;
    sp_preview_close(&v->preview);
    if (sp_visit_came_back(v)) {
        if (hold(v, v->inspection.decoded.len, NULL) != SP_OK) {
            sp_inspection_fini(&v->inspection);
            v->inspection = (struct sp_inspection){.err = SP_E_NOMEM};
        }
        sp_gate_inspected(v->gate, &v->inspection, &step);
        sp_visit_perform(v, &step);
    }
}

static void do_inspect(struct visit *v, const struct sp_effect *e)
{
    v->task = *e;
    v->job = (struct sp_job){.work = inspect_work, .done = inspect_done};
    v->busy = true;
    sp_loop_work(v->lane->loop, &v->job);
}

/* ---- EDIT ------------------------------------------------------------------------ */

static void edit_work(struct sp_job *job)
{
    struct visit *v = VISIT_OF(job, job);
    v->edited = sp_gate_edit(&v->task, &v->made);
}

static void edit_done(struct sp_job *job)
{
    struct visit *v = VISIT_OF(job, job);
    struct sp_step step;
    if (sp_visit_came_back(v)) {
        sp_gate_edited(v->gate, v->edited, &v->made, &step);
        sp_arrival_unref(&v->arrival);
        sp_visit_perform(v, &step);
    }
}

static void do_edit(struct visit *v, const struct sp_effect *e)
{
    struct sp_step step;
    if (hold(v, e->edit.text.len, NULL) != SP_OK) {
        sp_gate_edited(v->gate, SP_E_NOMEM, &v->made, &step);
        sp_visit_perform(v, &step);
        return;
    }
    v->task = *e;
    sp_buf_init(&v->made, e->edit.text.len + SP_LIMIT_SPLICED);
    v->job = (struct sp_job){.work = edit_work, .done = edit_done};
    v->busy = true;
    sp_loop_work(v->lane->loop, &v->job);
}

/* ---- LOOKUP and RECORD of metadata ----------------------------------------------- */

/* Everything that is known of the revisions; tier NULL: nobody was asked. */
static void tell_known(struct visit *v, enum sp_err e, const struct sp_gate_tier *tier)
{
    struct sp_ask_revisions *q = &v->ask;
    struct sp_step step;
    size_t own = q->count - v->asked_parts;
    struct sp_gate_known *known = calloc(q->count + 1, sizeof *known);
    if (!known) {
        e = SP_E_NOMEM;
    }
    for (size_t i = 0; e == SP_OK && i < q->count; i++) {
        known[i].known = q->known[i].known;
        known[i].has_highest = q->known[i].has_highest;
        known[i].highest = q->known[i].highest;
        memcpy(known[i].category, q->known[i].category, sizeof known[i].category);
        memcpy(known[i].document_sha256, q->known[i].document_sha256, 32);
        known[i].tier = tier;
        if (tier && i < own) {
            known[i].in_tier = v->said[i].known;
            known[i].tier_entry = v->said[i].entry;
            known[i].tier_cosigned = v->said[i].cosigned;
            memcpy(known[i].tier_document_sha256, v->said[i].document_sha256, 32);
        }
    }
    sp_gate_known(v->gate, e, known, &step);
    free(known);
    sp_visit_perform(v, &step);
}

static const struct sp_config_upstream *upstream_of(const struct visit *v)
{
    return &v->world->config->upstreams[v->door->upstream];
}

static void tier_answer(struct sp_tier_ask *q)
{
    struct visit *v = VISIT_OF(q, tier);
    struct sp_gate_tier tier = {.required = q->required,
                                .origin = q->origin,
                                .state = q->state,
                                .why = q->why.text,
                                .size = q->size,
                                .cosigned_wanted = q->cosigned_wanted};
    if (!q->followed) { /* it should be, and what is not known is not proven */
        tier = (struct sp_gate_tier){.required = upstream_of(v)->custody_required,
                                     .origin = q->upstream,
                                     .state = "silent",
                                     .why = "it is not followed"};
    }
    if (sp_visit_came_back(v)) {
        tell_known(v, SP_OK, &tier);
    }
}

static void ask_tier(struct visit *v)
{
    free(v->said);
    size_t own = v->ask.count - v->asked_parts;
    v->said = calloc(own, sizeof *v->said);
    if (!v->said) {
        tell_known(v, SP_E_NOMEM, NULL);
        return;
    }
    v->tier = (struct sp_tier_ask){.ids = v->ask.ids,
                                   .count = own,
                                   .said = v->said,
                                   .loop = v->lane->loop,
                                   .answer = tier_answer};
    snprintf(v->tier.upstream, sizeof v->tier.upstream, "%s", upstream_of(v)->name);
    v->busy = true;
    sp_watch_ask_tier(v->lane->watch, &v->tier);
}

void sp_visit_witnessed(struct visit *v, enum sp_err e)
{
    if (e == SP_OK && v->ask.count > v->asked_parts && upstream_of(v)->custody) {
        ask_tier(v);
    } else {
        tell_known(v, e, NULL);
    }
}

static void revisions_answer(struct sp_ask_revisions *q, enum sp_err e)
{
    struct visit *v = VISIT_OF(q, ask);
    if (!v->exchange) {
        free(q->withheld);
    }
    if (!sp_visit_came_back(v)) {
        return;
    }
    if (e == SP_OK) {
        e = sp_gate_withheld(v->gate, q->withheld, q->withheld_count);
    }
    free(q->withheld);
    q->withheld = NULL;
    if (e == SP_OK) {
        sp_visit_ask_witnesses(v);
    } else {
        tell_known(v, e, NULL);
    }
}

static void do_ask_revisions(struct visit *v, const struct sp_effect *e)
{
    free(v->known);
    size_t all = e->ask.count + e->ask.parts;
    v->known = calloc(all + 1, sizeof *v->known);
    v->asked_parts = e->ask.parts;
    v->asked_revisions = e->ask.revisions;
    if (!v->known) {
        out_of_memory(v);
        return;
    }
    v->ask = (struct sp_ask_revisions){.ids = e->ask.ids,
                                       .count = all,
                                       .parts = e->ask.parts,
                                       .known = v->known,
                                       .policy = e->ask.policy,
                                       .loop = v->lane->loop,
                                       .answer = revisions_answer};
    v->busy = true;
    sp_keeper_ask_revisions(v->lane->keeper, &v->ask);
}

static void files_answer(struct sp_ask_files *q, enum sp_err e)
{
    struct visit *v = VISIT_OF(q, files);
    struct sp_step step;
    if (!sp_visit_came_back(v)) {
        return;
    }
    for (size_t i = 0; e == SP_OK && i < q->count; i++) {
        v->asked_files[i].in_custody = q->files[i].in_custody;
    }
    sp_gate_files(v->gate, e, &step);
    sp_visit_perform(v, &step);
}

static void do_ask_files(struct visit *v, const struct sp_effect *e)
{
    v->files = (struct sp_ask_files){
        .files = calloc(e->files.count + 1, sizeof *v->files.files),
        .count = e->files.count,
        .upstream = upstream_of(v)->name,
        .policy = e->files.policy,
        .shown = e->files.shown,
        .shown_count = e->files.shown_count,
        .loop = v->lane->loop,
        .answer = files_answer};
    if (!v->files.files) {
        out_of_memory(v);
        return;
    }
    for (size_t i = 0; i < e->files.count; i++) {
        memcpy(v->files.files[i].sha1, e->files.at[i].sha1, 20);
    }
    v->asked_files = e->files.at;
    v->busy = true;
    sp_keeper_ask_files(v->lane->keeper, &v->files);
}

static void record_answer(struct sp_record *r, enum sp_err e)
{
    struct visit *v = VISIT_OF(r, record);
    struct sp_step step;
    if (sp_visit_came_back(v)) {
        sp_gate_recorded(v->gate, e, &r->why, r->first, &step);
        sp_visit_perform(v, &step);
    }
}

static bool is_refusal(const struct sp_effect *e)
{
    return e->record.count == 1 && !e->record.entries[0].revision;
}

static void leave_unrecorded(struct visit *v)
{
    struct sp_step step;
    SP_COUNT(&v->lane->counters, refused_unrecorded, 1);
    sp_gate_recorded(v->gate, SP_E_LIMIT, NULL, 0, &step);
    sp_visit_perform(v, &step);
}

static void keep_differences(struct visit *v)
{
    struct sp_gate_difference d;
    for (size_t i = 0; sp_gate_difference(v->gate, i, &d); i++) {
        sp_watch_keep_difference(v->lane->watch, upstream_of(v)->name, &d.id,
                                 d.document_sha256, d.text);
    }
}

static void do_record(struct visit *v, const struct sp_effect *e)
{
    size_t n = e->record.count;
    if (is_refusal(e) &&
        !sp_rate_take(&v->lane->refusals, sp_loop_now_ms(v->lane->loop))) {
        leave_unrecorded(v);
        return;
    }
    keep_differences(v);
    free(v->entries);
    free(v->revisions);
    v->entries = calloc(n, sizeof *v->entries);
    v->revisions = calloc(n, sizeof *v->revisions);
    if (!v->entries || !v->revisions) {
        out_of_memory(v);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sp_revision *r = e->record.entries[i].revision;
        v->entries[i].text = e->record.entries[i].text;
        if (r) {
            v->revisions[i] = (struct sp_record_revision){
                .id = r->id, .claims = r->claims, .claim_count = r->claim_count};
            memcpy(v->revisions[i].document_sha256, r->document_sha256, 32);
            v->entries[i].revision = &v->revisions[i];
        }
    }
    v->record = (struct sp_record){.entries = v->entries,
                                   .count = n,
                                   .loop = v->lane->loop,
                                   .answer = record_answer};
    v->busy = true;
    sp_keeper_record(v->lane->keeper, &v->record);
}

/* ---- ANSWER ---------------------------------------------------------------------- */

/* Metadata that goes out says where else its files are: for fills of an upstream that
 * has content sources. */
static enum sp_err gather_hints(struct visit *v, struct sp_hints **h)
{
    const struct sp_fill_conf *fill = &v->world->fills[v->door->upstream];
    struct sp_source source;
    size_t count = 0;
    const struct sp_file_url *urls = sp_gate_urls(v->gate, &count);
    for (size_t i = 0; i < count; i++) {
        if (sp_source_read(urls[i].url, urls[i].sha1, &fill->sources, &source) !=
            SP_OK) {
            continue;
        }
        if (!*h) {
            SP_TRY(sp_hints_new(h));
        }
        SP_TRY(sp_hints_add(*h, urls[i].sha1, urls[i].url));
    }
    return SP_OK;
}

static void keep_hints(struct visit *v)
{
    struct sp_hints *h = NULL;
    if (gather_hints(v, &h) == SP_OK && h) {
        sp_keeper_hint(v->lane->keeper, &h);
    }
    sp_hints_free(&h);
}

static void do_answer(struct visit *v, const struct sp_effect *e)
{
    keep_hints(v);
    struct sp_answer a = {.status = e->answer.status,
                          .fields = e->answer.fields,
                          .memory = e->answer.body,
                          .content_length = e->answer.announce,
                          .announce_length = e->answer.has_announce,
                          .close = e->answer.close};
    sp_exchange_respond(v->exchange, &a);
}

void sp_visit_perform(struct visit *v, const struct sp_step *step)
{
    static void (*const doers[])(struct visit *, const struct sp_effect *) = {
        [SP_EFFECT_FETCH] = do_fetch,
        [SP_EFFECT_INSPECT] = do_inspect,
        [SP_EFFECT_ASK_REVISIONS] = do_ask_revisions,
        [SP_EFFECT_ASK_FILES] = do_ask_files,
        [SP_EFFECT_RECORD] = do_record,
        [SP_EFFECT_EDIT] = do_edit,
        [SP_EFFECT_CATALOG] = sp_visit_catalog,
        [SP_EFFECT_LOOKUP] = sp_visit_lookup,
        [SP_EFFECT_FILL] = sp_visit_fill,
        [SP_EFFECT_ANSWER] = do_answer,
        [SP_EFFECT_SERVE] = sp_visit_serve,
        [SP_EFFECT_FOLLOW] = sp_visit_follow,
        [SP_EFFECT_SERVE_GROWING] = sp_visit_serve_growing,
        [SP_EFFECT_OPEN] = sp_visit_open,
        [SP_EFFECT_CUT] = sp_visit_cut,
    };
    SP_ASSERT(step->has_effect && v->exchange);
    doers[step->effect.kind](v, &step->effect);
}

/* ---- what the listener tells ----------------------------------------------------- */

static int64_t newest_of(struct sp_keeper *k)
{
    struct sp_keeper_status s;
    sp_keeper_status(k, &s);
    return s.newest;
}

/* What is in force now, on this lane; NULL when memory ran out. */
static struct sp_term *term_of(struct sp_lane *l)
{
    if (!l->term) {
        l->term = sp_term_new(l->world, l->seals);
    }
    return l->term ? sp_term_hold(l->term) : NULL;
}

/* One that rested, with its gate, or a new one without. */
static struct visit *visit_take(struct sp_lane *lane)
{
    struct visit *v = sp_spares_take(&lane->rested);
    if (!v) {
        return calloc(1, sizeof *v);
    }
    struct sp_gate *gate = v->gate;
    memset(v, 0, offsetof(struct visit, coding));
    v->gate = gate;
    return v;
}

/* What only metadata asks for: faults have a number, cookies a nonce, lists an age. */
static enum sp_err equip(struct sp_lane *lane, struct sp_asker *a)
{
    a->newest = newest_of(lane->keeper);
    SP_TRY(sp_random_draw(&lane->random, a->fault_id.bytes, sizeof a->fault_id.bytes));
    return sp_random_draw(&lane->random, a->seal_nonce, sizeof a->seal_nonce);
}

static enum sp_err give_gate(struct visit *v, const struct sp_asker *asker)
{
    if (!v->gate) {
        return sp_gate_new(&v->door->door, v->world->policy, asker, &v->gate);
    }
    sp_gate_renew(v->gate, &v->door->door, v->world->policy, asker);
    return SP_OK;
}

/* As much of it as fits. */
static void copy_text(struct sp_view from, char *out, size_t size)
{
    size_t n = from.len < size - 1 ? from.len : size - 1;
    memcpy(out, from.data, n);
    out[n] = 0;
}

/* What the handshake told, and only what a line of the policy asks for of the rest. */
static enum sp_err describe(struct visit *v, struct sp_exchange *x, struct sp_asker *a)
{
    struct sp_handshake told = sp_exchange_handshake(x);
    a->tls = told.version;
    a->sni = told.sni;
    if (a->has_pin && sp_policy_reads_names(v->world->policy)) {
        SP_TRY(sp_guest_names(x, &v->names));
        a->names = v->names;
    }
    return SP_OK;
}

static enum sp_err introduce(struct visit *v, struct sp_exchange *x,
                             const struct sp_guest *guest, struct sp_asker *a)
{
    struct sp_lane *lane = v->lane;
    copy_text(sp_view_str(sp_exchange_peer(x)), v->peer, sizeof v->peer);
    copy_text(v->head->host, v->host, sizeof v->host);
    a->address = v->peer;
    a->host = v->host;
    a->has_pin = guest->has_pin;
    memcpy(a->pin, guest->pin.sha256, 32);
    a->now = sp_clock_wall_s();
    a->stopped = sp_lockdown_is_on(lane->lockdown) ? SP_LOCKDOWN_SENTENCE : NULL;
    a->seals = &v->term->seals->keys;
    SP_TRY(describe(v, x, a));
    return v->is_metadata ? equip(lane, a) : SP_OK;
}

static enum sp_err visit_new(struct sp_door_context *d, struct sp_exchange *x,
                             struct sp_guest *guest, struct visit **out)
{
    struct visit *v = visit_take(d->lane);
    struct sp_asker asker = {0};
    if (!v) {
        sp_guest_leaves(d->lane, 0, &guest->lease);
        return SP_E_NOMEM;
    }
    v->lease = guest->lease;
    v->lane = d->lane;
    v->lane->visits++;
    v->exchange = x;
    v->head = sp_exchange_request(x);
    v->is_metadata = v->head->method == SP_HTTP_POST;
    v->began_ms = sp_loop_now_ms(d->lane->loop);
    v->term = term_of(d->lane);
    enum sp_err e = v->term ? SP_OK : SP_E_NOMEM;
    if (e == SP_OK) {
        v->world = v->term->world;
        v->door = &v->world->doors[d->door];
        e = introduce(v, x, guest, &asker);
    }
    if (e == SP_OK) {
        e = give_gate(v, &asker);
    }
    if (e != SP_OK) {
        sp_visit_free(v);
        return e;
    }
    *out = v;
    return SP_OK;
}

/* Before a byte of it is read: a body in chunks may become as long as any. What is
 * longer than the ceiling is refused without being read. */
static enum sp_err hold_body(struct visit *v, size_t ceiling)
{
    bool bounded = v->head->has_length && v->head->content_length < ceiling;
    return hold(v, bounded ? (size_t)v->head->content_length : ceiling / 2, NULL);
}

static void on_head(void *ctx, struct sp_exchange *x)
{
    struct visit *v = NULL;
    struct sp_step step;
    bool want_body = false;
    size_t ceiling = 0;
    struct sp_guest guest;
    if (sp_guest_is_lost(ctx, x) || sp_custody_takes(ctx, x) ||
        sp_cosign_takes(ctx, x) || !sp_guest_enters(ctx, x, &guest)) {
        return;
    }
    if (visit_new(ctx, x, &guest, &v) != SP_OK) {
        sp_exchange_cut(x);
        return;
    }
    *sp_exchange_slot(x) = v;
    sp_gate_head(v->gate, v->head, &want_body, &ceiling, &step);
    if (want_body && hold_body(v, ceiling) != SP_OK) {
        out_of_memory(v);
        return;
    }
    if (want_body) {
        sp_exchange_want_body(x, ceiling);
        return;
    }
    sp_visit_perform(v, &step);
}

static void on_body(void *ctx, struct sp_exchange *x)
{
    (void)ctx;
    struct visit *v = *sp_exchange_slot(x);
    struct sp_step step;
    if (sp_cosign_body(x)) {
        return;
    }
    v->moved += sp_exchange_body(x).len;
    sp_gate_body(v->gate, sp_exchange_body(x), &step);
    sp_visit_perform(v, &step);
}

static void count_service(struct sp_counters *c, const char *service)
{
    if (strcmp(service, "content") == 0) { /* most requests */
        SP_COUNT(c, requests_content, 1);
    } else if (strcmp(service, "server-sync") == 0) {
        SP_COUNT(c, requests_server_sync, 1);
    } else if (strcmp(service, "dss-auth") == 0) {
        SP_COUNT(c, requests_dss_auth, 1);
    } else if (strcmp(service, "client") == 0) {
        SP_COUNT(c, requests_client, 1);
    } else if (strcmp(service, "simple-auth") == 0) {
        SP_COUNT(c, requests_simple_auth, 1);
    } else if (strcmp(service, "reporting") == 0) {
        SP_COUNT(c, requests_reporting, 1);
    } else if (strcmp(service, "catalog") == 0) {
        SP_COUNT(c, requests_catalog, 1);
    } else {
        SP_COUNT(c, requests_other, 1);
    }
}

static void shut_out(void *ctx, enum sp_shut_out why)
{
    const struct sp_door_context *door = ctx;
    struct sp_counters *c = &door->lane->counters;
    SP_COUNT(c, handshakes_plain, why == SP_SHUT_OUT_PLAIN);
    SP_COUNT(c, handshakes_failed, why == SP_SHUT_OUT_FAILED);
    SP_COUNT(c, handshakes_slow, why == SP_SHUT_OUT_TIMEOUT);
}

static void count(struct visit *v, const struct sp_gate_summary *s)
{
    struct sp_counters *c = &v->lane->counters;
    bool content =
        strcmp(s->service, "content") == 0 || strcmp(s->service, "catalog") == 0;
    count_service(c, s->service);
    sp_durations_count(content ? &c->content : &c->metadata,
                       sp_loop_now_ms(v->lane->loop) - v->began_ms);
    sp_count_answer(c, s->status);
    SP_COUNT(c, refused_metadata, s->ruling == SP_REFUSED);
    SP_COUNT(c, observed, s->observed != 0);
    sp_count_rules(c, s->observed, s->rule);
    sp_count_fault(c, s->fault);
    if (s->ruling == SP_PASSED) {
        SP_COUNT(c, revisions_new, s->recorded);
        SP_COUNT(c, revisions_seen, s->revisions - s->recorded);
        SP_COUNT(c, removed, s->removed);
    }
    if (s->plain_http) {
        bool refused = s->status == 403;
        SP_COUNT(c, plain_refused, refused);
        SP_COUNT(c, plain_passed, !refused);
        sp_desk_plain_http(v->lane->desk, v->peer, s->operation, refused);
    }
}

static void tell_observed(struct visit *v, const struct sp_gate_summary *s)
{
    struct sp_observation o = {.observed = s->observed, .audited = s->audited};
    snprintf(o.peer, sizeof o.peer, "%s", v->peer);
    snprintf(o.operation, sizeof o.operation, "%s", s->operation);
    sp_desk_observed(v->lane->desk, &o);
}

static void tell_desk(struct visit *v, const struct sp_gate_summary *s)
{
    struct sp_desk_refusal r = {
        .what = "metadata", .has_entry = s->has_entry, .entry = s->entry};
    snprintf(r.peer, sizeof r.peer, "%s", v->peer);
    snprintf(r.operation, sizeof r.operation, "%s", s->operation);
    snprintf(r.rule, sizeof r.rule, "%s", s->rule);
    snprintf(r.why, sizeof r.why, "%s", s->why);
    sp_desk_refused(v->lane->desk, &r);
}

void sp_visit_log_audited(struct sp_log *l, uint64_t audited)
{
    char text[512] = "";
    size_t at = 0;
    for (enum sp_rule r = 0; r < SP_RULE_COUNT && at < sizeof text; r++) {
        if (audited >> r & 1) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at ? ", " : "",
                                   sp_rule_text(r));
        }
    }
    sp_log_str(l, "would_refuse", text);
}

static void log_visit(struct visit *v, const struct sp_gate_summary *s, bool complete)
{
    struct sp_log l;
    bool content = strcmp(s->service, "content") == 0;
    enum sp_log_level level =
        s->ruling == SP_REFUSED || s->removed || s->audited || s->status >= 500
            ? SP_LOG_WARNING
        : content ? SP_LOG_DEBUG
                  : SP_LOG_INFO;
    char correlation[128], path[128], windows[16];
    struct sp_view trace = traceparent_of(v);
    if (!sp_log_begin(&l, level, s->ruling == SP_REFUSED ? "refused" : "exchange")) {
        return;
    }
    snprintf(path, sizeof path, SP_VIEW_FMT, SP_VIEW_ARG(v->head->target));
    sp_visit_copy_header(&v->head->headers, "MS-CV", correlation, sizeof correlation);
    sp_log_str(&l, "listener", v->door->door.name);
    sp_log_str(&l, "peer", v->peer);
    sp_log_str(&l, "service", s->service);
    sp_log_str(&l, "operation", s->operation);
    sp_log_str(&l, "target", s->operation[0] ? "" : path);
    sp_log_int(&l, "status", s->status);
    sp_log_str(&l, "station", sp_station_text(s->decided_at));
    sp_log_str(&l, "fault", s->fault);
    if (s->windows) {
        snprintf(windows, sizeof windows, "0x%08X", s->windows);
        sp_log_str(&l, "windows", windows);
    }
    sp_log_str(&l, "rule", s->rule);
    sp_log_str(&l, "why", s->why);
    sp_visit_log_audited(&l, s->audited);
    if (s->has_entry) {
        sp_log_int(&l, "entry", (int64_t)s->entry);
    }
    if (s->revisions) {
        sp_log_int(&l, "revisions", (int64_t)s->revisions);
        sp_log_int(&l, "new", (int64_t)s->recorded);
    }
    if (s->left_out) {
        sp_log_int(&l, "left_out", (int64_t)s->left_out);
    }
    if (s->removed) {
        sp_log_int(&l, "withheld", (int64_t)s->removed);
    }
    sp_log_str(&l, "transport", s->plain_http ? "http" : "");
    sp_log_str(&l, "ms_cv", correlation);
    if (trace.len) {
        char text[64];
        snprintf(text, sizeof text, SP_VIEW_FMT, SP_VIEW_ARG(trace));
        sp_log_str(&l, "traceparent", text);
    }
    sp_log_str(&l, "outcome", complete ? "" : "asker left early");
    sp_log_int(&l, "ms", (int64_t)(sp_loop_now_ms(v->lane->loop) - v->began_ms));
    sp_log_end(&l);
}

static void on_end(void *ctx, struct sp_exchange *x, bool complete)
{
    (void)ctx;
    struct visit *v = *sp_exchange_slot(x);
    struct sp_gate_summary s;
    if (sp_stay_ended(x) || !v) {
        return;
    }
    sp_gate_summary(v->gate, &s);
    count(v, &s);
    log_visit(v, &s, complete);
    if (s.observed) {
        tell_observed(v, &s);
    }
    if (s.ruling == SP_REFUSED) {
        tell_desk(v, &s);
    }
    v->exchange = NULL;
    if (v->fetch) {
        sp_fetch_cancel(v->fetch);
    } else if (v->joined) {
        sp_joined_leave(v);
        sp_visit_free(v);
    } else if (v->wants_fill) {
        sp_visit_leave(v);
    } else if (!v->busy) {
        sp_visit_free(v);
    }
}

const struct sp_server_handler sp_exchange_handler = {
    .head = on_head, .body = on_body, .end = on_end, .shut_out = shut_out};
