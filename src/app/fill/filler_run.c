/* One fill: performs the effects of its machine and tells it what came of them. */
#include "app/fill/filler_parts.h"
#include "app/fill/inspect.h"
#include "app/log/log.h"
#include "io/store/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- TELL ------------------------------------------------------------------------ */

static void count_end(struct fill *f, const struct sp_fill_effect *e)
{
    struct sp_counters *c = &f->filler->counters;
    bool refused = !e->good && sp_fill_verdict(f->machine)->ruling == SP_REFUSED;
    SP_COUNT(c, files_verified, e->good);
    SP_COUNT(c, content_bytes_verified, e->good ? f->got.size : 0);
    SP_COUNT(c, files_failed, !e->good && !refused);
    if (refused) {
        sp_count_refused_file(c, sp_fill_verdict(f->machine)->rule);
        sp_count_rules(c, 0, sp_rule_text(sp_fill_verdict(f->machine)->rule));
    }
}

static void log_end(struct fill *f, const struct sp_fill_effect *e)
{
    struct sp_log l;
    char path[SP_CONTENT_PATH_MAX];
    uint64_t entry = 0;
    const struct sp_verdict *v = sp_fill_verdict(f->machine);
    const struct sp_source *source = sp_fill_source(f->machine);
    bool refused = !e->good && v->ruling == SP_REFUSED;
    struct sp_desk_refusal r = {.what = "content", .operation = "content"};
    sp_content_path_format(&f->path, path);
    r.has_entry = sp_fill_entry(f->machine, &entry);
    r.entry = entry;
    if (refused) {
        snprintf(r.rule, sizeof r.rule, "%s", sp_rule_text(v->rule));
        snprintf(r.why, sizeof r.why, "%s", e->why->text);
        snprintf(r.peer, sizeof r.peer, "%.63s",
                 source ? source->host : f->world->config->upstreams[f->upstream].name);
        sp_desk_refused(f->filler->desk, &r);
    }
    if (!sp_log_begin(&l, e->good ? SP_LOG_INFO : SP_LOG_WARNING, "fill")) {
        return;
    }
    sp_log_str(&l, "path", path);
    sp_log_str(&l, "source", source ? source->host : "");
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
    sp_fill_doubt(f, e->good);
    if (!e->good && e->status == 404) {
        sp_fill_absent(f);
    }
    if (e->keep) {
        sp_stage_leave(&f->stage);
    }
    while (f->waiting) {
        struct sp_want *w = f->waiting;
        if (e->good) {
            w->object = sp_object_ref(f->object);
            w->status = 200;
            sp_fill_answer(w, SP_OK);
        } else {
            sp_fill_answer_failure(w, SP_E_UNAVAILABLE, e->status, e->why->text);
        }
    }
    sp_fill_end(f);
}

/* ---- STAGE ----------------------------------------------------------------------- */

static enum sp_err open_stage(struct fill *f, struct sp_why *why)
{
    struct sp_objects *o = f->filler->objects;
    f->is_kept = f->claim.size >= SP_LIMIT_FILL_KEPT &&
                 sp_stage_take(o, f->claim.sha1, f->claim.size, &f->stage, &f->kept,
                               NULL) == SP_OK;
    return f->is_kept ? SP_OK : sp_stage_new(o, f->claim.size, &f->stage, why);
}

static enum sp_err find_room(struct fill *f, struct sp_why *why)
{
    if (!f->reserved) {
        SP_TRY(sp_stock_reserve(f->filler->stock, f->claim.size, why));
        f->reserved = f->claim.size;
    }
    return open_stage(f, why);
}

static enum sp_err stage(struct fill *f, struct sp_why *why)
{
    struct sp_why first = {0};
    if (f->claim.size > SP_LIMIT_CONTENT_FILE) {
        return sp_why_set(why, SP_E_LIMIT,
                          "metadata claims more than 16 GiB for one file");
    }
    SP_TRY(sp_digester_new_in_parts(SP_BLOCK_SIZE, sp_block_count(f->claim.size),
                                    &f->digester));
    SP_TRY(sp_roads_init(&f->roads, f->claim.size));
    sp_stages_sweep(f->filler->objects, false);
    enum sp_err e = find_room(f, &first);
    if (e == SP_E_NOSPACE) {
        sp_stages_sweep(f->filler->objects, true);
        return find_room(f, why);
    }
    return e == SP_OK ? e : sp_why_set(why, e, "%s", sp_why_text(&first, e));
}

void sp_fill_staged_now(struct fill *f, enum sp_err e, uint64_t resumed,
                        const struct sp_why *why)
{
    struct sp_fill_effect next;
    char path[SP_CONTENT_PATH_MAX];
    if (resumed > 0) {
        sp_content_path_format(&f->path, path);
        sp_log_say(SP_LOG_INFO, "resume", "%s goes on behind byte %" PRIu64, path,
                   resumed);
    }
    if (sp_fill_staged(f->machine, e, resumed, why, &next)) {
        sp_fill_perform(f, &next);
    }
}

static void do_stage(struct fill *f, const struct sp_fill_effect *e)
{
    (void)e;
    struct sp_why why = {0};
    enum sp_err err = stage(f, &why);
    f->noted_ms = sp_loop_now_ms(f->filler->loop);
    SP_COUNT(&f->filler->counters, disk_full, err == SP_E_NOSPACE);
    if (err == SP_OK && f->is_kept && f->kept.prefix > 0) {
        sp_fill_read_back(f);
    } else {
        sp_fill_staged_now(f, err, 0, &why);
    }
}

/* ---- INSPECT --------------------------------------------------------------------- */

/* Of a file that is as long as it must be: any other is refused without one. */
static enum sp_err state_tree(struct fill *f)
{
    struct sp_tree_root root;
    if (f->got.size != f->claim.size) {
        return SP_OK;
    }
    SP_TRY(
        sp_stage_tree(f->stage, f->got.sha256, sp_digester_parts(f->digester), &root));
    return sp_facts_bytes(f->signatures, SP_FACT_FILE_TREE,
                          sp_view(root.hash, sizeof root.hash));
}

/* Of the revision that named the file first. */
static enum sp_err copy_origin(struct fill *f, enum sp_fact k)
{
    struct sp_fact_value v;
    for (size_t i = 0; f->known.origin && sp_facts_get(f->known.origin, k, i, &v);
         i++) {
        SP_TRY(sp_facts_add(f->signatures, k, &v));
    }
    return SP_OK;
}

static enum sp_err inspect(struct fill *f)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    SP_TRY(sp_facts_new(SP_MIB(1), &f->signatures));
    SP_TRY(sp_stage_reader(f->stage, &fd));
    struct sp_open_file i = {.fd = fd,
                             .ext = f->claim.ext,
                             .trust = f->world->trust,
                             .now = f->judged_at,
                             .stop = &f->filler->stopping};
    sp_digester_get_beside(f->digester, &i.beside);
    SP_TRY(state_tree(f));
    SP_TRY(sp_inspect_signatures(&i, f->signatures, &f->job_why));
    if (!f->claim.has_sha256) {
        SP_TRY(sp_inspect_collision(&i, f->signatures, &f->job_why));
    }
    SP_TRY(copy_origin(f, SP_FACT_UPDATE_ID));
    return copy_origin(f, SP_FACT_DOCUMENT_CATEGORY);
}

static void inspect_work(struct sp_job *job)
{
    struct fill *f = SP_HOLDER(job, struct fill, job);
    f->job_err = inspect(f);
}

static void inspect_done(struct sp_job *job)
{
    struct fill *f = SP_HOLDER(job, struct fill, job);
    struct sp_fill_effect next;
    if (sp_fill_inspected(f->machine, f->job_err, &f->job_why, f->signatures,
                          f->judged_at, &next)) {
        sp_fill_perform(f, &next);
    }
}

/* Reads and digests all of the file: off the loop. */
static void do_inspect(struct fill *f, const struct sp_fill_effect *e)
{
    (void)e;
    f->judged_at = sp_clock_wall_s();
    f->job = (struct sp_job){.work = inspect_work, .done = inspect_done};
    sp_loop_work(f->filler->loop, &f->job);
}

/* ---- RECORD, COMMIT, QUARANTINE -------------------------------------------------- */

static void record_answer(struct sp_record *r, enum sp_err e)
{
    struct fill *f = SP_HOLDER(r, struct fill, record);
    struct sp_fill_effect next;
    if (sp_fill_recorded(f->machine, e, r->first, &r->why, &next)) {
        sp_fill_perform(f, &next);
    }
}

static void do_record(struct fill *f, const struct sp_fill_effect *e)
{
    struct sp_fill_effect next;
    if (!e->is_file &&
        !sp_rate_take(&f->filler->refusals, sp_loop_now_ms(f->filler->loop))) {
        SP_COUNT(&f->filler->counters, refused_unrecorded, 1);
        if (sp_fill_recorded(f->machine, SP_E_LIMIT, 0, NULL, &next)) {
            sp_fill_perform(f, &next);
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
    struct fill *f = SP_HOLDER(job, struct fill, job);
    f->job_err =
        f->quarantine_reason
            ? sp_stage_quarantine(&f->stage, f->got.sha256, f->quarantine_reason)
            : sp_stage_commit(&f->stage, f->got.sha256, f->got.sha1, &f->object,
                              &f->job_why);
}

static void store_done(struct sp_job *job)
{
    struct fill *f = SP_HOLDER(job, struct fill, job);
    struct sp_fill_effect next;
    if (f->object) {
        sp_stock_add(f->filler->stock, f->object);
    }
    if (sp_fill_stored(f->machine, f->job_err, &f->job_why, &next)) {
        sp_fill_perform(f, &next);
    }
}

/* COMMIT and QUARANTINE: fsyncs and renames, off the loop. */
static void do_store(struct fill *f, const struct sp_fill_effect *e)
{
    f->quarantine_reason = e->kind == SP_FILL_QUARANTINE ? e->reason : NULL;
    f->job = (struct sp_job){.work = store_work, .done = store_done};
    sp_loop_work(f->filler->loop, &f->job);
}

/* What gives the stage another name, or none, waits for the note that names it. */
static bool is_for_later(const struct fill *f, const struct sp_fill_effect *e)
{
    bool ends = e->kind == SP_FILL_COMMIT || e->kind == SP_FILL_QUARANTINE ||
                e->kind == SP_FILL_TELL;
    return ends && f->note.busy;
}

static void do_effect(struct fill *f, const struct sp_fill_effect *e)
{
    static void (*const doers[])(struct fill *, const struct sp_fill_effect *) = {
        [SP_FILL_STAGE] = do_stage,     [SP_FILL_FETCH] = sp_fill_fetch,
        [SP_FILL_INSPECT] = do_inspect, [SP_FILL_RECORD] = do_record,
        [SP_FILL_COMMIT] = do_store,    [SP_FILL_QUARANTINE] = do_store,
        [SP_FILL_TELL] = do_tell,
    };
    doers[e->kind](f, e);
}

void sp_fill_perform(struct fill *f, const struct sp_fill_effect *e)
{
    if (e->kind == SP_FILL_COMMIT && f->claim.size >= SP_LIMIT_FILL_EARLY) {
        sp_fill_proven(f);
    }
    if (is_for_later(f, e)) {
        f->ending = *e;
        f->is_ending = true;
    } else {
        do_effect(f, e);
    }
}

void sp_fill_noted(struct fill *f)
{
    if (f->is_ending) {
        f->is_ending = false;
        do_effect(f, &f->ending);
    } else {
        sp_fill_settle(f);
    }
}
