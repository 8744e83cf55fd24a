/* SHA-256 of messages that come in pieces, and of a text that is here as a whole: the
 * text is digested beside the messages, which takes a third of the time it would take
 * alone, and what is left of it at its end. By OpenSSL where the processor lacks what
 * that takes (stitch.h), or is not asked: then the text waits for its end.
 *
 * One thread. */
#ifndef SP_CORE_CRYPTO_DUET_H
#define SP_CORE_CRYPTO_DUET_H

#include "sallyport/bytes.h"

struct sp_duet_text {
    struct sp_view text; /* borrowed */
    size_t done;         /* of its bytes, whole blocks */
    uint32_t state[8];
};
void sp_duet_text_begin(struct sp_duet_text *t, struct sp_view text);
void sp_duet_text_end(struct sp_duet_text *t, uint8_t sha256[32]);

/* Whether the processor can, for a text of so many bytes: asking costs 20 us where it
 * is a virtual one, so short texts do not. */
bool sp_duet_is_worth(size_t bytes);

struct sp_duet; /* one message */
/* is_plain: by OpenSSL, as has to be where sp_duet_is_worth says no. */
enum sp_err sp_duet_new(bool is_plain, struct sp_duet **out) SP_MUST_USE;
void sp_duet_free(struct sp_duet **d);
/* beside: goes on with it too, unless this is plain; it may be NULL. */
enum sp_err sp_duet_add(struct sp_duet *d, struct sp_view piece,
                        struct sp_duet_text *beside) SP_MUST_USE;
/* Once. */
enum sp_err sp_duet_end(struct sp_duet *d, uint8_t sha256[32]) SP_MUST_USE;

#endif
