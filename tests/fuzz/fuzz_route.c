/* A target either is no route, or its canonical path leads to the same route. */
#include "core/wsus/wsus.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_route r = sp_route(sp_view(data, size));
    struct sp_route again = {.kind = SP_ROUTE_NONE};
    char path[SP_CONTENT_PATH_MAX];
    enum sp_op op;
    switch (r.kind) {
    case SP_ROUTE_CATALOG:
        __builtin_trap(); /* its address is no business of the table */
    case SP_ROUTE_NONE:
        return 0;
    case SP_ROUTE_SERVICE:
        again = sp_route(sp_view_str(sp_service_path(r.service)));
        SP_ASSERT(again.kind == r.kind && again.service == r.service);
        SP_ASSERT(!sp_op_find(r.service, sp_view(data, size), &op));
        return 0;
    case SP_ROUTE_CONTENT:
        sp_content_path_format(&r.content, path);
        again = sp_route(sp_view_str(path));
        SP_ASSERT(again.kind == r.kind);
        SP_ASSERT(memcmp(&again.content, &r.content, sizeof r.content) == 0);
        return 0;
    }
    return 0;
}
