/* The frame of a metadata document: identity, properties, title, files, handler,
 * bundle. What is not in the table of steps is of no concern here and is passed over.
 */
#include "core/wsus/digest.h"
#include "core/wsus/document_demands.h"
#include "core/wsus/names.h"
#include "core/wsus/path.h"
#include "core/wsus/wsus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A title, a language, a number or a digest; titles of 300 bytes were seen. */
#define TEXT_MAX SP_KIB(4)
#define BLANKS   " \t\r\n"

enum state {
    UNKNOWN = SP_PATH_UNKNOWN,
    START = SP_PATH_START,
    UPDATE,
    IDENTITY,
    PROPERTIES,
    KB,
    BULLETIN,
    SUPPORT_URL,
    INSTALLATION,
    COLLECTION,
    LOCALIZED,
    LANGUAGE,
    TITLE,
    RELATIONSHIPS,
    PREREQUISITES,
    PREREQUISITE_CLAUSE,
    PREREQUISITE,
    BUNDLES,
    BUNDLE_CLAUSE,
    BUNDLED,
    SUPERSEDED_LIST,
    SUPERSEDED,
    FILES,
    FILE_ELEMENT,
    EULA,
    ADDITIONAL_DIGEST,
    SIDE_DIGEST,
    APPLICABILITY,
    IS_INSTALLED,
    IS_INSTALLABLE,
    INSTALLED_CONSTANT,
    INSTALLABLE_CONSTANT,
    HANDLER_DATA,
    CATEGORY,
    INSTALL_COMMAND,
    RETURN_CODE
};

static const struct sp_path_step steps[] = {
    {START, NS_UPDATE, "Update", UPDATE},
    {UPDATE, NS_UPDATE, "UpdateIdentity", IDENTITY},
    {UPDATE, NS_UPDATE, "Properties", PROPERTIES},
    {PROPERTIES, NS_UPDATE, "KBArticleID", KB},
    {PROPERTIES, NS_UPDATE, "SecurityBulletinID", BULLETIN},
    {PROPERTIES, NS_UPDATE, "SupportUrl", SUPPORT_URL},
    {PROPERTIES, NS_UPDATE, "InstallationBehavior", INSTALLATION},
    {UPDATE, NS_UPDATE, "LocalizedPropertiesCollection", COLLECTION},
    {COLLECTION, NS_UPDATE, "LocalizedProperties", LOCALIZED},
    {COLLECTION, NS_UPDATE, "EulaFile", EULA},
    {LOCALIZED, NS_UPDATE, "Language", LANGUAGE},
    {LOCALIZED, NS_UPDATE, "Title", TITLE},
    {LOCALIZED, NS_UPDATE, "EulaFile", EULA},
    {UPDATE, NS_UPDATE, "EulaFile", EULA},
    {UPDATE, NS_UPDATE, "Relationships", RELATIONSHIPS},
    {RELATIONSHIPS, NS_UPDATE, "Prerequisites", PREREQUISITES},
    {PREREQUISITES, NS_UPDATE, "UpdateIdentity", PREREQUISITE},
    {PREREQUISITES, NS_UPDATE, "AtLeastOne", PREREQUISITE_CLAUSE},
    {PREREQUISITE_CLAUSE, NS_UPDATE, "UpdateIdentity", PREREQUISITE},
    {RELATIONSHIPS, NS_UPDATE, "BundledUpdates", BUNDLES},
    {BUNDLES, NS_UPDATE, "UpdateIdentity", BUNDLED},
    {BUNDLES, NS_UPDATE, "AtLeastOne", BUNDLE_CLAUSE},
    {BUNDLE_CLAUSE, NS_UPDATE, "UpdateIdentity", BUNDLED},
    {RELATIONSHIPS, NS_UPDATE, "SupersededUpdates", SUPERSEDED_LIST},
    {SUPERSEDED_LIST, NS_UPDATE, "UpdateIdentity", SUPERSEDED},
    {UPDATE, NS_UPDATE, "Files", FILES},
    {FILES, NS_UPDATE, "File", FILE_ELEMENT},
    {FILE_ELEMENT, NS_UPDATE, "AdditionalDigest", ADDITIONAL_DIGEST},
    {FILE_ELEMENT, NS_UPDATE, "PiecesHashDigest", SIDE_DIGEST},
    {FILE_ELEMENT, NS_UPDATE, "BlockMapDigest", SIDE_DIGEST},
    {EULA, NS_UPDATE, "AdditionalDigest", ADDITIONAL_DIGEST},
    {UPDATE, NS_UPDATE, "ApplicabilityRules", APPLICABILITY},
    {APPLICABILITY, NS_UPDATE, "IsInstalled", IS_INSTALLED},
    {IS_INSTALLED, NS_RULES, "True", INSTALLED_CONSTANT},
    {IS_INSTALLED, NS_RULES, "False", INSTALLED_CONSTANT},
    {APPLICABILITY, NS_UPDATE, "IsInstallable", IS_INSTALLABLE},
    {IS_INSTALLABLE, NS_RULES, "True", INSTALLABLE_CONSTANT},
    {IS_INSTALLABLE, NS_RULES, "False", INSTALLABLE_CONSTANT},
    {UPDATE, NS_UPDATE, "HandlerSpecificData", HANDLER_DATA},
    {HANDLER_DATA, NS_CATEGORY, "CategoryInformation", CATEGORY},
    {HANDLER_DATA, NS_COMMAND, "InstallCommand", INSTALL_COMMAND},
    {INSTALL_COMMAND, NS_COMMAND, "ReturnCode", RETURN_CODE},
};

/* Which title is the better one. */
enum rank { NO_TITLE, SOME_TITLE, ENGLISH_TITLE, DEFAULT_TITLE };

struct claims {
    struct sp_claim *list; /* in the arena */
    size_t count, room;
};

struct reader {
    struct sp_path path;
    struct sp_facts *facts;
    struct sp_arena *arena;
    struct claims claims;
    struct sp_buf text; /* of the element at hand */
    bool update_seen, identity_seen, properties_seen;
    bool sound;              /* every digest so far */
    struct sp_clause clause; /* its text is owned */
    size_t files;            /* Files/File so far */
    int64_t weak_files;

    struct sp_claim file; /* the File or EulaFile at hand */
    bool file_sound;
    size_t digest_size; /* of the digest at hand; 0 for an algorithm not known */

    struct sp_view default_language, language, title; /* in the arena */
    enum rank best;
    struct sp_view best_title;
};

static enum sp_err malformed(struct sp_xml *x, const char *sentence)
{
    return sp_why_set(sp_xml_why(x), SP_E_MALFORMED, "%s", sentence);
}

/* ---- identity and properties --------------------------------------------------- */

static enum sp_err read_identity(struct reader *r, struct sp_xml *x,
                                 const struct sp_xml_element *e)
{
    struct sp_view id, number;
    struct sp_guid guid;
    int64_t revision = 0;
    if (r->identity_seen) {
        return malformed(x, "a document has two identities");
    }
    if (!sp_xml_attr(e, "", "UpdateID", &id) || sp_guid_parse(id, &guid) != SP_OK ||
        !sp_xml_attr(e, "", "RevisionNumber", &number) ||
        sp_i64_parse(number, 0, INT32_MAX, &revision) != SP_OK) {
        return malformed(x, "a document's identity has no UpdateID or RevisionNumber");
    }
    r->identity_seen = true;
    SP_TRY(sp_facts_bytes(r->facts, SP_FACT_DOCUMENT_ID, sp_view(guid.bytes, 16)));
    return sp_facts_int(r->facts, SP_FACT_DOCUMENT_REVISION, revision);
}

static enum sp_err attribute_fact(struct reader *r, const struct sp_xml_element *e,
                                  const char *attribute, enum sp_fact fact)
{
    struct sp_view value;
    return sp_xml_attr(e, "", attribute, &value) ? sp_facts_text(r->facts, fact, value)
                                                 : SP_OK;
}

static enum sp_err read_properties(struct reader *r, struct sp_xml *x,
                                   const struct sp_xml_element *e)
{
    struct sp_view language = SP_VIEW("");
    if (r->properties_seen) {
        return malformed(x, "a document has two sets of properties");
    }
    r->properties_seen = true;
    SP_TRY(attribute_fact(r, e, "UpdateType", SP_FACT_DOCUMENT_TYPE));
    SP_TRY(attribute_fact(r, e, "Handler", SP_FACT_DOCUMENT_HANDLER));
    SP_TRY(attribute_fact(r, e, "CreationDate", SP_FACT_DOCUMENT_CREATED));
    SP_TRY(sp_demands_properties(r->facts, e));
    (void)sp_xml_attr(e, "", "DefaultPropertiesLanguage", &language);
    return sp_arena_copy(r->arena, language, &r->default_language);
}

/* UpdateID.RevisionNumber; a clause may name the UpdateID alone. */
static enum sp_err read_bundled(struct reader *r, struct sp_xml *x,
                                const struct sp_xml_element *e)
{
    struct sp_view id, number;
    struct sp_guid guid;
    int64_t revision = 0;
    char id_text[SP_GUID_TEXT], text[SP_GUID_TEXT + 12];
    if (!sp_xml_attr(e, "", "UpdateID", &id) || sp_guid_parse(id, &guid) != SP_OK) {
        return malformed(x, "a bundled update has no UpdateID");
    }
    sp_guid_format(&guid, id_text);
    if (!sp_xml_attr(e, "", "RevisionNumber", &number)) {
        return sp_facts_text(r->facts, SP_FACT_DOCUMENT_BUNDLES, sp_view_str(id_text));
    }
    if (sp_i64_parse(number, 0, INT32_MAX, &revision) != SP_OK) {
        return malformed(x, "a bundled update's RevisionNumber is no number");
    }
    snprintf(text, sizeof text, "%s.%" PRId64, id_text, revision);
    return sp_facts_text(r->facts, SP_FACT_DOCUMENT_BUNDLES, sp_view_str(text));
}

/* xsi:type is a QName: its prefix counts by what it is bound to. */
static enum sp_err read_handler_type(struct reader *r, struct sp_xml *x,
                                     const struct sp_xml_element *e)
{
    struct sp_view type, ns = SP_VIEW("");
    if (!sp_xml_attr(e, NS_XSI, "type", &type)) {
        return SP_OK;
    }
    type = sp_view_trim(type, BLANKS);
    size_t colon = sp_view_find(type, ':');
    bool prefixed = colon < type.len;
    struct sp_view prefix = sp_view_slice(type, 0, prefixed ? colon : 0);
    struct sp_view local = sp_view_slice(type, prefixed ? colon + 1 : 0, type.len);
    if (!sp_xml_resolve(x, prefix, &ns) && prefixed) {
        return malformed(x,
                         "the prefix of HandlerSpecificData's xsi:type is not bound");
    }
    sp_buf_clear(&r->text);
    SP_TRY(sp_buf_append(&r->text, ns));
    SP_TRY(sp_buf_append_byte(&r->text, '#'));
    SP_TRY(sp_buf_append(&r->text, local));
    return sp_facts_text(r->facts, SP_FACT_DOCUMENT_HANDLER_TYPE,
                         sp_buf_view(&r->text));
}

/* ---- the title ----------------------------------------------------------------- */

static enum rank rank_of(const struct reader *r)
{
    if (r->default_language.len && sp_view_eq_fold(r->language, r->default_language)) {
        return DEFAULT_TITLE;
    }
    return sp_view_eq_fold(r->language, SP_VIEW("en")) ? ENGLISH_TITLE : SOME_TITLE;
}

static void weigh_title(struct reader *r)
{
    enum rank rank = rank_of(r);
    if (r->title.len && rank > r->best) {
        r->best = rank;
        r->best_title = r->title;
    }
}

/* ---- files --------------------------------------------------------------------- */

/* Digest is SHA-1 in every published schema; it is the name of the content. */
static enum sp_err read_file(struct reader *r, struct sp_xml *x,
                             const struct sp_xml_element *e, enum state state)
{
    struct sp_view digest = SP_VIEW(""), algorithm = SP_VIEW("SHA1");
    struct sp_view size, name = SP_VIEW("");
    r->file = (struct sp_claim){.size = 0};
    if (!sp_xml_attr(e, "", "Size", &size) ||
        sp_u64_parse(size, INT64_MAX, &r->file.size) != SP_OK) {
        return malformed(x, "a file has no Size");
    }
    (void)sp_xml_attr(e, "", "Digest", &digest);
    (void)sp_xml_attr(e, "", "DigestAlgorithm", &algorithm);
    (void)sp_xml_attr(e, "", "FileName", &name);
    r->file_sound =
        sp_view_eq_str(algorithm, "SHA1") && sp_digest_read(digest, r->file.sha1, 20);
    sp_extension_read(name, r->file.ext);
    if (state == FILE_ELEMENT) {
        SP_TRY(sp_demands_file(r->facts, e, &r->file, r->files++));
    }
    return sp_arena_copy(r->arena, name, &r->file.name);
}

static void open_digest(struct reader *r, const struct sp_xml_element *e)
{
    struct sp_view algorithm;
    bool named = sp_xml_attr(e, "", "Algorithm", &algorithm);
    r->digest_size = named ? sp_digest_size(algorithm) : 0;
}

static bool is_sha256_again(const struct reader *r, const uint8_t digest[32])
{
    return !r->file.has_sha256 || memcmp(r->file.sha256, digest, 32) == 0;
}

/* Two SHA-256 of one file must be the same. */
static void close_digest(struct reader *r, enum state state)
{
    uint8_t digest[64];
    if (!sp_digest_read(sp_buf_view(&r->text), digest, r->digest_size)) {
        r->file_sound = false;
    } else if (state == ADDITIONAL_DIGEST && r->digest_size == 32) {
        r->file_sound = r->file_sound && is_sha256_again(r, digest);
        memcpy(r->file.sha256, digest, 32);
        r->file.has_sha256 = true;
    }
}

static enum sp_err make_room(struct reader *r, struct sp_xml *x)
{
    struct claims *c = &r->claims;
    if (c->count >= SP_LIMIT_FILES_PER_UPDATE) {
        return sp_why_set(sp_xml_why(x), SP_E_LIMIT, "an update has more than %d files",
                          SP_LIMIT_FILES_PER_UPDATE);
    }
    if (c->count < c->room) {
        return SP_OK;
    }
    size_t room = c->room ? c->room * 2 : 8;
    void *list = NULL;
    SP_TRY(sp_arena_alloc(r->arena, room * sizeof *c->list, &list));
    if (c->count) {
        memcpy(list, c->list, c->count * sizeof *c->list);
    }
    c->list = list;
    c->room = room;
    return SP_OK;
}

static enum sp_err close_file(struct reader *r, struct sp_xml *x, enum state state)
{
    if (!r->file_sound) {
        r->sound = false;
        return SP_OK;
    }
    if (state == FILE_ELEMENT) {
        SP_TRY(sp_facts_bytes(r->facts, SP_FACT_DOCUMENT_FILE_DIGEST,
                              sp_view(r->file.sha1, 20)));
    }
    r->weak_files += state == FILE_ELEMENT && !r->file.has_sha256;
    SP_TRY(make_room(r, x));
    r->claims.list[r->claims.count++] = r->file;
    return SP_OK;
}

/* ---- events -------------------------------------------------------------------- */

static enum sp_err read_prerequisite(struct reader *r, struct sp_xml *x,
                                     const struct sp_xml_element *e)
{
    enum sp_err err = sp_demands_prerequisite(r->facts, e, &r->clause);
    return err == SP_E_MALFORMED ? malformed(x, "a prerequisite has no UpdateID") : err;
}

static enum sp_err read_superseded(struct reader *r, struct sp_xml *x,
                                   const struct sp_xml_element *e)
{
    enum sp_err err = sp_demands_superseded(r->facts, e);
    return err == SP_E_MALFORMED ? malformed(x, "a superseded update has no UpdateID")
                                 : err;
}

static enum sp_err read_demand(struct reader *r, struct sp_xml *x,
                               const struct sp_xml_element *e, enum state state)
{
    switch ((int)state) {
    case PREREQUISITES:
        return sp_clause_open(&r->clause, false);
    case PREREQUISITE_CLAUSE:
        return sp_clause_open(&r->clause, sp_demands_is_category(e));
    case PREREQUISITE:
        return read_prerequisite(r, x, e);
    case SUPERSEDED:
        return read_superseded(r, x, e);
    case INSTALLATION:
        return sp_demands_restart(r->facts, e);
    case CATEGORY:
        return sp_demands_category_type(r->facts, e);
    case INSTALLED_CONSTANT:
        return sp_demands_constant(r->facts, e, "IsInstalled");
    case INSTALLABLE_CONSTANT:
        return sp_demands_constant(r->facts, e, "IsInstallable");
    case HANDLER_DATA:
        return read_handler_type(r, x, e);
    case INSTALL_COMMAND:
        return sp_demands_command(r->facts, e);
    case RETURN_CODE:
        return sp_demands_return_code(r->facts, e);
    }
    return SP_OK;
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct reader *r = ctx;
    enum state state = sp_path_enter(&r->path, e->name);
    sp_buf_clear(&r->text);
    if (e->depth == 1 && state != UPDATE) {
        return malformed(x, "the document element is not Update");
    }
    switch ((int)state) {
    case IDENTITY:
        return read_identity(r, x, e);
    case PROPERTIES:
        return read_properties(r, x, e);
    case LOCALIZED:
        r->language = r->title = (struct sp_view){NULL, 0};
        return SP_OK;
    case BUNDLED:
        return read_bundled(r, x, e);
    case FILE_ELEMENT:
    case EULA:
        return read_file(r, x, e, state);
    case ADDITIONAL_DIGEST:
    case SIDE_DIGEST:
        open_digest(r, e);
        return SP_OK;
    }
    return read_demand(r, x, e, state);
}

static bool collects(enum state state)
{
    return state == KB || state == BULLETIN || state == SUPPORT_URL ||
           state == LANGUAGE || state == TITLE || state == ADDITIONAL_DIGEST ||
           state == SIDE_DIGEST;
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct reader *r = ctx;
    (void)x;
    return collects(sp_path_at(&r->path)) ? sp_buf_append(&r->text, text) : SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct reader *r = ctx;
    struct sp_view text = sp_view_trim(sp_buf_view(&r->text), BLANKS);
    enum state state = sp_path_leave(&r->path);
    (void)name;
    switch ((int)state) {
    case KB:
        return sp_facts_text(r->facts, SP_FACT_DOCUMENT_KB, text);
    case BULLETIN:
        return sp_facts_text(r->facts, SP_FACT_DOCUMENT_BULLETIN, text);
    case SUPPORT_URL:
        return text.len ? sp_facts_text(r->facts, SP_FACT_DOCUMENT_SUPPORT_URL, text)
                        : SP_OK;
    case LANGUAGE:
        return sp_arena_copy(r->arena, text, &r->language);
    case TITLE:
        return sp_arena_copy(r->arena, text, &r->title);
    case PREREQUISITE_CLAUSE:
        return sp_clause_close(&r->clause, r->facts);
    case PREREQUISITE:
        return sp_path_at(&r->path) == PREREQUISITES
                   ? sp_clause_close(&r->clause, r->facts)
                   : SP_OK;
    case LOCALIZED:
        weigh_title(r);
        return SP_OK;
    case ADDITIONAL_DIGEST:
    case SIDE_DIGEST:
        close_digest(r, state);
        return SP_OK;
    case FILE_ELEMENT:
    case EULA:
        return close_file(r, x, state);
    }
    return SP_OK;
}

static enum sp_err finish(struct reader *r, struct sp_why *why)
{
    if (!r->identity_seen || !r->properties_seen) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "a document has no identity or properties");
    }
    if (r->best != NO_TITLE) {
        SP_TRY(sp_facts_text(r->facts, SP_FACT_DOCUMENT_TITLE, r->best_title));
    }
    SP_TRY(sp_facts_int(r->facts, SP_FACT_DOCUMENT_CATEGORY_CLAUSES,
                        r->clause.categories));
    SP_TRY(sp_facts_int(r->facts, SP_FACT_DOCUMENT_WEAK_FILES, r->weak_files));
    SP_TRY(sp_facts_int(r->facts, SP_FACT_DOCUMENT_FILES, (int64_t)r->files));
    return sp_facts_flag(r->facts, SP_FACT_DOCUMENT_DIGESTS_SOUND, r->sound);
}

enum sp_err sp_document_read(struct sp_view utf8, struct sp_facts *facts,
                             struct sp_arena *arena, struct sp_claim **claims,
                             size_t *claim_count, struct sp_why *why)
{
    static const struct sp_xml_handler handler = {on_start, on_text, on_end};
    struct reader r = {
        .path = {.steps = steps, .step_count = sizeof steps / sizeof steps[0]},
        .facts = facts,
        .arena = arena,
        .sound = true};
    if (utf8.len > SP_LIMIT_DOCUMENT) {
        return sp_why_set(why, SP_E_LIMIT, "a document has %zu bytes", utf8.len);
    }
    sp_buf_init(&r.text, TEXT_MAX);
    sp_buf_init(&r.clause.text, TEXT_MAX);
    enum sp_err e = sp_xml_read(utf8, &sp_xml_rules_document, &handler, &r, why);
    sp_buf_fini(&r.text);
    sp_buf_fini(&r.clause.text);
    SP_TRY(e);
    SP_TRY(finish(&r, why));
    *claims = r.claims.list;
    *claim_count = r.claims.count;
    return SP_OK;
}
