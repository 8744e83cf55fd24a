/* The sandbox: each forbidden call fails, and its neighbours do not. Every case is a
 * child of its own, because nobody comes back out. */
#include "folder.h"

#include "app/run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sp_sandbox_state state;

static void enter(void)
{
    struct sp_sandbox s = {0};
    struct sp_why why = {0};
    if (sp_sandbox_read(&s, in_folder("readable")) != SP_OK ||
        sp_sandbox_write(&s, in_folder("writable")) != SP_OK ||
        sp_sandbox_read(&s, in_folder("missing")) != SP_OK ||
        sp_sandbox_enter(&s, &state, &why) != SP_OK) {
        fprintf(stderr, "%s\n", why.text);
        _exit(100);
    }
}

/* 0, or the errno it failed with. */
static int after(long result)
{
    return result < 0 ? errno : 0;
}

static int read_readable(void)
{
    return after(open(in_folder("readable/file"), O_RDONLY | O_CLOEXEC));
}
static int write_readable(void)
{
    return after(open(in_folder("readable/file"), O_WRONLY | O_CLOEXEC));
}
static int make_in_readable(void)
{
    return after(open(in_folder("readable/new"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}
static int make_in_writable(void)
{
    return after(open(in_folder("writable/new"), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
}
static int move_in_writable(void)
{
    mkdir(in_folder("writable/below"), 0700);
    return make_in_writable() ? 1
                              : after(rename(in_folder("writable/new"),
                                             in_folder("writable/below/new")));
}
static int read_elsewhere(void)
{
    return after(open(in_folder("elsewhere/file"), O_RDONLY | O_CLOEXEC));
}
static int link_out(void)
{
    return after(symlink("/etc/passwd", in_folder("writable/link")));
}
static int execute(void)
{
    char name[] = "/bin/true";
    char *argv[] = {name, NULL}, *env[] = {NULL};
    return after(execve(name, argv, env));
}
static int trace(void)
{
    return after(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}
static int mount_something(void)
{
    return after(mount("none", in_folder("writable"), "tmpfs", 0, NULL));
}
static int become(void)
{
    return after(setuid(12345));
}
static int set_clock(void)
{
    struct timeval t = {.tv_sec = 1};
    return after(settimeofday(&t, NULL));
}
static int leave_namespace(void)
{
    return after(syscall(SYS_unshare, 0));
}
static int make_socket(void)
{
    return after(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}
static int dump_core(void)
{
    struct rlimit r;
    return getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max == 0 ? 0 : 1;
}

enum wants { PATHS, CALLS, NEITHER };
static const struct {
    const char *name;
    int (*run)(void);
    enum wants wants; /* the sandbox that makes it so */
    int result;
} cases[] = {
    {"read what may be read", read_readable, NEITHER, 0},
    {"make a file where that is allowed", make_in_writable, NEITHER, 0},
    {"move a file between directories", move_in_writable, NEITHER, 0},
    {"a socket", make_socket, NEITHER, 0},
    {"no core dump", dump_core, NEITHER, 0},
    {"write what may be read", write_readable, PATHS, EACCES},
    {"make a file beside it", make_in_readable, PATHS, EACCES},
    {"read elsewhere", read_elsewhere, PATHS, EACCES},
    {"a link out", link_out, PATHS, EACCES},
    {"execute", execute, CALLS, EPERM},
    {"trace", trace, CALLS, EPERM},
    {"mount", mount_something, CALLS, EPERM},
    {"become somebody", become, CALLS, EPERM},
    {"set the clock", set_clock, CALLS, EPERM},
    {"leave a namespace", leave_namespace, CALLS, EPERM},
};

static int in_child(size_t i)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        enter();
        bool absent = (cases[i].wants == PATHS && !state.paths) ||
                      (cases[i].wants == CALLS && !state.calls);
        _exit(absent ? 101 : cases[i].run());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#if defined(__SANITIZE_THREAD__)
enum { CAN_FORK = 0 }; /* its runtime needs calls that are forbidden in the child */
#else
enum { CAN_FORK = 1 };
#endif

static void c_what_fails_and_what_does_not(void **ctx)
{
    (void)ctx;
    if (!CAN_FORK) {
        printf("SKIPPED: ThreadSanitizer does not live in a sandbox\n");
        return;
    }
    static const char *const names[] = {"readable", "writable", "elsewhere"};
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        mkdir(in_folder(names[i]), 0700);
        snprintf(path, sizeof path, "%s/file", names[i]);
        int fd = open(in_folder(path), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int got = in_child(i);
        if (got == 101) {
            printf("SKIPPED: this kernel cannot: %s\n", cases[i].name);
        } else if (got != cases[i].result) {
            fail_msg("%s: %d, not %d", cases[i].name, got, cases[i].result);
        }
    }
}

static void f_paths_have_a_limit(void **ctx)
{
    (void)ctx;
    struct sp_sandbox s = {0};
    for (size_t i = 0; i < SP_SANDBOX_PATHS; i++) {
        assert_ok(sp_sandbox_read(&s, "/"));
        assert_ok(sp_sandbox_write(&s, "/"));
    }
    assert_err(sp_sandbox_read(&s, "/"), SP_E_LIMIT);
    assert_err(sp_sandbox_write(&s, "/"), SP_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(c_what_fails_and_what_does_not, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(f_paths_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
