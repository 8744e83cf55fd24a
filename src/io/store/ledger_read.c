/* Reading single entries and the ledger's state. */
#include "io/store/ledger_inside.h"

#include "io/store/files.h"

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
