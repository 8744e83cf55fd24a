/* The transfers of one fill: a trunk that goes through the file, and side roads to
 * those who wait far ahead of it (docs/decisions/0005). They write into one staging
 * file; the machine hears of their end as of one fetch.
 *
 * A transfer whose fill has no use for it any more is called off and forgotten; what
 * libcurl still says of it goes nowhere. */
#include "app/fill/filler_parts.h"
#include "app/log/log.h"

#include <stdlib.h>

enum { SIDES_PAUSE_MS = 1000 }; /* after one broke */

struct transfer {
    struct fill *fill; /* borrowed; NULL: forgotten */
    struct sp_filler *filler;
    size_t which;
    struct sp_fetch *fetch; /* borrowed from the pool while it runs */
    struct sp_fill_part part;
    struct gather gather;
    enum sp_err late; /* what was gathered could not be staged */
    bool all;         /* the answer is 200 */
    bool full;        /* more came than it was to bring: the rest is on other roads */
    struct sp_why why;
};

static void forget(struct fill *f, size_t which)
{
    struct transfer *t = f->transfers[which];
    if (t) {
        f->transfers[which] = NULL;
        t->fill = NULL;
        sp_roads_end(&f->roads, which);
        sp_fetch_cancel(t->fetch);
    }
}

void sp_fill_forget_transfers(struct fill *f)
{
    for (size_t i = 0; i < SP_ROADS; i++) {
        forget(f, i);
    }
}

void sp_fill_forget_sides(struct fill *f)
{
    for (size_t i = SP_TRUNK + 1; i < SP_ROADS; i++) {
        forget(f, i);
    }
}

void sp_fill_resume_transfers(struct fill *f)
{
    for (size_t i = 0; i < SP_ROADS; i++) {
        if (f->transfers[i]) {
            sp_fetch_resume(f->transfers[i]->fetch);
        }
    }
}

/* ---- what comes ------------------------------------------------------------------ */

static enum sp_err transfer_head(void *ctx, const struct sp_http_response *head)
{
    struct transfer *t = ctx;
    struct fill *f = t->fill;
    bool whole = false;
    if (!f) {
        return SP_E_CANCELLED;
    }
    enum sp_err e = sp_fill_head(f->machine, head, &t->part, &whole);
    if (e != SP_OK && t->part.is_side) {
        sp_fill_excuse(f->machine, &t->why);
    }
    SP_TRY(e);
    t->all = head->status == 200;
    if (whole) {
        sp_fill_forget_sides(f);
        sp_roads_make_whole(&f->roads);
    }
    sp_fill_offer(f); /* who follows has said so when the first bytes come */
    return SP_OK;
}

static enum sp_err take_bytes(struct fill *f, size_t which, struct sp_view bytes)
{
    uint64_t at = f->roads.road[which].at;
    f->write_err = sp_stage_write(f->stage, at, bytes);
    SP_TRY(f->write_err);
    sp_roads_take(&f->roads, which, bytes.len);
    f->strewn += bytes.len;
    f->write_err = sp_fill_digest(f, at, bytes);
    return f->write_err;
}

/* More came than belongs on this road. */
static enum sp_err no_place(struct transfer *t)
{
    struct fill *f = t->fill;
    if (t->which == SP_TRUNK && f->roads.road[SP_TRUNK].at == f->claim.size) {
        f->overrun = true; /* threats A9: what is longer is not read to its end */
        return SP_E_LIMIT;
    }
    t->full = true;
    return SP_E_CANCELLED;
}

/* Stages bytes of a road, as far as they belong on it. */
static enum sp_err put(struct transfer *t, struct sp_view bytes)
{
    struct fill *f = t->fill;
    bytes =
        sp_view_slice(bytes, sp_roads_pass(&f->roads, t->which, bytes.len), bytes.len);
    while (bytes.len > 0) {
        size_t n = sp_roads_fits(&f->roads, t->which, bytes.len);
        if (n == 0) {
            return no_place(t);
        }
        SP_TRY(take_bytes(f, t->which, sp_view_slice(bytes, 0, n)));
        n += sp_roads_pass(&f->roads, t->which, bytes.len - n);
        bytes = sp_view_slice(bytes, n, bytes.len);
    }
    sp_board_have(&f->filler->board, f->row, sp_roads_reach(&f->roads, 0));
    sp_fill_grown(f);
    sp_fill_chore(f);
    return SP_OK;
}

static enum sp_err transfer_data(void *ctx, struct sp_view bytes)
{
    struct transfer *t = ctx;
    struct fill *f = t->fill;
    if (!f) {
        return SP_E_CANCELLED;
    }
    if (sp_fill_holds(f)) {
        return SP_E_AGAIN;
    }
    sp_fill_spend(f, bytes.len);
    SP_COUNT(&f->filler->counters, content_bytes_fetched, bytes.len);
    while (bytes.len > 0) {
        struct sp_view piece =
            sp_gather(&t->gather, &f->roads.road[t->which], f->filler, &bytes);
        SP_TRY(piece.len > 0 ? put(t, piece) : SP_OK);
    }
    return SP_OK;
}

static enum sp_err flush(struct transfer *t)
{
    struct sp_view rest = sp_gather_end(&t->gather);
    return rest.len > 0 ? put(t, rest) : SP_OK;
}

void sp_filler_flush(uv_timer_t *linger)
{
    struct sp_filler *filler = linger->data;
    for (struct fill *f = filler->fills; f; f = f->next) {
        for (size_t i = 0; i < SP_ROADS; i++) {
            struct transfer *t = f->transfers[i];
            if (t && t->late == SP_OK && (t->late = flush(t)) != SP_OK) {
                sp_fetch_cancel(t->fetch);
            }
        }
    }
}

/* ---- how it ends ----------------------------------------------------------------- */

static bool brought_all(const struct transfer *t, const struct sp_road *road,
                        enum sp_err e)
{
    return t->full || (e == SP_OK && road->at >= t->part.span.end);
}

static void trunk_ended(struct fill *f, const struct transfer *t,
                        const struct sp_road *road, enum sp_err e,
                        const struct sp_why *why)
{
    if (f->overrun || brought_all(t, road, e)) {
        return;
    }
    if (e == SP_OK && t->all) {
        f->is_short = true; /* the file is; the policy has a rule about that */
        f->short_size = road->at;
        return;
    }
    f->failed = e == SP_OK ? SP_E_CLOSED : e;
    f->failed_why = *why;
    if (e == SP_OK) {
        sp_why_say(&f->failed_why, "a part of it ended early");
    }
}

static bool is_away(enum sp_err e)
{
    return e == SP_E_CLOSED || e == SP_E_TIMEOUT || e == SP_E_UNAVAILABLE ||
           e == SP_E_TLS || e == SP_E_CANCELLED;
}

static void side_ended(struct fill *f, const struct transfer *t,
                       const struct sp_road *road, enum sp_err e,
                       const struct sp_why *why)
{
    char path[SP_CONTENT_PATH_MAX];
    if (brought_all(t, road, e)) {
        return;
    }
    if (e == SP_OK || is_away(e)) {
        f->sides_from_ms = sp_loop_now_ms(f->filler->loop) + SIDES_PAUSE_MS;
        return;
    }
    if (!f->roads.barred && f->write_err == SP_OK) {
        sp_content_path_format(&f->path, path);
        sp_log_say(SP_LOG_WARNING, "ranges",
                   "%s is fetched from start to end only, whoever waits: %s", path,
                   sp_why_text(t->why.text[0] ? &t->why : why, e));
    }
    sp_roads_bar(&f->roads);
}

/* What was gathered belongs to what it brought, however it ended. */
static void end_gathered(struct transfer *t, enum sp_err *e, struct sp_why *why)
{
    t->late = t->late == SP_OK ? flush(t) : t->late;
    if (t->late != SP_OK && (*e == SP_OK || *e == SP_E_CANCELLED)) {
        *e = t->late;
        sp_why_say(why, "%s", sp_err_text(t->late));
    }
}

static void transfer_done(void *ctx, enum sp_err e, const struct sp_link_report *r)
{
    struct transfer *t = ctx;
    struct fill *f = t->fill;
    struct sp_filler *filler = t->filler;
    struct sp_why why = r->why;
    filler->sides -= t->part.is_side;
    if (f) {
        end_gathered(t, &e, &why);
        struct sp_road road = f->roads.road[t->which];
        f->transfers[t->which] = NULL;
        f->strewn += SP_BLOCK_SIZE; /* it may have ended a block */
        sp_roads_end(&f->roads, t->which);
        if (e == SP_OK || t->full || f->overrun) {
            f->link = *r;
            f->has_link = true;
        }
        (t->part.is_side ? side_ended : trunk_ended)(f, t, &road, e, &why);
        sp_fill_settle(f); /* and f may be gone */
    }
    sp_gather_fini(&t->gather);
    free(t);
    sp_filler_spread(filler);
}

/* ---- how it begins --------------------------------------------------------------- */

static enum sp_err transfer_start(struct fill *f, size_t which, struct sp_span s)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t) {
        return SP_E_NOMEM;
    }
    *t = (struct transfer){.fill = f,
                           .filler = f->filler,
                           .which = which,
                           .part = {.span = s, .is_side = which != SP_TRUNK}};
    bool to_the_end = s.end == f->claim.size;
    struct sp_upstream *peer = f->source ? f->source : f->world->upstreams[f->upstream];
    const struct sp_source *source = f->again.source;
    struct sp_fetch_ask ask = {.kind = SP_FETCH_CONTENT,
                               .path = source ? source->path : f->again.path,
                               .over_http = f->again.over_http,
                               .has_range = s.first > 0 || !to_the_end,
                               .range_first = s.first,
                               .range_last = to_the_end ? UINT64_MAX : s.end - 1,
                               .fresh = f->is_again || f->again.delay_ms > 0,
                               .reply_limit = UINT64_MAX,
                               .patience_ms = t->part.is_side ? SP_TIME_FILL_SIDE
                                                              : SP_TIME_UPSTREAM_SOAP};
    struct sp_fetch_handler handler = {
        .head = transfer_head, .data = transfer_data, .done = transfer_done, .ctx = t};
    enum sp_err e = sp_fetch_start(f->filler->pool, peer, &ask, &handler, &t->fetch);
    if (e != SP_OK) {
        free(t);
        return e;
    }
    f->transfers[which] = t;
    f->filler->sides += t->part.is_side;
    SP_COUNT(&f->filler->counters, content_sides, t->part.is_side);
    return SP_OK;
}

static void start_trunk(struct fill *f)
{
    struct sp_span s = {0};
    bool is_empty = f->claim.size == 0 && !f->has_link; /* there is a file to see */
    if (sp_fill_holds(f)) {
        return;
    }
    if (!sp_roads_begin_trunk(&f->roads, &s) && !is_empty) {
        return;
    }
    enum sp_err e = SP_E_CANCELLED;
    if (!f->filler->stopping) {
        e = transfer_start(f, SP_TRUNK, s);
    }
    if (e != SP_OK) {
        sp_roads_end(&f->roads, SP_TRUNK);
        f->failed = e;
    }
}

static void side_for(struct fill *f, const struct sp_want *w)
{
    struct sp_span wanted = {w->first, w->first + w->length}, s;
    size_t which;
    if (wanted.end > f->inflow->hold_at) {
        wanted.end = f->inflow->hold_at; /* the rest waits for all the others anyway */
    }
    if (f->filler->sides < SP_LIMIT_SIDES &&
        sp_roads_begin_side(&f->roads, wanted, &which, &s) &&
        transfer_start(f, which, s) != SP_OK) {
        sp_roads_end(&f->roads, which);
    }
}

void sp_fill_spread(struct fill *f)
{
    if (!f->fetching || !f->inflow || f->filler->stopping || f->failed != SP_OK ||
        sp_loop_now_ms(f->filler->loop) < f->sides_from_ms) {
        return;
    }
    for (const struct sp_want *w = f->waiting; w; w = w->next) {
        if (w->follows) {
            side_for(f, w);
        }
    }
}

void sp_filler_spread(struct sp_filler *filler)
{
    for (struct fill *f = filler->fills; f; f = f->next) {
        sp_fill_spread(f);
    }
}

/* ---- the fetch as a whole -------------------------------------------------------- */

static void count_end(struct fill *f, enum sp_err e)
{
    struct sp_counters *c = &f->filler->counters;
    sp_upstream_count(f->world->upstreams[f->upstream], e);
    SP_COUNT(c, handshakes_unproven, e == SP_E_UNPROVEN);
    SP_COUNT(c, handshakes_upstream, e == SP_E_TLS);
}

static enum sp_err finish(struct fill *f)
{
    sp_fill_forget_transfers(f);
    f->got.size = f->overrun ? f->claim.size + 1 : f->hashed;
    return sp_digester_finish(f->digester, f->got.sha1, f->got.sha256);
}

static void report(struct fill *f, enum sp_err e)
{
    struct sp_fill_effect next;
    struct sp_why why = f->failed_why;
    f->fetching = false;
    f->failed = SP_OK;
    f->failed_why = (struct sp_why){0};
    e = e == SP_OK ? finish(f) : e;
    if (e != SP_OK) {
        f->got.size = sp_roads_reach(&f->roads, 0);
    }
    count_end(f, e);
    struct sp_link link = sp_link_of(&f->link);
    if (sp_fill_fetched(f->machine, e, &why, &link, &f->got, &next)) {
        sp_fill_perform(f, &next);
    }
}

static bool is_over(const struct fill *f)
{
    uint64_t size = f->is_short ? f->short_size : f->claim.size;
    return f->overrun || (f->has_link && f->hashed >= size);
}

void sp_fill_settle(struct fill *f)
{
    bool is_local = f->write_err != SP_OK;
    if (f->fetching && !is_local && !is_over(f) && f->failed == SP_OK &&
        !f->transfers[SP_TRUNK]) {
        start_trunk(f);
    }
    sp_fill_chore(f);
    if (f->chore.busy || !f->fetching) {
        return; /* its end comes here again */
    }
    if (is_local || f->failed != SP_OK) {
        report(f, is_local ? f->write_err : f->failed);
    } else if (is_over(f)) {
        report(f, SP_OK);
    }
}

static void on_pause(uv_timer_t *timer)
{
    struct fill *f = timer->data;
    f->fetching = true;
    sp_fill_settle(f);
}

void sp_fill_hurry(struct fill *f)
{
    if (uv_is_active((uv_handle_t *)&f->pause)) {
        uv_timer_stop(&f->pause);
        on_pause(&f->pause);
    }
}

/* What the upstream still sends would be held against the source's validators. */
static void turn_to_source(struct fill *f, const struct sp_fill_effect *e)
{
    char path[SP_CONTENT_PATH_MAX];
    sp_fill_forget_transfers(f);
    sp_content_path_format(&f->path, path);
    sp_log_say(SP_LOG_INFO, "source", "%s is fetched from %s: %s", path,
               e->source->host, sp_why_text(e->why, SP_E_UNAVAILABLE));
    f->failed = sp_content_source_open(f->world->sources[f->upstream], e->source->host,
                                       &f->source, &f->failed_why);
}

void sp_fill_fetch(struct fill *f, const struct sp_fill_effect *e)
{
    f->again = *e;
    if (e->source && !f->source) {
        turn_to_source(f, e);
    }
    if (e->delay_ms > 0) {
        uv_timer_start(&f->pause, on_pause, e->delay_ms, 0);
        return;
    }
    f->fetching = true;
    sp_fill_settle(f);
}
