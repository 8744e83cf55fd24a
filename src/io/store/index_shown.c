/* What client pages are held against: fragments of documents, numbers of upstreams. */
#include "io/store/index_inside.h"

enum sp_err sp_index_put_derived(struct sp_index *ix, const struct sp_revision_id *id,
                                 struct sp_view rows)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_DERIVED);
    sp_index_bind_id(s, 1, id);
    sp_sql_bind_blob(s, 3, rows.data, rows.len);
    return sp_sql_do(s);
}

enum sp_err sp_index_derived(struct sp_index *ix, const struct sp_revision_id *id,
                             struct sp_buf *rows)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_DERIVED);
    sp_index_bind_id(s, 1, id);
    enum sp_err e = sp_sql_next(s);
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
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_NUMBER);
    sp_sql_bind_text(s, 1, sp_view_str(upstream));
    sqlite3_bind_int64(s, 2, number);
    sp_index_bind_id(s, 3, id);
    SP_TRY(sp_sql_do(s));
    return sp_sql_do(sp_sql_fresh(&ix->sql, TRIM_NUMBERS));
}

enum sp_err sp_index_number(struct sp_index *ix, const char *upstream, int32_t number,
                            struct sp_revision_id *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_NUMBER);
    struct sp_revision_id id = {0};
    sp_sql_bind_text(s, 1, sp_view_str(upstream));
    sqlite3_bind_int64(s, 2, number);
    enum sp_err e = sp_sql_next(s);
    if (e == SP_OK) {
        e = sp_sql_blob(s, 0, id.id.bytes, sizeof id.id.bytes);
        id.number = (int32_t)sqlite3_column_int64(s, 1);
    }
    sqlite3_reset(s);
    if (e == SP_OK) {
        *out = id;
    }
    return e;
}
