#include "core/base/cursor.h"
#include "core/pack/allowance.h"
#include "core/pack/pack.h"

#include <string.h>

/* [MS-WUSP] 2.1.1: blocks of two little-endian sizes and plain LZ77 data ([MS-XCA] 2.3
 * and 2.4), each on its own. Equal sizes mark bytes that are stored as they are.
 *
 * A block is a row of 32-bit words of flags, highest bit first, each followed by what
 * its bits stand for: 0 a literal byte, 1 a match, or the end where no byte is left. */
#define HEADER      8
#define WINDOW      8192
#define MIN_MATCH   3
#define LONG_LENGTH 7   /* in the 3 bits of a match: look at the nibble */
#define LONG_NIBBLE 15  /* in the nibble: look at the byte */
#define LONG_BYTE   255 /* in the byte: look at the 16 bits */

static uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static void store_le32(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
}

/* ---- decoding ---- */

struct decoder {
    const uint8_t *in; /* borrowed from the block */
    const uint8_t *in_end;
    uint8_t *out; /* borrowed from the output buffer; the next byte */
    uint8_t *out_start;
    uint8_t *out_end;
    const uint8_t *half; /* the byte whose high nibble is still unread, or NULL */
};

/* The nibble that follows a match; two matches share a byte, low nibble first. */
static bool read_nibble(struct decoder *d, size_t *nibble)
{
    if (d->half) {
        *nibble = (size_t)*d->half >> 4;
        d->half = NULL;
        return true;
    }
    if (d->in == d->in_end) {
        return false;
    }
    d->half = d->in;
    *nibble = *d->in++ & 15;
    return true;
}

/* The part of the length behind the three bits. A block has less than 64 KiB, so that
 * the form with 32 bits cannot stand for anything. */
static bool read_long_length(struct decoder *d, size_t *length)
{
    size_t nibble = 0;
    if (!read_nibble(d, &nibble)) {
        return false;
    }
    *length = LONG_LENGTH + nibble;
    if (nibble < LONG_NIBBLE) {
        return true;
    }
    if (d->in == d->in_end) {
        return false;
    }
    size_t byte = *d->in++;
    *length += byte;
    if (byte < LONG_BYTE) {
        return true;
    }
    if (d->in_end - d->in < 2) {
        return false;
    }
    *length = (size_t)d->in[0] | (size_t)d->in[1] << 8;
    d->in += 2;
    return *length >= LONG_LENGTH + LONG_NIBBLE;
}

/* Source and target may overlap: what was just written is then read again, and with
 * each round there is twice as much of it. */
static void copy_match(uint8_t *to, size_t distance, size_t length)
{
    const uint8_t *from = to - distance;
    while (length > distance) {
        memcpy(to, from, distance);
        to += distance;
        length -= distance;
        distance *= 2;
    }
    memcpy(to, from, length);
}

static bool read_match(struct decoder *d)
{
    if (d->in_end - d->in < 2) {
        return false;
    }
    uint32_t match = (uint32_t)d->in[0] | (uint32_t)d->in[1] << 8;
    d->in += 2;
    size_t distance = (match >> 3) + 1, length = match & 7;
    if (length == LONG_LENGTH && !read_long_length(d, &length)) {
        return false;
    }
    length += MIN_MATCH;
    if (distance > (size_t)(d->out - d->out_start) ||
        length > (size_t)(d->out_end - d->out)) {
        return false;
    }
    copy_match(d->out, distance, length);
    d->out += length;
    return true;
}

static bool read_literals(struct decoder *d, ptrdiff_t n)
{
    if (d->in_end - d->in < n || d->out_end - d->out < n) {
        return false;
    }
    memcpy(d->out, d->in, (size_t)n);
    d->in += n;
    d->out += n;
    return true;
}

/* How many literals the n flags at the top begin with. */
static int literal_run(uint32_t flags, int n)
{
    int run = flags ? __builtin_clz(flags) : 32;
    return run < n ? run : n;
}

/* True when data fills out exactly. */
static bool decode_block(struct sp_view data, uint8_t *out, size_t size)
{
    struct decoder d = {.in = data.data,
                        .in_end = data.data + data.len,
                        .out = out,
                        .out_start = out,
                        .out_end = out + size};
    while (d.in_end - d.in >= 4) {
        uint32_t flags = load_le32(d.in);
        d.in += 4;
        for (int left = 32; left > 0;) {
            int run = literal_run(flags, left);
            if (!read_literals(&d, run)) {
                return false;
            }
            left -= run;
            if (left == 0) {
                break;
            }
            if (d.in == d.in_end) {
                return d.out == d.out_end;
            }
            if (!read_match(&d)) {
                return false;
            }
            flags <<= run;
            flags <<= 1; /* run may be 31 */
            left--;
        }
    }
    return false;
}

static enum sp_err decode_next(struct sp_cur *c, size_t allowed, struct sp_buf *out,
                               struct sp_why *why)
{
    size_t at = c->at, size = sp_cur_le32(c), stored = sp_cur_le32(c);
    bool sane = size - 1 < SP_LIMIT_XPRESS_BLOCK && stored - 1 < SP_LIMIT_XPRESS_BLOCK;
    sp_cur_expect(c, sane, SP_E_MALFORMED);
    struct sp_view data = sp_cur_take(c, stored);
    if (c->err != SP_OK) {
        return sp_why_set(why, c->err, "xpress block at byte %zu: %s", at,
                          c->err == SP_E_TRUNCATED
                              ? "it ends too early"
                              : "a size is not within 1 and 65535");
    }
    uint8_t *to = NULL;
    if (size > allowed) {
        return sp_why_set(
            why, SP_E_LIMIT,
            "xpress block at byte %zu: more comes out than the limit allows", at);
    }
    SP_TRY(sp_buf_reserve(out, size, &to));
    if (stored == size) {
        memcpy(to, data.data, size);
    } else if (!decode_block(data, to, size)) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "xpress block at byte %zu: the data do not give %zu bytes",
                          at, size);
    }
    out->len += size;
    return SP_OK;
}

enum sp_err sp_xpress_decode(struct sp_view in, struct sp_buf *out, struct sp_why *why)
{
    size_t before = out->len;
    size_t ceiling = before + sp_pack_allowance(out, in.len);
    struct sp_cur c = sp_cur(in);
    enum sp_err e = SP_OK;
    while (e == SP_OK && sp_cur_left(&c)) {
        e = decode_next(&c, ceiling - out->len, out, why);
    }
    if (e != SP_OK) {
        out->len = before;
    }
    return e;
}

/* ---- encoding ---- */

#define HASH_BITS  13
#define CANDIDATES 8 /* looked at for a match */
#define TOKEN_MAX                                                                      \
    12 /* bytes that one literal or match can take, with a word of flags */

struct encoder {
    const uint8_t *in; /* borrowed */
    size_t size;
    uint8_t *out;  /* borrowed, as large as in */
    size_t at;     /* bytes of out in use */
    size_t flags;  /* where the word of flags goes */
    uint32_t bits; /* the word so far */
    int bit_count;
    size_t half; /* the byte whose high nibble is free, or 0 */
    /* Positions plus one, 0 for none: the newest of a hash, and the next older of each
     * position modulo the window. */
    uint16_t newest[1 << HASH_BITS];
    uint16_t older[WINDOW];
};

static void put_flag(struct encoder *x, uint32_t bit)
{
    if (x->bit_count == 32) {
        store_le32(x->out + x->flags, x->bits);
        x->flags = x->at;
        x->at += 4;
        x->bit_count = 0;
    }
    x->bits = x->bits << 1 | bit;
    x->bit_count++;
}

static void put_nibble(struct encoder *x, size_t nibble)
{
    if (x->half) {
        x->out[x->half] |= (uint8_t)(nibble << 4);
        x->half = 0;
    } else {
        x->half = x->at;
        x->out[x->at++] = (uint8_t)nibble;
    }
}

static void put_long_length(struct encoder *x, size_t length)
{
    size_t rest = length - LONG_LENGTH;
    put_nibble(x, rest < LONG_NIBBLE ? rest : LONG_NIBBLE);
    if (rest < LONG_NIBBLE) {
        return;
    }
    rest -= LONG_NIBBLE;
    x->out[x->at++] = (uint8_t)(rest < LONG_BYTE ? rest : LONG_BYTE);
    if (rest >= LONG_BYTE) {
        x->out[x->at++] = (uint8_t)length;
        x->out[x->at++] = (uint8_t)(length >> 8);
    }
}

static void put_match(struct encoder *x, size_t distance, size_t length)
{
    length -= MIN_MATCH;
    size_t match = (distance - 1) << 3 | (length < LONG_LENGTH ? length : LONG_LENGTH);
    put_flag(x, 1);
    x->out[x->at++] = (uint8_t)match;
    x->out[x->at++] = (uint8_t)(match >> 8);
    if (length >= LONG_LENGTH) {
        put_long_length(x, length);
    }
}

/* The end is a set bit without a match; the bits below it are set as Windows does. */
static void put_end(struct encoder *x)
{
    put_flag(x, 1);
    uint64_t bits = ((uint64_t)x->bits + 1) << (32 - x->bit_count);
    store_le32(x->out + x->flags, (uint32_t)(bits - 1));
}

static size_t hash_at(const struct encoder *x, size_t i)
{
    uint32_t three =
        (uint32_t)x->in[i] | (uint32_t)x->in[i + 1] << 8 | (uint32_t)x->in[i + 2] << 16;
    return (three * UINT32_C(0x9e3779b1)) >> (32 - HASH_BITS);
}

static size_t common_length(const uint8_t *a, const uint8_t *b, size_t max)
{
    size_t n = 0;
    for (; max - n >= 8; n += 8) {
        uint64_t x, y;
        memcpy(&x, a + n, 8);
        memcpy(&y, b + n, 8);
        if (x != y) {
            break;
        }
    }
    while (n < max && a[n] == b[n]) {
        n++;
    }
    return n;
}

/* The longest match for position i among the newest candidates; its length or 0. */
static size_t find_match(const struct encoder *x, size_t i, size_t *distance)
{
    size_t best = MIN_MATCH - 1, max = x->size - i;
    size_t from = x->newest[hash_at(x, i)];
    for (int n = 0; n < CANDIDATES && from && i - (from - 1) <= WINDOW; n++) {
        const uint8_t *candidate = x->in + from - 1;
        if (candidate[best] == x->in[i + best]) {
            size_t length = common_length(candidate, x->in + i, max);
            if (length > best) {
                best = length;
                *distance = i - (from - 1);
            }
            if (best == max) {
                break;
            }
        }
        size_t next = x->older[(from - 1) % WINDOW];
        from = next < from ? next : 0; /* a slot that a newer position has taken */
    }
    return best < MIN_MATCH ? 0 : best;
}

static void remember(struct encoder *x, size_t i, size_t n)
{
    for (; n > 0 && x->size - i >= MIN_MATCH; n--, i++) {
        size_t h = hash_at(x, i);
        x->older[i % WINDOW] = x->newest[h];
        x->newest[h] = (uint16_t)(i + 1);
    }
}

/* Encodes in into out of the same size; 0 where that does not make it smaller. */
static size_t encode_block(struct sp_view in, uint8_t *out)
{
    struct encoder x = {.in = in.data, .size = in.len, .out = out, .at = 4};
    for (size_t i = 0; i < x.size;) {
        if (x.at + TOKEN_MAX + 4 > x.size) {
            return 0;
        }
        size_t distance = 0;
        size_t length = x.size - i >= MIN_MATCH ? find_match(&x, i, &distance) : 0;
        if (length) {
            put_match(&x, distance, length);
        } else {
            put_flag(&x, 0);
            out[x.at++] = x.in[i];
            length = 1;
        }
        remember(&x, i, length);
        i += length;
    }
    put_end(&x);
    return x.at;
}

static enum sp_err encode_next(struct sp_view block, struct sp_buf *out)
{
    uint8_t *to = NULL;
    SP_TRY(sp_buf_reserve(out, HEADER + block.len, &to));
    size_t stored = encode_block(block, to + HEADER);
    if (stored == 0) {
        memcpy(to + HEADER, block.data, block.len);
        stored = block.len;
    }
    store_le32(to, (uint32_t)block.len);
    store_le32(to + 4, (uint32_t)stored);
    out->len += HEADER + stored;
    return SP_OK;
}

enum sp_err sp_xpress_encode(struct sp_view in, struct sp_buf *out)
{
    size_t before = out->len;
    for (size_t at = 0; at < in.len; at += SP_LIMIT_XPRESS_BLOCK) {
        struct sp_view block = sp_view_slice(in, at, at + SP_LIMIT_XPRESS_BLOCK);
        enum sp_err e = encode_next(block, out);
        if (e != SP_OK) {
            out->len = before;
            return e;
        }
    }
    return SP_OK;
}
