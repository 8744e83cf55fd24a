/* What revisions claim of files, and where files were said to be. */
#include "io/store/index_inside.h"

#include <string.h>

enum sp_err sp_index_put_claim(struct sp_index *ix, const struct sp_claim *c,
                               uint64_t entry)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_CLAIM);
    sp_sql_bind_blob(s, 1, c->sha1, sizeof c->sha1);
    sp_sql_bind_blob(s, 2, c->sha256, c->has_sha256 ? sizeof c->sha256 : 0);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)c->size);
    sp_sql_bind_text(s, 4, sp_view_str(c->ext));
    sqlite3_bind_int64(s, 5, (sqlite3_int64)entry);
    return sp_sql_do(s);
}

static enum sp_err read_claim(sqlite3_stmt *s, struct sp_claim *c)
{
    c->has_sha256 = sqlite3_column_bytes(s, 0) != 0;
    if (c->has_sha256) {
        SP_TRY(sp_sql_blob(s, 0, c->sha256, sizeof c->sha256));
    }
    SP_TRY(sp_sql_size(s, 1, &c->size));
    return sp_sql_text(s, 2, c->ext, sizeof c->ext);
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
    while ((e = sp_sql_next(s)) == SP_OK) {
        struct sp_claim next = {0};
        SP_TRY(read_claim(s, &next));
        join_claims(all, &next, contradicted);
    }
    return e == SP_E_NOTFOUND ? SP_OK : e;
}

enum sp_err sp_index_claim(struct sp_index *ix, const uint8_t sha1[20],
                           struct sp_claim *out, bool *contradicted)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_CLAIMS);
    struct sp_claim all = {0};
    bool differ = false;
    sp_sql_bind_blob(s, 1, sha1, 20);
    enum sp_err e = sp_sql_next(s);
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
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_CLAIM_ENTRY);
    sp_sql_bind_blob(s, 1, sha1, 20);
    enum sp_err e = sp_sql_next(s);
    if (e == SP_OK) {
        e = sp_sql_size(s, 0, entry);
    }
    sqlite3_reset(s);
    return e;
}

/* Only of files that some revision claims: nobody can fill the disk with the rest. */
enum sp_err sp_index_put_url(struct sp_index *ix, const uint8_t sha1[20],
                             struct sp_view url)
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, PUT_URL);
    sp_sql_bind_blob(s, 1, sha1, 20);
    sp_sql_bind_text(s, 2, url);
    return sp_sql_do(s);
}

enum sp_err sp_index_url(struct sp_index *ix, const uint8_t sha1[20],
                         char out[SP_FILE_URL])
{
    sqlite3_stmt *s = sp_sql_fresh(&ix->sql, GET_URL);
    sp_sql_bind_blob(s, 1, sha1, 20);
    enum sp_err e = sp_sql_next(s);
    if (e == SP_OK) {
        e = sp_sql_text(s, 0, out, SP_FILE_URL);
    }
    sqlite3_reset(s);
    return e;
}
