/* The calls of faults.h that SQLite makes: it is given ours. */
#ifndef TESTS_UNIT_FAULTS_SQL_H
#define TESTS_UNIT_FAULTS_SQL_H

#include "faults.h"

#include <sqlite3.h>

static inline int sql_open(const char *path, int flags, int mode)
{
    return strikes(opens_to_write(flags)) ? strike() : __real_open(path, flags, mode);
}

static unsigned faults_sql_writes;

static inline ssize_t sql_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    faults_sql_writes++;
    return __wrap_pwrite(fd, bytes, n, at);
}

static inline int sql_ftruncate(int fd, off_t size)
{
    return __wrap_ftruncate(fd, size);
}

static inline int sql_unlink(const char *path)
{
    return __wrap_unlink(path);
}

/* Before the first connection. */
static inline void faults_take_over_sqlite(void)
{
    static const struct {
        const char *name;
        sqlite3_syscall_ptr call;
    } calls[] = {{"open", (sqlite3_syscall_ptr)sql_open},
                 {"pwrite", (sqlite3_syscall_ptr)sql_pwrite},
                 {"pwrite64", (sqlite3_syscall_ptr)sql_pwrite},
                 {"ftruncate", (sqlite3_syscall_ptr)sql_ftruncate},
                 {"unlink", (sqlite3_syscall_ptr)sql_unlink}};
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    assert_non_null(vfs);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        int code = vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call);
        assert_true(code == SQLITE_OK || code == SQLITE_NOTFOUND);
    }
}

#endif
