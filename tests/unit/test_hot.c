/* Small files in memory: what is kept, what never is, and that damage stays out. */
#include "folder.h"

#include "app/shared/hot.h"

#include <fcntl.h>
#include <sys/uio.h>

enum { PLACES = 1024 };
#define MANY (SP_HOT_BYTES / SP_HOT_SMALL + 2)

struct shelf {
    struct sp_objects *objects;
    struct sp_hot *hot;
    struct sp_object_watch watch;
    unsigned found;
};

static void count_found(void *ctx, struct sp_object *o)
{
    unsigned *n = ctx;
    (void)o;
    (*n)++;
}

static struct shelf open_shelf(void)
{
    struct shelf s = {0};
    struct sp_why why = {0};
    assert_ok(sp_objects_open(in_folder("cache"), &s.objects, &why));
    s.hot = calloc(1, sizeof *s.hot);
    assert_non_null(s.hot);
    sp_hot_init(s.hot, PLACES);
    return s;
}

static void close_shelf(struct shelf *s)
{
    sp_hot_clear(s->hot);
    assert_int_equal(s->hot->held, 0);
    free(s->hot);
    sp_objects_close(&s->objects);
}

/* n-th object, of so many bytes; each has a place of its own. */
static struct sp_object *make(struct shelf *s, unsigned n, size_t size)
{
    static uint8_t bytes[SP_HOT_SMALL + 1];
    uint8_t sha256[32] = {(uint8_t)(n >> 8), (uint8_t)n, 1};
    uint8_t sha1[20] = {(uint8_t)(n >> 8), (uint8_t)n, 2};
    struct sp_stage *stage = NULL;
    struct sp_object *o = NULL;
    assert_true(size <= sizeof bytes);
    memset(bytes, (int)('a' + n % 26), size);
    assert_ok(sp_stage_new(s->objects, size, &stage, NULL));
    assert_ok(sp_stage_write(stage, 0, sp_view(bytes, size)));
    assert_ok(sp_stage_commit(&stage, sha256, sha1, &o, NULL));
    s->watch = (struct sp_object_watch){.found = count_found, .ctx = &s->found};
    o->watch = &s->watch;
    return o;
}

/* The same, found in its place from now on. */
static struct sp_object *place(struct shelf *s, unsigned n, size_t size)
{
    struct sp_object *o = make(s, n, size);
    struct sp_object *found = o;
    sp_hot_put(s->hot, o);
    sp_object_unref(&o);
    return found;
}

/* A file system made of memory cannot say whether a read would wait. */
static void need_reads_that_never_wait(const struct sp_object *o)
{
    uint8_t byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    if (preadv2(o->fd, &part, 1, 0, RWF_NOWAIT) != 1) {
        fprintf(stderr, "SKIP: every read of a file is one that may wait here\n");
        skip();
    }
}

static void b_a_small_file_is_kept_in_memory(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *o = place(&s, 1, SP_HOT_SMALL);
    need_reads_that_never_wait(o);
    assert_ptr_equal(sp_hot_find(s.hot, o->sha1), o);
    struct sp_hot_file *a = sp_hot_file(s.hot, o), *b = sp_hot_file(s.hot, o);
    assert_non_null(a);
    assert_ptr_equal(a, b);
    assert_int_equal(a->len, SP_HOT_SMALL);
    assert_int_equal(a->bytes[0], 'b');
    assert_int_equal(a->bytes[a->len - 1], 'b');
    assert_int_equal(s.hot->held, SP_HOT_SMALL);
    sp_hot_file_unref(&a);
    assert_null(a);
    sp_hot_clear(s.hot);
    assert_int_equal(b->bytes[77], 'b'); /* ours still */
    sp_hot_file_unref(&b);
    close_shelf(&s);
}

static void b_its_lines_are_those_made_anew(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *o = place(&s, 3, 10);
    need_reads_that_never_wait(o);
    struct sp_hot_file *f = sp_hot_file(s.hot, o);
    assert_non_null(f);
    struct sp_gate_object bare = {
        .size = 10, .etag = o->etag, .last_modified = o->last_modified};
    struct sp_buf lines;
    sp_buf_init(&lines, SP_KIB(1));
    assert_ok(sp_gate_object_fields(&bare, &lines));
    assert_true(lines.len > 100);
    assert_true(sp_view_eq(f->shown.fields, sp_buf_view(&lines)));
    assert_int_equal(f->shown.size, 10);
    assert_string_equal(f->shown.etag, o->etag);
    sp_buf_fini(&lines);
    sp_hot_file_unref(&f);
    close_shelf(&s);
}

static void b_what_is_not_small_or_not_here_is_not_kept(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *large = place(&s, 1, SP_HOT_SMALL + 1), *empty = place(&s, 2, 0);
    struct sp_object *elsewhere = make(&s, 3, 10);
    assert_null(sp_hot_file(s.hot, large));
    assert_null(sp_hot_file(s.hot, empty));
    assert_null(sp_hot_file(s.hot, elsewhere));
    assert_int_equal(s.hot->held, 0);
    sp_object_unref(&elsewhere);
    close_shelf(&s);
}

static void c_memory_has_a_ceiling(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *first = place(&s, 0, SP_HOT_SMALL);
    need_reads_that_never_wait(first);
    struct sp_hot_file *kept = sp_hot_file(s.hot, first);
    for (unsigned n = 1; n < MANY; n++) {
        struct sp_hot_file *f = sp_hot_file(s.hot, place(&s, n, SP_HOT_SMALL));
        assert_non_null(f);
        assert_int_equal(f->bytes[0], 'a' + n % 26);
        sp_hot_file_unref(&f);
        assert_true(s.hot->held <= SP_HOT_BYTES);
    }
    assert_int_equal(s.hot->held, SP_HOT_BYTES);
    assert_int_equal(kept->bytes[0], 'a'); /* given up, and still the reader's */
    struct sp_hot_file *again = sp_hot_file(s.hot, first);
    assert_ptr_not_equal(again, kept);
    assert_int_equal(again->bytes[0], 'a');
    sp_hot_file_unref(&kept);
    sp_hot_file_unref(&again);
    close_shelf(&s);
}

static void c_another_object_takes_the_place(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *old = place(&s, 1, 100);
    need_reads_that_never_wait(old);
    struct sp_hot_file *f = sp_hot_file(s.hot, old);
    struct sp_object *new = place(&s, 1 + PLACES, 200);
    assert_null(sp_hot_find(s.hot, (const uint8_t[20]){0, 1, 2}));
    assert_int_equal(s.hot->held, 0);
    struct sp_hot_file *g = sp_hot_file(s.hot, new);
    assert_int_equal(g->len, 200);
    assert_int_equal(f->len, 100);
    sp_hot_put(s.hot, new); /* the same again keeps its bytes */
    assert_int_equal(s.hot->held, 200);
    sp_hot_file_unref(&f);
    sp_hot_file_unref(&g);
    close_shelf(&s);
}

static void f_damage_is_found_when_it_is_read(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *o = place(&s, 1, 100);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", o->fd);
    need_reads_that_never_wait(o);
    assert_int_equal(fchmod(o->fd, 0600), 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "x", 1, 50), 1);
    close(fd);
    assert_true(sp_object_read_begin(o));
    assert_null(sp_hot_file(s.hot, o));
    assert_int_equal(s.found, 1);
    assert_true(sp_object_is_withdrawn(o));
    sp_object_read_end(o);
    assert_false(sp_object_read_begin(o));
    assert_int_equal(s.hot->held, 0);
    close_shelf(&s);
}

/* Also where its bytes are in memory: some other loop found the file damaged. */
static void f_out_of_service_is_out_of_memory(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *o = place(&s, 1, 100);
    need_reads_that_never_wait(o);
    struct sp_hot_file *before = sp_hot_file(s.hot, o);
    assert_non_null(before);
    assert_int_equal(o->readers, 0); /* nobody reads the file for it */
    assert_true(o->used > 0);
    assert_true(sp_object_withdraw(o));
    assert_null(sp_hot_file(s.hot, o));
    assert_int_equal(before->bytes[99], 'b'); /* who has them goes on */
    sp_hot_clear(s.hot);
    assert_string_equal(before->shown.etag, before->etag);
    assert_int_equal(before->etag[0], '"');
    sp_hot_file_unref(&before);
    close_shelf(&s);
}

static void f_a_file_that_became_shorter_is_not_kept(void **state)
{
    (void)state;
    struct shelf s = open_shelf();
    struct sp_object *o = place(&s, 1, 100);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", o->fd);
    assert_int_equal(fchmod(o->fd, 0600), 0);
    assert_int_equal(truncate(path, 99), 0);
    assert_null(sp_hot_file(s.hot, o));
    assert_int_equal(s.hot->held, 0);
    close_shelf(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(b_a_small_file_is_kept_in_memory),
        TEST(b_its_lines_are_those_made_anew),
        TEST(b_what_is_not_small_or_not_here_is_not_kept),
        TEST(c_memory_has_a_ceiling),
        TEST(c_another_object_takes_the_place),
        TEST(f_damage_is_found_when_it_is_read),
        TEST(f_out_of_service_is_out_of_memory),
        TEST(f_a_file_that_became_shorter_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
