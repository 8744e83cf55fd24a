#include "io/net/transport.h"

#include "io/net/tls_records.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE   4096
#define OFFSET 512

uint8_t *sp_wire_buffer_new(size_t n)
{
    uint8_t *page = aligned_alloc(PAGE, (n + OFFSET + PAGE - 1) / PAGE * PAGE);
    return page ? page + OFFSET : NULL;
}

void sp_wire_buffer_free(uint8_t *b)
{
    if (b) {
        free(b - OFFSET);
    }
}

enum sp_err sp_wire_init(struct sp_wire *w, struct sp_server_stats *stats)
{
    *w = (struct sp_wire){
        .receive = sp_wire_buffer_new(SP_WIRE_RECEIVE),
        .plain = sp_wire_buffer_new(SP_WIRE_RECORD),
        .joined = sp_wire_buffer_new(SP_WIRE_RECORD),
        .gather = sp_wire_buffer_new(SP_WIRE_GATHER),
        .slice = sp_wire_buffer_new(SP_WIRE_SLICE),
        .sealer = sp_tls_sealer_new(),
        .stats = stats,
    };
    if (!w->receive || !w->plain || !w->joined || !w->gather || !w->slice ||
        !w->sealer) {
        sp_wire_fini(w);
        return SP_E_NOMEM;
    }
    return SP_OK;
}

void sp_wire_fini(struct sp_wire *w)
{
    sp_wire_buffer_free(w->receive);
    sp_wire_buffer_free(w->plain);
    sp_wire_buffer_free(w->joined);
    sp_wire_buffer_free(w->gather);
    sp_wire_buffer_free(w->slice);
    sp_tls_sealer_free(&w->sealer);
    *w = (struct sp_wire){0};
}

/* The C library's recv and send are points where a thread may be cancelled, which takes
 * two locked instructions a call once there are threads. Nobody is cancelled here. A
 * sanitizer has to see them: where they write, and whom they order. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static ssize_t receive(int fd, uint8_t *to, size_t max)
{
    return recv(fd, to, max, 0);
}

static ssize_t send_one(int fd, struct sp_view v)
{
    return send(fd, v.data, v.len, MSG_NOSIGNAL);
}

static ssize_t send_list(int fd, const struct msghdr *list)
{
    return sendmsg(fd, list, MSG_NOSIGNAL);
}
#else
static ssize_t receive(int fd, uint8_t *to, size_t max)
{
    return syscall(SYS_recvfrom, fd, to, max, 0, NULL, NULL);
}

static ssize_t send_one(int fd, struct sp_view v)
{
    return syscall(SYS_sendto, fd, v.data, v.len, MSG_NOSIGNAL, NULL, 0);
}

static ssize_t send_list(int fd, const struct msghdr *list)
{
    return syscall(SYS_sendmsg, fd, list, MSG_NOSIGNAL);
}
#endif

static enum sp_err socket_failed(struct sp_transport *t)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return SP_E_AGAIN;
    }
    t->broken = true;
    return SP_E_IO;
}

enum sp_err sp_socket_recv(struct sp_transport *t, uint8_t *to, size_t max, size_t *got)
{
    if (t->ended) {
        return SP_E_CLOSED;
    }
    if (!t->readable) {
        return SP_E_AGAIN;
    }
    ssize_t n = receive(t->fd, to, max);
    t->readable =
        n == (ssize_t)max; /* else it is empty for now, and the loop will tell */
    if (n < 0) {
        return socket_failed(t);
    }
    if (n == 0) {
        t->ended = true;
        return SP_E_CLOSED;
    }
    t->wire->stats->bytes_in += (uint64_t)n;
    *got = (size_t)n;
    return SP_OK;
}

static ssize_t send_both(int fd, struct sp_view first, struct sp_view second)
{
    struct iovec parts[2] = {
        {.iov_base = (void *)(uintptr_t)first.data, .iov_len = first.len},
        {.iov_base = (void *)(uintptr_t)second.data, .iov_len = second.len},
    };
    struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};
    return send_list(fd, &msg);
}

enum sp_err sp_socket_send(struct sp_transport *t, struct sp_view first,
                           struct sp_view second, size_t *sent)
{
    if (t->broken) {
        return SP_E_IO;
    }
    /* One part needs no list of parts, which the kernel would have to fetch. No
     * MSG_MORE: held back tails cost a fifth of bulk's CPU, decision 0080. */
    ssize_t n = second.len ? send_both(t->fd, first, second) : send_one(t->fd, first);
    if (n < 0) {
        return socket_failed(t);
    }
    t->wire->stats->bytes_out += (uint64_t)n;
    *sent = (size_t)n;
    return SP_OK;
}
