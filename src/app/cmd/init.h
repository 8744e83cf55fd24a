/* `sallyport init`: from an upstream's address to a configuration that runs.
 *
 *     cmd_init.c    options and questions, and what a person has to confirm
 *     init_files.c  keys, certificates, policies, the configuration: all new files
 *     init_steps.c  what to do next, on the Windows side
 *
 * Nothing that exists is overwritten, and the configuration is written last: while it
 * is missing, nothing was set up. */
#ifndef SP_APP_CMD_INIT_H
#define SP_APP_CMD_INIT_H

#include "app/config/shown_chain.h"

enum { SP_INIT_NAMES = 16 };

enum sp_init_certificate {
    SP_INIT_OWN_CA,  /* a CA of the gate's own, and a certificate below it */
    SP_INIT_REQUEST, /* a request for the CA of the organisation */
    SP_INIT_GIVEN    /* files that exist */
};

struct sp_init {
    const char *directory; /* of the configuration, absolute; exists or is made */
    const char *state_dir, *cache_dir;
    struct sp_address upstream;
    struct sp_view upstream_ca; /* PEM */
    struct sp_pin pins[SP_LIMIT_PINS];
    size_t pin_count;
    bool spare_pin; /* the last pin is of a key that init makes for the upstream */
    const char *names[SP_INIT_NAMES];
    size_t name_count;
    unsigned port; /* of the TLS listener; the plain one has the port below */
    enum sp_init_certificate kind;
    const char *certificate, *key; /* SP_INIT_GIVEN: their paths */
    int64_t now;
};

/* SP_E_EXISTS where a configuration is there already. */
enum sp_err sp_init_is_free(const struct sp_init *i, struct sp_why *why) SP_MUST_USE;
/* Makes every file. SP_E_EXISTS when one is there already. */
enum sp_err sp_init_write(struct sp_init *i, struct sp_why *why) SP_MUST_USE;
/* Says on standard output what was made and what comes next. */
void sp_init_say(const struct sp_init *i);

#endif
