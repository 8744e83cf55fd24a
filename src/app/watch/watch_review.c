/* What was recorded against what witnesses say by now. A revision is judged when it
 * comes; a witness may be there later, know more later, or answer later. So the whole
 * history is gone through in the background, a piece a tick: when the program starts,
 * when a witness knows more, every hour; and what is recorded in between follows at
 * once.
 *
 * A contradiction is told once, is a reason of the posture of the upstream that sent
 * the document, and is over when the witness says otherwise or is no longer one. */
#include "app/log/log.h"
#include "app/offline/renewer.h"
#include "app/watch/watch_parts.h"
#include "app/watch/witnesses.h"
#include "io/store/catalog.h"
#include "io/store/change.h"
#include "io/store/ledger_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 1000,       /* entries a tick: a million in a quarter of an hour */
    AGAINST_MAX = 1024, /* that one witness contradicts; more say nothing new */
    EVERY_MS = 3600000
};

/* ---- what is told ---------------------------------------------------------------- */

static struct ward *ward_of(const struct sp_watch *w, const char *upstream)
{
    struct ward *d = w->wards;
    while (d && (d->gone || strcmp(d->row.name, upstream) != 0)) {
        d = d->next;
    }
    return d;
}

static enum sp_err write_facts(const struct voice *v, const struct sent *s,
                               enum sp_testimony says, struct sp_facts *f)
{
    SP_TRY(sp_facts_entry(f, "witness", sp_clock_wall_s()));
    SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_NAME, sp_view_str(s->served_by)));
    SP_TRY(sp_facts_bytes(f, SP_FACT_UPDATE_ID,
                          sp_view(s->id.id.bytes, sizeof s->id.id.bytes)));
    SP_TRY(sp_facts_int(f, SP_FACT_UPDATE_REVISION, s->id.number));
    SP_TRY(sp_facts_bytes(f, SP_FACT_DOCUMENT_SHA256, sp_view(s->document_sha256, 32)));
    SP_TRY(sp_testimony_say(f, v->name, says));
    return sp_testimony_sum(f);
}

static void tell(struct sp_watch *w, const struct voice *v, const struct sent *s,
                 enum sp_testimony says)
{
    struct sp_facts *f = NULL;
    char id[SP_REVISION_TEXT];
    sp_revision_id_format(&s->id, id);
    if (says == SP_TESTIMONY_CONTRADICTS) {
        SP_COUNT(&w->counters, witness_contradicts, 1);
        sp_log_say(SP_LOG_WARNING, "witness",
                   "%s has another document for %s than upstream %s sent", v->name, id,
                   s->served_by);
    } else {
        SP_COUNT(&w->counters, witness_agrees, says == SP_TESTIMONY_AGREES);
        SP_COUNT(&w->counters, witness_missing, says == SP_TESTIMONY_MISSING);
        sp_log_say(SP_LOG_INFO, "witness",
                   "%s no longer contradicts %s of upstream %s: it %s", v->name, id,
                   s->served_by, sp_testimony_text(says));
    }
    if (sp_facts_new(SP_KIB(4), &f) == SP_OK && write_facts(v, s, says, f) == SP_OK) {
        sp_watch_record(w, f);
    }
    sp_facts_free(&f);
}

/* What cannot be kept is told once more after a restart. */
static void keep_told(struct voice *v, const struct sent *s, bool against)
{
    static const uint8_t nothing[32];
    (void)!sp_answers_put(&v->told, &s->id, against ? s->document_sha256 : nothing, 0);
    enum sp_err e = sp_answers_sync(&v->told);
    if (e != SP_OK) {
        sp_log_say(SP_LOG_WARNING, "not_kept", "what was told of witness %s: %s",
                   v->name, sp_err_text(e));
    }
}

static bool was_told(const struct voice *v, const struct sent *s)
{
    const struct sp_tier_row *row = sp_answers_find(&v->told, &s->id);
    return row && memcmp(row->document_sha256, s->document_sha256, 32) == 0;
}

/* ---- what is contradicted -------------------------------------------------------- */

static struct voice *voice_of(const struct sp_watch *w, const char *name)
{
    struct voice *v = w->voices;
    while (v && strcmp(v->name, name) != 0) {
        v = v->next;
    }
    return v;
}

static struct against *find(struct voice *v, const struct sent *s)
{
    for (size_t i = 0; i < v->count; i++) {
        struct against *a = &v->against[i];
        if (sp_revision_id_cmp(&a->sent.id, &s->id) == 0 &&
            strcmp(a->sent.served_by, s->served_by) == 0) {
            return a;
        }
    }
    return NULL;
}

static struct against *add(struct voice *v)
{
    if (v->count == v->room) {
        size_t room = v->room ? 2 * v->room : 16;
        struct against *grown =
            room > AGAINST_MAX ? NULL : reallocarray(v->against, room, sizeof *grown);
        if (!grown) {
            return NULL;
        }
        v->against = grown;
        v->room = room;
    }
    return &v->against[v->count++];
}

static void posture_changes(struct sp_watch *w, const char *upstream)
{
    struct ward *d = ward_of(w, upstream);
    if (d) {
        sp_posture_recheck(&d->posture, sp_watch_now_s(w));
    }
}

static void begin_against(struct sp_watch *w, struct voice *v, const struct sent *s)
{
    struct against *a = find(v, s);
    bool news = !a;
    a = a ? a : add(v);
    if (!a) {
        return;
    }
    *a = (struct against){*s, w->review.pass};
    if (!was_told(v, s)) {
        tell(w, v, s, SP_TESTIMONY_CONTRADICTS);
        keep_told(v, s, true);
    }
    if (news) {
        posture_changes(w, s->served_by);
    }
}

static void end_against(struct sp_watch *w, struct voice *v, const struct sent *s,
                        enum sp_testimony says)
{
    struct against *a = find(v, s);
    if (a) {
        *a = v->against[--v->count];
        posture_changes(w, s->served_by);
    }
    if (was_told(v, s)) {
        tell(w, v, s, says);
        keep_told(v, s, false);
    }
}

/* What a witness said before it fell silent stands. */
static void hear(struct sp_watch *w, struct voice *v, const struct sent *s,
                 enum sp_testimony says)
{
    struct against *a = NULL;
    switch (says) {
    case SP_TESTIMONY_CONTRADICTS:
        begin_against(w, v, s);
        return;
    case SP_TESTIMONY_AGREES:
    case SP_TESTIMONY_MISSING:
        end_against(w, v, s, says);
        return;
    case SP_TESTIMONY_COUNT:
        a = find(v, s);
        if (a) {
            a->pass = w->review.pass;
        }
        return;
    }
}

void sp_review_hear(struct sp_watch *w, const char *witness, const struct sent *sent,
                    enum sp_testimony says)
{
    struct voice *v = voice_of(w, witness);
    if (v) {
        hear(w, v, sent, says);
    }
}

bool sp_review_is_against(const struct sp_watch *w, const char *upstream,
                          struct sp_why *why)
{
    for (const struct voice *v = w->voices; v; v = v->next) {
        for (size_t i = 0; i < v->count; i++) {
            char id[SP_REVISION_TEXT];
            if (strcmp(v->against[i].sent.served_by, upstream) == 0) {
                sp_revision_id_format(&v->against[i].sent.id, id);
                sp_why_say(why, "witness %s has another document for %s", v->name, id);
                return true;
            }
        }
    }
    return false;
}

/* ---- a piece of the history ------------------------------------------------------ */

struct past {
    struct sent sent;
    bool is_part; /* more files of the revision before it */
};

struct piece {
    struct sp_job job;
    struct sp_watch *watch; /* borrowed */
    struct sp_world *world; /* shared */
    uint64_t from, next;
    struct past *rows;       /* owned */
    enum sp_testimony *said; /* owned: a row of witness_count for each of rows */
    size_t count;
    enum sp_err err;
};

static void piece_free(struct piece *p)
{
    sp_world_unref(&p->world);
    free(p->rows);
    free(p->said);
    free(p);
}

static void copy_upstream(const struct sp_facts *f, char out[64])
{
    struct sp_fact_value v;
    out[0] = '\0';
    if (sp_facts_get(f, SP_FACT_UPSTREAM_NAME, 0, &v)) {
        snprintf(out, 64, SP_VIEW_FMT, SP_VIEW_ARG(v.bytes));
    }
}

static enum sp_err take_change(struct piece *p, struct sp_catalog *k,
                               const struct sp_change *c)
{
    size_t witnesses = p->world->config->witness_count;
    struct past *row = &p->rows[p->count];
    if (c->kind != SP_CHANGE_REVISION && c->kind != SP_CHANGE_CLAIMS) {
        return SP_OK;
    }
    *row = (struct past){.is_part = c->kind == SP_CHANGE_CLAIMS};
    row->sent.id = c->id;
    memcpy(row->sent.document_sha256, c->document_sha256, 32);
    copy_upstream(c->facts, row->sent.served_by);
    struct sp_witness_past past = {&row->sent.id, row->sent.document_sha256, c->facts};
    return sp_witnesses_review(p->world, k, &past, &p->said[p->count++ * witnesses]);
}

static enum sp_err read_entries(struct piece *p, struct sp_ledger_files *l,
                                struct sp_catalog *k)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    for (; p->next < sp_ledger_size(l) && p->next - p->from < PIECE; p->next++) {
        struct sp_change c;
        sp_buf_clear(&text);
        SP_TRY(sp_ledger_read(l, p->next, &text, NULL));
        if (sp_change_read(sp_buf_view(&text), &c, NULL) != SP_OK) {
            continue; /* a later version's entry */
        }
        enum sp_err e = take_change(p, k, &c);
        sp_change_fini(&c);
        SP_TRY(e);
    }
    return SP_OK;
}

static enum sp_err read_piece(struct piece *p)
{
    SP_AUTO(sp_catalog_close) struct sp_catalog *k = NULL;
    SP_AUTO(sp_ledger_close) struct sp_ledger_files *l = NULL;
    if (p->watch->renewer) {
        (void)!sp_witnesses_open_catalog(p->watch->renewer, &k);
    }
    SP_TRY(sp_ledger_open_view(p->world->config->state_dir, &l, NULL));
    return read_entries(p, l, k);
}

static void piece_work(struct sp_job *job)
{
    struct piece *p = SP_HOLDER(job, struct piece, job);
    p->err = read_piece(p);
}

/* ---- what each witness says of it ------------------------------------------------ */

static bool is_itself(const struct sp_config *c, const struct sp_config_witness *k,
                      const struct sent *s)
{
    return (k->kind == SP_WITNESS_LEDGER || k->kind == SP_WITNESS_UPSTREAM) &&
           strcmp(c->upstreams[k->upstream].name, s->served_by) == 0;
}

static enum sp_testimony says(const struct piece *p, const struct past *row, size_t i)
{
    const struct sp_config *c = p->world->config;
    const struct sp_config_witness *k = &c->witnesses[i];
    const struct ward *d = NULL;
    switch (k->kind) {
    case SP_WITNESS_CATALOG:
    case SP_WITNESS_EXPORT:
        return p->said[(size_t)(row - p->rows) * c->witness_count + i];
    case SP_WITNESS_LEDGER:
        d = ward_of(p->watch, c->upstreams[k->upstream].name);
        return d ? sp_tier_says(d, &row->sent) : SP_TESTIMONY_COUNT;
    case SP_WITNESS_UPSTREAM:
        return sp_second_says(p->watch, k->name, &row->sent);
    case SP_WITNESS_KINDS:
        break;
    }
    return SP_TESTIMONY_COUNT;
}

/* Only what contradicts counts of a part: of the other files it says nothing. */
static void weigh_row(const struct piece *p, const struct past *row, size_t i)
{
    const struct sp_config *c = p->world->config;
    struct voice *v = voice_of(p->watch, c->witnesses[i].name);
    if (!v || is_itself(c, &c->witnesses[i], &row->sent)) {
        return;
    }
    enum sp_testimony t = says(p, row, i);
    if (row->is_part && t != SP_TESTIMONY_CONTRADICTS) {
        return;
    }
    if (t == SP_TESTIMONY_COUNT) {
        v->silent++;
    } else {
        v->tally[t]++;
    }
    hear(p->watch, v, &row->sent, t);
}

/* ---- passes ---------------------------------------------------------------------- */

void sp_review_again(struct sp_watch *w)
{
    w->review.again = true;
}

/* What the pass did not see any more is no longer recorded, or was never. */
static void forget_unseen(struct sp_watch *w, struct voice *v)
{
    for (size_t i = v->count; i-- > 0;) {
        struct sent s = v->against[i].sent;
        if (v->against[i].pass != w->review.pass) {
            v->against[i] = v->against[--v->count];
            keep_told(v, &s, false);
            posture_changes(w, s.served_by);
        }
    }
}

static struct sp_watch_voice row_of(const struct voice *v)
{
    struct sp_watch_voice row = {.agrees = v->tally[SP_TESTIMONY_AGREES],
                                 .contradicts = v->tally[SP_TESTIMONY_CONTRADICTS],
                                 .missing = v->tally[SP_TESTIMONY_MISSING],
                                 .silent = v->silent};
    snprintf(row.name, sizeof row.name, "%s", v->name);
    return row;
}

static void show(struct sp_watch *w)
{
    struct sp_watch_status *s = &w->status;
    pthread_mutex_lock(&w->lock);
    s->voice_count = 0;
    for (const struct voice *v = w->voices; v && s->voice_count < SP_WATCH_ROWS;
         v = v->next) {
        s->voices[s->voice_count++] = row_of(v);
    }
    pthread_mutex_unlock(&w->lock);
}

static void end_pass(struct sp_watch *w)
{
    show(w);
    for (struct voice *v = w->voices; v; v = v->next) {
        forget_unseen(w, v);
        sp_log_say(SP_LOG_INFO, "witness",
                   "%s: of all that was recorded it agrees to %" PRIu64
                   ", contradicts %" PRIu64 ", does not know %" PRIu64
                   ", has not said about %" PRIu64,
                   v->name, v->tally[SP_TESTIMONY_AGREES],
                   v->tally[SP_TESTIMONY_CONTRADICTS], v->tally[SP_TESTIMONY_MISSING],
                   v->silent);
    }
    w->review.told = true;
}

/* It was over all that is recorded by now; whether something is left. */
static bool end_pass_if_over(struct sp_watch *w)
{
    struct review *r = &w->review;
    struct sp_keeper_status ledger;
    sp_keeper_status(w->keeper, &ledger);
    bool is_over = r->at >= ledger.entries;
    if (is_over && r->pass && !r->told) {
        end_pass(w);
    }
    return !is_over;
}

static void begin_pass(struct sp_watch *w)
{
    struct review *r = &w->review;
    r->at = 0;
    r->again = r->told = false;
    r->pass++;
    r->next_ms = sp_loop_now_ms(w->loop) + EVERY_MS;
    for (struct voice *v = w->voices; v; v = v->next) {
        memset(v->tally, 0, sizeof v->tally);
        v->silent = 0;
    }
}

/* A witness that knows more than when it was asked: a catalogue, a ledger that grew. */
static bool is_anybody_wiser(struct sp_watch *w)
{
    char path[SP_CATALOG_PATH] = "";
    bool wiser = false, lacking = false;
    if (w->renewer && sp_renewer_index(w->renewer, path) &&
        strcmp(path, w->review.catalog) != 0) {
        snprintf(w->review.catalog, sizeof w->review.catalog, "%s", path);
        wiser = true;
    }
    for (const struct voice *v = w->voices; v; v = v->next) {
        lacking = lacking || v->tally[SP_TESTIMONY_MISSING] || v->silent;
    }
    for (struct ward *d = w->wards; d; d = d->next) {
        bool good = d->tier.on && d->tier.follow.state == SP_FOLLOW_GOOD;
        uint64_t stands = good ? d->tier.follow.proven : 0;
        wiser = wiser || (lacking && stands && stands != d->reviewed);
        d->reviewed = stands;
    }
    return wiser;
}

static void piece_done(struct sp_job *job)
{
    struct piece *p = SP_HOLDER(job, struct piece, job);
    struct sp_watch *w = p->watch;
    w->review.busy = false;
    for (size_t n = 0; n < p->count && !w->stopping; n++) {
        for (size_t i = 0; i < p->world->config->witness_count; i++) {
            weigh_row(p, &p->rows[n], i);
        }
    }
    w->review.at = p->next;
    if (p->err != SP_OK) {
        sp_log_say(SP_LOG_WARNING, "witness",
                   "the history cannot be read at entry %" PRIu64 ": %s", p->next,
                   sp_err_text(p->err));
    }
    piece_free(p);
    if (w->review.told) {
        show(w); /* what was recorded since the pass counts at once */
    } else if (!w->stopping) {
        (void)end_pass_if_over(w);
    }
    sp_watch_came_back(w);
}

static enum sp_err start_piece(struct sp_watch *w)
{
    struct piece *p = calloc(1, sizeof *p);
    if (!p) {
        return SP_E_NOMEM;
    }
    p->watch = w;
    p->world = sp_world_ref(w->world);
    p->from = p->next = w->review.at;
    p->rows = calloc(PIECE, sizeof *p->rows);
    p->said = calloc(PIECE * w->world->config->witness_count, sizeof *p->said);
    if (!p->rows || !p->said) {
        piece_free(p);
        return SP_E_NOMEM;
    }
    p->job = (struct sp_job){.work = piece_work, .done = piece_done};
    w->review.busy = true;
    w->under_way++;
    sp_loop_work(w->loop, &p->job);
    return SP_OK;
}

void sp_review_tick(struct sp_watch *w)
{
    struct review *r = &w->review;
    if (!w->voices || r->busy || w->stopping) {
        return;
    }
    r->again = is_anybody_wiser(w) || r->again || sp_loop_now_ms(w->loop) >= r->next_ms;
    bool is_left = end_pass_if_over(w);
    if (r->again && (r->told || !r->pass)) {
        begin_pass(w);
        is_left = end_pass_if_over(w);
    }
    if (is_left && start_piece(w) != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "witness", "%s", sp_err_text(SP_E_NOMEM));
    }
}

/* ---- life ------------------------------------------------------------------------ */

static void voice_free(struct voice *v)
{
    sp_answers_close(&v->told);
    free(v->against);
    free(v);
}

static struct voice *voice_new(struct sp_watch *w, const char *name)
{
    struct voice *v = calloc(1, sizeof *v);
    struct sp_why why = {0};
    if (!v ||
        sp_answers_open(w->state_dir, name, ".told", name, &v->told, &why) != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "witness", "%s: %s", name, sp_err_text(SP_E_NOMEM));
        free(v);
        return NULL;
    }
    if (why.text[0]) {
        sp_log_say(SP_LOG_WARNING, "not_kept", "%s", why.text);
    }
    snprintf(v->name, sizeof v->name, "%s", name);
    v->next = w->voices;
    w->voices = v;
    return v;
}

/* It is no witness any more: what it says does not count. */
static void drop_gone(struct sp_watch *w)
{
    struct voice **at = &w->voices;
    while (*at) {
        struct voice *v = *at;
        if (!v->gone) {
            at = &v->next;
            continue;
        }
        *at = v->next;
        for (size_t i = 0; i < v->count; i++) {
            posture_changes(w, v->against[i].sent.served_by);
        }
        voice_free(v);
    }
}

void sp_review_follow_world(struct sp_watch *w)
{
    const struct sp_config *c = w->world->config;
    for (struct voice *v = w->voices; v; v = v->next) {
        v->gone = true;
    }
    for (size_t i = 0; i < c->witness_count; i++) {
        struct voice *v = voice_of(w, c->witnesses[i].name);
        v = v ? v : voice_new(w, c->witnesses[i].name);
        if (v) {
            v->gone = false;
        }
    }
    drop_gone(w);
    show(w);
    w->review.again = true;
}

void sp_review_free(struct sp_watch *w)
{
    while (w->voices) {
        struct voice *v = w->voices;
        w->voices = v->next;
        voice_free(v);
    }
}
