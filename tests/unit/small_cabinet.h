/* Cabinets as replies bring documents in. */
#ifndef TESTS_UNIT_SMALL_CABINET_H
#define TESTS_UNIT_SMALL_CABINET_H

#include "unit.h"

/* A cabinet with one stored member, [MS-CAB] 2.2, of the document in UTF-16LE. */
static void put_le(struct sp_buf *b, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        assert_ok(sp_buf_append_byte(b, (uint8_t)(value >> 8 * i)));
    }
}

static void put_cabinet(struct sp_buf *b, const char *ascii)
{
    size_t wide = 2 * strlen(ascii), data_at = 65, all = data_at + 8 + wide;
    assert_ok(sp_buf_append_str(b, "MSCF"));
    put_le(b, 0, 4), put_le(b, all, 4), put_le(b, 0, 4), put_le(b, 44, 4);
    put_le(b, 0, 4), put_le(b, 0x0103, 2), put_le(b, 1, 2), put_le(b, 1, 2);
    put_le(b, 0, 6), put_le(b, data_at, 4), put_le(b, 1, 2), put_le(b, 0, 2);
    put_le(b, wide, 4), put_le(b, 0, 4), put_le(b, 0, 8);
    assert_ok(sp_buf_append(b, SP_VIEW("blob\0")));
    put_le(b, 0, 4), put_le(b, wide, 2), put_le(b, wide, 2);
    for (const char *c = ascii; *c; c++) {
        put_le(b, (uint8_t)*c, 2);
    }
}

#endif
