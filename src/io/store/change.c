#include "io/store/change.h"

#include "core/base/text.h"
#include "core/wsus/claim.h"
#include "core/wsus/fragment.h"

#include <string.h>

static bool is_text(const struct sp_facts *f, enum sp_fact k, const char *text)
{
    struct sp_fact_value v;
    return sp_facts_get(f, k, 0, &v) && sp_view_eq_str(v.bytes, text);
}

static bool get_bytes(const struct sp_facts *f, enum sp_fact k, uint8_t *out, size_t n)
{
    struct sp_fact_value v;
    if (sp_facts_count(f, k) != 1 || !sp_facts_get(f, k, 0, &v) || v.bytes.len != n) {
        return false;
    }
    memcpy(out, v.bytes.data, n);
    return true;
}

static bool get_number(const struct sp_facts *f, enum sp_fact k, int64_t max,
                       int64_t *out)
{
    struct sp_fact_value v;
    if (sp_facts_count(f, k) != 1 || !sp_facts_get(f, k, 0, &v) || v.number < 0 ||
        v.number > max) {
        return false;
    }
    *out = v.number;
    return true;
}

static bool read_id(struct sp_change *c)
{
    int64_t number = 0;
    if (!get_bytes(c->facts, SP_FACT_UPDATE_ID, c->id.id.bytes, 16) ||
        !get_number(c->facts, SP_FACT_UPDATE_REVISION, INT32_MAX, &number)) {
        return false;
    }
    c->id.number = (int32_t)number;
    return true;
}

static bool read_revision(struct sp_change *c)
{
    return read_id(c) &&
           get_bytes(c->facts, SP_FACT_DOCUMENT_SHA256, c->document_sha256, 32);
}

static bool read_withheld(struct sp_change *c)
{
    struct sp_fact_value policy;
    if (!sp_facts_get(c->facts, SP_FACT_VERDICT_POLICY, 0, &policy)) {
        return false;
    }
    c->policy = policy.bytes;
    c->for_part = is_text(c->facts, SP_FACT_VERDICT_RULE, "bundle-whole");
    c->quarantined = is_text(c->facts, SP_FACT_VERDICT_ACTION, "quarantine");
    return read_id(c);
}

static bool read_file(struct sp_change *c)
{
    int64_t size = 0;
    if (!get_bytes(c->facts, SP_FACT_FILE_SHA1, c->sha1, 20) ||
        !get_bytes(c->facts, SP_FACT_FILE_SHA256, c->sha256, 32) ||
        !get_number(c->facts, SP_FACT_FILE_SIZE, INT64_MAX, &size)) {
        return false;
    }
    c->size = (uint64_t)size;
    c->tree.known = sp_facts_count(c->facts, SP_FACT_FILE_TREE) != 0;
    return !c->tree.known ||
           get_bytes(c->facts, SP_FACT_FILE_TREE, c->tree.hash, sizeof c->tree.hash);
}

static bool are_claims_readable(const struct sp_facts *f)
{
    struct sp_fact_value v;
    struct sp_claim claim;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_FILE_CLAIM, i, &v); i++) {
        if (sp_claim_parse(v.bytes, &claim) != SP_OK) {
            return false;
        }
    }
    return true;
}

/* A file that was refused is not verified, whatever its digests are. */
static enum sp_change_kind kind_of(const struct sp_facts *f)
{
    if (is_text(f, SP_FACT_ENTRY_KIND, "revision")) {
        return SP_CHANGE_REVISION;
    }
    if (is_text(f, SP_FACT_ENTRY_KIND, "claims")) {
        return SP_CHANGE_CLAIMS;
    }
    if (is_text(f, SP_FACT_ENTRY_KIND, "withheld")) {
        return SP_CHANGE_WITHHELD;
    }
    if (is_text(f, SP_FACT_ENTRY_KIND, "released")) {
        return SP_CHANGE_RELEASED;
    }
    bool is_passed = is_text(f, SP_FACT_VERDICT_RULING, "passed");
    return is_passed && is_text(f, SP_FACT_ENTRY_KIND, "file") ? SP_CHANGE_FILE
                                                               : SP_CHANGE_NONE;
}

static bool read_kind(struct sp_change *c)
{
    c->kind = kind_of(c->facts);
    switch (c->kind) {
    case SP_CHANGE_NONE:
        return true;
    case SP_CHANGE_REVISION:
    case SP_CHANGE_CLAIMS:
        return read_revision(c) && are_claims_readable(c->facts);
    case SP_CHANGE_FILE:
        return read_file(c);
    case SP_CHANGE_WITHHELD:
        return read_withheld(c);
    case SP_CHANGE_RELEASED:
        return read_id(c);
    }
    return false;
}

enum sp_err sp_change_read(struct sp_view entry, struct sp_change *out,
                           struct sp_why *why)
{
    struct sp_change c = {.kind = SP_CHANGE_NONE};
    SP_TRY(sp_facts_decode(entry, &c.facts, why));
    if (!read_kind(&c)) {
        sp_change_fini(&c);
        return sp_why_set(why, SP_E_MALFORMED, "an entry lacks what its kind needs");
    }
    *out = c;
    return SP_OK;
}

void sp_change_fini(struct sp_change *c)
{
    sp_facts_free(&c->facts);
}

static enum sp_err put_claims(const struct sp_change *c, struct sp_index *ix,
                              uint64_t number)
{
    struct sp_fact_value v;
    struct sp_claim claim;
    for (size_t i = 0; sp_facts_get(c->facts, SP_FACT_FILE_CLAIM, i, &v); i++) {
        SP_TRY(sp_claim_parse(v.bytes, &claim));
        SP_TRY(sp_index_put_claim(ix, &claim, number));
    }
    return SP_OK;
}

/* A member that is named without its number is no single revision. */
static enum sp_err put_needs(const struct sp_change *c, struct sp_index *ix)
{
    struct sp_fact_value v;
    struct sp_revision_id child;
    for (size_t i = 0; sp_facts_get(c->facts, SP_FACT_DOCUMENT_BUNDLES, i, &v); i++) {
        if (sp_revision_id_parse(v.bytes, &child) == SP_OK) {
            SP_TRY(sp_index_put_need(ix, &child, &c->id));
        }
    }
    return SP_OK;
}

static enum sp_err list_derived(const struct sp_facts *f, struct sp_buf *rows)
{
    struct sp_fact_value v;
    for (enum sp_derived_kind k = 0; k < SP_DERIVED_KINDS; k++) {
        for (size_t i = 0; sp_facts_get(f, sp_derived_fact(k), i, &v); i++) {
            if (v.bytes.len == SP_DERIVED_ROW - 1) {
                SP_TRY(sp_buf_append_byte(rows, (uint8_t)k));
                SP_TRY(sp_buf_append(rows, v.bytes));
            }
        }
    }
    return SP_OK;
}

static enum sp_err put_derived(const struct sp_change *c, struct sp_index *ix)
{
    struct sp_buf rows;
    sp_buf_init(&rows, SP_LIMIT_LEDGER_ENTRY);
    enum sp_err e = list_derived(c->facts, &rows);
    if (e == SP_OK && rows.len) {
        e = sp_index_put_derived(ix, &c->id, sp_buf_view(&rows));
    }
    sp_buf_fini(&rows);
    return e;
}

static enum sp_err put_named(const struct sp_change *c, struct sp_index *ix,
                             uint64_t number)
{
    SP_TRY(put_claims(c, ix, number));
    SP_TRY(put_derived(c, ix));
    return put_needs(c, ix);
}

int64_t sp_change_time(const struct sp_change *c)
{
    struct sp_fact_value v;
    int64_t t = 0;
    bool known = sp_facts_get(c->facts, SP_FACT_ENTRY_TIME, 0, &v) &&
                 sp_time_parse(v.bytes, &t) == SP_OK;
    return known ? t : 0;
}

static enum sp_err put_revision(const struct sp_change *c, struct sp_index *ix,
                                uint64_t number, struct sp_index_counts *counts)
{
    struct sp_index_revision known;
    enum sp_err e = sp_index_revision(ix, &c->id, &known);
    if (e == SP_E_NOTFOUND) {
        counts->revisions++;
        counts->newest = sp_change_time(c);
        e = sp_index_put_revision(ix, &c->id, c->document_sha256, number);
    }
    SP_TRY(e);
    SP_TRY(sp_index_drop_withheld(ix, &c->id, false)); /* it passed after all */
    return put_named(c, ix, number);
}

static enum sp_err put_file(const struct sp_change *c, struct sp_index *ix,
                            uint64_t number, struct sp_index_counts *counts)
{
    struct sp_index_file known;
    enum sp_err e = sp_index_file(ix, c->sha1, &known);
    if (e == SP_E_NOTFOUND) {
        counts->files++;
        known = (struct sp_index_file){.size = c->size, .tree = c->tree};
        memcpy(known.sha256, c->sha256, sizeof known.sha256);
        e = sp_index_put_file(ix, c->sha1, &known, number);
    }
    return e;
}

enum sp_err sp_change_apply(const struct sp_change *c, struct sp_index *ix,
                            uint64_t number, struct sp_index_counts *counts)
{
    switch (c->kind) {
    case SP_CHANGE_NONE:
        return SP_OK;
    case SP_CHANGE_REVISION:
        return put_revision(c, ix, number, counts);
    case SP_CHANGE_CLAIMS:
        return put_named(c, ix, number);
    case SP_CHANGE_FILE:
        return put_file(c, ix, number, counts);
    case SP_CHANGE_WITHHELD:
        return c->for_part ? put_needs(c, ix)
                           : sp_index_put_withheld(ix, &c->id, c->policy,
                                                   c->quarantined, number);
    case SP_CHANGE_RELEASED:
        return sp_index_drop_withheld(ix, &c->id, true);
    }
    return SP_E_INTERNAL;
}
