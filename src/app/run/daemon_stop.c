/* The end: by a signal, or because the next daemon has the sockets. */
#include "app/run/daemon_parts.h"

#include "app/run/lane_life.h"

#include <unistd.h>

/* Who keeps a connection comes with his next request within a second, mostly. */
enum { DRAIN_MS = 10000, GRACE_MS = 1000 };

static void on_admin_gone(void *ctx)
{
    struct daemon *d = ctx;
    for (size_t i = 0; i < sizeof d->signals / sizeof d->signals[0]; i++) {
        uv_close((uv_handle_t *)&d->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&d->hourly, NULL);
    sp_tidy_stop(&d->tidy);
    sp_handover_close(&d->handover);
    sp_loop_stop(d->loop);
}

static void close_admin(struct daemon *d)
{
    if (d->admin) {
        sp_admin_close(d->admin, on_admin_gone, d);
    } else {
        on_admin_gone(d);
    }
}

static void on_lane_finished(void *ctx)
{
    struct daemon *d = ctx;
    if (--d->lanes_open == 0) {
        sp_keeper_stop(d->keeper);
        close_admin(d);
    }
}

static void on_filler_stopped(void *ctx)
{
    struct daemon *d = ctx;
    sp_watch_stop(d->watch);
    if (d->renewer) {
        sp_renewer_stop(d->renewer);
    }
    d->lanes_open = d->lane_count;
    for (size_t i = 0; i < d->lane_count; i++) {
        if (sp_lane_finish(&d->lanes[i], d->loop, on_lane_finished, d) != SP_OK) {
            _exit(1);
        }
    }
}

/* Askers first, then what works for them, then what that rests on. */
static void on_lane_drained(void *ctx)
{
    struct daemon *d = ctx;
    if (--d->lanes_open == 0) {
        sp_filler_stop(d->filler, d->loop, on_filler_stopped, d);
    }
}

static void drain(struct daemon *d, uint64_t grace_ms)
{
    d->draining = true;
    sp_watchdog_stop(&d->watchdog); /* it hears from loops that are about to end */
    sp_log_say(SP_LOG_INFO, "draining",
               "no new connections; open exchanges have %d seconds", DRAIN_MS / 1000);
    for (size_t i = 0; i < d->lane_count; i++) {
        if (sp_lane_drain(&d->lanes[i], grace_ms, DRAIN_MS, d->loop, on_lane_drained,
                          d) != SP_OK) {
            _exit(1);
        }
    }
}

void sp_daemon_stop(struct daemon *d)
{
    if (d->draining) {
        sp_log_say(SP_LOG_WARNING, "killed", "asked twice: stopping at once");
        sp_log_sink_stop();
        _exit(1);
    }
    drain(d, 0);
}

bool sp_daemon_sockets(const struct daemon *d, int fds[SP_SOCKETS], size_t *count)
{
    size_t n = 0;
    for (size_t i = 0; i < d->lane_count; i++) {
        for (size_t k = 0; k < d->lanes[i].server_count; k++) {
            if (n == SP_SOCKETS) {
                return false;
            }
            fds[n++] = sp_server_socket(d->lanes[i].servers[k]);
        }
    }
    if (d->admin && n + 2 <= SP_SOCKETS) {
        n += sp_admin_sockets(d->admin, fds + n);
    }
    *count = n;
    return true;
}

void sp_daemon_successor(void *ctx)
{
    struct daemon *d = ctx;
    int fds[SP_SOCKETS];
    size_t n = 0;
    if (d->draining || !sp_daemon_sockets(d, fds, &n) ||
        !sp_handover_give(&d->handover, fds, n)) {
        sp_log_say(SP_LOG_WARNING, "handover_failed",
                   "the listening sockets could not be handed on");
        sp_handover_refuse(&d->handover);
        return;
    }
    sp_log_say(SP_LOG_INFO, "handed_over", "%zu listening sockets have a new owner", n);
    drain(d, GRACE_MS);
}
