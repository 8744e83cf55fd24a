#include "core/pack/archive.h"

#include "core/pack/mspack_host.h"

#define INPUT 65536 /* bytes libmspack reads at once */

struct walk {
    struct sp_mspack_host host;
    const struct sp_archive_source *source;   /* borrowed */
    const struct sp_archive_handler *handler; /* borrowed */
    bool wanted;                              /* the member at work */
    uint64_t came;                            /* bytes of it */
};

static enum sp_err member_data(void *ctx, struct sp_view bytes)
{
    struct walk *w = ctx;
    w->came += bytes.len;
    return w->wanted ? w->handler->data(w->handler->ctx, bytes) : SP_OK;
}

static enum sp_err source_read(void *ctx, uint64_t offset, uint8_t *to, size_t n,
                               size_t *got)
{
    const struct sp_archive_source *source = ((struct walk *)ctx)->source;
    return source->read(source->ctx, offset, to, n, got);
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
        return sp_mspack_failure(&w->host, status, why);
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
        return sp_mspack_failure(&w->host, cabd->last_error(cabd), why);
    }
    enum sp_err e = walk_cabinet(cabd, w, cabinet, why);
    cabd->close(cabd, cabinet);
    return e;
}

enum sp_err sp_archive_walk(const struct sp_archive_source *source,
                            const struct sp_archive_handler *handler,
                            struct sp_why *why)
{
    struct walk w = {.source = source, .handler = handler};
    sp_mspack_host_init(&w.host);
    w.host.size = source->size;
    w.host.read = source_read;
    w.host.write = member_data;
    w.host.ctx = &w;
    struct mscab_decompressor *cabd = mspack_create_cab_decompressor(&w.host.system);
    if (!cabd) {
        return SP_E_NOMEM;
    }
    enum sp_err e = walk_with(cabd, &w, why);
    mspack_destroy_cab_decompressor(cabd);
    return e;
}
