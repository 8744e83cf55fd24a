/* A download of the offline catalogue that broke off, kept to be gone on with: its
 * bytes are a stage that outlives the process (io/store/objects.h), and beside it
 * stands
 *
 *     cache_dir/catalog/download    what they are of: "<size> <ETag>"
 *
 * Only what has a strong validator is kept (RFC 9110 13.1.5). What the bytes are worth
 * is asked when all are there, of the signature. Calls block. */
#ifndef SP_APP_OFFLINE_CATALOG_PART_H
#define SP_APP_OFFLINE_CATALOG_PART_H

#include "app/offline/catalog_place.h"

struct sp_catalog_part {
    uint64_t size; /* bytes of the whole */
    char etag[SP_CATALOG_VALIDATOR];
};
bool sp_catalog_part_is_strong(const char *etag);
/* A stage for a download from target that begins, in the place of any other. It is kept
 * where the ETag is strong. */
enum sp_err sp_catalog_part_begin(struct sp_objects *objects, const char *target,
                                  const struct sp_catalog_part *part,
                                  struct sp_stage **out,
                                  struct sp_why *why) SP_MUST_USE;
/* What is kept of a download from target: kept->prefix bytes, whose SHA-256 must be
 * kept's. SP_E_NOTFOUND: nothing. */
enum sp_err sp_catalog_part_resume(struct sp_objects *objects, const char *target,
                                   struct sp_catalog_part *part, struct sp_stage **out,
                                   struct sp_stage_mark *kept) SP_MUST_USE;

#endif
