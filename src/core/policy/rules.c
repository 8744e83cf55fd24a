#include "core/policy/rules.h"

#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What fits of v, written over the NUL at len. */
static size_t put(struct sp_said *said, size_t len, const char *v)
{
    size_t room = sizeof said->text - len;
    int n = snprintf(said->text + len, room, "%s", v);
    return n < 0 || (size_t)n >= room ? sizeof said->text - 1 : len + (size_t)n;
}

static void value_text(enum sp_fact k, const struct sp_fact_value *v, char *text,
                       size_t cap)
{
    struct sp_guid g;
    char guid[SP_GUID_TEXT];
    switch (sp_fact_kind(k)) {
    case SP_FACT_KIND_TEXT:
        snprintf(text, cap, "\"" SP_VIEW_FMT "\"",
                 SP_VIEW_ARG(sp_view_slice(v->bytes, 0, cap - 3)));
        return;
    case SP_FACT_KIND_INT:
        snprintf(text, cap, "%" PRId64, v->number);
        return;
    case SP_FACT_KIND_FLAG:
        snprintf(text, cap, "%s", v->number ? "true" : "false");
        return;
    case SP_FACT_KIND_DIGEST:
        text[0] = 0;
        for (size_t i = 0; i < v->bytes.len && 2 * i + 3 <= cap; i++) {
            snprintf(text + 2 * i, 3, "%02x", v->bytes.data[i]);
        }
        return;
    case SP_FACT_KIND_GUID:
        memcpy(g.bytes, v->bytes.data, sizeof g.bytes);
        sp_guid_format(&g, guid);
        snprintf(text, cap, "%s", guid);
        return;
    }
}

struct sp_said sp_rule_say_value(enum sp_fact k, const struct sp_fact_value *v)
{
    struct sp_said said = {""};
    value_text(k, v, said.text, sizeof said.text);
    return said;
}

struct sp_said sp_rule_say(const struct sp_facts *f, enum sp_fact k)
{
    struct sp_said said = {"nothing"};
    struct sp_fact_value v;
    size_t len = 0;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        len = put(&said, len, i ? ", " : "");
        len = put(&said, len, sp_rule_say_value(k, &v).text);
    }
    return said;
}

bool sp_rule_one(const struct sp_facts *f, enum sp_fact k, struct sp_fact_value *out)
{
    return sp_facts_count(f, k) == 1 && sp_facts_get(f, k, 0, out);
}

bool sp_rule_has(const struct sp_facts *f, enum sp_fact k,
                 const struct sp_fact_value *v)
{
    struct sp_fact_value other;
    for (size_t i = 0; sp_facts_get(f, k, i, &other); i++) {
        if (other.number == v->number && sp_view_eq(other.bytes, v->bytes)) {
            return true;
        }
    }
    return false;
}
