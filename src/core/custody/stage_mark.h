/* The record beside a file that is being fetched: how many bytes from its start on are
 * durable, and their SHA-256.
 *
 *     mark   = "sallyport stage 1" LF size " " prefix " " sha256 LF
 *     sha256 = 64 lower-case hex digits
 *
 * 0 < prefix <= size. One spelling a mark. Pure. */
#ifndef SP_CORE_CUSTODY_STAGE_MARK_H
#define SP_CORE_CUSTODY_STAGE_MARK_H

#include "sallyport/bytes.h"

#define SP_STAGE_MARK_TEXT 160 /* bytes with the NUL */

struct sp_stage_mark {
    uint64_t size;   /* of the whole file */
    uint64_t prefix; /* 0: nothing is kept */
    uint8_t sha256[32];
};
void sp_stage_mark_format(const struct sp_stage_mark *m, char out[SP_STAGE_MARK_TEXT]);
/* SP_E_MALFORMED for anything that format would not write. */
enum sp_err sp_stage_mark_parse(struct sp_view text,
                                struct sp_stage_mark *out) SP_MUST_USE;

#endif
