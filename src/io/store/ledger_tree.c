/* The tree over full tiles: growing it, loading it, reading hashes out of it. */
#include "io/store/ledger_inside.h"

#include "io/store/files.h"

#include <string.h>

/* The root of a complete subtree over n hashes; n is a power of two. */
static void fold(const uint8_t *hashes, uint64_t n, uint8_t out[SP_HASH])
{
    struct sp_merkle m = {0};
    for (uint64_t i = 0; i < n; i++) {
        sp_merkle_append(&m, hashes + i * SP_HASH);
    }
    sp_merkle_root(&m, out);
}

enum sp_err sp_tree_grow(struct sp_tree *t, const uint8_t root[SP_HASH],
                         const struct sp_tile_sink *sink)
{
    uint64_t index = t->merkle.size / SP_TILE_WIDTH;
    uint8_t hash[SP_HASH];
    memcpy(hash, root, SP_HASH);
    for (unsigned level = 1;; level++) {
        SP_ASSERT(level < SP_TILE_LEVELS);
        struct sp_edge *edge = &t->edges[level];
        memcpy(edge->hashes[edge->count++], hash, SP_HASH);
        if (edge->count < SP_TILE_WIDTH) {
            break;
        }
        index /= SP_TILE_WIDTH;
        SP_TRY(sink->put(sink->ctx, level, index, edge->hashes[0]));
        fold(edge->hashes[0], SP_TILE_WIDTH, hash);
        edge->count = 0;
    }
    sp_merkle_append_tree(&t->merkle, 8, root);
    return SP_OK;
}

enum sp_err sp_tree_add(struct sp_tree *t, const uint8_t leaves[SP_TILE_BYTES],
                        const struct sp_tile_sink *sink)
{
    uint8_t root[SP_HASH];
    SP_TRY(sink->put(sink->ctx, 0, t->merkle.size / SP_TILE_WIDTH, leaves));
    fold(leaves, SP_TILE_WIDTH, root);
    return sp_tree_grow(t, root, sink);
}

enum sp_err sp_ledger_load_tile(struct sp_ledger_files *l, unsigned level,
                                uint64_t index, const uint8_t **out)
{
    char path[SP_TILE_PATH_MAX];
    struct sp_buf bytes;
    if (l->has_tile && l->tile_level == level && l->tile_index == index) {
        *out = l->tile;
        return SP_OK;
    }
    sp_tile_path(level, index, SP_TILE_WIDTH, path);
    sp_buf_init(&bytes, SP_TILE_BYTES);
    enum sp_err e = sp_file_read_at(l->dir, path, &bytes);
    if (e == SP_OK && bytes.len == SP_TILE_BYTES) {
        memcpy(l->tile, bytes.data, SP_TILE_BYTES);
        l->has_tile = true;
        l->tile_level = level;
        l->tile_index = index;
        *out = l->tile;
    } else if (e == SP_OK || e == SP_E_LIMIT || e == SP_E_NOTFOUND) {
        e = SP_E_CORRUPT;
    }
    sp_buf_fini(&bytes);
    return e;
}

static enum sp_err load_edge(struct sp_ledger_files *l, unsigned level, uint64_t hashes,
                             struct sp_why *why)
{
    struct sp_edge *edge = &l->base->edges[level];
    edge->count = 0;
    for (uint64_t i = hashes - hashes % SP_TILE_WIDTH; i < hashes; i++) {
        const uint8_t *tile = NULL;
        enum sp_err e = sp_ledger_load_tile(l, level - 1, i, &tile);
        if (e != SP_OK) {
            char path[SP_TILE_PATH_MAX];
            sp_tile_path(level - 1, i, SP_TILE_WIDTH, path);
            return sp_why_set(
                why, e,
                "the ledger's file %s is missing or damaged; restore it from "
                "a backup",
                path);
        }
        fold(tile, SP_TILE_WIDTH, edge->hashes[edge->count++]);
    }
    return SP_OK;
}

enum sp_err sp_ledger_load_base(struct sp_ledger_files *l, uint64_t size,
                                struct sp_why *why)
{
    SP_ASSERT(size % SP_TILE_WIDTH == 0);
    uint64_t hashes = size;
    for (unsigned level = 1; level < SP_TILE_LEVELS; level++) {
        hashes /= SP_TILE_WIDTH;
        SP_TRY(load_edge(l, level, hashes, why));
    }
    l->base->merkle.size = size;
    l->merkle.size = size;
    struct sp_hash_reader r = sp_ledger_hashes(l);
    enum sp_err e = sp_merkle_load(&r, size, &l->base->merkle);
    if (e != SP_OK) {
        return sp_why_set(why, e, "the ledger's tiles cannot be read");
    }
    l->merkle = l->base->merkle;
    return SP_OK;
}

/* The complete subtree lies in the base: in a full tile or on an edge. */
static enum sp_err read_base(struct sp_ledger_files *l, unsigned level, uint64_t index,
                             uint8_t out[SP_HASH])
{
    unsigned tile_level = level / 8, height = level % 8;
    uint64_t first = index << height;
    uint64_t full = l->base->merkle.size >> (8 * tile_level) >> 8;
    const uint8_t *hashes = l->base->edges[tile_level].hashes[0];
    if (first / SP_TILE_WIDTH < full) {
        SP_TRY(sp_ledger_load_tile(l, tile_level, first / SP_TILE_WIDTH, &hashes));
    }
    fold(hashes + first % SP_TILE_WIDTH * SP_HASH, (uint64_t)1 << height, out);
    return SP_OK;
}

static enum sp_err read_hash(void *ctx, unsigned level, uint64_t index,
                             uint8_t out[SP_HASH])
{
    struct sp_ledger_files *l = ctx;
    uint64_t base = l->base->merkle.size;
    if (level >= 64 || index >= l->merkle.size >> level) {
        return SP_E_NOTFOUND;
    }
    uint64_t start = index << level, count = (uint64_t)1 << level;
    if (start + count <= base) {
        return read_base(l, level, index, out);
    }
    if (start < base) {
        /* only while full tiles wait for room on the disk */
        return SP_E_UNAVAILABLE;
    }
    fold(l->leaves.data + (start - base) * SP_HASH, count, out);
    return SP_OK;
}

struct sp_hash_reader sp_ledger_hashes(struct sp_ledger_files *l)
{
    return (struct sp_hash_reader){l, read_hash};
}
