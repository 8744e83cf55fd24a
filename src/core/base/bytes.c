#include "sallyport/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sp_view sp_view(const void *data, size_t len)
{
    SP_ASSERT(data || len == 0);
    return (struct sp_view){data, len};
}

struct sp_view sp_view_str(const char *s)
{
    return (struct sp_view){(const uint8_t *)s, s ? strlen(s) : 0};
}

struct sp_view sp_view_slice(struct sp_view v, size_t start, size_t end)
{
    if (end > v.len) {
        end = v.len;
    }
    if (start > end) {
        start = end;
    }
    return (struct sp_view){v.data ? v.data + start : NULL, end - start};
}

bool sp_view_eq(struct sp_view a, struct sp_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool sp_view_eq_str(struct sp_view a, const char *b)
{
    return sp_view_eq(a, sp_view_str(b));
}

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool sp_view_eq_fold(struct sp_view a, struct sp_view b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.data[i]) != fold(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool sp_view_starts(struct sp_view v, struct sp_view prefix)
{
    return v.len >= prefix.len && sp_view_eq(sp_view_slice(v, 0, prefix.len), prefix);
}

bool sp_view_ends(struct sp_view v, struct sp_view suffix)
{
    return v.len >= suffix.len &&
           sp_view_eq(sp_view_slice(v, v.len - suffix.len, v.len), suffix);
}

size_t sp_view_find(struct sp_view v, uint8_t c)
{
    const uint8_t *at = v.len ? memchr(v.data, c, v.len) : NULL;
    return at ? (size_t)(at - v.data) : v.len;
}

struct sp_view sp_view_trim(struct sp_view v, const char *set)
{
    while (v.len && v.data[0] && strchr(set, v.data[0])) {
        v.data++;
        v.len--;
    }
    while (v.len && v.data[v.len - 1] && strchr(set, v.data[v.len - 1])) {
        v.len--;
    }
    return v;
}

int sp_view_cmp(struct sp_view a, struct sp_view b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.data, b.data, n) : 0;
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

void sp_buf_init(struct sp_buf *b, size_t ceiling)
{
    SP_ASSERT(ceiling > 0);
    *b = (struct sp_buf){.ceiling = ceiling};
}

void sp_buf_fini(struct sp_buf *b)
{
    free(b->data);
    *b = (struct sp_buf){.ceiling = b->ceiling};
}

static size_t grown(const struct sp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need) {
        cap = cap > b->ceiling / 2 ? b->ceiling : cap * 2;
    }
    return cap < b->ceiling ? cap : b->ceiling;
}

enum sp_err sp_buf_reserve(struct sp_buf *b, size_t n, uint8_t **out)
{
    SP_ASSERT(b->ceiling > 0);
    if (n > b->ceiling - b->len) {
        return SP_E_LIMIT;
    }
    if (b->cap - b->len < n) {
        size_t cap = grown(b, b->len + n);
        uint8_t *data = realloc(b->data, cap);
        if (!data) {
            return SP_E_NOMEM;
        }
        b->data = data;
        b->cap = cap;
    }
    *out = b->data ? b->data + b->len : NULL;
    return SP_OK;
}

enum sp_err sp_buf_append(struct sp_buf *b, struct sp_view v)
{
    uint8_t *to = NULL;
    SP_TRY(sp_buf_reserve(b, v.len, &to));
    if (v.len) {
        memcpy(to, v.data, v.len);
    }
    b->len += v.len;
    return SP_OK;
}

enum sp_err sp_buf_append_str(struct sp_buf *b, const char *s)
{
    return sp_buf_append(b, sp_view_str(s));
}

enum sp_err sp_buf_append_byte(struct sp_buf *b, uint8_t c)
{
    return sp_buf_append(b, (struct sp_view){&c, 1});
}

enum sp_err sp_buf_printf(struct sp_buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    SP_ASSERT(n >= 0);
    uint8_t *to = NULL;
    /* vsnprintf wants room for a NUL, which is not counted in len */
    enum sp_err e = sp_buf_reserve(b, (size_t)n + 1, &to);
    if (e == SP_OK) {
        vsnprintf((char *)to, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return e;
}

void sp_buf_consume(struct sp_buf *b, size_t n)
{
    SP_ASSERT(n <= b->len);
    b->len -= n;
    if (b->len && n) {
        memmove(b->data, b->data + n, b->len);
    }
}

void sp_buf_clear(struct sp_buf *b)
{
    b->len = 0;
}

void sp_buf_take(struct sp_buf *from, struct sp_buf *to)
{
    *to = *from;
    *from = (struct sp_buf){.ceiling = to->ceiling};
}

struct sp_view sp_buf_view(const struct sp_buf *b)
{
    return (struct sp_view){b->data, b->len};
}

bool sp_bytes_eq_secret(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t differ = 0;
    for (size_t i = 0; i < n; i++) {
        differ |= (uint8_t)(x[i] ^ y[i]);
    }
    return differ == 0;
}

void sp_bytes_wipe(void *p, size_t n)
{
    volatile uint8_t *x = p;
    while (n--) {
        *x++ = 0;
    }
}
