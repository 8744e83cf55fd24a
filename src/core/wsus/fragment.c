#include "core/wsus/fragment.h"

#include "core/crypto/duet.h"
#include "core/wsus/names.h"
#include "core/wsus/path.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* Characters that XML 1.0 has no room for stand between the parts of the canonical
 * form, so that no two rows of elements are spelt alike. */
#define MARK_ELEMENT   SP_VIEW("\x01")
#define MARK_ATTRIBUTE SP_VIEW("\x02")
#define MARK_VALUE     SP_VIEW("\x03")
#define MARK_TEXT      SP_VIEW("\x04")
#define MARK_END       SP_VIEW("\x05")

/* A fragment is read as a document without namespaces: it gets this frame. */
#define FRAME_OPEN  SP_VIEW("<Update>")
#define FRAME_CLOSE SP_VIEW("</Update>")

enum state {
    UNKNOWN = SP_PATH_UNKNOWN,
    START = SP_PATH_START,
    FRAME,
    IDENTITY,
    PROPERTIES,
    EXTENDED_PROPERTIES,
    COLLECTION,
    LOCALIZED,
    RELATIONSHIPS,
    RULES,
    FILES,
    FILE_ELEMENT,
    HANDLER_DATA,
    NOT_COMPARED
};

static const struct sp_path_step steps[] = {
    {START, "", "Update", FRAME},
    {FRAME, "", "UpdateIdentity", IDENTITY},
    {FRAME, "", "Properties", PROPERTIES},
    {FRAME, "", "ExtendedProperties", EXTENDED_PROPERTIES},
    {FRAME, "", "LocalizedPropertiesCollection", COLLECTION},
    {FRAME, "", "LocalizedProperties", LOCALIZED},
    {FRAME, "", "Relationships", RELATIONSHIPS},
    {FRAME, "", "ApplicabilityRules", RULES},
    {FRAME, "", "Files", FILES},
    {FRAME, "", "HandlerSpecificData", HANDLER_DATA},
    {COLLECTION, "", "LocalizedProperties", LOCALIZED},
    {FILES, "", "File", FILE_ELEMENT},
    {RULES, "", "Metadata", NOT_COMPARED},
    {FILE_ELEMENT, "", "PiecesHashDigest", NOT_COMPARED},
    {FILE_ELEMENT, "", "BlockMapDigest", NOT_COMPARED},
    {PROPERTIES, "", "Language", NOT_COMPARED},
    {PROPERTIES, "", "CveID", NOT_COMPARED},
    {PROPERTIES, "", "SecuredFragment", NOT_COMPARED},
    {EXTENDED_PROPERTIES, "", "Language", NOT_COMPARED},
    {EXTENDED_PROPERTIES, "", "CveID", NOT_COMPARED},
    {EXTENDED_PROPERTIES, "", "SecuredFragment", NOT_COMPARED},
    {LOCALIZED, "", "EulaFile", NOT_COMPARED},
};

/* The canonical form of one kind: many small pieces, digested some at a time. */
struct form {
    struct sp_duet *digest; /* owned; NULL before the first part */
    uint8_t waiting[1024];
    size_t len;
};

struct reader {
    struct sp_path path;
    bool of_document;
    struct form forms[SP_DERIVED_KINDS];
    bool inside; /* of a part */
    enum sp_derived_kind at;
    size_t part_depth, skip_depth; /* 0: not inside of any */
    struct sp_buf text;            /* since the last tag */
    struct sp_facts *facts;        /* borrowed; of a document */
    struct sp_duet_text *beside;   /* borrowed; the document itself, or NULL */
    struct sp_derived_parts *out;  /* borrowed; of a fragment */
};

const char *sp_derived_text(enum sp_derived_kind k)
{
    static const char *const texts[] = {"core", "extended", "localized"};
    SP_ASSERT(k < SP_DERIVED_KINDS);
    return texts[k];
}

enum sp_fact sp_derived_fact(enum sp_derived_kind k)
{
    static const enum sp_fact facts[] = {
        SP_FACT_FRAGMENT_CORE, SP_FACT_FRAGMENT_EXTENDED, SP_FACT_FRAGMENT_LOCALIZED};
    SP_ASSERT(k < SP_DERIVED_KINDS);
    return facts[k];
}

/* ---- the canonical form -------------------------------------------------------- */

static enum sp_err digest_waiting(struct reader *r, struct form *f)
{
    struct sp_view waiting = sp_view(f->waiting, f->len);
    f->len = 0;
    return sp_duet_add(f->digest, waiting, r->beside);
}

static enum sp_err hash(struct reader *r, enum sp_derived_kind k, struct sp_view v)
{
    struct form *f = &r->forms[k];
    if (!f->digest) {
        SP_TRY(sp_duet_new(!r->beside, &f->digest));
    }
    if (v.len > sizeof f->waiting - f->len) {
        SP_TRY(digest_waiting(r, f));
    }
    if (v.len > sizeof f->waiting) {
        return sp_duet_add(f->digest, v, r->beside);
    }
    if (v.len) {
        memcpy(f->waiting + f->len, v.data, v.len);
        f->len += v.len;
    }
    return SP_OK;
}

/* Text of blanks only stands between elements and says nothing. */
static enum sp_err hash_text(struct reader *r)
{
    struct sp_view text = sp_buf_view(&r->text);
    if (r->inside && sp_view_trim(text, BLANKS).len) {
        SP_TRY(hash(r, r->at, MARK_TEXT));
        SP_TRY(hash(r, r->at, text));
    }
    sp_buf_clear(&r->text);
    return SP_OK;
}

/* The reference's 5.7: three kinds of names keep a prefix, which a fragment spells as a
 * part of the name. */
static struct sp_view prefix_of(struct sp_view ns)
{
    static const struct {
        const char *ns, *prefix;
    } known[] = {{NS_MSUS "BaseApplicabilityRules", "b."},
                 {NS_MSUS "MsiApplicabilityRules", "m."},
                 {NS_MSUS "UpdateHandlers/WindowsDriver", "d."}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (sp_view_eq_str(ns, known[i].ns)) {
            return sp_view_str(known[i].prefix);
        }
    }
    return SP_VIEW("");
}

static bool is_among(struct sp_view name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sp_view_eq_str(name, list[i])) {
            return true;
        }
    }
    return false;
}
#define IS_AMONG(name, list) is_among(name, list, sizeof(list) / sizeof(list)[0])

/* Of Properties, what stays in core; nothing else may stand there. */
static bool stays_in_core(const struct reader *r, struct sp_view name)
{
    static const char *const core[] = {"UpdateType", "ExplicitlyDeployable",
                                       "AutoSelectOnWebSites", "EulaID", "OSUpgrade"};
    return !r->of_document || IS_AMONG(name, core);
}

/* What is known to stay in extended, and what is known to be left out of it, so that it
 * may not stand there. Of the rest nothing is known. */
static bool stays_in_extended(const struct reader *r, struct sp_view name)
{
    static const char *const stays[] = {"DefaultPropertiesLanguage", "Handler",
                                        "MaxDownloadSize", "MinDownloadSize"};
    static const char *const is_left_out[] = {"UpdateType",
                                              "ExplicitlyDeployable",
                                              "AutoSelectOnWebSites",
                                              "EulaID",
                                              "PublicationState",
                                              "PublisherID",
                                              "CreationDate",
                                              "IsPublic",
                                              "LegacyName",
                                              "DetectoidType",
                                              "OSUpgrade"};
    return IS_AMONG(name, stays) || (!r->of_document && IS_AMONG(name, is_left_out));
}

static bool is_compared(const struct reader *r, enum sp_derived_kind k,
                        enum state state, struct sp_view name)
{
    if (state == PROPERTIES && k == SP_DERIVED_CORE) {
        return stays_in_core(r, name);
    }
    return state == PROPERTIES || state == EXTENDED_PROPERTIES
               ? stays_in_extended(r, name)
               : true;
}

static int by_name(const void *a, const void *b)
{
    const struct sp_xml_attr *const *x = a, *const *y = b;
    int c = sp_view_cmp((*x)->name.local, (*y)->name.local);
    return c ? c : sp_view_cmp((*x)->value, (*y)->value);
}

static enum sp_err hash_folded(struct reader *r, enum sp_derived_kind k,
                               struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.data[i];
        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
        SP_TRY(hash(r, k, sp_view(&c, 1)));
    }
    return SP_OK;
}

static enum sp_err hash_attribute(struct reader *r, enum sp_derived_kind k,
                                  const struct sp_xml_attr *a)
{
    static const char *const ids[] = {"UpdateID", "EulaID"};
    SP_TRY(hash(r, k, MARK_ATTRIBUTE));
    SP_TRY(hash(r, k, a->name.local));
    SP_TRY(hash(r, k, MARK_VALUE));
    return IS_AMONG(a->name.local, ids) ? hash_folded(r, k, a->value)
                                        : hash(r, k, a->value);
}

static enum sp_err hash_element(struct reader *r, enum sp_derived_kind k,
                                enum state state, struct sp_view name,
                                const struct sp_xml_element *e)
{
    const struct sp_xml_attr *sorted[SP_LIMIT_XML_ATTRIBUTES];
    size_t n = 0;
    for (size_t i = 0; i < e->attr_count; i++) {
        if (is_compared(r, k, state, e->attrs[i].name.local)) {
            sorted[n++] = &e->attrs[i];
        }
    }
    if (n) {
        qsort(sorted, n, sizeof sorted[0], by_name);
    }
    SP_TRY(hash(r, k, MARK_ELEMENT));
    SP_TRY(hash(r, k, prefix_of(e->name.ns)));
    SP_TRY(hash(r, k, name));
    for (size_t i = 0; i < n; i++) {
        SP_TRY(hash_attribute(r, k, sorted[i]));
    }
    return SP_OK;
}

/* ---- parts --------------------------------------------------------------------- */

static void read_identity(struct reader *r, const struct sp_xml_element *e)
{
    struct sp_view id, number;
    int64_t n = 0;
    if (!r->out || !sp_xml_attr(e, "", "UpdateID", &id) ||
        !sp_xml_attr(e, "", "RevisionNumber", &number) ||
        sp_guid_parse(id, &r->out->id.id) != SP_OK ||
        sp_i64_parse(number, 0, INT32_MAX, &n) != SP_OK) {
        return;
    }
    r->out->id.number = (int32_t)n;
    r->out->has_id = true;
}

static enum sp_err open_part(struct reader *r, enum sp_derived_kind k, enum state state,
                             struct sp_view name, const struct sp_xml_element *e)
{
    r->inside = true;
    r->at = k;
    r->part_depth = r->path.depth;
    return hash_element(r, k, state, name, e);
}

/* Properties of a document are part of two fragments; their children of one. */
static enum sp_err open_properties(struct reader *r, const struct sp_xml_element *e)
{
    if (!r->of_document) {
        return open_part(r, SP_DERIVED_CORE, PROPERTIES, e->name.local, e);
    }
    SP_TRY(hash_element(r, SP_DERIVED_CORE, PROPERTIES, e->name.local, e));
    SP_TRY(hash(r, SP_DERIVED_CORE, MARK_END));
    return open_part(r, SP_DERIVED_EXTENDED, EXTENDED_PROPERTIES,
                     SP_VIEW("ExtendedProperties"), e);
}

static enum sp_err open_any_part(struct reader *r, enum state state,
                                 const struct sp_xml_element *e)
{
    switch ((int)state) {
    case IDENTITY:
        read_identity(r, e);
        return open_part(r, SP_DERIVED_CORE, state, e->name.local, e);
    case RELATIONSHIPS:
    case RULES:
        return open_part(r, SP_DERIVED_CORE, state, e->name.local, e);
    case PROPERTIES:
        return open_properties(r, e);
    case EXTENDED_PROPERTIES:
    case FILES:
    case HANDLER_DATA:
        return open_part(r, SP_DERIVED_EXTENDED, state, e->name.local, e);
    case LOCALIZED:
        return open_part(r, SP_DERIVED_LOCALIZED, state, e->name.local, e);
    }
    return SP_OK;
}

static enum sp_err finish_digest(struct reader *r, enum sp_derived_kind k,
                                 uint8_t sha256[32])
{
    struct form *f = &r->forms[k];
    enum sp_err e = digest_waiting(r, f);
    e = e == SP_OK ? sp_duet_end(f->digest, sha256) : e;
    sp_duet_free(&f->digest);
    return e;
}

static enum sp_err state_digest(struct reader *r, enum sp_derived_kind k)
{
    uint8_t sha256[32];
    if (!r->forms[k].digest) {
        return SP_OK;
    }
    SP_TRY(finish_digest(r, k, sha256));
    return sp_facts_bytes(r->facts, sp_derived_fact(k), sp_view(sha256, 32));
}

static enum sp_err close_part(struct reader *r)
{
    SP_TRY(hash(r, r->at, MARK_END));
    if (r->path.depth >= r->part_depth) {
        return SP_OK;
    }
    r->inside = false;
    return r->of_document && r->at == SP_DERIVED_LOCALIZED ? state_digest(r, r->at)
                                                           : SP_OK;
}

/* ---- events -------------------------------------------------------------------- */

/* Names of the frame as a fragment spells them: in no namespace. */
static struct sp_xml_name plain(const struct reader *r, struct sp_xml_name name)
{
    if (r->of_document && sp_view_eq_str(name.ns, NS_UPDATE)) {
        name.ns = SP_VIEW("");
    }
    return name;
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct reader *r = ctx;
    (void)x;
    enum state state = sp_path_enter(&r->path, plain(r, e->name));
    if (r->skip_depth) {
        return SP_OK;
    }
    SP_TRY(hash_text(r));
    if (!r->inside) {
        return open_any_part(r, state, e);
    }
    if (state == NOT_COMPARED) {
        r->skip_depth = r->path.depth;
        return SP_OK;
    }
    return hash_element(r, r->at, state, e->name.local, e);
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct reader *r = ctx;
    (void)x;
    return r->inside && !r->skip_depth ? sp_buf_append(&r->text, text) : SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct reader *r = ctx;
    (void)x, (void)name;
    (void)sp_path_leave(&r->path);
    if (r->skip_depth) {
        r->skip_depth = r->path.depth < r->skip_depth ? 0 : r->skip_depth;
        return SP_OK;
    }
    SP_TRY(hash_text(r));
    return r->inside ? close_part(r) : SP_OK;
}

static const struct sp_xml_handler handler = {on_start, on_text, on_end};

static void reader_init(struct reader *r)
{
    r->path =
        (struct sp_path){.steps = steps, .step_count = sizeof steps / sizeof steps[0]};
    sp_buf_init(&r->text, SP_LIMIT_DOCUMENT);
}

static void reader_fini(struct reader *r)
{
    for (size_t k = 0; k < SP_DERIVED_KINDS; k++) {
        sp_duet_free(&r->forms[k].digest);
    }
    sp_buf_fini(&r->text);
}

enum sp_err sp_fragments_derive(struct sp_view utf8, struct sp_facts *f,
                                uint8_t sha256[32], struct sp_why *why)
{
    struct sp_duet_text whole;
    SP_AUTO(reader_fini)
    struct reader r = {.of_document = true,
                       .facts = f,
                       .beside = sp_duet_is_worth(utf8.len) ? &whole : NULL};
    reader_init(&r);
    sp_duet_text_begin(&whole, utf8);
    SP_TRY(sp_xml_read(utf8, &sp_xml_rules_document, &handler, &r, why));
    SP_TRY(state_digest(&r, SP_DERIVED_CORE));
    SP_TRY(state_digest(&r, SP_DERIVED_EXTENDED));
    sp_duet_text_end(&whole, sha256);
    return SP_OK;
}

static enum sp_err read_framed(struct sp_view utf8, struct reader *r,
                               struct sp_why *why)
{
    SP_AUTO(sp_xml_free) struct sp_xml *x = NULL;
    SP_TRY(sp_xml_new(&sp_xml_rules_document, &handler, r, &x));
    SP_TRY(sp_xml_feed(x, FRAME_OPEN, why));
    SP_TRY(sp_xml_feed(x, utf8, why));
    SP_TRY(sp_xml_feed(x, FRAME_CLOSE, why));
    return sp_xml_finish(x, why);
}

enum sp_err sp_derived_read(struct sp_view utf8, struct sp_derived_parts *out,
                            struct sp_why *why)
{
    struct sp_derived_parts parts = {0};
    SP_AUTO(reader_fini) struct reader r = {.out = &parts};
    reader_init(&r);
    SP_TRY(read_framed(utf8, &r, why));
    for (enum sp_derived_kind k = 0; k < SP_DERIVED_KINDS; k++) {
        parts.has[k] = r.forms[k].digest != NULL;
        if (parts.has[k]) {
            SP_TRY(finish_digest(&r, k, parts.sha256[k]));
        }
    }
    *out = parts;
    return SP_OK;
}
