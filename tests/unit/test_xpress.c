#include "shapes.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/pack/pack.h"

static void append_hex(const char *hex, struct sp_buf *out)
{
    uint8_t *to = NULL;
    size_t n = strlen(hex) / 2;
    assert_ok(sp_buf_reserve(out, n, &to));
    assert_ok(sp_hex_parse(sp_view_str(hex), to, n));
    out->len += n;
}

static void check_decodes(const char *hex, const char *expected)
{
    struct sp_buf in, out;
    sp_buf_init(&in, SP_KIB(64));
    sp_buf_init(&out, SP_MIB(1));
    append_hex(hex, &in);
    assert_ok(sp_xpress_decode(sp_buf_view(&in), &out, NULL));
    assert_ok(sp_buf_append_byte(&out, 0));
    assert_string_equal((const char *)out.data, expected);
    sp_buf_fini(&in);
    sp_buf_fini(&out);
}

static void check_refused(const char *hex, enum sp_err expected, const char *sentence)
{
    struct sp_buf in, out;
    sp_buf_init(&in, SP_KIB(64));
    sp_buf_init(&out, SP_MIB(1));
    append_hex(hex, &in);
    assert_ok(sp_buf_append_str(&out, "kept"));
    struct sp_why why = {""};
    enum sp_err e = sp_xpress_decode(sp_buf_view(&in), &out, &why);
    if (e != expected || !strstr(why.text, sentence)) {
        fail_msg("%s: %s: \"%s\"", hex, sp_err_text(e), why.text);
    }
    assert_view_equal(sp_buf_view(&out), "kept");
    sp_buf_fini(&in);
    sp_buf_fini(&out);
}

static void abc_100(char out[301])
{
    for (int i = 0; i < 100; i++) {
        memcpy(out + 3 * i, "abc", 4);
    }
}

#define ABC_100 "2c0100000d000000ffffff1f61626317000fff2601"
#define ALPHABET                                                                       \
    "1a0000001e0000003f0000006162636465666768696a6b6c6d6e6f707172737475767778797a"
#define ABCABC                                                                         \
    "090000000c00000000000011414243"                                                   \
    "1000444546"

/* [MS-XCA] 3.1 and 3.2, in the frame of [MS-WUSP] 2.1.1 */
static void b_vectors_of_the_specification(void **state)
{
    (void)state;
    char abc[301];
    abc_100(abc);
    check_decodes(ABC_100, abc);
    check_decodes(ALPHABET, "abcdefghijklmnopqrstuvwxyz");
    check_decodes(ABCABC, "ABCABCDEF");
}

static void b_blocks_follow_each_other(void **state)
{
    (void)state;
    check_decodes("", "");
    check_decodes("01000000"
                  "01000000"
                  "41",
                  "A");
    check_decodes(ABCABC "03000000"
                         "03000000"
                         "585958" ABCABC,
                  "ABCABCDEFXYXABCABCDEF");
    /* each is on its own: a match must not reach into the block before */
    check_refused(ABCABC "04000000"
                         "07000000"
                         "ffffff7f"
                         "41"
                         "0800",
                  SP_E_MALFORMED, "block at byte 20");
    check_decodes(ABCABC "04000000"
                         "07000000"
                         "ffffff7f"
                         "41"
                         "0000",
                  "ABCABCDEFAAAA");
}

static void b_every_form_of_a_length(void **state)
{
    (void)state;
    static const struct {
        const char *match; /* with distance 1 */
        size_t length;
    } rows[] = {
        {"0000", 3},           {"0600", 9},          {"070000", 10},
        {"07000e", 24},        {"07000f00", 25},     {"07000ffe", 279},
        {"07000fff0901", 268}, {"07000fff1600", 25}, {"07000fff1501", 280},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char hex[128], expected[400] = "";
        snprintf(hex, sizeof hex, "%02zx%02zx0000%02zx000000ffffff7f61%s",
                 (1 + rows[i].length) & 255, (1 + rows[i].length) >> 8,
                 5 + strlen(rows[i].match) / 2, rows[i].match);
        memset(expected, 'a', 1 + rows[i].length);
        check_decodes(hex, expected);
    }
    /* two matches share one byte of nibbles, the low one first: 1 + 12 + 14 bytes */
    check_decodes("1b0000000a000000ffffff7f6107004207"
                  "00",
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaa");
    /* a third takes a new byte: 10 more */
    check_decodes("250000000d000000ffffff7f610700420700"
                  "070000",
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void f_frames(void **state)
{
    (void)state;
    check_refused("01000000010000", SP_E_TRUNCATED,
                  "block at byte 0: it ends too early");
    check_refused("01", SP_E_TRUNCATED, "it ends too early");
    check_refused("0100000001000000", SP_E_TRUNCATED, "it ends too early");
    check_refused("02000000"
                  "02000000"
                  "41",
                  SP_E_TRUNCATED, "it ends too early");
    check_refused("01000000"
                  "01000000"
                  "41"
                  "00",
                  SP_E_TRUNCATED, "block at byte 9");
    check_refused("00000000"
                  "01000000"
                  "41",
                  SP_E_MALFORMED, "a size is not within");
    check_refused("01000000"
                  "00000000"
                  "41",
                  SP_E_MALFORMED, "a size is not within");
    check_refused("00000000"
                  "00000000",
                  SP_E_MALFORMED, "a size is not within");
    check_refused("00000100"
                  "01000000"
                  "41",
                  SP_E_MALFORMED, "a size is not within");
    check_refused("01000000"
                  "00000100"
                  "41",
                  SP_E_MALFORMED, "a size is not within");
    check_refused("ffffffff"
                  "ffffffff"
                  "41",
                  SP_E_MALFORMED, "a size is not within");
    check_refused("010000ff"
                  "010000ff"
                  "41",
                  SP_E_MALFORMED, "a size is not within");
}

static void f_payloads(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "09000000"
        "03000000"
        "000000", /* no word of flags */
        "03000000"
        "06000000"
        "00000000"
        "4142", /* a literal is missing */
        "02000000"
        "06000000"
        "00000000"
        "4142", /* and the end too */
        "01000000"
        "06000000"
        "ffffff7f"
        "4142", /* half a match */
        "04000000"
        "07000000"
        "ffffff7f"
        "41"
        "0800", /* from before the start */
        "04000000"
        "06000000"
        "ffffffff"
        "0000", /* the same without any byte */
        "03000000"
        "07000000"
        "ffffff7f"
        "41"
        "0000", /* one byte too many */
        "05000000"
        "07000000"
        "ffffff7f"
        "41"
        "0000", /* one too few */
        "02000000"
        "05000000"
        "ffffff7f"
        "41", /* the end comes early */
        "01000000"
        "06000000"
        "ffffff3f"
        "4142", /* a literal too many */
        "0c000000"
        "07000000"
        "ffffff7f"
        "41"
        "0700", /* no nibble */
        "1a000000"
        "08000000"
        "ffffff7f"
        "41"
        "07000f", /* no byte */
        "1a000000"
        "09000000"
        "ffffff7f"
        "41"
        "07000fff", /* no 16 bits */
        "1a000000"
        "0a000000"
        "ffffff7f"
        "41"
        "07000fff16", /* half of them */
        "19000000"
        "0b000000"
        "ffffff7f"
        "41"
        "07000fff1500", /* less than a byte says */
        "04000000"
        "0b000000"
        "ffffff7f"
        "41"
        "07000fff0000", /* 32 bits would follow */
        "1a000000"
        "0f000000"
        "ffffff7f"
        "41"
        "07000fff0000"
        "16000000",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_refused(rows[i], SP_E_MALFORMED, "the data do not give");
    }
    check_decodes("04000000"
                  "07000000"
                  "ffffff7f"
                  "41"
                  "0000",
                  "AAAA");
    check_decodes("02000000"
                  "06000000"
                  "ffffff3f"
                  "4142",
                  "AB");
}

static void c_a_full_word_needs_a_word_for_the_end(void **state)
{
    (void)state;
    const char *literals =
        "4141414141414141414141414141414141414141414141414141414141414141";
    char hex[128];
    snprintf(hex, sizeof hex,
             "2000000028000000"
             "00000000"
             "%s"
             "ffffffff",
             literals);
    check_decodes(hex, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    snprintf(hex, sizeof hex,
             "2000000024000000"
             "00000000"
             "%s",
             literals);
    check_refused(hex, SP_E_MALFORMED, "the data do not give 32 bytes");
}

static void b_encoder_meets_the_specification(void **state)
{
    (void)state;
    char abc[301];
    abc_100(abc);
    struct sp_buf expected, out;
    sp_buf_init(&expected, SP_KIB(1));
    sp_buf_init(&out, SP_KIB(1));
    append_hex(ABC_100, &expected);
    assert_ok(sp_xpress_encode(sp_view_str(abc), &out));
    assert_true(sp_view_eq(sp_buf_view(&out), sp_buf_view(&expected)));
    sp_buf_clear(&out);
    assert_ok(sp_xpress_encode(SP_VIEW("abc"), &out));
    assert_view_equal(sp_buf_view(&out), "\3\0\0\0\3\0\0\0abc");
    sp_buf_clear(&out);
    assert_ok(sp_xpress_encode(SP_VIEW(""), &out));
    assert_int_equal(out.len, 0);
    sp_buf_fini(&expected);
    sp_buf_fini(&out);
}

static void check_round_trip(struct sp_view in)
{
    struct sp_buf coded, back;
    sp_buf_init(&coded, SP_MIB(8));
    sp_buf_init(&back, SP_MIB(8));
    assert_ok(sp_xpress_encode(in, &coded));
    size_t blocks = (in.len + SP_LIMIT_XPRESS_BLOCK - 1) / SP_LIMIT_XPRESS_BLOCK;
    assert_true(coded.len <= in.len + in.len / 32 + 16 * blocks);
    struct sp_why why = {""};
    if (sp_xpress_decode(sp_buf_view(&coded), &back, &why) != SP_OK) {
        fail_msg("%zu bytes: %s", in.len, why.text);
    }
    assert_true(sp_view_eq(sp_buf_view(&back), in));
    sp_buf_fini(&coded);
    sp_buf_fini(&back);
}

static void c_round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {100,   1000,  8191,  8192,  8193,   16352, 65533,
                                   65534, 65535, 65536, 65538, 131070, 300000};
    uint8_t *data = malloc(300000);
    assert_non_null(data);
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        for (size_t n = 0; n < 80; n++) {
            shape_fill((enum shape)shape, data, n);
            check_round_trip(sp_view(data, n));
        }
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            shape_fill((enum shape)shape, data, sizes[i]);
            check_round_trip(sp_view(data, sizes[i]));
        }
    }
    free(data);
}

static void c_encoder_finds_matches(void **state)
{
    (void)state;
    uint8_t *data = malloc(SP_KIB(256));
    assert_non_null(data);
    struct sp_buf out;
    sp_buf_init(&out, SP_MIB(1));
    shape_fill(SHAPE_FAR, data, SP_KIB(256));
    assert_ok(sp_xpress_encode(sp_view(data, SP_KIB(256)), &out));
    assert_true(out.len < SP_KIB(64));
    sp_buf_clear(&out);
    shape_fill(SHAPE_ZEROS, data, SP_KIB(256));
    assert_ok(sp_xpress_encode(sp_view(data, SP_KIB(256)), &out));
    assert_true(out.len < 150);
    sp_buf_fini(&out);
    free(data);
}

static void f_ceilings(void **state)
{
    (void)state;
    char abc[301];
    abc_100(abc);
    struct sp_buf in, out;
    sp_buf_init(&in, SP_KIB(1));
    append_hex(ABC_100 "01000000"
                       "01000000"
                       "41",
               &in);
    sp_buf_init(&out, 301);
    assert_ok(sp_xpress_decode(sp_buf_view(&in), &out, NULL));
    assert_int_equal(out.len, 301);
    sp_buf_fini(&out);
    sp_buf_init(&out, 300);
    struct sp_why why = {""};
    assert_err(sp_xpress_decode(sp_buf_view(&in), &out, &why), SP_E_LIMIT);
    assert_string_equal(
        why.text, "xpress block at byte 21: more comes out than the limit allows");
    assert_int_equal(out.len, 0);
    assert_ok(sp_buf_append_str(&out, "kept"));
    assert_err(sp_xpress_encode(SP_VIEW("abc"), &(struct sp_buf){.ceiling = 10}),
               SP_E_LIMIT);
    sp_buf_fini(&out);
    sp_buf_init(&out, 11);
    assert_ok(sp_xpress_encode(SP_VIEW("abc"), &out));
    assert_err(sp_xpress_encode(SP_VIEW("abc"), &out), SP_E_LIMIT);
    assert_int_equal(out.len, 11);
    sp_buf_fini(&out);
    sp_buf_fini(&in);
}

/* n full blocks of zeros, then one of m bytes that is stored. */
static void bomb(struct sp_buf *b, size_t n, size_t m)
{
    static uint8_t data[SP_LIMIT_XPRESS_BLOCK];
    sp_buf_clear(b);
    while (n--) {
        shape_fill(SHAPE_ZEROS, data, sizeof data);
        assert_ok(sp_xpress_encode(sp_view(data, sizeof data), b));
    }
    shape_fill(SHAPE_NOISE, data, m);
    assert_ok(sp_xpress_encode(sp_view(data, m), b));
}

static void f_bombs(void **state)
{
    (void)state;
    struct sp_buf in, out;
    sp_buf_init(&in, SP_MIB(1));
    sp_buf_init(&out, SP_MIB(64));
    assert_ok(sp_buf_append_str(&out, "what was there does not count"));
    size_t before = out.len;
    /* as much as is free */
    bomb(&in, 16, 16);
    assert_ok(sp_xpress_decode(sp_buf_view(&in), &out, NULL));
    assert_int_equal(out.len - before, SP_LIMIT_RATIO_AFTER);
    out.len = before;
    bomb(&in, 16, 17);
    assert_err(sp_xpress_decode(sp_buf_view(&in), &out, NULL), SP_E_LIMIT);
    /* as much as the ratio gives: the smallest m with which 32 full blocks pass */
    bomb(&in, 32, 0);
    size_t zeros = (size_t)32 * SP_LIMIT_XPRESS_BLOCK;
    size_t m = (zeros - SP_LIMIT_RATIO * (in.len + 8) + SP_LIMIT_RATIO - 2) /
               (SP_LIMIT_RATIO - 1);
    bomb(&in, 32, m);
    assert_ok(sp_xpress_decode(sp_buf_view(&in), &out, NULL));
    assert_int_equal(out.len - before, zeros + m);
    out.len = before;
    bomb(&in, 32, m - 1);
    assert_err(sp_xpress_decode(sp_buf_view(&in), &out, NULL), SP_E_LIMIT);
    assert_int_equal(out.len, before);
    sp_buf_fini(&in);
    sp_buf_fini(&out);
}

static void c_largest_block(void **state)
{
    (void)state;
    struct sp_buf in, out;
    sp_buf_init(&in, SP_KIB(80));
    sp_buf_init(&out, SP_KIB(80));
    for (uint32_t over = 0; over < 2; over++) {
        uint8_t size[4] = {(uint8_t)(0xff + over), (uint8_t)(over ? 0 : 0xff),
                           (uint8_t)over};
        uint8_t *data = NULL;
        sp_buf_clear(&in);
        sp_buf_clear(&out);
        assert_ok(sp_buf_append(&in, sp_view(size, 4)));
        assert_ok(sp_buf_append(&in, sp_view(size, 4)));
        assert_ok(sp_buf_reserve(&in, SP_LIMIT_XPRESS_BLOCK + over, &data));
        memset(data, 'x', SP_LIMIT_XPRESS_BLOCK + over);
        in.len += SP_LIMIT_XPRESS_BLOCK + over;
        assert_err(sp_xpress_decode(sp_buf_view(&in), &out, NULL),
                   over ? SP_E_MALFORMED : SP_OK);
        assert_int_equal(out.len, over ? 0 : SP_LIMIT_XPRESS_BLOCK);
    }
    sp_buf_fini(&in);
    sp_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_vectors_of_the_specification),
        cmocka_unit_test(b_blocks_follow_each_other),
        cmocka_unit_test(b_every_form_of_a_length),
        cmocka_unit_test(f_frames),
        cmocka_unit_test(f_payloads),
        cmocka_unit_test(c_a_full_word_needs_a_word_for_the_end),
        cmocka_unit_test(b_encoder_meets_the_specification),
        cmocka_unit_test(c_round_trips),
        cmocka_unit_test(c_encoder_finds_matches),
        cmocka_unit_test(f_ceilings),
        cmocka_unit_test(f_bombs),
        cmocka_unit_test(c_largest_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
