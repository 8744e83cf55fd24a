#include "core/xml/stops.h"

#if defined(__SSE2__)

#include <emmintrin.h>
#include <stdbool.h>

enum { BLOCK = 16 };

static __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static __m128i is(__m128i block, uint8_t c)
{
    return _mm_cmpeq_epi8(block, _mm_set1_epi8((char)c));
}

static __m128i is_below_space(__m128i block)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
}

/* The first of what is set in stops, which has a byte for each from p on; or NULL. */
static const uint8_t *first(const uint8_t *p, __m128i stops)
{
    unsigned bits = (unsigned)_mm_movemask_epi8(stops);
    return bits ? p + __builtin_ctz(bits) : 0;
}

/* As signed bytes those beyond ASCII are below the space, too. */
static __m128i is_not_plain(__m128i block)
{
    return _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
}

/* In one of four blocks: the least byte, or one with the highest bit. */
static bool is_any_not_plain(const uint8_t *p)
{
    __m128i a = load(p), b = load(p + BLOCK);
    __m128i c = load(p + 2 * BLOCK), d = load(p + 3 * BLOCK);
    __m128i least = _mm_min_epu8(_mm_min_epu8(a, b), _mm_min_epu8(c, d));
    __m128i bits = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
    return _mm_movemask_epi8(_mm_or_si128(is_not_plain(least), bits)) != 0;
}

/* At the stop, or so near the end that what is left is no block. */
static const uint8_t *plain_blocks(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 4 * BLOCK && !is_any_not_plain(p)) {
        p += 4 * BLOCK;
    }
    for (; end - p >= BLOCK; p += BLOCK) {
        const uint8_t *at = first(p, is_not_plain(load(p)));
        if (at) {
            return at;
        }
    }
    return p;
}

static const uint8_t *text_blocks(const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= BLOCK; p += BLOCK) {
        __m128i block = load(p);
        const uint8_t *at =
            first(p, _mm_or_si128(_mm_or_si128(is(block, '<'), is(block, '&')),
                                  _mm_or_si128(is(block, ']'), is(block, '\r'))));
        if (at) {
            return at;
        }
    }
    return p;
}

static const uint8_t *value_blocks(const uint8_t *p, const uint8_t *end, uint8_t quote)
{
    for (; end - p >= BLOCK; p += BLOCK) {
        __m128i block = load(p);
        const uint8_t *at = first(
            p, _mm_or_si128(_mm_or_si128(is(block, '<'), is(block, '&')),
                            _mm_or_si128(is(block, quote), is_below_space(block))));
        if (at) {
            return at;
        }
    }
    return p;
}

#else

static const uint8_t *plain_blocks(const uint8_t *p, const uint8_t *end)
{
    (void)end;
    return p;
}

static const uint8_t *text_blocks(const uint8_t *p, const uint8_t *end)
{
    (void)end;
    return p;
}

static const uint8_t *value_blocks(const uint8_t *p, const uint8_t *end, uint8_t quote)
{
    (void)end, (void)quote;
    return p;
}

#endif

const uint8_t *sp_xml_plain_stop(const uint8_t *p, const uint8_t *end)
{
    p = plain_blocks(p, end);
    while (p < end && *p >= 0x20 && *p < 0x80) {
        p++;
    }
    return p;
}

const uint8_t *sp_xml_text_stop(const uint8_t *p, const uint8_t *end)
{
    p = text_blocks(p, end);
    while (p < end && *p != '<' && *p != '&' && *p != ']' && *p != '\r') {
        p++;
    }
    return p;
}

const uint8_t *sp_xml_value_stop(const uint8_t *p, const uint8_t *end, uint8_t quote)
{
    p = value_blocks(p, end, quote);
    while (p < end && *p != '<' && *p != '&' && *p != quote && *p >= 0x20) {
        p++;
    }
    return p;
}
