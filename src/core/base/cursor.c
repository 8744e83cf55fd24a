#include "core/base/cursor.h"

struct sp_cur sp_cur(struct sp_view bytes)
{
    return (struct sp_cur){.bytes = bytes};
}

void sp_cur_expect(struct sp_cur *c, bool holds, enum sp_err e)
{
    if (!holds && c->err == SP_OK) {
        c->err = e;
    }
}

size_t sp_cur_left(const struct sp_cur *c)
{
    return c->err == SP_OK ? c->bytes.len - c->at : 0;
}

struct sp_view sp_cur_take(struct sp_cur *c, size_t n)
{
    sp_cur_expect(c, n <= c->bytes.len - c->at, SP_E_TRUNCATED);
    if (c->err != SP_OK) {
        return (struct sp_view){0};
    }
    c->at += n;
    return sp_view_slice(c->bytes, c->at - n, c->at);
}

void sp_cur_skip(struct sp_cur *c, size_t n)
{
    (void)sp_cur_take(c, n);
}

void sp_cur_seek(struct sp_cur *c, size_t at)
{
    sp_cur_expect(c, at <= c->bytes.len, SP_E_TRUNCATED);
    if (c->err == SP_OK) {
        c->at = at;
    }
}

static uint64_t le(struct sp_cur *c, size_t n)
{
    struct sp_view v = sp_cur_take(c, n);
    uint64_t x = 0;
    for (size_t i = v.len; i > 0; i--) {
        x = x << 8 | v.data[i - 1];
    }
    return x;
}

static uint64_t be(struct sp_cur *c, size_t n)
{
    struct sp_view v = sp_cur_take(c, n);
    uint64_t x = 0;
    for (size_t i = 0; i < v.len; i++) {
        x = x << 8 | v.data[i];
    }
    return x;
}

uint8_t sp_cur_u8(struct sp_cur *c)
{
    return (uint8_t)le(c, 1);
}

uint16_t sp_cur_le16(struct sp_cur *c)
{
    return (uint16_t)le(c, 2);
}

uint32_t sp_cur_le32(struct sp_cur *c)
{
    return (uint32_t)le(c, 4);
}

uint64_t sp_cur_le64(struct sp_cur *c)
{
    return le(c, 8);
}

uint16_t sp_cur_be16(struct sp_cur *c)
{
    return (uint16_t)be(c, 2);
}

uint32_t sp_cur_be32(struct sp_cur *c)
{
    return (uint32_t)be(c, 4);
}

uint64_t sp_cur_be64(struct sp_cur *c)
{
    return be(c, 8);
}

enum sp_err sp_cur_end(const struct sp_cur *c)
{
    if (c->err != SP_OK) {
        return c->err;
    }
    return c->at == c->bytes.len ? SP_OK : SP_E_MALFORMED;
}
