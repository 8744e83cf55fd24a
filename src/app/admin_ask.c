/* One question to the running daemon's admin listener. */
#include "app/admin_ask.h"

#include "core/http/http.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 5 };

static int connect_to(const char *bind)
{
    char host[128];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    const char *colon = strrchr(bind, ':');
    if (!colon) {
        return -1;
    }
    size_t skip = bind[0] == '[';
    snprintf(host, sizeof host, "%.*s", (int)((size_t)(colon - bind) - 2 * skip),
             bind + skip);
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static enum sp_err send_ask(int fd, const char *method, const char *path)
{
    char text[256];
    int n = snprintf(text, sizeof text,
                     "%s %s HTTP/1.1\r\nHost: sallyport\r\nContent-Length: 0\r\n"
                     "Connection: close\r\n\r\n",
                     method, path);
    SP_ASSERT(n > 0 && (size_t)n < sizeof text);
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

enum sp_err sp_admin_ask(const char *bind, const char *method, const char *path,
                         struct sp_buf *body, int *status, struct sp_why *why)
{
    struct sp_http_response head;
    enum sp_http_refusal refusal;
    size_t used = 0;
    int fd = connect_to(bind);
    if (fd < 0) {
        return sp_why_set(
            why, SP_E_UNAVAILABLE,
            "nothing answers at %s: the daemon does not run, or runs with "
            "another configuration",
            bind);
    }
    enum sp_err e = send_ask(fd, method, path);
    if (e == SP_OK) {
        e = read_answer(fd, body);
    }
    close(fd);
    if (e == SP_OK) {
        e = sp_http_response_parse(sp_buf_view(body), &head, &used, &refusal);
    }
    if (e != SP_OK) {
        return sp_why_set(why, SP_E_PROTOCOL, "%s does not answer like sallyport",
                          bind);
    }
    *status = head.status;
    sp_buf_consume(body, used);
    return SP_OK;
}

enum sp_err sp_admin_ask_of(const char *config_file, const char *method,
                            const char *path, struct sp_buf *body, int *status,
                            struct sp_why *why)
{
    struct sp_config *config = NULL;
    SP_TRY(sp_config_load(config_file, &config, why));
    enum sp_err e =
        config->admin_bind[0]
            ? sp_admin_ask(config->admin_bind, method, path, body, status, why)
            : sp_why_set(why, SP_E_CONFIG, "%s has no admin listener", config_file);
    sp_config_free(&config);
    return e;
}
