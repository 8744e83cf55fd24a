/* Connections that came to nothing before there was a request: counted, and of those
 * that were turned away at the door a line of the log says who, why and what helps. */
#include "app/log/log.h"
#include "app/serve/visit.h"

enum { TELL_MS = 10000 }; /* one line a reason, lane and such a time */

struct reason {
    const char *limit, *why;
};

static const struct reason *reason_of(enum sp_shut_out why)
{
    static const struct reason reasons[SP_SHUT_OUT_REASONS] = {
        [SP_SHUT_OUT_ADDRESS] = {"allow",
                                 "its address is not in allow of the listener"},
        [SP_SHUT_OUT_CROWD] = {"peer_connections",
                               "its address has as many connections as "
                               "peer_connections lets one have; raise it where many "
                               "share an address, as behind NAT or a load balancer"},
        [SP_SHUT_OUT_FULL] = {"connections",
                              "the listener has as many connections as it can have; "
                              "more workers can have more"},
        [SP_SHUT_OUT_DESCRIPTORS] = {"descriptors",
                                     "no file descriptor or no memory was left; raise "
                                     "LimitNOFILE of the service, or lower "
                                     "peer_connections"},
    };
    return reasons[why].limit ? &reasons[why] : NULL;
}

static void count(struct sp_counters *c, enum sp_shut_out why)
{
    SP_COUNT(c, handshakes_plain, why == SP_SHUT_OUT_PLAIN);
    SP_COUNT(c, handshakes_failed, why == SP_SHUT_OUT_FAILED);
    SP_COUNT(c, handshakes_slow, why == SP_SHUT_OUT_TIMEOUT);
    SP_COUNT(c, turned_away_crowd, why == SP_SHUT_OUT_CROWD);
    SP_COUNT(c, turned_away_full, why == SP_SHUT_OUT_FULL);
    SP_COUNT(c, turned_away_address, why == SP_SHUT_OUT_ADDRESS);
    SP_COUNT(c, turned_away_descriptors, why == SP_SHUT_OUT_DESCRIPTORS);
}

static void log_one(const struct sp_door_context *d, const struct reason *r,
                    const char *peer, uint64_t unlogged)
{
    struct sp_log l;
    if (!sp_log_begin(&l, SP_LOG_WARNING, "turned_away")) {
        return;
    }
    sp_log_str(&l, "listener", d->lane->world->config->listeners[d->door].name);
    sp_log_str(&l, "peer", peer);
    sp_log_str(&l, "limit", r->limit);
    sp_log_str(&l, "why", r->why);
    sp_log_int(&l, "unlogged", (int64_t)unlogged);
    sp_log_end(&l);
}

void sp_visit_shut_out(void *ctx, enum sp_shut_out why, const char *peer)
{
    const struct sp_door_context *d = ctx;
    const struct reason *reason = reason_of(why);
    struct sp_untold *u = &d->lane->untold[why];
    uint64_t now = sp_loop_now_ms(d->lane->loop);
    count(&d->lane->counters, why);
    if (!reason) {
        return;
    }
    if (u->told && now < u->told_ms + TELL_MS) {
        u->count++;
        return;
    }
    log_one(d, reason, peer, u->count);
    *u = (struct sp_untold){.told = true, .told_ms = now};
}
