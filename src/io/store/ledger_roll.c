/* Rolling: complete bundles of the tail become files that never change, and the journal
 * begins anew behind them. Until the new journal is in place the old one holds
 * everything, so a crash at any step only means that the step is done again. */
#include "io/store/ledger_inside.h"

#include "core/base/limits.h"
#include "io/store/files.h"
#include "io/store/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum sp_err put_tile(void *ctx, unsigned level, uint64_t index,
                            const uint8_t hashes[SP_TILE_BYTES])
{
    struct sp_ledger_files *l = ctx;
    char path[SP_TILE_PATH_MAX];
    sp_tile_path(level, index, SP_TILE_WIDTH, path);
    return sp_file_replace_at(l->dir, path, sp_view(hashes, SP_TILE_BYTES), 0644,
                              SP_FILE_DURABLE);
}

/* Takes the next 256 entries off the front of tail. */
static struct sp_view take_bundle(struct sp_view *tail)
{
    struct sp_view rest = *tail, entry;
    for (int i = 0; i < SP_TILE_WIDTH; i++) {
        enum sp_err e = sp_tile_entries_next(&rest, &entry);
        SP_ASSERT(e == SP_OK);
    }
    struct sp_view bundle = sp_view_slice(*tail, 0, tail->len - rest.len);
    *tail = rest;
    return bundle;
}

static enum sp_err write_tiles(struct sp_ledger_files *l, struct sp_tree *grown,
                               struct sp_view *tail)
{
    struct sp_tile_sink sink = {l, put_tile};
    const uint8_t *leaves = l->leaves.data;
    for (size_t n = sp_ledger_tail_count(l) / SP_TILE_WIDTH; n; n--) {
        char path[SP_TILE_PATH_MAX];
        sp_tile_entries_path(grown->merkle.size / SP_TILE_WIDTH, SP_TILE_WIDTH, path);
        SP_TRY(
            sp_file_replace_at(l->dir, path, take_bundle(tail), 0644, SP_FILE_DURABLE));
        SP_TRY(sp_tree_add(grown, leaves, &sink));
        leaves += SP_TILE_BYTES;
    }
    return SP_OK;
}

static enum sp_err build_journal(struct sp_ledger_files *l,
                                 const struct sp_merkle *base, struct sp_view tail,
                                 struct sp_buf *note, struct sp_buf *out)
{
    struct sp_view entry;
    SP_TRY(sp_ledger_sign(l, base, note));
    SP_TRY(sp_journal_append(out, SP_JOURNAL_CHECKPOINT, sp_buf_view(note)));
    if (tail.len == 0) {
        return SP_OK;
    }
    while (tail.len) {
        SP_TRY(sp_tile_entries_next(&tail, &entry));
        SP_TRY(sp_journal_append(out, SP_JOURNAL_ENTRY, entry));
    }
    SP_TRY(sp_ledger_sign(l, &l->merkle, note));
    return sp_journal_append(out, SP_JOURNAL_CHECKPOINT, sp_buf_view(note));
}

/* The new journal is in place, or the old one still has its name. Else nobody knows
 * which one a crash would leave. */
static enum sp_err put_journal(struct sp_ledger_files *l, struct sp_view bytes,
                               struct sp_why *why)
{
    struct stat st;
    int fd = -1;
    enum sp_err e = sp_file_replace_at(l->dir, "journal", bytes, 0600, SP_FILE_DURABLE);
    if (e != SP_OK && l->journal >= 0 && fstat(l->journal, &st) == 0 &&
        st.st_nlink == 1) {
        return sp_why_set(why, e, "cannot begin a new journal of the ledger");
    }
    if (e == SP_OK) {
        e = sp_file_open_at(l->dir, "journal", O_RDWR, &fd);
    }
    if (e != SP_OK) {
        e = sp_why_set(
            &l->refusal, e,
            "the ledger stopped: its new journal is not safe; check the disk "
            "and start again");
        return sp_why_set(why, e, "%s", l->refusal.text);
    }
    sp_fd_close(&l->journal);
    l->journal = fd;
    l->journal_len = bytes.len;
    return SP_OK;
}

enum sp_err sp_ledger_begin_journal(struct sp_ledger_files *l,
                                    const struct sp_merkle *base, struct sp_view tail,
                                    struct sp_why *why)
{
    struct sp_buf note, bytes;
    sp_buf_init(&note, SP_JOURNAL_NOTE_MAX);
    sp_buf_init(&bytes,
                (size_t)(SP_TILE_WIDTH + 2) * (SP_LIMIT_LEDGER_ENTRY + SP_KIB(1)));
    enum sp_err e = build_journal(l, base, tail, &note, &bytes);
    if (e == SP_OK) {
        e = put_journal(l, sp_buf_view(&bytes), why);
    }
    sp_buf_fini(&note);
    sp_buf_fini(&bytes);
    return e;
}

static void free_tree(struct sp_tree **t)
{
    free(*t);
    *t = NULL;
}

enum sp_err sp_ledger_roll(struct sp_ledger_files *l, struct sp_why *why)
{
    SP_AUTO(free_tree) struct sp_tree *grown = malloc(sizeof *grown);
    struct sp_view tail = sp_buf_view(&l->tail);
    if (!grown) {
        return SP_E_NOMEM;
    }
    *grown = *l->base;
    enum sp_err e = write_tiles(l, grown, &tail);
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot write a full tile of the ledger");
    }
    SP_TRY(sp_ledger_begin_journal(l, &grown->merkle, tail, why));
    size_t moved = (size_t)(grown->merkle.size - l->base->merkle.size);
    sp_buf_consume(&l->tail, l->tail.len - tail.len);
    sp_buf_consume(&l->leaves, moved * SP_HASH);
    free(l->base);
    l->base = grown;
    grown = NULL;
    return SP_OK;
}
