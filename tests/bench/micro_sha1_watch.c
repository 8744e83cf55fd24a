/* What the search for marks of SHA-1 collision attacks costs, in MB/s of CPU time, and
 * how many vectors of a block it looks at closely. Nothing passes or fails here. */
#include "core/crypto/sha1_inside.h"
#include "core/crypto/sha1_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES = 8 << 20, ROUNDS = 7 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double once(struct sp_view bytes)
{
    struct sp_sha1_watch *w = NULL;
    struct sp_sha1_sign sign;
    SP_ASSERT(sp_sha1_watch_new(&w) == SP_OK);
    double start = cpu_s();
    sp_sha1_watch_update(w, bytes);
    double took = cpu_s() - start;
    SP_ASSERT(!sp_sha1_watch_found(w, &sign));
    sp_sha1_watch_free(&w);
    return took;
}

static double suspects_a_block(const uint8_t *p)
{
    size_t n = 0, blocks = BYTES / 64;
    for (size_t i = 0; i < blocks; i++, p += 64) {
        uint32_t w[SP_SHA1_STEPS];
        sp_sha1_expand(p, w);
        n += (size_t)__builtin_popcount(sp_sha1_suspects(w));
    }
    return (double)n / (double)blocks;
}

int main(void)
{
    uint8_t *data = malloc(BYTES);
    uint64_t x = 88172645463325252;
    double least = 1e9;
    SP_ASSERT(data);
    for (size_t i = 0; i < BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (uint8_t)(x >> 24);
    }
    for (int i = 0; i < ROUNDS; i++) {
        double took = once(sp_view(data, BYTES));
        least = took < least ? took : least;
    }
    printf("%.0f MB/s, %.3f vectors a block\n", (double)BYTES / 1e6 / least,
           suspects_a_block(data));
    free(data);
    return 0;
}
