#include "io/loop/loop.h"
#include "sallyport/bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum sp_err sp_random_bytes(void *out, size_t n)
{
    uint8_t *at = out;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno != EINTR) {
            return SP_E_IO;
        }
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
    return SP_OK;
}

enum sp_err sp_random_draw(struct sp_random_stock *s, void *out, size_t n)
{
    SP_ASSERT(n <= sizeof s->bytes && s->left <= sizeof s->bytes);
    if (s->left < n) {
        s->left = 0;
        SP_TRY(sp_random_bytes(s->bytes, sizeof s->bytes));
        s->left = sizeof s->bytes;
    }
    uint8_t *from = s->bytes + sizeof s->bytes - s->left;
    if (n == 0) {
        return SP_OK;
    }
    memcpy(out, from, n);
    sp_bytes_wipe(from, n);
    s->left -= n;
    return SP_OK;
}
