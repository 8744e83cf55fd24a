/* The index of one offline catalogue: a file, made once, then read by many.
 *
 * SQLite, like the ledger's index, and like that only a cache: whatever is wrong with
 * it, it is made again from the catalogue (docs/decisions/0023). While it is made
 * nothing in it is durable; finish makes it so, and gives it its name. Memory is
 * bounded by SQLite's own cache and sorter, 16 MiB each. Calls block; one thread a
 * handle. */
#ifndef SP_IO_STORE_CATALOG_H
#define SP_IO_STORE_CATALOG_H

#include "core/catalog/catalog.h"

/* What is known of the catalogue as a whole. */
struct sp_catalog_about {
    uint8_t sha256[32]; /* of the cabinet */
    uint64_t size;      /* bytes of it */
    int64_t signed_at;  /* unix seconds, by a trusted time stamp */
    int64_t created;    /* CreationDate inside */
    struct sp_guid package;
    uint64_t revisions, payloads, files; /* counted when it was made */
};

/* ---- making it ------------------------------------------------------------------- */

struct sp_catalog_build;
/* Beside path, under path with ".new" behind it; what stands there is replaced. */
enum sp_err sp_catalog_build_new(const char *path, struct sp_catalog_build **out,
                                 struct sp_why *why) SP_MUST_USE;
/* Where readers of core/catalog put what they find. */
struct sp_catalog_sink sp_catalog_build_sink(struct sp_catalog_build *b);
/* Sorts, writes sha256, size and signed_at of about beside what it knows itself, and
 * renames to path, durably but for the folder. SP_E_MALFORMED where no package was
 * read. b is gone in any case. */
enum sp_err sp_catalog_build_finish(struct sp_catalog_build **b,
                                    struct sp_catalog_about *about,
                                    struct sp_why *why) SP_MUST_USE;
void sp_catalog_build_drop(struct sp_catalog_build **b);

/* ---- reading it ------------------------------------------------------------------ */

struct sp_catalog;
/* SP_E_NOTFOUND; SP_E_CORRUPT for what is not such an index. */
enum sp_err sp_catalog_open(const char *path, struct sp_catalog **out,
                            struct sp_why *why) SP_MUST_USE;
void sp_catalog_close(struct sp_catalog **c);
const struct sp_catalog_about *sp_catalog_about(const struct sp_catalog *c);

/* A revision; texts live until the call returns. */
struct sp_catalog_row {
    uint64_t revision;
    struct sp_guid id;
    int64_t number;
    const char *created, *deployment, *kb, *bulletin, *severity, *title;
};
/* Calls back for each revision of a KB article ("5000001", without "KB"), or of an
 * update, newest revision first; number < 0: every one. */
enum sp_err sp_catalog_find_kb(struct sp_catalog *c, struct sp_view kb,
                               enum sp_err (*each)(void *ctx,
                                                   const struct sp_catalog_row *row),
                               void *ctx) SP_MUST_USE;
enum sp_err
sp_catalog_find_update(struct sp_catalog *c, const struct sp_guid *id, int64_t number,
                       enum sp_err (*each)(void *ctx, const struct sp_catalog_row *row),
                       void *ctx) SP_MUST_USE;

struct sp_catalog_payload {
    uint8_t sha1[20];
    bool has_sha256, has_size;
    uint8_t sha256[32];
    uint64_t size;
    const char *name, *url; /* "" where it is not told */
};
/* The payload and licence files of a revision (its key inside of the catalogue). */
enum sp_err sp_catalog_payloads(struct sp_catalog *c, uint64_t revision,
                                enum sp_err (*each)(void *ctx,
                                                    const struct sp_catalog_payload *p),
                                void *ctx) SP_MUST_USE;

/* ---- the witness ----------------------------------------------------------------- */

struct sp_catalog_claim { /* a file as a document names it */
    uint8_t sha1[20];
    bool has_sha256;
    uint8_t sha256[32];
};
struct sp_catalog_testimony {
    enum sp_witness witness;
    bool knows_revision;
    uint8_t odd_sha1[20]; /* when it contradicts: the first file that does */
};
/* What the catalogue says about these files of revision id, number. A file contradicts
 * when the catalogue names the revision's files and it is not among them, or when it
 * names another SHA-256 for it. No files asked, or none named: absent. */
enum sp_err sp_catalog_witness(struct sp_catalog *c, const struct sp_guid *id,
                               int64_t number, const struct sp_catalog_claim *claims,
                               size_t count,
                               struct sp_catalog_testimony *out) SP_MUST_USE;

#endif
