/* A catalogue of translations as GNU msgfmt writes them (gettext manual, "The Format of
 * GNU MO Files"), read where it lies. Only what our own catalogues need: little-endian,
 * sorted, no plural forms, no system-dependent parts. A catalogue that is anything else
 * is refused whole. Pure; may be read by many. */
#ifndef SP_CORE_BASE_MO_H
#define SP_CORE_BASE_MO_H

#include "sallyport/bytes.h"

struct sp_mo {
    struct sp_view bytes;     /* borrowed for as long as it is used */
    uint32_t count, from, to; /* of strings; offsets of their tables */
};
/* SP_E_MALFORMED, SP_E_UNSUPPORTED. Checks every string once. */
enum sp_err sp_mo_open(struct sp_view bytes, struct sp_mo *out) SP_MUST_USE;
/* The translation, in the catalogue's bytes, or NULL where there is none. */
const char *sp_mo_find(const struct sp_mo *m, const char *text);

#endif
