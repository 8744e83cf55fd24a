/* The block tree of a stored file: SHA-256 of every MiB, so that a part of the file can be
 * proven without reading the rest.
 *
 *     offset  bytes
 *          0      8  "SPBLOCKS"
 *          8      4  version, 1
 *         12      4  bytes of a block, 1048576
 *         16      8  bytes of the file
 *         24     32  SHA-256 of the file
 *         56   32 n  SHA-256 of each block; the last one may be shorter
 *               32   SHA-256 of all of the above
 *
 * Numbers are big-endian. It guards against decay and clumsy hands. Whoever can write the
 * file can write its tree as well: that is why the root stands in the ledger with the
 * file's entry, and why the scrubber takes the digest of the whole file, which is its
 * name. Pure; views borrow. */
#ifndef SP_CORE_CUSTODY_BLOCKS_H
#define SP_CORE_CUSTODY_BLOCKS_H

#include "core/base/limits.h"
#include "sallyport/bytes.h"

#define SP_BLOCK_SIZE SP_MIB(1)
/* 16 GiB are 16384 blocks. */
#define SP_LIMIT_BLOCK_TREE (SP_KIB(512) + 56 + 32)

/* The last 32 bytes of the tree's file: whoever knows them knows every block. */
struct sp_tree_root {
    bool known;
    uint8_t hash[32];
};
struct sp_block_tree {
    uint64_t size; /* of the file */
    uint8_t sha256[32];
    uint8_t root[32];      /* read, not written: it follows from the rest */
    struct sp_view hashes; /* borrowed; 32 bytes a block */
};

uint64_t sp_block_count(uint64_t size);
/* Appends the file of the tree. SP_E_LIMIT for a file above SP_LIMIT_CONTENT_FILE. */
enum sp_err sp_block_tree_encode(const struct sp_block_tree *t,
                                 struct sp_buf *out) SP_MUST_USE;
/* SP_E_UNSUPPORTED: another version; SP_E_MISMATCH: its own digest is wrong;
 * SP_E_MALFORMED, SP_E_TRUNCATED, SP_E_LIMIT. */
enum sp_err sp_block_tree_parse(struct sp_view file,
                                struct sp_block_tree *out) SP_MUST_USE;
/* bytes are all of block index. SP_E_MISMATCH; SP_E_LIMIT when there is no such block. */
enum sp_err sp_block_check(const struct sp_block_tree *t, uint64_t index,
                           struct sp_view bytes) SP_MUST_USE;

#endif
