/* Prints src/core/crypto/sha1_relations.def: which two bits of an expanded message are
 * equal, or differ, on every path (sha1_paths.h) of a disturbance vector. A relation
 * stays only where no path breaks it, with four bits of slack in any four steps. Of
 * those, the ones that most vectors share come first, up to EACH a vector. Takes a
 * minute. */
#include "support/sha1_paths.h"

#include <stdio.h>

enum { PATHS = 3000, BITS = 64, SLACK = 4, WINDOW = 4, EACH = 9 };

struct bit {
    unsigned t, b;
};
struct finding {
    struct bit bits[BITS]; /* where the message differs */
    size_t count;
    uint8_t holds[BITS][BITS]; /* 1: equal, 2: differ, of bits i < j */
    size_t root[BITS];         /* of those related by what was chosen */
    size_t chosen;
};

static struct sp_sha1_vector vectors[SP_SHA1_VECTORS];
static struct finding found[SP_SHA1_VECTORS];
static struct path paths[PATHS], room[PATHS];
static uint64_t seed = 88172645463325252;

static void list_bits(const struct sp_sha1_vector *v, struct finding *f)
{
    for (unsigned t = PATH_FIRST; t < PATH_END; t++) {
        for (unsigned b = 0; b < 32; b++) {
            if (v->difference[t] >> b & 1 && f->count < BITS) {
                f->root[f->count] = f->count;
                f->bits[f->count++] = (struct bit){t, b};
            }
        }
    }
}

static size_t differing(struct bit x, struct bit y)
{
    size_t n = 0;
    for (size_t i = 0; i < PATHS; i++) {
        n += (paths[i].w[x.t] >> x.b ^ paths[i].w[y.t] >> y.b) & 1;
    }
    return n;
}

/* Only what both bits of were drawn: the steps between the halves have no difference.
 */
static void look(const struct sp_sha1_vector *v, struct finding *f, bool back,
                 bool first)
{
    for (size_t i = 0; i < f->count; i++) {
        for (size_t j = i + 1; j < f->count; j++) {
            bool drawn = back ? f->bits[j].t < v->calm : f->bits[i].t >= v->k + 15;
            if (!drawn || (!first && !f->holds[i][j])) {
                continue;
            }
            size_t n = differing(f->bits[i], f->bits[j]);
            uint8_t now = n == 0 ? 1 : n == PATHS ? 2 : 0;
            f->holds[i][j] = first || now == f->holds[i][j] ? now : 0;
        }
    }
}

static void draw(const struct sp_sha1_vector *v, struct finding *f, bool back,
                 const struct path_slack *slack)
{
    if (paths_draw(paths, room, PATHS, v, back, slack, &seed)) {
        look(v, f, back, slack->bits == 0);
    } else {
        fprintf(stderr, "%u(%u,%u): no path with slack in steps %u to %u\n", v->type,
                v->k, v->b, slack->first, slack->last);
    }
}

static void derive(const struct sp_sha1_vector *v, struct finding *f)
{
    static const struct path_slack none = {0, 0, 0};
    list_bits(v, f);
    draw(v, f, true, &none);
    draw(v, f, false, &none);
    for (unsigned first = PATH_FIRST; first < PATH_END; first++) {
        struct path_slack slack = {SLACK, first, first + WINDOW - 1};
        if (first < v->calm) {
            draw(v, f, true, &slack);
        }
        if (first + WINDOW > v->k + 15 && v->k + 15 < PATH_END) {
            draw(v, f, false, &slack);
        }
    }
}

/* ---- the choice ------------------------------------------------------------------ */

static size_t root(const struct finding *f, size_t i)
{
    while (f->root[i] != i) {
        i = f->root[i];
    }
    return i;
}

static size_t index_of(const struct finding *f, struct bit x)
{
    size_t i = 0;
    while (i < f->count && (f->bits[i].t != x.t || f->bits[i].b != x.b)) {
        i++;
    }
    return i;
}

/* Whether it holds for f and says more than what was chosen. */
static bool helps(const struct finding *f, struct bit x, struct bit y, uint8_t how)
{
    size_t i = index_of(f, x), j = index_of(f, y);
    return f->chosen < EACH && i < f->count && j < f->count && f->holds[i][j] == how &&
           root(f, i) != root(f, j);
}

static uint32_t helped(struct bit x, struct bit y, uint8_t how)
{
    uint32_t mask = 0;
    for (size_t n = 0; n < SP_SHA1_VECTORS; n++) {
        mask |= (uint32_t)helps(&found[n], x, y, how) << n;
    }
    return mask;
}

static bool print_best(void)
{
    struct bit x = {0, 0}, y = {0, 0};
    uint8_t how = 0;
    uint32_t most = 0;
    for (size_t n = 0; n < SP_SHA1_VECTORS; n++) {
        const struct finding *f = &found[n];
        for (size_t i = 0; i < f->count; i++) {
            for (size_t j = i + 1; j < f->count; j++) {
                uint32_t now =
                    f->holds[i][j] ? helped(f->bits[i], f->bits[j], f->holds[i][j]) : 0;
                if (__builtin_popcount(now) > __builtin_popcount(most)) {
                    most = now, x = f->bits[i], y = f->bits[j], how = f->holds[i][j];
                }
            }
        }
    }
    if (!most) {
        return false;
    }
    printf("RELATION(%u, %u, %u, %u, %u, 0x%08x)\n", x.t, x.b, y.t, y.b, how - 1U,
           most);
    for (size_t n = 0; n < SP_SHA1_VECTORS; n++) {
        if (most >> n & 1) {
            struct finding *f = &found[n];
            f->root[root(f, index_of(f, x))] = root(f, index_of(f, y));
            f->chosen++;
        }
    }
    return true;
}

int main(void)
{
    sp_sha1_vectors_make(vectors);
    for (size_t i = 0; i < SP_SHA1_VECTORS; i++) {
        derive(&vectors[i], &found[i]);
    }
    puts("/* Made by tests/support/derive_sha1_relations.c, which says how. A row: bit "
         "b1 "
         "of word\n * t1 and bit b2 of word t2 of the expanded message are equal, or "
         "differ, "
         "in every block\n * that an attack by one of the vectors made.\n"
         " * RELATION(t1, b1, t2, b2, differ, bit i: for vector i) */");
    while (print_best()) {
    }
    return 0;
}
