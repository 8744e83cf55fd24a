/* SHA-1 step by step and backwards, and the disturbance vectors of attacks on it. For
 * sha1_watch.c and its tests.
 *
 * The state after step t is kept as q[t + 1], where a is q[t], b is q[t - 1], and c, d,
 * e are q[t - 2], q[t - 3], q[t - 4], each rotated left by 30 (FIPS 180-4 6.1.2). q
 * points at q[0]; q[-4] to q[80] are there. */
#ifndef SP_CORE_CRYPTO_SHA1_INSIDE_H
#define SP_CORE_CRYPTO_SHA1_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_SHA1_STEPS  80
#define SP_SHA1_STATES 85

static inline uint32_t sp_rol(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static inline uint32_t sp_sha1_mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    return round == 0   ? (d ^ (b & (c ^ d))) + 0x5a827999
           : round == 1 ? (b ^ c ^ d) + 0x6ed9eba1
           : round == 2 ? ((b & c) | (d & (b | c))) + 0x8f1bbcdc
                        : (b ^ c ^ d) + 0xca62c1d6;
}

/* Step t, from q[t - 4] to q[t] to q[t + 1]. */
static inline void sp_sha1_step(uint32_t *q, unsigned t, uint32_t w)
{
    uint32_t mix = sp_sha1_mix(t / 20, q[(int)t - 1], sp_rol(q[(int)t - 2], 30),
                               sp_rol(q[(int)t - 3], 30));
    q[t + 1] = sp_rol(q[t], 5) + mix + sp_rol(q[(int)t - 4], 30) + w;
}

/* Step t the other way, from q[t - 3] to q[t + 1] to q[t - 4]. */
static inline void sp_sha1_step_back(uint32_t *q, unsigned t, uint32_t w)
{
    uint32_t mix = sp_sha1_mix(t / 20, q[(int)t - 1], sp_rol(q[(int)t - 2], 30),
                               sp_rol(q[(int)t - 3], 30));
    q[(int)t - 4] = sp_rol(q[t + 1] - sp_rol(q[t], 5) - mix - w, 2);
}

/* A way to disturb a message so that the disturbances cancel out. Type 1 of Manuel is
 * zero but for one bit in the 16 words from k on, type 2 but for three. Stevens and
 * Shumow, "Speeding up detection of SHA-1 collision attacks using unavoidable attack
 * conditions", USENIX Security 2017, name those that an attack can afford. */
struct sp_sha1_vector {
    unsigned type, k, b;
    unsigned calm; /* no difference in the state before the step k + 15 and this one */
    uint32_t
        disturbed[SP_SHA1_STATES]; /* disturbed[5 + t]: bits of q[t + 1], t from -5 */
    uint32_t difference[SP_SHA1_STEPS]; /* of the expanded message, by exclusive or */
};
#define SP_SHA1_VECTORS 32

/* FIPS 180-4 6.1.2 step 1 */
void sp_sha1_expand(const uint8_t block[64], uint32_t w[SP_SHA1_STEPS]);
void sp_sha1_vectors_make(struct sp_sha1_vector out[SP_SHA1_VECTORS]);
/* Bit i: nothing in the expanded message speaks against vector i. */
uint32_t sp_sha1_suspects(const uint32_t w[SP_SHA1_STEPS]);
/* Whether the block that differs from w by the vector, from another start to the same
 * state in the calm steps, ends in the same chaining value as w. q are the states of w.
 */
bool sp_sha1_collides(const struct sp_sha1_vector *v, const uint32_t w[SP_SHA1_STEPS],
                      const uint32_t *q);
/* The states of that other block. */
void sp_sha1_twin(const struct sp_sha1_vector *v, const uint32_t w[SP_SHA1_STEPS],
                  const uint32_t *q, uint32_t *twin);

#endif
