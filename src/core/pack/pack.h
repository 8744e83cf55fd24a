/* Containers and codings, all over memory, all with a bounded output.
 *
 * Knows: xpress, gzip, cabinets with one member. Refuses to know: XML, HTTP. Output
 * that would pass the buffer's ceiling, or SP_LIMIT_RATIO times the input once
 * SP_LIMIT_RATIO_AFTER bytes came out, is SP_E_LIMIT. (threats H9, C1, C2, W12) */
#ifndef SP_CORE_PACK_PACK_H
#define SP_CORE_PACK_PACK_H

#include "core/base/limits.h"
#include "sallyport/bytes.h"

/* The body of "Content-Encoding: xpress": framed plain LZ77 blocks, [MS-WUSP] 2.1.1. */
enum sp_err sp_xpress_decode(struct sp_view in, struct sp_buf *out,
                             struct sp_why *why) SP_MUST_USE;
/* Encodes with matches; the result decodes to in and is never larger than in plus one
 * part in 32 plus 16 bytes a block. */
enum sp_err sp_xpress_encode(struct sp_view in, struct sp_buf *out) SP_MUST_USE;

/* One gzip member (RFC 1952) and nothing behind it. */
enum sp_err sp_gzip_decode(struct sp_view in, struct sp_buf *out,
                           struct sp_why *why) SP_MUST_USE;

/* The single member of a cabinet without flags: XmlUpdateBlobCompressed. LZX, MSZIP and
 * stored folders. Refuses more than one folder or file, sets, reserved areas, a size
 * that disagrees with the header, trailing bytes, a member longer than the ceiling.
 * [MS-WSUSSS] 3.1.4.6.3.3 */
enum sp_err sp_cab_decode_single(struct sp_view in, struct sp_buf *out,
                                 struct sp_why *why) SP_MUST_USE;

#endif
