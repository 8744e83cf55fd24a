/* The world: made at the start, replaced by a reload. */
#include "app/run/daemon_parts.h"

#include "app/fill/stock.h"
#include "app/run/lane_life.h"

#include <string.h>

enum sp_err sp_daemon_load_world(const char *file, struct sp_world **out,
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

enum sp_err sp_daemon_prepare_cosigner(struct daemon *d, const struct sp_world *w,
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
    SP_TRY(sp_daemon_prepare_cosigner(d, w, why));
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
    SP_TRY(sp_daemon_load_world(d->config_file, &w, why));
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

enum sp_err sp_daemon_reload(struct daemon *d, struct sp_buf *out)
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
