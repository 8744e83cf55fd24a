/* A tier that lies about its history, for tests/e2e: takes the ledger in a state folder
 * apart and writes it anew, whole and signed by its own key. Whoever has never seen the
 * old one finds nothing wrong with the new one.
 *
 *     ledger_forger STATE_DIR CHANGE...
 *     cut SIZE           keeps so many entries
 *     drop N             leaves entry N out
 *     rewrite N OLD NEW  says something else in entry N
 *     index              lets the index stand for the new ledger, so that it goes on
 *                        knowing what the ledger says no more (see test_f_tiers.py) */
#include "core/base/limits.h"
#include "io/store/index.h"
#include "io/store/ledger_files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 4096 };

struct history {
    struct sp_buf entries[MOST]; /* owned */
    size_t count;
    bool index;
};

static _Noreturn void fail(const char *what, const struct sp_why *why)
{
    fprintf(stderr, "ledger_forger: %s: %s\n", what, why ? why->text : "");
    exit(1);
}

static size_t number(const char *text, size_t limit)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || n >= limit) {
        fail(text, NULL);
    }
    return n;
}

/* ---- what is there ----------------------------------------------------------------
 */

static enum sp_err take(void *ctx, uint64_t n, struct sp_view entry)
{
    struct history *h = ctx;
    if (n >= MOST) {
        return SP_E_LIMIT;
    }
    sp_buf_init(&h->entries[n], SP_LIMIT_LEDGER_ENTRY);
    h->count = (size_t)n + 1;
    return sp_buf_append(&h->entries[n], entry);
}

static void read_all(const char *state_dir, struct history *h)
{
    SP_AUTO(sp_ledger_close) struct sp_ledger_files *l = NULL;
    struct sp_why why = {0};
    if (sp_ledger_open(state_dir, "unused", &l, &why) != SP_OK ||
        sp_ledger_each(l, 0, take, h, &why) != SP_OK) {
        fail("the ledger cannot be read", &why);
    }
}

/* ---- what is changed --------------------------------------------------------------
 */

static void cut(struct history *h, size_t size)
{
    while (h->count > size) {
        sp_buf_fini(&h->entries[--h->count]);
    }
}

static void drop(struct history *h, size_t n)
{
    sp_buf_fini(&h->entries[n]);
    h->count--;
    memmove(&h->entries[n], &h->entries[n + 1], (h->count - n) * sizeof h->entries[0]);
}

static void rewrite(struct sp_buf *entry, const char *old, const char *new)
{
    struct sp_buf made;
    const uint8_t *at = memmem(entry->data, entry->len, old, strlen(old));
    if (!at) {
        fail("the entry does not say",
             &(struct sp_why){.text = "what is to be rewritten"});
    }
    struct sp_view text = sp_buf_view(entry);
    size_t before = (size_t)(at - entry->data);
    sp_buf_init(&made, SP_LIMIT_LEDGER_ENTRY);
    if (sp_buf_append(&made, sp_view_slice(text, 0, before)) != SP_OK ||
        sp_buf_append_str(&made, new) != SP_OK ||
        sp_buf_append(&made, sp_view_slice(text, before + strlen(old), text.len)) !=
            SP_OK) {
        fail("the entry becomes too long", NULL);
    }
    sp_buf_fini(entry);
    *entry = made;
}

/* Applies the change that argv begins with; how many words it took. */
static int apply(struct history *h, char **argv, int left)
{
    if (strcmp(argv[0], "cut") == 0 && left > 1) {
        cut(h, number(argv[1], h->count));
        return 2;
    }
    if (strcmp(argv[0], "drop") == 0 && left > 1) {
        drop(h, number(argv[1], h->count));
        return 2;
    }
    if (strcmp(argv[0], "rewrite") == 0 && left > 3) {
        rewrite(&h->entries[number(argv[1], h->count)], argv[2], argv[3]);
        return 4;
    }
    if (strcmp(argv[0], "index") == 0) {
        h->index = true;
        return 1;
    }
    fail(argv[0], NULL);
}

/* ---- what is written --------------------------------------------------------------
 */

static int forget(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    const char *name = path + at->base;
    bool stays = at->level == 0 || strcmp(name, "key") == 0 ||
                 strcmp(name, "key.pub") == 0 || strcmp(name, "lock") == 0;
    return stays ? 0 : remove(path);
}

static void stand_for(const char *state_dir, struct sp_ledger_files *l)
{
    SP_AUTO(sp_index_close) struct sp_index *ix = NULL;
    struct sp_index_mark mark = {.size = sp_ledger_size(l)};
    struct sp_why why = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/index", state_dir);
    sp_ledger_root(l, mark.root);
    if (sp_index_open(path, &ix, &why) != SP_OK || sp_index_begin(ix) != SP_OK ||
        sp_index_commit(ix, &mark) != SP_OK) {
        fail("the index cannot be written", &why);
    }
}

static void write_all(const char *state_dir, const struct history *h)
{
    SP_AUTO(sp_ledger_close) struct sp_ledger_files *l = NULL;
    static struct sp_view entries[MOST];
    struct sp_why why = {0};
    uint64_t first = 0;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/ledger", state_dir);
    if (nftw(folder, forget, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        fail("the old ledger stays", NULL);
    }
    if (sp_ledger_open(state_dir, "unused", &l, &why) != SP_OK) {
        fail("no ledger can be made", &why);
    }
    for (size_t i = 0; i < h->count; i++) {
        entries[i] = sp_buf_view(&h->entries[i]);
    }
    if (h->count && sp_ledger_append(l, entries, h->count, &first, &why) != SP_OK) {
        fail("the entries cannot be written", &why);
    }
    if (h->index) {
        stand_for(state_dir, l);
    }
}

int main(int argc, char **argv)
{
    static struct history h;
    if (argc < 3) {
        fail("ledger_forger STATE_DIR CHANGE...", NULL);
    }
    read_all(argv[1], &h);
    for (int i = 2; i < argc;) {
        i += apply(&h, argv + i, argc - i);
    }
    write_all(argv[1], &h);
    printf("%zu\n", h.count);
    cut(&h, 0);
    return 0;
}
