/* Objects that were served lately, found without a message to their owner.
 *
 * A place a key, the newest wins. Each is an open file: places are a share of the
 * descriptors the process may have. A small one that is asked for again is kept in
 * memory as well: read once, held against its block tree then, and from there on sent
 * without a look at the file. Memory has a ceiling; whoever needs room takes it from
 * the others in turn. One loop. */
#ifndef SP_APP_SHARED_HOT_H
#define SP_APP_SHARED_HOT_H

#include "core/gate/gate.h"
#include "io/store/objects.h"

#define SP_HOT_OBJECTS 1024
#define SP_HOT_SMALL   SP_KIB(64) /* a file of so many bytes is small */
#define SP_HOT_BYTES   SP_MIB(8)  /* all files in memory together */
#define SP_HOT_FIELDS  256        /* header lines of one, of some 190 bytes */

/* What is sent of a small object, and what is said of it; refers to nothing else. */
struct sp_hot_file {
    unsigned refs;               /* private */
    struct sp_gate_object shown; /* borrows from here */
    char etag[SP_OBJECT_ETAG];
    uint8_t fields[SP_HOT_FIELDS];
    size_t len;
    uint8_t bytes[];
};
void sp_hot_file_unref(struct sp_hot_file **f);

struct sp_hot_place {
    struct sp_object *object; /* shared; or NULL */
    struct sp_hot_file *file; /* shared; of the object; or NULL */
};
struct sp_hot {
    struct sp_hot_place at[SP_HOT_OBJECTS];
    size_t places; /* of them in use, 1.. */
    size_t held;   /* bytes of the files in places */
    size_t hand;   /* the place that gives up its file next */
};

void sp_hot_init(struct sp_hot *h,
                 size_t places); /* as many, but within 1..SP_HOT_OBJECTS */
struct sp_object *sp_hot_find(struct sp_hot *h, const uint8_t sha1[20]); /* borrowed */
void sp_hot_put(struct sp_hot *h, struct sp_object *o); /* takes a reference */
/* The bytes of an object that was found here, for the caller to unref, who need not be a
 * reader of the object; NULL where it is not small, not at once to be had, not what it
 * must be, or out of service. Nothing that other loops look at is written for it, but
 * once a second that the object is in use. */
struct sp_hot_file *sp_hot_file(struct sp_hot *h, struct sp_object *o);
void sp_hot_clear(struct sp_hot *h);

#endif
