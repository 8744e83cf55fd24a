/* Verified content on disk: one file an object, named by its SHA-256.
 *
 *     cache_dir/objects/ab/abcdef...    the bytes, mode 0400, never changed
 *     cache_dir/staging/<random>        a fill in progress, private
 *     cache_dir/quarantine/<time>-<sha256>.<reason>   refused or damaged bytes, evidence
 *
 * Commit order: write staged bytes -> fsync -> rename into objects -> fsync directory.
 * Nothing partial is ever visible under objects/. Staging is emptied at start. All calls
 * block and are made from the owner's thread or the work pool. */
#ifndef SP_IO_STORE_OBJECTS_H
#define SP_IO_STORE_OBJECTS_H

#include "sallyport/bytes.h"

#include <stdatomic.h>

struct sp_objects;
enum sp_err sp_objects_open(const char *cache_dir, struct sp_objects **out,
                            struct sp_why *why) SP_MUST_USE;
void sp_objects_close(struct sp_objects **o);

/* What answers say of a digest, whether or not its object is here yet. */
#define SP_OBJECT_ETAG 68
void sp_object_validators(const uint8_t sha256[32], char etag[SP_OBJECT_ETAG],
                          int64_t *last_modified);

/* A handle on an object: an open file, immutable, counted, usable on every loop. */
struct sp_object {
    atomic_uint refs; /* private */
    int fd;
    uint64_t size;
    uint8_t sha256[32];
    uint8_t sha1[20];
    char etag[SP_OBJECT_ETAG]; /* strong: quoted SHA-256 in hex */
    int64_t last_modified; /* constant for a digest: the epoch day that its digest names */
};
struct sp_object *sp_object_ref(struct sp_object *o);
void sp_object_unref(struct sp_object **o);
/* Opens with openat2(RESOLVE_BENEATH|NO_SYMLINKS), checks regular file, one link, size.
 * SP_E_NOTFOUND; SP_E_CORRUPT when it is not what it must be. */
enum sp_err sp_objects_get(struct sp_objects *o, const uint8_t sha256[32],
                           const uint8_t sha1[20], uint64_t size,
                           struct sp_object **out) SP_MUST_USE;

struct sp_stage; /* a file being filled */
/* Reserves size bytes on disk first: SP_E_NOSPACE before a byte is fetched. */
enum sp_err sp_stage_new(struct sp_objects *o, uint64_t size, struct sp_stage **out,
                         struct sp_why *why) SP_MUST_USE;
enum sp_err sp_stage_write(struct sp_stage *s, uint64_t offset,
                           struct sp_view bytes) SP_MUST_USE;
/* Another descriptor of the same file, for reading what was written; it stays good after
 * the stage is gone. The caller closes it. */
enum sp_err sp_stage_reader(const struct sp_stage *s, int *fd) SP_MUST_USE;
/* Makes it an object. On success the stage is gone and *out is a handle. */
enum sp_err sp_stage_commit(struct sp_stage **s, const uint8_t sha256[32],
                            const uint8_t sha1[20], struct sp_object **out,
                            struct sp_why *why) SP_MUST_USE;
/* Keeps the bytes as evidence; reason is a rule's text. */
enum sp_err sp_stage_quarantine(struct sp_stage **s, const uint8_t sha256[32],
                                const char *reason) SP_MUST_USE;
void sp_stage_drop(struct sp_stage **s);

/* Calls back for every object; for rebuilding the index. */
enum sp_err sp_objects_scan(struct sp_objects *o,
                            enum sp_err (*each)(void *ctx, const uint8_t sha256[32],
                                                uint64_t size),
                            void *ctx) SP_MUST_USE;

#endif
