/* Bytes of many shapes, the same in every run: what compresses well, badly, not at all.
 */
#ifndef TESTS_UNIT_SHAPES_H
#define TESTS_UNIT_SHAPES_H

#include "unit.h"

enum shape {
    SHAPE_ZEROS,
    SHAPE_NOISE,
    SHAPE_PERIODS,
    SHAPE_WORDS,
    SHAPE_FAR,
    SHAPE_COUNT
};

static inline uint32_t shape_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static inline uint8_t shape_byte(enum shape shape, const uint8_t *sofar, size_t i,
                                 uint32_t *seed)
{
    static const char words[] =
        "<upd:Update xmlns:upd=\"http://schemas.example/\"><Id>";
    switch (shape) {
    case SHAPE_ZEROS:
        return 0;
    case SHAPE_PERIODS: /* periods of 1 to 9 bytes, changing every 700 */
        return i >= 9 && i % 700 > 9 ? sofar[i - 1 - i / 700 % 9]
                                     : (uint8_t)shape_random(seed);
    case SHAPE_WORDS:
        return shape_random(seed) % 16 ? (uint8_t)words[i % (sizeof words - 1)]
                                       : (uint8_t)('0' + shape_random(seed) % 10);
    case SHAPE_FAR: /* repeats from the edge of an 8 KiB window */
        return i >= 8192 && i % 100 ? sofar[i - 8191 - i % 2]
                                    : (uint8_t)shape_random(seed);
    case SHAPE_NOISE:
    case SHAPE_COUNT:
        break;
    }
    return (uint8_t)shape_random(seed);
}

static inline void shape_fill(enum shape shape, uint8_t *to, size_t n)
{
    uint32_t seed = 2463534242u + (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        to[i] = shape_byte(shape, to, i, &seed);
    }
}

#endif
