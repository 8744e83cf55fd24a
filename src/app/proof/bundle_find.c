/* Which entries tell the story of a KB: found by reading the ledger, so that nothing
 * but the ledger is believed. */
#include "app/base/say.h"
#include "app/proof/bundle_tools.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/custody/bundle.h"
#include "core/wsus/claim.h"
#include "sallyport/facts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_MAX = 1024, FILES_MAX = 16384 };

struct revision_key {
    uint8_t id[16];
    int64_t number;
};
/* What an entry is about, as a number: entries that are about something else may have
 * the same one, so each is read before it counts. */
struct row {
    uint64_t subject, entry;
};

struct search {
    struct sp_ledger_files *ledger; /* borrowed */
    char line[SP_KB_TEXT + 16];     /* "\ndocument.kb 5031356\n" */
    struct row *rows; /* owned: of all entries, sorted once all are here */
    size_t row_count, row_room;
    struct revision_key ids[IDS_MAX];
    size_t id_count, ids_done;
    uint8_t (*files)[20]; /* owned: SHA-1 */
    size_t file_count, files_done;
    uint64_t *at; /* owned: first those that name the KB, then all that matter */
    size_t count;
    struct sp_bar bar;
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

/* ---- what is looked for ---------------------------------------------------------- */

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
        return sp_why_set(s->why, SP_E_LIMIT, _("more than %d revisions belong to it"),
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
        return sp_why_set(s->why, SP_E_LIMIT, _("more than %d files belong to it"),
                          FILES_MAX);
    }
    memcpy(s->files[s->file_count++], sha1, 20);
    return SP_OK;
}

/* ---- entries --------------------------------------------------------------------- */

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

/* ---- the pass -------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, struct sp_view v)
{
    for (size_t i = 0; i < v.len; i++) {
        h = (h ^ v.data[i]) * 0x100000001b3u; /* FNV-1a */
    }
    return h;
}

static uint64_t number_of(struct sp_view first, struct sp_view second)
{
    return mix(mix(mix(0xcbf29ce484222325u, first), SP_VIEW(".")), second);
}

/* The value of the first line with this key; mark is "\nkey ". */
static bool line_value(struct sp_view entry, const char *mark, struct sp_view *out)
{
    size_t n = strlen(mark);
    const uint8_t *at = memmem(entry.data, entry.len, mark, n);
    if (!at) {
        return false;
    }
    size_t from = (size_t)(at - entry.data) + n;
    *out = sp_view_slice(entry, from, entry.len);
    *out = sp_view_slice(*out, 0, sp_view_find(*out, '\n'));
    return true;
}

static enum sp_err add_row(struct search *s, uint64_t subject, uint64_t entry)
{
    if (s->row_count == s->row_room) {
        size_t room = s->row_room ? 2 * s->row_room : 4096;
        struct row *more = reallocarray(s->rows, room, sizeof *more);
        if (!more) {
            return SP_E_NOMEM;
        }
        s->rows = more;
        s->row_room = room;
    }
    s->rows[s->row_count++] = (struct row){subject, entry};
    return SP_OK;
}

static enum sp_err add_entry(struct search *s, uint64_t n)
{
    if (s->count == SP_LIMIT_BUNDLE_ENTRIES) {
        return sp_why_set(s->why, SP_E_LIMIT, _("more than %d entries tell of it"),
                          SP_LIMIT_BUNDLE_ENTRIES);
    }
    s->at[s->count++] = n;
    return SP_OK;
}

/* An entry is read as it is written, by its lines; only what matters is decoded. */
static enum sp_err look_at(void *ctx, uint64_t n, struct sp_view entry)
{
    struct search *s = ctx;
    struct sp_view id, revision, sha1;
    sp_bar_at(&s->bar, n + 1);
    if (line_value(entry, "\nupdate.id ", &id) &&
        line_value(entry, "\nupdate.revision ", &revision)) {
        SP_TRY(add_row(s, number_of(id, revision), n));
    } else if (line_value(entry, "\nfile.sha1 ", &sha1)) {
        SP_TRY(add_row(s, number_of(sha1, SP_VIEW("")), n));
    }
    bool names_it = memmem(entry.data, entry.len, s->line, strlen(s->line)) != NULL;
    return names_it ? add_entry(s, n) : SP_OK;
}

/* ---- what matters ---------------------------------------------------------------- */

static enum sp_err read_facts(struct search *s, uint64_t n, struct sp_facts **out)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    SP_TRY(sp_ledger_read(s->ledger, n, &text, s->why));
    return sp_facts_decode(sp_buf_view(&text), out, s->why);
}

/* The entries that name the KB say which revisions are meant. */
static enum sp_err take_seeds(struct search *s)
{
    size_t seeds = s->count;
    for (size_t i = 0; i < seeds; i++) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        struct revision_key k;
        SP_TRY(read_facts(s, s->at[i], &f));
        SP_TRY(key_of(f, &k) ? add_id(s, &k) : SP_OK);
    }
    s->count = 0;
    return SP_OK;
}

static bool is_id(const struct sp_facts *f, const struct revision_key *wanted)
{
    struct revision_key k;
    return key_of(f, &k) && k.number == wanted->number &&
           memcmp(k.id, wanted->id, sizeof k.id) == 0;
}

static bool is_file(const struct sp_facts *f, const uint8_t sha1[20])
{
    struct revision_key k;
    struct sp_fact_value v;
    return !key_of(f, &k) && sp_facts_get(f, SP_FACT_FILE_SHA1, 0, &v) &&
           v.bytes.len == 20 && memcmp(v.bytes.data, sha1, 20) == 0;
}

static int by_subject(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->subject != y->subject) {
        return x->subject < y->subject ? -1 : 1;
    }
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static size_t first_row(const struct search *s, uint64_t subject)
{
    size_t low = 0, high = s->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->rows[middle].subject < subject) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Of the revision, or of the file where id is NULL. */
static enum sp_err take_all(struct search *s, uint64_t subject,
                            const struct revision_key *id, const uint8_t *sha1)
{
    for (size_t i = first_row(s, subject);
         i < s->row_count && s->rows[i].subject == subject; i++) {
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        SP_TRY(read_facts(s, s->rows[i].entry, &f));
        if (id ? is_id(f, id) : is_file(f, sha1)) {
            SP_TRY(add_entry(s, s->rows[i].entry));
            SP_TRY(id ? follow(s, f) : SP_OK);
        }
    }
    return SP_OK;
}

static enum sp_err take_id(struct search *s, const struct revision_key *k)
{
    struct sp_guid guid;
    char id[SP_GUID_TEXT], number[24];
    memcpy(guid.bytes, k->id, sizeof guid.bytes);
    sp_guid_format(&guid, id);
    snprintf(number, sizeof number, "%" PRId64, k->number);
    return take_all(s, number_of(sp_view_str(id), sp_view_str(number)), k, NULL);
}

static enum sp_err take_file(struct search *s, const uint8_t sha1[20])
{
    SP_AUTO(sp_buf_fini) struct sp_buf hex;
    sp_buf_init(&hex, 64);
    SP_TRY(sp_hex_append(&hex, sp_view(sha1, 20)));
    return take_all(s, number_of(sp_buf_view(&hex), SP_VIEW("")), NULL, sha1);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* What is found leads to more; each revision and each file is looked up once. */
static enum sp_err search(struct search *s)
{
    sp_bar_init(&s->bar, _("read"), sp_ledger_size(s->ledger));
    s->bar.all = s->bar.is_terminal ? s->bar.all : 0; /* it takes seconds */
    enum sp_err e = sp_ledger_each(s->ledger, 0, look_at, s, s->why);
    sp_bar_end(&s->bar);
    SP_TRY(e);
    if (s->row_count) {
        qsort(s->rows, s->row_count, sizeof *s->rows, by_subject);
    }
    SP_TRY(take_seeds(s));
    while (s->ids_done < s->id_count || s->files_done < s->file_count) {
        if (s->ids_done < s->id_count) {
            struct revision_key k = s->ids[s->ids_done++];
            SP_TRY(take_id(s, &k));
        } else {
            SP_TRY(take_file(s, s->files[s->files_done++]));
        }
    }
    qsort(s->at, s->count, sizeof *s->at, by_number);
    return SP_OK;
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
    snprintf(s->line, sizeof s->line, "\ndocument.kb %s\n", kb);
    enum sp_err e = s->files && s->at ? search(s) : SP_E_NOMEM;
    if (e == SP_OK && s->count == 0) {
        e = sp_why_set(why, SP_E_NOTFOUND, _("no entry of the ledger is about KB%s"),
                       kb);
    }
    if (e == SP_OK) {
        *out = (struct sp_kb_entries){s->at, s->count};
        s->at = NULL;
    }
    free(s->rows);
    free(s->files);
    free(s->at);
    free(s);
    return e;
}

static enum sp_err prove_all(struct sp_ledger_files *l, const struct sp_kb_entries *e,
                             uint64_t size, struct sp_buf *out, struct sp_why *why)
{
    struct sp_hash_reader hashes = sp_ledger_hashes(l);
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    for (size_t i = 0; i < e->count; i++) {
        struct sp_proof proof;
        sp_buf_clear(&text);
        SP_TRY(sp_ledger_read(l, e->at[i], &text, why));
        SP_TRY(sp_merkle_prove(&hashes, e->at[i], size, &proof));
        SP_TRY(sp_bundle_entry(out, e->at[i], sp_buf_view(&text), &proof));
    }
    return SP_OK;
}

static enum sp_err write_bundle(struct sp_ledger_files *l, const char *kb,
                                struct sp_kb_entries *e, bool only_cosigned,
                                struct sp_buf *out, struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf note;
    char about[SP_BUNDLE_ABOUT_MAX];
    uint64_t size = 0;
    sp_buf_init(&note, SP_LIMIT_CHECKPOINT);
    SP_TRY(sp_ledger_checkpoint_upto(l, only_cosigned, &note, &size, why));
    while (e->count && e->at[e->count - 1] >= size) {
        e->count--; /* recorded since that checkpoint */
    }
    if (e->count == 0) {
        return sp_why_set(why, SP_E_NOTFOUND,
                          _("nothing about KB%s is under the cosigned checkpoint yet"),
                          kb);
    }
    snprintf(about, sizeof about, "KB%s", kb);
    SP_TRY(sp_bundle_begin(out, about, e->count));
    SP_TRY(prove_all(l, e, size, out, why));
    return sp_bundle_end(out, sp_buf_view(&note));
}

enum sp_err sp_kb_prove(struct sp_ledger_files *l, const char *kb, bool only_cosigned,
                        struct sp_buf *out, struct sp_why *why)
{
    struct sp_kb_entries entries = {0};
    SP_TRY(sp_kb_find(l, kb, &entries, why));
    enum sp_err e = write_bundle(l, kb, &entries, only_cosigned, out, why);
    free(entries.at);
    return e;
}
