/* Checking a ledger from its entries up. Nothing that was computed before is believed:
 * all hashes are made anew and compared with every tile, the view and the signatures.
 *
 * Bundles are looked at by several threads; the tree over them is grown in order, so
 * what is told first of a damaged ledger is always the same. */
#include "io/store/ledger_inside.h"

#include "core/base/limits.h"
#include "core/custody/facts_plain.h"
#include "core/custody/tile_hash.h"
#include "io/loop/crew.h"
#include "io/store/files.h"
#include "io/store/journal.h"
#include "sallyport/facts.h"

#include <stdlib.h>
#include <string.h>

enum { BUNDLE_MAX = SP_TILE_WIDTH * (SP_LIMIT_LEDGER_ENTRY + 2) };

/* What a thread works with, from bundle to bundle. */
struct desk {
    struct sp_buf bytes;       /* the file that is looked at */
    struct sp_sha256_row *row; /* owned */
};

/* What came of a bundle: the hashes of its first entries that are good, and what is
 * wrong behind them, or with its tile. */
struct seen {
    unsigned good;
    uint8_t leaves[SP_TILE_BYTES], root[SP_HASH];
    enum sp_err e;
    struct sp_why why;
};

struct check {
    struct sp_ledger_files *l; /* owned; the threads read l->dir of it */
    struct sp_tree *tree;      /* owned: made anew from the entries */
    struct sp_merkle merkle;   /* of every entry so far */
    struct sp_buf bytes;       /* the file that is looked at outside of bundles */
    struct sp_checkpoint
        view;    /* what the checkpoint file says; its views are not used */
    bool locked; /* no writer: the journal is checked as well */
    void (*progress)(void *ctx, uint64_t done, uint64_t all);
    void *ctx; /* borrowed from the caller */
    struct sp_why *why;
    struct desk desks[SP_CREW_THREADS];
    struct seen seen[SP_CREW_SLOTS];
};

static enum sp_err wrong_file(struct sp_why *why, enum sp_err e, const char *path)
{
    bool damage = e != SP_E_IO && e != SP_E_NOMEM && e != SP_E_DENIED;
    return sp_why_set(why, damage ? SP_E_CORRUPT : e,
                      "the ledger's file %s is missing or wrong", path);
}

static enum sp_err read_file(const struct check *c, const char *path,
                             struct sp_buf *bytes, struct sp_why *why)
{
    sp_buf_clear(bytes);
    enum sp_err e = sp_file_read_at(c->l->dir, path, bytes);
    return e == SP_OK ? e : wrong_file(why, e, path);
}

static enum sp_err expect_file(const struct check *c, const char *path,
                               struct sp_view expected, struct sp_buf *bytes,
                               struct sp_why *why)
{
    SP_TRY(read_file(c, path, bytes, why));
    return sp_view_eq(sp_buf_view(bytes), expected)
               ? SP_OK
               : wrong_file(why, SP_E_CORRUPT, path);
}

/* ---- a bundle, in any thread ---------------------------------------------------- */

static enum sp_err check_facts(struct sp_view entry, uint64_t number,
                               struct sp_why *out)
{
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    struct sp_why why = {0};
    if (sp_facts_are_plain(entry)) {
        return SP_OK;
    }
    enum sp_err e = sp_facts_decode(entry, &facts, &why);
    return e == SP_OK ? SP_OK
                      : sp_why_set(out, e == SP_E_NOMEM ? e : SP_E_CORRUPT,
                                   "entry %llu of the ledger is no set of facts: %s",
                                   (unsigned long long)number, sp_why_text(&why, e));
}

static enum sp_err look_at_entries(const struct check *c, struct desk *d,
                                   uint64_t index, struct seen *out)
{
    char path[SP_TILE_PATH_MAX];
    struct sp_view entry = {0};
    sp_tile_entries_path(index, SP_TILE_WIDTH, path);
    SP_TRY(read_file(c, path, &d->bytes, &out->why));
    struct sp_view rest = sp_buf_view(&d->bytes);
    while (out->good < SP_TILE_WIDTH) {
        if (sp_tile_entries_next(&rest, &entry) != SP_OK) {
            return wrong_file(&out->why, SP_E_CORRUPT, path);
        }
        SP_TRY(check_facts(entry, index * SP_TILE_WIDTH + out->good, &out->why));
        sp_tile_leaf(d->row, entry, out->leaves + (size_t)out->good++ * SP_HASH);
    }
    return rest.len ? wrong_file(&out->why, SP_E_CORRUPT, path) : SP_OK;
}

static enum sp_err look_at_bundle(const struct check *c, struct desk *d, uint64_t index,
                                  struct seen *out)
{
    char path[SP_TILE_PATH_MAX];
    if (!d->row) {
        SP_TRY(sp_sha256_row_new(&d->row));
        sp_buf_init(&d->bytes, BUNDLE_MAX);
    }
    SP_TRY(look_at_entries(c, d, index, out));
    sp_tile_path(0, index, SP_TILE_WIDTH, path);
    SP_TRY(expect_file(c, path, sp_view(out->leaves, SP_TILE_BYTES), &d->bytes,
                       &out->why));
    sp_tile_root(d->row, out->leaves, out->root);
    return SP_OK;
}

static void work(void *ctx, unsigned desk, unsigned slot, uint64_t piece)
{
    struct check *c = ctx;
    struct seen *out = &c->seen[slot];
    out->good = 0;
    out->why = (struct sp_why){0};
    out->e = look_at_bundle(c, &c->desks[desk], piece, out);
}

/* ---- the tree, in order --------------------------------------------------------- */

static enum sp_err check_view_root(struct check *c)
{
    uint8_t root[SP_HASH];
    if (c->merkle.size != c->view.size) {
        return SP_OK;
    }
    sp_merkle_root(&c->merkle, root);
    return memcmp(root, c->view.root, SP_HASH) == 0
               ? SP_OK
               : wrong_file(c->why, SP_E_CORRUPT, "checkpoint");
}

static enum sp_err append_leaves(struct check *c, const uint8_t *leaves, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sp_merkle_append(&c->merkle, leaves + (size_t)i * SP_HASH);
        SP_TRY(check_view_root(c));
    }
    return SP_OK;
}

static enum sp_err expect_tile(void *ctx, unsigned level, uint64_t index,
                               const uint8_t hashes[SP_TILE_BYTES])
{
    struct check *c = ctx;
    char path[SP_TILE_PATH_MAX];
    sp_tile_path(level, index, SP_TILE_WIDTH, path);
    return expect_file(c, path, sp_view(hashes, SP_TILE_BYTES), &c->bytes, c->why);
}

/* Leaf by leaf only where the view ends, or something is wrong. */
static enum sp_err take(void *ctx, unsigned slot, uint64_t piece)
{
    struct check *c = ctx;
    const struct seen *seen = &c->seen[slot];
    const struct sp_tile_sink sink = {c, expect_tile};
    bool view_ends_here =
        c->view.size > c->merkle.size && c->view.size - c->merkle.size <= seen->good;
    (void)piece;
    if (seen->e != SP_OK || view_ends_here) {
        SP_TRY(append_leaves(c, seen->leaves, seen->good));
    }
    if (seen->e != SP_OK) {
        sp_why_say(c->why, "%s", sp_why_text(&seen->why, seen->e));
        return seen->e;
    }
    SP_TRY(sp_tree_grow(c->tree, seen->root, &sink));
    c->merkle = c->tree->merkle;
    if (c->progress) {
        c->progress(c->ctx, c->merkle.size, c->l->merkle.size);
    }
    return SP_OK;
}

static enum sp_err check_tail(struct check *c)
{
    struct sp_view rest = sp_buf_view(&c->l->tail), entry;
    while (rest.len) {
        uint8_t leaf[SP_HASH];
        SP_TRY(sp_tile_entries_next(&rest, &entry));
        SP_TRY(check_facts(entry, c->merkle.size, c->why));
        sp_merkle_leaf(entry, leaf);
        SP_TRY(append_leaves(c, leaf, 1));
    }
    return SP_OK;
}

/* The partial files that the checkpoint file needs. They are the journal's tail, or the
 * front of it where a crash came before the view was written. */
static enum sp_err check_partials(struct check *c)
{
    struct sp_ledger_files *l = c->l;
    char path[SP_TILE_PATH_MAX];
    unsigned width = (unsigned)(c->view.size % SP_TILE_WIDTH);
    if (c->view.size - width != l->base->merkle.size) {
        return SP_OK; /* superseded by full tiles, which are checked */
    }
    if (width) {
        struct sp_view rest = sp_buf_view(&l->tail), entry;
        for (unsigned i = 0; i < width; i++) {
            SP_TRY(sp_tile_entries_next(&rest, &entry));
        }
        sp_tile_entries_path(c->view.size / SP_TILE_WIDTH, width, path);
        SP_TRY(expect_file(
            c, path, sp_view_slice(sp_buf_view(&l->tail), 0, l->tail.len - rest.len),
            &c->bytes, c->why));
        sp_tile_path(0, c->view.size / SP_TILE_WIDTH, width, path);
        SP_TRY(expect_file(c, path, sp_view(l->leaves.data, (size_t)width * SP_HASH),
                           &c->bytes, c->why));
    }
    for (unsigned level = 1; level < SP_TILE_LEVELS; level++) {
        const struct sp_edge *edge = &c->tree->edges[level];
        if (edge->count) {
            sp_tile_path(level, c->view.size >> (8 * level) >> 8, edge->count, path);
            SP_TRY(expect_file(c, path,
                               sp_view(edge->hashes, (size_t)edge->count * SP_HASH),
                               &c->bytes, c->why));
        }
    }
    return SP_OK;
}

static enum sp_err check_entries(struct check *c, unsigned threads)
{
    const struct sp_crew crew = {c, work, take};
    uint64_t all = c->l->merkle.size, base = c->l->base->merkle.size;
    uint8_t root[SP_HASH], computed[SP_HASH];
    SP_TRY(check_view_root(c));
    SP_TRY(sp_crew_run(&crew, threads, base / SP_TILE_WIDTH));
    SP_TRY(check_tail(c));
    sp_merkle_root(&c->l->merkle, root);
    sp_merkle_root(&c->merkle, computed);
    if (c->merkle.size != all || memcmp(root, computed, SP_HASH) != 0) {
        return sp_why_set(c->why, SP_E_CORRUPT,
                          "the ledger's entries do not give the root that was signed");
    }
    if (c->progress) {
        c->progress(c->ctx, all, all);
    }
    /* a running writer replaces them; what it has there was read by load */
    return c->locked ? check_partials(c) : SP_OK;
}

static enum sp_err read_view_checkpoint(struct check *c)
{
    SP_TRY(read_file(c, "checkpoint", &c->bytes, c->why));
    enum sp_err e =
        sp_checkpoint_open(sp_buf_view(&c->bytes), c->l->key, &c->view, NULL);
    if (e != SP_OK || c->view.size > c->l->merkle.size) {
        return wrong_file(c->why, SP_E_CORRUPT, "checkpoint");
    }
    return SP_OK;
}

/* Beside a running writer the journal is in motion; then the view is what is checked.
 */
static enum sp_err load(struct check *c, const char *state_dir)
{
    struct sp_ledger_files *l = c->l;
    SP_TRY(sp_ledger_open_dir(l, state_dir, c->why));
    SP_TRY(sp_ledger_load_public_key(l, c->why));
    SP_TRY(sp_ledger_check_keys(l, c->why));
    c->locked = sp_file_lock_at(l->dir, "lock", "the ledger", &l->lock, NULL) == SP_OK;
    if (!c->locked) {
        SP_TRY(sp_ledger_load_view(l, c->why));
        return sp_checkpoint_open(sp_buf_view(&l->note), l->key, &c->view, c->why);
    }
    SP_TRY(sp_ledger_load_journal(l, c->why));
    return read_view_checkpoint(c);
}

static enum sp_err verify(struct check *c, const char *state_dir, unsigned threads)
{
    SP_TRY(sp_ledger_new(&c->l));
    c->tree = calloc(1, sizeof *c->tree);
    if (!c->tree) {
        return SP_E_NOMEM;
    }
    SP_TRY(load(c, state_dir));
    return check_entries(c, threads);
}

static void check_free(struct check **c)
{
    for (unsigned i = 0; *c && i < SP_CREW_THREADS; i++) {
        sp_buf_fini(&(*c)->desks[i].bytes);
        sp_sha256_row_free(&(*c)->desks[i].row);
    }
    if (*c) {
        sp_ledger_close(&(*c)->l);
        free((*c)->tree);
        sp_buf_fini(&(*c)->bytes);
    }
    free(*c);
    *c = NULL;
}

enum sp_err sp_ledger_verify(const char *state_dir, unsigned threads,
                             void (*progress)(void *ctx, uint64_t done, uint64_t all),
                             void *ctx, uint64_t *entries, struct sp_why *why)
{
    SP_AUTO(check_free) struct check *c = calloc(1, sizeof *c);
    *entries = 0;
    if (!c) {
        return SP_E_NOMEM;
    }
    c->progress = progress;
    c->ctx = ctx;
    c->why = why;
    sp_buf_init(&c->bytes, BUNDLE_MAX);
    enum sp_err e = verify(c, state_dir, threads);
    *entries = c->merkle.size;
    return e;
}
