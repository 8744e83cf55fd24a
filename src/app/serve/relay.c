#include "app/serve/relay.h"

#include <stdlib.h>

#define PIECE SP_KIB(256) /* that came, before a job reads on */

struct sp_relay {
    struct sp_loop *loop;       /* borrowed */
    struct sp_arrival *arrival; /* shared */
    struct sp_relay_watch watch;
    struct sp_job job;
    bool is_busy, is_closed;
    struct sp_view shown; /* to the job, or to the last one */
    size_t open;
    /* under lock: */
    uv_mutex_t lock;
    struct sp_reply_arriving *arriving; /* owned */
    size_t found;                       /* open, as the job has it */
    bool is_over;                       /* it was found bad, or inspected */
};

static void free_unused(struct sp_relay *r)
{
    if (!r->is_busy) {
        sp_reply_arriving_free(&r->arriving);
        sp_arrival_unref(&r->arrival);
        uv_mutex_destroy(&r->lock);
        free(r);
    }
}

enum sp_err sp_relay_new(struct sp_loop *loop, enum sp_op op, struct sp_arrival *a,
                         size_t length, const struct sp_relay_watch *watch,
                         struct sp_relay **out)
{
    struct sp_relay *r = calloc(1, sizeof *r);
    if (!r || uv_mutex_init(&r->lock) != 0) {
        free(r);
        return SP_E_NOMEM;
    }
    r->loop = loop;
    r->arrival = sp_arrival_ref(a);
    r->watch = *watch;
    enum sp_err e = sp_reply_arriving_new(op, &r->arriving);
    e = e == SP_OK ? sp_arrival_fix(a, length) : e;
    if (e != SP_OK) {
        free_unused(r);
        return e;
    }
    *out = r;
    return SP_OK;
}

void sp_relay_close(struct sp_relay **r)
{
    if (*r) {
        (*r)->is_closed = true;
        free_unused(*r);
        *r = NULL;
    }
}

static void read_work(struct sp_job *job)
{
    struct sp_relay *r = SP_HOLDER(job, struct sp_relay, job);
    uv_mutex_lock(&r->lock);
    if (!r->is_over) {
        r->is_over = sp_reply_arriving_more(r->arriving, r->shown, &r->found) != SP_OK;
    }
    uv_mutex_unlock(&r->lock);
}

/* The arrival grows meanwhile, behind what is shown. */
static void read_done(struct sp_job *job)
{
    struct sp_relay *r = SP_HOLDER(job, struct sp_relay, job);
    r->is_busy = false;
    if (r->is_closed) {
        free_unused(r);
        return;
    }
    if (!r->watch.opened) {
        return;
    }
    uv_mutex_lock(&r->lock);
    r->open = r->found;
    uv_mutex_unlock(&r->lock);
    sp_relay_more(r);
    r->watch.opened(r->watch.ctx);
}

void sp_relay_more(struct sp_relay *r)
{
    struct sp_view there = sp_buf_view(&r->arrival->bytes);
    if (!r->is_busy && there.len - r->shown.len >= PIECE) {
        r->shown = there;
        r->is_busy = true;
        r->job = (struct sp_job){.work = read_work, .done = read_done};
        sp_loop_work(r->loop, &r->job);
    }
}

size_t sp_relay_open(const struct sp_relay *r)
{
    return r->open;
}

void sp_relay_settle(struct sp_relay *r)
{
    r->watch = (struct sp_relay_watch){0};
}

void sp_relay_inspect(struct sp_relay *r, const struct sp_effect *e,
                      struct sp_inspection *out)
{
    uv_mutex_lock(&r->lock);
    r->is_over = true; /* for a job that did not begin yet */
    sp_gate_inspect_arrived(e, r->arriving, out);
    uv_mutex_unlock(&r->lock);
}
