/* SQLite, for the indexes that are kept in it: a database with its prepared statements.
 * One owner, one thread; all calls block. Nobody else includes SQLite's header. */
#ifndef SP_IO_STORE_SQL_H
#define SP_IO_STORE_SQL_H

#include "sallyport/bytes.h"
#include "sallyport/err.h"

#include <sqlite3.h>

struct sp_sql { /* all zero is closed */
    sqlite3 *db;               /* owned */
    sqlite3_stmt **statements; /* owned, count of them */
    size_t count;
};
/* SP_E_CORRUPT is also for a schema that the statements were not written for. */
enum sp_err sp_sql_err(int code);
/* Opens what no link stands for. SQLite itself would refuse a link in any folder on the
 * way as well, and folders may be where somebody has put them. Not through a mutex. */
enum sp_err sp_sql_open(struct sp_sql *q, const char *path, int flags) SP_MUST_USE;
enum sp_err sp_sql_prepare(struct sp_sql *q, const char *const *texts,
                           size_t count) SP_MUST_USE;
/* The result matters to who has written without a transaction. */
enum sp_err sp_sql_close(struct sp_sql *q);

enum sp_err sp_sql_run(struct sp_sql *q, const char *text) SP_MUST_USE;
/* The one number that a pragma or a query answers with. */
enum sp_err sp_sql_number(struct sp_sql *q, const char *text, int64_t *out) SP_MUST_USE;

/* A statement with nothing bound, at its beginning. Binding fails for want of memory
 * only; a NULL then breaks the NOT NULL of a column or finds nothing, so that the step
 * tells. */
sqlite3_stmt *sp_sql_fresh(struct sp_sql *q, int which);
void sp_sql_bind_blob(sqlite3_stmt *s, int at, const uint8_t *bytes, size_t n);
void sp_sql_bind_text(sqlite3_stmt *s, int at, struct sp_view v);
/* One step of a statement that gives no rows. */
enum sp_err sp_sql_do(sqlite3_stmt *s) SP_MUST_USE;
/* A row, or SP_E_NOTFOUND where there is none any more. */
enum sp_err sp_sql_next(sqlite3_stmt *s) SP_MUST_USE;

/* SP_E_CORRUPT unless the column is a blob of n bytes. */
enum sp_err sp_sql_blob(sqlite3_stmt *s, int at, uint8_t *out, size_t n) SP_MUST_USE;
/* SP_E_CORRUPT where it is negative. */
enum sp_err sp_sql_size(sqlite3_stmt *s, int at, uint64_t *out) SP_MUST_USE;
/* Its text and the end of it, cut off by nothing: SP_E_CORRUPT where it does not fit. */
enum sp_err sp_sql_text(sqlite3_stmt *s, int at, char *out, size_t room) SP_MUST_USE;

#endif
