#include "sallyport/facts.h"

#include "core/base/text.h"
#include "core/custody/facts_plain.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    struct sp_view key; /* with a NUL behind it */
    enum sp_fact_kind kind;
    const char *meaning;
} rows[SP_FACT_COUNT] = {
#define FACT(name, key, kind, meaning)                                                 \
    {{(const uint8_t *)(key), sizeof(key) - 1}, SP_FACT_KIND_##kind, meaning},
#include "core/custody/facts.def"
#undef FACT
};

struct item {
    struct sp_fact_value value; /* bytes borrowed from the arena */
    enum sp_fact fact;
};

/* Sorted by fact, then by value: the canonical order, so that encoding is a walk. */
struct sp_facts {
    struct sp_arena *arena; /* owned */
    struct item *items;     /* owned */
    size_t count, cap;
    size_t used, ceiling; /* bytes: every item and its value */
};

enum { FIRST_ITEMS = 16 };

const char *sp_fact_key(enum sp_fact f)
{
    SP_ASSERT(f < SP_FACT_COUNT);
    return (const char *)rows[f].key.data;
}

enum sp_fact sp_fact_find(struct sp_view key, enum sp_fact near)
{
    for (unsigned i = 0; i < SP_FACT_COUNT; i++) {
        enum sp_fact k = (enum sp_fact)((near + i) % SP_FACT_COUNT);
        if (sp_view_eq(key, rows[k].key)) {
            return k;
        }
    }
    return SP_FACT_COUNT;
}

const char *sp_fact_meaning(enum sp_fact f)
{
    SP_ASSERT(f < SP_FACT_COUNT);
    return rows[f].meaning;
}

enum sp_fact_kind sp_fact_kind(enum sp_fact f)
{
    SP_ASSERT(f < SP_FACT_COUNT);
    return rows[f].kind;
}

enum sp_err sp_facts_new(size_t ceiling, struct sp_facts **out)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = calloc(1, sizeof *f);
    if (!f) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_arena_new(ceiling, &f->arena));
    f->ceiling = ceiling;
    *out = f;
    f = NULL;
    return SP_OK;
}

void sp_facts_free(struct sp_facts **f)
{
    if (!*f) {
        return;
    }
    sp_arena_free(&(*f)->arena);
    free((*f)->items);
    free(*f);
    *f = NULL;
}

static int value_cmp(const struct sp_fact_value *a, const struct sp_fact_value *b)
{
    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    return sp_view_cmp(a->bytes, b->bytes);
}

/* The first item not before (k, v); a NULL v stands before every value. */
static size_t lower_bound(const struct sp_facts *f, unsigned k,
                          const struct sp_fact_value *v)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct item *i = &f->items[middle];
        bool before = i->fact < k || (i->fact == k && v && value_cmp(&i->value, v) < 0);
        if (before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum sp_err items_grow(struct sp_facts *f)
{
    if (f->count < f->cap) {
        return SP_OK;
    }
    size_t cap = f->cap ? f->cap * 2 : FIRST_ITEMS;
    struct item *items = realloc(f->items, cap * sizeof *items);
    if (!items) {
        return SP_E_NOMEM;
    }
    f->items = items;
    f->cap = cap;
    return SP_OK;
}

static enum sp_err add(struct sp_facts *f, enum sp_fact k, struct sp_fact_value v)
{
    size_t at = lower_bound(f, k, &v);
    if (at < f->count && f->items[at].fact == k &&
        value_cmp(&f->items[at].value, &v) == 0) {
        return SP_OK;
    }
    size_t left = f->ceiling - f->used;
    if (left < sizeof(struct item) || left - sizeof(struct item) < v.bytes.len) {
        return SP_E_LIMIT;
    }
    SP_TRY(items_grow(f));
    if (v.bytes.len) {
        SP_TRY(sp_arena_copy(f->arena, v.bytes, &v.bytes));
    }
    memmove(&f->items[at + 1], &f->items[at], (f->count - at) * sizeof(struct item));
    f->items[at] = (struct item){v, k};
    f->count++;
    f->used += sizeof(struct item) + v.bytes.len;
    return SP_OK;
}

enum sp_err sp_facts_text(struct sp_facts *f, enum sp_fact k, struct sp_view v)
{
    SP_ASSERT(sp_fact_kind(k) == SP_FACT_KIND_TEXT);
    if (!sp_utf8_is_valid(v)) {
        return SP_E_MALFORMED;
    }
    return add(f, k, (struct sp_fact_value){.bytes = v});
}

enum sp_err sp_facts_entry(struct sp_facts *f, const char *kind, int64_t unix_s)
{
    char time[SP_TIME_TEXT];
    sp_time_format(unix_s, time);
    SP_TRY(sp_facts_text(f, SP_FACT_ENTRY_KIND, sp_view_str(kind)));
    return sp_facts_text(f, SP_FACT_ENTRY_TIME, sp_view_str(time));
}

enum sp_err sp_facts_int(struct sp_facts *f, enum sp_fact k, int64_t v)
{
    SP_ASSERT(sp_fact_kind(k) == SP_FACT_KIND_INT);
    if (v == INT64_MIN) {
        return SP_E_LIMIT;
    }
    return add(f, k, (struct sp_fact_value){.number = v});
}

enum sp_err sp_facts_flag(struct sp_facts *f, enum sp_fact k, bool v)
{
    SP_ASSERT(sp_fact_kind(k) == SP_FACT_KIND_FLAG);
    return add(f, k, (struct sp_fact_value){.number = v});
}

enum sp_err sp_facts_bytes(struct sp_facts *f, enum sp_fact k, struct sp_view v)
{
    bool is_guid = sp_fact_kind(k) == SP_FACT_KIND_GUID;
    SP_ASSERT(is_guid || sp_fact_kind(k) == SP_FACT_KIND_DIGEST);
    if (is_guid ? v.len != 16 : v.len < 1 || v.len > 64) {
        return SP_E_MALFORMED;
    }
    return add(f, k, (struct sp_fact_value){.bytes = v});
}

enum sp_err sp_facts_add(struct sp_facts *f, enum sp_fact k,
                         const struct sp_fact_value *v)
{
    switch (sp_fact_kind(k)) {
    case SP_FACT_KIND_TEXT:
        return sp_facts_text(f, k, v->bytes);
    case SP_FACT_KIND_INT:
        return sp_facts_int(f, k, v->number);
    case SP_FACT_KIND_FLAG:
        return sp_facts_flag(f, k, v->number != 0);
    case SP_FACT_KIND_DIGEST:
    case SP_FACT_KIND_GUID:
        return sp_facts_bytes(f, k, v->bytes);
    }
    SP_ASSERT(false);
    return SP_E_INTERNAL;
}

size_t sp_fact_line_max(enum sp_fact k, const struct sp_fact_value *v)
{
    enum { BLANK_AND_NEWLINE = 2, LONGEST_NUMBER = 20, WIDEST_BYTE = 3, HYPHENS = 4 };
    return strlen(sp_fact_key(k)) + BLANK_AND_NEWLINE + LONGEST_NUMBER + HYPHENS +
           WIDEST_BYTE * v->bytes.len;
}

enum sp_err sp_facts_merge(struct sp_facts *f, const struct sp_facts *from)
{
    if (f == from) {
        return SP_OK;
    }
    for (size_t i = 0; i < from->count; i++) {
        SP_TRY(add(f, from->items[i].fact, from->items[i].value));
    }
    return SP_OK;
}

size_t sp_facts_count(const struct sp_facts *f, enum sp_fact k)
{
    return lower_bound(f, (unsigned)k + 1, NULL) - lower_bound(f, k, NULL);
}

bool sp_facts_get(const struct sp_facts *f, enum sp_fact k, size_t i,
                  struct sp_fact_value *out)
{
    size_t first = lower_bound(f, k, NULL);
    if (i >= f->count - first || f->items[first + i].fact != k) {
        return false;
    }
    *out = f->items[first + i].value;
    return true;
}

bool sp_facts_has_flag(const struct sp_facts *f, enum sp_fact k)
{
    SP_ASSERT(sp_fact_kind(k) == SP_FACT_KIND_FLAG);
    struct sp_fact_value v;
    /* said and denied at once is not a yes: false stands before true */
    return sp_facts_get(f, k, 0, &v) && v.number == 1;
}

bool sp_facts_same_set(const struct sp_facts *f, enum sp_fact a, enum sp_fact b)
{
    size_t count = sp_facts_count(f, a);
    if (rows[a].kind != rows[b].kind || count != sp_facts_count(f, b)) {
        return false;
    }
    size_t x = lower_bound(f, a, NULL), y = lower_bound(f, b, NULL);
    for (size_t i = 0; i < count; i++) {
        if (value_cmp(&f->items[x + i].value, &f->items[y + i].value) != 0) {
            return false;
        }
    }
    return true;
}
