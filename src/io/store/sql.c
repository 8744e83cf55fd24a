#include "io/store/sql.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum sp_err sp_sql_err(int code)
{
    switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return SP_OK;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
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

enum sp_err sp_sql_open(struct sp_sql *q, const char *path, int flags)
{
    char folder[PATH_MAX], real[PATH_MAX], whole[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int n = snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path);
    if (n < 0 || (size_t)n >= sizeof folder || !realpath(n ? folder : ".", real)) {
        return SP_E_IO;
    }
    n = snprintf(whole, sizeof whole, "%s/%s", real, name);
    if (n < 0 || (size_t)n >= sizeof whole) {
        return SP_E_LIMIT;
    }
    flags |= SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
    return sp_sql_err(sqlite3_open_v2(whole, &q->db, flags, NULL));
}

enum sp_err sp_sql_prepare(struct sp_sql *q, const char *const *texts, size_t count)
{
    q->statements = calloc(count, sizeof(sqlite3_stmt *));
    if (!q->statements) {
        return SP_E_NOMEM;
    }
    for (q->count = 0; q->count < count; q->count++) {
        SP_TRY(sp_sql_err(sqlite3_prepare_v3(q->db, texts[q->count], -1,
                                             SQLITE_PREPARE_PERSISTENT,
                                             &q->statements[q->count], NULL)));
    }
    return SP_OK;
}

enum sp_err sp_sql_close(struct sp_sql *q)
{
    for (size_t i = 0; i < q->count; i++) {
        sqlite3_finalize(q->statements[i]);
    }
    free((void *)q->statements);
    int code = sqlite3_close(q->db);
    *q = (struct sp_sql){0};
    return sp_sql_err(code);
}

enum sp_err sp_sql_run(struct sp_sql *q, const char *text)
{
    return sp_sql_err(sqlite3_exec(q->db, text, NULL, NULL, NULL));
}

enum sp_err sp_sql_number(struct sp_sql *q, const char *text, int64_t *out)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(q->db, text, -1, &s, NULL);
    code = code == SQLITE_OK ? sqlite3_step(s) : code;
    if (code == SQLITE_ROW) {
        *out = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    return code == SQLITE_DONE ? SP_E_CORRUPT : sp_sql_err(code);
}

sqlite3_stmt *sp_sql_fresh(struct sp_sql *q, int which)
{
    sqlite3_stmt *s = q->statements[which];
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return s;
}

void sp_sql_bind_blob(sqlite3_stmt *s, int at, const uint8_t *bytes, size_t n)
{
    /* a NULL pointer would bind NULL, which is not the empty blob */
    sqlite3_bind_blob(s, at, n ? (const void *)bytes : "", (int)n, SQLITE_TRANSIENT);
}

void sp_sql_bind_text(sqlite3_stmt *s, int at, struct sp_view v)
{
    sqlite3_bind_text(s, at, v.len ? (const char *)v.data : "", (int)v.len,
                      SQLITE_TRANSIENT);
}

enum sp_err sp_sql_do(sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    return sp_sql_err(code);
}

enum sp_err sp_sql_next(sqlite3_stmt *s)
{
    int code = sqlite3_step(s);
    return code == SQLITE_DONE ? SP_E_NOTFOUND : sp_sql_err(code);
}

enum sp_err sp_sql_blob(sqlite3_stmt *s, int at, uint8_t *out, size_t n)
{
    const void *bytes = sqlite3_column_blob(s, at);
    if (!bytes || (size_t)sqlite3_column_bytes(s, at) != n) {
        return SP_E_CORRUPT;
    }
    memcpy(out, bytes, n);
    return SP_OK;
}

enum sp_err sp_sql_size(sqlite3_stmt *s, int at, uint64_t *out)
{
    int64_t n = sqlite3_column_int64(s, at);
    if (n < 0) {
        return SP_E_CORRUPT;
    }
    *out = (uint64_t)n;
    return SP_OK;
}

enum sp_err sp_sql_text(sqlite3_stmt *s, int at, char *out, size_t room)
{
    const unsigned char *text = sqlite3_column_text(s, at);
    int n = sqlite3_column_bytes(s, at);
    if (!text || n < 0 || (size_t)n >= room) {
        return SP_E_CORRUPT;
    }
    snprintf(out, room, "%s", (const char *)text);
    return SP_OK;
}
