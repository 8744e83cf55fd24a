/* The prefetch keys of an upstream section. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include "core/base/limits.h"

#include <string.h>

static enum sp_err take_categories(cfg_t *sec, const char *key,
                                   struct sp_ahead_categories *out)
{
    unsigned n = cfg_size(sec, key);
    if (n > SP_AHEAD_CATEGORIES) {
        return SP_E_CONFIG;
    }
    for (; out->count < n; out->count++) {
        const char *s = cfg_getnstr(sec, key, (unsigned)out->count);
        if (sp_guid_parse(sp_view_str(s), &out->at[out->count]) != SP_OK) {
            return SP_E_CONFIG;
        }
    }
    return SP_OK;
}

static enum sp_err take_amount(cfg_t *sec, const char *key, long most, uint64_t unit,
                               uint64_t *out)
{
    long n = cfg_getint(sec, key);
    if (n < 0 || n > most) {
        return SP_E_CONFIG;
    }
    *out = (uint64_t)n * unit;
    return SP_OK;
}

static enum sp_err take_switch(cfg_t *sec, struct sp_ahead_conf *out)
{
    const char *s = cfg_getstr(sec, "prefetch");
    out->on = strcmp(s, "on") == 0;
    return out->on || strcmp(s, "off") == 0 ? SP_OK : SP_E_CONFIG;
}

static enum sp_err take_window(cfg_t *sec, struct sp_ahead_conf *out)
{
    const char *s = cfg_getstr(sec, "prefetch_window");
    return sp_ahead_window_parse(sp_view_str(s), &out->window) == SP_OK ? SP_OK
                                                                        : SP_E_CONFIG;
}

enum sp_err sp_config_take_ahead(const struct sp_config_place *p, cfg_t *sec,
                                 struct sp_ahead_conf *out)
{
    const char *categories =
        _("a classification or product is written as its UpdateID, "
          "0fa1201d-4330-4fa8-8ae9-b877473b6441; at most 64 of them");
    if (take_switch(sec, out) != SP_OK) {
        return sp_config_wrong(p, "prefetch", _("prefetch must be one of off, on"));
    }
    if (take_categories(sec, "prefetch_classifications", &out->classifications) !=
        SP_OK) {
        return sp_config_wrong(p, "prefetch_classifications", categories);
    }
    if (take_categories(sec, "prefetch_products", &out->products) != SP_OK) {
        return sp_config_wrong(p, "prefetch_products", categories);
    }
    if (take_amount(sec, "prefetch_max", 16384, SP_MIB(1), &out->size_max) != SP_OK) {
        return sp_config_wrong(p, "prefetch_max",
                               _("prefetch_max is 0 to 16384 (MiB)"));
    }
    if (take_amount(sec, "prefetch_rate", 1L << 24, SP_KIB(1), &out->rate) != SP_OK) {
        return sp_config_wrong(p, "prefetch_rate",
                               _("prefetch_rate is 0 to 16777216 (KiB a second)"));
    }
    if (take_window(sec, out) != SP_OK) {
        return sp_config_wrong(p, "prefetch_window",
                               _("a window is written HH:MM-HH:MM, as 22:00-05:30"));
    }
    return SP_OK;
}
