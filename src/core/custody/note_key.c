/* Ed25519 keys of signed notes, in the texts that Go's note package reads and writes:
 *     "PRIVATE+KEY+name+hash+base64(algorithm || seed)"
 *     "name+hash+base64(algorithm || public key)" */
#include "core/custody/note.h"

#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "core/crypto/secret.h"

#include <string.h>

enum { KEY_DATA = 33 };

static const char private_prefix[] = "PRIVATE+KEY+";

static bool is_name(struct sp_view name)
{
    if (name.len == 0 || name.len > SP_LIMIT_NOTE_NAME) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] <= ' ' || name.data[i] > '~' || name.data[i] == '+') {
            return false;
        }
    }
    return true;
}

static void key_hash(struct sp_note_key *k)
{
    uint8_t hash[32], tail[2 + 32] = {'\n', (uint8_t)k->algorithm};
    memcpy(tail + 2, k->public_key, 32);
    sp_sha256_joined(sp_view_str(k->name), sp_view(tail, sizeof tail), hash);
    memcpy(k->hash, hash, sizeof k->hash);
}

/* secret: data is a seed; else it is a public key. */
static enum sp_err key_make(struct sp_view name, enum sp_note_algorithm algorithm,
                            bool secret, const uint8_t data[32],
                            struct sp_note_key **out)
{
    if (!is_name(name)) {
        return SP_E_MALFORMED;
    }
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = sp_secret_alloc(sizeof *k);
    if (!k) {
        return SP_E_NOMEM;
    }
    memcpy(k->name, name.data, name.len);
    memcpy(secret ? k->seed : k->public_key, data, 32);
    k->algorithm = algorithm;
    k->is_private = secret;
    if (secret) {
        SP_TRY(sp_ed25519_public(k->seed, k->public_key));
    }
    key_hash(k);
    *out = k;
    k = NULL;
    return SP_OK;
}

enum sp_err sp_note_key_new(const char *name, const uint8_t seed[32],
                            struct sp_note_key **out)
{
    return sp_note_key_make(name, SP_NOTE_ED25519, seed, out);
}

enum sp_err sp_note_key_make(const char *name, enum sp_note_algorithm algorithm,
                             const uint8_t seed[32], struct sp_note_key **out)
{
    return key_make(sp_view_str(name), algorithm, true, seed, out);
}

void sp_note_key_free(struct sp_note_key **k)
{
    if (!*k) {
        return;
    }
    sp_secret_free(*k, sizeof **k);
    *k = NULL;
}

const char *sp_note_key_name(const struct sp_note_key *k)
{
    return k->name;
}

static enum sp_err append_key(const struct sp_note_key *k, const uint8_t half[32],
                              struct sp_buf *out)
{
    uint8_t data[KEY_DATA] = {(uint8_t)k->algorithm};
    memcpy(data + 1, half, 32);
    SP_TRY(sp_buf_append_str(out, k->name));
    SP_TRY(sp_buf_append_byte(out, '+'));
    SP_TRY(sp_hex_append(out, sp_view(k->hash, sizeof k->hash)));
    SP_TRY(sp_buf_append_byte(out, '+'));
    enum sp_err e = sp_base64_append(out, sp_view(data, sizeof data));
    sp_bytes_wipe(data, sizeof data);
    return e;
}

enum sp_err sp_note_key_export(const struct sp_note_key *k, struct sp_buf *out)
{
    if (!k->is_private) {
        return SP_E_USAGE;
    }
    SP_TRY(sp_buf_append_str(out, private_prefix));
    return append_key(k, k->seed, out);
}

enum sp_err sp_note_key_export_public(const struct sp_note_key *k, struct sp_buf *out)
{
    return append_key(k, k->public_key, out);
}

/* The part of *rest before its first '+', which is dropped. */
static struct sp_view next_field(struct sp_view *rest)
{
    size_t end = sp_view_find(*rest, '+');
    struct sp_view field = sp_view_slice(*rest, 0, end);
    *rest = sp_view_slice(*rest, end + 1, rest->len);
    return field;
}

static enum sp_err key_read(struct sp_view text, enum sp_note_algorithm algorithm,
                            uint8_t data[KEY_DATA], struct sp_note_key **out,
                            struct sp_why *why)
{
    struct sp_view prefix = sp_view_str(private_prefix);
    bool secret = sp_view_starts(text, prefix);
    struct sp_view rest = sp_view_slice(text, secret ? prefix.len : 0, text.len);
    struct sp_view name = next_field(&rest);
    struct sp_view hash_text = next_field(&rest);
    uint8_t hash[4];
    SP_AUTO(sp_note_key_free) struct sp_note_key *k = NULL;
    if (!is_name(name) || sp_hex_parse(hash_text, hash, sizeof hash) != SP_OK ||
        sp_base64_parse_exact(rest, data, KEY_DATA) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "the key is not of the form name+hash+base64");
    }
    if (data[0] != algorithm) {
        return sp_why_set(
            why, SP_E_UNSUPPORTED, "the key's algorithm is %u, not %s (%u)", data[0],
            algorithm == SP_NOTE_ED25519 ? "Ed25519" : "Ed25519 cosignatures",
            (unsigned)algorithm);
    }
    SP_TRY(key_make(name, algorithm, secret, data + 1, &k));
    if (memcmp(k->hash, hash, sizeof hash) != 0) {
        return sp_why_set(
            why, SP_E_MISMATCH,
            "the key's hash does not fit its name and bytes; a part of it "
            "was changed");
    }
    *out = k;
    k = NULL;
    return SP_OK;
}

enum sp_err sp_note_key_read(struct sp_view text, enum sp_note_algorithm algorithm,
                             struct sp_note_key **out, struct sp_why *why)
{
    uint8_t data[KEY_DATA];
    enum sp_err e = key_read(text, algorithm, data, out, why);
    sp_bytes_wipe(data, sizeof data);
    return e;
}

enum sp_err sp_note_key_import(struct sp_view text, struct sp_note_key **out,
                               struct sp_why *why)
{
    return sp_note_key_read(text, SP_NOTE_ED25519, out, why);
}
