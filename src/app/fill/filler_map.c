/* Blocks that came far ahead of the rest, over a restart: each is put into the map
 * beside the staging file once it is whole, with its digest, and counts again when it
 * is read and found to be that. The digest over the whole file decides as ever. */
#include "app/fill/filler_parts.h"

#include "core/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

#define FILL_OF(job) SP_HOLDER(job, struct fill, chore.job)

static bool is_mapped(const struct fill *f, uint64_t block)
{
    return f->mapped && (f->mapped[block / 8] >> block % 8 & 1);
}

static void set_mapped(struct fill *f, uint64_t block)
{
    f->mapped[block / 8] |= (uint8_t)(1U << block % 8);
}

static bool make_bits(struct fill *f)
{
    if (!f->mapped) {
        f->mapped = calloc(1, sp_block_count(f->claim.size) / 8 + 1);
    }
    return f->mapped != NULL;
}

static enum sp_err digest_block(const struct fill *f, struct sp_stage_block *b,
                                uint8_t *bytes)
{
    SP_TRY(sp_stage_read(f->stage, b->number * SP_BLOCK_SIZE, bytes, SP_BLOCK_SIZE));
    sp_sha256(sp_view(bytes, SP_BLOCK_SIZE), b->sha256);
    return SP_OK;
}

/* ---- into the map ---------------------------------------------------------------- */

static void map_work(struct sp_job *job)
{
    struct fill *f = FILL_OF(job);
    struct chore *c = &f->chore;
    uint8_t *bytes = malloc(SP_BLOCK_SIZE);
    c->err = bytes ? SP_OK : SP_E_NOMEM;
    for (size_t i = 0; i < c->count && c->err == SP_OK; i++) {
        struct sp_stage_block b = {.number = c->blocks[i]};
        c->err = digest_block(f, &b, bytes);
        if (c->err == SP_OK) {
            c->err = sp_stage_map(f->stage, &b);
        }
    }
    free(bytes);
}

/* What could not be mapped is fetched again after a restart: that is all. */
static void map_done(struct sp_job *job)
{
    struct fill *f = FILL_OF(job);
    f->filler->is_noting = false;
    f->chore.busy = false;
    f->chore.then(f);
}

/* Whole blocks of this part that are not in the map yet. */
static void gather(struct fill *f, struct sp_span s)
{
    struct chore *c = &f->chore;
    uint64_t block = (s.first + SP_BLOCK_SIZE - 1) / SP_BLOCK_SIZE;
    for (; (block + 1) * SP_BLOCK_SIZE <= s.end && c->count < MAP_BATCH; block++) {
        if (!is_mapped(f, block)) {
            c->blocks[c->count++] = block;
            set_mapped(f, block);
        }
    }
}

bool sp_fill_map(struct fill *f)
{
    const struct sp_extents *e = &f->roads.staged;
    if (!f->roads.scattered || f->strewn < SP_BLOCK_SIZE || f->noted == 0 ||
        !make_bits(f)) {
        return false;
    }
    f->chore = (struct chore){.job = {.work = map_work, .done = map_done},
                              .then = sp_fill_settle};
    for (size_t i = 0; i < e->count && f->chore.count < MAP_BATCH; i++) {
        if (e->at[i].first > f->hashed) { /* what is in front the prefix has */
            gather(f, e->at[i]);
        }
    }
    if (f->chore.count < MAP_BATCH) {
        f->strewn = 0;
    }
    if (f->chore.count > 0) {
        f->chore.busy = f->filler->is_noting = true;
        sp_loop_work(f->filler->loop, &f->chore.job);
    }
    return f->chore.busy;
}

/* ---- out of the map -------------------------------------------------------------- */

/* A block that can be one, is not there yet, and holds what the map says. */
static bool is_good(const struct fill *f, const struct sp_stage_block *said,
                    uint8_t *bytes)
{
    struct sp_stage_block b = {.number = said->number};
    return b.number < f->claim.size / SP_BLOCK_SIZE &&
           b.number * SP_BLOCK_SIZE >= f->kept.prefix && !is_mapped(f, b.number) &&
           digest_block(f, &b, bytes) == SP_OK &&
           memcmp(b.sha256, said->sha256, sizeof b.sha256) == 0;
}

static void take_up_work(struct sp_job *job)
{
    struct fill *f = FILL_OF(job);
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_stage_block said;
    uint8_t *bytes = malloc(SP_BLOCK_SIZE);
    sp_buf_init(&text, SP_LIMIT_STAGE_MAP);
    bool reads = bytes && sp_stage_read_map(f->stage, &text) == SP_OK;
    struct sp_view rest = reads ? sp_buf_view(&text) : (struct sp_view){0};
    while (!f->filler->stopping && sp_stage_map_next(&rest, &said) == SP_OK) {
        if (is_good(f, &said, bytes)) {
            set_mapped(f, said.number);
        }
    }
    free(bytes);
}

static void take_up_done(struct sp_job *job)
{
    struct fill *f = FILL_OF(job);
    for (uint64_t i = 0; i < f->claim.size / SP_BLOCK_SIZE; i++) {
        struct sp_span s = {i * SP_BLOCK_SIZE, (i + 1) * SP_BLOCK_SIZE};
        if (is_mapped(f, i) && sp_roads_regain(&f->roads, s) == SP_OK) {
            sp_stage_regain(f->stage, SP_BLOCK_SIZE);
        }
    }
    f->chore.busy = false;
    f->chore.then(f);
}

void sp_fill_take_up(struct fill *f, void (*then)(struct fill *f))
{
    if (!make_bits(f)) {
        then(f);
        return;
    }
    f->chore = (struct chore){.job = {.work = take_up_work, .done = take_up_done},
                              .busy = true,
                              .then = then};
    sp_loop_work(f->filler->loop, &f->chore.job);
}
