/* Character classes of RFC 9110 and 9112 in one table.
 *
 * Knows: which byte may stand where. Refuses to know: lines, names, meaning. Read only.
 */
#ifndef SP_CORE_HTTP_CHARS_H
#define SP_CORE_HTTP_CHARS_H

#include <stdbool.h>
#include <stdint.h>

enum sp_char_class {
    SP_CHAR_TOKEN = 1,   /* RFC 9110 5.6.2: tchar */
    SP_CHAR_METHOD = 2,  /* capitals and '-', as every registered method is spelt */
    SP_CHAR_TARGET = 4,  /* printable ASCII without the blank */
    SP_CHAR_VALUE = 8,   /* printable ASCII, blank and tab */
    SP_CHAR_OBS = 16,    /* RFC 9110 5.5: obs-text, 0x80 and above */
    SP_CHAR_HOST = 32,   /* of a name or an IPv4 address */
    SP_CHAR_HOST6 = 64,  /* of an IPv6 address */
    SP_CHAR_ALNUM = 128, /* ASCII letters and digits */
};

extern const uint8_t sp_char_classes[256];

static inline bool sp_char_is(uint8_t c, unsigned classes)
{
    return (sp_char_classes[c] & classes) != 0;
}

#endif
