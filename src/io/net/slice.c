/* Files as bodies: what the page cache holds is read at once into the server's buffer;
 * what it does not, in the work pool, which also asks the kernel to read on. */
#include "io/net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define AHEAD SP_MIB(1)

struct sp_slice_job {
    struct sp_job job;
    struct sp_conn *conn; /* borrowed; waits for us before it is freed */
    int fd;               /* borrowed from the answer */
    off_t offset;
    size_t want;
    bool done;
    ssize_t got;   /* as read(2) says */
    uint8_t *data; /* owned */
};

static void slice_work(struct sp_job *j)
{
    struct sp_slice_job *s = (struct sp_slice_job *)j;
    posix_fadvise(s->fd, s->offset, (off_t)AHEAD, POSIX_FADV_WILLNEED);
    do {
        s->got = pread(s->fd, s->data, s->want, s->offset);
    } while (s->got < 0 && errno == EINTR);
}

static void slice_ready(struct sp_job *j)
{
    struct sp_slice_job *s = (struct sp_slice_job *)j;
    s->done = true;
    if (s->conn->state == SP_CONN_DEAD) {
        sp_conn_kill(s->conn);
    } else {
        sp_server_make_ready(s->conn);
    }
}

bool sp_slice_is_reading(const struct sp_conn *c)
{
    return c->x->reply.slice && !c->x->reply.slice->done;
}

void sp_slice_free(struct sp_reply *r)
{
    if (r->slice) {
        SP_ASSERT(r->slice->done);
        sp_wire_buffer_free(r->slice->data);
        free(r->slice);
        r->slice = NULL;
    }
}

void sp_slice_done(struct sp_conn *c)
{
    if (c->x->reply.slice && c->x->reply.slice->done) {
        sp_slice_free(&c->x->reply);
    }
}

static enum sp_err start_job(struct sp_conn *c, off_t offset, size_t want)
{
    struct sp_slice_job *s = calloc(1, sizeof *s);
    uint8_t *data = s ? sp_wire_buffer_new(want) : NULL;
    if (!data) {
        free(s);
        return SP_E_NOMEM;
    }
    *s = (struct sp_slice_job){
        .job = {.work = slice_work, .done = slice_ready},
        .conn = c,
        .fd = c->x->reply.file.fd,
        .offset = offset,
        .want = want,
        .data = data,
    };
    c->x->reply.slice = s;
    c->server->stats.file_waits++;
    sp_loop_work(c->server->loop, &s->job);
    return SP_E_AGAIN;
}

/* What read(2) said: an end where bytes were promised is damage. */
static enum sp_err result(uint8_t *data, ssize_t got, struct sp_view *out)
{
    if (got <= 0) {
        return got == 0 ? SP_E_TRUNCATED : SP_E_IO;
    }
    *out = sp_view(data, (size_t)got);
    return SP_OK;
}

uint64_t sp_slice_end(const struct sp_answer_file *f)
{
    return f->grows ? f->ready : f->length;
}

enum sp_err sp_slice_get(struct sp_conn *c, struct sp_view *out)
{
    struct sp_reply *r = &c->x->reply;
    if (r->slice) {
        return r->slice->done ? result(r->slice->data, r->slice->got, out) : SP_E_AGAIN;
    }
    uint64_t left = sp_slice_end(&r->file) - r->body_sent;
    off_t offset = (off_t)(r->file.offset + r->body_sent);
    struct iovec part = {
        .iov_base = c->server->wire.slice,
        .iov_len = left < SP_WIRE_SLICE ? (size_t)left : SP_WIRE_SLICE,
    };
    ssize_t got = preadv2(r->file.fd, &part, 1, offset, RWF_NOWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP || errno == EINTR)) {
        return start_job(c, offset, part.iov_len);
    }
    return result(part.iov_base, got, out);
}
