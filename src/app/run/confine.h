/* Which paths the daemon needs, and the sandbox around them. */
#ifndef SP_APP_RUN_CONFINE_H
#define SP_APP_RUN_CONFINE_H

#include "app/config/config.h"

/* Before the first thread. Writable from now on: state_dir and cache_dir, which are
 * made where they are missing. Readable: the folders of the configuration and of every
 * file it names, and what the system's libraries read. SP_E_CONFIG, SP_E_IO. */
enum sp_err sp_confine(const char *config_file, const struct sp_config *c,
                       struct sp_why *why) SP_MUST_USE;

#endif
