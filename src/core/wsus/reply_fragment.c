/* What a client is told about one revision, [MS-WUSP] 3.1.5.7, 3.1.5.8 and 3.1.5.9: the
 * server's number for it, and fragments of its document or its identity. */
#include "core/wsus/fragment.h"
#include "core/wsus/reply_reader.h"
#include "core/wsus/told.h"

#include <stdlib.h>

#define BLANKS   " \t\r\n"
#define TEXT_MAX SP_KIB(4) /* a number, an id */
#define TOLD_MAX SP_KIB(256)

void sp_fragment_reader_init(struct sp_fragment_reader *r)
{
    sp_buf_init(&r->number, TEXT_MAX);
    sp_buf_init(&r->update_id, TEXT_MAX);
    sp_buf_init(&r->revision, TEXT_MAX);
    sp_buf_init(&r->xml, SP_LIMIT_SOAP_REPLY);
}

void sp_fragment_reader_fini(struct sp_fragment_reader *r)
{
    sp_buf_fini(&r->number);
    sp_buf_fini(&r->update_id);
    sp_buf_fini(&r->revision);
    sp_buf_fini(&r->xml);
}

void sp_fragment_begin(struct sp_fragment_reader *r)
{
    sp_buf_clear(&r->number);
    sp_buf_clear(&r->update_id);
    sp_buf_clear(&r->revision);
    sp_buf_clear(&r->xml);
    r->place = (struct sp_place){0};
}

static enum sp_err add(struct sp_reply *reply, const struct sp_shown *f,
                       struct sp_why *why)
{
    if (reply->fragment_count == SP_LIMIT_FRAGMENTS) {
        return sp_why_set(why, SP_E_LIMIT, "the reply holds more than %d fragments",
                          SP_LIMIT_FRAGMENTS);
    }
    if (reply->fragment_count == reply->fragment_room) {
        size_t room = reply->fragment_room ? reply->fragment_room * 2 : 32;
        void *grown = reallocarray(reply->fragments, room, sizeof *f);
        if (!grown) {
            return SP_E_NOMEM;
        }
        reply->fragments = grown;
        reply->fragment_room = room;
    }
    reply->fragments[reply->fragment_count++] = *f;
    return SP_OK;
}

static struct sp_view trimmed(const struct sp_buf *b)
{
    return sp_view_trim(sp_buf_view(b), BLANKS);
}

/* GlobalID, where there is one. */
static void read_global_id(const struct sp_fragment_reader *r,
                           struct sp_derived_parts *out)
{
    int64_t n = 0;
    if (sp_guid_parse(trimmed(&r->update_id), &out->id.id) == SP_OK &&
        sp_i64_parse(trimmed(&r->revision), 0, INT32_MAX, &n) == SP_OK) {
        out->id.number = (int32_t)n;
        out->has_id = true;
    }
}

void sp_fragments_drop(struct sp_reply *reply)
{
    for (size_t i = 0; i < reply->fragment_count; i++) {
        sp_facts_free(&reply->fragments[i].told);
    }
    reply->fragment_count = 0;
}

/* What it says, for rules about what clients are told. */
static enum sp_err read_told(struct sp_fragment_reader *r, struct sp_shown *f,
                             struct sp_why *why)
{
    struct sp_why unread = {0};
    if (r->told++ == SP_LIMIT_TOLD) {
        return sp_why_set(why, SP_E_LIMIT, "the reply holds more than %d texts",
                          SP_LIMIT_TOLD);
    }
    SP_TRY(sp_facts_new(TOLD_MAX, &f->told));
    SP_TRY(sp_facts_int(f->told, SP_FACT_TOLD_NUMBER, f->number));
    enum sp_err e = sp_told_read(sp_buf_view(&r->xml), f->told, &unread);
    if (e == SP_OK || e == SP_E_NOMEM || e == SP_E_INTERNAL) {
        return e;
    }
    sp_facts_free(&f->told); /* half of it would look like all of it */
    SP_TRY(sp_facts_new(TOLD_MAX, &f->told));
    SP_TRY(sp_facts_int(f->told, SP_FACT_TOLD_NUMBER, f->number));
    return sp_facts_text(f->told, SP_FACT_DOCUMENT_ERROR, sp_view_str(sp_err_text(e)));
}

static enum sp_err read_text(struct sp_fragment_reader *r, struct sp_shown *f,
                             struct sp_why *why)
{
    struct sp_why unread = {0};
    enum sp_err e = sp_derived_read(sp_buf_view(&r->xml), &f->parts, &unread);
    if (e == SP_E_NOMEM || e == SP_E_INTERNAL) {
        return e;
    }
    f->is_readable = e == SP_OK;
    return read_told(r, f, why);
}

enum sp_err sp_fragment_end(struct sp_fragment_reader *r, struct sp_why *why)
{
    struct sp_shown f = {.is_readable = true, .place = r->place, .whole = r->whole};
    enum sp_err e = SP_OK;
    int64_t number = 0;
    if (sp_i64_parse(trimmed(&r->number), INT32_MIN, INT32_MAX, &number) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED, "an update for a client has no ID");
    }
    f.number = (int32_t)number;
    if (r->xml.len) {
        e = read_text(r, &f, why);
    } else {
        read_global_id(r, &f.parts);
    }
    e = e == SP_OK ? add(r->reply, &f, why) : e;
    if (e != SP_OK) {
        sp_facts_free(&f.told);
    }
    return e;
}
