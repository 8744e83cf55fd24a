/* One download of the catalogue: on time, conditional, staged and digested as it comes.
 *
 * What broke off is noted and left. The next look reads it back, so that the digests
 * are over what is on disk, and asks for the rest of the same file. */
#include "app/offline/renewer_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 256 * 1024, NOTE_EVERY = 16 * 1024 * 1024 };

static void look_end(struct look *l)
{
    if (l->leaves) {
        sp_stage_leave(&l->stage);
    }
    sp_stage_drop(&l->stage);
    sp_digester_free(&l->digester);
    sp_facts_free(&l->facts);
    sp_buf_fini(&l->text);
    sp_object_unref(&l->object);
    sp_world_unref(&l->world);
    *l = (struct look){0};
}

static const char *target_of(const struct look *l)
{
    return l->world->config->catalog->target;
}

/* ---- what comes ------------------------------------------------------------------ */

static void copy_validator(const struct sp_http_response *head, const char *name,
                           char out[SP_CATALOG_VALIDATOR])
{
    struct sp_view v = {0};
    bool fits = sp_http_header(&head->headers, name, &v) && v.len > 0 &&
                v.len < SP_CATALOG_VALIDATOR;
    snprintf(out, SP_CATALOG_VALIDATOR, "%.*s", fits ? (int)v.len : 0,
             fits ? (const char *)v.data : "");
}

/* All of it comes: what was kept is of no use. */
static enum sp_err begin_whole(struct sp_renewer *r)
{
    struct look *l = &r->look;
    sp_stage_drop(&l->stage);
    sp_digester_free(&l->digester);
    l->got = l->noted = l->resumed = 0;
    l->part.size = r->machine.size;
    memcpy(l->part.etag, l->found.etag, sizeof l->part.etag);
    SP_TRY(sp_digester_new(&l->digester));
    return sp_catalog_part_begin(r->objects, target_of(l), &l->part, &l->stage,
                                 &r->machine.why);
}

static enum sp_err fetch_head(void *ctx, const struct sp_http_response *head)
{
    struct sp_renewer *r = ctx;
    struct look *l = &r->look;
    SP_TRY(sp_renewal_head(&r->machine, head));
    if (r->machine.size == 0) {
        sp_stage_drop(&l->stage);
        return SP_OK;
    }
    copy_validator(head, "ETag", l->found.etag);
    copy_validator(head, "Last-Modified", l->found.modified);
    l->found.size = r->machine.size;
    l->write_err = head->status == 206 ? SP_OK : begin_whole(r);
    return l->write_err;
}

static bool is_kept(const struct look *l)
{
    return l->stage && l->write_err == SP_OK && l->got > 0 && l->got < l->part.size &&
           sp_catalog_part_is_strong(l->part.etag);
}

/* What cannot be noted is fetched again, should it break off: that is all. */
static void note(struct look *l)
{
    uint8_t sha256[32];
    l->noted = l->got;
    if (is_kept(l) && sp_digester_peek(l->digester, sha256) == SP_OK) {
        (void)!sp_stage_note(l->stage, l->got, sha256);
    }
}

static enum sp_err fetch_data(void *ctx, struct sp_view bytes)
{
    struct sp_renewer *r = ctx;
    struct look *l = &r->look;
    if (!l->stage) {
        return SP_E_PROTOCOL;
    }
    SP_COUNT(&r->counters, catalog_bytes, bytes.len);
    l->write_err = sp_digester_update(l->digester, bytes);
    if (l->write_err == SP_OK) {
        l->write_err = sp_stage_write(l->stage, l->got, bytes);
    }
    l->got += bytes.len;
    if (l->got - l->noted >= NOTE_EVERY) {
        note(l);
    }
    return l->write_err;
}

static enum sp_err end_of_fetch(struct look *l, enum sp_err e)
{
    if (l->write_err != SP_OK || e != SP_OK) {
        return l->write_err != SP_OK ? l->write_err : e;
    }
    return l->stage ? sp_digester_finish(l->digester, l->found.sha1, l->found.sha256)
                    : SP_OK;
}

static void fetch_done(void *ctx, enum sp_err e, const struct sp_link_report *report)
{
    struct sp_renewer *r = ctx;
    struct look *l = &r->look;
    struct sp_renewal_effect next;
    l->fetch = NULL;
    l->link = *report;
    l->leaves = e != SP_OK && is_kept(l) && !r->machine.part_is_bad;
    if (l->leaves && l->got > l->noted) {
        note(l);
    }
    e = end_of_fetch(l, e);
    sp_renewal_fetched(&r->machine, e, &report->why, &next);
    sp_renewer_perform(r, &next);
}

/* ---- what is asked --------------------------------------------------------------- */

static void request(struct sp_renewer *r)
{
    const struct sp_renewal_effect *e = &r->next;
    struct look *l = &r->look;
    struct sp_renewal_part part = {l->got, l->part.size, l->part.etag};
    struct sp_fetch_ask ask = {.kind = SP_FETCH_CONTENT,
                               .path = target_of(l),
                               .has_range = l->got > 0,
                               .range_first = l->got,
                               .range_last = UINT64_MAX,
                               .if_range = l->got > 0 ? l->part.etag : "",
                               .if_none_match = e->conditional ? r->good.etag : "",
                               .if_modified_since =
                                   e->conditional ? r->good.modified : "",
                               .fresh = e->fresh,
                               .reply_limit = UINT64_MAX, /* the head decides */
                               .patience_ms = SP_TIME_UPSTREAM_SOAP};
    struct sp_fetch_handler handler = {
        .head = fetch_head, .data = fetch_data, .done = fetch_done, .ctx = r};
    struct sp_renewal_effect next;
    sp_renewal_begun(&r->machine, &part);
    enum sp_err err =
        sp_fetch_start(r->pool, l->world->catalog, &ask, &handler, &l->fetch);
    if (err != SP_OK) {
        l->leaves = is_kept(l);
        sp_renewal_fetched(&r->machine, err, NULL, &next);
        sp_renewer_perform(r, &next);
    }
}

/* ---- what an earlier download left ----------------------------------------------- */

static enum sp_err read_back(struct sp_renewer *r, uint8_t *piece)
{
    struct look *l = &r->look;
    for (uint64_t at = 0; at < l->kept.prefix;) {
        uint64_t left = l->kept.prefix - at;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        if (atomic_load_explicit(&r->stop, memory_order_relaxed)) {
            return SP_E_CANCELLED;
        }
        SP_TRY(sp_stage_read(l->stage, at, piece, n));
        SP_TRY(sp_digester_update(l->digester, sp_view(piece, n)));
        at += n;
    }
    return SP_OK;
}

static enum sp_err check_kept(struct sp_renewer *r)
{
    struct look *l = &r->look;
    uint8_t sha256[32];
    SP_TRY(sp_digester_new(&l->digester));
    uint8_t *piece = malloc(PIECE);
    enum sp_err e = piece ? read_back(r, piece) : SP_E_NOMEM;
    free(piece);
    SP_TRY(e);
    SP_TRY(sp_digester_peek(l->digester, sha256));
    return memcmp(sha256, l->kept.sha256, sizeof sha256) == 0 ? SP_OK : SP_E_CORRUPT;
}

static void check_work(struct sp_job *job)
{
    struct sp_renewer *r = SP_HOLDER(job, struct sp_renewer, job);
    r->job_err = check_kept(r);
}

/* Whatever is wrong with it, then all is fetched; on the way out it stays. */
static void check_done(struct sp_job *job)
{
    struct sp_renewer *r = SP_HOLDER(job, struct sp_renewer, job);
    struct look *l = &r->look;
    if (r->stopping || r->job_err == SP_E_CANCELLED) {
        l->leaves = true;
        sp_renewer_fetch(r, &r->next);
        return;
    }
    if (r->job_err == SP_OK) {
        l->got = l->noted = l->resumed = l->kept.prefix;
    } else {
        sp_stage_drop(&l->stage);
        sp_digester_free(&l->digester);
    }
    request(r);
}

static void start(struct sp_renewer *r)
{
    struct look *l = &r->look;
    l->world = sp_world_ref(r->world);
    sp_buf_init(&l->text, SP_LIMIT_LEDGER_ENTRY);
    r->waiting = false;
    if (sp_catalog_part_resume(r->objects, target_of(l), &l->part, &l->stage,
                               &l->kept) == SP_OK) {
        sp_renewer_job(r, check_work, check_done);
        return;
    }
    request(r);
}

/* ---- when ------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
    start(timer->data);
}

void sp_renewer_fetch(struct sp_renewer *r, const struct sp_renewal_effect *e)
{
    look_end(&r->look);
    r->next = *e;
    r->waiting = true;
    if (r->stopping) {
        sp_renewer_maybe_end(r);
        return;
    }
    uint64_t delay = r->look_again ? 0 : e->delay_ms;
    r->look_again = false;
    uv_timer_start(&r->timer, on_timer, delay, 0);
}

void sp_renewer_hurry(struct sp_renewer *r)
{
    if (r->stopping) {
        return;
    }
    if (!r->waiting) {
        r->look_again = true;
        return;
    }
    sp_renewal_look(&r->machine, &r->next);
    uv_timer_start(&r->timer, on_timer, 0, 0);
}
