#include "core/wsus/told.h"

#include "core/wsus/document_demands.h"
#include "core/wsus/path.h"

#include <string.h>

#define FRAME_OPEN  SP_VIEW("<f>")
#define FRAME_CLOSE SP_VIEW("</f>")
#define BLANKS      " \t\r\n"
#define TEXT_MAX    SP_KIB(64)

enum state {
    FRAME = SP_PATH_START + 1,
    IDENTITY,
    PROPERTIES,
    EXTENDED,
    KB,
    BULLETIN,
    RELATIONSHIPS,
    PREREQUISITES,
    CLAUSE,
    PREREQUISITE,
    RULES,
    IS_INSTALLED,
    INSTALLED_CONSTANT,
    IS_INSTALLABLE,
    INSTALLABLE_CONSTANT,
    FILES,
    FILE_ELEMENT,
    HANDLER_DATA,
    INSTALL_COMMAND,
    RETURN_CODE,
    LOCALIZED,
    TITLE,
};

static const struct sp_path_step steps[] = {
    {SP_PATH_START, "", "f", FRAME},
    {FRAME, "", "UpdateIdentity", IDENTITY},
    {FRAME, "", "Properties", PROPERTIES},
    {FRAME, "", "ExtendedProperties", EXTENDED},
    {EXTENDED, "", "KBArticleID", KB},
    {EXTENDED, "", "SecurityBulletinID", BULLETIN},
    {FRAME, "", "Relationships", RELATIONSHIPS},
    {RELATIONSHIPS, "", "Prerequisites", PREREQUISITES},
    {PREREQUISITES, "", "UpdateIdentity", PREREQUISITE},
    {PREREQUISITES, "", "AtLeastOne", CLAUSE},
    {CLAUSE, "", "UpdateIdentity", PREREQUISITE},
    {FRAME, "", "ApplicabilityRules", RULES},
    {RULES, "", "IsInstalled", IS_INSTALLED},
    {IS_INSTALLED, "", "True", INSTALLED_CONSTANT},
    {IS_INSTALLED, "", "False", INSTALLED_CONSTANT},
    {RULES, "", "IsInstallable", IS_INSTALLABLE},
    {IS_INSTALLABLE, "", "True", INSTALLABLE_CONSTANT},
    {IS_INSTALLABLE, "", "False", INSTALLABLE_CONSTANT},
    {FRAME, "", "Files", FILES},
    {FILES, "", "File", FILE_ELEMENT},
    {FRAME, "", "HandlerSpecificData", HANDLER_DATA},
    {HANDLER_DATA, "", "InstallCommand", INSTALL_COMMAND},
    {INSTALL_COMMAND, "", "ReturnCode", RETURN_CODE},
    {FRAME, "", "LocalizedProperties", LOCALIZED},
    {LOCALIZED, "", "Title", TITLE},
};

struct reader {
    struct sp_path path;
    struct sp_facts *facts;  /* borrowed */
    struct sp_buf text;      /* owned: of the element at hand */
    struct sp_clause clause; /* its text is owned */
    size_t files;
};

static enum sp_err put_attribute(struct reader *r, const struct sp_xml_element *e,
                                 const char *name, enum sp_fact fact)
{
    struct sp_view value;
    return sp_xml_attr(e, "", name, &value) ? sp_facts_text(r->facts, fact, value)
                                            : SP_OK;
}

/* One that names nothing identifies nothing. */
static enum sp_err read_identity(struct reader *r, const struct sp_xml_element *e)
{
    struct sp_view id, revision;
    struct sp_guid guid;
    int64_t number = 0;
    if (!sp_xml_attr(e, "", "UpdateID", &id) || sp_guid_parse(id, &guid) != SP_OK ||
        !sp_xml_attr(e, "", "RevisionNumber", &revision) ||
        sp_i64_parse(revision, 0, INT32_MAX, &number) != SP_OK) {
        return SP_OK;
    }
    SP_TRY(sp_facts_bytes(r->facts, SP_FACT_UPDATE_ID,
                          sp_view(guid.bytes, sizeof guid.bytes)));
    return sp_facts_int(r->facts, SP_FACT_UPDATE_REVISION, number);
}

static enum sp_err read_handler_type(struct reader *r, const struct sp_xml_element *e)
{
    struct sp_view type;
    if (!sp_xml_attr(e, "", "type", &type)) {
        return SP_OK;
    }
    size_t colon = sp_view_find(type, ':');
    struct sp_view name =
        sp_view_slice(type, colon < type.len ? colon + 1 : 0, type.len);
    sp_buf_clear(&r->text);
    SP_TRY(sp_buf_append_str(&r->text, "#"));
    SP_TRY(sp_buf_append(&r->text, name));
    return sp_facts_text(r->facts, SP_FACT_DOCUMENT_HANDLER_TYPE,
                         sp_buf_view(&r->text));
}

static enum sp_err read_prerequisite(struct reader *r, const struct sp_xml_element *e)
{
    enum sp_err err = sp_demands_prerequisite(r->facts, e, &r->clause);
    return err == SP_E_MALFORMED ? SP_OK : err;
}

/* What a name ends in, for sp_demands_file. */
static enum sp_err read_file(struct reader *r, const struct sp_xml_element *e)
{
    struct sp_claim claim = {.size = 0};
    struct sp_view name;
    if (sp_xml_attr(e, "", "FileName", &name)) {
        size_t dot = name.len;
        while (dot > 0 && name.data[dot - 1] != '.') {
            dot--;
        }
        for (size_t i = dot; dot && i < name.len && i - dot + 1 < sizeof claim.ext;
             i++) {
            uint8_t c = name.data[i];
            claim.ext[i - dot] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        }
    }
    return sp_demands_file(r->facts, e, &claim, r->files++);
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct reader *r = ctx;
    enum state state = sp_path_enter(&r->path, e->name);
    (void)x;
    sp_buf_clear(&r->text);
    switch ((int)state) {
    case IDENTITY:
        return read_identity(r, e);
    case PROPERTIES:
        return sp_demands_properties(r->facts, e);
    case EXTENDED:
        return put_attribute(r, e, "Handler", SP_FACT_DOCUMENT_HANDLER);
    case PREREQUISITES:
        return sp_clause_open(&r->clause, false);
    case CLAUSE:
        return sp_clause_open(&r->clause, sp_demands_is_category(e));
    case PREREQUISITE:
        return read_prerequisite(r, e);
    case INSTALLED_CONSTANT:
        return sp_demands_constant(r->facts, e, "IsInstalled");
    case INSTALLABLE_CONSTANT:
        return sp_demands_constant(r->facts, e, "IsInstallable");
    case FILE_ELEMENT:
        return read_file(r, e);
    case HANDLER_DATA:
        return read_handler_type(r, e);
    case INSTALL_COMMAND:
        return sp_demands_command(r->facts, e);
    case RETURN_CODE:
        return sp_demands_return_code(r->facts, e);
    }
    return SP_OK;
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct reader *r = ctx;
    enum state state = sp_path_at(&r->path);
    (void)x;
    return state == KB || state == BULLETIN || state == TITLE
               ? sp_buf_append(&r->text, text)
               : SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct reader *r = ctx;
    enum state state = sp_path_leave(&r->path);
    struct sp_view text = sp_view_trim(sp_buf_view(&r->text), BLANKS);
    (void)x;
    (void)name;
    switch ((int)state) {
    case KB:
        return sp_facts_text(r->facts, SP_FACT_DOCUMENT_KB, text);
    case BULLETIN:
        return sp_facts_text(r->facts, SP_FACT_DOCUMENT_BULLETIN, text);
    case TITLE:
        return sp_facts_text(r->facts, SP_FACT_DOCUMENT_TITLE, text);
    case CLAUSE:
        return sp_clause_close(&r->clause, r->facts);
    case PREREQUISITE:
        return sp_path_at(&r->path) == PREREQUISITES
                   ? sp_clause_close(&r->clause, r->facts)
                   : SP_OK;
    case RELATIONSHIPS:
        return sp_facts_int(r->facts, SP_FACT_DOCUMENT_CATEGORY_CLAUSES,
                            r->clause.categories);
    }
    return SP_OK;
}

static enum sp_err read_framed(struct sp_view utf8, struct reader *r,
                               struct sp_why *why)
{
    static const struct sp_xml_handler handler = {on_start, on_text, on_end};
    SP_AUTO(sp_xml_free) struct sp_xml *x = NULL;
    SP_TRY(sp_xml_new(&sp_xml_rules_document, &handler, r, &x));
    SP_TRY(sp_xml_feed(x, FRAME_OPEN, why));
    SP_TRY(sp_xml_feed(x, utf8, why));
    SP_TRY(sp_xml_feed(x, FRAME_CLOSE, why));
    return sp_xml_finish(x, why);
}

enum sp_err sp_told_read(struct sp_view utf8, struct sp_facts *f, struct sp_why *why)
{
    struct reader r = {
        .path = {.steps = steps, .step_count = sizeof steps / sizeof steps[0]},
        .facts = f};
    sp_buf_init(&r.text, TEXT_MAX);
    sp_buf_init(&r.clause.text, TEXT_MAX);
    enum sp_err e = read_framed(utf8, &r, why);
    sp_buf_fini(&r.text);
    sp_buf_fini(&r.clause.text);
    return e;
}
