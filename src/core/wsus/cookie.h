/* Cookies of the protocols: opaque to everybody but who made them, and read by code
 * that has been the way into servers (CVE-2023-35317). What they admit to, and where
 * they stand in a request and a reply. */
#ifndef SP_CORE_WSUS_COOKIE_H
#define SP_CORE_WSUS_COOKIE_H

#include "core/wsus/wsus.h"

/* cookies.def */
enum sp_cookie_kind {
#define COOKIE(name, text) SP_COOKIE_##name,
#include "core/wsus/cookies.def"
#undef COOKIE
    SP_COOKIE_COUNT
};
const char *sp_cookie_text(enum sp_cookie_kind k);

/* Of the cookie that a reply of this service gives. False: it gives none. */
bool sp_cookie_given(enum sp_service s, enum sp_cookie_kind *out);

/* Who knows what cookies of this asker hold. */
struct sp_cookie_reader {
    /* sealed: what the asker sent, decoded. kinds: bit k, kind k will do. Appends what
     * the upstream gave. Errors: SP_E_UNPROVEN (it is none of ours, or not for this
     * asker), SP_E_TIMEOUT (it was, too long ago; *kind says which), others. */
    enum sp_err (*open)(void *ctx, unsigned kinds, struct sp_view sealed,
                        struct sp_buf *plain, enum sp_cookie_kind *kind);
    void *ctx;
};

/* In a request to service: base64 is CookieData (authorization) or EncryptedData as the
 * asker sent it, and is then the upstream's. SP_E_UNPROVEN: *code is the fault on which
 * this asker starts over, [MS-WUSP] 2.2.2.4, [MS-WSUSSS] 2.2.9.3; base64 is undefined.
 * Other errors: the reader's, SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_cookie_open(const struct sp_cookie_reader *cookies,
                           enum sp_service service, bool authorization,
                           struct sp_buf *base64, enum sp_fault_code *code) SP_MUST_USE;

#endif
