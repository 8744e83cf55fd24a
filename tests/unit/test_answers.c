/* What witnesses answered, in memory and in a file that outlives the process. */
#include "folder.h"

#include "app/watch/answers.h"

enum { HEAD = sizeof "sallyport answers 1 second https://other\n" - 1 };

static struct sp_revision_id id_of(uint32_t n)
{
    struct sp_revision_id id = {.number = (int32_t)(n % 7)};
    memcpy(id.id.bytes, &n, sizeof n);
    return id;
}

static void digest_of(uint32_t n, uint8_t out[32])
{
    memset(out, 0, 32);
    memcpy(out, &n, sizeof n);
}

static void put(struct sp_answers *a, uint32_t revision, uint32_t digest, uint64_t when)
{
    uint8_t sha256[32];
    struct sp_revision_id id = id_of(revision);
    digest_of(digest, sha256);
    assert_ok(sp_answers_put(a, &id, sha256, when));
}

static const struct sp_tier_row *find(const struct sp_answers *a, uint32_t revision)
{
    struct sp_revision_id id = id_of(revision);
    return sp_answers_find(a, &id);
}

static void assert_answer(const struct sp_answers *a, uint32_t revision,
                          uint32_t digest)
{
    uint8_t sha256[32];
    const struct sp_tier_row *row = find(a, revision);
    digest_of(digest, sha256);
    assert_non_null(row);
    assert_memory_equal(row->document_sha256, sha256, 32);
}

static void open_as(struct sp_answers *a, const char *about)
{
    struct sp_why why = {0};
    assert_ok(sp_answers_open(folder_path, "a second/one", "", about, a, &why));
    assert_string_equal(why.text, "");
}

static void open_it(struct sp_answers *a)
{
    open_as(a, "second https://other");
}

static const char *path(void)
{
    return in_folder("witnesses/a_second_one");
}

static size_t file_size(void)
{
    struct stat st;
    assert_int_equal(stat(path(), &st), 0);
    return (size_t)st.st_size;
}

static void b_answers_outlive_the_process(void **state)
{
    (void)state;
    struct sp_answers a;
    open_it(&a);
    assert_null(find(&a, 1));
    for (uint32_t n = 1; n <= 3000; n++) {
        put(&a, n, n, 77);
    }
    put(&a, 4, 0, 78);
    assert_int_equal(find(&a, 4)->entry, 78);
    assert_ok(sp_answers_sync(&a));
    sp_answers_close(&a);
    assert_int_equal(file_size(), HEAD + 3001 * SP_ANSWERS_ROW);

    open_it(&a);
    assert_int_equal(a.book.count, 3000);
    assert_answer(&a, 1, 1);
    assert_answer(&a, 3000, 3000);
    assert_true(sp_answers_is_nothing(find(&a, 4)));
    assert_false(sp_answers_is_nothing(find(&a, 5)));
    assert_int_equal(find(&a, 5)->entry, 0); /* as old as can be */
    assert_null(find(&a, 3001));
    sp_answers_close(&a);
}

static void b_the_same_answer_again_takes_no_room(void **state)
{
    (void)state;
    struct sp_answers a;
    open_it(&a);
    put(&a, 1, 5, 1);
    put(&a, 1, 5, 2);
    assert_int_equal(find(&a, 1)->entry, 2);
    assert_ok(sp_answers_sync(&a));
    assert_int_equal(file_size(), HEAD + SP_ANSWERS_ROW);
    sp_answers_close(&a);
}

/* Cut at every byte of the last row: the rows before it stay, and it goes on there. */
static void c_a_torn_row_ends_the_file(void **state)
{
    (void)state;
    for (int cut = 1; cut <= SP_ANSWERS_ROW; cut++) {
        struct sp_answers a;
        unlink(path());
        open_it(&a);
        put(&a, 1, 11, 1);
        put(&a, 2, 22, 1);
        sp_answers_close(&a);
        assert_int_equal(truncate(path(), HEAD + 2 * SP_ANSWERS_ROW - cut), 0);
        open_it(&a);
        assert_answer(&a, 1, 11);
        assert_null(find(&a, 2));
        assert_int_equal(file_size(), HEAD + SP_ANSWERS_ROW);
        put(&a, 3, 33, 1);
        sp_answers_close(&a);
        open_it(&a);
        assert_answer(&a, 3, 33);
        assert_int_equal(a.book.count, 2);
        sp_answers_close(&a);
    }
}

/* A bit anywhere in a row: neither that row nor what stands behind it is believed. */
static void f_a_damaged_row_is_not_believed(void **state)
{
    (void)state;
    struct sp_answers a;
    uint8_t text[HEAD + 3 * SP_ANSWERS_ROW];
    open_it(&a);
    for (uint32_t n = 1; n <= 3; n++) {
        put(&a, n, n, 1);
    }
    sp_answers_close(&a);
    FILE *f = fopen(path(), "rb");
    assert_non_null(f);
    assert_int_equal(fread(text, 1, sizeof text, f), sizeof text);
    fclose(f);
    for (size_t i = HEAD + SP_ANSWERS_ROW; i < HEAD + 2 * SP_ANSWERS_ROW; i++) {
        text[i] ^= 4;
        folder_write(path(), text, sizeof text);
        text[i] ^= 4;
        open_it(&a);
        assert_int_equal(a.book.count, 1);
        assert_answer(&a, 1, 1);
        sp_answers_close(&a);
    }
}

static void f_answers_of_somebody_else_are_not_believed(void **state)
{
    (void)state;
    struct sp_answers a;
    open_it(&a);
    put(&a, 1, 1, 1);
    sp_answers_close(&a);
    open_as(&a, "second https://another");
    assert_int_equal(a.book.count, 0);
    sp_answers_close(&a);
    folder_write(path(), "", 0);
    open_it(&a);
    assert_int_equal(a.book.count, 0);
    sp_answers_close(&a);
}

static void c_a_file_full_of_replaced_rows_is_written_anew(void **state)
{
    (void)state;
    struct sp_answers a;
    open_it(&a);
    for (uint32_t n = 0; n < 1026; n++) {
        put(&a, 1, n, 1);
    }
    sp_answers_close(&a);
    open_it(&a); /* 1026 rows for one answer: still within the slack */
    assert_int_equal(file_size(), HEAD + 1026 * SP_ANSWERS_ROW);
    put(&a, 1, 9999, 1);
    sp_answers_close(&a);
    open_it(&a);
    assert_int_equal(file_size(), HEAD + SP_ANSWERS_ROW);
    assert_answer(&a, 1, 9999);
    put(&a, 2, 2, 1);
    sp_answers_close(&a);
    open_it(&a);
    assert_int_equal(a.book.count, 2);
    sp_answers_close(&a);
}

static void c_without_a_place_they_are_kept_in_memory(void **state)
{
    (void)state;
    struct sp_answers a;
    struct sp_why why = {0};
    folder_write(in_folder("witnesses"), "x", 1); /* a file where the folder belongs */
    assert_ok(sp_answers_open(folder_path, "n", ".told", "n", &a, &why));
    assert_non_null(strstr(why.text, "witnesses/n.told"));
    put(&a, 1, 1, 1);
    assert_ok(sp_answers_sync(&a));
    assert_answer(&a, 1, 1);
    sp_answers_close(&a);
}

/* At the limit, and one above; what is there can still change. */
static void c_as_many_as_are_kept(void **state)
{
    (void)state;
    struct sp_answers a;
    struct sp_why why = {0};
    uint8_t sha256[32];
    folder_write(in_folder("witnesses"), "x", 1); /* in memory only: it is quicker */
    assert_ok(sp_answers_open(folder_path, "n", "", "n", &a, &why));
    for (uint32_t n = 0; n < SP_ANSWERS_MAX; n++) {
        struct sp_revision_id id = id_of(n);
        digest_of(n, sha256);
        if (sp_answers_put(&a, &id, sha256, 1) != SP_OK) {
            fail_msg("%u do not fit", n);
        }
    }
    struct sp_revision_id more = id_of(SP_ANSWERS_MAX);
    assert_err(sp_answers_put(&a, &more, sha256, 1), SP_E_LIMIT);
    assert_null(sp_answers_find(&a, &more));
    put(&a, 7, 8, 2);
    assert_answer(&a, 7, 8);
    sp_answers_close(&a);
}

#define IN_FOLDER(test)                                                                \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(b_answers_outlive_the_process),
        IN_FOLDER(b_the_same_answer_again_takes_no_room),
        IN_FOLDER(c_a_torn_row_ends_the_file),
        IN_FOLDER(f_a_damaged_row_is_not_believed),
        IN_FOLDER(f_answers_of_somebody_else_are_not_believed),
        IN_FOLDER(c_a_file_full_of_replaced_rows_is_written_anew),
        IN_FOLDER(c_without_a_place_they_are_kept_in_memory),
        IN_FOLDER(c_as_many_as_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
