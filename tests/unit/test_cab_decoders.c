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

typedef void (*look)(const char *name, uint8_t *cabinet, size_t size, size_t *count);

/* Every file of a folder; the sum of what each was counted as. */
static size_t each_cabinet(const char *folder, look at)
{
    char path[4600];
    size_t count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        uint8_t *cabinet = e->d_name[0] == '.' ? NULL : unit_read_file(path, &size);
        if (cabinet) {
            at(e->d_name, cabinet, size, &count);
            free(cabinet);
        }
    }
    closedir(d);
    return count;
}

static void change(const char *name, uint8_t *cabinet, size_t size, size_t *count)
{
    if (!compare(sp_view(cabinet, size))) {
        fail_msg("%s is refused", name);
    }
    mutate(cabinet, size);
    stretch(cabinet, size);
    ++*count;
}

static void c_small_ones_and_mutations(void **state)
{
    (void)state;
    const char *source = getenv("SALLYPORT_SOURCE");
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/cabinet",
             source ? source : ".");
    assert_true(each_cabinet(folder, change) > 10);
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

static void check_folders(const char *name, uint8_t *bytes, size_t size,
                          size_t *compressed)
{
    (void)name;
    struct sp_view cabinet = sp_view(bytes, size);
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
    char base[4200];
    snprintf(base, sizeof base, "%.*sB-cab",
             (int)(strlen(corpus) - strlen("README.md")), corpus);
    assert_true(each_cabinet(base, check_folders) >= 8);
}

/* ---- by hand --------------------------------------------------------------------- */

/* One cabinet, block by block, whose bits are written one after the other. */
struct pen {
    struct sp_buf cabinet;
    size_t block;       /* where the one at hand begins; 0: none does */
    size_t blocks, out; /* blocks, and what comes out of them */
    uint32_t bits;
    unsigned count;
    uint8_t main[256 + 30 * 8], footers[249]; /* LZX: numbers of the block before */
};

static void put(struct pen *p, size_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        assert_ok(sp_buf_append_byte(&p->cabinet, (uint8_t)(value >> 8 * i)));
    }
}

static void begin(struct pen *p)
{
    static const uint8_t zeros[HEAD] = {0};
    *p = (struct pen){0};
    sp_buf_init(&p->cabinet, SP_MIB(1));
    assert_ok(sp_buf_append(&p->cabinet, sp_view(zeros, sizeof zeros)));
}

static void begin_block(struct pen *p, size_t out)
{
    p->block = p->cabinet.len;
    p->blocks++;
    p->out += out;
    put(p, 0, 4), put(p, 0, 2), put(p, out, 2);
}

static void end_block(struct pen *p)
{
    size_t n = p->cabinet.len - p->block - 8;
    p->cabinet.data[p->block + 4] = (uint8_t)n;
    p->cabinet.data[p->block + 5] = (uint8_t)(n >> 8);
}

/* Whether it is taken. */
static bool end(struct pen *p, unsigned compression)
{
    uint8_t *c = p->cabinet.data;
    memcpy(c, "MSCF", 4);
    put32(c + AT_SIZE, p->cabinet.len);
    put32(c + 16, 44);
    memcpy(c + 24, "\3\1\1\0\1", 5);
    put32(c + AT_DATA, HEAD);
    put32(c + AT_BLOCKS, p->blocks | compression << 16);
    put32(c + AT_FILE_SIZE, p->out);
    memcpy(c + HEAD - 5, "blob", 5);
    bool is_taken = compare(sp_buf_view(&p->cabinet));
    sp_buf_fini(&p->cabinet);
    return is_taken;
}

/* LZX: words filled from the top. */
static void top(struct pen *p, uint32_t value, unsigned count)
{
    while (count--) {
        p->bits = p->bits << 1 | (value >> count & 1);
        if (++p->count == 16) {
            put(p, p->bits, 2);
            p->bits = p->count = 0;
        }
    }
}

static void fill_word(struct pen *p)
{
    while (p->count) {
        top(p, 0, 1);
    }
}

/* With the codes of two bits 0: as before, 16: 1 for 0, 17 and 18: runs of zeros. */
static void numbers(struct pen *p, uint8_t *last, const uint8_t *next, size_t n)
{
    for (unsigned kind = 0; kind < 20; kind++) {
        top(p, kind == 0 || (kind >= 16 && kind <= 18) ? 2 : 0, 4);
    }
    for (size_t i = 0; i < n;) {
        size_t run = 0;
        while (i + run < n && next[i + run] == 0 && run < 51) {
            run++;
        }
        if (run >= 20) {
            top(p, 3, 2), top(p, (uint32_t)run - 20, 5);
        } else if (run >= 4) {
            run = run < 19 ? run : 19;
            top(p, 2, 2), top(p, (uint32_t)run - 4, 4);
        } else {
            run = 1;
            assert_true(next[i] == last[i] || (next[i] == 1 && last[i] == 0));
            top(p, next[i] == last[i] ? 0 : 1, 2);
        }
        i += run;
    }
    memcpy(last, next, n);
}

enum { VERBATIM = 1, STORED = 3, LZX15 = 0x0f03 };

/* Of two symbols, one bit each; the smaller one is 0. No footers. */
static void codes(struct pen *p, size_t size, unsigned one, unsigned other)
{
    uint8_t next[sizeof p->main] = {0}, none[sizeof p->footers] = {0};
    next[one] = next[other] = 1;
    top(p, VERBATIM, 3), top(p, (uint32_t)size, 24);
    numbers(p, p->main, next, 256);
    numbers(p, p->main + 256, next + 256, sizeof next - 256);
    numbers(p, p->footers, none, sizeof none);
}

static void stored(struct pen *p, uint32_t recent, size_t n)
{
    top(p, STORED, 3), top(p, (uint32_t)n, 24);
    p->count ? fill_word(p) : top(p, 0, 16);
    put(p, recent, 4), put(p, 1, 4), put(p, 1, 4);
    for (size_t i = 0; i < n; i++) {
        put(p, i * i >> 3, 1);
    }
    put(p, 0, n % 2);
}

static unsigned match(unsigned slot, unsigned length)
{
    return 256 + 8 * slot + length - 2;
}

/* Whatever stands behind a block, its last literal is its last. The frame is long
 * enough for look-ups that give two literals. */
static void c_lzx_blocks_end_anywhere(void **state)
{
    (void)state;
    for (size_t size = 1; size < 12; size++) {
        for (uint32_t literals = 0; literals < 16; literals++) {
            struct pen p;
            begin(&p);
            begin_block(&p, 4096 + 3 * size);
            top(&p, 0, 1);
            stored(&p, 1, 4096);
            for (unsigned blocks = 0; blocks < 3; blocks++) {
                codes(&p, size, 'a', 'b');
                for (size_t i = 0; i < size; i++) {
                    top(&p, literals >> i % 4, 1);
                }
            }
            fill_word(&p);
            end_block(&p);
            assert_true(end(&p, LZX15));
        }
    }
}

/* A literal, then a match of so many bytes with so many extra bits of its offset. */
static bool take_match(size_t out, bool with_literal, unsigned symbol, uint32_t extra,
                       unsigned bits)
{
    struct pen p;
    begin(&p);
    begin_block(&p, out);
    top(&p, 0, 1);
    codes(&p, out, 'a', symbol);
    top(&p, 0, with_literal ? 1 : 0);
    top(&p, 1, 1);
    top(&p, extra, bits);
    fill_word(&p);
    end_block(&p);
    return end(&p, LZX15);
}

static void f_lzx_matches(void **state)
{
    (void)state;
    assert_true(take_match(3, true, match(0, 2), 0, 0));
    assert_false(take_match(2, true, match(0, 2), 0, 0));  /* beyond the end */
    assert_false(take_match(2, false, match(0, 2), 0, 0)); /* before the beginning */
    assert_true(take_match(3, true, match(3, 2), 0, 0));
    assert_false(take_match(3, true, match(4, 2), 0, 1)); /* two back, of one */
    assert_true(take_match(9, true, match(0, 8), 0, 0));
    assert_false(take_match(10, true, match(0, 9), 0, 0)); /* there are no footers */
}

/* Two frames, the first 32 KiB and stored, then a match as far back as is said. */
static bool take_recent(uint32_t recent, size_t before)
{
    struct pen p;
    begin(&p);
    if (before > 2) {
        begin_block(&p, before - 2);
        top(&p, 0, 1);
        stored(&p, 1, before - 2);
        end_block(&p);
    }
    begin_block(&p, 5);
    top(&p, 0, before > 2 ? 0 : 1);
    stored(&p, recent, 2);
    codes(&p, 3, 'a', match(0, 3));
    top(&p, 1, 1);
    fill_word(&p);
    end_block(&p);
    return end(&p, LZX15);
}

static void f_lzx_offsets(void **state)
{
    (void)state;
    assert_true(take_recent(1, 2));
    assert_true(take_recent(2, 2));
    assert_false(take_recent(3, 2)); /* before the beginning */
    assert_false(take_recent(0, 2));
    assert_false(take_recent(UINT32_MAX, 2));
    assert_true(take_recent(32768, 32770));
    assert_false(take_recent(32769, 32770)); /* outside of the window */
}

/* Deflate: bits from the bottom, codes from their top. */
static void low(struct pen *p, uint32_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        p->bits |= (value >> i & 1) << p->count;
        if (++p->count == 8) {
            put(p, p->bits, 1);
            p->bits = p->count = 0;
        }
    }
}

static void code(struct pen *p, uint32_t value, unsigned count)
{
    while (count--) {
        low(p, value >> count & 1, 1);
    }
}

static void fill_byte(struct pen *p)
{
    while (p->count) {
        low(p, 0, 1);
    }
}

/* The fixed codes: "a", and three bytes from so far back. */
static bool take_deflate(const char *mark, size_t out, unsigned distance,
                         unsigned length_code, unsigned behind)
{
    struct pen p;
    begin(&p);
    begin_block(&p, out);
    put(&p, (uint8_t)mark[0], 1), put(&p, (uint8_t)mark[1], 1);
    low(&p, 1, 1), low(&p, 1, 2);
    code(&p, 0x30 + 'a', 8);
    length_code > 23 ? code(&p, 0xc0 + length_code - 24, 8) : code(&p, length_code, 7);
    code(&p, distance, 5);
    code(&p, 0, 7);
    fill_byte(&p);
    put(&p, 0, behind);
    end_block(&p);
    return end(&p, 1);
}

static void f_mszip_matches(void **state)
{
    (void)state;
    assert_true(take_deflate("CK", 4, 0, 1, 0));
    assert_false(take_deflate("CX", 4, 0, 1, 0));
    assert_false(take_deflate("CK", 3, 0, 1, 0));
    assert_false(take_deflate("CK", 5, 0, 1, 0));
    assert_false(take_deflate("CK", 4, 1, 1, 0));  /* before the beginning */
    assert_false(take_deflate("CK", 4, 30, 1, 0)); /* no distance */
    assert_true(take_deflate("CK", 259, 0, 29, 0));
    assert_false(take_deflate("CK", 4, 0, 30, 0)); /* no length */
    assert_false(take_deflate("CK", 4, 0, 1, 1));  /* a byte behind it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_small_ones_and_mutations),
        cmocka_unit_test(c_folders_of_real_cabinets),
        cmocka_unit_test(c_lzx_blocks_end_anywhere),
        cmocka_unit_test(f_lzx_matches),
        cmocka_unit_test(f_lzx_offsets),
        cmocka_unit_test(f_mszip_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
