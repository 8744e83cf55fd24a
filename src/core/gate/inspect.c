/* FETCH's end and INSPECT: the reply is here; what is it? */
#include "core/gate/private.h"

#include "core/crypto/crypto.h"
#include "core/pack/pack.h"

#include <stdlib.h>

/* NTLM and Negotiate authenticate a connection, or the name the asker used: relayed
 * over a pool, the next asker would be the one before. (reference 12) */
static void refuse_unauthorized(struct sp_gate *g, struct sp_step *step)
{
    sp_why_say(
        &g->why,
        "upstream %s (%s) demands Windows authentication (HTTP %d), which belongs "
        "to one connection and is never passed on. Allow anonymous access to its "
        "web services and set client_certificate here instead. Windows Update "
        "clients would show this as 0x80244017",
        g->door->upstream_name, g->door->upstream_host, g->reply_status);
    sp_gate_refuse_fault(g, 500, SP_FAULT_INTERNAL_SERVER_ERROR, NULL, step);
}

bool sp_gate_may_stream(const struct sp_gate *g, int status, struct sp_view coding,
                        enum sp_op *op)
{
    *op = g->op;
    return g->station == SP_STATION_FETCH && g->has_op && sp_op_streams(g->op) &&
           status == 200 &&
           (coding.len == 0 || sp_view_eq_fold(coding, SP_VIEW("identity")));
}

static enum sp_err prepare_relay(struct sp_gate *g, struct sp_view content_type,
                                 const struct sp_link *link)
{
    SP_TRY(sp_gate_link_facts(g, link));
    SP_TRY(sp_buf_append(&g->type, content_type));
    return sp_gate_reply_fields(g, false);
}

void sp_gate_begins(struct sp_gate *g, struct sp_view content_type, uint64_t length,
                    const struct sp_link *link, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_FETCH && !g->streams);
    *step = (struct sp_step){0};
    struct sp_verdict v = {.ruling = SP_UNPROVEN};
    bool is_ready = prepare_relay(g, content_type, link) == SP_OK;
    if (is_ready) {
        sp_policy_judge(g->policy, SP_SUBJECT_LINK, g->link, &v);
    }
    sp_buf_clear(&g->type); /* told again when the reply is whole */
    if (v.ruling != SP_PASSED) {
        sp_buf_clear(&g->fields);
        return;
    }
    g->streams = true;
    g->status = 200;
    g->decided_at = SP_STATION_FETCH;
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_RELAY,
        .answer = {.status = 200, .fields = sp_buf_view(&g->fields), .length = length}};
}

void sp_gate_fetched(struct sp_gate *g, int status, struct sp_view coding,
                     struct sp_view content_type, struct sp_view reply,
                     const struct sp_link *link, int64_t now, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_FETCH);
    *step = (struct sp_step){0};
    g->now = now;
    g->reply_status = status;
    g->reply = reply;
    if (sp_buf_append(&g->coding, coding) != SP_OK ||
        sp_buf_append(&g->type, content_type) != SP_OK ||
        sp_gate_link_facts(g, link) != SP_OK) {
        sp_gate_refuse_text(g, 503, sp_err_text(SP_E_NOMEM), step);
        return;
    }
    if (status == 401 || status == 407) {
        refuse_unauthorized(g, step);
        return;
    }
    sp_gate_move(g, SP_STATION_INSPECT);
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_INSPECT,
        .inspect = {.op = g->op,
                    .status = status,
                    .coding = sp_buf_view(&g->coding),
                    .body = g->reply,
                    .asked = g->request.asked,
                    .asked_count = g->request.asked_count},
    };
}

static enum sp_fault_code fault_of_failure(enum sp_err e)
{
    /* ServerBusy says "transient", so the asker comes again; the rest stops its run. */
    bool transient = e == SP_E_TIMEOUT || e == SP_E_UNAVAILABLE || e == SP_E_CLOSED ||
                     e == SP_E_CANCELLED || e == SP_E_NOMEM;
    return transient ? SP_FAULT_SERVER_BUSY : SP_FAULT_INTERNAL_SERVER_ERROR;
}

static void record(struct sp_gate *g, struct sp_step *step)
{
    sp_gate_move(g, SP_STATION_RECORD);
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_RECORD,
        .record = {.entries = g->entries, .count = g->entry_count},
    };
}

void sp_gate_fetch_failed(struct sp_gate *g, enum sp_err e, const struct sp_why *why,
                          const struct sp_link *link, int64_t now, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_FETCH && e != SP_OK);
    *step = (struct sp_step){0};
    g->now = now;
    sp_why_say(&g->why, "upstream %s (%s): %s", g->door->upstream_name,
               g->door->upstream_host, sp_why_text(why, e));
    bool refused = e == SP_E_UNPROVEN && link && sp_gate_link_facts(g, link) == SP_OK;
    if (!refused) {
        sp_gate_refuse_fault(g, e == SP_E_NOMEM ? 503 : 500, fault_of_failure(e), NULL,
                             step);
        return;
    }
    g->has_verdict = true;
    g->verdict = (struct sp_verdict){
        .ruling = SP_REFUSED, .rule = SP_RULE_UPSTREAM_PINNED, .why = g->why};
    sp_gate_move(g, SP_STATION_INSPECT);
    sp_gate_move(g, SP_STATION_JUDGE);
    if (sp_gate_entries_refused(g) != SP_OK) {
        sp_gate_refuse_verdict(g, step);
        return;
    }
    record(g, step);
}

static enum sp_err decode(struct sp_view coding, struct sp_view body,
                          struct sp_buf *out, struct sp_why *why)
{
    if (sp_view_eq_fold(coding, SP_VIEW("xpress"))) {
        return sp_xpress_decode(body, out, why);
    }
    if (sp_view_eq_fold(coding, SP_VIEW("gzip"))) {
        return sp_gzip_decode(body, out, why);
    }
    return sp_why_set(why, SP_E_UNSUPPORTED,
                      "the reply has the content coding \"" SP_VIEW_FMT
                      "\", which was not asked for",
                      SP_VIEW_ARG(coding));
}

void sp_gate_inspect(const struct sp_effect *e, struct sp_inspection *out)
{
    sp_gate_inspect_with(e, NULL, out);
}

void sp_gate_inspect_with(const struct sp_effect *e,
                          const struct sp_foresight *foresight,
                          struct sp_inspection *out)
{
    *out = (struct sp_inspection){0};
    sp_buf_init(&out->decoded, SP_LIMIT_SOAP_REPLY);
    struct sp_view body = e->inspect.body;
    bool coded = e->inspect.coding.len > 0 &&
                 !sp_view_eq_fold(e->inspect.coding, SP_VIEW("identity"));
    if (coded) {
        out->err = decode(e->inspect.coding, body, &out->decoded, &out->why);
        body = sp_buf_view(&out->decoded);
    }
    if (out->err == SP_OK) {
        out->err = sp_reply_inspect_with(
            e->inspect.op, e->inspect.status, body, e->inspect.asked,
            e->inspect.asked_count, coded ? NULL : foresight, &out->reply, &out->why);
    }
}

void sp_gate_inspect_arrived(const struct sp_effect *e,
                             struct sp_reply_arriving *arriving,
                             struct sp_inspection *out)
{
    *out = (struct sp_inspection){0};
    sp_buf_init(&out->decoded, SP_LIMIT_SOAP_REPLY);
    if (sp_reply_arriving_end(arriving, e->inspect.body, &out->reply) != SP_OK) {
        sp_gate_inspect(e, out);
    }
}

void sp_inspection_fini(struct sp_inspection *i)
{
    sp_reply_free(&i->reply);
    if (i->decoded.ceiling) {
        sp_buf_fini(&i->decoded);
    }
}

/* A reply that cannot be decoded breaks reply-wellformed like one that cannot be read.
 */
static enum sp_err undecodable(struct sp_gate *g)
{
    struct sp_reply *r = calloc(1, sizeof *r);
    if (!r) {
        return SP_E_NOMEM;
    }
    g->inspection.reply = r;
    SP_TRY(sp_facts_new(SP_KIB(16), &r->facts));
    SP_TRY(sp_facts_int(r->facts, SP_FACT_REPLY_STATUS, g->reply_status));
    return sp_facts_flag(r->facts, SP_FACT_REPLY_WELLFORMED, false);
}

static void ask_revisions(struct sp_gate *g, struct sp_step *step)
{
    const struct sp_reply *r = g->inspection.reply;
    sp_gate_move(g, SP_STATION_LOOKUP);
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_ASK_REVISIONS,
        .ask = {.ids = g->ids,
                .count = r->revision_count,
                .parts = g->part_count,
                .revisions = r->revisions,
                .policy = sp_policy_name(g->policy)},
    };
}

static enum sp_err edit_client_reply(struct sp_gate *g)
{
    SP_TRY(sp_gate_seal_cookie(g));
    return sp_gate_move_locations(g);
}

static bool is_refused(const struct sp_gate *g)
{
    return g->has_verdict && g->verdict.ruling != SP_PASSED;
}

/* Of a reply that could be decoded. */
static bool wants_digest(const struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    return (is_refused(g) || g->removed) && g->inspection.err == SP_OK &&
           sp_facts_count(r->facts, SP_FACT_REPLY_SHA256) == 0;
}

/* The verdict is there: its entries, and what goes out otherwise than it came. */
static void settle(struct sp_gate *g, struct sp_step *step)
{
    bool passed = !is_refused(g);
    enum sp_err e = passed ? sp_gate_entries_passed(g) : sp_gate_entries_refused(g);
    if (e != SP_OK) {
        sp_why_say(&g->why, "the ledger entry could not be made: %s", sp_err_text(e));
        sp_gate_refuse_busy(g, e, step);
        return;
    }
    e = passed ? edit_client_reply(g) : SP_OK;
    if (e != SP_OK) {
        sp_why_say(&g->why, "a cookie or an address could not be rewritten: %s",
                   sp_err_text(e));
        sp_gate_refuse_fault(g, 500, SP_FAULT_INTERNAL_SERVER_ERROR, NULL, step);
        return;
    }
    if (g->entry_count == 0) {
        sp_gate_release_reply(g, step);
        return;
    }
    record(g, step);
}

static void judged(struct sp_gate *g, struct sp_step *step)
{
    sp_gate_judge(g);
    if (wants_digest(g)) {
        step->has_effect = true;
        step->effect = (struct sp_effect){.kind = SP_EFFECT_DIGEST,
                                          .digest = {.text = sp_gate_text(g)}};
        return;
    }
    settle(g, step);
}

void sp_gate_digest(const struct sp_effect *e, uint8_t sha256[32])
{
    sp_sha256(e->digest.text, sha256);
}

void sp_gate_digested(struct sp_gate *g, const uint8_t sha256[32], struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_JUDGE && g->has_verdict);
    *step = (struct sp_step){0};
    if (sp_facts_bytes(g->inspection.reply->facts, SP_FACT_REPLY_SHA256,
                       sp_view(sha256, 32)) != SP_OK) {
        sp_gate_refuse_busy(g, SP_E_NOMEM, step);
        return;
    }
    settle(g, step);
}

static enum sp_err prepare_look_up(struct sp_gate *g)
{
    size_t n = g->inspection.reply->revision_count;
    SP_TRY(sp_gate_list_ids(g));
    g->known = calloc(n + g->part_count + 1, sizeof *g->known);
    g->taken = calloc(n + 1, sizeof *g->taken);
    return g->known && g->taken ? SP_OK : SP_E_NOMEM;
}

void sp_gate_inspected(struct sp_gate *g, struct sp_inspection *take,
                       struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_INSPECT);
    *step = (struct sp_step){0};
    g->inspection = *take;
    *take = (struct sp_inspection){0};
    enum sp_err e = g->inspection.err;
    if (e == SP_E_NOMEM || e == SP_E_INTERNAL ||
        (e != SP_OK && undecodable(g) != SP_OK)) {
        sp_why_say(&g->why, "the reply could not be inspected: %s", sp_err_text(e));
        sp_gate_refuse_busy(g, e, step);
        return;
    }
    size_t n = g->inspection.reply->revision_count;
    if (n == 0 && sp_gate_asks_files(g)) {
        sp_gate_ask_files(g, step);
        return;
    }
    if (n == 0 && g->inspection.reply->listed_count == 0) {
        sp_gate_move(g, SP_STATION_JUDGE);
        judged(g, step);
        return;
    }
    if (prepare_look_up(g) != SP_OK) {
        sp_gate_refuse_busy(g, SP_E_NOMEM, step);
        return;
    }
    ask_revisions(g, step);
}

void sp_gate_known(struct sp_gate *g, enum sp_err e, const struct sp_gate_known *known,
                   struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_LOOKUP && g->inspection.reply);
    *step = (struct sp_step){0};
    if (e != SP_OK) {
        sp_why_say(&g->why, "the ledger could not be asked: %s", sp_err_text(e));
        sp_gate_refuse_busy(g, e, step);
        return;
    }
    for (size_t i = 0; i < g->inspection.reply->revision_count + g->part_count; i++) {
        g->known[i] = known[i];
    }
    if (sp_gate_tier_facts(g, known) != SP_OK) {
        sp_gate_refuse_busy(g, SP_E_NOMEM, step);
        return;
    }
    sp_gate_known_here(g);
    sp_gate_move(g, SP_STATION_JUDGE);
    judged(g, step);
}

void sp_gate_files(struct sp_gate *g, enum sp_err e, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_LOOKUP && g->inspection.reply);
    *step = (struct sp_step){0};
    if (e != SP_OK) {
        sp_why_say(&g->why, "the ledger could not be asked: %s", sp_err_text(e));
        sp_gate_refuse_busy(g, e, step);
        return;
    }
    if (sp_gate_state_shown(g) != SP_OK) {
        sp_gate_refuse_busy(g, SP_E_NOMEM, step);
        return;
    }
    sp_gate_move(g, SP_STATION_JUDGE);
    judged(g, step);
}

void sp_gate_recorded(struct sp_gate *g, enum sp_err e, const struct sp_why *why,
                      uint64_t first, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_RECORD);
    *step = (struct sp_step){0};
    bool refusing = is_refused(g);
    if (e == SP_E_CONFLICT && !refusing) {
        sp_gate_entries_clear(g);
        sp_splices_clear(&g->edits);
        g->has_verdict = false;
        ask_revisions(g, step);
        return;
    }
    /* clients are told nothing of it for the thousandth time: the rest goes out */
    bool unrecorded = e == SP_E_LIMIT && !why && (g->cut_count || g->told_removed);
    if (e != SP_OK && !refusing && !unrecorded) {
        sp_why_say(&g->why, "the ledger cannot be written: %s",
                   e == SP_E_LIMIT && !why ? "there are too many edits at once"
                                           : sp_why_text(why, e));
        sp_gate_refuse_busy(g, e, step);
        return;
    }
    if (e == SP_OK) {
        g->has_entry = true;
        g->entry = first;
        g->recorded = sp_gate_entries_new(g);
    }
    g->too_many_refusals = e == SP_E_LIMIT;
    if (refusing) {
        sp_gate_refuse_verdict(g, step);
        return;
    }
    sp_gate_release_reply(g, step);
}
