/* A folder of its own for a test of files, and small things done in it. */
#ifndef TESTS_UNIT_FOLDER_H
#define TESTS_UNIT_FOLDER_H

#include "temporary.h"
#include "unit.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder_path[TEMPORARY_PATH];

static inline int folder_remove_one(const char *path, const struct stat *st, int kind,
                                    struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void folder_remove(const char *path)
{
    nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int folder_setup(void **state)
{
    (void)state;
    return mkdtemp(temporary_path(folder_path)) ? 0 : -1;
}

/* In memory where that is: for thousands of small files. */
static inline int folder_setup_in_memory(void **state)
{
    return mkdtemp(temporary_below("/dev/shm", folder_path)) ? 0 : folder_setup(state);
}

static inline int folder_teardown(void **state)
{
    (void)state;
    folder_remove(folder_path);
    return 0;
}

/* "<folder>/<name>"; valid until the eighth call after it. */
static inline const char *in_folder(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder_path, name);
    return path;
}

static inline unsigned folder_count(const char *path)
{
    unsigned n = 0;
    DIR *d = opendir(path);
    if (!d) {
        return 0;
    }
    for (struct dirent *e; (e = readdir(d));) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    return n;
}

static inline void folder_write(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

#endif
