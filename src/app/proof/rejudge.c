#include "app/proof/rejudge.h"

#include "core/base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    FACTS_MAX = 16 * 1024 * 1024, /* of a revision with all its files */
    PEERS =
        sizeof((struct sp_rejudge *)0)->peers / sizeof((struct sp_rejudge *)0)->peers[0]
};

const char *sp_outcome_text(enum sp_outcome o)
{
    static const char *const texts[] = {"passed", "withheld", "refused"};
    SP_ASSERT(o <= SP_OUTCOME_REFUSED);
    return texts[o];
}

static bool is_text(const struct sp_facts *f, enum sp_fact k, const char *text)
{
    struct sp_fact_value v;
    return sp_facts_get(f, k, 0, &v) && sp_view_eq_str(v.bytes, text);
}

/* ---- what an entry is about ---------------------------------------------------- */

static bool subject_of_rule(const struct sp_facts *f, enum sp_subject *out)
{
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (is_text(f, SP_FACT_VERDICT_RULE, sp_rule_text(r))) {
            *out = sp_rule_subject(r);
            return true;
        }
    }
    return false;
}

/* False for entries that hold no verdict, and for refusals by rules of another time. */
static bool subject_of(const struct sp_facts *f, enum sp_subject *out)
{
    if (is_text(f, SP_FACT_ENTRY_KIND, "revision") ||
        is_text(f, SP_FACT_ENTRY_KIND, "withheld")) {
        *out = SP_SUBJECT_REVISION;
        return true;
    }
    if (is_text(f, SP_FACT_ENTRY_KIND, "file")) {
        *out = SP_SUBJECT_FILE;
        return true;
    }
    return is_text(f, SP_FACT_ENTRY_KIND, "refusal") && subject_of_rule(f, out);
}

static enum sp_outcome outcome_then(const struct sp_facts *f)
{
    if (is_text(f, SP_FACT_VERDICT_RULING, "passed")) {
        return SP_OUTCOME_PASSED;
    }
    return is_text(f, SP_FACT_ENTRY_KIND, "withheld") ? SP_OUTCOME_WITHHELD
                                                      : SP_OUTCOME_REFUSED;
}

static enum sp_outcome outcome_now(const struct sp_verdict *v, enum sp_subject subject)
{
    if (v->ruling == SP_PASSED) {
        return SP_OUTCOME_PASSED;
    }
    bool apart = v->ruling == SP_REFUSED && v->action != SP_ACTION_REFUSE &&
                 subject == SP_SUBJECT_REVISION;
    return apart ? SP_OUTCOME_WITHHELD : SP_OUTCOME_REFUSED;
}

/* ---- tallies ------------------------------------------------------------------- */

static struct sp_peer_tally *peer_of(struct sp_rejudge *r, const struct sp_facts *f)
{
    struct sp_fact_value v = {.number = 0};
    char name[sizeof r->peers[0].peer] = "";
    if (sp_facts_get(f, SP_FACT_PEER_ADDRESS, 0, &v)) {
        snprintf(name, sizeof name, SP_VIEW_FMT, SP_VIEW_ARG(v.bytes));
    }
    for (size_t i = 0; i < r->peer_count; i++) {
        if (strcmp(r->peers[i].peer, name) == 0) {
            return &r->peers[i];
        }
    }
    if (r->peer_count == PEERS - 1) {
        snprintf(name, sizeof name, "others");
    } else if (r->peer_count == PEERS) {
        return &r->peers[PEERS - 1];
    }
    struct sp_peer_tally *p = &r->peers[r->peer_count++];
    memcpy(p->peer, name, sizeof name);
    return p;
}

static void count(struct sp_rejudge *r, const struct sp_rejudged *j)
{
    struct sp_peer_tally *peer = peer_of(r, j->facts);
    r->looked_at++;
    r->now[j->now]++;
    peer->looked_at++;
    peer->failed += j->verdict->failed != 0;
    peer->blocked += j->now != SP_OUTCOME_PASSED;
    for (enum sp_rule rule = 0; rule < SP_RULE_COUNT; rule++) {
        r->rules[rule].failed += j->verdict->failed >> rule & 1;
    }
    if (j->verdict->ruling == SP_REFUSED) {
        r->rules[j->verdict->rule].decided++;
    }
}

/* ---- entries ------------------------------------------------------------------- */

struct pending {
    struct sp_facts *facts; /* owned: of a revision that may go on, or NULL */
    uint64_t entry;
};

/* Entries say how it was asked for what they are about: what would be refused at the
 * door would not have got this far. */
static void judge_request(const struct sp_policy *p, const struct sp_facts *f,
                          struct sp_verdict *v)
{
    struct sp_verdict q;
    if (sp_facts_count(f, SP_FACT_TRANSPORT) == 0) {
        return;
    }
    sp_policy_judge(p, SP_SUBJECT_REQUEST, f, &q);
    q.failed |= v->failed;
    v->failed = q.failed;
    if (q.ruling == SP_REFUSED) {
        *v = q;
    }
}

static void judge(struct sp_rejudge *r, uint64_t entry, const struct sp_facts *f)
{
    struct sp_verdict v;
    struct sp_rejudged j = {.entry = entry, .facts = f, .verdict = &v};
    if (!subject_of(f, &j.subject)) {
        return;
    }
    sp_policy_judge(r->policy, j.subject, f, &v);
    judge_request(r->policy, f, &v);
    j.was = outcome_then(f);
    j.now = outcome_now(&v, j.subject);
    count(r, &j);
    if (j.was != j.now) {
        r->changes++;
        if (r->changed) {
            r->changed(r->ctx, &j);
        }
    }
}

static void settle(struct sp_rejudge *r, struct pending *p)
{
    if (p->facts) {
        judge(r, p->entry, p->facts);
    }
    sp_facts_free(&p->facts);
}

/* The first entry of a revision gets room for what may follow. */
static enum sp_err hold(struct pending *p, uint64_t entry, const struct sp_facts *f)
{
    SP_TRY(sp_facts_new(FACTS_MAX, &p->facts));
    p->entry = entry;
    return sp_facts_merge(p->facts, f);
}

static bool goes_on(const struct pending *p, const struct sp_facts *f)
{
    return p->facts && is_text(f, SP_FACT_ENTRY_KIND, "claims");
}

/* All of a continuation but its head, which would name a second kind and time. */
static enum sp_err join(struct pending *p, const struct sp_facts *f)
{
    struct sp_fact_value v;
    for (enum sp_fact k = SP_FACT_ENTRY_TIME + 1; k < SP_FACT_COUNT; k++) {
        for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
            SP_TRY(sp_facts_add(p->facts, k, &v));
        }
    }
    return SP_OK;
}

struct pass {
    struct sp_rejudge *r; /* borrowed */
    struct pending pending;
    struct sp_why *why; /* borrowed */
};

static enum sp_err take(struct pass *pass, uint64_t entry, struct sp_view text,
                        struct sp_why *why)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct pending *p = &pass->pending;
    SP_TRY(sp_facts_decode(text, &f, why));
    if (goes_on(p, f)) {
        return join(p, f);
    }
    settle(pass->r, p);
    if (is_text(f, SP_FACT_ENTRY_KIND, "revision")) {
        return hold(p, entry, f);
    }
    judge(pass->r, entry, f);
    return SP_OK;
}

static enum sp_err each(void *ctx, uint64_t entry, struct sp_view text)
{
    struct pass *pass = ctx;
    struct sp_why inner = {0};
    pass->r->entries = entry + 1;
    enum sp_err e = take(pass, entry, text, &inner);
    return e == SP_OK ? e
                      : sp_why_set(pass->why, e, "entry %" PRIu64 ": %s", entry,
                                   sp_why_text(&inner, e));
}

enum sp_err sp_rejudge(struct sp_rejudge *r, struct sp_ledger_files *l,
                       struct sp_why *why)
{
    struct pass pass = {.r = r, .why = why};
    enum sp_err e = sp_ledger_each(l, 0, each, &pass, why);
    if (e == SP_OK) {
        settle(r, &pass.pending);
    }
    sp_facts_free(&pass.pending.facts);
    return e;
}
