#include "app/shared/asked.h"

#include "app/shared/metrics.h"

_Static_assert((int)SP_ASKED_CONTENT == (int)SP_SERVICE_COUNT, "services come first");

const char *sp_asked_text(enum sp_asked a)
{
    static const char *const texts[SP_ASKED_KINDS] = {
#define SERVICE(name, text, path, ns, request_limit) text,
#include "core/wsus/services.def"
#undef SERVICE
        [SP_ASKED_CONTENT] = "content", [SP_ASKED_CATALOG] = "catalog",
        [SP_ASKED_CUSTODY] = "custody", [SP_ASKED_WITNESS] = "witness",
        [SP_ASKED_NONE] = "none"};
    return texts[a];
}

enum sp_asked sp_asked_of(enum sp_route_kind kind, enum sp_service service)
{
    switch (kind) {
    case SP_ROUTE_SERVICE:
        return (enum sp_asked)service;
    case SP_ROUTE_CONTENT:
        return SP_ASKED_CONTENT;
    case SP_ROUTE_CATALOG:
        return SP_ASKED_CATALOG;
    case SP_ROUTE_NONE:
        break;
    }
    return SP_ASKED_NONE;
}

const char *sp_class_text(unsigned klass)
{
    static const char *const texts[SP_CLASSES] = {"none", "2xx", "3xx", "4xx", "5xx"};
    return texts[klass];
}

void sp_asked_count(struct sp_asked_counts *c, enum sp_asked what, int status)
{
    unsigned hundreds = (unsigned)status / 100;
    unsigned klass = hundreds >= 2 && hundreds <= 5 ? hundreds - 1 : 0;
    SP_COUNT(c, rows[what][klass], 1);
}

uint64_t sp_asked_read(const struct sp_asked_counts *c, enum sp_asked what,
                       unsigned klass)
{
    return atomic_load_explicit(&c->rows[what][klass], memory_order_relaxed);
}
