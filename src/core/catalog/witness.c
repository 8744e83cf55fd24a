#include "core/catalog/catalog.h"

const char *sp_witness_text(enum sp_witness w)
{
    switch (w) {
    case SP_WITNESS_ABSENT:
        return "absent";
    case SP_WITNESS_APPEARS:
        return "appears";
    case SP_WITNESS_CONTRADICTS:
        return "contradicts";
    }
    return "";
}

enum sp_err sp_witness_to_facts(enum sp_witness w, const uint8_t catalog_sha256[32],
                                int64_t signed_at, struct sp_facts *facts)
{
    static const enum sp_fact said[] = {
        [SP_WITNESS_ABSENT] = SP_FACT_CATALOG_ABSENT,
        [SP_WITNESS_APPEARS] = SP_FACT_CATALOG_APPEARS,
        [SP_WITNESS_CONTRADICTS] = SP_FACT_CATALOG_CONTRADICTS,
    };
    char time[SP_TIME_TEXT];
    sp_time_format(signed_at, time);
    SP_TRY(sp_facts_flag(facts, said[w], true));
    SP_TRY(sp_facts_bytes(facts, SP_FACT_CATALOG_SHA256, sp_view(catalog_sha256, 32)));
    return sp_facts_text(facts, SP_FACT_CATALOG_SIGNED, sp_view_str(time));
}
