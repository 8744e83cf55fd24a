/* Canonical Huffman codes of MSZIP and LZX: a code's lengths become a table that gives
 * a symbol for the next bits of the stream, or a literal and what follows it.
 *
 * Documents are UTF-16, in which a literal is followed by a zero, or by a match that
 * begins with one, of few bits: most look-ups give both. Codes longer than a table's
 * index are found by comparing. Incomplete codes and those with too many symbols are
 * refused, as libmspack does. */
#ifndef SP_CORE_PACK_HUFFMAN_H
#define SP_CORE_PACK_HUFFMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SP_HUFFMAN_LONGEST = 16,  /* bits of a code */
    SP_HUFFMAN_SYMBOLS = 656, /* of LZX with a window of 2 MiB */
    SP_HUFFMAN_INDEX = 11,    /* bits of a table's index, at most */
    SP_HUFFMAN_LONG = 4096,   /* bytes of codes from which pairs are worth making */
};

/* An entry: bits 0-5 are how many bits of the stream it takes, 6-7 its kind, 8-15 a
 * literal, 16-31 a second one or what else follows. 0: the code is longer than the
 * index. */
enum sp_huffman_kind {
    SP_HUFFMAN_OTHER,
    SP_HUFFMAN_LITERAL,
    SP_HUFFMAN_TWO,  /* literals */
    SP_HUFFMAN_BOTH, /* a literal and another */
};

struct sp_huffman {
    uint32_t table[1 << SP_HUFFMAN_INDEX];
    unsigned index;          /* bits */
    const uint32_t *meaning; /* borrowed: of the symbols */
    /* by their number of bits; codes stand at the top of 16 */
    uint32_t first[SP_HUFFMAN_LONGEST + 1], limit[SP_HUFFMAN_LONGEST + 1];
    uint16_t first_at[SP_HUFFMAN_LONGEST + 1]; /* of by_code */
    uint16_t by_code[SP_HUFFMAN_SYMBOLS];
};

/* What a symbol's entry is apart from its number of bits: a literal, or anything else.
 */
static inline uint32_t sp_huffman_literal(uint8_t byte)
{
    return (uint32_t)SP_HUFFMAN_LITERAL << 6 | (uint32_t)byte << 8;
}
static inline uint32_t sp_huffman_other(uint16_t what)
{
    return (uint32_t)what << 16;
}

static inline unsigned sp_huffman_bits(uint32_t entry)
{
    return entry & 63;
}
static inline enum sp_huffman_kind sp_huffman_kind(uint32_t entry)
{
    return (enum sp_huffman_kind)(entry >> 6 & 3);
}
static inline uint32_t sp_huffman_what(uint32_t entry)
{
    return entry >> 16;
}

/* The entry's literals; two bytes may be written. */
static inline uint8_t *sp_huffman_put(uint32_t entry, uint8_t *to)
{
    to[0] = (uint8_t)(entry >> 8);
    to[1] = (uint8_t)(entry >> 16);
    return to + (sp_huffman_kind(entry) == SP_HUFFMAN_TWO ? 2 : 1);
}

enum sp_huffman_order {
    SP_HUFFMAN_LOW_FIRST, /* MSZIP: the index is the next bits, first one lowest */
    SP_HUFFMAN_TOP_FIRST, /* LZX */
};

/* For n symbols with these numbers of bits, 0 to 16; meaning has to live as long.
 * False: that is no complete code. */
bool sp_huffman_make(struct sp_huffman *h, enum sp_huffman_order order, unsigned index,
                     const uint8_t *lengths, const uint32_t *meaning, size_t n);
/* Puts what follows a literal into its entry, where the index has room for both: a
 * literal, and with SP_HUFFMAN_BOTH anything else as well. */
void sp_huffman_pair(struct sp_huffman *h, enum sp_huffman_order order,
                     enum sp_huffman_kind most);

/* The entry of one symbol alone, whose code has more than so many bits; next: 16 bits
 * of the stream, first one at the top. */
uint32_t sp_huffman_find(const struct sp_huffman *h, unsigned more_than, uint32_t next);
/* 16 bits the other way round. */
uint32_t sp_huffman_turned(uint32_t bits);

#endif
