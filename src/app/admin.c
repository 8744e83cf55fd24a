/* The admin listener: /health, /metrics, /status.json. Plain HTTP, loopback by default.
 */
#include "app/desk_json.h"
#include "app/stock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sp_admin {
    struct sp_admin_view view;  /* its pointers are borrowed */
    struct sp_server *server;   /* owned until it is drained */
    struct sp_server_conf conf; /* borrowed by the server */
};

struct page {
    struct sp_buf body; /* owned */
};

static void page_free(void *owner)
{
    struct page *p = owner;
    sp_buf_fini(&p->body);
    free(p);
}

static void totals(const struct sp_admin_view *v, struct sp_totals *t)
{
    *t = (struct sp_totals){0};
    for (size_t i = 0; i < v->lane_count; i++) {
        sp_totals_add(t, &v->lanes[i].counters);
    }
    sp_totals_add(t, sp_filler_counters(v->filler));
}

static enum sp_err write_cache_gauges(const struct sp_admin_view *v, struct sp_buf *out)
{
    struct sp_stock_status c;
    sp_stock_status(sp_filler_stock(v->filler), &c);
    return sp_buf_printf(
        out,
        "# HELP sallyport_cache_files Files in the cache now.\n"
        "# TYPE sallyport_cache_files gauge\n"
        "sallyport_cache_files %" PRIu64 "\n"
        "# HELP sallyport_cache_bytes Bytes of files in the cache now.\n"
        "# TYPE sallyport_cache_bytes gauge\n"
        "sallyport_cache_bytes %" PRIu64 "\n",
        c.files, c.bytes);
}

static enum sp_err write_gauges(const struct sp_admin_view *v, struct sp_buf *out)
{
    struct sp_keeper_status k;
    sp_keeper_status(v->keeper, &k);
    SP_TRY(sp_buf_printf(out,
                         "# HELP sallyport_build_info Version of the program.\n"
                         "# TYPE sallyport_build_info gauge\n"
                         "sallyport_build_info{version=\"%s\"} 1\n",
                         SP_VERSION));
    SP_TRY(
        sp_buf_printf(out,
                      "# HELP sallyport_start_time_seconds When the daemon started.\n"
                      "# TYPE sallyport_start_time_seconds gauge\n"
                      "sallyport_start_time_seconds %" PRId64 "\n",
                      v->started));
    SP_TRY(sp_buf_printf(out,
                         "# HELP sallyport_ledger_size Entries in the ledger.\n"
                         "# TYPE sallyport_ledger_size gauge\n"
                         "sallyport_ledger_size %" PRIu64 "\n",
                         k.entries));
    SP_TRY(sp_buf_printf(
        out,
        "# HELP sallyport_ledger_writable 1 while the ledger takes entries.\n"
        "# TYPE sallyport_ledger_writable gauge\n"
        "sallyport_ledger_writable %d\n",
        k.writable));
    SP_TRY(sp_buf_printf(out,
                         "# HELP sallyport_metadata_revisions Revisions in custody.\n"
                         "# TYPE sallyport_metadata_revisions gauge\n"
                         "sallyport_metadata_revisions %" PRIu64 "\n",
                         k.revisions));
    SP_TRY(sp_buf_printf(out,
                         "# HELP sallyport_cache_objects Files that were verified.\n"
                         "# TYPE sallyport_cache_objects gauge\n"
                         "sallyport_cache_objects %" PRIu64 "\n",
                         k.files));
    return write_cache_gauges(v, out);
}

static enum sp_err write_metrics(struct sp_admin *a, struct sp_buf *out)
{
    struct sp_totals t;
    totals(&a->view, &t);
    SP_TRY(write_gauges(&a->view, out));
    return sp_totals_write(&t, out);
}

static json_t *ledger_json(const struct sp_admin_view *v)
{
    struct sp_keeper_status k;
    char root[65];
    sp_keeper_status(v->keeper, &k);
    for (size_t i = 0; i < 32; i++) {
        snprintf(root + 2 * i, 3, "%02x", k.root[i]);
    }
    return json_pack("{s:I, s:s, s:I, s:I, s:b, s:s}", "entries", (json_int_t)k.entries,
                     "root", root, "revisions", (json_int_t)k.revisions, "files",
                     (json_int_t)k.files, "writable", k.writable, "why", k.why.text);
}

static json_t *cache_json(const struct sp_admin_view *v)
{
    struct sp_stock_status c;
    char began[SP_TIME_TEXT], ended[SP_TIME_TEXT];
    sp_stock_status(sp_filler_stock(v->filler), &c);
    sp_time_format(c.pass_began, began);
    sp_time_format(c.pass_ended, ended);
    return json_pack("{s:I, s:I, s:I, s:I, s:{s:s, s:s, s:I, s:I}}", "files",
                     (json_int_t)c.files, "bytes", (json_int_t)c.bytes, "reserved",
                     (json_int_t)c.reserved, "limit", (json_int_t)c.limit, "scrub",
                     "began", began, "ended", c.pass_ended ? ended : "", "files",
                     (json_int_t)c.pass_files, "bytes", (json_int_t)c.pass_bytes);
}

static json_t *counters_json(const struct sp_admin_view *v)
{
    struct sp_totals t;
    json_t *o = json_object();
    totals(v, &t);
#define METRIC(field, series, labels, help)                                            \
    json_object_set_new(o, #field, json_integer((json_int_t)t.field));
#include "app/metrics.def"
#undef METRIC
    return o;
}

static json_t *listeners_json(const struct sp_world *w)
{
    json_t *rows = json_array();
    static const char *const modes[] = {"enforce", "audit", "observe"};
    for (size_t i = 0; i < w->config->listener_count; i++) {
        const struct sp_config_listener *l = &w->config->listeners[i];
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", l->name, "bind",
                            l->bind, "upstream", l->upstream, "transport",
                            w->doors[i].tls ? "tls" : "http", "plain_http",
                            w->doors[i].tls ? "-" : modes[l->plain_http]));
    }
    return rows;
}

static enum sp_err write_status(struct sp_admin *a, struct sp_buf *out)
{
    const struct sp_admin_view *v = &a->view;
    const struct sp_world *w = *v->world;
    json_t *upstreams = json_array();
    char started[SP_TIME_TEXT], loaded[SP_TIME_TEXT];
    sp_time_format(v->started, started);
    sp_time_format(w->loaded, loaded);
    for (size_t i = 0; i < w->config->upstream_count; i++) {
        json_t *row = sp_desk_upstream_json(v->desk, w->config->upstreams[i].name);
        json_object_set_new(row, "host",
                            json_string(sp_upstream_host(w->upstreams[i])));
        json_array_append_new(upstreams, row);
    }
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version",
        SP_VERSION, "started", started, "config_loaded", loaded, "policy",
        sp_policy_name(w->policy), "workers", (int)v->lane_count, "ledger",
        ledger_json(v), "cache", cache_json(v), "upstreams", upstreams, "listeners",
        listeners_json(w), "plain_http", sp_desk_plain_json(v->desk), "refusals",
        sp_desk_refusals_json(v->desk), "counters", counters_json(v));
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(root);
    enum sp_err e = text ? sp_buf_append_str(out, text) : SP_E_NOMEM;
    free(text);
    return e;
}

static enum sp_err write_health(struct sp_admin *a, struct sp_buf *out)
{
    struct sp_keeper_status k;
    sp_keeper_status(a->view.keeper, &k);
    return sp_buf_append_str(out, *a->view.draining ? "draining\n"
                                  : k.writable      ? "ok\n"
                                                    : "the ledger cannot be written\n");
}

static int health_status(const struct sp_admin *a)
{
    struct sp_keeper_status k;
    sp_keeper_status(a->view.keeper, &k);
    return *a->view.draining || !k.writable ? 503 : 200;
}

static void answer(struct sp_exchange *x, int status, const char *type,
                   struct page *page)
{
    char fields[128];
    bool head = sp_exchange_request(x)->method == SP_HTTP_HEAD;
    snprintf(fields, sizeof fields, "Content-Type: %s\r\nCache-Control: no-store\r\n",
             type);
    struct sp_answer a = {.status = status,
                          .fields = sp_view_str(fields),
                          .memory =
                              head ? (struct sp_view){0} : sp_buf_view(&page->body),
                          .content_length = page->body.len,
                          .announce_length = head,
                          .release = page_free,
                          .owner = page};
    sp_exchange_respond(x, &a);
}

static void on_head(void *ctx, struct sp_exchange *x)
{
    static const struct {
        const char *path, *type;
        enum sp_err (*write)(struct sp_admin *a, struct sp_buf *out);
    } pages[] = {
        {"/health", "text/plain; charset=utf-8", write_health},
        {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
        {"/status.json", "application/json", write_status},
    };
    struct sp_admin *a = ctx;
    const struct sp_http_request *r = sp_exchange_request(x);
    struct page *page = calloc(1, sizeof *page);
    if (!page) {
        sp_exchange_cut(x);
        return;
    }
    sp_buf_init(&page->body, SP_MIB(4));
    if (r->method != SP_HTTP_GET && r->method != SP_HTTP_HEAD) {
        answer(x, 405, "text/plain", page);
        return;
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (sp_view_eq_str(r->target, pages[i].path)) {
            bool good = pages[i].write(a, &page->body) == SP_OK;
            answer(x,
                   !good    ? 503
                   : i == 0 ? health_status(a)
                            : 200,
                   pages[i].type, page);
            return;
        }
    }
    answer(x, 404, "text/plain", page);
}

static void on_body(void *ctx, struct sp_exchange *x)
{
    (void)ctx;
    (void)x;
}

static void on_end(void *ctx, struct sp_exchange *x, bool complete)
{
    (void)ctx;
    (void)x;
    (void)complete;
}

enum sp_err sp_admin_new(struct sp_loop *main_loop, const char *bind,
                         const struct sp_admin_view *view, struct sp_admin **out,
                         struct sp_why *why)
{
    struct sp_admin *a = calloc(1, sizeof *a);
    if (!a) {
        return SP_E_NOMEM;
    }
    a->view = *view;
    a->conf = (struct sp_server_conf){.name = "admin", .bind = bind};
    struct sp_server_handler handler = {
        .head = on_head, .body = on_body, .end = on_end, .ctx = a};
    enum sp_err e = sp_server_new(main_loop, &a->conf, &handler, &a->server, why);
    if (e != SP_OK) {
        free(a);
        return e;
    }
    *out = a;
    return SP_OK;
}

void sp_admin_close(struct sp_admin *a, void (*done)(void *ctx), void *ctx)
{
    sp_server_drain(a->server, 0, done, ctx);
}
