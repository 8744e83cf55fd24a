/* Signatures: what is read can be verified, views stay inside of the input, texts end,
 * and nobody is trusted without pins. */
#include "core/crypto/cms.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_inside(struct sp_view part, struct sp_view all)
{
    return part.len == 0 ||
           (part.data >= all.data && part.data + part.len <= all.data + all.len);
}

static void check_one(const struct sp_signature *one, struct sp_view all)
{
    check(is_inside(one->file, all));
    check(one->loose_count <= SP_LOOSE);
    for (size_t i = 0; i < one->loose_count; i++) {
        check(is_inside(one->loose[i], all));
    }
    check(memchr(one->why, 0, sizeof one->why) != NULL);
    check(memchr(one->program_name, 0, sizeof one->program_name) != NULL);
    check(!one->chain.is_trusted && !one->time_trusted);
    check(one->is_good || one->why[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view all = sp_view(data, size);
    struct sp_trust *trust = NULL;
    struct sp_cms *cms = NULL;
    struct sp_why why = {0};
    check(sp_trust_new(&trust) == SP_OK);
    enum sp_err e = sp_cms_read(all, &cms, &why);
    check((e == SP_OK) == (why.text[0] == 0));
    if (e == SP_OK) {
        check(sp_cms_verify(cms, trust, 0) == SP_OK);
        for (size_t i = 0; i < sp_cms_count(cms); i++) {
            check_one(sp_cms_at(cms, i), all);
        }
    }
    sp_cms_free(&cms);
    sp_trust_free(&trust);
    return 0;
}
