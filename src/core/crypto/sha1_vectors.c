/* Disturbance vectors, what they make of a message, and what speaks against them. */
#include "core/crypto/sha1_inside.h"

#include <string.h>

enum { BEFORE = 32 }; /* words in front of step 0, enough for all that is asked back */

static const uint8_t named[SP_SHA1_VECTORS][3] = {
    {1, 43, 0}, {1, 44, 0}, {1, 45, 0}, {1, 46, 0}, {1, 46, 2}, {1, 47, 0}, {1, 47, 2},
    {1, 48, 0}, {1, 48, 2}, {1, 49, 0}, {1, 49, 2}, {1, 50, 0}, {1, 50, 2}, {1, 51, 0},
    {1, 51, 2}, {1, 52, 0}, {2, 45, 0}, {2, 46, 0}, {2, 46, 2}, {2, 47, 0}, {2, 48, 0},
    {2, 49, 0}, {2, 49, 2}, {2, 50, 0}, {2, 50, 2}, {2, 51, 0}, {2, 51, 2}, {2, 52, 0},
    {2, 53, 0}, {2, 54, 0}, {2, 55, 0}, {2, 56, 0},
};

void sp_sha1_expand(const uint8_t block[64], uint32_t w[SP_SHA1_STEPS])
{
    for (size_t t = 0; t < 16; t++) {
        const uint8_t *p = block + 4 * t;
        w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
/* else gcc computes two at a time, from halves of what it has just stored, and waits */
#pragma GCC unroll 64
    for (size_t t = 16; t < SP_SHA1_STEPS; t++) {
        w[t] = sp_rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    }
}

/* The same rule in both directions from the sixteen words from k on. */
static void extend(uint32_t *d, unsigned k)
{
    for (unsigned t = k + 16; t < SP_SHA1_STEPS; t++) {
        d[t] = sp_rol(d[t - 3] ^ d[t - 8] ^ d[t - 14] ^ d[t - 16], 1);
    }
    for (int t = (int)k - 1; t >= -BEFORE; t--) {
        d[t] = sp_rol(d[t + 16], 31) ^ d[t + 13] ^ d[t + 8] ^ d[t + 2];
    }
}

/* A local collision: a bit disturbed in one step is taken back in the five behind it,
 * as often as the bit enters the state, rotated as it is there. */
static uint32_t cancelled(const uint32_t *d, int t)
{
    return d[t] ^ sp_rol(d[t - 1], 5) ^ d[t - 2] ^ sp_rol(d[t - 3], 30) ^
           sp_rol(d[t - 4], 30) ^ sp_rol(d[t - 5], 30);
}

static void make(const uint8_t name[3], struct sp_sha1_vector *v)
{
    uint32_t words[BEFORE + SP_SHA1_STEPS] = {0}, *d = words + BEFORE;
    *v = (struct sp_sha1_vector){.type = name[0], .k = name[1], .b = name[2]};
    v->calm = v->k + (v->type == 1 ? 5 : 9);
    if (v->type == 2) {
        d[v->k + 1] = d[v->k + 3] = sp_rol(1, (v->b + 31) % 32);
    }
    d[v->k + 15] = (uint32_t)1 << v->b;
    extend(d, v->k);
    memcpy(v->disturbed, d - 5, sizeof v->disturbed);
    for (int t = 0; t < SP_SHA1_STEPS; t++) {
        v->difference[t] = cancelled(d, t);
    }
}

void sp_sha1_vectors_make(struct sp_sha1_vector out[SP_SHA1_VECTORS])
{
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        make(named[i], &out[i]);
    }
}

/* A row for each two bits of the message that must be equal, or must differ, or the
 * local collisions of some vectors do not cancel: those vectors are out. */
uint32_t sp_sha1_suspects(const uint32_t w[SP_SHA1_STEPS])
{
    uint32_t left = UINT32_MAX;
#define RELATION(t1, b1, t2, b2, differ, vectors)                                      \
    left &= ~((uint32_t)(vectors) &                                                    \
              (0 - (((w[t1] >> (b1)) ^ (w[t2] >> (b2)) ^ (differ)) & 1)));
#include "core/crypto/sha1_relations.def"
#undef RELATION
    return left;
}

void sp_sha1_twin(const struct sp_sha1_vector *v, const uint32_t w[SP_SHA1_STEPS],
                  const uint32_t *q, uint32_t *twin)
{
    for (int t = (int)v->calm - 4; t <= (int)v->calm; t++) {
        twin[t] = q[t];
    }
    for (unsigned t = v->calm; t < SP_SHA1_STEPS; t++) {
        sp_sha1_step(twin, t, w[t] ^ v->difference[t]);
    }
    for (unsigned t = v->calm; t > 0; t--) {
        sp_sha1_step_back(twin, t - 1, w[t - 1] ^ v->difference[t - 1]);
    }
}

bool sp_sha1_collides(const struct sp_sha1_vector *v, const uint32_t w[SP_SHA1_STEPS],
                      const uint32_t *q)
{
    uint32_t states[SP_SHA1_STATES], *twin = states + 4, differ = 0;
    sp_sha1_twin(v, w, q, twin);
    for (int i = 0; i < 5; i++) {
        unsigned turn = i < 2 ? 0 : 30;
        uint32_t out =
            turn ? sp_rol(q[-i], turn) + sp_rol(q[80 - i], turn) : q[-i] + q[80 - i];
        uint32_t out2 = turn ? sp_rol(twin[-i], turn) + sp_rol(twin[80 - i], turn)
                             : twin[-i] + twin[80 - i];
        differ |= out ^ out2;
    }
    return differ == 0;
}
