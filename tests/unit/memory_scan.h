/* Looks for bytes in all memory of this process. What is looked for is kept masked, and
 * comes from a child, so that the search does not find itself. */
#ifndef TESTS_UNIT_MEMORY_SCAN_H
#define TESTS_UNIT_MEMORY_SCAN_H

#include "folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NEEDLE = 32, MASK = 0x5a, PIECE = 1 << 20 };

struct needle {
    uint8_t masked[NEEDLE];
};
struct found {
    unsigned locked, open; /* in locked memory that no dump has; elsewhere */
};

static inline struct needle needle_of(const uint8_t bytes[NEEDLE])
{
    struct needle n;
    for (size_t i = 0; i < NEEDLE; i++) {
        n.masked[i] = bytes[i] ^ MASK;
    }
    return n;
}

static inline bool is_needle(const volatile uint8_t *at, const struct needle *n)
{
    size_t i = 0;
    while (i < NEEDLE && (at[i] ^ MASK) == n->masked[i]) {
        i++;
    }
    return i == NEEDLE;
}

static inline unsigned count_in(int mem, unsigned long from, unsigned long to,
                                const struct needle *n, uint8_t *piece)
{
    unsigned count = 0;
    for (; from < to; from += PIECE - NEEDLE) {
        size_t want = to - from < PIECE ? to - from : PIECE;
        ssize_t got = pread(mem, piece, want, (off_t)from);
        for (ssize_t i = 0; i + NEEDLE <= got; i++) {
            count += is_needle(piece + i, n) && i < PIECE - NEEDLE;
        }
    }
    return count;
}

static inline struct found look_for(const struct needle *n)
{
    struct found f = {0, 0};
    char line[512];
    unsigned long from = 0, to = 0, a, b;
    uint8_t *piece =
        mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FILE *maps = fopen("/proc/self/smaps", "re");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_true(piece != MAP_FAILED && maps && mem >= 0);
    unsigned long own = (unsigned long)piece, end = own + PIECE;
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx r", &a, &b) == 2) {
            from = a;
            to = b;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " wr")) {
            bool locked = strstr(line, " lo") && strstr(line, " dd");
            /* neighbours may be one mapping with ours */
            unsigned count = from < end && own < to
                                 ? count_in(mem, from, own, n, piece) +
                                       (end < to ? count_in(mem, end, to, n, piece) : 0)
                                 : count_in(mem, from, to, n, piece);
            *(locked ? &f.locked : &f.open) += count;
        }
    }
    fclose(maps);
    close(mem);
    munmap(piece, PIECE);
    return f;
}

/* make runs in a child, which writes what is to be looked for into file. */
static inline void in_a_child(void (*make)(FILE *out), const char *file)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        FILE *out = fopen(in_folder(file), "wb");
        make(out);
        fclose(out);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static inline void put_needle(FILE *out, const uint8_t bytes[NEEDLE])
{
    struct needle n = needle_of(bytes);
    fwrite(&n, sizeof n, 1, out);
}

static inline void read_needles(const char *file, struct needle *out, size_t count)
{
    FILE *in = fopen(in_folder(file), "rbe");
    assert_non_null(in);
    assert_int_equal(fread(out, sizeof *out, count, in), count);
    fclose(in);
}

#endif
