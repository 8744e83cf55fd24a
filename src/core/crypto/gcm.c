#include "core/crypto/gcm.h"

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/* One file for all processors: only these functions may use what not all have. */
#define WIDE                                                                           \
    __attribute__((target("aes,pclmul,sse4.1,avx2,avx512f,avx512bw,avx512vl,"          \
                          "avx512dq,vaes,vpclmulqdq")))
#define WIDE_STEP WIDE __attribute__((always_inline)) static inline

enum {
    BLOCK = 16,
    LANES = 4,  /* blocks of a vector */
    WIDTH = 64, /* bytes of a vector */
    GROUP = 4,  /* vectors between two reductions */
    STRIDE = GROUP * WIDTH,
};

bool sp_gcm_is_there(void)
{
    static const unsigned ebx_7 = bit_AVX2 | bit_AVX512F | bit_AVX512DQ | bit_AVX512BW |
                                  bit_AVX512VL,
                          ecx_7 = bit_VAES | bit_VPCLMULQDQ,
                          ecx_1 = bit_AES | bit_PCLMUL | bit_SSE4_1 | bit_OSXSAVE;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & ecx_1) != ecx_1) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & ebx_7) == ebx_7 &&
           (c & ecx_7) == ecx_7 && __builtin_cpu_supports("avx512f");
}

/* ---- AES ------------------------------------------------------------------------- */

WIDE_STEP __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

WIDE_STEP void store(uint8_t *p, __m128i v)
{
    _mm_storeu_si128((__m128i *)(void *)p, v);
}

/* FIPS 197 5.2: four words more, from the four a key's length before and from a word
 * that was made of the last one. */
WIDE_STEP __m128i expand(__m128i words, __m128i made)
{
    words = _mm_xor_si128(words, _mm_slli_si128(words, 4));
    words = _mm_xor_si128(words, _mm_slli_si128(words, 8));
    return _mm_xor_si128(words, made);
}

/* SubWord of the last word, to all four. */
WIDE_STEP __m128i substitute(__m128i words)
{
    return _mm_shuffle_epi32(_mm_aeskeygenassist_si128(words, 0), 0xaa);
}

/* The same behind RotWord, and the round constant of that number. */
WIDE_STEP __m128i substitute_and_turn(__m128i words, unsigned number)
{
    static const uint8_t constants[] = {0,    0x01, 0x02, 0x04, 0x08, 0x10,
                                        0x20, 0x40, 0x80, 0x1b, 0x36};
    return _mm_xor_si128(_mm_shuffle_epi32(_mm_aeskeygenassist_si128(words, 0), 0xff),
                         _mm_set1_epi32(constants[number]));
}

WIDE static void schedule_128(struct sp_gcm *g, const uint8_t *key)
{
    __m128i k = load(key);
    store(g->round_keys[0], k);
    for (unsigned i = 1; i <= g->rounds; i++) {
        k = expand(k, substitute_and_turn(k, i));
        store(g->round_keys[i], k);
    }
}

WIDE static void schedule_256(struct sp_gcm *g, const uint8_t *key)
{
    __m128i before = load(key), k = load(key + BLOCK);
    store(g->round_keys[0], before);
    store(g->round_keys[1], k);
    for (unsigned i = 2; i <= g->rounds; i++) {
        __m128i made = i % 2 ? substitute(k) : substitute_and_turn(k, i / 2);
        __m128i next = expand(before, made);
        before = k;
        k = next;
        store(g->round_keys[i], k);
    }
}

WIDE_STEP __m128i encrypt_one(const struct sp_gcm *g, __m128i block)
{
    block = _mm_xor_si128(block, load(g->round_keys[0]));
    for (unsigned i = 1; i < g->rounds; i++) {
        block = _mm_aesenc_si128(block, load(g->round_keys[i]));
    }
    return _mm_aesenclast_si128(block, load(g->round_keys[g->rounds]));
}

WIDE_STEP __m512i round_key(const struct sp_gcm *g, unsigned i)
{
    return _mm512_broadcast_i32x4(load(g->round_keys[i]));
}

/* ---- the hash --------------------------------------------------------------------
 * RFC 8452 appendix A: GHASH is POLYVAL of blocks with their bytes in reverse, under
 * the key in reverse times x. There a product of two is divided by x^128 as well, and
 * what is reduced is the lower half. */

static const uint8_t reverse[BLOCK] = {15, 14, 13, 12, 11, 10, 9, 8,
                                       7,  6,  5,  4,  3,  2,  1, 0};

/* Sums of products, not reduced: the halves and what lies over both. */
struct wide_sum {
    __m512i low, middle, high;
};
struct sum {
    __m128i low, middle, high;
};

WIDE_STEP void add_products(struct wide_sum *s, __m512i a, __m512i b)
{
    s->low = _mm512_xor_si512(s->low, _mm512_clmulepi64_epi128(a, b, 0x00));
    s->high = _mm512_xor_si512(s->high, _mm512_clmulepi64_epi128(a, b, 0x11));
    s->middle =
        _mm512_ternarylogic_epi64(s->middle, _mm512_clmulepi64_epi128(a, b, 0x01),
                                  _mm512_clmulepi64_epi128(a, b, 0x10), 0x96);
}

WIDE_STEP __m128i fold_one(__m512i v)
{
    __m256i half =
        _mm256_xor_si256(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(half),
                         _mm256_extracti128_si256(half, 1));
}

WIDE_STEP struct sum fold(const struct wide_sum *s)
{
    return (struct sum){fold_one(s->low), fold_one(s->middle), fold_one(s->high)};
}

WIDE_STEP struct sum add_product(struct sum s, __m128i a, __m128i b)
{
    s.low = _mm_xor_si128(s.low, _mm_clmulepi64_si128(a, b, 0x00));
    s.high = _mm_xor_si128(s.high, _mm_clmulepi64_si128(a, b, 0x11));
    s.middle = _mm_xor_si128(s.middle, _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01),
                                                     _mm_clmulepi64_si128(a, b, 0x10)));
    return s;
}

WIDE_STEP __m128i reduce_step(__m128i low)
{
    const __m128i polynomial = _mm_set_epi64x(0, (long long)0xc200000000000000);
    return _mm_xor_si128(_mm_shuffle_epi32(low, 0x4e),
                         _mm_clmulepi64_si128(low, polynomial, 0x00));
}

WIDE_STEP __m128i reduce(struct sum s)
{
    __m128i low = _mm_xor_si128(s.low, _mm_slli_si128(s.middle, 8));
    __m128i high = _mm_xor_si128(s.high, _mm_srli_si128(s.middle, 8));
    return _mm_xor_si128(high, reduce_step(reduce_step(low)));
}

WIDE_STEP __m128i multiply(__m128i a, __m128i b)
{
    return reduce(add_product((struct sum){0}, a, b));
}

/* RFC 8452 appendix A, mulX_POLYVAL. */
WIDE_STEP __m128i times_x(__m128i v)
{
    const __m128i polynomial = _mm_set_epi64x((long long)0xc200000000000000, 1);
    __m128i carry = _mm_srli_epi64(v, 63);
    __m128i top = _mm_sub_epi64(_mm_setzero_si128(), _mm_unpackhi_epi64(carry, carry));
    v = _mm_or_si128(_mm_slli_epi64(v, 1), _mm_slli_si128(carry, 8));
    return _mm_xor_si128(v, _mm_and_si128(top, polynomial));
}

WIDE static void fill_powers(struct sp_gcm *g)
{
    __m128i h = encrypt_one(g, _mm_setzero_si128());
    __m128i first = times_x(_mm_shuffle_epi8(h, load(reverse)));
    __m128i power = first;
    for (unsigned i = SP_GCM_POWERS; i-- > 0;) {
        store(g->powers[i], power);
        power = multiply(power, first);
    }
}

bool sp_gcm_init(struct sp_gcm *g, struct sp_view key)
{
    if (key.len != 16 && key.len != 32) {
        return false;
    }
    memset(g, 0, sizeof *g);
    g->rounds = key.len == 16 ? 10 : SP_GCM_ROUNDS;
    if (key.len == 16) {
        schedule_128(g, key.data);
    } else {
        schedule_256(g, key.data);
    }
    fill_powers(g);
    return true;
}

/* ---- both ------------------------------------------------------------------------ */

struct state {
    const struct sp_gcm *g;
    __m512i counters;    /* of the next four blocks; the number itself little-endian */
    __m512i text[GROUP]; /* encrypted and not in the hash yet */
    __m128i hash;
};

WIDE_STEP __m512i next_counters(struct state *s)
{
    const __m512i swap = _mm512_broadcast_i32x4(
        _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    __m512i now = _mm512_shuffle_epi8(s->counters, swap);
    s->counters = _mm512_add_epi32(s->counters,
                                   _mm512_broadcast_i32x4(_mm_set_epi32(4, 0, 0, 0)));
    return now;
}

WIDE_STEP void start_stream(struct state *s, __m512i stream[GROUP])
{
    __m512i key = round_key(s->g, 0);
    for (unsigned i = 0; i < GROUP; i++) {
        stream[i] = _mm512_xor_si512(next_counters(s), key);
    }
}

WIDE_STEP void round_of(const struct sp_gcm *g, unsigned round, __m512i stream[GROUP])
{
    __m512i key = round_key(g, round);
    for (unsigned i = 0; i < GROUP; i++) {
        stream[i] = _mm512_aesenc_epi128(stream[i], key);
    }
}

WIDE_STEP void end_stream(const struct sp_gcm *g, __m512i stream[GROUP])
{
    __m512i key = round_key(g, g->rounds);
    for (unsigned i = 0; i < GROUP; i++) {
        stream[i] = _mm512_aesenclast_epi128(stream[i], key);
    }
}

/* Four blocks, of which the first meets the power at `power`. */
WIDE_STEP void take_in(struct wide_sum *sum, const struct sp_gcm *g, __m512i text,
                       unsigned power)
{
    const __m512i turn = _mm512_broadcast_i32x4(load(reverse));
    add_products(sum, _mm512_shuffle_epi8(text, turn),
                 _mm512_loadu_si512(g->powers[power]));
}

/* What was hashed before meets a power by itself, behind all else: the next round of
 * this waits for nothing but that. */
WIDE_STEP void end_hash(struct state *s, const struct wide_sum *sum, unsigned power)
{
    s->hash = reduce(add_product(fold(sum), s->hash, load(s->g->powers[power])));
}

/* The next stream, and what was encrypted last into the hash, by turns: neither waits
 * for the other. */
WIDE_STEP void advance(struct state *s, __m512i stream[GROUP])
{
    struct wide_sum sum = {_mm512_setzero_si512(), _mm512_setzero_si512(),
                           _mm512_setzero_si512()};
    start_stream(s, stream);
    for (unsigned i = 0; i < GROUP; i++) {
        round_of(s->g, 2 * i + 1, stream);
        take_in(&sum, s->g, s->text[i], SP_GCM_POWERS - STRIDE / BLOCK + i * LANES);
        round_of(s->g, 2 * i + 2, stream);
    }
    end_hash(s, &sum, SP_GCM_POWERS - STRIDE / BLOCK);
    for (unsigned i = 2 * GROUP + 1; i < s->g->rounds; i++) {
        round_of(s->g, i, stream);
    }
    end_stream(s->g, stream);
}

WIDE_STEP void seal_stride(struct state *s, const uint8_t *in, uint8_t *out)
{
    __m512i stream[GROUP];
    advance(s, stream);
    for (unsigned i = 0; i < GROUP; i++) {
        s->text[i] = _mm512_xor_si512(stream[i], _mm512_loadu_si512(in + i * WIDTH));
        _mm512_storeu_si512(out + i * WIDTH, s->text[i]);
    }
}

static void put(uint8_t *to, struct sp_view v)
{
    if (v.len) {
        memcpy(to, v.data, v.len);
    }
}

static void put_bits(uint8_t to[8], size_t bytes)
{
    uint64_t bits = __builtin_bswap64((uint64_t)bytes * 8);
    memcpy(to, &bits, sizeof bits);
}

/* Some blocks, padded with zeros, and the lengths. */
WIDE_STEP void hash_rest(struct state *s, const uint8_t *bytes, unsigned blocks)
{
    struct wide_sum sum = {_mm512_setzero_si512(), _mm512_setzero_si512(),
                           _mm512_setzero_si512()};
    for (unsigned i = 0; i < blocks; i += LANES) {
        take_in(&sum, s->g, _mm512_load_si512(bytes + (size_t)i * BLOCK),
                SP_GCM_POWERS - blocks + i);
    }
    end_hash(s, &sum, SP_GCM_POWERS - blocks);
}

/* Less than a stride and the byte behind it; then the lengths. Encrypts zeros behind
 * the end, of which nothing leaves. */
WIDE_STEP void seal_rest(struct state *s, struct sp_view rest, struct sp_view last,
                         size_t aad_len, size_t all, uint8_t *out)
{
    _Alignas(WIDTH) uint8_t bytes[STRIDE + WIDTH] = {0};
    __m512i stream[GROUP];
    size_t n = rest.len + last.len, end = (n + BLOCK - 1) / BLOCK * BLOCK;
    put(bytes, rest);
    put(bytes + rest.len, last);
    advance(s, stream);
    for (unsigned i = 0; i < GROUP; i++) {
        __m512i plain = _mm512_load_si512(bytes + i * WIDTH);
        _mm512_store_si512(bytes + i * WIDTH, _mm512_xor_si512(stream[i], plain));
    }
    memcpy(out, bytes, n);
    memset(bytes + n, 0, sizeof bytes - n);
    put_bits(bytes + end, aad_len);
    put_bits(bytes + end + BLOCK / 2, all);
    hash_rest(s, bytes, (unsigned)(end / BLOCK) + 1);
}

/* What is authenticated only stands as a stride of its own, zeros before it. */
WIDE_STEP struct state begin(const struct sp_gcm *g, const uint8_t *nonce,
                             struct sp_view aad)
{
    uint8_t block[BLOCK] = {0}, bytes[WIDTH] = {0};
    memcpy(block, nonce, SP_GCM_NONCE);
    put(bytes + WIDTH - BLOCK, aad);
    const __m512i numbers =
        _mm512_set_epi32(5, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0);
    struct state s = {.g = g};
    s.counters = _mm512_or_si512(_mm512_broadcast_i32x4(load(block)), numbers);
    s.text[GROUP - 1] = _mm512_loadu_si512(bytes);
    return s;
}

WIDE void sp_gcm_seal(const struct sp_gcm *g, const uint8_t nonce[SP_GCM_NONCE],
                      struct sp_view aad, struct sp_view plain, struct sp_view last,
                      uint8_t *out)
{
    SP_ASSERT(aad.len <= SP_GCM_AAD && last.len <= 1);
    struct state s = begin(g, nonce, aad);
    size_t all = plain.len + last.len, strides = plain.len / STRIDE;
    for (size_t i = 0; i < strides; i++) {
        seal_stride(&s, plain.data + i * STRIDE, out + i * STRIDE);
    }
    size_t done = strides * STRIDE;
    seal_rest(&s, sp_view_slice(plain, done, plain.len), last, aad.len, all,
              out + done);
    uint8_t first[BLOCK] = {[BLOCK - 1] = 1};
    memcpy(first, nonce, SP_GCM_NONCE);
    __m128i hash = _mm_shuffle_epi8(s.hash, load(reverse));
    store(out + all, _mm_xor_si128(hash, encrypt_one(g, load(first))));
}

#else

bool sp_gcm_is_there(void)
{
    return false;
}

bool sp_gcm_init(struct sp_gcm *g, struct sp_view key)
{
    (void)g;
    (void)key;
    return false;
}

void sp_gcm_seal(const struct sp_gcm *g, const uint8_t nonce[SP_GCM_NONCE],
                 struct sp_view aad, struct sp_view plain, struct sp_view last,
                 uint8_t *out)
{
    (void)g, (void)nonce, (void)aad, (void)plain, (void)last, (void)out;
    SP_ASSERT(false);
}

#endif
