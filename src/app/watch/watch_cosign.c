/* Asks the cosigners of the own ledger. A round is about one checkpoint: it is sent to
 * all of them at once, each with the proof from what it cosigned last; with enough
 * answers it is written where custody_serve.c shows it. A round begins when the ledger
 * grew since the last one. */
#include "app/log/log.h"
#include "app/watch/watch_parts.h"
#include "core/base/text.h"
#include "core/custody/cosign.h"
#include "io/store/files.h"
#include "io/store/ledger_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 10000,
    REPLY_MAX = SP_KIB(16),
    RETRY_MS = 1000,
    RETRY_DOUBLINGS = 6,
    ASK_MAX = SP_LIMIT_CHECKPOINT + SP_KIB(4)
};

struct cosigner { /* one section */
    struct cosigning *of;
    const struct sp_config_cosigner *conf; /* borrowed from the world, as upstream */
    struct sp_upstream *upstream;
    uint64_t last; /* entries that it cosigned, as far as is known */
    struct sp_buf ask, reply;
    int status;
    bool is_size;
    struct sp_fetch *fetch; /* borrowed from the pool while it runs */
    char told[SP_WHY_MAX];  /* what was said about it last */
};

static struct sp_watch *watch_of(struct cosigning *c)
{
    return SP_HOLDER(c, struct sp_watch, cosigning);
}

/* ---- the sections ---------------------------------------------------------------- */

static void drop_all(struct cosigning *c)
{
    for (size_t i = 0; i < c->count; i++) {
        sp_buf_fini(&c->at[i].ask);
        sp_buf_fini(&c->at[i].reply);
    }
    free(c->at);
    c->at = NULL;
    c->count = 0;
    sp_world_unref(&c->world);
}

/* Without cosigners the newest checkpoint is shown. A cosigned one that is left behind
 * would be older than that, should there be cosigners again: whoever follows would take
 * it for a ledger that was cut. */
static void forget_shown(struct cosigning *c)
{
    SP_AUTO(sp_fd_close) int state = -1;
    if (sp_dir_open(watch_of(c)->state_dir, &state, NULL) == SP_OK &&
        unlinkat(state, SP_COSIGNED_FILE, 0) != 0 && errno != ENOENT) {
        sp_log_say(SP_LOG_WARNING, "cosigned", "%s cannot be removed: %s",
                   SP_COSIGNED_FILE, strerror(errno));
    }
}

static void adopt(struct cosigning *c)
{
    struct sp_watch *w = watch_of(c);
    const struct sp_config *conf = w->world->config;
    drop_all(c);
    c->world = sp_world_ref(w->world);
    c->shown = UINT64_MAX;
    c->failures = 0;
    c->next_ms = 0;
    if (conf->cosigner_count == 0) {
        forget_shown(c);
        return;
    }
    c->at = calloc(conf->cosigner_count, sizeof *c->at);
    for (size_t i = 0; c->at && i < conf->cosigner_count; i++) {
        c->at[i] = (struct cosigner){
            .of = c, .conf = &conf->cosigners[i], .upstream = w->world->cosigners[i]};
        sp_buf_init(&c->at[i].ask, ASK_MAX);
        sp_buf_init(&c->at[i].reply, REPLY_MAX);
    }
    c->count = c->at ? conf->cosigner_count : 0;
}

/* Once a sentence, not once a round. */
static void tell(struct cosigner *k, enum sp_log_level level, const char *what)
{
    if (strcmp(k->told, what) != 0) {
        snprintf(k->told, sizeof k->told, "%s", what);
        sp_log_say(level, "cosigned", "cosigner %s: %s", k->conf->source.name, what);
    }
}

/* ---- showing --------------------------------------------------------------------- */

static void show_work(struct sp_job *job)
{
    struct cosigning *c = SP_HOLDER(job, struct cosigning, job);
    SP_AUTO(sp_fd_close) int state = -1;
    c->err = sp_dir_open(watch_of(c)->state_dir, &state, &c->why);
    if (c->err == SP_OK) {
        c->err = sp_file_replace_at(state, SP_COSIGNED_FILE, sp_buf_view(&c->note),
                                    0644, SP_FILE_VIEW);
    }
}

static void end_round(struct cosigning *c, bool good)
{
    struct sp_watch *w = watch_of(c);
    unsigned shift = c->failures < RETRY_DOUBLINGS ? c->failures : RETRY_DOUBLINGS;
    c->busy = false;
    c->failures = good ? 0 : c->failures + 1;
    c->next_ms = good ? 0 : sp_loop_now_ms(w->loop) + ((uint64_t)RETRY_MS << shift);
}

static void show_done(struct sp_job *job)
{
    struct cosigning *c = SP_HOLDER(job, struct cosigning, job);
    if (c->err == SP_OK) {
        c->shown = c->size;
    } else {
        sp_log_say(SP_LOG_ERROR, "cosigned", "%s cannot be written: %s",
                   SP_COSIGNED_FILE, sp_why_text(&c->why, c->err));
    }
    end_round(c, c->err == SP_OK);
    sp_watch_came_back(watch_of(c));
}

static void start_job(struct cosigning *c, void (*work)(struct sp_job *),
                      void (*done)(struct sp_job *))
{
    c->why.text[0] = '\0';
    c->job = (struct sp_job){.work = work, .done = done};
    watch_of(c)->under_way++;
    sp_loop_work(watch_of(c)->loop, &c->job);
}

static void begin_round(struct cosigning *c);

/* Everybody answered. Who stood elsewhere than was thought is asked again, once. */
static void all_answered(struct cosigning *c)
{
    bool enough = c->good >= c->world->config->cosignatures;
    if (watch_of(c)->stopping) {
        end_round(c, false);
    } else if (enough) {
        start_job(c, show_work, show_done);
    } else if (c->again && !c->is_second) {
        c->is_second = true;
        begin_round(c);
    } else {
        end_round(c, false);
    }
}

/* ---- one cosigner ---------------------------------------------------------------- */

static void stands_at(struct cosigner *k)
{
    uint64_t size = 0;
    struct sp_view text = sp_view_trim(sp_buf_view(&k->reply), "\n");
    if (sp_u64_parse(text, INT64_MAX, &size) != SP_OK) {
        tell(k, SP_LOG_WARNING, "it answers 409 without a number");
    } else if (size > k->of->size) {
        tell(k, SP_LOG_ERROR,
             "it cosigned more entries of this ledger than there are: the ledger was "
             "rolled back, as by a restored backup. Nothing is cosigned until it is as "
             "long again, and then it is another history");
    } else {
        k->last = size;
        k->of->again = true;
    }
}

static void take_answer(struct cosigner *k)
{
    struct sp_watch *w = watch_of(k->of);
    char text[128];
    if (k->status == 200 && sp_cosignature_take(sp_buf_view(&k->reply), k->conf->key,
                                                &k->of->note) == SP_OK) {
        SP_COUNT(&w->counters, cosigned, 1);
        k->last = k->of->size;
        k->of->good++;
        tell(k, SP_LOG_INFO, "it cosigns");
        return;
    }
    SP_COUNT(&w->counters, cosign_failed, !k->is_size);
    if (k->status == 200) {
        tell(k, SP_LOG_WARNING,
             "its answer holds no cosignature by the key configured");
    } else if (k->is_size) {
        stands_at(k);
    } else {
        snprintf(text, sizeof text, "it refuses with status %d%s", k->status,
                 k->status == 409 || k->status == 422
                     ? ": it cosigned another history of this ledger"
                     : "");
        tell(k, SP_LOG_WARNING, text);
    }
}

static enum sp_err on_head(void *ctx, const struct sp_http_response *head)
{
    struct cosigner *k = ctx;
    struct sp_view type;
    k->status = head->status;
    k->is_size = head->status == 409 &&
                 sp_http_header(&head->headers, "Content-Type", &type) &&
                 sp_view_eq_str(type, "text/x.tlog.size");
    return SP_OK;
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    struct cosigner *k = ctx;
    return sp_buf_append(&k->reply, bytes);
}

static void one_is_back(struct cosigning *c)
{
    if (--c->asked == 0) {
        all_answered(c);
    }
}

static void on_done(void *ctx, enum sp_err e, const struct sp_link_report *link)
{
    struct cosigner *k = ctx;
    struct cosigning *c = k->of;
    struct sp_watch *w = watch_of(c);
    k->fetch = NULL;
    if (e == SP_OK) {
        take_answer(k);
    } else if (!w->stopping) {
        SP_COUNT(&w->counters, cosign_failed, 1);
        tell(k, SP_LOG_WARNING, sp_why_text(&link->why, e));
    }
    one_is_back(c);
    sp_watch_came_back(w);
}

static enum sp_err ask(struct cosigner *k)
{
    struct sp_watch *w = watch_of(k->of);
    char path[SP_LIMIT_REQUEST_LINE];
    struct sp_fetch_handler h = {
        .head = on_head, .data = on_data, .done = on_done, .ctx = k};
    int n = snprintf(path, sizeof path, "%s/add-checkpoint", k->conf->prefix);
    struct sp_fetch_ask a = {.kind = SP_FETCH_TEXT,
                             .path = path,
                             .body = sp_buf_view(&k->ask),
                             .reply_limit = REPLY_MAX,
                             .patience_ms = PATIENCE_MS};
    sp_buf_clear(&k->reply);
    if (n < 0 || (size_t)n >= sizeof path) {
        return SP_E_LIMIT;
    }
    SP_TRY(sp_fetch_start(w->pool, k->upstream, &a, &h, &k->fetch));
    w->under_way++;
    return SP_OK;
}

/* ---- a round --------------------------------------------------------------------- */

static enum sp_err write_ask(struct cosigner *k, struct sp_ledger_files *l)
{
    struct sp_hash_reader r = sp_ledger_hashes(l);
    struct sp_cosign_ask a = {.old_size = k->last, .note = sp_buf_view(&k->of->note)};
    sp_buf_clear(&k->ask);
    SP_TRY(sp_merkle_prove_growth(&r, k->last, k->of->size, &a.proof));
    return sp_cosign_ask_write(&a, &k->ask);
}

static enum sp_err prepare(struct cosigning *c)
{
    SP_AUTO(sp_ledger_close) struct sp_ledger_files *l = NULL;
    SP_TRY(sp_ledger_open_view(watch_of(c)->state_dir, &l, &c->why));
    sp_buf_clear(&c->note);
    SP_TRY(sp_ledger_checkpoint(l, &c->note));
    c->size = sp_ledger_size(l);
    for (size_t i = 0; i < c->count; i++) {
        SP_TRY(write_ask(&c->at[i], l));
    }
    return SP_OK;
}

static void prepare_work(struct sp_job *job)
{
    struct cosigning *c = SP_HOLDER(job, struct cosigning, job);
    c->err = prepare(c);
}

static void prepare_done(struct sp_job *job)
{
    struct cosigning *c = SP_HOLDER(job, struct cosigning, job);
    struct sp_watch *w = watch_of(c);
    c->asked = 1; /* this one, so that nobody is the last before all were asked */
    if (c->err != SP_OK) {
        sp_log_say(SP_LOG_WARNING, "cosigned", "the own ledger cannot be read: %s",
                   sp_why_text(&c->why, c->err));
    }
    for (size_t i = 0; c->err == SP_OK && !w->stopping && i < c->count; i++) {
        enum sp_err e = ask(&c->at[i]);
        if (e == SP_OK) {
            c->asked++;
        } else {
            tell(&c->at[i], SP_LOG_WARNING, sp_err_text(e));
        }
    }
    one_is_back(c);
    sp_watch_came_back(w);
}

static void begin_round(struct cosigning *c)
{
    c->busy = true;
    c->again = false;
    c->good = 0;
    start_job(c, prepare_work, prepare_done);
}

void sp_cosigning_tick(struct sp_watch *w)
{
    struct cosigning *c = &w->cosigning;
    struct sp_keeper_status s;
    if (c->busy || w->stopping) {
        return;
    }
    if (c->world != w->world) {
        adopt(c);
    }
    if (c->count == 0 || sp_loop_now_ms(w->loop) < c->next_ms) {
        return;
    }
    sp_keeper_status(w->keeper, &s);
    if (s.entries != c->shown) {
        c->is_second = false;
        begin_round(c);
    }
}

void sp_cosigning_init(struct sp_watch *w)
{
    sp_buf_init(&w->cosigning.note, SP_LIMIT_CHECKPOINT);
}

void sp_cosigning_fini(struct sp_watch *w)
{
    drop_all(&w->cosigning);
    sp_buf_fini(&w->cosigning.note);
}
