#include "core/crypto/sha1_watch.h"

#include "core/crypto/sha1_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 };

struct sp_sha1_watch {
    uint32_t chain[5];
    uint64_t size;
    uint8_t rest[BLOCK]; /* of a block that is not complete */
    bool found;
    struct sp_sha1_sign sign;
    struct sp_sha1_vector vectors[SP_SHA1_VECTORS];
};

enum sp_err sp_sha1_watch_new(struct sp_sha1_watch **out)
{
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                      0xc3d2e1f0};
    struct sp_sha1_watch *w = calloc(1, sizeof *w);
    if (!w) {
        return SP_E_NOMEM;
    }
    memcpy(w->chain, start, sizeof start);
    sp_sha1_vectors_make(w->vectors);
    *out = w;
    return SP_OK;
}

void sp_sha1_watch_free(struct sp_sha1_watch **w)
{
    free(*w);
    *w = NULL;
}

static inline void run_round(uint32_t s[5], const uint32_t *w, unsigned round)
{
    uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4];
#pragma GCC unroll 20
    for (unsigned t = 20 * round; t < 20 * round + 20; t++) {
        uint32_t next = sp_rol(a, 5) + sp_sha1_mix(round, b, c, d) + e + w[t];
        e = d;
        d = c;
        c = sp_rol(b, 30);
        b = a;
        a = next;
    }
    s[0] = a, s[1] = b, s[2] = c, s[3] = d, s[4] = e;
}

static void compress(uint32_t chain[5], const uint32_t w[SP_SHA1_STEPS])
{
    uint32_t s[5];
    memcpy(s, chain, sizeof s);
    run_round(s, w, 0);
    run_round(s, w, 1);
    run_round(s, w, 2);
    run_round(s, w, 3);
    for (size_t i = 0; i < 5; i++) {
        chain[i] += s[i];
    }
}

static void note(struct sp_sha1_watch *w, const struct sp_sha1_vector *v,
                 uint64_t offset)
{
    if (!w->found) {
        w->found = true;
        w->sign.offset = offset;
        snprintf(w->sign.vector, sizeof w->sign.vector, "%s(%u,%u)",
                 v->type == 1 ? "I" : "II", v->k % 100, v->b % 100);
    }
}

/* Few blocks come here, and of those only for a vector or two. */
static void look_closer(struct sp_sha1_watch *w, const uint32_t words[SP_SHA1_STEPS],
                        uint32_t suspects, uint64_t offset)
{
    uint32_t states[SP_SHA1_STATES], *q = states + 4;
    for (int i = 0; i < 5; i++) {
        q[-i] = i < 2 ? w->chain[i] : sp_rol(w->chain[i], 2);
    }
    for (unsigned t = 0; t < SP_SHA1_STEPS; t++) {
        sp_sha1_step(q, t, words[t]);
    }
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        if (suspects >> i & 1 && sp_sha1_collides(&w->vectors[i], words, q)) {
            note(w, &w->vectors[i], offset);
        }
    }
}

static void take_block(struct sp_sha1_watch *w, const uint8_t *p, uint64_t offset)
{
    uint32_t words[SP_SHA1_STEPS];
    sp_sha1_expand(p, words);
    uint32_t suspects = sp_sha1_suspects(words);
    if (suspects) {
        look_closer(w, words, suspects, offset);
    }
    compress(w->chain, words);
}

void sp_sha1_watch_update(struct sp_sha1_watch *w, struct sp_view v)
{
    while (v.len) {
        size_t held = w->size % BLOCK, n = v.len < BLOCK - held ? v.len : BLOCK - held;
        const uint8_t *block = v.data;
        if (n < BLOCK) {
            memcpy(w->rest + held, v.data, n);
            block = w->rest;
        }
        w->size += n;
        if (w->size % BLOCK == 0) {
            take_block(w, block, w->size - BLOCK);
        }
        v = sp_view_slice(v, n, v.len);
    }
}

bool sp_sha1_watch_found(const struct sp_sha1_watch *w, struct sp_sha1_sign *out)
{
    if (w->found) {
        *out = w->sign;
    }
    return w->found;
}
