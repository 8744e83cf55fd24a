#include "app/serve/cosign_serve.h"

#include "app/log/log.h"
#include "app/serve/visit.h"
#include "core/base/text.h"
#include "sallyport/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 8 };

struct petition {
    struct visitor visitor;       /* first, as in a visit */
    struct sp_lane *lane;         /* borrowed */
    struct sp_world *world;       /* shared */
    struct sp_exchange *exchange; /* borrowed; NULL once the asker is gone */
    char peer[64];
    struct sp_peer_lease lease;
    struct sp_buf body;
    struct sp_job job;
    struct sp_cosigner_answer answer;
    char fields[128], size[32];
    unsigned holders; /* the exchange, the job, the answer under way, the record */
    struct sp_record record;
    struct sp_record_entry entry;
    struct sp_buf text;
};

static void let_go(struct petition *p)
{
    struct sp_lane *lane = p->lane;
    if (--p->holders > 0) {
        return;
    }
    sp_guest_leaves(lane, p->body.len, &p->lease);
    sp_world_unref(&p->world);
    sp_buf_fini(&p->body);
    sp_buf_fini(&p->text);
    sp_cosigner_answer_fini(&p->answer);
    free(p);
    lane->petitions--;
    if (--lane->visits == 0 && lane->idle) {
        lane->idle(lane);
    }
}

static void count(struct sp_lane *lane, int status)
{
    SP_COUNT(&lane->counters, requests_witness, 1);
    sp_count_answer(&lane->counters, status);
}

static void refuse(struct sp_lane *lane, struct sp_exchange *x, int status)
{
    static const char later[] = "Retry-After: 1\r\n";
    struct sp_answer a = {.status = status, .close = true};
    if (status == 503) {
        a.fields = SP_VIEW(later);
    }
    count(lane, status);
    sp_exchange_respond(x, &a);
}

/* ---- what is told ---------------------------------------------------------------- */

/* What anybody can provoke is told sparsely; what a ledger's own key signed, always. */
static void log_ruling(const struct petition *p)
{
    const struct sp_cosigner_answer *a = &p->answer;
    bool is_grave = a->is_ruled &&
                    (a->ruling == SP_COSIGN_FORKED || a->ruling == SP_COSIGN_UNPROVEN);
    bool is_signed = is_grave || a->status == 200 || a->status == 409;
    struct sp_log l;
    if ((!is_signed &&
         !sp_rate_take(&p->lane->turned_away, sp_loop_now_ms(p->lane->loop))) ||
        !sp_log_begin(&l, is_grave || a->status == 503 ? SP_LOG_WARNING : SP_LOG_INFO,
                      "cosign")) {
        return;
    }
    sp_log_str(&l, "peer", p->peer);
    sp_log_str(&l, "origin", a->origin);
    sp_log_int(&l, "status", a->status);
    sp_log_int(&l, "last", (int64_t)a->last);
    if (a->status == 200) {
        sp_log_int(&l, "size", (int64_t)a->asked);
    }
    sp_log_str(&l, "why", a->status == 200 ? "" : a->why.text);
    sp_log_end(&l);
}

static enum sp_err write_facts(const struct petition *p, struct sp_facts *f)
{
    const struct sp_cosigner_answer *a = &p->answer;
    const char *state = a->ruling == SP_COSIGN_FORKED ? "forked" : "unreadable";
    SP_TRY(sp_facts_entry(f, "tier", sp_clock_wall_s()));
    SP_TRY(sp_facts_text(f, SP_FACT_PEER_ADDRESS, sp_view_str(p->peer)));
    SP_TRY(sp_facts_text(f, SP_FACT_TIER_ORIGIN, sp_view_str(a->origin)));
    SP_TRY(sp_facts_int(f, SP_FACT_TIER_SIZE, (int64_t)a->last));
    SP_TRY(sp_facts_text(f, SP_FACT_TIER_STATE, sp_view_str(state)));
    return sp_facts_text(f, SP_FACT_TIER_WHY, sp_view_str(a->why.text));
}

static void on_recorded(struct sp_record *r, enum sp_err e)
{
    struct petition *p = SP_HOLDER(r, struct petition, record);
    if (e != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "not_recorded", "the evidence against %s: %s",
                   p->answer.origin, sp_why_text(&r->why, e));
    }
    let_go(p);
}

static void record(struct petition *p)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    sp_buf_clear(&p->text);
    if (sp_facts_new(SP_KIB(16), &f) != SP_OK || write_facts(p, f) != SP_OK ||
        sp_facts_encode(f, &p->text) != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "not_recorded", "the evidence against %s",
                   p->answer.origin);
        return;
    }
    p->entry = (struct sp_record_entry){.text = sp_buf_view(&p->text)};
    p->record = (struct sp_record){
        .entries = &p->entry, .count = 1, .loop = p->lane->loop, .answer = on_recorded};
    p->holders++;
    sp_keeper_record(p->lane->keeper, &p->record);
}

/* ---- the answer ------------------------------------------------------------------ */

static void work(struct sp_job *job)
{
    struct petition *p = SP_HOLDER(job, struct petition, job);
    sp_cosigner_rule(p->lane->cosigner, &p->world->config->cosigns,
                     sp_buf_view(&p->body), sp_clock_wall_s(), &p->answer);
}

static void release(void *owner)
{
    let_go(owner);
}

/* [C2SP tlog-witness]: the size alone, and its own type, where the old size is wrong.
 */
static void answer(struct petition *p)
{
    const struct sp_cosigner_answer *a = &p->answer;
    bool is_size = a->is_ruled && a->ruling == SP_COSIGN_STALE;
    snprintf(p->fields, sizeof p->fields,
             "Content-Type: %s\r\n%sCache-Control: no-store\r\n",
             is_size ? "text/x.tlog.size" : "text/plain; charset=utf-8",
             a->status == 503 ? "Retry-After: 1\r\n" : "");
    snprintf(p->size, sizeof p->size, "%" PRIu64 "\n", a->last);
    struct sp_answer out = {.status = a->status,
                            .fields = sp_view_str(p->fields),
                            .memory = a->status == 200 ? sp_buf_view(&a->lines)
                                      : is_size        ? sp_view_str(p->size)
                                                       : sp_view_str(a->why.text),
                            .release = release,
                            .owner = p};
    p->holders++;
    sp_exchange_respond(p->exchange, &out);
}

static void done(struct sp_job *job)
{
    struct petition *p = SP_HOLDER(job, struct petition, job);
    count(p->lane, p->answer.status);
    log_ruling(p);
    if (p->answer.is_first) {
        record(p);
    }
    if (p->exchange) {
        answer(p);
    }
    let_go(p);
}

/* ---- what the listener tells ----------------------------------------------------- */

static void begin(struct sp_lane *lane, struct sp_exchange *x, struct sp_guest *guest)
{
    struct petition *p = calloc(1, sizeof *p);
    if (!p) {
        sp_guest_leaves(lane, 0, &guest->lease);
        refuse(lane, x, 503);
        return;
    }
    p->visitor.kind = VISITOR_WITNESS;
    p->lease = guest->lease;
    p->lane = lane;
    p->world = sp_world_ref(lane->world);
    p->exchange = x;
    snprintf(p->peer, sizeof p->peer, "%s", sp_exchange_peer(x));
    sp_buf_init(&p->body, SP_LIMIT_COSIGN_ASK);
    sp_buf_init(&p->text, SP_LIMIT_LEDGER_ENTRY);
    p->holders = 1;
    lane->visits++;
    lane->petitions++;
    *sp_exchange_slot(x) = p;
    sp_exchange_want_body(x, SP_LIMIT_COSIGN_ASK);
}

bool sp_cosign_takes(struct sp_door_context *d, struct sp_exchange *x)
{
    struct sp_lane *lane = d->lane;
    const struct sp_http_request *q = sp_exchange_request(x);
    struct sp_guest guest;
    if (!lane->world->config->listeners[d->door].tlog_witness ||
        !sp_exchange_is_tls(x) || !sp_view_eq_str(q->target, SP_WITNESS_PATH)) {
        return false;
    }
    *sp_exchange_slot(x) = NULL;
    if (q->method != SP_HTTP_POST) {
        refuse(lane, x, 405);
    } else if (lane->petitions >= AT_ONCE) {
        refuse(lane, x, 503);
    } else if (sp_guest_enters(d, x, &guest)) {
        begin(lane, x, &guest);
    }
    return true;
}

static struct petition *petition_of(struct sp_exchange *x)
{
    struct visitor *v = *sp_exchange_slot(x);
    return v && v->kind == VISITOR_WITNESS ? (struct petition *)(void *)v : NULL;
}

bool sp_cosign_body(struct sp_exchange *x)
{
    struct petition *p = petition_of(x);
    if (!p) {
        return false;
    }
    sp_exchange_take_body(x, &p->body);
    p->job = (struct sp_job){.work = work, .done = done};
    p->holders++;
    sp_loop_work(p->lane->loop, &p->job);
    return true;
}

bool sp_cosign_ended(struct sp_exchange *x)
{
    struct petition *p = petition_of(x);
    if (!p) {
        return false;
    }
    p->exchange = NULL;
    let_go(p);
    return true;
}
