/* One question to the running daemon's admin listener. */
#include "app/cmd/admin_ask.h"

#include "app/base/call.h"
#include "app/base/say.h"
#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

/* "127.0.0.1:8532", "[::1]:8532" */
static bool read_bind(const char *bind, char *host, size_t size, struct sp_call *c)
{
    uint64_t port = 0;
    const char *colon = strrchr(bind, ':');
    size_t skip = bind[0] == '[';
    if (!colon || sp_u64_parse(sp_view_str(colon + 1), 65535, &port) != SP_OK) {
        return false;
    }
    snprintf(host, size, "%.*s", (int)((size_t)(colon - bind) - 2 * skip), bind + skip);
    c->host = host;
    c->port = (unsigned)port;
    return true;
}

enum sp_err sp_admin_ask(const char *bind, const char *method, const char *path,
                         struct sp_buf *body, int *status, struct sp_why *why)
{
    char host[128];
    struct sp_http_response head;
    struct sp_call call = {.method = method, .path = path};
    size_t used = 0;
    enum sp_err e = read_bind(bind, host, sizeof host, &call)
                        ? sp_call(&call, body, &head, &used)
                        : SP_E_UNAVAILABLE;
    if (e == SP_E_UNAVAILABLE) {
        return sp_why_set(
            why, e,
            _("nothing answers at %s: the daemon does not run, or runs with "
              "another configuration"),
            bind);
    }
    if (e != SP_OK) {
        return sp_why_set(why, SP_E_PROTOCOL, _("%s does not answer like sallyport"),
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
            : sp_why_set(why, SP_E_CONFIG, _("%s has no admin listener"), config_file);
    sp_config_free(&config);
    return e;
}

enum sp_err sp_admin_expect(const char *config_file, const char *method,
                            const char *path, int status, struct sp_buf *body,
                            struct sp_why *why)
{
    int came = 0;
    SP_TRY(sp_admin_ask_of(config_file, method, path, body, &came, why));
    return came == status ? SP_OK
                          : sp_why_set(why, SP_E_PROTOCOL,
                                       _("the daemon answers with status %d"), came);
}
