/* Cabinets with one member. What comes out has the length the header names. Tried as it
 * is, and with size and checksums set right, for mutations that would stop there. */
#include "core/pack/pack.h"

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
