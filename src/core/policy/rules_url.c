/* Where metadata says that files can be had. Downstream servers may ask there, and
 * fills do where the configuration lists the host. Updates that were published locally
 * have no such address. (reference 1.7, 6.3)
 */
#include "core/policy/rules.h"

enum sp_finding sp_rule_url_names_digest(const struct sp_facts *f, struct sp_why *why)
{
    if (sp_facts_count(f, SP_FACT_UPDATE_URL_HOST) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    if (sp_facts_count(f, SP_FACT_UPDATE_URL_ODD) == 0) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "a file is said to be at %s, where a name with its "
                               "digest was expected",
                               sp_rule_say(f, SP_FACT_UPDATE_URL_ODD).text));
}

static bool ends_fold(struct sp_view v, struct sp_view tail)
{
    size_t at = v.len >= tail.len ? v.len - tail.len : v.len;
    return sp_view_eq_fold(sp_view_slice(v, at, v.len), tail);
}

/* A host without a port, or one below it where the row begins with a dot. */
static bool is_known_host(struct sp_view host)
{
    static const char *const known[] = {
        "download.windowsupdate.com",   ".windowsupdate.com",
        ".windowsupdate.microsoft.com", ".update.microsoft.com",
        "download.microsoft.com",       ".delivery.mp.microsoft.com",
        "ntservicepack.microsoft.com",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct sp_view k = sp_view_str(known[i]);
        bool below = k.data[0] == '.';
        if (below ? ends_fold(host, k) : sp_view_eq_fold(host, k)) {
            return sp_view_find(host, '@') == host.len;
        }
    }
    return false;
}

enum sp_finding sp_rule_url_host_known(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value v;
    if (sp_facts_count(f, SP_FACT_UPDATE_URL_HOST) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    for (size_t i = 0; sp_facts_get(f, SP_FACT_UPDATE_URL_HOST, i, &v); i++) {
        if (!is_known_host(v.bytes)) {
            return sp_fails(sp_why_set(
                why, SP_E_MISMATCH,
                "a file is said to be at %s, which is none of Microsoft's hosts",
                sp_rule_say_value(SP_FACT_UPDATE_URL_HOST, &v).text));
        }
    }
    return SP_HOLDS;
}
