/* Signed installer databases: sound ones in every layout, and each way to spoil one
 * (tests/support/installers.py). */
#include "sign_own.h"

static int make_databases(void **state)
{
    int failed = make_files(state);
    return failed || !are_there ? failed : run_script("installers.py");
}

struct row {
    const char *name, *ruling;
    enum sp_fact fact;
    const char *says;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(rows[i].name, rows[i].ruling, rows[i].fact, rows[i].says);
    }
}

#define PASSED(name, fact, says)                                                       \
    {                                                                                  \
        name ".msi", "passed", SP_FACT_SIGN_##fact, says                               \
    }
#define BROKEN(name, says)                                                             \
    {                                                                                  \
        name ".msi", "file-signed", SP_FACT_SIGN_ERROR, says                           \
    }
#define HIDES(name, says)                                                              \
    {                                                                                  \
        name ".msi", "file-signature-strict", SP_FACT_SIGN_ERROR, says                 \
    }
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void c_each_layout_is_read(void **state)
{
    NEED_FILES();
    static const struct row rows[] = {
        PASSED("good", FORMAT, "msi"),
        PASSED("good", TIME, "2025-06-15T15:06:40Z"),
        PASSED("good", LEFT_OUT, "directory: links, colours"),
        PASSED("good", LEFT_OUT, "24+2 minor version"),
        PASSED("bare", LEFT_OUT, "directory: names, times"),
        PASSED("dual", SIGNATURE, "nested sha256 good trusted"),
        PASSED("dual", SIGNATURE, "sha1 good trusted"),
        PASSED("deep", SIGNATURE, "sha256 good trusted"),
        PASSED("deep-large", SIGNATURE, "sha256 good trusted"),
        PASSED("deep-mixed", SIGNATURE, "sha256 good trusted"),
        PASSED("deep-lists", SIGNATURE, "sha256 good trusted"),
        {"sha1.msi", "file-digest-strong", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha1"},
        BROKEN("plain", "there is no signature"),
        BROKEN("plain-deep", "there is no signature"),
    };
    check_rows(rows, COUNT(rows));
}

static void f_chains_are_sound(void **state)
{
    NEED_FILES();
    static const struct row rows[] = {
        BROKEN("circle", "one runs in a circle"),
        BROKEN("cross", "chains of sectors meet"),
        BROKEN("mini_cross", "chains of sectors meet"),
        BROKEN("short", "ends before its stream"),
        BROKEN("leave", "leaves the file"),
        BROKEN("unmarked", "is not marked as one"),
        BROKEN("wrong_version", "the header is broken"),
        BROKEN("tree_circle", "reaches an entry in two ways"),
        BROKEN("tree_leaves", "the directory is broken"),
        BROKEN("emptied", "a stream of the signature has 0 bytes"),
        BROKEN("long-names", "a stream of the signature has 96 bytes"),
    };
    check_rows(rows, COUNT(rows));
}

/* What meets or runs in a circle is told apart from what is only broken. */
static void f_shared_sectors_are_an_overlap(void **state)
{
    NEED_FILES();
    static const struct {
        const char *name;
        bool overlaps;
    } rows[] = {{"circle.msi", true},     {"cross.msi", true},
                {"mini_cross.msi", true}, {"tree_circle.msi", true},
                {"short.msi", false},     {"leave.msi", false},
                {"good.msi", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        rig_read(in_folder(rows[i].name), &file);
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "msi", trust, RIG_NOW, 0);
        assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_OVERLAP), rows[i].overlaps);
    }
}

static void f_no_room_to_hide_bytes(void **state)
{
    NEED_FILES();
    static const struct row rows[] = {
        HIDES("outlong", "longer than its stream"),
        HIDES("slack", "belong to no stream"),
        HIDES("mini_slack", "belong to no stream"),
        HIDES("stain", "belong to no stream"),
        HIDES("orphan", "allocated that no stream owns"),
        HIDES("beyond", "sectors that are not there"),
        HIDES("name_tail", "directory that mean nothing"),
        HIDES("old_entry", "entries that nothing leads to"),
        HIDES("header", "header that mean nothing"),
        HIDES("disorder", "out of order"),
        HIDES("padded", "1 bytes follow the signature"),
        HIDES("zeros", "8 bytes follow the signature"),
        HIDES("archive", "22 bytes stand behind the end"),
        HIDES("archive-sector", "512 bytes stand behind the end"),
        HIDES("odd", "1 bytes stand behind the end"),
        HIDES("many-pieces", "lies in more than 256 pieces"),
        PASSED("pieces", LEFT_OUT, "part of a signature that nothing proves"),
        PASSED("blank", SIGNATURE, "sha256 good trusted"),
    };
    static const struct row zips[] = {
        {"archive.msi", "file-signature-strict", SP_FACT_SIGN_POLYGLOT, "zip"},
        {"archive-sector.msi", "file-signature-strict", SP_FACT_SIGN_POLYGLOT, "zip"},
    };
    check_rows(rows, COUNT(rows));
    check_rows(zips, COUNT(zips));
}

/* Names, times and classes count where the second stream covers them. */
static void f_what_is_signed(void **state)
{
    NEED_FILES();
    static const struct row rows[] = {
        BROKEN("changed", "is not the one that was signed"),
        BROKEN("rename", "names, sizes or times"),
        BROKEN("later", "names, sizes or times"),
        BROKEN("other_class", "is not the one that was signed"),
        HIDES("other-names", "names, sizes or times"),
        PASSED("rename-bare", LEFT_OUT, "directory: names"),
    };
    check_rows(rows, COUNT(rows));
}

static void f_limits(void **state)
{
    NEED_FILES();
    static const struct row rows[] = {
        BROKEN("crowd", "there is no signature"),
        BROKEN("too-many", "more than 32768 entries"),
        BROKEN("most_tables", "the lists of the allocation table are broken"),
        BROKEN("many_tables", "larger than 16777216 bytes"),
    };
    check_rows(rows, COUNT(rows));
}

static void f_every_changed_byte_is_noticed(void **state)
{
    NEED_FILES();
    flip("bare.msi", 700);
    flip("deep-mixed.msi", 700);
    flip("deep-large.msi", 300);
    flip("good.msi", 300);
}

static void encode(const struct sp_facts *f, struct sp_buf *out)
{
    sp_buf_init(out, SP_MIB(1));
    assert_ok(sp_facts_encode(f, out));
}

static void c_pieces_do_not_matter(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    SP_AUTO(sp_buf_fini) struct sp_buf once;
    rig_read(in_folder("deep-mixed.msi"), &file);
    SP_AUTO(sp_facts_free)
    struct sp_facts *f = rig_inspect(sp_buf_view(&file), "", trust, RIG_NOW, 0);
    encode(f, &once);
    for (size_t step = 1; step < 1000; step = step * 9 + 1) {
        SP_AUTO(sp_buf_fini) struct sp_buf again;
        SP_AUTO(sp_facts_free)
        struct sp_facts *g = rig_inspect(sp_buf_view(&file), "", trust, RIG_NOW, step);
        encode(g, &again);
        assert_true(sp_view_eq(sp_buf_view(&once), sp_buf_view(&again)));
    }
}

static void f_no_prefix_passes(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("deep-mixed.msi"), &file);
    for (size_t len = 0; len < file.len; len += 101) {
        SP_AUTO(sp_facts_free)
        struct sp_facts *f =
            rig_inspect(sp_view(file.data, len), "msi", trust, RIG_NOW, 0);
        assert_string_not_equal(rig_ruling(f), "passed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_each_layout_is_read),
        cmocka_unit_test(f_chains_are_sound),
        cmocka_unit_test(f_shared_sectors_are_an_overlap),
        cmocka_unit_test(f_no_room_to_hide_bytes),
        cmocka_unit_test(f_what_is_signed),
        cmocka_unit_test(f_limits),
        cmocka_unit_test(f_every_changed_byte_is_noticed),
        cmocka_unit_test(c_pieces_do_not_matter),
        cmocka_unit_test(f_no_prefix_passes),
    };
    return cmocka_run_group_tests(tests, make_databases, remove_files);
}
