/* Names for what a test makes outside of memory: below $TMPDIR, else /tmp. */
#ifndef TESTS_UNIT_TEMPORARY_H
#define TESTS_UNIT_TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEMPORARY_PATH = 100 };

/* A template for mkdtemp and mkstemp, below a folder. */
static inline char *temporary_below(const char *base, char out[TEMPORARY_PATH])
{
    snprintf(out, TEMPORARY_PATH, "%s/sallyport-test-XXXXXX", base);
    return out;
}

/* The same, below the folder for such things. */
static inline char *temporary_path(char out[TEMPORARY_PATH])
{
    const char *base = getenv("TMPDIR");
    return temporary_below(base && base[0] ? base : "/tmp", out);
}

/* A file without a name, open for reading and writing; -1 on failure. */
static inline int temporary_file(void)
{
    char path[TEMPORARY_PATH];
    int fd = mkstemp(temporary_path(path));
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

#endif
