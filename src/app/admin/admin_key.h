/* Who may look at the admin pages from elsewhere.
 *
 * Knows: the Authorization header, RFC 6750 (Bearer) and RFC 7617 (Basic: what a browser
 * asks its user for; the name does not count). Refuses to know: what is looked at. */
#ifndef SP_APP_ADMIN_ADMIN_KEY_H
#define SP_APP_ADMIN_ADMIN_KEY_H

#include "sallyport/bytes.h"

/* Whether value, of the header, shows the secret that has this SHA-256. */
bool sp_admin_key_fits(struct sp_view value, const uint8_t sha256[32]);

#endif
