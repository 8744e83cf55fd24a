#include "folder.h"

#include "io/loop/crew.h"
#include "io/store/journal.h"
#include "io/store/ledger_files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { TEXT = 64 };

/* Entry n, as a set of facts. */
static struct sp_view entry_text(uint64_t n, char text[TEXT])
{
    int len = snprintf(text, TEXT, "entry.kind test\nentry.time %llu\n",
                       (unsigned long long)n);
    return sp_view(text, (size_t)len);
}

static struct sp_ledger_files *open_ledger(void)
{
    struct sp_ledger_files *l = NULL;
    struct sp_why why = {0};
    enum sp_err e = sp_ledger_open(in_folder("state"), "sallyport/test", &l, &why);
    if (e != SP_OK) {
        fail_msg("%s", sp_why_text(&why, e));
    }
    return l;
}

static enum sp_err try_open(struct sp_why *why)
{
    struct sp_ledger_files *l = NULL;
    *why = (struct sp_why){0};
    enum sp_err e = sp_ledger_open(in_folder("state"), "sallyport/test", &l, why);
    sp_ledger_close(&l);
    return e;
}

static enum sp_err append(struct sp_ledger_files *l, size_t count, struct sp_why *why)
{
    char(*texts)[TEXT] = malloc(count * TEXT);
    struct sp_view *views = malloc(count * sizeof *views);
    uint64_t first = UINT64_MAX, size = sp_ledger_size(l);
    for (size_t i = 0; i < count; i++) {
        views[i] = entry_text(size + i, texts[i]);
    }
    enum sp_err e = sp_ledger_append(l, views, count, &first, why);
    if (e == SP_OK) {
        assert_int_equal(first, size);
        assert_int_equal(sp_ledger_size(l), size + count);
    }
    free(texts);
    free(views);
    return e;
}

static void append_ok(struct sp_ledger_files *l, size_t count)
{
    struct sp_why why = {0};
    enum sp_err e = append(l, count, &why);
    if (e != SP_OK) {
        fail_msg("%s", sp_why_text(&why, e));
    }
}

static void expect_entries(struct sp_ledger_files *l, uint64_t size)
{
    struct sp_merkle m = {0};
    struct sp_buf got;
    sp_buf_init(&got, 65536);
    assert_int_equal(sp_ledger_size(l), size);
    for (uint64_t i = 0; i < size; i++) {
        char text[TEXT];
        uint8_t leaf[SP_HASH];
        struct sp_view want = entry_text(i, text);
        sp_buf_clear(&got);
        assert_ok(sp_ledger_read(l, i, &got, NULL));
        assert_true(sp_view_eq(sp_buf_view(&got), want));
        sp_merkle_leaf(want, leaf);
        sp_merkle_append(&m, leaf);
    }
    assert_err(sp_ledger_read(l, size, &got, NULL), SP_E_NOTFOUND);
    uint8_t root[SP_HASH], want[SP_HASH];
    sp_ledger_root(l, root);
    sp_merkle_root(&m, want);
    assert_memory_equal(root, want, SP_HASH);
    sp_buf_fini(&got);
}

/* By one thread, by some and by all: they say the same. */
static enum sp_err verify(uint64_t *entries, struct sp_why *why)
{
    static const unsigned others[] = {2, SP_CREW_THREADS};
    *why = (struct sp_why){0};
    enum sp_err e = sp_ledger_verify(in_folder("state"), 1, NULL, NULL, entries, why);
    for (size_t i = 0; i < 2; i++) {
        struct sp_why other = {0};
        uint64_t count = 0;
        assert_err(
            sp_ledger_verify(in_folder("state"), others[i], NULL, NULL, &count, &other),
            e);
        assert_int_equal(count, *entries);
        assert_string_equal(other.text, why->text);
    }
    return e;
}

static void verify_ok(uint64_t size)
{
    uint64_t entries = 0;
    struct sp_why why;
    enum sp_err e = verify(&entries, &why);
    if (e != SP_OK) {
        fail_msg("%s", sp_why_text(&why, e));
    }
    assert_int_equal(entries, size);
}

/* ---- journal bytes ------------------------------------------------------------- */

static void b_crc32c(void **state)
{
    (void)state;
    /* RFC 3720 B.4 */
    static const uint8_t zeros[32];
    assert_int_equal(sp_crc32c(sp_view(zeros, 32)), 0x8A9136AA);
    assert_int_equal(sp_crc32c(SP_VIEW("123456789")), 0xE3069283);
}

static void b_journal_frames(void **state)
{
    (void)state;
    struct sp_buf b;
    struct sp_journal_frame f;
    size_t good = 0;
    sp_buf_init(&b, 4096);
    assert_ok(sp_journal_append(&b, SP_JOURNAL_CHECKPOINT, SP_VIEW("note")));
    size_t first = b.len;
    assert_ok(sp_journal_append(&b, SP_JOURNAL_ENTRY, SP_VIEW("a")));
    size_t second = b.len;
    assert_ok(sp_journal_append(&b, SP_JOURNAL_CHECKPOINT, SP_VIEW("note2")));
    struct sp_view v = sp_buf_view(&b);
    assert_ok(sp_journal_next(&v, &f));
    assert_int_equal(f.type, SP_JOURNAL_CHECKPOINT);
    assert_view_equal(f.body, "note");
    assert_ok(sp_journal_next(&v, &f));
    assert_view_equal(f.body, "a");
    assert_ok(sp_journal_next(&v, &f));
    assert_err(sp_journal_next(&v, &f), SP_E_AGAIN);
    for (size_t n = 0; n <= b.len; n++) {
        enum sp_err e = sp_journal_measure(sp_view(b.data, n), &good, NULL);
        if (n < first) {
            assert_err(e, SP_E_CORRUPT);
        } else {
            assert_ok(e);
            assert_int_equal(good, n < b.len ? first : b.len);
        }
    }
    b.data[first + 9] ^= 1; /* the entry, before a good checkpoint */
    struct sp_why why = {0};
    assert_err(sp_journal_measure(sp_buf_view(&b), &good, &why), SP_E_CORRUPT);
    char offset[32];
    snprintf(offset, sizeof offset, "at byte %zu,", first);
    assert_non_null(strstr(why.text, offset));
    b.data[first + 9] ^= 1;
    b.data[second + 9] ^=
        1; /* the last checkpoint: what it covers was not acknowledged */
    assert_ok(sp_journal_measure(sp_buf_view(&b), &good, NULL));
    assert_int_equal(good, first);
    sp_buf_fini(&b);
}

/* ---- whole ledgers ------------------------------------------------------------- */

static void b_new_ledger_is_empty_and_sound(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    assert_int_equal(sp_ledger_size(l), 0);
    assert_true(strncmp(sp_ledger_public_key(l), "sallyport/test+", 15) == 0);
    struct stat st;
    assert_int_equal(stat(in_folder("state/ledger/key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(in_folder("state/ledger"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    sp_ledger_close(&l);
    verify_ok(0);
    l = open_ledger();
    expect_entries(l, 0);
    sp_ledger_close(&l);
}

static void b_limits_of_a_batch(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    static uint8_t bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    uint64_t first;
    struct sp_view big = sp_view(bytes, 65536), fits = sp_view(bytes, 65535),
                   empty = SP_VIEW("");
    assert_err(sp_ledger_append(l, &big, 1, &first, NULL), SP_E_LIMIT);
    assert_err(sp_ledger_append(l, &empty, 1, &first, NULL), SP_E_LIMIT);
    assert_int_equal(sp_ledger_size(l), 0);
    assert_ok(sp_ledger_append(l, &fits, 1, &first, NULL));
    assert_ok(sp_ledger_append(l, NULL, 0, &first, NULL));
    assert_int_equal(first, 1);
    assert_err(append(l, 4097, NULL), SP_E_LIMIT);
    append_ok(l, 4096);
    assert_int_equal(sp_ledger_size(l), 4097);
    sp_ledger_close(&l);
    l = open_ledger();
    assert_int_equal(sp_ledger_size(l), 4097);
    sp_ledger_close(&l);
}

static void append_reopen_verify(const size_t *batches, size_t count)
{
    uint64_t size = 0;
    struct sp_ledger_files *l = open_ledger();
    for (size_t i = 0; i < count; i++) {
        append_ok(l, batches[i]);
        size += batches[i];
    }
    expect_entries(l, size);
    sp_ledger_close(&l);
    verify_ok(size);
    l = open_ledger();
    expect_entries(l, size);
    append_ok(l, 1);
    expect_entries(l, size + 1);
    sp_ledger_close(&l);
    verify_ok(size + 1);
    struct sp_ledger_files *view = NULL;
    assert_ok(sp_ledger_open_view(in_folder("state"), &view, NULL));
    expect_entries(view, size + 1);
    sp_ledger_close(&view);
}

static void c_sizes_around_a_bundle(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 254, 255, 256, 257, 511, 512, 513, 600};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        append_reopen_verify(&sizes[i], 1);
        folder_remove(in_folder("state"));
    }
}

static void c_batches_across_a_bundle(void **state)
{
    (void)state;
    append_reopen_verify((const size_t[]){255, 1, 1}, 3);
    folder_remove(in_folder("state"));
    append_reopen_verify((const size_t[]){250, 10, 250, 3}, 4);
    folder_remove(in_folder("state"));
    append_reopen_verify((const size_t[]){255, 700, 1}, 3);
}

static void c_only_the_current_partials_are_kept(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    for (int i = 0; i < 5; i++) {
        append_ok(l, 60);
    }
    sp_ledger_close(&l);
    assert_int_equal(access(in_folder("state/ledger/tile/0/000"), F_OK), 0);
    assert_int_not_equal(access(in_folder("state/ledger/tile/0/000.p"), F_OK), 0);
    assert_int_not_equal(access(in_folder("state/ledger/tile/entries/000.p"), F_OK), 0);
    assert_int_equal(folder_count(in_folder("state/ledger/tile/0/001.p")), 1);
    assert_int_equal(access(in_folder("state/ledger/tile/0/001.p/44"), F_OK), 0);
    assert_int_equal(access(in_folder("state/ledger/tile/entries/001.p/44"), F_OK), 0);
    assert_int_equal(access(in_folder("state/ledger/tile/1/000.p/1"), F_OK), 0);
}

static void c_proofs_from_files(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    uint8_t root[SP_HASH], old_root[SP_HASH];
    append_ok(l, 300);
    sp_ledger_root(l, old_root);
    append_ok(l, 500);
    sp_ledger_root(l, root);
    for (int reopened = 0; reopened < 2; reopened++) {
        struct sp_hash_reader r = sp_ledger_hashes(l);
        struct sp_proof p;
        for (uint64_t i = 0; i < 800; i += 37) {
            char text[TEXT];
            uint8_t leaf[SP_HASH];
            sp_merkle_leaf(entry_text(i, text), leaf);
            assert_ok(sp_merkle_prove(&r, i, 800, &p));
            assert_true(sp_merkle_check(&p, i, 800, leaf, root));
        }
        assert_ok(sp_merkle_prove_growth(&r, 300, 800, &p));
        assert_true(sp_merkle_check_growth(&p, 300, 800, old_root, root));
        sp_ledger_close(&l);
        assert_ok(sp_ledger_open_view(in_folder("state"), &l, NULL));
    }
    sp_ledger_close(&l);
}

static void s_three_levels(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    uint64_t first;
    char text[TEXT];
    struct sp_view views[4096], v = SP_VIEW("entry.kind test\n");
    for (int i = 0; i < 4096; i++) {
        views[i] = v;
    }
    for (int i = 0; i < 16; i++) {
        assert_ok(sp_ledger_append(l, views, 4096, &first, NULL));
    }
    append_ok(l, 1);
    uint8_t root[SP_HASH], again[SP_HASH], leaf[SP_HASH];
    sp_ledger_root(l, root);
    sp_ledger_close(&l);
    verify_ok(65537);
    l = open_ledger();
    sp_ledger_root(l, again);
    assert_memory_equal(root, again, SP_HASH);
    struct sp_hash_reader r = sp_ledger_hashes(l);
    struct sp_proof p;
    assert_ok(sp_merkle_prove(&r, 65536, 65537, &p));
    sp_merkle_leaf(entry_text(65536, text), leaf);
    assert_true(sp_merkle_check(&p, 65536, 65537, leaf, root));
    assert_ok(sp_merkle_prove(&r, 7, 65537, &p));
    sp_merkle_leaf(v, leaf);
    assert_true(sp_merkle_check(&p, 7, 65537, leaf, root));
    sp_ledger_close(&l);
}

static void f_second_writer_is_refused(void **state)
{
    (void)state;
    struct sp_why why;
    struct sp_ledger_files *l = open_ledger();
    append_ok(l, 3);
    assert_err(try_open(&why), SP_E_CONFLICT);
    assert_non_null(strstr(why.text, "in use by another process"));
    verify_ok(3); /* beside the writer */
    sp_ledger_close(&l);
    assert_ok(try_open(&why));
}

/* ---- damage -------------------------------------------------------------------- */

static void copy_state(const char *from, const char *to)
{
    char command[1024];
    folder_remove(to);
    snprintf(command, sizeof command, "cp -a %s %s", from, to);
    assert_int_equal(system(command), 0);
}

/* Acknowledged: 3, then 2 more, then 4 more. Whatever is cut off the journal, the
 * ledger has one of these sizes or does not open. */
static void f_journal_cut_at_every_byte(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    size_t ends[4] = {0};
    struct stat st;
    for (int i = 0; i < 4; i++) {
        static const size_t counts[] = {0, 3, 2, 4};
        append_ok(l, counts[i]);
        assert_int_equal(stat(in_folder("state/ledger/journal"), &st), 0);
        ends[i] = (size_t)st.st_size;
    }
    sp_ledger_close(&l);
    unlink(
        in_folder("state/ledger/checkpoint")); /* else it tells that entries are lost */
    size_t len = 0;
    uint8_t *journal = unit_read_file(in_folder("state/ledger/journal"), &len);
    assert_int_equal(len, ends[3]);
    for (size_t n = 0; n < ends[3]; n++) {
        static const uint64_t sizes[] = {0, 3, 5, 9};
        struct sp_why why;
        int batches = 0;
        unlink(in_folder("state/ledger/journal"));
        unlink(in_folder("state/ledger/checkpoint"));
        folder_write(in_folder("state/ledger/journal"), journal, n);
        while (batches < 4 && ends[batches] <= n) {
            batches++;
        }
        if (batches == 0) {
            assert_err(try_open(&why), SP_E_CORRUPT);
            continue;
        }
        l = open_ledger();
        expect_entries(l, sizes[batches - 1]);
        append_ok(l, 1);
        sp_ledger_close(&l);
        verify_ok(sizes[batches - 1] + 1);
    }
    free(journal);
}

static void f_lost_acknowledged_entries_are_noticed(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    struct stat st;
    struct sp_why why;
    uint64_t n;
    append_ok(l, 3);
    assert_int_equal(stat(in_folder("state/ledger/journal"), &st), 0);
    append_ok(l, 1);
    sp_ledger_close(&l);
    assert_int_equal(truncate(in_folder("state/ledger/journal"), st.st_size), 0);
    assert_err(verify(&n, &why), SP_E_CORRUPT);
    assert_err(try_open(&why), SP_E_CORRUPT);
    assert_non_null(strstr(why.text, "ends after 3 entries"));
}

static void f_missing_files_are_noticed(void **state)
{
    (void)state;
    static const char *const names[] = {
        "key",        "journal",         "tile/0/000",     "tile/entries/000",
        "checkpoint", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"};
    struct sp_ledger_files *l = open_ledger();
    append_ok(l, 300);
    sp_ledger_close(&l);
    copy_state(in_folder("state"), in_folder("whole"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        struct sp_why why;
        uint64_t n;
        snprintf(path, sizeof path, "state/ledger/%s", names[i]);
        copy_state(in_folder("whole"), in_folder("state"));
        assert_int_equal(unlink(in_folder(path)), 0);
        if (i > 0) {
            assert_err(verify(&n, &why), SP_E_CORRUPT);
        }
        if (i < 3) {
            assert_err(try_open(&why), SP_E_CORRUPT);
        } else if (i > 3) {
            assert_ok(try_open(&why)); /* the view is made again */
            verify_ok(300);
        }
    }
}

static unsigned flips;

static int flip_and_verify(const char *path, const struct stat *st, int kind,
                           struct FTW *at)
{
    (void)at;
    /* lock is empty; temporary files would be a mistake of ours */
    if (kind != FTW_F || st->st_size == 0) {
        return 0;
    }
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t step = st->st_size > 1000 ? st->st_size / 97 : 3;
    for (off_t i = 0; i < st->st_size; i += step) {
        uint8_t byte, flipped;
        struct sp_why why;
        uint64_t n;
        assert_int_equal(pread(fd, &byte, 1, i), 1);
        flipped = byte ^ (uint8_t)(1U << (i % 8));
        assert_int_equal(pwrite(fd, &flipped, 1, i), 1);
        enum sp_err e = verify(&n, &why);
        if (e != SP_E_CORRUPT) {
            fail_msg("%s byte %lld: %s", path, (long long)i, sp_err_text(e));
        }
        assert_int_not_equal(why.text[0], '\0');
        assert_int_equal(pwrite(fd, &byte, 1, i), 1);
        flips++;
    }
    close(fd);
    return 0;
}

static void f_every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    append_ok(l, 256);
    append_ok(l, 3);
    append_ok(l, 2);
    sp_ledger_close(&l);
    verify_ok(261);
    flips = 0;
    nftw(in_folder("state"), flip_and_verify, 16, FTW_PHYS);
    assert_true(flips > 500);
    verify_ok(261);
}

static void f_swapped_entries_are_noticed(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    append_ok(l, 256);
    sp_ledger_close(&l);
    size_t len = 0;
    const char *bundle = in_folder("state/ledger/tile/entries/000");
    uint8_t *bytes = unit_read_file(bundle, &len);
    size_t one = 2 + (size_t)bytes[1];
    assert_int_equal(bytes[one + 1], bytes[1]);
    uint8_t first[256];
    memcpy(first, bytes, one);
    memmove(bytes, bytes + one, one);
    memcpy(bytes + one, first, one);
    unlink(bundle);
    folder_write(bundle, bytes, len);
    free(bytes);
    uint64_t n;
    struct sp_why why;
    assert_err(verify(&n, &why), SP_E_CORRUPT);
}

static void f_foreign_key_is_noticed(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    append_ok(l, 3);
    sp_ledger_close(&l);
    copy_state(in_folder("state"), in_folder("whole"));
    folder_remove(in_folder("state"));
    l = open_ledger();
    sp_ledger_close(&l);
    struct sp_why why;
    uint64_t n;
    copy_state(in_folder("state/ledger/key.pub"), in_folder("whole/ledger/key.pub"));
    copy_state(in_folder("whole"), in_folder("state2"));
    folder_remove(in_folder("state/ledger/journal"));
    copy_state(in_folder("whole/ledger/journal"), in_folder("state/ledger/journal"));
    assert_err(verify(&n, &why), SP_E_CORRUPT); /* signed by another key */
    assert_err(try_open(&why), SP_E_CORRUPT);
    copy_state(in_folder("whole"), in_folder("state"));
    assert_err(verify(&n, &why), SP_E_CORRUPT); /* key and key.pub differ */
    assert_err(try_open(&why), SP_E_CORRUPT);
}

/* ---- trouble ------------------------------------------------------------------- */

static void f_failed_write_leaves_the_ledger_usable(void **state)
{
    (void)state;
    struct sp_ledger_files *l = open_ledger();
    append_ok(l, 5);
    struct stat st;
    struct rlimit old, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(stat(in_folder("state/ledger/journal"), &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = (rlim_t)st.st_size + 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct sp_why why = {0};
    enum sp_err e = append(l, 10, &why);
    setrlimit(RLIMIT_FSIZE, &old);
    off_t before = st.st_size;
    assert_err(e, SP_E_NOSPACE);
    assert_int_not_equal(why.text[0], '\0');
    assert_int_equal(stat(in_folder("state/ledger/journal"), &st), 0);
    assert_int_equal(st.st_size, before);
    append_ok(l, 10);
    expect_entries(l, 15);
    sp_ledger_close(&l);
    verify_ok(15);
}

static void f_full_disk_leaves_the_ledger_usable(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("state"), 0700), 0);
    if (mount("none", in_folder("state"), "tmpfs", 0, "size=512k,mode=0700") != 0) {
        fprintf(stderr, "SKIP: no right to mount a small tmpfs\n");
        skip();
    }
    struct sp_ledger_files *l = open_ledger();
    enum sp_err e = SP_OK;
    for (int i = 0; i < 10000 && e == SP_OK; i++) {
        e = append(l, 50, NULL);
    }
    uint64_t size = sp_ledger_size(l);
    uint64_t checked = 0;
    struct sp_why why = {0};
    sp_ledger_close(&l);
    enum sp_err open = sp_ledger_open(in_folder("state"), "x", &l, &why);
    uint64_t again = open == SP_OK ? sp_ledger_size(l) : 0;
    sp_ledger_close(&l);
    /* with room again all is as if nothing had been */
    enum sp_err more =
        mount("none", in_folder("state"), "tmpfs", MS_REMOUNT, "size=8m") ||
                sp_ledger_open(in_folder("state"), "x", &l, &why) != SP_OK
            ? SP_E_IO
            : append(l, 300, &why);
    sp_ledger_close(&l);
    enum sp_err sound = verify(&checked, &why);
    umount(in_folder("state"));
    assert_err(e, SP_E_NOSPACE);
    if (open == SP_OK) { /* it may want room for a full tile that waits */
        assert_int_equal(again, size);
    } else {
        assert_err(open, SP_E_NOSPACE);
    }
    assert_ok(more);
    assert_ok(sound);
    assert_int_equal(checked, size + 300);
}

/* The child tells after every batch how many entries are acknowledged. */
static void append_until_killed(int to)
{
    struct sp_ledger_files *l = NULL;
    if (sp_ledger_open(in_folder("state"), "sallyport/test", &l, NULL) != SP_OK) {
        _exit(1);
    }
    for (unsigned i = 1;; i++) {
        uint64_t size;
        if (append(l, i % 40 + 1, NULL) != SP_OK) {
            _exit(2);
        }
        size = sp_ledger_size(l);
        if (write(to, &size, sizeof size) != sizeof size) {
            _exit(3);
        }
    }
}

static void s_killed_writer_loses_nothing_acknowledged(void **state)
{
    (void)state;
    uint64_t size = 0;
    srand(1);
    /* a slow machine needs more rounds until a bundle is full */
    for (int round = 0; round < 30 || size <= 256; round++) {
        assert_in_range(round, 0, 2000);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            append_until_killed(ends[1]);
        }
        close(ends[1]);
        uint64_t acknowledged = size, next;
        struct timespec pause = {0, (rand() % 60) * 1000000L};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(ends[0], &next, sizeof next) == sizeof next) {
            acknowledged = next;
        }
        close(ends[0]);
        struct sp_ledger_files *l = open_ledger();
        size = sp_ledger_size(l);
        assert_true(size >= acknowledged);
        sp_ledger_close(&l);
        verify_ok(size);
    }
    struct sp_ledger_files *l = open_ledger();
    expect_entries(l, size);
    sp_ledger_close(&l);
}

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, folder_setup_in_memory, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_crc32c),
        TEST(b_journal_frames),
        TEST(b_new_ledger_is_empty_and_sound),
        TEST(b_limits_of_a_batch),
        TEST(c_sizes_around_a_bundle),
        TEST(c_batches_across_a_bundle),
        TEST(c_only_the_current_partials_are_kept),
        TEST(c_proofs_from_files),
        TEST(f_second_writer_is_refused),
        TEST(f_journal_cut_at_every_byte),
        TEST(f_lost_acknowledged_entries_are_noticed),
        TEST(f_missing_files_are_noticed),
        TEST(f_every_flipped_byte_is_noticed),
        TEST(f_swapped_entries_are_noticed),
        TEST(f_foreign_key_is_noticed),
        TEST(f_failed_write_leaves_the_ledger_usable),
        TEST(f_full_disk_leaves_the_ledger_usable),
        TEST(s_killed_writer_loses_nothing_acknowledged),
        TEST(s_three_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
