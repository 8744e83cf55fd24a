/* Every call that changes the disk, while a file is recorded, filled, committed,
 * pinned, evicted and put into quarantine: killed in the middle of it, or failing with
 * what disks and limits do. Then everything is opened again: whatever is there is
 * whole, recorded and what its name says, and the same work succeeds.
 *
 * The linker puts the functions below in front of the real ones (tests/CMakeLists.txt).
 * A killed process keeps what it wrote, so nothing waits for the disk here. */
#include "folder.h"

#include "core/base/limits.h"
#include "core/crypto/crypto.h"
#include "io/store/ledger_files.h"
#include "io/store/shelf.h"
#include "sallyport/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>

/* ---- the faults -------------------------------------------------------------------
 */

static struct {
    bool on, kills;
    int error;
    long left; /* calls before the fault */
    long calls;
} plan;

/* True: this call is the one. */
static bool strikes(void)
{
    plan.calls += plan.on;
    return plan.on && plan.left-- == 0;
}

/* -1 with errno, or the end. */
static int strike(void)
{
    if (plan.kills) {
        _exit(9);
    }
    errno = plan.error;
    return -1;
}

#define WRAP(type, name, parameters, arguments)                                        \
    type __real_##name parameters;                                                     \
    type __wrap_##name parameters;                                                     \
    type __wrap_##name parameters                                                      \
    {                                                                                  \
        return strikes() ? strike() : __real_##name arguments;                         \
    }
WRAP(int, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
WRAP(int, unlinkat, (int a, const char *b, int c), (a, b, c))
WRAP(int, mkdirat, (int a, const char *b, mode_t c), (a, b, c))
WRAP(int, fchmod, (int a, mode_t b), (a, b))
WRAP(int, fallocate, (int a, int b, off_t c, off_t d), (a, b, c, d))
WRAP(int, ftruncate, (int a, off_t b), (a, b))
WRAP(int, futimens, (int a, const struct timespec b[2]), (a, b))
WRAP(long, syscall, (long n, long a, long b, long c, long d),
     (n, a, b, c, d)) /* openat2 */

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return strikes() ? strike() : 0;
}
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return strikes() ? strike() : 0;
}

/* Half of it is written. */
ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    if (!strikes()) {
        return __real_pwrite(fd, bytes, n, at);
    }
    if (n / 2 > 0) {
        (void)!__real_pwrite(fd, bytes, n / 2, at);
    }
    return strike();
}

/* ---- the work ---------------------------------------------------------------------
 */

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

enum { SIZE = 3000 };

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
    SP_TRY(sp_stage_tree(stage, sha256, &root));
    SP_TRY(record(s, sha256));
    SP_TRY(sp_stage_commit(&stage, sha256, sha1, &o, NULL));
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
    SP_TRY(sp_shelf_reserve(s->shelf, 2 * SIZE, &limits, &evicted, NULL));
    sp_shelf_release(s->shelf, 2 * SIZE);
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

/* ---- what must hold afterwards ----------------------------------------------------
 */

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

static void assert_sound(void)
{
    SP_AUTO(store_fini) struct store s = {0};
    uint64_t entries = 0;
    assert_ok(store_open(&s));
    const struct sp_shelf_item *item = sp_shelf_next(s.shelf, NULL);
    for (; item; item = sp_shelf_next(s.shelf, item->sha256)) {
        assert_whole(&s, item);
    }
    assert_int_equal(folder_count(in_folder("cache/staging")), 0);
    if (sp_ledger_size(s.ledger)) {
        assert_ok(sp_ledger_verify(in_folder("state"), NULL, NULL, &entries, NULL));
        assert_int_equal(entries, sp_ledger_size(s.ledger));
    }
}

static void afresh(void)
{
    folder_remove(in_folder("cache"));
    folder_remove(in_folder("state"));
    assert_int_equal(mkdir(in_folder("state"), 0700), 0);
    memset(&plan, 0, sizeof plan);
}

/* ---- the tests --------------------------------------------------------------------
 */

static int killed_at(long call)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        plan.on = plan.kills = true;
        plan.left = call;
        _exit(work_once() == SP_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void f_killed_at_every_call(void **state)
{
    (void)state;
    long call = 0;
    for (int status = 9; status != 0; call++) {
        afresh();
        status = killed_at(call);
        assert_true(status == 9 || status == 0);
        assert_sound();
        assert_ok(work_once());
        assert_sound();
    }
    assert_true(call > 60); /* there was something to kill */
}

static const struct {
    const char *name;
    int error;
} faults[] = {
    {"the disk is full", ENOSPC},
    {"the disk is broken", EIO},
    {"it was mounted read-only", EROFS},
    {"there are no descriptors", EMFILE},
};

/* True: the work came to this call. */
static bool failed_at(long call, int error)
{
    plan.on = true;
    plan.left = call;
    plan.error = error;
    (void)!work_once(); /* an error or none: some of it is done on a best-effort basis
                         */
    bool was_met = plan.left < 0;
    plan.on = false;
    return was_met;
}

static void f_failing_at_every_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        bool was_met = true;
        long call = 0;
        for (; was_met; call++) {
            afresh();
            was_met = failed_at(call, faults[i].error);
            assert_sound();
            assert_ok(work_once());
            assert_sound();
        }
        if (call <= 60) {
            fail_msg("%s: only %ld calls", faults[i].name, call);
        }
    }
}

/* In memory where that is: some thousands of stores are made. */
static int setup(void **state)
{
    snprintf(folder_path, sizeof folder_path, "/dev/shm/sallyport-test-XXXXXX");
    return mkdtemp(folder_path) ? 0 : folder_setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(f_killed_at_every_call),
        TEST(f_failing_at_every_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
