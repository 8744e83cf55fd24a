/* Stages that are gone on with: what is taken up, what is not, what is swept. */
#include "folder.h"

#include "core/crypto/crypto.h"
#include "io/store/objects.h"

#include <fcntl.h>
#include <time.h>

#define NAME "0908070000000000000000000000000000000000"
#define PART "cache/staging/" NAME ".part"
#define MARK "cache/staging/" NAME ".mark"
#define MAP  "cache/staging/" NAME ".map"

static const uint8_t SHA1[20] = {9, 8, 7}, OTHER[20] = {1};
static const uint8_t SHA256[32] = {0xab};
static struct sp_objects *objects;
static struct sp_stage_mark kept;

static void open_cache(void)
{
    assert_ok(sp_objects_open(in_folder("cache"), &objects, NULL));
}

static void reopen(void)
{
    sp_objects_close(&objects);
    open_cache();
}

static struct sp_stage *take(uint64_t size)
{
    struct sp_stage *s = NULL;
    assert_ok(sp_stage_take(objects, SHA1, size, &s, &kept, NULL));
    return s;
}

static void note(struct sp_stage *s, uint64_t prefix)
{
    uint8_t sha256[32];
    uint8_t bytes[64];
    assert_ok(sp_stage_read(s, 0, bytes, (size_t)prefix));
    sp_sha256(sp_view(bytes, (size_t)prefix), sha256);
    assert_ok(sp_stage_note(s, prefix, sha256));
}

/* "hello" of "hello, world", of which four bytes are noted; then the process is gone.
 */
static void leave_half(void)
{
    open_cache();
    struct sp_stage *s = take(12);
    assert_int_equal(kept.prefix, 0);
    assert_ok(sp_stage_write(s, 0, SP_VIEW("hello")));
    note(s, 4);
    sp_stage_leave(&s);
    assert_null(s);
    reopen();
}

static bool is_there(const char *name)
{
    return access(in_folder(name), F_OK) == 0;
}

static void b_what_was_noted_is_taken_up(void **state)
{
    (void)state;
    leave_half();
    struct sp_stage *s = take(12);
    struct sp_object *object = NULL;
    uint8_t bytes[12], sha256[32];
    assert_int_equal(kept.prefix, 4);
    sp_sha256(SP_VIEW("hell"), sha256);
    assert_memory_equal(kept.sha256, sha256, 32);
    assert_ok(sp_stage_read(s, 0, bytes, 4));
    assert_memory_equal(bytes, "hell", 4);
    assert_int_equal(sp_stage_read(s, 0, bytes, 5), SP_E_TRUNCATED); /* not durable */
    assert_ok(sp_stage_write(s, 4, SP_VIEW("o, world")));
    assert_ok(sp_stage_commit(&s, SHA256, SHA1, &object, NULL));
    assert_int_equal(pread(object->fd, bytes, 12, 0), 12);
    assert_memory_equal(bytes, "hello, world", 12);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    sp_object_unref(&object);
    sp_objects_close(&objects);
}

static void b_what_is_dropped_or_evidence_leaves_nothing(void **state)
{
    (void)state;
    leave_half();
    struct sp_stage *s = take(12);
    sp_stage_drop(&s);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    sp_objects_close(&objects);
    leave_half();
    s = take(12);
    assert_ok(sp_stage_quarantine(&s, SHA256, "file-sha256"));
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    s = take(12); /* nothing was noted: nothing is left */
    assert_ok(sp_stage_write(s, 0, SP_VIEW("hello")));
    sp_stage_leave(&s);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    sp_objects_close(&objects);
}

static void b_who_finds_it_wrong_empties_it(void **state)
{
    (void)state;
    leave_half();
    struct sp_stage *s = take(12);
    struct sp_object *object = NULL;
    assert_ok(sp_stage_empty(s));
    assert_false(is_there(MARK));
    assert_ok(sp_stage_write(s, 0, SP_VIEW("hello, world")));
    assert_ok(sp_stage_commit(&s, SHA256, SHA1, &object, NULL));
    sp_object_unref(&object);
    sp_objects_close(&objects);
}

/* "wor" far ahead of what was noted. */
static void leave_mapped(void)
{
    open_cache();
    struct sp_stage *s = take(12);
    const struct sp_stage_block b = {.number = 5, .sha256 = {1}};
    assert_ok(sp_stage_write(s, 0, SP_VIEW("hello")));
    note(s, 4);
    assert_ok(sp_stage_write(s, 7, SP_VIEW("wor")));
    assert_ok(sp_stage_map(s, &b));
    sp_stage_leave(&s);
    reopen();
}

static void b_what_was_mapped_is_there_to_be_read(void **state)
{
    (void)state;
    leave_mapped();
    struct sp_buf text;
    struct sp_stage *s = take(12);
    struct sp_object *object = NULL;
    struct sp_stage_block b = {0};
    uint8_t bytes[12];
    sp_buf_init(&text, SP_LIMIT_STAGE_MAP);
    assert_int_equal(kept.prefix, 4);
    assert_ok(sp_stage_read_map(s, &text));
    struct sp_view rest = sp_buf_view(&text);
    assert_ok(sp_stage_map_next(&rest, &b));
    assert_int_equal(b.number, 5);
    assert_int_equal(rest.len, 0);
    assert_ok(sp_stage_read(s, 7, bytes, 3));
    assert_memory_equal(bytes, "wor", 3);
    sp_stage_regain(s, 3);
    assert_ok(sp_stage_write(s, 4, SP_VIEW("o, ")));
    assert_ok(sp_stage_write(s, 10, SP_VIEW("ld")));
    assert_ok(sp_stage_commit(&s, SHA256, SHA1, &object, NULL));
    assert_int_equal(pread(object->fd, bytes, 12, 0), 12);
    assert_memory_equal(bytes, "hello, world", 12);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    sp_object_unref(&object);
    sp_objects_close(&objects);
    sp_buf_fini(&text);
}

static void b_a_map_goes_with_its_stage(void **state)
{
    (void)state;
    leave_mapped();
    assert_true(is_there(MAP));
    struct sp_stage *s = take(12);
    assert_ok(sp_stage_empty(s));
    assert_false(is_there(MAP) || is_there(MARK));
    sp_stage_drop(&s);
    sp_objects_close(&objects);
    leave_mapped();
    sp_stages_sweep(objects, true);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    sp_objects_close(&objects);
    leave_mapped();
    assert_int_equal(unlink(in_folder(PART)), 0);
    reopen();
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    sp_objects_close(&objects);
}

static void f_a_planted_map(void **state)
{
    (void)state;
    leave_half();
    const struct sp_stage_block b = {.number = 5};
    struct sp_stage *s = take(12);
    folder_write(in_folder("elsewhere"), "x", 1);
    assert_int_equal(link(in_folder("elsewhere"), in_folder(MAP)), 0);
    assert_err(sp_stage_map(s, &b), SP_E_CORRUPT);
    assert_int_equal(unlink(in_folder(MAP)), 0);
    assert_int_equal(symlink("../../elsewhere", in_folder(MAP)), 0);
    assert_int_not_equal(sp_stage_map(s, &b), SP_OK);
    assert_int_equal(unlink(in_folder(MAP)), 0);
    assert_ok(sp_stage_map(s, &b));
    sp_stage_drop(&s);
    sp_objects_close(&objects);
}

static void make_old(int64_t seconds)
{
    struct timespec now, times[2];
    clock_gettime(CLOCK_REALTIME, &now);
    times[0] = times[1] = (struct timespec){.tv_sec = now.tv_sec - seconds};
    assert_int_equal(utimensat(AT_FDCWD, in_folder(PART), times, 0), 0);
}

static void spoil_mark(void)
{
    folder_write(in_folder(MARK), "sallyport stage 1\n12 4 00\n", 26);
}
static void cut_part(void)
{
    assert_int_equal(truncate(in_folder(PART), 3), 0);
}
static void link_part(void)
{
    assert_int_equal(link(in_folder(PART), in_folder("spy")), 0);
}
static void plant_part(void)
{
    folder_write(in_folder("spy"), "hello", 5);
    assert_int_equal(unlink(in_folder(PART)), 0);
    assert_int_equal(symlink(in_folder("spy"), in_folder(PART)), 0);
}
static void age(void)
{
    make_old(SP_LIMIT_STAGE_AGE + 5);
}
static void lose_mark(void)
{
    assert_int_equal(unlink(in_folder(MARK)), 0);
}
static void lose_part(void)
{
    assert_int_equal(unlink(in_folder(PART)), 0);
}
static void no_harm(void) {}
static void age_less(void)
{
    make_old(SP_LIMIT_STAGE_AGE - 60);
}
static void cut_to_the_mark(void)
{
    assert_int_equal(truncate(in_folder(PART), 4), 0);
}

static const struct {
    void (*harm)(void);
    uint64_t size;
    bool taken, stays; /* at a start */
} harms[] = {
    {no_harm, 12, true, true},         {age_less, 12, true, true},
    {cut_to_the_mark, 12, true, true}, {no_harm, 13, false, true},
    {spoil_mark, 12, false, false},    {cut_part, 12, false, false},
    {link_part, 12, false, false},     {plant_part, 12, false, false},
    {age, 12, false, false},           {lose_mark, 12, false, false},
    {lose_part, 12, false, false},
};

static void f_what_is_not_sound_is_not_taken_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        leave_half();
        harms[i].harm();
        struct sp_stage *s = take(harms[i].size);
        assert_int_equal(kept.prefix, harms[i].taken ? 4 : 0);
        assert_ok(sp_stage_write(s, kept.prefix, SP_VIEW("x")));
        sp_stage_drop(&s);
        sp_objects_close(&objects);
        if (harms[i].harm == plant_part) {
            struct stat st; /* what the link pointed at was not touched */
            assert_int_equal(stat(in_folder("spy"), &st), 0);
            assert_int_equal(st.st_size, 5);
        }
        unlink(in_folder("spy"));
    }
}

static void f_what_is_not_sound_is_swept_at_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        leave_half();
        harms[i].harm();
        reopen();
        assert_int_equal(folder_count(in_folder("cache/staging")),
                         harms[i].stays ? 2 : 0);
        sp_objects_close(&objects);
        folder_remove(in_folder("cache"));
        unlink(in_folder("spy"));
    }
}

static void f_foreign_names_are_swept_at_start(void **state)
{
    (void)state;
    static const char *const names[] = {
        "x", NAME, NAME ".part.new", NAME ".marks", "9" NAME ".part", NAME ".mark.new"};
    leave_half();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "cache/staging/%s", names[i]);
        folder_write(in_folder(path), "x", 1);
    }
    sp_stages_sweep(objects, false); /* somebody may be at work with them */
    assert_int_equal(folder_count(in_folder("cache/staging")), 8);
    reopen();
    assert_int_equal(folder_count(in_folder("cache/staging")), 2);
    sp_objects_close(&objects);
}

static void b_what_is_being_filled_is_left_alone(void **state)
{
    (void)state;
    leave_half();
    struct sp_stage *s = take(12), *second = NULL, *other = NULL;
    struct sp_stage_mark none;
    int reader = -1;
    assert_int_equal(sp_stage_take(objects, SHA1, 12, &second, &none, NULL),
                     SP_E_CONFLICT);
    assert_null(second);
    assert_true(is_there(PART));
    assert_ok(sp_stage_take(objects, OTHER, 12, &other, &none, NULL));
    sp_stage_drop(&other);
    sp_stages_sweep(objects, true);
    assert_true(is_there(PART) && is_there(MARK));
    assert_ok(sp_stage_reader(s, &reader));
    sp_stage_leave(&s);
    s = take(12); /* whoever still reads the old one is in nobody's way */
    assert_int_equal(kept.prefix, 4);
    sp_stage_leave(&s);
    sp_stages_sweep(objects, false);
    assert_true(is_there(PART));
    sp_stages_sweep(objects, true);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    close(reader);
    sp_objects_close(&objects);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        CASE(b_what_was_noted_is_taken_up),
        CASE(b_what_is_dropped_or_evidence_leaves_nothing),
        CASE(b_who_finds_it_wrong_empties_it),
        CASE(b_what_is_being_filled_is_left_alone),
        CASE(b_what_was_mapped_is_there_to_be_read),
        CASE(b_a_map_goes_with_its_stage),
        CASE(f_a_planted_map),
        CASE(f_what_is_not_sound_is_not_taken_up),
        CASE(f_what_is_not_sound_is_swept_at_start),
        CASE(f_foreign_names_are_swept_at_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
