/* The gate: seven stations between a request and its answer, as a pure machine.
 *
 *     ADMIT -> LOOKUP -> FETCH -> INSPECT -> JUDGE -> RECORD -> RELEASE -> DONE
 *                      (REFUSE from any station) -> DONE
 *
 * Events go in, effects come out; the gate never performs. So the order of things is a
 * matter of data: no client completes before what it gets was judged and recorded, and
 * a test replays any story with a scripted clock.
 *
 * Metadata: ADMIT (transport, operation, shape; the request is rebuilt) -> FETCH ->
 * INSPECT (a job in the pool) -> LOOKUP (first documents of its revisions) -> JUDGE ->
 * RECORD -> RELEASE the very bytes, or, where something must not go out as it came, those
 * bytes after the edits (EDIT): a withheld revision is cut out, and RECORD says so.
 * Nothing new: JUDGE -> RELEASE.
 *
 * What brings no documents and nothing to edit may stream (docs/decisions/0093): its
 * beginning goes out while the gate still stands at FETCH (RELAY), and what the stations
 * say of the whole either lets its end go (OPEN) or takes it away (CUT).
 *
 * Content: ADMIT (path -> digest) -> LOOKUP (object, or a claim in custody) -> RELEASE, or
 * FETCH (join the one fill of this digest) -> RELEASE. A fill is its own machine: fill.h.
 * Under tail-hold an answer may begin while the gate still stands at FETCH: SERVE_GROWING
 * says up to where; OPEN lets the rest go once the fill passed, CUT ends it when it did
 * not.
 *
 * A gate belongs to one exchange on one loop. Everything an effect points at lives
 * until the gate is freed. Every fact the gate states about time comes in with an
 * event. */
#ifndef SP_CORE_GATE_GATE_H
#define SP_CORE_GATE_GATE_H

#include "core/base/splice.h"
#include "core/gate/seal.h"
#include "core/http/http.h"
#include "core/wsus/wsus.h"
#include "sallyport/policy.h"

enum sp_station {
#define STATION(name, text, question) SP_STATION_##name,
#include "core/gate/states.def"
#undef STATION
    SP_STATION_COUNT
};
const char *sp_station_text(enum sp_station s);
bool sp_station_may_follow(enum sp_station from, enum sp_station to);

/* ---- what a gate is told once ---------------------------------------------------- */

/* A mode that a listener gives the rule transport-tls, or what the policy says. */
enum sp_plain_http {
    SP_PLAIN_POLICY,
    SP_PLAIN_ENFORCE,
    SP_PLAIN_AUDIT,
    SP_PLAIN_OBSERVE
};

/* Which FileLocation of a client's reply is told as this server's own. */
enum sp_locations {
    SP_LOCATIONS_CUSTODY, /* of files that documents in custody name, or verified ones */
    SP_LOCATIONS_ANY,     /* of every file; what is not in custody yet is not there yet */
    SP_LOCATIONS_RELAYED
};

struct sp_door { /* one listener; immutable, borrowed by its gates */
    const char *name;
    char *const *names; /* that askers use, name_count of them; none: any */
    size_t name_count;
    bool tls;
    enum sp_plain_http plain_http; /* SOAP over a listener without TLS */
    bool content_http;             /* verified content over a listener without TLS */
    const char
        *tls_address; /* "https://gate.example:8531" to name in refusals, or "" */
    const char *catalog_path; /* of the offline catalogue; NULL or "": none is served */
    const char *upstream_name;
    const char *upstream_host;
    bool seals_cookies; /* they leave sealed, and only sealed ones come back in */
    int64_t cookie_age; /* seconds that a sealed one is good for */
    int64_t freshness_days; /* that may bring nothing new; 0: any */
    enum sp_locations file_locations;
    const char *content_address; /* "http://gate.example:8530"; "": as the asker came */
};

struct sp_asker {
    const char *address; /* borrowed for the gate's life */
    const char *host;    /* Host of the request, for the fault's actor; borrowed */
    /* Of its TLS handshake, borrowed until sp_gate_head returns; NULL or "": none. */
    const char *tls;   /* "TLSv1.3" */
    const char *sni;   /* server name */
    const char *names; /* ", " between: whom its certificate is made out to */
    bool has_pin;
    uint8_t pin[32];
    struct sp_guid fault_id; /* fresh and random: correlates a fault with the log */
    const char *stopped;     /* why no metadata passes at all, or NULL; borrowed */
    int64_t now;             /* unix seconds, when the asker came */
    int64_t newest; /* when the newest revision was first recorded; 0: none */
    const struct sp_seal_keys *seals;    /* borrowed; where the door seals cookies */
    uint8_t seal_nonce[SP_AEAD_NONCE];   /* fresh and random: one cookie an exchange */
};

/* Where the asker stands, who it proved to be and what it asks for: what the rules about
 * peers read. request.c */
enum sp_err sp_asker_facts(const struct sp_asker *a, const char *listener,
                           const char *service, struct sp_facts *f) SP_MUST_USE;

/* ---- events ---------------------------------------------------------------------- */

/* How the upstream proved itself; from the io layer's link report. */
struct sp_link {
    bool proven;
    bool plain; /* content over http: nothing is proven about the peer */
    const char *tls;
    const uint8_t (*chain)[32]; /* SPKI SHA-256, leaf first */
    size_t chain_count;
    const uint8_t *matched; /* 32 bytes, when proven */
};

/* What the inspecting job found; made by sp_gate_inspect, owned by whoever holds it. */
struct sp_inspection {
    enum sp_err err;        /* the reply could not be decoded at all */
    struct sp_reply *reply; /* owned; NULL on err */
    struct sp_buf decoded;  /* owned; holds the body only when it was coded */
    struct sp_why why;
};
/* What the ledger of an upstream that is a sallyport says; borrowed while it is told. */
struct sp_gate_tier {
    bool required; /* what it does not hold is refused */
    const char *origin, *state, *why;
    uint64_t size; /* entries that are proven */
    unsigned cosigned_wanted;
};
enum { SP_CATEGORY_TYPE = 24 }; /* bytes of a CategoryType with its NUL */
struct sp_gate_known {
    bool known;
    uint8_t document_sha256[32];
    bool has_highest;
    int32_t highest; /* RevisionNumber recorded of this update */
    char category[SP_CATEGORY_TYPE]; /* of a part that is a category: its type, or "" */
    const struct sp_gate_tier *tier; /* NULL: no such ledger is asked for */
    bool in_tier;
    uint8_t tier_document_sha256[32];
    uint64_t tier_entry;
    unsigned tier_cosigned;
};
struct sp_gate_said { /* by a witness, of one revision */
    bool asked;       /* false: it has not been asked yet, or cannot be */
    bool known;
    uint8_t document_sha256[32];
};
struct sp_gate_file { /* of ASK_FILES */
    uint8_t sha1[20];
    bool in_custody; /* filled in */
};
struct sp_gate_object { /* what the store says of an object; borrowed until DONE */
    uint64_t size;
    const char *etag;
    int64_t last_modified;
    struct sp_view fields; /* sp_gate_object_fields of it; empty: they are made anew */
};
/* The header lines that say what an object is, whatever part of it is sent. */
enum sp_err sp_gate_object_fields(const struct sp_gate_object *o,
                                  struct sp_buf *out) SP_MUST_USE;

/* ---- effects --------------------------------------------------------------------- */

enum sp_effect_kind {
    SP_EFFECT_FETCH,         /* POST the rebuilt request to the upstream */
    SP_EFFECT_INSPECT,       /* run sp_gate_inspect over the reply, off the loop */
    SP_EFFECT_ASK_REVISIONS, /* what does the ledger know of these? */
    SP_EFFECT_ASK_FILES,     /* which of these are in custody? Are
                                fragments those of documents in custody? */
    SP_EFFECT_DIGEST,        /* run sp_gate_digest over the reply, off the loop */
    SP_EFFECT_RECORD,        /* append these entries, durably, or say who was first */
    SP_EFFECT_EDIT,          /* run sp_gate_edit over the reply, off the loop */
    SP_EFFECT_CATALOG,       /* the offline catalogue in force, if there is one */
    SP_EFFECT_LOOKUP,        /* an object for this digest, else its claim */
    SP_EFFECT_FILL,          /* join the fill of this claim */
    SP_EFFECT_ANSWER,        /* head and body in memory */
    SP_EFFECT_SERVE,         /* head, and a range of the object */
    SP_EFFECT_FOLLOW,        /* tell when the fill gave free the byte at answer.first */
    SP_EFFECT_SERVE_GROWING, /* head, and a range of the file that is being filled */
    SP_EFFECT_RELAY,         /* head, and the reply that is still coming, as it comes */
    SP_EFFECT_OPEN,          /* all of that range, or of that reply, may go out */
    SP_EFFECT_CUT            /* no byte more, and no clean end */
};

struct sp_gate_entry {
    struct sp_view text;                /* canonical facts */
    const struct sp_revision *revision; /* of a revision entry; else NULL */
};
struct sp_effect {
    enum sp_effect_kind kind;
    struct { /* FETCH */
        const char *path, *soap_action;
        struct sp_view body;
        bool accept_coded;
        bool shared; /* equal ones that are under way may have one answer */
        int64_t patience_ms;
    } fetch;
    struct { /* INSPECT */
        enum sp_op op;
        int status;
        struct sp_view coding; /* Content-Encoding, or empty */
        struct sp_view body;
        const struct sp_revision_id *asked;
        size_t asked_count;
    } inspect;
    struct { /* ASK_REVISIONS; count may be 0 */
        const struct sp_revision_id *ids;
        size_t count, parts; /* revisions of the reply; behind them: what they refer to */
        const struct sp_revision *revisions; /* as they came, count of them */
        const char *policy;  /* whose withheld revisions are wanted */
    } ask;
    struct { /* ASK_FILES */
        struct sp_gate_file *at; /* in_custody is the driver's to fill in */
        size_t count;
        struct sp_shown *shown; /* what custody says is the driver's to fill in */
        size_t shown_count;
        const char *policy; /* whose withheld revisions count */
    } files;
    struct { /* DIGEST */
        struct sp_view text;
    } digest;
    struct { /* RECORD */
        const struct sp_gate_entry *entries;
        size_t count;
    } record;
    struct { /* EDIT */
        struct sp_view text;
        struct sp_splices *splices; /* the job's own until sp_gate_edited */
        bool xpress;                /* it goes out in that coding, as it came */
    } edit;
    struct sp_content_path content; /* LOOKUP, FILL */
    struct sp_claim claim;          /* FILL; name is empty */
    struct {                        /* ANSWER and SERVE */
        int status;
        struct sp_view fields;  /* header lines */
        struct sp_view body;    /* ANSWER */
        uint64_t first, length; /* SERVE*, FOLLOW, RELAY; length 0: no body */
        uint64_t early;         /* SERVE_GROWING: of it, what may go before OPEN */
        uint64_t announce;      /* Content-Length of an answer without a body */
        bool has_announce;
        bool close;
    } answer;
};
/* A step of a gate never needs more than one. */
struct sp_step {
    bool has_effect;
    struct sp_effect effect;
};

/* ---- the machine ----------------------------------------------------------------- */

struct sp_gate;
enum sp_err sp_gate_new(const struct sp_door *door, const struct sp_policy *policy,
                        const struct sp_asker *asker, struct sp_gate **out) SP_MUST_USE;
void sp_gate_free(struct sp_gate **g);
/* Instead of freeing and making anew: a gate at rest holds a few bytes, and renewed it is
 * as new. */
void sp_gate_rest(struct sp_gate *g);
void sp_gate_renew(struct sp_gate *g, const struct sp_door *door,
                   const struct sp_policy *policy, const struct sp_asker *asker);

/* The head. *want_body: read a body of at most *ceiling bytes and call sp_gate_body;
 * else the step holds the effect. head is borrowed until the gate is freed. */
void sp_gate_head(struct sp_gate *g, const struct sp_http_request *head,
                  bool *want_body, size_t *ceiling, struct sp_step *step);
void sp_gate_body(struct sp_gate *g, struct sp_view body, struct sp_step *step);

/* May a reply with that head go out while it comes? Then sp_gate_begins is told once its
 * beginning was read (sp_reply_arriving_more), and the step has RELAY, or no effect: it
 * waits until it is whole all the same. Before sp_gate_fetched, which follows anyway. */
bool sp_gate_may_stream(const struct sp_gate *g, int status, struct sp_view coding,
                        enum sp_op *op);
void sp_gate_begins(struct sp_gate *g, struct sp_view content_type, uint64_t length,
                    const struct sp_link *link, struct sp_step *step);
/* The reply is whole. Its bytes are borrowed until sp_gate_edited, or the gate's end;
 * others may read them meanwhile. coding and type are copied. */
void sp_gate_fetched(struct sp_gate *g, int status, struct sp_view coding,
                     struct sp_view content_type, struct sp_view reply,
                     const struct sp_link *link, int64_t now, struct sp_step *step);
/* e says whether the peer failed (SP_E_TIMEOUT ...) or was refused (SP_E_UNPROVEN). */
void sp_gate_fetch_failed(struct sp_gate *g, enum sp_err e, const struct sp_why *why,
                          const struct sp_link *link, int64_t now,
                          struct sp_step *step);
/* The job: pure, for the pool. Never fails; what went wrong is in the result. */
void sp_gate_inspect(const struct sp_effect *e, struct sp_inspection *out);
/* The same of one that was read while it came, and is to be inspected where that ends
 * with an error. */
void sp_gate_inspect_arrived(const struct sp_effect *e,
                             struct sp_reply_arriving *arriving,
                             struct sp_inspection *out);
/* The same, with documents that were read while the reply arrived. */
void sp_gate_inspect_with(const struct sp_effect *e,
                          const struct sp_foresight *foresight,
                          struct sp_inspection *out);
void sp_inspection_fini(struct sp_inspection *i);
void sp_gate_inspected(struct sp_gate *g, struct sp_inspection *take,
                       struct sp_step *step);
/* Told before sp_gate_known: what is withheld, sorted; copied. SP_E_NOMEM. */
enum sp_err sp_gate_withheld(struct sp_gate *g, const struct sp_withheld *list,
                             size_t count) SP_MUST_USE;
/* known: of every id that was asked for, parts too. */
/* Told before sp_gate_known: what a witness says, one each. SP_E_NOMEM, SP_E_LIMIT. */
enum sp_err sp_gate_witness(struct sp_gate *g, const char *witness,
                            const struct sp_gate_said *said) SP_MUST_USE;
void sp_gate_known(struct sp_gate *g, enum sp_err e, const struct sp_gate_known *known,
                   struct sp_step *step);
/* ASK_FILES was answered; what it points at is filled in. */
void sp_gate_files(struct sp_gate *g, enum sp_err e, struct sp_step *step);
/* The job of DIGEST: pure, for the pool; and what it found, SHA-256 of the decoded reply.
 * Entries about refusals and edits name it; of a reply that goes out as it came nobody
 * wants it. */
void sp_gate_digest(const struct sp_effect *e, uint8_t sha256[32]);
void sp_gate_digested(struct sp_gate *g, const uint8_t sha256[32],
                      struct sp_step *step);
/* SP_OK with the number of the first entry, SP_E_CONFLICT, or a failure. SP_E_LIMIT for a
 * refusal: there were so many that this one is not recorded; it stands all the same. */
void sp_gate_recorded(struct sp_gate *g, enum sp_err e, const struct sp_why *why,
                      uint64_t first, struct sp_step *step);

/* The job of EDIT: pure, for the pool. out has room for text.len + SP_LIMIT_SPLICED, which
 * is more than its coding may need. */
enum sp_err sp_gate_edit(const struct sp_effect *e, struct sp_buf *out) SP_MUST_USE;
/* What goes out; the gate takes the bytes and looks no more at those they were made from. */
void sp_gate_edited(struct sp_gate *g, enum sp_err e, struct sp_buf *reply_take,
                    struct sp_step *step);

void sp_gate_object(struct sp_gate *g, const struct sp_gate_object *o,
                    struct sp_step *step);
/* There is no offline catalogue yet, or none any more. */
void sp_gate_no_catalog(struct sp_gate *g, struct sp_step *step);
/* No object. claim NULL: no document in custody names this digest. */
void sp_gate_claim(struct sp_gate *g, enum sp_err e, const struct sp_claim *claim,
                   struct sp_step *step);
/* The fill runs, and its bytes before hold_at may go out as they come. o is what the
 * object will be. */
void sp_gate_growing(struct sp_gate *g, const struct sp_gate_object *o,
                     uint64_t hold_at, struct sp_step *step);
/* What FOLLOW waits for is there. */
void sp_gate_begun(struct sp_gate *g, struct sp_step *step);
/* The fill ended: status 200 with an object, else the answer's status and sentence. */
void sp_gate_filled(struct sp_gate *g, const struct sp_gate_object *o, int status,
                    const struct sp_why *why, struct sp_step *step);

/* Of a GetUpdateData that goes out: where it says that files can be had; NULL for any
 * other. Lives as long as the gate. */
const struct sp_file_url *sp_gate_urls(const struct sp_gate *g, size_t *count);

/* Fragments of a reply to a client that are not those of the document in custody, from
 * RECORD on until the reply goes out; text is as it came. False: there are no more. */
struct sp_gate_difference {
    struct sp_revision_id id;
    uint8_t document_sha256[32];
    struct sp_view text; /* borrowed from the gate */
};
bool sp_gate_difference(const struct sp_gate *g, size_t i,
                        struct sp_gate_difference *out);

/* ---- what is told about it afterwards -------------------------------------------- */

enum sp_station sp_gate_station(const struct sp_gate *g);
/* What an access log line wants to know; views live as long as the gate. */
struct sp_gate_summary {
    enum sp_route_kind route;
    enum sp_service soap;  /* of SP_ROUTE_SERVICE */
    const char *service;   /* "server-sync", "content", "" */
    const char *operation; /* "GetUpdateData", "" */
    int status;
    enum sp_station decided_at; /* the station that ended it */
    enum sp_ruling ruling;
    const char *rule;  /* "" unless refused by one, as a request or for its reply */
    const char *why;   /* "" when all was well */
    const char *fault; /* ErrorCode sent or relayed, "" */
    uint32_t windows;  /* the code that Windows logs for it; 0: none */
    bool plain_http;   /* SOAP that came without TLS */
    bool is_cut;       /* its beginning went out, its end does not */
    bool has_entry;
    uint64_t entry; /* first ledger entry of this exchange */
    size_t left_out;   /* members of the request that did not travel */
    size_t revisions, recorded, removed; /* removed: taken out of the reply */
    uint64_t observed; /* rules that would have refused */
    uint64_t audited;  /* of these, those in audit mode */
};
void sp_gate_summary(const struct sp_gate *g, struct sp_gate_summary *out);

#endif
