/* What the HTTP tests share: heads as C strings, and the answer of a parser as one
 * word, "ACCEPTED", "AGAIN" or the name of a refusal. */
#ifndef TESTS_UNIT_HTTP_TEXT_H
#define TESTS_UNIT_HTTP_TEXT_H

#include "unit.h"

#include "core/http/http.h"

struct http_case {
    const char *head;
    const char *says; /* the word */
};

static inline const char *http_word(enum sp_err e, enum sp_http_refusal r)
{
    return e == SP_OK        ? "ACCEPTED"
           : e == SP_E_AGAIN ? "AGAIN"
                             : sp_http_refusal_name(r);
}

typedef const char *http_reader(struct sp_view in);

static inline const char *http_read_request(struct sp_view in)
{
    struct sp_http_request q;
    enum sp_http_refusal why = SP_HTTP_ACCEPTED;
    size_t used = 0;
    enum sp_err e = sp_http_request_parse(in, &q, &used, &why);
    return http_word(e, why);
}

static inline const char *http_read_response(struct sp_view in)
{
    struct sp_http_response p;
    enum sp_http_refusal why = SP_HTTP_ACCEPTED;
    size_t used = 0;
    enum sp_err e = sp_http_response_parse(in, &p, &used, &why);
    return http_word(e, why);
}

/* The parser must say the word for the whole, and the same when the bytes come one by
 * one: AGAIN for every prefix until the word falls. The bytes lie at the end of their
 * own allocation, so that a sanitizer sees one read too far. */
static inline void http_check_bytewise(http_reader *read, struct sp_view in,
                                       const char *says)
{
    assert_string_equal(read(in), says);
    const char *word = "AGAIN";
    for (size_t n = 0; n <= in.len && strcmp(word, "AGAIN") == 0; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        if (n) {
            memcpy(copy, in.data, n);
        }
        word = read((struct sp_view){copy, n});
        free(copy);
    }
    assert_string_equal(word, says);
}

static inline void http_check_cases(http_reader *read, const struct http_case *c,
                                    size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(read(sp_view_str(c[i].head)), c[i].says) != 0) {
            print_error("case %zu, wanted %s: %s\n", i, c[i].says, c[i].head);
        }
        http_check_bytewise(read, sp_view_str(c[i].head), c[i].says);
    }
}

/* before, n times fill, after. Freed by the caller. */
static inline struct sp_view http_padded(const char *before, char fill, size_t n,
                                         const char *after)
{
    size_t a = strlen(before), b = strlen(after);
    uint8_t *text = malloc(a + n + b);
    assert_non_null(text);
    memcpy(text, before, a);
    memset(text + a, fill, n);
    memcpy(text + a + n, after, b);
    return (struct sp_view){text, a + n + b};
}

static inline void http_check_padded(http_reader *read, const char *before, char fill,
                                     size_t n, const char *after, const char *says)
{
    struct sp_view v = http_padded(before, fill, n, after);
    assert_string_equal(read(v), says);
    free((void *)(uintptr_t)v.data);
}

#endif
