/* Fragments for clients at the gate: what custody says of them becomes facts of the
 * reply. Of a fragment that differs both digests are kept, and how it began. What
 * differs is cut out of its page where the policy withholds it, and so is what the
 * policy keeps back anyway; everything else goes out byte for byte. */
#include "core/gate/private.h"

#include "core/crypto/crypto.h"
#include "core/wsus/fragment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAME_MAX = 2048, DIFFERENCES = 8 /* of a reply that are told */ };

static enum sp_err put_hex(struct sp_buf *b, const uint8_t sha256[32])
{
    for (size_t i = 0; i < 32; i++) {
        SP_TRY(sp_buf_printf(b, "%02x", sha256[i]));
    }
    return SP_OK;
}

static enum sp_err describe(const struct sp_shown *s, struct sp_buf *b)
{
    char id[SP_REVISION_TEXT];
    sp_revision_id_format(&s->id, id);
    if (!s->is_readable) {
        return sp_buf_printf(b, "a text for %s that cannot be read", id);
    }
    SP_TRY(sp_buf_printf(b, "%s of %s: came ", sp_derived_text(s->kind), id));
    SP_TRY(put_hex(b, s->parts.sha256[s->kind]));
    SP_TRY(sp_buf_append_str(b, ", derived "));
    return s->has_derived ? put_hex(b, s->derived)
                          : sp_buf_append_str(b, "for no language");
}

/* As it stood in the reply; cut between characters. */
static struct sp_view beginning(struct sp_view text)
{
    size_t n = text.len < CAME_MAX ? text.len : CAME_MAX;
    while (n < text.len && n > 0 && (text.data[n] & 0xC0) == 0x80) {
        n--;
    }
    return sp_view_slice(text, 0, n);
}

static enum sp_err state_difference(struct sp_gate *g, const struct sp_shown *s)
{
    struct sp_facts *f = g->inspection.reply->facts;
    struct sp_buf text;
    sp_buf_init(&text, SP_KIB(1));
    enum sp_err e = describe(s, &text);
    if (e == SP_OK) {
        e = sp_facts_text(f, SP_FACT_FRAGMENT_DIFFERS, sp_buf_view(&text));
    }
    sp_buf_fini(&text);
    SP_TRY(e);
    struct sp_view came = sp_view_slice(sp_gate_text(g), s->place.from, s->place.to);
    uint8_t sha256[32];
    sp_sha256(came, sha256);
    SP_TRY(sp_facts_bytes(f, SP_FACT_FRAGMENT_TEXT, sp_view(sha256, 32)));
    SP_TRY(
        sp_facts_bytes(f, SP_FACT_FRAGMENT_DOCUMENT, sp_view(s->document_sha256, 32)));
    /* a reply that could be read is UTF-8 */
    return came.len ? sp_facts_text(f, SP_FACT_FRAGMENT_CAME, beginning(came)) : SP_OK;
}

bool sp_gate_difference(const struct sp_gate *g, size_t i,
                        struct sp_gate_difference *out)
{
    const struct sp_reply *r = g->inspection.reply;
    size_t found = 0;
    for (size_t n = 0; r && i < DIFFERENCES && n < r->fragment_count; n++) {
        const struct sp_shown *s = &r->fragments[n];
        if (s->says == SP_SHOWN_DIFFERS && found++ == i) {
            *out = (struct sp_gate_difference){
                .id = s->id,
                .text = sp_view_slice(sp_gate_text(g), s->place.from, s->place.to)};
            memcpy(out->document_sha256, s->document_sha256, 32);
            return true;
        }
    }
    return false;
}

enum sp_err sp_gate_state_shown(struct sp_gate *g)
{
    struct sp_reply *r = g->inspection.reply;
    int64_t agree = 0, unknown = 0, differ = 0;
    for (size_t i = 0; i < r->fragment_count; i++) {
        const struct sp_shown *s = &r->fragments[i];
        agree += s->says == SP_SHOWN_AGREES;
        unknown += s->says == SP_SHOWN_UNKNOWN;
        if (s->says == SP_SHOWN_DIFFERS && differ++ < DIFFERENCES) {
            SP_TRY(state_difference(g, s));
        }
    }
    if (r->fragment_count == 0) {
        return SP_OK;
    }
    SP_TRY(sp_facts_int(r->facts, SP_FACT_FRAGMENT_UNKNOWN, unknown));
    return agree ? sp_facts_int(r->facts, SP_FACT_FRAGMENT_AGREE, agree) : SP_OK;
}

/* ---- judging --------------------------------------------------------------------- */

/* What is not derived from a document in custody is judged by itself. */
static bool is_strange(const struct sp_shown *s)
{
    return s->told && s->says == SP_SHOWN_UNKNOWN;
}

static enum sp_err state_refused(struct sp_gate *g, const struct sp_shown *s,
                                 const struct sp_verdict *v)
{
    char text[SP_WHY_MAX + 64];
    snprintf(text, sizeof text, "%" PRId32 ": %s: %s", s->number, sp_rule_text(v->rule),
             v->why.text);
    struct sp_view came =
        beginning(sp_view_slice(sp_gate_text(g), s->place.from, s->place.to));
    struct sp_facts *f = g->inspection.reply->facts;
    SP_TRY(sp_facts_text(f, SP_FACT_TOLD_REFUSED, sp_view_str(text)));
    return came.len ? sp_facts_text(f, SP_FACT_FRAGMENT_CAME, came) : SP_OK;
}

enum sp_err sp_gate_judge_told(struct sp_gate *g, struct sp_verdict *worst)
{
    struct sp_reply *r = g->inspection.reply;
    *worst = (struct sp_verdict){.ruling = SP_PASSED};
    for (size_t i = 0; i < r->fragment_count; i++) {
        struct sp_shown *s = &r->fragments[i];
        struct sp_verdict v;
        s->is_refused = false;
        if (!is_strange(s)) {
            continue;
        }
        sp_policy_judge(g->policy, SP_SUBJECT_TOLD, s->told, &v);
        worst->observed |= v.observed;
        worst->audited |= v.audited;
        s->is_refused = v.ruling == SP_REFUSED;
        if (s->is_refused &&
            sp_facts_count(r->facts, SP_FACT_TOLD_REFUSED) < DIFFERENCES) {
            SP_TRY(state_refused(g, s, &v));
        }
        if (s->is_refused && v.action == SP_ACTION_REFUSE &&
            worst->ruling != SP_REFUSED) {
            worst->ruling = SP_REFUSED;
            worst->rule = v.rule;
            worst->action = v.action;
            worst->why = v.why;
        }
    }
    return SP_OK;
}

/* ---- cutting out what was refused ------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Numbers of what was refused, sorted; *out is the caller's. */
static enum sp_err list_refused(const struct sp_reply *r, int32_t **out, size_t *count)
{
    *count = 0;
    *out = calloc(r->fragment_count, sizeof **out);
    if (!*out) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < r->fragment_count; i++) {
        if (r->fragments[i].is_refused) {
            (*out)[(*count)++] = r->fragments[i].number;
        }
    }
    qsort(*out, *count, sizeof **out, by_number);
    return SP_OK;
}

/* All that is told of a number goes with what was refused of it. */
static enum sp_err take_out_refused(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    int32_t *refused = NULL;
    size_t count = 0;
    SP_TRY(list_refused(r, &refused, &count));
    g->told_removed = 0;
    enum sp_err e = SP_OK;
    for (size_t i = 0; count && e == SP_OK && i < r->fragment_count; i++) {
        struct sp_shown *s = &r->fragments[i];
        s->is_refused = s->says == SP_SHOWN_UNKNOWN &&
                        bsearch(&s->number, refused, count, sizeof *refused, by_number);
        if (s->is_refused) {
            g->told_removed++;
            e = sp_splices_add(&g->edits, s->whole.from, s->whole.to,
                               (struct sp_view){0});
        }
    }
    free(refused);
    g->removed += g->told_removed;
    return e;
}

/* ---- cutting out ----------------------------------------------------------------- */

bool sp_gate_cuts_shown(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    size_t differ = 0;
    for (size_t i = 0; i < r->fragment_count; i++) {
        differ += r->fragments[i].says == SP_SHOWN_DIFFERS;
    }
    g->cuts_differing = g->verdict.ruling == SP_REFUSED &&
                        g->verdict.rule == SP_RULE_FRAGMENT_DERIVED &&
                        g->verdict.action == SP_ACTION_WITHHOLD &&
                        differ <= SP_LIMIT_DIFFERING;
    return g->cuts_differing;
}

static int by_id(const void *a, const void *b)
{
    return sp_revision_id_cmp(a, b);
}

static bool is_taken(const struct sp_gate *g, const struct sp_shown *s)
{
    bool differs = s->says == SP_SHOWN_DIFFERS || s->needs_differing;
    return s->has_id && (s->is_kept_back || (g->cuts_differing && differs));
}

/* Sorted, each once. */
static enum sp_err list_cut(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    size_t n = 0, unique = 0;
    g->cut = calloc(r->fragment_count, sizeof *g->cut);
    if (!g->cut) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < r->fragment_count; i++) {
        if (is_taken(g, &r->fragments[i])) {
            g->cut[n++] = r->fragments[i].id;
        }
    }
    qsort(g->cut, n, sizeof *g->cut, by_id);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || sp_revision_id_cmp(&g->cut[i], &g->cut[unique - 1]) != 0) {
            g->cut[unique++] = g->cut[i];
        }
    }
    g->cut_count = unique;
    return SP_OK;
}

/* An update may stand in a page more than once, a kind of fragment each. */
enum sp_err sp_gate_take_out_shown(struct sp_gate *g)
{
    const struct sp_reply *r = g->inspection.reply;
    free(g->cut);
    g->cut = NULL;
    g->cut_count = 0;
    if (r->fragment_count == 0) {
        return SP_OK;
    }
    SP_TRY(take_out_refused(g));
    SP_TRY(list_cut(g));
    for (size_t i = 0; g->cut_count && i < r->fragment_count; i++) {
        const struct sp_shown *s = &r->fragments[i];
        if (!s->is_refused && s->has_id &&
            bsearch(&s->id, g->cut, g->cut_count, sizeof *g->cut, by_id)) {
            SP_TRY(sp_splices_add(&g->edits, s->whole.from, s->whole.to,
                                  (struct sp_view){0}));
        }
    }
    g->removed += g->cut_count;
    return SP_OK;
}
