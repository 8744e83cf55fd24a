#include "core/report/book.h"

#include "core/base/limits.h"
#include "core/wsus/claim.h"

#include <stdlib.h>
#include <string.h>

enum { UPDATES, FILES, BLOCKED, PLAIN, UPSTREAMS, REVISION_KEY = 20 };

enum sp_err sp_book_init(struct sp_book *b, size_t ceiling)
{
    *b = (struct sp_book){0};
    SP_TRY(sp_arena_new(ceiling, &b->arena));
    struct sp_names *all[] = {&b->texts,       &b->ids,        &b->revisions,
                              &b->files_by,    &b->blocked_by, &b->plain_by,
                              &b->upstreams_by};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        sp_names_init(all[i], b->arena);
    }
    return SP_OK;
}

void sp_book_fini(struct sp_book *b)
{
    struct sp_names *all[] = {&b->texts,       &b->ids,        &b->revisions,
                              &b->files_by,    &b->blocked_by, &b->plain_by,
                              &b->upstreams_by};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        sp_names_fini(all[i]);
    }
    free(b->updates);
    free(b->files);
    free(b->blocked);
    free(b->plain);
    free(b->upstreams);
    free(b->newest);
    free(b->superseded);
    sp_arena_free(&b->arena);
    *b = (struct sp_book){0};
}

/* ---- rows by key --------------------------------------------------------------- */

/* The row of a key, zero when it is new. */
static enum sp_err row_of(struct sp_names *names, struct sp_view key, void **rows,
                          size_t *room, size_t size, void **out)
{
    uint32_t n;
    size_t before = names->count;
    SP_TRY(sp_names_put(names, key, &n));
    if (n >= *room) {
        size_t wanted = *room ? *room * 2 : 64;
        void *more = reallocarray(*rows, wanted, size);
        if (!more) {
            return SP_E_NOMEM;
        }
        *rows = more;
        *room = wanted;
    }
    uint8_t *at = (uint8_t *)*rows + n * size;
    if (names->count > before) {
        memset(at, 0, size);
    }
    *out = at;
    return SP_OK;
}

/* rows is a member of the book that points at structs; out at one of them. */
#define ROW_OF(book, names, key, rows, which, out)                                     \
    row_of(&(book)->names, key, (void **)&(book)->rows, &(book)->rooms[which],         \
           sizeof *(book)->rows, (void **)(out))

/* ---- facts --------------------------------------------------------------------- */

static struct sp_view first(const struct sp_facts *f, enum sp_fact k)
{
    struct sp_fact_value v;
    return sp_facts_get(f, k, 0, &v) ? v.bytes : (struct sp_view){NULL, 0};
}

static bool is(const struct sp_facts *f, enum sp_fact k, const char *text)
{
    return sp_view_eq_str(first(f, k), text);
}

/* Texts that many rows share are kept once. */
static enum sp_err keep(struct sp_book *b, const struct sp_facts *f, enum sp_fact k,
                        struct sp_view *out)
{
    struct sp_view v = first(f, k);
    uint32_t n;
    if (v.len == 0) {
        return SP_OK;
    }
    SP_TRY(sp_names_put(&b->texts, v, &n));
    *out = b->texts.names[n];
    return SP_OK;
}

/* The same as a word: of what every revision has. */
static enum sp_err keep_word(struct sp_book *b, const struct sp_facts *f,
                             enum sp_fact k, uint32_t *out)
{
    struct sp_view v = first(f, k);
    uint32_t n;
    if (v.len == 0) {
        return SP_OK;
    }
    SP_TRY(sp_names_put(&b->texts, v, &n));
    *out = n + 1;
    return SP_OK;
}

static enum sp_err text_number(struct sp_book *b, const struct sp_facts *f,
                               enum sp_fact k, uint32_t *out)
{
    return sp_names_put(&b->texts, first(f, k), out);
}

/* ---- revisions ----------------------------------------------------------------- */

static bool revision_key(const struct sp_facts *f, uint8_t out[REVISION_KEY])
{
    struct sp_fact_value id, number;
    if (!sp_facts_get(f, SP_FACT_UPDATE_ID, 0, &id) || id.bytes.len != 16 ||
        !sp_facts_get(f, SP_FACT_UPDATE_REVISION, 0, &number) || number.number < 0 ||
        number.number > INT32_MAX) {
        return false;
    }
    memcpy(out, id.bytes.data, 16);
    for (int i = 0; i < 4; i++) {
        out[16 + i] = (uint8_t)(number.number >> (24 - 8 * i));
    }
    return true;
}

static enum sp_err add_texts(struct sp_book *b, struct sp_list *l,
                             const struct sp_facts *f, enum sp_fact k)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        uint32_t n;
        SP_TRY(sp_names_put(&b->texts, v.bytes, &n));
        SP_TRY(sp_list_add(b->arena, l, n));
    }
    return SP_OK;
}

static enum sp_err add_ids(struct sp_book *b, struct sp_list *l,
                           const struct sp_facts *f, enum sp_fact k)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, k, i, &v); i++) {
        uint32_t n;
        SP_TRY(sp_names_put(&b->ids, v.bytes, &n));
        SP_TRY(sp_list_add(b->arena, l, n));
    }
    return SP_OK;
}

/* A clause that names an UpdateID alone says nothing of a revision: it is left out. */
static enum sp_err add_bundled(struct sp_book *b, struct sp_list *l,
                               const struct sp_facts *f)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_DOCUMENT_BUNDLES, i, &v); i++) {
        struct sp_revision_id id;
        uint32_t n;
        if (sp_revision_id_parse(v.bytes, &id) == SP_OK) {
            SP_TRY(sp_names_put(&b->ids, sp_view(id.id.bytes, 16), &n));
            SP_TRY(sp_list_add(b->arena, l, (uint64_t)n << 32 | (uint32_t)id.number));
        }
    }
    return SP_OK;
}

static enum sp_err add_file(struct sp_book *b, struct sp_list *l,
                            const struct sp_claim *c)
{
    struct sp_book_file *file = NULL;
    SP_TRY(ROW_OF(b, files_by, sp_view(c->sha1, 20), files, FILES, &file));
    memcpy(file->sha1, c->sha1, 20);
    memcpy(file->ext, c->ext, sizeof file->ext);
    if (!file->verified) { /* what came is known better than what is claimed */
        file->size = c->size;
    }
    if (c->has_sha256 && !file->verified) {
        memcpy(file->sha256, c->sha256, 32);
        file->has_sha256 = true;
    }
    return sp_list_add(b->arena, l, (uint64_t)(file - b->files));
}

static enum sp_err add_files(struct sp_book *b, struct sp_list *l,
                             const struct sp_facts *f)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_FILE_CLAIM, i, &v); i++) {
        struct sp_claim c;
        SP_TRY(sp_claim_parse(v.bytes, &c) == SP_OK ? add_file(b, l, &c) : SP_OK);
    }
    return SP_OK;
}

/* What may stand in the first entry of a revision or in one that goes on. */
static enum sp_err add_lists(struct sp_book *b, struct sp_book_update *u,
                             const struct sp_facts *f)
{
    SP_TRY(add_texts(b, &u->kbs, f, SP_FACT_DOCUMENT_KB));
    SP_TRY(add_texts(b, &u->bulletins, f, SP_FACT_DOCUMENT_BULLETIN));
    SP_TRY(add_ids(b, &u->categories, f, SP_FACT_DOCUMENT_CATEGORY));
    SP_TRY(add_ids(b, &u->supersedes, f, SP_FACT_DOCUMENT_SUPERSEDES));
    SP_TRY(add_bundled(b, &u->bundles, f));
    return add_files(b, &u->files, f);
}

static enum sp_err fill_update(struct sp_book *b, struct sp_book_update *u,
                               const struct sp_facts *f)
{
    u->deployable = sp_facts_has_flag(f, SP_FACT_DOCUMENT_DEPLOYABLE);
    SP_TRY(sp_names_put(&b->ids, sp_view(u->id.bytes, 16), &u->id_name));
    u->is_for_computers = !is(f, SP_FACT_DOCUMENT_TYPE, "Category") &&
                          !is(f, SP_FACT_DOCUMENT_TYPE, "Detectoid");
    SP_TRY(keep_word(b, f, SP_FACT_DOCUMENT_CATEGORY_TYPE, &u->category_type));
    SP_TRY(keep_word(b, f, SP_FACT_DOCUMENT_TITLE, &u->title));
    SP_TRY(keep_word(b, f, SP_FACT_DOCUMENT_SEVERITY, &u->severity));
    SP_TRY(keep_word(b, f, SP_FACT_DOCUMENT_RESTART, &u->restart));
    SP_TRY(keep_word(b, f, SP_FACT_DOCUMENT_SUPPORT_URL, &u->url));
    SP_TRY(keep_word(b, f, SP_FACT_DOCUMENT_CREATED, &u->created));
    return add_lists(b, u, f);
}

static enum sp_err take_revision(struct sp_book *b, uint64_t entry,
                                 const struct sp_facts *f, bool goes_on)
{
    uint8_t key[REVISION_KEY];
    uint32_t known;
    struct sp_book_update *u = NULL;
    if (!revision_key(f, key)) {
        return SP_OK;
    }
    bool is_known = sp_names_find(&b->revisions, sp_view(key, sizeof key), &known);
    if (goes_on != is_known) {
        return SP_OK; /* the first record counts; what goes on has one before it */
    }
    SP_TRY(ROW_OF(b, revisions, sp_view(key, sizeof key), updates, UPDATES, &u));
    if (goes_on) {
        return add_lists(b, u, f);
    }
    memcpy(u->id.bytes, key, 16);
    u->number = (int32_t)((uint32_t)key[16] << 24 | (uint32_t)key[17] << 16 |
                          (uint32_t)key[18] << 8 | key[19]);
    u->entry = entry;
    return fill_update(b, u, f);
}

/* ---- files --------------------------------------------------------------------- */

static enum sp_err take_file(struct sp_book *b, uint64_t entry,
                             const struct sp_facts *f)
{
    struct sp_view sha1 = first(f, SP_FACT_FILE_SHA1);
    struct sp_fact_value size = {.number = 0};
    struct sp_book_file *file = NULL;
    if (sha1.len != 20) {
        return SP_OK;
    }
    SP_TRY(ROW_OF(b, files_by, sha1, files, FILES, &file));
    memcpy(file->sha1, sha1.data, 20);
    struct sp_view sha256 = first(f, SP_FACT_FILE_SHA256);
    if (sha256.len == 32) {
        memcpy(file->sha256, sha256.data, 32);
        file->has_sha256 = true;
    }
    if (sp_facts_get(f, SP_FACT_FILE_SIZE, 0, &size)) {
        file->size = (uint64_t)size.number;
    }
    file->verified = true;
    file->entry = entry;
    file->trusted = sp_facts_has_flag(f, SP_FACT_SIGN_ROOT_TRUSTED);
    SP_TRY(keep(b, f, SP_FACT_FILE_NAME, &file->name));
    SP_TRY(keep(b, f, SP_FACT_SIGN_CLASS, &file->sign_class));
    SP_TRY(keep(b, f, SP_FACT_SIGN_SIGNER, &file->signer));
    SP_TRY(keep(b, f, SP_FACT_SIGN_ROOT, &file->root));
    return keep(b, f, SP_FACT_ENTRY_TIME, &file->verified_at);
}

/* ---- verdicts ------------------------------------------------------------------ */

static enum sp_err tally(struct sp_book *b, const struct sp_facts *f,
                         struct sp_view rule, bool blocked)
{
    struct sp_book_blocked *row = NULL;
    uint32_t key[2] = {0, SP_BOOK_NOBODY};
    SP_TRY(sp_names_put(&b->texts, rule, &key[0]));
    if (first(f, SP_FACT_PEER_ADDRESS).len) {
        SP_TRY(text_number(b, f, SP_FACT_PEER_ADDRESS, &key[1]));
    }
    SP_TRY(ROW_OF(b, blocked_by, sp_view(key, sizeof key), blocked, BLOCKED, &row));
    row->rule = key[0];
    row->peer = key[1];
    row->blocked += blocked;
    row->would_block += !blocked;
    return keep(b, f, SP_FACT_ENTRY_TIME, &row->last);
}

static enum sp_err take_verdict(struct sp_book *b, const struct sp_facts *f)
{
    struct sp_fact_value v;
    struct sp_view rule = first(f, SP_FACT_VERDICT_RULE);
    bool refused = first(f, SP_FACT_VERDICT_RULING).len &&
                   !is(f, SP_FACT_VERDICT_RULING, "passed");
    for (size_t i = 0; sp_facts_get(f, SP_FACT_VERDICT_OBSERVED, i, &v); i++) {
        SP_TRY(tally(b, f, v.bytes, false));
    }
    return refused && rule.len ? tally(b, f, rule, true) : SP_OK;
}

/* Metadata that somebody asked for without TLS; content may come so. */
static enum sp_err take_plain(struct sp_book *b, const struct sp_facts *f)
{
    uint32_t key[3];
    struct sp_book_plain *row = NULL;
    if (!is(f, SP_FACT_TRANSPORT, "http") || is(f, SP_FACT_OPERATION, "content")) {
        return SP_OK;
    }
    SP_TRY(text_number(b, f, SP_FACT_PEER_ADDRESS, &key[0]));
    SP_TRY(text_number(b, f, SP_FACT_PEER_LISTENER, &key[1]));
    SP_TRY(text_number(b, f, SP_FACT_OPERATION, &key[2]));
    SP_TRY(ROW_OF(b, plain_by, sp_view(key, sizeof key), plain, PLAIN, &row));
    row->peer = key[0];
    row->listener = key[1];
    row->operation = key[2];
    bool refused = is(f, SP_FACT_ENTRY_KIND, "refusal");
    row->refused += refused;
    row->passed += !refused;
    SP_TRY(row->first.len ? SP_OK : keep(b, f, SP_FACT_ENTRY_TIME, &row->first));
    return keep(b, f, SP_FACT_ENTRY_TIME, &row->last);
}

/* ---- upstreams ----------------------------------------------------------------- */

static enum sp_err take_upstream(struct sp_book *b, const struct sp_facts *f,
                                 bool is_revision)
{
    struct sp_book_upstream *row = NULL;
    struct sp_view name = first(f, SP_FACT_UPSTREAM_NAME);
    uint32_t n;
    if (!name.len) {
        return SP_OK;
    }
    SP_TRY(ROW_OF(b, upstreams_by, name, upstreams, UPSTREAMS, &row));
    SP_TRY(sp_names_put(&b->texts, name, &n));
    row->name = n;
    SP_TRY(keep(b, f, SP_FACT_UPSTREAM_HOST, &row->host));
    if (is(f, SP_FACT_ENTRY_KIND, "posture")) {
        row->posture_reason = (struct sp_view){NULL, 0};
        SP_TRY(keep(b, f, SP_FACT_POSTURE, &row->posture));
        SP_TRY(keep(b, f, SP_FACT_POSTURE_REASON, &row->posture_reason));
    }
    if (!is_revision) {
        return SP_OK;
    }
    row->revisions++;
    SP_TRY(keep(b, f, SP_FACT_ENTRY_TIME, &row->newest));
    if (sp_view_cmp(first(f, SP_FACT_DOCUMENT_CREATED), row->newest_created) > 0) {
        SP_TRY(keep(b, f, SP_FACT_DOCUMENT_CREATED, &row->newest_created));
    }
    return SP_OK;
}

/* ---- the whole ----------------------------------------------------------------- */

enum sp_err sp_book_take(struct sp_book *b, uint64_t entry, const struct sp_facts *f)
{
    bool is_revision = is(f, SP_FACT_ENTRY_KIND, "revision");
    b->entries = entry + 1;
    if (is(f, SP_FACT_ENTRY_KIND, "claims")) {
        return take_revision(b, entry, f, true);
    }
    if (is_revision) {
        SP_TRY(take_revision(b, entry, f, false));
    }
    if (is(f, SP_FACT_ENTRY_KIND, "file")) {
        SP_TRY(take_file(b, entry, f));
    }
    SP_TRY(take_verdict(b, f));
    SP_TRY(take_plain(b, f));
    return take_upstream(b, f, is_revision);
}

static void mark_bundled(struct sp_book *b, const struct sp_book_update *u)
{
    for (size_t i = 0; i < u->bundles.count; i++) {
        uint32_t at = b->newest[u->bundles.at[i] >> 32];
        if (at) {
            b->updates[at - 1].is_bundled = true;
        }
    }
}

enum sp_err sp_book_finish(struct sp_book *b)
{
    size_t count = b->revisions.count;
    b->newest = calloc(b->ids.count + 1, sizeof *b->newest);
    b->superseded = calloc(b->ids.count + 1, sizeof *b->superseded);
    if (!b->newest || !b->superseded) {
        return SP_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t *at = &b->newest[b->updates[i].id_name];
        if (*at == 0 || b->updates[i].number > b->updates[*at - 1].number) {
            *at = (uint32_t)i + 1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        b->updates[i].is_newest = b->newest[b->updates[i].id_name] == i + 1;
        mark_bundled(b, &b->updates[i]);
        for (size_t k = 0;
             b->updates[i].is_newest && k < b->updates[i].supersedes.count; k++) {
            b->superseded[b->updates[i].supersedes.at[k]] = true;
        }
    }
    return SP_OK;
}

const struct sp_book_update *sp_book_newest(const struct sp_book *b, uint32_t id)
{
    return b->newest[id] ? &b->updates[b->newest[id] - 1] : NULL;
}

struct sp_view sp_book_text(const struct sp_book *b, uint64_t number)
{
    SP_ASSERT(number < b->texts.count);
    return b->texts.names[number];
}

struct sp_view sp_book_word(const struct sp_book *b, uint32_t word)
{
    return word ? sp_book_text(b, word - 1) : (struct sp_view){NULL, 0};
}

bool sp_book_is_update(const struct sp_book_update *u)
{
    return u->is_newest && !u->is_bundled && u->is_for_computers;
}

static enum sp_err category_name(const struct sp_book *b, uint32_t id,
                                 struct sp_arena *arena, struct sp_view *out)
{
    const struct sp_book_update *c = sp_book_newest(b, id);
    char text[SP_GUID_TEXT];
    struct sp_guid guid;
    if (c && c->title) {
        *out = sp_book_word(b, c->title);
        return SP_OK;
    }
    memcpy(guid.bytes, b->ids.names[id].data, sizeof guid.bytes);
    sp_guid_format(&guid, text);
    return sp_arena_copy(arena, sp_view_str(text), out);
}

/* A category that was never recorded may be anything: it counts as a product. */
static bool is_of_type(const struct sp_book *b, uint32_t id, const char *type)
{
    const struct sp_book_update *c = sp_book_newest(b, id);
    return c && c->category_type
               ? sp_view_eq_str(sp_book_word(b, c->category_type), type)
               : strcmp(type, "Product") == 0;
}

enum sp_err sp_book_categories(const struct sp_book *b, const struct sp_book_update *u,
                               const char *type, struct sp_arena *arena,
                               struct sp_view **out, size_t *count)
{
    void *items = NULL;
    size_t n = 0;
    SP_TRY(sp_arena_alloc(arena, (u->categories.count + 1) * sizeof **out, &items));
    *out = items;
    for (size_t i = 0; i < u->categories.count; i++) {
        uint32_t id = (uint32_t)u->categories.at[i];
        if (is_of_type(b, id, type)) {
            SP_TRY(category_name(b, id, arena, &(*out)[n++]));
        }
    }
    *count = n;
    return SP_OK;
}
