/* The ledger's index killed, or failing, at every call of SQLite that opens or changes
 * a file: its mark and its rows agree, and what was committed before a kill is there.
 */
#include "faults_sql.h"

#include "io/store/index.h"

enum { ENTRIES = 6 };
static uint64_t until; /* how many of them the work puts in */

static const char *path(void)
{
    return in_folder("index");
}

static void id_of(uint64_t entry, struct sp_revision_id *out)
{
    memset(out, (int)entry + 1, sizeof *out);
    out->number = 1;
}

static enum sp_err put(struct sp_index *ix, uint64_t entry)
{
    struct sp_index_mark mark = {.size = entry + 1, .root = {(uint8_t)(entry + 1)}};
    struct sp_index_file file = {.size = entry, .tree.known = true};
    struct sp_revision_id id;
    uint8_t sha1[20] = {(uint8_t)entry}, document[32] = {(uint8_t)entry};
    id_of(entry, &id);
    SP_TRY(sp_index_begin(ix));
    SP_TRY(sp_index_put_revision(ix, &id, document, entry));
    SP_TRY(sp_index_put_file(ix, sha1, &file, entry));
    SP_TRY(sp_index_commit(ix, &mark));
    faults_said[0] = (uint8_t)(entry + 1);
    return SP_OK;
}

static enum sp_err put_all(struct sp_index *ix)
{
    struct sp_index_mark mark;
    SP_TRY(sp_index_mark(ix, &mark));
    for (uint64_t entry = mark.size; entry < until; entry++) {
        SP_TRY(put(ix, entry));
    }
    return SP_OK;
}

/* As the keeper does it: what the mark leaves out is put in again. */
static enum sp_err work(void)
{
    struct sp_index *ix = NULL;
    SP_TRY(sp_index_open(path(), &ix, NULL));
    enum sp_err e = put_all(ix);
    if (e != SP_OK) {
        sp_index_rollback(ix);
    }
    sp_index_close(&ix);
    return e;
}

/* Nothing, and then also half of it: an opening that fails does not cost what is there.
 */
static void empty(void)
{
    sp_index_remove(path());
    until = ENTRIES;
}

static void half(void)
{
    sp_index_remove(path());
    until = ENTRIES / 2;
    assert_ok(work());
    assert_int_equal(faults_said[0], until);
    until = ENTRIES;
}

static void assert_entry(struct sp_index *ix, uint64_t entry, bool is_there)
{
    struct sp_revision_id id;
    struct sp_index_revision revision;
    struct sp_index_file file;
    uint8_t sha1[20] = {(uint8_t)entry};
    enum sp_err expected = is_there ? SP_OK : SP_E_NOTFOUND;
    id_of(entry, &id);
    assert_err(sp_index_revision(ix, &id, &revision), expected);
    assert_err(sp_index_file(ix, sha1, &file), expected);
    if (is_there) {
        assert_int_equal(revision.entry, entry);
        assert_int_equal(file.size, entry);
    }
}

static void assert_sound(void)
{
    struct sp_index *ix = NULL;
    struct sp_index_mark mark;
    assert_ok(sp_index_open(path(), &ix, NULL));
    assert_ok(sp_index_mark(ix, &mark));
    assert_true(mark.size >= faults_said[0]);
    assert_int_equal(mark.root[0], mark.size);
    for (uint64_t entry = 0; entry < ENTRIES; entry++) {
        assert_entry(ix, entry, entry < mark.size);
    }
    sp_index_close(&ix);
}

static const struct faults_case from_empty = {empty, work, assert_sound, 20};
static const struct faults_case from_half = {half, work, assert_sound, 10};

static void f_killed_at_every_call(void **state)
{
    (void)state;
    faults_kill_everywhere(&from_empty);
    faults_kill_everywhere(&from_half);
}

static void f_failing_at_every_call(void **state)
{
    (void)state;
    faults_fail_everywhere(&from_empty);
    faults_fail_everywhere(&from_half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULTS_TEST(f_killed_at_every_call),
        FAULTS_TEST(f_failing_at_every_call),
    };
    faults_take_over_sqlite();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
