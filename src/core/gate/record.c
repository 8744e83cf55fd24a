/* RECORD: what the ledger will say about this exchange. One entry per revision first
 * seen, one per refusal. */
#include "core/gate/private.h"

#include "core/wsus/claim.h"

#include <stdlib.h>

enum { ENTRY_FACTS = 1024 * 1024 };

static enum sp_err time_fact(struct sp_gate *g, struct sp_facts *f)
{
    char t[SP_TIME_TEXT];
    sp_time_format(g->now, t);
    return sp_facts_text(f, SP_FACT_ENTRY_TIME, sp_view_str(t));
}

static enum sp_err common_facts(struct sp_gate *g, struct sp_facts *f, const char *kind)
{
    SP_TRY(sp_facts_text(f, SP_FACT_ENTRY_KIND, sp_view_str(kind)));
    SP_TRY(time_fact(g, f));
    SP_TRY(sp_facts_text(f, SP_FACT_SERVICE,
                         sp_view_str(sp_service_name(g->route.service))));
    SP_TRY(sp_facts_text(f, SP_FACT_OPERATION, sp_view_str(sp_op_text(g->op))));
    return g->link ? sp_facts_merge(f, g->link) : SP_OK;
}

static enum sp_err add_entry(struct sp_gate *g, const struct sp_facts *f,
                             const struct sp_revision *revision)
{
    struct sp_buf *text = &g->texts[g->entry_count];
    sp_buf_init(text, SP_LIMIT_LEDGER_ENTRY);
    g->entry_count++;
    SP_TRY(sp_facts_encode(f, text));
    g->entries[g->entry_count - 1] =
        (struct sp_gate_entry){.text = sp_buf_view(text), .revision = revision};
    return SP_OK;
}

static enum sp_err make_room(struct sp_gate *g, size_t n)
{
    sp_gate_entries_clear(g);
    if (n == 0) {
        return SP_OK;
    }
    g->texts = calloc(n, sizeof *g->texts);
    g->entries = calloc(n, sizeof *g->entries);
    return g->texts && g->entries ? SP_OK : SP_E_NOMEM;
}

void sp_gate_entries_clear(struct sp_gate *g)
{
    for (size_t i = 0; i < g->entry_count; i++) {
        sp_buf_fini(&g->texts[i]);
    }
    free(g->texts);
    free(g->entries);
    g->texts = NULL;
    g->entries = NULL;
    g->entry_count = 0;
}

static enum sp_err claim_facts(struct sp_facts *f, const struct sp_revision *r)
{
    for (size_t i = 0; i < r->claim_count; i++) {
        char text[SP_CLAIM_TEXT];
        sp_claim_format(&r->claims[i], text);
        SP_TRY(sp_facts_text(f, SP_FACT_FILE_CLAIM, sp_view_str(text)));
    }
    return SP_OK;
}

static enum sp_err revision_entry(struct sp_gate *g, const struct sp_revision *r)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_TRY(sp_facts_new(ENTRY_FACTS, &f));
    SP_TRY(common_facts(g, f, "revision"));
    SP_TRY(sp_facts_merge(f, r->facts));
    SP_TRY(claim_facts(f, r));
    struct sp_verdict v;
    sp_policy_judge(g->policy, SP_SUBJECT_REVISION, r->facts, &v);
    SP_TRY(sp_verdict_to_facts(&v, g->policy, f));
    return add_entry(g, f, r);
}

/* Rules in observe mode let things pass that must not become the first document of a
 * revision: what could not be read, and what names another revision. */
static bool is_recordable(const struct sp_revision *r)
{
    return sp_facts_count(r->facts, SP_FACT_DOCUMENT_SHA256) == 1 &&
           sp_facts_same_set(r->facts, SP_FACT_UPDATE_ID, SP_FACT_DOCUMENT_ID) &&
           sp_facts_same_set(r->facts, SP_FACT_UPDATE_REVISION,
                             SP_FACT_DOCUMENT_REVISION);
}

enum sp_err sp_gate_entries_passed(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    SP_TRY(make_room(g, r->revision_count));
    for (size_t i = 0; i < r->revision_count; i++) {
        if (!g->known[i].known && is_recordable(&r->revisions[i])) {
            SP_TRY(revision_entry(g, &r->revisions[i]));
        }
    }
    return SP_OK;
}

/* The facts the refusal rests on: those of the revision whose identity it names last in
 * the judging order, else those of the reply. */
static enum sp_err refused_facts(struct sp_gate *g, struct sp_facts *f)
{
    const struct sp_reply *r = g->inspection.reply;
    if (!r) {
        return SP_OK;
    }
    if (sp_rule_subject(g->verdict.rule) != SP_SUBJECT_REVISION) {
        return sp_facts_merge(f, r->facts);
    }
    for (size_t i = 0; i < r->revision_count; i++) {
        struct sp_verdict v;
        sp_policy_judge(g->policy, SP_SUBJECT_REVISION, r->revisions[i].facts, &v);
        if (v.ruling != SP_PASSED) {
            return sp_facts_merge(f, r->revisions[i].facts);
        }
    }
    return SP_OK;
}

enum sp_err sp_gate_entries_refused(struct sp_gate *g)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_TRY(make_room(g, 1));
    SP_TRY(sp_facts_new(ENTRY_FACTS, &f));
    SP_TRY(common_facts(g, f, "refusal"));
    SP_TRY(sp_facts_text(f, SP_FACT_PEER_ADDRESS, sp_view_str(g->asker.address)));
    SP_TRY(sp_facts_text(f, SP_FACT_PEER_LISTENER, sp_view_str(g->door->name)));
    SP_TRY(sp_facts_text(f, SP_FACT_TRANSPORT,
                         g->door->tls ? SP_VIEW("tls") : SP_VIEW("http")));
    if (g->asker.has_pin) {
        SP_TRY(sp_facts_bytes(f, SP_FACT_PEER_SPKI, sp_view(g->asker.pin, 32)));
    }
    SP_TRY(refused_facts(g, f));
    SP_TRY(sp_verdict_to_facts(&g->verdict, g->policy, f));
    return add_entry(g, f, NULL);
}
