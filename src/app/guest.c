/* Who comes through a door, before anything is done for him: is it this house he means?
 */
#include "app/log.h"
#include "app/visit.h"

#include <stdio.h>

static bool may_log(struct sp_lane *lane)
{
    return sp_rate_take(&lane->turned_away, sp_loop_now_ms(lane->loop));
}

/* ---- the name ---------------------------------------------------------------------
 */

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
