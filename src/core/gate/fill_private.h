/* Inside of a fill: what fill.c and fill_head.c share. */
#ifndef SP_CORE_GATE_FILL_PRIVATE_H
#define SP_CORE_GATE_FILL_PRIVATE_H

#include "core/gate/fill.h"

struct sp_fill {
    const struct sp_fill_conf *conf; /* borrowed */
    const struct sp_policy *policy;  /* borrowed */
    struct sp_content_path path;
    struct sp_claim claim;
    enum sp_station station;
    bool over_http;  /* the attempt under way */
    int head_status; /* of the last response head, 0 before one came */
    bool grows;      /* a good head came: bytes may go out under tail-hold */
    uint64_t from;   /* where the try under way began */
    uint64_t resumed; /* bytes that an earlier fill has left */
    unsigned tries;  /* in a row that brought next to nothing */
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

/* fill_keep.c: what an entry says of signatures, out of all that is known of them. */
enum sp_err sp_fill_keep(const struct sp_facts *signatures,
                         struct sp_facts *entry) SP_MUST_USE;

#endif
