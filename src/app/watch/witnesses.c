#include "app/watch/witnesses.h"

#include "app/log/log.h"
#include "app/offline/renewer.h"
#include "core/custody/testimony.h"
#include "core/wsus/claim.h"
#include "io/store/catalog.h"

#include <stdlib.h>
#include <string.h>

/* ---- asking ---------------------------------------------------------------------- */

static enum sp_testimony of_book(const struct sp_tier_book *book,
                                 const struct sp_revision_id *id,
                                 const uint8_t document_sha256[32])
{
    const struct sp_tier_row *row = sp_tier_book_find(book, id);
    if (!row) {
        return SP_TESTIMONY_MISSING;
    }
    return memcmp(row->document_sha256, document_sha256, 32) == 0
               ? SP_TESTIMONY_AGREES
               : SP_TESTIMONY_CONTRADICTS;
}

static enum sp_testimony of_catalog(enum sp_witness w)
{
    switch (w) {
    case SP_WITNESS_ABSENT:
        return SP_TESTIMONY_MISSING;
    case SP_WITNESS_APPEARS:
        return SP_TESTIMONY_AGREES;
    case SP_WITNESS_CONTRADICTS:
        break;
    }
    return SP_TESTIMONY_CONTRADICTS;
}

static enum sp_err ask_catalog(struct sp_catalog *k, const char *name,
                               const struct sp_revision *r)
{
    const struct sp_catalog_about *about = sp_catalog_about(k);
    struct sp_catalog_testimony t;
    struct sp_catalog_claim *claims = calloc(r->claim_count + 1, sizeof *claims);
    if (!claims) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < r->claim_count; i++) {
        claims[i].has_sha256 = r->claims[i].has_sha256;
        memcpy(claims[i].sha1, r->claims[i].sha1, sizeof claims[i].sha1);
        memcpy(claims[i].sha256, r->claims[i].sha256, sizeof claims[i].sha256);
    }
    enum sp_err e =
        sp_catalog_witness(k, &r->id.id, r->id.number, claims, r->claim_count, &t);
    free(claims);
    SP_TRY(e);
    SP_TRY(sp_witness_to_facts(t.witness, about->sha256, about->signed_at, r->facts));
    return sp_testimony_say(r->facts, name, of_catalog(t.witness));
}

enum sp_err sp_witnesses_open_catalog(struct sp_renewer *renewer,
                                      struct sp_catalog **out)
{
    enum { TRIES = 3 }; /* it may be replaced between the two calls */
    char path[SP_CATALOG_PATH];
    enum sp_err e = SP_E_NOTFOUND;
    for (int i = 0; e == SP_E_NOTFOUND && i < TRIES && renewer; i++) {
        e = sp_renewer_index(renewer, path) ? sp_catalog_open(path, out, NULL)
                                            : SP_E_UNAVAILABLE;
    }
    return e;
}

static enum sp_err catalog_testifies(struct sp_renewer *renewer, const char *name,
                                     struct sp_reply *reply)
{
    SP_AUTO(sp_catalog_close) struct sp_catalog *k = NULL;
    SP_TRY(sp_witnesses_open_catalog(renewer, &k));
    for (size_t i = 0; i < reply->revision_count; i++) {
        SP_TRY(ask_catalog(k, name, &reply->revisions[i]));
    }
    return SP_OK;
}

static enum sp_err book_testifies(const struct sp_tier_book *book, const char *name,
                                  struct sp_reply *reply)
{
    for (size_t i = 0; i < reply->revision_count; i++) {
        const struct sp_revision *r = &reply->revisions[i];
        SP_TRY(sp_testimony_say(r->facts, name,
                                of_book(book, &r->id, r->document_sha256)));
    }
    return SP_OK;
}

enum sp_err sp_witnesses_testify(const struct sp_world *w, struct sp_renewer *renewer,
                                 struct sp_reply *reply)
{
    const struct sp_config *c = w->config;
    for (size_t i = 0; reply->revision_count && i < c->witness_count; i++) {
        const struct sp_config_witness *k = &c->witnesses[i];
        enum sp_err e = SP_OK;
        if (k->kind == SP_WITNESS_EXPORT) {
            e = book_testifies(&w->books[i].book, k->name, reply);
        } else if (k->kind == SP_WITNESS_CATALOG) {
            e = catalog_testifies(renewer, k->name, reply);
        }
        if (e == SP_E_NOMEM || e == SP_E_LIMIT) {
            return e;
        }
        if (e != SP_OK) {
            sp_log_say(SP_LOG_WARNING, "witness", "%s cannot be asked: %s", k->name,
                       sp_err_text(e));
        }
    }
    return SP_OK;
}

/* ---- history --------------------------------------------------------------------- */

static enum sp_err read_claims(const struct sp_facts *f, struct sp_catalog_claim **out,
                               size_t *count)
{
    struct sp_fact_value v;
    struct sp_claim claim;
    size_t n = sp_facts_count(f, SP_FACT_FILE_CLAIM);
    struct sp_catalog_claim *claims = calloc(n + 1, sizeof *claims);
    if (!claims) {
        return SP_E_NOMEM;
    }
    *count = 0;
    for (size_t i = 0; i < n && sp_facts_get(f, SP_FACT_FILE_CLAIM, i, &v); i++) {
        if (sp_claim_parse(v.bytes, &claim) == SP_OK) {
            struct sp_catalog_claim *c = &claims[(*count)++];
            c->has_sha256 = claim.has_sha256;
            memcpy(c->sha1, claim.sha1, sizeof c->sha1);
            memcpy(c->sha256, claim.sha256, sizeof c->sha256);
        }
    }
    *out = claims;
    return SP_OK;
}

static enum sp_err catalog_says(struct sp_catalog *k, const struct sp_witness_past *p,
                                enum sp_testimony *out)
{
    struct sp_catalog_claim *claims = NULL;
    struct sp_catalog_testimony t;
    size_t count = 0;
    SP_TRY(read_claims(p->facts, &claims, &count));
    enum sp_err e = sp_catalog_witness(k, &p->id->id, p->id->number, claims, count, &t);
    free(claims);
    if (e == SP_OK) {
        *out = of_catalog(t.witness);
    }
    return e == SP_E_NOMEM ? e : SP_OK; /* else it says nothing */
}

enum sp_err sp_witnesses_review(const struct sp_world *w, struct sp_catalog *catalog,
                                const struct sp_witness_past *past,
                                enum sp_testimony *said)
{
    const struct sp_config *c = w->config;
    for (size_t i = 0; i < c->witness_count; i++) {
        said[i] = SP_TESTIMONY_COUNT;
        if (c->witnesses[i].kind == SP_WITNESS_EXPORT) {
            said[i] = of_book(&w->books[i].book, past->id, past->document_sha256);
        } else if (c->witnesses[i].kind == SP_WITNESS_CATALOG && catalog) {
            SP_TRY(catalog_says(catalog, past, &said[i]));
        }
    }
    return SP_OK;
}
