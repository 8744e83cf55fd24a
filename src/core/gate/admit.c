/* ADMIT: may this peer ask this, over this transport? Nothing refused here reaches an
 * upstream or the ledger: a stranger must not be able to grow it. */
#include "core/gate/private.h"

static bool is_utf8_xml(struct sp_view type)
{
    struct sp_view media =
        sp_view_trim(sp_view_slice(type, 0, sp_view_find(type, ';')), " \t");
    if (!sp_view_eq_fold(media, SP_VIEW("text/xml"))) {
        return false;
    }
    struct sp_view rest = sp_view_slice(type, sp_view_find(type, ';') + 1, type.len);
    rest = sp_view_trim(rest, " \t");
    if (rest.len == 0) {
        return true;
    }
    struct sp_view key = sp_view_slice(rest, 0, sp_view_find(rest, '='));
    struct sp_view value = sp_view_slice(rest, key.len + 1, rest.len);
    return sp_view_eq_fold(key, SP_VIEW("charset")) &&
           sp_view_eq_fold(sp_view_trim(value, "\""), SP_VIEW("utf-8"));
}

/* [MS-WUSP] 2.1, [MS-WSUSSS] 2.1: SOAP 1.1, POST, the action names the operation. */
static void admit_soap(struct sp_gate *g, bool *want_body, size_t *ceiling,
                       struct sp_step *step)
{
    struct sp_view action, type;
    bool has_action = sp_http_header(&g->head->headers, "SOAPAction", &action);
    g->has_op = has_action && sp_op_find(g->route.service, action, &g->op);
    if (g->head->method != SP_HTTP_POST) {
        sp_gate_refuse_text(g, 405, "WSUS web services take POST only.", step);
    } else if (!sp_gate_judge_head(g)) {
        sp_gate_refuse_request(g, step);
    } else if (!sp_http_header(&g->head->headers, "Content-Type", &type) ||
               !is_utf8_xml(type)) {
        sp_gate_refuse_text(g, 415, "SOAP 1.1 as text/xml; charset=utf-8 is expected.",
                            step);
    } else if (g->asker.stopped) {
        sp_gate_refuse_fault(g, 500, SP_FAULT_SERVER_BUSY, g->asker.stopped, step);
    } else if (!g->has_op) {
        sp_gate_refuse_fault(g, 500, SP_FAULT_INVALID_PARAMETERS, "SOAPAction", step);
    } else {
        *want_body = true;
        *ceiling = sp_service_request_limit(g->route.service);
    }
}

static void admit_file(struct sp_gate *g, struct sp_step *step)
{
    if (!sp_gate_judge_head(g)) {
        sp_gate_refuse_request(g, step);
    } else if (g->route.kind == SP_ROUTE_CONTENT) {
        sp_gate_content_head(g, step);
    } else {
        sp_gate_catalog_head(g, step);
    }
}

void sp_gate_head(struct sp_gate *g, const struct sp_http_request *head,
                  bool *want_body, size_t *ceiling, struct sp_step *step)
{
    SP_ASSERT(g->station == SP_STATION_ADMIT && !g->head);
    *want_body = false;
    *step = (struct sp_step){0};
    g->head = head;
    g->route = sp_route(head->target);
    if (g->door->catalog_path && g->door->catalog_path[0] &&
        sp_view_eq_str(head->target, g->door->catalog_path)) {
        g->route.kind = SP_ROUTE_CATALOG;
    }
    switch (g->route.kind) {
    case SP_ROUTE_SERVICE:
        admit_soap(g, want_body, ceiling, step);
        return;
    case SP_ROUTE_CONTENT:
    case SP_ROUTE_CATALOG:
        admit_file(g, step);
        return;
    case SP_ROUTE_NONE:
        sp_gate_refuse_text(g, 404, "There is nothing at this address.", step);
        return;
    }
    SP_ASSERT(false);
}

static bool accepts_coded(const struct sp_gate *g)
{
    struct sp_view accept;
    return sp_http_header(&g->head->headers, "Accept-Encoding", &accept) &&
           (sp_http_list_has(accept, "xpress") || sp_http_list_has(accept, "gzip"));
}

void sp_gate_body(struct sp_gate *g, struct sp_view body, struct sp_step *step)
{
    *step = (struct sp_step){0};
    struct sp_soap_refusal refusal = {0};
    struct sp_cookie_reader cookies;
    enum sp_err e = sp_soap_request_read(g->op, body, sp_gate_cookies(g, &cookies),
                                         &g->request, &refusal);
    if (e == SP_E_PROTOCOL) {
        g->why = refusal.why;
        sp_gate_refuse_fault(g, 500, refusal.code, refusal.member, step);
        return;
    }
    if (e != SP_OK) {
        sp_gate_refuse_text(g, 503, sp_err_text(e), step);
        return;
    }
    if (!sp_gate_judge_body(g)) {
        sp_gate_refuse_request(g, step);
        return;
    }
    sp_gate_move(g, SP_STATION_FETCH);
    step->has_effect = true;
    step->effect = (struct sp_effect){
        .kind = SP_EFFECT_FETCH,
        .fetch = {.path = sp_service_path(g->route.service),
                  .soap_action = sp_op_action(g->op),
                  .body = sp_buf_view(&g->request.body),
                  .accept_coded = accepts_coded(g),
                  .shared = sp_op_is_shared(g->op),
                  .patience_ms = sp_op_patience(g->op)},
    };
}
