/* RECORD: what the ledger will say about this exchange. One entry per revision first
 * seen, one per revision that is withheld, one per refusal, one per edit of a reply. An
 * entry holds at most 64 KiB, an update may name thousands of files: what does not fit
 * goes on in entries of the kind "claims", which name the same revision. */
#include "core/gate/private.h"

#include "core/wsus/claim.h"

#include <stdlib.h>
#include <string.h>

enum {
    ENTRY_FACTS = 4 * 1024 * 1024, /* memory for the facts of one revision */
    ENTRY_TEXT = 60 * 1024, /* below SP_LIMIT_LEDGER_ENTRY, with room for the head */
    LONGEST_TEXT = 2048,    /* of one value; a title is cut, digests never come near */
    FEW = 8 /* a fact with more values than this may be spread over several entries */
};

struct writer {
    struct sp_gate *gate;               /* borrowed */
    const struct sp_revision *revision; /* borrowed; NULL for a refusal */
    struct sp_facts *facts;             /* owned: of the entry at work */
    size_t size;                        /* of its text, at most */
    bool first;
};

void sp_gate_entries_clear(struct sp_gate *g)
{
    for (size_t i = 0; i < g->entry_count; i++) {
        sp_buf_fini(&g->texts[i]);
    }
    free(g->texts);
    free(g->entries);
    g->texts = NULL;
    g->entries = NULL;
    g->entry_count = g->entry_room = 0;
}

size_t sp_gate_entries_new(const struct sp_gate *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->entry_count; i++) {
        n += g->entries[i].revision != NULL;
    }
    return n;
}

static enum sp_err make_room(struct sp_gate *g)
{
    if (g->entry_count < g->entry_room) {
        return SP_OK;
    }
    size_t room = g->entry_room ? g->entry_room * 2 : 8;
    struct sp_buf *texts = reallocarray(g->texts, room, sizeof *texts);
    if (!texts) {
        return SP_E_NOMEM;
    }
    g->texts = texts;
    struct sp_gate_entry *entries = reallocarray(g->entries, room, sizeof *entries);
    if (!entries) {
        return SP_E_NOMEM;
    }
    g->entries = entries;
    g->entry_room = room;
    return SP_OK;
}

static enum sp_err add_entry(struct writer *w)
{
    struct sp_gate *g = w->gate;
    SP_TRY(make_room(g));
    struct sp_buf *text = &g->texts[g->entry_count];
    sp_buf_init(text, SP_LIMIT_LEDGER_ENTRY);
    g->entry_count++;
    SP_TRY(sp_facts_encode(w->facts, text));
    g->entries[g->entry_count - 1] = (struct sp_gate_entry){
        .text = sp_buf_view(text), .revision = w->first ? w->revision : NULL};
    w->first = false;
    return SP_OK;
}

/* ---- what fits ------------------------------------------------------------------- */

static struct sp_view cut(struct sp_view text)
{
    if (text.len <= LONGEST_TEXT) {
        return text;
    }
    size_t n = LONGEST_TEXT;
    while (n > 0 && (text.data[n] & 0xC0) == 0x80) {
        n--; /* not inside of a character */
    }
    return sp_view_slice(text, 0, n);
}

static enum sp_err put(struct writer *w, enum sp_fact k, struct sp_fact_value v)
{
    v.bytes = cut(v.bytes);
    w->size += sp_fact_line_max(k, &v);
    return sp_facts_add(w->facts, k, &v);
}

static bool fits(const struct writer *w, enum sp_fact k, const struct sp_fact_value *v)
{
    struct sp_fact_value shown = *v;
    shown.bytes = cut(v->bytes);
    return w->size + sp_fact_line_max(k, &shown) <= ENTRY_TEXT;
}

static enum sp_err put_text(struct writer *w, enum sp_fact k, const char *text)
{
    return put(w, k, (struct sp_fact_value){.bytes = sp_view_str(text)});
}

static enum sp_err begin(struct writer *w, const char *kind)
{
    char t[SP_TIME_TEXT];
    sp_time_format(w->gate->now, t);
    sp_facts_free(&w->facts);
    w->size = 0;
    SP_TRY(sp_facts_new(ENTRY_FACTS, &w->facts));
    SP_TRY(put_text(w, SP_FACT_ENTRY_KIND, kind));
    return put_text(w, SP_FACT_ENTRY_TIME, t);
}

static enum sp_err put_first(struct writer *w, const struct sp_facts *from,
                             enum sp_fact k)
{
    struct sp_fact_value v;
    return sp_facts_get(from, k, 0, &v) ? put(w, k, v) : SP_OK;
}

static enum sp_err go_on(struct writer *w)
{
    const struct sp_facts *f = w->revision->facts;
    SP_TRY(add_entry(w));
    SP_TRY(begin(w, "claims"));
    SP_TRY(put_first(w, f, SP_FACT_UPDATE_ID));
    SP_TRY(put_first(w, f, SP_FACT_UPDATE_REVISION));
    return put_first(w, f, SP_FACT_DOCUMENT_SHA256);
}

static enum sp_err put_few(struct writer *w, const struct sp_facts *from)
{
    struct sp_fact_value v;
    for (enum sp_fact k = 0; k < SP_FACT_COUNT; k++) {
        size_t n = sp_facts_count(from, k);
        for (size_t i = 0; n <= FEW && sp_facts_get(from, k, i, &v); i++) {
            if (fits(w, k, &v)) {
                SP_TRY(put(w, k, v));
            }
        }
    }
    return SP_OK;
}

/* Facts with more than few values. A refusal keeps as much as fits; a revision goes on
 * in further entries. */
static enum sp_err put_many(struct writer *w, const struct sp_facts *from, size_t few)
{
    struct sp_fact_value v;
    for (enum sp_fact k = 0; k < SP_FACT_COUNT; k++) {
        size_t n = sp_facts_count(from, k);
        for (size_t i = 0; n > few && sp_facts_get(from, k, i, &v); i++) {
            if (!fits(w, k, &v)) {
                if (!w->revision) {
                    return SP_OK;
                }
                SP_TRY(go_on(w));
            }
            SP_TRY(put(w, k, v));
        }
    }
    return SP_OK;
}

/* ---- entries --------------------------------------------------------------------- */

static enum sp_err put_common(struct writer *w)
{
    struct sp_gate *g = w->gate;
    SP_TRY(put_text(w, SP_FACT_SERVICE, sp_service_name(g->route.service)));
    SP_TRY(put_text(w, SP_FACT_OPERATION, sp_op_text(g->op)));
    return g->link ? put_few(w, g->link) : SP_OK;
}

/* What judges of requests read besides. */
static enum sp_err put_asked(struct writer *w)
{
    static const enum sp_fact kept[] = {SP_FACT_PEER_TLS, SP_FACT_PEER_NAME};
    const struct sp_facts *asked = w->gate->asked;
    struct sp_fact_value v;
    for (size_t k = 0; asked && k < sizeof kept / sizeof kept[0]; k++) {
        for (size_t i = 0; sp_facts_get(asked, kept[k], i, &v); i++) {
            SP_TRY(put(w, kept[k], v));
        }
    }
    return SP_OK;
}

static enum sp_err put_asker(struct writer *w)
{
    struct sp_gate *g = w->gate;
    SP_TRY(put_text(w, SP_FACT_PEER_ADDRESS, g->asker.address));
    SP_TRY(put_text(w, SP_FACT_PEER_LISTENER, g->door->name));
    SP_TRY(put_text(w, SP_FACT_TRANSPORT, g->door->tls ? "tls" : "http"));
    if (g->asker.has_pin) {
        SP_TRY(put(w, SP_FACT_PEER_SPKI,
                   (struct sp_fact_value){.bytes = sp_view(g->asker.pin, 32)}));
    }
    SP_TRY(put_asked(w));
    return put_common(w);
}

static enum sp_err put_verdict(struct writer *w, const struct sp_verdict *v)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct sp_verdict all = *v;
    all.observed |= w->gate->observed; /* how it was asked for, too */
    SP_TRY(sp_facts_new(SP_KIB(64), &f));
    SP_TRY(sp_verdict_to_facts(&all, w->gate->policy, f));
    return sp_facts_merge(w->facts, f);
}

static enum sp_err claim_facts(const struct sp_revision *r, struct sp_facts *f)
{
    for (size_t i = 0; i < r->claim_count; i++) {
        char text[SP_CLAIM_TEXT];
        sp_claim_format(&r->claims[i], text);
        SP_TRY(sp_facts_text(f, SP_FACT_FILE_CLAIM, sp_view_str(text)));
    }
    return SP_OK;
}

static enum sp_err revision_entry(struct writer *w)
{
    struct sp_verdict v;
    SP_AUTO(sp_facts_free) struct sp_facts *claims = NULL;
    SP_TRY(sp_facts_new(ENTRY_FACTS, &claims));
    SP_TRY(claim_facts(w->revision, claims));
    sp_policy_judge(w->gate->policy, SP_SUBJECT_REVISION, w->revision->facts, &v);
    SP_TRY(begin(w, "revision"));
    SP_TRY(put_asker(w));
    SP_TRY(put_verdict(w, &v));
    SP_TRY(put_few(w, w->revision->facts));
    SP_TRY(put_many(w, w->revision->facts, FEW));
    SP_TRY(put_many(w, claims, 0)); /* none may be missing */
    return add_entry(w);
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

static bool same_revision(const struct sp_revision *a, const struct sp_revision *b)
{
    return a->id.number == b->id.number && sp_guid_eq(&a->id.id, &b->id.id);
}

void sp_gate_known_here(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    for (size_t first = 0; first < r->revision_count; first++) {
        const struct sp_revision *a = &r->revisions[first];
        for (size_t i = first + 1; !g->known[first].known && i < r->revision_count;
             i++) {
            if (same_revision(a, &r->revisions[i]) && is_recordable(a)) {
                g->known[i].known = true;
                memcpy(g->known[i].document_sha256, a->document_sha256, 32);
            }
        }
    }
}

/* ---- what is withheld ------------------------------------------------------------ */

/* Facts of the revision as far as they fit: it has no claims that anybody could ask
 * for.
 */
static enum sp_err withheld_entry(struct writer *w, const struct sp_facts *facts)
{
    struct sp_verdict v;
    sp_policy_judge(w->gate->policy, SP_SUBJECT_REVISION, facts, &v);
    SP_TRY(begin(w, "withheld"));
    SP_TRY(put_asker(w));
    SP_TRY(put_verdict(w, &v));
    SP_TRY(put_few(w, facts));
    SP_TRY(put_many(w, facts, FEW));
    return add_entry(w);
}

/* It was kept back under this policy, and passes now. */
static enum sp_err released_entry(struct writer *w, const struct sp_revision *r)
{
    SP_TRY(begin(w, "released"));
    SP_TRY(put_common(w));
    SP_TRY(put_text(w, SP_FACT_VERDICT_POLICY, sp_policy_name(w->gate->policy)));
    SP_TRY(put_first(w, r->facts, SP_FACT_UPDATE_ID));
    SP_TRY(put_first(w, r->facts, SP_FACT_UPDATE_REVISION));
    return add_entry(w);
}

/* Why: what clients were told otherwise than the document has it. */
static enum sp_err put_differing(struct writer *w)
{
    static const enum sp_fact kinds[] = {
        SP_FACT_FRAGMENT_DIFFERS, SP_FACT_FRAGMENT_CAME, SP_FACT_FRAGMENT_TEXT,
        SP_FACT_FRAGMENT_DOCUMENT};
    const struct sp_facts *from = w->gate->inspection.reply->facts;
    struct sp_fact_value v;
    SP_TRY(put_text(w, SP_FACT_VERDICT_RULE, sp_rule_text(SP_RULE_FRAGMENT_DERIVED)));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; sp_facts_get(from, kinds[k], i, &v); i++) {
            SP_TRY(put(w, kinds[k], v));
        }
    }
    return SP_OK;
}

/* What rules about what clients are told cut out, and how it stood there. */
static enum sp_err put_told(struct writer *w)
{
    static const enum sp_fact kinds[] = {SP_FACT_TOLD_REFUSED, SP_FACT_FRAGMENT_CAME};
    const struct sp_facts *from = w->gate->inspection.reply->facts;
    struct sp_fact_value v;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; sp_facts_get(from, kinds[k], i, &v); i++) {
            SP_TRY(put(w, kinds[k], v));
        }
    }
    return SP_OK;
}

static enum sp_err begin_edit(struct writer *w)
{
    SP_TRY(begin(w, "edit"));
    SP_TRY(put_asker(w));
    SP_TRY(put_text(w, SP_FACT_VERDICT_POLICY, sp_policy_name(w->gate->policy)));
    SP_TRY(put_first(w, w->gate->inspection.reply->facts, SP_FACT_REPLY_SHA256));
    SP_TRY(w->gate->cuts_differing ? put_differing(w) : SP_OK);
    return w->gate->told_removed ? put_told(w) : SP_OK;
}

static enum sp_err put_removed(struct writer *w, const struct sp_revision_id *id)
{
    char text[SP_REVISION_TEXT];
    sp_revision_id_format(id, text);
    struct sp_fact_value v = {.bytes = sp_view_str(text)};
    if (!fits(w, SP_FACT_EDIT_REMOVED, &v)) {
        SP_TRY(add_entry(w));
        SP_TRY(begin_edit(w));
    }
    return put(w, SP_FACT_EDIT_REMOVED, v);
}

static enum sp_err edit_entry(struct writer *w)
{
    const struct sp_gate *g = w->gate;
    const struct sp_reply *r = g->inspection.reply;
    SP_TRY(begin_edit(w));
    for (size_t i = 0; i < r->revision_count; i++) {
        if (g->taken[i]) {
            SP_TRY(put_removed(w, &r->revisions[i].id));
        }
    }
    for (size_t i = 0; i < r->listed_count; i++) {
        if (sp_gate_kept_back(g, &r->listed[i].id)) {
            SP_TRY(put_removed(w, &r->listed[i].id));
        }
    }
    for (size_t i = 0; i < g->cut_count; i++) {
        SP_TRY(put_removed(w, &g->cut[i]));
    }
    return add_entry(w);
}

/* ---- a reply that goes out ------------------------------------------------------- */

static enum sp_err entry_of(struct writer *w, size_t i)
{
    struct sp_gate *g = w->gate;
    const struct sp_revision *r = &g->inspection.reply->revisions[i];
    const struct sp_withheld *kept = sp_gate_kept_back(g, &r->id);
    if (g->taken[i]) {
        return kept ? SP_OK : withheld_entry(w, r->facts);
    }
    if (!g->known[i].known && is_recordable(r)) {
        w->revision = r;
        return revision_entry(w);
    }
    return kept && kept->why == SP_KEPT_BY_POLICY ? released_entry(w, r) : SP_OK;
}

enum sp_err sp_gate_entries_passed(struct sp_gate *g)
{
    enum sp_err e = SP_OK;
    sp_gate_entries_clear(g);
    for (size_t i = 0; e == SP_OK && i < g->inspection.reply->revision_count; i++) {
        struct writer w = {.gate = g, .first = true};
        e = entry_of(&w, i);
        sp_facts_free(&w.facts);
    }
    if (e == SP_OK && g->removed) {
        struct writer w = {.gate = g};
        e = edit_entry(&w);
        sp_facts_free(&w.facts);
    }
    return e;
}

/* The facts the refusal rests on: of the first revision that does not pass, else of the
 * reply. NULL where no reply came. */
static const struct sp_facts *refused_facts(const struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    if (!r) {
        return NULL;
    }
    for (size_t i = 0; i < r->revision_count; i++) {
        struct sp_verdict v;
        sp_policy_judge(g->policy, SP_SUBJECT_REVISION, r->revisions[i].facts, &v);
        if (v.ruling != SP_PASSED &&
            sp_rule_subject(g->verdict.rule) == SP_SUBJECT_REVISION) {
            return r->revisions[i].facts;
        }
    }
    return r->facts;
}

static enum sp_err refusal_entry(struct writer *w)
{
    struct sp_gate *g = w->gate;
    const struct sp_facts *facts = refused_facts(g);
    SP_TRY(begin(w, "refusal"));
    SP_TRY(put_asker(w));
    SP_TRY(put_verdict(w, &g->verdict));
    if (facts) {
        SP_TRY(put_few(w, facts));
        SP_TRY(put_many(w, facts, FEW));
    }
    return add_entry(w);
}

enum sp_err sp_gate_entries_refused(struct sp_gate *g)
{
    struct writer w = {.gate = g, .first = true};
    sp_gate_entries_clear(g);
    enum sp_err e = refusal_entry(&w);
    sp_facts_free(&w.facts);
    return e;
}
