#include "io/net/conn.h"

#include "core/base/text.h"
#include "io/net/address.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static enum sp_err fill_address(const char *host, uint16_t port,
                                union sp_socket_address *out)
{
    *out = (union sp_socket_address){0};
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        return SP_OK;
    }
    if (inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        return SP_OK;
    }
    return SP_E_CONFIG;
}

/* "1.2.3.4:80" or "[::1]:80". */
static enum sp_err parse_bind(const char *text, union sp_socket_address *out)
{
    char host[INET6_ADDRSTRLEN];
    uint64_t port = 0;
    const char *colon = strrchr(text, ':');
    if (!colon || sp_u64_parse(sp_view_str(colon + 1), UINT16_MAX, &port) != SP_OK) {
        return SP_E_CONFIG;
    }
    struct sp_view name = sp_view(text, (size_t)(colon - text));
    bool is_bracketed =
        sp_view_starts(name, SP_VIEW("[")) && sp_view_ends(name, SP_VIEW("]"));
    if (is_bracketed) {
        name = sp_view_slice(name, 1, name.len - 1);
    }
    if (name.len == 0 || name.len >= sizeof host) {
        return SP_E_CONFIG;
    }
    memcpy(host, name.data, name.len);
    host[name.len] = 0;
    SP_TRY(fill_address(host, (uint16_t)port, out));
    return (out->any.sa_family == AF_INET6) == is_bracketed ? SP_OK : SP_E_CONFIG;
}

static bool set(int fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Accepted sockets inherit TCP_NODELAY. IPv6 listeners are for IPv6 only, so that
 * "0.0.0.0:8531" and "[::]:8531" can stand beside each other. */
static bool bind_and_listen(int fd, const union sp_socket_address *a)
{
    bool is_v6 = a->any.sa_family == AF_INET6;
    return set(fd, SOL_SOCKET, SO_REUSEADDR) && set(fd, SOL_SOCKET, SO_REUSEPORT) &&
           set(fd, IPPROTO_TCP, TCP_NODELAY) &&
           (!is_v6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
           bind(fd, &a->any, is_v6 ? sizeof a->v6 : sizeof a->v4) == 0 &&
           listen(fd, SOMAXCONN) == 0;
}

static unsigned bound_port(int fd)
{
    union sp_socket_address a = {0};
    socklen_t len = sizeof a;
    int failed = getsockname(fd, &a.any, &len);
    SP_ASSERT(!failed);
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

enum sp_err sp_listen(const char *text, struct sp_sockets *inherited, int *out,
                      unsigned *port, struct sp_why *why)
{
    union sp_socket_address a;
    if (parse_bind(text, &a) != SP_OK) {
        return sp_why_set(why, SP_E_CONFIG,
                          "'%s' is no address to listen on: write \"0.0.0.0:8531\" or "
                          "\"[::]:8531\"",
                          text);
    }
    int fd = sp_sockets_take(inherited, &a);
    bool is_open = fd >= 0;
    if (!is_open) {
        fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0 || (!is_open && !bind_and_listen(fd, &a))) {
        int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        return sp_why_set(why, reason == EACCES ? SP_E_DENIED : SP_E_IO,
                          "cannot listen on %s: %s", text, strerror(reason));
    }
    *port = bound_port(fd);
    *out = fd;
    return SP_OK;
}
