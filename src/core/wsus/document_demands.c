#include "core/wsus/document_demands.h"

#include <string.h>

static enum sp_err attribute(struct sp_facts *f, const struct sp_xml_element *e,
                             const char *name, enum sp_fact fact)
{
    struct sp_view value;
    return sp_xml_attr(e, "", name, &value) ? sp_facts_text(f, fact, value) : SP_OK;
}

/* xs:boolean. */
static bool is_true(const struct sp_xml_element *e, const char *name)
{
    struct sp_view value;
    return sp_xml_attr(e, "", name, &value) &&
           (sp_view_eq_fold(value, SP_VIEW("true")) || sp_view_eq_str(value, "1"));
}

enum sp_err sp_demands_properties(struct sp_facts *f, const struct sp_xml_element *e)
{
    SP_TRY(attribute(f, e, "PublisherID", SP_FACT_DOCUMENT_PUBLISHER));
    SP_TRY(attribute(f, e, "MsrcSeverity", SP_FACT_DOCUMENT_SEVERITY));
    SP_TRY(attribute(f, e, "LegacyName", SP_FACT_DOCUMENT_LEGACY_NAME));
    return is_true(e, "ExplicitlyDeployable")
               ? sp_facts_flag(f, SP_FACT_DOCUMENT_DEPLOYABLE, true)
               : SP_OK;
}

bool sp_demands_is_category(const struct sp_xml_element *e)
{
    return is_true(e, "IsCategory");
}

static enum sp_err update_id(const struct sp_xml_element *e, struct sp_guid *out)
{
    struct sp_view id;
    return sp_xml_attr(e, "", "UpdateID", &id) ? sp_guid_parse(id, out)
                                               : SP_E_MALFORMED;
}

enum sp_err sp_clause_open(struct sp_clause *c, bool is_category)
{
    c->is_category = is_category;
    c->categories += is_category;
    sp_buf_clear(&c->text);
    return is_category ? sp_buf_append_str(&c->text, SP_CLAUSE_CATEGORY) : SP_OK;
}

enum sp_err sp_clause_close(struct sp_clause *c, struct sp_facts *f)
{
    struct sp_view text = sp_view_trim(sp_buf_view(&c->text), " ");
    c->is_category = false;
    SP_TRY(text.len ? sp_facts_text(f, SP_FACT_DOCUMENT_CLAUSE, text) : SP_OK);
    sp_buf_clear(&c->text);
    return SP_OK;
}

enum sp_err sp_demands_prerequisite(struct sp_facts *f, const struct sp_xml_element *e,
                                    struct sp_clause *c)
{
    char text[SP_GUID_TEXT];
    struct sp_guid guid;
    SP_TRY(update_id(e, &guid));
    sp_guid_format(&guid, text);
    SP_TRY(sp_buf_printf(&c->text, " %s", text));
    return sp_facts_bytes(
        f, c->is_category ? SP_FACT_DOCUMENT_CATEGORY : SP_FACT_DOCUMENT_PREREQUISITE,
        sp_view(guid.bytes, sizeof guid.bytes));
}

enum sp_err sp_demands_superseded(struct sp_facts *f, const struct sp_xml_element *e)
{
    struct sp_guid guid;
    SP_TRY(update_id(e, &guid));
    return sp_facts_bytes(f, SP_FACT_DOCUMENT_SUPERSEDES,
                          sp_view(guid.bytes, sizeof guid.bytes));
}

enum sp_err sp_demands_restart(struct sp_facts *f, const struct sp_xml_element *e)
{
    return attribute(f, e, "RebootBehavior", SP_FACT_DOCUMENT_RESTART);
}

enum sp_err sp_demands_category_type(struct sp_facts *f, const struct sp_xml_element *e)
{
    return attribute(f, e, "CategoryType", SP_FACT_DOCUMENT_CATEGORY_TYPE);
}

enum sp_err sp_demands_constant(struct sp_facts *f, const struct sp_xml_element *e,
                                const char *rule)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, 64);
    SP_TRY(sp_buf_printf(&text, "%s=", rule));
    SP_TRY(sp_buf_append(&text, e->name.local));
    return sp_facts_text(f, SP_FACT_DOCUMENT_CONSTANT_RULE, sp_buf_view(&text));
}

enum sp_err sp_demands_command(struct sp_facts *f, const struct sp_xml_element *e)
{
    SP_TRY(attribute(f, e, "Program", SP_FACT_DOCUMENT_PROGRAM));
    return attribute(f, e, "Arguments", SP_FACT_DOCUMENT_ARGUMENTS);
}

enum sp_err sp_demands_return_code(struct sp_facts *f, const struct sp_xml_element *e)
{
    return attribute(f, e, "Code", SP_FACT_DOCUMENT_RETURN_CODE);
}

static bool runs_as_it_is(const char *ext)
{
    static const char *const known[] = {"exe", "com", "scr", "pif", "cpl", "bat",
                                        "cmd", "vbs", "vbe", "js",  "jse", "wsf",
                                        "wsh", "ps1", "hta", "msc"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(ext, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum sp_err sp_demands_file(struct sp_facts *f, const struct sp_xml_element *e,
                            const struct sp_claim *claim, size_t number)
{
    if (number == 0) {
        SP_TRY(attribute(f, e, "Modified", SP_FACT_DOCUMENT_MODIFIED));
    }
    return runs_as_it_is(claim->ext)
               ? attribute(f, e, "FileName", SP_FACT_DOCUMENT_EXECUTABLE)
               : SP_OK;
}
