#include "core/base/spares.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
enum { KEPT = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { KEPT = 0 };
#else
enum { KEPT = 64 };
#endif
#else
enum { KEPT = 64 };
#endif

void *sp_spares_take(struct sp_spares *s)
{
    void *block = s->first;
    if (block) {
        memcpy(&s->first, block, sizeof s->first);
        s->count--;
    }
    return block;
}

bool sp_spares_keep(struct sp_spares *s, void *block)
{
    if (s->count + 1 > KEPT) {
        return false;
    }
    memcpy(block, &s->first, sizeof s->first);
    s->first = block;
    s->count++;
    return true;
}
