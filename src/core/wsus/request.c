/* Reads a request against its schema and writes it anew while reading: what is written
 * are the schema's names and the one spelling of each value, in one fixed envelope. */
#include "core/wsus/cookie.h"
#include "core/wsus/names.h"
#include "core/wsus/schema.h"
#include "core/wsus/value.h"

#include "core/xml/xml.h"

#include <stdio.h>
#include <string.h>

/* Struct, list, struct ... a value: the contracts nest 7 deep. */
#define FRAMES 12

/* Escaping makes a text at most five times as long; real ones hardly grow. */
#define GROWTH 2

static const char envelope_head[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"" NS_SOAP
    "\" xmlns:xsi=\"" NS_XSI "\" xmlns:xsd=\"" NS_XSD "\"><soap:Body>";
static const char envelope_tail[] = "</soap:Body></soap:Envelope>";

/* An element that is open, from the operation inwards. */
struct frame {
    const struct sp_type *type;
    const char *name;
    const struct sp_member *next; /* STRUCT: the first member that may still come */
    int64_t items;                /* LIST */
    bool nil;                     /* nothing may stand in it */
    bool left_out;                /* and it is not written */
};

struct reader {
    struct sp_soap_request *out;
    struct sp_soap_refusal *refusal;
    const struct sp_cookie_reader *cookies; /* borrowed; NULL: they are passed on */
    const char *ns;
    struct frame frames[FRAMES];
    size_t depth; /* frames in use */
    bool body_seen, op_seen;
    struct sp_buf text;  /* character data of the value at hand */
    struct sp_buf value; /* its one spelling */
    struct sp_revision_id identity;
};

/* By the parameter at fault, or that a fault stands in. */
static enum sp_fault_code code_of(const struct reader *r, struct sp_view name)
{
    struct sp_view parameter = r->depth > 1 ? sp_view_str(r->frames[1].name) : name;
    if (sp_view_eq_str(parameter, "authCookies")) {
        return SP_FAULT_INVALID_AUTHORIZATION_COOKIE;
    }
    if (sp_view_eq_str(parameter, "cookie") || sp_view_eq_str(parameter, "oldCookie")) {
        return SP_FAULT_INVALID_COOKIE;
    }
    return SP_FAULT_INVALID_PARAMETERS;
}

/* As much of the name as fits, not cut inside of a character. */
static void set_member(struct sp_soap_refusal *refusal, struct sp_view name)
{
    size_t n = name.len;
    if (n >= sizeof refusal->member) {
        n = sizeof refusal->member - 1;
        while (n > 0 && (name.data[n] & 0xC0) == 0x80) {
            n--;
        }
    }
    for (size_t i = 0; i < n; i++) {
        refusal->member[i] = (char)name.data[i];
    }
    refusal->member[n] = '\0';
}

static enum sp_err refuse(struct reader *r, struct sp_xml *x, struct sp_view name,
                          const char *reason)
{
    r->refusal->code = code_of(r, name);
    set_member(r->refusal, name);
    return sp_why_set(sp_xml_why(x), SP_E_PROTOCOL, "\"" SP_VIEW_FMT "\" %s",
                      SP_VIEW_ARG(name), reason);
}

/* ---- attributes ---------------------------------------------------------------- */

static enum sp_err read_nil(struct reader *r, struct sp_xml *x,
                            const struct sp_xml_element *e, bool *nil)
{
    struct sp_view value;
    if (!sp_xml_attr(e, NS_XSI, "nil", &value)) {
        *nil = false;
        return SP_OK;
    }
    *nil = sp_view_eq_str(value, "true") || sp_view_eq_str(value, "1");
    if (!*nil && !sp_view_eq_str(value, "false") && !sp_view_eq_str(value, "0")) {
        return refuse(r, x, e->name.local, "has an xsi:nil that is no boolean");
    }
    return SP_OK;
}

static const struct sp_member *attribute_of(const struct sp_type *type,
                                            struct sp_xml_name name)
{
    if (type->kind != SP_TYPE_STRUCT || name.ns.len) {
        return NULL;
    }
    for (const struct sp_member *m = type->members; m->name; m++) {
        if (m->attribute && sp_view_eq_str(name.local, m->name)) {
            return m;
        }
    }
    return NULL;
}

static enum sp_err check_attributes(struct reader *r, struct sp_xml *x,
                                    const struct sp_xml_element *e,
                                    const struct sp_type *type)
{
    for (size_t i = 0; i < e->attr_count; i++) {
        struct sp_xml_name name = e->attrs[i].name;
        if (!sp_xml_name_is(name, NS_XSI, "nil") && !attribute_of(type, name)) {
            return refuse(r, x, name.local,
                          "is an attribute that is not in the schema");
        }
    }
    return SP_OK;
}

static enum sp_err canonical(struct reader *r, struct sp_xml *x, const char *name,
                             const struct sp_type *type, struct sp_view text)
{
    sp_buf_clear(&r->value);
    enum sp_err e = sp_value_canonical(type, text, &r->value);
    switch ((int)e) {
    case SP_E_MALFORMED:
        return refuse(r, x, sp_view_str(name), "holds what is not of its type");
    case SP_E_LIMIT:
        return refuse(r, x, sp_view_str(name), "is out of its range");
    }
    return e;
}

static enum sp_err write_attributes(struct reader *r, struct sp_xml *x,
                                    const struct sp_xml_element *e,
                                    const struct sp_type *type)
{
    for (const struct sp_member *m = type->members; m->name; m++) {
        struct sp_view value;
        if (!m->attribute || !sp_xml_attr(e, "", m->name, &value)) {
            continue;
        }
        SP_TRY(canonical(r, x, m->name, m->type, value));
        SP_TRY(sp_buf_printf(&r->out->body, " %s=\"", m->name));
        SP_TRY(sp_xml_write_value(&r->out->body, sp_buf_view(&r->value)));
        SP_TRY(sp_buf_append_byte(&r->out->body, '"'));
    }
    return SP_OK;
}

/* ---- elements ------------------------------------------------------------------ */

static bool is_value(const struct sp_type *type)
{
    return type->kind != SP_TYPE_LIST && type->kind != SP_TYPE_STRUCT;
}

static struct frame *top(struct reader *r)
{
    return &r->frames[r->depth - 1];
}

/* Values are written when they end, once they are whole. */
static enum sp_err open_element(struct reader *r, struct sp_xml *x,
                                const struct sp_xml_element *e, struct frame f)
{
    SP_ASSERT(r->depth < FRAMES);
    r->frames[r->depth++] = f;
    sp_buf_clear(&r->text);
    if (f.left_out || is_value(f.type)) {
        return SP_OK;
    }
    SP_TRY(sp_buf_printf(&r->out->body, "<%s", f.name));
    if (r->depth == 1) {
        SP_TRY(sp_buf_printf(&r->out->body, " xmlns=\"%s\"", r->ns));
    }
    if (f.type->kind == SP_TYPE_STRUCT) {
        SP_TRY(write_attributes(r, x, e, f.type));
    }
    return sp_buf_append_byte(&r->out->body, '>');
}

static enum sp_err enter(struct reader *r, struct sp_xml *x,
                         const struct sp_xml_element *e, const struct sp_member *m)
{
    bool nil = false;
    SP_TRY(check_attributes(r, x, e, m->type));
    SP_TRY(read_nil(r, x, e, &nil));
    if (nil && m->required) {
        return refuse(r, x, e->name.local, "must not be nil");
    }
    if (nil && e->attr_count > 1) {
        return refuse(r, x, e->name.local, "is nil and has attributes");
    }
    return open_element(r, x, e,
                        (struct frame){.type = m->type,
                                       .name = m->name,
                                       .next = m->type->members,
                                       .nil = nil,
                                       .left_out = nil});
}

/* The members from f->next up to end may all be left out. */
static enum sp_err check_skipped(struct reader *r, struct sp_xml *x, struct frame *f,
                                 const struct sp_member *end)
{
    for (const struct sp_member *m = f->next; m->name && m != end; m++) {
        if (m->required) {
            return refuse(r, x, sp_view_str(m->name), "is missing");
        }
    }
    return SP_OK;
}

static const struct sp_member *find(const struct sp_member *from, struct sp_view name)
{
    for (const struct sp_member *m = from; m->name; m++) {
        if (!m->attribute && sp_view_eq_str(name, m->name)) {
            return m;
        }
    }
    return NULL;
}

static enum sp_err enter_member(struct reader *r, struct sp_xml *x,
                                const struct sp_xml_element *e)
{
    struct frame *f = top(r);
    const struct sp_member *m = find(f->next, e->name.local);
    if (!m) {
        bool known = find(f->type->members, e->name.local) != NULL;
        return refuse(r, x, e->name.local,
                      known ? "is repeated or out of order" : "is not in the schema");
    }
    SP_TRY(check_skipped(r, x, f, m));
    f->next = m + 1;
    return enter(r, x, e, m);
}

/* An item that is nil keeps its place, where .NET has null for its type. */
static enum sp_err enter_item(struct reader *r, struct sp_xml *x,
                              const struct sp_xml_element *e)
{
    struct frame *f = top(r);
    const struct sp_member *item = f->type->members;
    if (!sp_view_eq_str(e->name.local, item->name)) {
        return refuse(r, x, e->name.local, "is not in the schema");
    }
    if (++f->items > f->type->most) {
        return refuse(r, x, sp_view_str(f->name), "has too many items");
    }
    SP_TRY(enter(r, x, e, item));
    if (!top(r)->nil) {
        return SP_OK;
    }
    if (item->type->kind != SP_TYPE_TEXT) {
        return refuse(r, x, e->name.local, "must not be nil");
    }
    return sp_buf_printf(&r->out->body, "<%s xsi:nil=\"true\" />", item->name);
}

static enum sp_err enter_child(struct reader *r, struct sp_xml *x,
                               const struct sp_xml_element *e)
{
    const struct frame *f = top(r);
    if (!sp_view_eq_str(e->name.ns, r->ns)) {
        return refuse(r, x, e->name.local, "is in a wrong namespace");
    }
    if (f->nil || is_value(f->type)) {
        return refuse(r, x, sp_view_str(f->name), "must not hold elements");
    }
    return f->type->kind == SP_TYPE_LIST ? enter_item(r, x, e) : enter_member(r, x, e);
}

static enum sp_err enter_operation(struct reader *r, struct sp_xml *x,
                                   const struct sp_xml_element *e)
{
    enum sp_op op = r->out->op;
    bool nil = false;
    if (r->op_seen || !sp_xml_name_is(e->name, r->ns, sp_op_text(op))) {
        return refuse(r, x, e->name.local, "is not what the SOAPAction names");
    }
    const struct sp_type *type = sp_schema_request(op);
    SP_TRY(check_attributes(r, x, e, type));
    SP_TRY(read_nil(r, x, e, &nil));
    r->op_seen = true;
    return open_element(
        r, x, e,
        (struct frame){
            .type = type, .name = sp_op_text(op), .next = type->members, .nil = nil});
}

/* SOAP 1.1 section 4: no header, one body. */
static enum sp_err enter_envelope(struct reader *r, struct sp_xml *x,
                                  const struct sp_xml_element *e)
{
    const char *expected = e->depth == 1 ? "Envelope" : "Body";
    if (!sp_xml_name_is(e->name, NS_SOAP, expected) ||
        (e->depth == 2 && r->body_seen)) {
        return refuse(r, x, e->name.local, "has no place in this envelope");
    }
    if (e->attr_count) {
        return refuse(r, x, e->attrs[0].name.local, "is an attribute of the envelope");
    }
    r->body_seen = e->depth == 2;
    return SP_OK;
}

static enum sp_err on_start(void *ctx, struct sp_xml *x, const struct sp_xml_element *e)
{
    struct reader *r = ctx;
    if (e->depth <= 2) {
        return enter_envelope(r, x, e);
    }
    return r->depth ? enter_child(r, x, e) : enter_operation(r, x, e);
}

static enum sp_err on_text(void *ctx, struct sp_xml *x, struct sp_view text)
{
    struct reader *r = ctx;
    if (r->depth && is_value(top(r)->type) && !top(r)->nil) {
        return sp_buf_append(&r->text, text);
    }
    if (sp_view_trim(text, " \t\r\n").len) {
        return refuse(r, x, sp_view_str(r->depth ? top(r)->name : "Envelope"),
                      "must not hold text");
    }
    return SP_OK;
}

/* ---- what was asked for -------------------------------------------------------- */

static bool is_identity_part(const struct reader *r)
{
    return r->out->asked && r->depth >= 2 &&
           r->frames[r->depth - 2].type == sp_schema_update_identity;
}

static enum sp_err keep_identity_part(struct reader *r)
{
    struct sp_view value = sp_buf_view(&r->value);
    int64_t number = 0;
    if (strcmp(top(r)->name, "UpdateID") == 0) {
        return sp_guid_parse(value, &r->identity.id);
    }
    SP_TRY(sp_i64_parse(value, INT32_MIN, INT32_MAX, &number));
    r->identity.number = (int32_t)number;
    return SP_OK;
}

/* ---- cookies ------------------------------------------------------------------- */

/* *drop: nothing is passed on. That is the end of an oldCookie that is not good: agents
 * send it along when they ask for a new one. */
static enum sp_err read_cookie(struct reader *r, struct sp_xml *x, bool *drop)
{
    enum sp_fault_code code;
    bool session = r->frames[r->depth - 2].type == sp_schema_cookie;
    enum sp_err e = sp_cookie_open(r->cookies, sp_op_service(r->out->op), !session,
                                   &r->value, &code);
    if (e != SP_E_UNPROVEN) {
        return e;
    }
    *drop = strcmp(r->frames[1].name, "oldCookie") == 0;
    if (*drop) {
        return SP_OK;
    }
    e = refuse(r, x, sp_view_str(r->frames[1].name),
               code == SP_FAULT_COOKIE_EXPIRED
                   ? "is too old"
                   : "was not given to this asker by this server, or too long ago");
    r->refusal->code = code;
    return e;
}

/* ---- the end ------------------------------------------------------------------- */

/* A datum that no agent sends: the report goes on without it, and says so. */
static void leave_out(struct reader *r)
{
    struct sp_view text = sp_view_trim(sp_buf_view(&r->text), " \t\r\n");
    if (r->out->left_out++ == 0) {
        snprintf(r->out->tag, sizeof r->out->tag, "%.*s", (int)sp_view_find(text, '='),
                 (const char *)text.data);
    }
}

static enum sp_err close_value(struct reader *r, struct sp_xml *x)
{
    const struct frame *f = top(r);
    bool drop = false;
    enum sp_err e = canonical(r, x, f->name, f->type, sp_buf_view(&r->text));
    if (e == SP_E_UNSUPPORTED) {
        leave_out(r);
        return SP_OK;
    }
    SP_TRY(e);
    if (is_identity_part(r)) {
        SP_TRY(keep_identity_part(r));
    }
    if (r->cookies && f->type == sp_schema_cookie_data) {
        SP_TRY(read_cookie(r, x, &drop));
    }
    if (drop) {
        return SP_OK;
    }
    SP_TRY(sp_buf_printf(&r->out->body, "<%s>", f->name));
    SP_TRY(sp_xml_write_text(&r->out->body, sp_buf_view(&r->value)));
    return sp_buf_printf(&r->out->body, "</%s>", f->name);
}

static enum sp_err close_group(struct reader *r, struct sp_xml *x)
{
    struct frame *f = top(r);
    if (f->type->kind == SP_TYPE_STRUCT) {
        SP_TRY(check_skipped(r, x, f, NULL));
    } else if (f->items < f->type->least) {
        return refuse(r, x, sp_view_str(f->name), "has too few items");
    }
    if (r->out->asked && f->type == sp_schema_update_identity) {
        r->out->asked[r->out->asked_count++] = r->identity;
    }
    return sp_buf_printf(&r->out->body, "</%s>", f->name);
}

static enum sp_err on_end(void *ctx, struct sp_xml *x, struct sp_xml_name name)
{
    struct reader *r = ctx;
    (void)name;
    if (!r->depth) {
        return SP_OK;
    }
    if (!top(r)->left_out) {
        SP_TRY(is_value(top(r)->type) ? close_value(r, x) : close_group(r, x));
    }
    r->depth--;
    return SP_OK;
}

/* UPDATE_IDS of the schema keeps the count within SP_LIMIT_UPDATE_IDS. */
static enum sp_err make_room_for_asked(struct sp_soap_request *out)
{
    if (out->op != SP_OP_GET_UPDATE_DATA &&
        out->op != SP_OP_GET_UPDATE_DECRYPTION_DATA) {
        return SP_OK;
    }
    const size_t bytes = SP_LIMIT_UPDATE_IDS * sizeof *out->asked;
    void *asked = NULL;
    SP_TRY(sp_arena_new(bytes, &out->arena));
    SP_TRY(sp_arena_alloc(out->arena, bytes, &asked));
    out->asked = asked;
    return SP_OK;
}

static enum sp_err read_all(struct reader *r, struct sp_view body, struct sp_why *why)
{
    static const struct sp_xml_handler handler = {on_start, on_text, on_end};
    if (body.len > sp_service_request_limit(sp_op_service(r->out->op))) {
        return sp_why_set(why, SP_E_LIMIT, "the request has %zu bytes", body.len);
    }
    SP_TRY(make_room_for_asked(r->out));
    SP_TRY(sp_buf_append_str(&r->out->body, envelope_head));
    SP_TRY(sp_xml_read(body, &sp_xml_rules_request, &handler, r, why));
    if (!r->op_seen) {
        return sp_why_set(why, SP_E_PROTOCOL, "the envelope is empty");
    }
    return sp_buf_append_str(&r->out->body, envelope_tail);
}

enum sp_err sp_soap_request_read(enum sp_op op, struct sp_view body,
                                 const struct sp_cookie_reader *cookies,
                                 struct sp_soap_request *out,
                                 struct sp_soap_refusal *refusal)
{
    const size_t limit = sp_service_request_limit(sp_op_service(op));
    struct sp_soap_request made = {.op = op};
    *refusal = (struct sp_soap_refusal){.code = SP_FAULT_INVALID_PARAMETERS};
    struct reader r = {.out = &made,
                       .refusal = refusal,
                       .cookies = cookies,
                       .ns = sp_service_ns(sp_op_service(op))};
    sp_buf_init(&made.body, GROWTH * limit);
    sp_buf_init(&r.text, SP_LIMIT_XML_TEXT_REQUEST);
    sp_buf_init(&r.value, SP_LIMIT_XML_TEXT_REQUEST);
    enum sp_err e = read_all(&r, body, &refusal->why);
    sp_buf_fini(&r.text);
    sp_buf_fini(&r.value);
    if (e != SP_OK) {
        sp_soap_request_fini(&made);
        return e == SP_E_NOMEM ? SP_E_NOMEM : SP_E_PROTOCOL;
    }
    *out = made;
    return SP_OK;
}

void sp_soap_request_fini(struct sp_soap_request *r)
{
    sp_buf_fini(&r->body);
    sp_arena_free(&r->arena);
    r->asked = NULL;
    r->asked_count = 0;
}

bool sp_soap_request_anchor(const struct sp_soap_request *r, struct sp_view *out)
{
    static const char tag[] = "<Anchor>";
    const uint8_t *at =
        r->body.len ? memmem(r->body.data, r->body.len, tag, sizeof tag - 1) : NULL;
    if (!at) {
        return false;
    }
    size_t from = (size_t)(at - r->body.data) + sizeof tag - 1;
    struct sp_view rest = sp_view_slice(sp_buf_view(&r->body), from, r->body.len);
    *out = sp_view_slice(rest, 0, sp_view_find(rest, '<'));
    return true;
}
