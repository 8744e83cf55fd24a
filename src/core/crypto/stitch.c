#include "core/crypto/stitch.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/* One file for all processors: only these functions may use what not all have. */
#define SHA_NI      __attribute__((target("sha,ssse3,sse4.1")))
#define SHA_NI_STEP SHA_NI __attribute__((always_inline)) static inline

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

/* a is in the highest word, as the instructions want it. */
struct one {
    __m128i abcd, e;
};
struct two {
    __m128i abef, cdgh;
};

bool sp_stitch_is_there(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* ---- state ----------------------------------------------------------------------- */

SHA_NI_STEP struct one load_one(const uint32_t s[5])
{
    __m128i abcd = _mm_loadu_si128((const __m128i *)(const void *)s);
    return (struct one){_mm_shuffle_epi32(abcd, 0x1b),
                        _mm_set_epi32((int)s[4], 0, 0, 0)};
}

SHA_NI_STEP void store_one(const struct one *o, uint32_t s[5])
{
    _mm_storeu_si128((__m128i *)(void *)s, _mm_shuffle_epi32(o->abcd, 0x1b));
    s[4] = (uint32_t)_mm_extract_epi32(o->e, 3);
}

SHA_NI_STEP struct two load_two(const uint32_t s[8])
{
    __m128i abcd = _mm_loadu_si128((const __m128i *)(const void *)s);
    __m128i efgh = _mm_loadu_si128((const __m128i *)(const void *)(s + 4));
    abcd = _mm_shuffle_epi32(abcd, 0x1b);
    efgh = _mm_shuffle_epi32(efgh, 0x1b);
    return (struct two){_mm_unpackhi_epi64(efgh, abcd), _mm_unpacklo_epi64(efgh, abcd)};
}

SHA_NI_STEP void store_two(const struct two *t, uint32_t s[8])
{
    __m128i abcd = _mm_unpackhi_epi64(t->cdgh, t->abef);
    __m128i efgh = _mm_unpacklo_epi64(t->cdgh, t->abef);
    _mm_storeu_si128((__m128i *)(void *)s, _mm_shuffle_epi32(abcd, 0x1b));
    _mm_storeu_si128((__m128i *)(void *)(s + 4), _mm_shuffle_epi32(efgh, 0x1b));
}

/* ---- four rounds -------------------------------------------------------------------
 * w holds the last sixteen words of a message schedule, four in each. Of quad q the
 * four are at w[q % 4]; before, those of quad q - 4 are. */

SHA_NI_STEP __m128i one_rounds(__m128i abcd, __m128i e, int function)
{
    switch (function) { /* the instruction wants a constant, which this becomes */
    case 0:
        return _mm_sha1rnds4_epu32(abcd, e, 0);
    case 1:
        return _mm_sha1rnds4_epu32(abcd, e, 1);
    case 2:
        return _mm_sha1rnds4_epu32(abcd, e, 2);
    default:
        return _mm_sha1rnds4_epu32(abcd, e, 3);
    }
}

SHA_NI_STEP void one_quad(struct one *o, __m128i w[4], int q)
{
    __m128i *now = &w[q % 4], before = o->abcd;
    if (q >= 4) {
        __m128i t = _mm_sha1msg1_epu32(*now, w[(q + 1) % 4]);
        *now = _mm_sha1msg2_epu32(_mm_xor_si128(t, w[(q + 2) % 4]), w[(q + 3) % 4]);
    }
    __m128i e = q == 0 ? _mm_add_epi32(o->e, *now) : _mm_sha1nexte_epu32(o->e, *now);
    o->abcd = one_rounds(o->abcd, e, q / 5);
    o->e = before;
}

/* Words of quad q with their constants added. */
SHA_NI_STEP __m128i two_words(__m128i w[4], int q)
{
    const void *k = round_constants + (size_t)4 * (size_t)q;
    __m128i *now = &w[q % 4];
    if (q >= 4) {
        __m128i back7 = _mm_alignr_epi8(w[(q + 3) % 4], w[(q + 2) % 4], 4);
        __m128i t = _mm_sha256msg1_epu32(*now, w[(q + 1) % 4]);
        *now = _mm_sha256msg2_epu32(_mm_add_epi32(t, back7), w[(q + 3) % 4]);
    }
    return _mm_add_epi32(*now, _mm_load_si128((const __m128i *)k));
}

SHA_NI_STEP void two_rounds(struct two *t, __m128i words)
{
    t->cdgh = _mm_sha256rnds2_epu32(t->cdgh, t->abef, words);
    t->abef = _mm_sha256rnds2_epu32(t->abef, t->cdgh, _mm_shuffle_epi32(words, 0x0e));
}

/* ---- a block --------------------------------------------------------------------- */

SHA_NI_STEP void load_block(const uint8_t *p, __m128i w1[4], __m128i w2[4])
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    for (size_t i = 0; i < 4; i++) {
        __m128i raw = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        w2[i] = _mm_shuffle_epi8(raw, swap);
        w1[i] = _mm_shuffle_epi32(w2[i], 0x1b);
    }
}

SHA_NI_STEP void add_one(struct one *o, const struct one *before)
{
    o->e = _mm_sha1nexte_epu32(o->e, before->e);
    o->abcd = _mm_add_epi32(o->abcd, before->abcd);
}

SHA_NI_STEP void add_two(struct two *t, const struct two *before)
{
    t->abef = _mm_add_epi32(t->abef, before->abef);
    t->cdgh = _mm_add_epi32(t->cdgh, before->cdgh);
}

/* 80 rounds of one beside 64 of the other: a quad more of the first for every four.
 * Written out, so that every index is a constant and the words stay in registers. */
#define STITCH(o, rounds)                                                              \
    do {                                                                               \
        QUAD(o, rounds, 0, 0)                                                          \
        QUAD(o, rounds, 1, 1)                                                          \
        QUAD(o, rounds, 2, 2) QUAD(o, rounds, 3, 3) one_quad(o, w1, 4);                \
        QUAD(o, rounds, 4, 5)                                                          \
        QUAD(o, rounds, 5, 6)                                                          \
        QUAD(o, rounds, 6, 7) QUAD(o, rounds, 7, 8) one_quad(o, w1, 9);                \
        QUAD(o, rounds, 8, 10)                                                         \
        QUAD(o, rounds, 9, 11)                                                         \
        QUAD(o, rounds, 10, 12) QUAD(o, rounds, 11, 13) one_quad(o, w1, 14);           \
        QUAD(o, rounds, 12, 15)                                                        \
        QUAD(o, rounds, 13, 16)                                                        \
        QUAD(o, rounds, 14, 17) QUAD(o, rounds, 15, 18) one_quad(o, w1, 19);           \
    } while (0)
#define QUAD(o, rounds, q2, q1)                                                        \
    words = two_words(w2, q2);                                                         \
    rounds(q2);                                                                        \
    one_quad(o, w1, q1);
#define TWO(q)   two_rounds(&t, words)
#define THREE(q) TWO(q), two_rounds(&u, words)
#define FOUR(q)  THREE(q), two_rounds(&v, two_words(w3, q))

SHA_NI void sp_stitch_two(uint32_t sha1[5], uint32_t sha256[8], const uint8_t *p,
                          size_t blocks)
{
    struct one o = load_one(sha1);
    struct two t = load_two(sha256);
    for (; blocks; blocks--, p += SP_STITCH_BLOCK) {
        __m128i w1[4], w2[4], words;
        const struct one o0 = o;
        const struct two t0 = t;
        load_block(p, w1, w2);
        STITCH(&o, TWO);
        add_one(&o, &o0);
        add_two(&t, &t0);
    }
    store_one(&o, sha1);
    store_two(&t, sha256);
}

SHA_NI void sp_stitch_three(uint32_t sha1[5], uint32_t sha256[8], uint32_t other[8],
                            const uint8_t *p, size_t blocks)
{
    struct one o = load_one(sha1);
    struct two t = load_two(sha256), u = load_two(other);
    for (; blocks; blocks--, p += SP_STITCH_BLOCK) {
        __m128i w1[4], w2[4], words;
        const struct one o0 = o;
        const struct two t0 = t, u0 = u;
        load_block(p, w1, w2);
        STITCH(&o, THREE);
        add_one(&o, &o0);
        add_two(&t, &t0);
        add_two(&u, &u0);
    }
    store_one(&o, sha1);
    store_two(&t, sha256);
    store_two(&u, other);
}

SHA_NI_STEP void load_beside(const uint8_t *q, __m128i w3[4])
{
    __m128i unused[4];
    load_block(q, unused, w3);
}

SHA_NI void sp_stitch_four(uint32_t sha1[5], uint32_t sha256[8], uint32_t other[8],
                           uint32_t beside[8], const uint8_t *p, const uint8_t *q,
                           size_t blocks)
{
    struct one o = load_one(sha1);
    struct two t = load_two(sha256), u = load_two(other), v = load_two(beside);
    for (; blocks; blocks--, p += SP_STITCH_BLOCK, q += SP_STITCH_BLOCK) {
        __m128i w1[4], w2[4], w3[4], words;
        const struct one o0 = o;
        const struct two t0 = t, u0 = u, v0 = v;
        load_block(p, w1, w2);
        load_beside(q, w3);
        STITCH(&o, FOUR);
        add_one(&o, &o0);
        add_two(&t, &t0);
        add_two(&u, &u0);
        add_two(&v, &v0);
    }
    store_one(&o, sha1);
    store_two(&t, sha256);
    store_two(&u, other);
    store_two(&v, beside);
}

/* 64 rounds, written out for the same reason. */
#define SIXTEEN(rounds)                                                                \
    do {                                                                               \
        rounds(0), rounds(1), rounds(2), rounds(3), rounds(4), rounds(5);              \
        rounds(6), rounds(7), rounds(8), rounds(9), rounds(10), rounds(11);            \
        rounds(12), rounds(13), rounds(14), rounds(15);                                \
    } while (0)
#define ONE(q)  two_rounds(&t, two_words(w2, q))
#define PAIR(q) ONE(q), two_rounds(&u, two_words(w3, q))

SHA_NI void sp_stitch_one(uint32_t sha256[8], const uint8_t *p, size_t blocks)
{
    struct two t = load_two(sha256);
    for (; blocks; blocks--, p += SP_STITCH_BLOCK) {
        __m128i w2[4];
        const struct two t0 = t;
        load_beside(p, w2);
        SIXTEEN(ONE);
        add_two(&t, &t0);
    }
    store_two(&t, sha256);
}

SHA_NI void sp_stitch_pair(uint32_t a[8], const uint8_t *p, uint32_t b[8],
                           const uint8_t *q, size_t blocks)
{
    struct two t = load_two(a), u = load_two(b);
    for (; blocks; blocks--, p += SP_STITCH_BLOCK, q += SP_STITCH_BLOCK) {
        __m128i w2[4], w3[4];
        const struct two t0 = t, u0 = u;
        load_beside(p, w2);
        load_beside(q, w3);
        SIXTEEN(PAIR);
        add_two(&t, &t0);
        add_two(&u, &u0);
    }
    store_two(&t, a);
    store_two(&u, b);
}

#else

#include "sallyport/err.h"

bool sp_stitch_is_there(void)
{
    return false;
}

void sp_stitch_two(uint32_t sha1[5], uint32_t sha256[8], const uint8_t *p,
                   size_t blocks)
{
    (void)sha1, (void)sha256, (void)p, (void)blocks;
    SP_ASSERT(sp_stitch_is_there());
}

void sp_stitch_three(uint32_t sha1[5], uint32_t sha256[8], uint32_t other[8],
                     const uint8_t *p, size_t blocks)
{
    (void)sha1, (void)sha256, (void)other, (void)p, (void)blocks;
    SP_ASSERT(sp_stitch_is_there());
}

void sp_stitch_four(uint32_t sha1[5], uint32_t sha256[8], uint32_t other[8],
                    uint32_t beside[8], const uint8_t *p, const uint8_t *q,
                    size_t blocks)
{
    (void)sha1, (void)sha256, (void)other, (void)beside, (void)p, (void)q;
    (void)blocks;
    SP_ASSERT(sp_stitch_is_there());
}

void sp_stitch_one(uint32_t sha256[8], const uint8_t *p, size_t blocks)
{
    (void)sha256, (void)p, (void)blocks;
    SP_ASSERT(sp_stitch_is_there());
}

void sp_stitch_pair(uint32_t a[8], const uint8_t *p, uint32_t b[8], const uint8_t *q,
                    size_t blocks)
{
    (void)a, (void)b, (void)p, (void)q, (void)blocks;
    SP_ASSERT(sp_stitch_is_there());
}

#endif
