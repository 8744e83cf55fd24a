#include "io/loop/loop.h"

#include <errno.h>
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
