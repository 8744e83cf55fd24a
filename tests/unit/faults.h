/* Faults of the disk: one call that changes it, or that opens something, kills the
 * process or fails, and then the next one, until there is none left.
 *
 * The linker puts the functions below in front of the real ones in every test_faults*.c
 * (tests/CMakeLists.txt); SQLite is given its own. A killed process keeps what it
 * wrote, so nothing waits for the disk here. Calls may come from several threads, one
 * at a time. */
#ifndef TESTS_UNIT_FAULTS_H
#define TESTS_UNIT_FAULTS_H

#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

static struct {
    bool on, kills;
    int error;
    long left; /* calls before the fault */
} plan;

/* What survives a kill: for the work to say what it was told is done. */
static uint8_t *faults_said;
#define FAULTS_SAID 64

/* What only reads does not find the disk full, or read-only. */
static inline bool can_meet(bool writes)
{
    return writes || plan.kills || plan.error == EIO || plan.error == EMFILE;
}

/* True: this call is the one. */
static inline bool strikes(bool writes)
{
    return plan.on && can_meet(writes) && plan.left-- == 0;
}

/* -1 with errno, or the end. */
static inline int strike(void)
{
    if (plan.kills) {
        raise(SIGKILL);
    }
    errno = plan.error;
    return -1;
}

#define WRAP(type, name, parameters, arguments)                                        \
    type __real_##name parameters;                                                     \
    type __wrap_##name parameters;                                                     \
    type __wrap_##name parameters                                                      \
    {                                                                                  \
        return strikes(true) ? strike() : __real_##name arguments;                     \
    }
WRAP(int, rename, (const char *a, const char *b), (a, b))
WRAP(int, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
WRAP(int, unlink, (const char *a), (a))
WRAP(int, unlinkat, (int a, const char *b, int c), (a, b, c))
WRAP(int, mkdir, (const char *a, mode_t b), (a, b))
WRAP(int, mkdirat, (int a, const char *b, mode_t c), (a, b, c))
WRAP(int, fchmod, (int a, mode_t b), (a, b))
WRAP(int, fallocate, (int a, int b, off_t c, off_t d), (a, b, c, d))
WRAP(int, ftruncate, (int a, off_t b), (a, b))
WRAP(int, futimens, (int a, const struct timespec b[2]), (a, b))

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return strikes(true) ? strike() : 0;
}
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return strikes(true) ? strike() : 0;
}

static inline bool opens_to_write(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, int) : 0;
    va_end(more);
    return strikes(opens_to_write(flags)) ? strike() : __real_open(path, flags, mode);
}

/* Of the calls without a function of their own openat2 is the one that counts. */
long __real_syscall(long n, long a, const char *b, const struct open_how *c, long d);
long __wrap_syscall(long n, long a, const char *b, const struct open_how *c, long d);
long __wrap_syscall(long n, long a, const char *b, const struct open_how *c, long d)
{
    bool counts = n == SYS_openat2 && strikes(opens_to_write((int)c->flags));
    return counts ? strike() : __real_syscall(n, a, b, c, d);
}

/* Half of it is written. */
ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (!strikes(true)) {
        return __real_pwrite(fd, bytes, n, at);
    }
    if (n / 2 > 0) {
        (void)!__real_pwrite(fd, bytes, n / 2, at);
    }
    return strike();
}

/* ---- over and over --------------------------------------------------------------- */

struct faults_case {
    void (*prepare)(void);     /* everything anew, without a fault */
    enum sp_err (*work)(void); /* from the opening to the end; may be done again */
    void (*check)(void);       /* opens what is there and asserts what must hold */
    long least;                /* calls it must come to, or it tested nothing */
};

static inline void faults_prepare(const struct faults_case *c)
{
    memset(&plan, 0, sizeof plan);
    memset(faults_said, 0, FAULTS_SAID);
    c->prepare();
}

/* Without a fault it must all go well again. */
static inline void faults_recover(const struct faults_case *c)
{
    plan.on = false;
    c->check();
    assert_ok(c->work());
    c->check();
}

/* True: it was killed; false: the work came to its end. */
static inline bool faults_kill(const struct faults_case *c, long call)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        plan.on = plan.kills = true;
        plan.left = call;
        _exit(c->work() == SP_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

static inline void faults_kill_everywhere(const struct faults_case *c)
{
    long call = 0;
    for (bool killed = true; killed; call++) {
        faults_prepare(c);
        killed = faults_kill(c, call);
        faults_recover(c);
    }
    assert_true(call > c->least);
}

static inline bool faults_fail(const struct faults_case *c, long call, int error)
{
    plan.on = true;
    plan.left = call;
    plan.error = error;
    (void)!c->work(); /* an error or none: some things are done as well as can be */
    plan.on = false;
    return plan.left < 0;
}

static inline void faults_fail_everywhere(const struct faults_case *c)
{
    static const int errors[] = {ENOSPC, EIO, EROFS, EMFILE};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        long call = 0;
        for (bool met = true; met; call++) {
            faults_prepare(c);
            met = faults_fail(c, call, errors[i]);
            faults_recover(c);
        }
        if (call <= c->least) {
            fail_msg("%s: only %ld calls", strerror(errors[i]), call);
        }
    }
}

/* In memory where that is: some thousands of stores are made. */
static inline int faults_setup(void **state)
{
    faults_said = mmap(NULL, FAULTS_SAID, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (faults_said == MAP_FAILED) {
        return -1;
    }
    return folder_setup_in_memory(state);
}

static inline int faults_teardown(void **state)
{
    munmap(faults_said, FAULTS_SAID);
    return folder_teardown(state);
}

#define FAULTS_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(name, faults_setup, faults_teardown)

#endif
