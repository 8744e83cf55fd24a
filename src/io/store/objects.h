/* Verified content on disk: one file an object, named by its SHA-256.
 *
 *     cache_dir/objects/ab/abcdef...    the bytes, mode 0400, never changed
 *     cache_dir/objects/ab/abcdef....tree   its block tree; its mtime is the last use
 *     cache_dir/staging/<random>        a fill in progress, private
 *     cache_dir/staging/<sha1>.part     one that may be gone on with after a restart,
 *     cache_dir/staging/<sha1>.mark     and its record: how much of it is durable
 *     cache_dir/quarantine/<time>-<sha256>.<reason>   refused or damaged bytes, evidence
 *     cache_dir/pins/<sha256>           empty: this object is never evicted
 *
 * Commit order: write staged bytes -> fsync -> tree, durable -> rename into objects -> fsync
 * directory. Nothing partial is ever visible under objects/, and no object without its
 * tree; a tree without object is what a crash may leave, and swept away. Staging is swept
 * at start: parts with a record stay, for some days. Calls block and are made from the
 * owner's thread or the work pool, except where it is said. */
#ifndef SP_IO_STORE_OBJECTS_H
#define SP_IO_STORE_OBJECTS_H

#include "core/custody/blocks.h"
#include "core/custody/stage_map.h"
#include "core/custody/stage_mark.h"
#include "io/loop/loop.h"

#include <stdatomic.h>

struct sp_objects;
enum sp_err sp_objects_open(const char *cache_dir, struct sp_objects **out,
                            struct sp_why *why) SP_MUST_USE;
void sp_objects_close(struct sp_objects **o);
/* For looking only, beside a running owner or without one: takes no lock, makes nothing,
 * empties nothing. What would change the directory is SP_E_DENIED. */
enum sp_err sp_objects_open_view(const char *cache_dir, struct sp_objects **out,
                                 struct sp_why *why) SP_MUST_USE;

/* What answers say of a digest, whether or not its object is here yet. */
#define SP_OBJECT_ETAG 68
void sp_object_validators(const uint8_t sha256[32], char etag[SP_OBJECT_ETAG],
                          int64_t *last_modified);

struct sp_object;
/* Who wants to know that an object is damaged. found is called once an object, from
 * whatever thread found it, after the object is out of service. */
struct sp_object_watch {
    void (*found)(void *ctx, struct sp_object *o);
    void *ctx;
};

/* A handle on an object: an open file, immutable, counted, usable on every loop. Whoever
 * reads fd stands between sp_object_read_begin and sp_object_read_end; once it is taken out
 * of service nobody gets in, and the file is closed when the last reader has left. */
struct sp_object {
    atomic_uint refs;    /* private */
    atomic_uint readers; /* private: how many; the highest bit: out of service */
    int fd;
    uint64_t size;
    uint8_t sha256[32];
    uint8_t sha1[20];
    char etag[SP_OBJECT_ETAG]; /* strong: quoted SHA-256 in hex */
    int64_t last_modified; /* constant for a digest: the epoch day that its digest names */
    struct sp_buf tree_file;     /* private */
    struct sp_block_tree tree;   /* borrows from tree_file */
    atomic_uint_fast64_t *checked; /* private: a bit a block */
    atomic_int_fast64_t used;    /* unix seconds of the last read; 0: none */
    /* Set by the owner before the handle is shared; may be NULL. */
    const struct sp_object_watch *watch;
    uint64_t damaged_at; /* offset of the block that found() is about */
    struct sp_msg msg;   /* for found(), which may send the object as a message */
};
struct sp_object *sp_object_ref(struct sp_object *o);
void sp_object_unref(struct sp_object **o);
/* Any thread. False: it is out of service, fd is not to be touched. */
bool sp_object_read_begin(struct sp_object *o) SP_MUST_USE;
void sp_object_read_end(struct sp_object *o);
/* Any thread: somebody asked for it now, who does not read fd. False: out of service. */
bool sp_object_use(struct sp_object *o);
/* Any thread: nobody gets in any more. True for the one call that did it. */
bool sp_object_withdraw(struct sp_object *o);
/* The same, unless somebody is reading. */
bool sp_object_withdraw_idle(struct sp_object *o);
bool sp_object_is_withdrawn(const struct sp_object *o);
bool sp_object_is_shared(const struct sp_object *o); /* more than one reference */

/* Is the block that holds offset known to be good? SP_OK; SP_E_AGAIN: not checked since the
 * handle was opened; SP_E_CORRUPT: out of service. No system call, any thread. */
enum sp_err sp_object_look(const struct sp_object *o, uint64_t offset) SP_MUST_USE;
/* bytes are what reading the whole block at offset gave: fewer, or none, where it ended early
 * or failed. Good ones are remembered; bad ones take the object out of service, tell the
 * watch and are SP_E_CORRUPT. Any thread. */
enum sp_err sp_object_check(struct sp_object *o, uint64_t offset,
                            struct sp_view bytes) SP_MUST_USE;
/* Opens with openat2(RESOLVE_BENEATH|NO_SYMLINKS), checks regular file, one link, size, and
 * its tree. SP_E_NOTFOUND; SP_E_CORRUPT when it is not what it must be. */
enum sp_err sp_objects_get(struct sp_objects *o, const uint8_t sha256[32],
                           const uint8_t sha1[20], uint64_t size,
                           struct sp_object **out) SP_MUST_USE;

struct sp_stage; /* a file being filled */
/* Reserves size bytes on disk first: SP_E_NOSPACE before a byte is fetched. */
enum sp_err sp_stage_new(struct sp_objects *o, uint64_t size, struct sp_stage **out,
                         struct sp_why *why) SP_MUST_USE;
/* The same for the file of this SHA-1, which can be gone on with after a restart: *kept
 * says how much of an earlier stage was taken up, and what its SHA-256 must be. Whoever
 * finds another digest calls sp_stage_empty. SP_E_CONFLICT: somebody is filling it. */
enum sp_err sp_stage_take(struct sp_objects *o, const uint8_t sha1[20], uint64_t size,
                          struct sp_stage **out, struct sp_stage_mark *kept,
                          struct sp_why *why) SP_MUST_USE;
enum sp_err sp_stage_empty(struct sp_stage *s) SP_MUST_USE;
/* What was written up to prefix is durable from now on and can be taken up; sha256 is
 * that of these bytes. Only where the stage was taken. Any thread, beside writes. */
enum sp_err sp_stage_note(const struct sp_stage *s, uint64_t prefix,
                          const uint8_t sha256[32]) SP_MUST_USE;
/* Blocks of SP_BLOCK_SIZE bytes behind the prefix: written whole, they can be taken up
 * as well, by whoever reads them and finds the same SHA-256. Nothing is synced for it.
 * Where the stage was taken; one caller at a time, beside writes. */
enum sp_err sp_stage_map(const struct sp_stage *s,
                         const struct sp_stage_block *b) SP_MUST_USE;
/* What an earlier stage has mapped, appended to out: lines of stage_map.h. Only of a
 * stage with a prefix. */
enum sp_err sp_stage_read_map(const struct sp_stage *s, struct sp_buf *out) SP_MUST_USE;
/* So many bytes behind the prefix were found to be there. */
void sp_stage_regain(struct sp_stage *s, uint64_t bytes);
enum sp_err sp_stage_write(struct sp_stage *s, uint64_t offset,
                           struct sp_view bytes) SP_MUST_USE;
/* Bytes that were written; SP_E_TRUNCATED where there are fewer. Any thread. */
enum sp_err sp_stage_read(const struct sp_stage *s, uint64_t offset, uint8_t *to,
                          size_t len) SP_MUST_USE;
/* Another descriptor of the same file, for reading what was written; it stays good after
 * the stage is gone. The caller closes it. */
enum sp_err sp_stage_reader(const struct sp_stage *s, int *fd) SP_MUST_USE;
/* All of it was written: makes its tree; the root goes into the ledger. hashes are
 * those of its blocks, as a digester in parts of SP_BLOCK_SIZE made them of these very
 * bytes; empty: they are made here, of what is read back. Those taken as the bytes came
 * are better: what a disk mangles becomes damage, not part of the tree. commit makes
 * the tree itself where nobody asked. */
enum sp_err sp_stage_tree(struct sp_stage *s, const uint8_t sha256[32],
                          struct sp_view hashes, struct sp_tree_root *out) SP_MUST_USE;
/* Makes it an object. On success the stage is gone and *out is a handle. */
enum sp_err sp_stage_commit(struct sp_stage **s, const uint8_t sha256[32],
                            const uint8_t sha1[20], struct sp_object **out,
                            struct sp_why *why) SP_MUST_USE;
/* Keeps the bytes as evidence; reason is a rule's text. */
enum sp_err sp_stage_quarantine(struct sp_stage **s, const uint8_t sha256[32],
                                const char *reason) SP_MUST_USE;
void sp_stage_drop(struct sp_stage **s);
/* Leaves it for sp_stage_take, where something was noted; else drops it. */
void sp_stage_leave(struct sp_stage **s);
/* Removes what nobody can or will take up: all but fresh parts with a good record, or
 * those too. What is being filled stays, and what cannot be removed. */
void sp_stages_sweep(struct sp_objects *o, bool all);

/* Out of objects/ into the evidence; whatever stands under the name, also a planted link or
 * folder. reason as for a stage. SP_E_NOTFOUND. */
enum sp_err sp_objects_quarantine(struct sp_objects *o, const uint8_t sha256[32],
                                  const char *reason) SP_MUST_USE;
/* Object and tree are gone; the space is free once nobody has it open. */
enum sp_err sp_objects_remove(struct sp_objects *o,
                              const uint8_t sha256[32]) SP_MUST_USE;
/* Remembers a last use across restarts. */
enum sp_err sp_objects_touch(struct sp_objects *o, const uint8_t sha256[32],
                             int64_t used) SP_MUST_USE;

/* What stands under a name that an object would have. */
struct sp_object_seen {
    uint8_t sha256[32];
    uint64_t size; /* as it is, whatever it must be */
    int64_t used;  /* unix seconds; of the object itself where there is no tree */
    bool has_tree;
};
/* Calls back for every object, planted things among them; foreign names are left alone. */
enum sp_err sp_objects_scan(struct sp_objects *o,
                            enum sp_err (*each)(void *ctx,
                                                const struct sp_object_seen *seen),
                            void *ctx) SP_MUST_USE;
/* The same of one. SP_E_NOTFOUND. Any thread. */
enum sp_err sp_objects_look(struct sp_objects *o, const uint8_t sha256[32],
                            struct sp_object_seen *out) SP_MUST_USE;
/* For a start with very many: calls object for the digest of every one, in no order, and
 * removes what sp_objects_sweep would. One look at the names and at nothing else: has says
 * whether object was called for a digest of the same folder. */
struct sp_object_names {
    enum sp_err (*object)(void *ctx, const uint8_t sha256[32]);
    bool (*has)(void *ctx, const uint8_t sha256[32]);
    void *ctx;
};
enum sp_err sp_objects_list(struct sp_objects *o,
                            const struct sp_object_names *to) SP_MUST_USE;
/* Removes trees without object and half-written trees; *count of them. dry: only counts. */
enum sp_err sp_objects_sweep(struct sp_objects *o, bool dry,
                             uint64_t *count) SP_MUST_USE;

struct sp_evidence_seen {
    const char *name; /* "2026-01-02T03:04:05Z-<sha256>.<reason>" */
    uint64_t size;
};
enum sp_err sp_evidence_scan(struct sp_objects *o,
                             enum sp_err (*each)(void *ctx,
                                                 const struct sp_evidence_seen *seen),
                             void *ctx) SP_MUST_USE;
/* name as the scan gave it. The caller closes *fd. SP_E_CORRUPT: no regular file. */
enum sp_err sp_evidence_open(struct sp_objects *o, const char *name, int *fd,
                             uint64_t *size) SP_MUST_USE;
/* name as the scan gave it. Needs no lock: the owner never looks back at evidence. */
enum sp_err sp_evidence_remove(struct sp_objects *o, const char *name) SP_MUST_USE;

/* pins.c: what must not be evicted. Neither changing them nor reading needs the lock. */
enum sp_err sp_pin_set(struct sp_objects *o,
                       const uint8_t sha256[32]) SP_MUST_USE; /* NOTFOUND: no object */
enum sp_err sp_pin_clear(struct sp_objects *o,
                         const uint8_t sha256[32]) SP_MUST_USE; /* NOTFOUND: no pin */
struct sp_pins { /* those of one moment */
    struct sp_buf digests; /* private: 32 bytes each, sorted */
};
void sp_pins_init(struct sp_pins *p);
void sp_pins_fini(struct sp_pins *p);
enum sp_err sp_pins_read(struct sp_objects *o, struct sp_pins *p) SP_MUST_USE;
size_t sp_pins_count(const struct sp_pins *p);
bool sp_pins_has(const struct sp_pins *p, const uint8_t sha256[32]);

/* Of the file system that holds the cache. */
struct sp_space {
    uint64_t total, available; /* bytes; available to us */
};
enum sp_err sp_objects_space(struct sp_objects *o, struct sp_space *out) SP_MUST_USE;

/* A small file of the owner's beside the folders, replaced whole, not durable. */
enum sp_err sp_objects_note(struct sp_objects *o, const char *name,
                            struct sp_view text) SP_MUST_USE;
enum sp_err sp_objects_read_note(struct sp_objects *o, const char *name,
                                 struct sp_buf *out) SP_MUST_USE;

#endif
