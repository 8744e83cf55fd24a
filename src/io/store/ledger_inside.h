/* What the files of the ledger share. The tree is kept in two parts: complete bundles
 * of 256 entries (the base) lie in tiles that never change; the entries behind them
 * (the tail) are in memory, as the journal or the view has them. */
#ifndef SP_IO_STORE_LEDGER_INSIDE_H
#define SP_IO_STORE_LEDGER_INSIDE_H

#include "io/store/ledger_files.h"

#define SP_TILE_BYTES   (SP_TILE_WIDTH * SP_HASH)
#define SP_TILE_LEVELS  8    /* 256^8 entries are more than 64 bits count */
#define SP_LEDGER_BATCH 4096 /* entries of one append */
/* The tail is rolled into tiles before a batch is taken, so it stays below both. */
#define SP_TAIL_ENTRIES (SP_TILE_WIDTH + SP_LEDGER_BATCH)

/* The tree over the base: its size is a multiple of 256. edges[l] holds the hashes of
 * the tile of level l that is not full yet; that of level 0 is the tail's. */
struct sp_tree {
    struct sp_merkle merkle;
    struct sp_edge {
        unsigned count;
        uint8_t hashes[SP_TILE_WIDTH][SP_HASH];
    } edges[SP_TILE_LEVELS];
};
/* Adds 256 leaves. Every tile that gets full is given to put; after an error of put the
 * tree is useless. */
struct sp_tile_sink {
    void *ctx;
    enum sp_err (*put)(void *ctx, unsigned level, uint64_t index,
                       const uint8_t hashes[SP_TILE_BYTES]);
};
enum sp_err sp_tree_add(struct sp_tree *t, const uint8_t leaves[SP_TILE_BYTES],
                        const struct sp_tile_sink *sink) SP_MUST_USE;
/* The same for 256 leaves of which the root is known; their own tile is not put. */
enum sp_err sp_tree_grow(struct sp_tree *t, const uint8_t root[SP_HASH],
                         const struct sp_tile_sink *sink) SP_MUST_USE;

struct sp_ledger_files {
    int dir, lock, journal;   /* owned; lock and journal are -1 in a view */
    uint64_t journal_len;     /* bytes that count */
    struct sp_why refusal;    /* not empty: no append until a restart */
    struct sp_note_key *key;  /* owned; only the public half in a view */
    struct sp_buf public_key; /* with a NUL behind len */
    struct sp_buf note;       /* the checkpoint in force */
    struct sp_merkle merkle;  /* of all entries */
    struct sp_tree *base;     /* owned */
    struct sp_buf tail;       /* entries behind the base, as a bundle */
    struct sp_buf leaves;     /* their hashes */
    uint64_t view_base;       /* base size when the view was written last */
    /* one bundle and one tile that were read last; sound only with the flag set */
    struct sp_buf bundle;
    uint64_t bundle_index;
    uint8_t tile[SP_TILE_BYTES];
    unsigned tile_level;
    uint64_t tile_index;
    bool has_bundle, has_tile;
};

/* ledger_open.c */
enum sp_err sp_ledger_new(struct sp_ledger_files **out) SP_MUST_USE; /* empty */
enum sp_err sp_ledger_open_dir(struct sp_ledger_files *l, const char *state_dir,
                               struct sp_why *why) SP_MUST_USE;
/* Reads journal or view; changes nothing on disk. */
enum sp_err sp_ledger_load_journal(struct sp_ledger_files *l,
                                   struct sp_why *why) SP_MUST_USE;
enum sp_err sp_ledger_load_view(struct sp_ledger_files *l,
                                struct sp_why *why) SP_MUST_USE;

/* ledger_key.c */
enum sp_err sp_ledger_load_key(struct sp_ledger_files *l,
                               struct sp_why *why) SP_MUST_USE;
enum sp_err sp_ledger_load_public_key(struct sp_ledger_files *l,
                                      struct sp_why *why) SP_MUST_USE;
enum sp_err sp_ledger_make_key(struct sp_ledger_files *l, const char *origin,
                               struct sp_why *why) SP_MUST_USE;
/* The private key, where it can be read, belongs to the public one. */
enum sp_err sp_ledger_check_keys(struct sp_ledger_files *l,
                                 struct sp_why *why) SP_MUST_USE;

/* ledger_tree.c */
enum sp_err sp_ledger_load_base(struct sp_ledger_files *l, uint64_t size,
                                struct sp_why *why) SP_MUST_USE;
enum sp_err sp_ledger_load_tile(struct sp_ledger_files *l, unsigned level,
                                uint64_t index, const uint8_t **out) SP_MUST_USE;

/* ledger_append.c */
size_t sp_ledger_tail_count(const struct sp_ledger_files *l);
enum sp_err sp_ledger_tail_add(struct sp_ledger_files *l,
                               struct sp_view entry) SP_MUST_USE;
enum sp_err sp_ledger_sign(const struct sp_ledger_files *l, const struct sp_merkle *m,
                           struct sp_buf *note) SP_MUST_USE;

/* ledger_roll.c: moves all complete bundles of the tail into tiles and begins a new
 * journal. On failure the old journal stays in force, or l refuses from then on. */
enum sp_err sp_ledger_roll(struct sp_ledger_files *l, struct sp_why *why) SP_MUST_USE;
enum sp_err sp_ledger_begin_journal(struct sp_ledger_files *l,
                                    const struct sp_merkle *base, struct sp_view tail,
                                    struct sp_why *why) SP_MUST_USE;

/* ledger_view.c: the C2SP files of what is acknowledged but not in full tiles. Nothing
 * depends on them, so a failure is left to the next call. */
void sp_ledger_write_view(struct sp_ledger_files *l);

#endif
