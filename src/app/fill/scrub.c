#include "app/fill/scrub.h"

#include "app/fill/survey.h"

#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    PASS_EVERY_MS = 24 * 3600 * 1000,
    NOTE_EVERY_MS = 10000,
    FILE_COST = 64 * 1024, /* bytes that opening one counts as */
    DEFAULT_RATE = 32 << 20
};
#define NOTE "scrub"

struct sp_scrub {
    struct sp_scrub_conf conf;
    struct sp_survey *survey; /* owned; NULL once it is over */
    uv_timer_t timer;
    struct sp_job job;
    bool working, stopping;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
    atomic_uint_fast64_t rate; /* bytes a second */
    uint64_t owed_us;          /* time that was earned and not waited for yet */
    /* the pass: everything behind origin, then everything from the first one to origin
     */
    uint8_t origin[32], last[32];
    bool has_origin, has_last, wrapped;
    bool resting; /* until the next pass */
    uint64_t noted_ms, began_ms;
    atomic_int_fast64_t began, ended;  /* unix seconds */
    atomic_uint_fast64_t files, bytes; /* of this pass */
    /* the file under way; the job's while it works */
    bool has_file;
    uint8_t sha256[32];
    uint64_t size, serial, offset;
    struct sp_object *object;     /* owned */
    struct sp_digester *digester; /* owned */
    uint8_t *block;               /* owned */
    /* what the job found */
    enum sp_err err;
    const char *what; /* damage */
    size_t read;
    bool at_end;
};

static void step(struct sp_scrub *s);

/* ---- the job --------------------------------------------------------------------- */

static bool is_cached(int fd, uint64_t offset)
{
    char byte;
    struct iovec one = {.iov_base = &byte, .iov_len = 1};
    return preadv2(fd, &one, 1, (off_t)offset, RWF_NOWAIT) == 1;
}

/* Reads on in spite of signals; what is missing in the end is damage. */
static size_t read_block(int fd, uint8_t *to, size_t n, uint64_t offset)
{
    size_t len = 0;
    while (len < n) {
        ssize_t got = pread(fd, to + len, n - len, (off_t)(offset + len));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    return len;
}

static enum sp_err open_file(struct sp_scrub *s)
{
    static const uint8_t unknown[20] = {0};
    SP_TRY(sp_digester_new(&s->digester));
    enum sp_err e =
        sp_objects_get(s->conf.objects, s->sha256, unknown, s->size, &s->object);
    if (e == SP_E_CORRUPT) {
        s->what = "it is not the kind of file it must be, or its block tree is bad";
    }
    return e == SP_OK && !sp_object_read_begin(s->object) ? SP_E_INTERNAL : e;
}

/* What popular files have in memory stays there; what we bring in does not. */
static enum sp_err check_block(struct sp_scrub *s)
{
    int fd = s->object->fd;
    uint64_t left = s->size - s->offset;
    size_t n = left < SP_BLOCK_SIZE ? (size_t)left : SP_BLOCK_SIZE;
    bool cached = is_cached(fd, s->offset);
    struct sp_view bytes = sp_view(s->block, read_block(fd, s->block, n, s->offset));
    if (!cached) {
        posix_fadvise(fd, (off_t)s->offset, (off_t)n, POSIX_FADV_DONTNEED);
    }
    if (sp_object_check(s->object, s->offset, bytes) != SP_OK) {
        s->what = "a block has changed or cannot be read";
        return SP_E_CORRUPT;
    }
    s->offset += n;
    s->read = n;
    return sp_digester_update(s->digester, bytes);
}

static enum sp_err check_whole(struct sp_scrub *s)
{
    uint8_t sha1[20], sha256[32];
    SP_TRY(sp_digester_finish(s->digester, sha1, sha256));
    s->at_end = true;
    if (memcmp(sha256, s->sha256, sizeof sha256) != 0) {
        s->what = "its blocks agree with its block tree, but not with its digest";
        return SP_E_CORRUPT;
    }
    return SP_OK;
}

static void work(struct sp_job *job)
{
    struct sp_scrub *s = SP_HOLDER(job, struct sp_scrub, job);
    s->what = NULL;
    s->read = 0;
    s->at_end = false;
    s->err = s->object ? SP_OK : open_file(s);
    if (s->err == SP_OK) {
        s->err = s->offset < s->size ? check_block(s) : check_whole(s);
    }
}

/* ---- the pass -------------------------------------------------------------------- */

static void write_note(struct sp_scrub *s)
{
    struct sp_buf text;
    sp_buf_init(&text, 128);
    bool good = !s->has_last || sp_hex_append(&text, sp_view(s->last, 32)) == SP_OK;
    /* losing it costs a pass that begins elsewhere */
    if (good && sp_objects_note(s->conf.objects, NOTE, sp_buf_view(&text)) == SP_OK) {
        s->noted_ms = sp_loop_now_ms(s->conf.loop);
    }
    sp_buf_fini(&text);
}

static void read_note(struct sp_scrub *s)
{
    struct sp_buf text;
    sp_buf_init(&text, 128);
    s->has_origin =
        sp_objects_read_note(s->conf.objects, NOTE, &text) == SP_OK &&
        sp_hex_parse(sp_buf_view(&text), s->origin, sizeof s->origin) == SP_OK;
    sp_buf_fini(&text);
}

static void begin_pass(struct sp_scrub *s)
{
    memcpy(s->last, s->origin, sizeof s->last);
    s->has_last = s->has_origin;
    s->wrapped = false;
    s->began_ms = sp_loop_now_ms(s->conf.loop);
    atomic_store(&s->began, sp_clock_wall_s());
    atomic_store(&s->files, 0);
    atomic_store(&s->bytes, 0);
}

/* False when the pass is over. */
static bool pick_file(struct sp_scrub *s)
{
    const struct sp_shelf_item *next =
        sp_shelf_next(s->conf.shelf, s->has_last ? s->last : NULL);
    if (!next && s->has_origin && !s->wrapped) {
        s->wrapped = true;
        s->has_last = false;
        next = sp_shelf_next(s->conf.shelf, NULL);
    }
    if (!next || (s->wrapped && memcmp(next->sha256, s->origin, 32) > 0)) {
        return false;
    }
    memcpy(s->sha256, next->sha256, 32);
    s->size = next->size;
    s->serial = next->serial;
    s->offset = 0;
    s->has_file = true;
    return true;
}

static void let_go(struct sp_scrub *s)
{
    if (s->object) {
        sp_object_read_end(s->object);
        sp_object_unref(&s->object);
    }
    sp_digester_free(&s->digester);
}

static void file_done(struct sp_scrub *s)
{
    let_go(s);
    s->has_file = false;
    s->has_last = true;
    memcpy(s->last, s->sha256, sizeof s->last);
    if (sp_loop_now_ms(s->conf.loop) - s->noted_ms >= NOTE_EVERY_MS) {
        write_note(s);
    }
}

static void pass_done(struct sp_scrub *s)
{
    SP_COUNT(s->conf.counters, scrub_passes, 1);
    atomic_store(&s->ended, sp_clock_wall_s());
    s->has_last = s->has_origin = false;
    s->resting = true;
    write_note(s);
}

/* ---- the pace -------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct sp_scrub *s = timer->data;
    if (s->resting) {
        s->resting = false;
        begin_pass(s);
    }
    step(s);
}

static void wait_for(struct sp_scrub *s, uint64_t ms)
{
    uv_timer_start(&s->timer, on_timer, ms, 0);
}

static void wait_for_bytes(struct sp_scrub *s, uint64_t bytes)
{
    s->owed_us += bytes * 1000000 / atomic_load(&s->rate);
    uint64_t ms = s->owed_us / 1000;
    s->owed_us -= ms * 1000;
    wait_for(s, ms);
}

static void report(struct sp_scrub *s)
{
    struct sp_damage d = {.size = s->size,
                          .offset = s->offset,
                          .has_offset = s->object && !s->at_end,
                          .serial = s->serial,
                          .what = s->what};
    memcpy(d.sha256, s->sha256, 32);
    s->conf.damaged(s->conf.ctx, &d);
}

static void done(struct sp_job *job)
{
    struct sp_scrub *s = SP_HOLDER(job, struct sp_scrub, job);
    bool over = s->at_end || s->err != SP_OK;
    s->working = false;
    SP_COUNT(s->conf.counters, scrub_bytes, s->read);
    SP_COUNT(s->conf.counters, scrub_files, s->at_end);
    atomic_fetch_add(&s->bytes, s->read);
    atomic_fetch_add(&s->files, s->at_end);
    if (s->err == SP_E_CORRUPT) {
        report(s);
    }
    if (over) {
        file_done(s); /* other errors: evicted in the meantime, or none of its fault */
    }
    if (s->stopping) {
        s->stopped(s->stopped_ctx);
        return;
    }
    wait_for_bytes(s, s->read + (over ? FILE_COST : 0));
}

/* ---- the survey ------------------------------------------------------------------ */

static void look(struct sp_job *job)
{
    sp_survey_look(SP_HOLDER(job, struct sp_scrub, job)->survey);
}

static void looked(struct sp_job *job)
{
    struct sp_scrub *s = SP_HOLDER(job, struct sp_scrub, job);
    s->working = false;
    sp_survey_tell(s->survey);
    s->conf.surveyed(s->conf.ctx);
    if (s->stopping) {
        s->stopped(s->stopped_ctx);
        return;
    }
    wait_for(s, 0);
}

/* ---- a step ---------------------------------------------------------------------- */

static void start_job(struct sp_scrub *s, void (*do_it)(struct sp_job *),
                      void (*then)(struct sp_job *))
{
    s->job = (struct sp_job){.work = do_it, .done = then};
    s->working = true;
    sp_loop_work(s->conf.loop, &s->job);
}

static void step(struct sp_scrub *s)
{
    if (s->survey && sp_survey_pick(s->survey)) {
        start_job(s, look, looked);
        return;
    }
    sp_survey_free(&s->survey);
    if (!s->has_file && !pick_file(s)) {
        uint64_t took = sp_loop_now_ms(s->conf.loop) - s->began_ms;
        pass_done(s);
        wait_for(s, took < PASS_EVERY_MS ? PASS_EVERY_MS - took : 0);
        return;
    }
    start_job(s, work, done);
}

/* ---- life ------------------------------------------------------------------------ */

enum sp_err sp_scrub_new(const struct sp_scrub_conf *conf, struct sp_scrub **out)
{
    struct sp_scrub *s = calloc(1, sizeof *s);
    uint8_t *block = malloc(SP_BLOCK_SIZE);
    if (!s || !block ||
        sp_survey_new(conf->objects, conf->shelf, &s->survey) != SP_OK) {
        free(s);
        free(block);
        return SP_E_NOMEM;
    }
    s->conf = *conf;
    s->block = block;
    atomic_init(&s->rate, DEFAULT_RATE);
    read_note(s);
    begin_pass(s);
    uv_timer_init(sp_loop_uv(conf->loop), &s->timer);
    s->timer.data = s;
    wait_for(s, 0);
    *out = s;
    return SP_OK;
}

void sp_scrub_set_rate(struct sp_scrub *s, uint64_t rate)
{
    atomic_store(&s->rate, rate);
}

void sp_scrub_stop(struct sp_scrub *s, void (*stopped)(void *ctx), void *ctx)
{
    s->stopping = true;
    s->stopped = stopped;
    s->stopped_ctx = ctx;
    uv_close((uv_handle_t *)&s->timer, NULL);
    write_note(s);
    if (!s->working) {
        stopped(ctx);
    }
}

void sp_scrub_free(struct sp_scrub **ps)
{
    if (*ps) {
        let_go(*ps);
        sp_survey_free(&(*ps)->survey);
        free((*ps)->block);
        free(*ps);
        *ps = NULL;
    }
}

void sp_scrub_status(struct sp_scrub *s, struct sp_stock_status *out)
{
    out->pass_began = atomic_load(&s->began);
    out->pass_ended = atomic_load(&s->ended);
    out->pass_files = atomic_load(&s->files);
    out->pass_bytes = atomic_load(&s->bytes);
}
