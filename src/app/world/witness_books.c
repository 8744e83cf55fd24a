#include "app/world/witness_books.h"

#include "app/proof/bundle_tools.h"
#include "io/store/change.h"

#include <stdlib.h>

/* Whoever wrote it passed the document on; what only was claimed is no testimony. */
static enum sp_err take_entry(void *ctx, uint64_t index, struct sp_view entry)
{
    struct sp_tier_book *book = ctx;
    struct sp_change c;
    if (sp_change_read(entry, &c, NULL) != SP_OK) {
        return SP_OK; /* a later version's entry; it is hashed all the same */
    }
    enum sp_err e = c.kind == SP_CHANGE_REVISION
                        ? sp_tier_book_put(book, &c.id, c.document_sha256, index)
                        : SP_OK;
    sp_change_fini(&c);
    return e;
}

static enum sp_err load(const struct sp_config *c, const struct sp_config_witness *w,
                        struct sp_tier_book *book, struct sp_why *why)
{
    struct sp_why inner = {0};
    uint64_t entries = 0;
    enum sp_err e =
        sp_export_check(w->file, w->key, take_entry, book, NULL, &entries, &inner);
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, SP_E_CONFIG, "%s:%d: witness \"%s\": %s: %s", c->file,
                            w->line, w->name, w->file, sp_why_text(&inner, e));
}

enum sp_err sp_witness_books_load(const struct sp_config *c,
                                  struct sp_witness_book **out, struct sp_why *why)
{
    struct sp_witness_book *books = calloc(c->witness_count + 1, sizeof *books);
    enum sp_err e = books ? SP_OK : SP_E_NOMEM;
    for (size_t i = 0; e == SP_OK && i < c->witness_count; i++) {
        if (c->witnesses[i].kind == SP_WITNESS_EXPORT) {
            e = load(c, &c->witnesses[i], &books[i].book, why);
        }
    }
    if (e != SP_OK) {
        sp_witness_books_free(&books, c->witness_count);
        return e;
    }
    *out = books;
    return SP_OK;
}

void sp_witness_books_free(struct sp_witness_book **pb, size_t count)
{
    for (size_t i = 0; *pb && i < count; i++) {
        sp_tier_book_fini(&(*pb)[i].book);
    }
    free(*pb);
    *pb = NULL;
}
