#include "app/base/say.h"
#include "app/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum sp_err of_errno(int err)
{
    return err == ENOENT                   ? SP_E_NOTFOUND
           : err == EACCES || err == EPERM ? SP_E_DENIED
                                           : SP_E_IO;
}

static enum sp_err read_all(int fd, struct sp_buf *out)
{
    for (;;) {
        uint8_t *to = NULL;
        SP_TRY(sp_buf_reserve(out, SP_KIB(16), &to));
        ssize_t n = read(fd, to, SP_KIB(16));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return of_errno(errno);
        }
        if (n == 0) {
            return SP_OK;
        }
        out->len += (size_t)n;
    }
}

/* An open file of at most so many bytes. */
static enum sp_err open_file(const char *path, size_t most, int *out, struct stat *st,
                             struct sp_why *why)
{
    enum sp_err e = SP_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int err = errno;
        return sp_why_set(why, of_errno(err), "cannot read %s: %s", path,
                          strerror(err));
    }
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        e = sp_why_set(why, SP_E_UNSUPPORTED, _("%s is not a regular file"), path);
    } else if (st->st_size > (off_t)most) {
        e = sp_why_set(why, SP_E_LIMIT, _("%s is larger than %zu MiB"), path,
                       most / SP_MIB(1));
    }
    if (e != SP_OK) {
        close(fd);
        return e;
    }
    *out = fd;
    return SP_OK;
}

enum sp_err sp_file_read_most(const char *path, size_t most, struct sp_buf *out,
                              struct sp_why *why)
{
    struct stat st;
    int fd = -1;
    sp_buf_fini(out);
    sp_buf_init(out, most + SP_KIB(16));
    SP_TRY(open_file(path, most, &fd, &st, why));
    enum sp_err e = read_all(fd, out);
    close(fd);
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, e, _("cannot read %s: %s"), path, sp_err_text(e));
}

enum sp_err sp_file_read(const char *path, struct sp_buf *out, struct sp_why *why)
{
    return sp_file_read_most(path, SP_MIB(1), out, why);
}

/* A file that grows meanwhile is read as it was. */
static enum sp_err read_exactly(int fd, struct sp_secret *out)
{
    while (out->len < out->room) {
        ssize_t n = read(fd, out->data + out->len, out->room - out->len);
        if (n < 0 && errno != EINTR) {
            return of_errno(errno);
        }
        if (n == 0) {
            break;
        }
        out->len += n > 0 ? (size_t)n : 0;
    }
    return SP_OK;
}

enum sp_err sp_file_read_secret(const char *path, struct sp_secret *out,
                                struct sp_why *why)
{
    struct stat st;
    int fd = -1;
    struct sp_secret s = {0};
    SP_TRY(open_file(path, SP_MIB(1), &fd, &st, why));
    enum sp_err e = sp_secret_init(&s, st.st_size ? (size_t)st.st_size : 1);
    e = e == SP_OK ? read_exactly(fd, &s) : e;
    close(fd);
    if (e != SP_OK) {
        sp_secret_fini(&s);
        return sp_why_set(why, e, _("cannot read %s: %s"), path, sp_err_text(e));
    }
    *out = s;
    return SP_OK;
}
