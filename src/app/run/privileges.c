#include "app/run/privileges.h"

#include "app/config/account.h"
#include "app/log/log.h"
#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- which account -------------------------------------------------------------- */

static bool holds_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capget, &head, data) == 0 &&
           (data[0].permitted || data[1].permitted);
}

static enum sp_err find_account(const struct sp_config *c, const char *name,
                                struct sp_privileges *p, struct sp_why *why)
{
    struct sp_account a;
    SP_TRY(sp_account_find(name, c->group, &a, why));
    p->uid = a.uid;
    p->gid = a.gid;
    memcpy(p->user, a.user, sizeof p->user);
    memcpy(p->group, a.group, sizeof p->group);
    return SP_OK;
}

static enum sp_err find_for_root(const struct sp_config *c, struct sp_privileges *p,
                                 struct sp_why *why)
{
    p->stays = !c->user[0] && !getpwnam(SP_ACCOUNT);
    if (p->stays) {
        return SP_OK;
    }
    SP_TRY(find_account(c, c->user[0] ? c->user : SP_ACCOUNT, p, why));
    p->changes = p->uid != 0;
    p->drops = p->changes;
    return SP_OK;
}

enum sp_err sp_privileges_find(const struct sp_config *c, struct sp_privileges *out,
                               struct sp_why *why)
{
    struct sp_privileges p = {.uid = geteuid(), .gid = getegid()};
    if (p.uid == 0) {
        SP_TRY(find_for_root(c, &p, why));
    } else if (c->user[0]) {
        uid_t own = p.uid;
        SP_TRY(find_account(c, c->user, &p, why));
        if (p.uid != own) {
            return sp_why_set(why, SP_E_CONFIG,
                              "user = \"%s\", but this process is neither root nor %s",
                              c->user, c->user);
        }
    }
    p.drops = p.drops || (p.uid != 0 && holds_capabilities());
    *out = p;
    return SP_OK;
}

/* ---- folders -------------------------------------------------------------------- */

struct look {
    const struct sp_privileges *p;
    const char *key, *path;
    struct sp_why *why;
    unsigned depth;
};

static enum sp_err check_owner(const struct look *l, const char *name,
                               const struct stat *st)
{
    const struct passwd *a = st->st_uid == l->p->uid ? NULL : getpwuid(st->st_uid);
    char number[24];
    snprintf(number, sizeof number, "%u", st->st_uid);
    return st->st_uid == l->p->uid
               ? SP_OK
               : sp_why_set(l->why, SP_E_CONFIG,
                            "%s %s: %s belongs to %s, and the daemon becomes %s: chown "
                            "-R %s:%s %s",
                            l->key, l->path, name, a ? a->pw_name : number, l->p->user,
                            l->p->user, l->p->group, l->path);
}

/* Itself, what is in it, and what is in that: there stands everything that is opened by
 * name at a start. What lies deeper was made by whoever made the folder. */
enum { DEEPEST = 2 };

static enum sp_err look_at(void *ctx, int dir, const char *name)
{
    struct look *l = ctx;
    SP_AUTO(sp_fd_close) int below = -1;
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? SP_OK : sp_file_fail(l->why, "look at", name, errno);
    }
    SP_TRY(check_owner(l, name, &st));
    if (!S_ISDIR(st.st_mode) || l->depth == DEEPEST) {
        return SP_OK;
    }
    SP_TRY(sp_file_open_at(dir, name, O_RDONLY | O_DIRECTORY, &below));
    l->depth++;
    enum sp_err e = sp_dir_each(below, look_at, l);
    l->depth--;
    return e;
}

static enum sp_err prepare(const struct sp_privileges *p, const char *key,
                           const char *path, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    struct look l = {.p = p, .key = key, .path = path, .why = why, .depth = 1};
    struct stat st;
    bool made = mkdir(path, 0700) == 0;
    SP_TRY(sp_dir_open(path, &fd, why));
    if (made && fchown(fd, p->uid, p->gid) != 0) {
        return sp_file_fail(why, "give away", path, errno);
    }
    if (fstat(fd, &st) != 0) {
        return sp_file_fail(why, "look at", path, errno);
    }
    SP_TRY(check_owner(&l, "it", &st));
    return sp_dir_each(fd, look_at, &l);
}

enum sp_err sp_privileges_folders(const struct sp_privileges *p,
                                  const struct sp_config *c, struct sp_why *why)
{
    if (!p->changes) {
        return SP_OK;
    }
    SP_TRY(prepare(p, "state_dir", c->state_dir, why));
    return prepare(p, "cache_dir", c->cache_dir, why);
}

/* ---- what a reload will not find ------------------------------------------------- */

static void warn_of(void *ctx, const char *path)
{
    const struct sp_privileges *p = ctx;
    if (access(path, R_OK) != 0 && errno == EACCES) {
        sp_log_say(
            SP_LOG_WARNING, "not_for_reload",
            "%s was read as root and %s cannot read it: a reload will be refused "
            "until it can; run --take-over, as root, reads it anew",
            path, p->user);
    }
}

void sp_privileges_warn(const struct sp_privileges *p, const struct sp_config *c)
{
    struct sp_privileges told = *p;
    if (p->changes) {
        sp_config_each_path(c, warn_of, &told);
    }
}

/* ---- the drop ------------------------------------------------------------------- */

static enum sp_err failed(struct sp_why *why, const char *what)
{
    return sp_why_set(why, SP_E_DENIED, "privileges cannot be given up: %s: %s", what,
                      strerror(errno));
}

/* Also from what a program that is started could get; without the right to, it was
 * taken already. */
static void clear_bounds(void)
{
    int more = 0;
    for (unsigned long cap = 0; more == 0 && cap < 64; cap++) {
        more = prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static enum sp_err clear_capabilities(struct sp_why *why)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capset, &head, none) == 0 && !holds_capabilities()
               ? SP_OK
               : failed(why, "capabilities");
}

static enum sp_err change_user(const struct sp_privileges *p, struct sp_why *why)
{
    if (initgroups(p->user, p->gid) != 0) {
        return failed(why, "groups");
    }
    if (setresgid(p->gid, p->gid, p->gid) != 0 ||
        setresuid(p->uid, p->uid, p->uid) != 0) {
        return failed(why, "user");
    }
    return SP_OK;
}

static bool can_return(void)
{
    return setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setuid(0) == 0 ||
           setresgid((gid_t)-1, 0, (gid_t)-1) == 0;
}

enum sp_err sp_privileges_drop(const struct sp_privileges *p, struct sp_why *why)
{
    if (!p->drops) {
        return SP_OK;
    }
    clear_bounds();
    if (p->changes) {
        SP_TRY(change_user(p, why));
    }
    SP_TRY(clear_capabilities(why));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return failed(why, "no_new_privs");
    }
    return p->changes && can_return()
               ? sp_why_set(why, SP_E_DENIED, "the way back to root is open")
               : SP_OK;
}
