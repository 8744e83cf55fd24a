/* The header lines that decide about a message: its length, its host, its connection.
 *
 * Knows: those headers and their contradictions. Refuses to know: first lines, bodies
 * and every header that is only carried. Borrows from the head's bytes. */
#ifndef SP_CORE_HTTP_FIELDS_H
#define SP_CORE_HTTP_FIELDS_H

#include "core/http/head.h"

struct sp_fields {
    struct sp_view host; /* borrowed; empty until there was one */
    uint64_t content_length;
    bool is_request; /* set by the caller: some headers mean nothing in a response */
    bool has_length, chunked, close, expect_continue;
};

/* Reads every header line up to and with the empty line. */
enum sp_err sp_fields_read(struct sp_head *h, struct sp_http_headers *headers,
                           struct sp_fields *f) SP_MUST_USE;

#endif
