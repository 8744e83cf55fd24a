/* What the fuzz targets of signed files share: any bytes as a file. Ranges that are
 * asked for lie in the file, nobody is trusted without pins, and what is found does not
 * hang on the size of the pieces, nor on whether its digest was made on the way. */
#ifndef TESTS_FUZZ_SIGN_INPUT_H
#define TESTS_FUZZ_SIGN_INPUT_H

#include "core/sign/sign.h"

#include <stdlib.h>

static inline void sign_check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static inline struct sp_beside sign_on_the_way(struct sp_view file)
{
    struct sp_digester *d = NULL;
    struct sp_beside b;
    uint8_t sha1[20], sha256[32];
    sp_sign_foresee(file, file.len, &b);
    sign_check(sp_digester_new(&d) == SP_OK && sp_digester_beside(d, &b) == SP_OK &&
               sp_digester_update(d, file) == SP_OK &&
               sp_digester_finish(d, sha1, sha256) == SP_OK);
    sp_digester_get_beside(d, &b);
    sp_digester_free(&d);
    return b;
}

static inline struct sp_facts *sign_inspect(struct sp_view file, const char *extension,
                                            size_t step, const struct sp_beside *known)
{
    struct sp_sign *s = NULL;
    struct sp_trust *trust = NULL;
    struct sp_facts *facts = NULL;
    uint64_t at, length;
    sign_check(sp_trust_new(&trust) == SP_OK &&
               sp_facts_new(SP_MIB(1), &facts) == SP_OK);
    sign_check(sp_sign_new(file.len, sp_view_str(extension), &s) == SP_OK);
    sp_sign_know(s, known);
    while (sp_sign_wants(s, &at, &length)) {
        sign_check(length > 0 && at <= file.len && length <= file.len - at);
        size_t n = step < length ? step : (size_t)length;
        struct sp_view bytes = sp_view_slice(file, (size_t)at, (size_t)at + n);
        sign_check(sp_sign_feed(s, bytes) == SP_OK);
    }
    sign_check(sp_sign_finish(s, trust, INT64_C(1795305600), facts) == SP_OK);
    sp_sign_free(&s);
    sp_trust_free(&trust);
    return facts;
}

static inline void sign_fuzz(struct sp_view file, const char *extension)
{
    struct sp_buf first, second;
    const struct sp_beside unknown = {0}, known = sign_on_the_way(file);
    struct sp_facts *a = sign_inspect(file, extension, SIZE_MAX, &unknown);
    struct sp_facts *b = sign_inspect(file, extension, 7 + file.len % 1000, &known);
    sp_buf_init(&first, SP_MIB(4));
    sp_buf_init(&second, SP_MIB(4));
    sign_check(sp_facts_encode(a, &first) == SP_OK);
    sign_check(sp_facts_encode(b, &second) == SP_OK);
    sign_check(sp_view_eq(sp_buf_view(&first), sp_buf_view(&second)));
    sign_check(!sp_facts_has_flag(a, SP_FACT_SIGN_ROOT_TRUSTED));
    sign_check(sp_facts_count(a, SP_FACT_SIGN_CLASS) == 1);
    sp_buf_fini(&first);
    sp_buf_fini(&second);
    sp_facts_free(&a);
    sp_facts_free(&b);
}

#endif
