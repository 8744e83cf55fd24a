#include "shapes.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/pack/pack.h"

#include <dirent.h>
#include <zlib.h>

/* ---- a writer of cabinets, [MS-CAB] 2 ---- */

#define STORED 0
#define MSZIP  1
#define LZX    0x1503 /* with a window of 2 MiB */

#define BLOCK 32768

/* Where fields are, for tests that break one. */
enum {
    AT_RESERVED1 = 4,
    AT_SIZE = 8,
    AT_RESERVED2 = 12,
    AT_FILES = 16,
    AT_RESERVED3 = 20,
    AT_VERSION = 24,
    AT_FOLDER_COUNT = 26,
    AT_FILE_COUNT = 28,
    AT_FLAGS = 30,
    AT_SET = 32,
    AT_DATA = 36,
    AT_BLOCKS = 40,
    AT_COMPRESSION = 42,
    AT_FILE_SIZE = 44,
    AT_FILE_OFFSET = 48,
    AT_FILE_FOLDER = 52,
    AT_NAME = 60,
    AT_FIRST_BLOCK = 65,
    AT_FIRST_IN = AT_FIRST_BLOCK + 4,
    AT_FIRST_OUT = AT_FIRST_BLOCK + 6,
    AT_FIRST_DATA = AT_FIRST_BLOCK + 8,
};

static void put16(uint8_t *p, size_t x)
{
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
}

static void put32(uint8_t *p, size_t x)
{
    put16(p, x);
    put16(p + 2, x >> 16);
}

static size_t get16(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8;
}

/* [MS-CAB] 3.1: words xored; the last one to three bytes count from the highest */
static uint32_t checksum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (; n >= 4; n -= 4, p += 4) {
        sum ^= (uint32_t)(get16(p) | get16(p + 2) << 16);
    }
    uint32_t rest = 0;
    while (n--) {
        rest = rest << 8 | *p++;
    }
    return sum ^ rest;
}

static void seal_block(uint8_t *block)
{
    uint32_t sum = checksum(block + 8, get16(block + 4), 0);
    put32(block, checksum(block + 4, 4, sum));
}

/* "CK" and deflate data whose dictionary is the block before. */
static size_t put_mszip(uint8_t *to, const uint8_t *in, size_t n, size_t done)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)n};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, 0), Z_OK);
    if (done) {
        assert_int_equal(deflateSetDictionary(&z, in - BLOCK, BLOCK), Z_OK);
    }
    memcpy(to, "CK", 2);
    z.next_out = to + 2;
    z.avail_out = BLOCK + 1000;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t total = 2 + z.total_out;
    deflateEnd(&z);
    return total;
}

/* An LZX frame of one uncompressed block: 16-bit little-endian words, bits from the
 * top. The first frame begins with a 0 bit: no translation of x86 calls. Then 3 bits of
 * type (3), 24 of length, filling up to the word, three recent offsets, the bytes, one
 * more where they are odd. */
static size_t put_lzx(uint8_t *to, const uint8_t *in, size_t n, size_t done)
{
    int used = done ? 27 : 28;
    uint32_t bits = ((uint32_t)3 << 24 | (uint32_t)n) << (32 - used);
    put16(to, bits >> 16);
    put16(to + 2, bits & 0xffff);
    for (int i = 0; i < 3; i++) {
        put32(to + 4 + 4 * i, 1);
    }
    memcpy(to + 16, in, n);
    to[16 + n] = 0;
    return 16 + n + (n & 1);
}

static size_t put_payload(int compression, uint8_t *to, const uint8_t *in, size_t n,
                          size_t done)
{
    if (compression == MSZIP) {
        return put_mszip(to, in, n, done);
    }
    if (compression == LZX) {
        return put_lzx(to, in, n, done);
    }
    memcpy(to, in, n);
    return n;
}

static void put_block(int compression, struct sp_view member, size_t done,
                      struct sp_buf *out)
{
    struct sp_view part = sp_view_slice(member, done, done + BLOCK);
    uint8_t *to = NULL;
    assert_ok(sp_buf_reserve(out, 8 + BLOCK + 1024, &to));
    size_t n = put_payload(compression, to + 8, part.data, part.len, done);
    put16(to + 4, n);
    put16(to + 6, part.len);
    seal_block(to);
    out->len += 8 + n;
}

static void make(int compression, struct sp_view member, struct sp_buf *out)
{
    static const uint8_t zeros[AT_NAME] = {0};
    sp_buf_clear(out);
    assert_ok(sp_buf_append(out, sp_view(zeros, sizeof zeros)));
    assert_ok(sp_buf_append(out, SP_VIEW("blob\0")));
    for (size_t done = 0; done < member.len; done += BLOCK) {
        put_block(compression, member, done, out);
    }
    memcpy(out->data, "MSCF", 4);
    put32(out->data + AT_SIZE, out->len);
    put32(out->data + AT_FILES, 44);
    put16(out->data + AT_VERSION, 0x0103);
    put16(out->data + AT_FOLDER_COUNT, 1);
    put16(out->data + AT_FILE_COUNT, 1);
    put32(out->data + AT_DATA, AT_FIRST_BLOCK);
    put16(out->data + AT_BLOCKS, (member.len + BLOCK - 1) / BLOCK);
    put16(out->data + AT_COMPRESSION, (size_t)compression);
    put32(out->data + AT_FILE_SIZE, member.len);
}

/* ---- tests ---- */

static void check_refused(struct sp_view in, enum sp_err expected, const char *sentence)
{
    struct sp_buf out;
    sp_buf_init(&out, SP_MIB(4));
    assert_ok(sp_buf_append_str(&out, "kept"));
    struct sp_why why = {""};
    enum sp_err e = sp_cab_decode_single(in, &out, &why);
    if (e != expected || !strstr(why.text, sentence)) {
        fail_msg("%s: \"%s\" and not \"%s\"", sp_err_text(e), why.text, sentence);
    }
    assert_view_equal(sp_buf_view(&out), "kept");
    sp_buf_fini(&out);
}

static void check_decodes(struct sp_view in, struct sp_view expected)
{
    struct sp_buf out;
    sp_buf_init(&out, SP_MIB(4));
    assert_ok(sp_buf_append_str(&out, "kept"));
    struct sp_why why = {""};
    if (sp_cab_decode_single(in, &out, &why) != SP_OK) {
        fail_msg("%s", why.text);
    }
    assert_memory_equal(out.data, "kept", 4);
    sp_buf_consume(&out, 4);
    assert_true(sp_view_eq(sp_buf_view(&out), expected));
    sp_buf_fini(&out);
}

static const int compressions[] = {STORED, MSZIP, LZX};

static void c_round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,         1,     2,         3,     1000,
                                   BLOCK - 1, BLOCK, BLOCK + 1, 300001};
    uint8_t *data = malloc(300001);
    assert_non_null(data);
    struct sp_buf cab;
    sp_buf_init(&cab, SP_MIB(1));
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t c = 0; c < 3; c++) {
                shape_fill((enum shape)shape, data, sizes[i]);
                make(compressions[c], sp_view(data, sizes[i]), &cab);
                check_decodes(sp_buf_view(&cab), sp_view(data, sizes[i]));
            }
        }
    }
    sp_buf_fini(&cab);
    free(data);
}

#define MEMBER "hello, hello, hello"

static void f_header_fields(void **state)
{
    (void)state;
    static const struct {
        int at, width;
        size_t value;
        enum sp_err err;
        const char *sentence;
    } rows[] = {
        {0, 1, 'm', SP_E_MALFORMED, "does not begin with MSCF"},
        {AT_RESERVED1, 4, 1, SP_E_MALFORMED, "a reserved field"},
        {AT_RESERVED2, 4, 1u << 31, SP_E_MALFORMED, "a reserved field"},
        {AT_RESERVED3, 4, 256, SP_E_MALFORMED, "a reserved field"},
        {AT_SIZE, 4, 0, SP_E_MISMATCH, "the one in the header"},
        {AT_SIZE, 4, 0xffffffff, SP_E_MISMATCH, "the one in the header"},
        {AT_FILES, 4, 45, SP_E_UNSUPPORTED, "the file entry does not follow"},
        {AT_FILES, 4, 0xffffffff, SP_E_UNSUPPORTED, "the file entry does not follow"},
        {AT_VERSION, 2, 0x0102, SP_E_UNSUPPORTED, "version is not 1.3"},
        {AT_VERSION, 2, 0x0203, SP_E_UNSUPPORTED, "version is not 1.3"},
        {AT_FOLDER_COUNT, 2, 0, SP_E_UNSUPPORTED, "one folder"},
        {AT_FOLDER_COUNT, 2, 2, SP_E_UNSUPPORTED, "one folder"},
        {AT_FILE_COUNT, 2, 0, SP_E_UNSUPPORTED, "one file"},
        {AT_FILE_COUNT, 2, 2, SP_E_UNSUPPORTED, "one file"},
        {AT_FILE_COUNT, 2, 65535, SP_E_UNSUPPORTED, "one file"},
        {AT_FLAGS, 2, 1, SP_E_UNSUPPORTED, "it has flags"},
        {AT_FLAGS, 2, 2, SP_E_UNSUPPORTED, "it has flags"},
        {AT_FLAGS, 2, 4, SP_E_UNSUPPORTED, "it has flags"},
        {AT_FLAGS, 2, 0x8000, SP_E_UNSUPPORTED, "it has flags"},
        {AT_DATA, 4, 64, SP_E_UNSUPPORTED, "do not follow the file entry"},
        {AT_DATA, 4, 66, SP_E_UNSUPPORTED, "do not follow the file entry"},
        {AT_BLOCKS, 2, 0, SP_E_MISMATCH, "number of blocks"},
        {AT_BLOCKS, 2, 2, SP_E_MISMATCH, "number of blocks"},
        {AT_BLOCKS, 2, 65535, SP_E_MISMATCH, "number of blocks"},
        {AT_COMPRESSION, 2, 2, SP_E_UNSUPPORTED, "compression"}, /* Quantum */
        {AT_COMPRESSION, 2, 0x1472, SP_E_UNSUPPORTED, "compression"},
        {AT_COMPRESSION, 2, 0x101, SP_E_UNSUPPORTED, "compression"},
        {AT_COMPRESSION, 2, 0x100, SP_E_UNSUPPORTED, "compression"},
        {AT_COMPRESSION, 2, 0x0e03, SP_E_UNSUPPORTED, "compression"},
        {AT_COMPRESSION, 2, 0x1603, SP_E_UNSUPPORTED, "compression"},
        {AT_COMPRESSION, 2, 0x1513, SP_E_UNSUPPORTED, "compression"},
        {AT_COMPRESSION, 2, 0xf503, SP_E_UNSUPPORTED, "compression"},
        {AT_COMPRESSION, 2, 4, SP_E_UNSUPPORTED, "compression"},
        {AT_FILE_SIZE, 4, sizeof MEMBER - 2, SP_E_MISMATCH, "do not add up"},
        {AT_FILE_SIZE, 4, sizeof MEMBER, SP_E_MISMATCH, "do not add up"},
        {AT_FILE_SIZE, 4, 0, SP_E_MISMATCH, "number of blocks"},
        {AT_FILE_SIZE, 4, 0xffffffff, SP_E_MISMATCH, "number of blocks"},
        {AT_FILE_OFFSET, 4, 1, SP_E_UNSUPPORTED, "does not begin where"},
        {AT_FILE_FOLDER, 2, 1, SP_E_UNSUPPORTED, "another folder"},
        {AT_FILE_FOLDER, 2, 0xfffd, SP_E_UNSUPPORTED, "another folder"},
        {AT_FILE_FOLDER, 2, 0xffff, SP_E_UNSUPPORTED, "another folder"},
        {AT_NAME, 1, 0, SP_E_MALFORMED, "the file's name"},
        {AT_NAME + 2, 1, 0, SP_E_UNSUPPORTED, "do not follow the file entry"},
        {AT_NAME + 4, 1, 'x', SP_E_UNSUPPORTED, "do not follow the file entry"},
        {AT_FIRST_BLOCK, 4, 1, SP_E_MISMATCH, "checksum"},
        {AT_FIRST_IN, 2, 0, SP_E_MALFORMED, "a data block"},
        {AT_FIRST_IN, 2, 38913, SP_E_MALFORMED, "a data block"},
        {AT_FIRST_IN, 2, 38912, SP_E_TRUNCATED, "ends too early"},
        {AT_FIRST_IN, 2, 5, SP_E_MALFORMED, "bytes follow"},
        {AT_FIRST_OUT, 2, 0, SP_E_MISMATCH, "do not add up"},
        {AT_FIRST_OUT, 2, sizeof MEMBER, SP_E_MISMATCH, "do not add up"},
        {AT_FIRST_OUT, 2, 65535, SP_E_MISMATCH, "do not add up"},
        {AT_FIRST_DATA, 1, 'c', SP_E_MISMATCH, "checksum"},
    };
    struct sp_buf cab;
    sp_buf_init(&cab, SP_KIB(64));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make(MSZIP, SP_VIEW(MEMBER), &cab);
        check_decodes(sp_buf_view(&cab), SP_VIEW(MEMBER));
        for (int k = 0; k < rows[i].width; k++) {
            cab.data[rows[i].at + k] = (uint8_t)(rows[i].value >> 8 * k);
        }
        check_refused(sp_buf_view(&cab), rows[i].err, rows[i].sentence);
    }
    sp_buf_fini(&cab);
}

/* What may differ without harm. */
static void b_fields_without_meaning(void **state)
{
    (void)state;
    struct sp_buf cab;
    sp_buf_init(&cab, SP_KIB(64));
    for (size_t c = 0; c < 3; c++) {
        make(compressions[c], SP_VIEW(MEMBER), &cab);
        put32(cab.data + AT_SET, 0x00010001);
        memset(cab.data + AT_FILE_FOLDER + 2, 0x41, 6); /* date, time, attributes */
        memcpy(cab.data + AT_NAME, "../x", 4);          /* nothing is named by it */
        put32(cab.data + AT_FIRST_BLOCK, 0);            /* no checksum */
        check_decodes(sp_buf_view(&cab), SP_VIEW(MEMBER));
    }
    for (unsigned window = 15; window <= 21; window++) {
        make(LZX, SP_VIEW(MEMBER), &cab);
        put16(cab.data + AT_COMPRESSION, window << 8 | 3);
        check_decodes(sp_buf_view(&cab), SP_VIEW(MEMBER));
    }
    sp_buf_fini(&cab);
}

static void f_every_cut_is_noticed(void **state)
{
    (void)state;
    struct sp_buf cab;
    sp_buf_init(&cab, SP_KIB(64));
    for (size_t c = 0; c < 3; c++) {
        make(compressions[c], SP_VIEW(MEMBER), &cab);
        for (size_t n = 0; n < cab.len; n++) {
            if (n >= AT_RESERVED2) {
                put32(cab.data + AT_SIZE, n);
            }
            check_refused(sp_view(cab.data, n), SP_E_TRUNCATED, "ends too early");
        }
    }
    sp_buf_fini(&cab);
}

static void f_trailing_bytes(void **state)
{
    (void)state;
    struct sp_buf cab;
    sp_buf_init(&cab, SP_KIB(64));
    make(MSZIP, SP_VIEW(MEMBER), &cab);
    assert_ok(sp_buf_append_byte(&cab, 0));
    check_refused(sp_buf_view(&cab), SP_E_MISMATCH, "the one in the header");
    put32(cab.data + AT_SIZE, cab.len);
    check_refused(sp_buf_view(&cab), SP_E_MALFORMED, "bytes follow the last block");
    make(STORED, SP_VIEW(""), &cab);
    check_decodes(sp_buf_view(&cab), SP_VIEW(""));
    assert_ok(sp_buf_append_byte(&cab, 0));
    put32(cab.data + AT_SIZE, cab.len);
    check_refused(sp_buf_view(&cab), SP_E_MALFORMED, "bytes follow the last block");
    sp_buf_fini(&cab);
}

static void f_names(void **state)
{
    (void)state;
    struct sp_buf cab, renamed;
    sp_buf_init(&cab, SP_KIB(64));
    sp_buf_init(&renamed, SP_KIB(64));
    make(MSZIP, SP_VIEW(MEMBER), &cab);
    for (size_t over = 0; over < 2; over++) {
        sp_buf_clear(&renamed);
        assert_ok(sp_buf_append(&renamed, sp_view(cab.data, AT_NAME)));
        for (size_t i = 0; i < 255 + over; i++) {
            assert_ok(sp_buf_append_byte(&renamed, 'n'));
        }
        assert_ok(sp_buf_append(
            &renamed, sp_view(cab.data + AT_NAME + 4, cab.len - AT_NAME - 4)));
        put32(renamed.data + AT_SIZE, renamed.len);
        put32(renamed.data + AT_DATA, AT_NAME + 256 + over);
        if (over) {
            check_refused(sp_buf_view(&renamed), SP_E_MALFORMED, "the file's name");
        } else {
            check_decodes(sp_buf_view(&renamed), SP_VIEW(MEMBER));
        }
    }
    sp_buf_fini(&cab);
    sp_buf_fini(&renamed);
}

/* Frames in order, contents that do not decompress. */
static void f_contents(void **state)
{
    (void)state;
    struct sp_buf cab;
    sp_buf_init(&cab, SP_KIB(64));
    make(STORED, SP_VIEW(MEMBER), &cab);
    put16(cab.data + AT_COMPRESSION, MSZIP);
    check_refused(sp_buf_view(&cab), SP_E_MALFORMED, "cannot be decompressed");
    put16(cab.data + AT_COMPRESSION, LZX);
    check_refused(sp_buf_view(&cab), SP_E_MALFORMED, "cannot be decompressed");
    make(MSZIP, SP_VIEW(MEMBER), &cab);
    put16(cab.data + AT_COMPRESSION, STORED);
    check_refused(sp_buf_view(&cab), SP_E_MISMATCH, "a stored block has two sizes");
    /* less comes out than the frame says */
    make(MSZIP, SP_VIEW(MEMBER), &cab);
    put32(cab.data + AT_FILE_SIZE, sizeof MEMBER);
    put16(cab.data + AT_FIRST_OUT, sizeof MEMBER);
    seal_block(cab.data + AT_FIRST_BLOCK);
    check_refused(sp_buf_view(&cab), SP_E_MALFORMED, "cannot be decompressed");
    sp_buf_fini(&cab);
}

/* A last block with more in it than it says. */
static void f_excess_is_refused(void **state)
{
    (void)state;
    struct sp_buf cab;
    sp_buf_init(&cab, SP_KIB(64));
    make(MSZIP, SP_VIEW(MEMBER), &cab);
    put32(cab.data + AT_FILE_SIZE, sizeof "hello" - 1);
    put16(cab.data + AT_FIRST_OUT, sizeof "hello" - 1);
    seal_block(cab.data + AT_FIRST_BLOCK);
    check_refused(sp_buf_view(&cab), SP_E_MALFORMED, "cannot be decompressed");
    sp_buf_fini(&cab);
}

static void f_ceilings(void **state)
{
    (void)state;
    uint8_t *data = malloc(BLOCK + 1);
    assert_non_null(data);
    shape_fill(SHAPE_WORDS, data, BLOCK + 1);
    struct sp_buf cab, out;
    sp_buf_init(&cab, SP_MIB(1));
    for (size_t c = 0; c < 3; c++) {
        make(compressions[c], sp_view(data, BLOCK + 1), &cab);
        sp_buf_init(&out, BLOCK + 2);
        assert_ok(sp_buf_append_byte(&out, 'x'));
        assert_ok(sp_cab_decode_single(sp_buf_view(&cab), &out, NULL));
        assert_int_equal(out.len, BLOCK + 2);
        sp_buf_fini(&out);
        sp_buf_init(&out, BLOCK);
        struct sp_why why = {""};
        assert_err(sp_cab_decode_single(sp_buf_view(&cab), &out, &why), SP_E_LIMIT);
        assert_string_equal(
            why.text, "cabinet: more comes out than the limit allows (32769 bytes)");
        assert_null(out.data);
        sp_buf_fini(&out);
    }
    sp_buf_fini(&cab);
    free(data);
}

static void f_bombs(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(1, SP_MIB(8));
    assert_non_null(zeros);
    struct sp_buf cab, out;
    sp_buf_init(&cab, SP_MIB(1));
    sp_buf_init(&out, SP_MIB(64));
    for (size_t over = 0; over < 2; over++) {
        make(MSZIP, sp_view(zeros, SP_LIMIT_RATIO_AFTER + over), &cab);
        assert_true(cab.len * SP_LIMIT_RATIO < SP_LIMIT_RATIO_AFTER);
        assert_err(sp_cab_decode_single(sp_buf_view(&cab), &out, NULL),
                   over ? SP_E_LIMIT : SP_OK);
        sp_buf_clear(&out);
    }
    make(MSZIP, sp_view(zeros, SP_MIB(8)), &cab);
    assert_err(sp_cab_decode_single(sp_buf_view(&cab), &out, NULL), SP_E_LIMIT);
    sp_buf_fini(&cab);
    sp_buf_fini(&out);
    free(zeros);
}

/* ---- real ones ---- */

static void check_blob(const char *cab_name, const char *xml_name)
{
    const char *path = unit_corpus(cab_name);
    size_t cab_len = 0, xml_len = 0;
    uint8_t *cab = path ? unit_read_file(path, &cab_len) : NULL;
    path = cab ? unit_corpus(xml_name) : NULL;
    uint8_t *xml = path ? unit_read_file(path, &xml_len) : NULL;
    if (!xml) {
        skip();
    }
    struct sp_buf wide, text;
    sp_buf_init(&wide, SP_MIB(1));
    sp_buf_init(&text, SP_MIB(1));
    assert_ok(sp_cab_decode_single(sp_view(cab, cab_len), &wide, NULL));
    assert_ok(sp_utf16le_to_utf8(sp_buf_view(&wide), &text));
    assert_true(sp_view_eq(sp_buf_view(&text), sp_view(xml, xml_len)));
    /* whichever bit of the data is wrong, the checksum knows */
    for (size_t i = AT_FIRST_DATA; i < cab_len; i += 97) {
        if (i < AT_FIRST_DATA + get16(cab + AT_FIRST_IN)) {
            cab[i] ^= 0x10;
            check_refused(sp_view(cab, cab_len), SP_E_MISMATCH, "checksum");
            cab[i] ^= 0x10;
        }
    }
    sp_buf_fini(&wide);
    sp_buf_fini(&text);
    free(cab);
    free(xml);
}

static void c_blobs_of_a_real_server(void **state)
{
    (void)state;
    check_blob("C-wsusss/000013.GetUpdateData.bundle.blob.cab",
               "C-wsusss/000013.GetUpdateData.bundle.update.xml");
    check_blob("C-wsusss/000014.GetUpdateData.leaf.blob.cab",
               "C-wsusss/000014.GetUpdateData.leaf.update.xml");
}

/* Decodes every file of a corpus folder; accepted returns how many passed. */
static size_t decode_folder(const char *folder, size_t *accepted)
{
    const char *corpus = unit_corpus("README.md");
    if (!corpus) {
        skip();
    }
    char base[4200];
    snprintf(base, sizeof base, "%.*s%s", (int)(strlen(corpus) - strlen("README.md")),
             corpus, folder);
    DIR *d = opendir(base);
    assert_non_null(d);
    size_t files = 0;
    *accepted = 0;
    for (struct dirent *e; (e = readdir(d));) {
        char path[4600];
        size_t len = 0;
        snprintf(path, sizeof path, "%s/%s", base, e->d_name);
        uint8_t *data = e->d_name[0] == '.' ? NULL : unit_read_file(path, &len);
        if (!data) {
            continue;
        }
        struct sp_buf out;
        sp_buf_init(&out, SP_MIB(16));
        struct sp_why why = {""};
        enum sp_err err = sp_cab_decode_single(sp_view(data, len), &out, &why);
        printf("%s: %s, %zu bytes\n", e->d_name, sp_why_text(&why, err), out.len);
        assert_true(err == SP_OK || (out.len == 0 && why.text[0]));
        *accepted += err == SP_OK;
        files++;
        sp_buf_fini(&out);
        free(data);
    }
    closedir(d);
    return files;
}

static void f_hostile_cabinets(void **state)
{
    (void)state;
    size_t accepted = 0;
    assert_in_range(decode_folder("B-cab-malformed", &accepted), 50, 100);
}

/* Many members or a signature: the wrong kind of cabinet. */
static void f_update_cabinets_are_refused(void **state)
{
    (void)state;
    size_t accepted = 0;
    assert_in_range(decode_folder("B-cab", &accepted), 10, 20);
    assert_int_equal(accepted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_round_trips),
        cmocka_unit_test(f_header_fields),
        cmocka_unit_test(b_fields_without_meaning),
        cmocka_unit_test(f_every_cut_is_noticed),
        cmocka_unit_test(f_trailing_bytes),
        cmocka_unit_test(f_names),
        cmocka_unit_test(f_contents),
        cmocka_unit_test(f_excess_is_refused),
        cmocka_unit_test(f_ceilings),
        cmocka_unit_test(f_bombs),
        cmocka_unit_test(c_blobs_of_a_real_server),
        cmocka_unit_test(f_hostile_cabinets),
        cmocka_unit_test(f_update_cabinets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
