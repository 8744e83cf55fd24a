/* What one exchange asks the ledger and those who follow others', and records in it. */
#include "app/serve/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything that is known of the revisions; tier NULL: nobody was asked. */
static void tell_known(struct visit *v, enum sp_err e, const struct sp_gate_tier *tier)
{
    struct sp_ask_revisions *q = &v->ask;
    struct sp_step step;
    size_t own = q->count - v->asked_parts;
    struct sp_gate_known *known = calloc(q->count + 1, sizeof *known);
    if (!known) {
        e = SP_E_NOMEM;
    }
    for (size_t i = 0; e == SP_OK && i < q->count; i++) {
        known[i].known = q->known[i].known;
        known[i].has_highest = q->known[i].has_highest;
        known[i].highest = q->known[i].highest;
        memcpy(known[i].category, q->known[i].category, sizeof known[i].category);
        memcpy(known[i].document_sha256, q->known[i].document_sha256, 32);
        known[i].tier = tier;
        if (tier && i < own) {
            known[i].in_tier = v->said[i].known;
            known[i].tier_entry = v->said[i].entry;
            known[i].tier_cosigned = v->said[i].cosigned;
            memcpy(known[i].tier_document_sha256, v->said[i].document_sha256, 32);
        }
    }
    sp_gate_known(v->gate, e, known, &step);
    free(known);
    sp_visit_perform(v, &step);
}

static const struct sp_config_upstream *upstream_of(const struct visit *v)
{
    return &v->world->config->upstreams[v->door->upstream];
}

static void tier_answer(struct sp_tier_ask *q)
{
    struct visit *v = VISIT_OF(q, tier);
    struct sp_gate_tier tier = {.required = q->required,
                                .origin = q->origin,
                                .state = q->state,
                                .why = q->why.text,
                                .size = q->size,
                                .cosigned_wanted = q->cosigned_wanted};
    if (!q->followed) { /* it should be, and what is not known is not proven */
        tier = (struct sp_gate_tier){.required = upstream_of(v)->custody_required,
                                     .origin = q->upstream,
                                     .state = "silent",
                                     .why = "it is not followed"};
    }
    if (sp_visit_came_back(v)) {
        tell_known(v, SP_OK, &tier);
    }
}

static void ask_tier(struct visit *v)
{
    free(v->said);
    size_t own = v->ask.count - v->asked_parts;
    v->said = calloc(own, sizeof *v->said);
    if (!v->said) {
        tell_known(v, SP_E_NOMEM, NULL);
        return;
    }
    v->tier = (struct sp_tier_ask){.ids = v->ask.ids,
                                   .count = own,
                                   .said = v->said,
                                   .loop = v->lane->loop,
                                   .answer = tier_answer};
    snprintf(v->tier.upstream, sizeof v->tier.upstream, "%s", upstream_of(v)->name);
    v->busy = true;
    sp_watch_ask_tier(v->lane->watch, &v->tier);
}

void sp_visit_witnessed(struct visit *v, enum sp_err e)
{
    if (e == SP_OK && v->ask.count > v->asked_parts && upstream_of(v)->custody) {
        ask_tier(v);
    } else {
        tell_known(v, e, NULL);
    }
}

static void revisions_answer(struct sp_ask_revisions *q, enum sp_err e)
{
    struct visit *v = VISIT_OF(q, ask);
    if (!v->exchange) {
        free(q->withheld);
    }
    if (!sp_visit_came_back(v)) {
        return;
    }
    if (e == SP_OK) {
        e = sp_gate_withheld(v->gate, q->withheld, q->withheld_count);
    }
    free(q->withheld);
    q->withheld = NULL;
    if (e == SP_OK) {
        sp_visit_ask_witnesses(v);
    } else {
        tell_known(v, e, NULL);
    }
}

void sp_visit_ask_revisions(struct visit *v, const struct sp_effect *e)
{
    free(v->known);
    size_t all = e->ask.count + e->ask.parts;
    v->known = calloc(all + 1, sizeof *v->known);
    v->asked_parts = e->ask.parts;
    v->asked_revisions = e->ask.revisions;
    if (!v->known) {
        sp_visit_out_of_memory(v);
        return;
    }
    v->ask = (struct sp_ask_revisions){.ids = e->ask.ids,
                                       .count = all,
                                       .parts = e->ask.parts,
                                       .known = v->known,
                                       .policy = e->ask.policy,
                                       .loop = v->lane->loop,
                                       .answer = revisions_answer};
    v->busy = true;
    sp_keeper_ask_revisions(v->lane->keeper, &v->ask);
}

static void files_answer(struct sp_ask_files *q, enum sp_err e)
{
    struct visit *v = VISIT_OF(q, files);
    struct sp_step step;
    if (!sp_visit_came_back(v)) {
        return;
    }
    for (size_t i = 0; e == SP_OK && i < q->count; i++) {
        v->asked_files[i].in_custody = q->files[i].in_custody;
    }
    sp_gate_files(v->gate, e, &step);
    sp_visit_perform(v, &step);
}

void sp_visit_ask_files(struct visit *v, const struct sp_effect *e)
{
    v->files = (struct sp_ask_files){
        .files = calloc(e->files.count + 1, sizeof *v->files.files),
        .count = e->files.count,
        .upstream = upstream_of(v)->name,
        .policy = e->files.policy,
        .shown = e->files.shown,
        .shown_count = e->files.shown_count,
        .loop = v->lane->loop,
        .answer = files_answer};
    if (!v->files.files) {
        sp_visit_out_of_memory(v);
        return;
    }
    for (size_t i = 0; i < e->files.count; i++) {
        memcpy(v->files.files[i].sha1, e->files.at[i].sha1, 20);
    }
    v->asked_files = e->files.at;
    v->busy = true;
    sp_keeper_ask_files(v->lane->keeper, &v->files);
}

static void record_answer(struct sp_record *r, enum sp_err e)
{
    struct visit *v = VISIT_OF(r, record);
    struct sp_step step;
    if (sp_visit_came_back(v)) {
        sp_gate_recorded(v->gate, e, &r->why, r->first, &step);
        sp_visit_perform(v, &step);
    }
}

static bool is_refusal(const struct sp_effect *e)
{
    return e->record.count == 1 && !e->record.entries[0].revision;
}

static void leave_unrecorded(struct visit *v)
{
    struct sp_step step;
    SP_COUNT(&v->lane->counters, refused_unrecorded, 1);
    sp_gate_recorded(v->gate, SP_E_LIMIT, NULL, 0, &step);
    sp_visit_perform(v, &step);
}

static void keep_differences(struct visit *v)
{
    struct sp_gate_difference d;
    for (size_t i = 0; sp_gate_difference(v->gate, i, &d); i++) {
        sp_watch_keep_difference(v->lane->watch, upstream_of(v)->name, &d.id,
                                 d.document_sha256, d.text);
    }
}

void sp_visit_record(struct visit *v, const struct sp_effect *e)
{
    size_t n = e->record.count;
    if (is_refusal(e) &&
        !sp_rate_take(&v->lane->refusals, sp_loop_now_ms(v->lane->loop))) {
        leave_unrecorded(v);
        return;
    }
    keep_differences(v);
    free(v->entries);
    free(v->revisions);
    v->entries = calloc(n, sizeof *v->entries);
    v->revisions = calloc(n, sizeof *v->revisions);
    if (!v->entries || !v->revisions) {
        sp_visit_out_of_memory(v);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sp_revision *r = e->record.entries[i].revision;
        v->entries[i].text = e->record.entries[i].text;
        if (r) {
            v->revisions[i] = (struct sp_record_revision){
                .id = r->id, .claims = r->claims, .claim_count = r->claim_count};
            memcpy(v->revisions[i].document_sha256, r->document_sha256, 32);
            v->entries[i].revision = &v->revisions[i];
        }
    }
    v->record = (struct sp_record){.entries = v->entries,
                                   .count = n,
                                   .loop = v->lane->loop,
                                   .answer = record_answer};
    v->busy = true;
    sp_keeper_record(v->lane->keeper, &v->record);
}

/* Metadata that goes out says where else its files are: for fills of an upstream that
 * has content sources. */
static enum sp_err gather_hints(struct visit *v, struct sp_hints **h)
{
    const struct sp_fill_conf *fill = &v->world->fills[v->door->upstream];
    struct sp_source source;
    size_t count = 0;
    const struct sp_file_url *urls = sp_gate_urls(v->gate, &count);
    for (size_t i = 0; i < count; i++) {
        if (sp_source_read(urls[i].url, urls[i].sha1, &fill->sources, &source) !=
            SP_OK) {
            continue;
        }
        if (!*h) {
            SP_TRY(sp_hints_new(h));
        }
        SP_TRY(sp_hints_add(*h, urls[i].sha1, urls[i].url));
    }
    return SP_OK;
}

void sp_visit_keep_hints(struct visit *v)
{
    struct sp_hints *h = NULL;
    if (gather_hints(v, &h) == SP_OK && h) {
        sp_keeper_hint(v->lane->keeper, &h);
    }
    sp_hints_free(&h);
}
