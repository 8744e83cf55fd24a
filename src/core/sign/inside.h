/* How a format drives the inspector. step is called when everything that was queued has
 * been fed: first with the head of the file in piece, then after each round. It queues
 * ranges to collect (into piece) or to digest, or nothing: then the format is done. The
 * findings become facts as they are found. */
#ifndef SP_CORE_SIGN_INSIDE_H
#define SP_CORE_SIGN_INSIDE_H

#include "core/crypto/cms.h"
#include "core/crypto/crypto.h"
#include "core/sign/sign.h"

enum {
    SP_SIGN_HEAD = 4096, /* bytes of the file's start that tell what it is */
    SP_SIGN_RANGES = 8,
    SP_SIGN_TABLE = 8 /* signatures beside one another in one file */
};

enum sp_format {
#define FORMAT(name, kind, extensions) SP_FORMAT_##name,
#include "core/sign/formats.def"
#undef FORMAT
    SP_FORMAT_COUNT
};

struct sp_range {
    uint64_t at, length; /* bytes of the file */
};

/* What becomes of the bytes of a range. */
enum sp_sink { SP_SINK_COLLECT, SP_SINK_DIGEST, SP_SINK_BLANK };

struct sp_msi;

/* Where the search for a version resource stands: version.c. */
struct sp_version {
    struct sp_range section; /* that holds the resources, in the file */
    uint32_t va, root;       /* its address; offset of the resources in it */
    unsigned level;          /* of the directories, then data entry, then version */
};

struct sp_sign {
    uint64_t size;
    enum sp_format by_name, format; /* COUNT: the name promises nothing */
    struct sp_facts *facts;         /* owned; what was found so far */

    struct sp_range ranges[SP_SIGN_RANGES];
    size_t range_count, next;
    enum sp_sink sink;   /* of all of them */
    uint64_t fed;        /* bytes of the range at next */
    uint64_t stain;      /* where the first byte is that should be blank, or 0 */
    struct sp_buf piece; /* what was collected */
    bool is_at_tail, is_done;

    unsigned step;                     /* of the format's own counting */
    struct sp_buf signature;           /* bytes of the signatures, borrowed by cms */
    struct sp_cms *cms[SP_SIGN_TABLE]; /* owned */
    size_t cms_count;
    unsigned also;            /* digests to compute besides: bit d for algorithm d */
    struct sp_hasher *hasher; /* owned */
    struct sp_beside known;   /* computed by others; count 0: nothing is */
    bool is_known;            /* it is what was wanted */
    bool is_unreadable;       /* there is a signature, it cannot be read */
    bool overlaps, trails, is_outside;
    uint64_t tail;             /* where bytes begin that nothing covers, or 0 */
    struct sp_range table;     /* where the signatures stand */
    uint64_t checksum, entry;  /* PE: offsets of what is left out */
    struct sp_msi *msi;        /* owned; of that format only */
    struct sp_version version; /* PE */
};

#define FORMAT(name, kind, extensions) bool sp_##name##_probe(struct sp_view head);
#include "core/sign/formats.def"
#undef FORMAT
enum sp_err sp_pe_step(struct sp_sign *s) SP_MUST_USE;
enum sp_err sp_cab_step(struct sp_sign *s) SP_MUST_USE;
enum sp_err sp_msi_step(struct sp_sign *s) SP_MUST_USE;
enum sp_err sp_cat_step(struct sp_sign *s) SP_MUST_USE;

/* Of a file that begins like this and has so many bytes: which ranges a signature would
 * have digested. False: it has none, or that cannot be told from its head. */
bool sp_cab_foresee(struct sp_view head, uint64_t size, struct sp_beside *out);
bool sp_pe_foresee(struct sp_view head, uint64_t size, struct sp_beside *out);

const char *sp_format_text(enum sp_format f);
/* The format that an extension promises; COUNT for others. */
enum sp_format sp_format_of_extension(struct sp_view extension);
enum sp_format sp_format_of_content(struct sp_view head);
bool sp_format_is_signed(enum sp_format f);
enum sp_err sp_format_step(struct sp_sign *s) SP_MUST_USE;

/* ---- what steps call ---- */
/* The next piece is this range, at most SP_LIMIT_SIGNATURE long. */
void sp_sign_collect(struct sp_sign *s, uint64_t at, uint64_t length);
/* Queues one more range to collect behind what is in piece, while there is room. */
void sp_sign_append(struct sp_sign *s, struct sp_range r);
/* Queues a range to be digested; empty ones are left away. */
void sp_sign_digest(struct sp_sign *s, uint64_t at, uint64_t length);
/* Queues a range that should be all zeros; stain says whether it is. */
void sp_sign_blank(struct sp_sign *s, struct sp_range r);
bool sp_sign_has_room(const struct sp_sign *s); /* to queue one more */
/* Says what is wrong with the file: a sign.error. */
enum sp_err sp_sign_wrong(struct sp_sign *s, const char *fmt, ...)
    SP_PRINTF(2, 3) SP_MUST_USE;
/* The same, and the format is done. */
enum sp_err sp_sign_broken(struct sp_sign *s, const char *fmt, ...)
    SP_PRINTF(2, 3) SP_MUST_USE;
bool sp_sign_is_zero(struct sp_view v);
/* Reads the signature that stands in place (bytes that stay) and has it for itself but
 * for up to 7 zeros. CVE-2013-3900: anything more is room that no digest covers. What
 * cannot be read is a sign.error. */
enum sp_err sp_sign_read(struct sp_sign *s, struct sp_view place) SP_MUST_USE;
unsigned sp_sign_digests(const struct sp_sign *s);
/* Starts the digests that the signatures want, bit d for algorithm d; may be none. */
enum sp_err sp_sign_start_digests(struct sp_sign *s, unsigned *wanted) SP_MUST_USE;
/* Bytes that no digest covers: bits that may have any value are named, others flagged.
 */
enum sp_err sp_sign_left_out(struct sp_sign *s, uint64_t at, uint64_t length,
                             const char *what) SP_MUST_USE;
bool sp_sign_is_ours(enum sp_err e); /* an error, not a property of the file */

/* msi.c */
void sp_msi_free(struct sp_msi **m);
/* Names a part of the signature, which may lie in pieces all over the file. */
enum sp_err sp_msi_left_out(struct sp_sign *s, uint64_t at, uint64_t length,
                            const char *what) SP_MUST_USE;

/* sign_facts.c */
enum { SP_SIGN_LINE = 512 };
/* "sha256 good trusted \"CN=...\" time-stamp rfc3161 2026-01-02T03:04:05Z" */
void sp_sign_line(const struct sp_signature *one, bool good, bool trusted,
                  char out[SP_SIGN_LINE]);
enum sp_err sp_sign_state(struct sp_sign *s, struct sp_facts *out) SP_MUST_USE;
/* revocation.c */
enum sp_err sp_sign_revocations(const struct sp_sign *s,
                                struct sp_facts *out) SP_MUST_USE;

#endif
