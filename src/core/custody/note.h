/* Keys of signed notes, from the inside: for checkpoint.c and cosign.c.
 *
 * The signature of a note is Ed25519 over its text, written on a line behind it:
 *     "— name base64(key hash || signature)\n"
 * with the em dash U+2014. The key hash is the first four bytes of
 * SHA-256(name || "\n" || algorithm || public key); it picks a key and proves nothing.
 */
#ifndef SP_CORE_CUSTODY_NOTE_H
#define SP_CORE_CUSTODY_NOTE_H

#include "sallyport/ledger.h"

#include "core/base/limits.h"

enum sp_note_algorithm {
    SP_NOTE_ED25519 = 1,    /* of a log: over the text */
    SP_NOTE_COSIGNATURE = 4 /* of a cosigner: cosign.h */
};
struct sp_note_key {
    char name[SP_LIMIT_NOTE_NAME + 1]; /* NUL-terminated */
    enum sp_note_algorithm algorithm;
    uint8_t hash[4];
    uint8_t public_key[32];
    uint8_t seed[32]; /* all zero where only the public half is there */
    bool is_private;
};

/* As sp_note_key_new and sp_note_key_import, for a key of that algorithm and no other.
 */
enum sp_err sp_note_key_make(const char *name, enum sp_note_algorithm algorithm,
                             const uint8_t seed[32],
                             struct sp_note_key **out) SP_MUST_USE;
enum sp_err sp_note_key_read(struct sp_view text, enum sp_note_algorithm algorithm,
                             struct sp_note_key **out, struct sp_why *why) SP_MUST_USE;

/* Appends the signature line for text. SP_E_USAGE with a public key. */
enum sp_err sp_note_sign(const struct sp_note_key *k, struct sp_view text,
                         struct sp_buf *out) SP_MUST_USE;
/* Takes a note apart and proves its text: some signature is the key's, and every one
 * that says it is verifies. SP_E_MALFORMED, SP_E_UNPROVEN, SP_E_LIMIT. *text borrows
 * from note and ends with its last newline. */
enum sp_err sp_note_open(const struct sp_note_key *k, struct sp_view note,
                         struct sp_view *text, struct sp_why *why) SP_MUST_USE;

/* The two halves of a note, which borrow from it: the text ends with its last newline,
 * and behind the empty line something stands. SP_E_MALFORMED. */
enum sp_err sp_note_split(struct sp_view note, struct sp_view *text,
                          struct sp_view *signatures) SP_MUST_USE;
/* Takes the first line from *rest: whose it says it is, and what it holds, the key hash
 * first (data is overwritten). SP_E_AGAIN: there is none left; SP_E_MALFORMED. */
enum sp_err sp_note_line_next(struct sp_view *rest, struct sp_view *name,
                              struct sp_buf *data) SP_MUST_USE;
/* A line says that it is the key's. */
bool sp_note_line_is_of(const struct sp_note_key *k, struct sp_view name,
                        struct sp_view data);
enum sp_err sp_note_line_append(const struct sp_note_key *k, struct sp_view signature,
                                struct sp_buf *out) SP_MUST_USE;

#endif
