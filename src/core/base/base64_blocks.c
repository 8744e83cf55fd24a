#include "core/base/base64_blocks.h"

#if defined(__x86_64__)

#include <stdbool.h>
#include <tmmintrin.h>

enum { DIGITS = 16, BYTES = 12 };

/* One file for all processors: only these functions may use what not all have. */
#define SSSE3      __attribute__((target("ssse3")))
#define SSSE3_STEP SSSE3 __attribute__((always_inline)) static inline

/* As it was found at the start: to ask the processor itself takes microseconds where it
 * is a virtual one. */
static bool is_there(void)
{
    return __builtin_cpu_supports("ssse3");
}

/* Where a byte is one of count from first: all bits set. */
SSSE3_STEP __m128i among(__m128i in, char first, char count)
{
    __m128i from = _mm_sub_epi8(in, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8((char)(count - 1))), from);
}

/* What is added to a digit to get its value, where mask is set. */
SSSE3_STEP __m128i shift(__m128i mask, int value, char first)
{
    return _mm_and_si128(mask, _mm_set1_epi8((char)(value - first)));
}

/* Six bits in each byte; false where one of them is no digit. */
SSSE3_STEP bool values(__m128i in, __m128i *out)
{
    __m128i upper = among(in, 'A', 26), lower = among(in, 'a', 26);
    __m128i number = among(in, '0', 10);
    __m128i plus = _mm_cmpeq_epi8(in, _mm_set1_epi8('+'));
    __m128i slash = _mm_cmpeq_epi8(in, _mm_set1_epi8('/'));
    __m128i letters = _mm_or_si128(upper, lower), signs = _mm_or_si128(plus, slash);
    __m128i add = _mm_or_si128(
        _mm_or_si128(shift(upper, 0, 'A'), shift(lower, 26, 'a')),
        _mm_or_si128(shift(number, 52, '0'),
                     _mm_or_si128(shift(plus, 62, '+'), shift(slash, 63, '/'))));
    *out = _mm_add_epi8(in, add);
    return _mm_movemask_epi8(_mm_or_si128(letters, _mm_or_si128(number, signs))) ==
           0xffff;
}

/* Pairs of values to 12 bits, pairs of those to 24, and their bytes turned round. */
SSSE3_STEP __m128i pack(__m128i six)
{
    __m128i twelve = _mm_maddubs_epi16(six, _mm_set1_epi16(0x0140));
    __m128i all = _mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000));
    return _mm_shuffle_epi8(
        all, _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

SSSE3 static size_t decode(const uint8_t *text, size_t len, uint8_t *out)
{
    size_t at = 0;
    /* sixteen bytes are written for twelve: the next digits' place takes the rest */
    for (; len - at >= 2 * (size_t)DIGITS; at += DIGITS, out += BYTES) {
        __m128i six;
        if (!values(_mm_loadu_si128((const __m128i *)(const void *)(text + at)),
                    &six)) {
            break;
        }
        _mm_storeu_si128((__m128i *)(void *)out, pack(six));
    }
    return at;
}

size_t sp_base64_blocks(const uint8_t *text, size_t len, uint8_t *out)
{
    return is_there() ? decode(text, len, out) : 0;
}

#else

size_t sp_base64_blocks(const uint8_t *text, size_t len, uint8_t *out)
{
    (void)text, (void)len, (void)out;
    return 0;
}

#endif
