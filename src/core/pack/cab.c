#include "core/base/cursor.h"
#include "core/pack/allowance.h"
#include "core/pack/mspack_host.h"
#include "core/pack/pack.h"

#include <string.h>

/* [MS-CAB] 2: CFHEADER of 36 bytes, CFFOLDER of 8, CFFILE of 16 and a name, CFDATA. The
 * schema below takes what servers send ([MS-WSUSSS] 3.1.4.6.3.3) and no gaps, and
 * leaves libmspack nothing to find out but the contents of the blocks. */
#define FILES_AT     44
#define NAME_MAX_LEN 255
#define BLOCK_OUT    32768 /* of every block but the last */
#define BLOCK_IN     (BLOCK_OUT + 6144)

/* ---- the frame ---- */

struct frame {
    struct sp_cur c;
    const char *reason; /* of the first mistake; NULL where the bytes ran out */
    size_t size;        /* of the member */
    size_t blocks;
    bool stored;
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
    return type == 0 || type == 1 ||                             /* stored, MSZIP */
           ((type & 0xff) == 3 && window >= 15 && window <= 21); /* LZX */
}

static void read_folder_and_file(struct frame *f)
{
    struct sp_cur *c = &f->c;
    size_t data_at = sp_cur_le32(c);
    f->blocks = sp_cur_le16(c);
    uint16_t compression = sp_cur_le16(c);
    expect(f, is_known_compression(compression), SP_E_UNSUPPORTED,
           "its compression is not known");
    f->stored = compression == 0;
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
    expect(f, c->at == data_at, SP_E_UNSUPPORTED,
           "the data do not follow the file entry");
}

static void read_block(struct frame *f, size_t out)
{
    sp_cur_skip(&f->c, 4); /* the checksum is compared by libmspack */
    size_t in = sp_cur_le16(&f->c);
    expect(f, in > 0 && in <= BLOCK_IN, SP_E_MALFORMED, "a data block is too large");
    expect(f, sp_cur_le16(&f->c) == out, SP_E_MISMATCH,
           "the blocks do not add up to the file's size");
    expect(f, !f->stored || in == out, SP_E_MISMATCH, "a stored block has two sizes");
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

/* ---- libmspack over memory ---- */

struct member {
    struct sp_mspack_host host;
    struct sp_view in;  /* borrowed */
    struct sp_buf *out; /* borrowed */
    size_t out_end;     /* what out->len may become */
    struct sp_why *why; /* borrowed */
};

static enum sp_err read_memory(void *ctx, uint64_t offset, uint8_t *to, size_t n,
                               size_t *got)
{
    const struct member *m = ctx;
    struct sp_view part = sp_view_slice(m->in, (size_t)offset, (size_t)offset + n);
    if (part.len) {
        memcpy(to, part.data, part.len);
    }
    *got = part.len;
    return SP_OK;
}

static enum sp_err write_memory(void *ctx, struct sp_view bytes)
{
    struct member *m = ctx;
    if (bytes.len > m->out_end - m->out->len) {
        return sp_why_set(m->why, SP_E_MISMATCH,
                          "cabinet: more comes out than it says");
    }
    return sp_buf_append(m->out, bytes);
}

static enum sp_err extract(struct mscab_decompressor *cabd, const struct member *m,
                           struct sp_why *why)
{
    struct mscabd_cabinet *cabinet = cabd->open(cabd, "");
    if (!cabinet) {
        return sp_mspack_failure(&m->host, cabd->last_error(cabd), why);
    }
    int status = cabd->extract(cabd, cabinet->files, "");
    enum sp_err e =
        status == MSPACK_ERR_OK ? SP_OK : sp_mspack_failure(&m->host, status, why);
    if (e == SP_OK && m->out->len != m->out_end) {
        e = sp_why_set(why, SP_E_MISMATCH, "cabinet: less comes out than it says");
    }
    cabd->close(cabd, cabinet);
    return e;
}

static enum sp_err decompress(struct sp_view in, size_t size, struct sp_buf *out,
                              struct sp_why *why)
{
    struct member m = {.in = in, .out = out, .out_end = out->len + size, .why = why};
    sp_mspack_host_init(&m.host);
    m.host.size = in.len;
    m.host.read = read_memory;
    m.host.write = write_memory;
    m.host.ctx = &m;
    struct mscab_decompressor *cabd = mspack_create_cab_decompressor(&m.host.system);
    if (!cabd) {
        return SP_E_NOMEM;
    }
    enum sp_err e = extract(cabd, &m, why);
    mspack_destroy_cab_decompressor(cabd);
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
    if (f.size == 0) {
        return SP_OK;
    }
    size_t before = out->len;
    enum sp_err e = decompress(in, f.size, out, why);
    if (e != SP_OK) {
        out->len = before;
    }
    return e;
}
