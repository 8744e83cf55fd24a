#include "core/wsus/cookie.h"

#define KIND(name) (1U << SP_COOKIE_##name)

const char *sp_cookie_text(enum sp_cookie_kind k)
{
    static const char *const texts[] = {
#define COOKIE(name, text) text,
#include "core/wsus/cookies.def"
#undef COOKIE
    };
    SP_ASSERT(k < SP_COOKIE_COUNT);
    return texts[k];
}

bool sp_cookie_given(enum sp_service s, enum sp_cookie_kind *out)
{
    switch (s) {
    case SP_SERVICE_SERVER_SYNC:
        *out = SP_COOKIE_SERVER;
        return true;
    case SP_SERVICE_DSS_AUTH:
        *out = SP_COOKIE_SERVER_AUTHORIZATION;
        return true;
    case SP_SERVICE_CLIENT:
        *out = SP_COOKIE_CLIENT;
        return true;
    case SP_SERVICE_SIMPLE_AUTH:
        *out = SP_COOKIE_CLIENT_AUTHORIZATION;
        return true;
    case SP_SERVICE_REPORTING:
    case SP_SERVICE_COUNT:
        break;
    }
    return false;
}

static unsigned taken(enum sp_service s, bool authorization)
{
    switch (s) {
    case SP_SERVICE_SERVER_SYNC:
        return authorization ? KIND(SERVER_AUTHORIZATION) : KIND(SERVER);
    case SP_SERVICE_CLIENT:
        return authorization ? KIND(CLIENT_AUTHORIZATION) : KIND(CLIENT);
    case SP_SERVICE_REPORTING: /* clients and servers report with the cookie they have
                                */
        return KIND(CLIENT) | KIND(SERVER);
    case SP_SERVICE_DSS_AUTH:
    case SP_SERVICE_SIMPLE_AUTH:
    case SP_SERVICE_COUNT:
        break;
    }
    return 0;
}

/* A client takes InvalidAuthorizationCookie for the end of its run, and CookieExpired
 * for the way to a new one; a server knows no CookieExpired. */
static enum sp_fault_code fault_of(enum sp_service s, bool authorization, bool aged,
                                   enum sp_cookie_kind kind)
{
    bool client = s == SP_SERVICE_CLIENT ||
                  (s == SP_SERVICE_REPORTING && kind == SP_COOKIE_CLIENT);
    if (client) {
        return aged ? SP_FAULT_COOKIE_EXPIRED : SP_FAULT_INVALID_COOKIE;
    }
    return authorization ? SP_FAULT_INVALID_AUTHORIZATION_COOKIE
                         : SP_FAULT_INVALID_COOKIE;
}

/* Servers that report send a cookie with nothing in it. ([MS-WSUSSS] 3.1.4.13) */
static bool is_none(enum sp_service s, const struct sp_buf *base64)
{
    return s == SP_SERVICE_REPORTING && base64->len == 0;
}

static enum sp_err open_bytes(const struct sp_cookie_reader *cookies, unsigned kinds,
                              struct sp_buf *base64, struct sp_buf *sealed,
                              struct sp_buf *plain, enum sp_cookie_kind *kind)
{
    SP_TRY(sp_base64_parse(sp_buf_view(base64), sealed));
    SP_TRY(cookies->open(cookies->ctx, kinds, sp_buf_view(sealed), plain, kind));
    sp_buf_clear(base64);
    return sp_base64_append(base64, sp_buf_view(plain));
}

enum sp_err sp_cookie_open(const struct sp_cookie_reader *cookies,
                           enum sp_service service, bool authorization,
                           struct sp_buf *base64, enum sp_fault_code *code)
{
    struct sp_buf sealed, plain;
    enum sp_cookie_kind kind = SP_COOKIE_CLIENT;
    if (is_none(service, base64)) {
        return SP_OK;
    }
    sp_buf_init(&sealed, SP_LIMIT_COOKIE);
    sp_buf_init(&plain, SP_LIMIT_COOKIE);
    enum sp_err e = open_bytes(cookies, taken(service, authorization), base64, &sealed,
                               &plain, &kind);
    sp_buf_fini(&sealed);
    sp_buf_fini(&plain);
    if (e != SP_E_UNPROVEN && e != SP_E_TIMEOUT) {
        return e;
    }
    *code = fault_of(service, authorization, e == SP_E_TIMEOUT, kind);
    return SP_E_UNPROVEN;
}
