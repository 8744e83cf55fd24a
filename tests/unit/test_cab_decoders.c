/* The own decoders of MSZIP and LZX against libmspack: what they take it takes, and
 * both give the same. Strictness is tested by hand besides. */
#include "unit.h"

#include "core/base/limits.h"
#include "core/pack/pack.h"
#include "support/cabinet_oracle.h"

#include <dirent.h>

enum {
    AT_SIZE = 8,
    AT_FLAGS = 30,
    AT_DATA = 36,
    AT_BLOCKS = 40,
    AT_FILE_SIZE = 44,
    HEAD = 65, /* with the name "blob" */
};

static size_t get16(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8;
}

static size_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static void put32(uint8_t *p, size_t x)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(x >> 8 * i);
    }
}

/* ---- both ------------------------------------------------------------------------ */

/* Whether the own decoder takes it. */
static bool compare(struct sp_view cabinet)
{
    struct sp_buf own, theirs;
    struct sp_why why = {""};
    sp_buf_init(&own, SP_MIB(16));
    sp_buf_init(&theirs, SP_MIB(16));
    enum sp_err e = sp_cab_decode_single(cabinet, &own, &why);
    if (e == SP_OK) {
        assert_ok(oracle_decode(cabinet, &theirs));
        assert_true(sp_view_eq(sp_buf_view(&own), sp_buf_view(&theirs)));
    } else {
        assert_true(own.len == 0 && why.text[0]);
    }
    sp_buf_fini(&own);
    sp_buf_fini(&theirs);
    return e == SP_OK;
}

/* 0 is no checksum. */
static void drop_checksums(uint8_t *cabinet, size_t size)
{
    for (size_t at = get32(cabinet + AT_DATA); size - at >= 8;) {
        put32(cabinet + at, 0);
        at += 8 + get16(cabinet + at + 4);
        assert_true(at <= size);
    }
}

/* ---- small ones, and what becomes of them ---------------------------------------- */

static void mutate(uint8_t *cabinet, size_t size)
{
    static const uint8_t by[] = {1, 0x80, 0x24, 0xff};
    drop_checksums(cabinet, size);
    for (size_t at = HEAD; at < size; at++) {
        cabinet[at] ^= by[at % sizeof by];
        compare(sp_view(cabinet, size));
        cabinet[at] ^= by[at % sizeof by];
    }
}

/* The last block shorter than it was, or longer: its size is exact. (The byte that
 * fills up LZX's last word may be missing.) */
static void stretch(const uint8_t *cabinet, size_t size)
{
    size_t last = get32(cabinet + AT_DATA);
    for (size_t at = last; at < size; at += 8 + get16(cabinet + at + 4)) {
        last = at;
    }
    for (size_t longer = 0; last < size && longer < 2; longer++) {
        size_t n = longer ? size + 1 : size - 2;
        uint8_t *changed = calloc(1, size + 1);
        assert_non_null(changed);
        memcpy(changed, cabinet, n < size ? n : size);
        put32(changed + AT_SIZE, n);
        changed[last + 4] = (uint8_t)(n - last - 8);
        changed[last + 5] = (uint8_t)((n - last - 8) >> 8);
        assert_false(compare(sp_view(changed, n)));
        free(changed);
    }
}

static void c_small_ones_and_mutations(void **state)
{
    (void)state;
    const char *source = getenv("SALLYPORT_SOURCE");
    char folder[4096], path[4600];
    size_t files = 0;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/cabinet",
             source ? source : ".");
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        uint8_t *cabinet = e->d_name[0] == '.' ? NULL : unit_read_file(path, &size);
        if (!cabinet) {
            continue;
        }
        if (!compare(sp_view(cabinet, size))) {
            fail_msg("%s is refused", e->d_name);
        }
        mutate(cabinet, size);
        stretch(cabinet, size);
        free(cabinet);
        files++;
    }
    closedir(d);
    assert_true(files > 10);
}

/* ---- real ones: each folder as a cabinet of its own with one member ---------------
 */

static void wrap(struct sp_view cabinet, const uint8_t *folder, struct sp_buf *out)
{
    static const uint8_t zeros[HEAD] = {0};
    size_t from = get32(folder), to = from, plain = 0;
    for (size_t i = 0; i < get16(folder + 4); i++) {
        assert_true(to + 8 <= cabinet.len);
        plain += get16(cabinet.data + to + 6);
        to += 8 + get16(cabinet.data + to + 4);
    }
    sp_buf_clear(out);
    assert_ok(sp_buf_append(out, sp_view(zeros, sizeof zeros)));
    assert_ok(sp_buf_append(out, sp_view_slice(cabinet, from, to)));
    memcpy(out->data, cabinet.data, AT_FLAGS);
    memcpy(out->data + HEAD - 5, "blob", 5);
    memset(out->data + 4, 0, 4); /* reserved, until there were signatures */
    put32(out->data + AT_SIZE, out->len);
    put32(out->data + 16, 44);
    memcpy(out->data + 26, "\1\0\1\0", 4); /* a folder, a file */
    put32(out->data + AT_DATA, HEAD);
    memcpy(out->data + AT_BLOCKS, folder + 4, 4); /* blocks, compression */
    put32(out->data + AT_FILE_SIZE, plain);
}

static void check_folders(struct sp_view cabinet, size_t *compressed)
{
    struct sp_buf one;
    sp_buf_init(&one, SP_MIB(16));
    assert_true(cabinet.len > 60);
    bool has_reserve = get16(cabinet.data + AT_FLAGS) & 4;
    size_t at = 36, each = 8;
    if (has_reserve) {
        assert_int_equal(cabinet.data[39], 0); /* none in blocks */
        each += cabinet.data[38];
        at += 4 + get16(cabinet.data + 36);
    }
    for (size_t i = 0; i < get16(cabinet.data + 26); i++, at += each) {
        wrap(cabinet, cabinet.data + at, &one);
        assert_true(compare(sp_buf_view(&one)));
        *compressed += cabinet.data[at + 6] != 0;
    }
    sp_buf_fini(&one);
}

static void c_folders_of_real_cabinets(void **state)
{
    (void)state;
    const char *corpus = unit_corpus("README.md");
    if (!corpus) {
        skip();
    }
    char base[4200], path[4600];
    size_t compressed = 0;
    snprintf(base, sizeof base, "%.*sB-cab",
             (int)(strlen(corpus) - strlen("README.md")), corpus);
    DIR *d = opendir(base);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", base, e->d_name);
        uint8_t *cabinet = e->d_name[0] == '.' ? NULL : unit_read_file(path, &size);
        if (cabinet) {
            check_folders(sp_view(cabinet, size), &compressed);
            free(cabinet);
        }
    }
    closedir(d);
    assert_true(compressed >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_small_ones_and_mutations),
        cmocka_unit_test(c_folders_of_real_cabinets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
