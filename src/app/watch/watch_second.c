/* A second upstream as a witness: what another one sent is asked for here as well, in
 * the background, and the documents are compared by their digests. What it said is
 * kept, on disk too. What it does not have, or has otherwise, is asked again now and
 * then. */
#include "app/log/log.h"
#include "app/watch/watch_parts.h"
#include "io/store/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 50,
    QUEUE_MAX = 1 << 17, /* fifteen MB; what does not fit is asked on the next pass */
    RETRY_MS = 30000,
    FAILURES_MAX = 3, /* of one batch: it is given up until the next pass */
    ASK_AGAIN_S = 600
};

/* ---- what it said ---------------------------------------------------------------- */

static const uint8_t nothing[32];

static struct second *second_of(struct sp_watch *w, const char *witness)
{
    struct second *s = w->seconds;
    while (s && (s->gone || strcmp(s->name, witness) != 0)) {
        s = s->next;
    }
    return s;
}

static enum sp_testimony compare(const struct sp_tier_row *row,
                                 const uint8_t document_sha256[32])
{
    if (!row) {
        return SP_TESTIMONY_COUNT;
    }
    if (sp_answers_is_nothing(row)) {
        return SP_TESTIMONY_MISSING;
    }
    return memcmp(row->document_sha256, document_sha256, 32) == 0
               ? SP_TESTIMONY_AGREES
               : SP_TESTIMONY_CONTRADICTS;
}

static enum sp_err make_room(struct second *s)
{
    if (s->waiting < s->room) {
        return SP_OK;
    }
    size_t room = s->room ? 2 * s->room : 256;
    struct sent *queue =
        room > QUEUE_MAX ? NULL : reallocarray(s->queue, room, sizeof *queue);
    if (!queue) {
        return SP_E_LIMIT;
    }
    s->queue = queue;
    s->room = room;
    return SP_OK;
}

static enum sp_err put_question(struct second *s, const struct sent *sent)
{
    if (sp_tier_book_find(&s->queued, &sent->id)) {
        return SP_OK;
    }
    SP_TRY(make_room(s));
    SP_TRY(sp_tier_book_put(&s->queued, &sent->id, nothing, 0));
    s->queue[s->waiting++] = *sent;
    return SP_OK;
}

/* A document does not change: who agreed has said all. */
static bool is_to_ask(const struct second *s, const struct sp_tier_row *row,
                      enum sp_testimony says)
{
    int64_t now = sp_watch_now_s(s->watch);
    if (!row) {
        return true;
    }
    return says != SP_TESTIMONY_AGREES && ((int64_t)row->entry < s->asked_since ||
                                           now - (int64_t)row->entry >= ASK_AGAIN_S);
}

static enum sp_testimony consult(struct second *s, const struct sent *sent)
{
    const struct sp_tier_row *row = sp_answers_find(&s->answers, &sent->id);
    enum sp_testimony says = compare(row, sent->document_sha256);
    if (is_to_ask(s, row, says) && put_question(s, sent) != SP_OK) {
        s->look_again = true;
    }
    return says;
}

enum sp_testimony sp_second_says(struct sp_watch *w, const char *witness,
                                 const struct sent *sent)
{
    struct second *s = second_of(w, witness);
    return s ? consult(s, sent) : SP_TESTIMONY_COUNT;
}

static void answer_one(struct second *s, const struct sp_tier_ask *q, size_t i)
{
    struct sp_tier_said *out = &q->said[i];
    struct sent sent = {.id = q->ids[i]};
    memcpy(sent.document_sha256, q->revisions[i].document_sha256, 32);
    snprintf(sent.served_by, sizeof sent.served_by, "%s", q->served_by);
    enum sp_testimony says = consult(s, &sent);
    const struct sp_tier_row *row = sp_answers_find(&s->answers, &sent.id);
    *out = (struct sp_tier_said){.asked = row != NULL,
                                 .known = row && says != SP_TESTIMONY_MISSING};
    if (row) {
        memcpy(out->document_sha256, row->document_sha256, 32);
    }
    if (says == SP_TESTIMONY_CONTRADICTS) {
        sp_review_hear(s->watch, s->name, &sent, says);
    }
}

void sp_second_ask(struct sp_watch *w, struct sp_tier_ask *q)
{
    struct second *s = second_of(w, q->upstream);
    for (size_t i = 0; s && i < q->count; i++) {
        answer_one(s, q, i);
    }
}

void sp_second_recheck(struct sp_watch *w)
{
    for (struct second *s = w->seconds; s; s = s->next) {
        s->asked_since = sp_watch_now_s(w) + 1;
    }
}

/* ---- an answer ------------------------------------------------------------------- */

static void drop_batch(struct second *s)
{
    s->waiting -= s->batch;
    memmove(s->queue, s->queue + s->batch, s->waiting * sizeof *s->queue);
    s->batch = 0;
    s->failures = 0;
    if (s->waiting == 0) {
        s->singly = false;
        sp_tier_book_fini(&s->queued);
        if (s->look_again) {
            s->look_again = false;
            sp_review_again(s->watch);
        }
    }
}

/* sha256 of zeros: it has none. */
static enum sp_err take_answer(struct second *s, const struct sent *sent,
                               const uint8_t sha256[32])
{
    const struct sp_tier_row *row = sp_answers_find(&s->answers, &sent->id);
    bool is_news = !row || memcmp(row->document_sha256, sha256, 32) != 0;
    enum sp_err e = sp_answers_put(&s->answers, &sent->id, sha256,
                                   (uint64_t)sp_watch_now_s(s->watch));
    if (e != SP_OK) {
        return e == SP_E_LIMIT ? SP_OK : e; /* it says nothing about more than that */
    }
    s->look_again = s->look_again || is_news;
    sp_review_hear(
        s->watch, s->name, sent,
        compare(sp_answers_find(&s->answers, &sent->id), sent->document_sha256));
    return SP_OK;
}

static void keep_answers(struct second *s)
{
    enum sp_err e = sp_answers_sync(&s->answers);
    if (e != SP_OK) {
        sp_log_say(SP_LOG_WARNING, "not_kept", "what %s answers: %s", s->name,
                   sp_err_text(e));
    }
}

static const struct sp_revision *find(const struct sp_reply *r,
                                      const struct sp_revision_id *id)
{
    for (size_t i = 0; i < r->revision_count; i++) {
        if (sp_revision_id_cmp(&r->revisions[i].id, id) == 0) {
            return &r->revisions[i];
        }
    }
    return NULL;
}

static enum sp_err take_documents(struct second *s, const struct sp_reply *r)
{
    for (size_t i = 0; i < s->batch; i++) {
        const struct sent *sent = &s->queue[i];
        const struct sp_revision *its = find(r, &sent->id);
        bool is_read = its && sp_facts_count(its->facts, SP_FACT_DOCUMENT_SHA256) == 1;
        SP_TRY(take_answer(s, sent, is_read ? its->document_sha256 : nothing));
    }
    keep_answers(s);
    drop_batch(s);
    return SP_OK;
}

static bool is_about_ids(const struct sp_reply *r)
{
    struct sp_fact_value v;
    return sp_facts_get(r->facts, SP_FACT_REPLY_FAULT, 0, &v) &&
           (sp_view_eq_str(v.bytes, "InternalServerError") ||
            sp_view_eq_str(v.bytes, "InvalidParameters"));
}

/* A server answers a request for what it does not have with a fault: which of a batch
 * that is, is found one at a time. */
static enum sp_err take_data(struct second *s, struct sp_why *why)
{
    struct sp_reply *r = NULL;
    enum sp_err e = sp_reply_inspect(SP_OP_GET_UPDATE_DATA, s->status,
                                     sp_buf_view(&s->reply), NULL, 0, &r, why);
    if (e == SP_OK && s->status == 200) {
        e = take_documents(s, r);
    } else if (e == SP_OK && is_about_ids(r)) {
        bool is_one = s->batch == 1;
        s->singly = true;
        e = is_one ? take_answer(s, &s->queue[0], nothing) : SP_OK;
        if (is_one) {
            keep_answers(s);
            drop_batch(s);
        }
    } else if (e == SP_OK) {
        e = sp_why_set(why, SP_E_PROTOCOL, "it answers with status %d", s->status);
    }
    sp_reply_free(&r);
    return e;
}

/* ---- a round --------------------------------------------------------------------- */

static void end_round(struct second *s, enum sp_err e, const struct sp_why *why)
{
    s->running = false;
    if (e == SP_OK || s->watch->stopping) {
        return;
    }
    sp_dss_forget(&s->dss);
    s->next_ms = sp_loop_now_ms(s->watch->loop) + RETRY_MS;
    sp_log_say(SP_LOG_WARNING, "witness", "%s cannot be asked: %s", s->name,
               sp_why_text(why, e));
    if (s->step == SP_DSS_DATA && ++s->failures >= FAILURES_MAX) {
        s->look_again = true;
        drop_batch(s);
    }
}

static void ask(struct second *s);

static enum sp_err on_head(void *ctx, const struct sp_http_response *head)
{
    struct second *s = ctx;
    s->status = head->status;
    return SP_OK;
}

static enum sp_err on_data(void *ctx, struct sp_view bytes)
{
    struct second *s = ctx;
    return sp_buf_append(&s->reply, bytes);
}

static enum sp_err take(struct second *s, struct sp_why *why)
{
    struct sp_dss_list list;
    if (s->step == SP_DSS_DATA) {
        return take_data(s, why);
    }
    SP_TRY(
        sp_dss_take(&s->dss, s->step, s->status, sp_buf_view(&s->reply), &list, why));
    s->step = s->step == SP_DSS_AUTHORIZE ? SP_DSS_COOKIE : SP_DSS_DATA;
    return SP_OK;
}

static void on_done(void *ctx, enum sp_err e, const struct sp_link_report *link)
{
    struct second *s = ctx;
    struct sp_why why = {0};
    s->fetch = NULL;
    if (e == SP_OK) {
        e = take(s, &why);
    } else {
        sp_why_say(&why, "%s", sp_why_text(&link->why, e));
    }
    sp_buf_fini(&s->reply);
    if (e != SP_OK || s->waiting == 0 || s->gone) {
        end_round(s, e, &why);
    } else {
        ask(s);
    }
    sp_watch_came_back(s->watch);
}

static enum sp_err write_ask(struct second *s)
{
    struct sp_revision_id ids[BATCH];
    size_t most = s->singly ? 1 : BATCH;
    s->batch = s->waiting < most ? s->waiting : most;
    for (size_t i = 0; i < s->batch; i++) {
        ids[i] = s->queue[i].id;
    }
    sp_buf_clear(&s->ask);
    return sp_dss_ask(&s->dss, s->step, ids, s->batch, &s->ask);
}

static enum sp_err start_fetch(struct second *s)
{
    enum sp_op op = sp_dss_op(s->step);
    SP_TRY(write_ask(s));
    struct sp_fetch_ask a = {.kind = SP_FETCH_SOAP,
                             .path = sp_service_path(sp_op_service(op)),
                             .body = sp_buf_view(&s->ask),
                             .soap_action = sp_op_action(op),
                             .reply_limit = SP_LIMIT_SOAP_REPLY,
                             .patience_ms = SP_TIME_UPSTREAM_SOAP};
    struct sp_fetch_handler h = {
        .head = on_head, .data = on_data, .done = on_done, .ctx = s};
    return sp_fetch_start(s->watch->pool, s->upstream, &a, &h, &s->fetch);
}

static void ask(struct second *s)
{
    enum sp_err e = s->watch->stopping ? SP_E_CANCELLED : start_fetch(s);
    if (e == SP_OK) {
        s->watch->under_way++;
    } else {
        end_round(s, e, NULL);
    }
}

/* ---- life ------------------------------------------------------------------------ */

static void second_free(struct second *s)
{
    sp_answers_close(&s->answers);
    sp_tier_book_fini(&s->queued);
    free(s->queue);
    sp_dss_fini(&s->dss);
    sp_buf_fini(&s->ask);
    sp_buf_fini(&s->reply);
    sp_upstream_unref(&s->upstream);
    free(s);
}

static void drop_gone(struct sp_watch *w)
{
    struct second **at = &w->seconds;
    while (*at) {
        struct second *s = *at;
        if (s->gone && !s->running) {
            *at = s->next;
            second_free(s);
        } else {
            at = &s->next;
        }
    }
}

void sp_second_tick(struct sp_watch *w)
{
    uint64_t now = sp_loop_now_ms(w->loop);
    drop_gone(w);
    for (struct second *s = w->seconds; s && !w->stopping; s = s->next) {
        if (!s->running && !s->gone && s->waiting && now >= s->next_ms) {
            s->running = true;
            s->step = s->dss.cookie.len ? SP_DSS_DATA : SP_DSS_AUTHORIZE;
            ask(s);
        }
    }
}

/* Its file is that of the name: whoever had it before leaves it. */
static enum sp_err open_answers(struct second *s, const char *name, const char *host)
{
    char about[SP_ANSWERS_ABOUT];
    struct sp_why why = {0};
    for (struct second *i = s->watch->seconds; i; i = i->next) {
        if (strcmp(i->name, name) == 0) {
            sp_fd_close(&i->answers.fd);
        }
    }
    snprintf(about, sizeof about, "%s %s", name, host);
    SP_TRY(sp_answers_open(s->watch->state_dir, name, "", about, &s->answers, &why));
    if (why.text[0]) {
        sp_log_say(SP_LOG_WARNING, "not_kept", "%s", why.text);
    }
    return SP_OK;
}

static struct second *second_new(struct sp_watch *w, const char *name, const char *host)
{
    struct second *s = calloc(1, sizeof *s);
    if (s) {
        s->watch = w;
    }
    if (!s || open_answers(s, name, host) != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "witness", "%s: %s", name, sp_err_text(SP_E_NOMEM));
        free(s);
        return NULL;
    }
    snprintf(s->name, sizeof s->name, "%s", name);
    s->asked_since = sp_watch_now_s(w);
    sp_dss_init(&s->dss, &w->account);
    sp_buf_init(&s->ask, SP_MIB(1));
    sp_buf_init(&s->reply, SP_LIMIT_SOAP_REPLY);
    s->next = w->seconds;
    w->seconds = s;
    return s;
}

/* What it said under another address is not what it says now. */
static void meet(struct sp_watch *w, const struct sp_config_witness *k)
{
    struct sp_upstream *upstream = w->world->upstreams[k->upstream];
    struct second *s = w->seconds;
    while (s &&
           (s->gone || strcmp(s->name, k->name) != 0 ||
            strcmp(sp_upstream_host(s->upstream), sp_upstream_host(upstream)) != 0)) {
        s = s->next;
    }
    s = s ? s : second_new(w, k->name, sp_upstream_host(upstream));
    if (s) {
        sp_upstream_unref(&s->upstream);
        s->upstream = sp_upstream_ref(upstream);
    }
}

static bool is_wanted(const struct sp_config *c, const struct second *s,
                      struct sp_upstream *const *upstreams)
{
    for (size_t i = 0; i < c->witness_count; i++) {
        const struct sp_config_witness *k = &c->witnesses[i];
        if (k->kind == SP_WITNESS_UPSTREAM && strcmp(k->name, s->name) == 0 &&
            strcmp(sp_upstream_host(upstreams[k->upstream]),
                   sp_upstream_host(s->upstream)) == 0) {
            return true;
        }
    }
    return false;
}

void sp_second_follow_world(struct sp_watch *w)
{
    const struct sp_config *c = w->world->config;
    for (struct second *s = w->seconds; s; s = s->next) {
        s->gone = s->gone || !is_wanted(c, s, w->world->upstreams);
    }
    for (size_t i = 0; i < c->witness_count; i++) {
        if (c->witnesses[i].kind == SP_WITNESS_UPSTREAM) {
            meet(w, &c->witnesses[i]);
        }
    }
}

void sp_second_free_all(struct sp_watch *w)
{
    while (w->seconds) {
        struct second *s = w->seconds;
        w->seconds = s->next;
        second_free(s);
    }
}
