/* A whole ledger checked by one thread and by many: what is found, where, and which of
 * two things first. */
#include "folder.h"

#include "core/base/limits.h"
#include "io/loop/crew.h"
#include "io/store/ledger_files.h"

#include <fcntl.h>

enum {
    TEXT = 64,
    BATCH = 4096,
    WINDOW = SP_CREW_SLOTS * SP_TILE_WIDTH, /* entries that are under way at most */
};

static const char misspelt[] = "entry.kind test\nentry.time%20x\n";

/* Entries 0 to size - 1; those numbers that are in wrong are spelled wrong. */
static void make_ledger(uint64_t size, const uint64_t *wrong, size_t wrong_count)
{
    static char texts[BATCH][TEXT];
    static struct sp_view views[BATCH];
    struct sp_ledger_files *l = NULL;
    assert_ok(sp_ledger_open(in_folder("state"), "sallyport/test", &l, NULL));
    while (sp_ledger_size(l) < size) {
        size_t count = 0;
        for (uint64_t n = sp_ledger_size(l); n < size && count < BATCH; n++, count++) {
            bool is_wrong = false;
            for (size_t i = 0; i < wrong_count; i++) {
                is_wrong = is_wrong || wrong[i] == n;
            }
            snprintf(texts[count], TEXT, "entry.kind test\nentry.time %llu %%25\n",
                     (unsigned long long)n);
            views[count] = sp_view_str(is_wrong ? misspelt : texts[count]);
        }
        uint64_t first = 0;
        assert_ok(sp_ledger_append(l, views, count, &first, NULL));
    }
    sp_ledger_close(&l);
}

static void expect(unsigned threads, enum sp_err wanted, uint64_t entries,
                   const char *why_part)
{
    struct sp_why why = {0};
    uint64_t count = UINT64_MAX;
    enum sp_err e =
        sp_ledger_verify(in_folder("state"), threads, NULL, NULL, &count, &why);
    if (e != wanted || !strstr(why.text, why_part)) {
        fail_msg("%u threads: %s, not %s", threads, sp_why_text(&why, e), why_part);
    }
    assert_int_equal(count, entries);
}

static void expect_by_any(enum sp_err wanted, uint64_t entries, const char *why_part)
{
    expect(1, wanted, entries, why_part);
    expect(2, wanted, entries, why_part);
    expect(SP_CREW_THREADS, wanted, entries, why_part);
}

/* ---- spelling ------------------------------------------------------------------- */

/* Its hash is in the tree as it should be: only the spelling tells. */
static void f_wrong_spelling_is_found_wherever_it_stands(void **state)
{
    (void)state;
    static const uint64_t at[] = {
        0,          1,      254,        255,          256,          257,
        WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + 255, WINDOW + 256, WINDOW + 257};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        char part[64];
        snprintf(part, sizeof part, "entry %llu of the ledger is no set of facts",
                 (unsigned long long)at[i]);
        make_ledger(at[i] < 600 ? 600 : WINDOW + 260, &at[i], 1);
        expect_by_any(SP_E_CORRUPT, at[i], part);
        folder_remove(in_folder("state"));
    }
    make_ledger(WINDOW + 260, NULL, 0); /* with escapes, which are not plain */
    expect_by_any(SP_OK, WINDOW + 260, "");
}

static void f_the_first_of_two_is_named(void **state)
{
    (void)state;
    const uint64_t both[] = {WINDOW + 3, 700};
    make_ledger(WINDOW + 260, both, 2);
    expect_by_any(SP_E_CORRUPT, 700, "entry 700 of");
    assert_int_equal(unlink(in_folder("state/ledger/tile/entries/005")), 0);
    expect_by_any(SP_E_CORRUPT, 700, "entry 700 of");
    assert_int_equal(unlink(in_folder("state/ledger/tile/entries/001")), 0);
    expect_by_any(SP_E_CORRUPT, 256, "tile/entries/001 is missing");
}

/* ---- bits ----------------------------------------------------------------------- */

static void flip(const char *name, off_t at)
{
    char path[128];
    uint8_t byte;
    snprintf(path, sizeof path, "state/ledger/%s", name);
    int fd = open(in_folder(path), O_RDWR);
    assert_true(fd >= 0);
    at = at < 0 ? lseek(fd, 0, SEEK_END) + at : at;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* The file's first byte loses a bit, then its last one. entries: how many are good
 * before it is noticed. */
static void expect_flip_found(const char *name, uint64_t entries, const char *why)
{
    for (off_t at = 0; at >= -1; at--) {
        flip(name, at);
        expect(1, SP_E_CORRUPT, entries, why);
        expect(SP_CREW_THREADS, SP_E_CORRUPT, entries, why);
        flip(name, at);
    }
}

static void expect_blamed(const char *name, uint64_t entries)
{
    char why[128];
    snprintf(why, sizeof why, "the ledger's file %s is missing or wrong", name);
    expect_flip_found(name, entries, why);
}

/* Three levels of tiles, full and partial ones of each. */
static void f_a_flipped_bit_in_each_kind_of_file(void **state)
{
    (void)state;
    static const char edge[] = "journal does not fit its checkpoint for 65792 entries";
    const uint64_t size = 65536 + 256 + 5;
    make_ledger(size, NULL, 0);
    expect_by_any(SP_OK, size, "");
    flip("tile/entries/000", 0); /* the length of its first entry */
    expect_by_any(SP_E_CORRUPT, 0, "entry 0 of the ledger is no set of facts");
    flip("tile/entries/000", 0);
    flip("tile/entries/000", 12); /* the name of its first fact */
    expect_by_any(SP_E_CORRUPT, 0, "entry 0 of the ledger is no set of facts");
    flip("tile/entries/000", 12);
    flip("tile/entries/016", 13); /* a letter of its kind: it is still a set of facts */
    expect_by_any(SP_E_CORRUPT, 17 * 256, "tile/0/016 is missing or wrong");
    flip("tile/entries/016", 13);
    expect_blamed("tile/0/000", 256);
    expect_blamed("tile/0/016", 17 * 256); /* the first slot again */
    expect_blamed("tile/0/255", 65536);
    expect_flip_found("tile/0/256", 0, edge); /* what opening reads */
    expect_flip_found("tile/1/000", 0, edge);
    expect_blamed("tile/1/001.p/1", size);
    expect_blamed("tile/2/000.p/1", size);
    expect_blamed("tile/0/257.p/5", size);
    expect_blamed("tile/entries/257.p/5", size);
    expect_blamed("checkpoint", 0);
    expect_by_any(SP_OK, size, "");
}

/* ---- what is told meanwhile ------------------------------------------------------ */

struct told {
    uint64_t calls, done, all;
};

static void tell(void *ctx, uint64_t done, uint64_t all)
{
    struct told *t = ctx;
    assert_true(done >= t->done && done <= all);
    *t = (struct told){t->calls + 1, done, all};
}

static void b_progress_goes_up_to_all(void **state)
{
    (void)state;
    const uint64_t size = WINDOW + 260;
    make_ledger(size, NULL, 0);
    for (unsigned threads = 1; threads <= SP_CREW_THREADS; threads++) {
        struct told told = {0};
        uint64_t count = 0;
        assert_ok(
            sp_ledger_verify(in_folder("state"), threads, tell, &told, &count, NULL));
        assert_int_equal(told.done, size);
        assert_int_equal(told.all, size);
        assert_int_equal(told.calls, size / 256 + 1);
    }
}

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, folder_setup_in_memory, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_progress_goes_up_to_all),
        TEST(f_wrong_spelling_is_found_wherever_it_stands),
        TEST(f_the_first_of_two_is_named),
        TEST(f_a_flipped_bit_in_each_kind_of_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
