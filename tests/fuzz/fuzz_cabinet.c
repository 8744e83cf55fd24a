/* Cabinets with one member. What comes out has the length the header names, and is what
 * libmspack makes of it. Tried as it is, and with size and checksums set right, for
 * mutations that would stop there. */
#include "core/pack/pack.h"

#include "support/cabinet_oracle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put32(uint8_t *p, size_t x)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(x >> 8 * i);
    }
}

static size_t get32(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

/* A checksum of 0 is one that is not there. */
static void repair(uint8_t *cab, size_t size)
{
    put32(cab + 8, size);
    for (size_t at = get32(cab + 36); at < size && size - at >= 8;) {
        put32(cab + at, 0);
        at += 8 + (get32(cab + at + 4) & 0xffff);
    }
}

/* What is taken, libmspack takes, and it gives the same. */
static void compare(struct sp_view cabinet, struct sp_view own)
{
    struct sp_buf theirs;
    sp_buf_init(&theirs, SP_MIB(2));
    if (oracle_decode(cabinet, &theirs) != SP_OK ||
        !sp_view_eq(sp_buf_view(&theirs), own)) {
        abort();
    }
    sp_buf_fini(&theirs);
}

static void decode(const uint8_t *data, size_t size)
{
    struct sp_buf out;
    struct sp_why why = {""};
    sp_buf_init(&out, SP_MIB(2));
    if (sp_buf_append_str(&out, "kept") != SP_OK) {
        abort();
    }
    enum sp_err e = sp_cab_decode_single(sp_view(data, size), &out, &why);
    size_t expected = e == SP_OK ? 4 + get32(data + 44) : 4;
    if (out.len != expected || (e == SP_OK) != (why.text[0] == 0)) {
        abort();
    }
    if (e == SP_OK) {
        compare(sp_view(data, size), sp_view(out.data + 4, out.len - 4));
    }
    sp_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(data, size);
    if (size >= 60) {
        uint8_t *cab = malloc(size);
        if (!cab) {
            abort();
        }
        memcpy(cab, data, size);
        repair(cab, size);
        decode(cab, size);
        free(cab);
    }
    return 0;
}
