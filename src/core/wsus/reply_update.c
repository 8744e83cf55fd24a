/* ServerSyncUpdateData, [MS-WSUSSS] 3.1.4.6.3.3: one revision and its document. One
 * document at a time is in memory. */
#include "core/wsus/reply_reader.h"

#include <string.h>

#define BLANKS " \t\r\n"

/* 4,096 digests and the texts of one document. */
#define FACTS_MAX SP_MIB(4)

void sp_update_reader_init(struct sp_update_reader *r)
{
    sp_buf_init(&r->part.blob, SP_LIMIT_SOAP_REPLY);
}

static void drop_reading(struct sp_update_part *part)
{
    sp_reading_fini(&part->reading);
    part->reading = (struct sp_reading){.err = SP_OK};
    part->is_read = false;
}

void sp_update_reader_fini(struct sp_update_reader *r)
{
    drop_reading(&r->part);
    sp_buf_fini(&r->part.blob);
    sp_facts_free(&r->part.digests);
}

enum sp_err sp_update_begin(struct sp_update_reader *r)
{
    sp_facts_free(&r->part.digests);
    drop_reading(&r->part);
    sp_buf_clear(&r->part.blob);
    r->part.id_text = r->part.number_text = (struct sp_view){NULL, 0};
    r->part.blobs = 0;
    return sp_facts_new(FACTS_MAX, &r->part.digests);
}

void sp_update_blob(struct sp_update_reader *r, bool compressed, size_t text_at)
{
    const struct sp_foresight *f = r->foresight;
    struct sp_update_part *part = &r->part;
    drop_reading(part);
    sp_buf_clear(&part->blob);
    part->compressed = compressed;
    part->blobs++;
    part->is_read = compressed && f && f->take(f->ctx, text_at, &part->reading);
}

enum sp_err sp_update_blob_text(struct sp_update_reader *r, struct sp_view text)
{
    return r->part.is_read ? SP_OK : sp_buf_append(&r->part.blob, text);
}

enum sp_err sp_update_digest(struct sp_update_reader *r, struct sp_view text,
                             struct sp_why *why)
{
    uint8_t sha1[20];
    if (sp_base64_parse_exact(sp_view_trim(text, BLANKS), sha1, 20) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED, "FileDigestList holds what is no SHA-1");
    }
    if (sp_facts_count(r->part.digests, SP_FACT_UPDATE_FILE_DIGEST) >=
        SP_LIMIT_FILES_PER_UPDATE) {
        return sp_why_set(why, SP_E_LIMIT, "FileDigestList has more than %d files",
                          SP_LIMIT_FILES_PER_UPDATE);
    }
    return sp_facts_bytes(r->part.digests, SP_FACT_UPDATE_FILE_DIGEST,
                          sp_view(sha1, 20));
}

/* ---- the document -------------------------------------------------------------- */

static enum sp_err decode(struct sp_update_part *part, struct sp_buf *utf8,
                          struct sp_why *why)
{
    if (part->blobs != 1) {
        return sp_why_set(why, SP_E_MALFORMED, "an update comes with %zu documents",
                          part->blobs);
    }
    if (part->compressed) {
        struct sp_buf cabinet;
        SP_TRY(sp_reading_decode(sp_buf_view(&part->blob), &cabinet, why));
        sp_buf_fini(&part->blob);
        return sp_reading_unpack(&cabinet, utf8, why);
    }
    sp_buf_take(&part->blob, utf8);
    sp_buf_init(&part->blob, SP_LIMIT_SOAP_REPLY);
    return SP_OK;
}

/* Of the blob at hand, unless it was read ahead. */
static enum sp_err read_now(struct sp_update_part *part, struct sp_buf *utf8)
{
    struct sp_reading *d = &part->reading;
    d->err = decode(part, utf8, &d->why);
    if (d->err == SP_OK) {
        return sp_reading_read(sp_buf_view(utf8), d);
    }
    return d->err == SP_E_NOMEM || d->err == SP_E_INTERNAL ? d->err : SP_OK;
}

static enum sp_err add_error(struct sp_revision *rev, const struct sp_reading *d)
{
    char text[SP_WHY_MAX];
    size_t n = 0;
    for (const char *c = sp_why_text(&d->why, d->err); *c && n < sizeof text - 1; c++) {
        text[n++] = (unsigned char)*c < 0x80 ? *c : '?';
    }
    return sp_facts_text(rev->facts, SP_FACT_DOCUMENT_ERROR, sp_view(text, n));
}

static enum sp_err add_digest(struct sp_revision *rev, const struct sp_reading *d)
{
    memcpy(rev->document_sha256, d->sha256, sizeof d->sha256);
    SP_TRY(sp_facts_bytes(rev->facts, SP_FACT_DOCUMENT_SHA256,
                          sp_view(rev->document_sha256, 32)));
    return sp_facts_int(rev->facts, SP_FACT_DOCUMENT_SIZE, (int64_t)d->size);
}

/* Servers may or may not list licence texts: a digest of the list that the document
 * claims for any of its files is one of the document's. (reference 19, 10) */
static enum sp_err add_listed(struct sp_revision *rev, const struct sp_facts *digests)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(digests, SP_FACT_UPDATE_FILE_DIGEST, i, &v); i++) {
        for (size_t c = 0; c < rev->claim_count; c++) {
            if (sp_view_eq(v.bytes, sp_view(rev->claims[c].sha1, 20))) {
                SP_TRY(
                    sp_facts_bytes(rev->facts, SP_FACT_DOCUMENT_FILE_DIGEST, v.bytes));
                break;
            }
        }
    }
    return SP_OK;
}

static enum sp_err copy_claims(struct sp_arena *arena, const struct sp_reading *d,
                               struct sp_revision *rev)
{
    void *list = NULL;
    if (d->claim_count == 0) {
        return SP_OK;
    }
    SP_TRY(sp_arena_alloc(arena, d->claim_count * sizeof *rev->claims, &list));
    memcpy(list, d->claims, d->claim_count * sizeof *rev->claims);
    rev->claims = list;
    rev->claim_count = d->claim_count;
    for (size_t i = 0; i < rev->claim_count; i++) {
        SP_TRY(sp_arena_copy(arena, d->claims[i].name, &rev->claims[i].name));
    }
    return SP_OK;
}

static enum sp_err add_reading(struct sp_update_reader *r, struct sp_revision *rev)
{
    const struct sp_reading *d = &r->part.reading;
    SP_TRY(d->is_unpacked ? add_digest(rev, d) : SP_OK);
    if (d->err != SP_OK) {
        return add_error(rev, d);
    }
    SP_TRY(copy_claims(r->reply->arena, d, rev));
    SP_TRY(sp_facts_merge(rev->facts, d->found));
    return add_listed(rev, r->part.digests);
}

static enum sp_err add_document(struct sp_update_reader *r, struct sp_revision *rev,
                                struct sp_buf *utf8)
{
    if (!r->part.is_read || r->part.blobs != 1) {
        drop_reading(&r->part);
        SP_TRY(read_now(&r->part, utf8));
    }
    return add_reading(r, rev);
}

/* ---- the revision -------------------------------------------------------------- */

static enum sp_err read_identity(const struct sp_update_part *part,
                                 struct sp_revision_id *out, struct sp_why *why)
{
    int64_t number = 0;
    if (sp_guid_parse(sp_view_trim(part->id_text, BLANKS), &out->id) != SP_OK ||
        sp_i64_parse(sp_view_trim(part->number_text, BLANKS), 0, INT32_MAX, &number) !=
            SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "an update has no UpdateID or RevisionNumber");
    }
    out->number = (int32_t)number;
    return SP_OK;
}

static bool was_asked(const struct sp_update_reader *r, const struct sp_revision_id *id)
{
    for (size_t i = 0; i < r->asked_count; i++) {
        if (r->asked[i].number == id->number && sp_guid_eq(&r->asked[i].id, &id->id)) {
            return true;
        }
    }
    return false;
}

static enum sp_err make_room(struct sp_update_reader *r, struct sp_why *why)
{
    struct sp_reply *reply = r->reply;
    if (reply->revision_count >= SP_LIMIT_UPDATE_IDS) {
        return sp_why_set(why, SP_E_LIMIT, "the reply holds more than %d updates",
                          SP_LIMIT_UPDATE_IDS);
    }
    if (reply->revision_count < r->room) {
        return SP_OK;
    }
    size_t room = r->room ? r->room * 2 : 16;
    void *grown = NULL;
    SP_TRY(sp_arena_alloc(reply->arena, room * sizeof *reply->revisions, &grown));
    if (reply->revision_count) {
        memcpy(grown, reply->revisions,
               reply->revision_count * sizeof *reply->revisions);
    }
    reply->revisions = grown;
    r->room = room;
    return SP_OK;
}

static enum sp_err add_facts(struct sp_update_reader *r, struct sp_revision *rev)
{
    SP_TRY(
        sp_facts_bytes(rev->facts, SP_FACT_UPDATE_ID, sp_view(rev->id.id.bytes, 16)));
    SP_TRY(sp_facts_int(rev->facts, SP_FACT_UPDATE_REVISION, rev->id.number));
    SP_TRY(sp_facts_flag(rev->facts, SP_FACT_UPDATE_ASKED, was_asked(r, &rev->id)));
    SP_TRY(sp_facts_merge(rev->facts, r->part.digests));
    if (r->part.blobs != 1) {
        return SP_OK;
    }
    return sp_facts_text(rev->facts, SP_FACT_UPDATE_BLOB,
                         sp_view_str(r->part.compressed ? "cabinet" : "plain"));
}

static bool is_wanted(const struct sp_update_reader *r, const struct sp_revision *rev)
{
    return r->wanted && r->wanted->utf8->len == 0 &&
           sp_facts_count(rev->facts, SP_FACT_DOCUMENT_SHA256) == 1 &&
           memcmp(rev->document_sha256, r->wanted->sha256, 32) == 0;
}

enum sp_err sp_update_end(struct sp_update_reader *r, struct sp_place place,
                          struct sp_why *why)
{
    struct sp_revision_id id;
    struct sp_buf utf8;
    SP_TRY(read_identity(&r->part, &id, why));
    SP_TRY(make_room(r, why));
    struct sp_revision *rev = &r->reply->revisions[r->reply->revision_count];
    SP_TRY(sp_facts_new(FACTS_MAX, &rev->facts));
    r->reply->revision_count++;
    rev->id = id;
    rev->place = place;
    SP_TRY(add_facts(r, rev));
    sp_buf_init(&utf8, SP_LIMIT_DOCUMENT);
    enum sp_err e = add_document(r, rev, &utf8);
    if (e == SP_OK && is_wanted(r, rev)) {
        sp_buf_take(&utf8, r->wanted->utf8);
    }
    sp_buf_fini(&utf8);
    return e;
}
