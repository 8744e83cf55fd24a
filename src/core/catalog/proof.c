#include "core/catalog/proof.h"

#include "core/base/text.h"
#include "sallyport/policy.h"

static enum sp_err judge_signatures(const struct sp_facts *facts,
                                    struct sp_verdict *verdict)
{
    SP_AUTO(sp_policy_free) struct sp_policy *policy = NULL;
    SP_TRY(sp_policy_parse(SP_VIEW("policy catalogue\n"
                                   "file-signed enforce\n"
                                   "file-signature-strict enforce\n"
                                   "file-type-agrees enforce\n"
                                   "file-digest-strong enforce\n"),
                           &policy, NULL));
    sp_policy_judge(policy, SP_SUBJECT_FILE, facts, verdict);
    return SP_OK;
}

static bool is_cabinet(const struct sp_facts *facts)
{
    struct sp_fact_value format;
    return sp_facts_get(facts, SP_FACT_SIGN_FORMAT, 0, &format) &&
           sp_view_eq(format.bytes, SP_VIEW("cab"));
}

/* The earliest time, provided that every signature has one and all are trusted. */
static bool find_time(const struct sp_facts *facts, int64_t *out)
{
    struct sp_fact_value v;
    bool any = false;
    if (!sp_facts_has_flag(facts, SP_FACT_SIGN_TIME_TRUSTED)) {
        return false;
    }
    for (size_t i = 0; sp_facts_get(facts, SP_FACT_SIGN_TIME, i, &v); i++) {
        int64_t at;
        if (sp_time_parse(v.bytes, &at) != SP_OK) {
            return false;
        }
        *out = any && *out < at ? *out : at;
        any = true;
    }
    return any;
}

static bool refuse(struct sp_catalog_ruling *r, const char *sentence)
{
    sp_why_say(&r->why, "%s", sentence);
    return false;
}

static bool is_in_time(struct sp_catalog_ruling *r, int64_t now, int64_t last)
{
    char mine[SP_TIME_TEXT], other[SP_TIME_TEXT];
    sp_time_format(r->signed_at, mine);
    if (r->signed_at > now + SP_CATALOG_CLOCK_SKEW) {
        sp_why_say(&r->why, "it was signed at %s, which is in the future", mine);
        return false;
    }
    if (r->signed_at < last) {
        sp_time_format(last, other);
        sp_why_say(&r->why,
                   "it was signed at %s and is older than the one in force (%s)", mine,
                   other);
        return false;
    }
    return true;
}

static bool holds(const struct sp_facts *facts, const struct sp_verdict *verdict,
                  int64_t now, int64_t last, struct sp_catalog_ruling *r)
{
    if (!is_cabinet(facts)) {
        return refuse(r, "it is no cabinet");
    }
    if (verdict->ruling != SP_PASSED) {
        return refuse(r, verdict->why.text[0] ? verdict->why.text
                                              : "nothing is known of its signature");
    }
    if (!find_time(facts, &r->signed_at)) {
        return refuse(r, "it has no time stamp of a trusted authority");
    }
    return is_in_time(r, now, last);
}

enum sp_err sp_catalog_judge(const struct sp_facts *facts, int64_t now,
                             int64_t last_signed_at, struct sp_catalog_ruling *out)
{
    struct sp_verdict verdict;
    struct sp_catalog_ruling r = {0};
    SP_TRY(judge_signatures(facts, &verdict));
    r.good = holds(facts, &verdict, now, last_signed_at, &r);
    *out = r;
    return SP_OK;
}
