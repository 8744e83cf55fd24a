#include "core/http/http.h"

static struct sp_view without_dot(struct sp_view name)
{
    bool has_dot = name.len > 1 && name.data[name.len - 1] == '.';
    return sp_view_slice(name, 0, name.len - has_dot);
}

bool sp_http_host_is(struct sp_view host, const char *name)
{
    bool is_v6 = host.len && host.data[0] == '[';
    struct sp_view own = sp_view_str(name);
    struct sp_view told = is_v6 ? sp_view_slice(host, 1, sp_view_find(host, ']'))
                                : sp_view_slice(host, 0, sp_view_find(host, ':'));
    return told.len && sp_view_eq_fold(without_dot(told), without_dot(own));
}
