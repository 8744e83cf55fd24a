/* One exchange on a lane, as the files exchange*.c share it.
 *
 * The struct lives until the asker is gone (end) and nothing that was started is still
 * under way, whichever is later. */
#ifndef SP_APP_SERVE_VISIT_H
#define SP_APP_SERVE_VISIT_H

#include "app/serve/arrival.h"
#include "app/fill/filler.h"
#include "app/log/log.h"
#include "app/shared/lane.h"
#include "app/watch/watch.h"

/* What an exchange's slot points at begins with this. */
struct visitor {
    enum visitor_kind {
        VISITOR_VISIT,
        VISITOR_CUSTODY, /* a stay: custody_serve.c */
        VISITOR_WITNESS  /* a stay: cosign_serve.c */
    } kind;
};

struct visit {
    struct visitor visitor;
    struct sp_lane *lane;   /* borrowed */
    struct sp_term *term;   /* held */
    struct sp_world *world; /* the term's */
    const struct sp_world_door *door;
    struct sp_exchange *exchange;       /* borrowed; NULL once the asker is gone */
    struct sp_gate *gate;               /* owned; at rest where the visit is */
    const struct sp_http_request *head; /* borrowed from the exchange, until end */
    char *names; /* owned: whom the asker's certificate is made out to, or NULL */
    bool busy;   /* something was started and will come back */
    bool is_metadata; /* it was posted */
    bool no_room;     /* answered so, without the gate */
    size_t held; /* bytes of the lane's budget */
    struct sp_peer_lease lease;
    uint64_t moved; /* bytes of the body and of the reply, or of content */
    uint64_t began_ms;
    struct sp_fetch *fetch;   /* borrowed from the pool while it runs; or */
    struct sp_joined *joined; /* what it shares with others, while that runs */
    /* content */
    bool wants;               /* want was handed to the filler */
    bool wants_fill;          /* the filler knows of want, until it was left */
    uint64_t early;           /* of a growing answer, what may go before OPEN */
    struct sp_object *object; /* shared */
    struct sp_hot_file *file; /* shared: its bytes; NULL: they are read from the disk */
    /* From here on what only metadata has; nobody clears it for others. FETCH */
    struct visit *joined_next, **joined_previous;
    struct sp_arrival *arrival; /* shared; the gate reads it until it is edited */
    int reply_status;
    struct sp_preview *preview; /* owned; of arrival, until it is inspected, or NULL */
    struct sp_relay *relay; /* owned; the same, of one that goes out already, or NULL */
    /* INSPECT and EDIT */
    struct sp_inspection inspection;
    uint8_t digest[32]; /* DIGEST */
    enum sp_err edited;
    struct sp_buf made; /* owned: what goes out instead, until the gate takes it */
    /* ASK_REVISIONS and RECORD */
    struct sp_known_revision *known;
    size_t asked_parts; /* the last of ask.ids: no revisions of the reply */
    struct sp_ask_files files;
    struct sp_gate_file *asked_files; /* the gate's, while the keeper is asked */
    struct sp_tier_said *said;        /* owned */
    const struct sp_revision *asked_revisions; /* the gate's */
    size_t witness;                            /* the section that is asked */
    struct sp_record_entry *entries;
    struct sp_record_revision *revisions;
    /* From here on each is written whole before it is read, so that most visits, which
     * need none of them, need not clear them: */
    char peer[64], host[256], coding[64], type[256];
    struct sp_gate_object object_view;
    struct sp_job job;
    struct sp_effect task;
    struct sp_ask_revisions ask;
    struct sp_tier_ask tier;
    struct sp_record record;
    struct sp_ask_claim claim;
    struct sp_want want;
};

#define VISIT_OF(pointer, member) SP_HOLDER(pointer, struct visit, member)

/* The life of one, and what comes back to it. */
void sp_visit_free(struct visit *v);
/* Something came back. True when the asker is still there and the gate wants to know.
 */
bool sp_visit_came_back(struct visit *v);
void sp_visit_perform(struct visit *v, const struct sp_step *step);
/* For joined.c: what FETCH is made of. The reply is v->arrival; a fetch that came back
 * goes to the gate; the upstream's answers are counted. */
/* Hands e on, counted where it says that the memory of metadata is used up. */
enum sp_err sp_visit_count_busy(struct sp_lane *lane, enum sp_err e) SP_MUST_USE;
void sp_visit_fetched(struct visit *v, enum sp_err e,
                      const struct sp_link_report *report);
void sp_visit_count_upstream(struct sp_lane *lane, const struct sp_world *w,
                             const struct sp_world_door *door, enum sp_err e,
                             const struct sp_link_report *r);
/* would_refuse: "rule-a, rule-b": what audit mode is for. */
void sp_visit_log_audited(struct sp_log *l, uint64_t audited);
void sp_visit_copy_header(const struct sp_http_headers *h, const char *name, char *out,
                          size_t size);

/* SP_E_NOMEM where all exchanges together hold as much as they may; twice the bytes,
 * because buffers grow by doubling. Given back with the visit. */
enum sp_err sp_visit_hold(struct visit *v, size_t bytes, struct sp_why *why) SP_MUST_USE;
void sp_visit_out_of_memory(struct visit *v); /* 503, come again */
/* Files that metadata names elsewhere are kept as hints before it goes out. */
void sp_visit_keep_hints(struct visit *v);
/* The request's traceparent, as it may go on; empty where there is none. */
struct sp_view sp_visit_traceparent(const struct visit *v);
/* exchange_told.c: of one that is over. */
void sp_visit_tell(struct visit *v, const struct sp_gate_summary *s, bool complete);

/* exchange_fetch.c and exchange_ledger.c: the effects that only metadata has */
void sp_visit_fetch(struct visit *v, const struct sp_effect *e);
void sp_visit_inspect(struct visit *v, const struct sp_effect *e);
void sp_visit_digest(struct visit *v, const struct sp_effect *e);
void sp_visit_edit(struct visit *v, const struct sp_effect *e);
void sp_visit_relay(struct visit *v, const struct sp_effect *e);
void sp_visit_ask_revisions(struct visit *v, const struct sp_effect *e);
void sp_visit_ask_files(struct visit *v, const struct sp_effect *e);
void sp_visit_record(struct visit *v, const struct sp_effect *e);

/* shut_out.c: as the server's handler has it; ctx is a door's. */
void sp_visit_shut_out(void *ctx, enum sp_shut_out why, const char *peer);

/* guest.c: true when this exchange is for a host that the listener is not; answered. */
bool sp_guest_is_lost(struct sp_door_context *d, struct sp_exchange *x);
struct sp_guest {
    bool has_pin; /* of the client's certificate */
    struct sp_pin pin;
    struct sp_peer_lease lease; /* to be given back by sp_guest_leaves */
};
/* False when he met a limit; answered. What is posted is metadata, the rest content;
 * what: as it is counted then. */
bool sp_guest_enters(struct sp_door_context *d, struct sp_exchange *x,
                     enum sp_asked what, struct sp_guest *out);
/* Whether the lines of the policy about peers let him have that service: custody or
 * witness. False: he was answered, and has left. */
bool sp_guest_is_welcome(struct sp_door_context *d, struct sp_exchange *x,
                         struct sp_guest *guest, enum sp_asked what);
/* Whom his certificate is made out to, ", " between; a text of the caller's, NULL where
 * he showed none. */
enum sp_err sp_guest_names(const struct sp_exchange *x, char **out) SP_MUST_USE;
/* What he came for is over and moved so many bytes. */
void sp_guest_leaves(struct sp_lane *lane, uint64_t bytes, struct sp_peer_lease *lease);

/* exchange_witness.c: asks those that are not asked elsewhere, and then calls the next.
 */
void sp_visit_ask_witnesses(struct visit *v);
/* exchange_ledger.c: they have said what they know, or e. */
void sp_visit_witnessed(struct visit *v, enum sp_err e);

/* exchange_content.c: the effects that only content has */
void sp_visit_catalog(struct visit *v, const struct sp_effect *e);
void sp_visit_lookup(struct visit *v, const struct sp_effect *e);
void sp_visit_fill(struct visit *v, const struct sp_effect *e);
void sp_visit_serve(struct visit *v, const struct sp_effect *e);
void sp_visit_follow(struct visit *v, const struct sp_effect *e);
void sp_visit_serve_growing(struct visit *v, const struct sp_effect *e);
void sp_visit_open(struct visit *v, const struct sp_effect *e);
void sp_visit_cut(struct visit *v, const struct sp_effect *e);
/* The asker of a fill is gone: frees v once the filler has let go of it. */
void sp_visit_leave(struct visit *v);

#endif
