/* Documents as published attack programs make them. A shape is a row of traits that
 * must all be there; a rule fails when one of its shapes fits. The cheapest of all
 * rules to evade, and the one that names the attacker: what it cannot see, other rules
 * and witnesses must. (reference 6.1, 6.2) */
#include "core/policy/rules.h"

#include <string.h>

enum test { IS, STARTS, ENDS, ABSENT, PRESENT, NOT };

struct trait {
    enum test test;
    enum sp_fact fact;
    const char *text;
};

enum { TRAITS = 6 };

struct shape {
    enum sp_rule rule;
    const char *what;
    struct trait traits[TRAITS]; /* up to the first without a text */
};

#define COMMAND_NS "http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/"

#define NEVER_INSTALLED                                                                \
    {                                                                                  \
        IS, SP_FACT_DOCUMENT_CONSTANT_RULE, "IsInstalled=False"                        \
    }
#define ALWAYS_INSTALLABLE                                                             \
    {                                                                                  \
        IS, SP_FACT_DOCUMENT_CONSTANT_RULE, "IsInstallable=True"                       \
    }
#define ONE_CODE                                                                       \
    {                                                                                  \
        IS, SP_FACT_DOCUMENT_RETURN_CODE, "-1"                                         \
    }
#define CBS_HANDLER                                                                    \
    {                                                                                  \
        IS, SP_FACT_DOCUMENT_HANDLER, COMMAND_NS "Cbs"                                 \
    }

#define TOLD                                                                           \
    {                                                                                  \
        PRESENT, SP_FACT_TOLD_NUMBER, ""                                               \
    }

static const struct shape shapes[] = {
    /* a copy of the malicious software removal tool's update, but for the arguments */
    {SP_RULE_SHAPE_WSUSPECT,
     "an old removal tool with other arguments",
     {{IS, SP_FACT_DOCUMENT_RETURN_CODE, "3010"},
      {IS, SP_FACT_DOCUMENT_RETURN_CODE, "1603"},
      {IS, SP_FACT_DOCUMENT_RETURN_CODE, "-2147024894"},
      {IS, SP_FACT_DOCUMENT_MODIFIED, "2015-02-27T15:54:52Z"},
      {NOT, SP_FACT_DOCUMENT_ARGUMENTS, "/q /w"}}},
    {SP_RULE_SHAPE_WSUSPICIOUS,
     "the child that WSuspicious and PyWSUS share",
     {NEVER_INSTALLED,
      ALWAYS_INSTALLABLE,
      ONE_CODE,
      {IS, SP_FACT_DOCUMENT_MODIFIED, "2010-11-25T15:26:20.723"},
      {IS, SP_FACT_DOCUMENT_HANDLER, COMMAND_NS "CommandLineInstallation"}}},
    {SP_RULE_SHAPE_WSUSPICIOUS,
     "the bundle with a bulletin of the year 2042",
     {{IS, SP_FACT_DOCUMENT_BULLETIN, "MS42-007"},
      {ABSENT, SP_FACT_DOCUMENT_LEGACY_NAME, ""}}},
    /* of what clients are told: without the rules of the child, which come apart */
    {SP_RULE_SHAPE_WSUSPICIOUS,
     "the child that WSuspicious and PyWSUS share, as a client is told of it",
     {TOLD,
      ONE_CODE,
      {IS, SP_FACT_DOCUMENT_MODIFIED, "2010-11-25T15:26:20.723"},
      {IS, SP_FACT_DOCUMENT_HANDLER_TYPE, "#CommandLineInstallation"}}},
    {SP_RULE_SHAPE_WSUSPICIOUS,
     "the child that WSuspicious and PyWSUS share, by its rules",
     {TOLD,
      NEVER_INSTALLED,
      ALWAYS_INSTALLABLE,
      {ABSENT, SP_FACT_DOCUMENT_PREREQUISITE, ""},
      {ABSENT, SP_FACT_DOCUMENT_CATEGORY, ""}}},
    {SP_RULE_SHAPE_SHARPWSUS,
     "the child with a date of one's own, as a client is told of it",
     {TOLD, ONE_CODE, {ENDS, SP_FACT_DOCUMENT_MODIFIED, "T15:26:20.723"}}},
    {SP_RULE_SHAPE_SHARPWSUS,
     "a blank in the type of the handler's data, as a client is told of it",
     {TOLD, {IS, SP_FACT_DOCUMENT_HANDLER_TYPE, "# CommandLineInstallation"}}},
    {SP_RULE_SHAPE_PYWSUS,
     "the bundle with a bulletin of the year 2042",
     {{IS, SP_FACT_DOCUMENT_BULLETIN, "MS42-123"}}},
    {SP_RULE_SHAPE_WSUSPENDU,
     "the child of 2013",
     {CBS_HANDLER,
      NEVER_INSTALLED,
      ALWAYS_INSTALLABLE,
      ONE_CODE,
      {IS, SP_FACT_DOCUMENT_CREATED, "2013-10-08T00:03:55.912Z"},
      {IS, SP_FACT_DOCUMENT_MODIFIED, "2010-11-25T15:26:20.723"}}},
    {SP_RULE_SHAPE_WSUSPENDU,
     "the bundle with a bulletin of the year 2042",
     {{IS, SP_FACT_DOCUMENT_BULLETIN, "MS42-007"},
      {STARTS, SP_FACT_DOCUMENT_LEGACY_NAME, "KB2862335"}}},
    {SP_RULE_SHAPE_SHARPWSUS,
     "the child with a date of one's own",
     {CBS_HANDLER,
      NEVER_INSTALLED,
      ALWAYS_INSTALLABLE,
      ONE_CODE,
      {ENDS, SP_FACT_DOCUMENT_CREATED, "T00:03:55.912Z"}}},
    {SP_RULE_SHAPE_SHARPWSUS,
     "a blank in the type of the handler's data",
     {CBS_HANDLER, {ENDS, SP_FACT_DOCUMENT_HANDLER_TYPE, "# CommandLineInstallation"}}},
    {SP_RULE_SHAPE_SHARPWSUS,
     "the bundle with a bulletin of the year 2042",
     {{IS, SP_FACT_DOCUMENT_BULLETIN, "MS42-007"},
      {PRESENT, SP_FACT_DOCUMENT_LEGACY_NAME, ""}}},
};

static bool any(const struct sp_facts *f, const struct trait *t)
{
    struct sp_fact_value v;
    struct sp_view text = sp_view_str(t->text);
    for (size_t i = 0; sp_facts_get(f, t->fact, i, &v); i++) {
        bool fits = t->test == STARTS ? sp_view_starts(v.bytes, text)
                    : t->test == ENDS ? sp_view_ends(v.bytes, text)
                                      : sp_view_eq_fold(v.bytes, text);
        if (fits) {
            return true;
        }
    }
    return false;
}

static bool has_trait(const struct sp_facts *f, const struct trait *t)
{
    switch (t->test) {
    case IS:
    case STARTS:
    case ENDS:
        return any(f, t);
    case ABSENT:
        return sp_facts_count(f, t->fact) == 0;
    case PRESENT:
        return sp_facts_count(f, t->fact) > 0;
    case NOT:
        return !any(f, t);
    }
    return false;
}

static bool fits(const struct sp_facts *f, const struct shape *s)
{
    for (size_t i = 0; i < TRAITS && s->traits[i].text; i++) {
        if (!has_trait(f, &s->traits[i])) {
            return false;
        }
    }
    return true;
}

static enum sp_finding find_shape(enum sp_rule rule, const struct sp_facts *f,
                                  struct sp_why *why)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (shapes[i].rule == rule && fits(f, &shapes[i])) {
            return sp_fails(sp_why_set(
                why, SP_E_MISMATCH,
                "update %s, titled %s, has the shape of a known attack: %s",
                sp_rule_say(f, sp_facts_count(f, SP_FACT_UPDATE_ID)
                                   ? SP_FACT_UPDATE_ID
                                   : SP_FACT_TOLD_NUMBER)
                    .text,
                sp_rule_say(f, SP_FACT_DOCUMENT_TITLE).text, shapes[i].what));
        }
    }
    return SP_HOLDS;
}

enum sp_finding sp_rule_shape_wsuspect(const struct sp_facts *f, struct sp_why *why)
{
    return find_shape(SP_RULE_SHAPE_WSUSPECT, f, why);
}

enum sp_finding sp_rule_shape_wsuspicious(const struct sp_facts *f, struct sp_why *why)
{
    return find_shape(SP_RULE_SHAPE_WSUSPICIOUS, f, why);
}

enum sp_finding sp_rule_shape_pywsus(const struct sp_facts *f, struct sp_why *why)
{
    return find_shape(SP_RULE_SHAPE_PYWSUS, f, why);
}

enum sp_finding sp_rule_shape_wsuspendu(const struct sp_facts *f, struct sp_why *why)
{
    return find_shape(SP_RULE_SHAPE_WSUSPENDU, f, why);
}

enum sp_finding sp_rule_shape_sharpwsus(const struct sp_facts *f, struct sp_why *why)
{
    return find_shape(SP_RULE_SHAPE_SHARPWSUS, f, why);
}
