/* Who comes through a door, before anything is done for him: is it this house he means,
 * and has he had his share? */
#include "app/log/log.h"
#include "app/serve/visit.h"

#include <stdio.h>
#include <string.h>

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
    SP_COUNT(&lane->counters, answers_4xx, 1);
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
    SP_COUNT(c, answers_5xx, 1);
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
                     struct sp_guest *out)
{
    struct sp_lane *lane = d->lane;
    struct sp_peer_refusal refusal;
    *out = (struct sp_guest){0};
    out->has_pin = sp_exchange_peer_pin(x, &out->pin);
    enum sp_peer_kind kind = sp_exchange_request(x)->method == SP_HTTP_POST
                                 ? SP_PEER_METADATA
                                 : SP_PEER_CONTENT;
    struct sp_peer_name name =
        sp_peer_name_of(sp_exchange_peer(x), out->has_pin ? &out->pin : NULL);
    if (sp_peers_enter(lane->peers, &lane->world->config->peers, &name, kind,
                       sp_loop_now_ms(lane->loop), &out->lease, &refusal)) {
        return true;
    }
    count_limited(&lane->counters, refusal.limit);
    if (refusal.tell) {
        log_limited(d, x, &name, &refusal);
    }
    answer_limited(x, refusal.retry_s);
    return false;
}

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
