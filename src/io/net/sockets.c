#include "io/net/sockets.h"

#include "io/net/address.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where it is bound; false for what is no TCP socket. */
static bool place_of(int fd, struct sp_place *out)
{
    socklen_t size = sizeof out->at;
    int only_v6 = 1;
    socklen_t len = sizeof only_v6;
    uint8_t bytes[16];
    *out = (struct sp_place){.both = false};
    if (getsockname(fd, &out->at.any, &size) != 0 ||
        !sp_address_bytes(&out->at.any, bytes)) {
        return false;
    }
    out->both = out->at.any.sa_family == AF_INET6 &&
                IN6_IS_ADDR_UNSPECIFIED(&out->at.v6.sin6_addr) &&
                getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &len) == 0 &&
                !only_v6;
    return true;
}

static bool is_listener(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;
    struct sp_place p;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on &&
           place_of(fd, &p);
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

static void keep(struct sp_sockets *s, int fd)
{
    s->at[s->count].fd = fd;
    s->at[s->count++].taken = false;
}

bool sp_sockets_add(struct sp_sockets *s, int fd)
{
    if (s->count == SP_SOCKETS || !is_listener(fd) || !prepare(fd)) {
        close(fd);
        return false;
    }
    keep(s, fd);
    return true;
}

enum sp_err sp_sockets_open(struct sp_sockets *s, const char *bind, size_t count,
                            struct sp_why *why)
{
    struct sp_place p;
    SP_TRY(sp_place_parse(bind, &p, why));
    size_t there = sp_place_port(&p) ? sp_sockets_count(s, &p) : count;
    for (; there < count && s->count < SP_SOCKETS; there++) {
        int fd = -1;
        SP_TRY(sp_place_bind(&p, bind, &fd, why));
        keep(s, fd);
    }
    return SP_OK;
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

unsigned sp_place_port(const struct sp_place *p)
{
    return ntohs(p->at.any.sa_family == AF_INET6 ? p->at.v6.sin6_port
                                                 : p->at.v4.sin_port);
}

void sp_sockets_name(const struct sp_sockets *s, size_t i, char text[64])
{
    struct sp_place p;
    uint8_t bytes[16] = {0};
    char host[INET6_ADDRSTRLEN];
    (void)(place_of(s->at[i].fd, &p) && sp_address_bytes(&p.at.any, bytes));
    sp_address_format(bytes, host);
    bool is_v4 = sp_address_is_v4(bytes);
    snprintf(text, 64, "%s%s%s:%u", is_v4 || p.both ? "" : "[", p.both ? "*" : host,
             is_v4 || p.both ? "" : "]", sp_place_port(&p));
}

static bool is_at(int fd, const struct sp_place *wanted)
{
    struct sp_place p;
    uint8_t a[16], b[16];
    return place_of(fd, &p) && sp_address_bytes(&p.at.any, a) &&
           sp_address_bytes(&wanted->at.any, b) && memcmp(a, b, 16) == 0 &&
           p.both == wanted->both && sp_place_port(&p) == sp_place_port(wanted);
}

size_t sp_sockets_count(const struct sp_sockets *s, const struct sp_place *p)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        n += !s->at[i].taken && is_at(s->at[i].fd, p);
    }
    return n;
}

int sp_sockets_take(struct sp_sockets *s, const struct sp_place *p)
{
    int same = -1;
    for (size_t i = 0; s && i < s->count; i++) {
        if (!is_at(s->at[i].fd, p)) {
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
