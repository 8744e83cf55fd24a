/* Which entries belong to a KB: whatever order they were recorded in, and nothing else.
 */
#include "unit.h"

#include "app/proof/bundle_tools.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "folder.h"
#include "sallyport/facts.h"

static struct sp_ledger_files *ledger;

static int setup(void **state)
{
    struct sp_why why = {0};
    return folder_setup(state) == 0 &&
                   sp_ledger_open(in_folder("state"), "example.net/l", &ledger, &why) ==
                       SP_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    sp_ledger_close(&ledger);
    return folder_teardown(state);
}

static uint64_t append(const struct sp_facts *f)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    uint64_t first = 0;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    assert_ok(sp_facts_encode(f, &text));
    struct sp_view entry = sp_buf_view(&text);
    assert_ok(sp_ledger_append(ledger, &entry, 1, &first, NULL));
    return first;
}

static void put_id(struct sp_facts *f, uint8_t id)
{
    const uint8_t guid[16] = {id};
    assert_ok(sp_facts_bytes(f, SP_FACT_UPDATE_ID, sp_view(guid, 16)));
    assert_ok(sp_facts_int(f, SP_FACT_UPDATE_REVISION, 100 + id));
}

/* A revision; 0 for what it has not: a KB, one it bundles, one file. */
static uint64_t revision(uint8_t id, unsigned kb, uint8_t bundles, uint8_t file)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    char text[128];
    assert_ok(sp_facts_new(SP_KIB(16), &f));
    assert_ok(sp_facts_text(f, SP_FACT_ENTRY_KIND, SP_VIEW("revision")));
    put_id(f, id);
    if (kb) {
        snprintf(text, sizeof text, "%u", kb);
        assert_ok(sp_facts_text(f, SP_FACT_DOCUMENT_KB, sp_view_str(text)));
    }
    if (bundles) {
        struct sp_guid guid = {.bytes = {bundles}};
        char id_text[SP_GUID_TEXT];
        sp_guid_format(&guid, id_text);
        snprintf(text, sizeof text, "%s.%d", id_text, 100 + bundles);
        assert_ok(sp_facts_text(f, SP_FACT_DOCUMENT_BUNDLES, sp_view_str(text)));
    }
    if (file) {
        snprintf(text, sizeof text, "%02x%038d - 10 cab", file, 0);
        assert_ok(sp_facts_text(f, SP_FACT_FILE_CLAIM, sp_view_str(text)));
    }
    return append(f);
}

static uint64_t file(uint8_t id)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    const uint8_t sha1[20] = {id};
    assert_ok(sp_facts_new(SP_KIB(16), &f));
    assert_ok(sp_facts_text(f, SP_FACT_ENTRY_KIND, SP_VIEW("file")));
    assert_ok(sp_facts_bytes(f, SP_FACT_FILE_SHA1, sp_view(sha1, 20)));
    return append(f);
}

/* A later entry about a revision. */
static uint64_t withheld(uint8_t id)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    assert_ok(sp_facts_new(SP_KIB(16), &f));
    assert_ok(sp_facts_text(f, SP_FACT_ENTRY_KIND, SP_VIEW("withheld")));
    put_id(f, id);
    return append(f);
}

static void expect(const char *kb, const uint64_t *wanted, size_t count)
{
    struct sp_kb_entries found = {0};
    struct sp_why why = {0};
    if (sp_kb_find(ledger, kb, &found, &why) != SP_OK) {
        fail_msg("%s", why.text);
    }
    assert_int_equal(found.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found.at[i], wanted[i]);
    }
    free(found.at);
}

static void b_everything_that_belongs_to_it(void **state)
{
    (void)state;
    uint64_t inner_file = file(9);
    uint64_t inner = revision(3, 0, 0, 9); /* before what bundles it */
    uint64_t other = revision(5, 77, 0, 8);
    uint64_t middle = revision(2, 0, 3, 0);
    uint64_t outer = revision(1, 5031356, 2, 7);
    uint64_t other_file = file(8);
    uint64_t outer_file = file(7), again = file(7), held = withheld(3);
    const uint64_t all[] = {inner_file, inner, middle, outer, outer_file, again, held};
    const uint64_t only[] = {other, other_file};
    expect("5031356", all, sizeof all / sizeof *all);
    expect("77", only, 2);
}

static void b_over_full_tiles_and_the_tail(void **state)
{
    (void)state;
    uint64_t wanted[40];
    size_t count = 0;
    for (unsigned i = 0; i < 600; i++) {
        bool is_it = i % 16 == 0;
        uint64_t n = is_it ? revision(1, 5031356, 0, 0) : file((uint8_t)(1 + i % 200));
        if (is_it) {
            wanted[count++] = n;
        }
    }
    expect("5031356", wanted, count);
}

static void f_a_number_that_begins_like_it_is_another(void **state)
{
    (void)state;
    struct sp_kb_entries found = {0};
    revision(1, 50313567, 0, 0);
    assert_err(sp_kb_find(ledger, "5031356", &found, NULL), SP_E_NOTFOUND);
    assert_err(sp_kb_find(ledger, "0313567", &found, NULL), SP_E_NOTFOUND);
    assert_null(found.at);
    const uint64_t one = revision(2, 5031356, 0, 0);
    expect("5031356", &one, 1);
}

static enum sp_err count_up(void *ctx, uint64_t n, struct sp_view entry)
{
    uint64_t *next = ctx;
    assert_int_equal(n, *next);
    assert_true(entry.len > 0);
    (*next)++;
    return n == 590 ? SP_E_CANCELLED : SP_OK;
}

static void b_each_entry_once_from_anywhere(void **state)
{
    (void)state;
    static const uint64_t starts[] = {0,   1,   255, 256, 257, 511,
                                      512, 520, 579, 580, 900};
    for (unsigned i = 0; i < 580; i++) {
        file((uint8_t)i);
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        uint64_t next = starts[i];
        assert_ok(sp_ledger_each(ledger, next, count_up, &next, NULL));
        assert_int_equal(next, starts[i] > 580 ? starts[i] : 580);
    }
    for (unsigned i = 0; i < 20; i++) {
        file((uint8_t)i);
    }
    uint64_t next = 0;
    assert_err(sp_ledger_each(ledger, 0, count_up, &next, NULL), SP_E_CANCELLED);
    assert_int_equal(next, 591);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(b_everything_that_belongs_to_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(b_over_full_tiles_and_the_tail, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(f_a_number_that_begins_like_it_is_another,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(b_each_entry_once_from_anywhere, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
