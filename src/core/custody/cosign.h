/* C2SP tlog-cosignature and tlog-witness: a witness signs the checkpoint of somebody
 * else's ledger once it was shown that the ledger only grew. Pure: who asks over the
 * network, and what a witness remembers, others know.
 *
 * A cosignature is a signature line of the checkpoint's note, by a key whose algorithm
 * is 0x04, over a text of its own:
 *     "cosignature/v1\ntime " unix seconds "\n" and the note's text
 * The line holds key hash, the time as 64 bits big-endian, Ed25519 signature.
 *
 * What a witness is asked (add-checkpoint):
 *     old 17                          entries it cosigned last
 *     <base64 of a hash>              consistency proof, a hash a line, at most 63
 *     <empty line>
 *     <the signed checkpoint> */
#ifndef SP_CORE_CUSTODY_COSIGN_H
#define SP_CORE_CUSTODY_COSIGN_H

#include "core/custody/follow.h"
#include "core/custody/note.h"

#define SP_LIMIT_COSIGNERS 16

/* Keys of cosigners: as those of notes, with algorithm 0x04. */
enum sp_err sp_cosigner_key_new(const char *name, const uint8_t seed[32],
                                struct sp_note_key **out) SP_MUST_USE;
enum sp_err sp_cosigner_key_import(struct sp_view text, struct sp_note_key **out,
                                   struct sp_why *why) SP_MUST_USE;

/* Appends the line for a note's text, of that time. SP_E_USAGE with a public key or
 * that of a log. */
enum sp_err sp_cosign(const struct sp_note_key *k, struct sp_view text, uint64_t time,
                      struct sp_buf *out) SP_MUST_USE;

struct sp_cosigned { /* what one cosigner said */
    bool good;
    uint64_t time; /* of its newest good signature, unix seconds */
};
/* Which of the keys cosigned the note: said[i] is about keys[i], *good how many did. A
 * line that does not verify is none, whatever it says. SP_E_MALFORMED. */
enum sp_err sp_cosignatures(struct sp_view note, const struct sp_note_key *const *keys,
                            size_t count, struct sp_cosigned *said,
                            size_t *good) SP_MUST_USE;
/* lines: what a witness answered. Appends to note the one that k made over its text.
 * SP_E_UNPROVEN: there is no such line; SP_E_MALFORMED. */
enum sp_err sp_cosignature_take(struct sp_view lines, const struct sp_note_key *k,
                                struct sp_buf *note) SP_MUST_USE;

/* ---- add-checkpoint -------------------------------------------------------------- */

struct sp_cosign_ask {
    uint64_t old_size;
    struct sp_proof proof;
    struct sp_view note; /* borrowed */
};
#define SP_COSIGN_PROOF_MAX 63
enum sp_err sp_cosign_ask_write(const struct sp_cosign_ask *a,
                                struct sp_buf *out) SP_MUST_USE;
enum sp_err sp_cosign_ask_parse(struct sp_view body,
                                struct sp_cosign_ask *out) SP_MUST_USE;
/* The ledger that a note says it is of; nothing of it is proven. SP_E_MALFORMED. */
enum sp_err sp_cosign_origin(struct sp_view note, struct sp_view *out) SP_MUST_USE;

enum sp_cosign_ruling {
    SP_COSIGN_GRANTED,
    SP_COSIGN_MALFORMED, /* it is no checkpoint, or smaller than the old size */
    SP_COSIGN_UNSIGNED,  /* not by the key that is known for the ledger */
    SP_COSIGN_STALE,     /* the old size is not what was cosigned last */
    SP_COSIGN_FORKED,    /* of the size that was cosigned last, with another root */
    SP_COSIGN_UNPROVEN,  /* it is not shown to continue what was cosigned last */
};
/* The HTTP status of [C2SP tlog-witness] for it. */
int sp_cosign_status(enum sp_cosign_ruling r);
/* log: the key that is known for the ledger; last: what was cosigned for it last, size
 * 0 for nothing. *out is what is cosigned now, where it is granted. */
enum sp_cosign_ruling sp_cosign_judge(const struct sp_cosign_ask *a,
                                      const struct sp_note_key *log,
                                      const struct sp_head *last, struct sp_head *out,
                                      struct sp_why *why);

#endif
