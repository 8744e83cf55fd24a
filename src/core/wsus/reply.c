/* Reads a reply: a fault, or the response that belongs to the operation. Elements that
 * a newer server adds are passed over, since the reply is handed on as it came. */
#include "core/wsus/names.h"
#include "core/wsus/op.h"
#include "core/wsus/path.h"
#include "core/wsus/reply_listed.h"
#include "core/wsus/reply_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* A GUID, a number, a digest, an address, an ErrorCode, a cookie. */
#define TEXT_MAX       SP_KIB(16)
#define NAME_MAX_BYTES 64

/* File names of a thousand updates. */
#define ARENA_MAX SP_MIB(64)
#define FACTS_MAX SP_MIB(1)

enum state {
    UNKNOWN = SP_PATH_UNKNOWN,
    START = SP_PATH_START,
    ENVELOPE,
    BODY,
    FAULT_ELEMENT,
    FAULT_DETAIL,
    FAULT_CODE,
    RESPONSE,
    RESULT,
    AUTH_INFO,
    PLUG_IN,
    SERVICE_URL,
    NEW_COOKIE,
    COOKIE_DATA,
    EXTENDED_INFO,
    LOCATIONS,
    LOCATION,
    FILE_DIGEST,
    FILE_URL,
    UPDATES,
    UPDATE,
    UPDATE_IDENTITY,
    UPDATE_ID,
    REVISION_NUMBER,
    BLOB,
    CABINET,
    DIGESTS,
    DIGEST,
    REVISIONS,
    LISTED,
    LISTED_ID,
    LISTED_NUMBER,
    ADDRESSES,
    ADDRESS,
    ADDRESS_DIGEST,
    ADDRESS_URL,
    ANCHOR,
    CLIENT_UPDATES,
    CLIENT_UPDATE,
    CLIENT_NUMBER,
    CLIENT_XML,
    GLOBAL_ID,
    GLOBAL_UPDATE,
    GLOBAL_REVISION
};

/* NULL stands for what the operation names: its namespace, and in the first two rows of
 * the service its elements. */
static const struct sp_path_step steps[] = {
    {BODY, NULL, NULL, RESPONSE},
    {RESPONSE, NULL, NULL, RESULT},
    {START, NS_SOAP, "Envelope", ENVELOPE},
    {ENVELOPE, NS_SOAP, "Body", BODY},
    {BODY, NS_SOAP, "Fault", FAULT_ELEMENT},
    {FAULT_ELEMENT, "", "detail", FAULT_DETAIL},
    {FAULT_DETAIL, "", "ErrorCode", FAULT_CODE},
    {RESULT, NULL, "AuthInfo", AUTH_INFO},
    {AUTH_INFO, NULL, "AuthPlugInInfo", PLUG_IN},
    {PLUG_IN, NULL, "ServiceUrl", SERVICE_URL},
    {RESULT, NULL, "CookieData", COOKIE_DATA},
    {RESULT, NULL, "EncryptedData", COOKIE_DATA},
    {RESULT, NULL, "NewCookie", NEW_COOKIE},
    {NEW_COOKIE, NULL, "EncryptedData", COOKIE_DATA},
    {RESULT, NULL, "ExtendedUpdateInfo", EXTENDED_INFO},
    {EXTENDED_INFO, NULL, "FileLocations", LOCATIONS},
    {RESULT, NULL, "FileLocations", LOCATIONS},
    {LOCATIONS, NULL, "FileLocation", LOCATION},
    {LOCATION, NULL, "FileDigest", FILE_DIGEST},
    {LOCATION, NULL, "Url", FILE_URL},
    {RESULT, NULL, "updates", UPDATES},
    {UPDATES, NULL, "ServerSyncUpdateData", UPDATE},
    {UPDATE, NULL, "Id", UPDATE_IDENTITY},
    {UPDATE_IDENTITY, NULL, "UpdateID", UPDATE_ID},
    {UPDATE_IDENTITY, NULL, "RevisionNumber", REVISION_NUMBER},
    {UPDATE, NULL, "XmlUpdateBlob", BLOB},
    {UPDATE, NULL, "XmlUpdateBlobCompressed", CABINET},
    {UPDATE, NULL, "FileDigestList", DIGESTS},
    {DIGESTS, NULL, "base64Binary", DIGEST},
    {RESULT, NULL, "Anchor", ANCHOR},
    {RESULT, NULL, "NewRevisions", REVISIONS},
    {REVISIONS, NULL, "UpdateIdentity", LISTED},
    {LISTED, NULL, "UpdateID", LISTED_ID},
    {LISTED, NULL, "RevisionNumber", LISTED_NUMBER},
    {RESULT, NULL, "fileUrls", ADDRESSES},
    {ADDRESSES, NULL, "ServerSyncUrlData", ADDRESS},
    {ADDRESS, NULL, "FileDigest", ADDRESS_DIGEST},
    {ADDRESS, NULL, "MUUrl", ADDRESS_URL},
    {RESULT, NULL, "NewUpdates", CLIENT_UPDATES},
    {RESULT, NULL, "ChangedUpdates", CLIENT_UPDATES},
    {RESULT, NULL, "Updates", CLIENT_UPDATES},
    {EXTENDED_INFO, NULL, "Updates", CLIENT_UPDATES},
    {RESULT, NULL, "RefreshCacheResult", CLIENT_UPDATE},
    {CLIENT_UPDATES, NULL, "UpdateInfo", CLIENT_UPDATE},
    {CLIENT_UPDATES, NULL, "Update", CLIENT_UPDATE},
    {CLIENT_UPDATE, NULL, "ID", CLIENT_NUMBER},
    {CLIENT_UPDATE, NULL, "RevisionID", CLIENT_NUMBER},
    {CLIENT_UPDATE, NULL, "Xml", CLIENT_XML},
    {CLIENT_UPDATE, NULL, "GlobalID", GLOBAL_ID},
    {GLOBAL_ID, NULL, "UpdateID", GLOBAL_UPDATE},
    {GLOBAL_ID, NULL, "RevisionNumber", GLOBAL_REVISION},
};
#define STEPS (sizeof steps / sizeof steps[0])

struct reader {
    enum sp_op op;
    enum sp_reply_kind kind;
    struct sp_view body;    /* borrowed */
    struct sp_reply *reply; /* borrowed */
    struct sp_path path;
    struct sp_path_step steps[STEPS];
    char response[NAME_MAX_BYTES], result[NAME_MAX_BYTES];
    struct sp_buf text; /* of the element at hand */
    size_t bodies, contents, results;
    struct sp_view error_code; /* in the arena */
    struct sp_place place;     /* of that text, where it matters */
    struct sp_location_reader location;
    size_t from;                 /* where the listed thing or update at hand begins */
    struct sp_buf first, second; /* its texts: id and number, digest and address */
    struct sp_update_reader update;
    struct sp_fragment_reader fragment;
    bool arrives;     /* its beginning is gone before its end is here */
    size_t closes_at; /* where its response does; 0: not yet */
};

static void fill_steps(struct reader *r)
{
    const char *ns = sp_service_ns(sp_op_service(r->op));
    snprintf(r->response, sizeof r->response, "%sResponse", sp_op_text(r->op));
    snprintf(r->result, sizeof r->result, "%sResult", sp_op_text(r->op));
    memcpy(r->steps, steps, sizeof steps);
    r->steps[0].local = r->response;
    r->steps[1].local = r->result;
    for (size_t i = 0; i < STEPS; i++) {
        r->steps[i].ns = r->steps[i].ns ? r->steps[i].ns : ns;
    }
    r->path = (struct sp_path){.steps = r->steps, .step_count = STEPS};
}

static enum sp_err malformed(struct sp_xml *x, const char *sentence)
{
    return sp_why_set(sp_xml_why(x), SP_E_MALFORMED, "%s", sentence);
}

/* White space, which base64 may be broken with. */
static struct sp_view without_blanks(struct sp_buf *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (!memchr(BLANKS, text->data[i], sizeof BLANKS - 1)) {
            text->data[kept++] = text->data[i];
        }
    }
    text->len = kept;
    return sp_buf_view(text);
}

/* The envelope, its body, the one thing in it. */
static enum sp_err check_frame(struct reader *r, struct sp_xml *x,
                               const struct sp_xml_element *e, enum state from,
                               enum state state)
{
    if (e->depth == 1 && state != ENVELOPE) {
        return malformed(x, "the reply is no SOAP 1.1 envelope");
    }
    if (state == BODY && ++r->bodies > 1) {
        return malformed(x, "the envelope has two bodies");
    }
    if (from == BODY && (++r->contents > 1 || state == UNKNOWN)) {
        return malformed(x, "the body is not the response to this operation");
    }
    if (state == RESULT && ++r->results > 1) {
        return malformed(x, "the response has two results");
    }
    return SP_OK;
}

static bool holds_updates(const struct reader *r)
{
    return r->kind == SP_REPLY_UPDATE_DATA;
}

static bool lists_revisions(const struct reader *r)
{
    return r->op == SP_OP_GET_REVISION_ID_LIST;
}

static bool serves_clients(const struct reader *r)
{
    return sp_op_service(r->op) == SP_SERVICE_CLIENT;
}

static void begin_listed(struct reader *r, struct sp_xml *x)
{
    r->from = sp_xml_offset(x);
    sp_buf_clear(&r->first);
    sp_buf_clear(&r->second);
}

/* From its first tag to behind the '>' of its last, which begins where the reader is:
 * what ends here has members, so it does not end in the tag it began with. */
static struct sp_place place_here(const struct reader *r, struct sp_xml *x)
{
    size_t at = sp_xml_offset(x);
    struct sp_view rest = sp_view_slice(r->body, at, r->body.len);
    return (struct sp_place){r->from, at + sp_view_find(rest, '>') + 1};
}

/* What might have to go out otherwise than it comes. */
static bool may_be_edited(enum state state)
{
    return state == COOKIE_DATA || state == LOCATION;
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct reader *r = ctx;
    enum state from = sp_path_at(&r->path);
    enum state state = sp_path_enter(&r->path, e->name);
    sp_buf_clear(&r->text);
    SP_TRY(check_frame(r, x, e, from, state));
    if (r->arrives && (may_be_edited(state) || state == FAULT_ELEMENT)) {
        return SP_E_UNSUPPORTED;
    }
    if (state == UPDATE || state == LISTED || state == ADDRESS ||
        state == CLIENT_UPDATE) {
        begin_listed(r, x);
    }
    if (state == UNKNOWN) {
        sp_xml_pass_over(x); /* all of it is */
    } else if (state == FAULT_ELEMENT) {
        r->reply->is_fault = true;
    } else if (state == CLIENT_UPDATE) {
        sp_fragment_begin(&r->fragment);
    } else if (state == CLIENT_XML) {
        r->fragment.place.from = sp_xml_behind_tag(r->body, sp_xml_offset(x));
    } else if (state == LOCATION) {
        sp_location_begin(&r->location);
    } else if (state == COOKIE_DATA || state == FILE_URL) {
        r->place.from = sp_xml_behind_tag(r->body, sp_xml_offset(x));
    } else if (state == UPDATE && holds_updates(r)) {
        return sp_update_begin(&r->update);
    } else if ((state == BLOB || state == CABINET) && holds_updates(r)) {
        sp_update_blob(&r->update, state == CABINET,
                       sp_xml_behind_tag(r->body, sp_xml_offset(x)));
    }
    return SP_OK;
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct reader *r = ctx;
    (void)x;
    switch ((int)sp_path_at(&r->path)) {
    case BLOB:
    case CABINET:
        return holds_updates(r) ? sp_update_blob_text(&r->update, text) : SP_OK;
    case FAULT_CODE:
    case SERVICE_URL:
    case UPDATE_ID:
    case REVISION_NUMBER:
    case DIGEST:
    case COOKIE_DATA:
    case FILE_DIGEST:
    case FILE_URL:
    case ANCHOR:
        return sp_buf_append(&r->text, text);
    case LISTED_ID:
    case ADDRESS_DIGEST:
        return sp_buf_append(&r->first, text);
    case LISTED_NUMBER:
    case ADDRESS_URL:
        return sp_buf_append(&r->second, text);
    case CLIENT_NUMBER:
        return sp_buf_append(&r->fragment.number, text);
    case CLIENT_XML:
        return sp_buf_append(&r->fragment.xml, text);
    case GLOBAL_UPDATE:
        return sp_buf_append(&r->fragment.update_id, text);
    case GLOBAL_REVISION:
        return sp_buf_append(&r->fragment.revision, text);
    }
    return SP_OK;
}

static enum sp_err end_of_cookie(struct reader *r, struct sp_xml *x)
{
    struct sp_reply *reply = r->reply;
    struct sp_buf bytes;
    if (reply->has_cookie) {
        return malformed(x, "the result gives two cookies");
    }
    reply->cookie_place = (struct sp_place){r->place.from, sp_xml_offset(x)};
    reply->has_cookie = reply->cookie_place.to > r->place.from; /* not <CookieData/> */
    sp_buf_init(&bytes, SP_LIMIT_COOKIE);
    enum sp_err e = sp_base64_parse(without_blanks(&r->text), &bytes);
    if (e == SP_OK) {
        e = sp_arena_copy(reply->arena, sp_buf_view(&bytes), &reply->cookie);
    }
    sp_buf_fini(&bytes);
    return e == SP_E_MALFORMED || e == SP_E_LIMIT
               ? sp_why_set(sp_xml_why(x), e, "a cookie is no base64, or too long")
               : e;
}

static enum sp_err end_of_location_part(struct reader *r, struct sp_xml *x,
                                        enum state state)
{
    struct sp_view text = sp_buf_view(&r->text);
    switch ((int)state) {
    case FILE_DIGEST:
        sp_location_digest(&r->location, text);
        break;
    case FILE_URL:
        r->place.to = sp_xml_offset(x);
        sp_location_url(&r->location, text, r->place);
        break;
    case LOCATION:
        return sp_location_end(&r->location, sp_xml_why(x));
    }
    return SP_OK;
}

static enum sp_err end_of_update_part(struct reader *r, struct sp_xml *x,
                                      enum state state)
{
    struct sp_view text = sp_buf_view(&r->text);
    struct sp_update_part *part = &r->update.part;
    switch ((int)state) {
    case UPDATE_ID:
        return sp_arena_copy(r->reply->arena, text, &part->id_text);
    case REVISION_NUMBER:
        return sp_arena_copy(r->reply->arena, text, &part->number_text);
    case DIGEST:
        return sp_update_digest(&r->update, text, sp_xml_why(x));
    case UPDATE:
        return sp_update_end(&r->update, place_here(r, x), sp_xml_why(x));
    case ADDRESS:
        return sp_file_url_add(r->reply, sp_buf_view(&r->first),
                               sp_buf_view(&r->second), place_here(r, x),
                               sp_xml_why(x));
    }
    return SP_OK;
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct reader *r = ctx;
    struct sp_view text = sp_view_trim(sp_buf_view(&r->text), BLANKS);
    enum state state = sp_path_leave(&r->path);
    (void)name;
    if (state == RESPONSE) {
        r->closes_at = sp_xml_offset(x);
    }
    if (state == FAULT_CODE) {
        return sp_arena_copy(r->reply->arena, text, &r->error_code);
    }
    if (state == COOKIE_DATA) {
        return end_of_cookie(r, x);
    }
    if (state == SERVICE_URL && r->kind == SP_REPLY_SERVICE_URLS) {
        return sp_facts_text(r->reply->facts, SP_FACT_REPLY_SERVICE_URL, text);
    }
    if (state == ANCHOR && lists_revisions(r)) {
        return sp_facts_text(r->reply->facts, SP_FACT_REPLY_ANCHOR, text);
    }
    if (state == LISTED && lists_revisions(r)) {
        return sp_listed_add(r->reply, sp_buf_view(&r->first), sp_buf_view(&r->second),
                             place_here(r, x), sp_xml_why(x));
    }
    if (state == CLIENT_XML) {
        r->fragment.place.to = sp_xml_offset(x);
        return SP_OK;
    }
    if (state == CLIENT_UPDATE && serves_clients(r)) {
        r->fragment.whole = place_here(r, x);
        return sp_fragment_end(&r->fragment, sp_xml_why(x));
    }
    return holds_updates(r) ? end_of_update_part(r, x, state)
                            : end_of_location_part(r, x, state);
}

/* ---- the reply as a whole ------------------------------------------------------ */

static enum sp_err check_whole(const struct reader *r, int status, struct sp_why *why)
{
    if (r->contents != 1) {
        return sp_why_set(why, SP_E_MALFORMED, "the body is empty");
    }
    if (status != (r->reply->is_fault ? 500 : 200)) {
        return sp_why_set(why, SP_E_MALFORMED, "HTTP status %d does not fit the reply",
                          status);
    }
    bool wants = r->kind != SP_REPLY_NOTHING && r->kind != SP_REPLY_PERHAPS;
    if (!r->reply->is_fault && wants && r->results != 1) {
        return sp_why_set(why, SP_E_MALFORMED, "the response has no %s", r->result);
    }
    return SP_OK;
}

static const struct sp_xml_handler handler = {on_start, on_text, on_end};

static enum sp_err read_body(struct reader *r, int status, struct sp_view body,
                             struct sp_why *why)
{
    if (body.len > SP_LIMIT_SOAP_REPLY) {
        return sp_why_set(why, SP_E_LIMIT, "the reply has %zu bytes", body.len);
    }
    SP_TRY(sp_xml_read(body, &sp_xml_rules_reply, &handler, r, why));
    return check_whole(r, status, why);
}

static void drop_revisions(struct sp_reply *reply)
{
    for (size_t i = 0; i < reply->revision_count; i++) {
        sp_facts_free(&reply->revisions[i].facts);
    }
    reply->revision_count = 0;
    reply->listed_count = 0;
    reply->url_count = 0;
}

/* Nothing is told about the inside of what has no shape. A fault without ErrorCode is
 * one all the same: its fact is empty. */
static enum sp_err add_outcome(struct reader *r, enum sp_err outcome)
{
    struct sp_reply *reply = r->reply;
    if (outcome == SP_E_NOMEM || outcome == SP_E_INTERNAL) {
        return outcome;
    }
    if (outcome != SP_OK) {
        reply->is_fault = false;
        reply->has_cookie = false;
        reply->location_count = 0;
        sp_fragments_drop(reply);
        drop_revisions(reply);
        return SP_OK;
    }
    SP_TRY(sp_facts_flag(reply->facts, SP_FACT_REPLY_WELLFORMED, true));
    SP_TRY(sp_file_urls_state(reply));
    return reply->is_fault
               ? sp_facts_text(reply->facts, SP_FACT_REPLY_FAULT, r->error_code)
               : SP_OK;
}

static enum sp_err make_reply(int status, struct sp_reply **out)
{
    SP_AUTO(sp_reply_free) struct sp_reply *reply = calloc(1, sizeof *reply);
    if (!reply) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_arena_new(ARENA_MAX, &reply->arena));
    SP_TRY(sp_facts_new(FACTS_MAX, &reply->facts));
    SP_TRY(sp_facts_int(reply->facts, SP_FACT_REPLY_STATUS, status));
    *out = reply;
    reply = NULL;
    return SP_OK;
}

static void reader_init(struct reader *r)
{
    fill_steps(r);
    sp_buf_init(&r->text, TEXT_MAX);
    sp_buf_init(&r->first, TEXT_MAX);
    sp_buf_init(&r->second, TEXT_MAX);
    sp_update_reader_init(&r->update);
    sp_fragment_reader_init(&r->fragment);
}

static void reader_fini(struct reader *r)
{
    sp_update_reader_fini(&r->update);
    sp_fragment_reader_fini(&r->fragment);
    sp_buf_fini(&r->text);
    sp_buf_fini(&r->first);
    sp_buf_fini(&r->second);
}

/* wanted NULL: no document's text is wanted. */
static enum sp_err inspect(struct reader *r, int status,
                           const struct sp_document_wish *wanted, struct sp_why *why)
{
    reader_init(r);
    r->update.wanted = wanted;
    enum sp_err e = add_outcome(r, read_body(r, status, r->body, why));
    reader_fini(r);
    return e;
}

enum sp_err sp_reply_inspect(enum sp_op op, int status, struct sp_view body,
                             const struct sp_revision_id *asked, size_t asked_count,
                             struct sp_reply **out, struct sp_why *why)
{
    return sp_reply_inspect_with(op, status, body, asked, asked_count, NULL, out, why);
}

enum sp_err sp_reply_inspect_with(enum sp_op op, int status, struct sp_view body,
                                  const struct sp_revision_id *asked,
                                  size_t asked_count,
                                  const struct sp_foresight *foresight,
                                  struct sp_reply **out, struct sp_why *why)
{
    SP_AUTO(sp_reply_free) struct sp_reply *reply = NULL;
    SP_TRY(make_reply(status, &reply));
    struct reader r = {.op = op,
                       .kind = sp_op_reply(op),
                       .body = body,
                       .location = {.reply = reply},
                       .reply = reply,
                       .fragment = {.reply = reply},
                       .update = {.reply = reply,
                                  .asked = asked,
                                  .asked_count = asked_count,
                                  .foresight = foresight}};
    SP_TRY(inspect(&r, status, NULL, why));
    *out = reply;
    reply = NULL;
    return SP_OK;
}

enum sp_err sp_reply_document(struct sp_view body, const uint8_t sha256[32],
                              struct sp_buf *utf8)
{
    SP_AUTO(sp_reply_free) struct sp_reply *reply = NULL;
    struct sp_document_wish wish = {sha256, utf8};
    struct sp_why why = {0};
    SP_TRY(make_reply(200, &reply));
    struct reader r = {.op = SP_OP_GET_UPDATE_DATA,
                       .kind = SP_REPLY_UPDATE_DATA,
                       .body = body,
                       .location = {.reply = reply},
                       .reply = reply,
                       .fragment = {.reply = reply},
                       .update = {.reply = reply}};
    SP_TRY(inspect(&r, 200, &wish, &why));
    return utf8->len ? SP_OK : SP_E_NOTFOUND;
}

/* ---- while it comes -------------------------------------------------------------- */

struct sp_reply_arriving {
    struct reader reader;
    struct sp_reply *reply;      /* owned */
    struct sp_xml_arriving *xml; /* owned */
};

enum sp_err sp_reply_arriving_new(enum sp_op op, struct sp_reply_arriving **out)
{
    SP_AUTO(sp_reply_arriving_free) struct sp_reply_arriving *a = calloc(1, sizeof *a);
    SP_ASSERT(sp_op_streams(op));
    if (!a) {
        return SP_E_NOMEM;
    }
    a->reader.op = op;
    a->reader.kind = sp_op_reply(op);
    a->reader.arrives = true;
    reader_init(&a->reader);
    SP_TRY(make_reply(200, &a->reply));
    a->reader.reply = a->reader.location.reply = a->reader.fragment.reply =
        a->reader.update.reply = a->reply;
    SP_TRY(sp_xml_arriving_new(&sp_xml_rules_reply, &handler, &a->reader,
                               SP_LIMIT_SOAP_REPLY, &a->xml));
    *out = a;
    a = NULL;
    return SP_OK;
}

void sp_reply_arriving_free(struct sp_reply_arriving **a)
{
    if (*a) {
        reader_fini(&(*a)->reader);
        sp_xml_arriving_free(&(*a)->xml);
        sp_reply_free(&(*a)->reply);
        free(*a);
        *a = NULL;
    }
}

enum sp_err sp_reply_arriving_more(struct sp_reply_arriving *a, struct sp_view so_far,
                                   size_t *open)
{
    size_t read = *open;
    a->reader.body = so_far;
    SP_TRY(sp_xml_arriving_more(a->xml, so_far, &read));
    size_t closes = a->reader.closes_at;
    *open = closes && closes < read ? closes : read;
    return SP_OK;
}

enum sp_err sp_reply_arriving_end(struct sp_reply_arriving *a, struct sp_view body,
                                  struct sp_reply **out)
{
    struct sp_why why = {0};
    a->reader.body = body;
    SP_TRY(sp_xml_arriving_end(a->xml, body));
    SP_TRY(check_whole(&a->reader, 200, &why));
    SP_TRY(add_outcome(&a->reader, SP_OK));
    *out = a->reply;
    a->reply = NULL;
    return SP_OK;
}

void sp_reply_free(struct sp_reply **r)
{
    if (!*r) {
        return;
    }
    drop_revisions(*r);
    free((*r)->listed);
    free((*r)->urls);
    sp_fragments_drop(*r);
    free((*r)->fragments);
    sp_facts_free(&(*r)->facts);
    sp_arena_free(&(*r)->arena);
    free(*r);
    *r = NULL;
}
