/* The cache held against the ledger: whoever can write a stored file can write a block
 * tree that fits, but not its root in the ledger. Reads trees, not files. Blocks; for
 * `ledger verify --store`. */
#ifndef SP_APP_PROOF_LEDGER_STORE_H
#define SP_APP_PROOF_LEDGER_STORE_H

#include "sallyport/bytes.h"

struct sp_ledger_store {
    uint64_t files; /* in the cache, whose root the ledger has */
    uint64_t wrong; /* of these: without a good tree, or with another one */
    /* Each wrong one, while it is looked for; what is a sentence's end. */
    void (*found)(void *ctx, const uint8_t sha256[32], const char *what);
    void *ctx;
};
/* Beside a running daemon or not: a file that is evicted meanwhile is not counted. */
enum sp_err sp_ledger_check_store(const char *state_dir, const char *cache_dir,
                                  struct sp_ledger_store *s,
                                  struct sp_why *why) SP_MUST_USE;

#endif
