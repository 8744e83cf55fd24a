/* What a program calls itself, whatever the file is called. */
#include "core/policy/rules.h"

static bool is_tool(enum sp_fact k, struct sp_view v)
{
    return k == SP_FACT_VERSION_PRODUCT ? sp_view_starts(v, SP_VIEW("Sysinternals "))
                                        : sp_rule_is_tool(v);
}

/* threats 6.3: tools that are signed well are run with arguments of somebody's own. */
enum sp_finding sp_rule_file_not_tool(const struct sp_facts *f, struct sp_why *why)
{
    static const enum sp_fact named[] = {SP_FACT_VERSION_ORIGINAL_NAME,
                                         SP_FACT_VERSION_INTERNAL_NAME,
                                         SP_FACT_VERSION_PRODUCT};
    enum sp_finding found = SP_DOES_NOT_APPLY;
    struct sp_fact_value v;
    for (size_t n = 0; n < sizeof named / sizeof named[0]; n++) {
        for (size_t i = 0; sp_facts_get(f, named[n], i, &v); i++) {
            found = SP_HOLDS;
            if (is_tool(named[n], v.bytes)) {
                return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                           "the program calls itself %s; that is a "
                                           "tool and never an update",
                                           sp_rule_say_value(named[n], &v).text));
            }
        }
    }
    return found;
}
