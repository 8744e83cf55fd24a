#include "core/base/text.h"
#include "core/http/http.h"

#include <string.h>

/* RFC 9110 5.6.7: IMF-fixdate. */
static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* from 1970-01-01 on */
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int64_t days_of(int64_t unix_s)
{
    return unix_s / 86400 - (unix_s % 86400 < 0);
}

static const char *weekday_of(int64_t days)
{
    return weekdays + (days % 7 + 7) % 7 * 3;
}

static void put_digits(char *at, size_t n, unsigned x)
{
    while (n > 0) {
        at[--n] = (char)('0' + x % 10);
        x /= 10;
    }
}

void sp_http_date_format(int64_t unix_s, char out[SP_HTTP_DATE_TEXT])
{
    int64_t days = days_of(unix_s);
    unsigned s = (unsigned)(unix_s - days * 86400);
    int64_t year;
    unsigned month, day;
    sp_civil_from_days(days, &year, &month, &day);
    SP_ASSERT(year >= 0 && year <= 9999);
    memcpy(out, "___, __ ___ ____ __:__:__ GMT", SP_HTTP_DATE_TEXT);
    memcpy(out, weekday_of(days), 3);
    put_digits(out + 5, 2, day);
    memcpy(out + 8, months + (size_t)(month - 1) * 3, 3);
    put_digits(out + 12, 4, (unsigned)year);
    put_digits(out + 17, 2, s / 3600);
    put_digits(out + 20, 2, s / 60 % 60);
    put_digits(out + 23, 2, s % 60);
}

/* Digits at an offset; sets *good to false where one is none. */
static unsigned digits(struct sp_view v, size_t at, size_t n, bool *good)
{
    unsigned x = 0;
    for (size_t i = at; i < at + n; i++) {
        unsigned d = (unsigned)v.data[i] - '0';
        *good = *good && d <= 9;
        x = x * 10 + d;
    }
    return x;
}

/* 1 to 12, or 0. */
static unsigned month_at(const uint8_t *name)
{
    for (unsigned m = 0; m < 12; m++) {
        if (memcmp(name, months + (size_t)m * 3, 3) == 0) {
            return m + 1;
        }
    }
    return 0;
}

static bool has_shape(struct sp_view text)
{
    static const char shape[] = "___, __ ___ ____ __:__:__ GMT";
    if (text.len != sizeof shape - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (shape[i] != '_' && text.data[i] != (uint8_t)shape[i]) {
            return false;
        }
    }
    return true;
}

/* False for a day that the calendar does not have. */
static bool to_days(unsigned year, unsigned month, unsigned day, int64_t *out)
{
    int64_t back_year;
    unsigned back_month, back_day;
    if (month == 0 || day == 0 || day > 31) {
        return false;
    }
    /* a day too many comes back as one of the next month */
    *out = sp_days_from_civil(year, month, day);
    sp_civil_from_days(*out, &back_year, &back_month, &back_day);
    return back_day == day;
}

enum sp_err sp_http_date_parse(struct sp_view text, int64_t *out)
{
    if (!has_shape(text)) {
        return SP_E_MALFORMED;
    }
    bool good = true;
    int64_t days = 0;
    unsigned day = digits(text, 5, 2, &good);
    unsigned year = digits(text, 12, 4, &good);
    unsigned hour = digits(text, 17, 2, &good);
    unsigned minute = digits(text, 20, 2, &good);
    unsigned second = digits(text, 23, 2, &good);
    if (!good || hour > 23 || minute > 59 || second > 59 ||
        !to_days(year, month_at(text.data + 8), day, &days) ||
        memcmp(text.data, weekday_of(days), 3) != 0) {
        return SP_E_MALFORMED;
    }
    *out = days * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + (int64_t)second;
    return SP_OK;
}
