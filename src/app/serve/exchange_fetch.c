/* Metadata of one exchange: the way to the upstream, inspecting what came, editing it.
 */
#include "app/serve/joined.h"
#include "app/serve/preview.h"
#include "app/serve/relay.h"
#include "app/watch/witnesses.h"

#include <string.h>

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

void sp_visit_count_upstream(struct sp_lane *lane, const struct sp_world *w,
                             const struct sp_world_door *door, enum sp_err e,
                             const struct sp_link_report *r)
{
    sp_upstream_count(w->upstreams[door->upstream], e);
    SP_COUNT(&lane->counters, handshakes_unproven, e == SP_E_UNPROVEN);
    SP_COUNT(&lane->counters, handshakes_upstream, e == SP_E_TLS);
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
        sp_relay_close(&v->relay);
    }
    sp_visit_perform(v, &step);
}

static void fetch_done(void *ctx, enum sp_err e, const struct sp_link_report *report)
{
    struct visit *v = ctx;
    v->fetch = NULL;
    sp_visit_count_upstream(v->lane, v->world, v->door, e, report);
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
struct sp_view sp_visit_traceparent(const struct visit *v)
{
    struct sp_view value = {NULL, 0};
    bool good = sp_http_header(&v->head->headers, "traceparent", &value) &&
                sp_http_is_traceparent(value);
    return good ? value : (struct sp_view){NULL, 0};
}

void sp_visit_fetch(struct visit *v, const struct sp_effect *e)
{
    struct sp_fetch_ask ask = {.kind = SP_FETCH_SOAP,
                               .path = e->fetch.path,
                               .body = e->fetch.body,
                               .soap_action = e->fetch.soap_action,
                               .traceparent = sp_visit_traceparent(v),
                               .accept_xpress = e->fetch.accept_coded,
                               .reply_limit = SP_LIMIT_SOAP_REPLY,
                               .patience_ms = e->fetch.patience_ms};
    struct sp_step step;
    struct sp_why why = {0};
    enum sp_err err = sp_visit_hold(v, sizeof *v + e->fetch.body.len, &why);
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
    if (v->relay) {
        sp_relay_inspect(v->relay, &v->task, i);
    } else if (v->preview) {
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
    sp_relay_close(&v->relay);
    if (sp_visit_came_back(v)) {
        if (sp_visit_hold(v, v->inspection.decoded.len, NULL) != SP_OK) {
            sp_inspection_fini(&v->inspection);
            v->inspection = (struct sp_inspection){.err = SP_E_NOMEM};
        }
        sp_gate_inspected(v->gate, &v->inspection, &step);
        sp_visit_perform(v, &step);
    }
}

void sp_visit_inspect(struct visit *v, const struct sp_effect *e)
{
    v->task = *e;
    v->job = (struct sp_job){.work = inspect_work, .done = inspect_done};
    v->busy = true;
    sp_loop_work(v->lane->loop, &v->job);
}

/* ---- DIGEST ---------------------------------------------------------------------- */

static void digest_work(struct sp_job *job)
{
    struct visit *v = VISIT_OF(job, job);
    sp_gate_digest(&v->task, v->digest);
}

static void digest_done(struct sp_job *job)
{
    struct visit *v = VISIT_OF(job, job);
    struct sp_step step;
    if (sp_visit_came_back(v)) {
        sp_gate_digested(v->gate, v->digest, &step);
        sp_visit_perform(v, &step);
    }
}

void sp_visit_digest(struct visit *v, const struct sp_effect *e)
{
    v->task = *e;
    v->job = (struct sp_job){.work = digest_work, .done = digest_done};
    v->busy = true;
    sp_loop_work(v->lane->loop, &v->job);
}

/* ---- RELAY ----------------------------------------------------------------------- */

void sp_visit_relay(struct visit *v, const struct sp_effect *e)
{
    struct sp_answer a = {.status = e->answer.status,
                          .fields = e->answer.fields,
                          .memory =
                              sp_view(v->arrival->bytes.data, (size_t)e->answer.length),
                          .grows = true,
                          .ready = sp_relay_open(v->relay)};
    sp_exchange_respond(v->exchange, &a);
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

void sp_visit_edit(struct visit *v, const struct sp_effect *e)
{
    struct sp_step step;
    if (sp_visit_hold(v, e->edit.text.len, NULL) != SP_OK) {
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
