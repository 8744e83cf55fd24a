/* Witnesses that other threads speak for, a ledger and a second upstream, asked one
 * after the other while the gate looks up what is known. The rest testified when the
 * reply was inspected. Nobody waits for a network: the watch says what it knows. */
#include "app/serve/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody is a witness for itself. */
static bool is_asked_here(const struct visit *v, const struct sp_config_witness *w)
{
    return (w->kind == SP_WITNESS_LEDGER || w->kind == SP_WITNESS_UPSTREAM) &&
           w->upstream != v->door->upstream;
}

static enum sp_err take_said(struct visit *v, const struct sp_tier_ask *q)
{
    const struct sp_config_witness *w = &v->world->config->witnesses[v->witness];
    bool is_ledger = w->kind == SP_WITNESS_LEDGER;
    bool is_good = is_ledger && q->followed && strcmp(q->state, "good") == 0;
    struct sp_gate_said *said = calloc(q->count, sizeof *said);
    if (!said) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < q->count; i++) {
        said[i].asked = is_ledger ? is_good : q->said[i].asked;
        said[i].known = q->said[i].known;
        memcpy(said[i].document_sha256, q->said[i].document_sha256, 32);
    }
    enum sp_err e = sp_gate_witness(v->gate, w->name, said);
    free(said);
    return e;
}

static void ask_next(struct visit *v);

static void on_answer(struct sp_tier_ask *q)
{
    struct visit *v = VISIT_OF(q, tier);
    if (!sp_visit_came_back(v)) {
        return;
    }
    enum sp_err e = take_said(v, q);
    if (e != SP_OK) {
        sp_visit_witnessed(v, e);
        return;
    }
    v->witness++;
    ask_next(v);
}

static void ask(struct visit *v, const struct sp_config_witness *w)
{
    const struct sp_config *c = v->world->config;
    bool is_ledger = w->kind == SP_WITNESS_LEDGER;
    size_t own = v->ask.count - v->asked_parts;
    free(v->said);
    v->said = calloc(own, sizeof *v->said);
    if (!v->said) {
        sp_visit_witnessed(v, SP_E_NOMEM);
        return;
    }
    v->tier = (struct sp_tier_ask){.ids = v->ask.ids,
                                   .count = own,
                                   .revisions = v->asked_revisions,
                                   .said = v->said,
                                   .loop = v->lane->loop,
                                   .answer = on_answer};
    snprintf(v->tier.upstream, sizeof v->tier.upstream, "%s",
             is_ledger ? c->upstreams[w->upstream].name : w->name);
    snprintf(v->tier.served_by, sizeof v->tier.served_by, "%s",
             c->upstreams[v->door->upstream].name);
    v->busy = true;
    if (is_ledger) {
        sp_watch_ask_tier(v->lane->watch, &v->tier);
    } else {
        sp_watch_ask_second(v->lane->watch, &v->tier);
    }
}

static void ask_next(struct visit *v)
{
    const struct sp_config *c = v->world->config;
    for (; v->ask.count > v->asked_parts && v->witness < c->witness_count;
         v->witness++) {
        if (is_asked_here(v, &c->witnesses[v->witness])) {
            ask(v, &c->witnesses[v->witness]);
            return;
        }
    }
    sp_visit_witnessed(v, SP_OK);
}

void sp_visit_ask_witnesses(struct visit *v)
{
    v->witness = 0;
    ask_next(v);
}
