/* Reading the text of a policy: a line at a time, each mistake with its line. */
#include "core/policy/private.h"

#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>

/* One reading of a policy: the policy as it grows, and where the reader is. */
struct reader {
    struct sp_policy *policy;         /* borrowed */
    unsigned line;                    /* counted from 1 */
    unsigned named_at[SP_RULE_COUNT]; /* line that named the rule, or 0 */
    struct sp_why *why;               /* borrowed; may be NULL */
};

static struct sp_view next_word(struct sp_view *line)
{
    *line = sp_view_trim(*line, " \t");
    size_t end = 0;
    while (end < line->len && line->data[end] != ' ' && line->data[end] != '\t') {
        end++;
    }
    struct sp_view word = sp_view_slice(*line, 0, end);
    *line = sp_view_slice(*line, end, line->len);
    return word;
}

static bool is_name(struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool inner = i > 0 && (c == '-' || c == '.' || c == '_');
        if (!word && !inner) {
            return false;
        }
    }
    return v.len > 0 && v.len <= SP_LIMIT_POLICY_NAME;
}

static enum sp_err read_name(struct reader *r, struct sp_view word, struct sp_view name)
{
    if (!sp_view_eq_str(word, "policy")) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "line %u: a policy begins with \"policy NAME\"", r->line);
    }
    if (!is_name(name)) {
        return sp_why_set(
            r->why, SP_E_CONFIG,
            "line %u: a policy's name is 1 to %d of a-z, 0-9, '-', '.' and "
            "'_', the first a letter or digit",
            r->line, SP_LIMIT_POLICY_NAME);
    }
    memcpy(r->policy->name, name.data, name.len);
    return SP_OK;
}

static size_t find_text(struct sp_view word, const char *const *texts, size_t count)
{
    size_t i = 0;
    while (i < count && !sp_view_eq_str(word, texts[i])) {
        i++;
    }
    return i;
}

/* "line 3: there is no rule "x"; did you mean "y"?" */
static enum sp_err no_such(struct reader *r, const char *what, struct sp_view word,
                           const char *const *texts, size_t count)
{
    char text[64] = "";
    struct sp_view head = sp_view_slice(word, 0, sizeof text - 1);
    if (head.len) {
        memcpy(text, head.data, head.len);
    }
    const char *near = sp_text_nearest(text, texts, count);
    return sp_why_set(r->why, SP_E_CONFIG, "line %u: there is no %s \"%s\"%s%s%s",
                      r->line, what, text, near ? "; did you mean \"" : "",
                      near ? near : "", near ? "\"?" : "");
}

static enum sp_err read_action(struct reader *r, enum sp_rule rule, struct sp_view word)
{
    enum sp_subject subject = sp_rule_subject(rule);
    size_t a = find_text(word, sp_action_texts, SP_ACTIONS);
    if (word.len == 0) {
        a = sp_action_usual(subject);
    }
    if (a == SP_ACTIONS) {
        return no_such(r, "action", word, sp_action_texts, SP_ACTIONS);
    }
    if (!sp_action_fits(rule, (enum sp_action)a)) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "line %u: the rule %s is about a %s, which cannot be the "
                          "subject of \"%s\"",
                          r->line, sp_rule_text(rule), sp_subject_text(subject),
                          sp_action_texts[a]);
    }
    r->policy->actions[rule] = (enum sp_action)a;
    return SP_OK;
}

static enum sp_err find_rule(struct reader *r, struct sp_view word, enum sp_rule *out)
{
    size_t rule = find_text(word, sp_rule_texts, SP_RULE_COUNT);
    if (rule == SP_RULE_COUNT) {
        return no_such(r, "rule", word, sp_rule_texts, SP_RULE_COUNT);
    }
    *out = (enum sp_rule)rule;
    return SP_OK;
}

static enum sp_err find_mode(struct reader *r, struct sp_view word, enum sp_mode *out)
{
    size_t mode = find_text(word, sp_mode_texts, SP_MODES);
    if (mode == SP_MODES) {
        return no_such(r, "mode", word, sp_mode_texts, SP_MODES);
    }
    *out = (enum sp_mode)mode;
    return SP_OK;
}

static enum sp_err read_rule(struct reader *r, struct sp_view word, struct sp_view mode,
                             struct sp_view action)
{
    enum sp_rule rule = SP_RULE_COUNT;
    enum sp_mode m = SP_MODE_OFF;
    SP_TRY(find_rule(r, word, &rule));
    SP_TRY(find_mode(r, mode, &m));
    if (r->named_at[rule]) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "line %u: the rule %s stands in line %u already", r->line,
                          sp_rule_texts[rule], r->named_at[rule]);
    }
    r->named_at[rule] = r->line;
    r->policy->modes[rule] = m;
    return read_action(r, rule, action);
}

/* ---- lines that name more than a rule ------------------------------------------- */

static enum sp_err too_many(struct reader *r, int most, const char *what)
{
    return sp_why_set(r->why, SP_E_LIMIT, "line %u: there may be %d %s", r->line, most,
                      what);
}

static enum sp_err with_line(struct reader *r, enum sp_err e, const struct sp_why *why)
{
    return e == SP_OK ? e : sp_why_set(r->why, e, "line %u: %s", r->line, why->text);
}

static enum sp_err read_publisher(struct reader *r, const struct sp_view words[])
{
    struct sp_why why = {0};
    struct sp_policy *p = r->policy;
    if (p->publisher_count == SP_LIMIT_PUBLISHERS) {
        return too_many(r, SP_LIMIT_PUBLISHERS, "publishers");
    }
    enum sp_err e = sp_publisher_read(words[1], words[2], words[3],
                                      &p->publishers[p->publisher_count], &why);
    p->publisher_count += e == SP_OK;
    return with_line(r, e, &why);
}

static enum sp_err read_peer(struct reader *r, const struct sp_view words[])
{
    struct sp_why why = {0};
    struct sp_policy *p = r->policy;
    if (p->peer_count == SP_LIMIT_PEER_LINES) {
        return too_many(r, SP_LIMIT_PEER_LINES, "lines about peers");
    }
    enum sp_err e =
        sp_peer_line_read(words[1], words[2], words[3], &p->peers[p->peer_count], &why);
    p->peer_count += e == SP_OK;
    return with_line(r, e, &why);
}

static enum sp_err check_place(struct reader *r, const struct sp_place_line *l)
{
    const struct sp_policy *p = r->policy;
    if (sp_rule_subject(l->rule) != SP_SUBJECT_REQUEST) {
        return sp_why_set(
            r->why, SP_E_CONFIG,
            "line %u: only rules about a request have modes of one place; "
            "%s is about a %s",
            r->line, sp_rule_text(l->rule), sp_subject_text(sp_rule_subject(l->rule)));
    }
    for (size_t i = 0; i < p->place_count; i++) {
        if (p->places[i].rule == l->rule &&
            sp_place_eq(&p->places[i].place, &l->place)) {
            return sp_why_set(r->why, SP_E_CONFIG,
                              "line %u: the rule %s has a mode at this place already",
                              r->line, sp_rule_text(l->rule));
        }
    }
    return SP_OK;
}

static enum sp_err read_place(struct reader *r, const struct sp_view words[])
{
    struct sp_why why = {0};
    struct sp_place_line l = {0};
    struct sp_policy *p = r->policy;
    if (p->place_count == SP_LIMIT_PLACE_LINES) {
        return too_many(r, SP_LIMIT_PLACE_LINES, "modes of one place");
    }
    SP_TRY(with_line(r, sp_place_read(words[1], &l.place, &why), &why));
    SP_TRY(find_rule(r, words[2], &l.rule));
    SP_TRY(find_mode(r, words[3], &l.mode));
    SP_TRY(check_place(r, &l));
    p->places[p->place_count++] = l;
    return SP_OK;
}

enum { WORDS = 5 }; /* one more than any line has */

static const struct {
    const char *word;
    enum sp_err (*read)(struct reader *r, const struct sp_view words[]);
} others[] = {{"publisher", read_publisher}, {"peer", read_peer}, {"at", read_place}};

static enum sp_err read_line(struct reader *r, struct sp_view line)
{
    struct sp_view words[WORDS];
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = next_word(&line);
    }
    if (words[0].len == 0 || words[0].data[0] == '#') {
        return SP_OK;
    }
    bool is_rule = r->policy->name[0] != 0;
    for (size_t i = 0; is_rule && i < sizeof others / sizeof others[0]; i++) {
        if (sp_view_eq_str(words[0], others[i].word) && words[4].len == 0) {
            return others[i].read(r, words);
        }
    }
    if (words[3].len || (words[2].len && (!is_rule || words[2].data[0] == '#'))) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "line %u: there is a word too many; comments have lines of "
                          "their own",
                          r->line);
    }
    return is_rule ? read_rule(r, words[0], words[1], words[2])
                   : read_name(r, words[0], words[1]);
}

static enum sp_err read_text(struct reader *r, struct sp_view text)
{
    if (text.len > SP_LIMIT_POLICY) {
        return sp_why_set(r->why, SP_E_LIMIT, "the policy is longer than %zu bytes",
                          SP_LIMIT_POLICY);
    }
    while (text.len) {
        size_t end = sp_view_find(text, '\n');
        r->line++;
        SP_TRY(read_line(r, sp_view_slice(text, 0, end)));
        text = sp_view_slice(text, end + 1, text.len);
    }
    if (!r->policy->name[0]) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "the policy is empty; it begins with \"policy NAME\"");
    }
    return SP_OK;
}

enum sp_err sp_policy_parse(struct sp_view text, struct sp_policy **out,
                            struct sp_why *why)
{
    SP_AUTO(sp_policy_free) struct sp_policy *p = calloc(1, sizeof *p);
    if (!p) {
        return SP_E_NOMEM;
    }
    for (enum sp_rule rule = 0; rule < SP_RULE_COUNT; rule++) {
        p->actions[rule] = sp_action_usual(sp_rule_subject(rule));
    }
    struct reader r = {.policy = p, .why = why};
    SP_TRY(read_text(&r, text));
    *out = p;
    p = NULL;
    return SP_OK;
}
