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
    struct sp_conn *conn;       /* borrowed; waits for us before it is freed */
    struct sp_answer_file file; /* what it points at is borrowed from the answer */
    uint64_t offset;            /* of the bytes that are wanted */
    size_t want;
    bool done;
    enum sp_err err;
    uint8_t *data; /* owned; NULL before there is something */
    uint64_t at;   /* offset of data in the file */
    size_t len;
};

/* As many bytes as there are, at most n; SP_E_IO leaves *got 0. */
static enum sp_err read_all(int fd, uint8_t *to, size_t n, uint64_t offset, size_t *got)
{
    size_t len = 0;
    ssize_t one = 1;
    while (len < n && one > 0) {
        one = pread(fd, to + len, n - len, (off_t)(offset + len));
        len += one > 0 ? (size_t)one : 0;
        one = one < 0 && errno == EINTR ? 1 : one;
    }
    *got = one < 0 ? 0 : len;
    return one < 0 ? SP_E_IO : SP_OK;
}

static uint64_t block_start(const struct sp_answer_file *f, uint64_t offset)
{
    return offset - offset % f->guard->block;
}

static uint64_t block_end(const struct sp_answer_file *f, uint64_t offset)
{
    uint64_t start = block_start(f, offset), left = f->size - start;
    return start + (left < f->guard->block ? left : f->guard->block);
}

/* Memory is taken here and not before: only what the pool works on now holds a block.
 */
static enum sp_err fill(struct sp_slice_job *s, uint64_t from, uint64_t end)
{
    s->data = sp_wire_buffer_new((size_t)(end - from));
    if (!s->data) {
        return SP_E_NOMEM;
    }
    s->at = from;
    return read_all(s->file.fd, s->data, (size_t)(end - from), from, &s->len);
}

static enum sp_err fill_checked(struct sp_slice_job *s)
{
    const struct sp_answer_file *f = &s->file;
    uint64_t start = block_start(f, s->offset);
    enum sp_err e = fill(s, start, block_end(f, s->offset));
    if (e == SP_E_NOMEM) {
        return e;
    }
    return f->guard->check(f->guard_ctx, start, sp_view(s->data, s->len));
}

static void slice_work(struct sp_job *j)
{
    struct sp_slice_job *s = (struct sp_slice_job *)j;
    const struct sp_file_guard *guard = s->file.guard;
    s->err = guard ? guard->look(s->file.guard_ctx, s->offset) : SP_OK;
    posix_fadvise(s->file.fd, (off_t)s->offset, (off_t)AHEAD, POSIX_FADV_WILLNEED);
    if (s->err == SP_E_AGAIN) {
        s->err = fill_checked(s);
    } else if (s->err == SP_OK) {
        s->err = fill(s, s->offset, s->offset + s->want);
    }
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

/* What a job read stays as long as the peer takes it without a pause: a block that was
 * checked is not read and hashed again for each of its pieces. */
void sp_slice_done(struct sp_conn *c)
{
    struct sp_reply *r = &c->x->reply;
    struct sp_slice_job *s = r->slice;
    uint64_t next = r->file.offset + r->body_sent;
    if (s && s->done &&
        (c->blocked || r->body_sent == r->file.length || next >= s->at + s->len)) {
        sp_slice_free(r);
    }
}

static enum sp_err start_job(struct sp_conn *c, uint64_t offset, size_t want)
{
    struct sp_slice_job *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    *s = (struct sp_slice_job){
        .job = {.work = slice_work, .done = slice_ready},
        .conn = c,
        .file = c->x->reply.file,
        .offset = offset,
        .want = want,
    };
    c->x->reply.slice = s;
    c->server->stats.file_waits++;
    sp_loop_work(c->server->loop, &s->job);
    return SP_E_AGAIN;
}

/* What a finished job has for offset: an end where bytes were promised is damage. */
static enum sp_err result(const struct sp_slice_job *s, uint64_t offset, size_t want,
                          struct sp_view *out)
{
    SP_TRY(s->err);
    SP_ASSERT(offset >= s->at);
    uint64_t skip = offset - s->at;
    if (skip >= s->len) {
        return SP_E_TRUNCATED;
    }
    *out = sp_view_slice(sp_view(s->data, s->len), (size_t)skip, (size_t)skip + want);
    return SP_OK;
}

static enum sp_err read_now(struct sp_conn *c, uint64_t offset, size_t want,
                            struct sp_view *out)
{
    uint8_t *to = c->server->wire.slice;
    struct iovec part = {.iov_base = to, .iov_len = want};
    ssize_t got = preadv2(c->x->reply.file.fd, &part, 1, (off_t)offset, RWF_NOWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP || errno == EINTR)) {
        return start_job(c, offset, want);
    }
    if (got <= 0) {
        return got == 0 ? SP_E_TRUNCATED : SP_E_IO;
    }
    *out = sp_view(to, (size_t)got);
    return SP_OK;
}

uint64_t sp_slice_end(const struct sp_answer_file *f)
{
    return f->grows ? f->ready : f->length;
}

static enum sp_err get(struct sp_conn *c, uint64_t offset, size_t want,
                       struct sp_view *out)
{
    const struct sp_answer_file *f = &c->x->reply.file;
    const struct sp_slice_job *s = c->x->reply.slice;
    if (s) {
        return s->done ? result(s, offset, want, out) : SP_E_AGAIN;
    }
    enum sp_err e = f->guard ? f->guard->look(f->guard_ctx, offset) : SP_OK;
    if (e == SP_E_AGAIN) {
        return start_job(c, offset, want);
    }
    return e == SP_OK ? read_now(c, offset, want, out) : e;
}

enum sp_err sp_slice_get(struct sp_conn *c, struct sp_view *out)
{
    const struct sp_reply *r = &c->x->reply;
    const struct sp_answer_file *f = &r->file;
    uint64_t offset = f->offset + r->body_sent;
    uint64_t left = sp_slice_end(f) - r->body_sent;
    size_t want = left < SP_WIRE_SLICE ? (size_t)left : SP_WIRE_SLICE;
    if (f->guard && block_end(f, offset) - offset < want) {
        want = (size_t)(block_end(f, offset) - offset);
    }
    enum sp_err e = get(c, offset, want, out);
    if (f->guard && (e == SP_E_TRUNCATED || e == SP_E_IO)) {
        /* it was good once and cannot be read any more: the guard wants to know */
        (void)f->guard->check(f->guard_ctx, block_start(f, offset), sp_view(NULL, 0));
    }
    return e;
}
