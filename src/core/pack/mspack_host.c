#include "core/pack/mspack_host.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

#define ALLOC_MAX SP_MIB(4) /* at once; an LZX window has up to 2 MiB */

/* What libmspack calls a file. */
struct handle {
    struct sp_mspack_host *host; /* borrowed */
    uint64_t at;
    bool writes;
};

/* libmspack's decompressors call this with a copy of the system, so that self is of no
 * use here. How often it is called does not depend on the input. */
static void *host_alloc(struct mspack_system *self, size_t n)
{
    (void)self;
    return n <= ALLOC_MAX ? malloc(n) : NULL;
}

static void host_free(void *p)
{
    free(p);
}

static void host_copy(void *from, void *to, size_t n)
{
    if (n) {
        memcpy(to, from, n);
    }
}

static struct mspack_file *host_open(struct mspack_system *self, const char *name,
                                     int mode)
{
    (void)name;
    struct handle *file = malloc(sizeof *file);
    if (file) {
        *file = (struct handle){.host = (struct sp_mspack_host *)self,
                                .writes = mode == MSPACK_SYS_OPEN_WRITE};
    }
    return (struct mspack_file *)file;
}

static void host_close(struct mspack_file *file)
{
    free(file);
}

static int host_read(struct mspack_file *file, void *to, int n)
{
    struct handle *f = (struct handle *)file;
    struct sp_mspack_host *h = f->host;
    size_t got = 0;
    if (n < 0 || f->writes || h->err != SP_OK) {
        return -1;
    }
    h->err = h->read(h->ctx, f->at, to, (size_t)n, &got);
    if (h->err != SP_OK || got > (size_t)n) {
        return -1;
    }
    f->at += got;
    return (int)got;
}

static int host_write(struct mspack_file *file, void *from, int n)
{
    struct handle *f = (struct handle *)file;
    struct sp_mspack_host *h = f->host;
    if (n < 0 || !f->writes || h->err != SP_OK) {
        return -1;
    }
    h->err = h->write(h->ctx, sp_view(from, (size_t)n));
    return h->err == SP_OK ? n : -1;
}

static int host_seek(struct mspack_file *file, off_t offset, int mode)
{
    struct handle *f = (struct handle *)file;
    off_t end = (off_t)f->host->size, at = offset;
    if (mode == MSPACK_SYS_SEEK_CUR) {
        at += (off_t)f->at;
    }
    if (mode == MSPACK_SYS_SEEK_END) {
        at += end;
    }
    if (f->writes || at < 0 || at > end) {
        return -1;
    }
    f->at = (uint64_t)at;
    return 0;
}

static off_t host_tell(struct mspack_file *file)
{
    return (off_t)((struct handle *)file)->at;
}

static void host_message(struct mspack_file *file, const char *format, ...)
{
    (void)file, (void)format;
}

void sp_mspack_host_init(struct sp_mspack_host *h)
{
    *h = (struct sp_mspack_host){.system = {.open = host_open,
                                            .close = host_close,
                                            .read = host_read,
                                            .write = host_write,
                                            .seek = host_seek,
                                            .tell = host_tell,
                                            .message = host_message,
                                            .alloc = host_alloc,
                                            .free = host_free,
                                            .copy = host_copy}};
}

enum sp_err sp_mspack_failure(const struct sp_mspack_host *h, int status,
                              struct sp_why *why)
{
    if (h->err != SP_OK) {
        return h->err;
    }
    switch (status) {
    case MSPACK_ERR_NOMEMORY:
        return SP_E_NOMEM;
    case MSPACK_ERR_SIGNATURE:
        return sp_why_set(why, SP_E_MALFORMED, "cabinet: it does not begin with MSCF");
    case MSPACK_ERR_CHECKSUM:
        return sp_why_set(why, SP_E_MISMATCH, "cabinet: a block's checksum is wrong");
    case MSPACK_ERR_READ:
    case MSPACK_ERR_SEEK:
        return sp_why_set(why, SP_E_TRUNCATED, "cabinet: it ends too early");
    default:
        return sp_why_set(why, SP_E_MALFORMED,
                          "cabinet: its data cannot be decompressed (%d)", status);
    }
}
