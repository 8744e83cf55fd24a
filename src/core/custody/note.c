/* C2SP signed-note: a text, an empty line, signature lines. */
#include "core/custody/note.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <string.h>

#define DASH "\xE2\x80\x94 " /* U+2014 and a blank */

enum { SIGNATURE = 64, SIGNATURE_DATA = 4 + SIGNATURE };

enum sp_err sp_note_sign(const struct sp_note_key *k, struct sp_view text,
                         struct sp_buf *out)
{
    if (!k->is_private) {
        return SP_E_USAGE;
    }
    uint8_t data[SIGNATURE_DATA];
    memcpy(data, k->hash, 4);
    SP_TRY(sp_ed25519_sign(k->seed, text, data + 4));
    SP_TRY(sp_buf_append_str(out, DASH));
    SP_TRY(sp_buf_append_str(out, k->name));
    SP_TRY(sp_buf_append_byte(out, ' '));
    SP_TRY(sp_base64_append(out, sp_view(data, sizeof data)));
    return sp_buf_append_byte(out, '\n');
}

/* Everything up to the last empty line is text; what follows are signatures. */
static enum sp_err note_split(struct sp_view note, struct sp_view *text,
                              struct sp_view *signatures)
{
    if (!sp_utf8_is_valid(note) || !sp_view_ends(note, SP_VIEW("\n"))) {
        return SP_E_MALFORMED;
    }
    for (size_t i = 0; i < note.len; i++) {
        if (note.data[i] < ' ' && note.data[i] != '\n') {
            return SP_E_MALFORMED;
        }
    }
    for (size_t end = note.len - 1; end > 1; end--) {
        if (note.data[end - 1] == '\n' && note.data[end - 2] == '\n') {
            *text = sp_view_slice(note, 0, end - 1);
            *signatures = sp_view_slice(note, end, note.len);
            return SP_OK;
        }
    }
    return SP_E_MALFORMED;
}

/* line is without its newline. *good stays as it is where the line is another key's. */
static enum sp_err signature_check(const struct sp_note_key *k, struct sp_view text,
                                   struct sp_view line, bool *good)
{
    struct sp_view dash = SP_VIEW(DASH);
    if (!sp_view_starts(line, dash)) {
        return SP_E_MALFORMED;
    }
    line = sp_view_slice(line, dash.len, line.len);
    size_t blank = sp_view_find(line, ' ');
    struct sp_view name = sp_view_slice(line, 0, blank);
    struct sp_view base64 = sp_view_slice(line, blank + 1, line.len);
    SP_AUTO(sp_buf_fini) struct sp_buf data;
    sp_buf_init(&data, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_base64_parse(base64, &data));
    if (name.len == 0 || data.len <= sizeof k->hash) {
        return SP_E_MALFORMED;
    }
    if (!sp_view_eq_str(name, k->name) || memcmp(data.data, k->hash, 4) != 0) {
        return SP_OK;
    }
    bool verifies = false;
    if (data.len == SIGNATURE_DATA) {
        SP_TRY(sp_ed25519_verify(k->public_key, text, data.data + 4, &verifies));
    }
    *good = verifies;
    return verifies ? SP_OK : SP_E_UNPROVEN;
}

enum sp_err sp_note_open(const struct sp_note_key *k, struct sp_view note,
                         struct sp_view *text, struct sp_why *why)
{
    struct sp_view body, rest;
    if (note.len > SP_LIMIT_CHECKPOINT) {
        return sp_why_set(why, SP_E_LIMIT, "the note is longer than %zu bytes",
                          SP_LIMIT_CHECKPOINT);
    }
    if (note_split(note, &body, &rest) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "it is no signed note: lines of text, an empty line and "
                          "signature lines are wanted");
    }
    bool good = false;
    while (rest.len) {
        size_t end = sp_view_find(rest, '\n');
        enum sp_err e = signature_check(k, body, sp_view_slice(rest, 0, end), &good);
        if (e != SP_OK) {
            return sp_why_set(why, e, "signature line: %s",
                              e == SP_E_UNPROVEN ? "the signature is wrong"
                                                 : sp_err_text(e));
        }
        rest = sp_view_slice(rest, end + 1, rest.len);
    }
    if (!good) {
        return sp_why_set(why, SP_E_UNPROVEN, "no signature is by the key of %s",
                          k->name);
    }
    *text = body;
    return SP_OK;
}
