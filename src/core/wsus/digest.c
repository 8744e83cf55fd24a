#include "core/wsus/digest.h"

#include <string.h>

#define BLANKS " \t\r\n"

/* FIPS 180-4, and MD5 of old documents; 0 for an algorithm not known. */
size_t sp_digest_size(struct sp_view algorithm)
{
    static const struct {
        const char *name;
        size_t size;
    } known[] = {
        {"SHA1", 20}, {"SHA256", 32}, {"SHA384", 48}, {"SHA512", 64}, {"MD5", 16}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (sp_view_eq_str(algorithm, known[i].name)) {
            return known[i].size;
        }
    }
    return 0;
}

bool sp_digest_read(struct sp_view text, uint8_t *out, size_t size)
{
    return size > 0 &&
           sp_base64_parse_exact(sp_view_trim(text, BLANKS), out, size) == SP_OK;
}

void sp_extension_read(struct sp_view name, char ext[9])
{
    size_t dot = name.len;
    while (dot > 0 && name.data[dot - 1] != '.') {
        dot--;
    }
    size_t n = dot ? name.len - dot : 0;
    if (n < 1 || n > 8) {
        return;
    }
    char lower[9] = {0};
    for (size_t i = 0; i < n; i++) {
        uint8_t c = name.data[dot + i];
        uint8_t small = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
        if ((small < 'a' || small > 'z') && (small < '0' || small > '9')) {
            return;
        }
        lower[i] = (char)small;
    }
    memcpy(ext, lower, sizeof lower);
}
