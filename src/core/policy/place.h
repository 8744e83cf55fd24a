/* Where a line of a policy holds: at which service of which listener.
 *
 *     client            that service, whoever is asked for it
 *     @branch-http      every service of that listener
 *     client@branch-http
 *
 * and a mode of a rule about requests that holds only there:
 *
 *     at client@branch-http transport-tls audit
 *
 * Of several that fit, the one that says most decides: both, then the listener, then
 * the service. Pure. */
#ifndef SP_CORE_POLICY_PLACE_H
#define SP_CORE_POLICY_PLACE_H

#include "sallyport/policy.h"

enum { SP_LISTENER_NAME = 64 }; /* bytes */

struct sp_place {
    const char *service;                 /* a static text, or NULL: any */
    char listener[SP_LISTENER_NAME + 1]; /* empty: any */
};
/* SP_E_CONFIG with what is wrong. */
enum sp_err sp_place_read(struct sp_view word, struct sp_place *out,
                          struct sp_why *why) SP_MUST_USE;
enum sp_err sp_place_print(const struct sp_place *p, struct sp_buf *out) SP_MUST_USE;
bool sp_place_eq(const struct sp_place *a, const struct sp_place *b);
/* The request was for it. */
bool sp_place_fits(const struct sp_place *p, const struct sp_facts *f);
/* The one whose line decides where both fit is greater. */
int sp_place_rank(const struct sp_place *p);

/* "server-sync", ... "content", "catalog"; NULL for any other word. */
const char *sp_place_service(struct sp_view word);

struct sp_place_line {
    struct sp_place place;
    enum sp_rule rule;
    enum sp_mode mode;
};

#endif
