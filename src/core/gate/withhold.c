/* Withholding: what must not go out is cut out of the reply, and everything else goes
 * out byte for byte. Three things bring a revision here: a rule refuses it and the
 * policy says withhold or quarantine; it is in quarantine; or a reply lists what is
 * kept back. */
#include "core/gate/private.h"

#include <stdlib.h>
#include <string.h>

enum sp_err sp_gate_withheld(struct sp_gate *g, const struct sp_withheld *list,
                             size_t count)
{
    struct sp_withheld *copy = NULL;
    if (count) {
        copy = calloc(count, sizeof *copy);
        if (!copy) {
            return SP_E_NOMEM;
        }
        memcpy(copy, list, count * sizeof *copy);
    }
    free(g->withheld);
    g->withheld = copy;
    g->withheld_count = count;
    return SP_OK;
}

static int by_id(const void *key, const void *row)
{
    return sp_revision_id_cmp(key, &((const struct sp_withheld *)row)->id);
}

const struct sp_withheld *sp_gate_kept_back(const struct sp_gate *g,
                                            const struct sp_revision_id *id)
{
    return g->withheld_count
               ? bsearch(id, g->withheld, g->withheld_count, sizeof *g->withheld, by_id)
               : NULL;
}

/* ---- bundles ------------------------------------------------------------------- */

/* What comes in this very reply was judged afresh; of the rest the ledger tells. */
static bool goes_out(const struct sp_gate *g, const struct sp_revision_id *id)
{
    const struct sp_reply *r = g->inspection.reply;
    for (size_t i = 0; i < r->revision_count; i++) {
        if (sp_revision_id_cmp(&r->revisions[i].id, id) == 0) {
            return !g->taken[i];
        }
    }
    return !sp_gate_kept_back(g, id);
}

enum sp_err sp_gate_state_bundle(struct sp_gate *g, size_t i, bool *news)
{
    struct sp_facts *f = g->inspection.reply->revisions[i].facts;
    size_t before = sp_facts_count(f, SP_FACT_BUNDLE_WITHHELD);
    struct sp_fact_value v;
    struct sp_revision_id part;
    for (size_t n = 0; sp_facts_get(f, SP_FACT_DOCUMENT_BUNDLES, n, &v); n++) {
        if (sp_revision_id_parse(v.bytes, &part) == SP_OK && !goes_out(g, &part)) {
            char text[SP_REVISION_TEXT];
            sp_revision_id_format(&part, text);
            SP_TRY(sp_facts_text(f, SP_FACT_BUNDLE_WITHHELD, sp_view_str(text)));
        }
    }
    *news = sp_facts_count(f, SP_FACT_BUNDLE_WITHHELD) > before;
    return SP_OK;
}

/* ---- cutting out --------------------------------------------------------------- */

static enum sp_err cut(struct sp_gate *g, struct sp_place place)
{
    return sp_splices_add(&g->edits, place.from, place.to, (struct sp_view){0});
}

static bool names_file(const struct sp_revision *r, const uint8_t sha1[20])
{
    for (size_t i = 0; i < r->claim_count; i++) {
        if (memcmp(r->claims[i].sha1, sha1, 20) == 0) {
            return true;
        }
    }
    return false;
}

/* Files of revisions that are taken out and of none that goes out. */
static bool is_orphaned(const struct sp_gate *g, const uint8_t sha1[20])
{
    const struct sp_reply *r = g->inspection.reply;
    bool named = false;
    for (size_t i = 0; i < r->revision_count; i++) {
        if (!names_file(&r->revisions[i], sha1)) {
            continue;
        }
        if (!g->taken[i]) {
            return false;
        }
        named = true;
    }
    return named;
}

static enum sp_err cut_revisions(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    for (size_t i = 0; i < r->revision_count; i++) {
        if (g->taken[i]) {
            SP_TRY(cut(g, r->revisions[i].place));
            g->removed++;
        }
    }
    for (size_t i = 0; g->removed && i < r->url_count; i++) {
        if (is_orphaned(g, r->urls[i].sha1)) {
            SP_TRY(cut(g, r->urls[i].place));
        }
    }
    return SP_OK;
}

static enum sp_err cut_listed(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    for (size_t i = 0; g->withheld_count && i < r->listed_count; i++) {
        if (sp_gate_kept_back(g, &r->listed[i].id)) {
            SP_TRY(cut(g, r->listed[i].place));
            g->removed++;
        }
    }
    return SP_OK;
}

enum sp_err sp_gate_take_out(struct sp_gate *g)
{
    g->removed = 0;
    SP_TRY(cut_revisions(g));
    SP_TRY(sp_gate_take_out_shown(g));
    return cut_listed(g);
}
