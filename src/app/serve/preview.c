#include "app/serve/preview.h"

#include "core/wsus/reading.h"

#include <stdlib.h>
#include <string.h>

enum {
    READERS = 2,     /* jobs at a time */
    FIRST_ROOM = 64, /* documents */
};
#define NOTHING SIZE_MAX

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
    struct sp_loop *loop;       /* borrowed */
    struct sp_arrival *arrival; /* shared */
    struct reader readers[READERS];
    struct sp_reading_search search;
    bool is_closed;
    /* under lock: */
    uv_mutex_t lock;
    uv_cond_t done;
    struct item *items; /* owned; as they stand in the reply */
    size_t count, room;
    size_t next; /* items before it wait no more */
};

/* ---- life ------------------------------------------------------------------------ */

enum sp_err sp_preview_new(struct sp_loop *loop, struct sp_arrival *a,
                           struct sp_preview **out)
{
    SP_ASSERT(a->is_fixed);
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
    p->loop = loop;
    p->arrival = sp_arrival_ref(a);
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
    sp_arrival_unref(&p->arrival);
    free(p->items);
    free(p);
}

void sp_preview_close(struct sp_preview **p)
{
    if (*p) {
        uv_mutex_lock(&(*p)->lock);
        (*p)->next = (*p)->count;
        uv_mutex_unlock(&(*p)->lock);
        (*p)->is_closed = true;
        free_unused(*p);
        *p = NULL;
    }
}

/* ---- reading --------------------------------------------------------------------- */

/* The next that waits, or NOTHING. */
static size_t claim(struct sp_preview *p, struct sp_place *text)
{
    uv_mutex_lock(&p->lock);
    while (p->next < p->count && p->items[p->next].state != WAITS) {
        p->next++;
    }
    size_t at = p->next;
    bool is_there = at < p->count;
    if (is_there) {
        *text = p->items[at].text;
        p->items[at].state = IS_READ;
        p->next++;
    }
    uv_mutex_unlock(&p->lock);
    return is_there ? at : NOTHING;
}

static bool read_text(struct sp_view text, struct sp_reading *out)
{
    struct sp_buf cabinet, utf8;
    sp_buf_init(&utf8, SP_LIMIT_DOCUMENT);
    bool is_good = sp_reading_decode(text, &cabinet, &out->why) == SP_OK &&
                   sp_reading_unpack(&cabinet, &utf8, &out->why) == SP_OK &&
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
    struct sp_place text;
    size_t at = claim(p, &text);
    if (at != NOTHING) {
        const uint8_t *bytes = p->arrival->bytes.data; /* it is fixed */
        bool is_good =
            read_text(sp_view(bytes + text.from, text.to - text.from), &reading);
        settle(p, at, is_good, &reading);
    }
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

/* Where there is no room, the inspection reads it. */
static bool add(struct sp_preview *p, struct sp_place text)
{
    uv_mutex_lock(&p->lock);
    bool has_room = make_room(p);
    if (has_room) {
        p->items[p->count++] = (struct item){.text = text};
    }
    uv_mutex_unlock(&p->lock);
    return has_room;
}

void sp_preview_more(struct sp_preview *p)
{
    struct sp_view body = sp_buf_view(&p->arrival->bytes);
    struct sp_place text;
    size_t found = 0;
    while (sp_reading_next(&p->search, body, &text)) {
        found += add(p, text);
    }
    for (size_t i = 0; i < found && i < READERS; i++) {
        wake_reader(p);
    }
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
    return (struct sp_foresight){take, p};
}
