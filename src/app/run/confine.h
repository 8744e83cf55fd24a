/* Which paths the daemon needs, and the sandbox around them. */
#ifndef SP_APP_RUN_CONFINE_H
#define SP_APP_RUN_CONFINE_H

#include "app/config/config.h"
#include "app/run/sandbox.h"

struct sp_confines { /* what is in force */
    bool ports;
    struct sp_port_set connects;
};
/* Before the first thread. Writable from now on: state_dir and cache_dir, which are
 * made where they are missing. Readable: the folders of the configuration and of every
 * file it names, and what the system's libraries read. Reachable: the ports of what it
 * names. SP_E_CONFIG, SP_E_IO. */
enum sp_err sp_confine(const struct sp_config *c, struct sp_confines *out,
                       struct sp_why *why) SP_MUST_USE;
/* Whether c, another one, can be served inside of that; SP_E_CONFIG. */
enum sp_err sp_confines_fit(const struct sp_confines *in, const struct sp_config *c,
                            struct sp_why *why) SP_MUST_USE;

#endif
