/* Handles: counted, read by many, taken out of service by one. */
#include "io/store/objects_inside.h"

#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT 0x80000000U

struct sp_object *sp_object_ref(struct sp_object *o)
{
    atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    return o;
}

static void close_file(struct sp_object *o)
{
    close(o->fd);
    o->fd = -1;
}

void sp_object_unref(struct sp_object **po)
{
    struct sp_object *o = *po;
    *po = NULL;
    if (!o || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (o->fd >= 0) {
        close_file(o);
    }
    sp_buf_fini(&o->tree_file);
    free(o->checked);
    free(o);
}

bool sp_object_is_shared(const struct sp_object *o)
{
    return atomic_load_explicit(&o->refs, memory_order_acquire) > 1;
}

/* Caches compare Last-Modified, so it must be the same on every server and after every
 * refetch; the file's own time is not. The digest names a day in 2020 to 2024: the same
 * for everybody, always past, and different for most different files. */
static int64_t day_of(const uint8_t sha256[32])
{
    const uint32_t days_of_five_years = 1827;
    uint32_t n = (uint32_t)sha256[0] << 24 | (uint32_t)sha256[1] << 16 |
                 (uint32_t)sha256[2] << 8 | sha256[3];
    return (sp_days_from_civil(2020, 1, 1) + n % days_of_five_years) * 86400;
}

void sp_object_validators(const uint8_t sha256[32], char etag[SP_OBJECT_ETAG],
                          int64_t *last_modified)
{
    char path[SP_OBJECT_PATH];
    sp_object_path(sha256, path);
    snprintf(etag, SP_OBJECT_ETAG, "\"%s\"", path + 3);
    *last_modified = day_of(sha256);
}

static size_t words_for(uint64_t size)
{
    return (size_t)(sp_block_count(size) + 63) / 64;
}

enum sp_err sp_object_new(int fd, const uint8_t sha256[32], const uint8_t sha1[20],
                          uint64_t size, struct sp_object **out)
{
    struct sp_object *o = calloc(1, sizeof *o);
    size_t words = words_for(size);
    atomic_uint_fast64_t *checked = calloc(words ? words : 1, sizeof *checked);
    if (!o || !checked) {
        free(o);
        free(checked);
        return SP_E_NOMEM;
    }
    atomic_init(&o->refs, 1);
    o->fd = fd;
    o->size = size;
    o->checked = checked;
    memcpy(o->sha256, sha256, 32);
    memcpy(o->sha1, sha1, 20);
    sp_object_validators(sha256, o->etag, &o->last_modified);
    sp_buf_init(&o->tree_file, SP_LIMIT_BLOCK_TREE);
    *out = o;
    return SP_OK;
}

/* ---- readers -------------------------------------------------------------------- */

/* Written once a second: every loop reads what lies beside it for every request. */
static void note_use(struct sp_object *o)
{
    int64_t now = sp_clock_wall_s();
    if (atomic_load_explicit(&o->used, memory_order_relaxed) != now) {
        atomic_store_explicit(&o->used, now, memory_order_relaxed);
    }
}

bool sp_object_use(struct sp_object *o)
{
    bool in_service = !sp_object_is_withdrawn(o);
    if (in_service) {
        note_use(o);
    }
    return in_service;
}

bool sp_object_read_begin(struct sp_object *o)
{
    unsigned n = atomic_load_explicit(&o->readers, memory_order_relaxed);
    do {
        if (n & OUT) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &o->readers, &n, n + 1, memory_order_acquire, memory_order_relaxed));
    note_use(o);
    return true;
}

void sp_object_read_end(struct sp_object *o)
{
    if (atomic_fetch_sub_explicit(&o->readers, 1, memory_order_acq_rel) == (OUT | 1)) {
        close_file(o); /* the last one: nobody gets in any more */
    }
}

bool sp_object_withdraw(struct sp_object *o)
{
    unsigned before = atomic_fetch_or_explicit(&o->readers, OUT, memory_order_acq_rel);
    if (before == 0) {
        close_file(o);
    }
    return !(before & OUT);
}

bool sp_object_withdraw_idle(struct sp_object *o)
{
    unsigned none = 0;
    if (!atomic_compare_exchange_strong_explicit(
            &o->readers, &none, OUT, memory_order_acq_rel, memory_order_relaxed)) {
        return false;
    }
    close_file(o);
    return true;
}

bool sp_object_is_withdrawn(const struct sp_object *o)
{
    return atomic_load_explicit(&o->readers, memory_order_acquire) & OUT;
}

/* ---- blocks --------------------------------------------------------------------- */

enum sp_err sp_object_look(const struct sp_object *o, uint64_t offset)
{
    uint64_t block = offset / SP_BLOCK_SIZE;
    if (sp_object_is_withdrawn(o)) {
        return SP_E_CORRUPT;
    }
    SP_ASSERT(offset < o->size);
    uint64_t word = atomic_load_explicit(&o->checked[block / 64], memory_order_acquire);
    return word >> (block % 64) & 1 ? SP_OK : SP_E_AGAIN;
}

enum sp_err sp_object_check(struct sp_object *o, uint64_t offset, struct sp_view bytes)
{
    uint64_t block = offset / SP_BLOCK_SIZE;
    if (sp_block_check(&o->tree, block, bytes) == SP_OK) {
        atomic_fetch_or_explicit(&o->checked[block / 64], (uint64_t)1 << (block % 64),
                                 memory_order_release);
        return sp_object_is_withdrawn(o) ? SP_E_CORRUPT : SP_OK;
    }
    if (sp_object_withdraw(o)) {
        o->damaged_at = block * SP_BLOCK_SIZE;
        if (o->watch) {
            o->watch->found(o->watch->ctx, o);
        }
    }
    return SP_E_CORRUPT;
}

void sp_object_trust(struct sp_object *o)
{
    for (size_t i = 0; i < words_for(o->size); i++) {
        atomic_store_explicit(&o->checked[i], UINT64_MAX, memory_order_release);
    }
}
