/* Replies to GetUpdateData in files, read as the gate reads them: decoded, unpacked,
 * parsed, digested. MB/s of the reply, of CPU time. Nothing passes or fails here.
 *
 *     build/release/tests/micro_reply REPLY... */
#include "core/wsus/wsus.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool read_all(const char *path, struct sp_buf *out)
{
    static uint8_t piece[65536];
    FILE *f = fopen(path, "rb");
    size_t n = 1;
    while (f && n) {
        n = fread(piece, 1, sizeof piece, f);
        SP_ASSERT(sp_buf_append(out, sp_view(piece, n)) == SP_OK);
    }
    bool read = f && !ferror(f);
    if (f) {
        fclose(f);
    }
    return read;
}

static double verify(struct sp_view body, size_t *documents)
{
    struct sp_reply *reply = NULL;
    struct sp_why why = {0};
    double start = cpu_s();
    SP_ASSERT(sp_reply_inspect(SP_OP_GET_UPDATE_DATA, 200, body, NULL, 0, &reply,
                               &why) == SP_OK);
    double took = cpu_s() - start;
    *documents = 0;
    for (size_t i = 0; i < reply->revision_count; i++) {
        *documents +=
            sp_facts_count(reply->revisions[i].facts, SP_FACT_DOCUMENT_ERROR) == 0;
    }
    sp_reply_free(&reply);
    return took;
}

static void measure(const char *path)
{
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_LIMIT_SOAP_REPLY);
    if (!read_all(path, &body)) {
        perror(path);
        return;
    }
    double least = 1e9;
    size_t documents = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double took = verify(sp_buf_view(&body), &documents);
        least = took < least ? took : least;
    }
    printf("%s: %.1f MB, %zu documents, %.1f ms, %.0f MB/s\n", path,
           (double)body.len / 1e6, documents, least * 1e3,
           (double)body.len / 1e6 / least);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        measure(argv[i]);
    }
    return 0;
}
