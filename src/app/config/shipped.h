/* The policies that come with the program, and the keys that sign what Microsoft
 * publishes: the files of policies/, as parts of the program. */
#ifndef SP_APP_CONFIG_SHIPPED_H
#define SP_APP_CONFIG_SHIPPED_H

#include "sallyport/bytes.h"

struct sp_shipped {
    const char *name; /* of the file: "strict-2026.policy" */
    struct sp_view text;
};
/* All of them; *count of them. */
const struct sp_shipped *sp_shipped(size_t *count);
/* Of them, the keys that sign what Microsoft publishes. */
struct sp_view sp_shipped_pins(void);
/* A set of keys of TLS authorities: "microsoft-update-tls"; empty for any other name. A
 * line begins with the pin, or with '#'. */
struct sp_view sp_shipped_tls_pins(struct sp_view set);

#endif
