#include "app/run/daemon.h"

#include "app/fill/stock.h"
#include "app/run/daemon_parts.h"
#include "app/run/lane_life.h"
#include "app/run/privileges.h"
#include "io/net/tls_secret.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOUR_MS = 3600000 };

/* ---- keys that turn -------------------------------------------------------------- */

static enum sp_err turn_seals(struct daemon *d, struct sp_why *why)
{
    struct sp_seals *fresh = NULL;
    SP_TRY(sp_seals_turn(d->world->config->state_dir, d->seals, sp_clock_wall_s(),
                         &fresh, why));
    if (!fresh) {
        return SP_OK;
    }
    sp_seals_unref(&d->seals);
    d->seals = fresh;
    for (size_t i = 0; i < d->lane_count; i++) {
        SP_TRY(sp_lane_set_seals(&d->lanes[i], fresh));
    }
    return SP_OK;
}

static void on_hour(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    struct sp_why why = {0};
    enum sp_err e = d->draining ? SP_OK : turn_seals(d, &why);
    if (e != SP_OK) {
        sp_log_say(SP_LOG_WARNING, "cookie_keys", "the old ones go on: %s",
                   sp_why_text(&why, e));
    }
}

static void watch_time(struct daemon *d)
{
    uv_timer_init(sp_loop_uv(d->loop), &d->hourly);
    d->hourly.data = d;
    uv_timer_start(&d->hourly, on_hour, HOUR_MS, HOUR_MS);
    sp_tidy_start(&d->tidy, d->loop);
}

/* ---- starting -------------------------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    if (number == SIGHUP) {
        (void)!sp_daemon_reload(d, NULL);
    } else {
        sp_manager_tell("STOPPING=1");
        sp_daemon_stop(d);
    }
}

static void watch_signals(struct daemon *d)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uv_signal_init(sp_loop_uv(d->loop), &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
}

static void set_process_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
    umask(077);
}

static size_t lanes_wanted(const struct sp_config *c)
{
    return c->workers ? c->workers : uv_available_parallelism();
}

static enum sp_err start_store(struct daemon *d, struct sp_why *why)
{
    const struct sp_config *c = d->first;
    char origin[300], host[256] = "localhost";
    (void)gethostname(host, sizeof host - 1);
    snprintf(origin, sizeof origin, "%s%.255s", c->ledger_name[0] ? "" : "sallyport/",
             c->ledger_name[0] ? c->ledger_name : host);
    struct sp_keeper_conf conf = {.state_dir = c->state_dir, .origin = origin};
    SP_TRY(sp_keeper_new(&conf, &d->keeper, why));
    SP_TRY(sp_cosigner_new(c->state_dir, origin, &d->cosigner));
    SP_TRY(sp_daemon_prepare_cosigner(d, d->world, why));
    d->lockdown = (struct sp_lockdown){
        .state_dir = c->state_dir, .keeper = d->keeper, .loop = d->loop};
    SP_TRY(sp_lockdown_look(&d->lockdown, why));
    SP_TRY(sp_seals_open(c->state_dir, d->started, &d->seals, why));
    SP_TRY(sp_objects_open(c->cache_dir, &d->objects, why));
    SP_TRY(sp_filler_new(d->keeper, d->objects, d->desk, &d->filler, why));
    sp_stock_tune(sp_filler_stock(d->filler), c);
    sp_filler_set_world(d->filler, d->world);
    return SP_OK;
}

/* A quarter of all descriptors; the rest is for connections, fills and upstreams. */
static size_t hot_objects_a_lane(size_t lanes)
{
    struct rlimit files;
    bool known = getrlimit(RLIMIT_NOFILE, &files) == 0;
    return known && files.rlim_cur != RLIM_INFINITY ? files.rlim_cur / 4 / lanes
                                                    : SP_HOT_OBJECTS;
}

static enum sp_err start_lanes(struct daemon *d, struct sp_why *why)
{
    size_t n = lanes_wanted(d->world->config);
    struct sp_lane_conf conf = {.world = d->world,
                                .config = d->first,
                                .seals = d->seals,
                                .lockdown = &d->lockdown,
                                .cosigner = d->cosigner,
                                .keeper = d->keeper,
                                .filler = d->filler,
                                .renewer = d->renewer,
                                .desk = d->desk,
                                .watch = d->watch,
                                .budget = &d->budget,
                                .peers = d->peers,
                                .inherited = &d->inherited,
                                .seats = d->seats,
                                .hot_objects = hot_objects_a_lane(n)};
    d->lanes = calloc(n, sizeof *d->lanes);
    if (!d->lanes) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        SP_TRY(sp_lane_start(&d->lanes[i], &conf, why));
        d->lane_count = d->lanes_open = i + 1;
    }
    return SP_OK;
}

static enum sp_err reload_for_admin(void *ctx, struct sp_buf *out)
{
    return sp_daemon_reload(ctx, out);
}

static enum sp_err start_admin(struct daemon *d, struct sp_why *why)
{
    if (!d->first->admin_bind[0]) {
        return SP_OK;
    }
    struct sp_admin_view view = {.world = &d->world,
                                 .lanes = d->lanes,
                                 .lane_count = d->lane_count,
                                 .filler = d->filler,
                                 .renewer = d->renewer,
                                 .keeper = d->keeper,
                                 .desk = d->desk,
                                 .watch = d->watch,
                                 .peers = d->peers,
                                 .seats = d->seats,
                                 .draining = &d->draining,
                                 .lockdown = &d->lockdown,
                                 .inherited = &d->inherited,
                                 .config = d->first,
                                 .reload = reload_for_admin,
                                 .reload_ctx = d,
                                 .started = d->started};
    return sp_admin_new(d->loop, &view, &d->admin, why);
}

static enum sp_err start_renewer(struct daemon *d, struct sp_why *why)
{
    struct sp_renewer_conf conf = {
        .world = d->world, .keeper = d->keeper, .desk = d->desk};
    return d->world->catalog ? sp_renewer_new(&conf, &d->renewer, why) : SP_OK;
}

static enum sp_err start_peers(struct daemon *d)
{
    uint64_t seed;
    SP_TRY(sp_random_bytes(&seed, sizeof seed));
    SP_TRY(sp_peers_new(SP_PEER_SETS, seed, &d->peers));
    d->seats = calloc(d->first->listener_count, sizeof *d->seats);
    for (size_t i = 0; d->seats && i < d->first->listener_count; i++) {
        SP_TRY(sp_seats_new(d->first->peer_connections, &d->seats[i]));
    }
    return d->seats ? SP_OK : SP_E_NOMEM;
}

/* The sockets of the daemon that runs, and its end. Nothing of it has to be known for
 * that but where it is, and nothing of ours may be wrong any more. */
static enum sp_err take_over(struct daemon *d, struct sp_why *why)
{
    int connection = -1;
    SP_TRY(
        sp_handover_ask(d->world->config->state_dir, &d->inherited, &connection, why));
    sp_log_say(SP_LOG_INFO, "taking_over",
               "%zu listening sockets; waiting for the "
               "daemon that ran to end",
               d->inherited.count);
    return sp_handover_wait(connection, why);
}

/* What takes rights that are given up next. A daemon that cannot start takes nothing
 * from the one that runs. */
static enum sp_err open_sockets(struct daemon *d, struct sp_why *why)
{
    const struct sp_config *c = d->world->config;
    for (size_t i = 0; i < c->listener_count; i++) {
        SP_TRY(
            sp_sockets_open(&d->inherited, c->listeners[i].bind, lanes_wanted(c), why));
    }
    const char *const admin[] = {c->admin_bind, c->admin.remote.bind};
    for (size_t i = 0; i < 2; i++) {
        if (admin[i][0]) {
            SP_TRY(sp_sockets_open(&d->inherited, admin[i], 1, why));
        }
    }
    return SP_OK;
}

static void say_rights(const struct sp_privileges *p)
{
    if (p->stays) {
        sp_log_say(SP_LOG_WARNING, "root",
                   "this daemon stays root: make an account for it, \"useradd --system "
                   "--no-create-home %s\", or say user = \"root\"",
                   SP_ACCOUNT);
    } else if (p->changes) {
        sp_log_say(SP_LOG_INFO, "user", "%s:%s from now on, without capabilities",
                   p->user, p->group);
    }
}

static enum sp_err settle_rights(struct daemon *d, struct sp_why *why)
{
    struct sp_privileges p;
    SP_TRY(sp_privileges_find(d->world->config, &p, why));
    SP_TRY(sp_privileges_folders(&p, d->world->config, why));
    if (d->takes_over) {
        SP_TRY(take_over(d, why));
    }
    if (p.drops) {
        SP_TRY(open_sockets(d, why));
    }
    SP_TRY(sp_privileges_drop(&p, why));
    say_rights(&p);
    sp_privileges_warn(&p, d->world->config);
    return SP_OK;
}

static enum sp_err start(struct daemon *d, struct sp_why *why)
{
    sp_manager_meet();
    sp_manager_inherit(&d->inherited);
    bool locked = sp_tls_secrets_start();
    SP_TRY(sp_upstream_global_init(why));
    SP_TRY(sp_daemon_load_world(d->config_file, &d->world, why));
    sp_log_setup(d->world->config->log_format, d->world->config->log_level,
                 SP_LOG_JOURNAL_SOCKET);
    if (!locked) {
        sp_log_say(SP_LOG_WARNING, "keys_not_locked",
                   "keys may be swapped out: RLIMIT_MEMLOCK is below 8 MiB");
    }
    SP_TRY(sp_config_copy(d->world->config, &d->first));
    SP_TRY(sp_snapshot_take(d->world->config, &d->snapshot));
    SP_TRY(settle_rights(d, why));
    SP_TRY(sp_confine(d->world->config, &d->confines, why));
    SP_TRY(sp_log_sink_start());
    sp_budget_set(&d->budget, d->world->config->metadata_memory);
    set_process_limits();
    d->started = sp_clock_wall_s();
    SP_TRY(sp_loop_new("main", &d->loop));
    SP_TRY(sp_desk_new(d->loop, &d->desk));
    watch_signals(d);
    watch_time(d);
    SP_TRY(start_store(d, why));
    SP_TRY(start_renewer(d, why));
    SP_TRY(sp_watch_new(&(struct sp_watch_conf){.world = d->world,
                                                .keeper = d->keeper,
                                                .renewer = d->renewer},
                        &d->watch, why));
    SP_TRY(start_peers(d));
    SP_TRY(start_lanes(d, why));
    SP_TRY(start_admin(d, why));
    return sp_handover_offer(&d->handover, d->loop, d->world->config->state_dir,
                             sp_daemon_successor, d);
}

/* What is open for the next one; and nobody connects to what has no listener any more.
 */
static void settle_sockets(struct daemon *d)
{
    int fds[SP_SOCKETS];
    size_t n = sp_sockets_close(&d->inherited);
    if (n) {
        sp_log_say(SP_LOG_WARNING, "sockets_closed",
                   "%zu listening sockets came that no listener is for", n);
    }
    if (sp_daemon_sockets(d, fds, &n)) {
        sp_manager_keep(fds, n);
    }
}

static void start_watchdog(struct daemon *d)
{
    sp_watchdog_start(&d->watchdog, d->loop);
    for (size_t i = 0; i < d->lane_count; i++) {
        sp_watchdog_add(&d->watchdog, d->lanes[i].loop);
    }
}

static void say_ready(const struct daemon *d)
{
    struct sp_keeper_status k;
    const struct sp_config *c = d->world->config;
    const char *tls =
        c->kernel_tls && sp_tls_kernel_can() ? "TLS, sent by the kernel's" : "TLS";
    sp_keeper_status(d->keeper, &k);
    for (size_t i = 0; i < c->listener_count; i++) {
        sp_log_say(SP_LOG_INFO, "listening", "%s on %s (%s) for upstream %s",
                   c->listeners[i].name, c->listeners[i].bind,
                   d->world->doors[i].tls ? tls : "plain HTTP",
                   c->listeners[i].upstream);
    }
    sp_log_say(SP_LOG_INFO, "ready",
               "sallyport %s, %zu event loops, policy %s, ledger of %" PRIu64
               " entries",
               SP_VERSION, d->lane_count, sp_policy_name(d->world->policy), k.entries);
    sp_manager_tell("MAINPID=%d\nREADY=1\nSTATUS=policy %s, ledger of %" PRIu64
                    " entries",
                    (int)getpid(), sp_policy_name(d->world->policy), k.entries);
}

static void fini(struct daemon *d)
{
    for (size_t i = 0; i < d->lane_count; i++) {
        sp_lane_fini(&d->lanes[i]);
    }
    free(d->lanes);
    sp_filler_free(&d->filler);
    sp_watch_free(&d->watch);
    sp_renewer_free(&d->renewer);
    sp_keeper_free(&d->keeper);
    sp_objects_close(&d->objects);
    sp_loop_free(&d->loop);
    sp_desk_free(&d->desk);
    sp_peers_free(&d->peers);
    for (size_t i = 0; i < d->first->listener_count; i++) {
        sp_seats_free(&d->seats[i]);
    }
    free(d->seats);
    sp_cosigner_free(&d->cosigner);
    free(d->admin);
    sp_seals_unref(&d->seals);
    sp_config_free(&d->first);
    sp_world_unref(&d->world);
    sp_snapshot_free(&d->snapshot);
}

int sp_daemon_run(const char *config_file, bool takes_over)
{
    struct daemon d = {.config_file = config_file, .takes_over = takes_over};
    struct sp_why why = {0};
    enum sp_err e = start(&d, &why);
    if (e != SP_OK) {
        /* threads may run already; nothing was acknowledged, so the process just ends
         */
        sp_log_sink_stop(); /* so that this is the last line */
        fprintf(stderr, "sallyport: %s\n", sp_why_text(&why, e));
        _exit(sp_err_exit_status(e));
    }
    start_watchdog(&d);
    settle_sockets(&d);
    say_ready(&d);
    sp_loop_run(d.loop);
    fini(&d);
    sp_log_say(SP_LOG_INFO, "stopped", "everything acknowledged is on disk");
    sp_log_sink_stop();
    return 0;
}
