/* What may be fetched ahead, read from the ledger: the ledger is the queue, whoever
 * asks keeps his place in it. */
#include "core/wsus/claim.h"
#include "io/store/keeper_inside.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP = 32,        /* entries for one question: others must not wait for long */
    FILES_MAX = 16384 /* of one entry, with all that it bundles */
};

struct gather {
    struct sp_keeper *keeper;
    struct sp_ask_ahead *ask;
    size_t room;
};

static enum sp_err read_entry(struct sp_keeper *k, uint64_t n, struct sp_facts **out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    SP_TRY(sp_ledger_read(k->ledger, n, &text, NULL));
    return sp_facts_decode(sp_buf_view(&text), out, NULL);
}

/* ---- files ----------------------------------------------------------------------- */

static enum sp_err make_room(struct gather *g)
{
    struct sp_ask_ahead *q = g->ask;
    if (q->count < g->room) {
        return SP_OK;
    }
    size_t room = g->room ? g->room * 2 : 16;
    struct sp_ahead_file *files = reallocarray(q->files, room, sizeof *files);
    if (!files) {
        return SP_E_NOMEM;
    }
    q->files = files;
    g->room = room;
    return SP_OK;
}

/* Not one that is too large, has no content path for want of an extension, or about
 * which metadata contradicts itself. */
static bool is_for_ahead(const struct sp_ask_ahead *q, const struct sp_claim *c,
                         bool contradicted)
{
    uint64_t max = q->conf->size_max;
    return !contradicted && c->ext[0] && (!max || c->size <= max) &&
           q->count < FILES_MAX;
}

static enum sp_err add_claim(struct gather *g, const struct sp_claim *c)
{
    struct sp_ahead_file file = {0};
    struct sp_index_file known;
    bool contradicted = false;
    SP_TRY(sp_index_claim(g->keeper->index, c->sha1, &file.claim, &contradicted));
    if (!is_for_ahead(g->ask, &file.claim, contradicted)) {
        return SP_OK;
    }
    enum sp_err e = sp_index_file(g->keeper->index, c->sha1, &known);
    if (e == SP_OK) {
        file.verified = true;
        memcpy(file.sha256, known.sha256, 32);
    } else if (e != SP_E_NOTFOUND) {
        return e;
    }
    SP_TRY(make_room(g));
    g->ask->files[g->ask->count++] = file;
    return SP_OK;
}

static enum sp_err add_claims(struct gather *g, const struct sp_facts *f)
{
    struct sp_fact_value v;
    struct sp_claim claim;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_FILE_CLAIM, i, &v); i++) {
        SP_TRY(sp_claim_parse(v.bytes, &claim));
        SP_TRY(add_claim(g, &claim));
    }
    return SP_OK;
}

static bool is_kind(const struct sp_facts *f, struct sp_view kind)
{
    struct sp_fact_value v;
    return sp_facts_get(f, SP_FACT_ENTRY_KIND, 0, &v) && sp_view_eq(v.bytes, kind);
}

/* The files of the revision at entry n, whose facts are f, and of the entries right
 * behind it that go on with the same revision: they are appended together. */
static enum sp_err add_revision(struct gather *g, uint64_t n, const struct sp_facts *f)
{
    uint64_t size = sp_ledger_size(g->keeper->ledger);
    SP_TRY(add_claims(g, f));
    for (n++; n < size; n++) {
        SP_AUTO(sp_facts_free) struct sp_facts *next = NULL;
        SP_TRY(read_entry(g->keeper, n, &next));
        if (!is_kind(next, SP_VIEW("claims"))) {
            break;
        }
        SP_TRY(add_claims(g, next));
    }
    return SP_OK;
}

/* ---- bundles --------------------------------------------------------------------- */

/* "UpdateID.RevisionNumber"; a clause that names no revision leaves it open. */
static bool read_id(struct sp_view text, struct sp_revision_id *out)
{
    size_t dot = sp_view_find(text, '.');
    int64_t number = 0;
    if (dot == text.len ||
        sp_guid_parse(sp_view_slice(text, 0, dot), &out->id) != SP_OK ||
        sp_i64_parse(sp_view_slice(text, dot + 1, text.len), 0, INT32_MAX, &number) !=
            SP_OK) {
        return false;
    }
    out->number = (int32_t)number;
    return true;
}

static enum sp_err add_bundled(struct gather *g, const struct sp_revision_id *id)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct sp_index_revision at;
    enum sp_err e = sp_index_revision(g->keeper->index, id, &at);
    if (e == SP_E_NOTFOUND) {
        g->ask->incomplete = true;
        return SP_OK;
    }
    SP_TRY(e);
    SP_TRY(read_entry(g->keeper, at.entry, &f));
    return add_revision(g, at.entry, f);
}

static enum sp_err add_bundle(struct gather *g, const struct sp_facts *f)
{
    struct sp_fact_value v;
    struct sp_revision_id id;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_BUNDLES, i, &v); i++) {
        if (read_id(v.bytes, &id)) {
            SP_TRY(add_bundled(g, &id));
        }
    }
    return SP_OK;
}

/* ---- the question ---------------------------------------------------------------- */

static enum sp_err look_at(struct gather *g, uint64_t n)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct sp_ask_ahead *q = g->ask;
    SP_TRY(read_entry(g->keeper, n, &f));
    if (!sp_ahead_chooses(q->conf, q->upstream, f)) {
        return SP_OK;
    }
    SP_TRY(add_revision(g, n, f));
    return sp_ahead_takes_all(q->conf) ? SP_OK : add_bundle(g, f);
}

static enum sp_err find_ahead(struct sp_keeper *k, struct sp_ask_ahead *q)
{
    struct gather g = {.keeper = k, .ask = q};
    SP_TRY(sp_keeper_index_ready(k, NULL));
    uint64_t size = sp_ledger_size(k->ledger), n = q->from;
    for (; n < size && n < q->from + STEP && !q->count && !q->incomplete; n++) {
        q->at = n;
        SP_TRY(look_at(&g, n));
    }
    q->next = n;
    q->at_end = n >= size;
    return SP_OK;
}

static void deliver(struct sp_msg *msg)
{
    struct sp_ask_ahead *q = (struct sp_ask_ahead *)msg;
    q->answer(q, q->err);
}

static void run(struct sp_msg *msg)
{
    struct sp_ask_ahead *q = (struct sp_ask_ahead *)msg;
    q->err = find_ahead(q->keeper, q);
    msg->run = deliver;
    sp_loop_post(q->loop, msg);
}

void sp_keeper_ask_ahead(struct sp_keeper *k, struct sp_ask_ahead *q)
{
    q->keeper = k;
    q->files = NULL;
    q->count = 0;
    q->incomplete = false;
    q->msg.run = run;
    sp_keeper_post(k, &q->msg);
}
