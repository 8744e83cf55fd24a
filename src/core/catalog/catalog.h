/* The offline catalogue (wsusscn2.cab), read: what its XML says, row by row.
 *
 * Knows: package.xml, index.xml, and the fragments of packageN.cab. Refuses to know:
 * cabinets, files, signatures, what a row is kept for. Elements are taken by their
 * local names, in any order: schema and namespaces of rare elements were never
 * published.
 *
 *     package.xml       every revision: identity, payload digests (SHA-1); where files
 * are x/<revision>      KB article, bulletin, severity; files with SHA-256 where it has
 * them l/en/<revision>   title
 *
 * Values that are not what they must be (a GUID, a digest, a number) refuse the
 * document: it is signed, so it is another format, not damage. One thread a reader. */
#ifndef SP_CORE_CATALOG_CATALOG_H
#define SP_CORE_CATALOG_CATALOG_H

#include "core/base/limits.h"
#include "core/base/text.h"
#include "sallyport/facts.h"

struct sp_catalog_package { /* attributes of OfflineSyncPackage */
    struct sp_guid id;
    int64_t created; /* unix seconds */
};
struct sp_catalog_update {
    uint64_t revision; /* RevisionId: a key inside of this catalogue, without meaning */
    struct sp_guid id; /* UpdateID and RevisionNumber: the identity everywhere else */
    int64_t number;
    struct sp_view created; /* as written; may be empty */
    struct sp_view
        deployment; /* DeploymentAction: Bundle, Evaluate, ...; may be empty */
};
struct sp_catalog_details { /* of one revision; texts may be empty */
    uint64_t revision;
    struct sp_view kb; /* without "KB" */
    struct sp_view bulletin;
    struct sp_view severity;
};
struct sp_catalog_file { /* as an extended fragment declares it */
    uint8_t sha1[20];
    bool has_sha256;
    uint8_t sha256[32];
    uint64_t size;
    struct sp_view name;
};

/* What is told; views live until the call returns. An error ends the reading. */
struct sp_catalog_sink {
    enum sp_err (*package)(void *ctx, const struct sp_catalog_package *p);
    enum sp_err (*update)(void *ctx, const struct sp_catalog_update *u);
    /* A payload or licence file of a revision, before its update() or after. */
    enum sp_err (*payload)(void *ctx, uint64_t revision, const uint8_t sha1[20]);
    enum sp_err (*location)(void *ctx, const uint8_t sha1[20], struct sp_view url);
    enum sp_err (*details)(void *ctx, const struct sp_catalog_details *d);
    enum sp_err (*title)(void *ctx, uint64_t revision, struct sp_view title);
    enum sp_err (*file)(void *ctx, const struct sp_catalog_file *f);
    void *ctx;
};

/* package.xml, in pieces. Errors of sp_xml_feed, and SP_E_MALFORMED for what has no
 * OfflineSyncPackage or breaks the format. */
struct sp_package_reader;
enum sp_err sp_package_new(const struct sp_catalog_sink *sink,
                           struct sp_package_reader **out) SP_MUST_USE;
enum sp_err sp_package_feed(struct sp_package_reader *r, struct sp_view piece,
                            struct sp_why *why) SP_MUST_USE;
enum sp_err sp_package_finish(struct sp_package_reader *r,
                              struct sp_why *why) SP_MUST_USE;
void sp_package_free(struct sp_package_reader **r);

/* What a member of packageN.cab is, by its name. */
enum sp_fragment { SP_FRAGMENT_OTHER, SP_FRAGMENT_EXTENDED, SP_FRAGMENT_LOCALIZED };
enum sp_fragment sp_fragment_of(struct sp_view name, uint64_t *revision);
/* One fragment: several elements side by side, no namespaces. */
enum sp_err sp_fragment_read(enum sp_fragment kind, uint64_t revision,
                             struct sp_view text, const struct sp_catalog_sink *sink,
                             struct sp_why *why) SP_MUST_USE;

/* ---- the witness ----------------------------------------------------------------- */

/* What a signed catalogue says about the files that a document names for a revision.
 * Absent proves nothing: the catalogue has no drivers, no definitions, few previews. */
enum sp_witness {
    SP_WITNESS_ABSENT,      /* it does not know the revision, or names no file of it */
    SP_WITNESS_APPEARS,     /* every file of the document is a file of the revision */
    SP_WITNESS_CONTRADICTS, /* it names the revision's files, and one is not among them
                             */
};
const char *sp_witness_text(enum sp_witness w); /* "absent" */
/* States it, as one of the three facts catalog.absent, .appears and .contradicts, and
 * which catalogue was asked. */
enum sp_err sp_witness_to_facts(enum sp_witness w, const uint8_t catalog_sha256[32],
                                int64_t signed_at, struct sp_facts *facts) SP_MUST_USE;

#endif
