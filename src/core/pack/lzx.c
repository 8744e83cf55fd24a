#include "core/pack/lzx.h"

#include "core/pack/bits.h"
#include "core/pack/copy.h"
#include "core/pack/huffman.h"

#include <stdlib.h>

enum {
    FRAME = 32768,
    LITERALS = 256,
    SLOTS = 50, /* of offsets, with the largest window */
    MAIN = LITERALS + 8 * SLOTS,
    FOOTERS = 249, /* of lengths that do not fit beside the slot */
    LOWS = 8,      /* lowest three bits of an offset */
    KINDS = 20,    /* symbols of the code of numbers of bits */
    NEAR = 9,      /* bits of the index of footers */
    MAIN_BITS = 16,
    CALLS_MOST = 32768, /* frames in which calls are translated */
    CALLS_END = 10,     /* bytes of a frame in whose calls nothing is translated */
};

_Static_assert((int)MAIN == (int)SP_HUFFMAN_SYMBOLS, "the largest code");

enum kind { VERBATIM = 1, ALIGNED = 2, STORED = 3 };

struct sp_lzx {
    struct sp_huffman main, footers, lows, kinds;
    uint32_t main_meaning[MAIN], other_meaning[MAIN];
    uint8_t main_numbers[MAIN], footer_numbers[FOOTERS];
    uint32_t base[SLOTS]; /* of the offsets of a slot */
    uint8_t extra[SLOTS]; /* bits */
    size_t window;
    size_t symbols;     /* of the main code */
    uint32_t recent[3]; /* offsets */
    enum kind kind;     /* of the block at hand */
    size_t block, left; /* its size; how much of it is still to come */
    bool is_begun, has_footers;
    bool is_long;  /* the frame at hand: pairs are worth their making */
    int32_t calls; /* what their targets were counted by; 0: they were left alone */
};

struct frame {
    struct sp_pack_bits b;
    const uint8_t *begin; /* of what came out, with what came before */
    uint8_t *to, *end;
};

/* ---- life ------------------------------------------------------------------------ */

/* [MS-PATCH] 2.5: slots double every two, up to 17 bits. */
static void lay_out_slots(struct sp_lzx *z)
{
    uint32_t base = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        unsigned extra = i < 4 ? 0 : i / 2 - 1;
        z->extra[i] = (uint8_t)(extra < 17 ? extra : 17);
        z->base[i] = base;
        base += 1U << z->extra[i];
    }
}

enum sp_err sp_lzx_new(unsigned window, struct sp_lzx **out)
{
    static const uint8_t slots[] = {30, 32, 34, 36, 38, 42, SLOTS};
    struct sp_lzx *z = calloc(1, sizeof *z);
    if (!z) {
        return SP_E_NOMEM;
    }
    SP_ASSERT(window >= 15 && window <= 21);
    z->window = (size_t)1 << window;
    z->symbols = LITERALS + 8U * slots[window - 15];
    for (unsigned i = 0; i < 3; i++) {
        z->recent[i] = 1;
    }
    for (uint16_t i = 0; i < MAIN; i++) {
        z->other_meaning[i] = sp_huffman_other(i);
        z->main_meaning[i] = i < LITERALS ? sp_huffman_literal((uint8_t)i)
                                          : sp_huffman_other((uint16_t)(i - LITERALS));
    }
    lay_out_slots(z);
    *out = z;
    return SP_OK;
}

void sp_lzx_free(struct sp_lzx **z)
{
    free(*z);
    *z = NULL;
}

/* ---- bits ------------------------------------------------------------------------ */

static struct sp_pack_bits fill_at_end(struct sp_pack_bits b)
{
    while (b.count <= 48) {
        if (b.end - b.at >= 2) {
            b.bits |= (uint64_t)(b.at[0] | b.at[1] << 8) << (48 - b.count);
            b.at += 2;
        } else {
            b.beyond += 16;
        }
        b.count += 16;
    }
    return b;
}

/* The first one at the top, in words of 16 bits, low byte first. 48 bits at least. What
 * stands below them is the stream as well. */
static inline struct sp_pack_bits fill(struct sp_pack_bits b)
{
    if (b.end - b.at < 8) {
        return fill_at_end(b);
    }
    uint64_t words = __builtin_bswap64(sp_pack_le64(b.at));
    words = (words & 0x00ff00ff00ff00ff) << 8 | (words >> 8 & 0x00ff00ff00ff00ff);
    b.bits |= words >> b.count;
    unsigned more = (63 - b.count) >> 4;
    b.at += 2 * (size_t)more;
    b.count += 16 * more;
    return b;
}

static inline void drop(struct sp_pack_bits *b, unsigned n)
{
    b->bits <<= n;
    b->count -= n;
}

/* 0 to 32 bits. */
static inline uint32_t take(struct sp_pack_bits *b, unsigned n)
{
    uint32_t taken = (uint32_t)(b->bits >> 32 >> (32 - n));
    drop(b, n);
    return taken;
}

/* The entry at hand, which is not taken yet; 16 bits are there. */
static inline uint32_t look(const struct sp_huffman *h, unsigned index, uint64_t bits)
{
    uint32_t entry = h->table[bits >> (64 - index)];
    return entry ? entry : sp_huffman_find(h, index, (uint32_t)(bits >> 48));
}

static inline uint32_t take_symbol(const struct sp_huffman *h, unsigned index,
                                   struct sp_pack_bits *b)
{
    uint32_t entry = look(h, index, b->bits);
    drop(b, sp_huffman_bits(entry));
    return sp_huffman_what(entry);
}

/* ---- a block's codes ------------------------------------------------------------- */

static bool make(struct sp_lzx *z, struct sp_huffman *h, unsigned index,
                 const uint8_t *numbers, size_t n)
{
    return sp_huffman_make(h, SP_HUFFMAN_TOP_FIRST, index, numbers, z->other_meaning,
                           n);
}

/* From what it was in the block before, modulo 17. */
static bool change(uint8_t *number, uint32_t by)
{
    if (by > SP_HUFFMAN_LONGEST) {
        return false;
    }
    *number = (uint8_t)((*number + 17 - by) % 17);
    return true;
}

/* The next symbol and what it says of numbers, whose count is given; 0: it is wrong. */
static size_t read_run(struct sp_lzx *z, struct sp_pack_bits *b, uint8_t *numbers,
                       size_t n)
{
    *b = fill(*b);
    uint32_t kind = take_symbol(&z->kinds, NEAR, b);
    if (kind <= 16) {
        return change(numbers, kind) ? 1 : 0;
    }
    size_t run = kind == 17   ? 4 + take(b, 4)
                 : kind == 18 ? 20 + take(b, 5)
                              : 4 + take(b, 1);
    uint8_t number = 0;
    if (kind == 19) {
        number = *numbers;
        if (!change(&number, take_symbol(&z->kinds, NEAR, b))) {
            return 0;
        }
    }
    if (run > n) {
        return 0;
    }
    memset(numbers, number, run);
    return run;
}

static bool read_numbers(struct sp_lzx *z, struct sp_pack_bits *b, uint8_t *numbers,
                         size_t n)
{
    uint8_t kinds[KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        *b = fill(*b);
        kinds[i] = (uint8_t)take(b, 4);
    }
    if (!make(z, &z->kinds, NEAR, kinds, KINDS)) {
        return false;
    }
    for (size_t i = 0; i < n;) {
        size_t run = read_run(z, b, numbers + i, n - i);
        if (run == 0) {
            return false;
        }
        i += run;
    }
    return sp_pack_is_sound(b);
}

static bool read_lows(struct sp_lzx *z, struct sp_pack_bits *b)
{
    uint8_t numbers[LOWS];
    *b = fill(*b);
    for (size_t i = 0; i < LOWS; i++) {
        numbers[i] = (uint8_t)take(b, 3);
    }
    return make(z, &z->lows, 7, numbers, LOWS);
}

static bool is_empty(const uint8_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (numbers[i]) {
            return false;
        }
    }
    return true;
}

/* The code of footers may be empty, where no match is that long. */
static bool read_codes(struct sp_lzx *z, struct sp_pack_bits *b)
{
    if ((z->kind == ALIGNED && !read_lows(z, b)) ||
        !read_numbers(z, b, z->main_numbers, LITERALS) ||
        !read_numbers(z, b, z->main_numbers + LITERALS, z->symbols - LITERALS) ||
        !read_numbers(z, b, z->footer_numbers, FOOTERS) ||
        !sp_huffman_make(&z->main, SP_HUFFMAN_TOP_FIRST, SP_HUFFMAN_INDEX,
                         z->main_numbers, z->main_meaning, z->symbols)) {
        return false;
    }
    if (z->is_long) {
        sp_huffman_pair(&z->main, SP_HUFFMAN_TOP_FIRST, SP_HUFFMAN_TWO);
    }
    z->has_footers = !is_empty(z->footer_numbers, FOOTERS);
    return !z->has_footers || make(z, &z->footers, NEAR, z->footer_numbers, FOOTERS);
}

/* To the next word, or over a whole one; then bytes: three offsets, and the block. */
static bool read_stored_head(struct sp_lzx *z, struct sp_pack_bits *b)
{
    *b = fill(*b);
    drop(b, b->count % 16 ? b->count % 16 : 16);
    if (!sp_pack_is_sound(b)) {
        return false;
    }
    const uint8_t *at = b->at - (b->count - b->beyond) / 8;
    if (b->end - at < 12) {
        return false;
    }
    for (unsigned i = 0; i < 3; i++) {
        z->recent[i] = sp_pack_le32(at + 4 * i);
    }
    *b = (struct sp_pack_bits){.at = at + 12, .end = b->end};
    return true;
}

static bool read_block_head(struct sp_lzx *z, struct sp_pack_bits *b)
{
    if (z->kind == STORED && z->block % 2) {
        if (b->at == b->end) {
            return false;
        }
        b->at++; /* after an odd number of bytes there is one more */
    }
    *b = fill(*b);
    z->kind = (enum kind)take(b, 3);
    z->block = z->left = take(b, 24);
    switch (z->kind) {
    case VERBATIM:
    case ALIGNED:
        return read_codes(z, b);
    case STORED:
        return read_stored_head(z, b);
    }
    return false;
}

/* ---- data ------------------------------------------------------------------------ */

/* An offset that was used before comes to the front. */
static inline uint32_t use_again(uint32_t recent[3], uint32_t which)
{
    uint32_t offset = recent[which];
    recent[which] = recent[0];
    recent[0] = offset;
    return offset;
}

static inline uint32_t take_offset(struct sp_lzx *z, struct sp_pack_bits *b,
                                   uint32_t slot)
{
    if (slot < 3) {
        return use_again(z->recent, slot);
    }
    unsigned extra = z->extra[slot];
    uint32_t offset = z->base[slot] - 2;
    if (z->kind == ALIGNED && extra >= 3) {
        offset += take(b, extra - 3) << 3;
        offset += take_symbol(&z->lows, 7, b);
    } else {
        offset += take(b, extra);
    }
    z->recent[2] = z->recent[1];
    z->recent[1] = z->recent[0];
    z->recent[0] = offset;
    return offset;
}

/* The match at hand; false: it reaches too far back, or beyond the end. */
static inline bool read_match(struct sp_lzx *z, struct frame *f, struct sp_pack_bits *b,
                              uint32_t what, uint8_t **to, const uint8_t *end)
{
    size_t length = 2 + (what & 7);
    *b = fill(*b);
    if (length == 9) {
        if (!z->has_footers) {
            return false;
        }
        length += take_symbol(&z->footers, NEAR, b);
    }
    size_t offset = take_offset(z, b, what >> 3);
    if (offset == 0 || offset > z->window || offset > (size_t)(*to - f->begin) ||
        length > (size_t)(end - *to)) {
        return false;
    }
    sp_pack_repeat(*to, offset, length, f->end);
    *to += length;
    return true;
}

/* Up to end, which is the block's or the frame's: no match passes either. The last byte
 * is read alone, since what follows it is the next block's. */
static bool read_data(struct sp_lzx *z, struct frame *f, uint8_t *end)
{
    struct sp_pack_bits b = f->b;
    uint8_t *to = f->to;
    while (end - to > 1) {
        b = b.count < MAIN_BITS ? fill(b) : b;
        uint32_t entry = look(&z->main, SP_HUFFMAN_INDEX, b.bits);
        drop(&b, sp_huffman_bits(entry));
        if (sp_huffman_kind(entry) != SP_HUFFMAN_OTHER) {
            to = sp_huffman_put(entry, to);
        } else if (!read_match(z, f, &b, sp_huffman_what(entry), &to, end)) {
            return false;
        }
    }
    if (to < end) {
        b = fill(b);
        uint32_t entry = sp_huffman_find(&z->main, 0, (uint32_t)(b.bits >> 48));
        drop(&b, sp_huffman_bits(entry));
        if (sp_huffman_kind(entry) != SP_HUFFMAN_LITERAL) {
            return false;
        }
        *to++ = (uint8_t)(entry >> 8);
    }
    f->b = b;
    f->to = to;
    return sp_pack_is_sound(&b);
}

static bool read_stored(struct frame *f, size_t n)
{
    if (n > (size_t)(f->b.end - f->b.at)) {
        return false;
    }
    memcpy(f->to, f->b.at, n);
    f->b.at += n;
    f->to += n;
    return true;
}

static bool read_part(struct sp_lzx *z, struct frame *f)
{
    if (z->left == 0) {
        return read_block_head(z, &f->b);
    }
    size_t room = (size_t)(f->end - f->to), n = z->left < room ? z->left : room;
    z->left -= n;
    return z->kind == STORED ? read_stored(f, n) : read_data(z, f, f->to + n);
}

/* Whether calls of x86 code were translated, and the size they were translated with. */
static void read_beginning(struct sp_lzx *z, struct sp_pack_bits *b)
{
    *b = fill(*b);
    if (take(b, 1)) {
        z->calls = (int32_t)take(b, 32);
    }
    z->is_begun = true;
}

/* All words of the frame were read, and the byte behind a stored block of odd size
 * where that stands in it. */
static bool is_at_end(struct sp_lzx *z, struct sp_pack_bits *b)
{
    if (z->kind == STORED && z->left == 0 && z->block % 2 && b->at < b->end) {
        z->block = 0;
        b->at++;
    }
    return sp_pack_is_sound(b) && b->at == b->end && b->count - b->beyond < 16;
}

bool sp_lzx_frame(struct sp_lzx *z, struct sp_view frame, const uint8_t *begin,
                  uint8_t *to, size_t n)
{
    struct frame f = {.b = {.at = frame.data, .end = frame.data + frame.len},
                      .begin = begin,
                      .to = to,
                      .end = to + n};
    SP_ASSERT(n <= FRAME);
    z->is_long = frame.len >= SP_HUFFMAN_LONG;
    if (!z->is_begun) {
        read_beginning(z, &f.b);
    }
    while (f.to < f.end) {
        if (!read_part(z, &f)) {
            return false;
        }
    }
    return is_at_end(z, &f.b);
}

/* ---- calls ----------------------------------------------------------------------- */

/* E8 and four bytes, which were made absolute: relative to where they stand, again. */
static void translate(uint8_t *frame, size_t n, int32_t at, int32_t size)
{
    for (size_t i = 0; i + CALLS_END < n;) {
        const uint8_t *call = memchr(frame + i, 0xe8, n - CALLS_END - i);
        if (!call) {
            return;
        }
        i = (size_t)(call - frame) + 1;
        int32_t here = at + (int32_t)i - 1;
        int32_t target = (int32_t)sp_pack_le32(frame + i);
        if (target >= -here && target < size) {
            uint32_t relative = target >= 0 ? (uint32_t)target - (uint32_t)here
                                            : (uint32_t)target + (uint32_t)size;
            for (unsigned k = 0; k < 4; k++) {
                frame[i + k] = (uint8_t)(relative >> 8 * k);
            }
        }
        i += 4;
    }
}

void sp_lzx_finish(const struct sp_lzx *z, uint8_t *begin, size_t n)
{
    for (size_t at = 0; z->calls && at < n && at < (size_t)CALLS_MOST * FRAME;
         at += FRAME) {
        size_t size = n - at < FRAME ? n - at : FRAME;
        translate(begin + at, size, (int32_t)at, z->calls);
    }
}
