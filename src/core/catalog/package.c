#include "core/catalog/catalog.h"

#include "core/xml/xml.h"

#include <stdio.h>
#include <stdlib.h>

struct sp_package_reader {
    struct sp_catalog_sink sink;
    struct sp_xml *xml; /* owned */
    bool in_update;
    bool in_files;     /* inside of PayloadFiles or EulaFiles */
    uint64_t revision; /* of the Update at work */
};

static bool is(const struct sp_xml_element *e, const char *local)
{
    return sp_view_eq_str(e->name.local, local);
}

static struct sp_view attr(const struct sp_xml_element *e, const char *name)
{
    struct sp_view v = {0};
    (void)sp_xml_attr(e, "", name, &v);
    return v;
}

static enum sp_err wrong(struct sp_xml *x, const struct sp_xml_element *e,
                         const char *name)
{
    return sp_why_set(sp_xml_why(x), SP_E_MALFORMED,
                      SP_VIEW_FMT "/@%s is not what it must be",
                      SP_VIEW_ARG(e->name.local), name);
}

static enum sp_err take_guid(struct sp_xml *x, const struct sp_xml_element *e,
                             const char *name, struct sp_guid *out)
{
    return sp_guid_parse(attr(e, name), out) == SP_OK ? SP_OK : wrong(x, e, name);
}

static enum sp_err take_number(struct sp_xml *x, const struct sp_xml_element *e,
                               const char *name, uint64_t *out)
{
    return sp_u64_parse(attr(e, name), INT32_MAX, out) == SP_OK ? SP_OK
                                                                : wrong(x, e, name);
}

static enum sp_err take_sha1(struct sp_xml *x, const struct sp_xml_element *e,
                             uint8_t out[20])
{
    return sp_base64_parse_exact(attr(e, "Id"), out, 20) == SP_OK ? SP_OK
                                                                  : wrong(x, e, "Id");
}

/* Seconds are enough; a fraction behind them is let go. */
static enum sp_err take_time(struct sp_xml *x, const struct sp_xml_element *e,
                             const char *name, int64_t *out)
{
    enum { SECONDS = 19 };
    struct sp_view v = attr(e, name);
    char text[SP_TIME_TEXT];
    snprintf(text, sizeof text, "%.*sZ", SECONDS,
             v.len < SECONDS ? "" : (const char *)v.data);
    return sp_time_parse(sp_view_str(text), out) == SP_OK ? SP_OK : wrong(x, e, name);
}

static enum sp_err on_package(struct sp_package_reader *r, struct sp_xml *x,
                              const struct sp_xml_element *e)
{
    struct sp_catalog_package p;
    if (!is(e, "OfflineSyncPackage")) {
        return sp_why_set(sp_xml_why(x), SP_E_MALFORMED,
                          "the document is no OfflineSyncPackage");
    }
    SP_TRY(take_guid(x, e, "PackageId", &p.id));
    SP_TRY(take_time(x, e, "CreationDate", &p.created));
    return r->sink.package(r->sink.ctx, &p);
}

static enum sp_err on_update(struct sp_package_reader *r, struct sp_xml *x,
                             const struct sp_xml_element *e)
{
    struct sp_catalog_update u = {.created = attr(e, "CreationDate"),
                                  .deployment = attr(e, "DeploymentAction")};
    uint64_t number = 0;
    SP_TRY(take_guid(x, e, "UpdateId", &u.id));
    SP_TRY(take_number(x, e, "RevisionNumber", &number));
    SP_TRY(take_number(x, e, "RevisionId", &u.revision));
    u.number = (int64_t)number;
    r->in_update = true;
    r->revision = u.revision;
    return r->sink.update(r->sink.ctx, &u);
}

static enum sp_err on_file(struct sp_package_reader *r, struct sp_xml *x,
                           const struct sp_xml_element *e)
{
    uint8_t sha1[20];
    SP_TRY(take_sha1(x, e, sha1));
    return r->sink.payload(r->sink.ctx, r->revision, sha1);
}

static enum sp_err on_location(struct sp_package_reader *r, struct sp_xml *x,
                               const struct sp_xml_element *e)
{
    uint8_t sha1[20];
    SP_TRY(take_sha1(x, e, sha1));
    struct sp_view url = attr(e, "Url");
    return url.len <= SP_LIMIT_CATALOG_TEXT ? r->sink.location(r->sink.ctx, sha1, url)
                                            : wrong(x, e, "Url");
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct sp_package_reader *r = ctx;
    if (e->depth == 1) {
        return on_package(r, x, e);
    }
    if (!r->in_update && is(e, "Update")) {
        return on_update(r, x, e);
    }
    if (r->in_update && (is(e, "PayloadFiles") || is(e, "EulaFiles"))) {
        r->in_files = true;
    }
    if (r->in_files && is(e, "File")) {
        return on_file(r, x, e);
    }
    return is(e, "FileLocation") ? on_location(r, x, e) : SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct sp_package_reader *r = ctx;
    (void)x;
    if (sp_view_eq_str(name.local, "Update")) {
        r->in_update = false;
    }
    if (sp_view_eq_str(name.local, "PayloadFiles") ||
        sp_view_eq_str(name.local, "EulaFiles")) {
        r->in_files = false;
    }
    return SP_OK;
}

static const struct sp_xml_handler handler = {.start = on_start, .end = on_end};

enum sp_err sp_package_new(const struct sp_catalog_sink *sink,
                           struct sp_package_reader **out)
{
    SP_AUTO(sp_package_free) struct sp_package_reader *r = calloc(1, sizeof *r);
    if (!r) {
        return SP_E_NOMEM;
    }
    r->sink = *sink;
    SP_TRY(sp_xml_new(&sp_xml_rules_stream, &handler, r, &r->xml));
    *out = r;
    r = NULL;
    return SP_OK;
}

enum sp_err sp_package_feed(struct sp_package_reader *r, struct sp_view piece,
                            struct sp_why *why)
{
    return sp_xml_feed(r->xml, piece, why);
}

enum sp_err sp_package_finish(struct sp_package_reader *r, struct sp_why *why)
{
    return sp_xml_finish(r->xml, why);
}

void sp_package_free(struct sp_package_reader **r)
{
    if (*r) {
        sp_xml_free(&(*r)->xml);
        free(*r);
        *r = NULL;
    }
}
