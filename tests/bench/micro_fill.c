/* A file of 64 MiB taken in: written to a stage as it comes, digested, its block tree
 * made, committed. MB/s of CPU time, with digests by OpenSSL and stitched. Nothing
 * passes or fails here. micro_fill DIRECTORY, which becomes a cache. */
#include "core/crypto/crypto.h"
#include "core/custody/blocks.h"
#include "io/store/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES = 64 << 20, FED = 16 * 1024, ROUNDS = 4 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static enum sp_err feed(struct sp_stage *s, struct sp_digester *d, struct sp_view bytes)
{
    for (size_t at = 0; at < bytes.len; at += FED) {
        struct sp_view piece = sp_view_slice(bytes, at, at + FED);
        SP_TRY(sp_stage_write(s, at, piece));
        SP_TRY(sp_digester_update(d, piece));
    }
    return SP_OK;
}

static enum sp_err take_in(struct sp_objects *o, bool plain, struct sp_view bytes)
{
    SP_AUTO(sp_stage_drop) struct sp_stage *s = NULL;
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    SP_AUTO(sp_object_unref) struct sp_object *object = NULL;
    uint64_t blocks = sp_block_count(bytes.len);
    struct sp_tree_root root;
    uint8_t sha1[20], sha256[32];
    SP_TRY(sp_stage_new(o, bytes.len, &s, NULL));
    SP_TRY(plain ? sp_digester_new_plain(SP_BLOCK_SIZE, blocks, &d)
                 : sp_digester_new_in_parts(SP_BLOCK_SIZE, blocks, &d));
    SP_TRY(feed(s, d, bytes));
    SP_TRY(sp_digester_finish(d, sha1, sha256));
    SP_TRY(sp_stage_tree(s, sha256, sp_digester_parts(d), &root));
    return sp_stage_commit(&s, sha256, sha1, &object, NULL);
}

static double best(struct sp_objects *o, bool plain, uint8_t *bytes)
{
    double least = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        bytes[0]++; /* another file */
        double start = cpu_s();
        SP_ASSERT(take_in(o, plain, sp_view(bytes, BYTES)) == SP_OK);
        double took = cpu_s() - start;
        least = took < least ? took : least;
    }
    return BYTES / 1e6 / least;
}

int main(int argc, char **argv)
{
    struct sp_objects *o = NULL;
    struct sp_why why = {0};
    uint8_t *bytes = malloc(BYTES);
    SP_ASSERT(bytes);
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    if (argc != 2 || sp_objects_open(argv[1], &o, &why) != SP_OK) {
        fprintf(stderr, "micro_fill DIRECTORY: %s\n", why.text);
        return 64;
    }
    double plain = best(o, true, bytes), stitched = best(o, false, bytes);
    printf("64 MiB taken in: EVP %.0f MB/s, stitched %.0f MB/s, x%.2f\n", plain,
           stitched, stitched / plain);
    sp_objects_close(&o);
    free(bytes);
    return 0;
}
