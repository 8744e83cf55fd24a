/* The next bits of a stream. Behind its end there are zeros, which are counted. Which
 * bit comes first, and so how they are taken, is each decoder's own. */
#ifndef SP_CORE_PACK_BITS_H
#define SP_CORE_PACK_BITS_H

#include <stdbool.h>
#include <stdint.h>

struct sp_pack_bits {
    uint64_t bits;
    unsigned count;  /* of them */
    unsigned beyond; /* that are not the stream's, the last of them */
    const uint8_t *at, *end;
};

/* Nothing of what was taken stood behind the end. */
static inline bool sp_pack_is_sound(const struct sp_pack_bits *b)
{
    return b->beyond <= b->count;
}

#endif
