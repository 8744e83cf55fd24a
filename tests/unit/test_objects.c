#include "folder.h"

#include "io/store/objects.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

static const uint8_t SHA256[32] = {0xab, 0xcd, 1, 2, 3};
static const uint8_t SHA1[20] = {9, 8, 7};
#define OBJECT                                                                         \
    "cache/objects/ab/"                                                                \
    "abcd010203000000000000000000000000000000000000000000000000000000"

static struct sp_objects *open_cache(void)
{
    struct sp_objects *o = NULL;
    struct sp_why why = {0};
    assert_ok(sp_objects_open(in_folder("cache"), &o, &why));
    return o;
}

static struct sp_stage *staged(struct sp_objects *o, const char *text, size_t size)
{
    struct sp_stage *s = NULL;
    assert_ok(sp_stage_new(o, size, &s, NULL));
    assert_ok(sp_stage_write(s, 0, sp_view_str(text)));
    return s;
}

static void put(struct sp_objects *o, const char *text)
{
    struct sp_object *object = NULL;
    struct sp_stage *s = staged(o, text, strlen(text));
    assert_ok(sp_stage_commit(&s, SHA256, SHA1, &object, NULL));
    assert_null(s);
    sp_object_unref(&object);
}

static void b_commit_makes_it_visible_whole(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    SP_AUTO(sp_object_unref) struct sp_object *object = NULL;
    struct sp_stage *s = NULL;
    assert_ok(sp_stage_new(o, 5, &s, NULL));
    assert_ok(sp_stage_write(s, 3, SP_VIEW("lo")));
    assert_err(sp_objects_get(o, SHA256, SHA1, 5, &object), SP_E_NOTFOUND);
    assert_ok(sp_stage_write(s, 0, SP_VIEW("hel")));
    assert_int_not_equal(access(in_folder(OBJECT), F_OK), 0);
    assert_ok(sp_stage_commit(&s, SHA256, SHA1, &object, NULL));
    char bytes[6] = {0};
    assert_int_equal(pread(object->fd, bytes, 5, 0), 5);
    assert_string_equal(bytes, "hello");
    assert_int_equal(object->size, 5);
    assert_int_equal(strlen(object->etag), 66);
    assert_memory_equal(object->etag, "\"abcd0102", 9);
    struct stat st;
    assert_int_equal(stat(in_folder(OBJECT), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    assert_int_equal(stat(in_folder("cache/objects"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
}

static void b_handle_outlives_the_store(void **state)
{
    (void)state;
    struct sp_objects *o = open_cache();
    put(o, "hello");
    struct sp_object *a = NULL, *b = NULL;
    assert_ok(sp_objects_get(o, SHA256, SHA1, 5, &a));
    b = sp_object_ref(a);
    sp_objects_close(&o);
    sp_object_unref(&a);
    char byte;
    assert_int_equal(pread(b->fd, &byte, 1, 4), 1);
    assert_int_equal(byte, 'o');
    sp_object_unref(&b);
}

static void b_a_reader_of_a_stage_outlives_it(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    SP_AUTO(sp_stage_drop) struct sp_stage *s = NULL;
    struct sp_object *object = NULL;
    char etag[SP_OBJECT_ETAG], bytes[6] = {0};
    int64_t last_modified = 0;
    int fd = -1;
    assert_ok(sp_stage_new(o, 5, &s, NULL));
    assert_ok(sp_stage_reader(s, &fd));
    assert_ok(sp_stage_write(s, 0, SP_VIEW("he")));
    assert_int_equal(pread(fd, bytes, 5, 0), 2); /* what was written, and no more */
    assert_ok(sp_stage_write(s, 2, SP_VIEW("llo")));
    assert_ok(sp_stage_commit(&s, SHA256, SHA1, &object, NULL));
    assert_int_equal(pread(fd, bytes, 5, 0), 5);
    assert_string_equal(bytes, "hello");
    sp_object_validators(SHA256, etag, &last_modified);
    assert_string_equal(etag, object->etag); /* the same before and after */
    assert_int_equal(last_modified, object->last_modified);
    close(fd);
    sp_object_unref(&object);
}

static void b_last_modified_is_the_digests_own(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    struct sp_object *a = NULL;
    put(o, "hello");
    assert_ok(sp_objects_get(o, SHA256, SHA1, 5, &a));
    int64_t first = a->last_modified;
    assert_true(first >= 1577836800 &&
                first < 1735689600); /* 2020-01-01 .. 2025-01-01 */
    assert_int_equal(first % 86400, 0);
    sp_object_unref(&a);
    unlink(in_folder(OBJECT));
    put(o, "again");
    assert_ok(sp_objects_get(o, SHA256, SHA1, 5, &a));
    assert_int_equal(a->last_modified, first);
    sp_object_unref(&a);
}

static void b_empty_file_is_an_object(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    struct sp_object *a = NULL;
    put(o, "");
    assert_ok(sp_objects_get(o, SHA256, SHA1, 0, &a));
    sp_object_unref(&a);
}

static void b_unfilled_or_overfilled_is_refused(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    struct sp_object *object = NULL;
    struct sp_stage *s = staged(o, "1234", 5);
    assert_err(sp_stage_commit(&s, SHA256, SHA1, &object, NULL), SP_E_MISMATCH);
    assert_err(sp_stage_write(s, 4, SP_VIEW("56")), SP_E_LIMIT);
    assert_err(sp_stage_write(s, 6, SP_VIEW("")), SP_E_LIMIT);
    assert_ok(sp_stage_write(s, 4, SP_VIEW("5")));
    assert_ok(sp_stage_commit(&s, SHA256, SHA1, &object, NULL));
    sp_object_unref(&object);
    /* a hole that the length does not show */
    assert_ok(sp_stage_new(o, 5, &s, NULL));
    assert_ok(sp_stage_write(s, 4, SP_VIEW("5")));
    assert_err(sp_stage_commit(&s, SHA256, SHA1, &object, NULL), SP_E_MISMATCH);
    sp_stage_drop(&s);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
}

static void b_wrong_size_is_damage(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    struct sp_object *a = NULL;
    put(o, "hello");
    assert_err(sp_objects_get(o, SHA256, SHA1, 4, &a), SP_E_CORRUPT);
    assert_err(sp_objects_get(o, SHA256, SHA1, 6, &a), SP_E_CORRUPT);
    assert_null(a);
}

static void c_leftovers_of_a_crash_are_removed(void **state)
{
    (void)state;
    struct sp_objects *o = open_cache();
    put(o, "hello");
    sp_objects_close(&o);
    folder_write(in_folder("cache/staging/left"), "x", 1);
    o = open_cache();
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    struct sp_object *a = NULL;
    assert_ok(sp_objects_get(o, SHA256, SHA1, 5, &a));
    sp_object_unref(&a);
    sp_objects_close(&o);
}

static void c_two_owners_cannot_share_a_cache(void **state)
{
    (void)state;
    struct sp_objects *o = open_cache(), *second = NULL;
    struct sp_why why = {0};
    folder_write(in_folder("cache/staging/mine"), "x", 1);
    assert_err(sp_objects_open(in_folder("cache"), &second, &why), SP_E_CONFLICT);
    assert_non_null(strstr(why.text, "in use by another process"));
    assert_int_equal(folder_count(in_folder("cache/staging")), 1);
    sp_objects_close(&o);
    assert_ok(sp_objects_open(in_folder("cache"), &second, &why));
    sp_objects_close(&second);
}

static enum sp_err count_one(void *ctx, const struct sp_object_seen *seen)
{
    assert_memory_equal(seen->sha256, SHA256, 32);
    assert_int_equal(seen->size, 5);
    assert_true(seen->has_tree);
    ++*(int *)ctx;
    return SP_OK;
}

static void c_scan_sees_objects_only(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    int count = 0;
    put(o, "hello");
    folder_write(in_folder("cache/objects/ab/README"), "x", 1);
    folder_write(in_folder("cache/objects/stray"), "x", 1);
    assert_ok(sp_objects_scan(o, count_one, &count));
    assert_int_equal(count, 1);
}

static void refused(struct sp_objects *o)
{
    struct sp_object *a = NULL;
    assert_err(sp_objects_get(o, SHA256, SHA1, 5, &a), SP_E_CORRUPT);
    unlink(in_folder(OBJECT));
}

static void f_planted_things_are_refused(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    put(o, "hello");
    assert_int_equal(rename(in_folder(OBJECT), in_folder("elsewhere")), 0);
    assert_int_equal(symlink(in_folder("elsewhere"), in_folder(OBJECT)), 0);
    refused(o);
    assert_int_equal(link(in_folder("elsewhere"), in_folder(OBJECT)), 0);
    refused(o);
    assert_int_equal(mkfifo(in_folder(OBJECT), 0600), 0);
    refused(o);
    assert_int_equal(mkdir(in_folder(OBJECT), 0700), 0);
    refused(o);
    assert_int_equal(rmdir(in_folder(OBJECT)), 0);
    /* the folder itself is a link */
    assert_int_equal(rename(in_folder("cache/objects/ab"), in_folder("ab")), 0);
    assert_int_equal(symlink(in_folder("ab"), in_folder("cache/objects/ab")), 0);
    refused(o);
    /* the neighbour that must pass */
    unlink(in_folder("cache/objects/ab"));
    put(o, "hello");
    struct sp_object *a = NULL;
    assert_ok(sp_objects_get(o, SHA256, SHA1, 5, &a));
    sp_object_unref(&a);
}

/* Whoever can plant a link in the place of a folder does not have us change what is
 * behind it. */
static void f_nothing_behind_a_linked_folder_is_touched(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    struct sp_object_seen seen;
    struct sp_object *a = NULL;
    struct sp_stage *s = NULL;
    uint64_t swept = 0;
    int count = 0;
    put(o, "hello");
    assert_int_equal(rename(in_folder("cache/objects/ab"), in_folder("ab")), 0);
    assert_int_equal(symlink(in_folder("ab"), in_folder("cache/objects/ab")), 0);
    folder_write(in_folder("ab/left.tree.new"), "x", 1);
    assert_int_equal(folder_count(in_folder("ab")), 3);
    assert_err(sp_objects_remove(o, SHA256), SP_E_CORRUPT);
    assert_err(sp_objects_quarantine(o, SHA256, "damaged"), SP_E_CORRUPT);
    assert_err(sp_objects_look(o, SHA256, &seen), SP_E_CORRUPT);
    assert_err(sp_objects_touch(o, SHA256, 1), SP_E_CORRUPT);
    assert_ok(sp_objects_scan(o, count_one, &count));
    assert_ok(sp_objects_sweep(o, false, &swept));
    assert_int_equal(count + (int)swept, 0);
    s = staged(o, "hello", 5);
    assert_err(sp_stage_commit(&s, SHA256, SHA1, &a, NULL), SP_E_CORRUPT);
    sp_stage_drop(&s);
    assert_int_equal(folder_count(in_folder("ab")), 3);
    assert_int_equal(folder_count(in_folder("cache/quarantine")), 0);
}

static void f_staged_file_with_a_second_name_is_refused(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    struct sp_object *object = NULL;
    struct sp_stage *s = staged(o, "hello", 5);
    DIR *d = opendir(in_folder("cache/staging"));
    struct dirent *e;
    while ((e = readdir(d)) && e->d_name[0] == '.') {
    }
    assert_int_equal(linkat(dirfd(d), e->d_name, AT_FDCWD, in_folder("spy"), 0), 0);
    closedir(d);
    assert_err(sp_stage_commit(&s, SHA256, SHA1, &object, NULL), SP_E_CORRUPT);
    sp_stage_drop(&s);
}

static void c_quarantine_keeps_the_bytes(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    struct sp_stage *s = staged(o, "evil", 4096);
    assert_ok(sp_stage_quarantine(&s, SHA256, "file-sha256/../x"));
    assert_null(s);
    DIR *d = opendir(in_folder("cache/quarantine"));
    struct dirent *e;
    while ((e = readdir(d)) && e->d_name[0] == '.') {
    }
    struct stat st;
    assert_int_equal(fstatat(dirfd(d), e->d_name, &st, 0), 0);
    assert_int_equal(st.st_size, 4);
    assert_non_null(strstr(e->d_name, "Z-abcd0102"));
    assert_non_null(strstr(e->d_name, ".file-sha256----x"));
    closedir(d);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
}

static void c_quarantine_is_bounded(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    folder_write(in_folder("cache/quarantine/2001-01-01T00:00:00Z-first.old"), "x", 1);
    for (uint8_t i = 0; i < 63; i++) {
        uint8_t sha256[32] = {i};
        struct sp_stage *s = staged(o, "evil", 4);
        assert_ok(sp_stage_quarantine(&s, sha256, "rule"));
    }
    const char *old = in_folder("cache/quarantine/2001-01-01T00:00:00Z-first.old");
    assert_int_equal(folder_count(in_folder("cache/quarantine")), 64);
    assert_int_equal(access(old, F_OK), 0);
    struct sp_stage *s = staged(o, "evil", 4);
    assert_ok(sp_stage_quarantine(&s, SHA256, "rule"));
    assert_int_equal(folder_count(in_folder("cache/quarantine")), 64);
    assert_int_not_equal(
        access(in_folder("cache/quarantine/2001-01-01T00:00:00Z-first.old"), F_OK), 0);
}

static void f_full_disk_is_told_before_the_fetch(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("cache"), 0700), 0);
    if (mount("none", in_folder("cache"), "tmpfs", 0, "size=1m,mode=0700") != 0) {
        fprintf(stderr, "SKIP: no right to mount a small tmpfs\n");
        skip();
    }
    struct sp_objects *o = open_cache();
    struct sp_stage *s = NULL;
    struct sp_why why = {0};
    enum sp_err big = sp_stage_new(o, 2 << 20, &s, &why);
    unsigned left = folder_count(in_folder("cache/staging"));
    enum sp_err fits = sp_stage_new(o, 512 << 10, &s, NULL);
    sp_stage_drop(&s);
    sp_objects_close(&o);
    umount(in_folder("cache"));
    assert_err(big, SP_E_NOSPACE);
    assert_non_null(strstr(why.text, "2097152 bytes"));
    assert_int_equal(left, 0);
    assert_ok(fits);
}

static void f_write_that_finds_no_room_is_an_error(void **state)
{
    (void)state;
    SP_AUTO(sp_objects_close) struct sp_objects *o = open_cache();
    SP_AUTO(sp_stage_drop) struct sp_stage *s = NULL;
    struct rlimit old, small = {4096, RLIM_INFINITY};
    static const uint8_t bytes[4097];
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(sp_stage_new(o, sizeof bytes, &s, NULL));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum sp_err below = sp_stage_write(s, 0, sp_view(bytes, 4096));
    enum sp_err above = sp_stage_write(s, 4096, sp_view(bytes, 1));
    setrlimit(RLIMIT_FSIZE, &old);
    assert_ok(below);
    assert_err(above, SP_E_NOSPACE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_commit_makes_it_visible_whole),
        TEST(b_handle_outlives_the_store),
        TEST(b_a_reader_of_a_stage_outlives_it),
        TEST(b_last_modified_is_the_digests_own),
        TEST(b_empty_file_is_an_object),
        TEST(b_unfilled_or_overfilled_is_refused),
        TEST(b_wrong_size_is_damage),
        TEST(c_leftovers_of_a_crash_are_removed),
        TEST(c_two_owners_cannot_share_a_cache),
        TEST(c_scan_sees_objects_only),
        TEST(f_planted_things_are_refused),
        TEST(f_nothing_behind_a_linked_folder_is_touched),
        TEST(f_staged_file_with_a_second_name_is_refused),
        TEST(c_quarantine_keeps_the_bytes),
        TEST(c_quarantine_is_bounded),
        TEST(f_full_disk_is_told_before_the_fetch),
        TEST(f_write_that_finds_no_room_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
