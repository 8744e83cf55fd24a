#include "core/base/base64_blocks.h"
#include "core/base/text.h"

#include <string.h>

/* A digit's value and this, so that 0 stands for what is no digit. */
#define DIGIT 0x40

#define FOUR(first, value)                                                             \
    [first] = DIGIT | (value), [(first) + 1] = DIGIT | ((value) + 1),                  \
    [(first) + 2] = DIGIT | ((value) + 2), [(first) + 3] = DIGIT | ((value) + 3)
#define TWENTY_SIX(first, value)                                                       \
    FOUR(first, value), FOUR((first) + 4, (value) + 4),                                \
        FOUR((first) + 8, (value) + 8), FOUR((first) + 12, (value) + 12),              \
        FOUR((first) + 16, (value) + 16), FOUR((first) + 20, (value) + 20),            \
        [(first) + 24] = DIGIT | ((value) + 24),                                       \
                   [(first) + 25] = DIGIT | ((value) + 25)
static const uint8_t digits[256] = {
    TWENTY_SIX('A', 0), TWENTY_SIX('a', 26), FOUR('0', 52),      FOUR('4', 56),
    ['8'] = DIGIT | 60, ['9'] = DIGIT | 61,  ['+'] = DIGIT | 62, ['/'] = DIGIT | 63,
};

/* Three bytes of four digits; false where one is none. */
static bool decode_group(const uint8_t in[4], uint8_t out[3])
{
    uint32_t a = digits[in[0]], b = digits[in[1]];
    uint32_t c = digits[in[2]], d = digits[in[3]];
    uint32_t v = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
    out[0] = (uint8_t)(v >> 16);
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)v;
    return a & b & c & d & DIGIT;
}

/* The number of bytes that the last four characters stand for, or 0 where they break
 * the rules. */
static size_t decode_last(const uint8_t in[4], uint8_t out[3])
{
    size_t pads = in[3] != '=' ? 0 : in[2] != '=' ? 1 : 2;
    uint8_t padded[4] = {in[0], in[1], pads > 1 ? 'A' : in[2], pads ? 'A' : in[3]};
    bool is_good = decode_group(padded, out);
    bool pad_bits_zero = (pads < 1 || out[2] == 0) && (pads < 2 || out[1] == 0);
    return is_good && pad_bits_zero ? 3 - pads : 0;
}

/* All but the last group, len bytes of text. */
static bool decode_groups(const uint8_t *text, size_t len, uint8_t *out)
{
    bool is_good = true;
    size_t i = sp_base64_blocks(text, len, out);
    for (out += i / 4 * 3; i < len; i += 4, out += 3) {
        is_good &= decode_group(text + i, out);
    }
    return is_good;
}

/* The bytes that come out, or 0 where it breaks the rules; text is not empty. */
static size_t decode(struct sp_view text, uint8_t *out)
{
    uint8_t last[3];
    size_t before = text.len - 4, n = decode_last(text.data + before, last);
    if (n == 0 || !decode_groups(text.data, before, out)) {
        return 0;
    }
    memcpy(out + before / 4 * 3, last, n);
    return before / 4 * 3 + n;
}

enum sp_err sp_base64_parse(struct sp_view text, struct sp_buf *out)
{
    uint8_t *to = NULL;
    if (text.len % 4 != 0) {
        return SP_E_MALFORMED;
    }
    if (text.len == 0) {
        return SP_OK;
    }
    size_t pads = text.data[text.len - 1] != '='   ? 0
                  : text.data[text.len - 2] != '=' ? 1
                                                   : 2;
    SP_TRY(sp_buf_reserve(out, text.len / 4 * 3 - pads, &to));
    size_t n = decode(text, to);
    out->len += n;
    return n ? SP_OK : SP_E_MALFORMED;
}

enum sp_err sp_base64_parse_exact(struct sp_view text, uint8_t *out, size_t out_len)
{
    SP_ASSERT(out_len <= 64);
    uint8_t bytes[66];
    if (text.len != (out_len + 2) / 3 * 4) {
        return SP_E_MISMATCH;
    }
    size_t n = text.len ? decode(text, bytes) : 0;
    if (text.len && n == 0) {
        return SP_E_MALFORMED;
    }
    if (n != out_len) {
        return SP_E_MISMATCH;
    }
    memcpy(out, bytes, out_len);
    return SP_OK;
}

enum sp_err sp_base64_append(struct sp_buf *b, struct sp_view bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *to = NULL;
    size_t n = (bytes.len + 2) / 3 * 4;
    SP_TRY(sp_buf_reserve(b, n, &to));
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t v = (uint32_t)bytes.data[i] << 16 |
                     (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                     (left > 2 ? (uint32_t)bytes.data[i + 2] : 0);
        *to++ = (uint8_t)letters[v >> 18];
        *to++ = (uint8_t)letters[v >> 12 & 63];
        *to++ = left > 1 ? (uint8_t)letters[v >> 6 & 63] : '=';
        *to++ = left > 2 ? (uint8_t)letters[v & 63] : '=';
    }
    b->len += n;
    return SP_OK;
}
