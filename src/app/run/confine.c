#include "app/run/confine.h"

#include "app/log/log.h"
#include "app/run/sandbox.h"
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

/* Every file a configuration can name stands between quotes in its dump, with its path.
 */
static enum sp_err read_beside_all(struct places *p, const char *dump)
{
    for (const char *at = strstr(dump, "\"/"); at; at = strstr(at, "\"/")) {
        const char *file = at + 1;
        size_t n = strcspn(file, "\"\n");
        SP_TRY(read_beside(p, sp_view(file, n)));
        at = file + n;
    }
    return SP_OK;
}

static enum sp_err make_places(struct places *p, const char *config_file,
                               const struct sp_config *c)
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
    SP_TRY(read_beside(p, sp_view_str(config_file)));
    return read_beside_all(p, sp_config_dump(c));
}

enum sp_err sp_confine(const char *config_file, const struct sp_config *c,
                       struct sp_why *why)
{
    SP_AUTO(places_fini) struct places p = {0};
    struct sp_sandbox_state state = {0};
    if (!c->sandbox) {
        sp_log_say(SP_LOG_INFO, "sandbox", "off, as the configuration says");
        return SP_OK;
    }
    enum sp_err e = make_places(&p, config_file, c);
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
    sp_log_say(state.paths && state.calls ? SP_LOG_INFO : SP_LOG_WARNING, "sandbox",
               "paths %s, system calls %s", state.paths ? "confined" : "not confined",
               state.calls ? "confined" : "not confined");
    return SP_OK;
}
