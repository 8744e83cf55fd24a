/* A tree whose entry number i is the one byte i, for proofs about small ledgers. */
#ifndef TESTS_UNIT_SMALL_TREE_H
#define TESTS_UNIT_SMALL_TREE_H

#include "sallyport/ledger.h"

/* For proofs: the hash of one of its complete subtrees. */
static inline enum sp_err read_hash(void *ctx, unsigned level, uint64_t index,
                             uint8_t out[SP_HASH])
{
    struct sp_merkle m = {0};
    uint8_t leaf[SP_HASH];
    (void)ctx;
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        uint8_t entry = (uint8_t)i;
        sp_merkle_leaf(sp_view(&entry, 1), leaf);
        sp_merkle_append(&m, leaf);
    }
    sp_merkle_root(&m, out);
    return SP_OK;
}

#endif
