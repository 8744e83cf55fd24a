/* MSZIP, [MS-MCI] 2.1: blocks of deflate data (RFC 1951), each behind "CK", whose
 * history is what the blocks before it gave.
 *
 * Knows: deflate. Refuses to know: cabinets. Strict where readers differ: each block
 * begins with its mark and has exactly the size that is named, both packed and not. */
#ifndef SP_CORE_PACK_MSZIP_H
#define SP_CORE_PACK_MSZIP_H

#include "sallyport/bytes.h"

/* Tables, to be made anew for each block of codes. */
struct sp_mszip;
enum sp_err sp_mszip_new(struct sp_mszip **out) SP_MUST_USE;
void sp_mszip_free(struct sp_mszip **z);

/* Writes n bytes to `to`; begin to `to` is what came out before. False: the block is
 * wrong, and what stands at `to` means nothing. */
bool sp_mszip_block(struct sp_mszip *z, struct sp_view block, const uint8_t *begin,
                    uint8_t *to, size_t n) SP_MUST_USE;

#endif
