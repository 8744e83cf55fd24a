#include "app/fill/scrub.h"

#include "app/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    SAVE_EVERY_MS = 60000,
    HANDLES = 512, /* idle ones, where descriptors are many */
    DEFAULT_FLOOR = 5
};

struct sp_stock {
    struct sp_stock_conf conf;
    struct sp_shelf *shelf;       /* owned */
    struct sp_scrub *scrub;       /* owned */
    struct sp_object_watch watch; /* borrowed by every handle */
    uv_timer_t timer;             /* for the times of use */
    size_t records;               /* under way to the ledger */
    bool stopping, scrub_stopped;
    void (*idle)(void *ctx);
    void *idle_ctx;
    /* any thread */
    atomic_uint_fast64_t limit; /* bytes; 0: none */
    atomic_uint floor_percent;
    atomic_uint_fast64_t files, bytes, reserved, unknown;
    /* the thread that asks for it */
    struct sp_stock_evidence evidence;
    int64_t evidence_at; /* seconds of the wall clock; 0: never */
};

static void maybe_idle(struct sp_stock *s)
{
    if (s->stopping && s->scrub_stopped && s->records == 0) {
        s->stopping = false;
        s->idle(s->idle_ctx);
    }
}

static void publish(struct sp_stock *s)
{
    struct sp_shelf_totals t;
    sp_shelf_totals(s->shelf, &t);
    atomic_store_explicit(&s->files, t.files, memory_order_relaxed);
    atomic_store_explicit(&s->bytes, t.bytes, memory_order_relaxed);
    atomic_store_explicit(&s->reserved, t.reserved, memory_order_relaxed);
    atomic_store_explicit(&s->unknown, t.unknown, memory_order_relaxed);
}

/* ---- damage ---------------------------------------------------------------------- */

struct note {
    struct sp_record record;
    struct sp_record_entry entry;
    struct sp_stock *stock; /* borrowed */
    struct sp_buf text;     /* owned */
    char name[65];
    const char *what;
};

static enum sp_err damage_facts(const struct sp_damage *d, struct sp_facts *f)
{
    SP_TRY(sp_facts_entry(f, "damage", sp_clock_wall_s()));
    if (d->has_sha1) {
        SP_TRY(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(d->sha1, 20)));
    }
    SP_TRY(sp_facts_bytes(f, SP_FACT_FILE_SHA256, sp_view(d->sha256, 32)));
    SP_TRY(sp_facts_int(f, SP_FACT_FILE_SIZE, (int64_t)d->size));
    SP_TRY(sp_facts_text(f, SP_FACT_FILE_DAMAGE, sp_view_str(d->what)));
    return d->has_offset ? sp_facts_int(f, SP_FACT_FILE_DAMAGE_AT, (int64_t)d->offset)
                         : SP_OK;
}

static enum sp_err damage_text(const struct sp_damage *d, struct sp_buf *out)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_TRY(sp_facts_new(SP_KIB(4), &f));
    SP_TRY(damage_facts(d, f));
    return sp_facts_encode(f, out);
}

static void note_free(struct note *n)
{
    sp_buf_fini(&n->text);
    free(n);
}

static void recorded(struct sp_record *r, enum sp_err e)
{
    struct note *n = SP_HOLDER(r, struct note, record);
    struct sp_stock *s = n->stock;
    struct sp_log l;
    if (sp_log_begin(&l, SP_LOG_WARNING, "damage")) {
        sp_log_str(&l, "sha256", n->name);
        sp_log_str(&l, "why", n->what);
        if (e == SP_OK) {
            sp_log_int(&l, "entry", (int64_t)r->first);
        } else {
            sp_log_str(&l, "ledger", sp_why_text(&r->why, e));
        }
        sp_log_end(&l);
    }
    note_free(n);
    s->records--;
    maybe_idle(s);
}

static void write_down(struct sp_stock *s, const struct sp_damage *d)
{
    struct note *n = calloc(1, sizeof *n);
    if (!n) {
        sp_log_say(SP_LOG_ERROR, "damage", "memory ran out: it is not in the ledger");
        return;
    }
    sp_buf_init(&n->text, SP_LIMIT_LEDGER_ENTRY);
    n->stock = s;
    n->what = d->what;
    for (size_t i = 0; i < 32; i++) {
        snprintf(n->name + 2 * i, 3, "%02x", d->sha256[i]);
    }
    if (damage_text(d, &n->text) != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "damage", "of %s: no entry could be made", n->name);
        note_free(n);
        return;
    }
    n->entry = (struct sp_record_entry){.text = sp_buf_view(&n->text)};
    n->record = (struct sp_record){
        .entries = &n->entry, .count = 1, .loop = s->conf.loop, .answer = recorded};
    s->records++;
    sp_keeper_record(s->conf.keeper, &n->record);
}

void sp_stock_damaged(struct sp_stock *s, const struct sp_damage *d)
{
    enum sp_err e = sp_shelf_discard(s->shelf, d->sha256, d->serial, "damaged");
    publish(s);
    if (e == SP_E_NOTFOUND) {
        return; /* found by two at once, or replaced in the meantime */
    }
    if (e != SP_OK) {
        sp_log_say(SP_LOG_ERROR, "damage",
                   "a damaged file cannot be moved to quarantine: %s", sp_err_text(e));
    }
    SP_COUNT(s->conf.counters, damaged, 1);
    write_down(s, d);
}

static void on_found(struct sp_msg *msg)
{
    struct sp_object *o = SP_HOLDER(msg, struct sp_object, msg);
    struct sp_stock *s = o->watch->ctx;
    const struct sp_shelf_item *item = sp_shelf_find(s->shelf, o->sha256);
    if (item && item->open == o) {
        struct sp_damage d = {.has_sha1 = true,
                              .has_offset = true,
                              .size = o->size,
                              .offset = o->damaged_at,
                              .serial = item->serial,
                              .what = "a block has changed or cannot be read"};
        memcpy(d.sha256, o->sha256, 32);
        memcpy(d.sha1, o->sha1, 20);
        sp_stock_damaged(s, &d);
    }
    sp_object_unref(&o);
}

/* On whatever thread: the reference goes with the message. */
static void found(void *ctx, struct sp_object *o)
{
    struct sp_stock *s = ctx;
    sp_object_ref(o);
    o->msg.run = on_found;
    sp_loop_post(s->conf.loop, &o->msg);
}

static void on_scrub_found(void *ctx, const struct sp_damage *d)
{
    sp_stock_damaged(ctx, d);
}

static void on_surveyed(void *ctx)
{
    publish(ctx);
}

/* ---- what the filler asks -------------------------------------------------------- */

/* Whoever can write the file can write its tree too, but not the ledger. */
static enum sp_err get(struct sp_stock *s, const struct sp_stock_file *f,
                       struct sp_object **out)
{
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    SP_TRY(sp_shelf_get(s->shelf, f->sha256, f->sha1, f->size, &s->watch, &o));
    if (f->tree->known && memcmp(o->tree.root, f->tree->hash, 32) != 0) {
        (void)sp_object_withdraw(o);
        return SP_E_CORRUPT;
    }
    *out = o;
    o = NULL;
    return SP_OK;
}

enum sp_err sp_stock_open(struct sp_stock *s, const struct sp_stock_file *f,
                          struct sp_object **out)
{
    const struct sp_shelf_item *item = sp_shelf_find(s->shelf, f->sha256);
    bool told = item && item->open && sp_object_is_withdrawn(item->open);
    enum sp_err e = get(s, f, out);
    if (e != SP_E_CORRUPT) {
        return e;
    }
    struct sp_damage d = {
        .has_sha1 = true,
        .size = f->size,
        .what = "it is not the kind of file it must be, or its block tree is bad"};
    if (told) {
        /* found a moment ago; the message that says so is on its way */
        d.what = "a block has changed or cannot be read";
        d.offset = item->open->damaged_at;
        d.has_offset = true;
    }
    memcpy(d.sha256, f->sha256, 32);
    memcpy(d.sha1, f->sha1, 20);
    sp_stock_damaged(s, &d);
    return SP_E_NOTFOUND;
}

void sp_stock_add(struct sp_stock *s, struct sp_object *o)
{
    if (sp_shelf_put(s->shelf, o, &s->watch) != SP_OK) {
        sp_log_say(SP_LOG_WARNING, "stock",
                   "memory ran out: a file is forgotten until the next start");
    }
    publish(s);
}

static struct sp_shelf_limits limits_of(const struct sp_stock *s)
{
    return (struct sp_shelf_limits){
        .bytes = atomic_load_explicit(&s->limit, memory_order_relaxed),
        .floor_percent = atomic_load_explicit(&s->floor_percent, memory_order_relaxed)};
}

bool sp_stock_has(const struct sp_stock *s, const uint8_t sha256[32])
{
    return sp_shelf_find(s->shelf, sha256) != NULL;
}

bool sp_stock_has_room(const struct sp_stock *s, uint64_t size)
{
    struct sp_shelf_limits limits = limits_of(s);
    return sp_shelf_has_room(s->shelf, size, &limits);
}

enum sp_err sp_stock_reserve(struct sp_stock *s, uint64_t size, struct sp_why *why)
{
    struct sp_shelf_limits limits = limits_of(s);
    struct sp_shelf_evicted evicted = {0};
    enum sp_err e = sp_shelf_reserve(s->shelf, size, &limits, &evicted, why);
    SP_COUNT(s->conf.counters, evicted_limit, evicted.files - evicted.for_floor);
    SP_COUNT(s->conf.counters, evicted_floor, evicted.for_floor);
    SP_COUNT(s->conf.counters, evicted_bytes, evicted.bytes);
    publish(s);
    return e;
}

void sp_stock_release(struct sp_stock *s, uint64_t size)
{
    sp_shelf_release(s->shelf, size);
    publish(s);
}

void sp_stock_tune(struct sp_stock *s, const struct sp_config *c)
{
    atomic_store(&s->limit, c->cache_max);
    atomic_store(&s->floor_percent, c->cache_floor);
    sp_scrub_set_rate(s->scrub, c->scrub_rate);
}

void sp_stock_status(struct sp_stock *s, struct sp_stock_status *out)
{
    out->files = atomic_load_explicit(&s->files, memory_order_relaxed);
    out->bytes = atomic_load_explicit(&s->bytes, memory_order_relaxed);
    out->reserved = atomic_load_explicit(&s->reserved, memory_order_relaxed);
    out->unknown = atomic_load_explicit(&s->unknown, memory_order_relaxed);
    out->limit = atomic_load_explicit(&s->limit, memory_order_relaxed);
    sp_scrub_status(s->scrub, out);
}

static enum sp_err add_evidence(void *ctx, const struct sp_evidence_seen *seen)
{
    struct sp_stock_evidence *sum = ctx;
    sum->files++;
    sum->bytes += seen->size;
    return SP_OK;
}

void sp_stock_evidence(struct sp_stock *s, struct sp_stock_evidence *out)
{
    enum { FRESH = 10 };
    int64_t now = sp_clock_wall_s();
    if (now - s->evidence_at >= FRESH || now < s->evidence_at) {
        struct sp_stock_evidence sum = {0};
        s->evidence_at = now;
        if (sp_evidence_scan(s->conf.objects, add_evidence, &sum) == SP_OK) {
            s->evidence = sum;
        }
    }
    *out = s->evidence;
}

/* ---- life ------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer)
{
    struct sp_stock *s = timer->data;
    sp_shelf_save(s->shelf);
}

static size_t idle_handles(void)
{
    struct rlimit files;
    bool few = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 16 < HANDLES;
    return few ? (size_t)files.rlim_cur / 16 : HANDLES;
}

static enum sp_err start(struct sp_stock *s, struct sp_why *why)
{
    struct sp_scrub_conf scrub = {.loop = s->conf.loop,
                                  .objects = s->conf.objects,
                                  .counters = s->conf.counters,
                                  .damaged = on_scrub_found,
                                  .surveyed = on_surveyed,
                                  .ctx = s};
    SP_TRY(sp_shelf_new(s->conf.objects, idle_handles(), &s->shelf, why));
    scrub.shelf = s->shelf;
    return sp_scrub_new(&scrub, &s->scrub);
}

enum sp_err sp_stock_new(const struct sp_stock_conf *conf, struct sp_stock **out,
                         struct sp_why *why)
{
    struct sp_stock *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    s->conf = *conf;
    s->watch = (struct sp_object_watch){.found = found, .ctx = s};
    atomic_init(&s->floor_percent, DEFAULT_FLOOR);
    enum sp_err e = start(s, why);
    if (e != SP_OK) {
        sp_stock_free(&s);
        return e;
    }
    uv_timer_init(sp_loop_uv(conf->loop), &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_timer, SAVE_EVERY_MS, SAVE_EVERY_MS);
    publish(s);
    *out = s;
    return SP_OK;
}

static void on_scrub_stopped(void *ctx)
{
    struct sp_stock *s = ctx;
    s->scrub_stopped = true;
    maybe_idle(s);
}

void sp_stock_stop(struct sp_stock *s, void (*idle)(void *ctx), void *ctx)
{
    s->stopping = true;
    s->idle = idle;
    s->idle_ctx = ctx;
    uv_close((uv_handle_t *)&s->timer, NULL);
    sp_scrub_stop(s->scrub, on_scrub_stopped, s);
}

void sp_stock_free(struct sp_stock **ps)
{
    if (*ps) {
        sp_scrub_free(&(*ps)->scrub);
        sp_shelf_free(&(*ps)->shelf);
        free(*ps);
        *ps = NULL;
    }
}
