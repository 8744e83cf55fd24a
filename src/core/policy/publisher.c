#include "core/policy/publisher.h"

#include "core/policy/rules.h"

enum sp_err sp_publisher_read(struct sp_view key, struct sp_view scope,
                              struct sp_view id, struct sp_publisher *out,
                              struct sp_why *why)
{
    struct sp_publisher p = {.scope = SP_FACT_UPDATE_ID};
    bool is_category = sp_view_eq_str(scope, "category");
    if (sp_pin_parse(key, &p.key) != SP_OK) {
        return sp_why_set(
            why, SP_E_CONFIG,
            "a publisher's key is \"sha256//\" and 44 characters of base64");
    }
    if (!is_category && !sp_view_eq_str(scope, "update")) {
        return sp_why_set(why, SP_E_CONFIG,
                          "behind a publisher's key stands \"update\" or \"category\"");
    }
    if (sp_guid_parse(id, &p.id) != SP_OK) {
        return sp_why_set(
            why, SP_E_CONFIG,
            "a publisher is limited to the GUID of an update or category");
    }
    p.scope = is_category ? SP_FACT_DOCUMENT_CATEGORY : SP_FACT_UPDATE_ID;
    *out = p;
    return SP_OK;
}

enum sp_err sp_publisher_print(const struct sp_publisher *p, struct sp_buf *out)
{
    char key[SP_PIN_TEXT], id[SP_GUID_TEXT];
    sp_pin_format(&p->key, key);
    sp_guid_format(&p->id, id);
    return sp_buf_printf(out, "publisher %s %s %s\n", key,
                         p->scope == SP_FACT_UPDATE_ID ? "update" : "category", id);
}

bool sp_publisher_signed(const struct sp_publisher *p, const struct sp_facts *f)
{
    struct sp_fact_value key = {.bytes = sp_view(p->key.sha256, sizeof p->key.sha256)};
    struct sp_fact_value id = {.bytes = sp_view(p->id.bytes, sizeof p->id.bytes)};
    return sp_rule_has(f, SP_FACT_SIGN_PUBLISHER_SPKI, &key) &&
           sp_rule_has(f, p->scope, &id);
}
