#include "core/pack/archive.h"

#include "core/base/limits.h"

#include <mspack.h>
#include <stdlib.h>
#include <string.h>

#define ALLOC_MAX SP_MIB(4) /* of libmspack at once; an LZX window has up to 2 MiB */
#define INPUT     65536     /* bytes libmspack reads at once */

struct walk {
    struct mspack_system system;              /* first, so that open finds the rest */
    const struct sp_archive_source *source;   /* borrowed */
    const struct sp_archive_handler *handler; /* borrowed */
    bool wanted;                              /* the member at work */
    uint64_t came;                            /* bytes of it */
    enum sp_err err;                          /* of source or handler */
};

/* What libmspack calls a file. */
struct handle {
    struct walk *walk; /* borrowed */
    uint64_t at;
    bool writes;
};

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
        *file = (struct handle){.walk = (struct walk *)self,
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
    struct walk *w = f->walk;
    size_t got = 0;
    if (n < 0 || f->writes || w->err != SP_OK) {
        return -1;
    }
    w->err = w->source->read(w->source->ctx, f->at, to, (size_t)n, &got);
    if (w->err != SP_OK || got > (size_t)n) {
        return -1;
    }
    f->at += got;
    return (int)got;
}

static int host_write(struct mspack_file *file, void *from, int n)
{
    struct handle *f = (struct handle *)file;
    struct walk *w = f->walk;
    if (n < 0 || !f->writes || w->err != SP_OK) {
        return -1;
    }
    w->came += (uint64_t)n;
    if (w->wanted) {
        w->err = w->handler->data(w->handler->ctx, sp_view(from, (size_t)n));
    }
    return w->err == SP_OK ? n : -1;
}

static int host_seek(struct mspack_file *file, off_t offset, int mode)
{
    struct handle *f = (struct handle *)file;
    off_t end = (off_t)f->walk->source->size, at = offset;
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

static enum sp_err failure_of(const struct walk *w, int status, struct sp_why *why)
{
    if (w->err != SP_OK) {
        return w->err;
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
        return sp_why_set(why, SP_E_MALFORMED, "cabinet: it cannot be read (%d)",
                          status);
    }
}

static enum sp_err walk_member(struct mscab_decompressor *cabd, struct walk *w,
                               struct mscabd_file *file, struct sp_why *why)
{
    struct sp_archive_member member = {sp_view_str(file->filename), file->length};
    w->wanted = false;
    w->came = 0;
    SP_TRY(w->handler->begin(w->handler->ctx, &member, &w->wanted));
    if (!w->wanted) {
        return SP_OK;
    }
    int status = file->length ? cabd->extract(cabd, file, "") : MSPACK_ERR_OK;
    if (status != MSPACK_ERR_OK) {
        return failure_of(w, status, why);
    }
    if (w->came != file->length) {
        return sp_why_set(why, SP_E_MISMATCH, "cabinet: less comes out than it says");
    }
    return w->handler->end(w->handler->ctx);
}

static enum sp_err walk_cabinet(struct mscab_decompressor *cabd, struct walk *w,
                                struct mscabd_cabinet *cabinet, struct sp_why *why)
{
    if (cabinet->flags & (MSCAB_HDR_PREVCAB | MSCAB_HDR_NEXTCAB)) {
        return sp_why_set(why, SP_E_UNSUPPORTED, "cabinet: it is a part of a set");
    }
    for (struct mscabd_file *file = cabinet->files; file; file = file->next) {
        SP_TRY(walk_member(cabd, w, file, why));
    }
    return SP_OK;
}

static enum sp_err walk_with(struct mscab_decompressor *cabd, struct walk *w,
                             struct sp_why *why)
{
    if (cabd->set_param(cabd, MSCABD_PARAM_DECOMPBUF, INPUT) != MSPACK_ERR_OK) {
        return SP_E_INTERNAL;
    }
    struct mscabd_cabinet *cabinet = cabd->open(cabd, "");
    if (!cabinet) {
        return failure_of(w, cabd->last_error(cabd), why);
    }
    enum sp_err e = walk_cabinet(cabd, w, cabinet, why);
    cabd->close(cabd, cabinet);
    return e;
}

enum sp_err sp_archive_walk(const struct sp_archive_source *source,
                            const struct sp_archive_handler *handler,
                            struct sp_why *why)
{
    struct walk w = {.system = {.open = host_open,
                                .close = host_close,
                                .read = host_read,
                                .write = host_write,
                                .seek = host_seek,
                                .tell = host_tell,
                                .message = host_message,
                                .alloc = host_alloc,
                                .free = host_free,
                                .copy = host_copy},
                     .source = source,
                     .handler = handler};
    struct mscab_decompressor *cabd = mspack_create_cab_decompressor(&w.system);
    if (!cabd) {
        return SP_E_NOMEM;
    }
    enum sp_err e = walk_with(cabd, &w, why);
    mspack_destroy_cab_decompressor(cabd);
    return e;
}
