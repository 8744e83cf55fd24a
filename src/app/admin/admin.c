/* The admin listener: the status page and what it shows, /health, /metrics, /posture,
 * POST /recheck, POST /lockdown. Plain HTTP on loopback; and, where the configuration
 * says so, over TLS for others, who show who they are and may look but not touch. */
#include "app/admin/admin_key.h"
#include "app/admin/gauges.h"
#include "app/admin/page.h"
#include "app/admin/posture_page.h"
#include "app/fill/filler.h"
#include "app/fill/stock.h"
#include "app/log/log.h"
#include "app/offline/renewer.h"
#include "app/shared/board.h"
#include "app/shared/desk_json.h"
#include "app/shared/history.h"
#include "app/shared/peers_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sp_admin {
    struct sp_admin_view view;  /* its pointers are borrowed */
    struct sp_server *server;   /* owned until it is drained */
    struct sp_server_conf conf; /* borrowed by the server */
    struct sp_server *remote;   /* owned until it is drained; NULL: none */
    struct sp_server_conf remote_conf;
    struct sp_seats *seats; /* owned */
    unsigned open;          /* servers */
    struct sp_rate refused; /* log lines about who was turned away */
    uv_timer_t clock;       /* steps the history */
    struct sp_history history;
    void (*gone)(void *ctx); /* told when all is closed */
    void *gone_ctx;
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
        for (size_t k = 0; k < v->lanes[i].server_count; k++) {
            sp_totals_add_asked(t, &v->lanes[i].doors[k].asked);
        }
    }
    sp_totals_add(t, sp_filler_counters(v->filler));
    sp_totals_add(t, sp_watch_counters(v->watch));
    if (v->renewer) {
        sp_totals_add(t, sp_renewer_counters(v->renewer));
    }
}

static enum sp_err write_metrics(struct sp_admin *a, struct sp_buf *out)
{
    struct sp_totals t;
    totals(&a->view, &t);
    SP_TRY(sp_gauges_write(&a->view, out));
    return sp_totals_write(&t, out);
}

/* Takes root. */
static enum sp_err append_json(json_t *root, size_t flags, struct sp_buf *out)
{
    char *text = root ? json_dumps(root, flags | JSON_PRESERVE_ORDER) : NULL;
    json_decref(root);
    enum sp_err e = text ? sp_buf_append_str(out, text) : SP_E_NOMEM;
    free(text);
    return e;
}

static json_t *ledger_json(const struct sp_admin_view *v)
{
    struct sp_keeper_status k;
    char root[65], newest[SP_TIME_TEXT];
    sp_keeper_status(v->keeper, &k);
    for (size_t i = 0; i < 32; i++) {
        snprintf(root + 2 * i, 3, "%02x", k.root[i]);
    }
    sp_time_format(k.newest, newest);
    return json_pack("{s:I, s:s, s:I, s:I, s:b, s:s, s:s}", "entries",
                     (json_int_t)k.entries, "root", root, "revisions",
                     (json_int_t)k.revisions, "files", (json_int_t)k.files, "writable",
                     k.writable, "why", k.why.text, "newest", k.newest ? newest : "");
}

static json_t *cache_json(const struct sp_admin_view *v)
{
    struct sp_stock_status c;
    char began[SP_TIME_TEXT], ended[SP_TIME_TEXT];
    sp_stock_status(sp_filler_stock(v->filler), &c);
    sp_time_format(c.pass_began, began);
    sp_time_format(c.pass_ended, ended);
    struct sp_stock_evidence e;
    sp_stock_evidence(sp_filler_stock(v->filler), &e);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I}, s:{s:s, s:s, s:I, s:I}}",
                     "files", (json_int_t)c.files, "bytes", (json_int_t)c.bytes,
                     "unsurveyed", (json_int_t)c.unknown, "reserved",
                     (json_int_t)c.reserved, "limit", (json_int_t)c.limit, "quarantine",
                     "files", (json_int_t)e.files, "bytes", (json_int_t)e.bytes,
                     "scrub", "began", began, "ended", c.pass_ended ? ended : "",
                     "files", (json_int_t)c.pass_files, "bytes",
                     (json_int_t)c.pass_bytes);
}

static json_t *counters_json(const struct sp_admin_view *v)
{
    struct sp_totals t;
    totals(v, &t);
    json_t *o = json_pack(
        "{s:I, s:I, s:I, s:I, s:I}", "requests", (json_int_t)sp_totals_requests(&t),
        "answers_2xx", (json_int_t)t.classes[1], "answers_3xx",
        (json_int_t)t.classes[2], "answers_4xx", (json_int_t)t.classes[3],
        "answers_5xx", (json_int_t)t.classes[4]);
#define METRIC(field, series, labels, help)                                            \
    json_object_set_new(o, #field, json_integer((json_int_t)t.field));
#include "app/shared/metrics.def"
#undef METRIC
    return o;
}

static json_t *listeners_json(const struct sp_admin_view *v)
{
    const struct sp_world *w = *v->world;
    json_t *rows = json_array();
    for (size_t i = 0; i < w->config->listener_count; i++) {
        const struct sp_config_listener *l = &w->config->listeners[i];
        json_array_append_new(
            rows,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "name", l->name, "bind",
                      l->bind, "upstream", l->upstream, "transport",
                      w->doors[i].tls ? "tls" : "http", "plain_http",
                      w->doors[i].tls ? "-" : sp_mode_text(w->doors[i].plain_http),
                      "client_certificates", (int)(l->client_ca[0] != 0), "connections",
                      (json_int_t)sp_seats_taken(v->seats[i])));
    }
    return rows;
}

static json_t *fills_json(const struct sp_admin_view *v)
{
    json_t *list = json_array();
    struct sp_board_row rows[SP_BOARD_ROWS];
    sp_board_read(sp_filler_board(v->filler), rows);
    for (size_t i = 0; i < SP_BOARD_ROWS; i++) {
        char name[41];
        for (size_t k = 0; k < 20; k++) {
            snprintf(name + 2 * k, 3, "%02X", rows[i].sha1[k]);
        }
        if (rows[i].used) {
            json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", name,
                                                  "size", (json_int_t)rows[i].size,
                                                  "have", (json_int_t)rows[i].have));
        }
    }
    return list;
}

static json_t *expiries_json(const struct sp_admin_view *v)
{
    const struct sp_world *w = *v->world;
    json_t *rows = json_array();
    char until[SP_TIME_TEXT];
    for (size_t i = 0; i < w->config->upstream_count; i++) {
        const char *name = w->config->upstreams[i].name;
        if (sp_desk_ends(v->desk, name)) {
            sp_time_format(sp_desk_ends(v->desk, name), until);
            json_array_append_new(
                rows, json_pack("{s:s, s:s}", "name", name, "until", until));
        }
    }
    for (size_t i = 0; i < w->config->listener_count; i++) {
        if (w->doors[i].tls) {
            sp_time_format(w->doors[i].not_after, until);
            json_array_append_new(rows, json_pack("{s:s, s:s}", "name",
                                                  w->config->listeners[i].certificate,
                                                  "until", until));
        }
    }
    return rows;
}

static enum sp_err status_text(struct sp_admin *a, size_t flags, struct sp_buf *out)
{
    const struct sp_admin_view *v = &a->view;
    const struct sp_world *w = *v->world;
    json_t *upstreams = json_array(), *voices = NULL;
    char now[SP_TIME_TEXT], started[SP_TIME_TEXT], loaded[SP_TIME_TEXT];
    sp_time_format(sp_clock_wall_s(), now);
    sp_time_format(v->started, started);
    sp_time_format(w->loaded, loaded);
    for (size_t i = 0; i < w->config->upstream_count; i++) {
        json_t *row = sp_desk_upstream_json(v->desk, w->config->upstreams[i].name);
        json_object_set_new(row, "host",
                            json_string(sp_upstream_host(w->upstreams[i])));
        json_array_append_new(upstreams, row);
    }
    if (sp_posture_add(v->watch, upstreams, &voices) != SP_OK) {
        json_decref(upstreams);
        return SP_E_NOMEM;
    }
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o, s:o, s:o}",
        "version", SP_VERSION, "now", now, "started", started, "config_loaded", loaded,
        "draining", (int)*v->draining, "lockdown", (int)sp_lockdown_is_on(v->lockdown),
        "policy", sp_policy_name(w->policy), "workers", (int)v->lane_count, "expiries",
        expiries_json(v), "fills", fills_json(v), "ledger", ledger_json(v), "cache",
        cache_json(v), "upstreams", upstreams, "witnesses", voices, "listeners",
        listeners_json(v), "plain_http", sp_desk_plain_json(v->desk), "would_refuse",
        sp_desk_observed_json(v->desk), "limited",
        sp_peers_json(v->peers, sp_loop_now_ms(sp_loop_current()), sp_clock_wall_s()),
        "downstreams",
        sp_downstreams_json(v->peers, sp_loop_now_ms(sp_loop_current()),
                            sp_clock_wall_s()),
        "refusals", sp_desk_refusals_json(v->desk), "counters", counters_json(v));
    return append_json(root, flags, out);
}

static enum sp_err write_status(struct sp_admin *a, struct sp_buf *out)
{
    return status_text(a, JSON_INDENT(2), out);
}

/* A stream of one event: the browser takes it, and comes again by itself after a second
 * over the same connection. Nothing has to be kept for those who watch. */
static enum sp_err write_events(struct sp_admin *a, struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, "retry: 1000\ndata: "));
    SP_TRY(status_text(a, JSON_COMPACT, out));
    return sp_buf_append_str(out, "\n\n");
}

static enum sp_err write_history(struct sp_admin *a, struct sp_buf *out)
{
    return append_json(sp_history_json(&a->history), JSON_COMPACT, out);
}

static enum sp_err write_page(struct sp_admin *a, struct sp_buf *out)
{
    (void)a;
    return sp_buf_append(out, sp_page());
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

static enum sp_err write_posture(struct sp_admin *a, struct sp_buf *out)
{
    return sp_posture_page(a->view.watch, out);
}

static void answer(struct sp_exchange *x, int status, struct sp_view fields,
                   struct page *page)
{
    bool head = sp_exchange_request(x)->method == SP_HTTP_HEAD;
    struct sp_answer a = {.status = status,
                          .fields = fields,
                          .memory =
                              head ? (struct sp_view){0} : sp_buf_view(&page->body),
                          .content_length = page->body.len,
                          .announce_length = head,
                          .release = page_free,
                          .owner = page};
    sp_exchange_respond(x, &a);
}

static const struct resource {
    const char *path, *type;
    enum sp_err (*write)(struct sp_admin *a, struct sp_buf *out);
} resources[] = {
    {"/health", "text/plain; charset=utf-8", write_health},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
    {"/status.json", "application/json", write_status},
    {"/posture", "application/json", write_posture},
    {"/history.json", "application/json", write_history},
    {"/events", "text/event-stream", write_events},
    {"/", "text/html; charset=utf-8", write_page},
};

static const struct resource *find(struct sp_view target)
{
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++) {
        if (sp_view_eq_str(target, resources[i].path)) {
            return &resources[i];
        }
    }
    return NULL;
}

static void give(struct sp_admin *a, struct sp_exchange *x, const struct resource *r,
                 struct page *page)
{
    SP_AUTO(sp_buf_fini) struct sp_buf fields;
    sp_buf_init(&fields, SP_KIB(2));
    enum sp_err e = sp_buf_printf(
        &fields, "Content-Type: %s\r\nCache-Control: no-store\r\n", r->type);
    e = e == SP_OK && r->write == write_page ? sp_page_fields(&fields) : e;
    e = e == SP_OK ? r->write(a, &page->body) : e;
    int status = r->write == write_health    ? health_status(a)
                 : r->write == write_posture ? sp_posture_http_status(a->view.watch)
                                             : 200;
    answer(x, e == SP_OK ? status : 503, sp_buf_view(&fields), page);
}

static int recheck(struct sp_admin *a)
{
    return !*a->view.draining && sp_watch_recheck(a->view.watch) == SP_OK ? 202 : 503;
}

/* Looks at the switch again. */
static int lockdown(struct sp_admin *a)
{
    struct sp_why why = {0};
    if (*a->view.draining) {
        return 503;
    }
    enum sp_err e = sp_lockdown_look(a->view.lockdown, &why);
    if (e != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "lockdown", "%s", sp_why_text(&why, e));
    }
    return e == SP_OK ? 200 : 503;
}

static void reload(struct sp_admin *a, struct sp_exchange *x, struct page *page)
{
    enum sp_err e = a->view.reload(a->view.reload_ctx, &page->body);
    answer(x, e == SP_OK ? 200 : 503, SP_VIEW("Content-Type: application/json\r\n"),
           page);
}

static void on_head(void *ctx, struct sp_exchange *x)
{
    static const char plain[] = "Content-Type: text/plain\r\n";
    const struct sp_http_request *r = sp_exchange_request(x);
    const struct resource *resource = find(r->target);
    struct page *page = calloc(1, sizeof *page);
    if (!page) {
        sp_exchange_cut(x);
        return;
    }
    sp_buf_init(&page->body, SP_MIB(4));
    if (r->method == SP_HTTP_POST && sp_view_eq_str(r->target, "/recheck")) {
        answer(x, recheck(ctx), SP_VIEW(plain), page);
    } else if (r->method == SP_HTTP_POST && sp_view_eq_str(r->target, "/lockdown")) {
        answer(x, lockdown(ctx), SP_VIEW(plain), page);
    } else if (r->method == SP_HTTP_POST && sp_view_eq_str(r->target, "/reload")) {
        reload(ctx, x, page);
    } else if (r->method != SP_HTTP_GET && r->method != SP_HTTP_HEAD) {
        answer(x, 405, SP_VIEW(plain), page);
    } else if (!resource) {
        answer(x, 404, SP_VIEW(plain), page);
    } else {
        give(ctx, x, resource, page);
    }
}

/* A client certificate was demanded by the handshake, where one is demanded. */
static bool may_look(const struct sp_admin *a, const struct sp_http_request *r)
{
    const struct sp_world *w = *a->view.world;
    struct sp_view shown;
    return !w->has_admin_token ||
           (sp_http_header(&r->headers, "Authorization", &shown) &&
            sp_admin_key_fits(shown, w->admin_token));
}

static void turn_away(struct sp_admin *a, struct sp_exchange *x)
{
    static const char fields[] =
        "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
        "WWW-Authenticate: Basic realm=\"sallyport\", charset=\"UTF-8\"\r\n";
    static const char text[] =
        "The secret of token_file is needed: as the password, or "
        "as a bearer token.\n";
    struct sp_answer no = {.status = 401,
                           .fields = SP_VIEW(fields),
                           .memory = SP_VIEW(text),
                           .close = true};
    if (sp_rate_take(&a->refused, sp_loop_now_ms(sp_exchange_loop(x)))) {
        sp_log_say(SP_LOG_WARNING, "admin_refused",
                   "%s did not show the secret of token_file", sp_exchange_peer(x));
    }
    sp_exchange_respond(x, &no);
}

static void on_remote_head(void *ctx, struct sp_exchange *x)
{
    const struct sp_http_request *r = sp_exchange_request(x);
    if (!may_look(ctx, r)) {
        turn_away(ctx, x);
    } else if (r->method != SP_HTTP_GET && r->method != SP_HTTP_HEAD) {
        sp_exchange_respond(x, &(struct sp_answer){.status = 405, .close = true});
    } else {
        on_head(ctx, x);
    }
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

static void on_clock(uv_timer_t *clock)
{
    struct sp_admin *a = clock->data;
    struct sp_totals t;
    totals(&a->view, &t);
    sp_history_step(&a->history, &t);
}

static enum sp_err open_remote(struct sp_admin *a, struct sp_loop *main_loop,
                               struct sp_why *why)
{
    const struct sp_world *w = *a->view.world;
    a->open = 1;
    if (!w->admin.tls) {
        return SP_OK;
    }
    a->remote_conf = (struct sp_server_conf){.name = "admin-remote",
                                             .bind = a->view.config->admin.remote.bind,
                                             .tls = w->admin.tls,
                                             .inherited = a->view.inherited,
                                             .seats = a->seats};
    struct sp_server_handler handler = {
        .head = on_remote_head, .body = on_body, .end = on_end, .ctx = a};
    SP_TRY(sp_server_new(main_loop, &a->remote_conf, &handler, &a->remote, why));
    a->open = 2;
    return SP_OK;
}

void sp_admin_follow_world(struct sp_admin *a)
{
    if (a->remote) {
        sp_server_set_tls(a->remote, (*a->view.world)->admin.tls);
    }
}

enum sp_err sp_admin_new(struct sp_loop *main_loop, const struct sp_admin_view *view,
                         struct sp_admin **out, struct sp_why *why)
{
    struct sp_admin *a = calloc(1, sizeof *a);
    if (!a || sp_seats_new(SP_LIMIT_CONNECTIONS_PER_IP, &a->seats) != SP_OK) {
        free(a);
        return SP_E_NOMEM;
    }
    a->view = *view;
    a->conf = (struct sp_server_conf){.name = "admin",
                                      .bind = view->config->admin_bind,
                                      .inherited = view->inherited,
                                      .seats = a->seats};
    struct sp_server_handler handler = {
        .head = on_head, .body = on_body, .end = on_end, .ctx = a};
    enum sp_err e = sp_server_new(main_loop, &a->conf, &handler, &a->server, why);
    if (e != SP_OK) {
        sp_seats_free(&a->seats);
        free(a);
        return e;
    }
    e = open_remote(a, main_loop, why);
    if (e != SP_OK) {
        return e; /* the process ends */
    }
    a->clock.data = a;
    uv_timer_init(sp_loop_uv(main_loop), &a->clock);
    uv_timer_start(&a->clock, on_clock, 0, SP_HISTORY_STEP_S * 1000);
    *out = a;
    return SP_OK;
}

static void on_clock_closed(uv_handle_t *clock)
{
    struct sp_admin *a = clock->data;
    sp_seats_free(&a->seats);
    a->gone(a->gone_ctx);
}

static void on_drained(void *ctx)
{
    struct sp_admin *a = ctx;
    if (--a->open == 0) {
        uv_close((uv_handle_t *)&a->clock, on_clock_closed);
    }
}

void sp_admin_close(struct sp_admin *a, void (*done)(void *ctx), void *ctx)
{
    a->gone = done;
    a->gone_ctx = ctx;
    sp_server_drain(a->server, 0, 0, on_drained, a);
    if (a->remote) {
        sp_server_drain(a->remote, 0, 0, on_drained, a);
    }
}

size_t sp_admin_sockets(const struct sp_admin *a, int fds[2])
{
    size_t n = 0;
    fds[n++] = sp_server_socket(a->server);
    if (a->remote) {
        fds[n++] = sp_server_socket(a->remote);
    }
    return n;
}
