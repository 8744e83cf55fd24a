/* A fill: one content file on its way from an upstream into the store, whatever the
 * number of askers. The same stations as the gate, and as pure.
 *
 *     FETCH (stage a place, get the bytes) -> INSPECT (digests as the bytes came) ->
 * JUDGE
 *       -> RECORD -> RELEASE (commit: fsync, rename) -> DONE
 *       -> REFUSE (quarantine, record) -> DONE
 *
 * The driver writes the bytes and computes digests; the fill decides. It starts from a
 * claim that metadata in custody makes; a body longer than the claim is cut at size + 1
 * (A9). */
#ifndef SP_CORE_GATE_FILL_H
#define SP_CORE_GATE_FILL_H

#include "core/gate/gate.h"

enum sp_fill_effect_kind {
    SP_FILL_STAGE,  /* reserve claim.size bytes; what came before, if any, is void */
    SP_FILL_FETCH,  /* GET path; over_http: the plain content port */
    SP_FILL_RECORD, /* append entry; is_file: the file counts as verified from now on */
    SP_FILL_COMMIT, /* fsync and rename */
    SP_FILL_QUARANTINE, /* keep the bytes as evidence, under reason */
    SP_FILL_TELL        /* everybody who waits: an object, or status and why */
};
struct sp_fill_effect {
    enum sp_fill_effect_kind kind;
    bool over_http; /* FETCH */
    char path[SP_CONTENT_PATH_MAX];
    struct sp_view entry; /* RECORD: canonical facts; lives as long as the fill */
    bool is_file;
    const char *reason; /* QUARANTINE: a rule's text */
    bool good;          /* TELL */
    int status;         /* TELL, when not good: 404, 502, 503 */
    const struct sp_why *why;
};

struct sp_fill_conf { /* borrowed, outlives the fill */
    const char *upstream_name, *upstream_host;
    bool may_use_http; /* content_transport = https-or-http */
};
struct sp_fill_got { /* what came */
    uint8_t sha1[20], sha256[32];
    uint64_t size; /* bytes received, at most claim.size + 1 */
};

struct sp_fill;
enum sp_err sp_fill_new(const struct sp_fill_conf *conf, const struct sp_policy *policy,
                        const struct sp_content_path *path,
                        const struct sp_claim *claim, struct sp_fill **out) SP_MUST_USE;
void sp_fill_free(struct sp_fill **f);

/* Each event gives at most one effect; *out is untouched and false is returned when
 * there is nothing to do but wait. */
bool sp_fill_start(struct sp_fill *f, struct sp_fill_effect *out);
bool sp_fill_staged(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                    struct sp_fill_effect *out);
/* The response head: SP_OK to read the body, else the fetch must be ended with this. */
enum sp_err sp_fill_head(struct sp_fill *f,
                         const struct sp_http_response *head) SP_MUST_USE;
/* The fetch ended. e SP_OK: got is whole. */
bool sp_fill_fetched(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                     const struct sp_link *link, const struct sp_fill_got *got,
                     int64_t now, struct sp_fill_effect *out);
bool sp_fill_recorded(struct sp_fill *f, enum sp_err e, uint64_t entry,
                      const struct sp_why *why, struct sp_fill_effect *out);
/* After COMMIT or QUARANTINE. */
bool sp_fill_stored(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                    struct sp_fill_effect *out);

enum sp_station sp_fill_station(const struct sp_fill *f);
const struct sp_verdict *sp_fill_verdict(const struct sp_fill *f);
bool sp_fill_entry(const struct sp_fill *f, uint64_t *entry);

#endif
