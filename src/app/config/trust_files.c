#include "app/config/trust_files.h"

#include "app/config/config.h"
#include "app/config/shipped.h"

static enum sp_err add_file(const char *path,
                            enum sp_err (*add)(struct sp_trust *, struct sp_view,
                                               struct sp_why *),
                            struct sp_trust *trust, struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text = {0};
    struct sp_why inner = {0};
    if (!path || !path[0]) {
        return SP_OK;
    }
    SP_TRY(sp_file_read_most(path, SP_LIMIT_TRUST_FILE, &text, why));
    enum sp_err e = add(trust, sp_buf_view(&text), &inner);
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, SP_E_CONFIG, "%s: %s", path, sp_why_text(&inner, e));
}

static enum sp_err add_added(const char *state_dir, struct sp_trust *trust,
                             struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf path = {0};
    if (!state_dir) {
        return SP_OK;
    }
    sp_buf_init(&path, SP_KIB(8));
    SP_TRY(sp_buf_printf(&path, "%s/%s", state_dir, SP_TRUST_ADDED));
    SP_TRY(sp_buf_append_byte(&path, 0));
    enum sp_err e = add_file((const char *)path.data, sp_trust_add_pem, trust, why);
    if (e == SP_E_NOTFOUND) {
        *why = (struct sp_why){0};
        return SP_OK;
    }
    return e;
}

enum sp_err sp_trust_load(const struct sp_trust_files *files, struct sp_trust **out,
                          struct sp_why *why)
{
    SP_AUTO(sp_trust_free) struct sp_trust *t = NULL;
    SP_TRY(sp_trust_new(&t));
    if (files->pins && files->pins[0]) {
        SP_TRY(add_file(files->pins, sp_trust_add_pins, t, why));
    } else {
        SP_TRY(sp_trust_add_pins(t, sp_shipped_pins(), why));
    }
    SP_TRY(add_file(files->bundle, sp_trust_add_pem, t, why));
    SP_TRY(add_added(files->state_dir, t, why));
    for (size_t i = 0; i < files->crl_count; i++) {
        SP_TRY(add_file(files->crls[i], sp_trust_add_crl, t, why));
    }
    *out = t;
    t = NULL;
    return SP_OK;
}

enum sp_err sp_trust_load_config(const struct sp_config *c, struct sp_trust **out,
                                 struct sp_why *why)
{
    struct sp_trust_files files = {.pins = c->signing_pins,
                                   .bundle = c->signing_bundle,
                                   .crls = c->signing_crls,
                                   .crl_count = c->signing_crl_count,
                                   .state_dir = c->state_dir};
    struct sp_why inner = {0};
    enum sp_err e = sp_trust_load(&files, out, &inner);
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, SP_E_CONFIG, "%s: code_signing: %s", c->file,
                                   sp_why_text(&inner, e));
}
