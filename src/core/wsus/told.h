/* What clients are told of a revision, as facts: the same facts as of its document, as
 * far as fragments carry them, so that rules about documents can judge what was put
 * into a reply and never was a document. [MS-WUSP] 3.1.1.1; reference 5.7, 6.1.
 *
 * Namespaces are gone from fragments: DOCUMENT_HANDLER_TYPE has none, only '#' and what
 * stands behind the colon. Pure; one pass. */
#ifndef SP_CORE_WSUS_TOLD_H
#define SP_CORE_WSUS_TOLD_H

#include "core/wsus/wsus.h"

/* Adds the facts of one text. What names nothing is passed over. Errors:
 * SP_E_MALFORMED, SP_E_UNSUPPORTED, SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_told_read(struct sp_view utf8, struct sp_facts *f,
                         struct sp_why *why) SP_MUST_USE;

#endif
