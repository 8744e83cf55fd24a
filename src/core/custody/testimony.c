#include "core/custody/testimony.h"

#include <stdio.h>

const char *sp_testimony_text(enum sp_testimony t)
{
    switch (t) {
    case SP_TESTIMONY_AGREES:
        return "agrees";
    case SP_TESTIMONY_CONTRADICTS:
        return "contradicts";
    case SP_TESTIMONY_MISSING:
        return "does-not-know";
    case SP_TESTIMONY_COUNT:
        break;
    }
    return "";
}

static bool is_summed(const struct sp_facts *f)
{
    return sp_facts_count(f, SP_FACT_WITNESS_AGREE) > 0;
}

enum sp_err sp_testimony_say(struct sp_facts *f, const char *witness,
                             enum sp_testimony t)
{
    char text[128];
    if (is_summed(f)) {
        return SP_OK;
    }
    snprintf(text, sizeof text, "%.64s %s", witness, sp_testimony_text(t));
    return sp_facts_text(f, SP_FACT_WITNESS_SAID, sp_view_str(text));
}

/* What stands behind the name. */
static bool says(struct sp_view said, enum sp_testimony t)
{
    size_t blank = sp_view_find(said, ' ');
    return sp_view_eq_str(sp_view_slice(said, blank + 1, said.len),
                          sp_testimony_text(t));
}

static int64_t count_of(const struct sp_facts *f, enum sp_testimony t)
{
    struct sp_fact_value v;
    int64_t n = 0;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_WITNESS_SAID, i, &v); i++) {
        n += says(v.bytes, t);
    }
    return n;
}

enum sp_err sp_testimony_sum(struct sp_facts *f)
{
    static const enum sp_fact counts[SP_TESTIMONY_COUNT] = {
        [SP_TESTIMONY_AGREES] = SP_FACT_WITNESS_AGREE,
        [SP_TESTIMONY_CONTRADICTS] = SP_FACT_WITNESS_CONTRADICT,
        [SP_TESTIMONY_MISSING] = SP_FACT_WITNESS_MISSING,
    };
    if (is_summed(f) || sp_facts_count(f, SP_FACT_WITNESS_SAID) == 0) {
        return SP_OK;
    }
    for (enum sp_testimony t = 0; t < SP_TESTIMONY_COUNT; t++) {
        SP_TRY(sp_facts_int(f, counts[t], count_of(f, t)));
    }
    return SP_OK;
}
