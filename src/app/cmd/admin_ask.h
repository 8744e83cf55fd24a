/* Commands that ask the running daemon: one question to its admin listener. Blocking,
 * with a patience of seconds. */
#ifndef SP_APP_CMD_ADMIN_ASK_H
#define SP_APP_CMD_ADMIN_ASK_H

#include "app/config/config.h"

/* Appends the body of the answer. SP_E_UNAVAILABLE: no daemon there; SP_E_PROTOCOL. */
enum sp_err sp_admin_ask(const char *bind, const char *method, const char *path,
                         struct sp_buf *body, int *status,
                         struct sp_why *why) SP_MUST_USE;
/* The same, at the address that a configuration file names. */
enum sp_err sp_admin_ask_of(const char *config_file, const char *method,
                            const char *path, struct sp_buf *body, int *status,
                            struct sp_why *why) SP_MUST_USE;
/* The same, where only one status is an answer: SP_E_PROTOCOL for any other. */
enum sp_err sp_admin_expect(const char *config_file, const char *method,
                            const char *path, int status, struct sp_buf *body,
                            struct sp_why *why) SP_MUST_USE;

#endif
