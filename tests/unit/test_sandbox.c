/* The sandbox: each forbidden call fails, and its neighbours do not. Every case is a
 * child of its own, because nobody comes back out. */
#include "folder.h"

#include "app/run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sp_sandbox_state state;
/* Listeners of the parent: one that may be reached, one that may not. */
static uint16_t allowed_port, other_port;

static void enter(void)
{
    struct sp_sandbox s = {0};
    struct sp_why why = {0};
    sp_port_add(&s.connects, allowed_port);
    sp_port_add(&s.binds, 0);
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
static int make_raw_socket(void)
{
    return after(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}
static struct sockaddr_in local(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons(port)};
}
static int connect_to(uint16_t port)
{
    struct sockaddr_in to = local(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return after(connect(fd, (struct sockaddr *)&to, sizeof to));
}
static int connect_allowed(void)
{
    return connect_to(allowed_port);
}
static int connect_elsewhere(void)
{
    return connect_to(other_port);
}
static int bind_to(uint16_t port)
{
    struct sockaddr_in at = local(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return after(bind(fd, (struct sockaddr *)&at, sizeof at));
}
static int bind_allowed(void)
{
    return bind_to(0);
}
static int bind_elsewhere(void)
{
    return bind_to(other_port);
}
static int empty_readable(void)
{
    return after(truncate(in_folder("readable/file"), 0));
}
static int empty_elsewhere(void)
{
    return after(truncate(in_folder("elsewhere/file"), 0));
}
static int signal_own(void)
{
    return after(kill(getpid(), 0));
}
static int signal_parent(void)
{
    return after(kill(getppid(), 0));
}
static int write_a_program(void)
{
    void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return m == MAP_FAILED ? errno : 0;
}
static int become_all(void)
{
    return after(setresuid(0, 0, 0));
}
static int become_group(void)
{
    return after(setgroups(0, NULL));
}
static int take_capabilities(void)
{
    return after(syscall(SYS_capset, NULL, NULL));
}
static int trace_parent(void)
{
    return after(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}
static int read_parent(void)
{
    char here, there;
    struct iovec to = {&here, 1}, from = {&there, 1};
    return after(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}
static int clone_as(int flags)
{
    long child = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        _exit(0);
    }
    return after(child);
}
static int fork_only(void)
{
    return clone_as(0);
}
static int clone_user(void)
{
    return clone_as(CLONE_NEWUSER);
}
static int clone_by_three(void)
{
    return after(syscall(SYS_clone3, NULL, 0));
}
static int load_program(void)
{
    return after(syscall(SYS_bpf, 0, NULL, 0));
}
static int make_ring(void)
{
    return after(syscall(SYS_io_uring_setup, 1, NULL));
}
static int change_root(void)
{
    return after(chroot("/"));
}
static int gain_by_a_file(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}
static int be_read(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}
static int dump_core(void)
{
    struct rlimit r;
    return getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max == 0 ? 0 : 1;
}

enum wants { PATHS, PORTS, SIGNALS, CALLS, PAGES, NEITHER };
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
    {"memory that nobody reads", be_read, NEITHER, 0},
    {"no new privileges", gain_by_a_file, NEITHER, 0},
    {"a port that may be reached", connect_allowed, NEITHER, 0},
    {"a port to listen on", bind_allowed, NEITHER, 0},
    {"a signal to oneself", signal_own, NEITHER, 0},
    {"fork", fork_only, NEITHER, 0},
    {"another port", connect_elsewhere, PORTS, EACCES},
    {"listen elsewhere", bind_elsewhere, PORTS, EACCES},
    {"empty what may be read", empty_readable, PATHS, EACCES},
    {"empty a file elsewhere", empty_elsewhere, PATHS, EACCES},
    {"a signal to somebody else", signal_parent, SIGNALS, EPERM},
    {"memory that is written and executed", write_a_program, PAGES, EACCES},
    {"a packet socket", make_raw_socket, CALLS, EAFNOSUPPORT},
    {"become root again", become_all, CALLS, EPERM},
    {"other groups", become_group, CALLS, EPERM},
    {"capabilities", take_capabilities, CALLS, EPERM},
    {"trace another process", trace_parent, CALLS, EPERM},
    {"read another process", read_parent, CALLS, EPERM},
    {"a new user namespace", clone_user, CALLS, EPERM},
    {"clone3", clone_by_three, CALLS, ENOSYS},
    {"a kernel program", load_program, CALLS, EPERM},
    {"io_uring", make_ring, CALLS, EPERM},
    {"another root", change_root, CALLS, EPERM},
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

static bool can(enum wants w)
{
    enum { SIGNALS_SINCE = 6, GET_MDWE = 66 };
    switch (w) {
    case PATHS:
        return state.paths;
    case PORTS:
        return state.ports;
    case SIGNALS:
        return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= SIGNALS_SINCE;
    case CALLS:
        return state.calls;
    case PAGES:
        return prctl(GET_MDWE, 0, 0, 0, 0) > 0;
    case NEITHER:
        break;
    }
    return true;
}

static int in_child(size_t i)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        enter();
        _exit(can(cases[i].wants) ? cases[i].run() : 101);
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

static int listen_at(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

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
    int allowed = listen_at(&allowed_port), other = listen_at(&other_port);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int got = in_child(i);
        if (got == 101) {
            printf("SKIPPED: this kernel cannot: %s\n", cases[i].name);
        } else if (got != cases[i].result) {
            fail_msg("%s: %d, not %d", cases[i].name, got, cases[i].result);
        }
    }
    close(allowed);
    close(other);
}

static void a_ports(void **ctx)
{
    (void)ctx;
    struct sp_port_set a = {{0}}, b = {{0}};
    assert_int_equal(sp_port_missing(&a, &b), SP_PORTS);
    sp_port_add(&a, 0);
    sp_port_add(&a, SP_PORTS - 1);
    assert_true(sp_port_has(&a, 0) && sp_port_has(&a, SP_PORTS - 1));
    assert_false(sp_port_has(&a, 1) || sp_port_has(&a, SP_PORTS));
    sp_port_add(&b, 0);
    assert_int_equal(sp_port_missing(&a, &b), SP_PORTS - 1);
    sp_port_add(&b, SP_PORTS - 1);
    sp_port_add(&b, 443);
    assert_int_equal(sp_port_missing(&a, &b), SP_PORTS);
    assert_int_equal(sp_port_missing(&b, &a), 443);
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
        cmocka_unit_test(a_ports),
        cmocka_unit_test(f_paths_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
