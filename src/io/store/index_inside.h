/* What the parts of the index share; nobody else includes this. */
#ifndef SP_IO_STORE_INDEX_INSIDE_H
#define SP_IO_STORE_INDEX_INSIDE_H

#include "io/store/index.h"
#include "io/store/sql.h"

enum sp_index_statement { /* their texts: index.c */
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
    SP_INDEX_STATEMENTS
};

struct sp_index {
    struct sp_sql sql; /* owned */
};

/* Into two places: its update and its number. */
void sp_index_bind_id(sqlite3_stmt *s, int at, const struct sp_revision_id *id);

#endif
