/* Cabinets with many members, larger than memory: read where they are, members in the
 * order of the cabinet, each in pieces. LZX, MSZIP, Quantum and stored folders; a
 * reserve in the header (that of signed cabinets) is skipped. Parts of a set are
 * refused.
 *
 * Knows: cabinets, [MS-CAB]. Refuses to know: files, what members mean. libmspack does
 * the reading, in strict mode. Memory: an LZX window, and some hundred bytes a member,
 * of which a cabinet has at most 65,535. */
#ifndef SP_CORE_PACK_ARCHIVE_H
#define SP_CORE_PACK_ARCHIVE_H

#include "sallyport/bytes.h"

/* Where the cabinet's bytes are. */
struct sp_archive_source {
    uint64_t size;
    /* At most n bytes at offset; *got is less than n at the end only. */
    enum sp_err (*read)(void *ctx, uint64_t offset, uint8_t *to, size_t n, size_t *got);
    void *ctx;
};

struct sp_archive_member {
    struct sp_view
        name; /* as it stands there: any bytes but NUL; '\' between folders */
    uint64_t size;
};

/* Each may end the walk with an error, which is then its result. */
struct sp_archive_handler {
    /* A member begins; *wanted is false: data and end are not called for it. */
    enum sp_err (*begin)(void *ctx, const struct sp_archive_member *m, bool *wanted);
    enum sp_err (*data)(void *ctx, struct sp_view bytes);
    enum sp_err (*end)(void *ctx); /* all m->size bytes came */
    void *ctx;
};

/* Errors: SP_E_MALFORMED, SP_E_MISMATCH (a checksum, a size), SP_E_UNSUPPORTED,
 * SP_E_NOMEM, those of source and handler. */
enum sp_err sp_archive_walk(const struct sp_archive_source *source,
                            const struct sp_archive_handler *handler,
                            struct sp_why *why) SP_MUST_USE;

#endif
