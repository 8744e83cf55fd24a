/* WSUS on the wire: services, operations, requests, replies, documents, content paths.
 *
 * [MS-WSUSSS] between servers, [MS-WUSP] between clients and a server. Everything that can
 * be asked is a row in services.def, ops.def and types.def; a request that does not fit its
 * row never reaches an upstream, one that fits is written anew from what was read, so that
 * no byte of the asker travels on (decision D6). Replies are inspected, never rewritten.
 *
 * Pure. What is read lives in the arena of the result. */
#ifndef SP_CORE_WSUS_WSUS_H
#define SP_CORE_WSUS_WSUS_H

#include "core/base/limits.h"
#include "core/base/text.h"
#include "sallyport/facts.h"

/* ---- routes -------------------------------------------------------------------- */

enum sp_service {
#define SERVICE(name, text, path, ns, request_limit) SP_SERVICE_##name,
#include "core/wsus/services.def"
#undef SERVICE
    SP_SERVICE_COUNT
};
const char *sp_service_path(enum sp_service s); /* canonical spelling, for the upstream */
const char *sp_service_name(enum sp_service s); /* "server-sync" */
const char *sp_service_ns(enum sp_service s);
size_t sp_service_request_limit(enum sp_service s); /* bytes of a request body */

struct sp_content_path {
    uint8_t sha1[20];
    char ext[9]; /* lower case, NUL-terminated, 1..8 letters or digits */
};
enum sp_route_kind {
    SP_ROUTE_NONE,
    SP_ROUTE_SERVICE,
    SP_ROUTE_CONTENT,
    SP_ROUTE_CATALOG /* never found here: its address is the door's */
};
struct sp_route {
    enum sp_route_kind kind;
    enum sp_service service;
    struct sp_content_path content;
};
/* Compares the raw target after ASCII case folding with the route table and the grammar
 * /Content/XX/SHA1.ext; one doubled leading slash is accepted, as real servers send it.
 * A '%', a query, dots, anything else: SP_ROUTE_NONE. */
struct sp_route sp_route(struct sp_view target);
/* "/Content/48/7B6F...4048.cab": canonical path for the upstream. */
#define SP_CONTENT_PATH_MAX 64
void sp_content_path_format(const struct sp_content_path *p, char out[SP_CONTENT_PATH_MAX]);

/* ---- operations ---------------------------------------------------------------- */

enum sp_op {
#define OP(name, text, service, action, reply, patience, twice) SP_OP_##name,
#include "core/wsus/ops.def"
#undef OP
    SP_OP_COUNT
};
const char *sp_op_text(enum sp_op op); /* "GetUpdateData" */
enum sp_service sp_op_service(enum sp_op op);
const char *sp_op_action(enum sp_op op); /* SOAPAction without quotes */
int64_t sp_op_patience(enum sp_op op);   /* milliseconds an upstream may take */
/* Changes nothing and begins nothing on the server: who asks the same, to the byte and the
 * cookie, at the same time may be given the same answer. (docs/decisions/0042) */
bool sp_op_is_shared(enum sp_op op);
/* Its replies bring no documents and nothing that is ever edited, so that their beginning
 * may go out before their end is here. (docs/decisions/0093) */
bool sp_op_streams(enum sp_op op);
/* By service and SOAPAction header value (quotes required, as on the wire). */
bool sp_op_find(enum sp_service s, struct sp_view soap_action, enum sp_op *out);

/* ---- requests ------------------------------------------------------------------ */

/* ErrorCode values, [MS-WSUSSS] 2.2.9.3 and [MS-WUSP] 2.2.2.4. */
enum sp_fault_code {
#define FAULT(name, text, who) SP_FAULT_##name,
#include "core/wsus/faults.def"
#undef FAULT
};
const char *sp_fault_text(enum sp_fault_code c);

struct sp_revision_id {
    struct sp_guid id;
    int32_t number;
};

/* A revision that is kept back, and why. */
enum sp_keeping {
    SP_KEPT_FOR_PART, /* it bundles one that is kept back */
    SP_KEPT_BY_POLICY,
    SP_KEPT_IN_QUARANTINE /* under every policy, whatever its document is by now */
};
struct sp_withheld {
    struct sp_revision_id id;
    enum sp_keeping why;
};

/* By id, then by number. */
int sp_revision_id_cmp(const struct sp_revision_id *a, const struct sp_revision_id *b);
#define SP_REVISION_TEXT (SP_GUID_TEXT + 11)
/* "11111111-2222-4333-8444-555555555555.200" */
void sp_revision_id_format(const struct sp_revision_id *r, char out[SP_REVISION_TEXT]);
/* SP_E_MALFORMED for anything else, as an id alone. */
enum sp_err sp_revision_id_parse(struct sp_view text,
                                 struct sp_revision_id *out) SP_MUST_USE;

struct sp_soap_request {
    enum sp_op op;
    struct sp_buf body;           /* owned: the rebuilt envelope, UTF-8, canonical */
    struct sp_revision_id *asked; /* GetUpdateData and GetUpdateDecryptionData: the pairs */
    size_t asked_count;
    struct sp_arena *arena; /* owned: asked lives here */
    size_t left_out;        /* MiscData whose tag nobody knows: they are not in body */
    char tag[4];            /* the first of these tags */
};
/* What an asker is told about a request that is not passed on. */
struct sp_soap_refusal {
    enum sp_fault_code code; /* InvalidParameters, InvalidCookie, ... */
    char member[64];         /* the parameter at fault, for the fault's Message */
    struct sp_why why;
};
/* Reads, checks and rebuilds; cookies says what the asker's cookies hold, NULL passes them
 * on as they are. SP_OK or, with *refusal filled, SP_E_PROTOCOL for a request that breaks
 * its schema (wrong body element, unknown or repeated member, wrong type, too many items,
 * DTD ...) or brings a cookie that is not good; SP_E_NOMEM. SOAP 1.1 only, one body element,
 * no headers. */
struct sp_cookie_reader; /* cookie.h */
enum sp_err sp_soap_request_read(enum sp_op op, struct sp_view body,
                                 const struct sp_cookie_reader *cookies,
                                 struct sp_soap_request *out,
                                 struct sp_soap_refusal *refusal) SP_MUST_USE;
void sp_soap_request_fini(struct sp_soap_request *r);
/* The Anchor of a request's filter, as it stands in the rebuilt envelope. */
bool sp_soap_request_anchor(const struct sp_soap_request *r, struct sp_view *out);

/* A fault in the shape WSUS itself uses (section 2.3 of [MS-WSUSSS] 2.2.9 in practice):
 * HTTP 500 body, text/xml. id is fresh, for correlation with the log. actor is this
 * server's own address of the service. op may be SP_OP_COUNT where it is not known; then
 * Method is left out. */
enum sp_err sp_soap_fault_write(struct sp_buf *out, enum sp_op op, enum sp_fault_code code,
                                struct sp_view message, const struct sp_guid *id,
                                struct sp_view actor) SP_MUST_USE;

/* ---- replies ------------------------------------------------------------------- */

/* A file that a document names. */
struct sp_claim {
    uint8_t sha1[20];
    uint8_t sha256[32];
    bool has_sha256;
    uint64_t size;
    char ext[9];         /* of the file name, lower case; "" when it has none */
    struct sp_view name; /* FileName, lives in the reply's arena */
};

/* Bytes of a decoded reply: of an element with its tags, or of the text between them. */
struct sp_place {
    size_t from, to;
};

struct sp_revision {
    struct sp_revision_id id;
    struct sp_place place; /* ServerSyncUpdateData */
    uint8_t document_sha256[32];
    struct sp_facts *facts; /* owned: subject REVISION, without what only the ledger knows */
    struct sp_claim *claims;
    size_t claim_count;
};

/* What GetRevisionIdList lists. */
struct sp_listed {
    struct sp_revision_id id;
    struct sp_place place; /* UpdateIdentity */
};
/* Where GetUpdateData says that a file can be had. */
struct sp_file_url {
    uint8_t sha1[20];
    struct sp_view url;    /* MUUrl, in the reply's arena; may be empty */
    struct sp_place place; /* ServerSyncUrlData */
};
enum { SP_FILE_URL = 512 }; /* bytes with the NUL; a longer one is not kept */
/* Microsoft names a file by its digest: ".../stem_<40 hex digits>.ext". */
bool sp_url_names_digest(struct sp_view url, const uint8_t sha1[20]);

/* What clients get of a document: fragment.h. */
enum sp_derived_kind {
    SP_DERIVED_CORE,
    SP_DERIVED_EXTENDED,
    SP_DERIVED_LOCALIZED,
    SP_DERIVED_KINDS
};
struct sp_derived_parts { /* of one text: one kind, usually */
    bool has[SP_DERIVED_KINDS];
    uint8_t sha256[SP_DERIVED_KINDS][32]; /* of the canonical form */
    bool has_id;                           /* of UpdateIdentity, in core */
    struct sp_revision_id id;
};
struct sp_shown {
    int32_t number; /* the server's own for the revision */
    struct sp_facts *told; /* owned: what its text says; NULL where there is none */
    bool is_refused;       /* by a rule about what clients are told */
    bool is_readable;
    struct sp_derived_parts parts; /* none where only number and id are told */
    struct sp_place place;         /* of the text; empty where there is none */
    struct sp_place whole;         /* of the element that all of this stands in */
    /* what custody knows, filled in once it was asked: */
    enum sp_shown_says {
        SP_SHOWN_UNKNOWN, /* the document, or what it derives, is not known */
        SP_SHOWN_AGREES,
        SP_SHOWN_DIFFERS
    } says;
    enum sp_derived_kind kind; /* of what differs */
    bool has_id;               /* always, with AGREES and DIFFERS */
    struct sp_revision_id id;  /* of the document */
    uint8_t document_sha256[32]; /* of the one in custody; with DIFFERS */
    bool has_derived;
    uint8_t derived[32]; /* what should have come; not for one of many languages */
    bool is_kept_back;   /* by the policy, or it needs something that is */
    bool needs_differing; /* it installs, through whatever bundles, what DIFFERS here */
};

/* Where a client is told to get a file: the text of Url. */
struct sp_location {
    struct sp_content_path file;
    struct sp_place place;
};

struct sp_reply {
    struct sp_facts *facts; /* owned: subject REPLY */
    bool is_fault;
    bool has_cookie;       /* the result gives one: CookieData or EncryptedData */
    struct sp_place cookie_place;
    struct sp_view cookie; /* decoded; in the arena */
    struct sp_location *locations; /* files that a server like this one has */
    size_t location_count;
    struct sp_shown *fragments; /* owned; replies to clients */
    size_t fragment_count, fragment_room;
    struct sp_revision *revisions; /* GetUpdateData only */
    size_t revision_count;
    struct sp_listed *listed; /* owned; GetRevisionIdList only */
    size_t listed_count, listed_room;
    struct sp_file_url *urls; /* owned; GetUpdateData only, by digest */
    size_t url_count, url_room;
    struct sp_arena *arena; /* owned */
};
/* Reads a decoded reply body (content coding undone) of an operation. status is the HTTP
 * status. A reply that cannot be read is not an error: its facts lack REPLY_WELLFORMED and
 * carry the reason in why; the policy refuses it. A document that cannot be read is a
 * revision with DOCUMENT_ERROR. Errors: SP_E_NOMEM, SP_E_INTERNAL. */
enum sp_err sp_reply_inspect(enum sp_op op, int status, struct sp_view body,
                             const struct sp_revision_id *asked, size_t asked_count,
                             struct sp_reply **out, struct sp_why *why) SP_MUST_USE;
/* Documents that were read while the reply was still arriving: reading.h. */
struct sp_reading;
struct sp_foresight {
    /* Moves to out, which is all zero, what was read of the compressed document whose
     * text begins at an offset of body, where it could be read; false: nobody did. */
    bool (*take)(void *ctx, size_t text_at, struct sp_reading *out);
    void *ctx;
};
/* The same reply as without foresight, which may be NULL. */
enum sp_err sp_reply_inspect_with(enum sp_op op, int status, struct sp_view body,
                                  const struct sp_revision_id *asked,
                                  size_t asked_count,
                                  const struct sp_foresight *foresight,
                                  struct sp_reply **out,
                                  struct sp_why *why) SP_MUST_USE;
/* The same of a reply that is still coming, with status 200 and as it is, of an operation
 * that streams: new, more with all of it that is there, which stays where it is, end, free.
 * *open, 0 at first: up to there it is in order, it brings nothing that might have to be
 * edited, and what ends the response is not among it, so that all of it together is no
 * reply. Any error: it is to be inspected when it is whole, and *open stays. The reply of
 * end is that which inspecting would make. */
struct sp_reply_arriving;
enum sp_err sp_reply_arriving_new(enum sp_op op,
                                  struct sp_reply_arriving **out) SP_MUST_USE;
enum sp_err sp_reply_arriving_more(struct sp_reply_arriving *a, struct sp_view so_far,
                                   size_t *open) SP_MUST_USE;
enum sp_err sp_reply_arriving_end(struct sp_reply_arriving *a, struct sp_view body,
                                  struct sp_reply **out) SP_MUST_USE;
void sp_reply_arriving_free(struct sp_reply_arriving **a);
void sp_reply_free(struct sp_reply **r);
/* Of a GetUpdateData reply, the document that has this digest; utf8 is initialised and empty.
 * SP_E_NOTFOUND: there is none, or the reply cannot be read. SP_E_NOMEM, SP_E_INTERNAL. */
enum sp_err sp_reply_document(struct sp_view body, const uint8_t sha256[32],
                              struct sp_buf *utf8) SP_MUST_USE;

/* One metadata document as UTF-8 (no declaration needed): facts DOCUMENT_* and its files.
 * Errors: SP_E_MALFORMED, SP_E_UNSUPPORTED, SP_E_LIMIT, SP_E_NOMEM, with why. */
enum sp_err sp_document_read(struct sp_view utf8, struct sp_facts *facts,
                             struct sp_arena *arena, struct sp_claim **claims,
                             size_t *claim_count, struct sp_why *why) SP_MUST_USE;

#endif
