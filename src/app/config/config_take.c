#include "app/config/config_take.h"

#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum sp_err sp_config_wrong(const struct sp_config_place *p, const char *key,
                            const char *what)
{
    int line = sp_config_line(p->text, p->section, p->title, key);
    char at[16] = ""; /* what is missing stands in no line */
    if (line) {
        snprintf(at, sizeof at, ":%d", line);
    }
    return sp_why_set(p->why, SP_E_CONFIG, "%s%s: %s%s%s%s%s", p->file, at,
                      p->section ? p->section : "", p->title ? " \"" : "",
                      p->title ? p->title : "",
                      p->title     ? "\": "
                      : p->section ? ": "
                                   : "",
                      what);
}

enum sp_err sp_take_string(cfg_t *sec, const char *key, char **out)
{
    const char *s = cfg_getstr(sec, key);
    *out = strdup(s ? s : "");
    return *out ? SP_OK : SP_E_NOMEM;
}

enum sp_err sp_take_strings(cfg_t *sec, const char *key, char ***out, size_t *count)
{
    size_t n = cfg_size(sec, key);
    *out = calloc(n ? n : 1, sizeof **out);
    if (!*out) {
        return SP_E_NOMEM;
    }
    for (; *count < n; (*count)++) {
        (*out)[*count] = strdup(cfg_getnstr(sec, key, (unsigned)*count));
        if (!(*out)[*count]) {
            return SP_E_NOMEM;
        }
    }
    return SP_OK;
}

enum sp_err sp_take_word(const struct sp_config_place *p, cfg_t *sec, const char *key,
                         const struct sp_config_word *words, size_t count, int *out)
{
    const char *s = cfg_getstr(sec, key);
    char message[256];
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].text, s) == 0) {
            *out = words[i].value;
            return SP_OK;
        }
    }
    at = (size_t)snprintf(message, sizeof message,
                          _("%s = \"%.40s\": it must be one of"), key, s);
    for (size_t i = 0; i < count && at < sizeof message; i++) {
        at += (size_t)snprintf(message + at, sizeof message - at, "%s %s", i ? "," : "",
                               words[i].text);
    }
    return sp_config_wrong(p, key, message);
}

enum sp_err sp_take_number(const struct sp_config_place *p, cfg_t *sec, const char *key,
                           long min, long max, long *out)
{
    char message[128];
    long n = cfg_getint(sec, key);
    if (n < min || n > max) {
        snprintf(message, sizeof message, _("%s is %ld to %ld"), key, min, max);
        return sp_config_wrong(p, key, message);
    }
    *out = n;
    return SP_OK;
}
