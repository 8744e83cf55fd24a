#include "io/store/catalog_sql.h"

#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rows come in the order of the catalogue, and in several members; so no row needs
 * another, and what is looked up by is sorted once, at the end. */
static const char schema[] =
    "BEGIN;"
    "PRAGMA application_id = 1936747363;" /* SP_CATALOG_SQL_ID */
    "PRAGMA user_version = 1;"            /* SP_CATALOG_SQL_VERSION */
    "CREATE TABLE about(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " sha256 BLOB NOT NULL, size INTEGER NOT NULL, signed_at INTEGER NOT NULL,"
    " created INTEGER NOT NULL, package BLOB NOT NULL,"
    " revisions INTEGER NOT NULL, payloads INTEGER NOT NULL,"
    " files INTEGER NOT NULL);"
    "CREATE TABLE revisions(revision INTEGER PRIMARY KEY, id BLOB NOT NULL,"
    " number INTEGER NOT NULL, created TEXT NOT NULL, deployment TEXT NOT NULL);"
    "CREATE TABLE details(revision INTEGER PRIMARY KEY, kb TEXT NOT NULL,"
    " bulletin TEXT NOT NULL, severity TEXT NOT NULL);"
    "CREATE TABLE titles(revision INTEGER PRIMARY KEY, title TEXT NOT NULL);"
    "CREATE TABLE payloads(revision INTEGER NOT NULL, sha1 BLOB NOT NULL);"
    "CREATE TABLE locations(sha1 BLOB NOT NULL, url TEXT NOT NULL);"
    "CREATE TABLE files(sha1 BLOB NOT NULL, sha256 BLOB NOT NULL,"
    " size INTEGER NOT NULL, name TEXT NOT NULL);";
static const char sort[] = "CREATE INDEX by_id ON revisions(id, number);"
                           "CREATE INDEX by_kb ON details(kb) WHERE kb <> '';"
                           "CREATE INDEX by_revision ON payloads(revision, sha1);"
                           "CREATE INDEX by_place ON locations(sha1);"
                           "CREATE INDEX by_file ON files(sha1);"
                           "COMMIT";
/* Nothing of it is needed after a crash: no journal, no waiting. */
static const char haste[] =
    "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16384;"
    "PRAGMA temp_store = FILE; PRAGMA trusted_schema = OFF;";

enum statement {
    PUT_REVISION,
    PUT_DETAILS,
    PUT_TITLE,
    PUT_PAYLOAD,
    PUT_LOCATION,
    PUT_FILE,
    PUT_ABOUT,
    STATEMENTS
};
static const char *const sql[STATEMENTS] = {
    [PUT_REVISION] = "INSERT INTO revisions VALUES(?1, ?2, ?3, ?4, ?5)",
    [PUT_DETAILS] = "INSERT INTO details VALUES(?1, ?2, ?3, ?4)",
    [PUT_TITLE] = "INSERT INTO titles VALUES(?1, ?2)",
    [PUT_PAYLOAD] = "INSERT INTO payloads VALUES(?1, ?2)",
    [PUT_LOCATION] = "INSERT INTO locations VALUES(?1, ?2)",
    [PUT_FILE] = "INSERT INTO files VALUES(?1, ?2, ?3, ?4)",
    [PUT_ABOUT] = "INSERT INTO about VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
};

struct sp_catalog_build {
    struct sp_sql sql; /* owned */
    char path[4096], temporary[4100];
    bool has_package;
    struct sp_catalog_package package;
    uint64_t revisions, payloads, files;
};

/* ---- life ------------------------------------------------------------------------ */

void sp_catalog_build_drop(struct sp_catalog_build **pb)
{
    struct sp_catalog_build *b = *pb;
    if (b) {
        sp_sql_close(&b->sql);
        unlink(b->temporary);
        free(b);
        *pb = NULL;
    }
}

static enum sp_err open_db(struct sp_catalog_build *b)
{
    unlink(b->temporary);
    SP_TRY(
        sp_sql_open(&b->sql, b->temporary, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    SP_TRY(sp_sql_run(&b->sql, haste));
    SP_TRY(sp_sql_run(&b->sql, schema));
    return sp_sql_prepare(&b->sql, sql, STATEMENTS);
}

enum sp_err sp_catalog_build_new(const char *path, struct sp_catalog_build **out,
                                 struct sp_why *why)
{
    SP_AUTO(sp_catalog_build_drop) struct sp_catalog_build *b = calloc(1, sizeof *b);
    if (!b) {
        return SP_E_NOMEM;
    }
    if ((size_t)snprintf(b->path, sizeof b->path, "%s", path) >= sizeof b->path) {
        return sp_why_set(why, SP_E_LIMIT, "the path of the index is too long");
    }
    snprintf(b->temporary, sizeof b->temporary, "%s.new", path);
    enum sp_err e = open_db(b);
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot make the index %s: %s", b->temporary,
                          sp_err_text(e));
    }
    *out = b;
    b = NULL;
    return SP_OK;
}

/* ---- rows ------------------------------------------------------------------------ */

/* A key that stands twice is the catalogue's fault. */
static enum sp_err put(sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    return (code & 0xff) == SQLITE_CONSTRAINT ? SP_E_MALFORMED : sp_sql_err(code);
}

static enum sp_err on_package(void *ctx, const struct sp_catalog_package *p)
{
    struct sp_catalog_build *b = ctx;
    if (b->has_package) {
        return SP_E_MALFORMED;
    }
    b->has_package = true;
    b->package = *p;
    return SP_OK;
}

static enum sp_err on_update(void *ctx, const struct sp_catalog_update *u)
{
    struct sp_catalog_build *b = ctx;
    sqlite3_stmt *s = sp_sql_fresh(&b->sql, PUT_REVISION);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)u->revision);
    sp_sql_bind_blob(s, 2, u->id.bytes, sizeof u->id.bytes);
    sqlite3_bind_int64(s, 3, u->number);
    sp_sql_bind_text(s, 4, u->created);
    sp_sql_bind_text(s, 5, u->deployment);
    b->revisions++;
    return put(s);
}

static enum sp_err on_payload(void *ctx, uint64_t revision, const uint8_t sha1[20])
{
    struct sp_catalog_build *b = ctx;
    sqlite3_stmt *s = sp_sql_fresh(&b->sql, PUT_PAYLOAD);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)revision);
    sp_sql_bind_blob(s, 2, sha1, 20);
    b->payloads++;
    return put(s);
}

static enum sp_err on_location(void *ctx, const uint8_t sha1[20], struct sp_view url)
{
    struct sp_catalog_build *b = ctx;
    sqlite3_stmt *s = sp_sql_fresh(&b->sql, PUT_LOCATION);
    sp_sql_bind_blob(s, 1, sha1, 20);
    sp_sql_bind_text(s, 2, url);
    b->files++;
    return put(s);
}

static enum sp_err on_details(void *ctx, const struct sp_catalog_details *d)
{
    struct sp_catalog_build *b = ctx;
    sqlite3_stmt *s = sp_sql_fresh(&b->sql, PUT_DETAILS);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)d->revision);
    sp_sql_bind_text(s, 2, d->kb);
    sp_sql_bind_text(s, 3, d->bulletin);
    sp_sql_bind_text(s, 4, d->severity);
    return put(s);
}

static enum sp_err on_title(void *ctx, uint64_t revision, struct sp_view title)
{
    struct sp_catalog_build *b = ctx;
    sqlite3_stmt *s = sp_sql_fresh(&b->sql, PUT_TITLE);
    sqlite3_bind_int64(s, 1, (sqlite3_int64)revision);
    sp_sql_bind_text(s, 2, title);
    return put(s);
}

static enum sp_err on_file(void *ctx, const struct sp_catalog_file *f)
{
    struct sp_catalog_build *b = ctx;
    sqlite3_stmt *s = sp_sql_fresh(&b->sql, PUT_FILE);
    sp_sql_bind_blob(s, 1, f->sha1, sizeof f->sha1);
    sp_sql_bind_blob(s, 2, f->sha256, f->has_sha256 ? sizeof f->sha256 : 0);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)f->size);
    sp_sql_bind_text(s, 4, f->name);
    return put(s);
}

struct sp_catalog_sink sp_catalog_build_sink(struct sp_catalog_build *b)
{
    return (struct sp_catalog_sink){.package = on_package,
                                    .update = on_update,
                                    .payload = on_payload,
                                    .location = on_location,
                                    .details = on_details,
                                    .title = on_title,
                                    .file = on_file,
                                    .ctx = b};
}

/* ---- the end --------------------------------------------------------------------- */

static enum sp_err put_about(struct sp_catalog_build *b,
                             const struct sp_catalog_about *a)
{
    sqlite3_stmt *s = sp_sql_fresh(&b->sql, PUT_ABOUT);
    sp_sql_bind_blob(s, 1, a->sha256, sizeof a->sha256);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)a->size);
    sqlite3_bind_int64(s, 3, a->signed_at);
    sqlite3_bind_int64(s, 4, a->created);
    sp_sql_bind_blob(s, 5, a->package.bytes, sizeof a->package.bytes);
    sqlite3_bind_int64(s, 6, (sqlite3_int64)a->revisions);
    sqlite3_bind_int64(s, 7, (sqlite3_int64)a->payloads);
    sqlite3_bind_int64(s, 8, (sqlite3_int64)a->files);
    return put(s);
}

/* Into its place, with all bytes on disk before the name is. */
static enum sp_err publish(struct sp_catalog_build *b)
{
    SP_AUTO(sp_fd_close) int fd = open(b->temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fsync(fd) != 0 || rename(b->temporary, b->path) != 0) {
        return sp_file_err(errno);
    }
    return SP_OK;
}

static enum sp_err finish(struct sp_catalog_build *b, struct sp_catalog_about *about)
{
    about->created = b->package.created;
    about->package = b->package.id;
    about->revisions = b->revisions;
    about->payloads = b->payloads;
    about->files = b->files;
    SP_TRY(put_about(b, about));
    SP_TRY(sp_sql_run(&b->sql, sort));
    SP_TRY(sp_sql_close(&b->sql));
    return publish(b);
}

enum sp_err sp_catalog_build_finish(struct sp_catalog_build **pb,
                                    struct sp_catalog_about *about, struct sp_why *why)
{
    SP_AUTO(sp_catalog_build_drop) struct sp_catalog_build *b = *pb;
    *pb = NULL;
    if (!b->has_package) {
        return sp_why_set(why, SP_E_MALFORMED, "the catalogue holds no package.xml");
    }
    enum sp_err e = finish(b, about);
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, e, "cannot finish the index %s: %s", b->path,
                                   sp_err_text(e));
}
