/* What is told of an exchange that is over: counters, a line of the log, the desk. */
#include "app/log/log.h"
#include "app/serve/visit.h"
#include "app/shared/observed.h"

#include <stdio.h>
#include <string.h>

static void count(struct visit *v, const struct sp_gate_summary *s)
{
    struct sp_counters *c = &v->lane->counters;
    enum sp_asked what = sp_asked_of(s->route, s->soap);
    bool content = what == SP_ASKED_CONTENT || what == SP_ASKED_CATALOG;
    size_t door = (size_t)(v->door - v->world->doors);
    sp_asked_count(&v->lane->doors[door].asked, what, s->status);
    sp_durations_count(content ? &c->content : &c->metadata,
                       sp_loop_now_ms(v->lane->loop) - v->began_ms);
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
        sp_count_plain(c, v->door->plain_http, refused);
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
    enum sp_log_level level = s->ruling == SP_REFUSED || s->removed || s->audited ||
                                      s->status >= 500 || s->is_cut
                                  ? SP_LOG_WARNING
                              : content ? SP_LOG_DEBUG
                                        : SP_LOG_INFO;
    char correlation[128], path[128], windows[16];
    struct sp_view trace = sp_visit_traceparent(v);
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
    sp_log_str(&l, "outcome",
               s->is_cut  ? "cut short"
               : complete ? ""
                          : "asker left early");
    sp_log_int(&l, "ms", (int64_t)(sp_loop_now_ms(v->lane->loop) - v->began_ms));
    sp_log_end(&l);
}

/* Who stands behind this one: servers ask for what clients never ask for. */
static void note_way(struct visit *v, const struct sp_gate_summary *s)
{
    const char *tls = sp_exchange_handshake(v->exchange).version;
    struct sp_peer_way way = {.address = sp_exchange_address(v->exchange),
                              .tls = tls ? tls : "",
                              .is_server = strcmp(s->service, "server-sync") == 0 ||
                                           strcmp(s->service, "dss-auth") == 0};
    sp_peers_note(&v->lease, &way);
}

void sp_visit_tell(struct visit *v, const struct sp_gate_summary *s, bool complete)
{
    count(v, s);
    if (v->is_metadata && s->service[0]) {
        note_way(v, s);
    }
    log_visit(v, s, complete);
    if (s->observed) {
        tell_observed(v, s);
    }
    if (s->ruling == SP_REFUSED) {
        tell_desk(v, s);
    }
}
