#include "app/config/account.h"

#include "app/base/say.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

enum sp_err sp_account_find(const char *user, const char *group, struct sp_account *out,
                            struct sp_why *why)
{
    const struct passwd *a = getpwnam(user);
    if (!a) {
        return sp_why_set(why, SP_E_CONFIG,
                          _("user = \"%s\": there is no such account here: useradd "
                            "--system --no-create-home %s"),
                          user, user);
    }
    struct sp_account found = {.uid = a->pw_uid, .gid = a->pw_gid};
    const struct group *g = group[0] ? getgrnam(group) : getgrgid(found.gid);
    if (!g && group[0]) {
        return sp_why_set(why, SP_E_CONFIG,
                          _("group = \"%s\": there is no such group here: groupadd "
                            "--system %s"),
                          group, group);
    }
    found.gid = g ? g->gr_gid : found.gid;
    snprintf(found.user, sizeof found.user, "%s", user);
    snprintf(found.group, sizeof found.group, "%s", g ? g->gr_name : "");
    *out = found;
    return SP_OK;
}
