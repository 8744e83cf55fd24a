/* Policy: a dated text of rules over facts, and the verdict it gives.
 *
 *     policy strict-2026
 *     # comment
 *     upstream-pinned     enforce
 *     handler-agrees      enforce withhold
 *     file-sha256-present audit
 *
 * Each line names a rule of rules.def, its mode and, if it is not the usual one of its
 * subject, what is done when it fails. A rule that is not named is off; an unknown
 * rule, mode or action, an action that its subject cannot have, or a rule named twice
 * is an error with its line. Lines that begin with "at", "peer" and "publisher" name
 * modes of one place, who may ask for what (decision 0060) and who may sign what
 * (decision 0021). The text is complete: a policy has no includes, no environment.
 *
 * Judging is pure: the same facts under the same policy give the same verdict. A rule
 * HOLDS, FAILS, or does not APPLY (the facts it reads are absent and its row says that
 * is fine). Of the failing rules in enforce mode the one with the strongest action
 * refuses, of equals the first in table order; failing rules in observe or audit mode
 * are listed in the verdict and let pass: that is what these modes are for. A subject
 * that no rule of the policy looked at stays SP_UNPROVEN, which no caller may treat as
 * passed. */
#ifndef SALLYPORT_POLICY_H
#define SALLYPORT_POLICY_H

#include "sallyport/facts.h"

enum sp_rule {
#define RULE(name, text, subject, help) SP_RULE_##name,
#include "core/policy/rules.def"
#undef RULE
    SP_RULE_COUNT
};

/* What a set of facts is about; a rule belongs to one. */
enum sp_subject {
    SP_SUBJECT_REQUEST, /* who asks, how he came and what he sends */
    SP_SUBJECT_LINK, /* the connection to the upstream: judged before a reply is used */
    SP_SUBJECT_REPLY,    /* one SOAP reply */
    SP_SUBJECT_REVISION, /* one revision inside a GetUpdateData reply */
    SP_SUBJECT_FILE,     /* one content file, received whole */
    SP_SUBJECT_TOLD      /* what a client is told of a revision that is not in custody: it is
                            judged by rules about revisions that need no more than that */
};

enum sp_mode { SP_MODE_OFF, SP_MODE_OBSERVE, SP_MODE_AUDIT, SP_MODE_ENFORCE };

/* What is done when a rule in enforce mode fails, the strongest first. */
enum sp_action {
    SP_ACTION_REFUSE,     /* the whole reply, or the file, is refused */
    SP_ACTION_QUARANTINE, /* REVISION: taken out of replies under every policy from now on;
                             FILE: refused, its bytes are kept as evidence */
    SP_ACTION_WITHHOLD    /* REVISION: taken out of replies while this policy is in force;
                             fragment-derived: taken out of the page for a client */
};

enum sp_ruling { SP_UNPROVEN = 0, SP_PASSED, SP_REFUSED };

struct sp_verdict {
    enum sp_ruling ruling;
    enum sp_rule rule;          /* the rule that refused; meaningless otherwise */
    enum sp_action action;      /* what the policy says to do then; meaningless otherwise */
    uint64_t observed;          /* bit r: rule r failed in observe or audit mode */
    uint64_t audited;           /* of these, those in audit mode */
    uint64_t failed;            /* bit r: rule r failed in any mode but off */
    struct sp_why why;          /* empty when passed */
};

/* The rule has a say about it. */
bool sp_rule_judges(enum sp_rule r, enum sp_subject s);
const char *sp_rule_text(enum sp_rule r); /* "revision-immutable" */
const char *sp_rule_help(enum sp_rule r);
enum sp_subject sp_rule_subject(enum sp_rule r);
const char *sp_mode_text(enum sp_mode m);
const char *
sp_subject_text(enum sp_subject s); /* "request", "link", "reply", "revision", "file" */
const char *sp_action_text(enum sp_action a);
/* May this rule have this action? */
bool sp_action_fits(enum sp_rule r, enum sp_action a);
/* What a line without an action means: QUARANTINE for a FILE, else REFUSE. */
enum sp_action sp_action_usual(enum sp_subject s);
const char *sp_ruling_text(enum sp_ruling r); /* "unproven", "passed", "refused" */

/* Immutable once made; may be read by every thread. Freed by the owner when nobody reads
 * it any more. */
struct sp_policy;
enum sp_err sp_policy_parse(struct sp_view text, struct sp_policy **out,
                            struct sp_why *why) SP_MUST_USE;
void sp_policy_free(struct sp_policy **p);
const char *sp_policy_name(const struct sp_policy *p);
enum sp_mode sp_policy_mode(const struct sp_policy *p, enum sp_rule r);
enum sp_action sp_policy_action(const struct sp_policy *p, enum sp_rule r);
/* The mode in force for what these facts are about. It is another only for rules about
 * requests: lines "at" give them modes of their own at a service, at a listener or at
 * both, and transport-tls has the one that the listener's configuration gives it. */
enum sp_mode sp_policy_mode_for(const struct sp_policy *p, enum sp_rule r,
                                const struct sp_facts *facts);
/* Lines "peer" say who may ask for this service; with names of certificates. */
bool sp_policy_names_peers(const struct sp_policy *p, struct sp_view service);
bool sp_policy_reads_names(const struct sp_policy *p);
/* A publisher that the policy names signed the file, and may sign files of its update. */
bool sp_policy_has_publisher(const struct sp_policy *p, const struct sp_facts *facts);
/* The canonical text: every rule in table order, then "at", "peer" and "publisher"
 * lines as they stood. Parses back to an equal policy. */
enum sp_err sp_policy_print(const struct sp_policy *p, struct sp_buf *out) SP_MUST_USE;

void sp_policy_judge(const struct sp_policy *p, enum sp_subject subject,
                     const struct sp_facts *facts, struct sp_verdict *out);
/* Adds VERDICT_* facts, as an entry of the ledger carries them. */
enum sp_err sp_verdict_to_facts(const struct sp_verdict *v, const struct sp_policy *p,
                                struct sp_facts *facts) SP_MUST_USE;

#endif
