#include "app/base/tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 512 };

/* POSIX.1-1988, 10.1.1: numbers are octal digits, names end with NUL where they are
 * shorter than the field. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
    char type, linked[100], magic[6], version[2], owner[32], group[32];
    char major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static void add_up(struct header *h)
{
    unsigned sum = 0;
    memset(h->checksum, ' ', sizeof h->checksum);
    for (size_t i = 0; i < BLOCK; i++) {
        sum += ((const unsigned char *)h)[i];
    }
    snprintf(h->checksum, sizeof h->checksum, "%06o", sum);
}

static enum sp_err append_zeros(struct sp_buf *out, size_t n)
{
    static const uint8_t zeros[2 * BLOCK];
    return sp_buf_append(out, sp_view(zeros, n));
}

enum sp_err sp_tar_add(struct sp_buf *out, const char *name, struct sp_view data,
                       int64_t time)
{
    struct header h = {.mode = "0000600",
                       .uid = "0000000",
                       .gid = "0000000",
                       .type = '0',
                       .magic = "ustar",
                       .version = {'0', '0'},
                       .owner = "root",
                       .group = "root"};
    if (strlen(name) >= sizeof h.name || data.len > 077777777777u) {
        return SP_E_LIMIT;
    }
    snprintf(h.name, sizeof h.name, "%s", name);
    snprintf(h.size, sizeof h.size, "%011" PRIo64, (uint64_t)data.len);
    snprintf(h.mtime, sizeof h.mtime, "%011" PRIo64, (uint64_t)time);
    add_up(&h);
    SP_TRY(sp_buf_append(out, sp_view(&h, sizeof h)));
    SP_TRY(sp_buf_append(out, data));
    return append_zeros(out, (BLOCK - data.len % BLOCK) % BLOCK);
}

enum sp_err sp_tar_end(struct sp_buf *out)
{
    return append_zeros(out, 2 * BLOCK);
}
