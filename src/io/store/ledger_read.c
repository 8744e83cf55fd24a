/* Reading single entries and the ledger's state. */
#include "io/store/ledger_inside.h"

#include "core/base/limits.h"
#include "io/store/files.h"

#include <string.h>

uint64_t sp_ledger_size(const struct sp_ledger_files *l)
{
    return l->merkle.size;
}

void sp_ledger_root(const struct sp_ledger_files *l, uint8_t out[SP_HASH])
{
    sp_merkle_root(&l->merkle, out);
}

const char *sp_ledger_public_key(const struct sp_ledger_files *l)
{
    return (const char *)l->public_key.data;
}

enum sp_err sp_ledger_checkpoint(struct sp_ledger_files *l, struct sp_buf *out)
{
    return sp_buf_append(out, sp_buf_view(&l->note));
}

/* Reading goes on in order mostly, so the last bundle is kept. */
static enum sp_err load_bundle(struct sp_ledger_files *l, uint64_t index)
{
    char path[SP_TILE_PATH_MAX];
    if (l->has_bundle && l->bundle_index == index) {
        return SP_OK;
    }
    l->has_bundle = false;
    sp_buf_clear(&l->bundle);
    sp_tile_entries_path(index, SP_TILE_WIDTH, path);
    SP_TRY(sp_file_read_at(l->dir, path, &l->bundle));
    l->has_bundle = true;
    l->bundle_index = index;
    return SP_OK;
}

static enum sp_err find_entry(struct sp_view bundle, uint64_t n, struct sp_view *out)
{
    for (uint64_t i = 0; i <= n; i++) {
        SP_TRY(sp_tile_entries_next(&bundle, out));
    }
    return SP_OK;
}

enum sp_err sp_ledger_read(struct sp_ledger_files *l, uint64_t n, struct sp_buf *out,
                           struct sp_why *why)
{
    struct sp_view entry = {0};
    uint64_t base = l->base->merkle.size;
    if (n >= l->merkle.size) {
        return SP_E_NOTFOUND;
    }
    enum sp_err e;
    if (n >= base) {
        e = find_entry(sp_buf_view(&l->tail), n - base, &entry);
    } else {
        e = load_bundle(l, n / SP_TILE_WIDTH);
        if (e == SP_OK) {
            e = find_entry(sp_buf_view(&l->bundle), n % SP_TILE_WIDTH, &entry);
        }
    }
    if (e != SP_OK) {
        return sp_why_set(why, e == SP_E_IO || e == SP_E_NOMEM ? e : SP_E_CORRUPT,
                          "entry %llu of the ledger cannot be read",
                          (unsigned long long)n);
    }
    return sp_buf_append(out, entry);
}

/* bundle begins with entry number first. */
static enum sp_err each_of(struct sp_view bundle, uint64_t first, uint64_t from,
                           enum sp_err (*each)(void *ctx, uint64_t n,
                                               struct sp_view entry),
                           void *ctx, struct sp_why *why)
{
    struct sp_view entry = {0};
    for (uint64_t n = first; bundle.len; n++) {
        if (sp_tile_entries_next(&bundle, &entry) != SP_OK) {
            return sp_why_set(why, SP_E_CORRUPT,
                              "entry %llu of the ledger cannot be read",
                              (unsigned long long)n);
        }
        SP_TRY(n >= from ? each(ctx, n, entry) : SP_OK);
    }
    return SP_OK;
}

enum sp_err sp_ledger_each(struct sp_ledger_files *l, uint64_t from,
                           enum sp_err (*each)(void *ctx, uint64_t n,
                                               struct sp_view entry),
                           void *ctx, struct sp_why *why)
{
    uint64_t base = l->base->merkle.size;
    for (uint64_t at = from - from % SP_TILE_WIDTH; at < base; at += SP_TILE_WIDTH) {
        enum sp_err e = load_bundle(l, at / SP_TILE_WIDTH);
        if (e != SP_OK) {
            return sp_why_set(why, e == SP_E_IO || e == SP_E_NOMEM ? e : SP_E_CORRUPT,
                              "entries %llu and on of the ledger cannot be read",
                              (unsigned long long)at);
        }
        SP_TRY(each_of(sp_buf_view(&l->bundle), at, from, each, ctx, why));
    }
    return each_of(sp_buf_view(&l->tail), base, from, each, ctx, why);
}

/* It is of this very ledger: signed by its key, about a beginning of its tree. */
static enum sp_err read_cosigned(struct sp_ledger_files *l, struct sp_buf *note,
                                 uint64_t *size)
{
    struct sp_hash_reader r = sp_ledger_hashes(l);
    struct sp_merkle m = {0};
    struct sp_checkpoint c;
    uint8_t root[SP_HASH];
    SP_TRY(sp_file_read_at(l->dir, SP_LEDGER_COSIGNED, note));
    SP_TRY(sp_checkpoint_open(sp_buf_view(note), l->key, &c, NULL));
    SP_TRY(c.size <= l->merkle.size ? sp_merkle_load(&r, c.size, &m) : SP_E_NOTFOUND);
    sp_merkle_root(&m, root);
    if (memcmp(root, c.root, SP_HASH) != 0) {
        return SP_E_CORRUPT;
    }
    *size = c.size;
    return SP_OK;
}

enum sp_err sp_ledger_checkpoint_upto(struct sp_ledger_files *l, bool only_cosigned,
                                      struct sp_buf *out, uint64_t *size,
                                      struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    uint64_t cosigned = 0;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    enum sp_err e = read_cosigned(l, &note, &cosigned);
    if (e == SP_OK && (only_cosigned || cosigned == l->merkle.size)) {
        *size = cosigned;
        return sp_buf_append(out, sp_buf_view(&note));
    }
    if (only_cosigned) {
        return sp_why_set(why, e == SP_OK ? SP_E_NOTFOUND : e,
                          "the ledger has no cosigned checkpoint");
    }
    *size = l->merkle.size;
    return sp_ledger_checkpoint(l, out);
}
