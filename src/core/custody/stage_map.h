/* The map beside a file that is being fetched: which blocks behind its prefix are
 * there, and their SHA-256. Lines are added as blocks come, never changed.
 *
 *     line = block " " sha256 LF
 *     sha256 = 64 lower-case hex digits
 *
 * It proves nothing by itself: whoever takes a block up reads it and compares. Pure. */
#ifndef SP_CORE_CUSTODY_STAGE_MAP_H
#define SP_CORE_CUSTODY_STAGE_MAP_H

#include "sallyport/bytes.h"

#define SP_STAGE_MAP_LINE 96 /* bytes with the NUL */

struct sp_stage_block {
    uint64_t number; /* of SP_BLOCK_SIZE bytes each */
    uint8_t sha256[32];
};
void sp_stage_map_format(const struct sp_stage_block *b, char out[SP_STAGE_MAP_LINE]);
/* Takes a line out of the head of *text. SP_E_MALFORMED: it is torn, or none that
 * format would write; nothing behind it counts. */
enum sp_err sp_stage_map_next(struct sp_view *text,
                              struct sp_stage_block *out) SP_MUST_USE;

#endif
