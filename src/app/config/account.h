/* The account and the group that user and group of the configuration name, as this
 * machine knows them. */
#ifndef SP_APP_CONFIG_ACCOUNT_H
#define SP_APP_CONFIG_ACCOUNT_H

#include "sallyport/err.h"

#include <sys/types.h>

struct sp_account {
    uid_t uid;
    gid_t gid;
    char user[64], group[64]; /* group "": it has a number only */
};
/* group "": the account's own. SP_E_CONFIG: there is no such account, or no such group.
 */
enum sp_err sp_account_find(const char *user, const char *group, struct sp_account *out,
                            struct sp_why *why) SP_MUST_USE;

#endif
