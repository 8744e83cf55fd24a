/* Values of requests: read as leniently as .NET reads them, written in one spelling.
 * (threats X8) " 007 " becomes "7", a GUID lower case, base64 loses its blanks. */
#ifndef SP_CORE_WSUS_VALUE_H
#define SP_CORE_WSUS_VALUE_H

#include "core/wsus/schema.h"

/* Appends the one spelling of text, character data of a simple type. Errors:
 * SP_E_MALFORMED (not of the type), SP_E_LIMIT (out of its range), SP_E_NOMEM. */
enum sp_err sp_value_canonical(const struct sp_type *type, struct sp_view text,
                               struct sp_buf *out) SP_MUST_USE;

/* The readers of VALUE rows, see struct sp_type. */
enum sp_err sp_value_boolean(struct sp_view text, struct sp_buf *out) SP_MUST_USE;
enum sp_err sp_value_date_time(struct sp_view text, struct sp_buf *out) SP_MUST_USE;
enum sp_err sp_value_guid(struct sp_view text, struct sp_buf *out) SP_MUST_USE;
/* The numbers that [MS-WUSP] 2.2.2.3.1 gives to clients. */
enum sp_err sp_value_event_id(struct sp_view text, struct sp_buf *out) SP_MUST_USE;
/* "tag=value" of a report. What a server's own event carries never passes.
 * SP_E_UNSUPPORTED: a tag of one letter or two, as agents make them, that none is known
 * to use. */
enum sp_err sp_value_misc_datum(struct sp_view text, struct sp_buf *out) SP_MUST_USE;

#endif
