#include "app/serve/preview.h"

#include "core/crypto/hasher.h"
#include "core/wsus/reading.h"

#include <stdlib.h>
#include <string.h>

enum {
    READERS = 2,     /* jobs at a time */
    FIRST_ROOM = 64, /* documents */
};

struct item {
    struct sp_place text; /* of the body */
    enum { WAITS, IS_READ, DONE } state;
    bool is_good;
    struct sp_reading reading; /* owned; where DONE and good */
};

struct reader {
    struct sp_job job;
    struct sp_preview *preview; /* borrowed */
    bool is_busy;
};

struct sp_preview {
    struct sp_loop *loop; /* borrowed */
    struct reader readers[READERS];
    struct sp_reading_search search;
    struct sp_hasher *hasher; /* owned: of all that came, NULL once it failed */
    uint8_t sha256[SP_DIGEST_MAX];
    bool is_closed;
    /* under lock: */
    uv_mutex_t lock;
    uv_cond_t done;
    struct sp_view body; /* borrowed; empty once it is closed */
    struct item *items;  /* owned; as they stand in body */
    size_t count, room;
    size_t next; /* items before it wait no more */
};

/* ---- life ------------------------------------------------------------------------ */

enum sp_err sp_preview_new(struct sp_loop *loop, struct sp_preview **out)
{
    struct sp_preview *p = calloc(1, sizeof *p);
    if (!p || uv_mutex_init(&p->lock) != 0) {
        free(p);
        return SP_E_NOMEM;
    }
    if (uv_cond_init(&p->done) != 0) {
        uv_mutex_destroy(&p->lock);
        free(p);
        return SP_E_NOMEM;
    }
    if (sp_hasher_new(1U << SP_DIGEST_SHA256, &p->hasher) != SP_OK) {
        p->hasher = NULL; /* the inspection digests what nobody digested */
    }
    p->loop = loop;
    for (size_t i = 0; i < READERS; i++) {
        p->readers[i].preview = p;
    }
    *out = p;
    return SP_OK;
}

static void free_unused(struct sp_preview *p)
{
    for (size_t i = 0; i < READERS; i++) {
        if (p->readers[i].is_busy) {
            return;
        }
    }
    for (size_t i = 0; i < p->count; i++) {
        sp_reading_fini(&p->items[i].reading);
    }
    uv_cond_destroy(&p->done);
    uv_mutex_destroy(&p->lock);
    sp_hasher_free(&p->hasher);
    free(p->items);
    free(p);
}

void sp_preview_close(struct sp_preview **p)
{
    if (*p) {
        uv_mutex_lock(&(*p)->lock);
        (*p)->body = (struct sp_view){0};
        (*p)->next = (*p)->count;
        uv_mutex_unlock(&(*p)->lock);
        (*p)->is_closed = true;
        free_unused(*p);
        *p = NULL;
    }
}

/* ---- reading --------------------------------------------------------------------- */

/* The next that waits, and a copy of its text; count where there is none. */
static size_t claim(struct sp_preview *p, struct sp_buf *text)
{
    uv_mutex_lock(&p->lock);
    while (p->next < p->count && p->items[p->next].state != WAITS) {
        p->next++;
    }
    size_t at = p->next;
    if (at < p->count) {
        struct sp_place place = p->items[at].text;
        bool is_copied =
            sp_buf_append(text, sp_view_slice(p->body, place.from, place.to)) == SP_OK;
        p->items[at].state = is_copied ? IS_READ : DONE;
        p->next++;
    }
    bool is_there = at < p->count && p->items[at].state == IS_READ;
    uv_mutex_unlock(&p->lock);
    return is_there ? at : SIZE_MAX;
}

static bool read_text(struct sp_buf *text, struct sp_reading *out)
{
    struct sp_buf utf8;
    sp_buf_init(&utf8, SP_LIMIT_DOCUMENT);
    bool is_good = sp_reading_unpack(text, &utf8, &out->why) == SP_OK &&
                   sp_reading_read(sp_buf_view(&utf8), out) == SP_OK &&
                   out->err == SP_OK;
    sp_buf_fini(&utf8);
    return is_good;
}

static void settle(struct sp_preview *p, size_t at, bool is_good,
                   const struct sp_reading *reading)
{
    uv_mutex_lock(&p->lock);
    p->items[at].state = DONE;
    p->items[at].is_good = is_good;
    p->items[at].reading = *reading;
    uv_cond_broadcast(&p->done);
    uv_mutex_unlock(&p->lock);
}

static void read_work(struct sp_job *job)
{
    struct sp_preview *p = SP_HOLDER(job, struct reader, job)->preview;
    struct sp_reading reading = {.err = SP_OK};
    struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_SOAP_REPLY);
    size_t at = claim(p, &text);
    if (at != SIZE_MAX) {
        bool is_good = read_text(&text, &reading);
        settle(p, at, is_good, &reading);
    }
    sp_buf_fini(&text);
}

static bool is_waiting(struct sp_preview *p)
{
    uv_mutex_lock(&p->lock);
    bool is_there = p->next < p->count;
    uv_mutex_unlock(&p->lock);
    return is_there;
}

/* One document a job, so that others have their turn between. */
static void read_done(struct sp_job *job)
{
    struct reader *r = SP_HOLDER(job, struct reader, job);
    struct sp_preview *p = r->preview;
    r->is_busy = false;
    if (p->is_closed) {
        free_unused(p);
    } else if (is_waiting(p)) {
        r->is_busy = true;
        sp_loop_work(p->loop, &r->job);
    }
}

static void wake_reader(struct sp_preview *p)
{
    for (size_t i = 0; i < READERS; i++) {
        struct reader *r = &p->readers[i];
        if (!r->is_busy) {
            r->is_busy = true;
            r->job = (struct sp_job){.work = read_work, .done = read_done};
            sp_loop_work(p->loop, &r->job);
            return;
        }
    }
}

/* ---- arriving -------------------------------------------------------------------- */

/* Where there is no room, the inspection reads what is left. */
static bool make_room(struct sp_preview *p)
{
    if (p->count < p->room) {
        return true;
    }
    size_t room = p->room ? 2 * p->room : FIRST_ROOM;
    struct item *grown = p->count < SP_LIMIT_UPDATE_IDS
                             ? reallocarray(p->items, room, sizeof *grown)
                             : NULL;
    if (grown) {
        p->items = grown;
        p->room = room;
    }
    return grown != NULL;
}

enum sp_err sp_preview_append(struct sp_preview *p, struct sp_buf *reply,
                              struct sp_view bytes)
{
    struct sp_place text;
    size_t found = 0;
    uv_mutex_lock(&p->lock);
    enum sp_err e = sp_buf_append(reply, bytes);
    p->body = sp_buf_view(reply);
    while (sp_reading_next(&p->search, p->body, &text) && make_room(p)) {
        p->items[p->count++] = (struct item){.text = text};
        found++;
    }
    uv_mutex_unlock(&p->lock);
    for (size_t i = 0; i < found && i < READERS; i++) {
        wake_reader(p);
    }
    if (p->hasher && sp_hasher_update(p->hasher, bytes) != SP_OK) {
        sp_hasher_free(&p->hasher);
    }
    return e;
}

/* ---- inspecting ------------------------------------------------------------------ */

static int by_place(const void *key, const void *item)
{
    size_t at = *(const size_t *)key, from = ((const struct item *)item)->text.from;
    return at < from ? -1 : at > from;
}

/* One that waits yet is read by who asks. */
static bool take(void *ctx, size_t text_at, struct sp_reading *out)
{
    struct sp_preview *p = ctx;
    uv_mutex_lock(&p->lock);
    struct item *i =
        p->count ? bsearch(&text_at, p->items, p->count, sizeof *p->items, by_place)
                 : NULL;
    bool is_good = i && i->state != WAITS;
    while (is_good && i->state == IS_READ) {
        uv_cond_wait(&p->done, &p->lock);
    }
    is_good = is_good && i->is_good;
    if (is_good) {
        *out = i->reading;
        i->reading = (struct sp_reading){.err = SP_OK};
        i->is_good = false;
    } else if (i) {
        i->state = DONE;
    }
    uv_mutex_unlock(&p->lock);
    return is_good;
}

struct sp_foresight sp_preview_foresight(struct sp_preview *p)
{
    bool is_digested =
        p->hasher && sp_hasher_finish(p->hasher, SP_DIGEST_SHA256, p->sha256) == SP_OK;
    return (struct sp_foresight){take, p, is_digested ? p->sha256 : NULL};
}
