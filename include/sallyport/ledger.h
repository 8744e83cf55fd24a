/* The ledger's mathematics and texts: RFC 6962 tree, C2SP tlog-tiles, tlog-checkpoint,
 * signed-note with Ed25519. Files and locks are elsewhere; this is pure.
 *
 * An entry is the canonical text of a set of facts (facts.h), 1..65535 bytes. Its leaf hash
 * is SHA-256(0x00 || entry), a node is SHA-256(0x01 || left || right). */
#ifndef SALLYPORT_LEDGER_H
#define SALLYPORT_LEDGER_H

#include "sallyport/bytes.h"

#define SP_HASH 32

void sp_merkle_leaf(struct sp_view entry, uint8_t out[SP_HASH]);
void sp_merkle_node(const uint8_t left[SP_HASH], const uint8_t right[SP_HASH],
                    uint8_t out[SP_HASH]);

/* A growing tree: its size and the roots of its complete subtrees, largest first. All zero
 * is the empty tree. Appending is O(log n). */
struct sp_merkle {
    uint64_t size;
    unsigned count;
    uint8_t roots[64][SP_HASH];
};
void sp_merkle_append(struct sp_merkle *m, const uint8_t leaf[SP_HASH]);
/* 2^level leaves at once, of which it is the root; the size is a multiple of that. */
void sp_merkle_append_tree(struct sp_merkle *m, unsigned level, const uint8_t root[SP_HASH]);
void sp_merkle_root(const struct sp_merkle *m, uint8_t out[SP_HASH]); /* empty: SHA-256("") */

/* Gives the hash of the complete subtree of 2^level leaves at index. */
struct sp_hash_reader {
    void *ctx;
    enum sp_err (*read)(void *ctx, unsigned level, uint64_t index, uint8_t out[SP_HASH]);
};
enum sp_err sp_merkle_load(const struct sp_hash_reader *r, uint64_t size,
                           struct sp_merkle *out) SP_MUST_USE;

#define SP_PROOF_MAX 64
struct sp_proof {
    unsigned count;
    uint8_t hashes[SP_PROOF_MAX][SP_HASH];
};
/* RFC 6962 2.1.1 and 2.1.2. index < size; old_size <= size. */
enum sp_err sp_merkle_prove(const struct sp_hash_reader *r, uint64_t index, uint64_t size,
                            struct sp_proof *out) SP_MUST_USE;
bool sp_merkle_check(const struct sp_proof *p, uint64_t index, uint64_t size,
                     const uint8_t leaf[SP_HASH], const uint8_t root[SP_HASH]);
enum sp_err sp_merkle_prove_growth(const struct sp_hash_reader *r, uint64_t old_size,
                                   uint64_t size, struct sp_proof *out) SP_MUST_USE;
bool sp_merkle_check_growth(const struct sp_proof *p, uint64_t old_size, uint64_t size,
                            const uint8_t old_root[SP_HASH], const uint8_t root[SP_HASH]);

/* Where a listener with TLS shows it: what follows is a path of tlog-tiles. */
#define SP_CUSTODY_PREFIX "/custody/"

/* C2SP tlog-tiles: a tile holds 256 hashes, a bundle 256 entries. */
#define SP_TILE_WIDTH 256
#define SP_TILE_PATH_MAX 64
/* "tile/0/x001/x234/067", with ".p/7" behind a partial one (width 1..255). */
void sp_tile_path(unsigned level, uint64_t index, unsigned width, char out[SP_TILE_PATH_MAX]);
void sp_tile_entries_path(uint64_t index, unsigned width, char out[SP_TILE_PATH_MAX]);
/* The same path read back: exactly what the two above write, nothing else. */
struct sp_tile_ref {
    bool is_entries;
    unsigned level;
    uint64_t index;
    unsigned width; /* 1..SP_TILE_WIDTH */
};
enum sp_err sp_tile_path_parse(struct sp_view path, struct sp_tile_ref *out) SP_MUST_USE;
/* An entry bundle: big-endian 16 bit length and bytes, one after the other. */
enum sp_err sp_tile_entries_append(struct sp_buf *bundle, struct sp_view entry) SP_MUST_USE;
/* Takes the next entry from the front of bundle; SP_E_AGAIN when it is empty. */
enum sp_err sp_tile_entries_next(struct sp_view *bundle, struct sp_view *entry) SP_MUST_USE;

/* Ed25519 key of a signed note. The private half never leaves this struct but through
 * sp_note_key_export. */
struct sp_note_key;
/* seed is 32 random bytes; name is the ledger's origin, e.g. "sallyport/wsus-gate-1",
 * without blanks or plus signs. */
enum sp_err sp_note_key_new(const char *name, const uint8_t seed[32],
                            struct sp_note_key **out) SP_MUST_USE;
/* "PRIVATE+KEY+name+hash+base64" and "name+hash+base64", as Go's note package writes. */
enum sp_err sp_note_key_export(const struct sp_note_key *k, struct sp_buf *out) SP_MUST_USE;
enum sp_err sp_note_key_export_public(const struct sp_note_key *k,
                                      struct sp_buf *out) SP_MUST_USE;
/* Reads either form. Signing with a public key is SP_E_USAGE. */
enum sp_err sp_note_key_import(struct sp_view text, struct sp_note_key **out,
                               struct sp_why *why) SP_MUST_USE;
void sp_note_key_free(struct sp_note_key **k);
const char *sp_note_key_name(const struct sp_note_key *k);

struct sp_checkpoint {
    struct sp_view origin;
    uint64_t size;
    uint8_t root[SP_HASH];
};
/* The note: three lines, an empty line, one signature line. */
enum sp_err sp_checkpoint_sign(const struct sp_checkpoint *c, const struct sp_note_key *k,
                               struct sp_buf *out) SP_MUST_USE;
/* Checks that the origin is the key's name and a signature of the key is good; other
 * signature lines are left alone. SP_E_UNPROVEN: no good signature. SP_E_MALFORMED. The
 * views borrow from note. */
enum sp_err sp_checkpoint_open(struct sp_view note, const struct sp_note_key *k,
                               struct sp_checkpoint *out, struct sp_why *why) SP_MUST_USE;

#endif
