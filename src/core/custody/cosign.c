#include "core/custody/cosign.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <inttypes.h>
#include <string.h>

enum { TIME = 8, SIGNATURE = 64, STAMPED = TIME + SIGNATURE, LINE_DATA = 4 + STAMPED };

enum sp_err sp_cosigner_key_new(const char *name, const uint8_t seed[32],
                                struct sp_note_key **out)
{
    return sp_note_key_make(name, SP_NOTE_COSIGNATURE, seed, out);
}

enum sp_err sp_cosigner_key_import(struct sp_view text, struct sp_note_key **out,
                                   struct sp_why *why)
{
    return sp_note_key_read(text, SP_NOTE_COSIGNATURE, out, why);
}

/* ---- signatures ------------------------------------------------------------------ */

static enum sp_err append_message(uint64_t time, struct sp_view text,
                                  struct sp_buf *out)
{
    SP_TRY(sp_buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time));
    return sp_buf_append(out, text);
}

enum sp_err sp_cosign(const struct sp_note_key *k, struct sp_view text, uint64_t time,
                      struct sp_buf *out)
{
    uint8_t stamped[STAMPED];
    SP_AUTO(sp_buf_fini) struct sp_buf message;
    sp_buf_init(&message, SP_LIMIT_CHECKPOINT + SP_KIB(1));
    if (!k->is_private || k->algorithm != SP_NOTE_COSIGNATURE || time > INT64_MAX) {
        return SP_E_USAGE;
    }
    SP_TRY(append_message(time, text, &message));
    for (unsigned i = 0; i < TIME; i++) {
        stamped[i] = (uint8_t)(time >> (8 * (TIME - 1 - i)));
    }
    SP_TRY(sp_ed25519_sign(k->seed, sp_buf_view(&message), stamped + TIME));
    return sp_note_line_append(k, sp_view(stamped, sizeof stamped), out);
}

/* data: what a line holds that says it is the key's. */
static enum sp_err verify(const struct sp_note_key *k, struct sp_view text,
                          struct sp_view data, struct sp_cosigned *out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf message;
    uint64_t time = 0;
    bool good = false;
    sp_buf_init(&message, SP_LIMIT_CHECKPOINT + SP_KIB(1));
    if (data.len != LINE_DATA) {
        return SP_OK;
    }
    for (unsigned i = 0; i < TIME; i++) {
        time = time << 8 | data.data[4 + i];
    }
    SP_TRY(append_message(time, text, &message));
    SP_TRY(sp_ed25519_verify(k->public_key, sp_buf_view(&message), data.data + 4 + TIME,
                             &good));
    if (good && time <= INT64_MAX) {
        out->time = out->good && out->time > time ? out->time : time;
        out->good = true;
    }
    return SP_OK;
}

static enum sp_err take_line(const struct sp_note_key *const *keys, size_t count,
                             struct sp_view text, struct sp_view *rest,
                             struct sp_cosigned *said)
{
    SP_AUTO(sp_buf_fini) struct sp_buf data;
    struct sp_view name;
    sp_buf_init(&data, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_note_line_next(rest, &name, &data));
    for (size_t i = 0; i < count; i++) {
        if (sp_note_line_is_of(keys[i], name, sp_buf_view(&data))) {
            SP_TRY(verify(keys[i], text, sp_buf_view(&data), &said[i]));
        }
    }
    return SP_OK;
}

enum sp_err sp_cosignatures(struct sp_view note, const struct sp_note_key *const *keys,
                            size_t count, struct sp_cosigned *said, size_t *good)
{
    struct sp_view text, rest;
    size_t n = 0;
    if (note.len > SP_LIMIT_CHECKPOINT) {
        return SP_E_LIMIT;
    }
    SP_TRY(sp_note_split(note, &text, &rest));
    for (size_t i = 0; i < count; i++) {
        said[i] = (struct sp_cosigned){.good = false};
    }
    while (rest.len) {
        SP_TRY(take_line(keys, count, text, &rest, said));
    }
    for (size_t i = 0; i < count; i++) {
        n += said[i].good;
    }
    *good = n;
    return SP_OK;
}

enum sp_err sp_cosignature_take(struct sp_view lines, const struct sp_note_key *k,
                                struct sp_buf *note)
{
    SP_AUTO(sp_buf_fini) struct sp_buf data;
    struct sp_view text, signatures, name;
    sp_buf_init(&data, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_note_split(sp_buf_view(note), &text, &signatures));
    while (lines.len) {
        struct sp_cosigned said = {.good = false};
        SP_TRY(sp_note_line_next(&lines, &name, &data));
        if (sp_note_line_is_of(k, name, sp_buf_view(&data))) {
            SP_TRY(verify(k, text, sp_buf_view(&data), &said));
        }
        if (said.good) {
            return sp_note_line_append(
                k, sp_view_slice(sp_buf_view(&data), 4, data.len), note);
        }
    }
    return SP_E_UNPROVEN;
}

/* ---- add-checkpoint -------------------------------------------------------------- */

enum sp_err sp_cosign_ask_write(const struct sp_cosign_ask *a, struct sp_buf *out)
{
    if (a->proof.count > SP_COSIGN_PROOF_MAX) {
        return SP_E_LIMIT;
    }
    SP_TRY(sp_buf_printf(out, "old %" PRIu64 "\n", a->old_size));
    for (unsigned i = 0; i < a->proof.count; i++) {
        SP_TRY(sp_base64_append(out, sp_view(a->proof.hashes[i], SP_HASH)));
        SP_TRY(sp_buf_append_byte(out, '\n'));
    }
    SP_TRY(sp_buf_append_byte(out, '\n'));
    return sp_buf_append(out, a->note);
}

/* False where *rest holds no whole line. */
static bool next_line(struct sp_view *rest, struct sp_view *line)
{
    size_t end = sp_view_find(*rest, '\n');
    if (end == rest->len) {
        return false;
    }
    *line = sp_view_slice(*rest, 0, end);
    *rest = sp_view_slice(*rest, end + 1, rest->len);
    return true;
}

enum sp_err sp_cosign_ask_parse(struct sp_view body, struct sp_cosign_ask *out)
{
    struct sp_cosign_ask a = {.old_size = 0};
    struct sp_view line = {0}, old = SP_VIEW("old ");
    if (!next_line(&body, &line) || !sp_view_starts(line, old)) {
        return SP_E_MALFORMED;
    }
    SP_TRY(
        sp_u64_parse(sp_view_slice(line, old.len, line.len), UINT64_MAX, &a.old_size));
    for (;;) {
        if (!next_line(&body, &line)) {
            return SP_E_MALFORMED;
        }
        if (line.len == 0) {
            break;
        }
        if (a.proof.count == SP_COSIGN_PROOF_MAX) {
            return SP_E_LIMIT;
        }
        SP_TRY(sp_base64_parse_exact(line, a.proof.hashes[a.proof.count++], SP_HASH));
    }
    a.note = body;
    *out = a;
    return SP_OK;
}

enum sp_err sp_cosign_origin(struct sp_view note, struct sp_view *out)
{
    struct sp_view text, signatures, origin;
    SP_TRY(sp_note_split(note, &text, &signatures));
    if (!next_line(&text, &origin) || origin.len == 0) {
        return SP_E_MALFORMED;
    }
    *out = origin;
    return SP_OK;
}

int sp_cosign_status(enum sp_cosign_ruling r)
{
    switch (r) {
    case SP_COSIGN_GRANTED:
        return 200;
    case SP_COSIGN_MALFORMED:
        return 400;
    case SP_COSIGN_UNSIGNED:
        return 403;
    case SP_COSIGN_STALE:
    case SP_COSIGN_FORKED:
        return 409;
    case SP_COSIGN_UNPROVEN:
        break;
    }
    return 422;
}

/* [RFC 6962] 2.1: the empty tree has one root. What was cosigned last is a tree that
 * somebody had before; nothing at all is the empty one. */
static bool continues(const struct sp_cosign_ask *a, const struct sp_head *last,
                      const struct sp_head *now)
{
    uint8_t empty[SP_HASH];
    sp_sha256(SP_VIEW(""), empty);
    return sp_merkle_check_growth(&a->proof, last->size, now->size,
                                  last->size ? last->root : empty, now->root);
}

enum sp_cosign_ruling sp_cosign_judge(const struct sp_cosign_ask *a,
                                      const struct sp_note_key *log,
                                      const struct sp_head *last, struct sp_head *out,
                                      struct sp_why *why)
{
    struct sp_checkpoint c;
    struct sp_head now;
    enum sp_err e = sp_checkpoint_open(a->note, log, &c, why);
    if (e != SP_OK) {
        return e == SP_E_UNPROVEN ? SP_COSIGN_UNSIGNED : SP_COSIGN_MALFORMED;
    }
    now.size = c.size;
    memcpy(now.root, c.root, SP_HASH);
    if (a->old_size > now.size) {
        sp_why_say(why, "it is smaller than the tree it is said to continue");
        return SP_COSIGN_MALFORMED;
    }
    if (a->old_size != last->size) {
        sp_why_say(why, "%" PRIu64 " entries were cosigned last, not %" PRIu64,
                   last->size, a->old_size);
        return SP_COSIGN_STALE;
    }
    if (last->size && now.size == last->size &&
        memcmp(now.root, last->root, SP_HASH) != 0) {
        sp_why_say(why, "another tree of %" PRIu64 " entries was cosigned before",
                   now.size);
        return SP_COSIGN_FORKED;
    }
    if (!continues(a, last, &now)) {
        sp_why_say(why,
                   "%" PRIu64 " entries are not shown to continue the %" PRIu64
                   " that were cosigned last",
                   now.size, last->size);
        return SP_COSIGN_UNPROVEN;
    }
    *out = now;
    return SP_COSIGN_GRANTED;
}
