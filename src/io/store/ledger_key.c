/* The ledger's key: the private half in "key", the public half in "key.pub". */
#include "io/store/ledger_inside.h"

#include "io/loop/loop.h"
#include "io/store/files.h"

#include <string.h>

enum { KEY_TEXT_MAX = 1024 };

static void buf_wipe(struct sp_buf *b)
{
    if (b->data) {
        sp_bytes_wipe(b->data, b->cap);
    }
    sp_buf_fini(b);
}

/* Text of a key that is spelled as we spell it: base64 and hex have other spellings. */
static enum sp_err import_key(struct sp_view text, struct sp_note_key **out)
{
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    struct sp_buf again;
    SP_TRY(sp_note_key_import(text, &k, NULL));
    uint8_t *room = NULL;
    sp_buf_init(&again, KEY_TEXT_MAX);
    SP_TRY(sp_buf_reserve(&again, KEY_TEXT_MAX, &room)); /* it does not move */
    enum sp_err e = sp_view_starts(text, SP_VIEW("PRIVATE+KEY+"))
                        ? sp_note_key_export(k, &again)
                        : sp_note_key_export_public(k, &again);
    if (e == SP_OK && !sp_view_eq(sp_buf_view(&again), text)) {
        e = SP_E_MALFORMED;
    }
    buf_wipe(&again);
    SP_TRY(e);
    *out = k;
    k = NULL;
    return SP_OK;
}

/* One line; the line feed that an editor leaves behind is no part of it. */
static enum sp_err read_key(int dir, const char *name, struct sp_note_key **out,
                            struct sp_why *why)
{
    struct sp_buf text;
    sp_buf_init(&text, KEY_TEXT_MAX);
    enum sp_err e = sp_file_read_at(dir, name, &text);
    if (e == SP_E_NOTFOUND || e == SP_E_DENIED) {
        return e;
    }
    if (e == SP_OK) {
        e = import_key(sp_view_trim(sp_buf_view(&text), "\n"), out);
    }
    buf_wipe(&text);
    if (e != SP_OK) {
        return sp_why_set(why, e == SP_E_NOMEM || e == SP_E_IO ? e : SP_E_CORRUPT,
                          "the ledger's file %s holds no key that can be read", name);
    }
    return e;
}

static enum sp_err public_text(const struct sp_note_key *k, struct sp_buf *out)
{
    SP_TRY(sp_note_key_export_public(k, out));
    SP_TRY(sp_buf_append_byte(out, '\0'));
    out->len--;
    return SP_OK;
}

enum sp_err sp_ledger_load_public_key(struct sp_ledger_files *l, struct sp_why *why)
{
    enum sp_err e = read_key(l->dir, "key.pub", &l->key, why);
    if (e == SP_E_NOTFOUND) {
        e = SP_E_CORRUPT;
    }
    if (e != SP_OK) {
        return sp_why_set(why, e, "the ledger's public key cannot be read");
    }
    return public_text(l->key, &l->public_key);
}

static enum sp_err write_public_key(struct sp_ledger_files *l, struct sp_why *why)
{
    struct sp_buf line;
    sp_buf_init(&line, KEY_TEXT_MAX);
    enum sp_err e = sp_buf_append(&line, sp_buf_view(&l->public_key));
    if (e == SP_OK) {
        e = sp_buf_append_byte(&line, '\n');
    }
    if (e == SP_OK) {
        e = sp_file_replace_at(l->dir, "key.pub", sp_buf_view(&line), 0644,
                               SP_FILE_DURABLE);
    }
    sp_buf_fini(&line);
    return e == SP_OK ? e : sp_why_set(why, e, "cannot write the ledger's public key");
}

static enum sp_err compare(struct sp_ledger_files *l, const struct sp_note_key *other,
                           struct sp_why *why)
{
    struct sp_buf text;
    sp_buf_init(&text, KEY_TEXT_MAX);
    enum sp_err e = public_text(other, &text);
    bool same = sp_view_eq(sp_buf_view(&text), sp_buf_view(&l->public_key));
    sp_buf_fini(&text);
    if (e == SP_OK && !same) {
        return sp_why_set(why, SP_E_CORRUPT,
                          "the ledger's files key and key.pub do not belong together");
    }
    return e;
}

enum sp_err sp_ledger_check_keys(struct sp_ledger_files *l, struct sp_why *why)
{
    SP_AUTO(sp_note_key_free) struct sp_note_key *private = NULL;
    enum sp_err e = read_key(l->dir, "key", &private, why);
    if (e == SP_E_NOTFOUND || e == SP_E_DENIED) {
        return SP_OK; /* an auditor has the public half only */
    }
    SP_TRY(e);
    return compare(l, private, why);
}

enum sp_err sp_ledger_load_key(struct sp_ledger_files *l, struct sp_why *why)
{
    SP_AUTO(sp_note_key_free) struct sp_note_key *public = NULL;
    enum sp_err e = read_key(l->dir, "key", &l->key, why);
    if (e != SP_OK) {
        return sp_why_set(why, e, "the ledger's key cannot be read");
    }
    SP_TRY(public_text(l->key, &l->public_key));
    e = read_key(l->dir, "key.pub", &public, why);
    if (e == SP_E_NOTFOUND) {
        return write_public_key(l, why);
    }
    SP_TRY(e);
    return compare(l, public, why);
}

static enum sp_err write_key(int dir, const struct sp_note_key *k)
{
    struct sp_buf text;
    uint8_t *room = NULL;
    sp_buf_init(&text, KEY_TEXT_MAX);
    enum sp_err e = sp_buf_reserve(&text, KEY_TEXT_MAX, &room); /* it does not move */
    e = e == SP_OK ? sp_note_key_export(k, &text) : e;
    if (e == SP_OK) {
        e = sp_buf_append_byte(&text, '\n');
    }
    if (e == SP_OK) {
        e = sp_file_replace_at(dir, "key", sp_buf_view(&text), 0600, SP_FILE_DURABLE);
    }
    buf_wipe(&text);
    return e;
}

enum sp_err sp_ledger_make_key(struct sp_ledger_files *l, const char *origin,
                               struct sp_why *why)
{
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    uint8_t seed[32];
    SP_TRY(sp_random_bytes(seed, sizeof seed));
    enum sp_err e = sp_note_key_new(origin, seed, &k);
    sp_bytes_wipe(seed, sizeof seed);
    if (e != SP_OK) {
        return sp_why_set(why, e, "\"%s\" cannot be a ledger's name", origin);
    }
    e = write_key(l->dir, k);
    return e == SP_OK ? e : sp_why_set(why, e, "cannot write the ledger's key");
}
