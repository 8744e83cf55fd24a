#include "io/net/sockets.h"

#include "io/net/address.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_listener(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;
    union sp_socket_address a = {0};
    socklen_t size = sizeof a;
    uint8_t bytes[16];
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on &&
           getsockname(fd, &a.any, &size) == 0 && sp_address_bytes(&a.any, bytes);
}

/* As if it had been opened here. */
static bool prepare(int fd)
{
    const int on = 1;
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

bool sp_sockets_add(struct sp_sockets *s, int fd)
{
    if (s->count == SP_SOCKETS || !is_listener(fd) || !prepare(fd)) {
        close(fd);
        return false;
    }
    s->at[s->count].fd = fd;
    s->at[s->count++].taken = false;
    return true;
}

size_t sp_sockets_close(struct sp_sockets *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (!s->at[i].taken) {
            close(s->at[i].fd);
            n++;
        }
    }
    s->count = 0;
    return n;
}

static unsigned address_of(int fd, uint8_t bytes[16])
{
    union sp_socket_address a = {0};
    socklen_t size = sizeof a;
    if (getsockname(fd, &a.any, &size) != 0 || !sp_address_bytes(&a.any, bytes)) {
        return 0;
    }
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

void sp_sockets_name(const struct sp_sockets *s, size_t i, char text[64])
{
    uint8_t bytes[16];
    char host[INET6_ADDRSTRLEN];
    unsigned port = address_of(s->at[i].fd, bytes);
    sp_address_format(bytes, host);
    bool is_v4 = sp_address_is_v4(bytes);
    snprintf(text, 64, "%s%s%s:%u", is_v4 ? "" : "[", host, is_v4 ? "" : "]", port);
}

int sp_sockets_take(struct sp_sockets *s, const union sp_socket_address *a)
{
    uint8_t wanted[16], bytes[16];
    unsigned port =
        ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
    int same = -1;
    if (!s || !sp_address_bytes(&a->any, wanted)) {
        return -1;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (address_of(s->at[i].fd, bytes) != port || memcmp(bytes, wanted, 16) != 0) {
            continue;
        }
        if (!s->at[i].taken) {
            s->at[i].taken = true;
            return s->at[i].fd;
        }
        same = s->at[i].fd;
    }
    return same < 0 ? -1 : fcntl(same, F_DUPFD_CLOEXEC, 0);
}

void sp_sockets_room(struct sp_socket_message *m, char *text, size_t len)
{
    memset(m, 0, sizeof *m);
    m->text = (struct iovec){.iov_base = text, .iov_len = len};
    m->head = (struct msghdr){.msg_iov = &m->text,
                              .msg_iovlen = 1,
                              .msg_control = m->control,
                              .msg_controllen = sizeof m->control};
}

void sp_sockets_message(struct sp_socket_message *m, char *text, size_t len,
                        const int *fds, size_t count)
{
    sp_sockets_room(m, text, len);
    m->head.msg_controllen = count ? CMSG_SPACE(count * sizeof(int)) : 0;
    if (count) {
        struct cmsghdr *c = CMSG_FIRSTHDR(&m->head);
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS,
                              .cmsg_len = CMSG_LEN(count * sizeof(int))};
        memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    }
}

void sp_sockets_unpack(struct sp_socket_message *m, struct sp_sockets *s)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(&m->head);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
        return;
    }
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        (void)sp_sockets_add(s, fd);
    }
}
