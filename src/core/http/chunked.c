#include "core/http/http.h"

/* RFC 9112 7.1 without extensions and trailers. */
enum state {
    SIZE_START = 0, /* at the first digit of a size */
    SIZE,           /* behind at least one digit */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LAST_CR, /* behind the chunk of size 0 */
    LAST_LF,
    DONE,
    REFUSED, /* left says why */
};

static int hex_digit(uint8_t b)
{
    if (b >= '0' && b <= '9') {
        return b - '0';
    }
    uint8_t lower = b | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static enum sp_http_refusal not_a_digit(struct sp_http_chunked *c, uint8_t b)
{
    if (b == '\n') {
        return SP_HTTP_BARE_LF;
    }
    if (c->state == SIZE_START || (b != '\r' && b != ';' && b != ' ' && b != '\t')) {
        return SP_HTTP_CHUNK_SIZE;
    }
    if (b != '\r') {
        return SP_HTTP_CHUNK_EXTENSION;
    }
    c->state = SIZE_LF;
    return SP_HTTP_ACCEPTED;
}

static enum sp_http_refusal size_byte(struct sp_http_chunked *c, uint8_t b)
{
    int digit = hex_digit(b);
    if (digit < 0) {
        return not_a_digit(c, b);
    }
    if (c->line_bytes == SP_LIMIT_CHUNK_LINE - 2) {
        return SP_HTTP_CHUNK_LINE_LIMIT;
    }
    c->line_bytes++;
    c->left = c->left << 4 | (uint64_t)digit;
    c->state = SIZE;
    return c->left > SP_LIMIT_CONTENT_FILE ? SP_HTTP_CHUNK_LIMIT : SP_HTTP_ACCEPTED;
}

static enum sp_http_refusal expect(struct sp_http_chunked *c, uint8_t b, uint8_t wanted,
                                   enum state next, enum sp_http_refusal otherwise)
{
    if (b != wanted) {
        return otherwise;
    }
    c->state = (int)next;
    return SP_HTTP_ACCEPTED;
}

static bool takes_framing(const struct sp_http_chunked *c)
{
    return c->state != DATA && c->state != DONE && c->state != REFUSED;
}

static enum sp_http_refusal framing_byte(struct sp_http_chunked *c, uint8_t b)
{
    switch ((enum state)c->state) {
    case SIZE_START:
    case SIZE:
        return size_byte(c, b);
    case SIZE_LF:
        return expect(c, b, '\n', c->left ? DATA : LAST_CR, SP_HTTP_BARE_CR);
    case DATA_CR:
        return expect(c, b, '\r', DATA_LF, SP_HTTP_CHUNK_END);
    case DATA_LF:
        c->line_bytes = 0;
        return expect(c, b, '\n', SIZE_START, SP_HTTP_BARE_CR);
    case LAST_CR:
        return expect(c, b, '\r', LAST_LF, SP_HTTP_TRAILER);
    case LAST_LF:
        c->done = b == '\n';
        return expect(c, b, '\n', DONE, SP_HTTP_BARE_CR);
    case DATA:
    case DONE:
    case REFUSED:
        break;
    }
    SP_ASSERT(takes_framing(c));
    return SP_HTTP_CHUNK_SIZE;
}

static struct sp_view take_data(struct sp_http_chunked *c, struct sp_view in, size_t at)
{
    size_t n = in.len - at < c->left ? in.len - at : (size_t)c->left;
    c->left -= n;
    if (c->left == 0) {
        c->state = DATA_CR;
    }
    return sp_view_slice(in, at, at + n);
}

enum sp_err sp_http_chunked_feed(struct sp_http_chunked *c, struct sp_view in,
                                 size_t *used, struct sp_view *data,
                                 enum sp_http_refusal *refusal)
{
    size_t at = 0;
    while (at < in.len && takes_framing(c)) {
        enum sp_http_refusal r = framing_byte(c, in.data[at++]);
        if (r != SP_HTTP_ACCEPTED) {
            c->state = REFUSED;
            c->left = (uint64_t)r;
        }
    }
    if (c->state == REFUSED) {
        *refusal = (enum sp_http_refusal)c->left;
        return SP_E_PROTOCOL;
    }
    struct sp_view body = {0};
    if (c->state == DATA) {
        body = take_data(c, in, at);
    }
    *used = at + body.len;
    *data = body;
    return SP_OK;
}
