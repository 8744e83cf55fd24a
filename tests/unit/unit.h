/* What every unit test includes: cmocka with the headers it wants in front of it, and a
 * few shorthands. A test is static void a_name(void **state); names sort a harness,
 * b basic, c complex, f security, r<issue> regression. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sallyport/bytes.h"
#include "sallyport/err.h"

#define assert_ok(call) assert_string_equal(sp_err_text(call), sp_err_text(SP_OK))
#define assert_err(call, expected)                                                     \
    assert_string_equal(sp_err_text(call), sp_err_text(expected))
#define assert_view_equal(v, literal)                                                  \
    do {                                                                               \
        struct sp_view got_ = (v);                                                     \
        assert_int_equal(got_.len, sizeof(literal) - 1);                               \
        assert_memory_equal(got_.len ? (const void *)got_.data : "", literal,          \
                            got_.len);                                                 \
    } while (0)

/* The whole file, NUL-terminated behind len; NULL when it cannot be read. */
static inline uint8_t *unit_read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        return NULL;
    }
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *data = malloc((size_t)size + 1);
    if (data) {
        *len = fread(data, 1, (size_t)size, f);
        data[*len] = 0;
    }
    fclose(f);
    return data;
}

/* A path inside the shared corpus, or NULL with a visible skip where it is absent:
 * $SALLYPORT_CORPUS, else shared/corpus beside the source tree. */
static inline const char *unit_corpus(const char *file)
{
    static char path[4096];
    const char *corpus = getenv("SALLYPORT_CORPUS");
    const char *source = getenv("SALLYPORT_SOURCE");
    if (corpus) {
        snprintf(path, sizeof path, "%s/%s", corpus, file);
    } else {
        snprintf(path, sizeof path, "%s/../shared/corpus/%s", source ? source : ".", file);
    }
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "SKIP: no corpus file %s\n", file);
        return NULL;
    }
    fclose(f);
    return path;
}

#endif
