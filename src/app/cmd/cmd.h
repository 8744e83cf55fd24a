/* Commands: one file each (or a family), one row in cmds.def. A command gets the words
 * behind its name and returns the exit status: 0 passed, 1 refused, 2 could not find
 * out for commands that give a verdict; sysexits(3) for usage and configuration. */
#ifndef SP_APP_CMD_CMD_H
#define SP_APP_CMD_CMD_H

#include "sallyport/bytes.h"

#define SP_CONFIG_DEFAULT "/etc/sallyport/sallyport.conf"

#define CMD(words, function, arguments, help) int function(int argc, char **argv);
#include "app/cmd/cmds.def"
#undef CMD

enum {
    SP_EXIT_PASSED = 0,
    SP_EXIT_REFUSED = 1,
    SP_EXIT_UNKNOWN = 2,
    SP_EXIT_USAGE = 64
};

/* Finds the command in argv and runs it. */
int sp_cli(int argc, char **argv);

/* ---- what commands share --------------------------------------------------------- */

struct sp_option {
    const char *name;   /* "-c", "--json" */
    const char **value; /* NULL for a flag */
    bool *flag;         /* set when it is given; may be NULL */
};
/* Takes options out of argv, wherever they stand; *words is what is left, its count the
 * result. -1 after saying what is wrong on standard error. "--" ends options. */
int sp_options(int argc, char **argv, const struct sp_option *options, size_t count,
               char ***words);
/* Says on standard error how the command is called, unless what sp_options returned
 * says that it did already. The exit status of wrong usage. */
int sp_cmd_usage(const char *words, int left);
/* The policy of a file; why names the file, the line and what is wrong there. */
struct sp_policy;
enum sp_err sp_policy_load(const char *file, struct sp_policy **out,
                           struct sp_why *why) SP_MUST_USE;
/* Says "sallyport: ..." on standard error and returns the error's exit status. */
int sp_cmd_failed(enum sp_err e, const struct sp_why *why);

#endif
