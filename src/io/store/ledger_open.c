/* Opening: a new ledger, the journal, the view. */
#include "io/store/ledger_inside.h"

#include "core/base/limits.h"
#include "io/store/files.h"
#include "io/store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FRAME_EXTRA = 9 + SP_JOURNAL_NOTE_MAX
}; /* an entry may bring a checkpoint along */
#define JOURNAL_MAX  ((size_t)SP_TAIL_ENTRIES * (SP_LIMIT_LEDGER_ENTRY + FRAME_EXTRA))
#define BUNDLE_ENTRY (SP_LIMIT_LEDGER_ENTRY + 2)

enum sp_err sp_ledger_new(struct sp_ledger_files **out)
{
    struct sp_ledger_files *l = calloc(1, sizeof *l);
    struct sp_tree *base = calloc(1, sizeof *base);
    if (!l || !base) {
        free(l);
        free(base);
        return SP_E_NOMEM;
    }
    l->dir = l->lock = l->journal = -1;
    l->base = base;
    sp_buf_init(&l->public_key, SP_KIB(1));
    sp_buf_init(&l->note, SP_JOURNAL_NOTE_MAX);
    sp_buf_init(&l->tail, (size_t)SP_TAIL_ENTRIES * BUNDLE_ENTRY);
    sp_buf_init(&l->leaves, (size_t)SP_TAIL_ENTRIES * SP_HASH);
    sp_buf_init(&l->bundle, (size_t)SP_TILE_WIDTH * BUNDLE_ENTRY);
    *out = l;
    return SP_OK;
}

void sp_ledger_close(struct sp_ledger_files **out)
{
    struct sp_ledger_files *l = *out;
    if (l) {
        sp_fd_close(&l->journal);
        sp_fd_close(&l->dir);
        sp_fd_close(&l->lock);
        sp_note_key_free(&l->key);
        sp_buf_fini(&l->public_key);
        sp_buf_fini(&l->note);
        sp_buf_fini(&l->tail);
        sp_buf_fini(&l->leaves);
        sp_buf_fini(&l->bundle);
        free(l->base);
        free(l);
    }
    *out = NULL;
}

enum sp_err sp_ledger_open_dir(struct sp_ledger_files *l, const char *state_dir,
                               struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int state = -1;
    SP_TRY(sp_dir_open(state_dir, &state, why));
    enum sp_err e = sp_file_open_at(state, "ledger", O_RDONLY | O_DIRECTORY, &l->dir);
    return e == SP_OK ? e : sp_why_set(why, e, "there is no ledger in %s", state_dir);
}

/* A signed checkpoint must say exactly what was computed. */
static enum sp_err check_note(const struct sp_ledger_files *l, struct sp_view note,
                              const char *file, struct sp_why *why)
{
    struct sp_checkpoint c;
    uint8_t root[SP_HASH];
    if (sp_checkpoint_open(note, l->key, &c, NULL) != SP_OK) {
        return sp_why_set(why, SP_E_CORRUPT,
                          "a checkpoint in the ledger's %s is not signed by its key",
                          file);
    }
    sp_merkle_root(&l->merkle, root);
    if (c.size != l->merkle.size || memcmp(c.root, root, SP_HASH) != 0) {
        return sp_why_set(
            why, SP_E_CORRUPT,
            "the ledger's %s does not fit its checkpoint for %llu entries", file,
            (unsigned long long)c.size);
    }
    return SP_OK;
}

/* ---- journal ------------------------------------------------------------------- */

/* The first frame says how many entries lie in full tiles. */
static enum sp_err load_base(struct sp_ledger_files *l, struct sp_view note,
                             const char *file, struct sp_why *why)
{
    struct sp_checkpoint c;
    if (sp_checkpoint_open(note, l->key, &c, NULL) != SP_OK) {
        return sp_why_set(why, SP_E_CORRUPT,
                          "a checkpoint in the ledger's %s is not signed by its key",
                          file);
    }
    return sp_ledger_load_base(l, c.size - c.size % SP_TILE_WIDTH, why);
}

static enum sp_err take_frame(struct sp_ledger_files *l,
                              const struct sp_journal_frame *frame, struct sp_why *why)
{
    if (frame->type == SP_JOURNAL_ENTRY) {
        return sp_ledger_tail_add(l, frame->body);
    }
    if (l->note.len == 0) {
        SP_TRY(load_base(l, frame->body, "journal", why));
    }
    SP_TRY(check_note(l, frame->body, "journal", why));
    sp_buf_clear(&l->note);
    return sp_buf_append(&l->note, frame->body);
}

static enum sp_err take_journal(struct sp_ledger_files *l, struct sp_view bytes,
                                struct sp_why *why)
{
    size_t good = 0;
    struct sp_journal_frame frame;
    SP_TRY(sp_journal_measure(bytes, &good, why));
    bytes = sp_view_slice(bytes, 0, good);
    while (bytes.len) {
        SP_TRY(sp_journal_next(&bytes, &frame));
        SP_TRY(take_frame(l, &frame, why));
    }
    l->journal_len = good;
    return SP_OK;
}

/* The view is written after entries are durable: a signed checkpoint for more than the
 * journal holds means that acknowledged entries were lost. */
static enum sp_err check_not_behind(struct sp_ledger_files *l, struct sp_why *why)
{
    struct sp_buf note;
    struct sp_checkpoint c;
    uint8_t root[SP_HASH];
    sp_buf_init(&note, SP_JOURNAL_NOTE_MAX);
    sp_merkle_root(&l->merkle, root);
    enum sp_err e = SP_OK;
    if (sp_file_read_at(l->dir, "checkpoint", &note) == SP_OK &&
        sp_checkpoint_open(sp_buf_view(&note), l->key, &c, NULL) == SP_OK &&
        (c.size > l->merkle.size ||
         (c.size == l->merkle.size && memcmp(c.root, root, SP_HASH) != 0))) {
        e = sp_why_set(
            why, SP_E_CORRUPT,
            "the ledger's journal ends after %llu entries, but a checkpoint for "
            "%llu was signed; restore the journal from a backup",
            (unsigned long long)l->merkle.size, (unsigned long long)c.size);
    }
    sp_buf_fini(&note);
    return e;
}

enum sp_err sp_ledger_load_journal(struct sp_ledger_files *l, struct sp_why *why)
{
    struct sp_buf bytes;
    sp_buf_init(&bytes, JOURNAL_MAX);
    enum sp_err e = sp_file_read_at(l->dir, "journal", &bytes);
    if (e == SP_OK) {
        e = take_journal(l, sp_buf_view(&bytes), why);
    }
    sp_buf_fini(&bytes);
    if (e != SP_OK) {
        return sp_why_set(why, e == SP_E_NOTFOUND ? SP_E_CORRUPT : e,
                          "the ledger's journal cannot be read");
    }
    return check_not_behind(l, why);
}

/* Where there is nothing, a ledger is begun; where something is missing, it is not. */
static enum sp_err begin_where_empty(struct sp_ledger_files *l, const char *origin,
                                     struct sp_why *why)
{
    bool journal = sp_file_is_there(l->dir, "journal");
    bool tiles =
        sp_file_is_there(l->dir, "checkpoint") || sp_file_is_there(l->dir, "tile");
    if (!sp_file_is_there(l->dir, "key")) {
        if (journal || tiles) {
            return sp_why_set(
                why, SP_E_CORRUPT,
                "the ledger's key is gone; restore ledger/key from a backup");
        }
        SP_TRY(sp_ledger_make_key(l, origin, why));
    }
    SP_TRY(sp_ledger_load_key(l, why));
    if (journal) {
        return SP_OK;
    }
    if (tiles) {
        return sp_why_set(why, SP_E_CORRUPT,
                          "the ledger's journal is gone; restore ledger/journal from a "
                          "backup");
    }
    return sp_ledger_begin_journal(l, &l->merkle, SP_VIEW(""), why);
}

/* What was never acknowledged is cut off, so that nothing is ever written behind it. */
static enum sp_err cut_journal(struct sp_ledger_files *l, struct sp_why *why)
{
    SP_TRY(sp_file_open_at(l->dir, "journal", O_RDWR, &l->journal));
    if (ftruncate(l->journal, (off_t)l->journal_len) != 0 || fsync(l->journal) != 0) {
        return sp_file_fail(why, "cut the torn end of", "the ledger's journal", errno);
    }
    return SP_OK;
}

static enum sp_err open_all(struct sp_ledger_files *l, const char *state_dir,
                            const char *origin, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int state = -1;
    SP_TRY(sp_dir_make(state_dir, &state, why));
    SP_TRY(sp_dir_open_at(state, "ledger", &l->dir, why));
    SP_TRY(sp_file_lock_at(l->dir, "lock", "the ledger", &l->lock, why));
    SP_TRY(begin_where_empty(l, origin, why));
    sp_fd_close(&l->journal);
    SP_TRY(sp_ledger_load_journal(l, why));
    SP_TRY(cut_journal(l, why));
    if (sp_ledger_tail_count(l) >= SP_TILE_WIDTH) {
        SP_TRY(sp_ledger_roll(l, why));
    }
    uint64_t base = l->base->merkle.size;
    l->view_base = base ? base - SP_TILE_WIDTH : 0;
    sp_ledger_write_view(l);
    return SP_OK;
}

enum sp_err sp_ledger_open(const char *state_dir, const char *origin,
                           struct sp_ledger_files **out, struct sp_why *why)
{
    SP_AUTO(sp_ledger_close) struct sp_ledger_files *l = NULL;
    SP_TRY(sp_ledger_new(&l));
    SP_TRY(open_all(l, state_dir, origin, why));
    *out = l;
    l = NULL;
    return SP_OK;
}

/* ---- view ---------------------------------------------------------------------- */

static enum sp_err take_partial(struct sp_ledger_files *l, uint64_t size)
{
    char path[SP_TILE_PATH_MAX];
    unsigned width = (unsigned)(size % SP_TILE_WIDTH);
    struct sp_view entry, bundle;
    if (width == 0) {
        return SP_OK;
    }
    sp_tile_entries_path(size / SP_TILE_WIDTH, width, path);
    l->has_bundle = false;
    sp_buf_clear(&l->bundle);
    SP_TRY(sp_file_read_at(l->dir, path, &l->bundle));
    bundle = sp_buf_view(&l->bundle);
    while (bundle.len) {
        SP_TRY(sp_tile_entries_next(&bundle, &entry));
        SP_TRY(sp_ledger_tail_add(l, entry));
    }
    return SP_OK;
}

static enum sp_err load_view_once(struct sp_ledger_files *l, struct sp_why *why)
{
    struct sp_checkpoint c;
    sp_buf_clear(&l->note);
    sp_buf_clear(&l->tail);
    sp_buf_clear(&l->leaves);
    SP_TRY(sp_file_read_at(l->dir, "checkpoint", &l->note));
    SP_TRY(load_base(l, sp_buf_view(&l->note), "checkpoint", why));
    SP_TRY(sp_checkpoint_open(sp_buf_view(&l->note), l->key, &c, why));
    SP_TRY(take_partial(l, c.size));
    return check_note(l, sp_buf_view(&l->note), "view", why);
}

/* A writer may take away the partial bundle of the checkpoint that was just read; then
 * there is a newer checkpoint. */
enum sp_err sp_ledger_load_view(struct sp_ledger_files *l, struct sp_why *why)
{
    enum sp_err e = SP_E_NOTFOUND;
    for (int tries = 0; tries < 20 && e == SP_E_NOTFOUND; tries++) {
        if (tries) {
            usleep(5000);
        }
        e = load_view_once(l, why);
    }
    if (e == SP_E_NOTFOUND || e == SP_E_MALFORMED || e == SP_E_TRUNCATED) {
        e = SP_E_CORRUPT;
    }
    return e == SP_OK ? e
                      : sp_why_set(why, e,
                                   "the ledger's checkpoint or last bundle is "
                                   "missing or damaged");
}

enum sp_err sp_ledger_open_view(const char *state_dir, struct sp_ledger_files **out,
                                struct sp_why *why)
{
    SP_AUTO(sp_ledger_close) struct sp_ledger_files *l = NULL;
    SP_TRY(sp_ledger_new(&l));
    SP_TRY(sp_ledger_open_dir(l, state_dir, why));
    SP_TRY(sp_ledger_load_public_key(l, why));
    SP_TRY(sp_ledger_load_view(l, why));
    *out = l;
    l = NULL;
    return SP_OK;
}
