/* lockdown on | off: throws the switch, and tells the daemon where one runs. */
#include "app/base/say.h"
#include "app/cmd/admin_ask.h"
#include "app/cmd/cmd.h"
#include "app/shared/lockdown.h"

#include <stdio.h>
#include <string.h>

static enum sp_err tell(const struct sp_config *c, struct sp_why *why)
{
    int status = 0;
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_KIB(64));
    SP_TRY(sp_admin_ask(c->admin_bind, "POST", "/lockdown", &body, &status, why));
    return status == 200 ? SP_OK
                         : sp_why_set(why, SP_E_PROTOCOL,
                                      _("the daemon answers with status %d"), status);
}

static int throw_and_tell(const struct sp_config *c, bool on)
{
    struct sp_why why = {0};
    enum sp_err e = sp_lockdown_throw(c->state_dir, on, &why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    e = tell(c, &why);
    if (e == SP_E_UNAVAILABLE) {
        printf(_("lockdown %s: no daemon runs; it holds from its next start\n"),
               on ? _("on") : _("off"));
        return 0;
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    printf("%s", on ? _("lockdown on: all update metadata is stopped\n")
                    : _("lockdown off: update metadata passes again\n"));
    return 0;
}

int sp_cmd_lockdown(int argc, char **argv)
{
    const char *file = SP_CONFIG_DEFAULT;
    const struct sp_option options[] = {{"-c", &file, NULL}};
    char **words = NULL;
    struct sp_config *c = NULL;
    struct sp_why why = {0};
    int left = sp_options(argc, argv, options, 1, &words);
    bool one = left == 1;
    bool on = one && strcmp(words[0], "on") == 0;
    if (!on && !(one && strcmp(words[0], "off") == 0)) {
        return sp_cmd_usage("lockdown", left);
    }
    enum sp_err e = sp_config_load(file, &c, &why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    int status = throw_and_tell(c, on);
    sp_config_free(&c);
    return status;
}
