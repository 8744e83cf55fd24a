/* Texts kept as evidence, whole: what came, and what it should have been.
 *
 *     state_dir/evidence/texts/<sha256>.<kind>
 *
 * A text is named by its digest, so what comes again takes no room. At most SP_TEXT_MAX bytes
 * each, SP_TEXTS_KEPT of them, SP_TEXTS_BYTES together: the oldest go first. They are read
 * by commands and never served. Blocking; one writer. */
#ifndef SP_IO_STORE_TEXTS_H
#define SP_IO_STORE_TEXTS_H

#include "sallyport/bytes.h"

enum {
    SP_TEXT_MAX = 8 << 20,
    SP_TEXTS_KEPT = 256,
    SP_TEXTS_BYTES = 64 << 20,
    SP_TEXT_NAME = 96 /* digest, dot, kind */
};

/* kind: letters. What is there already stays as it is. SP_E_LIMIT: it is too large. */
enum sp_err sp_text_keep(const char *state_dir, const char *kind, struct sp_view text,
                         const uint8_t sha256[32]) SP_MUST_USE;
bool sp_text_is_kept(const char *state_dir, const char *kind, const uint8_t sha256[32]);

struct sp_text_seen {
    char name[SP_TEXT_NAME];
    uint64_t size;
    int64_t kept_at; /* unix seconds */
};
/* Calls back oldest first; there may be none. */
enum sp_err sp_texts_each(const char *state_dir,
                          enum sp_err (*each)(void *ctx, const struct sp_text_seen *s),
                          void *ctx) SP_MUST_USE;
/* Appended to out. SP_E_NOTFOUND, SP_E_MALFORMED for what is no such name. */
enum sp_err sp_text_read(const char *state_dir, const char *name,
                         struct sp_buf *out) SP_MUST_USE;

#endif
