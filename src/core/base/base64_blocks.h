/* The middle of long base64, sixteen digits at a time.
 *
 * Knows digits. Refuses to know padding and what is wrong with a text: it stops in
 * front of what it does not take, and base64.c, which reads digit by digit, says. */
#ifndef SP_CORE_BASE_BASE64_BLOCKS_H
#define SP_CORE_BASE_BASE64_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* How much of text it decoded: a multiple of 16, at most len, 0 on processors that lack
 * the instructions. out has room for len / 4 * 3 bytes and gets 12 for every 16. */
size_t sp_base64_blocks(const uint8_t *text, size_t len, uint8_t *out);

#endif
