/* The whole ledger as one file, written and proven in one pass over it. */
#include "app/base/say.h"
#include "app/proof/bundle_tools.h"
#include "core/base/limits.h"
#include "core/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEAD "sallyport-ledger@v1\n"

static void close_file(FILE **f)
{
    if (*f) {
        fclose(*f);
    }
    *f = NULL;
}

/* ---- writing --------------------------------------------------------------------- */

struct writing {
    FILE *file; /* borrowed */
    struct sp_bar bar;
};

/* Big-endian length and bytes, as in a bundle of entries. */
static enum sp_err write_entry(void *ctx, uint64_t n, struct sp_view entry)
{
    struct writing *w = ctx;
    const uint8_t length[2] = {(uint8_t)(entry.len >> 8), (uint8_t)entry.len};
    sp_bar_at(&w->bar, n + 1);
    return fwrite(length, 1, 2, w->file) == 2 &&
                   fwrite(entry.data, 1, entry.len, w->file) == entry.len
               ? SP_OK
               : SP_E_IO;
}

static enum sp_err write_entries(struct sp_ledger_files *l, FILE *f, struct sp_why *why)
{
    struct writing w = {.file = f};
    sp_bar_init(&w.bar, _("written"), sp_ledger_size(l));
    enum sp_err e = sp_ledger_each(l, 0, write_entry, &w, why);
    sp_bar_end(&w.bar);
    return e;
}

enum sp_err sp_export_write(struct sp_ledger_files *l, const char *file,
                            struct sp_why *why)
{
    SP_AUTO(close_file) FILE *f = fopen(file, "wxe");
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    if (!f) {
        return sp_why_set(why, errno == EEXIST ? SP_E_EXISTS : SP_E_IO,
                          _("cannot create %s: %s"), file, strerror(errno));
    }
    uint64_t size = 0;
    SP_TRY(sp_ledger_checkpoint_upto(l, false, &note, &size, why));
    fprintf(f, HEAD "%zu\n", note.len);
    fwrite(note.data, 1, note.len, f);
    SP_TRY(write_entries(l, f, why));
    bool failed = fflush(f) != 0 || ferror(f);
    return failed ? sp_why_set(why, SP_E_IO, _("cannot write %s"), file) : SP_OK;
}

/* ---- reading --------------------------------------------------------------------- */

static enum sp_err read_head(FILE *f, const struct sp_note_key *key,
                             struct sp_buf *note, struct sp_checkpoint *out,
                             struct sp_why *why)
{
    char line[64];
    uint64_t len = 0;
    uint8_t *to = NULL;
    if (!fgets(line, sizeof line, f) || strcmp(line, HEAD) != 0 ||
        !fgets(line, sizeof line, f) ||
        sp_u64_parse(
            sp_view_slice(sp_view_str(line), 0, sp_view_find(sp_view_str(line), '\n')),
            SP_LIMIT_CHECKPOINT, &len) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED,
                          _("it does not begin as an exported ledger"));
    }
    SP_TRY(sp_buf_reserve(note, (size_t)len, &to));
    if (fread(to, 1, (size_t)len, f) != len) {
        return sp_why_set(why, SP_E_TRUNCATED, _("it ends inside its checkpoint"));
    }
    note->len += (size_t)len;
    return sp_checkpoint_open(sp_buf_view(note), key, out, why);
}

enum sp_err sp_export_note(const char *file, const struct sp_note_key *key,
                           struct sp_buf *note, struct sp_why *why)
{
    SP_AUTO(close_file) FILE *f = fopen(file, "re");
    struct sp_checkpoint c;
    return f ? read_head(f, key, note, &c, why)
             : sp_why_set(why, SP_E_NOTFOUND, _("cannot open %s: %s"), file,
                          strerror(errno));
}

static enum sp_err read_entry(FILE *f, uint64_t n, struct sp_buf *out,
                              struct sp_why *why)
{
    uint8_t length[2] = {0};
    uint8_t *to = NULL;
    sp_buf_clear(out);
    if (fread(length, 1, 2, f) != 2) {
        return sp_why_set(why, SP_E_TRUNCATED, _("it ends before entry %ju"), n);
    }
    size_t len = (size_t)length[0] << 8 | length[1];
    SP_TRY(sp_buf_reserve(out, len ? len : 1, &to));
    if (len == 0 || fread(to, 1, len, f) != len) {
        return sp_why_set(why, SP_E_TRUNCATED, _("it ends inside entry %ju"), n);
    }
    out->len = len;
    return SP_OK;
}

static enum sp_err check_root(const struct sp_merkle *m, const struct sp_checkpoint *c,
                              FILE *f, struct sp_why *why)
{
    uint8_t root[SP_HASH];
    sp_merkle_root(m, root);
    if (memcmp(root, c->root, SP_HASH) != 0) {
        return sp_why_set(why, SP_E_UNPROVEN,
                          _("its entries do not give the root that was signed"));
    }
    return fgetc(f) == EOF && !ferror(f)
               ? SP_OK
               : sp_why_set(why, SP_E_MALFORMED, _("something follows its last entry"));
}

enum sp_err
sp_export_check(const char *file, const struct sp_note_key *key,
                enum sp_err (*each)(void *ctx, uint64_t index, struct sp_view entry),
                void *ctx, struct sp_bar *bar, uint64_t *entries, struct sp_why *why)
{
    SP_AUTO(close_file) FILE *f = fopen(file, "re");
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_merkle m = {0};
    struct sp_checkpoint c;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    if (!f) {
        return sp_why_set(why, SP_E_NOTFOUND, _("cannot open %s: %s"), file,
                          strerror(errno));
    }
    SP_TRY(read_head(f, key, &note, &c, why));
    if (bar) {
        sp_bar_init(bar, _("checked"), c.size);
    }
    for (uint64_t n = 0; n < c.size; n++) {
        uint8_t leaf[SP_HASH];
        SP_TRY(read_entry(f, n, &text, why));
        sp_merkle_leaf(sp_buf_view(&text), leaf);
        sp_merkle_append(&m, leaf);
        SP_TRY(each ? each(ctx, n, sp_buf_view(&text)) : SP_OK);
        if (bar) {
            sp_bar_at(bar, n + 1);
        }
    }
    SP_TRY(check_root(&m, &c, f, why));
    *entries = c.size;
    return SP_OK;
}
