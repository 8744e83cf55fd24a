/* Digests of memory, in MB/s of CPU time: OpenSSL's one after the other, and stitched.
 * Best of several rounds, because whatever disturbs makes it slower. Nothing passes or
 * fails here. */
#include "core/crypto/crypto.h"
#include "core/crypto/stitch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES = 8 << 20, FED = 16 * 1024, ROUNDS = 15 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static enum sp_err digest(struct sp_digester *d, struct sp_view bytes)
{
    uint8_t sha1[20], sha256[32];
    for (size_t at = 0; at < bytes.len; at += FED) {
        SP_TRY(sp_digester_update(d, sp_view_slice(bytes, at, at + FED)));
    }
    return sp_digester_finish(d, sha1, sha256);
}

static enum sp_err once(bool plain, size_t part, struct sp_view bytes, double *took)
{
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    double start = cpu_s();
    uint64_t most = part ? bytes.len / part : 0;
    SP_TRY(plain ? sp_digester_new_plain(part, most, &d)
                 : sp_digester_new_in_parts(part, most, &d));
    SP_TRY(digest(d, bytes));
    *took = cpu_s() - start;
    return SP_OK;
}

static double best(bool plain, size_t part, struct sp_view bytes)
{
    double least = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double took = 0;
        SP_ASSERT(once(plain, part, bytes, &took) == SP_OK);
        least = took < least ? took : least;
    }
    return (double)bytes.len / 1e6 / least;
}

static void row(const char *what, size_t part, struct sp_view bytes)
{
    double plain = best(true, part, bytes), stitched = best(false, part, bytes);
    printf("%-44s %6.0f %9.0f  x%.2f\n", what, plain, stitched, stitched / plain);
}

int main(void)
{
    uint8_t *data = malloc(BYTES);
    SP_ASSERT(data);
    for (size_t i = 0; i < BYTES; i++) {
        data[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    struct sp_view bytes = sp_view(data, BYTES);
    if (!sp_stitch_is_there()) {
        puts("this processor has no SHA instructions: both columns are OpenSSL");
    }
    printf("%-44s %6s %9s\n", "MB/s of CPU time", "EVP", "stitched");
    row("SHA-1 and SHA-256", 0, bytes);
    row("and SHA-256 of every MiB", 1 << 20, bytes);
    free(data);
    return 0;
}
