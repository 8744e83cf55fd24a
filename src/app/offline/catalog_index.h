/* A catalogue on disk, read from end to end into the sink of an index.
 *
 * The outer cabinet holds index.xml and cabinets; package.cab holds package.xml, the
 * others fragments. A nested cabinet is unpacked into a file without a name beside the
 * index, one at a time; XML is read as it comes out. Memory does not grow with the
 * catalogue. What it is worth is not asked here: call it for a file that is proven. */
#ifndef SP_APP_OFFLINE_CATALOG_INDEX_H
#define SP_APP_OFFLINE_CATALOG_INDEX_H

#include "io/store/catalog.h"

#include <stdatomic.h>

struct sp_catalog_input {
    int fd;                  /* borrowed; the whole file is the catalogue */
    const char *scratch;     /* a directory with room for the largest nested cabinet */
    const atomic_bool *stop; /* SP_E_CANCELLED when it is set; may be NULL */
};
/* Makes the index at path. about->sha256, size and signed_at are the caller's; the rest
 * is filled in. why names the member that is wrong. */
enum sp_err sp_catalog_index(const struct sp_catalog_input *in, const char *path,
                             struct sp_catalog_about *about,
                             struct sp_why *why) SP_MUST_USE;

#endif
