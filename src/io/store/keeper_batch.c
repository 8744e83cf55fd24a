/* Recording: everything that waits becomes one append of the ledger and one transaction
 * of the index. Preconditions are checked in order, against the index and what stands
 * before in the same batch. */
#include "io/store/change.h"
#include "io/store/keeper_inside.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 4096 }; /* entries; what the ledger takes at once */

struct batch {
    struct sp_view *texts;     /* owned; the texts are the askers' */
    struct sp_change *changes; /* owned */
    size_t count;
};

static void batch_cut(struct batch *b, size_t count)
{
    while (b->count > count) {
        sp_change_fini(&b->changes[--b->count]);
    }
}

static bool same_revision(const struct sp_revision_id *a,
                          const struct sp_revision_id *b)
{
    return a->number == b->number && sp_guid_eq(&a->id, &b->id);
}

/* The document that is recorded for a revision, here or in the index. */
static enum sp_err find_document(struct sp_keeper *k, const struct batch *b,
                                 const struct sp_revision_id *id, uint8_t out[32])
{
    struct sp_index_revision known;
    for (size_t i = 0; i < b->count; i++) {
        if (b->changes[i].kind == SP_CHANGE_REVISION &&
            same_revision(&b->changes[i].id, id)) {
            memcpy(out, b->changes[i].document_sha256, 32);
            return SP_OK;
        }
    }
    SP_TRY(sp_index_revision(k->index, id, &known));
    memcpy(out, known.document_sha256, 32);
    return SP_OK;
}

/* What the asker states and what its text says must be one thing. */
static enum sp_err check_stated(const struct sp_record_entry *entry,
                                const struct sp_change *c, struct sp_why *why)
{
    const struct sp_record_revision *r = entry->revision;
    bool fits = (r != NULL) == (c->kind == SP_CHANGE_REVISION) &&
                entry->is_file == (c->kind == SP_CHANGE_FILE);
    if (fits && r) {
        fits = same_revision(&r->id, &c->id) &&
               memcmp(r->document_sha256, c->document_sha256, 32) == 0;
    }
    if (fits && entry->is_file) {
        fits = memcmp(entry->sha1, c->sha1, 20) == 0 &&
               memcmp(entry->sha256, c->sha256, 32) == 0 && entry->size == c->size;
    }
    return fits ? SP_OK
                : sp_why_set(why, SP_E_INTERNAL,
                             "an entry's text is not what is recorded");
}

/* *skip: the revision is known with this document. */
static enum sp_err judge(struct sp_keeper *k, const struct batch *b,
                         const struct sp_change *c, bool *skip, struct sp_why *why)
{
    uint8_t document[32];
    if (c->kind == SP_CHANGE_CLAIMS) {
        return SP_OK; /* shares the fate of the revision before it */
    }
    *skip = false;
    if (c->kind == SP_CHANGE_WITHHELD) {
        return sp_index_is_withheld(k->index, &c->id, c->policy, skip);
    }
    if (c->kind != SP_CHANGE_REVISION) {
        return SP_OK;
    }
    enum sp_err e = find_document(k, b, &c->id, document);
    if (e == SP_E_NOTFOUND) {
        return SP_OK;
    }
    SP_TRY(e);
    if (memcmp(document, c->document_sha256, 32) != 0) {
        return sp_why_set(why, SP_E_CONFLICT,
                          "the revision was recorded with another document meanwhile");
    }
    *skip = true;
    return SP_OK;
}

static enum sp_err add_entry(struct sp_keeper *k, struct batch *b,
                             const struct sp_record_entry *entry, bool *skip,
                             struct sp_why *why)
{
    struct sp_change c;
    SP_TRY(sp_change_read(entry->text, &c, why));
    enum sp_err e = check_stated(entry, &c, why);
    if (e == SP_OK) {
        e = judge(k, b, &c, skip, why);
    }
    if (e != SP_OK || *skip) {
        sp_change_fini(&c);
        return e;
    }
    b->texts[b->count] = entry->text;
    b->changes[b->count++] = c;
    return SP_OK;
}

/* All entries of a record or none. r->first is the place in the batch for now. */
static enum sp_err add_record(struct sp_keeper *k, struct batch *b, struct sp_record *r)
{
    size_t before = b->count;
    bool skip = false;
    if (r->count > BATCH_MAX) {
        return sp_why_set(&r->why, SP_E_LIMIT, "more than %d entries at once",
                          BATCH_MAX);
    }
    for (size_t i = 0; i < r->count; i++) {
        enum sp_err e = add_entry(k, b, &r->entries[i], &skip, &r->why);
        if (e != SP_OK) {
            batch_cut(b, before);
            return e;
        }
    }
    r->first = before;
    r->appended = b->count - before;
    return SP_OK;
}

/* The entries are durable and answered for; an index that cannot follow is repaired by
 * replay before it is asked again. */
static void follow(struct sp_keeper *k, const struct batch *b, uint64_t first)
{
    struct sp_index_mark mark;
    sp_keeper_mark(k, &mark);
    enum sp_err e = sp_index_begin(k->index);
    for (size_t i = 0; e == SP_OK && i < b->count; i++) {
        e = sp_change_apply(&b->changes[i], k->index, first + i, &k->counts);
    }
    if (e == SP_OK) {
        e = sp_index_commit(k->index, &mark);
    }
    if (e != SP_OK) {
        sp_keeper_index_failed(k, e);
    }
}

static enum sp_err write_batch(struct sp_keeper *k, struct batch *b, uint64_t *first,
                               struct sp_why *why)
{
    *first = sp_ledger_size(k->ledger);
    if (b->count == 0) {
        return SP_OK;
    }
    enum sp_err e = sp_ledger_append(k->ledger, b->texts, b->count, first, why);
    if (e == SP_OK) {
        follow(k, b, *first);
        k->signed_at = sp_clock_wall_s();
    }
    sp_keeper_publish(k, e, why);
    return e;
}

static struct sp_record *next_of(const struct sp_record *r)
{
    return (struct sp_record *)r->msg.next;
}

/* Answers every record from r up to end; those with an error of their own keep it. */
static void answer(struct sp_record *r, const struct sp_record *end, uint64_t first,
                   enum sp_err e, const struct sp_why *why)
{
    while (r != end) {
        struct sp_record *next = next_of(r);
        if (r->err == SP_OK && r->appended && e != SP_OK) {
            r->err = sp_why_set(&r->why, e, "%s", sp_why_text(why, e));
        }
        r->first += first;
        if (r->err != SP_OK) {
            r->appended = 0;
        }
        sp_keeper_answer_record(r, r->err);
        r = next;
    }
}

static struct sp_record *flush_some(struct sp_keeper *k, struct batch *b,
                                    struct sp_record *begin)
{
    struct sp_why why = {0};
    uint64_t first = 0;
    struct sp_record *r = begin;
    for (; r && (b->count == 0 || b->count + r->count <= BATCH_MAX); r = next_of(r)) {
        r->first = 0;
        r->appended = 0;
        r->err = sp_keeper_index_ready(k, &r->why);
        if (r->err == SP_OK) {
            r->err = add_record(k, b, r);
        }
    }
    enum sp_err e = write_batch(k, b, &first, &why);
    batch_cut(b, 0);
    answer(begin, r, first, e, &why);
    return r;
}

void sp_keeper_flush(struct sp_keeper *k)
{
    struct batch b = {.texts = calloc(BATCH_MAX, sizeof *b.texts),
                      .changes = calloc(BATCH_MAX, sizeof *b.changes)};
    struct sp_record *r = k->records;
    k->records = NULL;
    k->records_end = &k->records;
    while (r) {
        if (b.texts && b.changes) {
            r = flush_some(k, &b, r);
        } else {
            struct sp_record *next = next_of(r);
            sp_keeper_answer_record(r, SP_E_NOMEM);
            r = next;
        }
    }
    free(b.texts);
    free(b.changes);
}
