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

enum sp_err sp_file_read_most(const char *path, size_t most, struct sp_buf *out,
                              struct sp_why *why)
{
    struct stat st;
    sp_buf_fini(out);
    sp_buf_init(out, most + SP_KIB(16));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int err = errno;
        return sp_why_set(why, of_errno(err), "cannot read %s: %s", path,
                          strerror(err));
    }
    enum sp_err e = SP_OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        e = sp_why_set(why, SP_E_UNSUPPORTED, _("%s is not a regular file"), path);
    } else if (st.st_size > (off_t)most) {
        e = sp_why_set(why, SP_E_LIMIT, _("%s is larger than %zu MiB"), path,
                       most / SP_MIB(1));
    } else {
        e = read_all(fd, out);
    }
    close(fd);
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, e, _("cannot read %s: %s"), path, sp_err_text(e));
}

enum sp_err sp_file_read(const char *path, struct sp_buf *out, struct sp_why *why)
{
    return sp_file_read_most(path, SP_MIB(1), out, why);
}
