#include "app/run/daemon.h"

#include "app/admin/admin.h"
#include "app/fill/filler.h"
#include "app/fill/stock.h"
#include "app/log/log.h"
#include "app/log/log_sink.h"
#include "app/offline/renewer.h"
#include "app/run/changes.h"
#include "app/run/confine.h"
#include "app/run/handover.h"
#include "app/run/lane_life.h"
#include "app/run/manager.h"
#include "app/run/privileges.h"
#include "app/run/tidy.h"
#include "app/serve/cosigner.h"
#include "app/shared/desk.h"
#include "app/watch/watch.h"
#include "io/net/tls_secret.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who keeps a connection comes with his next request within a second, mostly. */
enum { DRAIN_MS = 10000, GRACE_MS = 1000, HOUR_MS = 3600000 };

struct daemon {
    const char *config_file; /* borrowed */
    bool takes_over;         /* the place of the daemon that runs */
    struct sp_world *world;  /* shared: the one in force */
    /* Owned: what it started with, for all that is opened once and borrows from it. Not
     * the first world: that has keys, which go when they are replaced. */
    struct sp_config *first;
    struct sp_loop *loop;       /* owned: the main loop */
    struct sp_desk *desk;       /* owned */
    struct sp_keeper *keeper;   /* owned */
    struct sp_objects *objects; /* owned */
    struct sp_filler *filler;   /* owned */
    struct sp_watch *watch;     /* owned */
    struct sp_seals *seals;     /* shared: the keys of cookies in force */
    struct sp_renewer *renewer; /* owned; NULL: no offline catalogue */
    struct sp_budget budget;
    struct sp_peers *peers; /* owned */
    struct sp_seats **seats; /* owned, one a listener */
    struct sp_lockdown lockdown;
    struct sp_cosigner *cosigner; /* owned */
    struct sp_lane *lanes;        /* owned */
    size_t lane_count, lanes_open;
    struct sp_admin *admin; /* owned; freed by its drain */
    uv_signal_t signals[3];
    uv_timer_t hourly;
    struct sp_tidy tidy;
    struct sp_watchdog watchdog;
    struct sp_sockets inherited;
    struct sp_handover handover;
    struct sp_confines confines;
    struct sp_snapshot *snapshot; /* owned: of the world in force */
    bool draining;
    int64_t started;
};

/* ---- making the world ------------------------------------------------------------ */

static enum sp_err load_world(const char *file, struct sp_world **out,
                              struct sp_why *why)
{
    struct sp_config *config = NULL;
    SP_TRY(sp_config_load(file, &config, why));
    if (config->sandbox) {
        SP_TRY(sp_sandbox_hide(why)); /* the keys are read next */
    }
    return sp_world_new(&config, out, why);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Doors and upstreams go by their number. */
static bool same_order(const struct sp_config *a, const struct sp_config *b)
{
    bool same = a->listener_count == b->listener_count;
    for (size_t i = 0; same && i < a->listener_count; i++) {
        same = same_text(a->listeners[i].name, b->listeners[i].name);
    }
    return same;
}

static enum sp_err check_order(const struct daemon *d, const struct sp_world *w,
                               struct sp_why *why)
{
    return same_order(w->config, d->world->config)
               ? SP_OK
               : sp_why_set(why, SP_E_CONFIG,
                            "the listeners come in another order: that takes a "
                            "restart");
}

/* The name is in the ledger's key: another one would be another ledger. */
static void mention_ledger_name(const struct sp_config *old,
                                const struct sp_config *new)
{
    if (!same_text(old->ledger_name, new->ledger_name)) {
        sp_log_say(SP_LOG_WARNING, "ledger_name_ignored",
                   "ledger_name changed from \"%s\" to \"%s\": ignored, a ledger keeps "
                   "the name it was made with",
                   old->ledger_name, new->ledger_name);
    }
}

/* Before anybody can ask for a cosignature: its key is there, and told. */
static enum sp_err prepare_cosigner(struct daemon *d, const struct sp_world *w,
                                    struct sp_why *why)
{
    if (w->config->cosigns.count == 0) {
        return SP_OK;
    }
    SP_TRY(sp_cosigner_ready(d->cosigner, why));
    sp_log_say(SP_LOG_INFO, "cosigner", "%zu ledgers are cosigned here as %s",
               w->config->cosigns.count, sp_cosigner_public_key(d->cosigner));
    return SP_OK;
}

static enum sp_err renew(struct daemon *d, struct sp_world *w)
{
    return d->renewer ? sp_renewer_set_world(d->renewer, w) : SP_OK;
}

/* What can go wrong goes wrong here, before anything is another one. */
static enum sp_err try_world(struct daemon *d, struct sp_world *w,
                             const struct sp_changes *c, struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf names;
    sp_buf_init(&names, SP_KIB(32));
    if (c->never) {
        SP_TRY(sp_changes_say(c, SP_CHANGE_NEVER, &names));
        return sp_why_set(why, SP_E_CONFIG,
                          "a restart is needed for: %s; nothing was changed",
                          (const char *)names.data);
    }
    SP_TRY(check_order(d, w, why));
    SP_TRY(sp_confines_fit(&d->confines, w->config, why));
    SP_TRY(prepare_cosigner(d, w, why));
    for (size_t i = 0; i < d->lane_count; i++) {
        SP_TRY(sp_lane_set_world(&d->lanes[i], w));
    }
    return renew(d, w);
}

static enum sp_err enter_world(struct daemon *d, struct sp_world *w_take)
{
    struct sp_world *w = w_take;
    mention_ledger_name(d->world->config, w->config);
    sp_world_unref(&d->world);
    d->world = w;
    sp_budget_set(&d->budget, w->config->metadata_memory);
    for (size_t i = 0; i < d->first->listener_count; i++) {
        sp_seats_set_most(d->seats[i], w->config->peer_connections);
    }
    sp_log_setup(w->config->log_format, w->config->log_level, SP_LOG_JOURNAL_SOCKET);
    sp_stock_tune(sp_filler_stock(d->filler), w->config);
    sp_filler_set_world(d->filler, w);
    if (d->admin) {
        sp_admin_follow_world(d->admin);
    }
    return sp_watch_set_world(d->watch, w);
}

static enum sp_err reload(struct daemon *d, struct sp_changes *changes,
                          struct sp_why *why)
{
    SP_AUTO(sp_snapshot_free) struct sp_snapshot *now = NULL;
    SP_AUTO(sp_world_unref) struct sp_world *w = NULL;
    if (d->draining) { /* listeners are gone, lanes may be: nobody is left to tell */
        return sp_why_set(why, SP_E_UNAVAILABLE, "this server is stopping");
    }
    SP_TRY(load_world(d->config_file, &w, why));
    SP_TRY(sp_snapshot_take(w->config, &now));
    sp_changes_find(d->snapshot, now, changes);
    sp_world_count_on(w, d->world);
    SP_TRY(try_world(d, w, changes, why));
    sp_snapshot_free(&d->snapshot);
    d->snapshot = now;
    now = NULL;
    struct sp_world *mine = w;
    w = NULL;
    return enter_world(d, mine);
}

static void log_reload(const struct daemon *d, const struct sp_changes *c)
{
    SP_AUTO(sp_buf_fini) struct sp_buf now, later;
    sp_buf_init(&now, SP_KIB(32));
    sp_buf_init(&later, SP_KIB(32));
    size_t n = sp_changes_count(c, SP_CHANGE_NOW) + c->more;
    if (sp_changes_say(c, SP_CHANGE_NOW, &now) != SP_OK ||
        sp_changes_say(c, SP_CHANGE_LATER, &later) != SP_OK) {
        return;
    }
    sp_log_say(SP_LOG_INFO, "reloaded", "policy %s; %zu changed%s%s%s",
               sp_policy_name(d->world->policy), n, n ? ": " : "",
               (const char *)now.data, c->more ? " and more" : "");
    if (sp_changes_count(c, SP_CHANGE_LATER)) {
        sp_log_say(SP_LOG_WARNING, "left_until_restart", "%s",
                   (const char *)later.data);
    }
}

/* Whoever asked for it, by a signal or by the admin listener; out, where there is one,
 * is told as sp_changes_json does. */
static enum sp_err on_reload(struct daemon *d, struct sp_buf *out)
{
    struct sp_changes changes = {.count = 0};
    struct sp_why why = {0};
    sp_manager_tell_reloading();
    enum sp_err e = reload(d, &changes, &why);
    if (e == SP_OK) {
        log_reload(d, &changes);
    } else {
        sp_log_say(d->draining ? SP_LOG_WARNING : SP_LOG_ERROR, "reload_refused",
                   "the old configuration stays in force: %s", sp_why_text(&why, e));
    }
    sp_manager_tell("READY=1");
    return out ? sp_changes_json(&changes, sp_policy_name(d->world->policy),
                                 e == SP_OK ? NULL : sp_why_text(&why, e), out)
               : SP_OK;
}

static enum sp_err reload_for_admin(void *ctx, struct sp_buf *out)
{
    return on_reload(ctx, out);
}

/* ---- stopping -------------------------------------------------------------------- */

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

static void on_stop(struct daemon *d)
{
    if (d->draining) {
        sp_log_say(SP_LOG_WARNING, "killed", "asked twice: stopping at once");
        sp_log_sink_stop();
        _exit(1);
    }
    drain(d, 0);
}

/* Every listening socket; false when there are more than can be handed on at once. */
static bool gather_sockets(const struct daemon *d, int fds[SP_SOCKETS], size_t *count)
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

static void on_successor(void *ctx)
{
    struct daemon *d = ctx;
    int fds[SP_SOCKETS];
    size_t n = 0;
    if (d->draining || !gather_sockets(d, fds, &n) ||
        !sp_handover_give(&d->handover, fds, n)) {
        sp_log_say(SP_LOG_WARNING, "handover_failed",
                   "the listening sockets could not be handed on");
        sp_handover_refuse(&d->handover);
        return;
    }
    sp_log_say(SP_LOG_INFO, "handed_over", "%zu listening sockets have a new owner", n);
    drain(d, GRACE_MS);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    if (number == SIGHUP) {
        (void)!on_reload(d, NULL);
    } else {
        sp_manager_tell("STOPPING=1");
        on_stop(d);
    }
}

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
    SP_TRY(prepare_cosigner(d, d->world, why));
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
    SP_TRY(load_world(d->config_file, &d->world, why));
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
                             on_successor, d);
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
    if (gather_sockets(d, fds, &n)) {
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
