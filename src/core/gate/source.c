#include "core/gate/source.h"

#include "core/base/text.h"

#include <string.h>

static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-';
}

/* Labels of letters, digits and "-" with dots between them. */
static bool is_name(struct sp_view v)
{
    bool good = v.len > 0 && v.len < 254 && v.data[0] != '.';
    for (size_t i = 0; good && i < v.len; i++) {
        bool is_last = i + 1 == v.len;
        good = is_word_byte(v.data[i]) ||
               (v.data[i] == '.' && !is_last && v.data[i + 1] != '.');
    }
    return good;
}

/* name and, where there is one, ":" and a port as it is usually written. */
static bool is_authority(struct sp_view v)
{
    size_t colon = sp_view_find(v, ':');
    struct sp_view port = sp_view_slice(v, colon, v.len);
    uint64_t number = 0;
    if (!is_name(sp_view_slice(v, 0, colon))) {
        return false;
    }
    return port.len == 0 ||
           (port.len > 1 && port.data[1] != '0' &&
            sp_u64_parse(sp_view_slice(port, 1, port.len), 65535, &number) == SP_OK);
}

bool sp_source_is_pattern(struct sp_view text)
{
    if (!sp_view_starts(text, SP_VIEW("*."))) {
        return is_authority(text);
    }
    struct sp_view rest = sp_view_slice(text, 2, text.len);
    return is_authority(rest) && sp_view_find(rest, '.') < rest.len;
}

static bool matches(struct sp_view authority, struct sp_view pattern)
{
    if (!sp_view_starts(pattern, SP_VIEW("*."))) {
        return sp_view_eq_fold(authority, pattern);
    }
    struct sp_view tail = sp_view_slice(pattern, 1, pattern.len);
    return authority.len > tail.len &&
           sp_view_eq_fold(
               sp_view_slice(authority, authority.len - tail.len, authority.len), tail);
}

static bool is_listed(struct sp_view authority, const struct sp_source_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (matches(authority, sp_view_str(hosts->at[i]))) {
            return true;
        }
    }
    return false;
}

/* Bytes that every server reads in one way, and no part that begins with a dot. */
static bool is_plain_path(struct sp_view v)
{
    bool good = v.len > 0 && v.data[0] == '/';
    for (size_t i = 0; good && i < v.len; i++) {
        bool begins = i > 0 && v.data[i - 1] == '/';
        good = is_word_byte(v.data[i]) || (v.data[i] == '/' && !begins) ||
               (v.data[i] == '.' && !begins) || v.data[i] == '_' || v.data[i] == '~';
    }
    return good;
}

static struct sp_view behind_scheme(struct sp_view url)
{
    size_t lead = sp_view_starts(url, SP_VIEW("https://"))  ? 8
                  : sp_view_starts(url, SP_VIEW("http://")) ? 7
                                                            : url.len;
    return sp_view_slice(url, lead, url.len);
}

static void copy(struct sp_view from, char *out)
{
    memcpy(out, from.data, from.len);
    out[from.len] = 0;
}

static void copy_lower(struct sp_view from, char *out)
{
    copy(from, out);
    for (; *out; out++) {
        *out = (char)(*out >= 'A' && *out <= 'Z' ? *out + ('a' - 'A') : *out);
    }
}

enum sp_err sp_source_read(struct sp_view url, const uint8_t sha1[20],
                           const struct sp_source_hosts *hosts, struct sp_source *out)
{
    if (url.len >= SP_FILE_URL || !sp_url_names_digest(url, sha1)) {
        return SP_E_MALFORMED;
    }
    struct sp_view rest = behind_scheme(url);
    size_t slash = sp_view_find(rest, '/');
    struct sp_view authority = sp_view_slice(rest, 0, slash);
    struct sp_view path = sp_view_slice(rest, slash, rest.len);
    if (!is_authority(authority) || !is_plain_path(path)) {
        return SP_E_MALFORMED;
    }
    if (!is_listed(authority, hosts)) {
        return SP_E_DENIED;
    }
    copy_lower(authority, out->host);
    copy(path, out->path);
    return SP_OK;
}
