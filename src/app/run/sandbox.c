#include "app/run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

static enum sp_err add(const char *list[], size_t *count, const char *path)
{
    if (*count == SP_SANDBOX_PATHS) {
        return SP_E_LIMIT;
    }
    list[(*count)++] = path;
    return SP_OK;
}

enum sp_err sp_sandbox_read(struct sp_sandbox *s, const char *path)
{
    return add(s->readable, &s->readable_count, path);
}

enum sp_err sp_sandbox_write(struct sp_sandbox *s, const char *path)
{
    return add(s->writable, &s->writable_count, path);
}

void sp_port_add(struct sp_port_set *s, unsigned port)
{
    SP_ASSERT(port < SP_PORTS);
    s->bits[port / 64] |= UINT64_C(1) << port % 64;
}

bool sp_port_has(const struct sp_port_set *s, unsigned port)
{
    return port < SP_PORTS && s->bits[port / 64] >> port % 64 & 1;
}

unsigned sp_port_missing(const struct sp_port_set *a, const struct sp_port_set *b)
{
    unsigned port = 0;
    while (port < SP_PORTS && (!sp_port_has(a, port) || sp_port_has(b, port))) {
        port++;
    }
    return port;
}

/* ---- paths and ports ------------------------------------------------------------ */

enum {
    READS = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    WRITES = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |
             LANDLOCK_ACCESS_FS_MAKE_REG,
    NEVER = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
            LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
            LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
};

/* What later kernels know. Debian 12's headers do not, so it is spelled here as the
 * kernel has it. */
enum {
    WITH_REFERS = 2, /* link and rename from one directory to another; Linux 5.19 */
    WITH_TRUNCATE = 3,
    WITH_PORTS = 4, /* Linux 6.7 */
    WITH_DEVICES = 5,
    WITH_SIGNALS = 6,
    REFERS = LANDLOCK_ACCESS_FS_REFER,
    TRUNCATES = 1 << 14,
    DEVICES = 1 << 15, /* ioctl on devices that are opened later */
    BINDS = 1 << 0,
    CONNECTS = 1 << 1,
    SIGNALS = 1 << 1, /* to who is outside */
    RULE_PORT = 2,
};
struct ruleset {
    uint64_t paths, ports, scoped;
};
struct port_rule {
    uint64_t allowed, port;
};

struct landlock {
    long version;
    int rules; /* owned */
    uint64_t writes;
};

static bool allow(const struct landlock *l, const char *path, uint64_t access)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    }
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                  (l->writes & TRUNCATES);
    }
    struct landlock_path_beneath_attr rule = {.allowed_access = access,
                                              .parent_fd = fd};
    bool good = syscall(SYS_landlock_add_rule, l->rules, LANDLOCK_RULE_PATH_BENEATH,
                        &rule, 0) == 0;
    close(fd);
    return good;
}

static bool allow_ports(const struct landlock *l, const struct sp_sandbox *s)
{
    bool good = true;
    for (unsigned port = 0; good && port < SP_PORTS; port++) {
        struct port_rule rule = {.allowed =
                                     (sp_port_has(&s->binds, port) ? BINDS : 0U) |
                                     (sp_port_has(&s->connects, port) ? CONNECTS : 0U),
                                 .port = port};
        good = !rule.allowed ||
               syscall(SYS_landlock_add_rule, l->rules, RULE_PORT, &rule, 0) == 0;
    }
    return good;
}

static bool allow_all(const struct landlock *l, const struct sp_sandbox *s)
{
    bool good = true;
    for (size_t i = 0; good && i < s->readable_count; i++) {
        good = allow(l, s->readable[i], READS);
    }
    for (size_t i = 0; good && i < s->writable_count; i++) {
        good = allow(l, s->writable[i], READS | l->writes);
    }
    return good && (l->version < WITH_PORTS || allow_ports(l, s));
}

/* As much as this kernel knows; the size of what it is given says which one is meant.
 */
static bool open_rules(struct landlock *l)
{
    struct ruleset handled = {.paths = READS | NEVER, .ports = BINDS | CONNECTS};
    size_t size = sizeof handled.paths;
    l->writes = WRITES | REFERS;
    l->writes |= l->version >= WITH_TRUNCATE ? TRUNCATES : 0U;
    handled.paths |= l->writes;
    handled.paths |= l->version >= WITH_DEVICES ? DEVICES : 0U;
    size = l->version >= WITH_PORTS ? offsetof(struct ruleset, scoped) : size;
    if (l->version >= WITH_SIGNALS) {
        handled.scoped = SIGNALS;
        size = sizeof handled;
    }
    l->rules = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
    return l->rules >= 0;
}

static enum sp_err enter_paths(const struct sp_sandbox *s, struct sp_sandbox_state *out,
                               struct sp_why *why)
{
    struct landlock l = {.rules = -1};
    l.version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (l.version < WITH_REFERS) {
        return SP_OK; /* without it no file could move between directories */
    }
    bool good = open_rules(&l) && allow_all(&l, s) &&
                syscall(SYS_landlock_restrict_self, l.rules, 0) == 0;
    int err = errno;
    if (l.rules >= 0) {
        close(l.rules);
    }
    out->paths = good;
    out->ports = good && l.version >= WITH_PORTS;
    return good ? SP_OK
                : sp_why_set(why, SP_E_IO, "the sandbox of paths cannot be entered: %s",
                             strerror(err));
}

/* ---- system calls --------------------------------------------------------------- */

/* What a proxy has no business with; each fails with EPERM. */
static const int forbidden[] = {
    /* programs and other processes */
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_personality,
    /* file systems and namespaces */
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_open_by_handle_at,
    SYS_quotactl,
    SYS_mknodat,
    SYS_fanotify_init,
    /* the kernel */
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_syslog,
    /* the machine */
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_acct,
    SYS_vhangup,
    /* somebody else */
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
#if defined(__x86_64__)
    SYS_mknod,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_kexec_file_load,
#endif
};
enum { FORBIDDEN = sizeof forbidden / sizeof forbidden[0] };

#define NEW_NAMESPACES                                                                 \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC |        \
     CLONE_NEWUTS | CLONE_NEWCGROUP)
#define FAILS(number) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (number))
#define PASSES        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOADS(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define EQUAL(value, yes, no)                                                          \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
/* The lower half: both architectures are little-endian. */
#define FIRST_ARGUMENT offsetof(struct seccomp_data, args)

static const struct sock_filter before[] = {
    /* another architecture's numbers mean other calls: allow none of them */
    LOADS(offsetof(struct seccomp_data, arch)),
    EQUAL(ARCHITECTURE, 1, 0),
    FAILS(EPERM),
    LOADS(offsetof(struct seccomp_data, nr)),
    /* and so do the numbers of x32 */
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1),
    FAILS(EPERM),
    /* its arguments cannot be seen from here; who asks for it falls back to clone */
    EQUAL(SYS_clone3, 0, 1),
    FAILS(ENOSYS),
    EQUAL(SYS_clone, 0, 4),
    LOADS(FIRST_ARGUMENT),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1),
    FAILS(EPERM),
    PASSES,
    /* families that a proxy speaks; netlink is the resolver's */
    EQUAL(SYS_socket, 0, 7),
    LOADS(FIRST_ARGUMENT),
    EQUAL(AF_UNIX, 4, 0),
    EQUAL(AF_INET, 3, 0),
    EQUAL(AF_INET6, 2, 0),
    EQUAL(AF_NETLINK, 1, 0),
    FAILS(EAFNOSUPPORT),
    PASSES,
};
enum { BEFORE = sizeof before / sizeof before[0] };

static enum sp_err enter_calls(bool *out, struct sp_why *why)
{
    struct sock_filter program[BEFORE + FORBIDDEN + 2];
    if (!ARCHITECTURE) {
        return SP_OK;
    }
    memcpy(program, before, sizeof before);
    for (size_t i = 0; i < FORBIDDEN; i++) {
        program[BEFORE + i] =
            (struct sock_filter)EQUAL(forbidden[i], (uint8_t)(FORBIDDEN - i), 0);
    }
    program[BEFORE + FORBIDDEN] = (struct sock_filter)PASSES;
    program[BEFORE + FORBIDDEN + 1] = (struct sock_filter)FAILS(EPERM);
    struct sock_fprog filter = {.len = BEFORE + FORBIDDEN + 2, .filter = program};
    *out = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
    return *out || errno == EINVAL || errno == ENOSYS
               ? SP_OK
               : sp_why_set(why, SP_E_IO, "the sandbox of calls cannot be entered: %s",
                            strerror(errno));
}

enum sp_err sp_sandbox_hide(struct sp_why *why)
{
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return sp_why_set(why, SP_E_IO, "core dumps cannot be prevented: %s",
                          strerror(errno));
    }
    return SP_OK;
}

enum sp_err sp_sandbox_enter(const struct sp_sandbox *s, struct sp_sandbox_state *out,
                             struct sp_why *why)
{
    enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 }; /* Linux 6.3 */
    struct sp_sandbox_state state = {0};
    SP_TRY(sp_sandbox_hide(why));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return sp_why_set(why, SP_E_IO, "privileges cannot be given up: %s",
                          strerror(errno));
    }
    /* no memory that was written becomes a program */
    (void)prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0);
    SP_TRY(enter_paths(s, &state, why));
    SP_TRY(enter_calls(&state.calls, why));
    *out = state;
    return SP_OK;
}
