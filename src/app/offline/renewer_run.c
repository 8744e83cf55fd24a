/* What came of a look for a newer catalogue: it is proven, recorded, put in force. */
#include "app/fill/inspect.h"
#include "app/log/log.h"
#include "app/offline/catalog_index.h"
#include "app/offline/renewer_parts.h"
#include "io/store/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- PROVE ----------------------------------------------------------------------- */

static enum sp_err file_facts(const struct look *l)
{
    const struct sp_config_catalog *c = l->world->config->catalog;
    struct sp_facts *f = l->facts;
    SP_TRY(sp_facts_text(f, SP_FACT_FILE_PATH, sp_view_str(c->target)));
    SP_TRY(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(l->found.sha1, 20)));
    SP_TRY(sp_facts_bytes(f, SP_FACT_FILE_SHA256, sp_view(l->found.sha256, 32)));
    return sp_facts_int(f, SP_FACT_FILE_SIZE, (int64_t)l->got);
}

static enum sp_err make_index(struct sp_renewer *r, int fd)
{
    struct look *l = &r->look;
    char path[SP_CATALOG_PATH];
    struct sp_catalog_input in = {.fd = fd, .scratch = r->place, .stop = &r->stop};
    l->about.size = l->got;
    l->about.signed_at = l->ruling.signed_at;
    memcpy(l->about.sha256, l->found.sha256, sizeof l->about.sha256);
    SP_TRY(sp_catalog_index_path(r->place, l->found.sha256, path));
    return sp_catalog_index(&in, path, &l->about, &r->job_why);
}

static bool is_same(const struct sp_renewer *r)
{
    return r->machine.has_good &&
           memcmp(r->good.sha256, r->look.found.sha256, sizeof r->good.sha256) == 0;
}

static enum sp_err prove(struct sp_renewer *r)
{
    struct look *l = &r->look;
    SP_AUTO(sp_fd_close) int fd = -1;
    SP_TRY(sp_stage_reader(l->stage, &fd));
    SP_TRY(sp_facts_new(SP_MIB(1), &l->facts));
    SP_TRY(file_facts(l));
    struct sp_open_file file = {.fd = fd,
                                .ext = "cab",
                                .trust = l->world->trust,
                                .now = sp_clock_wall_s(),
                                .stop = &r->stop};
    SP_TRY(sp_inspect_signatures(&file, l->facts, &r->job_why));
    SP_TRY(sp_catalog_judge(l->facts, file.now, r->good.signed_at, &l->ruling));
    return l->ruling.good && !is_same(r) ? make_index(r, fd) : SP_OK;
}

static void prove_work(struct sp_job *job)
{
    struct sp_renewer *r = SP_HOLDER(job, struct sp_renewer, job);
    r->job_err = prove(r);
}

/* ---- the ledger ------------------------------------------------------------------ */

static enum sp_err source_facts(const struct look *l, struct sp_facts *f)
{
    const struct sp_config_catalog *c = l->world->config->catalog;
    SP_TRY(sp_facts_text(f, SP_FACT_OPERATION, SP_VIEW("catalog")));
    SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_NAME, sp_view_str(c->source.name)));
    SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_HOST,
                         sp_view_str(sp_upstream_host(l->world->catalog))));
    SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_TRANSPORT, SP_VIEW("tls")));
    SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_TLS, sp_view_str(l->link.tls)));
    for (size_t i = 0; i < l->link.chain_count; i++) {
        SP_TRY(sp_facts_bytes(f, SP_FACT_UPSTREAM_SPKI,
                              sp_view(l->link.chain[i].sha256, 32)));
    }
    return sp_facts_bytes(f, SP_FACT_UPSTREAM_PIN, sp_view(l->link.matched.sha256, 32));
}

static enum sp_err entry_text(struct look *l)
{
    struct sp_facts *f = l->facts;
    bool good = l->ruling.good;
    SP_TRY(sp_facts_entry(f, good ? "catalogue" : "refusal", sp_clock_wall_s()));
    SP_TRY(source_facts(l, f));
    SP_TRY(sp_facts_text(f, SP_FACT_VERDICT_RULING,
                         good ? SP_VIEW("passed") : SP_VIEW("refused")));
    if (!good) {
        SP_TRY(sp_facts_text(f, SP_FACT_VERDICT_WHY, sp_view_str(l->ruling.why.text)));
    }
    return sp_facts_encode(f, &l->text);
}

static void go_on_recorded(struct sp_renewer *r, enum sp_err e,
                           const struct sp_why *why);

static void on_recorded(struct sp_record *record, enum sp_err e)
{
    struct sp_renewer *r = SP_HOLDER(record, struct sp_renewer, record);
    go_on_recorded(r, e, &record->why);
}

static void record(struct sp_renewer *r)
{
    enum sp_err e = entry_text(&r->look);
    if (e != SP_OK) {
        go_on_recorded(r, e, NULL);
        return;
    }
    r->entry = (struct sp_record_entry){.text = sp_buf_view(&r->look.text)};
    r->record = (struct sp_record){
        .entries = &r->entry, .count = 1, .loop = r->loop, .answer = on_recorded};
    sp_keeper_record(r->keeper, &r->record);
}

/* ---- COMMIT ---------------------------------------------------------------------- */

/* A newer catalogue has a later date, so that If-Modified-Since means what it says. */
static void dress(struct sp_renewer *r, struct sp_object *o)
{
    o->last_modified = r->look.found.signed_at;
    o->watch = &r->watch;
}

static void commit_work(struct sp_job *job)
{
    struct sp_renewer *r = SP_HOLDER(job, struct sp_renewer, job);
    struct look *l = &r->look;
    struct sp_tree_root root;
    l->found.signed_at = l->ruling.signed_at;
    l->found.fetched_at = sp_clock_wall_s();
    r->job_err =
        sp_stage_tree(l->stage, l->found.sha256, sp_digester_parts(l->digester), &root);
    if (r->job_err == SP_OK) {
        r->job_err = sp_catalog_place_commit(r->place, &l->stage, &l->found, &l->object,
                                             &r->job_why);
    }
    if (r->job_err == SP_OK) {
        dress(r, l->object);
    }
}

static void commit_done(struct sp_job *job)
{
    struct sp_renewer *r = SP_HOLDER(job, struct sp_renewer, job);
    struct sp_renewal_effect next;
    if (r->job_err == SP_OK) {
        r->good = r->look.found;
        sp_renewer_publish(r, r->look.object);
        r->look.object = NULL;
        sp_catalog_place_tidy(r->objects, r->place, &r->good);
    }
    sp_renewal_committed(&r->machine, r->job_err, &r->job_why, &next);
    sp_renewer_perform(r, &next);
}

void sp_renewer_job(struct sp_renewer *r, void (*work)(struct sp_job *),
                    void (*done)(struct sp_job *))
{
    r->job_err = SP_OK;
    r->job_why = (struct sp_why){0};
    r->job = (struct sp_job){.work = work, .done = done};
    sp_loop_work(r->loop, &r->job);
}

/* A refusal stands whether or not it could be recorded; what is good is not put in
 * force before it is. */
static void go_on_recorded(struct sp_renewer *r, enum sp_err e,
                           const struct sp_why *why)
{
    struct look *l = &r->look;
    struct sp_renewal_effect next;
    if (l->ruling.good && e == SP_OK) {
        sp_renewer_job(r, commit_work, commit_done);
        return;
    }
    if (l->ruling.good) {
        sp_renewal_committed(&r->machine, e, why, &next);
    } else {
        sp_renewal_proved(&r->machine, SP_OK, NULL, &l->ruling, false, &next);
    }
    sp_renewer_perform(r, &next);
}

static void prove_done(struct sp_job *job)
{
    struct sp_renewer *r = SP_HOLDER(job, struct sp_renewer, job);
    struct sp_renewal_effect next;
    if (r->job_err == SP_OK && !r->look.ruling.good) {
        record(r);
        return;
    }
    sp_renewal_proved(&r->machine, r->job_err, &r->job_why, &r->look.ruling, is_same(r),
                      &next);
    sp_renewer_perform(r, &next);
}

/* ---- what is told ---------------------------------------------------------------- */

static void count(struct sp_renewer *r, enum sp_renewal_outcome o)
{
    SP_COUNT(&r->counters, catalog_new, o == SP_RENEWAL_NEW);
    SP_COUNT(&r->counters, catalog_same, o == SP_RENEWAL_SAME);
    SP_COUNT(&r->counters, catalog_refused, o == SP_RENEWAL_REFUSED);
    SP_COUNT(&r->counters, catalog_failed, o == SP_RENEWAL_FAILED);
}

static void tell_desk(struct sp_renewer *r, const struct sp_renewal_effect *e)
{
    struct sp_desk_refusal d = {.what = "catalog", .operation = "catalog"};
    snprintf(d.peer, sizeof d.peer, "%.60s", r->world->config->catalog->source.name);
    snprintf(d.why, sizeof d.why, "%s", e->why.text);
    sp_desk_refused(r->desk, &d);
}

static void tell(struct sp_renewer *r, const struct sp_renewal_effect *e)
{
    static const char *const texts[] = {"", "new", "same", "refused", "failed"};
    struct sp_log l;
    char signed_at[SP_TIME_TEXT] = "";
    bool well = e->outcome == SP_RENEWAL_NEW || e->outcome == SP_RENEWAL_SAME;
    count(r, e->outcome);
    if (e->outcome == SP_RENEWAL_REFUSED) {
        tell_desk(r, e);
    }
    if (!sp_log_begin(&l, well ? SP_LOG_INFO : SP_LOG_WARNING, "catalog")) {
        return;
    }
    if (r->good.signed_at) {
        sp_time_format(r->good.signed_at, signed_at);
    }
    sp_log_str(&l, "result", texts[e->outcome]);
    sp_log_str(&l, "signed", signed_at);
    sp_log_int(&l, "bytes", (int64_t)r->look.got);
    sp_log_int(&l, "resumed", (int64_t)r->look.resumed);
    sp_log_int(&l, "revisions", (int64_t)r->look.about.revisions);
    sp_log_str(&l, "why", e->why.text);
    sp_log_int(&l, "next_s", (int64_t)(e->delay_ms / 1000));
    sp_log_end(&l);
}

void sp_renewer_perform(struct sp_renewer *r, const struct sp_renewal_effect *e)
{
    if (e->outcome != SP_RENEWAL_NONE && !r->stopping) {
        tell(r, e);
    }
    switch (e->kind) {
    case SP_RENEWAL_FETCH:
        sp_renewer_fetch(r, e);
        return;
    case SP_RENEWAL_PROVE:
        sp_renewer_job(r, prove_work, prove_done);
        return;
    case SP_RENEWAL_COMMIT:
        record(r);
        return;
    }
}
