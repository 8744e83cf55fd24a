#include "shapes.h"

#include "core/base/limits.h"
#include "core/pack/pack.h"

#include <zlib.h>

/* A member as gzip -9 writes it; window_bits 31, 15 (zlib) or -15 (raw). */
static void deflate_into(struct sp_view in, int window_bits, struct sp_buf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.data, .avail_in = (uInt)in.len};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, 0), Z_OK);
    size_t bound = deflateBound(&z, in.len);
    uint8_t *to = NULL;
    assert_ok(sp_buf_reserve(out, bound, &to));
    z.next_out = to;
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    deflateEnd(&z);
}

static void check_refused(struct sp_view in, enum sp_err expected, const char *sentence)
{
    struct sp_buf out;
    sp_buf_init(&out, SP_MIB(4));
    assert_ok(sp_buf_append_str(&out, "kept"));
    struct sp_why why = {""};
    enum sp_err e = sp_gzip_decode(in, &out, &why);
    if (e != expected || !strstr(why.text, sentence)) {
        fail_msg("%s: \"%s\"", sp_err_text(e), why.text);
    }
    assert_view_equal(sp_buf_view(&out), "kept");
    sp_buf_fini(&out);
}

static void c_round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 1000, 65535, 65536, 65537, 131072, 400000};
    uint8_t *data = malloc(400000);
    assert_non_null(data);
    struct sp_buf in, out;
    sp_buf_init(&in, SP_MIB(64));
    sp_buf_init(&out, SP_MIB(1));
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            sp_buf_clear(&in);
            sp_buf_clear(&out);
            shape_fill((enum shape)shape, data, sizes[i]);
            deflate_into(sp_view(data, sizes[i]), 31, &in);
            assert_ok(sp_gzip_decode(sp_buf_view(&in), &out, NULL));
            assert_true(sp_view_eq(sp_buf_view(&out), sp_view(data, sizes[i])));
        }
    }
    sp_buf_fini(&in);
    sp_buf_fini(&out);
    free(data);
}

/* Behind what is there, with a name and a comment in the header (RFC 1952 2.3). */
static void b_header_fields(void **state)
{
    (void)state;
    struct sp_buf in, out;
    sp_buf_init(&in, SP_KIB(1));
    sp_buf_init(&out, SP_KIB(1));
    assert_ok(sp_buf_append_str(&out, "a "));
    deflate_into(SP_VIEW("b"), 31, &in);
    uint8_t with_name[64];
    memcpy(with_name, in.data, 10);
    with_name[3] = 0x18;
    memcpy(with_name + 10, "n\0c\0", 4);
    memcpy(with_name + 14, in.data + 10, in.len - 10);
    assert_ok(sp_gzip_decode(sp_view(with_name, in.len + 4), &out, NULL));
    assert_view_equal(sp_buf_view(&out), "a b");
    with_name[3] = 0x38; /* a reserved flag */
    check_refused(sp_view(with_name, in.len + 4), SP_E_MALFORMED, "gzip: unknown");
    sp_buf_fini(&in);
    sp_buf_fini(&out);
}

static void f_malformed(void **state)
{
    (void)state;
    struct sp_buf in;
    sp_buf_init(&in, SP_MIB(64));
    deflate_into(SP_VIEW("hello, hello, hello"), 31, &in);
    for (size_t n = 0; n < in.len; n++) {
        check_refused(sp_view(in.data, n), SP_E_TRUNCATED,
                      "gzip: the data end too early");
    }
    in.data[in.len - 1] ^= 1;
    check_refused(sp_buf_view(&in), SP_E_MALFORMED, "gzip: incorrect length check");
    in.data[in.len - 1] ^= 1;
    in.data[in.len - 5] ^= 1;
    check_refused(sp_buf_view(&in), SP_E_MALFORMED, "gzip: incorrect data check");
    in.data[in.len - 5] ^= 1;
    assert_ok(sp_buf_append_byte(&in, 0));
    check_refused(sp_buf_view(&in), SP_E_MALFORMED, "gzip: 1 bytes follow");
    in.len--;
    deflate_into(SP_VIEW("a second member"), 31, &in);
    check_refused(sp_buf_view(&in), SP_E_MALFORMED, "follow the member");
    sp_buf_clear(&in);
    deflate_into(SP_VIEW("hello"), 15, &in);
    check_refused(sp_buf_view(&in), SP_E_MALFORMED, "gzip: incorrect header check");
    sp_buf_clear(&in);
    deflate_into(SP_VIEW("hello"), -15, &in);
    check_refused(sp_buf_view(&in), SP_E_MALFORMED, "gzip:");
    check_refused(SP_VIEW("\x1f\x8b\x07\0\0\0\0\0\0\0"), SP_E_MALFORMED, "method");
    check_refused(SP_VIEW("\x1f\x8b\x08\0\0\0\0\0\0\3\7"), SP_E_MALFORMED,
                  "block type");
    check_refused((struct sp_view){in.data, (size_t)1 << 32}, SP_E_LIMIT, "too many");
    sp_buf_fini(&in);
}

static void f_ceilings(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 300, 65535, 65536, 65537, 200000};
    uint8_t *data = calloc(1, 200000);
    assert_non_null(data);
    struct sp_buf in, out;
    sp_buf_init(&in, SP_MIB(64));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        sp_buf_clear(&in);
        deflate_into(sp_view(data, sizes[i]), 31, &in);
        sp_buf_init(&out, sizes[i]);
        assert_ok(sp_gzip_decode(sp_buf_view(&in), &out, NULL));
        assert_int_equal(out.len, sizes[i]);
        struct sp_why why = {""};
        out.len = 1; /* one byte less is free */
        assert_err(sp_gzip_decode(sp_buf_view(&in), &out, &why), SP_E_LIMIT);
        assert_string_equal(why.text, "gzip: more comes out than the limit allows");
        assert_int_equal(out.len, 1);
        sp_buf_fini(&out);
    }
    sp_buf_fini(&in);
    free(data);
}

static void f_bombs(void **state)
{
    (void)state;
    struct sp_buf in, out;
    sp_buf_init(&in, SP_MIB(64));
    sp_buf_init(&out, SP_MIB(64));
    uint8_t *zeros = calloc(1, SP_MIB(32));
    assert_non_null(zeros);
    for (size_t over = 0; over < 2; over++) {
        sp_buf_clear(&in);
        sp_buf_clear(&out);
        deflate_into(sp_view(zeros, SP_LIMIT_RATIO_AFTER + over), 31, &in);
        assert_true(in.len * SP_LIMIT_RATIO < SP_LIMIT_RATIO_AFTER);
        assert_err(sp_gzip_decode(sp_buf_view(&in), &out, NULL),
                   over ? SP_E_LIMIT : SP_OK);
    }
    sp_buf_clear(&in);
    deflate_into(sp_view(zeros, SP_MIB(32)), 31, &in);
    assert_true(in.len * SP_LIMIT_RATIO > SP_LIMIT_RATIO_AFTER);
    assert_err(sp_gzip_decode(sp_buf_view(&in), &out, NULL), SP_E_LIMIT);
    assert_true(out.cap < in.len * SP_LIMIT_RATIO * 2);
    sp_buf_fini(&in);
    sp_buf_fini(&out);
    free(zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_round_trips), cmocka_unit_test(b_header_fields),
        cmocka_unit_test(f_malformed),   cmocka_unit_test(f_ceilings),
        cmocka_unit_test(f_bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
