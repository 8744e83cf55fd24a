/* The admin section: who may look from elsewhere, and how he shows who he is. */
#include "app/base/say.h"
#include "app/config/config_parts.h"

#include <stdlib.h>
#include <string.h>

static enum sp_err take(cfg_t *sec, const char *key, char **out)
{
    *out = strdup(cfg_getstr(sec, key));
    return *out ? SP_OK : SP_E_NOMEM;
}

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

enum sp_err sp_config_take_admin(cfg_t *sec, struct sp_config_admin *out,
                                 const char **key, const char **what)
{
    struct sp_config_listener *r = &out->remote;
    r->name = strdup("admin");
    if (!r->name) {
        return SP_E_NOMEM;
    }
    SP_TRY(take(sec, "remote_bind", &r->bind));
    SP_TRY(take(sec, "certificate", &r->certificate));
    SP_TRY(take(sec, "key", &r->key));
    SP_TRY(take(sec, "client_ca", &r->client_ca));
    SP_TRY(take(sec, "token_file", &out->token_file));
    *what = wrong(out, key);
    return *what ? SP_E_CONFIG : SP_OK;
}
