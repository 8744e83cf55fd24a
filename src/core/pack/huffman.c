#include "core/pack/huffman.h"

#include <string.h>

#define ALL (1U << SP_HUFFMAN_LONGEST)

uint32_t sp_huffman_turned(uint32_t bits)
{
    bits = (bits & 0x5555) << 1 | (bits >> 1 & 0x5555);
    bits = (bits & 0x3333) << 2 | (bits >> 2 & 0x3333);
    bits = (bits & 0x0f0f) << 4 | (bits >> 4 & 0x0f0f);
    return (bits & 0x00ff) << 8 | (bits >> 8 & 0x00ff);
}

/* Where each number of bits begins, among codes and among symbols in their order. */
static bool lay_out(struct sp_huffman *h, const uint8_t *lengths, size_t n)
{
    unsigned count[SP_HUFFMAN_LONGEST + 1] = {0};
    uint32_t code = 0;
    uint16_t at = 0;
    for (size_t i = 0; i < n; i++) {
        count[lengths[i]]++;
    }
    for (unsigned bits = 1; bits <= SP_HUFFMAN_LONGEST; bits++) {
        h->first[bits] = code;
        h->first_at[bits] = at;
        code += count[bits] << (SP_HUFFMAN_LONGEST - bits);
        at = (uint16_t)(at + count[bits]);
        h->limit[bits] = code;
    }
    return code == ALL;
}

static void order_symbols(struct sp_huffman *h, const uint8_t *lengths, size_t n)
{
    uint16_t at[SP_HUFFMAN_LONGEST + 1];
    memcpy(at, h->first_at, sizeof at);
    for (size_t i = 0; i < n; i++) {
        if (lengths[i]) {
            h->by_code[at[lengths[i]]++] = (uint16_t)i;
        }
    }
}

/* Every index that begins with the code. */
static void put(struct sp_huffman *h, enum sp_huffman_order order, uint32_t code,
                unsigned bits, uint32_t entry)
{
    uint32_t size = 1U << h->index;
    if (order == SP_HUFFMAN_LOW_FIRST) {
        for (uint32_t i = sp_huffman_turned(code); i < size; i += 1U << bits) {
            h->table[i] = entry;
        }
        return;
    }
    uint32_t first = code >> (SP_HUFFMAN_LONGEST - h->index);
    for (uint32_t i = first; i < first + (size >> bits); i++) {
        h->table[i] = entry;
    }
}

static void fill(struct sp_huffman *h, enum sp_huffman_order order)
{
    uint32_t code = 0;
    for (unsigned bits = 1; bits <= h->index; bits++) {
        const uint16_t *symbol = h->by_code + h->first_at[bits];
        for (; code < h->limit[bits]; code += ALL >> bits) {
            put(h, order, code, bits, h->meaning[*symbol++] | bits);
        }
    }
    for (; code < ALL; code += ALL >> h->index) {
        put(h, order, code, h->index, 0);
    }
}

bool sp_huffman_make(struct sp_huffman *h, enum sp_huffman_order order, unsigned index,
                     const uint8_t *lengths, const uint32_t *meaning, size_t n)
{
    if (!lay_out(h, lengths, n)) {
        return false;
    }
    h->index = index;
    h->meaning = meaning;
    order_symbols(h, lengths, n);
    fill(h, order);
    return true;
}

static uint32_t paired(uint32_t literal, uint32_t next)
{
    uint32_t bits = sp_huffman_bits(literal) + sp_huffman_bits(next);
    uint32_t both = (literal & 0xff00) | bits;
    return sp_huffman_kind(next) == SP_HUFFMAN_LITERAL
               ? both | (uint32_t)SP_HUFFMAN_TWO << 6 | (next & 0xff00) << 8
               : both | (uint32_t)SP_HUFFMAN_BOTH << 6 | (next & 0xffff0000);
}

void sp_huffman_pair(struct sp_huffman *h, enum sp_huffman_order order,
                     enum sp_huffman_kind most)
{
    uint32_t single[1 << SP_HUFFMAN_INDEX], last = (1U << h->index) - 1;
    memcpy(single, h->table, (last + 1) * sizeof *single);
    for (uint32_t i = 0; i <= last; i++) {
        unsigned bits = sp_huffman_bits(single[i]);
        uint32_t rest = order == SP_HUFFMAN_LOW_FIRST ? i >> bits : i << bits & last;
        bool is_wanted = sp_huffman_kind(single[rest]) == SP_HUFFMAN_LITERAL ||
                         (most == SP_HUFFMAN_BOTH && single[rest]);
        if (sp_huffman_kind(single[i]) == SP_HUFFMAN_LITERAL && is_wanted &&
            bits + sp_huffman_bits(single[rest]) <= h->index) {
            h->table[i] = paired(single[i], single[rest]);
        }
    }
}

uint32_t sp_huffman_find(const struct sp_huffman *h, unsigned more_than, uint32_t next)
{
    unsigned bits = more_than + 1;
    while (next >= h->limit[bits]) {
        bits++; /* to 16 at most: that limit is beyond all */
    }
    uint32_t nth = (next - h->first[bits]) >> (SP_HUFFMAN_LONGEST - bits);
    return h->meaning[h->by_code[h->first_at[bits] + nth]] | bits;
}
