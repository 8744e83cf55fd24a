#include "core/policy/private.h"

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

const char *const sp_rule_texts[SP_RULE_COUNT] = {
#define RULE(name, text, subject, help) text,
#include "core/policy/rules.def"
#undef RULE
};

const char *const sp_mode_texts[SP_MODES] = {"off", "observe", "audit", "enforce"};
const char *const sp_action_texts[SP_ACTIONS] = {"refuse", "quarantine", "withhold"};
static const char *const subject_texts[] = {"request",  "link", "reply",
                                            "revision", "file", "told"};
static const char *const ruling_texts[] = {"unproven", "passed", "refused"};

const char *sp_rule_text(enum sp_rule r)
{
    SP_ASSERT(r < SP_RULE_COUNT);
    return rules[r].text;
}

bool sp_rule_judges(enum sp_rule r, enum sp_subject s)
{
    static const enum sp_rule told[] = {
        SP_RULE_DOCUMENT_READABLE, SP_RULE_SHAPE_WSUSPECT,   SP_RULE_SHAPE_WSUSPICIOUS,
        SP_RULE_SHAPE_PYWSUS,      SP_RULE_SHAPE_WSUSPENDU,  SP_RULE_SHAPE_SHARPWSUS,
        SP_RULE_CATEGORY_REACHED,  SP_RULE_PROGRAM_IS_UPDATE};
    for (size_t i = 0; s == SP_SUBJECT_TOLD && i < sizeof told / sizeof told[0]; i++) {
        if (told[i] == r) {
            return true;
        }
    }
    return rules[r].subject == s;
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
    return sp_mode_texts[m];
}

const char *sp_subject_text(enum sp_subject s)
{
    SP_ASSERT(s <= SP_SUBJECT_TOLD);
    return subject_texts[s];
}

const char *sp_action_text(enum sp_action a)
{
    SP_ASSERT(a <= SP_ACTION_WITHHOLD);
    return sp_action_texts[a];
}

bool sp_action_fits(enum sp_rule r, enum sp_action a)
{
    enum sp_subject s = sp_rule_subject(r);
    bool apart = s == SP_SUBJECT_REVISION; /* can be taken out of what it came in */
    bool shown = r == SP_RULE_FRAGMENT_DERIVED && a == SP_ACTION_WITHHOLD; /* too */
    shown = shown || (s == SP_SUBJECT_TOLD && a == SP_ACTION_WITHHOLD);
    return a == SP_ACTION_REFUSE || apart || shown ||
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

/* ---- requests ------------------------------------------------------------------ */

struct sp_peer_lines sp_policy_peers(const struct sp_policy *p)
{
    return (struct sp_peer_lines){p->peers, p->peer_count};
}

bool sp_policy_names_peers(const struct sp_policy *p, struct sp_view service)
{
    const char *known = p->peer_count ? sp_place_service(service) : NULL;
    for (size_t i = 0; known && i < p->peer_count; i++) {
        if (!p->peers[i].service || p->peers[i].service == known) {
            return true;
        }
    }
    return false;
}

bool sp_policy_reads_names(const struct sp_policy *p)
{
    for (size_t i = 0; i < p->peer_count; i++) {
        if (p->peers[i].proof == SP_PEER_BY_NAME) {
            return true;
        }
    }
    return false;
}

/* The listener's own word counts most: it is how one of them is led to TLS in steps,
 * under whatever policy. */
static bool listener_says(enum sp_rule r, const struct sp_facts *f, enum sp_mode *out)
{
    struct sp_fact_value v;
    if (r != SP_RULE_TRANSPORT_TLS ||
        !sp_rule_one(f, SP_FACT_LISTENER_PLAIN_HTTP, &v)) {
        return false;
    }
    for (enum sp_mode m = SP_MODE_OFF; m <= SP_MODE_ENFORCE; m++) {
        if (sp_view_eq_str(v.bytes, sp_mode_texts[m])) {
            *out = m;
            return true;
        }
    }
    return false;
}

enum sp_mode sp_policy_mode_for(const struct sp_policy *p, enum sp_rule r,
                                const struct sp_facts *facts)
{
    enum sp_mode mode = p->modes[r];
    int rank = 0;
    if (sp_rule_subject(r) != SP_SUBJECT_REQUEST || listener_says(r, facts, &mode)) {
        return mode;
    }
    for (size_t i = 0; i < p->place_count; i++) {
        const struct sp_place_line *l = &p->places[i];
        if (l->rule == r && sp_place_rank(&l->place) > rank &&
            sp_place_fits(&l->place, facts)) {
            mode = l->mode;
            rank = sp_place_rank(&l->place);
        }
    }
    return mode;
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
                             sp_mode_texts[p->modes[r]],
                             sp_action_texts[p->actions[r]]));
    }
    for (size_t i = 0; i < p->place_count; i++) {
        SP_TRY(sp_buf_append_str(out, "at "));
        SP_TRY(sp_place_print(&p->places[i].place, out));
        SP_TRY(sp_buf_printf(out, " %s %s\n", rules[p->places[i].rule].text,
                             sp_mode_texts[p->places[i].mode]));
    }
    for (size_t i = 0; i < p->peer_count; i++) {
        SP_TRY(sp_peer_line_print(&p->peers[i], out));
    }
    for (size_t i = 0; i < p->publisher_count; i++) {
        SP_TRY(sp_publisher_print(&p->publishers[i], out));
    }
    return SP_OK;
}
