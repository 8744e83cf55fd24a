/* LZX as cabinets have it, [MS-PATCH] 2: frames of 32 KiB, blocks of codes that go on
 * over frames, matches as far back as the window.
 *
 * Knows: LZX. Refuses to know: cabinets. What came out is the window, so all of it has
 * to stand in one piece; calls of x86 code are translated back at the very end. Strict
 * where readers differ. */
#ifndef SP_CORE_PACK_LZX_H
#define SP_CORE_PACK_LZX_H

#include "sallyport/bytes.h"

struct sp_lzx;
/* window in bits, 15 to 21. */
enum sp_err sp_lzx_new(unsigned window, struct sp_lzx **out) SP_MUST_USE;
void sp_lzx_free(struct sp_lzx **z);

/* Writes n bytes to `to`: 32 KiB, fewer of the last frame; begin to `to` is what came
 * out before. False: the frame is wrong, and what stands at `to` means nothing. */
bool sp_lzx_frame(struct sp_lzx *z, struct sp_view frame, const uint8_t *begin,
                  uint8_t *to, size_t n) SP_MUST_USE;
/* Once, over all n bytes that came out. */
void sp_lzx_finish(const struct sp_lzx *z, uint8_t *begin, size_t n);

#endif
