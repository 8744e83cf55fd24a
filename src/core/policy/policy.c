#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/policy/publisher.h"
#include "sallyport/policy.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    enum sp_subject subject;
    const char *help;
} rules[SP_RULE_COUNT] = {
#define RULE(name, text, subject, help) {text, SP_SUBJECT_##subject, help},
#include "core/policy/rules.def"
#undef RULE
};

static const char *const rule_texts[SP_RULE_COUNT] = {
#define RULE(name, text, subject, help) text,
#include "core/policy/rules.def"
#undef RULE
};

static const char *const mode_texts[] = {"off", "observe", "audit", "enforce"};
static const char *const action_texts[] = {"refuse", "quarantine", "withhold"};
static const char *const subject_texts[] = {"request", "link", "reply", "revision",
                                            "file"};
static const char *const ruling_texts[] = {"unproven", "passed", "refused"};

enum {
    MODES = sizeof mode_texts / sizeof mode_texts[0],
    ACTIONS = sizeof action_texts / sizeof action_texts[0]
};

struct sp_policy {
    char name[SP_LIMIT_POLICY_NAME + 1]; /* NUL-terminated */
    enum sp_mode modes[SP_RULE_COUNT];
    enum sp_action actions[SP_RULE_COUNT];
    struct sp_publisher publishers[SP_LIMIT_PUBLISHERS];
    size_t publisher_count;
};

const char *sp_rule_text(enum sp_rule r)
{
    SP_ASSERT(r < SP_RULE_COUNT);
    return rules[r].text;
}

const char *sp_rule_help(enum sp_rule r)
{
    SP_ASSERT(r < SP_RULE_COUNT);
    return rules[r].help;
}

enum sp_subject sp_rule_subject(enum sp_rule r)
{
    SP_ASSERT(r < SP_RULE_COUNT);
    return rules[r].subject;
}

const char *sp_mode_text(enum sp_mode m)
{
    SP_ASSERT(m <= SP_MODE_ENFORCE);
    return mode_texts[m];
}

const char *sp_subject_text(enum sp_subject s)
{
    SP_ASSERT(s <= SP_SUBJECT_FILE);
    return subject_texts[s];
}

const char *sp_action_text(enum sp_action a)
{
    SP_ASSERT(a <= SP_ACTION_WITHHOLD);
    return action_texts[a];
}

bool sp_action_fits(enum sp_subject s, enum sp_action a)
{
    bool apart = s == SP_SUBJECT_REVISION; /* can be taken out of what it came in */
    return a == SP_ACTION_REFUSE || apart ||
           (s == SP_SUBJECT_FILE && a == SP_ACTION_QUARANTINE);
}

enum sp_action sp_action_usual(enum sp_subject s)
{
    return s == SP_SUBJECT_FILE ? SP_ACTION_QUARANTINE : SP_ACTION_REFUSE;
}

const char *sp_ruling_text(enum sp_ruling r)
{
    SP_ASSERT(r <= SP_REFUSED);
    return ruling_texts[r];
}

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
    enum sp_subject subject = rules[rule].subject;
    size_t a = find_text(word, action_texts, ACTIONS);
    if (word.len == 0) {
        a = sp_action_usual(subject);
    }
    if (a == ACTIONS) {
        return no_such(r, "action", word, action_texts, ACTIONS);
    }
    if (!sp_action_fits(subject, (enum sp_action)a)) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "line %u: the rule %s is about a %s, which cannot be the "
                          "subject of \"%s\"",
                          r->line, rules[rule].text, sp_subject_text(subject),
                          action_texts[a]);
    }
    r->policy->actions[rule] = (enum sp_action)a;
    return SP_OK;
}

static enum sp_err read_rule(struct reader *r, struct sp_view word, struct sp_view mode,
                             struct sp_view action)
{
    size_t rule = find_text(word, rule_texts, SP_RULE_COUNT);
    if (rule == SP_RULE_COUNT) {
        return no_such(r, "rule", word, rule_texts, SP_RULE_COUNT);
    }
    size_t m = find_text(mode, mode_texts, MODES);
    if (m == MODES) {
        return no_such(r, "mode", mode, mode_texts, MODES);
    }
    if (r->named_at[rule]) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "line %u: the rule %s stands in line %u already", r->line,
                          rule_texts[rule], r->named_at[rule]);
    }
    r->named_at[rule] = r->line;
    r->policy->modes[rule] = (enum sp_mode)m;
    return read_action(r, (enum sp_rule)rule, action);
}

static enum sp_err read_publisher(struct reader *r, struct sp_view key,
                                  struct sp_view scope, struct sp_view id)
{
    struct sp_why why = {0};
    struct sp_policy *p = r->policy;
    if (p->publisher_count == SP_LIMIT_PUBLISHERS) {
        return sp_why_set(r->why, SP_E_LIMIT, "line %u: there may be %d publishers",
                          r->line, SP_LIMIT_PUBLISHERS);
    }
    enum sp_err e =
        sp_publisher_read(key, scope, id, &p->publishers[p->publisher_count], &why);
    if (e != SP_OK) {
        return sp_why_set(r->why, e, "line %u: %s", r->line, why.text);
    }
    p->publisher_count++;
    return SP_OK;
}

static enum sp_err read_line(struct reader *r, struct sp_view line)
{
    struct sp_view word = next_word(&line);
    struct sp_view value = next_word(&line);
    struct sp_view action = next_word(&line);
    struct sp_view more = next_word(&line);
    if (word.len == 0 || word.data[0] == '#') {
        return SP_OK;
    }
    bool is_rule = r->policy->name[0] != 0;
    bool is_publisher = is_rule && sp_view_eq_str(word, "publisher");
    if (is_publisher && next_word(&line).len == 0) {
        return read_publisher(r, value, action, more);
    }
    if (more.len || (action.len && (!is_rule || action.data[0] == '#'))) {
        return sp_why_set(r->why, SP_E_CONFIG,
                          "line %u: there is a word too many; comments have lines of "
                          "their own",
                          r->line);
    }
    return is_rule ? read_rule(r, word, value, action) : read_name(r, word, value);
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
        p->actions[rule] = sp_action_usual(rules[rule].subject);
    }
    struct reader r = {.policy = p, .why = why};
    SP_TRY(read_text(&r, text));
    *out = p;
    p = NULL;
    return SP_OK;
}

void sp_policy_free(struct sp_policy **p)
{
    free(*p);
    *p = NULL;
}

const char *sp_policy_name(const struct sp_policy *p)
{
    return p->name;
}

enum sp_mode sp_policy_mode(const struct sp_policy *p, enum sp_rule r)
{
    SP_ASSERT(r < SP_RULE_COUNT);
    return p->modes[r];
}

enum sp_action sp_policy_action(const struct sp_policy *p, enum sp_rule r)
{
    SP_ASSERT(r < SP_RULE_COUNT);
    return p->actions[r];
}

bool sp_policy_has_publisher(const struct sp_policy *p, const struct sp_facts *facts)
{
    for (size_t i = 0; i < p->publisher_count; i++) {
        if (sp_publisher_signed(&p->publishers[i], facts)) {
            return true;
        }
    }
    return false;
}

enum sp_err sp_policy_print(const struct sp_policy *p, struct sp_buf *out)
{
    SP_TRY(sp_buf_printf(out, "policy %s\n", p->name));
    for (enum sp_rule r = 0; r < SP_RULE_COUNT; r++) {
        SP_TRY(sp_buf_printf(out, "%-24s %-7s %s\n", rules[r].text,
                             mode_texts[p->modes[r]], action_texts[p->actions[r]]));
    }
    for (size_t i = 0; i < p->publisher_count; i++) {
        SP_TRY(sp_publisher_print(&p->publishers[i], out));
    }
    return SP_OK;
}
