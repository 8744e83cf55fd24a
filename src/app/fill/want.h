/* What somebody wants of the filler, and a file that may be read while it comes. */
#ifndef SP_APP_FILL_WANT_H
#define SP_APP_FILL_WANT_H

#include "app/world/world.h"
#include "io/loop/loop.h"
#include "io/store/objects.h"

#include <stdatomic.h>

struct sp_filler;
struct sp_pace; /* prefetch.h */
struct fill;

/* A file on its way in that may be read while it comes: immutable, counted, usable on
 * every loop. How far it may be read is told, not looked up. */
struct sp_inflow {
    atomic_uint refs; /* private */
    int fd;           /* owned */
    uint64_t size;
    uint64_t hold_at;      /* no byte from here on before the verdict */
    _Atomic uint64_t open; /* what is before it may be read; grows, told by nobody */
    char etag[SP_OBJECT_ETAG];
    int64_t last_modified;
};
struct sp_inflow *sp_inflow_ref(struct sp_inflow *i);
void sp_inflow_unref(struct sp_inflow **i);

struct sp_want {
    struct sp_msg msg; /* private */
    struct sp_world
        *world; /* the caller's reference, taken over; dropped by the filler */
    size_t upstream;
    struct sp_content_path path;
    struct sp_claim claim;
    struct sp_pace *pace; /* nobody asked: fetched ahead, at this pace; else NULL */
    /* The ledger says it was verified: open it if it is there, else SP_E_NOTFOUND. */
    bool open_only;
    uint8_t verified_sha256[32];
    struct sp_tree_root tree; /* its block tree's, as the ledger has it */
    struct sp_loop *loop;     /* where the answer goes */
    /* SP_OK: object, a reference the receiver owns; or none, where offered is set, and
     * inflow is to be read, all of it. Else status and why; for open_only e. */
    void (*answer)(struct sp_want *w, enum sp_err e);
    struct sp_object *object;
    int status;
    struct sp_why why;
    /* A fill that may be read while it runs says so, at most once: inflow is set, a
     * reference the receiver owns. NULL: do not. */
    void (*offered)(struct sp_want *w);
    struct sp_inflow *inflow;
    /* After sp_filler_follow, again and again before answer: the bytes before open, a
     * place in the file behind first, may be read. */
    void (*grown)(struct sp_want *w, uint64_t open);
    uint64_t first, length;
    void (*left)(struct sp_want *w); /* see sp_filler_leave */

    /* private from here on; plain fields are the filler's own */
    struct sp_msg note, leave;
    atomic_bool noted;     /* note is on its way to the receiver */
    _Atomic uint64_t open; /* what it says */
    uint64_t told;
    bool follows;
    struct fill *fill;                /* borrowed; NULL when it waits for none */
    struct sp_want *next, **previous; /* those who wait for the same fill */
    struct sp_filler *filler;         /* borrowed */
    enum sp_err err;
};
void sp_filler_want(struct sp_filler *f, struct sp_want *w);
/* After offered: the receiver waits for length bytes from first on. Returns how far it
 * may read at once, or 0: grown will say. */
uint64_t sp_filler_follow(struct sp_want *w, uint64_t first, uint64_t length);
/* Nobody waits any more, before or after answer. left is called last of all; then
 * nothing of the filler's refers to w. */
void sp_filler_leave(struct sp_want *w);

#endif
