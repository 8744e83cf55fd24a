/* What making and reading the index of a catalogue share; nobody else includes this. */
#ifndef SP_IO_STORE_CATALOG_SQL_H
#define SP_IO_STORE_CATALOG_SQL_H

#include "io/store/catalog.h"

#include <sqlite3.h>

/* "spoc"; any other version is made again from the catalogue. */
#define SP_CATALOG_SQL_ID      1936747363
#define SP_CATALOG_SQL_VERSION 1

enum sp_err sp_catalog_sql_err(int code);
/* Opens what no link stands for. SQLite itself would refuse a link in any folder on the
 * way as well, and folders may be where somebody has put them. */
enum sp_err sp_catalog_sql_open(const char *path, int flags, sqlite3 **out) SP_MUST_USE;
void sp_catalog_sql_bind(sqlite3_stmt *s, int at, const uint8_t *bytes, size_t n);
void sp_catalog_sql_bind_text(sqlite3_stmt *s, int at, struct sp_view v);
/* SP_E_CORRUPT unless the column is a blob of n bytes. */
enum sp_err sp_catalog_sql_blob(sqlite3_stmt *s, int at, uint8_t *out,
                                size_t n) SP_MUST_USE;

#endif
