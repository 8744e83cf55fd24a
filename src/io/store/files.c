#include "io/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum sp_err sp_file_err(int err)
{
    switch (err) {
    case ENOENT:
        return SP_E_NOTFOUND;
    case EEXIST:
        return SP_E_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SP_E_NOSPACE;
    case EACCES:
    case EPERM:
    case EROFS:
        return SP_E_DENIED;
    case ENOMEM:
        return SP_E_NOMEM;
    case ELOOP:
    case EXDEV:
    case ENOTDIR:
    case EISDIR:
    case ENXIO:
        return SP_E_CORRUPT;
    }
    return SP_E_IO;
}

enum sp_err sp_file_fail(struct sp_why *why, const char *verb, const char *name,
                         int err)
{
    char text[128];
    return sp_why_set(why, sp_file_err(err), "cannot %s %s: %s", verb, name,
                      strerror_r(err, text, sizeof text));
}

void sp_fd_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

enum sp_err sp_file_open_at(int dir, const char *name, int flags, int *out)
{
    flags |= O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct open_how how = {
        .flags = (unsigned)flags,
        .mode = flags & O_CREAT ? 0600 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) {
        /* before Linux 5.6: O_NOFOLLOW still guards the last part of the name, and the
         * directories in front of it are ours with mode 0700 */
        fd = openat(dir, name, flags, 0600);
    }
    if (fd < 0) {
        return sp_file_err(errno);
    }
    *out = fd;
    return SP_OK;
}

enum sp_err sp_dir_open(const char *path, int *out, struct sp_why *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR) { /* a wrong name: nothing here is damaged */
        return sp_why_set(why, SP_E_UNSUPPORTED, "%s is no directory", path);
    }
    if (fd < 0) {
        return sp_file_fail(why, "open the directory", path, errno);
    }
    *out = fd;
    return SP_OK;
}

enum sp_err sp_dir_make(const char *path, int *out, struct sp_why *why)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return sp_file_fail(why, "make the directory", path, errno);
    }
    return sp_dir_open(path, out, why);
}

enum sp_err sp_dir_open_at(int dir, const char *name, int *out, struct sp_why *why)
{
    if (mkdirat(dir, name, 0700) == 0) {
        if (fsync(dir) != 0) {
            return sp_file_fail(why, "make durable the directory above", name, errno);
        }
    } else if (errno != EEXIST) {
        return sp_file_fail(why, "make the directory", name, errno);
    }
    enum sp_err e = sp_file_open_at(dir, name, O_RDONLY | O_DIRECTORY, out);
    if (e != SP_OK) {
        return sp_why_set(why, e, "%s is no directory that can be opened", name);
    }
    return SP_OK;
}

enum sp_err sp_dir_each(int dir,
                        enum sp_err (*each)(void *ctx, int dir, const char *name),
                        void *ctx)
{
    int fd = -1;
    SP_TRY(sp_file_open_at(dir, ".", O_RDONLY | O_DIRECTORY, &fd));
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return SP_E_NOMEM;
    }
    enum sp_err e = SP_OK;
    errno = 0;
    for (struct dirent *entry; e == SP_OK && (entry = readdir(d)); errno = 0) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            e = each(ctx, dir, entry->d_name);
        }
    }
    if (e == SP_OK && errno != 0) {
        e = sp_file_err(errno);
    }
    closedir(d);
    return e;
}

enum sp_err sp_file_lock_at(int dir, const char *name, const char *guarded, int *out,
                            struct sp_why *why)
{
    int fd = -1;
    enum sp_err e = sp_file_open_at(dir, name, O_RDWR | O_CREAT, &fd);
    if (e != SP_OK) {
        return sp_why_set(why, e, "%s cannot be opened or made in %s", name, guarded);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int err = errno;
        close(fd);
        if (err != EWOULDBLOCK) {
            return sp_file_fail(why, "lock", guarded, err);
        }
        return sp_why_set(why, SP_E_CONFLICT,
                          "%s is in use by another process; stop it or use a directory "
                          "of its own",
                          guarded);
    }
    *out = fd;
    return SP_OK;
}

bool sp_file_is_there(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

enum sp_err sp_file_read_at(int dir, const char *name, struct sp_buf *out)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    struct stat st;
    SP_TRY(sp_file_open_at(dir, name, O_RDONLY, &fd));
    if (fstat(fd, &st) != 0) {
        return sp_file_err(errno);
    }
    if (!S_ISREG(st.st_mode)) {
        return SP_E_CORRUPT;
    }
    uint8_t *to = NULL;
    SP_TRY(sp_buf_reserve(out, (size_t)st.st_size, &to));
    for (size_t done = 0; done < (size_t)st.st_size;) {
        ssize_t n = read(fd, to + done, (size_t)st.st_size - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? sp_file_err(errno) : SP_E_TRUNCATED;
        }
        done += (size_t)n;
    }
    out->len += (size_t)st.st_size;
    return SP_OK;
}

enum sp_err sp_file_write(int fd, uint64_t offset, struct sp_view bytes)
{
    while (bytes.len) {
        ssize_t n = pwrite(fd, bytes.data, bytes.len, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? sp_file_err(errno) : SP_E_IO;
        }
        offset += (uint64_t)n;
        bytes = sp_view_slice(bytes, (size_t)n, bytes.len);
    }
    return SP_OK;
}

/* Opens the directory that holds path, making what is missing of it. */
static enum sp_err open_parent(int dir, const char *path, const char **base, int *out)
{
    SP_AUTO(sp_fd_close) int at = -1;
    const char *slash;
    SP_TRY(sp_file_open_at(dir, ".", O_RDONLY | O_DIRECTORY, &at));
    while ((slash = strchr(path, '/'))) {
        char name[SP_FILE_PATH_MAX];
        int next = -1;
        SP_ASSERT((size_t)(slash - path) < sizeof name);
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
        SP_TRY(sp_dir_open_at(at, name, &next, NULL));
        close(at);
        at = next;
        path = slash + 1;
    }
    *base = path;
    *out = at;
    at = -1;
    return SP_OK;
}

/* A file that nobody has open under this name yet; a leftover is removed first. */
static enum sp_err write_new(int dir, const char *name, struct sp_view bytes,
                             unsigned mode, enum sp_file_care care)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    if (unlinkat(dir, name, 0) != 0 && errno != ENOENT) {
        return sp_file_err(errno);
    }
    SP_TRY(sp_file_open_at(dir, name, O_WRONLY | O_CREAT | O_EXCL, &fd));
    SP_TRY(sp_file_write(fd, 0, bytes));
    if (fchmod(fd, mode) != 0 || (care == SP_FILE_DURABLE && fsync(fd) != 0)) {
        return sp_file_err(errno);
    }
    return SP_OK;
}

enum sp_err sp_file_replace_at(int dir, const char *name, struct sp_view bytes,
                               unsigned mode, enum sp_file_care care)
{
    SP_AUTO(sp_fd_close) int parent = -1;
    const char *base = NULL;
    char temp[SP_FILE_PATH_MAX];
    SP_TRY(open_parent(dir, name, &base, &parent));
    int n = snprintf(temp, sizeof temp, "%s.new", base);
    SP_ASSERT(n > 0 && (size_t)n < sizeof temp);
    enum sp_err e = write_new(parent, temp, bytes, mode, care);
    if (e == SP_OK && renameat(parent, temp, parent, base) != 0) {
        e = sp_file_err(errno);
    }
    if (e != SP_OK) {
        unlinkat(parent, temp, 0);
        return e;
    }
    if (care == SP_FILE_DURABLE && fsync(parent) != 0) {
        return sp_file_err(errno);
    }
    return SP_OK;
}
