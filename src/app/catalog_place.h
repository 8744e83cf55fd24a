/* Where the offline catalogue lives:
 *
 *     cache_dir/catalog/objects/ ...         the cabinet, as any verified content is
 * kept cache_dir/catalog/index-<sha256>.db    its index cache_dir/catalog/current which
 * one is in force, written last
 *
 * `current` outlives the cabinet: what it says was signed last is never undercut. Calls
 * block. */
#ifndef SP_APP_CATALOG_PLACE_H
#define SP_APP_CATALOG_PLACE_H

#include "sallyport/bytes.h"

#define SP_CATALOG_PATH      4096
#define SP_CATALOG_VALIDATOR 256

/* The catalogue in force. */
struct sp_catalog_good {
    uint8_t sha256[32], sha1[20];
    uint64_t size;
    int64_t signed_at, fetched_at;       /* unix seconds */
    char etag[SP_CATALOG_VALIDATOR];     /* as the source gave it; may be empty */
    char modified[SP_CATALOG_VALIDATOR]; /* its Last-Modified; may be empty */
};

/* cache_dir/catalog */
enum sp_err sp_catalog_place(const char *cache_dir, char out[SP_CATALOG_PATH],
                             struct sp_why *why) SP_MUST_USE;
/* SP_E_NOTFOUND: there never was one. SP_E_CORRUPT: it is not what was written. */
enum sp_err sp_catalog_place_read(const char *place, struct sp_catalog_good *out,
                                  struct sp_why *why) SP_MUST_USE;
/* Durable, in one step. */
enum sp_err sp_catalog_place_write(const char *place, const struct sp_catalog_good *g,
                                   struct sp_why *why) SP_MUST_USE;
/* Path of the index of a catalogue, and of the one in force. */
enum sp_err sp_catalog_index_path(const char *place, const uint8_t sha256[32],
                                  char out[SP_CATALOG_PATH]) SP_MUST_USE;
enum sp_err sp_catalog_place_index(const char *cache_dir, char out[SP_CATALOG_PATH],
                                   struct sp_why *why) SP_MUST_USE;
/* Removes every index but that of keep, and what an indexing that was killed left. */
enum sp_err sp_catalog_place_sweep(const char *place,
                                   const uint8_t keep[32]) SP_MUST_USE;

#endif
