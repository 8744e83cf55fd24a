#include "core/custody/tile_hash.h"

#include <string.h>

void sp_tile_leaf(struct sp_sha256_row *row, struct sp_view entry, uint8_t out[SP_HASH])
{
    sp_sha256_next(row, SP_VIEW("\x00"), entry, out);
}

/* Level by level, in place: a node stands where its left child stood or before it. */
void sp_tile_root(struct sp_sha256_row *row,
                  const uint8_t hashes[SP_TILE_WIDTH * SP_HASH], uint8_t out[SP_HASH])
{
    uint8_t nodes[SP_TILE_WIDTH * SP_HASH];
    memcpy(nodes, hashes, sizeof nodes);
    for (size_t count = SP_TILE_WIDTH; count > 1; count /= 2) {
        for (size_t i = 0; i < count / 2; i++) {
            struct sp_view pair = sp_view(nodes + 2 * i * SP_HASH, 2 * (size_t)SP_HASH);
            sp_sha256_next(row, SP_VIEW("\x01"), pair, nodes + i * SP_HASH);
        }
    }
    memcpy(out, nodes, SP_HASH);
}
