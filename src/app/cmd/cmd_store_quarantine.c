/* sallyport store quarantine: the evidence, seen, released or removed. */
#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/cmd/store_ask.h"
#include "app/cmd/store_release.h"
#include "app/config/trust_files.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the daemon ever keeps; what somebody put there besides counts too. */
enum { EVIDENCE_MAX = 4096, NAME_MAX_BYTES = 256 };

/* By name, which is by time. Numbers are places here, from 1. */
struct evidence {
    struct item {
        char name[NAME_MAX_BYTES];
        uint64_t size;
    } * at; /* owned */
    size_t count;
};

static void evidence_fini(struct evidence *v)
{
    free(v->at);
}

static enum sp_err keep(void *ctx, const struct sp_evidence_seen *seen)
{
    struct evidence *v = ctx;
    if (v->count == EVIDENCE_MAX) {
        return SP_E_LIMIT;
    }
    struct item *item = &v->at[v->count++];
    item->size = seen->size;
    snprintf(item->name, sizeof item->name, "%s", seen->name);
    return SP_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static enum sp_err read_evidence(struct sp_store_ask *a, struct evidence *v)
{
    v->at = calloc(EVIDENCE_MAX, sizeof *v->at);
    if (!v->at) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_evidence_scan(a->objects, keep, v));
    qsort(v->at, v->count, sizeof *v->at, by_name);
    return SP_OK;
}

/* ---- list ------------------------------------------------------------------------ */

static enum sp_err print_evidence(struct sp_store_ask *a)
{
    SP_AUTO(evidence_fini) struct evidence v = {0};
    SP_TRY(read_evidence(a, &v));
    for (size_t i = 0; i < v.count; i++) {
        printf("%4zu  %12ju  %s\n", i + 1, v.at[i].size, v.at[i].name);
    }
    return SP_OK;
}

int sp_cmd_store_quarantine_list(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 0, SP_STORE_LOOKS);
    status = status ? status : sp_store_open_view(&a);
    return sp_store_finish(&a, status ? SP_OK : print_evidence(&a), status);
}

/* ---- purge ----------------------------------------------------------------------- */

static enum sp_err purge_one(struct sp_store_ask *a, const struct item *item,
                             struct sp_store_sum *sum)
{
    enum sp_err e = a->dry ? SP_OK : sp_evidence_remove(a->objects, item->name);
    if (e == SP_E_NOTFOUND) {
        return SP_OK; /* pruned by the daemon meanwhile */
    }
    SP_TRY(e);
    printf("%12ju  %s\n", item->size, item->name);
    sum->files++;
    sum->bytes += item->size;
    return SP_OK;
}

static enum sp_err purge(struct sp_store_ask *a)
{
    SP_AUTO(evidence_fini) struct evidence v = {0};
    struct sp_store_sum sum = {0};
    struct sp_bar bar;
    SP_TRY(read_evidence(a, &v));
    sp_bar_init(&bar, a->dry ? _("looked at") : _("removed"), v.count);
    enum sp_err e = SP_OK;
    for (size_t i = 0; e == SP_OK && i < v.count; i++) {
        e = purge_one(a, &v.at[i], &sum);
        sp_bar_at(&bar, i + 1);
    }
    sp_bar_end(&bar);
    SP_TRY(e);
    printf(_("%s %ju files, %ju bytes\n"), a->dry ? _("would remove") : _("removed"),
           sum.files, sum.bytes);
    return SP_OK;
}

int sp_cmd_store_quarantine_purge(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 0, SP_STORE_REMOVES);
    status = status ? status : sp_store_open_view(&a);
    return sp_store_finish(&a, status ? SP_OK : purge(&a), status);
}

/* ---- release --------------------------------------------------------------------- */

static int print_released(const struct sp_store_ask *a, const struct sp_released *r)
{
    bool passed = r->verdict.ruling == SP_PASSED;
    sp_store_print_digest(r->sha256);
    if (!passed) {
        printf(_("  stays: %s%s%s\n"),
               r->verdict.ruling == SP_REFUSED ? sp_rule_text(r->verdict.rule)
                                               : _("no rule looked at it"),
               r->verdict.why.text[0] ? ": " : "", r->verdict.why.text);
    } else if (a->dry) {
        printf(_("  would be released; entry %ju says what it must be\n"), r->about);
    } else {
        printf(_("  released, ledger entry %ju\n"), r->entry);
    }
    return passed ? SP_EXIT_PASSED : SP_EXIT_REFUSED;
}

static enum sp_err release(struct sp_store_ask *a, int *status)
{
    SP_AUTO(evidence_fini) struct evidence v = {0};
    SP_AUTO(sp_policy_free) struct sp_policy *policy = NULL;
    SP_AUTO(sp_trust_free) struct sp_trust *trust = NULL;
    struct sp_released released = {0};
    uint64_t n = 0;
    if (sp_u64_parse(sp_view_str(a->words[0]), EVIDENCE_MAX, &n) != SP_OK) {
        return sp_why_set(
            &a->why, SP_E_USAGE,
            _("N is a number as `sallyport store quarantine list` shows it"));
    }
    if (!a->reason || !a->reason[0]) {
        return sp_why_set(&a->why, SP_E_USAGE,
                          _("a release needs --reason TEXT; it goes into the ledger"));
    }
    SP_TRY(read_evidence(a, &v));
    if (n == 0 || n > v.count) {
        return sp_why_set(&a->why, SP_E_NOTFOUND, _("there is no evidence %ju"), n);
    }
    SP_TRY(sp_policy_load(a->config->policy, &policy, &a->why));
    SP_TRY(sp_trust_load_config(a->config, &trust, &a->why));
    struct sp_release r = {.objects = a->objects,
                           .state_dir = a->config->state_dir,
                           .policy = policy,
                           .trust = trust,
                           .evidence = v.at[n - 1].name,
                           .reason = a->reason,
                           .dry = a->dry};
    SP_TRY(sp_release(&r, &released, &a->why));
    *status = print_released(a, &released);
    return SP_OK;
}

int sp_cmd_store_quarantine_release(int argc, char **argv)
{
    struct sp_store_ask a = {0};
    int status = sp_store_options(&a, argc, argv, 1, SP_STORE_OVERRULES);
    status = status ? status : sp_store_open_alone(&a);
    enum sp_err e = status ? SP_OK : release(&a, &status);
    return sp_store_finish(&a, e, status);
}
