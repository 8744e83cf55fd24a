/* C2SP signed-note: a text, an empty line, signature lines. */
#include "core/custody/note.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <string.h>

#define DASH "\xE2\x80\x94 " /* U+2014 and a blank */

enum { SIGNATURE = 64, SIGNATURE_DATA = 4 + SIGNATURE };

enum sp_err sp_note_line_append(const struct sp_note_key *k, struct sp_view signature,
                                struct sp_buf *out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf data;
    sp_buf_init(&data, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_buf_append(&data, sp_view(k->hash, sizeof k->hash)));
    SP_TRY(sp_buf_append(&data, signature));
    SP_TRY(sp_buf_append_str(out, DASH));
    SP_TRY(sp_buf_append_str(out, k->name));
    SP_TRY(sp_buf_append_byte(out, ' '));
    SP_TRY(sp_base64_append(out, sp_buf_view(&data)));
    return sp_buf_append_byte(out, '\n');
}

enum sp_err sp_note_sign(const struct sp_note_key *k, struct sp_view text,
                         struct sp_buf *out)
{
    uint8_t signature[SIGNATURE];
    if (!k->is_private || k->algorithm != SP_NOTE_ED25519) {
        return SP_E_USAGE;
    }
    SP_TRY(sp_ed25519_sign(k->seed, text, signature));
    return sp_note_line_append(k, sp_view(signature, sizeof signature), out);
}

/* Everything up to the last empty line is text; what follows are signatures. */
enum sp_err sp_note_split(struct sp_view note, struct sp_view *text,
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

enum sp_err sp_note_line_next(struct sp_view *rest, struct sp_view *name,
                              struct sp_buf *data)
{
    struct sp_view dash = SP_VIEW(DASH);
    if (rest->len == 0) {
        return SP_E_AGAIN;
    }
    size_t end = sp_view_find(*rest, '\n');
    struct sp_view line = sp_view_slice(*rest, 0, end);
    *rest = sp_view_slice(*rest, end + 1, rest->len);
    if (!sp_view_starts(line, dash)) {
        return SP_E_MALFORMED;
    }
    line = sp_view_slice(line, dash.len, line.len);
    size_t blank = sp_view_find(line, ' ');
    *name = sp_view_slice(line, 0, blank);
    sp_buf_clear(data);
    SP_TRY(sp_base64_parse(sp_view_slice(line, blank + 1, line.len), data));
    return name->len == 0 || data->len <= 4 ? SP_E_MALFORMED : SP_OK;
}

bool sp_note_line_is_of(const struct sp_note_key *k, struct sp_view name,
                        struct sp_view data)
{
    return sp_view_eq_str(name, k->name) && data.len > sizeof k->hash &&
           memcmp(data.data, k->hash, sizeof k->hash) == 0;
}

/* *good stays as it is where the line is another key's. */
static enum sp_err check_next(const struct sp_note_key *k, struct sp_view text,
                              struct sp_view *rest, bool *good)
{
    SP_AUTO(sp_buf_fini) struct sp_buf data;
    struct sp_view name;
    bool verifies = false;
    sp_buf_init(&data, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_note_line_next(rest, &name, &data));
    if (!sp_note_line_is_of(k, name, sp_buf_view(&data))) {
        return SP_OK;
    }
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
    if (sp_note_split(note, &body, &rest) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "it is no signed note: lines of text, an empty line and "
                          "signature lines are wanted");
    }
    bool good = false;
    while (rest.len) {
        enum sp_err e = check_next(k, body, &rest, &good);
        if (e != SP_OK) {
            return sp_why_set(why, e, "signature line: %s",
                              e == SP_E_UNPROVEN ? "the signature is wrong"
                                                 : sp_err_text(e));
        }
    }
    if (!good) {
        return sp_why_set(why, SP_E_UNPROVEN, "no signature is by the key of %s",
                          k->name);
    }
    *text = body;
    return SP_OK;
}
