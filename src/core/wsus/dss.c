#include "core/wsus/dss.h"

#include "core/crypto/crypto.h"
#include "core/wsus/names.h"
#include "core/xml/xml.h"

#include <stdio.h>
#include <string.h>

enum { TICKET_MAX = 16 * 1024, ANCHOR_MAX = 1024 };

enum sp_op sp_dss_op(enum sp_dss_step s)
{
    static const enum sp_op ops[] = {
        [SP_DSS_AUTHORIZE] = SP_OP_DSS_GET_AUTHORIZATION_COOKIE,
        [SP_DSS_COOKIE] = SP_OP_GET_COOKIE,
        [SP_DSS_LIST] = SP_OP_GET_REVISION_ID_LIST,
        [SP_DSS_DATA] = SP_OP_GET_UPDATE_DATA,
    };
    return ops[s];
}

void sp_dss_init(struct sp_dss *d, const struct sp_guid *account)
{
    d->account = *account;
    sp_buf_init(&d->ticket, TICKET_MAX);
    sp_buf_init(&d->expiration, ANCHOR_MAX);
    sp_buf_init(&d->cookie, TICKET_MAX);
    sp_buf_init(&d->anchor, ANCHOR_MAX);
}

void sp_dss_fini(struct sp_dss *d)
{
    sp_buf_fini(&d->ticket);
    sp_buf_fini(&d->expiration);
    sp_buf_fini(&d->cookie);
    sp_buf_fini(&d->anchor);
}

void sp_dss_forget(struct sp_dss *d)
{
    sp_buf_clear(&d->ticket);
    sp_buf_clear(&d->expiration);
    sp_buf_clear(&d->cookie);
    sp_buf_clear(&d->anchor);
}

/* ---- requests ------------------------------------------------------------------ */

static enum sp_err write_element(struct sp_buf *out, const char *name,
                                 const struct sp_buf *text)
{
    SP_TRY(sp_buf_printf(out, "<%s>", name));
    SP_TRY(sp_xml_write_text(out, sp_buf_view(text)));
    return sp_buf_printf(out, "</%s>", name);
}

/* [MS-WSUSSS] 2.2.3.4 AuthorizationCookie, 3.1.4.2 GetCookie */
static enum sp_err write_login(const struct sp_dss *d, struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, "<authCookies><AuthorizationCookie>"
                                  "<PlugInId>DssTargeting</PlugInId>"));
    SP_TRY(write_element(out, "CookieData", &d->ticket));
    return sp_buf_append_str(out, "</AuthorizationCookie></authCookies>"
                                  "<protocolVersion>1.20</protocolVersion>");
}

static enum sp_err write_cookie(const struct sp_dss *d, struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, "<cookie>"));
    SP_TRY(write_element(out, "Expiration", &d->expiration));
    SP_TRY(write_element(out, "EncryptedData", &d->cookie));
    return sp_buf_append_str(out, "</cookie>");
}

static enum sp_err write_filter(const struct sp_dss *d, struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, "<filter>"));
    if (d->anchor.len) {
        SP_TRY(write_element(out, "Anchor", &d->anchor));
    }
    return sp_buf_append_str(out, "<GetConfig>false</GetConfig>"
                                  "<Get63LanguageOnly>false</Get63LanguageOnly>"
                                  "</filter>");
}

static enum sp_err write_ids(const struct sp_revision_id *ids, size_t count,
                             struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, "<updateIds>"));
    for (size_t i = 0; i < count; i++) {
        char guid[SP_GUID_TEXT];
        sp_guid_format(&ids[i].id, guid);
        SP_TRY(sp_buf_printf(out,
                             "<UpdateIdentity><UpdateID>%s</UpdateID>"
                             "<RevisionNumber>%d</RevisionNumber></UpdateIdentity>",
                             guid, ids[i].number));
    }
    return sp_buf_append_str(out, "</updateIds>");
}

static enum sp_err write_members(const struct sp_dss *d, enum sp_dss_step s,
                                 const struct sp_revision_id *ids, size_t count,
                                 struct sp_buf *out)
{
    char guid[SP_GUID_TEXT];
    switch (s) {
    case SP_DSS_AUTHORIZE:
        sp_guid_format(&d->account, guid);
        return sp_buf_printf(out,
                             "<accountName>sallyport</accountName>"
                             "<accountGuid>%s</accountGuid><programKeys />",
                             guid);
    case SP_DSS_COOKIE:
        return write_login(d, out);
    case SP_DSS_LIST:
        SP_TRY(write_cookie(d, out));
        return write_filter(d, out);
    case SP_DSS_DATA:
        SP_TRY(write_cookie(d, out));
        return write_ids(ids, count, out);
    }
    SP_ASSERT(false);
    return SP_E_INTERNAL;
}

enum sp_err sp_dss_ask(const struct sp_dss *d, enum sp_dss_step s,
                       const struct sp_revision_id *ids, size_t count,
                       struct sp_buf *out)
{
    const char *op = sp_op_text(sp_dss_op(s));
    SP_ASSERT(count <= SP_LIMIT_UPDATE_IDS);
    SP_TRY(sp_buf_printf(
        out,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap="
        "\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><%s xmlns=\"%s\">",
        op, s == SP_DSS_AUTHORIZE ? NS_DSS_AUTH : NS_WSUS));
    SP_TRY(write_members(d, s, ids, count, out));
    return sp_buf_printf(out, "</%s></soap:Body></soap:Envelope>", op);
}

/* ---- replies ------------------------------------------------------------------- */

struct reader {
    struct sp_dss *d; /* borrowed */
    enum sp_dss_step step;
    struct sp_dss_list list;
    struct sp_buf *to;   /* borrowed: where the text at hand goes; NULL: nowhere */
    struct sp_buf value; /* owned: a part of an identity */
    bool is_reply;
};

static struct sp_buf *place_of(struct reader *r, struct sp_view name)
{
    const struct {
        enum sp_dss_step step;
        const char *name;
        struct sp_buf *place;
    } places[] = {
        {SP_DSS_AUTHORIZE, "CookieData", &r->d->ticket},
        {SP_DSS_COOKIE, "Expiration", &r->d->expiration},
        {SP_DSS_COOKIE, "EncryptedData", &r->d->cookie},
        {SP_DSS_LIST, "Anchor", &r->d->anchor},
        {SP_DSS_LIST, "UpdateID", &r->value},
        {SP_DSS_LIST, "RevisionNumber", &r->value},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].step == r->step && sp_view_eq_str(name, places[i].name)) {
            return places[i].place;
        }
    }
    return NULL;
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct reader *r = ctx;
    char wanted[64];
    (void)x;
    if (e->depth == 3) {
        snprintf(wanted, sizeof wanted, "%sResponse", sp_op_text(sp_dss_op(r->step)));
        r->is_reply = sp_view_eq_str(e->name.local, wanted);
    }
    r->to = place_of(r, e->name.local);
    if (r->to) {
        sp_buf_clear(r->to);
    }
    return SP_OK;
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct reader *r = ctx;
    (void)x;
    return r->to ? sp_buf_append(r->to, text) : SP_OK;
}

static enum sp_err on_finish(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct reader *r = ctx;
    (void)x;
    if (r->to == &r->value) {
        sp_sha256_joined(sp_view(r->list.digest, sizeof r->list.digest),
                         sp_buf_view(&r->value), r->list.digest);
        r->list.count += sp_view_eq_str(name.local, "RevisionNumber");
    }
    r->to = NULL;
    return SP_OK;
}

static bool is_whole(const struct reader *r)
{
    switch (r->step) {
    case SP_DSS_AUTHORIZE:
        return r->d->ticket.len > 0;
    case SP_DSS_COOKIE:
        return r->d->cookie.len > 0;
    case SP_DSS_LIST:
        return r->d->anchor.len > 0;
    case SP_DSS_DATA:
        break;
    }
    return false;
}

enum sp_err sp_dss_take(struct sp_dss *d, enum sp_dss_step s, int status,
                        struct sp_view body, struct sp_dss_list *list,
                        struct sp_why *why)
{
    static const struct sp_xml_handler handler = {on_start, on_text, on_finish};
    struct reader r = {.d = d, .step = s};
    const char *op = sp_op_text(sp_dss_op(s));
    if (status != 200) {
        return sp_why_set(why, SP_E_PROTOCOL, "%s was answered with status %d", op,
                          status);
    }
    sp_buf_init(&r.value, ANCHOR_MAX);
    enum sp_err e = sp_xml_read(body, &sp_xml_rules_reply, &handler, &r, why);
    sp_buf_fini(&r.value);
    SP_TRY(e);
    if (!r.is_reply || !is_whole(&r)) {
        return sp_why_set(why, SP_E_PROTOCOL, "the answer to %s is not its reply", op);
    }
    if (s == SP_DSS_LIST) {
        *list = r.list;
    }
    return SP_OK;
}
