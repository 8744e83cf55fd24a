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

/* "1.2.3.4:80", "[::1]:80" or "*:80". */
static enum sp_err parse(const char *text, struct sp_place *out)
{
    char host[INET6_ADDRSTRLEN];
    uint64_t port = 0;
    const char *colon = strrchr(text, ':');
    if (!colon || sp_u64_parse(sp_view_str(colon + 1), UINT16_MAX, &port) != SP_OK) {
        return SP_E_CONFIG;
    }
    struct sp_view name = sp_view(text, (size_t)(colon - text));
    out->both = sp_view_eq(name, SP_VIEW("*"));
    name = out->both ? SP_VIEW("[::]") : name;
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
    SP_TRY(fill_address(host, (uint16_t)port, &out->at));
    return (out->at.any.sa_family == AF_INET6) == is_bracketed ? SP_OK : SP_E_CONFIG;
}

enum sp_err sp_place_parse(const char *text, struct sp_place *out, struct sp_why *why)
{
    struct sp_place p = {.both = false};
    if (parse(text, &p) != SP_OK) {
        return sp_why_set(why, SP_E_CONFIG,
                          "'%s' is no address to listen on: write \"*:8531\", "
                          "\"0.0.0.0:8531\" or \"[::]:8531\"",
                          text);
    }
    *out = p;
    return SP_OK;
}

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* Accepted sockets inherit TCP_NODELAY. "[::]:8531" is for IPv6 only, so that
 * "0.0.0.0:8531" can stand beside it. */
static bool bind_to(int fd, const struct sp_place *p)
{
    bool is_v6 = p->at.any.sa_family == AF_INET6;
    return set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
           set(fd, SOL_SOCKET, SO_REUSEPORT, 1) &&
           set(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           (!is_v6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !p->both)) &&
           bind(fd, &p->at.any, is_v6 ? sizeof p->at.v6 : sizeof p->at.v4) == 0;
}

static int open_for(const struct sp_place *p)
{
    return socket(p->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static struct sp_place only_v4(const struct sp_place *both)
{
    return (struct sp_place){
        .at.v4 = {.sin_family = AF_INET, .sin_port = both->at.v6.sin6_port}};
}

/* Says what to do next, where the reason tells. */
static enum sp_err cannot_listen(const char *text, int reason, struct sp_why *why)
{
    const char *next =
        reason == EADDRINUSE      ? "; another program has the port: ss -ltnp names it"
        : reason == EADDRNOTAVAIL ? "; no interface here has that address"
        : reason == EACCES        ? "; ports below 1024 need CAP_NET_BIND_SERVICE"
                                  : "";
    return sp_why_set(why, reason == EACCES ? SP_E_DENIED : SP_E_IO,
                      "cannot listen on %s: %s%s", text, strerror(reason), next);
}

enum sp_err sp_place_bind(struct sp_place *p, const char *text, int *out,
                          struct sp_why *why)
{
    int fd = open_for(p);
    if (fd < 0 && p->both && errno == EAFNOSUPPORT) {
        *p = only_v4(p);
        fd = open_for(p);
    }
    if (fd < 0 || !bind_to(fd, p)) {
        int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        return cannot_listen(text, reason, why);
    }
    *out = fd;
    return SP_OK;
}

static unsigned bound_port(int fd)
{
    union sp_socket_address a = {0};
    socklen_t len = sizeof a;
    int failed = getsockname(fd, &a.any, &len);
    SP_ASSERT(!failed);
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

/* Of a machine without IPv6 as well. */
static int take(struct sp_sockets *inherited, const struct sp_place *p)
{
    struct sp_place v4 = only_v4(p);
    int fd = sp_sockets_take(inherited, p);
    return fd < 0 && p->both ? sp_sockets_take(inherited, &v4) : fd;
}

enum sp_err sp_listen(const char *text, struct sp_sockets *inherited, int *out,
                      unsigned *port, struct sp_why *why)
{
    struct sp_place p;
    SP_TRY(sp_place_parse(text, &p, why));
    int fd = take(inherited, &p);
    if (fd < 0) {
        SP_TRY(sp_place_bind(&p, text, &fd, why));
    }
    if (listen(fd, SOMAXCONN) != 0) {
        int reason = errno;
        close(fd);
        return cannot_listen(text, reason, why);
    }
    *port = bound_port(fd);
    *out = fd;
    return SP_OK;
}
