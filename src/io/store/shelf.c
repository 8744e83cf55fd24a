#include "io/store/rack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SAVE_EVERY_S = 3600 /* how exact a time of use is after a restart */ };

struct sp_shelf {
    struct sp_objects *objects; /* borrowed */
    struct sp_rack rack;        /* owned, and each item */
    size_t unknown;             /* items */
    size_t open, open_limit;    /* handles; when to look for idle ones */
    size_t handles;             /* of them that may be idle */
    uint64_t bytes, reserved, serial;
};

/* ---- items ----------------------------------------------------------------------- */

const struct sp_shelf_item *sp_shelf_find(const struct sp_shelf *s,
                                          const uint8_t sha256[32])
{
    return sp_rack_find(&s->rack, sha256);
}

const struct sp_shelf_item *sp_shelf_next(const struct sp_shelf *s,
                                          const uint8_t after[32])
{
    return sp_rack_next(&s->rack, after);
}

static enum sp_err add(struct sp_shelf *s, const struct sp_shelf_item *from,
                       struct sp_shelf_item **out)
{
    struct sp_shelf_item *item = malloc(sizeof *item);
    if (!item) {
        return SP_E_NOMEM;
    }
    *item = *from;
    item->serial = ++s->serial;
    enum sp_err e = sp_rack_add(&s->rack, item);
    if (e != SP_OK) {
        free(item);
        return e;
    }
    s->bytes += item->size;
    s->unknown += !item->known;
    *out = item;
    return SP_OK;
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
    s->bytes -= item->size;
    s->unknown -= !item->known;
    sp_rack_remove(&s->rack, item);
    close_item(s, item);
    free(item);
}

/* ---- what is not known yet ------------------------------------------------------- */

size_t sp_shelf_ask(const struct sp_shelf *s, const uint8_t after[32],
                    uint8_t (*out)[32], size_t n)
{
    size_t count = 0;
    if (s->unknown == 0) {
        return 0;
    }
    struct sp_shelf_item *item = sp_rack_next(&s->rack, after);
    for (; item && count < n; item = sp_rack_next(&s->rack, item->sha256)) {
        if (!item->known) {
            memcpy(out[count++], item->sha256, 32);
        }
    }
    return count;
}

void sp_shelf_tell(struct sp_shelf *s, const struct sp_object_seen *seen, enum sp_err e)
{
    struct sp_shelf_item *item = sp_rack_find(&s->rack, seen->sha256);
    if (!item || item->known) {
        return; /* it went, or was replaced, in the meantime */
    }
    if (e != SP_OK) {
        drop(s, item);
        return;
    }
    item->known = true;
    item->size = seen->size;
    item->saved = seen->used;
    item->used = seen->used > item->used ? seen->used : item->used;
    s->bytes += item->size;
    s->unknown--;
}

/* ---- life ------------------------------------------------------------------------ */

static enum sp_err list_one(void *ctx, const uint8_t sha256[32])
{
    struct sp_shelf_item item = {0}, *added;
    memcpy(item.sha256, sha256, sizeof item.sha256);
    return add(ctx, &item, &added);
}

static bool has(void *ctx, const uint8_t sha256[32])
{
    return sp_shelf_find(ctx, sha256) != NULL;
}

/* Of the first ones, in order: a call or two each, which no start notices. */
static void learn_some(struct sp_shelf *s)
{
    enum { BATCH = 64 };
    uint8_t digests[BATCH][32], after[32];
    size_t n = sp_shelf_ask(s, NULL, digests, BATCH);
    for (size_t done = 0; n && done < SP_SHELF_AT_ONCE; done += n) {
        memcpy(after, digests[n - 1], sizeof after);
        for (size_t i = 0; i < n; i++) {
            struct sp_object_seen seen;
            enum sp_err e = sp_objects_look(s->objects, digests[i], &seen);
            sp_shelf_tell(s, &seen, e);
        }
        n = sp_shelf_ask(s, after, digests, BATCH);
    }
}

enum sp_err sp_shelf_new(struct sp_objects *objects, size_t handles,
                         struct sp_shelf **out, struct sp_why *why)
{
    SP_AUTO(sp_shelf_free) struct sp_shelf *s = calloc(1, sizeof *s);
    if (!s || sp_rack_init(&s->rack) != SP_OK) {
        free(s);
        s = NULL;
        return SP_E_NOMEM;
    }
    s->objects = objects;
    s->handles = s->open_limit = handles;
    const struct sp_object_names names = {list_one, has, s};
    enum sp_err e = sp_objects_list(objects, &names);
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot look through the cache: %s", sp_err_text(e));
    }
    learn_some(s);
    *out = s;
    s = NULL;
    return SP_OK;
}

static void save_all(struct sp_shelf *s, int64_t older)
{
    struct sp_shelf_item *item = sp_rack_next(&s->rack, NULL);
    for (; item; item = sp_rack_next(&s->rack, item->sha256)) {
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
    uint8_t last[32];
    struct sp_shelf_item *item = sp_rack_next(&s->rack, NULL);
    for (; item; item = sp_rack_next(&s->rack, last)) {
        memcpy(last, item->sha256, sizeof last);
        drop(s, item);
    }
    sp_rack_fini(&s->rack);
    free(s);
}

void sp_shelf_totals(const struct sp_shelf *s, struct sp_shelf_totals *out)
{
    *out = (struct sp_shelf_totals){.files = s->rack.count,
                                    .bytes = s->bytes,
                                    .reserved = s->reserved,
                                    .unknown = s->unknown};
}

/* ---- handles --------------------------------------------------------------------- */

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
    struct sp_shelf_item *item = sp_rack_next(&s->rack, NULL);
    for (; item; item = sp_rack_next(&s->rack, item->sha256)) {
        if (is_idle(item)) {
            int64_t used =
                atomic_load_explicit(&item->open->used, memory_order_relaxed);
            item->used = used > item->used ? used : item->used;
            close_item(s, item);
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
    struct sp_shelf_item *item = sp_rack_find(&s->rack, sha256);
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
    struct sp_shelf_item item = {
        .known = true, .size = o->size, .used = sp_clock_wall_s()};
    struct sp_shelf_item *added = sp_rack_find(&s->rack, o->sha256);
    if (added) {
        drop(s, added); /* the rename replaced it */
    }
    memcpy(item.sha256, o->sha256, 32);
    item.saved = item.used;
    SP_TRY(add(s, &item, &added));
    hold(s, added, o, watch);
    return SP_OK;
}

enum sp_err sp_shelf_discard(struct sp_shelf *s, const uint8_t sha256[32],
                             uint64_t serial, const char *reason)
{
    struct sp_shelf_item *item = sp_rack_find(&s->rack, sha256);
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

/* ---- room ------------------------------------------------------------------------ */

/* Bytes that have to go before size more may come. */
struct shortage {
    uint64_t bytes;
    bool of_disk; /* more is missing on the file system than below the limit */
};

static enum sp_err shortage(const struct sp_shelf *s, uint64_t size,
                            const struct sp_shelf_limits *limits, struct shortage *out)
{
    struct sp_space space;
    uint64_t all = s->bytes + s->reserved + size;
    SP_TRY(sp_objects_space(s->objects, &space));
    *out = (struct shortage){0};
    uint64_t wanted = space.total / 100 * limits->floor_percent + size;
    if (limits->bytes && all > limits->bytes) {
        out->bytes = all - limits->bytes;
    }
    if (wanted > space.available && wanted - space.available > out->bytes) {
        *out = (struct shortage){.bytes = wanted - space.available, .of_disk = true};
    }
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
    struct sp_shelf_item **list =
        calloc(s->rack.count + 1, sizeof(struct sp_shelf_item *));
    if (!list) {
        return SP_E_NOMEM;
    }
    struct sp_shelf_item *item = sp_rack_next(&s->rack, NULL);
    for (; item; item = sp_rack_next(&s->rack, item->sha256)) {
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
    struct shortage missing;
    uint64_t before = evicted->files;
    if (limits->bytes && size > limits->bytes) {
        return sp_why_set(why, SP_E_NOSPACE,
                          "the file is larger than the whole cache may be (cache_max)");
    }
    SP_TRY(shortage(s, size, limits, &missing));
    if (missing.bytes && s->unknown) {
        return sp_why_set(why, SP_E_NOSPACE,
                          "room is needed, and of %zu files it is still found out how "
                          "long nobody used them",
                          s->unknown);
    }
    enum sp_err e = missing.bytes ? evict_bytes(s, missing.bytes, evicted, why) : SP_OK;
    evicted->for_floor += missing.of_disk ? evicted->files - before : 0;
    s->reserved += e == SP_OK ? size : 0;
    return e;
}

void sp_shelf_release(struct sp_shelf *s, uint64_t size)
{
    SP_ASSERT(size <= s->reserved);
    s->reserved -= size;
}

bool sp_shelf_has_room(const struct sp_shelf *s, uint64_t size,
                       const struct sp_shelf_limits *limits)
{
    struct shortage missing;
    return shortage(s, size, limits, &missing) == SP_OK && missing.bytes == 0;
}
