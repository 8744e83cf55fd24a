/* Documents and client pages that a server was recorded with, from the corpus. */
#ifndef TESTS_UNIT_RECORDED_H
#define TESTS_UNIT_RECORDED_H

#include "unit.h"

#include "core/wsus/fragment.h"
#include "core/wsus/wsus.h"

#include <string.h>

/* The document, by its facts, has a fragment with this digest. */
static inline bool holds(const struct sp_facts *f, enum sp_derived_kind k,
                  const uint8_t sha256[32])
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, sp_derived_fact(k), i, &v); i++) {
        if (sp_view_eq(v.bytes, sp_view(sha256, 32))) {
            return true;
        }
    }
    return false;
}

enum { DOCUMENTS = 3 };

static inline uint8_t *corpus_file(const char *name, size_t *len)
{
    const char *path = unit_corpus(name);
    return path ? unit_read_file(path, len) : NULL;
}

/* Facts of the documents that a server was recorded with, or 0 of them. */
static inline size_t read_recorded(struct sp_facts *out[DOCUMENTS])
{
    static const char *const names[DOCUMENTS] = {
        "C-wsusss/000013.GetUpdateData.bundle.response.xml",
        "C-wsusss/000014.GetUpdateData.leaf.response.xml",
        "C-wsusss/000015.GetUpdateData.uncompressed.response.xml"};
    for (size_t i = 0; i < DOCUMENTS; i++) {
        size_t n = 0;
        struct sp_reply *r = NULL;
        uint8_t *body = corpus_file(names[i], &n);
        if (!body) {
            return 0;
        }
        assert_ok(sp_reply_inspect(SP_OP_GET_UPDATE_DATA, 200, sp_view(body, n), NULL,
                                   0, &r, NULL));
        assert_int_equal(r->revision_count, 1);
        assert_ok(sp_facts_new(SP_MIB(1), &out[i]));
        assert_ok(sp_facts_merge(out[i], r->revisions[0].facts));
        sp_reply_free(&r);
        free(body);
    }
    return DOCUMENTS;
}

/* The recording has a number of an address blanked in texts, not in documents. */
static inline void unblank(uint8_t *text, size_t *len)
{
    static const char blank[] = "LinkId=REDACTED", real[] = "LinkId=52661";
    for (char *at; (at = strstr((char *)text, blank));) {
        size_t rest = *len - (size_t)((uint8_t *)at - text) - strlen(blank);
        memcpy(at, real, strlen(real));
        memmove(at + strlen(real), at + strlen(blank), rest + 1);
        *len -= strlen(blank) - strlen(real);
    }
}

#endif
