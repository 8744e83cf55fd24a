/* What a document asks of a machine, and whether an update asks for that. Each was
 * derived from how planted updates differ from published ones. (reference 6.3) */
#include "core/policy/rules.h"

#define COMMAND_TYPE "CommandLineInstallation"

enum { FIRST_YEAR_WITH_SHA256 = 2013 };

bool sp_rule_is_command(const struct sp_facts *f)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_HANDLER_TYPE, i, &v); i++) {
        struct sp_view type = sp_view_trim(v.bytes, " \t\r\n");
        if (sp_view_ends(type, SP_VIEW(COMMAND_TYPE))) {
            return true;
        }
    }
    return false;
}

/* "namespace#name", where a namespace may hold a '#' itself and a name may not. */
static struct sp_view split_type(struct sp_view type, struct sp_view *name)
{
    size_t at = type.len;
    while (at > 0 && type.data[at - 1] != '#') {
        at--;
    }
    *name = sp_view_slice(type, at, type.len);
    return sp_view_slice(type, 0, at ? at - 1 : 0);
}

static bool has_blank(struct sp_view v)
{
    return sp_view_find(v, ' ') < v.len || sp_view_find(v, '\t') < v.len ||
           sp_view_find(v, '\n') < v.len || sp_view_find(v, '\r') < v.len;
}

enum sp_finding sp_rule_handler_agrees(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value type, handler;
    struct sp_view name;
    if (sp_facts_count(f, SP_FACT_DOCUMENT_HANDLER_TYPE) == 0) {
        return SP_DOES_NOT_APPLY;
    }
    if (sp_rule_one(f, SP_FACT_DOCUMENT_HANDLER_TYPE, &type) &&
        sp_rule_one(f, SP_FACT_DOCUMENT_HANDLER, &handler) &&
        sp_view_eq(split_type(type.bytes, &name), handler.bytes) && name.len &&
        !has_blank(name)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "the document names the handler %s and brings data for "
                               "%s",
                               sp_rule_say(f, SP_FACT_DOCUMENT_HANDLER).text,
                               sp_rule_say(f, SP_FACT_DOCUMENT_HANDLER_TYPE).text));
}

/* A date that cannot be read is no excuse. */
static bool is_old(const struct sp_facts *f)
{
    struct sp_fact_value v;
    int year = 0;
    if (!sp_rule_one(f, SP_FACT_DOCUMENT_CREATED, &v) || v.bytes.len < 5 ||
        v.bytes.data[4] != '-') {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        uint8_t c = v.bytes.data[i];
        if (c < '0' || c > '9') {
            return false;
        }
        year = 10 * year + (c - '0');
    }
    return year < FIRST_YEAR_WITH_SHA256;
}

enum sp_finding sp_rule_sha256_present(const struct sp_facts *f, struct sp_why *why)
{
    struct sp_fact_value weak;
    bool is_told = sp_rule_one(f, SP_FACT_DOCUMENT_WEAK_FILES, &weak);
    if (is_told && weak.number == 0) {
        return SP_HOLDS;
    }
    if (is_told && is_old(f)) {
        return SP_DOES_NOT_APPLY;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "the document, made %s, gives no SHA-256 to %s of its "
                               "files",
                               sp_rule_say(f, SP_FACT_DOCUMENT_CREATED).text,
                               sp_rule_say(f, SP_FACT_DOCUMENT_WEAK_FILES).text));
}

/* ---- categories ---------------------------------------------------------------- */

/* A clause reaches a kind when each of its alternatives is of it, since a machine may
 * have any of them. One whose document was never recorded may be of any kind. */
struct reach {
    bool product, classification;
};

/* Published as they are since long; others say in their documents what they are. */
static bool is_classification(struct sp_view id)
{
    static const char *const known[] = {
        "0fa1201d-4330-4fa8-8ae9-b877473b6441", "e6cf1350-c01b-414d-a61f-263d14d133b4",
        "e0789628-ce08-4437-be74-2495b842f43b", "28bc880e-0592-4cbf-8f95-c79b17911d5f",
        "cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83", "68c5b0a3-d1a6-4553-ae49-01d3a7827828",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (sp_view_eq_str(id, known[i])) {
            return true;
        }
    }
    return false;
}

/* Its CategoryType; empty where nobody knows. */
static struct sp_view kind_of(const struct sp_facts *f, struct sp_view id)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_CATEGORY_KIND, i, &v); i++) {
        if (sp_view_starts(v.bytes, id) && v.bytes.len > id.len + 1) {
            return sp_view_slice(v.bytes, id.len + 1, v.bytes.len);
        }
    }
    return is_classification(id) ? SP_VIEW("UpdateClassification")
                                 : (struct sp_view){0};
}

static struct reach reach_of(const struct sp_facts *f, struct sp_view alternatives)
{
    struct reach r = {alternatives.len > 0, alternatives.len > 0};
    while (alternatives.len) {
        size_t end = sp_view_find(alternatives, ' ');
        struct sp_view kind = kind_of(f, sp_view_slice(alternatives, 0, end));
        r.product &= !kind.len || sp_view_eq_str(kind, "Product");
        r.classification &= !kind.len || sp_view_eq_str(kind, "UpdateClassification");
        alternatives = sp_view_slice(alternatives, end + 1, alternatives.len);
    }
    return r;
}

/* One clause is not both, even where its category might be either. */
static bool reaches_both(const struct sp_facts *f)
{
    static const struct sp_view head = {(const uint8_t *)"category ", 9};
    size_t products = 0, classifications = 0, either = 0;
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_CLAUSE, i, &v); i++) {
        if (sp_view_starts(v.bytes, head)) {
            struct reach r = reach_of(f, sp_view_slice(v.bytes, head.len, v.bytes.len));
            products += r.product;
            classifications += r.classification;
            either += r.product || r.classification;
        }
    }
    return products && classifications && either >= 2;
}

/* Entries from before clauses were recorded tell how many there are. */
static bool has_two_clauses(const struct sp_facts *f)
{
    struct sp_fact_value clauses;
    return sp_rule_one(f, SP_FACT_DOCUMENT_CATEGORY_CLAUSES, &clauses) &&
           clauses.number >= 2 && sp_facts_count(f, SP_FACT_DOCUMENT_CATEGORY) >= 2;
}

enum sp_finding sp_rule_category_reached(const struct sp_facts *f, struct sp_why *why)
{
    if (!sp_facts_has_flag(f, SP_FACT_DOCUMENT_DEPLOYABLE)) {
        return SP_DOES_NOT_APPLY;
    }
    if (sp_facts_count(f, SP_FACT_DOCUMENT_CLAUSE) ? reaches_both(f)
                                                   : has_two_clauses(f)) {
        return SP_HOLDS;
    }
    return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                               "the update can be deployed but is filed under %s in %s "
                               "clauses; a product and a classification were expected",
                               sp_rule_say(f, SP_FACT_DOCUMENT_CATEGORY).text,
                               sp_rule_say(f, SP_FACT_DOCUMENT_CATEGORY_CLAUSES).text));
}

enum sp_finding sp_rule_times_zoned(const struct sp_facts *f, struct sp_why *why)
{
    static const enum sp_fact times[] = {SP_FACT_DOCUMENT_CREATED,
                                         SP_FACT_DOCUMENT_MODIFIED};
    struct sp_fact_value v;
    for (size_t t = 0; t < sizeof times / sizeof times[0]; t++) {
        for (size_t i = 0; sp_facts_get(f, times[t], i, &v); i++) {
            if (!sp_view_ends(v.bytes, SP_VIEW("Z"))) {
                return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                           "the document says %s, where a time in UTC "
                                           "ends in Z",
                                           sp_rule_say_value(times[t], &v).text));
            }
        }
    }
    return SP_HOLDS;
}

/* ---- programs ------------------------------------------------------------------ */

/* The name behind the last separator, without an ending that makes it run. */
static struct sp_view program_of(struct sp_view path)
{
    size_t at = path.len;
    path = sp_view_trim(path, " \t\"");
    for (at = path.len; at > 0; at--) {
        uint8_t c = path.data[at - 1];
        if (c == '\\' || c == '/' || c == ':') {
            break;
        }
    }
    struct sp_view name = sp_view_slice(path, at, path.len);
    return sp_view_slice(name, 0, sp_view_find(name, '.'));
}

bool sp_rule_is_tool(struct sp_view path)
{
    static const char *const tools[] = {
#define TOOL(name) name,
#include "core/policy/tools.def"
#undef TOOL
    };
    struct sp_view name = program_of(path);
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        if (sp_view_eq_fold(name, sp_view_str(tools[i]))) {
            return true;
        }
    }
    return false;
}

static bool find_tool(const struct sp_facts *f, enum sp_fact k,
                      struct sp_fact_value *out)
{
    for (size_t i = 0; sp_facts_get(f, k, i, out); i++) {
        if (sp_rule_is_tool(out->bytes)) {
            return true;
        }
    }
    return false;
}

enum sp_finding sp_rule_program_is_update(const struct sp_facts *f, struct sp_why *why)
{
    static const enum sp_fact named[] = {SP_FACT_DOCUMENT_PROGRAM,
                                         SP_FACT_DOCUMENT_EXECUTABLE};
    struct sp_fact_value v;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (find_tool(f, named[i], &v)) {
            struct sp_said said = sp_rule_say(f, SP_FACT_DOCUMENT_ARGUMENTS);
            return sp_fails(sp_why_set(why, SP_E_MISMATCH,
                                       "the document names the program %s with the "
                                       "arguments %s; that is a tool and never an "
                                       "update",
                                       sp_rule_say_value(named[i], &v).text,
                                       said.text));
        }
    }
    return SP_HOLDS;
}
