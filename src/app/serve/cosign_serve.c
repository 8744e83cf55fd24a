#include "app/serve/cosign_serve.h"

#include "app/log/log.h"
#include "app/serve/stay.h"
#include "core/base/text.h"
#include "sallyport/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 8 };

struct petition {
    struct stay stay; /* first; held by the job, the answer and the record as well */
    char peer[64];
    struct sp_buf body;
    struct sp_job job;
    struct sp_cosigner_answer answer;
    char fields[128], size[32];
    struct sp_record record;
    struct sp_record_entry entry;
    struct sp_buf text;
};

static void petition_free(struct stay *s)
{
    struct petition *p = SP_HOLDER(s, struct petition, stay);
    sp_buf_fini(&p->body);
    sp_buf_fini(&p->text);
    sp_cosigner_answer_fini(&p->answer);
    free(p);
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
    if ((!is_signed && !sp_rate_take(&p->stay.lane->turned_away,
                                     sp_loop_now_ms(p->stay.lane->loop))) ||
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
    sp_stay_let_go(&p->stay);
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
    p->record = (struct sp_record){.entries = &p->entry,
                                   .count = 1,
                                   .loop = p->stay.lane->loop,
                                   .answer = on_recorded};
    sp_stay_hold(&p->stay);
    sp_keeper_record(p->stay.lane->keeper, &p->record);
}

/* ---- the answer ------------------------------------------------------------------ */

static void work(struct sp_job *job)
{
    struct petition *p = SP_HOLDER(job, struct petition, job);
    sp_cosigner_rule(p->stay.lane->cosigner, &p->stay.world->config->cosigns,
                     sp_buf_view(&p->body), sp_clock_wall_s(), &p->answer);
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
                            .release = sp_stay_release,
                            .owner = &p->stay};
    sp_stay_hold(&p->stay);
    sp_stay_count(&p->stay, a->status);
    sp_exchange_respond(p->stay.exchange, &out);
}

static void done(struct sp_job *job)
{
    struct petition *p = SP_HOLDER(job, struct petition, job);
    log_ruling(p);
    if (p->answer.is_first) {
        record(p);
    }
    if (p->stay.exchange) {
        answer(p);
    }
    sp_stay_let_go(&p->stay);
}

/* ---- what the listener tells ----------------------------------------------------- */

static void begin(struct sp_door_context *d, struct sp_exchange *x,
                  struct sp_guest *guest)
{
    struct sp_lane *lane = d->lane;
    struct petition *p = calloc(1, sizeof *p);
    if (p) {
        p->stay = (struct stay){.visitor = {VISITOR_WITNESS},
                                .present = &lane->petitions,
                                .free = petition_free};
    }
    if (!sp_stay_begin(p ? &p->stay : NULL, d, x, SP_ASKED_WITNESS, guest)) {
        return;
    }
    snprintf(p->peer, sizeof p->peer, "%s", sp_exchange_peer(x));
    sp_buf_init(&p->body, SP_LIMIT_COSIGN_ASK);
    sp_buf_init(&p->text, SP_LIMIT_LEDGER_ENTRY);
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
        sp_stay_refuse(d, x, SP_ASKED_WITNESS, 405);
    } else if (sp_stay_may_begin(d, x, SP_ASKED_WITNESS, lane->petitions, AT_ONCE,
                                 &guest)) {
        begin(d, x, &guest);
    }
    return true;
}

bool sp_cosign_body(struct sp_exchange *x)
{
    struct stay *s = sp_stay_of(x, VISITOR_WITNESS);
    if (!s) {
        return false;
    }
    struct petition *p = SP_HOLDER(s, struct petition, stay);
    sp_exchange_take_body(x, &p->body);
    s->moved = p->body.len;
    p->job = (struct sp_job){.work = work, .done = done};
    sp_stay_hold(s);
    sp_loop_work(s->lane->loop, &p->job);
    return true;
}
