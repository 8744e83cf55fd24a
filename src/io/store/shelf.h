/* The shelf: what is in the cache, in memory. Which objects there are, how large, when they
 * were read last, and which of them are open.
 *
 * Knows no network and no ledger. Filled from the directory at start, which is the truth;
 * nothing else is written down but the times of use. Where there are very many files, their
 * sizes and times of use are learned behind the start, and nothing is evicted before. There is
 * one open handle a digest, so that what one reader checked counts for all, and what is taken
 * out of service is so for all. One owner, one thread; handles go everywhere. Calls block for
 * a file operation or two, sp_shelf_reserve for as many as it has to evict. */
#ifndef SP_IO_STORE_SHELF_H
#define SP_IO_STORE_SHELF_H

#include "io/store/objects.h"

struct sp_shelf;
/* objects is borrowed. Sweeps what a crash left, then scans. handles: how many stay open
 * although nobody reads. */
enum sp_err sp_shelf_new(struct sp_objects *objects, size_t handles,
                         struct sp_shelf **out, struct sp_why *why) SP_MUST_USE;
/* Remembers the times of use and lets go of the handles. */
void sp_shelf_free(struct sp_shelf **s);

/* A handle with a reference of the caller's. SP_E_NOTFOUND: it is not there. SP_E_CORRUPT: it
 * is there and not what it must be: discard it. Others: it cannot be opened now. */
enum sp_err sp_shelf_get(struct sp_shelf *s, const uint8_t sha256[32],
                         const uint8_t sha1[20], uint64_t size,
                         const struct sp_object_watch *watch,
                         struct sp_object **out) SP_MUST_USE;
/* A new object, committed; the shelf takes a reference. It stands for its digest from now
 * on. SP_E_NOMEM: it is there and found at the next start. */
enum sp_err sp_shelf_put(struct sp_shelf *s, struct sp_object *o,
                         const struct sp_object_watch *watch) SP_MUST_USE;

/* What stands on the shelf, in the order of digests. */
struct sp_shelf_item {
    uint8_t sha256[32];
    bool known;             /* size and used are what the directory says, or newer */
    uint64_t size;          /* 0 until it is known */
    int64_t used;           /* unix seconds */
    int64_t saved;          /* private: what the directory says */
    uint64_t serial;        /* another file under the same digest has another one */
    struct sp_object *open; /* private: shared; NULL */
};
/* The first item behind after; NULL: of all. NULL when there is none. Valid until the next
 * call that takes a shelf that is not const. */
const struct sp_shelf_item *sp_shelf_next(const struct sp_shelf *s,
                                          const uint8_t after[32]);
const struct sp_shelf_item *sp_shelf_find(const struct sp_shelf *s,
                                          const uint8_t sha256[32]);

/* Of so many at most all items are known from the start. */
#define SP_SHELF_AT_ONCE 4096
/* Digests of up to n that are not known, behind after (NULL: of all), in order; how many. For
 * sp_objects_look, on any thread; what that says is then told. */
size_t sp_shelf_ask(const struct sp_shelf *s, const uint8_t after[32],
                    uint8_t (*out)[32], size_t n);
/* e: of sp_objects_look; what cannot be looked at is not on the shelf any more. */
void sp_shelf_tell(struct sp_shelf *s, const struct sp_object_seen *seen, enum sp_err e);

/* Takes it out of service and into quarantine, unless it is another file by now (serial; 0:
 * whatever it is). SP_E_NOTFOUND: nothing to do. On other errors it is out of service but
 * still in the directory. */
enum sp_err sp_shelf_discard(struct sp_shelf *s, const uint8_t sha256[32],
                             uint64_t serial, const char *reason) SP_MUST_USE;

struct sp_shelf_limits {
    uint64_t bytes;         /* of all objects; 0: none */
    unsigned floor_percent; /* of the file system that stay free */
};
struct sp_shelf_evicted {
    uint64_t files, bytes;
    uint64_t for_floor; /* of the files: those the file system lacked room for, not limits */
};
/* Room for a file of size bytes, made by evicting what was not read for longest and nobody
 * reads now or has pinned. Nothing is evicted where that would not be enough, or while items
 * are not known. SP_E_NOSPACE. *evicted is added to. The room is kept until it is released. */
enum sp_err sp_shelf_reserve(struct sp_shelf *s, uint64_t size,
                             const struct sp_shelf_limits *limits,
                             struct sp_shelf_evicted *evicted,
                             struct sp_why *why) SP_MUST_USE;
void sp_shelf_release(struct sp_shelf *s, uint64_t size);
/* There is room without evicting anything. False also where that cannot be found out. */
bool sp_shelf_has_room(const struct sp_shelf *s, uint64_t size,
                       const struct sp_shelf_limits *limits);

/* Writes down the times of use that are older there by an hour or more. */
void sp_shelf_save(struct sp_shelf *s);

struct sp_shelf_totals {
    uint64_t files, bytes, reserved;
    uint64_t unknown; /* files that bytes leaves out */
};
void sp_shelf_totals(const struct sp_shelf *s, struct sp_shelf_totals *out);

#endif
