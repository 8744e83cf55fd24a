/* Evidence of what a client was told otherwise than the document in custody says: both
 * texts, whole. What came is at hand. Of the document custody has the digest only, so
 * it is asked for again, in the background; its digest proves that it is the one. */
#include "app/log/log.h"
#include "app/watch/watch_parts.h"
#include "io/store/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ON_THEIR_WAY = 32, /* differences that wait for this thread */
    PAUSE_MS = 2000    /* between two documents: an upstream that lies much is not
                          asked much */
};
#define FRAGMENT "fragment"
#define DOCUMENT "document"

struct difference {
    struct sp_msg msg;
    struct sp_watch *watch; /* borrowed */
    struct wish wish;
    size_t len;
    uint8_t text[];
};

/* ---- both versions --------------------------------------------------------------- */

static void keep(const struct sp_watch *w, const char *kind, struct sp_view text,
                 const uint8_t sha256[32], const struct wish *x)
{
    char id[SP_REVISION_TEXT];
    enum sp_err e = sp_text_keep(w->state_dir, kind, text, sha256);
    if (e != SP_OK) {
        sp_revision_id_format(&x->id, id);
        sp_log_say(SP_LOG_WARNING, "not_kept", "the %s of %s from upstream %s: %s",
                   kind, id, x->upstream, sp_err_text(e));
    }
}

static bool is_wished(const struct recovery *r, const uint8_t sha256[32])
{
    for (size_t i = 0; i < r->waiting; i++) {
        if (memcmp(r->queue[i].document_sha256, sha256, 32) == 0) {
            return true;
        }
    }
    return false;
}

static void on_difference(struct sp_msg *msg)
{
    struct difference *d = SP_HOLDER(msg, struct difference, msg);
    struct sp_watch *w = d->watch;
    struct recovery *r = &w->recovery;
    uint8_t sha256[32];
    sp_sha256(sp_view(d->text, d->len), sha256);
    keep(w, FRAGMENT, sp_view(d->text, d->len), sha256, &d->wish);
    bool known = is_wished(r, d->wish.document_sha256) ||
                 sp_text_is_kept(w->state_dir, DOCUMENT, d->wish.document_sha256);
    if (!known && r->waiting < WISHES_MAX) {
        r->queue[r->waiting++] = d->wish;
    }
    atomic_fetch_sub(&w->differences, 1);
    free(d);
}

void sp_watch_keep_difference(struct sp_watch *w, const char *upstream,
                              const struct sp_revision_id *id,
                              const uint8_t document_sha256[32], struct sp_view text)
{
    bool room = atomic_fetch_add(&w->differences, 1) < ON_THEIR_WAY;
    struct difference *d =
        room && text.len <= SP_TEXT_MAX ? malloc(sizeof *d + text.len) : NULL;
    if (!d) {
        atomic_fetch_sub(&w->differences, 1);
        return;
    }
    *d = (struct difference){.msg = {.run = on_difference},
                             .watch = w,
                             .wish = {.id = *id},
                             .len = text.len};
    memcpy(d->wish.document_sha256, document_sha256, 32);
    snprintf(d->wish.upstream, sizeof d->wish.upstream, "%s", upstream);
    if (text.len) {
        memcpy(d->text, text.data, text.len);
    }
    sp_loop_post(w->loop, &d->msg);
}

/* ---- the document, once more ----------------------------------------------------- */

static struct sp_upstream *upstream_of(const struct recovery *r)
{
    const struct sp_world *world = r->watch->world;
    for (size_t i = 0; i < world->config->upstream_count; i++) {
        if (strcmp(world->config->upstreams[i].name, r->queue[0].upstream) == 0) {
            return world->upstreams[i];
        }
    }
    return NULL;
}

static void end_wish(struct recovery *r, enum sp_err e, const struct sp_why *why)
{
    char id[SP_REVISION_TEXT];
    const struct wish x = r->queue[0];
    r->running = false;
    if (r->watch->stopping) {
        return;
    }
    r->waiting--;
    memmove(r->queue, r->queue + 1, r->waiting * sizeof *r->queue);
    r->next_ms = sp_loop_now_ms(r->watch->loop) + PAUSE_MS;
    if (e != SP_OK) {
        sp_revision_id_format(&x.id, id);
        sp_log_say(SP_LOG_WARNING, "not_kept",
                   "upstream %s does not give the document of %s any more that is in "
                   "custody: %s",
                   x.upstream, id, sp_why_text(why, e));
    }
}

static enum sp_err take_document(struct recovery *r, struct sp_why *why)
{
    const struct wish *x = &r->queue[0];
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_DOCUMENT);
    if (r->status != 200) {
        return sp_why_set(why, SP_E_PROTOCOL, "it answers with status %d", r->status);
    }
    enum sp_err e =
        sp_reply_document(sp_buf_view(&r->reply), x->document_sha256, &text);
    if (e == SP_E_NOTFOUND) {
        return sp_why_set(why, e, "what it gives has another digest");
    }
    SP_TRY(e);
    keep(r->watch, DOCUMENT, sp_buf_view(&text), x->document_sha256, x);
    return SP_OK;
}

static void ask(struct recovery *r);

static enum sp_err on_head(void *ctx, const struct sp_http_response *head)
{
    struct recovery *r = ctx;
    r->status = head->status;
    return SP_OK;
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    struct recovery *r = ctx;
    return sp_buf_append(&r->reply, bytes);
}

static void on_done(void *ctx, enum sp_err e, const struct sp_link_report *link)
{
    struct recovery *r = ctx;
    struct sp_dss_list list;
    struct sp_why why = {0};
    bool is_last = r->step == SP_DSS_DATA;
    r->fetch = NULL;
    if (e != SP_OK) {
        sp_why_say(&why, "%s", sp_why_text(&link->why, e));
    } else if (is_last) {
        e = take_document(r, &why);
    } else {
        e = sp_dss_take(&r->dss, r->step, r->status, sp_buf_view(&r->reply), &list,
                        &why);
    }
    sp_buf_fini(&r->reply);
    if (e != SP_OK || is_last) {
        end_wish(r, e, &why);
    } else {
        r->step = r->step == SP_DSS_AUTHORIZE ? SP_DSS_COOKIE : SP_DSS_DATA;
        ask(r);
    }
    sp_watch_came_back(r->watch);
}

static enum sp_err start_fetch(struct recovery *r)
{
    struct sp_upstream *upstream = upstream_of(r);
    enum sp_op op = sp_dss_op(r->step);
    if (!upstream) {
        return SP_E_NOTFOUND; /* it is configured no more */
    }
    sp_buf_clear(&r->ask);
    SP_TRY(sp_dss_ask(&r->dss, r->step, &r->queue[0].id, 1, &r->ask));
    struct sp_fetch_ask a = {.kind = SP_FETCH_SOAP,
                             .path = sp_service_path(sp_op_service(op)),
                             .body = sp_buf_view(&r->ask),
                             .soap_action = sp_op_action(op),
                             .reply_limit = SP_LIMIT_SOAP_REPLY,
                             .patience_ms = SP_TIME_UPSTREAM_SOAP};
    struct sp_fetch_handler h = {
        .head = on_head, .data = on_data, .done = on_done, .ctx = r};
    return sp_fetch_start(r->watch->pool, upstream, &a, &h, &r->fetch);
}

static void ask(struct recovery *r)
{
    enum sp_err e = r->watch->stopping ? SP_E_CANCELLED : start_fetch(r);
    if (e == SP_OK) {
        r->watch->under_way++;
    } else {
        end_wish(r, e, NULL);
    }
}

void sp_recovery_tick(struct sp_watch *w)
{
    struct recovery *r = &w->recovery;
    if (r->waiting && !r->running && !w->stopping &&
        sp_loop_now_ms(w->loop) >= r->next_ms) {
        r->running = true;
        sp_dss_forget(&r->dss);
        r->step = SP_DSS_AUTHORIZE;
        ask(r);
    }
}

/* ---- life ------------------------------------------------------------------------ */

void sp_recovery_init(struct sp_watch *w)
{
    struct recovery *r = &w->recovery;
    r->watch = w;
    sp_dss_init(&r->dss, &w->account);
    sp_buf_init(&r->ask, SP_MIB(1));
    sp_buf_init(&r->reply, SP_LIMIT_SOAP_REPLY);
}

void sp_recovery_fini(struct sp_watch *w)
{
    struct recovery *r = &w->recovery;
    sp_dss_fini(&r->dss);
    sp_buf_fini(&r->ask);
    sp_buf_fini(&r->reply);
}
