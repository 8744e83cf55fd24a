/* Asks the running daemon's admin listener and shows the answer to a person. */
#include "app/cmd.h"
#include "app/config.h"
#include "core/http/http.h"

#include <errno.h>
#include <jansson.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
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

static enum sp_err read_answer(int fd, struct sp_buf *out)
{
    static const char ask[] = "GET /status.json HTTP/1.1\r\nHost: sallyport\r\n"
                              "Connection: close\r\n\r\n";
    if (send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof ask - 1)) {
        return SP_E_UNAVAILABLE;
    }
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

static enum sp_err ask(const char *bind, struct sp_buf *body, struct sp_why *why)
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
    enum sp_err e = read_answer(fd, body);
    close(fd);
    if (e == SP_OK) {
        e = sp_http_response_parse(sp_buf_view(body), &head, &used, &refusal);
    }
    if (e != SP_OK || head.status != 200) {
        return sp_why_set(why, SP_E_PROTOCOL, "%s does not answer like sallyport",
                          bind);
    }
    sp_buf_consume(body, used);
    return SP_OK;
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static long long count(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

static void print_upstreams(const json_t *root)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(root, "upstreams"), i, row)
    {
        printf("upstream   %s (%s): %s\n", text(row, "name"), text(row, "host"),
               text(row, "state"));
        if (text(row, "last_good")[0]) {
            printf("           last good answer %s\n", text(row, "last_good"));
        }
        if (text(row, "why")[0]) {
            printf("           %s\n", text(row, "why"));
        }
    }
    json_array_foreach(json_object_get(root, "listeners"), i, row)
    {
        printf("listener   %s on %s (%s) for %s\n", text(row, "name"),
               text(row, "bind"), text(row, "transport"), text(row, "upstream"));
    }
}

static void print_plain(const json_t *root)
{
    size_t i;
    const json_t *row, *rows = json_object_get(root, "plain_http");
    if (json_array_size(rows) == 0) {
        printf("plain HTTP nobody asked for update metadata without TLS\n");
        return;
    }
    printf("plain HTTP still used for update metadata by:\n");
    json_array_foreach(rows, i, row)
    {
        printf("           %-24s %lld passed, %lld refused, last %s %s\n",
               text(row, "peer"), count(row, "passed"), count(row, "refused"),
               text(row, "operation"), text(row, "last"));
    }
}

static void print_refusals(const json_t *root)
{
    enum { SHOWN = 5 };
    size_t i;
    const json_t *row, *rows = json_object_get(root, "refusals");
    if (json_array_size(rows) == 0) {
        printf("refusals   none since the start\n");
        return;
    }
    json_array_foreach(rows, i, row)
    {
        if (i == SHOWN) {
            printf("           ... more in `sallyport ledger list`\n");
            return;
        }
        printf("refused    %s %s %s by rule %s: %s\n", text(row, "at"),
               text(row, "what"), text(row, "operation"), text(row, "rule"),
               text(row, "why"));
    }
}

static void print_status(const json_t *root)
{
    const json_t *ledger = json_object_get(root, "ledger");
    const json_t *counters = json_object_get(root, "counters");
    printf("sallyport  %s, up since %s, policy %s\n", text(root, "version"),
           text(root, "started"), text(root, "policy"));
    print_upstreams(root);
    printf("ledger     %lld entries, %lld revisions, %lld files%s%s\n",
           count(ledger, "entries"), count(ledger, "revisions"), count(ledger, "files"),
           json_is_false(json_object_get(ledger, "writable")) ? "; CANNOT BE WRITTEN: "
                                                              : "",
           text(ledger, "why"));
    printf("content    %lld from the cache, %lld fetched; %lld files verified, %lld "
           "refused\n",
           count(counters, "content_hits"), count(counters, "content_fills"),
           count(counters, "files_verified"), count(counters, "files_refused"));
    print_plain(root);
    print_refusals(root);
}

static enum sp_err show(const char *file, bool json, struct sp_why *why)
{
    struct sp_config *config = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_MIB(8));
    SP_TRY(sp_config_load(file, &config, why));
    enum sp_err e =
        config->admin_bind[0]
            ? ask(config->admin_bind, &body, why)
            : sp_why_set(why, SP_E_CONFIG, "%s has no admin listener", file);
    sp_config_free(&config);
    if (e != SP_OK) {
        return e;
    }
    if (json) {
        fwrite(body.data, 1, body.len, stdout);
        return SP_OK;
    }
    json_t *root =
        json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (!root) {
        return sp_why_set(why, SP_E_PROTOCOL, "the daemon's answer is not JSON");
    }
    print_status(root);
    json_decref(root);
    return SP_OK;
}

int sp_cmd_status(int argc, char **argv)
{
    const char *file = SP_CONFIG_DEFAULT;
    bool json = false;
    const struct sp_option options[] = {{"-c", &file, NULL}, {"--json", NULL, &json}};
    char **words = NULL;
    struct sp_why why = {0};
    if (sp_options(argc, argv, options, 2, &words) != 0) {
        fprintf(stderr, "usage: sallyport status [-c FILE] [--json]\n");
        return SP_EXIT_USAGE;
    }
    enum sp_err e = show(file, json, &why);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &why);
}
