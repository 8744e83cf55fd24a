/* policy check, explain, diff: what a policy says, without a daemon. */
#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "sallyport/policy.h"

#include <stdio.h>
#include <string.h>

static int words_of(int argc, char **argv, int least, int most, const char *what,
                    char ***words)
{
    int left = sp_options(argc, argv, NULL, 0, words);
    if (left >= least && left <= most) {
        return left;
    }
    if (left >= 0) {
        fprintf(stderr, _("sallyport: %s expected; see --help\n"), what);
    }
    return -1;
}

enum sp_err sp_policy_load(const char *file, struct sp_policy **out, struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_why inner = {0};
    sp_buf_init(&text, SP_LIMIT_POLICY + 1);
    SP_TRY(sp_file_read(file, &text, why));
    enum sp_err e = sp_policy_parse(sp_buf_view(&text), out, &inner);
    return e == SP_OK ? e : sp_why_set(why, e, "%s: %s", file, sp_why_text(&inner, e));
}

/* ---- check --------------------------------------------------------------------- */

static void print_counts(const char *file, const struct sp_policy *p)
{
    unsigned counts[SP_MODE_ENFORCE + 1] = {0};
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        counts[sp_policy_mode(p, r)]++;
    }
    printf(
        _("%s: good: policy %s, %u rules enforced, %u in audit, %u observed, %u off\n"),
        file, sp_policy_name(p), counts[SP_MODE_ENFORCE], counts[SP_MODE_AUDIT],
        counts[SP_MODE_OBSERVE], counts[SP_MODE_OFF]);
}

/* A policy that does not look at a subject leaves it unproven, which passes nothing. */
static bool looks_at(const struct sp_policy *p, enum sp_subject s)
{
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (sp_rule_subject(r) == s && sp_policy_mode(p, r) != SP_MODE_OFF) {
            return true;
        }
    }
    return false;
}

int sp_cmd_policy_check(int argc, char **argv)
{
    SP_AUTO(sp_policy_free) struct sp_policy *p = NULL;
    struct sp_why why = {0};
    char **words = NULL;
    if (words_of(argc, argv, 1, 1, _("the file of one policy"), &words) < 0) {
        return SP_EXIT_USAGE;
    }
    enum sp_err e = sp_policy_load(words[0], &p, &why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    print_counts(words[0], p);
    for (enum sp_subject s = SP_SUBJECT_LINK; s <= SP_SUBJECT_FILE; s++) {
        if (!looks_at(p, s)) {
            printf(_("note: no rule looks at a %s, so none will pass\n"),
                   sp_subject_text(s));
        }
    }
    return 0;
}

/* ---- explain ------------------------------------------------------------------- */

static void print_actions(enum sp_rule r)
{
    const char *between = "";
    for (enum sp_action a = SP_ACTION_REFUSE; a <= SP_ACTION_WITHHOLD; a++) {
        if (sp_action_fits(r, a)) {
            printf("%s%s%s", between, sp_action_text(a),
                   a == sp_action_usual(sp_rule_subject(r)) ? _(" (usual)") : "");
            between = ", ";
        }
    }
    printf("\n");
}

static void print_rule(enum sp_rule r)
{
    printf(_("%s\n  holds when: %s\n  is about:   one %s\n  actions:    "),
           sp_rule_text(r), sp_say(sp_rule_help(r)),
           sp_subject_text(sp_rule_subject(r)));
    print_actions(r);
}

static int no_such_rule(const char *word)
{
    const char *names[SP_RULE_COUNT];
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        names[r] = sp_rule_text(r);
    }
    const char *near = sp_text_nearest(word, names, SP_RULE_COUNT);
    if (near) {
        fprintf(stderr, _("sallyport: there is no rule \"%s\"; did you mean \"%s\"?\n"),
                word, near);
    } else {
        fprintf(stderr, _("sallyport: there is no rule \"%s\"\n"), word);
    }
    return SP_EXIT_USAGE;
}

int sp_cmd_policy_explain(int argc, char **argv)
{
    char **words = NULL;
    int left = words_of(argc, argv, 0, 1, _("the name of a rule, or nothing,"), &words);
    if (left < 0) {
        return SP_EXIT_USAGE;
    }
    bool found = false;
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (left == 0 || strcmp(words[0], sp_rule_text(r)) == 0) {
            print_rule(r);
            found = true;
        }
    }
    return found ? 0 : no_such_rule(words[0]);
}

/* ---- diff ---------------------------------------------------------------------- */

static void print_setting(const struct sp_policy *p, enum sp_rule r)
{
    enum sp_mode mode = sp_policy_mode(p, r);
    printf("%s", sp_mode_text(mode));
    if (mode == SP_MODE_ENFORCE) {
        printf(" %s", sp_action_text(sp_policy_action(p, r)));
    }
}

/* What is done matters only where it is done. */
static bool differs(const struct sp_policy *a, const struct sp_policy *b,
                    enum sp_rule r)
{
    enum sp_mode mode = sp_policy_mode(a, r);
    return mode != sp_policy_mode(b, r) ||
           (mode == SP_MODE_ENFORCE &&
            sp_policy_action(a, r) != sp_policy_action(b, r));
}

static int strength(const struct sp_policy *p, enum sp_rule r)
{
    int mode = (int)sp_policy_mode(p, r);
    bool enforced = mode == SP_MODE_ENFORCE;
    return 4 * mode + (enforced ? 3 - (int)sp_policy_action(p, r) : 0);
}

static bool print_differences(const struct sp_policy *a, const struct sp_policy *b)
{
    bool any = false;
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        if (!differs(a, b, r)) {
            continue;
        }
        printf("%-24s ", sp_rule_text(r));
        print_setting(a, r);
        printf(" -> ");
        print_setting(b, r);
        printf("  (%s)\n",
               strength(b, r) > strength(a, r) ? _("stricter") : _("looser"));
        any = true;
    }
    return any;
}

/* ---- lines of the canonical text that are no rule's ---- */

static const struct {
    const char *word, *gone, *come;
} kinds[] = {{"at ", N_("gone"), N_("new")},
             {"peer ", N_("gone"), N_("new")},
             {"publisher ", N_("gone: stricter"), N_("new: looser")}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static struct sp_view next_line(struct sp_view *text, const char *word)
{
    while (text->len > 0) {
        size_t end = sp_view_find(*text, '\n');
        struct sp_view line = sp_view_slice(*text, 0, end);
        *text = sp_view_slice(*text, end + 1, text->len);
        if (sp_view_starts(line, sp_view_str(word))) {
            return line;
        }
    }
    return (struct sp_view){0};
}

static bool has_line(struct sp_view text, const char *word, struct sp_view wanted)
{
    struct sp_view line;
    while ((line = next_line(&text, word)).len > 0) {
        if (sp_view_eq(line, wanted)) {
            return true;
        }
    }
    return false;
}

/* The lines that one has and the other has not. */
static bool print_missing(struct sp_view from, struct sp_view in, const char *word,
                          const char *what)
{
    bool any = false;
    struct sp_view line;
    while ((line = next_line(&from, word)).len > 0) {
        if (!has_line(in, word, line)) {
            printf(SP_VIEW_FMT "  (%s)\n", SP_VIEW_ARG(line), sp_say(what));
            any = true;
        }
    }
    return any;
}

static enum sp_err print_lines(const struct sp_policy *a, const struct sp_policy *b,
                               bool *any)
{
    SP_AUTO(sp_buf_fini) struct sp_buf old, new;
    sp_buf_init(&old, 2 * SP_LIMIT_POLICY);
    sp_buf_init(&new, 2 * SP_LIMIT_POLICY);
    SP_TRY(sp_policy_print(a, &old));
    SP_TRY(sp_policy_print(b, &new));
    for (size_t k = 0; k < KINDS; k++) {
        const char *word = kinds[k].word;
        struct sp_view one = sp_buf_view(&old), two = sp_buf_view(&new);
        bool gone = print_missing(one, two, word, kinds[k].gone);
        bool come = print_missing(two, one, word, kinds[k].come);
        *any = *any || gone || come;
    }
    return SP_OK;
}

int sp_cmd_policy_diff(int argc, char **argv)
{
    SP_AUTO(sp_policy_free) struct sp_policy *a = NULL;
    SP_AUTO(sp_policy_free) struct sp_policy *b = NULL;
    struct sp_why why = {0};
    char **words = NULL;
    if (words_of(argc, argv, 2, 2, _("the files of two policies are"), &words) < 0) {
        return SP_EXIT_USAGE;
    }
    enum sp_err e = sp_policy_load(words[0], &a, &why);
    if (e == SP_OK) {
        e = sp_policy_load(words[1], &b, &why);
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    bool any = print_differences(a, b);
    e = print_lines(a, b, &any);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    if (!any) {
        printf(_("%s and %s demand the same\n"), sp_policy_name(a), sp_policy_name(b));
        return 0;
    }
    return SP_EXIT_REFUSED;
}
