/* What libmspack calls a system: bytes come from one callback and go to another, and
 * no file is ever opened.
 *
 * Knows: libmspack. Refuses to know: cabinets' frames, files, memory's owners. */
#ifndef SP_CORE_PACK_MSPACK_HOST_H
#define SP_CORE_PACK_MSPACK_HOST_H

#include "sallyport/bytes.h"

#include <mspack.h>

struct sp_mspack_host {
    struct mspack_system system; /* first: what libmspack is given */
    uint64_t size;               /* of the input */
    /* At most n bytes at offset; *got is less than n at the end only. */
    enum sp_err (*read)(void *ctx, uint64_t offset, uint8_t *to, size_t n, size_t *got);
    enum sp_err (*write)(void *ctx, struct sp_view bytes);
    void *ctx;
    enum sp_err err; /* the first of read or write: no more calls after it */
};

/* size, read, write and ctx are the caller's to set. Nothing to free. */
void sp_mspack_host_init(struct sp_mspack_host *h);

/* What to answer where libmspack says status: the callbacks' error, SP_E_NOMEM,
 * SP_E_MALFORMED, SP_E_MISMATCH (a checksum) or SP_E_TRUNCATED. */
enum sp_err sp_mspack_failure(const struct sp_mspack_host *h, int status,
                              struct sp_why *why) SP_MUST_USE;

#endif
