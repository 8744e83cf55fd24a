/* The ledger's history under another policy: the same facts, judged again. Nothing is
 * fetched and nothing is written; one entry at a time is in memory, and a revision
 * whose files went on in further entries is put together first. How it was asked for is
 * judged as well, as far as entries say it.
 *
 * What the ledger does not have cannot be judged again: replies that passed, and what a
 * policy without a word about it never stated. Blocking; for commands. */
#ifndef SP_APP_PROOF_REJUDGE_H
#define SP_APP_PROOF_REJUDGE_H

#include "io/store/ledger_files.h"
#include "sallyport/policy.h"

/* What came of a subject, or would. */
enum sp_outcome { SP_OUTCOME_PASSED, SP_OUTCOME_WITHHELD, SP_OUTCOME_REFUSED };
const char *sp_outcome_text(enum sp_outcome o);

struct sp_rejudged {
    uint64_t entry;
    enum sp_subject subject;
    const struct sp_facts *facts; /* borrowed until the call returns */
    enum sp_outcome was, now;
    const struct sp_verdict *verdict; /* of now */
};

/* How often a rule of the new policy failed, and how often it would have decided. */
struct sp_rule_tally {
    uint64_t failed, decided;
};
struct sp_peer_tally {
    char peer[64]; /* address; "" for entries that name none */
    uint64_t looked_at, failed, blocked;
};

struct sp_rejudge {
    const struct sp_policy *policy;                             /* borrowed */
    void (*changed)(void *ctx, const struct sp_rejudged *what); /* may be NULL */
    void *ctx;
    /* filled in */
    uint64_t entries, looked_at, changes;
    uint64_t now[3]; /* by outcome */
    struct sp_rule_tally rules[SP_RULE_COUNT];
    struct sp_peer_tally peers[256]; /* the last one takes those that find no room */
    size_t peer_count;
};
/* Judges entries [0, size) of l. r is zero but for the first three members. */
enum sp_err sp_rejudge(struct sp_rejudge *r, struct sp_ledger_files *l,
                       struct sp_why *why) SP_MUST_USE;

#endif
