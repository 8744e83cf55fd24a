#include "core/custody/posture.h"

const struct sp_posture_profile sp_posture_standard = {"standard", 60, 3, 300};
const struct sp_posture_profile sp_posture_long = {"long", 1320, 30, 4320};

static const struct {
    const char *text, *help;
    bool found;
} reasons_table[] = {
#define REASON(name, text, found, help) {text, help, found},
#include "core/custody/posture.def"
#undef REASON
};

const char *sp_posture_text(enum sp_posture_state s)
{
    switch (s) {
    case SP_POSTURE_UNKNOWN:
        return "unknown";
    case SP_POSTURE_CONFORMING:
        return "conforming";
    case SP_POSTURE_FAILING:
        return "non-conforming";
    }
    SP_ASSERT(false);
    return "";
}

const char *sp_reason_text(enum sp_reason r)
{
    SP_ASSERT(r < SP_REASON_COUNT);
    return reasons_table[r].text;
}

const char *sp_reason_help(enum sp_reason r)
{
    SP_ASSERT(r < SP_REASON_COUNT);
    return reasons_table[r].help;
}

enum sp_posture_state sp_posture_of(unsigned reasons)
{
    enum sp_posture_state s = SP_POSTURE_CONFORMING;
    for (enum sp_reason r = 0; r < SP_REASON_COUNT; r++) {
        if (reasons >> r & 1) {
            if (reasons_table[r].found) {
                return SP_POSTURE_FAILING;
            }
            s = SP_POSTURE_UNKNOWN;
        }
    }
    return s;
}

unsigned sp_posture_minutes(const struct sp_posture_profile *p, unsigned wanted)
{
    unsigned n = wanted ? wanted : p->normal;
    return n < p->least ? p->least : n > p->most ? p->most : n;
}

void sp_posture_start(struct sp_posture *p, unsigned minutes, int64_t now)
{
    *p = (struct sp_posture){.state = SP_POSTURE_UNKNOWN,
                             .since = now,
                             .next = now,
                             .due = SP_LOOK_PASS,
                             .interval = (int64_t)minutes * 60};
}

void sp_posture_set_minutes(struct sp_posture *p, unsigned minutes)
{
    p->interval = (int64_t)minutes * 60;
}

enum sp_look sp_posture_tick(struct sp_posture *p, int64_t now)
{
    if (p->doing != SP_LOOK_NONE || now < p->next) {
        return SP_LOOK_NONE;
    }
    p->doing = p->due;
    return p->doing;
}

static void plan(struct sp_posture *p, enum sp_look due, int64_t at)
{
    p->doing = SP_LOOK_NONE;
    p->due = due;
    p->next = at;
}

bool sp_posture_passed(struct sp_posture *p, unsigned reasons, uint64_t seen,
                       int64_t now)
{
    SP_ASSERT(p->doing == SP_LOOK_PASS);
    enum sp_posture_state state = sp_posture_of(reasons);
    bool changed = state != p->state || reasons != p->reasons;
    p->state = state;
    p->reasons = reasons;
    p->since = changed ? now : p->since;
    p->seen = seen;
    if (p->again) {
        plan(p, SP_LOOK_PASS, now);
    } else if (state == SP_POSTURE_CONFORMING) {
        plan(p, SP_LOOK_PASS, now + p->interval);
    } else {
        plan(p, SP_LOOK_PROBE, now + SP_POSTURE_PROBE_S);
    }
    p->again = false;
    return changed;
}

void sp_posture_probed(struct sp_posture *p, uint64_t seen, int64_t now)
{
    SP_ASSERT(p->doing == SP_LOOK_PROBE);
    bool changed = seen != p->seen || p->again;
    p->seen = seen;
    p->again = false;
    plan(p, changed ? SP_LOOK_PASS : SP_LOOK_PROBE,
         changed ? now : now + SP_POSTURE_PROBE_S);
}

void sp_posture_recheck(struct sp_posture *p, int64_t now)
{
    if (p->doing != SP_LOOK_NONE) {
        p->again = true;
        return;
    }
    plan(p, SP_LOOK_PASS, now);
}
