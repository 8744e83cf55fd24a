/* What scan.c asks of bytes: which document is made of XML 1.0 characters, and where
 * the next one stands that means something. */
#ifndef SP_CORE_XML_CHARS_H
#define SP_CORE_XML_CHARS_H

#include "sallyport/bytes.h"

/* UTF-8 of nothing but Char (XML 1.0, 2.2): no controls, surrogates, U+FFFE, U+FFFF. */
bool sp_xml_is_text(struct sp_view v);
bool sp_xml_is_char(uint32_t c);
/* 1 to 4 bytes */
size_t sp_xml_encode(uint32_t c, uint8_t out[4]);
/* The number of a character reference, from behind "&#" to before ';'. */
bool sp_xml_char_number(struct sp_view digits, uint32_t *out);

static inline bool sp_xml_is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Bytes of the character that may stand here in a name, or begin it; 0: none. A colon
 * may not: it stands between names. left > 0 */
size_t sp_xml_name_char(const uint8_t *p, size_t left, bool begins);

#endif
