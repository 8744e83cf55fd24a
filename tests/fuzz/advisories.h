/* An advisory is read or not; what is found has a number and KBs, in UTF-8. */
#ifndef TESTS_FUZZ_ADVISORIES_H
#define TESTS_FUZZ_ADVISORIES_H

#include "app/cmd/imported.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sp_err found(void *ctx, const struct sp_advisory *a)
{
    struct sp_view kb;
    (void)ctx;
    SP_ASSERT(sp_cve_is(a->cve) && sp_utf8_is_valid(a->title));
    SP_ASSERT(a->title.len <= SP_ADVISORY_TITLE && a->cvss >= -1 && a->cvss <= 100);
    SP_ASSERT(a->kb_count <= SP_ADVISORY_KBS);
    for (size_t i = 0; i < a->kb_count; i++) {
        SP_ASSERT(sp_kb_in(a->kbs[i], &kb) && kb.len == a->kbs[i].len);
    }
    return SP_OK;
}

static int read_advisories(enum sp_err (*read)(struct sp_view text,
                                               const struct sp_advisory_sink *sink,
                                               struct sp_why *why),
                           struct sp_view text)
{
    const struct sp_advisory_sink sink = {NULL, found};
    struct sp_why why = {0};
    enum sp_err e = read(text, &sink, &why);
    SP_ASSERT(e == SP_OK || why.text[0] != 0 || e == SP_E_LIMIT || e == SP_E_NOMEM);
    return 0;
}

#endif
