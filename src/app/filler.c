/* The filler: the registry of fills and the loop they run on. A want joins the fill of
 * its digest or begins it; whoever asks, on whatever loop, there is one transfer a
 * digest. */
#include "app/daemon.h"
#include "app/log.h"
#include "io/net/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fill {
    struct fill *next, *previous; /* the registry's list */
    struct sp_filler *filler;     /* borrowed */
    struct sp_world *world;       /* shared */
    size_t upstream;
    struct sp_claim claim;
    struct sp_fill *machine;      /* owned */
    struct sp_want *waiting;      /* owned list */
    struct sp_stage *stage;       /* owned */
    struct sp_digester *digester; /* owned */
    struct sp_object *object;     /* shared, once committed */
    struct sp_fetch *fetch;       /* borrowed from the pool while it runs */
    struct sp_fill_got got;
    bool overrun; /* more bytes came than were claimed */
    enum sp_err write_err;
    struct sp_why write_why;
    struct sp_job job;
    enum sp_err job_err;
    struct sp_why job_why;
    const char *quarantine_reason; /* NULL: the job commits */
    struct sp_ask_claim again;     /* what the ledger says when the fill begins */
    struct sp_record record;
    struct sp_record_entry entry;
};

struct sp_filler {
    struct sp_loop *loop;          /* owned */
    struct sp_keeper *keeper;      /* borrowed */
    struct sp_objects *objects;    /* borrowed */
    struct sp_desk *desk;          /* borrowed */
    struct sp_upstream_pool *pool; /* owned */
    struct fill *fills;            /* owned list */
    struct sp_counters counters;
    struct sp_rate refusals;
    bool stopping;
    struct sp_msg stop;
};

#define FILL_OF(pointer, member)                                                       \
    ((struct fill *)(void *)((char *)(pointer)-offsetof(struct fill, member)))
#define WANT_OF(pointer)                                                               \
    ((struct sp_want *)(void *)((char *)(pointer)-offsetof(struct sp_want, msg)))

static void perform(struct fill *f, const struct sp_fill_effect *e);

/* ---- answers
 * --------------------------------------------------------------------------- */

static void deliver(struct sp_msg *msg)
{
    struct sp_want *w = WANT_OF(msg);
    w->answer(w, w->err);
}

static void answer(struct sp_want *w, enum sp_err e)
{
    sp_world_unref(&w->world);
    w->err = e;
    w->msg.run = deliver;
    sp_loop_post(w->loop, &w->msg);
}

static void answer_failure(struct sp_want *w, enum sp_err e, int status,
                           const char *text)
{
    w->status = status;
    sp_why_say(&w->why, "%s", text);
    answer(w, e);
}

/* ---- a fill's life
 * ------------------------------------------------------------------- */

static void fill_free(struct fill *f)
{
    *(f->previous ? &f->previous->next : &f->filler->fills) = f->next;
    if (f->next) {
        f->next->previous = f->previous;
    }
    sp_fill_free(&f->machine);
    sp_stage_drop(&f->stage);
    sp_digester_free(&f->digester);
    sp_object_unref(&f->object);
    sp_world_unref(&f->world);
    struct sp_filler *filler = f->filler;
    free(f);
    if (filler->stopping && !filler->fills) {
        sp_loop_stop(filler->loop);
    }
}

static void count_end(struct fill *f, const struct sp_fill_effect *e)
{
    struct sp_counters *c = &f->filler->counters;
    bool refused = !e->good && sp_fill_verdict(f->machine)->ruling == SP_REFUSED;
    SP_COUNT(c, files_verified, e->good);
    SP_COUNT(c, files_refused, refused);
    SP_COUNT(c, refused_content, refused);
    SP_COUNT(c, files_failed, !e->good && !refused);
}

static void log_end(struct fill *f, const struct sp_fill_effect *e)
{
    struct sp_log l;
    char path[SP_CONTENT_PATH_MAX];
    uint64_t entry = 0;
    const struct sp_verdict *v = sp_fill_verdict(f->machine);
    bool refused = !e->good && v->ruling == SP_REFUSED;
    struct sp_desk_refusal r = {.what = "content", .operation = "content"};
    sp_content_path_format(&f->waiting->path, path);
    r.has_entry = sp_fill_entry(f->machine, &entry);
    r.entry = entry;
    if (refused) {
        snprintf(r.rule, sizeof r.rule, "%s", sp_rule_text(v->rule));
        snprintf(r.why, sizeof r.why, "%s", e->why->text);
        snprintf(r.peer, sizeof r.peer, "%s",
                 f->world->config->upstreams[f->upstream].name);
        sp_desk_refused(f->filler->desk, &r);
    }
    if (!sp_log_begin(&l, e->good ? SP_LOG_INFO : SP_LOG_WARNING, "fill")) {
        return;
    }
    sp_log_str(&l, "path", path);
    sp_log_str(&l, "result", e->good ? "verified" : refused ? "refused" : "failed");
    sp_log_int(&l, "bytes", (int64_t)f->got.size);
    sp_log_str(&l, "rule", r.rule);
    sp_log_str(&l, "why", e->good ? "" : e->why->text);
    if (r.has_entry) {
        sp_log_int(&l, "entry", (int64_t)entry);
    }
    sp_log_end(&l);
}

static void do_tell(struct fill *f, const struct sp_fill_effect *e)
{
    count_end(f, e);
    log_end(f, e);
    while (f->waiting) {
        struct sp_want *w = f->waiting;
        f->waiting = w->next;
        if (e->good) {
            w->object = sp_object_ref(f->object);
            w->status = 200;
            answer(w, SP_OK);
        } else {
            answer_failure(w, SP_E_UNAVAILABLE, e->status, e->why->text);
        }
    }
    fill_free(f);
}

/* ---- STAGE and FETCH
 * --------------------------------------------------------------------- */

static enum sp_err stage(struct fill *f, struct sp_why *why)
{
    f->got = (struct sp_fill_got){0};
    sp_digester_free(&f->digester);
    sp_stage_drop(&f->stage);
    if (f->claim.size > SP_LIMIT_CONTENT_FILE) {
        return sp_why_set(why, SP_E_LIMIT,
                          "metadata claims more than 16 GiB for one file");
    }
    SP_TRY(sp_digester_new(&f->digester));
    return sp_stage_new(f->filler->objects, f->claim.size, &f->stage, why);
}

static void do_stage(struct fill *f, const struct sp_fill_effect *e)
{
    (void)e;
    struct sp_why why = {0};
    struct sp_fill_effect next;
    enum sp_err err = stage(f, &why);
    SP_COUNT(&f->filler->counters, disk_full, err == SP_E_NOSPACE);
    if (sp_fill_staged(f->machine, err, &why, &next)) {
        perform(f, &next);
    }
}

static enum sp_err fetch_head(void *ctx, const struct sp_http_response *head)
{
    return sp_fill_head(((struct fill *)ctx)->machine, head);
}

static enum sp_err fetch_data(void *ctx, struct sp_view bytes)
{
    struct fill *f = ctx;
    SP_COUNT(&f->filler->counters, content_bytes_fetched, bytes.len);
    if (bytes.len > f->claim.size - f->got.size) {
        /* threats A9: what is longer than its claim is not read to its end */
        f->overrun = true;
        f->got.size = f->claim.size + 1;
        return SP_E_LIMIT;
    }
    f->write_err = sp_digester_update(f->digester, bytes);
    if (f->write_err == SP_OK) {
        f->write_err = sp_stage_write(f->stage, f->got.size, bytes);
    }
    f->got.size += bytes.len;
    return f->write_err;
}

static enum sp_err end_of_fetch(struct fill *f, enum sp_err e)
{
    if (f->write_err != SP_OK) {
        return f->write_err;
    }
    if (e != SP_OK && !f->overrun) {
        return e;
    }
    return sp_digester_finish(f->digester, f->got.sha1, f->got.sha256);
}

static void fetch_done(void *ctx, enum sp_err e, const struct sp_link_report *r)
{
    struct fill *f = ctx;
    struct sp_fill_effect next;
    f->fetch = NULL;
    e = end_of_fetch(f, e);
    if (e == SP_OK) {
        SP_COUNT(&f->filler->counters, upstream_ok, 1);
    } else if (e == SP_E_UNPROVEN) {
        SP_COUNT(&f->filler->counters, upstream_unproven, 1);
    } else {
        SP_COUNT(&f->filler->counters, upstream_failed, 1);
    }
    struct sp_link link = {.proven = r->proven,
                           .plain = r->plain,
                           .tls = r->tls,
                           .chain = &r->chain[0].sha256,
                           .chain_count = r->chain_count,
                           .matched = r->matched.sha256};
    if (sp_fill_fetched(f->machine, e, &r->why, &link, &f->got, sp_clock_wall_s(),
                        &next)) {
        perform(f, &next);
    }
}

static void do_fetch(struct fill *f, const struct sp_fill_effect *e)
{
    struct sp_fetch_ask ask = {.kind = SP_FETCH_CONTENT,
                               .path = e->path,
                               .over_http = e->over_http,
                               .reply_limit = UINT64_MAX,
                               .patience_ms = SP_TIME_UPSTREAM_SOAP};
    struct sp_fetch_handler handler = {
        .head = fetch_head, .data = fetch_data, .done = fetch_done, .ctx = f};
    struct sp_fill_effect next;
    enum sp_err err =
        f->filler->stopping /* the pool is gone */
            ? SP_E_CANCELLED
            : sp_fetch_start(f->filler->pool, f->world->upstreams[f->upstream], &ask,
                             &handler, &f->fetch);
    if (err != SP_OK && sp_fill_fetched(f->machine, err, NULL, &(struct sp_link){0},
                                        &f->got, sp_clock_wall_s(), &next)) {
        perform(f, &next);
    }
}

/* ---- RECORD, COMMIT, QUARANTINE
 * --------------------------------------------------------- */

static void record_answer(struct sp_record *r, enum sp_err e)
{
    struct fill *f = FILL_OF(r, record);
    struct sp_fill_effect next;
    if (sp_fill_recorded(f->machine, e, r->first, &r->why, &next)) {
        perform(f, &next);
    }
}

static void do_record(struct fill *f, const struct sp_fill_effect *e)
{
    struct sp_fill_effect next;
    if (!e->is_file &&
        !sp_rate_take(&f->filler->refusals, sp_loop_now_ms(f->filler->loop))) {
        SP_COUNT(&f->filler->counters, refused_unrecorded, 1);
        if (sp_fill_recorded(f->machine, SP_E_LIMIT, 0, NULL, &next)) {
            perform(f, &next);
        }
        return;
    }
    f->entry = (struct sp_record_entry){
        .text = e->entry, .is_file = e->is_file, .size = f->got.size};
    memcpy(f->entry.sha1, f->got.sha1, 20);
    memcpy(f->entry.sha256, f->got.sha256, 32);
    f->record = (struct sp_record){.entries = &f->entry,
                                   .count = 1,
                                   .loop = f->filler->loop,
                                   .answer = record_answer};
    sp_keeper_record(f->filler->keeper, &f->record);
}

static void store_work(struct sp_job *job)
{
    struct fill *f = FILL_OF(job, job);
    f->job_err =
        f->quarantine_reason
            ? sp_stage_quarantine(&f->stage, f->got.sha256, f->quarantine_reason)
            : sp_stage_commit(&f->stage, f->got.sha256, f->got.sha1, &f->object,
                              &f->job_why);
}

static void store_done(struct sp_job *job)
{
    struct fill *f = FILL_OF(job, job);
    struct sp_fill_effect next;
    if (sp_fill_stored(f->machine, f->job_err, &f->job_why, &next)) {
        perform(f, &next);
    }
}

/* COMMIT and QUARANTINE: fsyncs and renames, off the loop. */
static void do_store(struct fill *f, const struct sp_fill_effect *e)
{
    f->quarantine_reason = e->kind == SP_FILL_QUARANTINE ? e->reason : NULL;
    f->job = (struct sp_job){.work = store_work, .done = store_done};
    sp_loop_work(f->filler->loop, &f->job);
}

static void perform(struct fill *f, const struct sp_fill_effect *e)
{
    static void (*const doers[])(struct fill *, const struct sp_fill_effect *) = {
        [SP_FILL_STAGE] = do_stage,      [SP_FILL_FETCH] = do_fetch,
        [SP_FILL_RECORD] = do_record,    [SP_FILL_COMMIT] = do_store,
        [SP_FILL_QUARANTINE] = do_store, [SP_FILL_TELL] = do_tell,
    };
    doers[e->kind](f, e);
}

/* ---- the registry
 * ---------------------------------------------------------------------- */

static struct fill *find(struct sp_filler *filler, const uint8_t sha1[20])
{
    for (struct fill *f = filler->fills; f; f = f->next) {
        if (memcmp(f->claim.sha1, sha1, 20) == 0) {
            return f;
        }
    }
    return NULL;
}

static void join(struct fill *f, struct sp_want *w)
{
    w->next = f->waiting;
    f->waiting = w;
}

/* The file is here: a fill that ended between the asker's look-up and its want. */
static void serve_what_is_here(struct fill *f)
{
    while (f->waiting) {
        struct sp_want *w = f->waiting;
        f->waiting = w->next;
        w->object = sp_object_ref(f->object);
        w->status = 200;
        answer(w, SP_OK);
    }
    fill_free(f);
}

static void on_looked_again(struct sp_ask_claim *q, enum sp_err e)
{
    struct fill *f = FILL_OF(q, again);
    struct sp_fill_effect first;
    bool here = e == SP_OK && q->verified &&
                sp_objects_get(f->filler->objects, q->verified_sha256, f->claim.sha1,
                               f->claim.size, &f->object) == SP_OK;
    if (here) {
        serve_what_is_here(f);
    } else if (sp_fill_start(f->machine, &first)) {
        perform(f, &first);
    }
}

static void look_again(struct fill *f)
{
    f->again =
        (struct sp_ask_claim){.loop = f->filler->loop, .answer = on_looked_again};
    memcpy(f->again.sha1, f->claim.sha1, 20);
    sp_keeper_ask_claim(f->filler->keeper, &f->again);
}

static void begin(struct sp_filler *filler, struct sp_want *w)
{
    struct fill *f = calloc(1, sizeof *f);
    if (!f || sp_fill_new(&w->world->fills[w->upstream], w->world->policy, &w->path,
                          &w->claim, &f->machine) != SP_OK) {
        free(f);
        answer_failure(w, SP_E_NOMEM, 503, "Memory ran out; try again later.");
        return;
    }
    f->filler = filler;
    f->world = sp_world_ref(w->world);
    f->upstream = w->upstream;
    f->claim = w->claim;
    f->next = filler->fills;
    if (f->next) {
        f->next->previous = f;
    }
    filler->fills = f;
    join(f, w);
    look_again(f);
}

static void open_object(struct sp_filler *filler, struct sp_want *w)
{
    enum sp_err e = sp_objects_get(filler->objects, w->verified_sha256, w->claim.sha1,
                                   w->claim.size, &w->object);
    w->status = e == SP_OK ? 200 : 404;
    answer(w, e);
}

static void on_want(struct sp_msg *msg)
{
    struct sp_want *w = WANT_OF(msg);
    struct sp_filler *filler = w->filler;
    struct fill *f = find(filler, w->claim.sha1);
    if (filler->stopping) {
        answer_failure(w, SP_E_CANCELLED, 503, "This server is stopping.");
    } else if (w->open_only) {
        open_object(filler, w);
    } else if (f) {
        join(f, w);
    } else {
        begin(filler, w);
    }
}

void sp_filler_want(struct sp_filler *f, struct sp_want *w)
{
    w->filler = f;
    w->msg.run = on_want;
    sp_loop_post(f->loop, &w->msg);
}

/* ---- the thread
 * -------------------------------------------------------------------------- */

enum sp_err sp_filler_new(struct sp_keeper *keeper, struct sp_objects *objects,
                          struct sp_desk *desk, struct sp_filler **out,
                          struct sp_why *why)
{
    struct sp_filler *f = calloc(1, sizeof *f);
    if (!f) {
        return SP_E_NOMEM;
    }
    f->keeper = keeper;
    f->objects = objects;
    f->desk = desk;
    enum sp_err e = sp_loop_new("filler", &f->loop);
    if (e == SP_OK) {
        e = sp_upstream_pool_new(f->loop, &f->pool);
    }
    if (e == SP_OK) {
        e = sp_loop_start(f->loop);
    }
    if (e != SP_OK) {
        return sp_why_set(why, e, "the filler cannot start: %s", sp_err_text(e));
    }
    *out = f;
    return SP_OK;
}

static void on_stop(struct sp_msg *msg)
{
    struct sp_filler *f =
        (struct sp_filler *)(void *)((char *)msg - offsetof(struct sp_filler, stop));
    f->stopping = true;
    bool idle = !f->fills;
    sp_upstream_pool_close(&f->pool);
    if (idle) {
        sp_loop_stop(f->loop);
    }
}

void sp_filler_stop(struct sp_filler *f)
{
    f->stop.run = on_stop;
    sp_loop_post(f->loop, &f->stop);
    sp_loop_join(f->loop);
}

void sp_filler_free(struct sp_filler **f)
{
    if (*f) {
        sp_loop_free(&(*f)->loop);
        free(*f);
        *f = NULL;
    }
}

const struct sp_counters *sp_filler_counters(const struct sp_filler *f)
{
    return &f->counters;
}
