/* Appending: one write and one fdatasync a batch. */
#include "io/store/ledger_inside.h"

#include "core/base/limits.h"
#include "io/store/files.h"
#include "io/store/journal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

size_t sp_ledger_tail_count(const struct sp_ledger_files *l)
{
    return l->leaves.len / SP_HASH;
}

enum sp_err sp_ledger_tail_add(struct sp_ledger_files *l, struct sp_view entry)
{
    uint8_t leaf[SP_HASH];
    sp_merkle_leaf(entry, leaf);
    SP_TRY(sp_tile_entries_append(&l->tail, entry));
    SP_TRY(sp_buf_append(&l->leaves, sp_view(leaf, sizeof leaf)));
    sp_merkle_append(&l->merkle, leaf);
    return SP_OK;
}

enum sp_err sp_ledger_sign(const struct sp_ledger_files *l, const struct sp_merkle *m,
                           struct sp_buf *note)
{
    struct sp_checkpoint c = {.origin = sp_view_str(sp_note_key_name(l->key)),
                              .size = m->size};
    sp_merkle_root(m, c.root);
    sp_buf_clear(note);
    return sp_checkpoint_sign(&c, l->key, note);
}

static enum sp_err refuse(struct sp_ledger_files *l, const char *what, int err,
                          struct sp_why *why)
{
    char text[128];
    enum sp_err e =
        sp_why_set(&l->refusal, SP_E_CORRUPT,
                   "the ledger stopped: cannot %s its journal: %s; check the "
                   "disk and start again",
                   what, strerror_r(err, text, sizeof text));
    return sp_why_set(why, e, "%s", l->refusal.text);
}

/* A batch on its way into the ledger. */
struct batch {
    struct sp_buf frames; /* entries, then the checkpoint over them */
    struct sp_buf note;
    size_t bytes; /* of all entries */
};

static enum sp_err batch_build(struct batch *b, const struct sp_ledger_files *l,
                               const struct sp_view *entries, size_t count)
{
    struct sp_merkle m = l->merkle;
    for (size_t i = 0; i < count; i++) {
        uint8_t leaf[SP_HASH];
        if (entries[i].len == 0 || entries[i].len > SP_LIMIT_LEDGER_ENTRY) {
            return SP_E_LIMIT;
        }
        sp_merkle_leaf(entries[i], leaf);
        sp_merkle_append(&m, leaf);
        SP_TRY(sp_journal_append(&b->frames, SP_JOURNAL_ENTRY, entries[i]));
        b->bytes += entries[i].len;
    }
    SP_TRY(sp_ledger_sign(l, &m, &b->note));
    return sp_journal_append(&b->frames, SP_JOURNAL_CHECKPOINT, sp_buf_view(&b->note));
}

/* Once the batch is on disk nothing may fail any more: memory is taken before. */
static enum sp_err make_room(struct sp_ledger_files *l, const struct batch *b,
                             size_t count)
{
    uint8_t *room;
    SP_TRY(sp_buf_reserve(&l->tail, b->bytes + 2 * count, &room));
    return sp_buf_reserve(&l->leaves, count * SP_HASH, &room);
}

static enum sp_err batch_write(struct sp_ledger_files *l, const struct batch *b,
                               struct sp_why *why)
{
    enum sp_err e = sp_file_write(l->journal, l->journal_len, sp_buf_view(&b->frames));
    if (e != SP_OK) {
        /* what was written of it is taken back: nothing of the batch counts */
        if (ftruncate(l->journal, (off_t)l->journal_len) != 0) {
            return refuse(l, "repair", errno, why);
        }
        return sp_why_set(why, e, "cannot write the ledger's journal");
    }
    if (fdatasync(l->journal) != 0) {
        /* the kernel may have dropped the pages and call the next fdatasync a success
         */
        return refuse(l, "make durable", errno, why);
    }
    return SP_OK;
}

static void batch_accept(struct sp_ledger_files *l, struct batch *b,
                         const struct sp_view *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum sp_err e = sp_ledger_tail_add(l, entries[i]);
        SP_ASSERT(e == SP_OK);
    }
    l->journal_len += b->frames.len;
    sp_buf_fini(&l->note);
    sp_buf_take(&b->note, &l->note);
}

static enum sp_err append(struct sp_ledger_files *l, struct batch *b,
                          const struct sp_view *entries, size_t count,
                          struct sp_why *why)
{
    SP_TRY(batch_build(b, l, entries, count));
    SP_TRY(make_room(l, b, count));
    SP_TRY(batch_write(l, b, why));
    batch_accept(l, b, entries, count);
    return SP_OK;
}

/* The entries are durable; that full tiles find no room is the next append's trouble.
 */
static void after_append(struct sp_ledger_files *l)
{
    if (sp_ledger_tail_count(l) >= SP_TILE_WIDTH && sp_ledger_roll(l, NULL) != SP_OK) {
        return;
    }
    sp_ledger_write_view(l);
}

enum sp_err sp_ledger_append(struct sp_ledger_files *l, const struct sp_view *entries,
                             size_t count, uint64_t *first, struct sp_why *why)
{
    struct batch b = {.bytes = 0};
    uint64_t at = l->merkle.size;
    SP_ASSERT(l->lock >= 0);
    if (l->refusal.text[0]) {
        return sp_why_set(why, SP_E_CORRUPT, "%s", l->refusal.text);
    }
    if (count > SP_LEDGER_BATCH) {
        return sp_why_set(why, SP_E_LIMIT, "more than %d entries at once",
                          SP_LEDGER_BATCH);
    }
    if (sp_ledger_tail_count(l) >= SP_TILE_WIDTH) {
        SP_TRY(sp_ledger_roll(l, why));
    }
    if (count) {
        sp_buf_init(&b.frames, (count + 1) * (SP_LIMIT_LEDGER_ENTRY + SP_KIB(1)));
        sp_buf_init(&b.note, SP_JOURNAL_NOTE_MAX);
        enum sp_err e = append(l, &b, entries, count, why);
        sp_buf_fini(&b.frames);
        sp_buf_fini(&b.note);
        SP_TRY(e);
        after_append(l);
    }
    *first = at;
    return SP_OK;
}
