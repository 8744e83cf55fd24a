/* Checking a ledger from its entries up. Nothing that was computed before is believed:
 * all hashes are made anew and compared with every tile, the view and the signatures.
 */
#include "io/store/ledger_inside.h"

#include "core/base/limits.h"
#include "io/store/files.h"
#include "io/store/journal.h"
#include "sallyport/facts.h"

#include <stdlib.h>
#include <string.h>

struct check {
    struct sp_ledger_files *l; /* owned */
    struct sp_tree *tree;      /* owned: made anew from the entries */
    struct sp_merkle merkle;   /* of every entry so far */
    struct sp_buf bytes;       /* the file that is looked at */
    struct sp_checkpoint
        view;    /* what the checkpoint file says; its views are not used */
    bool locked; /* no writer: the journal is checked as well */
    void (*progress)(void *ctx, uint64_t done, uint64_t all);
    void *ctx; /* borrowed from the caller */
    struct sp_why *why;
};

static enum sp_err wrong_file(struct check *c, enum sp_err e, const char *path)
{
    bool damage = e != SP_E_IO && e != SP_E_NOMEM && e != SP_E_DENIED;
    return sp_why_set(c->why, damage ? SP_E_CORRUPT : e,
                      "the ledger's file %s is missing or wrong", path);
}

static enum sp_err read_file(struct check *c, const char *path)
{
    sp_buf_clear(&c->bytes);
    enum sp_err e = sp_file_read_at(c->l->dir, path, &c->bytes);
    return e == SP_OK ? e : wrong_file(c, e, path);
}

static enum sp_err expect_file(struct check *c, const char *path,
                               struct sp_view expected)
{
    SP_TRY(read_file(c, path));
    return sp_view_eq(sp_buf_view(&c->bytes), expected)
               ? SP_OK
               : wrong_file(c, SP_E_CORRUPT, path);
}

static enum sp_err check_view_root(struct check *c)
{
    uint8_t root[SP_HASH];
    if (c->merkle.size != c->view.size) {
        return SP_OK;
    }
    sp_merkle_root(&c->merkle, root);
    return memcmp(root, c->view.root, SP_HASH) == 0
               ? SP_OK
               : wrong_file(c, SP_E_CORRUPT, "checkpoint");
}

static enum sp_err check_entry(struct check *c, struct sp_view entry,
                               uint8_t leaf[SP_HASH])
{
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    struct sp_why why = {0};
    enum sp_err e = sp_facts_decode(entry, &facts, &why);
    if (e != SP_OK) {
        return sp_why_set(c->why, e == SP_E_NOMEM ? e : SP_E_CORRUPT,
                          "entry %llu of the ledger is no set of facts: %s",
                          (unsigned long long)c->merkle.size, sp_why_text(&why, e));
    }
    sp_merkle_leaf(entry, leaf);
    sp_merkle_append(&c->merkle, leaf);
    return check_view_root(c);
}

static enum sp_err expect_tile(void *ctx, unsigned level, uint64_t index,
                               const uint8_t hashes[SP_TILE_BYTES])
{
    struct check *c = ctx;
    char path[SP_TILE_PATH_MAX];
    sp_tile_path(level, index, SP_TILE_WIDTH, path);
    return expect_file(c, path, sp_view(hashes, SP_TILE_BYTES));
}

static enum sp_err check_bundle(struct check *c, uint64_t index)
{
    static const struct sp_view nothing = {0};
    uint8_t leaves[SP_TILE_BYTES];
    char path[SP_TILE_PATH_MAX];
    struct sp_tile_sink sink = {c, expect_tile};
    struct sp_view entry = nothing;
    sp_tile_entries_path(index, SP_TILE_WIDTH, path);
    SP_TRY(read_file(c, path));
    struct sp_view rest = sp_buf_view(&c->bytes);
    for (int i = 0; i < SP_TILE_WIDTH; i++) {
        if (sp_tile_entries_next(&rest, &entry) != SP_OK) {
            return wrong_file(c, SP_E_CORRUPT, path);
        }
        SP_TRY(check_entry(c, entry, leaves + (size_t)i * SP_HASH));
    }
    if (rest.len) {
        return wrong_file(c, SP_E_CORRUPT, path);
    }
    return sp_tree_add(c->tree, leaves, &sink);
}

static enum sp_err check_tail(struct check *c)
{
    struct sp_view rest = sp_buf_view(&c->l->tail), entry;
    while (rest.len) {
        uint8_t leaf[SP_HASH];
        SP_TRY(sp_tile_entries_next(&rest, &entry));
        SP_TRY(check_entry(c, entry, leaf));
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
            c, path, sp_view_slice(sp_buf_view(&l->tail), 0, l->tail.len - rest.len)));
        sp_tile_path(0, c->view.size / SP_TILE_WIDTH, width, path);
        SP_TRY(expect_file(c, path, sp_view(l->leaves.data, (size_t)width * SP_HASH)));
    }
    for (unsigned level = 1; level < SP_TILE_LEVELS; level++) {
        const struct sp_edge *edge = &c->tree->edges[level];
        if (edge->count) {
            sp_tile_path(level, c->view.size >> (8 * level) >> 8, edge->count, path);
            SP_TRY(expect_file(c, path,
                               sp_view(edge->hashes, (size_t)edge->count * SP_HASH)));
        }
    }
    return SP_OK;
}

static enum sp_err check_entries(struct check *c)
{
    uint64_t all = c->l->merkle.size, base = c->l->base->merkle.size;
    uint8_t root[SP_HASH], computed[SP_HASH];
    SP_TRY(check_view_root(c));
    for (uint64_t i = 0; i < base / SP_TILE_WIDTH; i++) {
        SP_TRY(check_bundle(c, i));
        if (c->progress) {
            c->progress(c->ctx, c->merkle.size, all);
        }
    }
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
    SP_TRY(read_file(c, "checkpoint"));
    enum sp_err e =
        sp_checkpoint_open(sp_buf_view(&c->bytes), c->l->key, &c->view, NULL);
    if (e != SP_OK || c->view.size > c->l->merkle.size) {
        return wrong_file(c, SP_E_CORRUPT, "checkpoint");
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

static enum sp_err verify(struct check *c, const char *state_dir)
{
    SP_TRY(sp_ledger_new(&c->l));
    c->tree = calloc(1, sizeof *c->tree);
    if (!c->tree) {
        return SP_E_NOMEM;
    }
    SP_TRY(load(c, state_dir));
    return check_entries(c);
}

enum sp_err sp_ledger_verify(const char *state_dir,
                             void (*progress)(void *ctx, uint64_t done, uint64_t all),
                             void *ctx, uint64_t *entries, struct sp_why *why)
{
    struct check c = {.progress = progress, .ctx = ctx, .why = why};
    sp_buf_init(&c.bytes, (size_t)SP_TILE_WIDTH * (SP_LIMIT_LEDGER_ENTRY + 2));
    enum sp_err e = verify(&c, state_dir);
    *entries = c.merkle.size;
    sp_ledger_close(&c.l);
    free(c.tree);
    sp_buf_fini(&c.bytes);
    return e;
}
