#include "io/store/shelf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 256,
    SAVE_EVERY_S = 3600 /* how exact a time of use is after a restart */
};

/* Sorted by digest: found by halving, walked in order by whoever checks everything. */
struct sp_shelf {
    struct sp_objects *objects; /* borrowed */
    struct sp_shelf_item **at;  /* owned, and each of them */
    size_t count, room;
    size_t open, open_limit; /* handles; when to look for idle ones */
    size_t handles;          /* of them that may be idle */
    uint64_t bytes, reserved, serial;
};

/* ---- the order --------------------------------------------------------------------
 */

/* The place of sha256, or where it would stand. */
static size_t place(const struct sp_shelf *s, const uint8_t sha256[32])
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(s->at[middle]->sha256, sha256, 32) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct sp_shelf_item *find(const struct sp_shelf *s, const uint8_t sha256[32])
{
    size_t i = place(s, sha256);
    return i < s->count && memcmp(s->at[i]->sha256, sha256, 32) == 0 ? s->at[i] : NULL;
}

const struct sp_shelf_item *sp_shelf_find(const struct sp_shelf *s,
                                          const uint8_t sha256[32])
{
    return find(s, sha256);
}

const struct sp_shelf_item *sp_shelf_next(const struct sp_shelf *s,
                                          const uint8_t after[32])
{
    size_t i = after ? place(s, after) : 0;
    if (after && i < s->count && memcmp(s->at[i]->sha256, after, 32) == 0) {
        i++;
    }
    return i < s->count ? s->at[i] : NULL;
}

static enum sp_err make_room(struct sp_shelf *s)
{
    if (s->count < s->room) {
        return SP_OK;
    }
    size_t room = s->room ? s->room * 2 : FIRST_ROOM;
    struct sp_shelf_item **at =
        reallocarray(s->at, room, sizeof(struct sp_shelf_item *));
    if (!at) {
        return SP_E_NOMEM;
    }
    s->at = at;
    s->room = room;
    return SP_OK;
}

/* At place i: everything behind it moves. */
static enum sp_err add(struct sp_shelf *s, size_t i, const struct sp_shelf_item *from,
                       struct sp_shelf_item **out)
{
    SP_TRY(make_room(s));
    struct sp_shelf_item *item = malloc(sizeof *item);
    if (!item) {
        return SP_E_NOMEM;
    }
    *item = *from;
    item->serial = ++s->serial;
    memmove(s->at + i + 1, s->at + i, (s->count - i) * sizeof(struct sp_shelf_item *));
    s->at[i] = item;
    s->count++;
    s->bytes += item->size;
    *out = item;
    return SP_OK;
}

static int by_digest(const void *a, const void *b)
{
    const struct sp_shelf_item *const *x = a, *const *y = b;
    return memcmp((*x)->sha256, (*y)->sha256, 32);
}

static void close_item(struct sp_shelf *s, struct sp_shelf_item *item)
{
    if (item->open) {
        s->open--;
        sp_object_unref(&item->open);
    }
}

static void drop(struct sp_shelf *s, struct sp_shelf_item *item)
{
    size_t i = place(s, item->sha256);
    s->bytes -= item->size;
    close_item(s, item);
    free(item);
    s->count--;
    memmove(s->at + i, s->at + i + 1, (s->count - i) * sizeof(struct sp_shelf_item *));
}

/* ---- life -------------------------------------------------------------------------
 */

/* At the end: a directory has no order, and moving a million for each of a million
 * takes minutes. It is sorted afterwards. */
static enum sp_err scan_one(void *ctx, const struct sp_object_seen *seen)
{
    struct sp_shelf *s = ctx;
    struct sp_shelf_item item = {
        .size = seen->size, .used = seen->used, .saved = seen->used};
    struct sp_shelf_item *added;
    memcpy(item.sha256, seen->sha256, 32);
    return add(s, s->count, &item, &added);
}

enum sp_err sp_shelf_new(struct sp_objects *objects, size_t handles,
                         struct sp_shelf **out, struct sp_why *why)
{
    SP_AUTO(sp_shelf_free) struct sp_shelf *s = calloc(1, sizeof *s);
    uint64_t swept;
    if (!s) {
        return SP_E_NOMEM;
    }
    s->objects = objects;
    s->handles = s->open_limit = handles;
    enum sp_err e = sp_objects_sweep(objects, false, &swept);
    if (e == SP_OK) {
        e = sp_objects_scan(objects, scan_one, s);
    }
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot look through the cache: %s", sp_err_text(e));
    }
    if (s->count) {
        qsort(s->at, s->count, sizeof(struct sp_shelf_item *), by_digest);
    }
    *out = s;
    s = NULL;
    return SP_OK;
}

static void save_all(struct sp_shelf *s, int64_t older)
{
    for (size_t i = 0; i < s->count; i++) {
        struct sp_shelf_item *item = s->at[i];
        if (item->open) {
            int64_t used =
                atomic_load_explicit(&item->open->used, memory_order_relaxed);
            item->used = used > item->used ? used : item->used;
        }
        if (item->used > item->saved + older &&
            sp_objects_touch(s->objects, item->sha256, item->used) == SP_OK) {
            item->saved = item->used;
        }
    }
}

void sp_shelf_save(struct sp_shelf *s)
{
    save_all(s, SAVE_EVERY_S - 1);
}

void sp_shelf_free(struct sp_shelf **ps)
{
    struct sp_shelf *s = *ps;
    *ps = NULL;
    if (!s) {
        return;
    }
    save_all(s, 0);
    for (size_t i = 0; i < s->count; i++) {
        sp_object_unref(&s->at[i]->open);
        free(s->at[i]);
    }
    free(s->at);
    free(s);
}

void sp_shelf_totals(const struct sp_shelf *s, struct sp_shelf_totals *out)
{
    *out = (struct sp_shelf_totals){
        .files = s->count, .bytes = s->bytes, .reserved = s->reserved};
}

/* ---- handles ----------------------------------------------------------------------
 */

/* Only the shelf holds it: nobody can get another reference but from here. */
static bool is_idle(const struct sp_shelf_item *item)
{
    return item->open && !sp_object_is_shared(item->open);
}

/* A handle that is let go forgets which blocks were checked, nothing else. */
static void close_idle(struct sp_shelf *s)
{
    if (s->open <= s->open_limit) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (is_idle(s->at[i])) {
            int64_t used =
                atomic_load_explicit(&s->at[i]->open->used, memory_order_relaxed);
            s->at[i]->used = used > s->at[i]->used ? used : s->at[i]->used;
            close_item(s, s->at[i]);
        }
    }
    s->open_limit = s->open + s->handles;
}

static void hold(struct sp_shelf *s, struct sp_shelf_item *item, struct sp_object *o,
                 const struct sp_object_watch *watch)
{
    o->watch = watch;
    item->open = sp_object_ref(o);
    s->open++;
    close_idle(s);
}

enum sp_err sp_shelf_get(struct sp_shelf *s, const uint8_t sha256[32],
                         const uint8_t sha1[20], uint64_t size,
                         const struct sp_object_watch *watch, struct sp_object **out)
{
    struct sp_shelf_item *item = find(s, sha256);
    struct sp_object *o = NULL;
    if (!item) {
        return SP_E_NOTFOUND;
    }
    if (item->open) {
        if (sp_object_is_withdrawn(item->open) || item->open->size != size) {
            return SP_E_CORRUPT;
        }
        *out = sp_object_ref(item->open);
        return SP_OK;
    }
    enum sp_err e = sp_objects_get(s->objects, sha256, sha1, size, &o);
    if (e == SP_E_NOTFOUND) {
        drop(s, item); /* somebody took it away */
    }
    SP_TRY(e);
    hold(s, item, o, watch);
    *out = o;
    return SP_OK;
}

enum sp_err sp_shelf_put(struct sp_shelf *s, struct sp_object *o,
                         const struct sp_object_watch *watch)
{
    struct sp_shelf_item item = {.size = o->size, .used = sp_clock_wall_s()};
    struct sp_shelf_item *added = find(s, o->sha256);
    if (added) {
        drop(s, added); /* the rename replaced it */
    }
    memcpy(item.sha256, o->sha256, 32);
    item.saved = item.used;
    SP_TRY(add(s, place(s, item.sha256), &item, &added));
    hold(s, added, o, watch);
    return SP_OK;
}

enum sp_err sp_shelf_discard(struct sp_shelf *s, const uint8_t sha256[32],
                             uint64_t serial, const char *reason)
{
    struct sp_shelf_item *item = find(s, sha256);
    uint8_t name[32];
    if (!item || (serial && item->serial != serial)) {
        return SP_E_NOTFOUND;
    }
    if (item->open) {
        (void)sp_object_withdraw(item->open);
    }
    memcpy(name, sha256, sizeof name); /* it may be the item's own */
    drop(s, item);
    return sp_objects_quarantine(s->objects, name, reason);
}

/* ---- room -------------------------------------------------------------------------
 */

/* Bytes that have to go before size more may come. */
static enum sp_err shortage(const struct sp_shelf *s, uint64_t size,
                            const struct sp_shelf_limits *limits, uint64_t *out)
{
    struct sp_space space;
    uint64_t all = s->bytes + s->reserved + size, missing = 0;
    SP_TRY(sp_objects_space(s->objects, &space));
    uint64_t wanted = space.total / 100 * limits->floor_percent + size;
    if (limits->bytes && all > limits->bytes) {
        missing = all - limits->bytes;
    }
    if (wanted > space.available && wanted - space.available > missing) {
        missing = wanted - space.available;
    }
    *out = missing;
    return SP_OK;
}

static int by_use(const void *a, const void *b)
{
    const struct sp_shelf_item *const *x = a, *const *y = b;
    int64_t p = (*x)->used, q = (*y)->used;
    return p < q ? -1 : p > q ? 1 : memcmp((*x)->sha256, (*y)->sha256, 32);
}

static bool is_read(const struct sp_object *o)
{
    return atomic_load_explicit(&o->readers, memory_order_acquire) != 0;
}

/* Those that nobody reads or has pinned, longest unused first. *sum of their sizes. */
static enum sp_err candidates(struct sp_shelf *s, struct sp_shelf_item ***out,
                              size_t *count, uint64_t *sum)
{
    SP_AUTO(sp_pins_fini) struct sp_pins pins;
    size_t n = 0;
    uint64_t bytes = 0;
    sp_pins_init(&pins);
    SP_TRY(sp_pins_read(s->objects, &pins));
    struct sp_shelf_item **list = calloc(s->count + 1, sizeof(struct sp_shelf_item *));
    if (!list) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < s->count; i++) {
        struct sp_shelf_item *item = s->at[i];
        int64_t used =
            item->open ? atomic_load_explicit(&item->open->used, memory_order_relaxed)
                       : 0;
        item->used = used > item->used ? used : item->used;
        bool unread = !item->open || !is_read(item->open);
        if (unread && !sp_pins_has(&pins, item->sha256)) {
            list[n++] = item;
            bytes += item->size;
        }
    }
    qsort(list, n, sizeof(struct sp_shelf_item *), by_use);
    *out = list;
    *count = n;
    *sum = bytes;
    return SP_OK;
}

/* False when it stays: somebody began to read it, or it cannot be removed. */
static bool evict(struct sp_shelf *s, struct sp_shelf_item *item,
                  struct sp_shelf_evicted *evicted)
{
    if (item->open && !sp_object_withdraw_idle(item->open)) {
        return false;
    }
    enum sp_err e = sp_objects_remove(s->objects, item->sha256);
    if (e != SP_OK && e != SP_E_NOTFOUND) {
        close_item(s, item); /* withdrawn: the next asker opens it anew */
        return false;
    }
    evicted->files++;
    evicted->bytes += item->size;
    drop(s, item);
    return true;
}

static enum sp_err no_room(uint64_t missing, struct sp_why *why)
{
    return sp_why_set(why, SP_E_NOSPACE,
                      "%" PRIu64
                      " bytes are missing in the cache, and what could be evicted is "
                      "not enough",
                      missing);
}

static enum sp_err evict_bytes(struct sp_shelf *s, uint64_t missing,
                               struct sp_shelf_evicted *evicted, struct sp_why *why)
{
    struct sp_shelf_item **list = NULL;
    size_t count = 0;
    uint64_t sum = 0, freed = 0;
    SP_TRY(candidates(s, &list, &count, &sum));
    for (size_t i = 0; sum >= missing && freed < missing && i < count; i++) {
        uint64_t size = list[i]->size;
        freed += evict(s, list[i], evicted) ? size : 0;
    }
    free(list);
    return freed < missing ? no_room(missing, why) : SP_OK;
}

enum sp_err sp_shelf_reserve(struct sp_shelf *s, uint64_t size,
                             const struct sp_shelf_limits *limits,
                             struct sp_shelf_evicted *evicted, struct sp_why *why)
{
    uint64_t missing = 0;
    if (limits->bytes && size > limits->bytes) {
        return sp_why_set(why, SP_E_NOSPACE,
                          "the file is larger than the whole cache may be (cache_max)");
    }
    SP_TRY(shortage(s, size, limits, &missing));
    if (missing) {
        SP_TRY(evict_bytes(s, missing, evicted, why));
    }
    s->reserved += size;
    return SP_OK;
}

void sp_shelf_release(struct sp_shelf *s, uint64_t size)
{
    SP_ASSERT(size <= s->reserved);
    s->reserved -= size;
}

bool sp_shelf_has_room(const struct sp_shelf *s, uint64_t size,
                       const struct sp_shelf_limits *limits)
{
    uint64_t missing = 0;
    return shortage(s, size, limits, &missing) == SP_OK && missing == 0;
}
