/* Texts: hex, base64, UTF-16, UTF-8, numbers, GUIDs, times. Strict in, canonical out.
 *
 * Every parser here takes the whole view or fails: no leading or trailing blanks, no
 * sign where none is named, no second spelling of the same value, except where the
 * function says so. Writers append to a bounded buffer. */
#ifndef SP_CORE_BASE_TEXT_H
#define SP_CORE_BASE_TEXT_H

#include "sallyport/bytes.h"

/* Hex, two digits a byte. Parsing accepts both cases; out must hold text.len / 2 bytes.
 */
enum sp_err sp_hex_parse(struct sp_view text, uint8_t *out, size_t out_len) SP_MUST_USE;
enum sp_err sp_hex_append(struct sp_buf *b, struct sp_view bytes) SP_MUST_USE;
enum sp_err sp_hex_append_upper(struct sp_buf *b, struct sp_view bytes) SP_MUST_USE;

/* RFC 4648 section 4, padded, with zero pad bits: one spelling a value. */
enum sp_err sp_base64_parse(struct sp_view text, struct sp_buf *out) SP_MUST_USE;
/* The same into a fixed place: SP_E_MISMATCH unless exactly out_len bytes come out. */
enum sp_err sp_base64_parse_exact(struct sp_view text, uint8_t *out,
                                  size_t out_len) SP_MUST_USE;
enum sp_err sp_base64_append(struct sp_buf *b, struct sp_view bytes) SP_MUST_USE;

/* True when v is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool sp_utf8_is_valid(struct sp_view v);
/* UTF-16LE to UTF-8. One BOM in front is dropped. Errors: SP_E_MALFORMED for an odd
 * length or a lone surrogate, SP_E_LIMIT. */
enum sp_err sp_utf16le_to_utf8(struct sp_view v, struct sp_buf *out) SP_MUST_USE;

/* Decimal digits only, no leading zero, at most max. */
enum sp_err sp_u64_parse(struct sp_view text, uint64_t max, uint64_t *out) SP_MUST_USE;
/* Decimal with an optional '-', no leading zero, no "-0", within min..max. */
enum sp_err sp_i64_parse(struct sp_view text, int64_t min, int64_t max,
                         int64_t *out) SP_MUST_USE;

/* Decimal digits. The same bytes as "%" PRIu64, without the price of printf. */
enum sp_err sp_u64_append(struct sp_buf *b, uint64_t x) SP_MUST_USE;

/* xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, either case, no braces. Kept as its 16 bytes in
 * the order of the text. */
struct sp_guid {
    uint8_t bytes[16];
};
#define SP_GUID_TEXT 37 /* bytes with the NUL */
enum sp_err sp_guid_parse(struct sp_view text, struct sp_guid *out) SP_MUST_USE;
void sp_guid_format(const struct sp_guid *g, char out[SP_GUID_TEXT]); /* lower case */
bool sp_guid_eq(const struct sp_guid *a, const struct sp_guid *b);

/* Seconds since 1970 in UTC, as 2026-01-02T03:04:05Z. */
#define SP_TIME_TEXT 21 /* bytes with the NUL */
void sp_time_format(int64_t unix_s, char out[SP_TIME_TEXT]);
enum sp_err sp_time_parse(struct sp_view text, int64_t *out) SP_MUST_USE;
/* Proleptic Gregorian day number: days since 1970-01-01. */
int64_t sp_days_from_civil(int64_t year, unsigned month, unsigned day);
/* Its inverse. */
void sp_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/* The row of names (count entries) nearest to word by edit distance, or NULL when none
 * is near enough to be meant. */
const char *sp_text_nearest(const char *word, const char *const *names, size_t count);

#endif
