#include "io/store/index.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "sply"; the version counts changes of the schema. Any other index is made anew. */
#define SCHEMA                                                                         \
    "PRAGMA application_id = 1936747641;"                                              \
    "PRAGMA user_version = 5;"                                                         \
    "CREATE TABLE revisions(id BLOB NOT NULL, number INTEGER NOT NULL,"                \
    " document BLOB NOT NULL, entry INTEGER NOT NULL,"                                 \
    " PRIMARY KEY(id, number)) WITHOUT ROWID;" /* an absent SHA-256 is the empty blob: \
                                                  NULLs would all differ from each     \
                                                  other */                             \
    "CREATE TABLE claims(sha1 BLOB NOT NULL, sha256 BLOB NOT NULL,"                    \
    " size INTEGER NOT NULL, ext TEXT NOT NULL, entry INTEGER NOT NULL,"               \
    " PRIMARY KEY(sha1, sha256, size, ext)) WITHOUT ROWID;"                            \
    "CREATE TABLE files(sha1 BLOB NOT NULL PRIMARY KEY, sha256 BLOB NOT NULL,"         \
    " size INTEGER NOT NULL, tree BLOB NOT NULL, entry INTEGER NOT NULL) WITHOUT "     \
    "ROWID;"                                                                           \
    "CREATE TABLE withheld(id BLOB NOT NULL, number INTEGER NOT NULL,"                 \
    " policy TEXT NOT NULL, quarantined INTEGER NOT NULL, entry INTEGER NOT NULL,"     \
    " PRIMARY KEY(id, number, policy)) WITHOUT ROWID;" /* which bundle needs what */   \
    "CREATE TABLE needs(child BLOB NOT NULL, child_number INTEGER NOT NULL,"           \
    " id BLOB NOT NULL, number INTEGER NOT NULL,"                                      \
    " PRIMARY KEY(child, child_number, id, number)) WITHOUT ROWID;"                    \
    "CREATE TABLE urls(sha1 BLOB NOT NULL PRIMARY KEY, url TEXT NOT NULL) WITHOUT "    \
    "ROWID;" /* not of the ledger: hints, that may be lost */                          \
    "CREATE TABLE derived(id BLOB NOT NULL, number INTEGER NOT NULL,"                  \
    " rows BLOB NOT NULL, PRIMARY KEY(id, number)) WITHOUT ROWID;" /* newest last */   \
    "CREATE TABLE numbers(place INTEGER PRIMARY KEY, upstream TEXT NOT NULL,"          \
    " called INTEGER NOT NULL, id BLOB NOT NULL, number INTEGER NOT NULL,"             \
    " UNIQUE(upstream, called));"                                                      \
    "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1),"                        \
    " ledger_size INTEGER NOT NULL, ledger_root BLOB NOT NULL);"
#define EXPECTED_ID      1936747641
#define EXPECTED_VERSION 5

enum statement {
    GET_MARK,
    PUT_MARK,
    PUT_REVISION,
    PUT_CLAIM,
    PUT_FILE,
    GET_REVISION,
    GET_CLAIMS,
    GET_CLAIM_ENTRY,
    GET_FILE,
    GET_HIGHEST,
    PUT_WITHHELD,
    GET_WITHHELD,
    DROP_WITHHELD,
    LIST_WITHHELD,
    LIST_NEEDING,
    PUT_NEED,
    PUT_URL,
    GET_URL,
    PUT_DERIVED,
    GET_DERIVED,
    PUT_NUMBER,
    TRIM_NUMBERS,
    GET_NUMBER,
    COUNT,
    STATEMENTS
};
static const char *const sql[STATEMENTS] = {
    [GET_MARK] = "SELECT ledger_size, ledger_root FROM meta WHERE one = 1",
    [PUT_MARK] = "INSERT OR REPLACE INTO meta VALUES(1, ?1, ?2)",
    [PUT_REVISION] = "INSERT OR IGNORE INTO revisions VALUES(?1, ?2, ?3, ?4)",
    [PUT_CLAIM] = "INSERT OR IGNORE INTO claims VALUES(?1, ?2, ?3, ?4, ?5)",
    [PUT_FILE] = "INSERT OR IGNORE INTO files VALUES(?1, ?2, ?3, ?4, ?5)",
    [GET_REVISION] =
        "SELECT document, entry FROM revisions WHERE id = ?1 AND number = ?2",
    [GET_CLAIMS] =
        "SELECT sha256, size, ext FROM claims WHERE sha1 = ?1 ORDER BY entry",
    [GET_CLAIM_ENTRY] =
        "SELECT entry FROM claims WHERE sha1 = ?1 ORDER BY entry LIMIT 1",
    [GET_FILE] = "SELECT sha256, size, tree FROM files WHERE sha1 = ?1",
    [GET_HIGHEST] = "SELECT max(number) FROM revisions WHERE id = ?1",
    [PUT_WITHHELD] = "INSERT OR IGNORE INTO withheld VALUES(?1, ?2, ?3, ?4, ?5)",
    [GET_WITHHELD] =
        "SELECT 1 FROM withheld WHERE id = ?1 AND number = ?2 AND policy = ?3",
    [DROP_WITHHELD] =
        "DELETE FROM withheld WHERE id = ?1 AND number = ?2 AND quarantined <= ?3",
    /* and the bundles that need one of them, and those that need these */
    [LIST_WITHHELD] = "WITH RECURSIVE found(id, number, why) AS ("
                      "SELECT id, number, 1 + quarantined FROM withheld"
                      " WHERE quarantined = 1 OR policy = ?1 UNION "
                      "SELECT n.id, n.number, 0 FROM needs n JOIN found f"
                      " ON n.child = f.id AND n.child_number = f.number) "
                      "SELECT id, number, max(why) FROM found GROUP BY id, number"
                      " ORDER BY id, number",
    [LIST_NEEDING] = "WITH RECURSIVE found(id, number) AS ("
                     "SELECT id, number FROM needs WHERE child = ?1 AND"
                     " child_number = ?2 UNION "
                     "SELECT n.id, n.number FROM needs n JOIN found f"
                     " ON n.child = f.id AND n.child_number = f.number) "
                     "SELECT id, number, 0 FROM found ORDER BY id, number",
    [PUT_URL] = "INSERT INTO urls SELECT ?1, ?2"
                " WHERE EXISTS(SELECT 1 FROM claims WHERE sha1 = ?1)"
                " ON CONFLICT(sha1) DO UPDATE SET url = excluded.url"
                " WHERE url <> excluded.url",
    [GET_URL] = "SELECT url FROM urls WHERE sha1 = ?1",
    [PUT_NEED] = "INSERT OR IGNORE INTO needs VALUES(?1, ?2, ?3, ?4)",
    [COUNT] = "SELECT (SELECT count(*) FROM revisions), (SELECT count(*) FROM files),"
              " (SELECT coalesce(max(entry), 0) FROM revisions)",
    [PUT_DERIVED] = "INSERT INTO derived VALUES(?1, ?2, ?3) ON CONFLICT(id, number)"
                    " DO UPDATE SET rows = CAST(rows || excluded.rows AS BLOB)",
    [GET_DERIVED] = "SELECT rows FROM derived WHERE id = ?1 AND number = ?2",
    [PUT_NUMBER] = "INSERT OR REPLACE INTO numbers(upstream, called, id, number)"
                   " VALUES(?1, ?2, ?3, ?4)",
    [TRIM_NUMBERS] = "DELETE FROM numbers WHERE place <= last_insert_rowid() - 500000",
    [GET_NUMBER] = "SELECT id, number FROM numbers WHERE upstream = ?1 AND called = ?2",
};

struct sp_index {
    sqlite3 *db;                          /* owned */
    sqlite3_stmt *statements[STATEMENTS]; /* owned */
};

static enum sp_err err_of(int code)
{
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return SP_OK;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* the schema is not what the statements were written for */
        return SP_E_CORRUPT;
    case SQLITE_FULL:
        return SP_E_NOSPACE;
    case SQLITE_NOMEM:
        return SP_E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SP_E_CONFLICT;
    }
    return SP_E_IO;
}

static enum sp_err run(struct sp_index *ix, const char *text)
{
    return err_of(sqlite3_exec(ix->db, text, NULL, NULL, NULL));
}

void sp_index_close(struct sp_index **ix)
{
    if (*ix) {
        for (int i = 0; i < STATEMENTS; i++) {
            sqlite3_finalize((*ix)->statements[i]);
        }
        sqlite3_close((*ix)->db);
        free(*ix);
    }
    *ix = NULL;
}

void sp_index_remove(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s%s", path, tails[i]);
        unlink(name);
    }
}

static enum sp_err number_of(struct sp_index *ix, const char *pragma, int64_t *out)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(ix->db, pragma, -1, &s, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(s);
    }
    if (code == SQLITE_ROW) {
        *out = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    return err_of(code);
}

/* An empty file gets the schema; any other must be ours. A whole check would read all
 * of it at every start; damage that this misses is met by a statement later. */
static enum sp_err check_schema(struct sp_index *ix)
{
    int64_t id = 0, version = 0, tables = 0;
    SP_TRY(number_of(ix, "PRAGMA application_id", &id));
    SP_TRY(number_of(ix, "PRAGMA user_version", &version));
    SP_TRY(number_of(ix, "SELECT count(*) FROM sqlite_schema", &tables));
    if (id == 0 && version == 0 && tables == 0) {
        SP_TRY(run(ix, "BEGIN; " SCHEMA "INSERT INTO meta VALUES(1, 0, zeroblob(32));"
                       "COMMIT"));
        return SP_OK;
    }
    return id == EXPECTED_ID && version == EXPECTED_VERSION ? SP_OK : SP_E_CORRUPT;
}

static enum sp_err prepare(struct sp_index *ix)
{
    for (int i = 0; i < STATEMENTS; i++) {
        SP_TRY(err_of(sqlite3_prepare_v3(ix->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                         &ix->statements[i], NULL)));
    }
    return SP_OK;
}

static enum sp_err open_once(const char *path, struct sp_index **out)
{
    SP_AUTO(sp_index_close) struct sp_index *ix = calloc(1, sizeof *ix);
    struct sp_index_mark mark;
    struct stat st;
    if (!ix) {
        return SP_E_NOMEM;
    }
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        return SP_E_CORRUPT; /* a link is not followed, a FIFO not waited for */
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    SP_TRY(err_of(sqlite3_open_v2(path, &ix->db, flags, NULL)));
    SP_TRY(run(ix, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
    SP_TRY(check_schema(ix));
    SP_TRY(prepare(ix));
    SP_TRY(sp_index_mark(ix, &mark));
    *out = ix;
    ix = NULL;
    return SP_OK;
}

enum sp_err sp_index_open(const char *path, struct sp_index **out, struct sp_why *why)
{
    enum sp_err e = open_once(path, out);
    if (e == SP_E_CORRUPT) {
        sp_index_remove(path);
        e = open_once(path, out);
    }
    return e == SP_OK ? e : sp_why_set(why, e, "cannot open the index %s", path);
}

/* ---- statements ---------------------------------------------------------------- */

static sqlite3_stmt *fresh(struct sp_index *ix, enum statement which)
{
    sqlite3_stmt *s = ix->statements[which];
    sqlite3_reset(s);
    return s;
}

/* Binding fails for want of memory only; a NULL then breaks the NOT NULL of the table
 * or finds nothing, which is why the step reports it. */
static void bind_blob(sqlite3_stmt *s, int at, const uint8_t *bytes, size_t n)
{
    sqlite3_bind_blob(s, at, bytes, (int)n, SQLITE_TRANSIENT);
}

static enum sp_err finish(sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return err_of(code);
}

/* A row, or SP_E_NOTFOUND where there is none any more. */
static enum sp_err next_row(sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    return code == SQLITE_DONE ? SP_E_NOTFOUND : err_of(code);
}

static enum sp_err column_blob(sqlite3_stmt *s, int at, uint8_t *out, size_t n)
{
    const void *bytes = sqlite3_column_blob(s, at);
    if (!bytes || (size_t)sqlite3_column_bytes(s, at) != n) {
        return SP_E_CORRUPT;
    }
    memcpy(out, bytes, n);
    return SP_OK;
}

static enum sp_err column_size(sqlite3_stmt *s, int at, uint64_t *out)
{
    int64_t n = sqlite3_column_int64(s, at);
    if (n < 0) {
        return SP_E_CORRUPT;
    }
    *out = (uint64_t)n;
    return SP_OK;
}

enum sp_err sp_index_mark(struct sp_index *ix, struct sp_index_mark *out)
{
    sqlite3_stmt *s = fresh(ix, GET_MARK);
    struct sp_index_mark m;
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        e = column_size(s, 0, &m.size);
    }
    if (e == SP_OK) {
        e = column_blob(s, 1, m.root, sizeof m.root);
    }
    sqlite3_reset(s);
    if (e == SP_OK) {
        *out = m;
    }
    return e == SP_E_NOTFOUND ? SP_E_CORRUPT : e;
}

enum sp_err sp_index_begin(struct sp_index *ix)
{
    return run(ix, "BEGIN IMMEDIATE");
}

enum sp_err sp_index_commit(struct sp_index *ix, const struct sp_index_mark *m)
{
    sqlite3_stmt *s = fresh(ix, PUT_MARK);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)m->size);
    bind_blob(s, 2, m->root, sizeof m->root);
    SP_TRY(finish(s));
    return run(ix, "COMMIT");
}

void sp_index_rollback(struct sp_index *ix)
{
    /* without a transaction there is nothing to undo and nothing to tell */
    sqlite3_exec(ix->db, "ROLLBACK", NULL, NULL, NULL);
}

enum sp_err sp_index_put_revision(struct sp_index *ix, const struct sp_revision_id *id,
                                  const uint8_t document_sha256[32], uint64_t entry)
{
    sqlite3_stmt *s = fresh(ix, PUT_REVISION);
    bind_blob(s, 1, id->id.bytes, sizeof id->id.bytes);
    sqlite3_bind_int64(s, 2, id->number);
    bind_blob(s, 3, document_sha256, 32);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)entry);
    return finish(s);
}

enum sp_err sp_index_put_claim(struct sp_index *ix, const struct sp_claim *c,
                               uint64_t entry)
{
    sqlite3_stmt *s = fresh(ix, PUT_CLAIM);
    bind_blob(s, 1, c->sha1, sizeof c->sha1);
    bind_blob(s, 2, c->sha256, c->has_sha256 ? sizeof c->sha256 : 0);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)c->size);
    sqlite3_bind_text(s, 4, c->ext, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)entry);
    return finish(s);
}

/* A root that is not known is the empty blob. */
enum sp_err sp_index_put_file(struct sp_index *ix, const uint8_t sha1[20],
                              const struct sp_index_file *file, uint64_t entry)
{
    sqlite3_stmt *s = fresh(ix, PUT_FILE);
    const struct sp_tree_root *tree = &file->tree;
    bind_blob(s, 1, sha1, 20);
    bind_blob(s, 2, file->sha256, 32);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)file->size);
    bind_blob(s, 4, tree->hash, tree->known ? sizeof tree->hash : 0);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)entry);
    return finish(s);
}

enum sp_err sp_index_revision(struct sp_index *ix, const struct sp_revision_id *id,
                              struct sp_index_revision *out)
{
    sqlite3_stmt *s = fresh(ix, GET_REVISION);
    struct sp_index_revision r;
    bind_blob(s, 1, id->id.bytes, sizeof id->id.bytes);
    sqlite3_bind_int64(s, 2, id->number);
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        e = column_blob(s, 0, r.document_sha256, sizeof r.document_sha256);
    }
    if (e == SP_OK) {
        e = column_size(s, 1, &r.entry);
    }
    sqlite3_reset(s);
    if (e == SP_OK) {
        *out = r;
    }
    return e;
}

static enum sp_err read_root(sqlite3_stmt *s, int at, struct sp_tree_root *out)
{
    out->known = sqlite3_column_bytes(s, at) != 0;
    return out->known ? column_blob(s, at, out->hash, sizeof out->hash) : SP_OK;
}

enum sp_err sp_index_file(struct sp_index *ix, const uint8_t sha1[20],
                          struct sp_index_file *out)
{
    sqlite3_stmt *s = fresh(ix, GET_FILE);
    struct sp_index_file f = {0};
    bind_blob(s, 1, sha1, 20);
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        e = column_blob(s, 0, f.sha256, sizeof f.sha256);
    }
    if (e == SP_OK) {
        e = column_size(s, 1, &f.size);
    }
    if (e == SP_OK) {
        e = read_root(s, 2, &f.tree);
    }
    sqlite3_reset(s);
    if (e == SP_OK) {
        *out = f;
    }
    return e;
}

static enum sp_err read_claim(sqlite3_stmt *s, struct sp_claim *c)
{
    const unsigned char *ext = sqlite3_column_text(s, 2);
    c->has_sha256 = sqlite3_column_bytes(s, 0) != 0;
    if (c->has_sha256) {
        SP_TRY(column_blob(s, 0, c->sha256, sizeof c->sha256));
    }
    SP_TRY(column_size(s, 1, &c->size));
    if (!ext || strlen((const char *)ext) >= sizeof c->ext) {
        return SP_E_CORRUPT;
    }
    snprintf(c->ext, sizeof c->ext, "%s", (const char *)ext);
    return SP_OK;
}

/* The first claim stands; a later one may add the SHA-256 or contradict. */
static void join_claims(struct sp_claim *first, const struct sp_claim *c,
                        bool *contradicted)
{
    if (c->size != first->size ||
        (c->has_sha256 && first->has_sha256 &&
         memcmp(c->sha256, first->sha256, sizeof c->sha256) != 0)) {
        *contradicted = true;
    }
    if (c->has_sha256 && !first->has_sha256) {
        first->has_sha256 = true;
        memcpy(first->sha256, c->sha256, sizeof c->sha256);
    }
}

static enum sp_err join_others(sqlite3_stmt *s, struct sp_claim *all,
                               bool *contradicted)
{
    enum sp_err e;
    while ((e = next_row(s)) == SP_OK) {
        struct sp_claim next = {0};
        SP_TRY(read_claim(s, &next));
        join_claims(all, &next, contradicted);
    }
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

enum sp_err sp_index_claim(struct sp_index *ix, const uint8_t sha1[20],
                           struct sp_claim *out, bool *contradicted)
{
    sqlite3_stmt *s = fresh(ix, GET_CLAIMS);
    struct sp_claim all = {0};
    bool differ = false;
    bind_blob(s, 1, sha1, 20);
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        e = read_claim(s, &all);
    }
    if (e == SP_OK) {
        e = join_others(s, &all, &differ);
    }
    sqlite3_reset(s);
    SP_TRY(e);
    memcpy(all.sha1, sha1, sizeof all.sha1);
    *out = all;
    *contradicted = differ;
    return SP_OK;
}

enum sp_err sp_index_claim_entry(struct sp_index *ix, const uint8_t sha1[20],
                                 uint64_t *entry)
{
    sqlite3_stmt *s = fresh(ix, GET_CLAIM_ENTRY);
    bind_blob(s, 1, sha1, 20);
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        e = column_size(s, 0, entry);
    }
    sqlite3_reset(s);
    return e;
}

/* Only of files that some revision claims: nobody can fill the disk with the rest. */
enum sp_err sp_index_put_url(struct sp_index *ix, const uint8_t sha1[20],
                             struct sp_view url)
{
    sqlite3_stmt *s = fresh(ix, PUT_URL);
    bind_blob(s, 1, sha1, 20);
    sqlite3_bind_text(s, 2, (const char *)url.data, (int)url.len, SQLITE_TRANSIENT);
    return finish(s);
}

enum sp_err sp_index_url(struct sp_index *ix, const uint8_t sha1[20],
                         char out[SP_FILE_URL])
{
    sqlite3_stmt *s = fresh(ix, GET_URL);
    bind_blob(s, 1, sha1, 20);
    enum sp_err e = next_row(s);
    const unsigned char *url = e == SP_OK ? sqlite3_column_text(s, 0) : NULL;
    if (e == SP_OK && (!url || strlen((const char *)url) >= SP_FILE_URL)) {
        e = SP_E_CORRUPT;
    }
    if (e == SP_OK) {
        snprintf(out, SP_FILE_URL, "%s", (const char *)url);
    }
    sqlite3_reset(s);
    return e;
}

enum sp_err sp_index_put_derived(struct sp_index *ix, const struct sp_revision_id *id,
                                 struct sp_view rows)
{
    sqlite3_stmt *s = fresh(ix, PUT_DERIVED);
    bind_blob(s, 1, id->id.bytes, sizeof id->id.bytes);
    sqlite3_bind_int64(s, 2, id->number);
    bind_blob(s, 3, rows.data, rows.len);
    return finish(s);
}

enum sp_err sp_index_derived(struct sp_index *ix, const struct sp_revision_id *id,
                             struct sp_buf *rows)
{
    sqlite3_stmt *s = fresh(ix, GET_DERIVED);
    bind_blob(s, 1, id->id.bytes, sizeof id->id.bytes);
    sqlite3_bind_int64(s, 2, id->number);
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        const void *bytes = sqlite3_column_blob(s, 0);
        int n = sqlite3_column_bytes(s, 0);
        e = bytes && n > 0 ? sp_buf_append(rows, sp_view(bytes, (size_t)n))
                           : SP_E_CORRUPT;
    }
    sqlite3_reset(s);
    return e;
}

enum sp_err sp_index_put_number(struct sp_index *ix, const char *upstream,
                                int32_t number, const struct sp_revision_id *id)
{
    sqlite3_stmt *s = fresh(ix, PUT_NUMBER);
    sqlite3_bind_text(s, 1, upstream, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 2, number);
    bind_blob(s, 3, id->id.bytes, sizeof id->id.bytes);
    sqlite3_bind_int64(s, 4, id->number);
    SP_TRY(finish(s));
    return finish(fresh(ix, TRIM_NUMBERS));
}

enum sp_err sp_index_number(struct sp_index *ix, const char *upstream, int32_t number,
                            struct sp_revision_id *out)
{
    sqlite3_stmt *s = fresh(ix, GET_NUMBER);
    struct sp_revision_id id = {0};
    sqlite3_bind_text(s, 1, upstream, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 2, number);
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        e = column_blob(s, 0, id.id.bytes, sizeof id.id.bytes);
        id.number = (int32_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_reset(s);
    if (e == SP_OK) {
        *out = id;
    }
    return e;
}

enum sp_err sp_index_count(struct sp_index *ix, struct sp_index_counts *out)
{
    sqlite3_stmt *s = fresh(ix, COUNT);
    enum sp_err e = next_row(s);
    if (e == SP_OK) {
        *out = (struct sp_index_counts){
            .revisions = (uint64_t)sqlite3_column_int64(s, 0),
            .files = (uint64_t)sqlite3_column_int64(s, 1),
            .newest_entry = (uint64_t)sqlite3_column_int64(s, 2),
        };
    }
    sqlite3_reset(s);
    return e;
}

/* ---- what is withheld ---------------------------------------------------------- */

static void bind_id(sqlite3_stmt *s, int at, const struct sp_revision_id *id)
{
    bind_blob(s, at, id->id.bytes, sizeof id->id.bytes);
    sqlite3_bind_int64(s, at + 1, id->number);
}

enum sp_err sp_index_highest(struct sp_index *ix, const struct sp_guid *id,
                             int32_t *out)
{
    sqlite3_stmt *s = fresh(ix, GET_HIGHEST);
    bind_blob(s, 1, id->bytes, sizeof id->bytes);
    enum sp_err e = next_row(s);
    bool none = e == SP_OK && sqlite3_column_type(s, 0) == SQLITE_NULL;
    int64_t number = e == SP_OK ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    SP_TRY(e);
    if (none) {
        return SP_E_NOTFOUND;
    }
    *out = (int32_t)number;
    return number >= 0 && number <= INT32_MAX ? SP_OK : SP_E_CORRUPT;
}

enum sp_err sp_index_put_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                  struct sp_view policy, bool quarantined,
                                  uint64_t entry)
{
    sqlite3_stmt *s = fresh(ix, PUT_WITHHELD);
    bind_id(s, 1, id);
    sqlite3_bind_text(s, 3, (const char *)policy.data, (int)policy.len,
                      SQLITE_TRANSIENT);
    sqlite3_bind_int64(s, 4, quarantined);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)entry);
    return finish(s);
}

enum sp_err sp_index_is_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                 struct sp_view policy, bool *out)
{
    sqlite3_stmt *s = fresh(ix, GET_WITHHELD);
    bind_id(s, 1, id);
    sqlite3_bind_text(s, 3, (const char *)policy.data, (int)policy.len,
                      SQLITE_TRANSIENT);
    enum sp_err e = next_row(s);
    sqlite3_reset(s);
    if (e != SP_OK && e != SP_E_NOTFOUND) {
        return e;
    }
    *out = e == SP_OK;
    return SP_OK;
}

enum sp_err sp_index_drop_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                   bool quarantined_too)
{
    sqlite3_stmt *s = fresh(ix, DROP_WITHHELD);
    bind_id(s, 1, id);
    sqlite3_bind_int64(s, 3, quarantined_too);
    return finish(s);
}

enum sp_err sp_index_put_need(struct sp_index *ix, const struct sp_revision_id *child,
                              const struct sp_revision_id *bundle)
{
    sqlite3_stmt *s = fresh(ix, PUT_NEED);
    bind_id(s, 1, child);
    bind_id(s, 3, bundle);
    return finish(s);
}

static enum sp_err read_withheld(sqlite3_stmt *s, struct sp_withheld *w)
{
    SP_TRY(column_blob(s, 0, w->id.id.bytes, sizeof w->id.id.bytes));
    w->id.number = (int32_t)sqlite3_column_int64(s, 1);
    int64_t why = sqlite3_column_int64(s, 2);
    w->why = why == 0   ? SP_KEPT_FOR_PART
             : why == 1 ? SP_KEPT_BY_POLICY
                        : SP_KEPT_IN_QUARANTINE;
    return SP_OK;
}

static enum sp_err list_withheld(sqlite3_stmt *s, struct sp_withheld **list,
                                 size_t *count)
{
    size_t room = 0;
    enum sp_err e;
    while ((e = next_row(s)) == SP_OK) {
        if (*count == room) {
            room = room ? room * 2 : 16;
            struct sp_withheld *grown = reallocarray(*list, room, sizeof *grown);
            if (!grown) {
                return SP_E_NOMEM;
            }
            *list = grown;
        }
        SP_TRY(read_withheld(s, &(*list)[*count]));
        (*count)++;
    }
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

static enum sp_err take_list(sqlite3_stmt *s, struct sp_withheld **out, size_t *count)
{
    struct sp_withheld *list = NULL;
    size_t n = 0;
    enum sp_err e = list_withheld(s, &list, &n);
    sqlite3_reset(s);
    if (e != SP_OK) {
        free(list);
        return e;
    }
    *out = list;
    *count = n;
    return SP_OK;
}

enum sp_err sp_index_withheld(struct sp_index *ix, struct sp_view policy,
                              struct sp_withheld **out, size_t *count)
{
    sqlite3_stmt *s = fresh(ix, LIST_WITHHELD);
    sqlite3_bind_text(s, 1, (const char *)policy.data, (int)policy.len,
                      SQLITE_TRANSIENT);
    return take_list(s, out, count);
}

enum sp_err sp_index_needing(struct sp_index *ix, const struct sp_revision_id *child,
                             struct sp_withheld **out, size_t *count)
{
    sqlite3_stmt *s = fresh(ix, LIST_NEEDING);
    bind_id(s, 1, child);
    return take_list(s, out, count);
}
