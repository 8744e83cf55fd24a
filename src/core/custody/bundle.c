#include "core/custody/bundle.h"

#include "core/base/limits.h"
#include "core/base/text.h"

#include <inttypes.h>
#include <string.h>

#define HEAD "sallyport-bundle@v1\n"

/* ---- writing ------------------------------------------------------------------- */

enum sp_err sp_bundle_begin(struct sp_buf *out, const char *about, size_t entries)
{
    return sp_buf_printf(out, HEAD "about %s\nentries %zu\n\n", about, entries);
}

enum sp_err sp_bundle_entry(struct sp_buf *out, uint64_t index, struct sp_view entry,
                            const struct sp_proof *proof)
{
    SP_TRY(sp_buf_printf(out, "entry %" PRIu64 " %zu\n", index, entry.len));
    for (unsigned i = 0; i < proof->count; i++) {
        SP_TRY(sp_base64_append(out, sp_view(proof->hashes[i], SP_HASH)));
        SP_TRY(sp_buf_append_byte(out, '\n'));
    }
    SP_TRY(sp_buf_append_byte(out, '\n'));
    return sp_buf_append(out, entry);
}

enum sp_err sp_bundle_end(struct sp_buf *out, struct sp_view note)
{
    SP_TRY(sp_buf_append_str(out, "checkpoint\n"));
    return sp_buf_append(out, note);
}

/* ---- reading ------------------------------------------------------------------- */

struct part { /* one entry as it stands in the file */
    uint64_t index;
    struct sp_proof proof;
    struct sp_view entry;
};

static struct sp_view take_line(struct sp_view *rest)
{
    size_t end = sp_view_find(*rest, '\n');
    struct sp_view line = sp_view_slice(*rest, 0, end);
    *rest = sp_view_slice(*rest, end + 1, rest->len);
    return line;
}

/* The number behind a word and a blank; *line is left behind it. */
static enum sp_err take_number(struct sp_view *line, const char *word, uint64_t most,
                               uint64_t *out)
{
    size_t n = strlen(word);
    if (!sp_view_starts(*line, sp_view_str(word))) {
        return SP_E_MALFORMED;
    }
    struct sp_view rest = sp_view_slice(*line, n, line->len);
    size_t blank = sp_view_find(rest, ' ');
    SP_TRY(sp_u64_parse(sp_view_slice(rest, 0, blank), most, out));
    *line = sp_view_slice(rest, blank, rest.len);
    return SP_OK;
}

static enum sp_err take_part(struct sp_view *rest, struct part *out)
{
    struct sp_view line = take_line(rest);
    uint64_t len = 0;
    out->proof.count = 0;
    SP_TRY(take_number(&line, "entry ", UINT64_MAX - 1, &out->index));
    SP_TRY(take_number(&line, " ", SP_LIMIT_LEDGER_ENTRY, &len));
    if (line.len) {
        return SP_E_MALFORMED;
    }
    while ((line = take_line(rest)).len) {
        if (out->proof.count == SP_PROOF_MAX) {
            return SP_E_MALFORMED;
        }
        SP_TRY(sp_base64_parse_exact(line, out->proof.hashes[out->proof.count++],
                                     SP_HASH));
    }
    if (rest->len < len) {
        return SP_E_TRUNCATED;
    }
    out->entry = sp_view_slice(*rest, 0, (size_t)len);
    *rest = sp_view_slice(*rest, (size_t)len, rest->len);
    return SP_OK;
}

bool sp_bundle_is(struct sp_view file)
{
    return sp_view_starts(file, SP_VIEW(HEAD));
}

static enum sp_err take_head(struct sp_view *rest, struct sp_bundle *out)
{
    struct sp_view about_word = SP_VIEW("about ");
    uint64_t entries = 0;
    if (!sp_bundle_is(*rest)) {
        return SP_E_MALFORMED;
    }
    (void)take_line(rest);
    struct sp_view about = take_line(rest), count = take_line(rest);
    if (!sp_view_starts(about, about_word)) {
        return SP_E_MALFORMED;
    }
    about = sp_view_slice(about, about_word.len, about.len);
    if (about.len == 0 || about.len >= sizeof out->about) {
        return SP_E_MALFORMED;
    }
    for (size_t i = 0; i < about.len; i++) {
        if (about.data[i] <= ' ' || about.data[i] > '~') {
            return SP_E_MALFORMED;
        }
    }
    SP_TRY(take_number(&count, "entries ", SP_LIMIT_BUNDLE_ENTRIES, &entries));
    memcpy(out->about, about.data, about.len);
    out->about[about.len] = '\0';
    out->entries = (size_t)entries;
    return count.len == 0 && take_line(rest).len == 0 ? SP_OK : SP_E_MALFORMED;
}

/* The parts once more, this time to prove them. parts is where they begin. */
static enum sp_err prove(struct sp_view parts, const struct sp_bundle *b,
                         struct sp_why *why)
{
    for (size_t i = 0; i < b->entries; i++) {
        struct part p;
        uint8_t leaf[SP_HASH];
        SP_TRY(take_part(&parts, &p));
        sp_merkle_leaf(p.entry, leaf);
        if (!sp_merkle_check(&p.proof, p.index, b->checkpoint.size, leaf,
                             b->checkpoint.root)) {
            return sp_why_set(why, SP_E_UNPROVEN,
                              "entry %" PRIu64
                              " is not in the ledger that was signed: the entry, its "
                              "number or its proof was changed",
                              p.index);
        }
    }
    return SP_OK;
}

static enum sp_err skip_parts(struct sp_view *rest, size_t count, struct sp_why *why)
{
    for (size_t i = 0; i < count; i++) {
        struct part p;
        enum sp_err e = take_part(rest, &p);
        if (e != SP_OK) {
            return sp_why_set(why, SP_E_MALFORMED,
                              "entry %zu of %zu cannot be read: %s", i + 1, count,
                              sp_err_text(e));
        }
    }
    return SP_OK;
}

enum sp_err sp_bundle_check(struct sp_view file, const struct sp_note_key *key,
                            struct sp_bundle *out,
                            enum sp_err (*each)(void *ctx, uint64_t index,
                                                struct sp_view entry),
                            void *ctx, struct sp_why *why)
{
    struct sp_bundle b = {.entries = 0};
    struct sp_view rest = file;
    if (file.len > SP_LIMIT_BUNDLE) {
        return sp_why_set(why, SP_E_LIMIT, "it is larger than 64 MiB");
    }
    if (take_head(&rest, &b) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED, "it does not begin as a proof bundle");
    }
    struct sp_view parts = rest;
    SP_TRY(skip_parts(&rest, b.entries, why));
    if (!sp_view_eq_str(take_line(&rest), "checkpoint")) {
        return sp_why_set(why, SP_E_MALFORMED, "no checkpoint follows the entries");
    }
    b.note = rest;
    SP_TRY(sp_checkpoint_open(rest, key, &b.checkpoint, why));
    SP_TRY(prove(parts, &b, why));
    for (size_t i = 0; each && i < b.entries; i++) {
        struct part p;
        SP_TRY(take_part(&parts, &p));
        SP_TRY(each(ctx, p.index, p.entry));
    }
    *out = b;
    return SP_OK;
}
