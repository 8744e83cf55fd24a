/* One file on disk, read for its digests and its signatures: what `verify` and the
 * filler look at. Blocks; from the work pool or a command. */
#ifndef SP_APP_FILL_INSPECT_H
#define SP_APP_FILL_INSPECT_H

#include "core/crypto/crypto.h"
#include "core/sign/catalog.h"
#include "sallyport/facts.h"

#include <stdatomic.h>

/* Called now and then with the bytes read of how many are to be read. */
struct sp_progress {
    void (*step)(void *ctx, uint64_t done, uint64_t all); /* may be NULL */
    void *ctx;
};

/* Adds file.* and sign.* facts of the regular file at path, as it is at time now.
 * catalogs may be NULL. */
enum sp_err sp_inspect_file(const char *path, const struct sp_trust *trust,
                            const struct sp_catalogs *catalogs, int64_t now,
                            const struct sp_progress *progress, struct sp_facts *facts,
                            struct sp_why *why) SP_MUST_USE;

/* A file that is open already and that nobody shows the progress of. */
struct sp_open_file {
    int fd;                       /* borrowed */
    const char *ext;              /* what its name promises; borrowed */
    const struct sp_trust *trust; /* borrowed */
    int64_t now;
    const atomic_bool *stop; /* borrowed; once true: SP_E_CANCELLED */
    struct sp_beside beside; /* what was digested on the way */
};
/* The sign.* facts alone; digests were computed by others. */
enum sp_err sp_inspect_signatures(const struct sp_open_file *i, struct sp_facts *facts,
                                  struct sp_why *why) SP_MUST_USE;

/* Adds file.sha1-collision: whether an attack made the file to share its SHA-1. For files
 * that metadata names by SHA-1 alone; reads all of it. */
enum sp_err sp_inspect_collision(const struct sp_open_file *i, struct sp_facts *facts,
                                 struct sp_why *why) SP_MUST_USE;

#endif
