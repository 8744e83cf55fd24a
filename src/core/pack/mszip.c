#include "core/pack/mszip.h"

#include "core/pack/bits.h"
#include "core/pack/copy.h"
#include "core/pack/huffman.h"

#include <stdlib.h>

enum {
    LENGTHS = 288, /* literals, the end, lengths of matches */
    DISTANCES = 32,
    ENDS = 256, /* the symbol at which a block ends */
    KINDS = 19, /* symbols of the code of lengths */
    MOST = 15,  /* bits of a code */
    NEAR = 9,   /* bits of the index of distances */
    NO_DISTANCE = 0xff,
    LENGTH_BITS = MOST + 5, /* of a literal, or of a match without its distance */
};

struct sp_mszip {
    struct sp_huffman lengths, distances;
    uint32_t length_meaning[LENGTHS], distance_meaning[DISTANCES];
    uint32_t kind_meaning[KINDS];
    bool is_long;  /* the block at hand: pairs are worth their making */
    bool is_fixed; /* the tables are those of RFC 1951, 3.2.6 */
};

struct block {
    struct sp_pack_bits b;
    const uint8_t *begin; /* of what came out, with what came before */
    uint8_t *to, *end;
};

/* ---- meanings -------------------------------------------------------------------- */

/* RFC 1951, 3.2.5: from 3 in steps that double every four symbols; 258 is by itself. As
 * base << 3 | extra bits; 0 is the end, other numbers below 8 are no symbol. */
static void mean_lengths(uint32_t meaning[LENGTHS])
{
    unsigned base = 3;
    for (unsigned i = 0; i < ENDS; i++) {
        meaning[i] = sp_huffman_literal((uint8_t)i);
    }
    meaning[ENDS] = sp_huffman_other(0);
    for (unsigned i = 0; i < 28; i++) {
        unsigned extra = i < 4 ? 0 : i / 4 - 1;
        meaning[ENDS + 1 + i] = sp_huffman_other((uint16_t)(base << 3 | extra));
        base += 1U << extra;
    }
    meaning[ENDS + 29] = sp_huffman_other(258 << 3);
    meaning[ENDS + 30] = meaning[ENDS + 31] = sp_huffman_other(1);
}

/* The same from 1, doubling every two: what is left of it without its extra bits, 0 to
 * 3,
 * << 4 | extra bits. */
static void mean_distances(uint32_t meaning[DISTANCES])
{
    for (unsigned i = 0; i < 30; i++) {
        unsigned extra = i < 2 ? 0 : i / 2 - 1, top = i < 2 ? i : 2 + i % 2;
        meaning[i] = sp_huffman_other((uint16_t)(top << 4 | extra));
    }
    meaning[30] = meaning[31] = sp_huffman_other(NO_DISTANCE);
}

enum sp_err sp_mszip_new(struct sp_mszip **out)
{
    struct sp_mszip *z = malloc(sizeof *z);
    if (!z) {
        return SP_E_NOMEM;
    }
    z->is_fixed = false;
    mean_lengths(z->length_meaning);
    mean_distances(z->distance_meaning);
    for (uint16_t i = 0; i < KINDS; i++) {
        z->kind_meaning[i] = sp_huffman_other(i);
    }
    *out = z;
    return SP_OK;
}

void sp_mszip_free(struct sp_mszip **z)
{
    free(*z);
    *z = NULL;
}

/* ---- bits ------------------------------------------------------------------------ */

static struct sp_pack_bits fill_at_end(struct sp_pack_bits b)
{
    while (b.count <= 56) {
        if (b.at < b.end) {
            b.bits |= (uint64_t)*b.at++ << b.count;
        } else {
            b.beyond += 8;
        }
        b.count += 8;
    }
    return b;
}

/* The first one lowest. 56 bits at least. What stands above them is the stream as well.
 */
static inline struct sp_pack_bits fill(struct sp_pack_bits b)
{
    if (b.end - b.at < 8) {
        return fill_at_end(b);
    }
    b.bits |= sp_pack_le64(b.at) << b.count;
    b.at += (63 - b.count) >> 3;
    b.count |= 56;
    return b;
}

static inline void drop(struct sp_pack_bits *b, unsigned n)
{
    b->bits >>= n;
    b->count -= n;
}

static inline uint32_t take(struct sp_pack_bits *b, unsigned n)
{
    uint32_t taken = (uint32_t)(b->bits & ((1ULL << n) - 1));
    drop(b, n);
    return taken;
}

/* The entry at hand, which is not taken yet; 15 bits are there. */
static inline uint32_t look(const struct sp_huffman *h, unsigned index, uint64_t bits)
{
    uint32_t entry = h->table[bits & ((1U << index) - 1)];
    return entry
               ? entry
               : sp_huffman_find(h, index, sp_huffman_turned((uint32_t)bits & 0xffff));
}

/* ---- codes ----------------------------------------------------------------------- */

/* RFC 1951, 3.2.7: the numbers of bits, in runs. Readers differ on what 16 repeats
 * behind a run of zeros, and writers do not write it. */
static bool read_numbers(struct sp_mszip *z, struct sp_pack_bits *b, uint8_t *numbers,
                         size_t n)
{
    bool has_last = false;
    for (size_t i = 0; i < n;) {
        *b = fill(*b);
        uint32_t entry = look(&z->distances, 7, b->bits);
        uint32_t kind = sp_huffman_what(entry);
        drop(b, sp_huffman_bits(entry));
        if (kind <= MOST) {
            numbers[i++] = (uint8_t)kind;
            has_last = true;
            continue;
        }
        size_t run = kind == 16   ? 3 + take(b, 2)
                     : kind == 17 ? 3 + take(b, 3)
                                  : 11 + take(b, 7);
        if (run > n - i || (kind == 16 && !has_last)) {
            return false;
        }
        memset(numbers + i, kind == 16 ? numbers[i - 1] : 0, run);
        i += run;
        has_last = kind == 16;
    }
    return sp_pack_is_sound(b);
}

static bool make_tables(struct sp_mszip *z, const uint8_t *lengths, size_t length_count,
                        const uint8_t *distances, size_t distance_count)
{
    if (!sp_huffman_make(&z->lengths, SP_HUFFMAN_LOW_FIRST, SP_HUFFMAN_INDEX, lengths,
                         z->length_meaning, length_count) ||
        !sp_huffman_make(&z->distances, SP_HUFFMAN_LOW_FIRST, NEAR, distances,
                         z->distance_meaning, distance_count)) {
        return false;
    }
    if (z->is_long) {
        sp_huffman_pair(&z->lengths, SP_HUFFMAN_LOW_FIRST, SP_HUFFMAN_BOTH);
    }
    return true;
}

static bool read_codes(struct sp_mszip *z, struct sp_pack_bits *b)
{
    static const uint8_t order[KINDS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                         11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t kinds[KINDS] = {0}, numbers[LENGTHS + DISTANCES];
    z->is_fixed = false;
    *b = fill(*b);
    size_t lengths = 257 + take(b, 5), distances = 1 + take(b, 5), n = 4 + take(b, 4);
    for (size_t i = 0; i < n; i++) {
        *b = fill(*b);
        kinds[order[i]] = (uint8_t)take(b, 3);
    }
    /* the table of distances is not needed yet */
    return sp_huffman_make(&z->distances, SP_HUFFMAN_LOW_FIRST, 7, kinds,
                           z->kind_meaning, KINDS) &&
           read_numbers(z, b, numbers, lengths + distances) &&
           make_tables(z, numbers, lengths, numbers + lengths, distances);
}

static bool fix_codes(struct sp_mszip *z)
{
    uint8_t lengths[LENGTHS], distances[DISTANCES];
    memset(lengths, 8, LENGTHS);
    memset(lengths + 144, 9, 256 - 144);
    memset(lengths + 256, 7, 280 - 256);
    memset(distances, 5, DISTANCES);
    z->is_fixed = z->is_fixed || make_tables(z, lengths, LENGTHS, distances, DISTANCES);
    return z->is_fixed;
}

/* ---- data ------------------------------------------------------------------------ */

/* Of the match whose length was taken. 0: it is wrong. */
static inline size_t take_distance(const struct sp_mszip *z, struct sp_pack_bits *b)
{
    uint32_t entry = look(&z->distances, NEAR, b->bits);
    uint32_t what = sp_huffman_what(entry);
    drop(b, sp_huffman_bits(entry));
    return what == NO_DISTANCE
               ? 0
               : 1 + ((size_t)(what >> 4) << (what & 15)) + take(b, what & 15);
}

/* An entry's literals; false: there is no room for them. */
static inline bool put(uint32_t entry, uint8_t **to, const uint8_t *end)
{
    if (end - *to > 1) {
        *to = sp_huffman_put(entry, *to);
        return true;
    }
    bool has_room = *to < end && sp_huffman_kind(entry) != SP_HUFFMAN_TWO;
    if (has_room) {
        *(*to)++ = (uint8_t)(entry >> 8);
    }
    return has_room;
}

/* To the end of the codes' reach. */
static bool read_data(const struct sp_mszip *z, struct block *d)
{
    struct sp_pack_bits b = fill(d->b);
    uint8_t *to = d->to, *const end = d->end;
    for (;;) {
        b = b.count < LENGTH_BITS ? fill(b) : b;
        uint32_t entry = look(&z->lengths, SP_HUFFMAN_INDEX, b.bits);
        enum sp_huffman_kind kind = sp_huffman_kind(entry);
        drop(&b, sp_huffman_bits(entry));
        if (kind != SP_HUFFMAN_OTHER) {
            if (!put(entry, &to, end)) {
                return false;
            }
            if (kind != SP_HUFFMAN_BOTH) {
                continue;
            }
        }
        uint32_t what = sp_huffman_what(entry);
        if (what < 8) {
            d->b = b;
            d->to = to;
            return what == 0 && sp_pack_is_sound(&b);
        }
        size_t length = (what >> 3) + take(&b, what & 7);
        b = fill(b);
        size_t distance = take_distance(z, &b);
        if (distance == 0 || distance > (size_t)(to - d->begin) ||
            length > (size_t)(end - to)) {
            return false;
        }
        sp_pack_repeat(to, distance, length, end);
        to += length;
    }
}

/* RFC 1951, 3.2.4: from the next byte on its length, the same with all bits turned, and
 * the bytes. */
static bool read_stored(struct block *d)
{
    struct sp_pack_bits *b = &d->b;
    if (!sp_pack_is_sound(b)) {
        return false;
    }
    const uint8_t *at = b->at - (b->count - b->beyond) / 8;
    if (b->end - at < 4) {
        return false;
    }
    size_t n = at[0] | (size_t)at[1] << 8, turned = at[2] | (size_t)at[3] << 8;
    at += 4;
    if ((n ^ turned) != 0xffff || n > (size_t)(b->end - at) ||
        n > (size_t)(d->end - d->to)) {
        return false;
    }
    memcpy(d->to, at, n);
    d->to += n;
    *b = (struct sp_pack_bits){.at = at + n, .end = b->end};
    return true;
}

static bool read_part(struct sp_mszip *z, struct block *d, bool *is_last)
{
    d->b = fill(d->b);
    *is_last = take(&d->b, 1);
    switch (take(&d->b, 2)) {
    case 0:
        return read_stored(d);
    case 1:
        return fix_codes(z) && read_data(z, d);
    case 2:
        return read_codes(z, &d->b) && read_data(z, d);
    default:
        return false;
    }
}

/* All bytes of the block were read. */
static bool is_at_end(const struct sp_pack_bits *b)
{
    return sp_pack_is_sound(b) &&
           (size_t)(b->end - b->at) * 8 + b->count - b->beyond < 8;
}

bool sp_mszip_block(struct sp_mszip *z, struct sp_view block, const uint8_t *begin,
                    uint8_t *to, size_t n)
{
    if (!sp_view_starts(block, SP_VIEW("CK"))) {
        return false;
    }
    struct block d = {.b = {.at = block.data + 2, .end = block.data + block.len},
                      .begin = begin,
                      .to = to,
                      .end = to + n};
    z->is_long = block.len >= SP_HUFFMAN_LONG;
    for (bool is_last = false; !is_last;) {
        if (!read_part(z, &d, &is_last)) {
            return false;
        }
    }
    return d.to == d.end && is_at_end(&d.b);
}
