/* Pairs of messages, by a model: from a state without difference on, words are drawn by
 * chance, and those are kept whose difference stays what a disturbance vector says, but
 * for a few bits of slack in a few steps. What all of them have in common is what an
 * attack cannot avoid. The words are drawn alone, not expanded from a message, so that
 * nothing is missed that some message has. */
#ifndef TESTS_SUPPORT_SHA1_PATHS_H
#define TESTS_SUPPORT_SHA1_PATHS_H

#include "core/crypto/sha1_inside.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_FIRST = 35, PATH_END = 65 }; /* the steps where every attack follows it */

struct path {
    uint32_t q[SP_SHA1_STATES], twin[SP_SHA1_STATES]; /* [4 + t] */
    uint32_t w[SP_SHA1_STEPS];
    int slack; /* left */
};
struct path_slack {
    int bits;
    unsigned first, last; /* the steps that may use it */
};

static inline uint32_t path_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16);
}

/* One step more, with a word drawn by chance: how many bits go astray. */
static inline int path_try(struct path *p, const struct sp_sha1_vector *v, unsigned t,
                           bool back, uint64_t *seed)
{
    uint32_t w = path_random(seed), *q = p->q + 4, *twin = p->twin + 4;
    int made = back ? (int)t - 4 : (int)t + 1;
    p->w[t] = w;
    (back ? sp_sha1_step_back : sp_sha1_step)(q, t, w);
    (back ? sp_sha1_step_back : sp_sha1_step)(twin, t, w ^ v->difference[t]);
    return __builtin_popcount(q[made] ^ twin[made] ^ v->disturbed[5 + made - 1]);
}

static inline void path_begin(struct path *p, int slack, uint64_t *seed)
{
    for (size_t i = 0; i < SP_SHA1_STATES; i++) {
        p->q[i] = p->twin[i] = path_random(seed);
    }
    p->slack = slack;
}

/* n paths through all steps from calm down to PATH_FIRST (back), or from k + 15 to
 * PATH_END. room has place for n more. False when chance finds no way on: the slack was
 * spent where it leads nowhere. */
static inline bool paths_draw(struct path *paths, struct path *room, size_t n,
                              const struct sp_sha1_vector *v, bool back,
                              const struct path_slack *slack, uint64_t *seed)
{
    unsigned t = back ? v->calm - 1 : v->k + 15, end = back ? PATH_FIRST - 1 : PATH_END;
    for (size_t i = 0; i < n; i++) {
        path_begin(&paths[i], slack->bits, seed);
    }
    for (; back ? t > end : t < end; t = back ? t - 1 : t + 1) {
        size_t kept = 0;
        for (size_t tries = 0; kept < n && tries < 20000 * n; tries++) {
            struct path *p = &paths[path_random(seed) % n];
            int astray = path_try(p, v, t, back, seed);
            bool may = t >= slack->first && t <= slack->last && astray <= p->slack;
            if (astray == 0 || may) {
                room[kept] = *p;
                room[kept++].slack -= astray;
            }
        }
        if (kept < n) {
            return false;
        }
        memcpy(paths, room, n * sizeof *paths);
    }
    return true;
}

#endif
