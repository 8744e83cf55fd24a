/* Prints src/core/xml/names.def: the letters of XML 1.0, appendix B of its fourth
 * edition, beyond ASCII, as expat knows them. */
#include "core/xml/chars.h"
#include "core/xml/inside.h"

#include <stdio.h>

static bool is_accepted(const char *before, uint32_t c)
{
    char document[32];
    uint8_t bytes[4];
    size_t n = sp_xml_encode(c, bytes);
    static const struct sp_xml_handler none = {0};
    snprintf(document, sizeof document, "<%s%.*s/>", before, (int)n,
             (const char *)(const void *)bytes);
    return sp_xml_read_by_expat(sp_view_str(document), &sp_xml_rules_document, &none,
                                NULL, NULL) == SP_OK;
}

static const char *kind(uint32_t c)
{
    return !sp_xml_is_char(c)    ? NULL
           : is_accepted("", c)  ? "true"
           : is_accepted("a", c) ? "false"
                                 : NULL;
}

int main(void)
{
    puts("/* Made by tests/support/derive_xml_names.c: letters of XML 1.0 beyond "
         "ASCII.\n"
         " * RANGE(first, last, may begin a name) */");
    for (uint32_t c = 0x80; c < 0x10000; c++) {
        const char *now = kind(c);
        uint32_t first = c;
        while (now && c < 0xffff && kind(c + 1) == now) {
            c++;
        }
        if (now) {
            printf("RANGE(0x%04x, 0x%04x, %s)\n", first, c, now);
        }
    }
    return 0;
}
