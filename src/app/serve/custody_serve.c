#include "app/serve/custody_serve.h"

#include "app/serve/stay.h"
#include "io/store/files.h"
#include "sallyport/ledger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_ONCE = 32 };

struct reading {
    struct stay stay; /* first; held by the job and by the answer under way as well */
    struct sp_job job;
    char path[SP_TILE_PATH_MAX]; /* beneath the ledger's directory */
    bool is_checkpoint, head_only;
    int fd;
    uint64_t size, file_size; /* of what is answered, of the file */
    enum sp_err err;
};

static void reading_free(struct stay *s)
{
    struct reading *r = SP_HOLDER(s, struct reading, stay);
    sp_fd_close(&r->fd);
    free(r);
}

/* ---- the job --------------------------------------------------------------------- */

static enum sp_err open_whole(struct reading *r, int ledger, const char *path)
{
    struct stat st;
    SP_TRY(sp_file_open_at(ledger, path, O_RDONLY, &r->fd));
    if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return SP_E_CORRUPT;
    }
    r->file_size = r->size = (uint64_t)st.st_size;
    return SP_OK;
}

/* The bytes of the first width entries or hashes of a tile. */
static enum sp_err measure(struct reading *r, const struct sp_tile_ref *t)
{
    uint64_t at = t->is_entries ? 0 : (uint64_t)t->width * SP_HASH;
    for (unsigned i = 0; t->is_entries && i < t->width; i++) {
        uint8_t length[2];
        if (pread(r->fd, length, 2, (off_t)at) != 2) {
            return SP_E_CORRUPT;
        }
        at += 2u + ((unsigned)length[0] << 8 | length[1]);
    }
    r->size = at;
    return at <= r->file_size ? SP_OK : SP_E_CORRUPT;
}

/* A wider one of the same tile begins with the same bytes: what a checkpoint needs that
 * is not the newest. Full ones stay, so looking comes to an end. */
static enum sp_err open_wider(struct reading *r, int ledger)
{
    struct sp_tile_ref t;
    char path[SP_TILE_PATH_MAX];
    SP_TRY(sp_tile_path_parse(sp_view_str(r->path), &t));
    enum sp_err e = SP_E_NOTFOUND;
    for (unsigned width = t.width + 1; e == SP_E_NOTFOUND && width <= SP_TILE_WIDTH;
         width++) {
        if (t.is_entries) {
            sp_tile_entries_path(t.index, width, path);
        } else {
            sp_tile_path(t.level, t.index, width, path);
        }
        e = open_whole(r, ledger, path);
    }
    return e == SP_OK ? measure(r, &t) : e;
}

static enum sp_err open_file(struct reading *r)
{
    SP_AUTO(sp_fd_close) int state = -1;
    SP_AUTO(sp_fd_close) int ledger = -1;
    const struct sp_config *c = r->stay.world->config;
    SP_TRY(sp_dir_open(c->state_dir, &state, NULL));
    if (r->is_checkpoint && c->cosigner_count) {
        enum sp_err e = open_whole(r, state, SP_COSIGNED_FILE);
        return e == SP_E_NOTFOUND ? SP_E_UNAVAILABLE : e; /* not yet */
    }
    SP_TRY(sp_file_open_at(state, "ledger", O_RDONLY | O_DIRECTORY, &ledger));
    enum sp_err e = open_whole(r, ledger, r->path);
    return e == SP_E_NOTFOUND && !r->is_checkpoint ? open_wider(r, ledger) : e;
}

static void work(struct sp_job *job)
{
    struct reading *r = SP_HOLDER(job, struct reading, job);
    r->err = open_file(r);
}

/* [C2SP tlog-tiles]: a tile, also a partial one, never changes; the checkpoint does. */
static void answer(struct reading *r)
{
    static const char tile[] = "Content-Type: application/octet-stream\r\n"
                               "Cache-Control: public, max-age=31536000, immutable\r\n";
    static const char checkpoint[] = "Content-Type: text/plain; charset=utf-8\r\n"
                                     "Cache-Control: no-store\r\n";
    struct sp_answer a = {.status = 200,
                          .fields =
                              r->is_checkpoint ? SP_VIEW(checkpoint) : SP_VIEW(tile),
                          .content_length = r->size,
                          .announce_length = r->head_only};
    if (!r->head_only) {
        a.file = (struct sp_answer_file){
            .fd = r->fd, .length = r->size, .size = r->file_size};
        a.release = sp_stay_release;
        a.owner = &r->stay;
        sp_stay_hold(&r->stay);
    }
    r->stay.moved = r->size;
    sp_stay_count(&r->stay, 200);
    sp_exchange_respond(r->stay.exchange, &a);
}

static void done(struct sp_job *job)
{
    struct reading *r = SP_HOLDER(job, struct reading, job);
    struct sp_exchange *x = r->stay.exchange;
    if (x && r->err == SP_OK) {
        answer(r);
    } else if (x) {
        sp_stay_disappoint(&r->stay, r->err == SP_E_NOTFOUND ? 404 : 503);
    }
    sp_stay_let_go(&r->stay);
}

/* ---- what the listener tells ----------------------------------------------------- */

static bool is_served(struct sp_view path)
{
    struct sp_tile_ref t;
    return sp_view_eq_str(path, "checkpoint") || sp_tile_path_parse(path, &t) == SP_OK;
}

static void begin(struct sp_door_context *d, struct sp_exchange *x, struct sp_view path,
                  struct sp_guest *guest)
{
    struct sp_lane *lane = d->lane;
    struct reading *r = calloc(1, sizeof *r);
    if (r) {
        r->stay = (struct stay){.visitor = {VISITOR_CUSTODY},
                                .present = &lane->custody_readings,
                                .free = reading_free};
    }
    if (!sp_stay_begin(r ? &r->stay : NULL, d, x, SP_ASKED_CUSTODY, guest)) {
        return;
    }
    r->fd = -1;
    r->is_checkpoint = sp_view_eq_str(path, "checkpoint");
    r->head_only = sp_exchange_request(x)->method == SP_HTTP_HEAD;
    memcpy(r->path, path.data, path.len);
    sp_stay_hold(&r->stay);
    r->job = (struct sp_job){.work = work, .done = done};
    sp_loop_work(lane->loop, &r->job);
}

bool sp_custody_takes(struct sp_door_context *d, struct sp_exchange *x)
{
    struct sp_lane *lane = d->lane;
    const struct sp_http_request *q = sp_exchange_request(x);
    struct sp_view prefix = SP_VIEW(SP_CUSTODY_PREFIX);
    bool is_on =
        lane->world->config->listeners[d->door].custody && sp_exchange_is_tls(x);
    if (!is_on || !sp_view_starts(q->target, prefix)) {
        return false;
    }
    struct sp_view path = sp_view_slice(q->target, prefix.len, q->target.len);
    struct sp_guest guest;
    *sp_exchange_slot(x) = NULL;
    if (q->method != SP_HTTP_GET && q->method != SP_HTTP_HEAD) {
        sp_stay_refuse(d, x, SP_ASKED_CUSTODY, 405);
    } else if (path.len >= SP_TILE_PATH_MAX || !is_served(path)) {
        sp_stay_refuse(d, x, SP_ASKED_CUSTODY, 404);
    } else if (sp_stay_may_begin(d, x, SP_ASKED_CUSTODY, lane->custody_readings,
                                 AT_ONCE, &guest)) {
        begin(d, x, path, &guest);
    }
    return true;
}
