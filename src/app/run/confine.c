#include "app/run/confine.h"

#include "app/log/log.h"
#include "core/base/text.h"
#include "io/store/files.h"

#include <stdlib.h>
#include <string.h>

/* Names, time zones, resolvers, hardware, randomness. */
static const char *const of_the_system[] = {"/etc", "/usr", "/lib",  "/lib64",
                                            "/run", "/sys", "/proc", "/dev/urandom"};
enum { OF_THE_SYSTEM = sizeof of_the_system / sizeof of_the_system[0] };

struct places {
    struct sp_sandbox sandbox;
    struct sp_arena *arena; /* owned: the folders' names */
    enum sp_err err;
};

static void places_fini(struct places *p)
{
    sp_arena_free(&p->arena);
}

static bool is_there(const struct places *p, const char *path)
{
    for (size_t i = 0; i < p->sandbox.readable_count; i++) {
        if (strcmp(p->sandbox.readable[i], path) == 0) {
            return true;
        }
    }
    return false;
}

/* The folder that file is in. */
static enum sp_err read_beside(struct places *p, struct sp_view file)
{
    struct sp_view name = {0};
    const uint8_t *slash = file.len ? memrchr(file.data, '/', file.len) : NULL;
    size_t n = slash ? (size_t)(slash - file.data) : 0;
    struct sp_view folder = !slash ? SP_VIEW(".")
                            : n    ? sp_view_slice(file, 0, n)
                                   : SP_VIEW("/");
    SP_TRY(sp_arena_copy(p->arena, folder, &name));
    return is_there(p, (const char *)name.data)
               ? SP_OK
               : sp_sandbox_read(&p->sandbox, (const char *)name.data);
}

static void read_beside_each(void *ctx, const char *file)
{
    struct places *p = ctx;
    p->err = p->err == SP_OK ? read_beside(p, sp_view_str(file)) : p->err;
}

/* ---- ports ---------------------------------------------------------------------- */

/* The number behind the last colon; 0: there is none. */
static unsigned port_of(const char *text)
{
    uint64_t port = 0;
    const char *colon = strrchr(text, ':');
    return colon && sp_u64_parse(sp_view_str(colon + 1), SP_PORTS - 1, &port) == SP_OK
               ? (unsigned)port
               : 0;
}

static void reach(struct sp_port_set *s, const char *url, unsigned otherwise)
{
    unsigned port = url[0] ? port_of(url) : 0;
    if (url[0]) {
        sp_port_add(s, port ? port : otherwise);
    }
}

static void reach_server(struct sp_port_set *s, const struct sp_config_upstream *u)
{
    unsigned port = port_of(u->url);
    reach(s, u->url, 443);
    reach(s, u->proxy, 8080);
    if (u->content_over_http) {
        sp_port_add(s, port == 0 || port == 443 ? 80 : port - 1);
    }
    for (size_t i = 0; u->sources.in_use && i < u->sources.host_count; i++) {
        unsigned at = port_of(u->sources.hosts[i]);
        sp_port_add(s, at ? at : 443);
        sp_port_add(s, at == 0 || at == 443 ? 80 : at - 1);
        reach(s, u->sources.proxy, 8080);
    }
}

/* Where c makes it connect to; names, over TCP; and the ports that nearly every such
 * server has, so that a reload may name one. */
static void reach_all(const struct sp_config *c, struct sp_port_set *s)
{
    static const unsigned usual[] = {53, 80, 443, 8530, 8531};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        sp_port_add(s, usual[i]);
    }
    for (size_t i = 0; i < c->upstream_count; i++) {
        reach_server(s, &c->upstreams[i]);
    }
    for (size_t i = 0; i < c->cosigner_count; i++) {
        reach_server(s, &c->cosigners[i].source);
    }
    if (c->catalog) {
        reach_server(s, &c->catalog->source);
    }
}

static void bind_all(const struct sp_config *c, struct sp_port_set *s)
{
    for (size_t i = 0; i < c->listener_count; i++) {
        sp_port_add(s, port_of(c->listeners[i].bind));
    }
    sp_port_add(s, port_of(c->admin_bind));
    sp_port_add(s, port_of(c->admin.remote.bind));
}

/* ---- all of it ------------------------------------------------------------------ */

static enum sp_err make_places(struct places *p, const struct sp_config *c)
{
    const char *const own[] = {c->state_dir, c->cache_dir};
    for (size_t i = 0; i < 2; i++) {
        SP_AUTO(sp_fd_close) int fd = -1;
        /* what is wrong with it is said by who opens it to stay */
        (void)!sp_dir_make(own[i], &fd, NULL);
        SP_TRY(sp_sandbox_write(&p->sandbox, own[i]));
    }
    for (size_t i = 0; i < OF_THE_SYSTEM; i++) {
        SP_TRY(sp_sandbox_read(&p->sandbox, of_the_system[i]));
    }
    SP_TRY(sp_arena_new(SP_MIB(1), &p->arena));
    SP_TRY(sp_sandbox_write(&p->sandbox, "/dev/null"));
    SP_TRY(read_beside(p, SP_VIEW("here")));
    sp_config_each_path(c, read_beside_each, p);
    bind_all(c, &p->sandbox.binds);
    reach_all(c, &p->sandbox.connects);
    return p->err;
}

static void say(const struct sp_sandbox_state *s)
{
    bool all = s->paths && s->ports && s->calls;
    sp_log_say(
        all ? SP_LOG_INFO : SP_LOG_WARNING, "sandbox",
        "paths %s, ports %s, system calls %s", s->paths ? "confined" : "not confined",
        s->ports ? "confined" : "not confined", s->calls ? "confined" : "not confined");
}

enum sp_err sp_confine(const struct sp_config *c, struct sp_confines *out,
                       struct sp_why *why)
{
    SP_AUTO(places_fini) struct places p = {0};
    struct sp_sandbox_state state = {0};
    if (!c->sandbox) {
        sp_log_say(SP_LOG_INFO, "sandbox", "off, as the configuration says");
        return SP_OK;
    }
    enum sp_err e = make_places(&p, c);
    if (e != SP_OK) {
        return sp_why_set(why, e,
                          "the configuration names files in too many folders for the "
                          "sandbox (%d); put them together, or sandbox = off",
                          SP_SANDBOX_PATHS);
    }
    /* where SQLite sorts what memory does not hold; /tmp is out of reach from now on */
    if (setenv("SQLITE_TMPDIR", c->cache_dir, 1) != 0) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_sandbox_enter(&p.sandbox, &state, why));
    say(&state);
    *out = (struct sp_confines){state.ports, p.sandbox.connects};
    return SP_OK;
}

enum sp_err sp_confines_fit(const struct sp_confines *in, const struct sp_config *c,
                            struct sp_why *why)
{
    struct sp_port_set wanted = {{0}};
    reach_all(c, &wanted);
    unsigned port = in->ports ? sp_port_missing(&wanted, &in->connects) : SP_PORTS;
    return port == SP_PORTS
               ? SP_OK
               : sp_why_set(why, SP_E_CONFIG,
                            "a server at port %u is new, and the sandbox lets the "
                            "daemon reach the ports it started with only: that takes a "
                            "restart",
                            port);
}
