#include "app/admin/gauges.h"
#include "app/fill/filler.h"

#include "app/fill/stock.h"
#include "app/offline/renewer.h"
#include "app/watch/watch.h"

#include <inttypes.h>
#include <stdlib.h>

static enum sp_err head(struct sp_buf *out, const char *name, const char *help)
{
    return sp_buf_printf(out, "# HELP sallyport_%s %s\n# TYPE sallyport_%s gauge\n",
                         name, help, name);
}

static enum sp_err gauge(struct sp_buf *out, const char *name, const char *help,
                         int64_t value)
{
    SP_TRY(head(out, name, help));
    return sp_buf_printf(out, "sallyport_%s %" PRId64 "\n", name, value);
}

/* Backslash, quote and newline of a label are escaped. */
static enum sp_err escaped(struct sp_buf *out, const char *text)
{
    for (const char *s = text; *s; s++) {
        if (*s == '\\' || *s == '"') {
            SP_TRY(sp_buf_append_byte(out, '\\'));
        }
        SP_TRY(*s == '\n' ? sp_buf_append_str(out, "\\n")
                          : sp_buf_append_byte(out, (uint8_t)*s));
    }
    return SP_OK;
}

static enum sp_err labelled(struct sp_buf *out, const char *name, const char *label,
                            const char *text, int64_t value)
{
    SP_TRY(sp_buf_printf(out, "sallyport_%s{%s=\"", name, label));
    SP_TRY(escaped(out, text));
    return sp_buf_printf(out, "\"} %" PRId64 "\n", value);
}

static enum sp_err of_daemon(const struct sp_admin_view *v, struct sp_buf *out)
{
    SP_TRY(head(out, "build_info", "Version of the program."));
    SP_TRY(labelled(out, "build_info", "version", SP_VERSION, 1));
    SP_TRY(gauge(out, "start_time_seconds", "When the daemon started.", v->started));
    SP_TRY(gauge(out, "config_loaded_timestamp_seconds",
                 "When the configuration in force was loaded.", (*v->world)->loaded));
    return gauge(out, "lockdown", "1 while all metadata is stopped.",
                 sp_lockdown_is_on(v->lockdown));
}

static enum sp_err of_ledger(const struct sp_admin_view *v, struct sp_buf *out)
{
    struct sp_keeper_status k;
    sp_keeper_status(v->keeper, &k);
    SP_TRY(gauge(out, "ledger_size", "Entries in the ledger.", (int64_t)k.entries));
    SP_TRY(gauge(out, "ledger_checkpoint_timestamp_seconds",
                 "When the newest checkpoint was signed; 0: not since the start.",
                 k.signed_at));
    SP_TRY(
        gauge(out, "ledger_writable", "1 while the ledger takes entries.", k.writable));
    SP_TRY(gauge(out, "metadata_revisions", "Revisions in custody.",
                 (int64_t)k.revisions));
    SP_TRY(gauge(out, "metadata_newest_timestamp_seconds",
                 "When the newest revision was recorded; 0: none was.", k.newest));
    return gauge(out, "cache_objects", "Files that were verified.", (int64_t)k.files);
}

static enum sp_err of_cache(const struct sp_admin_view *v, struct sp_buf *out)
{
    struct sp_stock_status c;
    struct sp_stock_evidence e;
    sp_stock_status(sp_filler_stock(v->filler), &c);
    sp_stock_evidence(sp_filler_stock(v->filler), &e);
    SP_TRY(gauge(out, "cache_files", "Files in the cache now.", (int64_t)c.files));
    SP_TRY(gauge(out, "cache_bytes", "Bytes of files in the cache now.",
                 (int64_t)c.bytes));
    SP_TRY(gauge(out, "quarantine_objects", "Files that are kept as evidence.",
                 (int64_t)e.files));
    SP_TRY(gauge(out, "quarantine_bytes", "Bytes of files that are kept as evidence.",
                 (int64_t)e.bytes));
    SP_TRY(gauge(out, "cache_limit_bytes", "What the cache may grow to; 0: no limit.",
                 (int64_t)c.limit));
    return gauge(out, "scrub_pass_end_timestamp_seconds",
                 "When the scrubber last reached the end of the store; 0: not yet.",
                 c.pass_ended);
}

/* Catalogues come once a month: one that is much older is one that is kept back. */
static enum sp_err of_catalog(const struct sp_admin_view *v, struct sp_buf *out)
{
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    o = v->renewer ? sp_renewer_object(v->renewer) : NULL;
    return gauge(out, "catalog_signing_timestamp_seconds",
                 "When the offline catalogue in force was signed; 0: none is.",
                 o ? o->last_modified : 0);
}

static enum sp_err of_upstreams(const struct sp_admin_view *v, struct sp_buf *out)
{
    const struct sp_config *c = (*v->world)->config;
    SP_TRY(
        head(out, "last_sync_success_timestamp_seconds",
             "When the upstream last answered over a proven connection; 0: not yet."));
    for (size_t i = 0; i < c->upstream_count; i++) {
        SP_TRY(labelled(out, "last_sync_success_timestamp_seconds", "upstream",
                        c->upstreams[i].name,
                        sp_desk_last_good(v->desk, c->upstreams[i].name)));
    }
    SP_TRY(
        head(out, "pin_expiry_timestamp_seconds",
             "When the first certificate of the chain that an upstream proved ends; 0: "
             "none was proven yet."));
    for (size_t i = 0; i < c->upstream_count; i++) {
        SP_TRY(labelled(out, "pin_expiry_timestamp_seconds", "upstream",
                        c->upstreams[i].name,
                        sp_desk_ends(v->desk, c->upstreams[i].name)));
    }
    return SP_OK;
}

/* No gauge, but by upstream as those are. */
static enum sp_err of_pins(const struct sp_admin_view *v, struct sp_buf *out)
{
    static const char *const results[SP_PIN_CHECKS] = {"matched", "unmatched",
                                                       "untrusted"};
    const struct sp_world *w = *v->world;
    SP_TRY(sp_buf_append_str(out, "# HELP sallyport_pin_checks_total Chains that "
                                  "upstreams showed in handshakes, by what judging "
                                  "them came to.\n"
                                  "# TYPE sallyport_pin_checks_total counter\n"));
    for (size_t i = 0; i < w->config->upstream_count; i++) {
        for (unsigned r = 0; r < SP_PIN_CHECKS; r++) {
            SP_TRY(sp_buf_append_str(out, "sallyport_pin_checks_total{upstream=\""));
            SP_TRY(escaped(out, w->config->upstreams[i].name));
            SP_TRY(sp_buf_printf(
                out, "\",result=\"%s\"} %" PRIu64 "\n", results[r],
                sp_upstream_pin_checks(w->upstreams[i], (enum sp_pin_check)r)));
        }
    }
    return SP_OK;
}

static enum sp_err of_upstream_requests(const struct sp_admin_view *v,
                                        struct sp_buf *out)
{
    static const char *const results[SP_UPSTREAM_RESULTS] = {"ok", "failed",
                                                             "unproven"};
    const struct sp_world *w = *v->world;
    SP_TRY(sp_buf_append_str(
        out, "# HELP sallyport_upstream_requests_total Requests to upstreams by "
             "result.\n# TYPE sallyport_upstream_requests_total counter\n"));
    for (size_t i = 0; i < w->config->upstream_count; i++) {
        for (unsigned r = 0; r < SP_UPSTREAM_RESULTS; r++) {
            SP_TRY(sp_buf_append_str(out,
                                     "sallyport_upstream_requests_total{upstream=\""));
            SP_TRY(escaped(out, w->config->upstreams[i].name));
            SP_TRY(sp_buf_printf(
                out, "\",result=\"%s\"} %" PRIu64 "\n", results[r],
                sp_upstream_requests(w->upstreams[i], (enum sp_upstream_result)r)));
        }
    }
    return SP_OK;
}

static uint64_t asked(const struct sp_admin_view *v, size_t door, enum sp_asked what,
                      unsigned klass)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < v->lane_count; i++) {
        sum += sp_asked_read(&v->lanes[i].doors[door].asked, what, klass);
    }
    return sum;
}

static enum sp_err of_door(const struct sp_admin_view *v, size_t door,
                           struct sp_buf *out)
{
    for (unsigned i = 0; i < SP_ASKED_KINDS * SP_CLASSES; i++) {
        enum sp_asked what = (enum sp_asked)(i / SP_CLASSES);
        unsigned klass = i % SP_CLASSES;
        SP_TRY(sp_buf_append_str(out, "sallyport_requests_total{listener=\""));
        SP_TRY(escaped(out, v->config->listeners[door].name));
        SP_TRY(sp_buf_printf(out, "\",service=\"%s\",code_class=\"%s\"} %" PRIu64 "\n",
                             sp_asked_text(what), sp_class_text(klass),
                             asked(v, door, what, klass)));
    }
    return SP_OK;
}

static enum sp_err of_requests(const struct sp_admin_view *v, struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(
        out, "# HELP sallyport_requests_total Requests by listener, service and class "
             "of the answer's status; none: its asker left, or was cut off, before.\n"
             "# TYPE sallyport_requests_total counter\n"));
    for (size_t i = 0; i < v->config->listener_count; i++) {
        SP_TRY(of_door(v, i, out));
    }
    return SP_OK;
}

static enum sp_err of_listeners(const struct sp_admin_view *v, struct sp_buf *out)
{
    const struct sp_world *w = *v->world;
    SP_TRY(head(out, "certificate_expiry_timestamp_seconds",
                "When the certificate of a listener stops being valid."));
    for (size_t i = 0; i < w->config->listener_count; i++) {
        if (w->doors[i].tls) {
            SP_TRY(labelled(out, "certificate_expiry_timestamp_seconds", "listener",
                            w->config->listeners[i].name, w->doors[i].not_after));
        }
    }
    SP_TRY(head(out, "connections", "Connections that are open."));
    for (size_t i = 0; i < w->config->listener_count; i++) {
        SP_TRY(labelled(out, "connections", "listener", w->config->listeners[i].name,
                        (int64_t)sp_seats_taken(v->seats[i])));
    }
    return SP_OK;
}

static enum sp_err of_posture(const struct sp_watch_status *s, struct sp_buf *out)
{
    if (s->count) {
        SP_TRY(head(out, "compliance_state", "1 while the upstream conforms."));
    }
    for (size_t i = 0; i < s->count; i++) {
        SP_TRY(labelled(out, "compliance_state", "upstream", s->rows[i].name,
                        s->rows[i].state == SP_POSTURE_CONFORMING));
    }
    return SP_OK;
}

static enum sp_err of_watch(const struct sp_admin_view *v, struct sp_buf *out)
{
    struct sp_watch_status *s = malloc(sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    sp_watch_status(v->watch, s);
    enum sp_err e = of_posture(s, out);
    free(s);
    return e;
}

enum sp_err sp_gauges_write(const struct sp_admin_view *v, struct sp_buf *out)
{
    SP_TRY(of_daemon(v, out));
    SP_TRY(of_ledger(v, out));
    SP_TRY(of_cache(v, out));
    SP_TRY(of_catalog(v, out));
    SP_TRY(of_upstreams(v, out));
    SP_TRY(of_pins(v, out));
    SP_TRY(of_upstream_requests(v, out));
    SP_TRY(of_requests(v, out));
    SP_TRY(of_listeners(v, out));
    return of_watch(v, out);
}
