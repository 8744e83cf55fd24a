/* Fragments of packageN.cab: see 5.7 of how servers derive them from a document. */
#include "core/catalog/catalog.h"

#include "core/xml/xml.h"

#include <string.h>

/* x/300001 and l/en/300001; titles in other languages are not kept. */
enum sp_fragment sp_fragment_of(struct sp_view name, uint64_t *revision)
{
    static const struct {
        enum sp_fragment kind;
        const char *folder, *spelled;
    } folders[] = {{SP_FRAGMENT_EXTENDED, "x/", "x\\"},
                   {SP_FRAGMENT_LOCALIZED, "l/en/", "l\\en\\"}};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t n = strlen(folders[i].folder);
        if ((sp_view_starts(name, sp_view_str(folders[i].folder)) ||
             sp_view_starts(name, sp_view_str(folders[i].spelled))) &&
            sp_u64_parse(sp_view_slice(name, n, name.len), INT32_MAX, revision) ==
                SP_OK) {
            return folders[i].kind;
        }
    }
    return SP_FRAGMENT_OTHER;
}

struct text {
    char bytes[SP_LIMIT_CATALOG_TEXT];
    size_t len;
};
struct fragment {
    const struct sp_catalog_sink *sink; /* borrowed */
    enum sp_fragment kind;
    uint64_t revision;
    struct text *into; /* borrowed: where text goes; NULL: nowhere */
    struct text kb, bulletin, severity, title, name, digest;
    bool in_file, is_sha256;
    struct sp_catalog_file file;
};

static struct sp_view view(const struct text *t)
{
    return sp_view_trim(sp_view(t->bytes, t->len), " \t\r\n");
}

static enum sp_err put(struct text *t, struct sp_view v)
{
    if (v.len > sizeof t->bytes - t->len) {
        return SP_E_LIMIT;
    }
    memcpy(t->bytes + t->len, v.len ? (const void *)v.data : "", v.len);
    t->len += v.len;
    return SP_OK;
}

static struct sp_view attr(const struct sp_xml_element *e, const char *name)
{
    struct sp_view v = {0};
    (void)sp_xml_attr(e, "", name, &v);
    return v;
}

/* A file without a SHA-1 or a size is one this index has no place for. */
static enum sp_err begin_file(struct fragment *f, const struct sp_xml_element *e)
{
    struct sp_view algorithm = attr(e, "DigestAlgorithm");
    f->file = (struct sp_catalog_file){0};
    f->name.len = 0;
    f->in_file = (algorithm.len == 0 || sp_view_eq_fold(algorithm, SP_VIEW("SHA1"))) &&
                 sp_base64_parse_exact(attr(e, "Digest"), f->file.sha1, 20) == SP_OK &&
                 sp_u64_parse(attr(e, "Size"), INT64_MAX, &f->file.size) == SP_OK;
    return put(&f->name, attr(e, "FileName"));
}

static struct text *place_of(struct fragment *f, const struct sp_xml_element *e)
{
    struct sp_view name = e->name.local;
    if (f->kind == SP_FRAGMENT_LOCALIZED) {
        return sp_view_eq_str(name, "Title") && f->title.len == 0 ? &f->title : NULL;
    }
    if (sp_view_eq_str(name, "KBArticleID") && f->kb.len == 0) {
        return &f->kb;
    }
    if (sp_view_eq_str(name, "SecurityBulletinID") && f->bulletin.len == 0) {
        return &f->bulletin;
    }
    if (f->in_file && sp_view_eq_str(name, "AdditionalDigest")) {
        f->digest.len = 0;
        f->is_sha256 = sp_view_eq_fold(attr(e, "Algorithm"), SP_VIEW("SHA256"));
        return &f->digest;
    }
    return NULL;
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct fragment *f = ctx;
    (void)x;
    f->into = place_of(f, e);
    if (f->kind != SP_FRAGMENT_EXTENDED) {
        return SP_OK;
    }
    if (sp_view_eq_str(e->name.local, "ExtendedProperties") && f->severity.len == 0) {
        return put(&f->severity, attr(e, "MsrcSeverity"));
    }
    return sp_view_eq_str(e->name.local, "File") ? begin_file(f, e) : SP_OK;
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view piece)
{
    struct fragment *f = ctx;
    (void)x;
    return f->into ? put(f->into, piece) : SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct fragment *f = ctx;
    if (f->into == &f->digest && f->is_sha256) {
        f->file.has_sha256 = true;
        if (sp_base64_parse_exact(view(&f->digest), f->file.sha256, 32) != SP_OK) {
            return sp_why_set(sp_xml_why(x), SP_E_MALFORMED,
                              "an AdditionalDigest is no SHA-256");
        }
    }
    f->into = NULL;
    if (!f->in_file || !sp_view_eq_str(name.local, "File")) {
        return SP_OK;
    }
    f->in_file = false;
    f->file.name = view(&f->name);
    return f->sink->file(f->sink->ctx, &f->file);
}

static const struct sp_xml_handler handler = {
    .start = on_start, .text = on_text, .end = on_end};

static enum sp_err read_wrapped(struct fragment *f, struct sp_view text,
                                struct sp_why *why)
{
    SP_AUTO(sp_xml_free) struct sp_xml *x = NULL;
    SP_TRY(sp_xml_new(&sp_xml_rules_stream, &handler, f, &x));
    if (sp_view_starts(text, SP_VIEW("\xef\xbb\xbf"))) {
        text = sp_view_slice(text, 3, text.len);
    }
    SP_TRY(sp_xml_feed(x, SP_VIEW("<fragments>"), why));
    SP_TRY(sp_xml_feed(x, text, why));
    SP_TRY(sp_xml_feed(x, SP_VIEW("</fragments>"), why));
    return sp_xml_finish(x, why);
}

enum sp_err sp_fragment_read(enum sp_fragment kind, uint64_t revision,
                             struct sp_view text, const struct sp_catalog_sink *sink,
                             struct sp_why *why)
{
    struct fragment f = {.sink = sink, .kind = kind, .revision = revision};
    SP_ASSERT(kind != SP_FRAGMENT_OTHER);
    SP_TRY(read_wrapped(&f, text, why));
    if (kind == SP_FRAGMENT_LOCALIZED) {
        return sink->title(sink->ctx, revision, view(&f.title));
    }
    struct sp_catalog_details d = {.revision = revision,
                                   .kb = view(&f.kb),
                                   .bulletin = view(&f.bulletin),
                                   .severity = view(&f.severity)};
    return sink->details(sink->ctx, &d);
}
