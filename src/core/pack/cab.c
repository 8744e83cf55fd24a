#include "core/base/cursor.h"
#include "core/pack/allowance.h"
#include "core/pack/copy.h"
#include "core/pack/lzx.h"
#include "core/pack/mszip.h"
#include "core/pack/pack.h"

#include <string.h>

/* [MS-CAB] 2: CFHEADER of 36 bytes, CFFOLDER of 8, CFFILE of 16 and a name, CFDATA. The
 * schema below takes what servers send ([MS-WSUSSS] 3.1.4.6.3.3) and no gaps; blocks
 * are read when all of it holds. */
#define FILES_AT     44
#define NAME_MAX_LEN 255
#define BLOCK_OUT    32768 /* of every block but the last */
#define BLOCK_IN     (BLOCK_OUT + 6144)

/* Of a folder; LZX has its window in the upper byte. */
enum { STORED = 0, MSZIP = 1, LZX = 3 };

/* ---- the frame ---- */

struct frame {
    struct sp_cur c;
    const char *reason; /* of the first mistake; NULL where the bytes ran out */
    size_t size;        /* of the member */
    size_t blocks;
    size_t data_at;
    uint16_t compression;
};

static void expect(struct frame *f, bool holds, enum sp_err e, const char *reason)
{
    if (!holds && f->c.err == SP_OK) {
        f->c.err = e;
        f->reason = reason;
    }
}

static void read_header(struct frame *f)
{
    struct sp_cur *c = &f->c;
    expect(f, sp_view_eq(sp_cur_take(c, 4), SP_VIEW("MSCF")), SP_E_MALFORMED,
           "it does not begin with MSCF");
    uint32_t reserved1 = sp_cur_le32(c), size = sp_cur_le32(c);
    uint32_t reserved2 = sp_cur_le32(c), files_at = sp_cur_le32(c);
    uint32_t reserved3 = sp_cur_le32(c);
    expect(f, sp_cur_le16(c) == 0x0103, SP_E_UNSUPPORTED, "its version is not 1.3");
    expect(f, sp_cur_le16(c) == 1, SP_E_UNSUPPORTED, "it has not one folder");
    expect(f, sp_cur_le16(c) == 1, SP_E_UNSUPPORTED, "it has not one file");
    expect(f, sp_cur_le16(c) == 0, SP_E_UNSUPPORTED,
           "it has flags: a set or a reserved area");
    sp_cur_skip(c, 4); /* set and place in it: without meaning here */
    expect(f, size == c->bytes.len, SP_E_MISMATCH,
           "its size is not the one in the header");
    expect(f, (reserved1 | reserved2 | reserved3) == 0, SP_E_MALFORMED,
           "a reserved field is not zero");
    expect(f, files_at == FILES_AT, SP_E_UNSUPPORTED,
           "the file entry does not follow the folder entry");
}

static bool is_known_compression(uint16_t type)
{
    unsigned window = type >> 8;
    return type == STORED || type == MSZIP ||
           ((type & 0xff) == LZX && window >= 15 && window <= 21);
}

static void read_folder_and_file(struct frame *f)
{
    struct sp_cur *c = &f->c;
    f->data_at = sp_cur_le32(c);
    f->blocks = sp_cur_le16(c);
    f->compression = sp_cur_le16(c);
    expect(f, is_known_compression(f->compression), SP_E_UNSUPPORTED,
           "its compression is not known");
    f->size = sp_cur_le32(c);
    expect(f, sp_cur_le32(c) == 0, SP_E_UNSUPPORTED,
           "the file does not begin where the folder does");
    expect(f, sp_cur_le16(c) == 0, SP_E_UNSUPPORTED, "the file is in another folder");
    sp_cur_skip(c, 6); /* date, time, attributes */
    struct sp_view rest = sp_view_slice(c->bytes, c->at, c->at + NAME_MAX_LEN + 1);
    size_t name_len = sp_view_find(rest, 0);
    expect(f, (name_len > 0 || rest.len == 0) && name_len <= NAME_MAX_LEN,
           SP_E_MALFORMED, "the file's name is empty or too long");
    sp_cur_skip(c, name_len + 1);
    expect(f, c->at == f->data_at, SP_E_UNSUPPORTED,
           "the data do not follow the file entry");
}

static void read_block(struct frame *f, size_t out)
{
    sp_cur_skip(&f->c, 4); /* the checksum is for later */
    size_t in = sp_cur_le16(&f->c);
    expect(f, in > 0 && in <= BLOCK_IN, SP_E_MALFORMED, "a data block is too large");
    expect(f, sp_cur_le16(&f->c) == out, SP_E_MISMATCH,
           "the blocks do not add up to the file's size");
    expect(f, f->compression != STORED || in == out, SP_E_MISMATCH,
           "a stored block has two sizes");
    sp_cur_skip(&f->c, in);
}

static void read_blocks(struct frame *f)
{
    expect(f, f->blocks == (f->size + BLOCK_OUT - 1) / BLOCK_OUT, SP_E_MISMATCH,
           "the number of blocks does not fit the file's size");
    for (size_t done = 0; done < f->size && f->c.err == SP_OK; done += BLOCK_OUT) {
        size_t left = f->size - done;
        read_block(f, left < BLOCK_OUT ? left : BLOCK_OUT);
    }
}

static enum sp_err read_frame(struct sp_view in, struct frame *f, struct sp_why *why)
{
    *f = (struct frame){.c = sp_cur(in)};
    read_header(f);
    read_folder_and_file(f);
    read_blocks(f);
    expect(f, f->c.at == in.len, SP_E_MALFORMED, "bytes follow the last block");
    if (f->c.err != SP_OK) {
        return sp_why_set(why, f->c.err, "cabinet: %s",
                          f->reason ? f->reason : "it ends too early");
    }
    return SP_OK;
}

/* ---- the data ---- */

/* [MS-CAB] 3.1: words xored; the last one to three bytes count from the highest. */
static uint32_t checksum_of(struct sp_view bytes, uint32_t sum)
{
    size_t i = 0;
    uint64_t wide = 0;
    for (; bytes.len - i >= 8; i += 8) {
        wide ^= sp_pack_le64(bytes.data + i);
    }
    sum ^= (uint32_t)wide ^ (uint32_t)(wide >> 32);
    for (; bytes.len - i >= 4; i += 4) {
        sum ^= sp_pack_le32(bytes.data + i);
    }
    uint32_t rest = 0;
    for (; i < bytes.len; i++) {
        rest = rest << 8 | bytes.data[i];
    }
    return sum ^ rest;
}

/* 0 is no checksum. */
static bool is_intact(uint32_t checksum, struct sp_view sizes, struct sp_view data)
{
    return checksum == 0 || checksum_of(sizes, checksum_of(data, 0)) == checksum;
}

struct decoders {
    struct sp_mszip *mszip; /* owned */
    struct sp_lzx *lzx;     /* owned */
};

static enum sp_err make_decoders(const struct frame *f, struct decoders *d)
{
    unsigned kind = f->compression & 0xff;
    return kind == MSZIP ? sp_mszip_new(&d->mszip)
           : kind == LZX ? sp_lzx_new(f->compression >> 8, &d->lzx)
                         : SP_OK;
}

static bool decode_block(const struct decoders *d, struct sp_view in,
                         const uint8_t *begin, uint8_t *to, size_t n)
{
    if (d->mszip) {
        return sp_mszip_block(d->mszip, in, begin, to, n);
    }
    if (d->lzx) {
        return sp_lzx_frame(d->lzx, in, begin, to, n);
    }
    memcpy(to, in.data, n);
    return true;
}

/* The frame was read: sizes and places are right. */
static enum sp_err decode_blocks(struct frame *f, const struct decoders *d,
                                 uint8_t *begin, struct sp_why *why)
{
    struct sp_cur *c = &f->c;
    sp_cur_seek(c, f->data_at);
    for (size_t done = 0; done < f->size;) {
        uint32_t checksum = sp_cur_le32(c);
        struct sp_view sizes = sp_view_slice(c->bytes, c->at, c->at + 4);
        size_t in = sp_cur_le16(c), n = sp_cur_le16(c);
        struct sp_view data = sp_cur_take(c, in);
        if (!is_intact(checksum, sizes, data)) {
            return sp_why_set(why, SP_E_MISMATCH,
                              "cabinet: a block's checksum is wrong");
        }
        if (!decode_block(d, data, begin, begin + done, n)) {
            return sp_why_set(why, SP_E_MALFORMED,
                              "cabinet: its data cannot be decompressed");
        }
        done += n;
    }
    if (d->lzx) {
        sp_lzx_finish(d->lzx, begin, f->size);
    }
    return SP_OK;
}

static enum sp_err decompress(struct frame *f, struct sp_buf *out, struct sp_why *why)
{
    struct decoders d = {0};
    uint8_t *to = NULL;
    SP_TRY(sp_buf_reserve(out, f->size, &to));
    enum sp_err e = make_decoders(f, &d);
    if (e == SP_OK) {
        e = decode_blocks(f, &d, to, why);
    }
    sp_mszip_free(&d.mszip);
    sp_lzx_free(&d.lzx);
    if (e == SP_OK) {
        out->len += f->size;
    }
    return e;
}

enum sp_err sp_cab_decode_single(struct sp_view in, struct sp_buf *out,
                                 struct sp_why *why)
{
    struct frame f;
    SP_TRY(read_frame(in, &f, why));
    if (f.size > sp_pack_allowance(out, in.len)) {
        return sp_why_set(why, SP_E_LIMIT,
                          "cabinet: more comes out than the limit allows (%zu bytes)",
                          f.size);
    }
    return f.size ? decompress(&f, out, why) : SP_OK;
}
