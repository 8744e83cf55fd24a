/* Compound files, [MS-CFB]: which sector belongs to what, and where the bytes of a
 * stream are. It holds the allocation tables and the directory in memory and nothing
 * else of the file; both have ceilings (SP_LIMIT_OLE_*).
 *
 * Strict: every sector has one owner or none, chains end where their streams do, names
 * stand in order, what is not used is blank. What makes the file unreadable is an error
 * with its reason; what only gives room to hide bytes is odd. Knows nothing of
 * signatures.
 *
 * Filled in the order of the declarations. After sp_ole_take_mini all chains are known
 * to be sound, and every range that is given out lies in the file. */
#ifndef SP_CORE_SIGN_OLE_H
#define SP_CORE_SIGN_OLE_H

#include "core/sign/inside.h"

#define SP_OLE_END  UINT32_C(0xfffffffe) /* behind the last sector of a chain */
#define SP_OLE_NONE UINT32_C(0xffffffff) /* no sector, no entry */

enum { SP_OLE_ENTRY = 128, SP_OLE_CUTOFF = 4096 };
enum sp_ole_type { SP_OLE_UNUSED, SP_OLE_STORAGE, SP_OLE_STREAM, SP_OLE_ROOT = 5 };

/* One entry of the directory; views borrow the directory. */
struct sp_ole_entry {
    struct sp_view name; /* UTF-16LE with its two zeros */
    uint8_t type, colour;
    uint32_t left, right, child;
    struct sp_view clsid, state, times;
    uint32_t first; /* sector */
    struct sp_view low_size;
    uint64_t size; /* bytes */
};

/* Its place among the others; NONE where there is none. */
struct sp_ole_node {
    uint32_t parent;
    uint32_t next;  /* in the order of digests */
    uint32_t child; /* the first in that order */
    uint32_t last;  /* the sector with the last byte */
    bool is_live;
};

/* The allocation table, or the one of the mini stream. */
struct sp_ole_table {
    struct sp_buf next; /* of each sector, four bytes */
    uint32_t count;     /* sectors that are there and in the table */
    uint8_t *owned;     /* owned; a bit a sector */
};

struct sp_ole {
    uint64_t size;    /* of the file */
    unsigned shift;   /* sectors have 1 << shift bytes */
    uint32_t sectors; /* whole ones in the file */
    uint32_t fat_count, directory, directory_count, mini, mini_count;
    uint32_t difat, difat_count;
    struct sp_buf fat_places, difat_places; /* numbers of sectors, four bytes each */
    struct sp_ole_table fat, mini_fat;
    struct sp_buf entries;     /* the directory */
    struct sp_ole_node *nodes; /* owned; one an entry */
    uint32_t count;            /* entries */
    uint32_t *mini_places;     /* owned; sectors of the mini stream */
    uint32_t end;              /* behind the last sector with an owner */
    const char *odd;           /* room to hide bytes, as far as was seen; or NULL */
};

/* SP_E_MALFORMED, SP_E_MISMATCH (two owners), SP_E_LIMIT, SP_E_NOMEM. head is the start
 * of the file, 4 KiB or all of it. */
enum sp_err sp_ole_new(struct sp_view head, uint64_t size, struct sp_ole **out,
                       struct sp_why *why) SP_MUST_USE;
void sp_ole_free(struct sp_ole **o);
/* The next sector that lists sectors of the table; false when all is listed. */
bool sp_ole_wants_difat(const struct sp_ole *o, struct sp_range *out);
enum sp_err sp_ole_add_difat(struct sp_ole *o, struct sp_view sector,
                             struct sp_why *why) SP_MUST_USE;
/* From *at on, a run of sectors of the table; false behind the last. */
bool sp_ole_fat_run(const struct sp_ole *o, uint32_t *at, struct sp_range *out);
/* The bytes of all those runs, of which it takes the memory. */
enum sp_err sp_ole_take_fat(struct sp_ole *o, struct sp_buf *bytes,
                            struct sp_why *why) SP_MUST_USE;
enum sp_err sp_ole_take_directory(struct sp_ole *o, struct sp_buf *bytes,
                                  struct sp_why *why) SP_MUST_USE;
enum sp_err sp_ole_take_mini(struct sp_ole *o, struct sp_buf *bytes,
                             struct sp_why *why) SP_MUST_USE;

/* Reads a chain from its first byte to its last. */
struct sp_ole_reader {
    bool is_mini;
    uint32_t at;
    uint64_t left; /* bytes */
};
struct sp_ole_reader sp_ole_directory(const struct sp_ole *o); /* after the table */
struct sp_ole_reader sp_ole_mini_table(const struct sp_ole *o);
struct sp_ole_reader sp_ole_stream(const struct sp_ole *o, uint32_t id);
/* The next bytes that lie beside one another in the file; false at the end. */
bool sp_ole_run(const struct sp_ole *o, struct sp_ole_reader *r, struct sp_range *out);

struct sp_ole_entry sp_ole_entry(const struct sp_ole *o, uint32_t id);
/* The stream of this name in the root, or NONE. */
uint32_t sp_ole_find(const struct sp_ole *o, const char *name);
/* Storages after what is in them, in the order of digests, the root last; *id is NONE
 * to begin with. False behind the last. */
bool sp_ole_next(const struct sp_ole *o, uint32_t *id);
/* The same with storages before what is in them. */
bool sp_ole_next_outer(const struct sp_ole *o, uint32_t *id);

/* What a sector has behind the end of its stream; false where that is nothing. */
bool sp_ole_slack(const struct sp_ole *o, uint32_t id, struct sp_range *out);
/* From sector *at on, a run without owner and before the last owned one. */
bool sp_ole_unowned(const struct sp_ole *o, bool is_mini, uint32_t *at,
                    struct sp_range *out);

/* ole_tree.c: the directory, once its bytes are there. */
enum sp_err sp_ole_grow(struct sp_ole *o, struct sp_why *why) SP_MUST_USE;
void sp_ole_note(struct sp_ole *o, bool is_odd, const char *what);

#endif
