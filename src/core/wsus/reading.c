#include "core/wsus/reading.h"

#include "core/crypto/crypto.h"
#include "core/pack/pack.h"
#include "core/wsus/fragment.h"

#include <string.h>

#define BLANKS " \t\r\n"
#define OPEN   SP_VIEW("<XmlUpdateBlobCompressed>")
#define CLOSE  SP_VIEW("</XmlUpdateBlobCompressed>")

#define FACTS_MAX SP_MIB(4)  /* the texts of one document */
#define ARENA_MAX SP_MIB(64) /* its files' names */

void sp_reading_fini(struct sp_reading *r)
{
    sp_facts_free(&r->found);
    sp_arena_free(&r->arena);
}

/* ---- unpacking ------------------------------------------------------------------- */

/* It was broken with white space. */
static enum sp_err decode_broken(struct sp_view text, struct sp_buf *cabinet)
{
    SP_AUTO(sp_buf_fini) struct sp_buf kept;
    uint8_t *to = NULL;
    sp_buf_init(&kept, SP_LIMIT_SOAP_REPLY);
    SP_TRY(sp_buf_reserve(&kept, text.len, &to));
    for (size_t i = 0; i < text.len; i++) {
        if (!memchr(BLANKS, text.data[i], sizeof BLANKS - 1)) {
            to[kept.len++] = text.data[i];
        }
    }
    return sp_base64_parse(sp_buf_view(&kept), cabinet);
}

enum sp_err sp_reading_decode(struct sp_view text, struct sp_buf *cabinet,
                              struct sp_why *why)
{
    sp_buf_init(cabinet, SP_LIMIT_SOAP_REPLY);
    enum sp_err e = sp_base64_parse(text, cabinet);
    e = e == SP_E_MALFORMED ? decode_broken(text, cabinet) : e;
    if (e != SP_OK) {
        sp_buf_fini(cabinet);
    }
    return e == SP_E_MALFORMED
               ? sp_why_set(why, e, "XmlUpdateBlobCompressed is no base64")
               : e;
}

static enum sp_err unpack_text(struct sp_view wide, struct sp_buf *utf8,
                               struct sp_why *why)
{
    enum sp_err e = sp_utf16le_to_utf8(wide, utf8);
    return e == SP_E_MALFORMED ? sp_why_set(why, e, "the document is no UTF-16") : e;
}

/* Each stage frees the one before. */
enum sp_err sp_reading_unpack(struct sp_buf *cabinet, struct sp_buf *utf8,
                              struct sp_why *why)
{
    struct sp_buf wide;
    sp_buf_init(&wide, 2 * SP_LIMIT_DOCUMENT);
    enum sp_err e = sp_cab_decode_single(sp_buf_view(cabinet), &wide, why);
    sp_buf_fini(cabinet);
    if (e == SP_OK) {
        e = unpack_text(sp_buf_view(&wide), utf8, why);
    }
    sp_buf_fini(&wide);
    return e;
}

/* ---- reading --------------------------------------------------------------------- */

enum sp_err sp_reading_read(struct sp_view utf8, struct sp_reading *out)
{
    SP_AUTO(sp_facts_free) struct sp_facts *found = NULL;
    SP_TRY(sp_facts_new(FACTS_MAX, &found));
    SP_TRY(sp_arena_new(ARENA_MAX, &out->arena));
    out->size = utf8.len;
    out->is_unpacked = true;
    out->err = sp_document_read(utf8, found, out->arena, &out->claims,
                                &out->claim_count, &out->why);
    if (out->err != SP_OK) {
        sp_sha256(utf8, out->sha256);
        return out->err == SP_E_NOMEM || out->err == SP_E_INTERNAL ? out->err : SP_OK;
    }
    SP_TRY(sp_fragments_derive(utf8, found, out->sha256, &out->why));
    out->found = found;
    found = NULL;
    return SP_OK;
}

/* ---- where they are -------------------------------------------------------------- */

/* Behind the next tag that opens one; false: the tag may still arrive. */
static bool find_open(struct sp_reading_search *s, struct sp_view body)
{
    const uint8_t *tag = s->at < body.len ? memmem(body.data + s->at, body.len - s->at,
                                                   OPEN.data, OPEN.len)
                                          : NULL;
    if (tag) {
        s->from = s->at = (size_t)(tag - body.data) + OPEN.len;
    } else if (body.len - s->at >= OPEN.len) {
        s->at = body.len - (OPEN.len - 1);
    }
    return tag != NULL;
}

/* At the tag behind the text; false: it may still arrive. */
static bool find_close(struct sp_reading_search *s, struct sp_view body)
{
    if (!s->is_behind) {
        struct sp_view rest = sp_view_slice(body, s->at, body.len);
        size_t n = sp_view_find(rest, '<');
        s->at += n;
        s->is_behind = n < rest.len;
    }
    return s->is_behind && body.len - s->at >= CLOSE.len;
}

bool sp_reading_next(struct sp_reading_search *s, struct sp_view body,
                     struct sp_place *text)
{
    while (s->from || find_open(s, body)) {
        if (!find_close(s, body)) {
            return false;
        }
        *text = (struct sp_place){s->from, s->at};
        s->from = 0;
        s->is_behind = false;
        if (sp_view_starts(sp_view_slice(body, s->at, body.len), CLOSE)) {
            return true;
        }
    }
    return false;
}
