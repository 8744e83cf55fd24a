/* Which entries tell the story of a KB: found by reading the ledger, so that nothing
 * but the ledger is believed. */
#include "app/bundle_tools.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/custody/bundle.h"
#include "core/wsus/claim.h"
#include "sallyport/facts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDS_MAX = 1024,
    FILES_MAX = 16384,
    NESTING_MAX = 4 /* bundles of bundles; real ones have one level */
};

struct revision_key {
    uint8_t id[16];
    int64_t number;
};

struct search {
    struct sp_ledger_files *ledger; /* borrowed */
    char line[SP_KB_TEXT + 16];     /* "document.kb 5031356\n" */
    struct revision_key ids[IDS_MAX];
    size_t id_count;
    uint8_t (*files)[20]; /* owned: SHA-1 */
    size_t file_count;
    uint64_t *at; /* owned */
    size_t count;
    struct sp_why *why;
};

bool sp_kb_parse(const char *word, char out[SP_KB_TEXT])
{
    bool named = toupper((unsigned char)word[0]) == 'K' &&
                 toupper((unsigned char)word[1]) == 'B';
    const char *digits = word + (named ? 2 : 0);
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || digits[n] || n >= SP_KB_TEXT) {
        return false;
    }
    memcpy(out, digits, n + 1);
    return true;
}

/* ---- what is looked for -----------------------------------------------------------
 */

static bool has_id(const struct search *s, const struct revision_key *k)
{
    for (size_t i = 0; i < s->id_count; i++) {
        if (s->ids[i].number == k->number && memcmp(s->ids[i].id, k->id, 16) == 0) {
            return true;
        }
    }
    return false;
}

static enum sp_err add_id(struct search *s, const struct revision_key *k)
{
    if (has_id(s, k)) {
        return SP_OK;
    }
    if (s->id_count == IDS_MAX) {
        return sp_why_set(s->why, SP_E_LIMIT, "more than %d revisions belong to it",
                          IDS_MAX);
    }
    s->ids[s->id_count++] = *k;
    return SP_OK;
}

static bool has_file(const struct search *s, struct sp_view sha1)
{
    for (size_t i = 0; sha1.len == 20 && i < s->file_count; i++) {
        if (memcmp(s->files[i], sha1.data, 20) == 0) {
            return true;
        }
    }
    return false;
}

static enum sp_err add_file(struct search *s, const uint8_t sha1[20])
{
    if (has_file(s, sp_view(sha1, 20))) {
        return SP_OK;
    }
    if (s->file_count == FILES_MAX) {
        return sp_why_set(s->why, SP_E_LIMIT, "more than %d files belong to it",
                          FILES_MAX);
    }
    memcpy(s->files[s->file_count++], sha1, 20);
    return SP_OK;
}

/* ---- entries ----------------------------------------------------------------------
 */

static bool key_of(const struct sp_facts *f, struct revision_key *out)
{
    struct sp_fact_value id, number;
    if (!sp_facts_get(f, SP_FACT_UPDATE_ID, 0, &id) ||
        !sp_facts_get(f, SP_FACT_UPDATE_REVISION, 0, &number)) {
        return false;
    }
    memcpy(out->id, id.bytes.data, 16);
    out->number = number.number;
    return true;
}

/* "UpdateID.RevisionNumber" of DOCUMENT_BUNDLES. */
static bool key_parse(struct sp_view text, struct revision_key *out)
{
    struct sp_guid guid;
    size_t dot = sp_view_find(text, '.');
    if (sp_guid_parse(sp_view_slice(text, 0, dot), &guid) != SP_OK ||
        sp_i64_parse(sp_view_slice(text, dot + 1, text.len), 0, INT32_MAX,
                     &out->number) != SP_OK) {
        return false;
    }
    memcpy(out->id, guid.bytes, 16);
    return true;
}

/* Whatever an entry about a wanted revision leads to. */
static enum sp_err follow(struct search *s, const struct sp_facts *f)
{
    struct sp_fact_value v;
    struct revision_key k;
    struct sp_claim c;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_BUNDLES, i, &v); i++) {
        SP_TRY(key_parse(v.bytes, &k) ? add_id(s, &k) : SP_OK);
    }
    for (size_t i = 0; sp_facts_get(f, SP_FACT_FILE_CLAIM, i, &v); i++) {
        SP_TRY(sp_claim_parse(v.bytes, &c) == SP_OK ? add_file(s, c.sha1) : SP_OK);
    }
    return SP_OK;
}

static bool is_about(const struct search *s, const struct sp_facts *f)
{
    struct revision_key k;
    struct sp_fact_value v;
    if (key_of(f, &k)) {
        return has_id(s, &k);
    }
    return sp_facts_get(f, SP_FACT_FILE_SHA1, 0, &v) && has_file(s, v.bytes);
}

/* Most entries are about something else: told by their bytes, before they are read. */
static bool may_matter(const struct search *s, struct sp_view entry)
{
    static const char id[] = "\nupdate.id ", sha1[] = "\nfile.sha1 ";
    return memmem(entry.data, entry.len, s->line, strlen(s->line)) ||
           (s->id_count && memmem(entry.data, entry.len, id, sizeof id - 1)) ||
           (s->file_count && memmem(entry.data, entry.len, sha1, sizeof sha1 - 1));
}

static enum sp_err look_at(struct search *s, struct sp_view entry, bool *matters)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct revision_key k;
    *matters = false;
    if (!may_matter(s, entry)) {
        return SP_OK;
    }
    SP_TRY(sp_facts_decode(entry, &f, s->why));
    bool names_it = memmem(entry.data, entry.len, s->line, strlen(s->line)) != NULL;
    if (names_it && key_of(f, &k)) {
        SP_TRY(add_id(s, &k));
    }
    *matters = is_about(s, f);
    return *matters ? follow(s, f) : SP_OK;
}

/* ---- the search -------------------------------------------------------------------
 */

static enum sp_err scan(struct search *s, bool keep)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    for (uint64_t n = 0; n < sp_ledger_size(s->ledger); n++) {
        bool matters = false;
        sp_buf_clear(&text);
        SP_TRY(sp_ledger_read(s->ledger, n, &text, s->why));
        SP_TRY(look_at(s, sp_buf_view(&text), &matters));
        if (matters && keep && s->count == SP_LIMIT_BUNDLE_ENTRIES) {
            return sp_why_set(s->why, SP_E_LIMIT, "more than %d entries tell of it",
                              SP_LIMIT_BUNDLE_ENTRIES);
        }
        if (matters && keep) {
            s->at[s->count++] = n;
        }
    }
    return SP_OK;
}

/* A revision may be recorded before what bundles it: again, until nothing is added. */
static enum sp_err search(struct search *s)
{
    size_t before = SIZE_MAX;
    for (int i = 0; i < NESTING_MAX && before != s->id_count + s->file_count; i++) {
        before = s->id_count + s->file_count;
        SP_TRY(scan(s, false));
    }
    return scan(s, true);
}

enum sp_err sp_kb_find(struct sp_ledger_files *l, const char *kb,
                       struct sp_kb_entries *out, struct sp_why *why)
{
    struct search *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    s->ledger = l;
    s->why = why;
    s->files = calloc(FILES_MAX, sizeof *s->files);
    s->at = calloc(SP_LIMIT_BUNDLE_ENTRIES, sizeof *s->at);
    snprintf(s->line, sizeof s->line, "document.kb %s\n", kb);
    enum sp_err e = s->files && s->at ? search(s) : SP_E_NOMEM;
    if (e == SP_OK && s->count == 0) {
        e = sp_why_set(why, SP_E_NOTFOUND, "no entry of the ledger is about KB%s", kb);
    }
    if (e == SP_OK) {
        *out = (struct sp_kb_entries){s->at, s->count};
        s->at = NULL;
    }
    free(s->files);
    free(s->at);
    free(s);
    return e;
}

static enum sp_err prove_all(struct sp_ledger_files *l, const struct sp_kb_entries *e,
                             struct sp_buf *out, struct sp_why *why)
{
    struct sp_hash_reader hashes = sp_ledger_hashes(l);
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    for (size_t i = 0; i < e->count; i++) {
        struct sp_proof proof;
        sp_buf_clear(&text);
        SP_TRY(sp_ledger_read(l, e->at[i], &text, why));
        SP_TRY(sp_merkle_prove(&hashes, e->at[i], sp_ledger_size(l), &proof));
        SP_TRY(sp_bundle_entry(out, e->at[i], sp_buf_view(&text), &proof));
    }
    return SP_OK;
}

enum sp_err sp_kb_prove(struct sp_ledger_files *l, const char *kb, struct sp_buf *out,
                        struct sp_why *why)
{
    struct sp_kb_entries entries = {0};
    char about[SP_BUNDLE_ABOUT_MAX];
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    snprintf(about, sizeof about, "KB%s", kb);
    SP_TRY(sp_kb_find(l, kb, &entries, why));
    enum sp_err e = sp_bundle_begin(out, about, entries.count);
    e = e == SP_OK ? prove_all(l, &entries, out, why) : e;
    free(entries.at);
    SP_TRY(e);
    SP_TRY(sp_ledger_checkpoint(l, &note));
    return sp_bundle_end(out, sp_buf_view(&note));
}
