#include "app/run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* ---- paths
 * ------------------------------------------------------------------------------ */

enum {
    READS = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    WRITES = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |
             LANDLOCK_ACCESS_FS_MAKE_REG,
    NEVER = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
            LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
            LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
    /* link and rename from one directory to another; known since Linux 5.19 */
    REFERS = LANDLOCK_ACCESS_FS_REFER
};

static bool allow(int rules, const char *path, uint64_t access)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    }
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    }
    struct landlock_path_beneath_attr rule = {.allowed_access = access,
                                              .parent_fd = fd};
    bool good = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule,
                        0) == 0;
    close(fd);
    return good;
}

static bool allow_all(int rules, const struct sp_sandbox *s, uint64_t refers)
{
    bool good = true;
    for (size_t i = 0; good && i < s->readable_count; i++) {
        good = allow(rules, s->readable[i], READS);
    }
    for (size_t i = 0; good && i < s->writable_count; i++) {
        good = allow(rules, s->writable[i], READS | WRITES | refers);
    }
    return good;
}

static enum sp_err enter_paths(const struct sp_sandbox *s, bool *out,
                               struct sp_why *why)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    uint64_t refers = version >= 2 ? REFERS : 0;
    struct landlock_ruleset_attr handled = {.handled_access_fs =
                                                READS | WRITES | NEVER | refers};
    if (version < 2) {
        return SP_OK; /* without it no file could move between directories */
    }
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    bool good = rules >= 0 && allow_all(rules, s, refers) &&
                syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    int err = errno;
    if (rules >= 0) {
        close(rules);
    }
    *out = good;
    return good ? SP_OK
                : sp_why_set(why, SP_E_IO, "the sandbox of paths cannot be entered: %s",
                             strerror(err));
}

/* ---- system calls
 * ------------------------------------------------------------------------ */

/* What a proxy has no business with; each fails with EPERM. */
static const int forbidden[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
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
    SYS_open_by_handle_at,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_acct,
    SYS_quotactl,
    SYS_syslog,
    SYS_personality,
    SYS_io_uring_setup,
    SYS_mknodat,
    SYS_setuid,
    SYS_setgid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setgroups,
    SYS_capset,
};
enum { FORBIDDEN = sizeof forbidden / sizeof forbidden[0], BEFORE = 4 };

static enum sp_err enter_calls(bool *out, struct sp_why *why)
{
    struct sock_filter program[BEFORE + FORBIDDEN + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        /* another architecture's numbers mean other calls: allow none of them */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0, FORBIDDEN + 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        /* and so do the numbers of x32 */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, FORBIDDEN + 1, 0),
    };
    if (!ARCHITECTURE) {
        return SP_OK;
    }
    for (size_t i = 0; i < FORBIDDEN; i++) {
        program[BEFORE + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                           (uint32_t)forbidden[i],
                                                           (uint8_t)(FORBIDDEN - i), 0);
    }
    program[BEFORE + FORBIDDEN] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[BEFORE + FORBIDDEN + 1] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog filter = {.len = BEFORE + FORBIDDEN + 2, .filter = program};
    *out = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
    return *out || errno == EINVAL || errno == ENOSYS
               ? SP_OK
               : sp_why_set(why, SP_E_IO, "the sandbox of calls cannot be entered: %s",
                            strerror(errno));
}

enum sp_err sp_sandbox_enter(const struct sp_sandbox *s, struct sp_sandbox_state *out,
                             struct sp_why *why)
{
    struct sp_sandbox_state state = {0};
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return sp_why_set(why, SP_E_IO, "privileges cannot be given up: %s",
                          strerror(errno));
    }
    SP_TRY(enter_paths(s, &state.paths, why));
    SP_TRY(enter_calls(&state.calls, why));
    *out = state;
    return SP_OK;
}
