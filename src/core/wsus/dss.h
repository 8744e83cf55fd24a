/* sallyport's own run as a downstream server, [MS-WSUSSS] 3.2.4: it logs in and lists
 * the revisions, to see whether the upstream serves. Requests out, replies in; who
 * sends them and when is somebody else's.
 *
 *     AUTHORIZE -> COOKIE -> LIST (all, then what is new since) ... -> DATA
 *
 * Believes nothing: what it keeps are opaque texts within limits, which go back to
 * where they came from. One owner. */
#ifndef SP_CORE_WSUS_DSS_H
#define SP_CORE_WSUS_DSS_H

#include "core/wsus/wsus.h"

enum sp_dss_step { SP_DSS_AUTHORIZE, SP_DSS_COOKIE, SP_DSS_LIST, SP_DSS_DATA };
enum sp_op sp_dss_op(enum sp_dss_step s);

struct sp_dss {
    struct sp_guid account;   /* of this server, the same as long as it runs */
    struct sp_buf ticket;     /* AuthorizationCookie/CookieData, as base64 text */
    struct sp_buf expiration; /* Cookie/Expiration */
    struct sp_buf cookie;     /* Cookie/EncryptedData, as base64 text */
    struct sp_buf anchor;     /* of the last list; empty: the next one lists all */
};
void sp_dss_init(struct sp_dss *d, const struct sp_guid *account);
void sp_dss_fini(struct sp_dss *d);
void sp_dss_forget(
    struct sp_dss *d); /* the next step is AUTHORIZE, the next list whole */

/* The envelope of a step, appended. ids are for DATA, at most SP_LIMIT_UPDATE_IDS. */
enum sp_err sp_dss_ask(const struct sp_dss *d, enum sp_dss_step s,
                       const struct sp_revision_id *ids, size_t count,
                       struct sp_buf *out) SP_MUST_USE;

struct sp_dss_list {
    uint64_t count;     /* of revisions in it */
    uint8_t digest[32]; /* over their identities, in order */
};
/* Reads the reply of AUTHORIZE, COOKIE or LIST; list is for LIST. SP_E_PROTOCOL: a
 * fault, or not the reply of that step. On failure d is as it was, but for the texts of
 * the step.
 */
enum sp_err sp_dss_take(struct sp_dss *d, enum sp_dss_step s, int status,
                        struct sp_view body, struct sp_dss_list *list,
                        struct sp_why *why) SP_MUST_USE;

#endif
