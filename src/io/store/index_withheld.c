/* Revisions that are withheld, and the bundles that need them. */
#include "io/store/index_inside.h"

#include <stdlib.h>

enum sp_err sp_index_put_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                  struct sp_view policy, bool quarantined,
                                  uint64_t entry)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_WITHHELD);
    sp_index_bind_id(s, 1, id);
    sp_sql_bind_text(s, 3, policy);
    sqlite3_bind_int64(s, 4, quarantined);
    sqlite3_bind_int64(s, 5, (sqlite3_int64)entry);
    return sp_sql_do(s);
}

enum sp_err sp_index_is_withheld(struct sp_index *ix, const struct sp_revision_id *id,
                                 struct sp_view policy, bool *out)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_WITHHELD);
    sp_index_bind_id(s, 1, id);
    sp_sql_bind_text(s, 3, policy);
    enum sp_err e = sp_sql_next(s);
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
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, DROP_WITHHELD);
    sp_index_bind_id(s, 1, id);
    sqlite3_bind_int64(s, 3, quarantined_too);
    return sp_sql_do(s);
}

enum sp_err sp_index_put_need(struct sp_index *ix, const struct sp_revision_id *child,
                              const struct sp_revision_id *bundle)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_NEED);
    sp_index_bind_id(s, 1, child);
    sp_index_bind_id(s, 3, bundle);
    return sp_sql_do(s);
}

static enum sp_err read_withheld(sqlite3_stmt *s, struct sp_withheld *w)
{
    SP_TRY(sp_sql_blob(s, 0, w->id.id.bytes, sizeof w->id.id.bytes));
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
    while ((e = sp_sql_next(s)) == SP_OK) {
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
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, LIST_WITHHELD);
    sp_sql_bind_text(s, 1, policy);
    return take_list(s, out, count);
}

enum sp_err sp_index_needing(struct sp_index *ix, const struct sp_revision_id *child,
                             struct sp_withheld **out, size_t *count)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, LIST_NEEDING);
    sp_index_bind_id(s, 1, child);
    return take_list(s, out, count);
}
