/* Every call that changes the disk, while a file is recorded, filled, committed,
 * pinned, evicted and put into quarantine: killed in the middle of it, or failing with
 * what disks and limits do. Then everything is opened again: whatever is there is
 * whole, recorded and what its name says, what was said to be done is there, and the
 * same work succeeds. */
#include "faults.h"

#include "core/base/limits.h"
#include "core/crypto/crypto.h"
#include "io/store/ledger_files.h"
#include "io/store/shelf.h"
#include "sallyport/facts.h"

/* ---- the work -------------------------------------------------------------------- */

/* File n is there for sure from the moment its fill was said to be done until it may
 * go: faults_said[n]. */

struct store {
    struct sp_objects *objects;
    struct sp_shelf *shelf;
    struct sp_ledger_files *ledger;
};

static void store_fini(struct store *s)
{
    sp_shelf_free(&s->shelf);
    sp_objects_close(&s->objects);
    sp_ledger_close(&s->ledger);
}

static enum sp_err store_open(struct store *s)
{
    SP_TRY(sp_ledger_open(in_folder("state"), "example.net/faults", &s->ledger, NULL));
    SP_TRY(sp_objects_open(in_folder("cache"), &s->objects, NULL));
    return sp_shelf_new(s->objects, 8, &s->shelf, NULL);
}

static enum sp_err record(struct store *s, const uint8_t sha256[32])
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    uint64_t first = 0;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    SP_TRY(sp_facts_new(SP_KIB(4), &f));
    SP_TRY(sp_facts_text(f, SP_FACT_ENTRY_KIND, SP_VIEW("file")));
    SP_TRY(sp_facts_bytes(f, SP_FACT_FILE_SHA256, sp_view(sha256, 32)));
    SP_TRY(sp_facts_encode(f, &text));
    struct sp_view entry = sp_buf_view(&text);
    return sp_ledger_append(s->ledger, &entry, 1, &first, NULL);
}

enum { SIZE = 3000, FILES = 5 };

static void content(uint8_t n, uint8_t bytes[SIZE], uint8_t sha256[32])
{
    memset(bytes, n, SIZE);
    sp_sha256(sp_view(bytes, SIZE), sha256);
}

static enum sp_err fill(struct store *s, uint8_t n)
{
    static const uint8_t sha1[20] = {1};
    SP_AUTO(sp_stage_drop) struct sp_stage *stage = NULL;
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    struct sp_tree_root root;
    uint8_t bytes[SIZE], sha256[32];
    content(n, bytes, sha256);
    SP_TRY(sp_stage_new(s->objects, SIZE, &stage, NULL));
    SP_TRY(sp_stage_write(stage, 0, sp_view(bytes, SIZE / 3)));
    SP_TRY(sp_stage_write(stage, SIZE / 3, sp_view(bytes, SIZE - SIZE / 3)));
    SP_TRY(sp_stage_tree(stage, sha256, (struct sp_view){0}, &root));
    SP_TRY(record(s, sha256));
    SP_TRY(sp_stage_commit(&stage, sha256, sha1, &o, NULL));
    faults_said[n] = 1;
    return sp_shelf_put(s->shelf, o, NULL);
}

static enum sp_err work(struct store *s)
{
    struct sp_shelf_limits limits = {.bytes = 4 * SIZE};
    struct sp_shelf_evicted evicted = {0};
    uint8_t bytes[SIZE], sha256[32];
    SP_TRY(store_open(s));
    for (uint8_t n = 0; n < 3; n++) {
        SP_TRY(fill(s, n));
    }
    content(0, bytes, sha256);
    SP_TRY(sp_pin_set(s->objects, sha256));
    faults_said[1] = faults_said[2] = 0;
    SP_TRY(sp_shelf_reserve(s->shelf, 2 * SIZE, &limits, &evicted, NULL));
    sp_shelf_release(s->shelf, 2 * SIZE);
    faults_said[0] = 0;
    SP_TRY(sp_shelf_discard(s->shelf, sha256, 0, "damaged"));
    SP_TRY(fill(s, 4));
    SP_TRY(sp_pin_clear(s->objects, sha256));
    SP_TRY(sp_objects_note(s->objects, "scrub", SP_VIEW("here")));
    content(4, bytes, sha256);
    return sp_objects_touch(s->objects, sha256, 1);
}

static enum sp_err work_once(void)
{
    SP_AUTO(store_fini) struct store s = {0};
    return work(&s);
}

/* ---- what must hold afterwards --------------------------------------------------- */

static void assert_recorded(struct store *s, const uint8_t sha256[32])
{
    char name[65];
    for (size_t i = 0; i < 32; i++) {
        snprintf(name + 2 * i, 3, "%02x", sha256[i]);
    }
    for (uint64_t n = 0; n < sp_ledger_size(s->ledger); n++) {
        SP_AUTO(sp_buf_fini) struct sp_buf text;
        sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
        assert_ok(sp_ledger_read(s->ledger, n, &text, NULL));
        assert_ok(sp_buf_append_byte(&text, 0));
        if (strstr((const char *)text.data, name)) {
            return;
        }
    }
    fail_msg("an object has no entry: %s", name);
}

static void assert_whole(struct store *s, const struct sp_shelf_item *item)
{
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    static const uint8_t sha1[20] = {1};
    uint8_t bytes[SIZE + 1], sha256[32];
    assert_ok(sp_objects_get(s->objects, item->sha256, sha1, item->size, &o));
    assert_int_equal(pread(o->fd, bytes, sizeof bytes, 0), SIZE);
    sp_sha256(sp_view(bytes, SIZE), sha256);
    assert_memory_equal(sha256, item->sha256, 32);
    assert_ok(sp_object_check(o, 0, sp_view(bytes, SIZE)));
    assert_recorded(s, sha256);
}

static void assert_nothing_lost(struct store *s)
{
    uint8_t bytes[SIZE], sha256[32];
    for (uint8_t n = 0; n < FILES; n++) {
        content(n, bytes, sha256);
        assert_true(!faults_said[n] || sp_shelf_find(s->shelf, sha256));
    }
}

static enum sp_err add_up(void *ctx, const struct sp_object_seen *seen)
{
    struct sp_shelf_totals *t = ctx;
    t->files++;
    t->bytes += seen->size;
    return SP_OK;
}

/* What the shelf holds is what the directory holds. */
static void assert_shelf_is_directory(struct store *s)
{
    struct sp_shelf_totals shelf, directory = {0};
    sp_shelf_totals(s->shelf, &shelf);
    assert_ok(sp_objects_scan(s->objects, add_up, &directory));
    assert_int_equal(shelf.files, directory.files);
    assert_int_equal(shelf.bytes, directory.bytes);
}

static void assert_sound(void)
{
    SP_AUTO(store_fini) struct store s = {0};
    uint64_t entries = 0;
    assert_ok(store_open(&s));
    const struct sp_shelf_item *item = sp_shelf_next(s.shelf, NULL);
    for (; item; item = sp_shelf_next(s.shelf, item->sha256)) {
        assert_whole(&s, item);
    }
    assert_nothing_lost(&s);
    assert_shelf_is_directory(&s);
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    if (sp_ledger_size(s.ledger)) {
        assert_ok(sp_ledger_verify(in_folder("state"), 2, NULL, NULL, &entries, NULL));
        assert_int_equal(entries, sp_ledger_size(s.ledger));
    }
}

static void afresh(void)
{
    folder_remove(in_folder("cache"));
    folder_remove(in_folder("state"));
    assert_int_equal(mkdir(in_folder("state"), 0700), 0);
}

static const struct faults_case whole_life = {afresh, work_once, assert_sound, 60};

static void f_killed_at_every_call(void **state)
{
    (void)state;
    faults_kill_everywhere(&whole_life);
}

static void f_failing_at_every_call(void **state)
{
    (void)state;
    faults_fail_everywhere(&whole_life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULTS_TEST(f_killed_at_every_call),
        FAULTS_TEST(f_failing_at_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
