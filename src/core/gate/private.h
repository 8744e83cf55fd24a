/* Inside of a gate: what its stations share. One file a station (or a pair); nobody
 * outside core/gate includes this. */
#ifndef SP_CORE_GATE_PRIVATE_H
#define SP_CORE_GATE_PRIVATE_H

#include "core/gate/gate.h"

struct sp_gate {
    const struct sp_door *door;         /* borrowed */
    const struct sp_policy *policy;     /* borrowed */
    struct sp_asker asker;              /* its texts are borrowed */
    const struct sp_http_request *head; /* borrowed from the exchange */
    enum sp_station station, decided_at;
    struct sp_route route;
    struct sp_facts *asked; /* owned: who asks for what; NULL: nobody judges it */
    uint64_t observed, audited; /* rules about the request that would have refused it */
    bool is_unasked;            /* a rule refused the request: */
    enum sp_rule unasked_by;
    struct sp_claim claim;               /* content: what metadata says of the file */
    bool follows, begun;                 /* content: a fill under tail-hold */
    uint64_t hold_at;                    /* the first byte that waits for its verdict */
    struct sp_http_answer part;          /* what was asked for of it */
    const struct sp_gate_object *object; /* borrowed: what is served */
    struct sp_buf fields, body;          /* owned: the answer */
    int status;
    enum sp_fault_code fault;
    bool has_op, has_verdict;
    bool has_fault, has_entry, too_many_refusals;
    struct sp_why why;
    /* From here on what only web services have, so that content, which is asked for far
     * more often, need not clear it. */
    enum sp_op op;
    struct sp_soap_request request; /* owned; all zero until it was read */
    struct sp_facts *link;          /* owned: who sent the reply, over which key */
    struct sp_view reply;           /* borrowed: the upstream's bytes as received */
    struct sp_buf edited;           /* owned: what goes out instead of them */
    struct sp_buf coding, type;     /* owned: header values of the reply */
    int reply_status;
    bool streams, is_cut;           /* the reply's beginning went out; its end does not */
    struct sp_inspection inspection; /* owned */
    int64_t now;                     /* unix seconds, of the last event that told */
    struct sp_revision_id *ids;  /* owned: revisions to look up, then part_count parts */
    size_t part_count;           /* sorted: what revisions refer to, but not in the reply */
    struct sp_revision_id *here; /* owned, sorted: the revisions of the reply */
    struct sp_gate_known *known; /* owned, one each of ids */
    struct sp_gate_file *files;      /* owned, one a location; NULL: not asked */
    bool *taken;                     /* owned, one each: it does not go out */
    struct sp_withheld *withheld;    /* owned, sorted: what is kept back already */
    size_t withheld_count;
    size_t removed; /* revisions cut out of the reply */
    bool cuts_differing;        /* fragments that differ are cut out, the rest passes */
    struct sp_revision_id *cut; /* owned, sorted: what clients are not told of */
    size_t cut_count;
    size_t told_removed; /* and how much more a rule about what they are told cut out */
    struct sp_verdict verdict;
    /* What of the reply goes out otherwise than it came: offsets of its decoded text.
     * Judging adds; it is empty again before a reply is judged anew. */
    struct sp_splices edits;
    bool edits_coded; /* after them it goes out coded again */
    struct sp_buf *texts;          /* owned: entry texts, entry_count of them */
    struct sp_gate_entry *entries; /* owned */
    size_t entry_count, entry_room;
    uint64_t entry;
    size_t recorded;
};

/* Moves; asserts that the edge is in edges.def. */
void sp_gate_move(struct sp_gate *g, enum sp_station to);

/* request.c: may this asker ask, and may the request travel as it was rebuilt? False:
 * g->why says why not, and the request is to be refused. */
bool sp_gate_judge_head(struct sp_gate *g);
bool sp_gate_judge_body(struct sp_gate *g);
void sp_gate_refuse_request(struct sp_gate *g, struct sp_step *step);
/* judge.c: g->verdict, over everything known. */
void sp_gate_judge(struct sp_gate *g);
/* What the upstream's own ledger says of every revision, as facts of it. */
enum sp_err sp_gate_tier_facts(struct sp_gate *g,
                               const struct sp_gate_known *known) SP_MUST_USE;
/* What a link report says, as facts of g->link. */
enum sp_err sp_gate_link_facts(struct sp_gate *g,
                               const struct sp_link *link) SP_MUST_USE;

/* cookies.c: opens those of a request; for sp_soap_request_read. NULL: relayed. */
const struct sp_cookie_reader *sp_gate_cookies(struct sp_gate *g,
                                               struct sp_cookie_reader *out);
/* Adds the edit that seals the cookie a reply gives. */
enum sp_err sp_gate_seal_cookie(struct sp_gate *g) SP_MUST_USE;
/* closure.c: fills in g->ids and g->here. */
enum sp_err sp_gate_list_ids(struct sp_gate *g) SP_MUST_USE;
/* States what revision i refers to and nobody knows. */
enum sp_err sp_gate_state_missing(struct sp_gate *g, size_t i) SP_MUST_USE;

/* fresh.c: says of a list that brings nothing how long that has been so. */
enum sp_err sp_gate_state_freshness(struct sp_gate *g) SP_MUST_USE;

/* withhold.c: what is known to be kept back; NULL for a revision that is not. */
const struct sp_withheld *sp_gate_kept_back(const struct sp_gate *g,
                                            const struct sp_revision_id *id);
/* States what of a bundle is kept back or taken here; *news: there is more of it than
 * was stated before. */
enum sp_err sp_gate_state_bundle(struct sp_gate *g, size_t i, bool *news) SP_MUST_USE;
/* Judging is over: edits that cut out what is taken, and what lists name of it. */
enum sp_err sp_gate_take_out(struct sp_gate *g) SP_MUST_USE;

/* locations.c: whether the ledger must be asked, the asking, and the edits that tell own
 * addresses. */
bool sp_gate_asks_files(const struct sp_gate *g);
void sp_gate_ask_files(struct sp_gate *g, struct sp_step *step);
/* shown.c: what custody says of fragments for clients, as facts of the reply. */
enum sp_err sp_gate_state_shown(struct sp_gate *g) SP_MUST_USE;
/* Is what the policy refused nothing but fragments that it withholds? Then they are cut. */
bool sp_gate_cuts_shown(struct sp_gate *g);
/* What clients are told of revisions that are not in custody: marks what is to be cut
 * out; worst refuses where the whole reply is refused for it. */
enum sp_err sp_gate_judge_told(struct sp_gate *g, struct sp_verdict *worst) SP_MUST_USE;
/* Edits that cut out updates that clients must not be told of: fills in g->cut. */
enum sp_err sp_gate_take_out_shown(struct sp_gate *g) SP_MUST_USE;
enum sp_err sp_gate_move_locations(struct sp_gate *g) SP_MUST_USE;

/* record.c: entries of the new revisions, or of the refusal. */
enum sp_err sp_gate_entries_passed(struct sp_gate *g) SP_MUST_USE;
enum sp_err sp_gate_entries_refused(struct sp_gate *g) SP_MUST_USE;
void sp_gate_entries_clear(struct sp_gate *g);
size_t sp_gate_entries_new(const struct sp_gate *g); /* revisions among them */
/* A reply may hold a revision more than once: its first document here is what the later
 * ones are compared with, as if the ledger knew it. */
void sp_gate_known_here(struct sp_gate *g);

/* The reply as it was inspected: its content coding is undone. */
struct sp_view sp_gate_text(const struct sp_gate *g);

/* answer.c: REFUSE and RELEASE. */
enum sp_err sp_gate_reply_fields(struct sp_gate *g, bool coded) SP_MUST_USE;
void sp_gate_release_reply(struct sp_gate *g, struct sp_step *step);
/* A fault of our own: moves to REFUSE and answers. message NULL: g->why. */
void sp_gate_refuse_fault(struct sp_gate *g, int status, enum sp_fault_code code,
                          const char *message, struct sp_step *step);
/* e kept us from finding out, and may not the next time: ServerBusy with g->why; 503 and
 * Retry-After where memory ran out, as overload is answered everywhere. */
void sp_gate_refuse_busy(struct sp_gate *g, enum sp_err e, struct sp_step *step);
/* Plain text, for content and for what is not SOAP. */
void sp_gate_refuse_text(struct sp_gate *g, int status, const char *message,
                         struct sp_step *step);
/* After the refusal was recorded (or could not be): the fault that names rule and
 * entry. */
void sp_gate_refuse_verdict(struct sp_gate *g, struct sp_step *step);

/* content.c */
void sp_gate_content_head(struct sp_gate *g, struct sp_step *step);
void sp_gate_catalog_head(struct sp_gate *g, struct sp_step *step);

#endif
