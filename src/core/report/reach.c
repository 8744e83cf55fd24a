#include "core/report/book.h"

#include <stdlib.h>
#include <string.h>

enum {
    NESTING = 4, /* bundles of bundles; real ones have one level */
    PAIRS_MAX = 1 << 26,
    KEY = 20
};

enum sp_err sp_reach_init(struct sp_reach *r, const struct sp_book *b)
{
    size_t updates = b->revisions.count + 1;
    *r = (struct sp_reach){.book = b,
                           .stamps = calloc(updates, sizeof *r->stamps),
                           .todo = calloc(updates, sizeof *r->todo)};
    return r->stamps && r->todo ? SP_OK : SP_E_NOMEM;
}

void sp_reach_fini(struct sp_reach *r)
{
    free(r->stamps);
    free(r->todo);
    free(r->pairs);
    *r = (struct sp_reach){0};
}

static bool part_of(const struct sp_book *b, uint64_t bundled, uint32_t *out)
{
    uint8_t key[KEY];
    memcpy(key, b->ids.names[bundled >> 32].data, 16);
    for (int i = 0; i < 4; i++) {
        key[16 + i] = (uint8_t)(bundled >> (24 - 8 * i));
    }
    return sp_names_find(&b->revisions, sp_view(key, sizeof key), out);
}

/* todo holds the update and everything it bundles, each once; how many these are. */
static size_t collect(struct sp_reach *r, const struct sp_book_update *u)
{
    const struct sp_book *b = r->book;
    size_t count = 0, from = 0;
    r->stamp++;
    r->todo[count++] = (uint32_t)(u - b->updates);
    r->stamps[u - b->updates] = r->stamp;
    for (int level = 0; level < NESTING; level++) {
        for (size_t end = count; from < end; from++) {
            const struct sp_list *parts = &b->updates[r->todo[from]].bundles;
            for (size_t i = 0; i < parts->count; i++) {
                uint32_t part;
                if (part_of(b, parts->at[i], &part) && r->stamps[part] != r->stamp) {
                    r->stamps[part] = r->stamp;
                    r->todo[count++] = part;
                }
            }
        }
    }
    return count;
}

static enum sp_err add_pair(struct sp_reach *r, uint64_t pair)
{
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 1024;
        if (room > PAIRS_MAX) {
            return SP_E_LIMIT;
        }
        uint64_t *pairs = reallocarray(r->pairs, room, sizeof *pairs);
        if (!pairs) {
            return SP_E_NOMEM;
        }
        r->pairs = pairs;
        r->room = room;
    }
    r->pairs[r->count++] = pair;
    return SP_OK;
}

enum sp_err sp_reach_add(struct sp_reach *r, uint32_t group,
                         const struct sp_book_update *u)
{
    size_t count = collect(r, u);
    for (size_t i = 0; i < count; i++) {
        const struct sp_list *files = &r->book->updates[r->todo[i]].files;
        for (size_t k = 0; k < files->count; k++) {
            SP_TRY(add_pair(r, (uint64_t)group << 32 | files->at[k]));
        }
    }
    return SP_OK;
}

static int by_number(const void *one, const void *two)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)two;
    return a < b ? -1 : a > b;
}

/* Sizes are what documents claim: a sum of them stays where it cannot grow. */
static int64_t plus(int64_t sum, uint64_t size)
{
    return size > (uint64_t)(INT64_MAX - sum) ? INT64_MAX : sum + (int64_t)size;
}

void sp_reach_sum(struct sp_reach *r, struct sp_reach_sum *sums)
{
    if (r->count) {
        qsort(r->pairs, r->count, sizeof *r->pairs, by_number);
    }
    for (size_t i = 0; i < r->count; i++) {
        if (i && r->pairs[i] == r->pairs[i - 1]) {
            continue;
        }
        const struct sp_book_file *f = &r->book->files[(uint32_t)r->pairs[i]];
        struct sp_reach_sum *s = &sums[r->pairs[i] >> 32];
        s->files++;
        s->bytes = plus(s->bytes, f->size);
        s->verified = f->verified ? plus(s->verified, f->size) : s->verified;
    }
}

static int strength(struct sp_view restart)
{
    return sp_view_eq_str(restart, "AlwaysRequiresReboot") ? 3
           : sp_view_eq_str(restart, "CanRequestReboot")   ? 2
           : restart.len                                   ? 1
                                                           : 0;
}

struct sp_view sp_reach_restart(struct sp_reach *r, const struct sp_book_update *u)
{
    struct sp_view strongest = sp_book_word(r->book, u->restart);
    size_t count = collect(r, u);
    for (size_t i = 1; i < count; i++) {
        struct sp_view restart =
            sp_book_word(r->book, r->book->updates[r->todo[i]].restart);
        strongest = strength(restart) > strength(strongest) ? restart : strongest;
    }
    return strongest;
}
