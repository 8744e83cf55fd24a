/* The compression functions of SHA-1 and SHA-256, several of them in one loop.
 *
 * Each alone waits for its own last round; together they use the time. Knows blocks and
 * chaining values, FIPS 180-4 6.1.2 and 6.2.2. Refuses to know padding and who wants a
 * digest: crypto.h is for that, and takes OpenSSL where sp_stitch_is_there says no. */
#ifndef SP_CORE_CRYPTO_STITCH_H
#define SP_CORE_CRYPTO_STITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_STITCH_BLOCK 64 /* bytes */

/* Whether this processor has what it takes. The others may be called only then. */
bool sp_stitch_is_there(void);
/* sha1 and sha256 take in blocks * 64 bytes at p, which need no alignment. */
void sp_stitch_two(uint32_t sha1[5], uint32_t sha256[8], const uint8_t *p,
                   size_t blocks);
/* The same for a second SHA-256 that began elsewhere, in a third of the time it would
 * take alone: what is made of the message is shared. */
void sp_stitch_three(uint32_t sha1[5], uint32_t sha256[8], uint32_t other[8],
                     const uint8_t *p, size_t blocks);
/* And one more over as many blocks at q, which may lie anywhere: for a third of the
 * time as well. */
void sp_stitch_four(uint32_t sha1[5], uint32_t sha256[8], uint32_t other[8],
                    uint32_t beside[8], const uint8_t *p, const uint8_t *q,
                    size_t blocks);
/* One SHA-256 alone, and two of different bytes, p of a and q of b, in five quarters of
 * the time of one. */
void sp_stitch_one(uint32_t sha256[8], const uint8_t *p, size_t blocks);
void sp_stitch_pair(uint32_t a[8], const uint8_t *p, uint32_t b[8], const uint8_t *q,
                    size_t blocks);

#endif
