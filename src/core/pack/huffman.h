/* Canonical Huffman codes of MSZIP and LZX: a code's lengths become a table that gives
 * a symbol, or two literals at once, for the next bits of the stream.
 *
 * Documents are UTF-16, so that every second byte is a zero of one bit or two: most
 * look-ups give two literals. Codes longer than a table's index are found by comparing.
 * Incomplete codes and those with too many symbols are refused, as libmspack does. */
#ifndef SP_CORE_PACK_HUFFMAN_H
#define SP_CORE_PACK_HUFFMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SP_HUFFMAN_LONGEST = 16,  /* bits of a code */
    SP_HUFFMAN_SYMBOLS = 656, /* of LZX with a window of 2 MiB */
    SP_HUFFMAN_INDEX = 11,    /* bits of a table's index, at most */
};

/* An entry: bits 0-5 how many bits it takes, 6-7 how many literals it is, 8-15 and
 * 16-31 see below. 0: the code is longer than the index. */
struct sp_huffman {
    uint32_t table[1 << SP_HUFFMAN_INDEX];
    unsigned index;          /* bits */
    const uint32_t *meaning; /* borrowed: of the symbols */
    /* by their number of bits; codes stand at the top of 16 */
    uint32_t first[SP_HUFFMAN_LONGEST + 1], limit[SP_HUFFMAN_LONGEST + 1];
    uint16_t first_at[SP_HUFFMAN_LONGEST + 1]; /* of by_code */
    uint16_t by_code[SP_HUFFMAN_SYMBOLS];
};

/* What a symbol's entry is apart from its number of bits: a literal, which stands in
 * bits 16-23, or anything else, in bits 8-31. */
static inline uint32_t sp_huffman_literal(uint8_t byte)
{
    return (uint32_t)1 << 6 | (uint32_t)byte << 16;
}
static inline uint32_t sp_huffman_other(uint32_t what)
{
    return what << 8;
}

static inline unsigned sp_huffman_bits(uint32_t entry)
{
    return entry & 63;
}
static inline unsigned sp_huffman_literals(uint32_t entry)
{
    return entry >> 6 & 3;
}
static inline uint8_t sp_huffman_first(uint32_t entry)
{
    return (uint8_t)(entry >> 16);
}
static inline uint8_t sp_huffman_second(uint32_t entry)
{
    return (uint8_t)(entry >> 24);
}
static inline uint32_t sp_huffman_what(uint32_t entry)
{
    return entry >> 8;
}

enum sp_huffman_order {
    SP_HUFFMAN_LOW_FIRST, /* MSZIP: the index is the next bits, first one lowest */
    SP_HUFFMAN_TOP_FIRST, /* LZX */
};

/* For n symbols with these numbers of bits, 0 to 16; meaning has to live as long.
 * False: that is no complete code. */
bool sp_huffman_make(struct sp_huffman *h, enum sp_huffman_order order, unsigned index,
                     const uint8_t *lengths, const uint32_t *meaning, size_t n);
/* Entries with two literals where there is room for both. */
void sp_huffman_pair(struct sp_huffman *h, enum sp_huffman_order order);

/* The entry of a code longer than the index; next: 16 bits of the stream, first one at
 * the top. */
uint32_t sp_huffman_find_long(const struct sp_huffman *h, uint32_t next);
/* 16 bits the other way round. */
uint32_t sp_huffman_turned(uint32_t bits);

#endif
