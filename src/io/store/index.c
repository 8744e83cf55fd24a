#include "io/store/index_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "sply"; the version counts changes of the schema. Any other index is made anew. */
#define EXPECTED_ID      1936747641
#define EXPECTED_VERSION 5

static const char schema[] =
    "BEGIN;"
    "PRAGMA application_id = 1936747641;"
    "PRAGMA user_version = 5;"
    "CREATE TABLE revisions(id BLOB NOT NULL, number INTEGER NOT NULL,"
    " document BLOB NOT NULL, entry INTEGER NOT NULL,"
    " PRIMARY KEY(id, number)) WITHOUT ROWID;"
    /* an absent SHA-256 is the empty blob: NULLs would all differ from each other */
    "CREATE TABLE claims(sha1 BLOB NOT NULL, sha256 BLOB NOT NULL,"
    " size INTEGER NOT NULL, ext TEXT NOT NULL, entry INTEGER NOT NULL,"
    " PRIMARY KEY(sha1, sha256, size, ext)) WITHOUT ROWID;"
    "CREATE TABLE files(sha1 BLOB NOT NULL PRIMARY KEY, sha256 BLOB NOT NULL,"
    " size INTEGER NOT NULL, tree BLOB NOT NULL,"
    " entry INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE withheld(id BLOB NOT NULL, number INTEGER NOT NULL,"
    " policy TEXT NOT NULL, quarantined INTEGER NOT NULL, entry INTEGER NOT NULL,"
    " PRIMARY KEY(id, number, policy)) WITHOUT ROWID;"
    /* which bundle needs what */
    "CREATE TABLE needs(child BLOB NOT NULL, child_number INTEGER NOT NULL,"
    " id BLOB NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY(child, child_number, id, number)) WITHOUT ROWID;"
    /* not of the ledger: hints, that may be lost */
    "CREATE TABLE urls(sha1 BLOB NOT NULL PRIMARY KEY, url TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE derived(id BLOB NOT NULL, number INTEGER NOT NULL,"
    " rows BLOB NOT NULL, PRIMARY KEY(id, number)) WITHOUT ROWID;"
    /* newest last */
    "CREATE TABLE numbers(place INTEGER PRIMARY KEY, upstream TEXT NOT NULL,"
    " called INTEGER NOT NULL, id BLOB NOT NULL, number INTEGER NOT NULL,"
    " UNIQUE(upstream, called));"
    "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " ledger_size INTEGER NOT NULL, ledger_root BLOB NOT NULL);"
    "INSERT INTO meta VALUES(1, 0, zeroblob(32));"
    "COMMIT";

static const char *const sql[SP_INDEX_STATEMENTS] = {
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

/* ---- life ---------------------------------------------------------------------- */

void sp_index_close(struct sp_index **ix)
{
    if (*ix) {
        sp_sql_close(&(*ix)->sql);
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

/* An empty file gets the schema; any other must be ours. A whole check would read all
 * of it at every start; damage that this misses is met by a statement later. */
static enum sp_err check_schema(struct sp_index *ix)
{
    int64_t id = 0, version = 0, tables = 0;
    SP_TRY(sp_sql_number(&ix->sql, "PRAGMA application_id", &id));
    SP_TRY(sp_sql_number(&ix->sql, "PRAGMA user_version", &version));
    SP_TRY(sp_sql_number(&ix->sql, "SELECT count(*) FROM sqlite_schema", &tables));
    if (id == 0 && version == 0 && tables == 0) {
        return sp_sql_run(&ix->sql, schema);
    }
    return id == EXPECTED_ID && version == EXPECTED_VERSION ? SP_OK : SP_E_CORRUPT;
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
    SP_TRY(sp_sql_open(&ix->sql, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    SP_TRY(sp_sql_run(&ix->sql,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
    SP_TRY(check_schema(ix));
    SP_TRY(sp_sql_prepare(&ix->sql, sql, SP_INDEX_STATEMENTS));
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

enum sp_err sp_index_mark(struct sp_index *ix, struct sp_index_mark *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_MARK);
    struct sp_index_mark m;
    enum sp_err e = sp_sql_next(s);
    if (e == SP_OK) {
        e = sp_sql_size(s, 0, &m.size);
    }
    if (e == SP_OK) {
        e = sp_sql_blob(s, 1, m.root, sizeof m.root);
    }
    sqlite3_reset(s);
    if (e == SP_OK) {
        *out = m;
    }
    return e == SP_E_NOTFOUND ? SP_E_CORRUPT : e;
}

enum sp_err sp_index_begin(struct sp_index *ix)
{
    return sp_sql_run(&ix->sql, "BEGIN IMMEDIATE");
}

enum sp_err sp_index_commit(struct sp_index *ix, const struct sp_index_mark *m)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_MARK);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)m->size);
    sp_sql_bind_blob(s, 2, m->root, sizeof m->root);
    SP_TRY(sp_sql_do(s));
    return sp_sql_run(&ix->sql, "COMMIT");
}

void sp_index_rollback(struct sp_index *ix)
{
    /* without a transaction there is nothing to undo and nothing to tell */
    sqlite3_exec(ix->sql.db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- revisions and files ------------------------------------------------------- */

void sp_index_bind_id(sqlite3_stmt *s, int at, const struct sp_revision_id *id)
{
    sp_sql_bind_blob(s, at, id->id.bytes, sizeof id->id.bytes);
    sqlite3_bind_int64(s, at + 1, id->number);
}

enum sp_err sp_index_put_revision(struct sp_index *ix, const struct sp_revision_id *id,
                                  const uint8_t document_sha256[32], uint64_t entry)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_REVISION);
    sp_index_bind_id(s, 1, id);
    sp_sql_bind_blob(s, 3, document_sha256, 32);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)entry);
    return sp_sql_do(s);
}

enum sp_err sp_index_revision(struct sp_index *ix, const struct sp_revision_id *id,
                              struct sp_index_revision *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_REVISION);
    struct sp_index_revision r;
    sp_index_bind_id(s, 1, id);
    enum sp_err e = sp_sql_next(s);
    if (e == SP_OK) {
        e = sp_sql_blob(s, 0, r.document_sha256, sizeof r.document_sha256);
    }
    if (e == SP_OK) {
        e = sp_sql_size(s, 1, &r.entry);
    }
    sqlite3_reset(s);
    if (e == SP_OK) {
        *out = r;
    }
    return e;
}

enum sp_err sp_index_highest(struct sp_index *ix, const struct sp_guid *id,
                             int32_t *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_HIGHEST);
    sp_sql_bind_blob(s, 1, id->bytes, sizeof id->bytes);
    enum sp_err e = sp_sql_next(s);
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

/* A root that is not known is the empty blob. */
enum sp_err sp_index_put_file(struct sp_index *ix, const uint8_t sha1[20],
                              const struct sp_index_file *file, uint64_t entry)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_FILE);
    const struct sp_tree_root *tree = &file->tree;
    sp_sql_bind_blob(s, 1, sha1, 20);
    sp_sql_bind_blob(s, 2, file->sha256, 32);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)file->size);
    sp_sql_bind_blob(s, 4, tree->hash, tree->known ? sizeof tree->hash : 0);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)entry);
    return sp_sql_do(s);
}

static enum sp_err read_root(sqlite3_stmt *s, int at, struct sp_tree_root *out)
{
    out->known = sqlite3_column_bytes(s, at) != 0;
    return out->known ? sp_sql_blob(s, at, out->hash, sizeof out->hash) : SP_OK;
}

enum sp_err sp_index_file(struct sp_index *ix, const uint8_t sha1[20],
                          struct sp_index_file *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_FILE);
    struct sp_index_file f = {0};
    sp_sql_bind_blob(s, 1, sha1, 20);
    enum sp_err e = sp_sql_next(s);
    if (e == SP_OK) {
        e = sp_sql_blob(s, 0, f.sha256, sizeof f.sha256);
    }
    if (e == SP_OK) {
        e = sp_sql_size(s, 1, &f.size);
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

enum sp_err sp_index_count(struct sp_index *ix, struct sp_index_counts *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, COUNT);
    enum sp_err e = sp_sql_next(s);
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
