/* Bytes that look like chance and are the same every time. */
#ifndef TESTS_UNIT_NOISE_H
#define TESTS_UNIT_NOISE_H

#include <stddef.h>
#include <stdint.h>

/* The next number behind x. */
static inline uint32_t noise_next(uint32_t x)
{
    return x * 1664525 + 1013904223;
}

static inline void noise_fill(uint8_t *bytes, size_t n)
{
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = noise_next(x);
        bytes[i] = (uint8_t)(x >> 24);
    }
}

#endif
