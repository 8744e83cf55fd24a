/* Up to where text and values are what they look like.
 *
 * Knows bytes. Refuses to know what they mean: scan.c does. Sixteen at a time where the
 * processor can, with the same result. */
#ifndef SP_CORE_XML_STOPS_H
#define SP_CORE_XML_STOPS_H

#include <stdint.h>

/* The first byte from p on that is not ASCII from the space on, or end. */
const uint8_t *sp_xml_plain_stop(const uint8_t *p, const uint8_t *end);
/* The first '<', '&', ']' or carriage return from p on, or end. */
const uint8_t *sp_xml_text_stop(const uint8_t *p, const uint8_t *end);
/* The first '<', '&', quote or control character from p on, or end. */
const uint8_t *sp_xml_value_stop(const uint8_t *p, const uint8_t *end, uint8_t quote);

#endif
