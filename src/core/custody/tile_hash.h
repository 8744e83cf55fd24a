/* The hashes of a whole bundle of entries: what a ledger is checked by. Pure. */
#ifndef SP_CORE_CUSTODY_TILE_HASH_H
#define SP_CORE_CUSTODY_TILE_HASH_H

#include "core/crypto/crypto.h"
#include "sallyport/ledger.h"

/* The same as sp_merkle_leaf gives. */
void sp_tile_leaf(struct sp_sha256_row *row, struct sp_view entry,
                  uint8_t out[SP_HASH]);
/* The root over the SP_TILE_WIDTH hashes of a full tile. */
void sp_tile_root(struct sp_sha256_row *row,
                  const uint8_t hashes[SP_TILE_WIDTH * SP_HASH], uint8_t out[SP_HASH]);

#endif
