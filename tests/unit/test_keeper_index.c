/* The index is a cache of the ledger: lost, damaged or behind, it is made again. */
#include "keeper_rig.h"

#include <fcntl.h>

static void c_lost_index_is_rebuilt(void **state)
{
    (void)state;
    fill();
    expect_filled();
    remove_index();
    expect_filled();
}

static void f_damaged_index_is_rebuilt(void **state)
{
    (void)state;
    static const char *const garbage[] = {"", "no database at all", "SQLite format 3"};
    fill();
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        remove_index();
        folder_write(in_folder("state/index"), garbage[i], strlen(garbage[i]));
        expect_filled();
    }
    /* pages that only a statement meets */
    struct stat st;
    assert_int_equal(stat(in_folder("state/index"), &st), 0);
    for (off_t page = 1; page < st.st_size / 4096; page++) {
        uint8_t junk[4096];
        memset(junk, 0xA5, sizeof junk);
        int fd = open(in_folder("state/index"), O_RDWR);
        assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
        close(fd);
        expect_filled();
    }
}

static void copy_index(const char *from, const char *to)
{
    size_t len = 0;
    uint8_t *bytes = unit_read_file(in_folder(from), &len);
    assert_non_null(bytes);
    folder_write(in_folder(to), bytes, len);
    free(bytes);
}

static void c_index_behind_is_replayed(void **state)
{
    (void)state;
    struct sp_keeper *k = open_keeper();
    sp_keeper_free(&k);
    copy_index("state/index", "old");
    fill();
    remove_index();
    copy_index("old", "state/index");
    expect_filled();
}

static void f_index_of_another_ledger_is_rebuilt(void **state)
{
    (void)state;
    struct made m;
    struct sp_keeper *k = open_keeper();
    make_revision(&m, "revision", 77, 1, NULL, 0);
    assert_ok(record_one(k, &m).err);
    sp_keeper_free(&k);
    copy_index("state/index", "old");
    folder_remove(in_folder("state"));
    fill();
    remove_index();
    copy_index("old", "state/index");
    expect_filled();
    k = open_keeper();
    assert_false(ask_revision(k, 77).known);
    sp_keeper_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(c_lost_index_is_rebuilt),
        TEST(c_index_behind_is_replayed),
        TEST(f_damaged_index_is_rebuilt),
        TEST(f_index_of_another_ledger_is_rebuilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
