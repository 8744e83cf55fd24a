#include "core/http/chars.h"

/* The table is computed by the compiler from these rules. */
#define DIGIT(c) ((c) >= '0' && (c) <= '9')
#define UPPER(c) ((c) >= 'A' && (c) <= 'Z')
#define LOWER(c) ((c) >= 'a' && (c) <= 'z')
#define ALNUM(c) (DIGIT(c) || UPPER(c) || LOWER(c))
#define HEXA(c)  (DIGIT(c) || ((c) >= 'A' && (c) <= 'F') || ((c) >= 'a' && (c) <= 'f'))
#define MARK(c)                                                                        \
    ((c) == '!' || (c) == '#' || (c) == '$' || (c) == '%' || (c) == '&' ||             \
     (c) == '\'' || (c) == '*' || (c) == '+' || (c) == '-' || (c) == '.' ||            \
     (c) == '^' || (c) == '_' || (c) == '`' || (c) == '|' || (c) == '~')

#define CLASS(c)                                                                       \
    ((ALNUM(c) || MARK(c) ? SP_CHAR_TOKEN : 0) |                                       \
     (UPPER(c) || (c) == '-' ? SP_CHAR_METHOD : 0) |                                   \
     ((c) > ' ' && (c) < 0x7f ? SP_CHAR_TARGET : 0) |                                  \
     (((c) >= ' ' && (c) < 0x7f) || (c) == '\t' ? SP_CHAR_VALUE : 0) |                 \
     ((c) >= 0x80 ? SP_CHAR_OBS : 0) |                                                 \
     (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_' ? SP_CHAR_HOST : 0) |         \
     (HEXA(c) || (c) == ':' || (c) == '.' ? SP_CHAR_HOST6 : 0) |                       \
     (ALNUM(c) ? SP_CHAR_ALNUM : 0))

#define FOUR(c)      CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define SIXTEEN(c)   FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTYFOUR(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const uint8_t sp_char_classes[256] = {
    SIXTYFOUR(0),
    SIXTYFOUR(64),
    SIXTYFOUR(128),
    SIXTYFOUR(192),
};
