/* RELEASE and REFUSE: the answer, made once. */
#include "core/gate/private.h"

#include "core/gate/windows.h"
#include "core/pack/pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void finish(struct sp_gate *g, int status, struct sp_view body,
                   struct sp_step *step)
{
    step->has_effect = true;
    if (g->streams) { /* its beginning went out: that it has no end is the answer */
        step->effect = (struct sp_effect){.kind = SP_EFFECT_CUT};
        g->is_cut = true;
        g->has_fault = false;
        sp_gate_move(g, SP_STATION_DONE);
        return;
    }
    g->status = status;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_ANSWER,
        .answer = {.status = status, .fields = sp_buf_view(&g->fields), .body = body},
    };
    sp_gate_move(g, SP_STATION_DONE);
}

/* Out of memory while saying no: an empty answer says no as well. */
static void finish_empty(struct sp_gate *g, int status, struct sp_step *step)
{
    sp_buf_clear(&g->fields);
    finish(g, status, (struct sp_view){0}, step);
}

/* The asker gets the very bytes, unless it cannot read their coding: then the decoded
 * ones, which are what was inspected. */
static bool coding_is_accepted(const struct sp_gate *g)
{
    struct sp_view accept, coding = sp_buf_view(&g->coding);
    char token[16];
    if (coding.len == 0 || sp_view_eq_fold(coding, SP_VIEW("identity"))) {
        return true;
    }
    if (coding.len >= sizeof token ||
        !sp_http_header(&g->head->headers, "Accept-Encoding", &accept)) {
        return false;
    }
    snprintf(token, sizeof token, SP_VIEW_FMT, SP_VIEW_ARG(coding));
    return sp_http_list_has(accept, token);
}

enum sp_err sp_gate_reply_fields(struct sp_gate *g, bool coded)
{
    SP_TRY(sp_buf_append_str(&g->fields, "Content-Type: "));
    SP_TRY(g->type.len ? sp_buf_append(&g->fields, sp_buf_view(&g->type))
                       : sp_buf_append_str(&g->fields, "text/xml; charset=utf-8"));
    SP_TRY(sp_buf_append_str(&g->fields, "\r\nCache-Control: private, max-age=0\r\n"));
    if (!coded) {
        return SP_OK;
    }
    SP_TRY(sp_buf_append_str(&g->fields, "Content-Encoding: "));
    SP_TRY(sp_buf_append(&g->fields, sp_buf_view(&g->coding)));
    return sp_buf_append_str(&g->fields, "\r\nVary: Accept-Encoding\r\n");
}

static bool is_coded(const struct sp_gate *g)
{
    return g->coding.len > 0 &&
           !sp_view_eq_fold(sp_buf_view(&g->coding), SP_VIEW("identity"));
}

struct sp_view sp_gate_text(const struct sp_gate *g)
{
    return is_coded(g) ? sp_buf_view(&g->inspection.decoded) : g->reply;
}

static void release(struct sp_gate *g, struct sp_view body, bool coded,
                    struct sp_step *step)
{
    if (sp_gate_reply_fields(g, coded) != SP_OK) {
        finish_empty(g, 503, step);
        return;
    }
    finish(g, g->reply_status, body, step);
}

/* The rest of what streams. */
static void open_reply(struct sp_gate *g, struct sp_step *step)
{
    if (g->edits.count) {
        sp_gate_refuse_fault(g, 500, SP_FAULT_INTERNAL_SERVER_ERROR,
                             "The reply holds something that has to be edited where "
                             "nothing should be, and its beginning went out.",
                             step);
        return;
    }
    sp_gate_move(g, SP_STATION_RELEASE);
    step->has_effect = true;
    step->effect = (struct sp_effect){.kind = SP_EFFECT_OPEN};
    sp_gate_move(g, SP_STATION_DONE);
}

void sp_gate_release_reply(struct sp_gate *g, struct sp_step *step)
{
    if (g->streams) {
        open_reply(g, step);
        return;
    }
    sp_gate_move(g, SP_STATION_RELEASE);
    bool as_is = coding_is_accepted(g);
    if (g->edits.count) {
        g->edits_coded =
            as_is && sp_view_eq_fold(sp_buf_view(&g->coding), SP_VIEW("xpress"));
        step->has_effect = true;
        step->effect = (struct sp_effect){.kind = SP_EFFECT_EDIT,
                                          .edit = {.text = sp_gate_text(g),
                                                   .splices = &g->edits,
                                                   .xpress = g->edits_coded}};
        return;
    }
    release(g, as_is ? g->reply : sp_gate_text(g), as_is && is_coded(g), step);
}

enum sp_err sp_gate_edit(const struct sp_effect *e, struct sp_buf *out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, e->edit.text.len + SP_LIMIT_SPLICED);
    if (!e->edit.xpress) {
        return sp_splices_apply(e->edit.splices, e->edit.text, out);
    }
    SP_TRY(sp_splices_apply(e->edit.splices, e->edit.text, &text));
    return sp_xpress_encode(sp_buf_view(&text), out);
}

void sp_gate_edited(struct sp_gate *g, enum sp_err e, struct sp_buf *reply_take,
                    struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_RELEASE);
    *step = (struct sp_step){0};
    if (e != SP_OK) {
        sp_why_say(&g->why, "the reply could not be edited: %s", sp_err_text(e));
        sp_gate_refuse_busy(g, e, step);
        return;
    }
    sp_buf_fini(&g->inspection.decoded);
    g->reply = (struct sp_view){0};
    sp_buf_take(reply_take, &g->edited);
    release(g, sp_buf_view(&g->edited), g->edits_coded, step);
}

static const char *come_again(int status)
{
    return status == 503 ? "Retry-After: 60\r\n" : "";
}

static void actor(const struct sp_gate *g, char *out, size_t size)
{
    snprintf(out, size, "%s://%s%s", g->door->tls ? "https" : "http", g->asker.host,
             sp_service_path(g->route.service));
}

void sp_gate_refuse_fault(struct sp_gate *g, int status, enum sp_fault_code code,
                          const char *message, struct sp_step *step)
{
    char address[512];
    sp_gate_move(g, SP_STATION_REFUSE);
    g->fault = code;
    g->has_fault = true;
    sp_why_say(&g->why, "%s", message ? message : "");
    actor(g, address, sizeof address);
    struct sp_view text = message ? sp_view_str(message) : sp_view_str(g->why.text);
    sp_buf_clear(&g->body);
    if (sp_soap_fault_write(&g->body, g->has_op ? g->op : SP_OP_COUNT, code, text,
                            &g->asker.fault_id, sp_view_str(address)) != SP_OK ||
        sp_buf_append_str(&g->fields, "Content-Type: text/xml; charset=utf-8\r\n"
                                      "Cache-Control: private\r\n") != SP_OK ||
        sp_buf_append_str(&g->fields, come_again(status)) != SP_OK) {
        finish_empty(g, status, step);
        return;
    }
    finish(g, status, sp_buf_view(&g->body), step);
}

void sp_gate_refuse_busy(struct sp_gate *g, enum sp_err e, struct sp_step *step)
{
    int status = e == SP_E_NOMEM ? 503 : 500;
    const char *message = g->why.text[0] ? NULL : sp_err_text(e);
    sp_gate_refuse_fault(g, status, SP_FAULT_SERVER_BUSY, message, step);
}

/* A file, for which another part of Windows comes than for metadata. */
static bool is_content(const struct sp_gate *g)
{
    return g->route.kind == SP_ROUTE_CONTENT || g->route.kind == SP_ROUTE_CATALOG;
}

/* Who is shown a number by Windows finds it here as well. */
static enum sp_err append_code(struct sp_gate *g, int status, const char *message)
{
    uint32_t code = sp_windows_code(status, is_content(g), false);
    return code == 0 || strstr(message, "0x80")
               ? SP_OK
               : sp_buf_printf(&g->body, "Windows shows this as 0x%08X.\n", code);
}

void sp_gate_refuse_text(struct sp_gate *g, int status, const char *message,
                         struct sp_step *step)
{
    sp_gate_move(g, SP_STATION_REFUSE);
    sp_why_say(&g->why, "%s", message);
    const char *allow = "", *retry = come_again(status);
    if (status == 404 && g->decided_at == SP_STATION_FETCH) {
        retry = "Retry-After: 10\r\n"; /* the upstream may have it soon */
    }
    if (status == 405) {
        allow = g->route.kind == SP_ROUTE_SERVICE ? "Allow: POST\r\n"
                                                  : "Allow: GET, HEAD\r\n";
    }
    if (sp_buf_printf(&g->body, "%s\n", message) != SP_OK ||
        append_code(g, status, message) != SP_OK ||
        sp_buf_printf(&g->fields,
                      "Content-Type: text/plain; charset=utf-8\r\n"
                      "Cache-Control: no-store\r\n%s%s",
                      allow, retry) != SP_OK) {
        finish_empty(g, status, step);
        return;
    }
    finish(g, status, sp_buf_view(&g->body), step);
}

void sp_gate_refuse_verdict(struct sp_gate *g, struct sp_step *step)
{
    char message[SP_WHY_MAX + 128],
        where[64] = "not recorded: the ledger cannot be written";
    if (g->too_many_refusals) {
        snprintf(where, sizeof where, "not recorded: there are too many refusals");
    }
    const char *rule =
        g->verdict.ruling == SP_REFUSED ? sp_rule_text(g->verdict.rule) : "unproven";
    if (g->has_entry) {
        snprintf(where, sizeof where, "ledger entry %" PRIu64, g->entry);
    }
    snprintf(message, sizeof message, "Refused by rule %s (%s): %s", rule, where,
             g->verdict.why.text);
    g->why = (struct sp_why){0};
    sp_why_say(&g->why, "%s", g->verdict.why.text);
    sp_gate_refuse_fault(g, 500, SP_FAULT_INTERNAL_SERVER_ERROR, message, step);
}

static const char *relayed_fault(const struct sp_gate *g)
{
    struct sp_fact_value v;
    bool has = g->inspection.reply && g->decided_at != SP_STATION_ADMIT &&
               sp_facts_get(g->inspection.reply->facts, SP_FACT_REPLY_FAULT, 0, &v);
    return has ? (const char *)v.bytes.data : "";
}

void sp_gate_summary(const struct sp_gate *g, struct sp_gate_summary *out)
{
    bool soap = g->route.kind == SP_ROUTE_SERVICE;
    const char *fault = g->has_fault ? sp_fault_text(g->fault) : relayed_fault(g);
    bool refused = g->has_verdict && g->verdict.ruling == SP_REFUSED;
    *out = (struct sp_gate_summary){
        .route = g->route.kind,
        .soap = g->route.service,
        .service = soap ? sp_service_name(g->route.service)
                   : g->route.kind == SP_ROUTE_CONTENT ? "content"
                   : g->route.kind == SP_ROUTE_CATALOG ? "catalog"
                                                       : "",
        .operation = g->has_op ? sp_op_text(g->op) : "",
        .status = g->status,
        .decided_at = g->decided_at,
        .ruling = g->has_verdict ? g->verdict.ruling : SP_UNPROVEN,
        .rule = refused         ? sp_rule_text(g->verdict.rule)
                : g->is_unasked ? sp_rule_text(g->unasked_by)
                                : "",
        .why = g->why.text,
        .fault = fault,
        .windows = sp_windows_code(g->status, is_content(g), fault[0] != 0),
        .plain_http = soap && !g->door->tls,
        .is_cut = g->is_cut,
        .has_entry = g->has_entry,
        .entry = g->entry,
        .revisions = g->inspection.reply ? g->inspection.reply->revision_count : 0,
        .recorded = g->recorded,
        .left_out = g->request.left_out,
        .observed = g->observed | (g->has_verdict ? g->verdict.observed : 0),
        .audited = g->audited | (g->has_verdict ? g->verdict.audited : 0),
        .removed = g->removed,
    };
}

const struct sp_file_url *sp_gate_urls(const struct sp_gate *g, size_t *count)
{
    const struct sp_reply *r = g->inspection.reply;
    bool passed = g->has_verdict && g->verdict.ruling == SP_PASSED;
    *count = passed && r ? r->url_count : 0;
    return *count ? r->urls : NULL;
}
