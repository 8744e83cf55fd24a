#include "io/store/catalog_sql.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a row of struct sp_catalog_row is made of. */
#define ROW                                                                            \
    "SELECT r.revision, r.id, r.number, r.created, r.deployment,"                      \
    " ifnull(d.kb, ''), ifnull(d.bulletin, ''), ifnull(d.severity, ''),"               \
    " ifnull(t.title, '') FROM revisions r"                                            \
    " LEFT JOIN details d USING (revision) LEFT JOIN titles t USING (revision) "
#define NEWEST_FIRST " ORDER BY r.revision DESC"

enum statement {
    GET_ABOUT,
    FIND_KB,
    FIND_UPDATE,
    GET_REVISION,
    GET_PAYLOADS,
    COUNT_PAYLOADS,
    HAS_PAYLOAD,
    GET_SHA256,
    STATEMENTS
};
static const char *const sql[STATEMENTS] = {
    [GET_ABOUT] = "SELECT sha256, size, signed_at, created, package, revisions,"
                  " payloads, files FROM about WHERE one = 1",
    [FIND_KB] = ROW "WHERE r.revision IN (SELECT revision FROM details"
                    " WHERE kb = ?1 AND kb <> '')" NEWEST_FIRST,
    [FIND_UPDATE] =
        ROW "WHERE r.id = ?1 AND (?2 < 0 OR r.number = ?2) ORDER BY r.number DESC",
    [GET_REVISION] = "SELECT revision FROM revisions WHERE id = ?1 AND number = ?2",
    [GET_PAYLOADS] =
        "SELECT DISTINCT p.sha1, ifnull(f.sha256, x''), ifnull(f.size, -1),"
        " ifnull(f.name, ''), ifnull((SELECT min(url) FROM locations l"
        " WHERE l.sha1 = p.sha1), '') FROM payloads p LEFT JOIN files f"
        " ON f.sha1 = p.sha1 WHERE p.revision = ?1 ORDER BY p.sha1",
    [COUNT_PAYLOADS] = "SELECT count(*) FROM payloads WHERE revision = ?1",
    [HAS_PAYLOAD] = "SELECT count(*) FROM payloads WHERE revision = ?1 AND sha1 = ?2",
    [GET_SHA256] = "SELECT sha256 FROM files WHERE sha1 = ?1 AND sha256 <> x''",
};

struct sp_catalog {
    struct sp_sql sql; /* owned */
    struct sp_catalog_about about;
};

/* ---- life ------------------------------------------------------------------------ */

void sp_catalog_close(struct sp_catalog **pc)
{
    struct sp_catalog *c = *pc;
    if (c) {
        sp_sql_close(&c->sql);
        free(c);
        *pc = NULL;
    }
}

static enum sp_err check_kind(struct sp_catalog *c)
{
    int64_t id = 0, version = 0;
    SP_TRY(sp_sql_number(&c->sql, "PRAGMA application_id", &id));
    SP_TRY(sp_sql_number(&c->sql, "PRAGMA user_version", &version));
    return id == SP_CATALOG_SQL_ID && version == SP_CATALOG_SQL_VERSION ? SP_OK
                                                                        : SP_E_CORRUPT;
}

static enum sp_err read_about(struct sp_catalog *c)
{
    sqlite3_stmt *s = sp_sql_fresh(&c->sql, GET_ABOUT);
    struct sp_catalog_about *a = &c->about;
    enum sp_err e = sp_sql_next(s);
    SP_TRY(e == SP_E_NOTFOUND ? SP_E_CORRUPT : e);
    SP_TRY(sp_sql_blob(s, 0, a->sha256, sizeof a->sha256));
    a->size = (uint64_t)sqlite3_column_int64(s, 1);
    a->signed_at = sqlite3_column_int64(s, 2);
    a->created = sqlite3_column_int64(s, 3);
    SP_TRY(sp_sql_blob(s, 4, a->package.bytes, sizeof a->package.bytes));
    a->revisions = (uint64_t)sqlite3_column_int64(s, 5);
    a->payloads = (uint64_t)sqlite3_column_int64(s, 6);
    a->files = (uint64_t)sqlite3_column_int64(s, 7);
    sqlite3_reset(s);
    return SP_OK;
}

static enum sp_err open_db(struct sp_catalog *c, const char *path)
{
    SP_TRY(sp_sql_open(&c->sql, path, SQLITE_OPEN_READONLY));
    SP_TRY(sp_sql_run(&c->sql, "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA cache_size = -4096"));
    SP_TRY(check_kind(c));
    SP_TRY(sp_sql_prepare(&c->sql, sql, STATEMENTS));
    return read_about(c);
}

enum sp_err sp_catalog_open(const char *path, struct sp_catalog **out,
                            struct sp_why *why)
{
    SP_AUTO(sp_catalog_close) struct sp_catalog *c = NULL;
    struct stat st;
    if (lstat(path, &st) != 0) {
        return sp_why_set(why, SP_E_NOTFOUND, "there is no index %s", path);
    }
    if (!S_ISREG(st.st_mode)) { /* opening a FIFO would wait for its other end */
        return sp_why_set(why, SP_E_CORRUPT, "the index %s is no file", path);
    }
    c = calloc(1, sizeof *c);
    if (!c) {
        return SP_E_NOMEM;
    }
    enum sp_err e = open_db(c, path);
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot read the index %s: %s", path, sp_err_text(e));
    }
    *out = c;
    c = NULL;
    return SP_OK;
}

const struct sp_catalog_about *sp_catalog_about(const struct sp_catalog *c)
{
    return &c->about;
}

/* ---- looking things up ----------------------------------------------------------- */

static const char *text(sqlite3_stmt *s, int at)
{
    const unsigned char *t = sqlite3_column_text(s, at);
    return t ? (const char *)t : "";
}

static enum sp_err each_row(sqlite3_stmt *s,
                            enum sp_err (*each)(void *, const struct sp_catalog_row *),
                            void *ctx)
{
    enum sp_err e;
    while ((e = sp_sql_next(s)) == SP_OK) {
        struct sp_catalog_row row = {.revision = (uint64_t)sqlite3_column_int64(s, 0),
                                     .number = sqlite3_column_int64(s, 2),
                                     .created = text(s, 3),
                                     .deployment = text(s, 4),
                                     .kb = text(s, 5),
                                     .bulletin = text(s, 6),
                                     .severity = text(s, 7),
                                     .title = text(s, 8)};
        SP_TRY(sp_sql_blob(s, 1, row.id.bytes, sizeof row.id.bytes));
        SP_TRY(each(ctx, &row));
    }
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

enum sp_err sp_catalog_find_kb(struct sp_catalog *c, struct sp_view kb,
                               enum sp_err (*each)(void *,
                                                   const struct sp_catalog_row *),
                               void *ctx)
{
    sqlite3_stmt *s = sp_sql_fresh(&c->sql, FIND_KB);
    sp_sql_bind_text(s, 1, kb);
    enum sp_err e = each_row(s, each, ctx);
    sqlite3_reset(s);
    return e;
}

enum sp_err
sp_catalog_find_update(struct sp_catalog *c, const struct sp_guid *id, int64_t number,
                       enum sp_err (*each)(void *, const struct sp_catalog_row *),
                       void *ctx)
{
    sqlite3_stmt *s = sp_sql_fresh(&c->sql, FIND_UPDATE);
    sp_sql_bind_blob(s, 1, id->bytes, sizeof id->bytes);
    sqlite3_bind_int64(s, 2, number);
    enum sp_err e = each_row(s, each, ctx);
    sqlite3_reset(s);
    return e;
}

static enum sp_err read_payload(sqlite3_stmt *s, struct sp_catalog_payload *p)
{
    int64_t size = sqlite3_column_int64(s, 2);
    *p = (struct sp_catalog_payload){.has_sha256 = sqlite3_column_bytes(s, 1) > 0,
                                     .has_size = size >= 0,
                                     .size = size >= 0 ? (uint64_t)size : 0,
                                     .name = text(s, 3),
                                     .url = text(s, 4)};
    SP_TRY(sp_sql_blob(s, 0, p->sha1, sizeof p->sha1));
    return p->has_sha256 ? sp_sql_blob(s, 1, p->sha256, sizeof p->sha256) : SP_OK;
}

enum sp_err sp_catalog_payloads(struct sp_catalog *c, uint64_t revision,
                                enum sp_err (*each)(void *ctx,
                                                    const struct sp_catalog_payload *p),
                                void *ctx)
{
    sqlite3_stmt *s = sp_sql_fresh(&c->sql, GET_PAYLOADS);
    struct sp_catalog_payload p;
    enum sp_err e;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)revision);
    while ((e = sp_sql_next(s)) == SP_OK && (e = read_payload(s, &p)) == SP_OK) {
        e = each(ctx, &p);
        if (e != SP_OK) {
            break;
        }
    }
    sqlite3_reset(s);
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

/* ---- the witness ----------------------------------------------------------------- */

static enum sp_err find_revision(struct sp_catalog *c, const struct sp_guid *id,
                                 int64_t number, int64_t *revision)
{
    sqlite3_stmt *s = sp_sql_fresh(&c->sql, GET_REVISION);
    sp_sql_bind_blob(s, 1, id->bytes, sizeof id->bytes);
    sqlite3_bind_int64(s, 2, number);
    enum sp_err e = sp_sql_next(s);
    *revision = e == SP_OK ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return e;
}

static enum sp_err count_payloads(struct sp_catalog *c, int64_t revision,
                                  const uint8_t *sha1, bool *any)
{
    sqlite3_stmt *s = sp_sql_fresh(&c->sql, sha1 ? HAS_PAYLOAD : COUNT_PAYLOADS);
    sqlite3_bind_int64(s, 1, revision);
    if (sha1) {
        sp_sql_bind_blob(s, 2, sha1, 20);
    }
    enum sp_err e = sp_sql_next(s);
    *any = e == SP_OK && sqlite3_column_int64(s, 0) > 0;
    sqlite3_reset(s);
    return e;
}

/* Nothing said about its SHA-256 agrees with any. */
static enum sp_err agrees(struct sp_catalog *c, const struct sp_catalog_claim *claim,
                          bool *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&c->sql, GET_SHA256);
    uint8_t sha256[32];
    enum sp_err e = SP_E_NOTFOUND;
    bool good = true;
    sp_sql_bind_blob(s, 1, claim->sha1, sizeof claim->sha1);
    while (claim->has_sha256 && good && (e = sp_sql_next(s)) == SP_OK) {
        SP_TRY(sp_sql_blob(s, 0, sha256, sizeof sha256));
        good = memcmp(sha256, claim->sha256, sizeof sha256) == 0;
    }
    sqlite3_reset(s);
    *out = good;
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

static enum sp_err hear(struct sp_catalog *c, int64_t revision,
                        const struct sp_catalog_claim *claims, size_t count,
                        struct sp_catalog_testimony *t)
{
    for (size_t i = 0; i < count; i++) {
        bool is_there = false, same = false;
        SP_TRY(count_payloads(c, revision, claims[i].sha1, &is_there));
        SP_TRY(agrees(c, &claims[i], &same));
        if (!is_there || !same) {
            t->witness = SP_WITNESS_CONTRADICTS;
            memcpy(t->odd_sha1, claims[i].sha1, sizeof t->odd_sha1);
            return SP_OK;
        }
    }
    t->witness = SP_WITNESS_APPEARS;
    return SP_OK;
}

enum sp_err sp_catalog_witness(struct sp_catalog *c, const struct sp_guid *id,
                               int64_t number, const struct sp_catalog_claim *claims,
                               size_t count, struct sp_catalog_testimony *out)
{
    struct sp_catalog_testimony t = {.witness = SP_WITNESS_ABSENT};
    int64_t revision = 0;
    bool names_files = false;
    enum sp_err e = find_revision(c, id, number, &revision);
    if (e == SP_OK) {
        t.knows_revision = true;
        SP_TRY(count_payloads(c, revision, NULL, &names_files));
        if (names_files && count > 0) {
            SP_TRY(hear(c, revision, claims, count, &t));
        }
    } else if (e != SP_E_NOTFOUND) {
        return e;
    }
    *out = t;
    return SP_OK;
}
