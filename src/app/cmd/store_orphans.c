#include "app/cmd/store_orphans.h"

#include "core/base/limits.h"
#include "io/store/change.h"
#include "io/store/ledger_files.h"

#include <stdlib.h>
#include <string.h>

/* Ten million files. */
#define CEILING ((size_t)32 * 10000000)

struct sp_verified {
    struct sp_buf digests; /* 32 bytes each, sorted */
};

static enum sp_err add_entry(struct sp_verified *v, struct sp_view text,
                             struct sp_why *why)
{
    struct sp_change c;
    SP_TRY(sp_change_read(text, &c, why));
    enum sp_err e = c.kind == SP_CHANGE_FILE
                        ? sp_buf_append(&v->digests, sp_view(c.sha256, 32))
                        : SP_OK;
    sp_change_fini(&c);
    return e;
}

static enum sp_err add_all(struct sp_verified *v, struct sp_ledger_files *l,
                           struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    for (uint64_t n = 0; n < sp_ledger_size(l); n++) {
        sp_buf_clear(&text);
        SP_TRY(sp_ledger_read(l, n, &text, why));
        SP_TRY(add_entry(v, sp_buf_view(&text), why));
    }
    return SP_OK;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Opening it for writing brings the view to where the journal is, after a crash. A
 * ledger that is not there must not be made. */
static enum sp_err bring_into_view(const char *state_dir, struct sp_why *why)
{
    struct sp_ledger_files *l = NULL;
    SP_TRY(sp_ledger_open_view(state_dir, &l, why));
    sp_ledger_close(&l);
    SP_TRY(sp_ledger_open(state_dir, "unused", &l, why));
    sp_ledger_close(&l);
    return SP_OK;
}

enum sp_err sp_verified_read(const char *state_dir, bool alone,
                             struct sp_verified **out, struct sp_why *why)
{
    SP_AUTO(sp_verified_free) struct sp_verified *v = calloc(1, sizeof *v);
    struct sp_ledger_files *l = NULL;
    if (!v) {
        return SP_E_NOMEM;
    }
    sp_buf_init(&v->digests, CEILING);
    if (alone) {
        SP_TRY(bring_into_view(state_dir, why));
    }
    SP_TRY(sp_ledger_open_view(state_dir, &l, why));
    enum sp_err e = add_all(v, l, why);
    sp_ledger_close(&l);
    SP_TRY(e);
    if (v->digests.len) {
        qsort(v->digests.data, v->digests.len / 32, 32, by_digest);
    }
    *out = v;
    v = NULL;
    return SP_OK;
}

void sp_verified_free(struct sp_verified **v)
{
    if (*v) {
        sp_buf_fini(&(*v)->digests);
        free(*v);
        *v = NULL;
    }
}

bool sp_verified_has(const struct sp_verified *v, const uint8_t sha256[32])
{
    return v->digests.len &&
           bsearch(sha256, v->digests.data, v->digests.len / 32, 32, by_digest);
}
