#include "app/base/call.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 5 };

static int connect_to(const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int dial(const struct sp_call *c)
{
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int fd = -1;
    snprintf(port, sizeof port, "%u", c->port);
    if (getaddrinfo(c->host, port, &hints, &found) != 0) {
        return -1;
    }
    for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = connect_to(a);
    }
    freeaddrinfo(found);
    return fd;
}

static enum sp_err send_ask(int fd, const struct sp_call *c)
{
    char text[768];
    bool bare = strchr(c->host, ':') != NULL;
    const char *length = strcmp(c->method, "POST") == 0 ? "Content-Length: 0\r\n" : "";
    int n = snprintf(text, sizeof text,
                     "%s %s HTTP/1.1\r\nHost: %s%s%s:%u\r\n%sConnection: close\r\n\r\n",
                     c->method, c->path, bare ? "[" : "", c->host, bare ? "]" : "",
                     c->port, length);
    if (n < 0 || (size_t)n >= sizeof text) {
        return SP_E_LIMIT;
    }
    return send(fd, text, (size_t)n, MSG_NOSIGNAL) == n ? SP_OK : SP_E_UNAVAILABLE;
}

static enum sp_err read_answer(int fd, struct sp_buf *out)
{
    for (;;) {
        uint8_t *to = NULL;
        SP_TRY(sp_buf_reserve(out, SP_KIB(16), &to));
        ssize_t n = recv(fd, to, SP_KIB(16), 0);
        if (n == 0) {
            return SP_OK;
        }
        if (n < 0) {
            return errno == EAGAIN ? SP_E_TIMEOUT : SP_E_CLOSED;
        }
        out->len += (size_t)n;
    }
}

enum sp_err sp_call(const struct sp_call *c, struct sp_buf *answer,
                    struct sp_http_response *head, size_t *head_bytes)
{
    enum sp_http_refusal refusal;
    int fd = dial(c);
    if (fd < 0) {
        return SP_E_UNAVAILABLE;
    }
    enum sp_err e = send_ask(fd, c);
    if (e == SP_OK) {
        e = read_answer(fd, answer);
    }
    close(fd);
    if (e == SP_OK) {
        e = sp_http_response_parse(sp_buf_view(answer), head, head_bytes, &refusal);
    }
    return e == SP_E_AGAIN ? SP_E_PROTOCOL : e;
}
