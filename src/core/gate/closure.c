/* Closure: is what a document refers to known here? Children of bundles and
 * prerequisites that are not in the same reply are looked up beside its revisions.
 * Costs nothing where no rule of the policy asks. */
#include "core/gate/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANY = -1,        /* no RevisionNumber: any revision of the update will do */
    MOST_STATED = 16 /* of one fact: enough to say what is wrong */
};

/* Facts that refer to other updates. */
static const enum sp_fact relations[] = {
    SP_FACT_DOCUMENT_BUNDLES, SP_FACT_DOCUMENT_PREREQUISITE, SP_FACT_DOCUMENT_CATEGORY};
enum { RELATIONS = sizeof relations / sizeof relations[0] };

static bool is_wanted(const struct sp_gate *g)
{
    return sp_policy_mode(g->policy, SP_RULE_BUNDLE_KNOWN) != SP_MODE_OFF ||
           sp_policy_mode(g->policy, SP_RULE_CATEGORY_REACHED) != SP_MODE_OFF ||
           sp_policy_mode(g->policy, SP_RULE_PREREQUISITES_KNOWN) != SP_MODE_OFF;
}

static bool read_part(enum sp_fact k, const struct sp_fact_value *v,
                      struct sp_revision_id *out)
{
    *out = (struct sp_revision_id){.number = ANY};
    if (k != SP_FACT_DOCUMENT_BUNDLES) {
        memcpy(out->id.bytes, v->bytes.data, sizeof out->id.bytes);
        return true;
    }
    return sp_revision_id_parse(v->bytes, out) == SP_OK ||
           sp_guid_parse(v->bytes, &out->id) == SP_OK;
}

static int by_revision(const void *a, const void *b)
{
    return sp_revision_id_cmp(a, b);
}

/* A key without a number finds any revision of its update. */
static int by_part(const void *key, const void *row)
{
    const struct sp_revision_id *k = key;
    struct sp_revision_id r = *(const struct sp_revision_id *)row;
    if (k->number == ANY) {
        r.number = ANY;
    }
    return sp_revision_id_cmp(k, &r);
}

static bool is_here(const struct sp_gate *g, const struct sp_revision_id *part)
{
    return bsearch(part, g->here, g->inspection.reply->revision_count, sizeof *g->here,
                   by_part) != NULL;
}

/* ---- what to look up ----------------------------------------------------------- */

/* Parts of one revision, behind the ids; what is too much is not looked up, and so not
 * known. */
static void add_parts(struct sp_gate *g, const struct sp_facts *f, size_t room)
{
    size_t n = g->inspection.reply->revision_count;
    struct sp_fact_value v;
    struct sp_revision_id part;
    for (size_t r = 0; r < RELATIONS; r++) {
        for (size_t i = 0; g->part_count < room && sp_facts_get(f, relations[r], i, &v);
             i++) {
            if (read_part(relations[r], &v, &part) && !is_here(g, &part)) {
                g->ids[n + g->part_count++] = part;
            }
        }
    }
}

static size_t count_relations(const struct sp_reply *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->revision_count; i++) {
        for (size_t k = 0; k < RELATIONS; k++) {
            n += sp_facts_count(r->revisions[i].facts, relations[k]);
        }
    }
    return n;
}

/* Each once, in order. */
static void sort_parts(struct sp_gate *g)
{
    struct sp_revision_id *parts = g->ids + g->inspection.reply->revision_count;
    size_t kept = 0;
    qsort(parts, g->part_count, sizeof *parts, by_revision);
    for (size_t i = 0; i < g->part_count; i++) {
        if (kept == 0 || sp_revision_id_cmp(&parts[kept - 1], &parts[i]) != 0) {
            parts[kept++] = parts[i];
        }
    }
    g->part_count = kept < SP_LIMIT_RELATIONS ? kept : SP_LIMIT_RELATIONS;
}

enum sp_err sp_gate_list_ids(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    size_t n = r->revision_count, room = is_wanted(g) ? count_relations(r) : 0;
    g->ids = calloc(n + room + 1, sizeof *g->ids);
    g->here = calloc(n + 1, sizeof *g->here);
    if (!g->ids || !g->here) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        g->ids[i] = g->here[i] = r->revisions[i].id;
    }
    qsort(g->here, n, sizeof *g->here, by_revision);
    for (size_t i = 0; room && i < n; i++) {
        add_parts(g, r->revisions[i].facts, room);
    }
    sort_parts(g);
    return SP_OK;
}

/* ---- what is not known --------------------------------------------------------- */

/* What the ledger has of a part; NULL where it was not looked up. */
static const struct sp_gate_known *known_of(const struct sp_gate *g,
                                            const struct sp_revision_id *part)
{
    size_t n = g->inspection.reply->revision_count;
    const struct sp_revision_id *parts = g->ids + n;
    const struct sp_revision_id *found =
        bsearch(part, parts, g->part_count, sizeof *parts, by_revision);
    return found ? &g->known[n + (size_t)(found - parts)] : NULL;
}

static bool is_known(const struct sp_gate *g, const struct sp_revision_id *part)
{
    if (is_here(g, part)) {
        return true;
    }
    const struct sp_gate_known *known = known_of(g, part);
    return known && (part->number == ANY ? known->has_highest : known->known);
}

static enum sp_err state_bundle(const struct sp_gate *g, struct sp_facts *f)
{
    struct sp_fact_value v;
    struct sp_revision_id part;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_BUNDLES, i, &v) &&
                       sp_facts_count(f, SP_FACT_BUNDLE_MISSING) < MOST_STATED;
         i++) {
        if (read_part(SP_FACT_DOCUMENT_BUNDLES, &v, &part) && !is_known(g, &part)) {
            SP_TRY(sp_facts_add(f, SP_FACT_BUNDLE_MISSING, &v));
        }
    }
    return SP_OK;
}

/* The next UpdateID of a clause; false at its end. */
static bool next_alternative(struct sp_view *clause, struct sp_revision_id *out)
{
    while (clause->len) {
        size_t end = sp_view_find(*clause, ' ');
        struct sp_view word = sp_view_slice(*clause, 0, end);
        *clause = sp_view_slice(*clause, end + 1, clause->len);
        *out = (struct sp_revision_id){.number = ANY};
        if (sp_guid_parse(word, &out->id) == SP_OK) {
            return true;
        }
    }
    return false;
}

/* [MS-WUSP] 3.1.1.1: of a clause one is enough. */
static bool is_met(const struct sp_gate *g, struct sp_view clause)
{
    struct sp_revision_id part;
    while (next_alternative(&clause, &part)) {
        if (is_known(g, &part)) {
            return true;
        }
    }
    return false;
}

static enum sp_err state_prerequisites(const struct sp_gate *g, struct sp_facts *f)
{
    struct sp_fact_value v;
    struct sp_revision_id part;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_CLAUSE, i, &v); i++) {
        struct sp_view clause = is_met(g, v.bytes) ? (struct sp_view){0} : v.bytes;
        while (sp_facts_count(f, SP_FACT_PREREQUISITE_MISSING) < MOST_STATED &&
               next_alternative(&clause, &part)) {
            SP_TRY(sp_facts_bytes(f, SP_FACT_PREREQUISITE_MISSING,
                                  sp_view(part.id.bytes, sizeof part.id.bytes)));
        }
    }
    return SP_OK;
}

/* What a category is, only its own document says: in this reply, or as recorded. */
static struct sp_view category_type(const struct sp_gate *g,
                                    const struct sp_revision_id *part)
{
    const struct sp_reply *r = g->inspection.reply;
    struct sp_fact_value v;
    for (size_t i = 0; i < r->revision_count; i++) {
        if (sp_guid_eq(&r->revisions[i].id.id, &part->id) &&
            sp_facts_get(r->revisions[i].facts, SP_FACT_DOCUMENT_CATEGORY_TYPE, 0,
                         &v)) {
            return v.bytes;
        }
    }
    const struct sp_gate_known *known = known_of(g, part);
    return known ? sp_view_str(known->category) : (struct sp_view){0};
}

static enum sp_err state_categories(const struct sp_gate *g, struct sp_facts *f)
{
    struct sp_fact_value v;
    struct sp_revision_id part;
    for (size_t i = 0;
         i < MOST_STATED && sp_facts_get(f, SP_FACT_DOCUMENT_CATEGORY, i, &v); i++) {
        char id[SP_GUID_TEXT], text[SP_GUID_TEXT + SP_CATEGORY_TYPE];
        bool is_id = read_part(SP_FACT_DOCUMENT_CATEGORY, &v, &part);
        struct sp_view type = is_id ? category_type(g, &part) : (struct sp_view){0};
        if (type.len && type.len < SP_CATEGORY_TYPE) {
            sp_guid_format(&part.id, id);
            snprintf(text, sizeof text, "%s " SP_VIEW_FMT, id, SP_VIEW_ARG(type));
            SP_TRY(sp_facts_text(f, SP_FACT_CATEGORY_KIND, sp_view_str(text)));
        }
    }
    return SP_OK;
}

enum sp_err sp_gate_state_missing(struct sp_gate *g, size_t i)
{
    struct sp_facts *f = g->inspection.reply->revisions[i].facts;
    if (!is_wanted(g) || sp_facts_count(f, SP_FACT_BUNDLE_MISSING) ||
        sp_facts_count(f, SP_FACT_PREREQUISITE_MISSING)) {
        return SP_OK;
    }
    SP_TRY(state_bundle(g, f));
    SP_TRY(state_prerequisites(g, f));
    return state_categories(g, f);
}
