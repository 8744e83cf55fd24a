/* Where the offline catalogue lives:
 *
 *     cache_dir/catalog/objects/ ...         the cabinet, kept as any verified content
 *     cache_dir/catalog/index-<sha256>.db    its index
 *     cache_dir/catalog/current              which one is in force, written last
 *
 * `current` outlives the cabinet: what it says was signed last is never undercut. Calls
 * block. */
#ifndef SP_APP_OFFLINE_CATALOG_PLACE_H
#define SP_APP_OFFLINE_CATALOG_PLACE_H

#include "io/store/objects.h"

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
/* The index of g is there and says that it is. */
bool sp_catalog_place_has_index(const char *place, const struct sp_catalog_good *g);
/* Puts in force what was staged and is indexed: an object first, then `current`, both
 * durable. */
enum sp_err sp_catalog_place_commit(const char *place, struct sp_stage **stage,
                                    const struct sp_catalog_good *g,
                                    struct sp_object **out,
                                    struct sp_why *why) SP_MUST_USE;
/* Removes every cabinet and index but those of g (signed_at 0: all of them), and what a
 * killed process left. Who reads a cabinet has it open. What cannot be removed stays
 * for the next time. */
void sp_catalog_place_tidy(struct sp_objects *objects, const char *place,
                           const struct sp_catalog_good *g);
/* At start: what is in force, tidied where that could be found out. *good is told also
 * where its cabinet is gone (signed_at 0: it is not known). *out is NULL then. */
enum sp_err sp_catalog_place_open(struct sp_objects *objects, const char *place,
                                  struct sp_catalog_good *good, struct sp_object **out,
                                  struct sp_why *why) SP_MUST_USE;

#endif
