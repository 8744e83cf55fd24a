/* JUDGE: do the facts satisfy the policy? Link first, then the reply, then every
 * revision; the first refusal ends it, unless it is one that only withholds. */
#include "core/custody/testimony.h"
#include "core/gate/private.h"

#include <string.h>

enum sp_err sp_gate_link_facts(struct sp_gate *g, const struct sp_link *link)
{
    struct sp_facts *f = NULL;
    sp_facts_free(&g->link);
    SP_TRY(sp_facts_new(SP_KIB(16), &g->link));
    f = g->link;
    SP_TRY(
        sp_facts_text(f, SP_FACT_UPSTREAM_NAME, sp_view_str(g->door->upstream_name)));
    SP_TRY(
        sp_facts_text(f, SP_FACT_UPSTREAM_HOST, sp_view_str(g->door->upstream_host)));
    SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_TRANSPORT,
                         link->plain ? SP_VIEW("http") : SP_VIEW("tls")));
    if (link->tls && link->tls[0]) {
        SP_TRY(sp_facts_text(f, SP_FACT_UPSTREAM_TLS, sp_view_str(link->tls)));
    }
    for (size_t i = 0; i < link->chain_count; i++) {
        SP_TRY(sp_facts_bytes(f, SP_FACT_UPSTREAM_SPKI, sp_view(link->chain[i], 32)));
    }
    if (link->proven) {
        SP_TRY(sp_facts_bytes(f, SP_FACT_UPSTREAM_PIN, sp_view(link->matched, 32)));
    }
    return SP_OK;
}

static bool judge(struct sp_gate *g, enum sp_subject subject,
                  const struct sp_facts *facts)
{
    struct sp_verdict v;
    sp_policy_judge(g->policy, subject, facts, &v);
    v.observed |= g->verdict.observed;
    v.audited |= g->verdict.audited;
    g->verdict = v;
    if (v.ruling == SP_UNPROVEN) {
        sp_why_say(&g->verdict.why,
                   "the policy %s has no rule about this, so nothing is proven",
                   sp_policy_name(g->policy));
    }
    return v.ruling == SP_PASSED;
}

/* custody of the upstream: what its own ledger says of this revision */
static enum sp_err tier_facts(const struct sp_gate_known *k, struct sp_facts *f)
{
    const struct sp_gate_tier *t = k->tier;
    if (!t || sp_facts_count(f, SP_FACT_TIER_STATE) > 0) {
        return SP_OK;
    }
    SP_TRY(sp_facts_flag(f, SP_FACT_TIER_REQUIRED, t->required));
    SP_TRY(sp_facts_text(f, SP_FACT_TIER_ORIGIN, sp_view_str(t->origin)));
    SP_TRY(sp_facts_text(f, SP_FACT_TIER_STATE, sp_view_str(t->state)));
    SP_TRY(sp_facts_int(f, SP_FACT_TIER_SIZE, (int64_t)t->size));
    if (t->why[0]) {
        SP_TRY(sp_facts_text(f, SP_FACT_TIER_WHY, sp_view_str(t->why)));
    }
    if (!k->in_tier) {
        return SP_OK;
    }
    SP_TRY(sp_facts_int(f, SP_FACT_TIER_ENTRY, (int64_t)k->tier_entry));
    if (t->cosigned_wanted) {
        SP_TRY(sp_facts_int(f, SP_FACT_TIER_COSIGNED, k->tier_cosigned));
        SP_TRY(sp_facts_int(f, SP_FACT_TIER_COSIGNED_WANTED, t->cosigned_wanted));
    }
    return sp_facts_bytes(f, SP_FACT_TIER_DOCUMENT_SHA256,
                          sp_view(k->tier_document_sha256, 32));
}

enum sp_err sp_gate_tier_facts(struct sp_gate *g, const struct sp_gate_known *known)
{
    const struct sp_reply *r = g->inspection.reply;
    for (size_t i = 0; i < r->revision_count; i++) {
        SP_TRY(tier_facts(&known[i], r->revisions[i].facts));
        g->known[i].tier = NULL; /* what it borrowed ends with the event */
    }
    return SP_OK;
}

static enum sp_testimony testimony_of(const struct sp_gate_said *said,
                                      const struct sp_revision *r)
{
    if (!said->known) {
        return SP_TESTIMONY_MISSING;
    }
    return memcmp(said->document_sha256, r->document_sha256, 32) == 0
               ? SP_TESTIMONY_AGREES
               : SP_TESTIMONY_CONTRADICTS;
}

enum sp_err sp_gate_witness(struct sp_gate *g, const char *witness,
                            const struct sp_gate_said *said)
{
    const struct sp_reply *r = g->inspection.reply;
    for (size_t i = 0; i < r->revision_count; i++) {
        if (said[i].asked) {
            SP_TRY(sp_testimony_say(r->revisions[i].facts, witness,
                                    testimony_of(&said[i], &r->revisions[i])));
        }
    }
    return SP_OK;
}

/* What only the ledger knows of a revision, as facts of it. */
static enum sp_err known_facts(struct sp_gate *g, size_t i)
{
    const struct sp_gate_known *known = &g->known[i];
    struct sp_facts *f = g->inspection.reply->revisions[i].facts;
    if (known->known && sp_facts_count(f, SP_FACT_DOCUMENT_FIRST_SHA256) == 0) {
        SP_TRY(sp_facts_bytes(f, SP_FACT_DOCUMENT_FIRST_SHA256,
                              sp_view(known->document_sha256, 32)));
    }
    if (known->has_highest && sp_facts_count(f, SP_FACT_KNOWN_HIGHEST) == 0) {
        SP_TRY(sp_facts_int(f, SP_FACT_KNOWN_HIGHEST, known->highest));
    }
    SP_TRY(sp_testimony_sum(f));
    return sp_gate_state_missing(g, i);
}

static bool out_of_memory(struct sp_gate *g)
{
    g->verdict = (struct sp_verdict){.ruling = SP_UNPROVEN};
    sp_why_say(&g->verdict.why, "%s", sp_err_text(SP_E_NOMEM));
    return false;
}

/* It was refused, but it does not go out. */
static void pass_the_rest(struct sp_gate *g)
{
    g->verdict = (struct sp_verdict){.ruling = SP_PASSED,
                                     .observed = g->verdict.observed,
                                     .audited = g->verdict.audited};
}

/* It passes, or it is taken out and the rest passes. */
static bool judge_revision(struct sp_gate *g, size_t i)
{
    const struct sp_revision *r = &g->inspection.reply->revisions[i];
    const struct sp_withheld *kept = sp_gate_kept_back(g, &r->id);
    g->taken[i] = kept && kept->why == SP_KEPT_IN_QUARANTINE;
    if (judge(g, SP_SUBJECT_REVISION, r->facts)) {
        return true;
    }
    if (g->verdict.ruling != SP_REFUSED || g->verdict.action == SP_ACTION_REFUSE) {
        return false;
    }
    g->taken[i] = true;
    pass_the_rest(g);
    return true;
}

/* Bundles of what is taken out are judged again, and bundles of those, until there is
 * nothing new to state; each round states more, so there is an end. */
static bool judge_bundles(struct sp_gate *g)
{
    size_t n = g->inspection.reply->revision_count;
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < n; i++) {
            bool news = false;
            if (sp_gate_state_bundle(g, i, &news) != SP_OK) {
                return out_of_memory(g);
            }
            if (news && !judge_revision(g, i)) {
                return false;
            }
            again = again || news;
        }
    }
    return true;
}

static bool judge_revisions(struct sp_gate *g)
{
    size_t n = g->inspection.reply->revision_count;
    for (size_t i = 0; i < n; i++) {
        if (known_facts(g, i) != SP_OK) {
            return out_of_memory(g);
        }
        if (!judge_revision(g, i)) {
            return false;
        }
    }
    return judge_bundles(g);
}

/* What the request says, where a rule compares the reply with it. */
static enum sp_err asked_facts(struct sp_gate *g)
{
    struct sp_view anchor;
    bool has = g->op == SP_OP_GET_REVISION_ID_LIST &&
               sp_soap_request_anchor(&g->request, &anchor);
    return has ? sp_facts_text(g->inspection.reply->facts, SP_FACT_REQUEST_ANCHOR,
                               anchor)
               : SP_OK;
}

static bool pass_but_for_shown(struct sp_gate *g)
{
    if (!sp_gate_cuts_shown(g)) {
        return false;
    }
    pass_the_rest(g);
    return true;
}

static bool judge_told(struct sp_gate *g)
{
    struct sp_verdict worst;
    if (sp_gate_judge_told(g, &worst) != SP_OK) {
        return out_of_memory(g);
    }
    worst.observed |= g->verdict.observed;
    worst.audited |= g->verdict.audited;
    if (worst.ruling == SP_REFUSED) {
        g->verdict = worst;
    }
    g->verdict.observed = worst.observed;
    g->verdict.audited = worst.audited;
    return worst.ruling != SP_REFUSED;
}

void sp_gate_judge(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    g->has_verdict = true;
    g->verdict = (struct sp_verdict){0};
    if (asked_facts(g) != SP_OK || sp_gate_state_freshness(g) != SP_OK) {
        out_of_memory(g);
        return;
    }
    if (!judge(g, SP_SUBJECT_LINK, g->link)) {
        return;
    }
    if (!judge(g, SP_SUBJECT_REPLY, r->facts) && !pass_but_for_shown(g)) {
        /* the inspector saw the place and the reason */
        bool unreadable = g->verdict.rule == SP_RULE_REPLY_WELLFORMED;
        if (g->verdict.ruling == SP_REFUSED && unreadable &&
            g->inspection.why.text[0]) {
            g->verdict.why = g->inspection.why;
        }
        return;
    }
    if (judge_revisions(g) && judge_told(g) && sp_gate_take_out(g) != SP_OK) {
        out_of_memory(g);
    }
}
