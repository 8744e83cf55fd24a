/* Which keys an upstream may have: pins, and the names of sets that come with the
 * program. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include "app/config/shipped.h"

static enum sp_err add_pin(struct sp_config_upstream *u, const struct sp_pin *pin,
                           const char **what)
{
    if (u->pin_count == SP_LIMIT_PINS) {
        *what = _("there are more than 16 pins");
        return SP_E_CONFIG;
    }
    for (size_t i = 0; i < u->pin_count; i++) {
        if (sp_pin_eq(&u->pins[i], pin)) {
            *what = _("the same pin stands twice");
            return SP_E_CONFIG;
        }
    }
    u->pins[u->pin_count++] = *pin;
    return SP_OK;
}

static enum sp_err add_set(struct sp_config_upstream *u, struct sp_view set,
                           const char **what)
{
    while (set.len) {
        size_t end = sp_view_find(set, '\n');
        struct sp_view line = sp_view_slice(set, 0, end);
        struct sp_view word = sp_view_slice(line, 0, sp_view_find(line, ' '));
        struct sp_pin pin;
        if (sp_pin_parse(word, &pin) == SP_OK) {
            SP_TRY(add_pin(u, &pin, what));
        }
        set = sp_view_slice(set, end + 1, set.len);
    }
    return SP_OK;
}

static enum sp_err add(struct sp_config_upstream *u, struct sp_view text,
                       const char **what)
{
    struct sp_pin pin;
    struct sp_view set = sp_shipped_tls_pins(text);
    if (set.len) {
        return add_set(u, set, what);
    }
    if (sp_pin_parse(text, &pin) != SP_OK) {
        *what =
            _("a pin is written sha256//BASE64=, 44 characters after the "
              "slashes; `sallyport pin HOST:PORT` prints them. Or it is the name of "
              "a set: microsoft-update-tls");
        return SP_E_CONFIG;
    }
    return add_pin(u, &pin, what);
}

static enum sp_err add_all(cfg_t *sec, struct sp_config_upstream *u, const char **what)
{
    for (unsigned i = 0; i < cfg_size(sec, "pins"); i++) {
        SP_TRY(add(u, sp_view_str(cfg_getnstr(sec, "pins", i)), what));
    }
    if (u->pin_count < 2) {
        *what = u->pin_count
                    ? _("a single pin locks everybody out on the day the key changes: "
                        "add a backup pin, of a spare key or of a CA in the chain")
                    : _("no pins: `sallyport pin HOST:PORT` shows the upstream's keys");
        return SP_E_CONFIG;
    }
    return SP_OK;
}

enum sp_err sp_config_take_pins(const struct sp_config_place *p, cfg_t *sec,
                                struct sp_config_upstream *u)
{
    const char *what = NULL;
    enum sp_err e = add_all(sec, u, &what);
    return e == SP_E_CONFIG ? sp_config_wrong(p, "pins", what) : e;
}
