/* Whom the daemon is while it serves. Started as root it binds its sockets and reads its
 * keys, and then becomes an account that may do nothing else, for good: its groups, its
 * identities, every capability. What it cannot read then it does not reload. */
#ifndef SP_APP_RUN_PRIVILEGES_H
#define SP_APP_RUN_PRIVILEGES_H

#include "app/config/config.h"
#include "io/net/sockets.h"

#include <sys/types.h>

#define SP_ACCOUNT "sallyport" /* where user is empty and this account is there */

struct sp_privileges {
    bool changes; /* root becomes uid and gid */
    bool drops;   /* there is something to lose: that, or capabilities */
    bool stays;   /* root, and nobody said so */
    uid_t uid;
    gid_t gid;
    char user[64], group[64];
};
/* What is to be done of this process, as user and group say. SP_E_CONFIG: there is no such
 * account, or this process can never be it. */
enum sp_err sp_privileges_find(const struct sp_config *c, struct sp_privileges *out,
                               struct sp_why *why) SP_MUST_USE;
/* state_dir and cache_dir are the account's: made where they are missing. What is there
 * and is somebody else's is left alone: SP_E_CONFIG, with the command that mends it. */
enum sp_err sp_privileges_folders(const struct sp_privileges *p, const struct sp_config *c,
                                  struct sp_why *why) SP_MUST_USE;
/* Gives up what there is, and makes sure that it does not come back. SP_E_DENIED. */
enum sp_err sp_privileges_drop(const struct sp_privileges *p,
                               struct sp_why *why) SP_MUST_USE;
/* After that: which files the account cannot read again, in the log. */
void sp_privileges_warn(const struct sp_privileges *p, const struct sp_config *c);

#endif
