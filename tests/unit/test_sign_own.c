/* Files signed by a PKI made for this test (tests/support/signing.py, osslsigncode). */
#include "sign_own.h"

static void c_each_kind_has_its_verdict(void **state)
{
    NEED_FILES();
    static const struct {
        const char *name, *ruling;
        enum sp_fact fact;
        const char *says;
    } rows[] = {
        {"good.exe", "passed", SP_FACT_SIGN_TIME, "2025-06-15T15:06:40Z"},
        {"good32.exe", "passed", SP_FACT_SIGN_SIGNATURE, "sha256 good trusted"},
        {"good.msu", "passed", SP_FACT_SIGN_FORMAT, "cab"},
        {"good.cab", "passed", SP_FACT_SIGN_TIME_KIND, "rfc3161"},
        {"good.exe", "passed", SP_FACT_SIGN_PROGRAM_NAME, "Fixture"},
        {"good.exe", "passed", SP_FACT_SIGN_EKU, "1.3.6.1.5.5.7.3.3"},
        {"good.exe", "passed", SP_FACT_SIGN_ROOT, "CN=Test Root"},
        {"bare.exe", "passed", SP_FACT_SIGN_TIME_KIND, "none"},
        {"bare.cab", "passed", SP_FACT_SIGN_SIGNER, "CN=Test code"},
        {"dual.exe", "passed", SP_FACT_SIGN_SIGNATURE, "nested sha256 good trusted"},
        {"dual.cab", "passed", SP_FACT_SIGN_SIGNATURE, "sha1 good trusted"},
        {"pages.exe", "passed", SP_FACT_SIGN_FORMAT, "pe"},
        {"outlived.exe", "passed", SP_FACT_SIGN_TIME, "2020-05-20T18:40:00Z"},
        {"sha1.exe", "file-digest-strong", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha1"},
        {"sha1.cab", "file-digest-strong", SP_FACT_SIGN_DIGEST_ALGORITHM, "sha1"},
        {"plain.exe", "file-signed", SP_FACT_SIGN_ERROR, "there is no signature"},
        {"plain.cab", "file-signed", SP_FACT_SIGN_ERROR, "there is no signature"},
        {"expired.exe", "file-signed", SP_FACT_SIGN_ERROR,
         "2026-11-22T00:00:00Z: certificate has expired"},
        {"late.exe", "file-signed", SP_FACT_SIGN_ERROR,
         "2025-06-15T15:06:40Z: certificate has expired"},
        {"tls.exe", "file-signed", SP_FACT_SIGN_ERROR, "key usage does not allow"},
        {"foreign.exe", "file-signed", SP_FACT_SIGN_ERROR, "missing issuer"},
        {"curve.exe", "file-signed", SP_FACT_SIGN_ERROR,
         "spells out its elliptic curve"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(rows[i].name, rows[i].ruling, rows[i].fact, rows[i].says);
    }
}

static void c_page_hashes_are_stated(void **state)
{
    NEED_FILES();
    static const char *const names[] = {"good.exe", "pages.exe"};
    for (size_t i = 0; i < 2; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        rig_read(in_folder(names[i]), &file);
        f = rig_inspect(sp_buf_view(&file), "exe", trust, RIG_NOW, 0);
        assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_PAGE_HASHES), i == 1);
    }
}

static void encode(const struct sp_facts *f, struct sp_buf *out)
{
    sp_buf_init(out, SP_MIB(1));
    assert_ok(sp_facts_encode(f, out));
}

static void c_pieces_do_not_matter(void **state)
{
    NEED_FILES();
    static const char *const names[] = {"good.exe", "dual.cab"};
    for (size_t i = 0; i < 2; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        SP_AUTO(sp_buf_fini) struct sp_buf once;
        rig_read(in_folder(names[i]), &file);
        for (size_t step = 0; step < 1000; step = step * 9 + 1) {
            SP_AUTO(sp_buf_fini) struct sp_buf again;
            SP_AUTO(sp_facts_free)
            struct sp_facts *f =
                rig_inspect(sp_buf_view(&file), "", trust, RIG_NOW, step);
            encode(f, step ? &again : &once);
            if (step) {
                assert_true(sp_view_eq(sp_buf_view(&once), sp_buf_view(&again)));
            } else {
                sp_buf_init(&again, 1);
            }
        }
    }
}

/* What a digester makes of a file on its way, by what its head promises. */
static struct sp_beside on_the_way(struct sp_view file)
{
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    uint8_t sha1[20], sha256[32];
    struct sp_beside b;
    sp_sign_foresee(file, file.len, &b);
    assert_ok(sp_digester_new(&d));
    assert_ok(sp_digester_beside(d, &b));
    assert_ok(sp_digester_update(d, file));
    assert_ok(sp_digester_finish(d, sha1, sha256));
    sp_digester_get_beside(d, &b);
    return b;
}

/* Returns how many bytes less were read. */
static size_t assert_same_knowing(struct sp_view file, const char *extension)
{
    SP_AUTO(sp_buf_fini) struct sp_buf without;
    SP_AUTO(sp_buf_fini) struct sp_buf with;
    struct sp_beside b = on_the_way(file);
    size_t all = 0, less = 0;
    SP_AUTO(sp_facts_free)
    struct sp_facts *f =
        rig_inspect_knowing(file, extension, trust, RIG_NOW, 0, NULL, &all);
    SP_AUTO(sp_facts_free)
    struct sp_facts *g =
        rig_inspect_knowing(file, extension, trust, RIG_NOW, 0, &b, &less);
    encode(f, &without);
    encode(g, &with);
    assert_true(sp_view_eq(sp_buf_view(&without), sp_buf_view(&with)));
    return all - less;
}

static void c_what_is_known_is_not_read_again(void **state)
{
    NEED_FILES();
    static const struct {
        const char *name;
        bool is_used; /* else the signature is over something else, or wants more */
    } rows[] = {{"good.exe", true},   {"good32.exe", true}, {"good.msu", true},
                {"good.cab", true},   {"bare.cab", true},   {"pages.exe", true},
                {"dual.exe", false},  {"sha1.exe", false},  {"sha1.cab", false},
                {"plain.exe", false}, {"plain.cab", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        rig_read(in_folder(rows[i].name), &file);
        size_t less =
            assert_same_knowing(sp_buf_view(&file), strrchr(rows[i].name, '.') + 1);
        if ((less > 0) != rows[i].is_used) {
            fail_msg("%s: %zu bytes were not read", rows[i].name, less);
        }
    }
}

static void f_known_of_a_changed_file(void **state)
{
    NEED_FILES();
    static const char *const names[] = {"good.exe", "good.cab"};
    for (size_t i = 0; i < 2; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        rig_read(in_folder(names[i]), &file);
        for (size_t at = 0; at < file.len; at += at < 700 ? 3 : 997) {
            file.data[at] ^= 1;
            assert_same_knowing(sp_buf_view(&file), strrchr(names[i], '.') + 1);
            file.data[at] ^= 1;
        }
    }
}

static void f_known_that_is_wrong(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("good.cab"), &file);
    struct sp_beside b = on_the_way(sp_buf_view(&file)), other = b;
    b.sha256[0] ^= 1;
    other.sha256[0] ^= 1;
    other.range[0].length--; /* of other bytes than the signature's: not used */
    SP_AUTO(sp_facts_free)
    struct sp_facts *f =
        rig_inspect_knowing(sp_buf_view(&file), "cab", trust, RIG_NOW, 0, &b, NULL);
    SP_AUTO(sp_facts_free)
    struct sp_facts *g =
        rig_inspect_knowing(sp_buf_view(&file), "cab", trust, RIG_NOW, 0, &other, NULL);
    assert_true(rig_says(f, SP_FACT_SIGN_ERROR, "is not the one that was signed"));
    assert_string_equal(rig_ruling(f), "file-signed");
    assert_string_equal(rig_ruling(g), "passed");
}

static void f_without_a_pin_nobody_is_trusted(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_trust_free) struct sp_trust *none = trust_new(false);
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("good.exe"), &file);
    SP_AUTO(sp_facts_free)
    struct sp_facts *f = rig_inspect(sp_buf_view(&file), "exe", none, RIG_NOW, 0);
    assert_string_equal(rig_ruling(f), "file-signed");
    assert_true(rig_says(f, SP_FACT_SIGN_ERROR, "unknown root: CN=Test Root"));
    assert_true(sp_facts_has_flag(f, SP_FACT_SIGN_DIGEST_GOOD));
    assert_true(sp_facts_has_flag(f, SP_FACT_SIGN_SIGNATURE_GOOD));
    assert_false(sp_facts_has_flag(f, SP_FACT_SIGN_ROOT_TRUSTED));
}

/* The same key is pinned, but for one purpose, or under another name. */
static void f_a_pin_is_for_a_purpose_and_a_name(void **state)
{
    NEED_FILES();
    static const struct {
        const char *purposes, *name, *ruling;
        bool time_trusted;
    } rows[] = {{"code-signing", "Test Root", "passed", false},
                {"time-stamping", "Test Root", "file-signed", true},
                {"code-signing,time-stamping", "Test Roo", "file-signed", false},
                {"code-signing,time-stamping", "Test Root", "passed", true}};
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    SP_AUTO(sp_buf_fini) struct sp_buf pins;
    rig_read(in_folder("good.exe"), &file);
    rig_read(in_folder("pins.txt"), &pins);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        SP_AUTO(sp_trust_free) struct sp_trust *t = trust_new(false);
        snprintf(text, sizeof text, "%.52s %s \"%s\"", (const char *)pins.data,
                 rows[i].purposes, rows[i].name);
        assert_ok(sp_trust_add_pins(t, sp_view_str(text), NULL));
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "exe", t, RIG_NOW, 0);
        assert_string_equal(rig_ruling(f), rows[i].ruling);
        assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_TIME_TRUSTED),
                         rows[i].time_trusted);
    }
}

static void f_a_revoked_signer(void **state)
{
    NEED_FILES();
    const int64_t later = INT64_C(4000000000);
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("gone.exe"), &file);
    /* no list; revoked later than the moment that counts; revoked before */
    for (int i = 0; i < 3; i++) {
        SP_AUTO(sp_trust_free) struct sp_trust *t = trust_new(true);
        if (i > 0) {
            add_pem(t, "revoked.pem");
        }
        int64_t at = i == 1   ? INT64_C(1600000000)
                     : i == 0 ? RIG_NOW
                              : later - 1800000000;
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "exe", t, at, 0);
        assert_string_equal(rig_ruling(f), i < 2 ? "passed" : "file-signed");
        assert_int_equal(rig_says(f, SP_FACT_SIGN_ERROR, "it was revoked"), i == 2);
    }
}

static void f_the_extension_must_agree(void **state)
{
    NEED_FILES();
    static const struct {
        const char *file, *extension, *ruling;
    } rows[] = {{"good.exe", "exe", "passed"},
                {"good.exe", "DLL", "passed"},
                {"good.exe", "", "passed"},
                {"good.exe", "ex_", "passed"},
                {"good.exe", "cab", "file-type-agrees"},
                {"good.exe", "txt", "file-type-agrees"},
                {"good.cab", "msu", "passed"},
                {"good.cab", "exe", "file-type-agrees"},
                {"good.cab", "psf", "file-type-agrees"},
                {"pins.txt", "txt", "passed"},
                {"pins.txt", "cab", "file-type-agrees"},
                {"pins.txt", "psf", "passed"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        rig_read(in_folder(rows[i].file), &file);
        SP_AUTO(sp_facts_free)
        struct sp_facts *f =
            rig_inspect(sp_buf_view(&file), rows[i].extension, trust, RIG_NOW, 0);
        assert_string_equal(rig_ruling(f), rows[i].ruling);
    }
}

/* CVE-2020-1464: something behind the end, an archive above all. */
static void f_bytes_behind_the_end(void **state)
{
    NEED_FILES();
    static const char *const names[] = {"good.exe", "good.cab"};
    for (size_t i = 0; i < 4; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        SP_AUTO(sp_buf_fini) struct sp_buf longer;
        rig_read(in_folder(names[i / 2]), &file);
        sp_buf_init(&longer, SP_MIB(1));
        assert_ok(sp_buf_append(&longer, sp_buf_view(&file)));
        assert_ok(sp_buf_append_str(&longer, i % 2 ? "PK\5\6 and so on" : "x"));
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&longer), "", trust, RIG_NOW, 0);
        assert_true(sp_facts_has_flag(f, SP_FACT_SIGN_OUTSIDE_BYTES));
        assert_int_equal(rig_says(f, SP_FACT_SIGN_POLYGLOT, "zip"), i % 2);
        assert_string_equal(rig_ruling(f),
                            i < 2 ? "file-signed" : "file-signature-strict");
    }
}

static void put32(uint8_t *p, size_t x)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(x >> 8 * i);
    }
}

static size_t get32(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

/* CVE-2013-3900: the entry of the certificate table and the table grow by pad bytes. */
static void f_room_in_the_certificate_table(void **state)
{
    NEED_FILES();
    enum { PE = 64, ENTRY = PE + 168 };
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("good.exe"), &file);
    for (size_t pad = 0; pad <= 64; pad += 8) {
        for (uint8_t fill = 0; fill < 2; fill++) {
            uint8_t *copy = calloc(1, file.len + 64);
            assert_non_null(copy);
            memcpy(copy, file.data, file.len);
            memset(copy + file.len, fill, pad);
            size_t table = get32(copy + ENTRY), size = get32(copy + ENTRY + 4);
            put32(copy + ENTRY + 4, size + pad);
            put32(copy + table, size + pad);
            SP_AUTO(sp_facts_free)
            struct sp_facts *f =
                rig_inspect(sp_view(copy, file.len + pad), "exe", trust, RIG_NOW, 0);
            assert_true(sp_facts_has_flag(f, SP_FACT_SIGN_DIGEST_GOOD));
            assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_TRAILING_DATA), pad > 0);
            assert_string_equal(rig_ruling(f),
                                pad ? "file-signature-strict" : "passed");
            free(copy);
        }
    }
}

/* The same signature several times over: 8 beside one another, 16 with nested ones. */
static void f_as_many_signatures_as_there_may_be(void **state)
{
    NEED_FILES();
    enum { ENTRY = 64 + 168 };
    static const struct {
        const char *name;
        size_t times;
        const char *ruling;
    } rows[] = {{"good.exe", 8, "passed"},
                {"good.exe", 9, "file-signed"},
                {"dual.exe", 8, "passed"},
                {"triple.exe", 5, "passed"},
                {"triple.exe", 6, "file-signed"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        SP_AUTO(sp_buf_fini) struct sp_buf longer;
        rig_read(in_folder(rows[i].name), &file);
        struct sp_view all = sp_buf_view(&file);
        size_t table = get32(file.data + ENTRY);
        put32(file.data + ENTRY + 4, (all.len - table) * rows[i].times);
        sp_buf_init(&longer, SP_MIB(1));
        assert_ok(sp_buf_append(&longer, all));
        for (size_t n = 1; n < rows[i].times; n++) {
            assert_ok(sp_buf_append(&longer, sp_view_slice(all, table, all.len)));
        }
        SP_AUTO(sp_facts_free)
        struct sp_facts *f =
            rig_inspect(sp_buf_view(&longer), "exe", trust, RIG_NOW, 0);
        assert_string_equal(rig_ruling(f), rows[i].ruling);
        assert_int_equal(rig_says(f, SP_FACT_SIGN_ERROR, "more than 16 signatures"),
                         strcmp(rows[i].ruling, "passed") != 0);
    }
}

/* A cabinet leaves bytes out of its digest; each has one value it may have. */
static void f_the_header_of_a_cabinet(void **state)
{
    NEED_FILES();
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("good.cab"), &file);
    for (size_t at = 0; at < 64; at++) {
        file.data[at] ^= 0x01;
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "cab", trust, RIG_NOW, 0);
        assert_string_not_equal(rig_ruling(f), "passed");
        file.data[at] ^= 0x01;
    }
}

static void f_every_changed_byte_is_noticed(void **state)
{
    NEED_FILES();
    flip("bare.exe", 0);
    flip("bare.cab", 0);
}

static void f_changed_bytes_beside_a_time_stamp(void **state)
{
    NEED_FILES();
    flip("outlived.exe", 400);
    flip("good.exe", 100);
    flip("good32.exe", 100);
    flip("good.cab", 100);
    flip("good.msu", 100);
    flip("dual.cab", 100);
}

static void f_no_prefix_passes(void **state)
{
    NEED_FILES();
    static const char *const names[] = {"bare.exe", "bare.cab"};
    for (size_t i = 0; i < 2; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        rig_read(in_folder(names[i]), &file);
        for (size_t len = 0; len < file.len; len += len < 4096 ? 7 : 1) {
            SP_AUTO(sp_facts_free)
            struct sp_facts *f =
                rig_inspect(sp_view(file.data, len), "exe", trust, RIG_NOW, 0);
            assert_string_not_equal(rig_ruling(f), "passed");
        }
    }
}

/* Sections that share bytes, lie in the headers or behind the end. */
static void f_overlapping_sections(void **state)
{
    NEED_FILES();
    enum { SECTIONS = 64 + 24 + 240, SECOND = SECTIONS + 40 };
    static const struct {
        size_t at, value;
        bool overlaps;
    } rows[] = {{SECOND + 20, 0x600, false}, {SECOND + 20, 0x5ff, true},
                {SECOND + 20, 0x400, true},  {SECTIONS + 20, 0x200, true},
                {SECOND + 16, 0x200, false}, {SECOND + 16, 0x201, true},
                {SECOND + 16, 0, false}};
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    rig_read(in_folder("good.exe"), &file);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t old = get32(file.data + rows[i].at);
        put32(file.data + rows[i].at, rows[i].value);
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "exe", trust, RIG_NOW, 0);
        assert_int_equal(sp_facts_has_flag(f, SP_FACT_SIGN_OVERLAP), rows[i].overlaps);
        put32(file.data + rows[i].at, old);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_each_kind_has_its_verdict),
        cmocka_unit_test(c_page_hashes_are_stated),
        cmocka_unit_test(c_pieces_do_not_matter),
        cmocka_unit_test(c_what_is_known_is_not_read_again),
        cmocka_unit_test(f_known_of_a_changed_file),
        cmocka_unit_test(f_known_that_is_wrong),
        cmocka_unit_test(f_without_a_pin_nobody_is_trusted),
        cmocka_unit_test(f_a_pin_is_for_a_purpose_and_a_name),
        cmocka_unit_test(f_a_revoked_signer),
        cmocka_unit_test(f_the_extension_must_agree),
        cmocka_unit_test(f_bytes_behind_the_end),
        cmocka_unit_test(f_room_in_the_certificate_table),
        cmocka_unit_test(f_as_many_signatures_as_there_may_be),
        cmocka_unit_test(f_the_header_of_a_cabinet),
        cmocka_unit_test(f_every_changed_byte_is_noticed),
        cmocka_unit_test(f_changed_bytes_beside_a_time_stamp),
        cmocka_unit_test(f_no_prefix_passes),
        cmocka_unit_test(f_overlapping_sections),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
