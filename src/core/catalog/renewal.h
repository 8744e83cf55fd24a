/* When the offline catalogue is looked for, and what becomes of what came: a pure
 * machine. Events go in, one effect comes out of each; the caller performs it and says
 * what came.
 *
 *     FETCH -> (304) -> FETCH after the interval
 *           -> (200) -> PROVE -> COMMIT -> FETCH after the interval
 *     what fails or is refused -> FETCH on a new connection: soon, then ever later
 *
 * Knows: HTTP heads, waiting times. Refuses to know: sockets, files, signatures.
 * Nothing here ever gives up the catalogue in force: it is replaced by COMMIT, or it
 * stays. One thread. */
#ifndef SP_CORE_CATALOG_RENEWAL_H
#define SP_CORE_CATALOG_RENEWAL_H

#include "core/catalog/proof.h"
#include "core/http/http.h"

/* A second try follows at once, as one connection may be at fault; then waits double up
 * to the interval, because a catalogue may have a GB. Milliseconds. */
#define SP_RENEWAL_SOON  2000
#define SP_RENEWAL_LATER 300000

enum sp_renewal_kind { SP_RENEWAL_FETCH, SP_RENEWAL_PROVE, SP_RENEWAL_COMMIT };
enum sp_renewal_outcome {                  /* of the look that ended with this effect */
                          SP_RENEWAL_NONE, /* it goes on */
                          SP_RENEWAL_NEW,  /* another catalogue is in force */
                          SP_RENEWAL_SAME, /* the one in force is still the newest */
                          SP_RENEWAL_REFUSED, /* what came is not proven */
                          SP_RENEWAL_FAILED   /* it could not be found out */
};
struct sp_renewal_effect {
    enum sp_renewal_kind kind;
    uint64_t delay_ms; /* FETCH: wait so long before */
    bool conditional;  /* FETCH: with the validators of the one in force */
    bool fresh;        /* FETCH: on a connection of its own */
    enum sp_renewal_outcome outcome;
    struct sp_why why; /* of REFUSED and FAILED */
};

/* The beginning of a catalogue, kept from a download that broke off: only the rest is
 * asked for. from 0: nothing is kept. */
struct sp_renewal_part {
    uint64_t from, size; /* bytes: of it, and of the whole */
    const char *etag;    /* strong; borrowed until the fetch is over */
};

struct sp_renewal {
    uint64_t interval_ms;
    uint64_t ceiling; /* bytes a catalogue may have */
    bool has_good;    /* the one in force is there, so that 304 is an answer */
    bool fetching;    /* a FETCH was started and has not ended */
    unsigned failures;
    struct sp_renewal_part part; /* what the FETCH goes on with */
    int status;                  /* of the answer under way */
    uint64_t size;     /* bytes the catalogue has, as it announces; 0: none come */
    bool part_is_bad;  /* asked for its rest, the source did not send that */
    struct sp_why why; /* what was wrong with it */
};

void sp_renewal_init(struct sp_renewal *r, uint64_t interval_ms, uint64_t ceiling,
                     bool has_good);
/* The next look, without waiting: at the start, and whenever somebody wants it. */
void sp_renewal_look(struct sp_renewal *r, struct sp_renewal_effect *out);
/* The request goes out now. */
void sp_renewal_begun(struct sp_renewal *r, const struct sp_renewal_part *part);
/* 200 with a length within the ceiling: all of r->size bytes will come. 206: those
 * behind the part. 304: none, r->size is 0. Any error ends the fetch. */
enum sp_err sp_renewal_head(struct sp_renewal *r,
                            const struct sp_http_response *head) SP_MUST_USE;
/* The fetch is over, with its own error and sentence. */
void sp_renewal_fetched(struct sp_renewal *r, enum sp_err e, const struct sp_why *why,
                        struct sp_renewal_effect *out);
/* Digests, signature and index. e: it could not be found out. is_same: it is the one in
 * force, byte by byte. */
void sp_renewal_proved(struct sp_renewal *r, enum sp_err e, const struct sp_why *why,
                       const struct sp_catalog_ruling *ruling, bool is_same,
                       struct sp_renewal_effect *out);
void sp_renewal_committed(struct sp_renewal *r, enum sp_err e, const struct sp_why *why,
                          struct sp_renewal_effect *out);
/* The one in force was found damaged. */
void sp_renewal_lost(struct sp_renewal *r);

#endif
