#include "core/wsus/names.h"
#include "core/wsus/wsus.h"

#include <stdio.h>

static const struct {
    const char *name, *path, *ns;
    size_t request_limit;
} services[SP_SERVICE_COUNT] = {
#define SERVICE(name, text, path, ns, request_limit) {text, path, ns, request_limit},
#include "core/wsus/services.def"
#undef SERVICE
};

const char *sp_service_path(enum sp_service s)
{
    SP_ASSERT(s < SP_SERVICE_COUNT);
    return services[s].path;
}

const char *sp_service_name(enum sp_service s)
{
    SP_ASSERT(s < SP_SERVICE_COUNT);
    return services[s].name;
}

const char *sp_service_ns(enum sp_service s)
{
    SP_ASSERT(s < SP_SERVICE_COUNT);
    return services[s].ns;
}

size_t sp_service_request_limit(enum sp_service s)
{
    SP_ASSERT(s < SP_SERVICE_COUNT);
    return services[s].request_limit;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool read_extension(struct sp_view text, char out[9])
{
    if (text.len < 1 || text.len > 8) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_letter_or_digit(text.data[i])) {
            return false;
        }
        out[i] = (char)lower(text.data[i]);
    }
    out[text.len] = '\0';
    return true;
}

/* /Content/XX/SHA1.ext, XX being the last byte of the digest. [MS-WSUSSS] 2.1 */
static bool read_content(struct sp_view target, struct sp_content_path *out)
{
    enum { FOLDER = 9, SLASH = 11, DIGEST = 12, DOT = 52 };
    struct sp_content_path p = {0};
    uint8_t folder = 0;
    if (target.len <= DOT || target.data[SLASH] != '/' || target.data[DOT] != '.' ||
        !sp_view_eq_fold(sp_view_slice(target, 0, FOLDER), SP_VIEW("/Content/")) ||
        sp_hex_parse(sp_view_slice(target, FOLDER, SLASH), &folder, 1) != SP_OK ||
        sp_hex_parse(sp_view_slice(target, DIGEST, DOT), p.sha1, 20) != SP_OK ||
        folder != p.sha1[19] ||
        !read_extension(sp_view_slice(target, DOT + 1, target.len), p.ext)) {
        return false;
    }
    *out = p;
    return true;
}

struct sp_route sp_route(struct sp_view target)
{
    struct sp_route r = {.kind = SP_ROUTE_NONE};
    if (sp_view_starts(target, SP_VIEW("//"))) {
        target = sp_view_slice(target, 1, target.len);
    }
    if (read_content(target,
                     &r.content)) { /* most requests; no service has such a path */
        r.kind = SP_ROUTE_CONTENT;
        return r;
    }
    for (int s = 0; s < SP_SERVICE_COUNT; s++) {
        if (sp_view_eq_fold(target, sp_view_str(services[s].path))) {
            r.kind = SP_ROUTE_SERVICE;
            r.service = (enum sp_service)s;
            return r;
        }
    }
    return r;
}

void sp_content_path_format(const struct sp_content_path *p,
                            char out[SP_CONTENT_PATH_MAX])
{
    char hex[41];
    for (size_t i = 0; i < 20; i++) {
        snprintf(hex + 2 * i, 3, "%02X", p->sha1[i]);
    }
    snprintf(out, SP_CONTENT_PATH_MAX, "/Content/%02X/%s.%s", p->sha1[19], hex, p->ext);
}
