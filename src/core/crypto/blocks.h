/* SHA-256 by blocks: where it begins and how a message ends. For the files of this
 * folder that compute it by stitch.h. */
#ifndef SP_CORE_CRYPTO_BLOCKS_H
#define SP_CORE_CRYPTO_BLOCKS_H

#include "core/crypto/stitch.h"

#include <string.h>

static const uint32_t sp_sha256_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                            0xa54ff53a, 0x510e527f, 0x9b05688c,
                                            0x1f83d9ab, 0x5be0cd19};

static inline void sp_blocks_put_be(uint8_t *to, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count * 4; i++) {
        to[i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
    }
}

/* FIPS 180-4 5.1.1: the end of a message of size bytes, whose last, incomplete block is
 * rest. The same for SHA-1. Returns blocks. */
static inline size_t sp_blocks_pad(const uint8_t *rest, uint64_t size,
                                   uint8_t out[2 * SP_STITCH_BLOCK])
{
    size_t held = size % SP_STITCH_BLOCK, blocks = held + 9 > SP_STITCH_BLOCK ? 2 : 1;
    memcpy(out, rest, held);
    memset(out + held, 0, blocks * SP_STITCH_BLOCK - held);
    out[held] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        out[blocks * SP_STITCH_BLOCK - 1 - i] = (uint8_t)(size * 8 >> (8 * i));
    }
    return blocks;
}

#endif
