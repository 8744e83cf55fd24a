/* judge: what would another policy have made of the history of the ledger? */
#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "app/proof/rejudge.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 100 };

struct ask {
    const char *config, *dir, *policy_file, *by;
    bool all;
    uint64_t shown;
    char *state_dir;          /* owned */
    struct sp_policy *policy; /* owned */
};

/* ---- saying it ----------------------------------------------------------------- */

static void print_subject(const struct sp_rejudged *j)
{
    struct sp_fact_value id, number, text;
    if (sp_facts_get(j->facts, SP_FACT_UPDATE_ID, 0, &id) &&
        sp_facts_get(j->facts, SP_FACT_UPDATE_REVISION, 0, &number)) {
        struct sp_guid guid;
        char name[SP_GUID_TEXT];
        memcpy(guid.bytes, id.bytes.data, sizeof guid.bytes);
        sp_guid_format(&guid, name);
        printf(" %s.%jd", name, number.number);
    }
    if (sp_facts_get(j->facts, SP_FACT_FILE_PATH, 0, &text) ||
        sp_facts_get(j->facts, SP_FACT_DOCUMENT_TITLE, 0, &text)) {
        printf(" " SP_VIEW_FMT, SP_VIEW_ARG(text.bytes));
    }
}

static void print_change(void *ctx, const struct sp_rejudged *j)
{
    struct ask *a = ctx;
    if (!a->all && a->shown++ >= SHOWN) {
        return;
    }
    printf("%6ju  %s", j->entry, sp_subject_text(j->subject));
    print_subject(j);
    printf(_(": was %s, would be %s"), sp_outcome_text(j->was),
           sp_outcome_text(j->now));
    if (j->verdict->ruling == SP_REFUSED) {
        printf(_(" by %s: %s"), sp_rule_text(j->verdict->rule), j->verdict->why.text);
    }
    printf("\n");
}

struct heading {
    const char *text;
    int columns; /* as sp_terminal_pad has it */
};

static void print_headings(const struct heading *headings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sp_terminal_pad(sp_say(headings[i].text), headings[i].columns);
    }
    printf("\n");
}

static void print_rules(const struct sp_rejudge *r)
{
    static const struct heading headings[] = {
        {N_("rule"), 25}, {N_("mode"), 8}, {N_("failed"), -11}, {N_("decided"), -11}};
    print_headings(headings, 4);
    for (enum sp_rule rule = 0; rule < SP_RULE_COUNT; rule++) {
        if (r->rules[rule].failed) {
            printf("%-24s %-8s %10ju %10ju\n", sp_rule_text(rule),
                   sp_mode_text(sp_policy_mode(r->policy, rule)), r->rules[rule].failed,
                   r->rules[rule].decided);
        }
    }
}

static void print_peers(const struct sp_rejudge *r)
{
    static const struct heading headings[] = {{N_("peer"), 40},
                                              {N_("entries"), -11},
                                              {N_("failed"), -11},
                                              {N_("blocked"), -11}};
    print_headings(headings, 4);
    for (size_t i = 0; i < r->peer_count; i++) {
        const struct sp_peer_tally *p = &r->peers[i];
        sp_terminal_pad(p->peer[0] ? p->peer : _("not named"), 40);
        printf(" %10ju %10ju %10ju\n", p->looked_at, p->failed, p->blocked);
    }
}

static void print_summary(const struct ask *a, const struct sp_rejudge *r)
{
    if (!a->by && !a->all && a->shown > SHOWN) {
        printf(_("... and %ju more; --all shows them\n"), a->shown - SHOWN);
    }
    printf(_("%s: of %ju entries %ju hold a verdict; %ju would pass, %ju be withheld, "
             "%ju be refused; %ju would change\n"),
           sp_policy_name(r->policy), r->entries, r->looked_at,
           r->now[SP_OUTCOME_PASSED], r->now[SP_OUTCOME_WITHHELD],
           r->now[SP_OUTCOME_REFUSED], r->changes);
}

/* ---- doing it ------------------------------------------------------------------ */

static int usage(const char *what)
{
    fprintf(stderr, _("sallyport: %s; see --help\n"), what);
    return SP_EXIT_USAGE;
}

static int read_words(int argc, char **argv, struct ask *a)
{
    const struct sp_option options[] = {
        {"-c", &a->config, NULL},
        {"-d", &a->dir, NULL},
        {"--policy", &a->policy_file, NULL},
        {"--by", &a->by, NULL},
        {"--all", NULL, &a->all},
    };
    char **words = NULL;
    int left = sp_options(argc, argv, options, 5, &words);
    if (left != 0) {
        return left < 0 ? SP_EXIT_USAGE : usage(_("there is a word too many"));
    }
    if (!a->policy_file) {
        return usage(_("--policy FILE is needed"));
    }
    if (a->by && strcmp(a->by, "rule") != 0 && strcmp(a->by, "peer") != 0) {
        return usage(_("--by takes rule or peer"));
    }
    return 0;
}

static enum sp_err find_state(struct ask *a, struct sp_why *why)
{
    struct sp_config *config = NULL;
    if (!a->dir) {
        SP_TRY(sp_config_load(a->config ? a->config : SP_CONFIG_DEFAULT, &config, why));
    }
    a->state_dir = strdup(a->dir ? a->dir : config->state_dir);
    sp_config_free(&config);
    return a->state_dir ? SP_OK : SP_E_NOMEM;
}

static enum sp_err judge(struct ask *a, struct sp_rejudge *r, struct sp_why *why)
{
    struct sp_ledger_files *l = NULL;
    SP_TRY(find_state(a, why));
    SP_TRY(sp_policy_load(a->policy_file, &a->policy, why));
    SP_TRY(sp_ledger_open_view(a->state_dir, &l, why));
    r->policy = a->policy;
    r->changed = a->by ? NULL : print_change;
    r->ctx = a;
    enum sp_err e = sp_rejudge(r, l, why);
    sp_ledger_close(&l);
    return e;
}

int sp_cmd_judge(int argc, char **argv)
{
    struct ask a = {0};
    struct sp_why why = {0};
    int status = read_words(argc, argv, &a);
    struct sp_rejudge *r = status == 0 ? calloc(1, sizeof *r) : NULL;
    if (status == 0) {
        enum sp_err e = r ? judge(&a, r, &why) : SP_E_NOMEM;
        status =
            e == SP_OK ? (r->changes ? SP_EXIT_REFUSED : 0) : sp_cmd_failed(e, &why);
    }
    if (status == 0 || status == SP_EXIT_REFUSED) {
        if (a.by) {
            (strcmp(a.by, "rule") == 0 ? print_rules : print_peers)(r);
        }
        print_summary(&a, r);
    }
    sp_policy_free(&a.policy);
    free(a.state_dir);
    free(r);
    return status;
}
