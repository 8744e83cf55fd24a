#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/cmd/init.h"
#include "app/world/world.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACE = 1024 };

struct words { /* what the command line says; NULL: nothing */
    const char *upstream, *ca, *names, *dir, *port;
    const char *certificate, *key;
    bool request, yes;
};

struct setup {
    struct sp_init plan;
    struct sp_buf ca; /* owned */
    struct sp_shown_chain chain;
    struct sp_arena *arena; /* owned */
    char names[1024], answer[1024], places[3][PLACE];
    struct sp_why why;
};

/* ---- questions ------------------------------------------------------------------- */

static bool may_ask(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* The answer without its line end; the default where it is empty. False at the end of
 * the input. */
static bool ask(const char *question, const char *otherwise, char *to, size_t size)
{
    printf("%s%s%s%s ", question, otherwise[0] ? " [" : "", otherwise,
           otherwise[0] ? "]" : "");
    fflush(stdout);
    if (!fgets(to, (int)size, stdin)) {
        return false;
    }
    to[strcspn(to, "\r\n")] = 0;
    if (!to[0]) {
        snprintf(to, size, "%s", otherwise);
    }
    return true;
}

static enum sp_err missing(struct setup *s, const char *option, const char *what)
{
    return sp_why_set(&s->why, SP_E_USAGE, _("%s is needed: %s"), option, what);
}

static enum sp_err take_upstream(struct setup *s, const struct words *w)
{
    const char *text = w->upstream;
    if (!text && may_ask() &&
        ask(_("Upstream WSUS server, as wsus.corp.example:8531:"), "", s->answer,
            sizeof s->answer)) {
        text = s->answer;
    }
    if (!text || !text[0]) {
        return missing(s, "--upstream HOST:PORT",
                       _("the WSUS server to take updates from"));
    }
    if (strncmp(text, "http://", 7) == 0 || !sp_address_read(text, &s->plan.upstream)) {
        return sp_why_set(
            &s->why, SP_E_USAGE,
            _("\"%.200s\" is no address of a server that speaks TLS; write "
              "it as wsus.corp.example:8531. Plain HTTP is not spoken"),
            text);
    }
    const char *path = strchr(text + (strncmp(text, "https://", 8) == 0 ? 8 : 0), '/');
    if (path && path[1]) {
        return sp_why_set(
            &s->why, SP_E_USAGE,
            _("\"%.200s\" has a path; write HOST:PORT alone, since WSUS's "
              "own paths are the same on every server"),
            text);
    }
    return SP_OK;
}

static enum sp_err take_names(struct setup *s, const struct words *w)
{
    char host[256] = "localhost";
    (void)gethostname(host, sizeof host - 1);
    if (w->names) {
        snprintf(s->names, sizeof s->names, "%s", w->names);
    } else if (!may_ask() || !ask(_("Names that downstream servers and clients use for "
                                    "this machine, commas between:"),
                                  host, s->names, sizeof s->names)) {
        snprintf(s->names, sizeof s->names, "%s", host);
    }
    char *rest = s->names, *name = NULL;
    while ((name = strsep(&rest, ", ")) != NULL) {
        if (name[0] && s->plan.name_count == SP_INIT_NAMES) {
            return sp_why_set(&s->why, SP_E_USAGE, _("more than %d names"),
                              SP_INIT_NAMES);
        }
        if (name[0]) {
            s->plan.names[s->plan.name_count++] = name;
        }
    }
    return s->plan.name_count ? SP_OK
                              : missing(s, "--names", _("a name of this machine"));
}

/* ---- the upstream ---------------------------------------------------------------- */

/* A root that the server shows itself stands in for --ca: what matters is that a person
 * compares its pin. */
static enum sp_err take_root(struct setup *s)
{
    struct sp_cert_facts last;
    const struct sp_shown_chain *c = &s->chain;
    if (c->count == 0 || sp_cert_read(c->der[c->count - 1], &last) != SP_OK ||
        !last.self_signed) {
        return sp_why_set(
            &s->why, SP_E_USAGE,
            _("--ca FILE is needed: the server does not show the root of its "
              "chain. Export it on the WSUS server (certlm.msc > Trusted "
              "Root Certification Authorities > Base-64 encoded X.509)"));
    }
    SP_TRY(sp_buf_append_str(&s->ca, "-----BEGIN CERTIFICATE-----\n"));
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_KIB(64));
    SP_TRY(sp_base64_append(&text, c->der[c->count - 1]));
    for (size_t at = 0; at < text.len; at += 64) {
        struct sp_view line = sp_view_slice(sp_buf_view(&text), at, at + 64);
        SP_TRY(sp_buf_append(&s->ca, line));
        SP_TRY(sp_buf_append_byte(&s->ca, '\n'));
    }
    return sp_buf_append_str(&s->ca, "-----END CERTIFICATE-----\n");
}

static enum sp_err show(struct setup *s)
{
    const struct sp_address *at = &s->plan.upstream;
    struct sp_why what = {0};
    s->chain = (struct sp_shown_chain){0};
    enum sp_err e = sp_upstream_show_chain(at->host, at->port, sp_buf_view(&s->ca),
                                           s->arena, &s->chain, &what);
    bool unreached =
        e == SP_E_UNAVAILABLE || e == SP_E_TIMEOUT || e == SP_E_CLOSED || e == SP_E_TLS;
    if (unreached) {
        return sp_why_set(&s->why, e,
                          _("%s. Is the name right, is TLS on there, and is the port "
                            "open from here? `sallyport doctor %s:%u` looks closer"),
                          sp_why_text(&what, e), at->host, at->port);
    }
    return e == SP_OK ? SP_OK : sp_why_set(&s->why, e, "%s", sp_why_text(&what, e));
}

static enum sp_err meet_upstream(struct setup *s, const struct words *w)
{
    if (w->ca) {
        SP_TRY(sp_authorities_load(w->ca, &s->ca, &s->why));
    }
    SP_TRY(show(s));
    if (!w->ca) {
        SP_TRY(take_root(s));
        SP_TRY(show(s));
    }
    printf(_("%s:%u speaks %s and shows:\n\n"), s->plan.upstream.host,
           s->plan.upstream.port, s->chain.tls);
    sp_shown_chain_print(&s->chain);
    if (!s->chain.verified) {
        return sp_why_set(&s->why, SP_E_UNPROVEN, "%s", s->chain.why.text);
    }
    return SP_OK;
}

static enum sp_err take_pins(struct setup *s, const struct words *w)
{
    struct sp_init *i = &s->plan;
    for (size_t k = 0; k < s->chain.count; k++) {
        struct sp_cert_facts c;
        SP_TRY(sp_cert_read(s->chain.der[k], &c));
        i->pins[i->pin_count++] = c.spki;
    }
    i->spare_pin = i->pin_count == 1;
    i->upstream_ca = sp_buf_view(&s->ca);
    if (w->yes) {
        return SP_OK;
    }
    if (!may_ask()) {
        return missing(s, "--yes",
                       _("it says that the pins above are those of the server's own "
                         "console"));
    }
    printf(_("\nCompare a pin with the server's own console. "));
    if (!ask(_("Are these its keys? yes or no:"), "no", s->answer, sizeof s->answer) ||
        strcmp(s->answer, "yes") != 0) {
        return sp_why_set(&s->why, SP_E_CANCELLED, _("nothing was written"));
    }
    return SP_OK;
}

/* ---- all of it ------------------------------------------------------------------- */

/* An absolute path that can stand between quotes in the configuration. */
static enum sp_err take_place(struct setup *s, const char *said, const char *below,
                              char to[PLACE])
{
    char here[PLACE] = "";
    bool absolute = said[0] == '/';
    if (!absolute && !getcwd(here, sizeof here)) {
        return SP_E_IO;
    }
    int n = snprintf(to, PLACE, "%s%s%s%s", here, absolute ? "" : "/", said, below);
    if (n >= PLACE || strpbrk(to, "\"\\$\n")) {
        return sp_why_set(&s->why, SP_E_USAGE,
                          _("the path %.100s is too long, or has a character that a "
                            "configuration cannot name"),
                          said);
    }
    return SP_OK;
}

static enum sp_err take_rest(struct setup *s, const struct words *w)
{
    uint64_t port = SP_WSUS_TLS_PORT;
    struct sp_init *i = &s->plan;
    SP_TRY(take_place(s, w->dir ? w->dir : "/etc/sallyport", "", s->places[0]));
    SP_TRY(take_place(s, w->dir ? w->dir : "/var/lib/sallyport", w->dir ? "/state" : "",
                      s->places[1]));
    SP_TRY(take_place(s, w->dir ? w->dir : "/var/cache/sallyport",
                      w->dir ? "/cache" : "", s->places[2]));
    i->directory = s->places[0];
    i->state_dir = s->places[1];
    i->cache_dir = s->places[2];
    i->now = sp_clock_wall_s();
    if (w->port &&
        (sp_u64_parse(sp_view_str(w->port), 65534, &port) != SP_OK || port < 2)) {
        return sp_why_set(&s->why, SP_E_USAGE, _("--port is 2 to 65534"));
    }
    i->port = (unsigned)port;
    if (!w->certificate != !w->key || (w->certificate && w->request)) {
        return sp_why_set(
            &s->why, SP_E_USAGE,
            _("--certificate and --key go together, and without --request"));
    }
    i->certificate = w->certificate;
    i->key = w->key;
    i->kind = w->certificate ? SP_INIT_GIVEN
              : w->request   ? SP_INIT_REQUEST
                             : SP_INIT_OWN_CA;
    return SP_OK;
}

static enum sp_err check(const struct sp_init *i, struct sp_why *why)
{
    char file[1200];
    struct sp_config *config = NULL;
    struct sp_world *world = NULL;
    snprintf(file, sizeof file, "%s/sallyport.conf", i->directory);
    SP_TRY(sp_config_load(file, &config, why));
    SP_TRY(sp_world_new(&config, &world, why));
    sp_world_unref(&world);
    return SP_OK;
}

static enum sp_err set_up(struct setup *s, const struct words *w)
{
    SP_TRY(take_rest(s, w));
    SP_TRY(sp_init_is_free(&s->plan, &s->why));
    SP_TRY(take_upstream(s, w));
    SP_TRY(take_names(s, w));
    SP_TRY(sp_upstream_global_init(&s->why));
    SP_TRY(sp_arena_new(SP_MIB(1), &s->arena));
    SP_TRY(meet_upstream(s, w));
    SP_TRY(take_pins(s, w));
    SP_TRY(sp_init_write(&s->plan, &s->why));
    if (s->plan.kind != SP_INIT_REQUEST) {
        SP_TRY(check(&s->plan, &s->why));
    }
    sp_init_say(&s->plan);
    return SP_OK;
}

int sp_cmd_init(int argc, char **argv)
{
    struct words w = {0};
    const struct sp_option options[] = {{"--upstream", &w.upstream, NULL},
                                        {"--ca", &w.ca, NULL},
                                        {"--names", &w.names, NULL},
                                        {"--dir", &w.dir, NULL},

                                        {"--port", &w.port, NULL},
                                        {"--certificate", &w.certificate, NULL},
                                        {"--key", &w.key, NULL},
                                        {"--request", NULL, &w.request},
                                        {"--yes", NULL, &w.yes}};
    char **words = NULL;
    int left =
        sp_options(argc, argv, options, sizeof options / sizeof options[0], &words);
    if (left != 0) {
        if (left > 0) {
            fprintf(stderr, _("sallyport: init takes options only; see --help\n"));
        }
        return SP_EXIT_USAGE;
    }
    struct setup *s = calloc(1, sizeof *s);
    if (!s) {
        return sp_cmd_failed(SP_E_NOMEM, NULL);
    }
    sp_buf_init(&s->ca, SP_MIB(1));
    enum sp_err e = set_up(s, &w);
    int status = e == SP_OK ? 0 : sp_cmd_failed(e, &s->why);
    sp_buf_fini(&s->ca);
    sp_arena_free(&s->arena);
    free(s);
    return status;
}
