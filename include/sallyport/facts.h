/* Facts: the currency. Parsers and verifiers state them and never decide; rules read them
 * and never parse; the ledger keeps them, so that tomorrow's policy can judge again.
 *
 * A set of facts owns its values in an arena and is written by one thread; once it is
 * complete it may be read by many. Values are copied in. */
#ifndef SALLYPORT_FACTS_H
#define SALLYPORT_FACTS_H

#include "sallyport/bytes.h"

enum sp_fact {
#define FACT(name, key, kind, meaning) SP_FACT_##name,
#include "core/custody/facts.def"
#undef FACT
    SP_FACT_COUNT
};

enum sp_fact_kind {
    SP_FACT_KIND_TEXT,
    SP_FACT_KIND_INT,
    SP_FACT_KIND_FLAG,
    SP_FACT_KIND_DIGEST,
    SP_FACT_KIND_GUID
};

const char *sp_fact_key(enum sp_fact f); /* "document.sha256" */
const char *sp_fact_meaning(enum sp_fact f);
enum sp_fact_kind sp_fact_kind(enum sp_fact f);

struct sp_fact_value {
    struct sp_view bytes; /* TEXT: UTF-8; DIGEST: 1..64 bytes; GUID: 16 bytes */
    int64_t number;       /* INT; FLAG: 0 or 1 */
};

struct sp_facts;
/* ceiling in bytes: each value counts its length and 32 bytes. */
enum sp_err sp_facts_new(size_t ceiling, struct sp_facts **out) SP_MUST_USE;
void sp_facts_free(struct sp_facts **f);

/* Adding asserts that the kind is the fact's own. The same value twice is kept once.
 * Errors: SP_E_LIMIT (also for INT64_MIN), SP_E_NOMEM; SP_E_MALFORMED for a TEXT that is
 * no UTF-8, a DIGEST that is not 1..64 bytes long, a GUID that is not 16. */
enum sp_err sp_facts_text(struct sp_facts *f, enum sp_fact k, struct sp_view v) SP_MUST_USE;
enum sp_err sp_facts_int(struct sp_facts *f, enum sp_fact k, int64_t v) SP_MUST_USE;
enum sp_err sp_facts_flag(struct sp_facts *f, enum sp_fact k, bool v) SP_MUST_USE;
enum sp_err sp_facts_bytes(struct sp_facts *f, enum sp_fact k,
                           struct sp_view v) SP_MUST_USE; /* DIGEST, GUID */
/* What every ledger entry says of itself: entry.kind, and entry.time of a Unix time in
 * seconds. */
enum sp_err sp_facts_entry(struct sp_facts *f, const char *kind, int64_t unix_s) SP_MUST_USE;
/* Whatever the kind; value as sp_facts_get gives it. */
enum sp_err sp_facts_add(struct sp_facts *f, enum sp_fact k,
                         const struct sp_fact_value *v) SP_MUST_USE;
/* Bytes that this fact takes in the canonical text, at most. */
size_t sp_fact_line_max(enum sp_fact k, const struct sp_fact_value *v);
/* Copies all facts of from into f. */
enum sp_err sp_facts_merge(struct sp_facts *f, const struct sp_facts *from) SP_MUST_USE;

size_t sp_facts_count(const struct sp_facts *f, enum sp_fact k);
/* The i-th value of k in canonical order; false past the end. */
bool sp_facts_get(const struct sp_facts *f, enum sp_fact k, size_t i,
                  struct sp_fact_value *out);
/* It is there, true, and not false as well. */
bool sp_facts_has_flag(const struct sp_facts *f, enum sp_fact k);
/* Both hold exactly the same values (as sets) for their keys. */
bool sp_facts_same_set(const struct sp_facts *f, enum sp_fact a, enum sp_fact b);

/* Canonical text, one "key value\n" a value in table order, equal keys in value order;
 * TEXT has '%' and the bytes of control characters (C0, DEL, C1) written as %XX. The same
 * facts give the same bytes on every machine; that is what the ledger hashes. */
enum sp_err sp_facts_encode(const struct sp_facts *f, struct sp_buf *out) SP_MUST_USE;
/* Reads it back; refuses any other spelling of it (SP_E_MALFORMED). Unknown keys are
 * SP_E_UNSUPPORTED. */
enum sp_err sp_facts_decode(struct sp_view text, struct sp_facts **out,
                            struct sp_why *why) SP_MUST_USE;

#endif
