/* The journal's bytes: frames, and where the trustworthy part of a journal ends. Pure.
 *
 *     frame   = length crc payload        u32 LE length of payload, u32 LE CRC-32C of
 * it payload = 'E' entry                 1..65535 bytes | 'C' note                  a
 * signed checkpoint of all entries so far
 *
 * A batch is entries and one 'C' frame, written at once and made durable before anybody
 * is told. So a journal begins with a 'C' frame, and what follows the last good one was
 * never acknowledged. A frame that is broken before a good 'C' frame is damage. */
#ifndef SP_IO_STORE_JOURNAL_H
#define SP_IO_STORE_JOURNAL_H

#include "sallyport/bytes.h"

enum sp_journal_type { SP_JOURNAL_ENTRY = 'E', SP_JOURNAL_CHECKPOINT = 'C' };
#define SP_JOURNAL_NOTE_MAX 1024 /* three short lines and a signature */

struct sp_journal_frame {
    enum sp_journal_type type;
    struct sp_view body; /* the entry or the note; borrows from the journal */
};

uint32_t sp_crc32c(struct sp_view v);
enum sp_err sp_journal_append(struct sp_buf *b, enum sp_journal_type type,
                              struct sp_view body) SP_MUST_USE;
/* Takes the next frame from the front. SP_E_AGAIN: empty; SP_E_MALFORMED: no good
 * frame. */
enum sp_err sp_journal_next(struct sp_view *journal,
                            struct sp_journal_frame *out) SP_MUST_USE;
/* How many bytes from the front end with the last good checkpoint. SP_E_CORRUPT with
 * the offset when the journal does not begin with one or is broken before one. */
enum sp_err sp_journal_measure(struct sp_view journal, size_t *out,
                               struct sp_why *why) SP_MUST_USE;

#endif
