/* What objects*.c, object.c, stage*.c, tree.c and evidence.c share. */
#ifndef SP_IO_STORE_OBJECTS_INSIDE_H
#define SP_IO_STORE_OBJECTS_INSIDE_H

#include "io/store/objects.h"

/* Directories are opened once; everything else is relative to them. Nothing changes
 * after sp_objects_open, so that every thread may use it. */
struct sp_objects {
    int root;                         /* owned */
    int lock;                         /* owned; held while open; -1 in a view */
    int objects, staging, quarantine; /* owned; staging is -1 in a view */
};

/* "ab/abcdef..." */
#define SP_OBJECT_PATH 68
void sp_object_path(const uint8_t sha256[32], char out[SP_OBJECT_PATH]);
/* Opens the folder "ab" of an object, where it is no link. In it the object's name is what
 * its path has behind the slash. */
enum sp_err sp_object_folder(const struct sp_objects *o, const uint8_t sha256[32],
                             int *out) SP_MUST_USE;
/* "ab/abcdef....tree" */
#define SP_TREE_PATH (SP_OBJECT_PATH + 5)
void sp_tree_path(const uint8_t sha256[32], char out[SP_TREE_PATH]);

/* object.c: takes fd on success, with nothing checked yet. */
enum sp_err sp_object_new(int fd, const uint8_t sha256[32], const uint8_t sha1[20],
                          uint64_t size, struct sp_object **out) SP_MUST_USE;
/* Every block is good: they were just hashed. */
void sp_object_trust(struct sp_object *o);

/* tree.c: out is the file of the tree of a file whose blocks have these hashes. */
enum sp_err sp_tree_encode(struct sp_view hashes, uint64_t size,
                           const uint8_t sha256[32], struct sp_buf *out) SP_MUST_USE;
/* The same, of hashes of what fd holds. */
enum sp_err sp_tree_make(int fd, uint64_t size, const uint8_t sha256[32],
                         struct sp_buf *out) SP_MUST_USE;
/* Writes it, durably. */
enum sp_err sp_tree_write(struct sp_objects *o, const uint8_t sha256[32],
                          struct sp_view file, struct sp_why *why) SP_MUST_USE;
/* Reads and checks the tree of an object. SP_E_CORRUPT where it is missing or bad. */
enum sp_err sp_tree_read(struct sp_objects *o, const uint8_t sha256[32], uint64_t size,
                         struct sp_buf *file, struct sp_block_tree *out) SP_MUST_USE;

struct sp_stage {
    struct sp_objects *objects; /* borrowed from the opener */
    int fd;                     /* owned */
    uint64_t size;              /* bytes it must have in the end */
    uint64_t written;           /* bytes written so far */
    char name[48];              /* in staging */
    char mark[48];              /* of its record; "" where it has none */
    char map[48];               /* of its map, with mark */
    struct sp_buf tree; /* owned: the file of its block tree, once it is made */
};
/* stage.c. SP_E_NOSPACE. */
enum sp_err sp_stage_reserve(struct sp_stage *s, struct sp_why *why) SP_MUST_USE;
/* stage_keep.c: at start nobody fills anything: what cannot be taken up goes. */
enum sp_err sp_stages_clean(struct sp_objects *o) SP_MUST_USE;

/* evidence.c: the name that bytes get in quarantine, and the ceiling on how many. */
#define SP_EVIDENCE_NAME 192
void sp_evidence_name(const uint8_t sha256[32], const char *reason,
                      char out[SP_EVIDENCE_NAME]);
enum sp_err sp_evidence_prune(int quarantine) SP_MUST_USE;

#endif
