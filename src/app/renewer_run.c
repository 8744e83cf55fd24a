/* One look for a newer catalogue: performs the effects of the machine and tells it what
 * came of them. */
#include "app/catalog_index.h"
#include "app/inspect.h"
#include "app/log.h"
#include "app/renewer_parts.h"
#include "io/store/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RENEWER_OF(pointer, member)                                                    \
    ((struct sp_renewer *)(void *)((char *)(pointer)-offsetof(struct sp_renewer,       \
                                                              member)))

static void look_end(struct look *l)
{
    sp_stage_drop(&l->stage);
    sp_digester_free(&l->digester);
    sp_facts_free(&l->facts);
    sp_buf_fini(&l->text);
    sp_object_unref(&l->object);
    sp_world_unref(&l->world);
    *l = (struct look){0};
}

/* ---- FETCH
 * ----------------------------------------------------------------------------- */

static void copy_validator(const struct sp_http_response *head, const char *name,
                           char out[SP_CATALOG_VALIDATOR])
{
    struct sp_view v = {0};
    bool fits = sp_http_header(&head->headers, name, &v) && v.len > 0 &&
                v.len < SP_CATALOG_VALIDATOR;
    snprintf(out, SP_CATALOG_VALIDATOR, "%.*s", fits ? (int)v.len : 0,
             fits ? (const char *)v.data : "");
}

static enum sp_err fetch_head(void *ctx, const struct sp_http_response *head)
{
    struct sp_renewer *r = ctx;
    struct look *l = &r->look;
    SP_TRY(sp_renewal_head(&r->machine, head));
    if (r->machine.size == 0) {
        return SP_OK;
    }
    copy_validator(head, "ETag", l->found.etag);
    copy_validator(head, "Last-Modified", l->found.modified);
    l->found.size = r->machine.size;
    l->write_err = sp_digester_new_in_parts(
        SP_BLOCK_SIZE, sp_block_count(r->machine.size), &l->digester);
    if (l->write_err == SP_OK) {
        l->write_err =
            sp_stage_new(r->objects, r->machine.size, &l->stage, &r->machine.why);
    }
    return l->write_err;
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
    struct sp_renewal_effect next;
    r->look.fetch = NULL;
    r->look.link = *report;
    e = end_of_fetch(&r->look, e);
    sp_renewal_fetched(&r->machine, e, &report->why, &next);
    sp_renewer_perform(r, &next);
}

static void start_fetch(struct sp_renewer *r)
{
    const struct sp_renewal_effect *e = &r->next;
    struct look *l = &r->look;
    l->world = sp_world_ref(r->world);
    sp_buf_init(&l->text, SP_LIMIT_LEDGER_ENTRY);
    const char *etag = e->conditional ? r->good.etag : "";
    const char *modified = e->conditional ? r->good.modified : "";
    struct sp_fetch_ask ask = {.kind = SP_FETCH_CONTENT,
                               .path = l->world->config->catalog->target,
                               .if_none_match = etag,
                               .if_modified_since = modified,
                               .fresh = e->fresh,
                               .reply_limit = UINT64_MAX, /* the head decides */
                               .patience_ms = SP_TIME_UPSTREAM_SOAP};
    struct sp_fetch_handler handler = {
        .head = fetch_head, .data = fetch_data, .done = fetch_done, .ctx = r};
    struct sp_renewal_effect next;
    r->waiting = false;
    sp_renewal_begun(&r->machine);
    enum sp_err err =
        sp_fetch_start(r->pool, l->world->catalog, &ask, &handler, &l->fetch);
    if (err != SP_OK) {
        sp_renewal_fetched(&r->machine, err, NULL, &next);
        sp_renewer_perform(r, &next);
    }
}

static void on_timer(uv_timer_t *timer)
{
    start_fetch(timer->data);
}

static void do_fetch(struct sp_renewer *r, const struct sp_renewal_effect *e)
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

/* ---- PROVE
 * ----------------------------------------------------------------------------- */

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
    struct sp_renewer *r = RENEWER_OF(job, job);
    r->job_err = prove(r);
}

/* ---- the ledger
 * ------------------------------------------------------------------------ */

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
    struct sp_renewer *r = RENEWER_OF(record, record);
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

/* ---- COMMIT
 * ---------------------------------------------------------------------------- */

/* A newer catalogue has a later date, so that If-Modified-Since means what it says. */
static void dress(struct sp_renewer *r, struct sp_object *o)
{
    o->last_modified = r->look.found.signed_at;
    o->watch = &r->watch;
}

static void commit_work(struct sp_job *job)
{
    struct sp_renewer *r = RENEWER_OF(job, job);
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
    struct sp_renewer *r = RENEWER_OF(job, job);
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

static void start_job(struct sp_renewer *r, void (*work)(struct sp_job *),
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
        start_job(r, commit_work, commit_done);
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
    struct sp_renewer *r = RENEWER_OF(job, job);
    struct sp_renewal_effect next;
    if (r->job_err == SP_OK && !r->look.ruling.good) {
        record(r);
        return;
    }
    sp_renewal_proved(&r->machine, r->job_err, &r->job_why, &r->look.ruling, is_same(r),
                      &next);
    sp_renewer_perform(r, &next);
}

/* ---- what is told
 * ---------------------------------------------------------------------- */

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
        do_fetch(r, e);
        return;
    case SP_RENEWAL_PROVE:
        start_job(r, prove_work, prove_done);
        return;
    case SP_RENEWAL_COMMIT:
        record(r);
        return;
    }
}
