/* One question over plain HTTP, for commands: blocking, with a patience of seconds, one
 * connection a question. */
#ifndef SP_APP_BASE_CALL_H
#define SP_APP_BASE_CALL_H

#include "core/http/http.h"

struct sp_call {
    const char *host; /* a name or an address, without brackets */
    unsigned port;
    const char *method, *path;
};
/* What came back: its head and the body behind it, both in *answer, which the caller
 * owns and whose ceiling bounds it. SP_E_UNAVAILABLE, SP_E_TIMEOUT, SP_E_CLOSED;
 * SP_E_PROTOCOL when it is no HTTP. */
enum sp_err sp_call(const struct sp_call *c, struct sp_buf *answer,
                    struct sp_http_response *head, size_t *head_bytes) SP_MUST_USE;

#endif
