/* The admin section: who may look from elsewhere, and how he shows who he is. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <stdlib.h>
#include <string.h>

static const char *wrong(const struct sp_config_admin *a, const char **key)
{
    const struct sp_config_listener *r = &a->remote;
    if (!r->bind[0]) {
        *key = r->certificate[0] ? "certificate"
               : r->key[0]       ? "key"
               : r->client_ca[0] ? "client_ca"
                                 : "token_file";
        return r->certificate[0] || r->key[0] || r->client_ca[0] || a->token_file[0]
                   ? _("this is for remote_bind, which is not set")
                   : NULL;
    }
    *key = "remote_bind";
    if (!sp_config_is_address(r->bind)) {
        return _(
            "an address and a port are needed, as *:8533, 0.0.0.0:8533 or [::]:8533");
    }
    if (!r->certificate[0] || !r->key[0]) {
        return _("who looks from elsewhere does so over TLS: certificate and key are "
                 "needed");
    }
    if (!r->client_ca[0] && !a->token_file[0]) {
        return _("who looks from elsewhere has to show who he is: client_ca or "
                 "token_file "
                 "is needed");
    }
    return NULL;
}

static bool is_loopback(const char *bind)
{
    return strncmp(bind, "127.", 4) == 0 || strncmp(bind, "[::1]:", 6) == 0;
}

static enum sp_err take_remote(cfg_t *sec, struct sp_config_admin *out)
{
    struct sp_config_listener *r = &out->remote;
    r->name = strdup("admin");
    if (!r->name) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_take_string(sec, "remote_bind", &r->bind));
    SP_TRY(sp_take_string(sec, "certificate", &r->certificate));
    SP_TRY(sp_take_string(sec, "key", &r->key));
    SP_TRY(sp_take_string(sec, "client_ca", &r->client_ca));
    return sp_take_string(sec, "token_file", &out->token_file);
}

enum sp_err sp_config_take_admin(struct sp_config *c, cfg_t *cfg,
                                 struct sp_config_place p)
{
    cfg_t *sec = cfg_getsec(cfg, "admin");
    const char *key = NULL, *what = NULL;
    p.section = "admin";
    SP_TRY(sp_take_string(sec, "bind", &c->admin_bind));
    if (c->admin_bind[0] &&
        !(is_loopback(c->admin_bind) && sp_config_is_address(c->admin_bind))) {
        return sp_config_wrong(
            &p, "bind",
            _("the admin listener speaks without TLS and without a login, so it "
              "stays on loopback: 127.0.0.1:PORT or [::1]:PORT; remote_bind is for "
              "others"));
    }
    SP_TRY(take_remote(sec, &c->admin));
    c->admin.remote.line = sp_config_line(p.text, "admin", NULL, NULL);
    what = wrong(&c->admin, &key);
    if (!what && c->admin.remote.bind[0] && !c->admin_bind[0]) {
        key = "remote_bind";
        what = _("the commands on this machine need bind as well");
    }
    return what ? sp_config_wrong(&p, key, what) : SP_OK;
}
