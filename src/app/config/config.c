#include "app/base/say.h"
#include "app/config/config_parts.h"

#include "core/base/text.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table, as libconfuse and the hints want it ------------------------------ */

#define ROW_STR(key, def)  CFG_STR(#key, def, CFGF_NONE),
#define ROW_INT(key, def)  CFG_INT(#key, def, CFGF_NONE),
#define ROW_LIST(key, def) CFG_STR_LIST(#key, NULL, CFGF_NONE),

#define IN_TOP_TOP(...)           __VA_ARGS__
#define IN_LOG_LOG(...)           __VA_ARGS__
#define IN_UPSTREAM_UPSTREAM(...) __VA_ARGS__
#define IN_LISTENER_LISTENER(...) __VA_ARGS__
#define IN_ADMIN_ADMIN(...)       __VA_ARGS__
#define IN_CATALOG_CATALOG(...)   __VA_ARGS__
#define IN_WITNESS_WITNESS(...)   __VA_ARGS__
#define IN_COSIGNER_COSIGNER(...) __VA_ARGS__
#define IN_TOP_COSIGNER(...)
#define IN_COSIGNER_TOP(...)
#define IN_LOG_COSIGNER(...)
#define IN_COSIGNER_LOG(...)
#define IN_UPSTREAM_COSIGNER(...)
#define IN_COSIGNER_UPSTREAM(...)
#define IN_LISTENER_COSIGNER(...)
#define IN_COSIGNER_LISTENER(...)
#define IN_CATALOG_COSIGNER(...)
#define IN_COSIGNER_CATALOG(...)
#define IN_WITNESS_COSIGNER(...)
#define IN_COSIGNER_WITNESS(...)
#define IN_ADMIN_COSIGNER(...)
#define IN_COSIGNER_ADMIN(...)
#define IN_TOP_WITNESS(...)
#define IN_WITNESS_TOP(...)
#define IN_LOG_WITNESS(...)
#define IN_WITNESS_LOG(...)
#define IN_UPSTREAM_WITNESS(...)
#define IN_WITNESS_UPSTREAM(...)
#define IN_LISTENER_WITNESS(...)
#define IN_WITNESS_LISTENER(...)
#define IN_CATALOG_WITNESS(...)
#define IN_WITNESS_CATALOG(...)
#define IN_ADMIN_WITNESS(...)
#define IN_WITNESS_ADMIN(...)
#define IN_TOP_CATALOG(...)
#define IN_CATALOG_TOP(...)
#define IN_LOG_CATALOG(...)
#define IN_CATALOG_LOG(...)
#define IN_UPSTREAM_CATALOG(...)
#define IN_CATALOG_UPSTREAM(...)
#define IN_LISTENER_CATALOG(...)
#define IN_CATALOG_LISTENER(...)
#define IN_ADMIN_CATALOG(...)
#define IN_CATALOG_ADMIN(...)
#define IN_TOP_LOG(...)
#define IN_TOP_UPSTREAM(...)
#define IN_TOP_LISTENER(...)
#define IN_TOP_ADMIN(...)
#define IN_LOG_TOP(...)
#define IN_LOG_UPSTREAM(...)
#define IN_LOG_LISTENER(...)
#define IN_LOG_ADMIN(...)
#define IN_UPSTREAM_TOP(...)
#define IN_UPSTREAM_LOG(...)
#define IN_UPSTREAM_LISTENER(...)
#define IN_UPSTREAM_ADMIN(...)
#define IN_LISTENER_TOP(...)
#define IN_LISTENER_LOG(...)
#define IN_LISTENER_UPSTREAM(...)
#define IN_LISTENER_ADMIN(...)
#define IN_ADMIN_TOP(...)
#define IN_ADMIN_LOG(...)
#define IN_ADMIN_UPSTREAM(...)
#define IN_ADMIN_LISTENER(...)

#define KEY(section, key, type, def, help) IN_LOG_##section(ROW_##type(key, def))
static cfg_opt_t log_keys[] = {
#include "app/config/config.def"
    CFG_END()};
#undef KEY
#define KEY(section, key, type, def, help) IN_UPSTREAM_##section(ROW_##type(key, def))
static cfg_opt_t upstream_keys[] = {
#include "app/config/config.def"
    CFG_END()};
#undef KEY
#define KEY(section, key, type, def, help) IN_LISTENER_##section(ROW_##type(key, def))
static cfg_opt_t listener_keys[] = {
#include "app/config/config.def"
    CFG_END()};
#undef KEY
#define KEY(section, key, type, def, help) IN_CATALOG_##section(ROW_##type(key, def))
static cfg_opt_t catalog_keys[] = {
#include "app/config/config.def"
    CFG_END()};
#undef KEY
#define KEY(section, key, type, def, help) IN_WITNESS_##section(ROW_##type(key, def))
static cfg_opt_t witness_keys[] = {
#include "app/config/config.def"
    CFG_END()};
#undef KEY
#define KEY(section, key, type, def, help) IN_COSIGNER_##section(ROW_##type(key, def))
static cfg_opt_t cosigner_keys[] = {
#include "app/config/config.def"
    CFG_END()};
#undef KEY
#define KEY(section, key, type, def, help) IN_ADMIN_##section(ROW_##type(key, def))
static cfg_opt_t admin_keys[] = {
#include "app/config/config.def"
    CFG_END()};
#undef KEY
#define KEY(section, key, type, def, help) IN_TOP_##section(ROW_##type(key, def))
static cfg_opt_t top_keys[] = {
#include "app/config/config.def"
    CFG_SEC("log", log_keys, CFGF_NONE),
    CFG_SEC("upstream", upstream_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("listener", listener_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("catalog", catalog_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("witness", witness_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("cosigner", cosigner_keys, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("admin", admin_keys, CFGF_NONE),
    CFG_END()};
#undef KEY

static const cfg_opt_t *keys_of(const char *section)
{
    static const struct {
        const char *name;
        const cfg_opt_t *keys;
    } sections[] = {
        {"log", log_keys},           {"upstream", upstream_keys},
        {"listener", listener_keys}, {"catalog", catalog_keys},
        {"witness", witness_keys},   {"cosigner", cosigner_keys},
        {"admin", admin_keys},
    };
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(section, sections[i].name) == 0) {
            return sections[i].keys;
        }
    }
    return top_keys;
}

const char *const *sp_config_keys(const char *section, size_t *count)
{
    static _Thread_local const char *names[64];
    const cfg_opt_t *keys = keys_of(section);
    size_t n = 0;
    while (keys[n].name && n < sizeof names / sizeof names[0]) {
        names[n] = keys[n].name;
        n++;
    }
    *count = n;
    return names;
}

/* ---- reading --------------------------------------------------------------------- */

/* libconfuse's error function has no context of its own. */
static _Thread_local struct {
    const char *file;
    struct sp_why *why;
} reading;

static void unknown_key(cfg_t *cfg, const char *name)
{
    size_t count = 0;
    const char *section = cfg_name(cfg) ? cfg_name(cfg) : "root";
    const char *const *names = sp_config_keys(section, &count);
    const char *nearest = sp_text_nearest(name, names, count);
    char place[128] = "", guess[128] = "";
    if (strcmp(section, "root") != 0) {
        snprintf(place, sizeof place, _(" in section %s"), section);
    }
    if (nearest) {
        snprintf(guess, sizeof guess, _("; did you mean \"%s\"?"), nearest);
    }
    sp_why_say(reading.why, _("%s:%d: unknown key \"%s\"%s%s"), reading.file, cfg->line,
               name, place, guess);
}

static void SP_PRINTF(2, 0) on_error(cfg_t *cfg, const char *fmt, va_list args)
{
    char text[256], name[128];
    vsnprintf(text, sizeof text, fmt, args);
    if (sscanf(text, "no such option '%127[^']'", name) == 1) {
        unknown_key(cfg, name);
        return;
    }
    sp_why_say(reading.why, "%s:%d: %s", reading.file, cfg->line, text);
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; strings && i < count; i++) {
        free(strings[i]);
    }
    free(strings);
}

static void upstream_fini(struct sp_config_upstream *u)
{
    free(u->name);
    free(u->url);
    free(u->ca_file);
    free(u->proxy);
    free(u->client_certificate);
    free(u->client_key);
    free_strings(u->sources.hosts, u->sources.host_count);
    free(u->sources.ca_file);
    free(u->sources.proxy);
    sp_note_key_free(&u->custody_key);
    sp_config_keys_fini(&u->custody_cosigners);
}

static void listener_fini(struct sp_config_listener *l)
{
    free(l->name);
    free(l->bind);
    free(l->upstream);
    free(l->certificate);
    free(l->key);
    free(l->client_ca);
    free(l->content_address);
    free_strings(l->names, l->name_count);
    free(l->allow);
}

void sp_config_free(struct sp_config **pc)
{
    struct sp_config *c = *pc;
    if (!c) {
        return;
    }
    for (size_t i = 0; c->upstreams && i < c->upstream_count; i++) {
        upstream_fini(&c->upstreams[i]);
    }
    if (c->catalog) {
        upstream_fini(&c->catalog->source);
        free(c->catalog->target);
        free(c->catalog->path);
        free(c->catalog);
    }
    for (size_t i = 0; c->listeners && i < c->listener_count; i++) {
        listener_fini(&c->listeners[i]);
    }
    listener_fini(&c->admin.remote);
    free(c->admin.token_file);
    sp_config_keys_fini(&c->cosigns);
    for (size_t i = 0; i < c->cosigner_count; i++) {
        upstream_fini(&c->cosigners[i].source);
        free(c->cosigners[i].prefix);
        sp_note_key_free(&c->cosigners[i].key);
    }
    free(c->cosigners);
    for (size_t i = 0; i < c->witness_count; i++) {
        sp_config_witness_fini(&c->witnesses[i]);
    }
    free(c->witnesses);
    free(c->upstreams);
    free(c->listeners);
    free(c->file);
    free(c->state_dir);
    free(c->cache_dir);
    free(c->policy);
    free(c->ledger_name);
    free(c->user);
    free(c->group);
    free(c->admin_bind);
    free(c->signing_pins);
    free(c->signing_bundle);
    free_strings(c->signing_crls, c->signing_crl_count);
    free(c->dump);
    free(c);
    *pc = NULL;
}

/* ---- dump ------------------------------------------------------------------------ */

/* "$\{" is the way to write what would else be a variable. */
static enum sp_err dump_string(struct sp_buf *out, const char *s)
{
    SP_TRY(sp_buf_append_byte(out, '"'));
    for (char before = 0; *s; before = *s++) {
        if (*s == '"' || *s == '\\' || (*s == '{' && before == '$')) {
            SP_TRY(sp_buf_append_byte(out, '\\'));
        }
        SP_TRY(sp_buf_append_byte(out, (uint8_t)*s));
    }
    return sp_buf_append_byte(out, '"');
}

static enum sp_err dump_key(struct sp_buf *out, cfg_t *sec, const cfg_opt_t *key,
                            const char *indent)
{
    SP_TRY(sp_buf_printf(out, "%s%s = ", indent, key->name));
    if (key->type == CFGT_INT) {
        return sp_buf_printf(out, "%ld\n", cfg_getint(sec, key->name));
    }
    if (!(key->flags & CFGF_LIST)) {
        SP_TRY(dump_string(out, cfg_getstr(sec, key->name)));
        return sp_buf_append_byte(out, '\n');
    }
    SP_TRY(sp_buf_append_str(out, "{"));
    for (unsigned i = 0; i < cfg_size(sec, key->name); i++) {
        SP_TRY(sp_buf_append_str(out, i ? ", " : " "));
        SP_TRY(dump_string(out, cfg_getnstr(sec, key->name, i)));
    }
    return sp_buf_append_str(out, " }\n");
}

static enum sp_err dump_section(struct sp_buf *out, cfg_t *cfg, const char *name)
{
    for (unsigned i = 0; i < cfg_size(cfg, name); i++) {
        cfg_t *sec = cfg_getnsec(cfg, name, i);
        SP_TRY(sp_buf_printf(out, "%s ", name));
        if (cfg_title(sec)) {
            SP_TRY(dump_string(out, cfg_title(sec)));
            SP_TRY(sp_buf_append_byte(out, ' '));
        }
        SP_TRY(sp_buf_append_str(out, "{\n"));
        for (const cfg_opt_t *k = keys_of(name); k->name; k++) {
            SP_TRY(dump_key(out, sec, k, "    "));
        }
        SP_TRY(sp_buf_append_str(out, "}\n"));
    }
    return SP_OK;
}

static enum sp_err make_dump(struct sp_config *c, cfg_t *cfg)
{
    SP_AUTO(sp_buf_fini) struct sp_buf out;
    sp_buf_init(&out, SP_MIB(2));
    for (const cfg_opt_t *k = top_keys; k->name; k++) {
        SP_TRY(k->type == CFGT_SEC ? dump_section(&out, cfg, k->name)
                                   : dump_key(&out, cfg, k, ""));
    }
    SP_TRY(sp_buf_append_byte(&out, 0));
    c->dump = strdup((const char *)out.data);
    return c->dump ? SP_OK : SP_E_NOMEM;
}

const char *sp_config_dump(const struct sp_config *c)
{
    return c->dump;
}

/* ---- load ------------------------------------------------------------------------ */

static enum sp_err parse(const char *file, struct sp_view text, cfg_t *cfg,
                         struct sp_why *why)
{
    cfg_set_error_function(cfg, on_error);
    reading.file = file;
    reading.why = why;
    int result = cfg_parse_buf(cfg, (const char *)text.data);
    if (result != CFG_SUCCESS) {
        return sp_why_set(why, SP_E_CONFIG, _("%s: it cannot be read"), file);
    }
    return SP_OK;
}

/* text ends with a NUL behind its length, as libconfuse wants it. */
static enum sp_err take_text(struct sp_config *c, struct sp_view text,
                             struct sp_why *why)
{
    cfg_t *cfg = cfg_init(top_keys, CFGF_NONE);
    if (!cfg) {
        return SP_E_NOMEM;
    }
    enum sp_err e = parse(c->file, text, cfg, why);
    if (e == SP_OK) {
        e = sp_config_check_twice(c->file, text, why);
    }
    if (e == SP_OK) {
        e = sp_config_take(c, cfg, text, why);
    }
    if (e == SP_OK) {
        e = make_dump(c, cfg);
    }
    cfg_free(cfg);
    return e;
}

enum sp_err sp_config_parse(const char *name, struct sp_view text,
                            struct sp_config **out, struct sp_why *why)
{
    SP_AUTO(sp_config_free) struct sp_config *c = calloc(1, sizeof *c);
    SP_AUTO(sp_buf_fini) struct sp_buf terminated;
    sp_buf_init(&terminated, SP_MIB(1) + 1);
    if (!c || !(c->file = strdup(name))) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_config_check_text(name, text, why));
    SP_TRY(sp_buf_append(&terminated, text));
    SP_TRY(sp_buf_append_byte(&terminated, 0));
    SP_TRY(take_text(c, sp_view(terminated.data, text.len), why));
    *out = c;
    c = NULL;
    return SP_OK;
}

/* The dump is in the syntax of the file. */
enum sp_err sp_config_copy(const struct sp_config *c, struct sp_config **out)
{
    return sp_config_parse(c->file, sp_view_str(c->dump), out, NULL);
}

enum sp_err sp_config_load(const char *file, struct sp_config **out, struct sp_why *why)
{
    struct sp_why inner = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_MIB(1));
    enum sp_err e = sp_file_read(file, &text, &inner);
    if (e == SP_E_NOTFOUND) {
        return sp_why_set(why, e,
                          _("there is no %s: `sallyport init` makes a configuration, "
                            "and -c FILE names another one"),
                          file);
    }
    if (e != SP_OK) {
        return sp_why_set(why, e, "%s", sp_why_text(&inner, e));
    }
    return sp_config_parse(file, sp_buf_view(&text), out, why);
}

void sp_config_each_path(const struct sp_config *c,
                         void (*each)(void *ctx, const char *path), void *ctx)
{
    char path[PATH_MAX];
    each(ctx, c->file);
    /* each stands between quotes in the dump */
    for (const char *at = strstr(c->dump, "\"/"); at; at = strstr(at, "\"/")) {
        size_t n = strcspn(++at, "\"\n");
        if (n < sizeof path) {
            memcpy(path, at, n);
            path[n] = 0;
            each(ctx, path);
        }
        at += n;
    }
}
