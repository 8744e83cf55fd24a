/* Bytes that repeat what stands before them. Shared by the decoders of this room. */
#ifndef SP_CORE_PACK_COPY_H
#define SP_CORE_PACK_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* n bytes to `to`, from distance bytes before it; up to `end` may be written. All of it
 * was checked: n is at most end - to, distance at least 1. */
static inline void sp_pack_repeat(uint8_t *to, size_t distance, size_t n,
                                  const uint8_t *end)
{
    const uint8_t *from = to - distance;
    if (distance >= 8 && (size_t)(end - to) >= n + 8) {
        for (size_t i = 0; i < n; i += 8) {
            memcpy(to + i, from + i, 8);
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
    }
}

/* Four bytes, or eight, the first one lowest. */
static inline uint32_t sp_pack_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}
static inline uint64_t sp_pack_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
           (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
           (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

#endif
