/* What the entries of a ledger say of updates, files, askers and upstreams, put
 * together entry by entry, for reports. Everything is in memory, below the ceiling it
 * was made with; identities are numbers (names.h) and lists are lists of them.
 *
 * What the book tells is what was recorded: of a revision that was there before a fact
 * was kept, that fact is empty. One thread. Pure. */
#ifndef SP_CORE_REPORT_BOOK_H
#define SP_CORE_REPORT_BOOK_H

#include "core/base/text.h"
#include "core/report/names.h"
#include "sallyport/facts.h"

/* A revision that was recorded as passed. */
struct sp_book_update {
    struct sp_guid id;
    int32_t number;
    uint64_t entry;
    uint32_t id_name;
    bool deployable, is_bundled; /* by another revision */
    bool is_newest;              /* of its UpdateID */
    bool is_for_computers;       /* neither a category nor a detectoid */
    /* numbers in texts + 1, for sp_book_word; 0: not recorded */
    uint32_t category_type, title, severity, restart, url, created;
    struct sp_list kbs, bulletins;         /* texts: numbers in texts */
    struct sp_list categories, supersedes; /* numbers in ids */
    struct sp_list bundles;                /* number in ids << 32 | RevisionNumber */
    struct sp_list files;                  /* numbers in files */
};
struct sp_book_file {
    uint8_t sha1[20], sha256[32];
    uint64_t size, entry; /* entry: that verified it */
    char ext[9];
    bool has_sha256, verified, trusted;
    struct sp_view name, sign_class, signer, root, verified_at;
};
/* How often a rule refused something of a peer, or would have. */
struct sp_book_blocked {
    uint32_t rule, peer; /* texts; peer SP_BOOK_NOBODY where none is named */
    int64_t blocked, would_block;
    struct sp_view last;
};
struct sp_book_plain {
    uint32_t peer, listener, operation; /* texts */
    int64_t passed, refused;
    struct sp_view first, last;
};
struct sp_book_upstream {
    uint32_t name; /* text */
    int64_t revisions;
    struct sp_view host, newest, newest_created, posture, posture_reason;
};
#define SP_BOOK_NOBODY UINT32_MAX

struct sp_book {
    struct sp_arena *arena; /* owned */
    struct sp_names texts, ids, revisions, files_by, blocked_by, plain_by, upstreams_by;
    struct sp_book_update
        *updates;               /* owned, as those below; by the number in revisions */
    struct sp_book_file *files; /* by the number in files_by */
    struct sp_book_blocked *blocked;
    struct sp_book_plain *plain;
    struct sp_book_upstream *upstreams;
    bool *superseded; /* by the number in ids: by the newest revision of some update */
    uint32_t *newest; /* by the number in ids: the newest revision + 1; after finish */
    size_t rooms[5];
    uint64_t entries;
};

enum sp_err sp_book_init(struct sp_book *b, size_t ceiling) SP_MUST_USE;
void sp_book_fini(struct sp_book *b);
/* The next entry; SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_book_take(struct sp_book *b, uint64_t entry,
                         const struct sp_facts *facts) SP_MUST_USE;
/* After the last entry: what is newest, and what is part of a bundle. */
enum sp_err sp_book_finish(struct sp_book *b) SP_MUST_USE;

/* The newest revision of an UpdateID, by its number in ids, or NULL. */
const struct sp_book_update *sp_book_newest(const struct sp_book *b, uint32_t id);
/* A text by its number. */
struct sp_view sp_book_text(const struct sp_book *b, uint64_t number);
/* The same, where 0 is the empty text and others are one more. */
struct sp_view sp_book_word(const struct sp_book *b, uint32_t word);
/* Something an administrator deals with: the newest revision, in no bundle, neither a
 * category nor a detectoid. */
bool sp_book_is_update(const struct sp_book_update *u);
/* UpdateClassification or Product among the categories: every title, the UpdateID in
 * its place where the category was never recorded. */
enum sp_err sp_book_categories(const struct sp_book *b, const struct sp_book_update *u,
                               const char *type, struct sp_arena *arena,
                               struct sp_view **out, size_t *count) SP_MUST_USE;

/* reach.c: what an update comes to, bundled ones taken in. */
struct sp_reach {
    const struct sp_book *book; /* borrowed */
    uint32_t *stamps, *todo;    /* owned: by update */
    uint64_t *pairs;            /* owned: group << 32 | file */
    size_t count, room;
    uint32_t stamp;
};
enum sp_err sp_reach_init(struct sp_reach *r, const struct sp_book *b) SP_MUST_USE;
void sp_reach_fini(struct sp_reach *r);
/* Adds the files of an update, and of what it bundles, to a group. */
enum sp_err sp_reach_add(struct sp_reach *r, uint32_t group,
                         const struct sp_book_update *u) SP_MUST_USE;
/* Distinct files by group, as sums: group by group in order. */
struct sp_reach_sum {
    int64_t files, bytes, verified;
};
/* sums has room for every group that was named and is zero. */
void sp_reach_sum(struct sp_reach *r, struct sp_reach_sum *sums);
/* What installing it may lead to: the strongest of its own and of its parts. */
struct sp_view sp_reach_restart(struct sp_reach *r, const struct sp_book_update *u);

#endif
