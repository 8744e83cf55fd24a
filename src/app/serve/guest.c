/* Who comes through a door, before anything is done for him: is it this house he means,
 * and has he had his share? */
#include "app/log/log.h"
#include "app/serve/visit.h"
#include "app/shared/desk.h"
#include "app/shared/observed.h"
#include "core/gate/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FACTS_MAX = 8 * 1024, SENTENCE = SP_WHY_MAX + 64 /* bytes */ };

static bool may_log(struct sp_lane *lane)
{
    return sp_rate_take(&lane->turned_away, sp_loop_now_ms(lane->loop));
}

/* ---- the name -------------------------------------------------------------------- */

static bool is_named(const struct sp_config_listener *l, struct sp_view host)
{
    for (size_t i = 0; i < l->name_count; i++) {
        if (sp_http_host_is(host, l->names[i])) {
            return true;
        }
    }
    return l->name_count == 0;
}

static void log_lost(const struct sp_config_listener *l, struct sp_exchange *x)
{
    struct sp_log line;
    char host[256];
    struct sp_view told = sp_exchange_request(x)->host;
    if (!sp_log_begin(&line, SP_LOG_WARNING, "misdirected")) {
        return;
    }
    snprintf(host, sizeof host, SP_VIEW_FMT, SP_VIEW_ARG(told));
    sp_log_str(&line, "listener", l->name);
    sp_log_str(&line, "peer", sp_exchange_peer(x));
    sp_log_str(&line, "host", host);
    sp_log_str(&line, "why", "the host is none of the listener's names");
    sp_log_end(&line);
}

/* RFC 9110 section 15.5.20: this server does not speak for that authority. */
bool sp_guest_is_lost(struct sp_door_context *d, struct sp_exchange *x)
{
    static const char fields[] =
        "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n";
    static const char sentence[] = "This server has another name.\n";
    struct sp_lane *lane = d->lane;
    const struct sp_config_listener *l = &lane->world->config->listeners[d->door];
    const struct sp_http_request *r = sp_exchange_request(x);
    if (is_named(l, r->host)) {
        return false;
    }
    SP_COUNT(&lane->counters, misdirected, 1);
    sp_asked_count(&d->asked, SP_ASKED_NONE, 421);
    if (may_log(lane)) {
        log_lost(l, x);
    }
    *sp_exchange_slot(x) = NULL;
    bool head = r->method == SP_HTTP_HEAD;
    struct sp_answer a = {.status = 421,
                          .fields = SP_VIEW(fields),
                          .memory = head ? (struct sp_view){0} : SP_VIEW(sentence),
                          .close = true};
    sp_exchange_respond(x, &a);
    return true;
}

/* ---- his share ------------------------------------------------------------------- */

static void log_limited(struct sp_door_context *d, struct sp_exchange *x,
                        const struct sp_peer_name *name,
                        const struct sp_peer_refusal *r)
{
    static const char *const why[] = {[SP_PEER_CONCURRENCY] =
                                          "it has too much under way at once",
                                      [SP_PEER_RATE] = "it asks too often",
                                      [SP_PEER_BYTES] = "it moved too many bytes"};
    struct sp_log l;
    char text[SP_PEER_TEXT];
    if (!may_log(d->lane) || !sp_log_begin(&l, SP_LOG_WARNING, "peer_limited")) {
        return;
    }
    sp_peer_name_format(name, text);
    sp_log_str(&l, "listener", sp_exchange_listener(x));
    sp_log_str(&l, "peer", sp_exchange_peer(x));
    sp_log_str(&l, "limited", text);
    sp_log_str(&l, "why", why[r->limit]);
    sp_log_int(&l, "retry_after", r->retry_s);
    sp_log_int(&l, "refused", (int64_t)r->refused);
    sp_log_end(&l);
}

static void count_limited(struct sp_counters *c, enum sp_peer_limit limit)
{
    SP_COUNT(c, limited_at_once, limit == SP_PEER_CONCURRENCY);
    SP_COUNT(c, limited_rate, limit == SP_PEER_RATE);
    SP_COUNT(c, limited_bytes, limit == SP_PEER_BYTES);
}

/* 503 and not 429: it is what Windows clients and servers know. */
static void answer_limited(struct sp_exchange *x, unsigned retry_s)
{
    char fields[64];
    snprintf(fields, sizeof fields, "Retry-After: %u\r\nCache-Control: no-store\r\n",
             retry_s);
    struct sp_answer a = {.status = 503,
                          .fields = sp_view_str(fields),
                          .close = sp_exchange_request(x)->method == SP_HTTP_POST};
    *sp_exchange_slot(x) = NULL;
    sp_exchange_respond(x, &a);
}

bool sp_guest_enters(struct sp_door_context *d, struct sp_exchange *x,
                     enum sp_asked what, struct sp_guest *out)
{
    struct sp_lane *lane = d->lane;
    struct sp_peer_refusal refusal;
    *out = (struct sp_guest){0};
    out->has_pin = sp_exchange_peer_pin(x, &out->pin);
    enum sp_peer_kind kind = sp_exchange_request(x)->method == SP_HTTP_POST
                                 ? SP_PEER_METADATA
                                 : SP_PEER_CONTENT;
    struct sp_peer_name name =
        sp_peer_name_of(sp_exchange_address(x), out->has_pin ? &out->pin : NULL);
    if (sp_peers_enter(lane->peers, &lane->world->config->peers, &name, kind,
                       sp_loop_now_ms(lane->loop), &out->lease, &refusal)) {
        return true;
    }
    count_limited(&lane->counters, refusal.limit);
    sp_asked_count(&d->asked, what, 503);
    if (refusal.tell) {
        log_limited(d, x, &name, &refusal);
    }
    answer_limited(x, refusal.retry_s);
    return false;
}

/* ---- whether he may -------------------------------------------------------------- */

static enum sp_err judge_guest(struct sp_door_context *d, struct sp_exchange *x,
                               const struct sp_guest *guest, const char *service,
                               struct sp_verdict *out)
{
    const struct sp_world *w = d->lane->world;
    struct sp_asker asker = {.address = sp_exchange_peer(x), .has_pin = guest->has_pin};
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    char *names = NULL;
    memcpy(asker.pin, guest->pin.sha256, sizeof asker.pin);
    SP_TRY(sp_facts_new(FACTS_MAX, &facts));
    if (guest->has_pin && sp_policy_reads_names(w->policy)) {
        SP_TRY(sp_guest_names(x, &names));
        asker.names = names;
    }
    enum sp_err e =
        sp_asker_facts(&asker, w->config->listeners[d->door].name, service, facts);
    free(names);
    SP_TRY(e);
    sp_policy_judge(w->policy, SP_SUBJECT_REQUEST, facts, out);
    return SP_OK;
}

static void tell_verdict(struct sp_door_context *d, struct sp_exchange *x,
                         const char *service, const struct sp_verdict *v)
{
    struct sp_observation o = {.observed = v->observed, .audited = v->audited};
    struct sp_log l;
    if (v->observed) {
        snprintf(o.peer, sizeof o.peer, "%s", sp_exchange_peer(x));
        snprintf(o.operation, sizeof o.operation, "%s", service);
        SP_COUNT(&d->lane->counters, observed, 1);
        sp_desk_observed(d->lane->desk, &o);
    }
    bool speak = (v->ruling == SP_REFUSED || v->audited) && may_log(d->lane);
    if (!speak || !sp_log_begin(&l, SP_LOG_WARNING,
                                v->ruling == SP_REFUSED ? "refused" : "exchange")) {
        return;
    }
    sp_log_str(&l, "listener", sp_exchange_listener(x));
    sp_log_str(&l, "peer", sp_exchange_peer(x));
    sp_log_str(&l, "service", service);
    sp_log_str(&l, "rule", v->ruling == SP_REFUSED ? sp_rule_text(v->rule) : "");
    sp_log_str(&l, "why", v->ruling == SP_REFUSED ? v->why.text : "");
    sp_visit_log_audited(&l, v->audited);
    sp_log_end(&l);
}

static void answer_unwelcome(struct sp_exchange *x, const struct sp_verdict *v)
{
    static const char fields[] =
        "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n";
    enum sp_http_method method = sp_exchange_request(x)->method;
    struct sp_answer a = {
        .status = 403, .fields = SP_VIEW(fields), .close = method == SP_HTTP_POST};
    char *text = method == SP_HTTP_HEAD ? NULL : malloc(SENTENCE);
    if (text) {
        snprintf(text, SENTENCE, "Refused by rule %s: %s.\n", sp_rule_text(v->rule),
                 v->why.text);
        a.memory = sp_view_str(text);
        a.release = free;
        a.owner = text;
    }
    sp_exchange_respond(x, &a);
}

bool sp_guest_is_welcome(struct sp_door_context *d, struct sp_exchange *x,
                         struct sp_guest *guest, enum sp_asked what)
{
    const char *service = sp_asked_text(what);
    struct sp_verdict v = {.ruling = SP_PASSED};
    if (!sp_policy_names_peers(d->lane->world->policy, sp_view_str(service))) {
        return true;
    }
    if (judge_guest(d, x, guest, service, &v) != SP_OK) {
        sp_guest_leaves(d->lane, 0, &guest->lease);
        sp_asked_count(&d->asked, what, 0);
        sp_exchange_cut(x);
        return false;
    }
    tell_verdict(d, x, service, &v);
    if (v.ruling != SP_REFUSED) {
        return true;
    }
    sp_guest_leaves(d->lane, 0, &guest->lease);
    sp_asked_count(&d->asked, what, 403);
    answer_unwelcome(x, &v);
    return false;
}

/* ---- what is known of him -------------------------------------------------------- */

enum sp_err sp_guest_names(const struct sp_exchange *x, char **out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf der;
    struct sp_cert_facts facts;
    sp_buf_init(&der, SP_LIMIT_CHAIN_BYTES);
    SP_TRY(sp_exchange_peer_certificate(x, &der));
    if (der.len == 0) {
        return SP_OK;
    }
    SP_TRY(sp_cert_read(sp_buf_view(&der), &facts));
    *out = strdup(facts.names);
    return *out ? SP_OK : SP_E_NOMEM;
}

void sp_guest_leaves(struct sp_lane *lane, uint64_t bytes, struct sp_peer_lease *lease)
{
    sp_peers_leave(&lane->world->config->peers, bytes, sp_loop_now_ms(lane->loop),
                   lease);
}
