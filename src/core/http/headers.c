#include "core/http/http.h"

size_t sp_http_header_count(const struct sp_http_headers *h, const char *name)
{
    struct sp_view wanted = sp_view_str(name);
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++) {
        n += sp_view_eq_fold(h->at[i].name, wanted);
    }
    return n;
}

bool sp_http_header(const struct sp_http_headers *h, const char *name,
                    struct sp_view *out)
{
    struct sp_view wanted = sp_view_str(name);
    const struct sp_http_header *found = NULL;
    for (size_t i = 0; i < h->count; i++) {
        if (sp_view_eq_fold(h->at[i].name, wanted)) {
            if (found) {
                return false;
            }
            found = &h->at[i];
        }
    }
    if (found) {
        *out = found->value;
    }
    return found != NULL;
}

bool sp_http_list_has(struct sp_view list, const char *token)
{
    struct sp_view wanted = sp_view_str(token);
    for (size_t at = 0; at < list.len;) {
        struct sp_view rest = sp_view_slice(list, at, list.len);
        struct sp_view item = sp_view_slice(rest, 0, sp_view_find(rest, ','));
        at += item.len + 1;
        item = sp_view_slice(item, 0, sp_view_find(item, ';'));
        if (sp_view_eq_fold(sp_view_trim(item, " \t"), wanted)) {
            return true;
        }
    }
    return false;
}
