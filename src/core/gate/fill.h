/* A fill: one content file on its way from an upstream into the store, whatever the
 * number of askers. The same stations as the gate, and as pure.
 *
 *     FETCH (stage a place, get the bytes) -> INSPECT (digests as the bytes came, then
 *       signatures) -> JUDGE -> RECORD -> RELEASE (commit: fsync, rename) -> DONE
 *                                      -> REFUSE (quarantine, record) -> DONE
 *
 * The driver writes the bytes and computes digests; the fill decides. It starts from a
 * claim that metadata in custody makes; a body longer than the claim is cut at size + 1
 * (A9).
 *
 * Tail-hold (D11): of a file whose SHA-256 metadata names, bytes that have come may go
 * out while the rest still comes, but never the last piece before RECORD(passed):
 * sp_fill_open is the only place that says how far. What does not pass is cut there, so
 * nobody ever completes it.
 *
 * A transfer that breaks is taken up where it broke, on another connection. What is
 * staged is never fetched again or written over, for somebody may have read it: an
 * upstream that ignores the range has its bytes skipped up to there, and the digest
 * over the whole decides as ever.
 *
 * What the upstream does not deliver a content source may (source.h), where the
 * configuration names its host: once the upstream said 404 or failed, never because it
 * was refused or sent what is wrong. The source goes on where the upstream stopped,
 * over TLS first.
 *
 * The driver may fetch parts on several connections at once (roads.h): each answer is
 * held against the part that it was asked for and against the first answer of all. */
#ifndef SP_CORE_GATE_FILL_H
#define SP_CORE_GATE_FILL_H

#include "core/gate/extents.h"
#include "core/gate/gate.h"
#include "core/gate/source.h"

enum sp_fill_effect_kind {
    SP_FILL_STAGE,   /* reserve claim.size bytes */
    SP_FILL_FETCH,   /* after delay_ms: get from path what is missing */
    SP_FILL_INSPECT, /* read what is staged for its signatures */
    SP_FILL_RECORD, /* append entry; is_file: the file counts as verified from now on */
    SP_FILL_COMMIT, /* fsync and rename */
    SP_FILL_QUARANTINE, /* keep the bytes as evidence, under reason */
    SP_FILL_TELL        /* everybody who waits: an object, or status and why */
};
struct sp_fill_effect {
    enum sp_fill_effect_kind kind;
    bool over_http; /* FETCH: from the plain content port */
    uint64_t from;  /* FETCH: from the start so many bytes are staged */
    /* FETCH: whom to ask instead of the upstream, or NULL; lives as long as the fill.
     * No transfer from anybody else goes on beside it. */
    const struct sp_source *source;
    uint32_t delay_ms;
    char path[SP_CONTENT_PATH_MAX];
    struct sp_view entry; /* RECORD: canonical facts; lives as long as the fill */
    bool is_file;
    const char *reason; /* QUARANTINE: a rule's text */
    bool good;          /* TELL */
    bool keep;  /* TELL, when not good: the next fill may go on with what is staged */
    int status; /* TELL, when not good: 404, 502, 503 */
    const struct sp_why *why; /* TELL; FETCH from a source: why not from the upstream */
};

struct sp_release_conf { /* when bytes go out */
    bool tail_hold;      /* else after the verdict only */
    uint64_t hold;       /* bytes of the last piece, at least 1 */
    uint64_t threshold;  /* bytes; smaller files wait for the verdict */
};
struct sp_fill_conf { /* borrowed, outlives the fill */
    const char *upstream_name, *upstream_host;
    bool may_use_http; /* content_transport = https-or-http */
    struct sp_release_conf release;
    struct sp_source_hosts sources; /* that may be asked; none by default */
};
struct sp_fill_got { /* what came */
    uint8_t sha1[20], sha256[32];
    /* Bytes that came, over all tries; at most claim.size + 1. Of a broken fetch: those
     * at the start of the file that are there without a gap. */
    uint64_t size;
};

struct sp_fill;
enum sp_err sp_fill_new(const struct sp_fill_conf *conf, const struct sp_policy *policy,
                        const struct sp_content_path *path,
                        const struct sp_claim *claim, struct sp_fill **out) SP_MUST_USE;
void sp_fill_free(struct sp_fill **f);

/* Before the start: metadata says that the file is there as well. An address that is
 * not to be asked is passed over. */
void sp_fill_hint(struct sp_fill *f, struct sp_view url);

/* Each event gives at most one effect; *out is untouched and false is returned when
 * there is nothing to do but wait. */
bool sp_fill_start(struct sp_fill *f, struct sp_fill_effect *out);
/* resumed: so many bytes at its start an earlier fill has left, and they are what it
 * says they are. */
bool sp_fill_staged(struct sp_fill *f, enum sp_err e, uint64_t resumed,
                    const struct sp_why *why, struct sp_fill_effect *out);
struct sp_fill_part { /* a GET for some of the file, or all of it */
    struct sp_span span;
    bool is_side; /* beside the trunk: it gets what it asked for or nothing */
};
/* The response head: SP_OK to read the body, else that transfer must be ended with
 * this. *whole: the body is all of the file, not the part. */
enum sp_err sp_fill_head(struct sp_fill *f, const struct sp_http_response *head,
                         const struct sp_fill_part *part, bool *whole) SP_MUST_USE;
/* Why a side transfer was ended just now; the fill goes on as if it had not been. */
void sp_fill_excuse(struct sp_fill *f, struct sp_why *why);
/* The first byte that waits for the verdict whatever happens; 0: all of them do. Known
 * from the first good head on. */
uint64_t sp_fill_hold_at(const struct sp_fill *f);
/* Of a file of which everything before `staged` that an asker wants has come: up to
 * where may he read it now? */
uint64_t sp_fill_open(const struct sp_fill *f, uint64_t staged);
/* The fetch ended. e SP_OK: got is whole; else only its size is meant. */
bool sp_fill_fetched(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                     const struct sp_link *link, const struct sp_fill_got *got,
                     struct sp_fill_effect *out);
/* signatures: the sign.* facts, borrowed; only looked at when e is SP_OK. */
bool sp_fill_inspected(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                       const struct sp_facts *signatures, int64_t now,
                       struct sp_fill_effect *out);
bool sp_fill_recorded(struct sp_fill *f, enum sp_err e, uint64_t entry,
                      const struct sp_why *why, struct sp_fill_effect *out);
/* After COMMIT or QUARANTINE. */
bool sp_fill_stored(struct sp_fill *f, enum sp_err e, const struct sp_why *why,
                    struct sp_fill_effect *out);

enum sp_station sp_fill_station(const struct sp_fill *f);
const struct sp_verdict *sp_fill_verdict(const struct sp_fill *f);
/* The content source that was asked last; NULL: none was. */
const struct sp_source *sp_fill_source(const struct sp_fill *f);
bool sp_fill_entry(const struct sp_fill *f, uint64_t *entry);

/* fill_keep.c: what an entry says of signatures, out of all that is known of them: so
 * much that it always fits. For whoever else records a file, too. */
enum sp_err sp_fill_keep(const struct sp_facts *signatures,
                         struct sp_facts *entry) SP_MUST_USE;

#endif
