#include "app/proof/ledger_store.h"

#include "io/store/ledger_files.h"
#include "io/store/objects.h"
#include "sallyport/facts.h"

#include <stdlib.h>
#include <string.h>

/* A file that passed, with a root. */
struct filed {
    uint8_t sha256[32], sha1[20], root[32];
    uint64_t size;
};

struct work {
    struct sp_ledger_store *s;      /* borrowed */
    struct sp_ledger_files *ledger; /* owned */
    struct sp_objects *objects;     /* owned */
    struct filed *files;            /* owned; one an entry */
    size_t count, room;
};

static void work_fini(struct work *w)
{
    free(w->files);
    sp_ledger_close(&w->ledger);
    sp_objects_close(&w->objects);
}

static bool read_digest(const struct sp_facts *f, enum sp_fact k, uint8_t *out,
                        size_t len)
{
    struct sp_fact_value v;
    if (!sp_facts_get(f, k, 0, &v) || v.bytes.len != len) {
        return false;
    }
    memcpy(out, v.bytes.data, len);
    return true;
}

static bool read_filed(const struct sp_facts *f, struct filed *out)
{
    struct sp_fact_value kind, size;
    if (!sp_facts_get(f, SP_FACT_ENTRY_KIND, 0, &kind) ||
        !sp_view_eq_str(kind.bytes, "file") ||
        !sp_facts_get(f, SP_FACT_FILE_SIZE, 0, &size) || size.number < 0) {
        return false;
    }
    out->size = (uint64_t)size.number;
    return read_digest(f, SP_FACT_FILE_SHA256, out->sha256, 32) &&
           read_digest(f, SP_FACT_FILE_SHA1, out->sha1, 20) &&
           read_digest(f, SP_FACT_FILE_TREE, out->root, 32);
}

static void found(struct sp_ledger_store *s, const struct filed *f, const char *what)
{
    s->wrong++;
    s->found(s->ctx, f->sha256, what);
}

static enum sp_err check(struct work *w, const struct filed *f)
{
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    enum sp_err e = sp_objects_get(w->objects, f->sha256, f->sha1, f->size, &o);
    if (e != SP_OK && e != SP_E_CORRUPT) {
        return e == SP_E_NOTFOUND ? SP_OK : e;
    }
    w->s->files++;
    if (e == SP_E_CORRUPT) {
        found(w->s, f, "is not the kind of file it must be, or its block tree is bad");
    } else if (memcmp(o->tree.root, f->root, sizeof f->root) != 0) {
        found(w->s, f, "has another block tree than the ledger says");
    }
    return SP_OK;
}

static enum sp_err make_room(struct work *w)
{
    if (w->count < w->room) {
        return SP_OK;
    }
    size_t room = w->room ? w->room * 2 : 1024;
    struct filed *files = realloc(w->files, room * sizeof *files);
    if (!files) {
        return SP_E_NOMEM;
    }
    w->files = files;
    w->room = room;
    return SP_OK;
}

static enum sp_err take_entry(void *ctx, uint64_t n, struct sp_view entry)
{
    (void)n;
    struct work *w = ctx;
    SP_AUTO(sp_facts_free) struct sp_facts *facts = NULL;
    struct sp_why why = {0};
    SP_TRY(sp_facts_decode(entry, &facts, &why));
    SP_TRY(make_room(w));
    w->count += read_filed(facts, &w->files[w->count]);
    return SP_OK;
}

static int by_digest(const void *a, const void *b)
{
    return memcmp(((const struct filed *)a)->sha256, ((const struct filed *)b)->sha256,
                  32);
}

/* One that was fetched again has several entries, all with one root: it follows from
 * the content. */
static enum sp_err check_each(struct work *w)
{
    if (w->count > 0) {
        qsort(w->files, w->count, sizeof *w->files, by_digest);
    }
    for (size_t i = 0; i < w->count; i++) {
        bool is_new = i == 0 || by_digest(&w->files[i - 1], &w->files[i]) != 0;
        SP_TRY(is_new ? check(w, &w->files[i]) : SP_OK);
    }
    return SP_OK;
}

enum sp_err sp_ledger_check_store(const char *state_dir, const char *cache_dir,
                                  struct sp_ledger_store *s, struct sp_why *why)
{
    SP_AUTO(work_fini) struct work w = {.s = s};
    SP_TRY(sp_ledger_open_view(state_dir, &w.ledger, why));
    SP_TRY(sp_objects_open_view(cache_dir, &w.objects, why));
    SP_TRY(sp_ledger_each(w.ledger, 0, take_entry, &w, why));
    return check_each(&w);
}
