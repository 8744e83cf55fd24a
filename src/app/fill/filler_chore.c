/* What a fill does in the work pool while bytes come: digests, and notes of what is
 * durable. One chore at a time, and a note beside it; a fill ends behind both.
 *
 * Of a large file all bytes are read back from the staging file and digested beside the
 * transfer, which goes faster for it. Those of a small one are digested where they
 * come, as far as they come in order. The digest is always over what readers of that
 * file see. */
#include "app/fill/filler_parts.h"

#include "core/sign/sign.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 * 1024, STEP = 4 * 1024 * 1024 };

#define FILL_OF(job)  SP_HOLDER(job, struct fill, chore.job)
#define NOTED_BY(job) SP_HOLDER(job, struct fill, note.job)

/* All bytes of the file, in order. What its signature is over is told by its head. */
static enum sp_err digest(struct fill *f, uint64_t at, struct sp_view bytes)
{
    struct sp_beside beside = {0};
    if (at == 0) {
        sp_sign_foresee(bytes, f->claim.size, &beside);
    }
    if (beside.count > 0) {
        SP_TRY(sp_digester_beside(f->digester, &beside));
    }
    return sp_digester_update(f->digester, bytes);
}

static void hash_work(struct sp_job *job)
{
    struct fill *f = FILL_OF(job);
    struct chore *c = &f->chore;
    uint8_t *piece = malloc(PIECE);
    c->err = piece ? SP_OK : SP_E_NOMEM;
    for (uint64_t at = f->hashed; c->err == SP_OK && at < c->to;) {
        size_t n = c->to - at < PIECE ? (size_t)(c->to - at) : PIECE;
        c->err = sp_stage_read(f->stage, at, piece, n);
        if (c->err == SP_OK) {
            c->err = digest(f, at, sp_view(piece, n));
        }
        at += n;
    }
    free(piece);
}

static void hash_done(struct sp_job *job)
{
    struct fill *f = FILL_OF(job);
    struct chore *c = &f->chore;
    c->busy = c->hashes = false;
    if (c->err == SP_OK) {
        f->hashed = c->to;
    } else {
        f->write_err = c->err;
    }
    c->then(f);
}

static void hash(struct fill *f, uint64_t to, void (*then)(struct fill *f))
{
    struct chore *c = &f->chore;
    *c = (struct chore){.job = {.work = hash_work, .done = hash_done},
                        .busy = true,
                        .hashes = true,
                        .to = to - f->hashed < STEP ? to : f->hashed + STEP,
                        .then = then};
    sp_loop_work(f->filler->loop, &c->job);
}

static void note_work(struct sp_job *job)
{
    struct fill *f = NOTED_BY(job);
    struct chore *c = &f->note;
    c->err = sp_stage_note(f->stage, c->to, c->sha256);
}

/* What could not be noted is fetched again after a restart: that is all. */
static void note_done(struct sp_job *job)
{
    struct fill *f = NOTED_BY(job);
    f->filler->is_noting = false;
    f->note.busy = false;
    sp_fill_noted(f);
}

/* While nothing is digested. */
static void note(struct fill *f)
{
    struct chore *c = &f->note;
    *c = (struct chore){.job = {.work = note_work, .done = note_done}, .to = f->hashed};
    f->noted = f->hashed;
    f->noted_ms = sp_loop_now_ms(f->filler->loop);
    if (sp_digester_peek(f->digester, c->sha256) == SP_OK) {
        c->busy = true;
        f->filler->is_noting = true;
        sp_loop_work(f->filler->loop, &c->job);
    }
}

static void on_note_time(uv_timer_t *timer)
{
    struct sp_filler *filler = timer->data;
    for (struct fill *f = filler->fills; f; f = f->next) {
        sp_fill_chore(f);
    }
}

/* A note is a wait for the disk: a fast transfer would make them one after the other.
 * What is about to end has no more time: it notes all that came. */
static bool is_note_time(struct fill *f, uint64_t front)
{
    struct sp_filler *filler = f->filler;
    uint64_t since = sp_loop_now_ms(filler->loop) - f->noted_ms;
    if (filler->stopping || f->failed != SP_OK) {
        return f->hashed == front;
    }
    if (since >= SP_TIME_FILL_NOTE) {
        return true;
    }
    if (!uv_is_active((uv_handle_t *)&filler->noting)) {
        uv_timer_start(&filler->noting, on_note_time, SP_TIME_FILL_NOTE - since, 0);
    }
    return false;
}

/* One at a time among all fills: they wait for the disk, and readers need the pool. */
static bool is_note_due(struct fill *f, uint64_t front)
{
    return f->is_kept && !f->filler->is_noting && f->hashed < f->claim.size &&
           f->hashed - f->noted >= SP_LIMIT_FILL_NOTE && is_note_time(f, front);
}

void sp_filler_chore_init(struct sp_filler *filler)
{
    uv_timer_init(sp_loop_uv(filler->loop), &filler->noting);
    filler->noting.data = filler;
}

void sp_fill_chore(struct fill *f)
{
    uint64_t front = sp_roads_reach(&f->roads, 0);
    if (f->chore.busy || f->write_err != SP_OK) {
        return;
    }
    if (is_note_due(f, front)) {
        note(f);
    }
    if (f->is_kept && !f->filler->is_noting && sp_fill_map(f)) {
        return;
    }
    if (front > f->hashed) {
        hash(f, front, sp_fill_settle);
    }
}

enum sp_err sp_fill_digest(struct fill *f, uint64_t at, struct sp_view bytes)
{
    bool is_large = f->claim.size >= SP_LIMIT_FILL_BESIDE;
    if (is_large || f->chore.hashes || at != f->hashed) {
        return SP_OK; /* read back when it is its turn */
    }
    f->hashed += bytes.len;
    return digest(f, at, bytes);
}

/* ---- what an earlier fill has left ----------------------------------------------- */

static bool is_as_noted(const struct fill *f)
{
    uint8_t sha256[32];
    return f->write_err == SP_OK && f->hashed == f->kept.prefix &&
           sp_digester_peek(f->digester, sha256) == SP_OK &&
           memcmp(sha256, f->kept.sha256, sizeof sha256) == 0;
}

/* As if nothing had been there. */
static enum sp_err begin_anew(struct fill *f)
{
    f->hashed = 0;
    sp_digester_free(&f->digester);
    SP_TRY(sp_digester_new_in_parts(SP_BLOCK_SIZE, sp_block_count(f->claim.size),
                                    &f->digester));
    return sp_stage_empty(f->stage);
}

static void taken_up(struct fill *f)
{
    sp_fill_staged_now(f, SP_OK, f->kept.prefix, NULL);
}

static void read_back(struct fill *f)
{
    enum sp_err e = SP_OK;
    bool stops = f->filler->stopping; /* then nothing is fetched, and all stays */
    if (!stops && f->write_err == SP_OK && f->hashed < f->kept.prefix) {
        hash(f, f->kept.prefix, read_back);
        return;
    }
    if (is_as_noted(f)) {
        f->noted = f->kept.prefix;
        sp_roads_resume(&f->roads, f->kept.prefix);
        sp_fill_take_up(f, taken_up);
        return;
    }
    if (!stops) {
        f->write_err = SP_OK;
        e = begin_anew(f);
    }
    sp_fill_staged_now(f, e, 0, NULL);
}

void sp_fill_read_back(struct fill *f)
{
    read_back(f);
}
