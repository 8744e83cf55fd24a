/* Keys of signed notes, from the inside: for checkpoint.c and whatever else signs one
 * day.
 *
 * The signature of a note is Ed25519 over its text, written on a line behind it:
 *     "— name base64(key hash || signature)\n"
 * with the em dash U+2014. The key hash is the first four bytes of
 * SHA-256(name || "\n" || 0x01 || public key); it picks a key and proves nothing. */
#ifndef SP_CORE_CUSTODY_NOTE_H
#define SP_CORE_CUSTODY_NOTE_H

#include "sallyport/ledger.h"

#include "core/base/limits.h"

struct sp_note_key {
    char name[SP_LIMIT_NOTE_NAME + 1]; /* NUL-terminated */
    uint8_t hash[4];
    uint8_t public_key[32];
    uint8_t seed[32]; /* all zero where only the public half is there */
    bool is_private;
};

/* Appends the signature line for text. SP_E_USAGE with a public key. */
enum sp_err sp_note_sign(const struct sp_note_key *k, struct sp_view text,
                         struct sp_buf *out) SP_MUST_USE;
/* Takes a note apart and proves its text: some signature is the key's, and every one
 * that says it is verifies. SP_E_MALFORMED, SP_E_UNPROVEN, SP_E_LIMIT. *text borrows
 * from note and ends with its last newline. */
enum sp_err sp_note_open(const struct sp_note_key *k, struct sp_view note,
                         struct sp_view *text, struct sp_why *why) SP_MUST_USE;

#endif
