/* What the micro benchmarks share: each is a table of items.
 *
 *     micro_WHAT                 all items, a line each: nanoseconds, MB/s, allocations
 *     micro_WHAT NAME COUNT      COUNT times that item and nothing else, for callgrind
 *
 * budgets.py counts instructions with the second form. Nothing passes or fails here. */
#ifndef TESTS_BENCH_MICRO_H
#define TESTS_BENCH_MICRO_H

#include "support/counted.h"

#include "sallyport/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct item {
    const char *name;
    size_t (*run)(void); /* does its work once, and gives the bytes it went through */
    size_t rows;         /* that it went through; 0: it is one thing */
};

static inline void must(enum sp_err e)
{
    if (e != SP_OK) {
        fprintf(stderr, "micro: %s\n", sp_err_text(e));
        exit(1);
    }
}

/* ---- time ------------------------------------------------------------------------ */

static inline double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double round_ns(const struct item *i, long count)
{
    double began = cpu_ns();
    for (long n = 0; n < count; n++) {
        i->run();
    }
    return (cpu_ns() - began) / (double)count;
}

/* The best of several rounds: whatever disturbs makes it slower. */
static inline void show(const struct item *i)
{
    enum { ROUNDS = 7 };
    const double round = 2e7;
    long count = (long)(round / round_ns(i, 3)) + 1;
    double best = round_ns(i, count);
    unsigned long before = asked;
    size_t bytes = i->run();
    unsigned long allocations = asked - before;
    for (int r = 1; r < ROUNDS; r++) {
        double took = round_ns(i, count);
        best = took < best ? took : best;
    }
    printf("%-20s %12.1f ns", i->name, best);
    bytes ? printf(" %9.1f MB/s", (double)bytes * 1e3 / best)
          : printf("          -    ");
    i->rows ? printf(" %9.0f rows/s", (double)i->rows * 1e9 / best)
            : printf("          -      ");
    printf(" %5lu allocations\n", allocations);
}

static inline void micro_run(int argc, char **argv, const struct item *items,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (argc < 3) {
            show(&items[i]);
        } else if (strcmp(items[i].name, argv[1]) == 0) {
            for (long n = strtol(argv[2], NULL, 10); n > 0; n--) {
                items[i].run();
            }
        }
    }
}

#endif
