#include "folder.h"

#include "core/crypto/crypto.h"
#include "io/store/shelf.h"

#include <fcntl.h>

static const uint8_t SHA1[20] = {9};
static const struct sp_shelf_limits no_limits = {0};
static unsigned found_count;
static uint64_t found_at;

static void on_found(void *ctx, struct sp_object *o)
{
    (void)ctx;
    found_count++;
    found_at = o->damaged_at;
}
static const struct sp_object_watch watch = {.found = on_found};

static struct sp_objects *objects;
static struct sp_shelf *shelf;

static void open_all(size_t handles)
{
    found_count = 0;
    assert_ok(sp_objects_open(in_folder("cache"), &objects, NULL));
    assert_ok(sp_shelf_new(objects, handles, &shelf, NULL));
}

static void close_all(void)
{
    sp_shelf_free(&shelf);
    sp_objects_close(&objects);
}

/* A file of size bytes of n; its digest goes to sha256. */
static void put(uint8_t n, size_t size, uint8_t sha256[32])
{
    struct sp_stage *s = NULL;
    struct sp_object *o = NULL;
    uint8_t *bytes = malloc(size);
    memset(bytes, n, size);
    sp_sha256(sp_view(bytes, size), sha256);
    assert_ok(sp_stage_new(objects, size, &s, NULL));
    assert_ok(sp_stage_write(s, 0, sp_view(bytes, size)));
    assert_ok(sp_stage_commit(&s, sha256, SHA1, &o, NULL));
    assert_ok(sp_shelf_put(shelf, o, &watch));
    sp_object_unref(&o);
    free(bytes);
}

static struct sp_object *get(const uint8_t sha256[32], uint64_t size)
{
    struct sp_object *o = NULL;
    assert_ok(sp_shelf_get(shelf, sha256, SHA1, size, &watch, &o));
    return o;
}

static bool is_there(const uint8_t sha256[32])
{
    return sp_shelf_find(shelf, sha256) != NULL;
}

static void b_one_handle_a_digest(void **state)
{
    (void)state;
    uint8_t sha256[32], unknown[32] = {1};
    open_all(8);
    put('a', 100, sha256);
    struct sp_object *a = get(sha256, 100), *b = get(sha256, 100), *none = NULL;
    assert_ptr_equal(a, b);
    assert_err(sp_shelf_get(shelf, unknown, SHA1, 1, &watch, &none), SP_E_NOTFOUND);
    assert_err(sp_shelf_get(shelf, sha256, SHA1, 101, &watch, &none), SP_E_CORRUPT);
    sp_object_unref(&a);
    sp_object_unref(&b);
    close_all();
    open_all(8); /* from the directory */
    a = get(sha256, 100);
    assert_err(sp_object_look(a, 0), SP_E_AGAIN);
    sp_object_unref(&a);
    close_all();
}

static void c_walked_in_order(void **state)
{
    (void)state;
    uint8_t sha256[32], last[32];
    unsigned count = 0;
    open_all(8);
    for (uint8_t n = 0; n < 40; n++) {
        put(n, 10, sha256);
    }
    const struct sp_shelf_item *item = sp_shelf_next(shelf, NULL);
    for (; item; item = sp_shelf_next(shelf, last)) {
        assert_true(!count || memcmp(last, item->sha256, 32) < 0);
        memcpy(last, item->sha256, 32);
        count++;
    }
    assert_int_equal(count, 40);
    close_all();
}

static void b_blocks_are_remembered(void **state)
{
    (void)state;
    uint8_t sha256[32];
    uint8_t *bytes = malloc(SP_BLOCK_SIZE);
    memset(bytes, 'b', SP_BLOCK_SIZE);
    open_all(8);
    put('b', SP_BLOCK_SIZE + 7, sha256);
    close_all();
    open_all(8);
    struct sp_object *o = get(sha256, SP_BLOCK_SIZE + 7);
    assert_ok(sp_object_check(o, SP_BLOCK_SIZE, sp_view(bytes, 7)));
    assert_ok(sp_object_look(o, SP_BLOCK_SIZE + 6));
    assert_err(sp_object_look(o, SP_BLOCK_SIZE - 1), SP_E_AGAIN);
    assert_ok(sp_object_check(o, 0, sp_view(bytes, SP_BLOCK_SIZE)));
    assert_ok(sp_object_look(o, SP_BLOCK_SIZE - 1));
    assert_int_equal(found_count, 0);
    sp_object_unref(&o);
    free(bytes);
    close_all();
}

static void f_damage_is_told_once_and_lets_nobody_in(void **state)
{
    (void)state;
    uint8_t sha256[32];
    open_all(8);
    put('c', 100, sha256);
    struct sp_object *o = get(sha256, 100), *again = NULL;
    assert_true(sp_object_read_begin(o));
    assert_err(sp_object_check(o, 0, SP_VIEW("other bytes")), SP_E_CORRUPT);
    assert_err(sp_object_check(o, 0, SP_VIEW("")), SP_E_CORRUPT);
    assert_int_equal(found_count, 1);
    assert_int_equal(found_at, 0);
    assert_err(sp_object_look(o, 0), SP_E_CORRUPT);
    assert_false(sp_object_read_begin(o));
    assert_true(o->fd >= 0); /* its reader may still use it */
    sp_object_read_end(o);
    assert_int_equal(o->fd, -1);
    assert_err(sp_shelf_get(shelf, sha256, SHA1, 100, &watch, &again), SP_E_CORRUPT);
    uint64_t serial = sp_shelf_find(shelf, sha256)->serial;
    assert_err(sp_shelf_discard(shelf, sha256, serial + 1, "damaged"), SP_E_NOTFOUND);
    assert_true(is_there(sha256)); /* it was another file that was meant */
    assert_ok(sp_shelf_discard(shelf, sha256, serial, "damaged"));
    assert_err(sp_shelf_discard(shelf, sha256, 0, "damaged"), SP_E_NOTFOUND);
    assert_int_equal(folder_count(in_folder("cache/quarantine")), 1);
    put('c', 100, sha256);
    again = get(sha256, 100);
    assert_true(sp_object_read_begin(again));
    sp_object_read_end(again);
    sp_object_unref(&again);
    sp_object_unref(&o);
    close_all();
}

static void use(const uint8_t sha256[32], int64_t when)
{
    struct sp_object *o = get(sha256, 100);
    atomic_store(&o->used, when);
    sp_object_unref(&o);
}

static void c_eviction_takes_the_longest_unused(void **state)
{
    (void)state;
    uint8_t digest[4][32];
    const int64_t later = 4102444800; /* 2100 */
    struct sp_shelf_limits limits = {.bytes = 400};
    struct sp_shelf_evicted evicted = {0};
    open_all(8);
    for (uint8_t n = 0; n < 4; n++) {
        put(n, 100, digest[n]);
        use(digest[n], later + 10 * n);
    }
    use(digest[0], later + 100);
    struct sp_object *reading = get(digest[1], 100);
    assert_true(sp_object_read_begin(reading));
    atomic_store(&reading->used, later);
    assert_ok(sp_shelf_reserve(shelf, 0, &limits, &evicted, NULL));
    assert_int_equal(evicted.files, 0);
    assert_ok(sp_shelf_reserve(shelf, 1, &limits, &evicted, NULL));
    assert_int_equal(evicted.files, 1);
    assert_int_equal(evicted.bytes, 100);
    assert_false(is_there(digest[2])); /* 1 is older, and is being read */
    sp_shelf_release(shelf, 1);
    /* what could go is not enough: nothing does */
    assert_err(sp_shelf_reserve(shelf, 301, &limits, &evicted, NULL), SP_E_NOSPACE);
    assert_err(sp_shelf_reserve(shelf, 401, &limits, &evicted, NULL), SP_E_NOSPACE);
    assert_int_equal(evicted.files, 1);
    assert_ok(sp_shelf_reserve(shelf, 300, &limits, &evicted, NULL));
    assert_int_equal(evicted.files, 3);
    assert_true(is_there(digest[1]));
    struct sp_shelf_totals t;
    sp_shelf_totals(shelf, &t);
    assert_int_equal(t.files, 1);
    assert_int_equal(t.bytes, 100);
    assert_int_equal(t.reserved, 300);
    sp_shelf_release(shelf, 300);
    sp_object_read_end(reading);
    sp_object_unref(&reading);
    close_all();
}

static void c_pinned_ones_stay(void **state)
{
    (void)state;
    uint8_t digest[3][32], unknown[32] = {7};
    struct sp_shelf_limits limits = {.bytes = 300};
    struct sp_shelf_evicted evicted = {0};
    open_all(8);
    for (uint8_t n = 0; n < 3; n++) {
        put(n, 100, digest[n]);
        use(digest[n], 4102444800 + n);
    }
    assert_ok(sp_pin_set(objects, digest[0]));
    assert_ok(sp_pin_set(objects, digest[0])); /* twice is once */
    assert_err(sp_pin_set(objects, unknown), SP_E_NOTFOUND);
    assert_err(sp_pin_clear(objects, unknown), SP_E_NOTFOUND);
    close_all();
    open_all(8); /* survives */
    assert_ok(sp_shelf_reserve(shelf, 100, &limits, &evicted, NULL));
    assert_true(is_there(digest[0])); /* the oldest */
    assert_false(is_there(digest[1]));
    sp_shelf_release(shelf, 100);
    assert_err(sp_shelf_reserve(shelf, 201, &limits, &evicted, NULL), SP_E_NOSPACE);
    assert_int_equal(evicted.files, 1); /* nothing goes in vain */
    assert_ok(sp_pin_clear(objects, digest[0]));
    assert_ok(sp_shelf_reserve(shelf, 201, &limits, &evicted, NULL));
    assert_false(is_there(digest[0]));
    sp_shelf_release(shelf, 201);
    close_all();
}

static void f_pins_follow_no_link(void **state)
{
    (void)state;
    uint8_t sha256[32];
    struct sp_shelf_limits limits = {.bytes = 100};
    struct sp_shelf_evicted evicted = {0};
    open_all(8);
    put('p', 100, sha256);
    assert_int_equal(symlink("/etc", in_folder("cache/pins")), 0);
    assert_err(sp_pin_set(objects, sha256), SP_E_CORRUPT);
    /* what is pinned is not known: nothing is evicted */
    assert_err(sp_shelf_reserve(shelf, 50, &limits, &evicted, NULL), SP_E_CORRUPT);
    assert_true(is_there(sha256));
    assert_int_equal(unlink(in_folder("cache/pins")), 0);
    assert_ok(sp_pin_set(objects, sha256));
    folder_write(in_folder("cache/pins/notes"), "", 0); /* a foreign name */
    assert_err(sp_shelf_reserve(shelf, 50, &limits, &evicted, NULL), SP_E_NOSPACE);
    close_all();
}

static void c_the_floor_is_kept(void **state)
{
    (void)state;
    uint8_t sha256[32];
    struct sp_space space;
    struct sp_shelf_evicted evicted = {0};
    struct sp_shelf_limits all = {.floor_percent = 100};
    open_all(8);
    put('x', 100, sha256);
    assert_ok(sp_objects_space(objects, &space));
    assert_err(sp_shelf_reserve(shelf, 1, &all, &evicted, NULL), SP_E_NOSPACE);
    assert_err(sp_shelf_reserve(shelf, space.available + (1 << 30), &no_limits,
                                &evicted, NULL),
               SP_E_NOSPACE);
    assert_true(is_there(sha256)); /* it would not have helped */
    assert_ok(sp_shelf_reserve(shelf, 1, &no_limits, &evicted, NULL));
    sp_shelf_release(shelf, 1);
    close_all();
}

static void c_times_of_use_survive(void **state)
{
    (void)state;
    uint8_t sha256[32];
    open_all(8);
    put('t', 100, sha256);
    use(sha256, 4102444800);
    close_all();
    open_all(8);
    assert_int_equal(sp_shelf_find(shelf, sha256)->used, 4102444800);
    close_all();
}

static unsigned open_descriptors(void)
{
    return folder_count("/proc/self/fd");
}

static void c_few_handles_stay_open(void **state)
{
    (void)state;
    uint8_t digest[60][32];
    open_all(4);
    for (uint8_t n = 0; n < 60; n++) {
        put(n, 100, digest[n]);
    }
    unsigned before = open_descriptors();
    for (unsigned n = 0; n < 60; n++) {
        struct sp_object *o = get(digest[n], 100);
        sp_object_unref(&o);
    }
    assert_in_range(open_descriptors(), before - 8, before + 8);
    close_all();
}

static void c_what_a_crash_leaves_is_swept(void **state)
{
    (void)state;
    uint8_t sha256[32];
    char name[128] = "cache/objects/ee/";
    open_all(8);
    put('k', 100, sha256);
    close_all();
    memset(name + strlen(name), 'e', 64);
    mkdir(in_folder("cache/objects/ee"), 0700);
    snprintf(name + 17 + 64, 10, ".tree");
    folder_write(in_folder(name), "x", 1);
    snprintf(name + 17 + 64, 10, ".tree.new");
    folder_write(in_folder(name), "x", 1);
    folder_write(in_folder("cache/objects/ee/notes"), "x", 1);
    open_all(8);
    assert_int_equal(folder_count(in_folder("cache/objects/ee")), 1);
    assert_true(is_there(sha256));
    close_all();
}

static const char *path_of(const uint8_t sha256[32])
{
    char name[96] = "cache/objects/";
    size_t n = strlen(name);
    n += (size_t)snprintf(name + n, sizeof name - n, "%02x/", sha256[0]);
    for (size_t i = 0; i < 32; i++) {
        n += (size_t)snprintf(name + n, sizeof name - n, "%02x", sha256[i]);
    }
    return in_folder(name);
}

static void flip(const uint8_t sha256[32], off_t at, unsigned bit)
{
    uint8_t byte = 0;
    assert_int_equal(chmod(path_of(sha256), 0600), 0);
    int fd = open(path_of(sha256), O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= (uint8_t)(1U << bit);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* One bit each: refused at the first read, out of service, and made anew. */
static void f_bits_flipped_at_a_thousand_places(void **state)
{
    (void)state;
    enum { SIZE = 2500, PLACES = 1000 };
    uint8_t sha256[32], bytes[SIZE];
    open_all(8);
    for (unsigned place = 0; place < PLACES; place++) {
        put((uint8_t)(place % 50), SIZE, sha256);
        close_all();
        flip(sha256, (off_t)(place * 7919 % SIZE), place % 8);
        open_all(8);
        struct sp_object *o = get(sha256, SIZE);
        assert_int_equal(pread(o->fd, bytes, SIZE, 0), SIZE);
        assert_err(sp_object_check(o, 0, sp_view(bytes, SIZE)), SP_E_CORRUPT);
        assert_false(sp_object_read_begin(o));
        assert_int_equal(found_count, 1);
        sp_object_unref(&o);
        assert_ok(sp_shelf_discard(shelf, sha256, 0, "damaged"));
        assert_false(is_there(sha256));
    }
    close_all();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_one_handle_a_digest),
        TEST(c_walked_in_order),
        TEST(b_blocks_are_remembered),
        TEST(f_damage_is_told_once_and_lets_nobody_in),
        TEST(c_eviction_takes_the_longest_unused),
        TEST(c_pinned_ones_stay),
        TEST(f_pins_follow_no_link),
        TEST(c_the_floor_is_kept),
        TEST(c_times_of_use_survive),
        TEST(c_few_handles_stay_open),
        TEST(c_what_a_crash_leaves_is_swept),
        TEST(f_bits_flipped_at_a_thousand_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
