/* The catalog section, and addresses with a path as it has one. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a path that nobody writes in two ways. */
static bool is_simple_path(const char *s)
{
    static const char marks[] = "/._-~";
    if (*s != '/' || strlen(s) > 255 || strstr(s, "//") || strstr(s, "/.")) {
        return false;
    }
    for (; *s; s++) {
        bool is_plain = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
                        (*s >= 'A' && *s <= 'Z');
        if (!is_plain && !strchr(marks, *s)) {
            return false;
        }
    }
    return true;
}

/* The url is cut into where the server is and what is asked for there, which has to
 * be simple; wrong says what is wanted else. */
enum sp_err sp_config_take_source(const struct sp_config_place *p, cfg_t *sec,
                                  struct sp_config_upstream *u, char **target,
                                  const char *wrong)
{
    const size_t lead = sizeof "https://" - 1;
    u->line = sp_config_line(p->text, p->section, p->title, NULL);
    SP_TRY(sp_take_string(sec, "url", &u->url));
    SP_TRY(sp_take_string(sec, "ca_file", &u->ca_file));
    SP_TRY(sp_take_string(sec, "proxy", &u->proxy));
    u->name = strdup(p->title);
    if (!u->name) {
        return SP_E_NOMEM;
    }
    char *slash =
        strncmp(u->url, "https://", lead) == 0 ? strchr(u->url + lead, '/') : NULL;
    if (!slash || !is_simple_path(slash)) {
        return sp_config_wrong(p, "url", wrong);
    }
    *target = strdup(slash);
    *slash = 0;
    if (!u->ca_file[0]) {
        return sp_config_wrong(
            p, "ca_file",
            _("ca_file is missing: the CA certificate the source's chain leads to"));
    }
    return *target ? sp_config_take_pins(p, sec, u) : SP_E_NOMEM;
}

static enum sp_err take_catalog(const struct sp_config_place *p, cfg_t *sec,
                                struct sp_config_catalog *k)
{
    enum { LEAST = 60, MOST = 10080 };
    long interval = 0, max = 0;
    k->source.client_certificate = strdup("");
    k->source.client_key = strdup("");
    if (!k->source.client_certificate || !k->source.client_key) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_config_take_source(
        p, sec, &k->source, &k->target,
        _("the source must be https://host[:port]/path, without a "
          "query: over plain HTTP "
          "an old catalogue can be passed off as new")));
    SP_TRY(sp_take_string(sec, "path", &k->path));
    SP_TRY(sp_take_number(p, sec, "interval", 0, 1L << 30, &interval));
    SP_TRY(sp_take_number(p, sec, "max_mib", 1, 4095, &max));
    if (!is_simple_path(k->path) ||
        sp_route(sp_view_str(k->path)).kind != SP_ROUTE_NONE ||
        sp_view_starts(sp_view_str(k->path), SP_VIEW("/Content/"))) {
        return sp_config_wrong(p, "path",
                               _("path is one of letters, digits and / . _ -, as "
                                 "/catalog/wsusscn2.cab, and none that WSUS uses"));
    }
    k->asked = (unsigned)interval;
    k->interval = interval < LEAST ? LEAST : interval > MOST ? MOST : k->asked;
    k->ceiling = SP_MIB((uint64_t)max);
    return SP_OK;
}

enum sp_err sp_config_take_catalogs(struct sp_config *c, cfg_t *cfg,
                                    struct sp_config_place p)
{
    size_t count = cfg_size(cfg, "catalog");
    if (count == 0) {
        return SP_OK;
    }
    p.section = "catalog";
    cfg_t *sec = cfg_getnsec(cfg, "catalog", (unsigned)count - 1);
    p.title = cfg_title(sec);
    if (count > 1) {
        return sp_config_wrong(&p, NULL,
                               _("there is one catalogue: no second section, please"));
    }
    c->catalog = calloc(1, sizeof *c->catalog);
    return c->catalog ? take_catalog(&p, sec, c->catalog) : SP_E_NOMEM;
}
