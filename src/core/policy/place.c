#include "core/policy/place.h"

#include "core/base/text.h"
#include "core/policy/rules.h"

#include <string.h>

/* As core/wsus names them; a test holds the two against each other. Behind those, what
 * others than Windows ask for. */
static const char *const services[] = {"server-sync", "dss-auth",  "client",
                                       "simple-auth", "reporting", "content",
                                       "catalog",     "custody",   "witness"};
enum { SERVICES = sizeof services / sizeof services[0] };

const char *sp_place_service(struct sp_view word)
{
    for (size_t i = 0; i < SERVICES; i++) {
        if (sp_view_eq_str(word, services[i])) {
            return services[i];
        }
    }
    return NULL;
}

enum sp_err sp_place_read(struct sp_view word, struct sp_place *out, struct sp_why *why)
{
    size_t at = sp_view_find(word, '@');
    struct sp_view service = sp_view_slice(word, 0, at);
    struct sp_view listener = sp_view_slice(word, at + 1, word.len);
    struct sp_place p = {.service = sp_place_service(service)};
    if (service.len && !p.service) {
        return sp_why_set(why, SP_E_CONFIG,
                          "there is no service \"" SP_VIEW_FMT
                          "\"; they are server-sync, dss-auth, client, simple-auth, "
                          "reporting, content, catalog, custody and witness",
                          SP_VIEW_ARG(sp_view_slice(service, 0, 32)));
    }
    if ((at < word.len || !service.len) && !listener.len) {
        return sp_why_set(why, SP_E_CONFIG,
                          "a place is SERVICE, @LISTENER or SERVICE@LISTENER");
    }
    if (listener.len > SP_LISTENER_NAME) {
        return sp_why_set(why, SP_E_CONFIG,
                          "a listener's name here has at most %d bytes",
                          SP_LISTENER_NAME);
    }
    if (listener.len) {
        memcpy(p.listener, listener.data, listener.len);
    }
    *out = p;
    return SP_OK;
}

enum sp_err sp_place_print(const struct sp_place *p, struct sp_buf *out)
{
    return sp_buf_printf(out, "%s%s%s", p->service ? p->service : "",
                         p->listener[0] ? "@" : "", p->listener);
}

bool sp_place_eq(const struct sp_place *a, const struct sp_place *b)
{
    return a->service == b->service && strcmp(a->listener, b->listener) == 0;
}

static bool is_text(const struct sp_facts *f, enum sp_fact k, const char *text)
{
    struct sp_fact_value v;
    return sp_rule_one(f, k, &v) && sp_view_eq_str(v.bytes, text);
}

bool sp_place_fits(const struct sp_place *p, const struct sp_facts *f)
{
    return (!p->service || is_text(f, SP_FACT_SERVICE, p->service)) &&
           (!p->listener[0] || is_text(f, SP_FACT_PEER_LISTENER, p->listener));
}

int sp_place_rank(const struct sp_place *p)
{
    return (p->listener[0] ? 2 : 0) + (p->service ? 1 : 0);
}
