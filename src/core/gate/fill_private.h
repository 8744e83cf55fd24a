/* Inside of a fill: what fill.c and fill_head.c share. */
#ifndef SP_CORE_GATE_FILL_PRIVATE_H
#define SP_CORE_GATE_FILL_PRIVATE_H

#include "core/gate/fill.h"

enum { SP_FILL_WHO = SP_SOURCE_HOST + 32 };

struct sp_fill {
    const struct sp_fill_conf *conf; /* borrowed */
    const struct sp_policy *policy;  /* borrowed */
    struct sp_content_path path;
    struct sp_claim claim;
    enum sp_station station;
    bool over_http;   /* the attempt under way */
    int head_status;  /* of the last response head, 0 before one came */
    bool grows;       /* a good head came: bytes may go out under tail-hold */
    uint64_t from;    /* where the try under way began */
    uint64_t resumed; /* bytes that an earlier fill has left */
    uint64_t had;     /* bytes that were there when this host was first asked */
    struct sp_source source;
    bool has_source, at_source; /* it may be asked; it is */
    bool is_mixed;              /* the upstream sent some of it before */
    bool was_absent;            /* the upstream said 404 */
    struct sp_why upstream_why; /* at_source: what was wrong with the upstream */
    unsigned tries;             /* in a row that brought next to nothing */
    bool has_mark;
    char etag[128], last_modified[64]; /* of the first good head */
    struct sp_fill_got got;
    struct sp_facts *facts; /* owned */
    struct sp_verdict verdict;
    struct sp_buf entry_text; /* owned */
    bool has_entry;
    uint64_t entry;
    int status;
    bool keep;
    struct sp_why why;
};

/* "The upstream", or "The content source HOST": who was asked last. */
const char *sp_fill_who(const struct sp_fill *f, char out[SP_FILL_WHO]);

#endif
